#include "riposte/base/clock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

static int64_t read_us(clockid_t id) {
    struct timespec now = {0};
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_unix_us(void *arg) {
    (void)arg;
    return read_us(CLOCK_REALTIME);
}

static int64_t system_mono_us(void *arg) {
    (void)arg;
    return read_us(CLOCK_MONOTONIC);
}

const struct clock clock_system = {system_unix_us, system_mono_us, NULL};

/* Towards minus infinity, also before 1970: a millisecond is as long there as here. */
static int64_t to_ms(int64_t us) {
    return us / 1000 - (us % 1000 < 0 ? 1 : 0);
}

int64_t clock_unix_us(const struct clock *clock) {
    return clock->unix_us_fn(clock->arg);
}

int64_t clock_unix_ms(const struct clock *clock) {
    return to_ms(clock_unix_us(clock));
}

int64_t clock_mono_us(const struct clock *clock) {
    return clock->mono_us_fn(clock->arg);
}

int64_t clock_mono_ms(const struct clock *clock) {
    return to_ms(clock_mono_us(clock));
}

static int64_t fake_unix_us(void *arg) {
    struct fake_clock *fake = arg;
    return atomic_load(&fake->unix_us);
}

static int64_t fake_mono_us(void *arg) {
    struct fake_clock *fake = arg;
    return atomic_load(&fake->mono_us);
}

void fake_clock_init(struct fake_clock *fake, int64_t unix_ms) {
    fake->clock = (struct clock){fake_unix_us, fake_mono_us, fake};
    atomic_init(&fake->unix_us, unix_ms * 1000);
    atomic_init(&fake->mono_us, 1000000); /* not 0, which callers may use for "never" */
}

void fake_clock_advance(struct fake_clock *fake, int64_t ms) {
    atomic_fetch_add(&fake->unix_us, ms * 1000);
    atomic_fetch_add(&fake->mono_us, ms * 1000);
}

void fake_clock_set_unix(struct fake_clock *fake, int64_t unix_ms) {
    atomic_store(&fake->unix_us, unix_ms * 1000);
}

void clock_sleep_ms(int64_t ms) {
    if (ms <= 0) {
        return;
    }
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {}
}
