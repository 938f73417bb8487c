/* The time, passed in: so that tests stand still and never sleep.
 *
 * Units:      *_unix_ms: wall clock, milliseconds since 1970 (stored, compared with events).
 *             *_mono_ms, *_mono_us: monotonic, for waits and measurements, meaningless elsewhere.
 * Threads:    any. A fake clock is atomic: one thread moves it while others read. */
#ifndef RIPOSTE_BASE_CLOCK_H
#define RIPOSTE_BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*unix_us_fn)(void *arg);
    int64_t (*mono_us_fn)(void *arg);
    void *arg;
};

/* The machine's. */
extern const struct clock clock_system;

int64_t clock_unix_ms(const struct clock *clock);
int64_t clock_unix_us(const struct clock *clock);
int64_t clock_mono_ms(const struct clock *clock);
int64_t clock_mono_us(const struct clock *clock);

/* A clock that moves only when told. `clock` is what to pass on. */
struct fake_clock {
    struct clock clock;
    _Atomic int64_t unix_us, mono_us;
};
void fake_clock_init(struct fake_clock *fake, int64_t unix_ms);
/* Moves both clocks on. */
void fake_clock_advance(struct fake_clock *fake, int64_t ms);
/* Sets the wall clock alone, as an administrator or NTP would. */
void fake_clock_set_unix(struct fake_clock *fake, int64_t unix_ms);

/* Really waits; the only sleep in the tree. */
void clock_sleep_ms(int64_t ms);

#endif
