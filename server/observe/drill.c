#include "riposte/observe/drill.h"

#include "riposte/base/hex.h"
#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/crypto/equal.h"
#include "riposte/crypto/random.h"
#include "riposte/observe/metrics.h"

#include <stdio.h>
#include <string.h>

struct drill {
    const struct clock *clock;
    struct mutex lock;
    struct {
        struct drill_report report;
        char nonce[2 * DRILL_NONCE_BYTES + 1];
        char key[DRILL_KEY_BYTES]; /* empty: no event was taken for it yet */
    } shared;                      /* with `lock` */
};

static const char *const leg_names[DRILL_LEGS] = {
    [DRILL_SENT] = "sent",       [DRILL_LOGGED] = "logged",       [DRILL_RECEIVED] = "received",
    [DRILL_MATCHED] = "matched", [DRILL_COMMITTED] = "committed", [DRILL_PLANNED] = "planned",
    [DRILL_CALLED] = "called",
};

static const char *const state_names[] = {
    [DRILL_WAITS] = "waits",
    [DRILL_DONE] = "done",
    [DRILL_SKIPPED] = "skipped",
    [DRILL_BROKEN] = "broken",
};

static struct metric ends = {.name = "riposte_drills_total",
                             .help = "Drills that an event came in for, by their end: done, or "
                                     "broken at a leg.",
                             .type = METRIC_COUNTER,
                             .labels = {"outcome"}};

int64_t drill_leg_us(const struct drill_report *report, enum drill_leg leg) {
    int64_t at_us = report->legs[leg].at_unix_us, before_us = 0;
    for (int i = 0; i < (int)leg; i++) {
        int64_t other_us = report->legs[i].at_unix_us;
        before_us = other_us > before_us ? other_us : before_us;
    }
    if (at_us == 0 || before_us == 0) {
        return -1;
    }
    return at_us > before_us ? at_us - before_us : 0;
}

const char *drill_leg_name(enum drill_leg leg) {
    return leg_names[leg];
}

const char *drill_state_name(enum drill_state state) {
    return state_names[state];
}

struct drill *drill_new(const struct clock *clock) {
    struct drill *drill = memory_new(sizeof(*drill));
    drill->clock = clock;
    mutex_init(&drill->lock);
    metrics_register(&ends, 1);
    metric_add(&ends, 0, METRIC_LABELS(TEXT("done")));
    metric_add(&ends, 0, METRIC_LABELS(TEXT("broken")));
    return drill;
}

void drill_free(struct drill **drill) {
    if (*drill != NULL) {
        mutex_done(&(*drill)->lock);
        memory_free_at(drill);
    }
}

static void copy_cut(struct text text, char *out, size_t capacity) {
    struct text fitting = text_cut(text, capacity - 1);
    if (fitting.bytes > 0) {
        memcpy(out, fitting.data, fitting.bytes);
    }
    out[fitting.bytes] = '\0';
}

void drill_arm(struct drill *drill, bool is_canary, struct text actor, int64_t wait_ms,
               struct ulid *id_out, char nonce_out[2 * DRILL_NONCE_BYTES + 1]) {
    int64_t now_ms = clock_unix_ms(drill->clock);
    uint8_t random[DRILL_NONCE_BYTES];
    struct drill_report report = {.id = random_ulid(now_ms),
                                  .is_canary = is_canary,
                                  .started_unix_ms = now_ms,
                                  .until_unix_ms = now_ms + wait_ms};
    random_bytes(random, sizeof(random));
    copy_cut(actor, report.actor, sizeof(report.actor));
    mutex_lock(&drill->lock);
    drill->shared.report = report;
    drill->shared.key[0] = '\0';
    hex_encode(random, sizeof(random), drill->shared.nonce);
    memcpy(nonce_out, drill->shared.nonce, sizeof(drill->shared.nonce));
    mutex_unlock(&drill->lock);
    *id_out = report.id;
}

/* ---- which event ---- */

static bool may_take(const struct drill *drill, bool is_canary, struct text key)
    REQUIRES(&drill->lock);

static bool may_take(const struct drill *drill, bool is_canary, struct text key) {
    const struct drill_report *report = &drill->shared.report;
    return !ulid_is_none(&report->id) && report->is_canary == is_canary &&
           drill->shared.key[0] == '\0' && key.bytes > 0 && key.bytes < DRILL_KEY_BYTES &&
           clock_unix_ms(drill->clock) <= report->until_unix_ms;
}

static bool take(struct drill *drill, bool is_canary, struct text nonce, struct text key) {
    if (drill == NULL) {
        return false;
    }
    mutex_lock(&drill->lock);
    bool is_it = may_take(drill, is_canary, key) &&
                 (is_canary || crypto_equal(nonce, text_of(drill->shared.nonce)));
    if (is_it) {
        copy_cut(key, drill->shared.key, sizeof(drill->shared.key));
    }
    mutex_unlock(&drill->lock);
    return is_it;
}

bool drill_take(struct drill *drill, struct text nonce, struct text key) {
    return take(drill, false, nonce, key);
}

bool drill_take_canary(struct drill *drill, struct text key) {
    return take(drill, true, TEXT(""), key);
}

/* ---- how far it came ---- */

static enum drill_state whole(const struct drill_report *report, int64_t now_ms,
                              enum drill_leg *broke_at) {
    enum drill_leg first = DRILL_LEGS; /* that waits */
    for (int i = 0; i < DRILL_LEGS; i++) {
        if (report->legs[i].state == DRILL_BROKEN) {
            *broke_at = (enum drill_leg)i;
            return DRILL_BROKEN;
        }
        if (report->legs[i].state == DRILL_WAITS && first == DRILL_LEGS) {
            first = (enum drill_leg)i;
        }
    }
    if (first == DRILL_LEGS) {
        return DRILL_DONE;
    }
    *broke_at = first;
    return now_ms > report->until_unix_ms ? DRILL_BROKEN : DRILL_WAITS;
}

/* By what came, whatever the time is. */
static enum drill_state state_of_legs(const struct drill_report *report) {
    enum drill_leg leg = DRILL_SENT;
    return whole(report, report->until_unix_ms, &leg);
}

/* A leg that is over stays as it is. */
static void set(struct drill *drill, struct text key, enum drill_leg leg, struct drill_step step) {
    if (drill == NULL || key.bytes == 0) {
        return;
    }
    mutex_lock(&drill->lock);
    struct drill_step *at = &drill->shared.report.legs[leg];
    if (text_equal_string(key, drill->shared.key) && at->state == DRILL_WAITS) {
        bool was_over = state_of_legs(&drill->shared.report) != DRILL_WAITS;
        *at = step;
        enum drill_state state = state_of_legs(&drill->shared.report);
        if (state != DRILL_WAITS && !was_over) {
            metric_add(&ends, 1, METRIC_LABELS(text_of(state_names[state])));
        }
    }
    mutex_unlock(&drill->lock);
}

static struct drill_step make(enum drill_state state, int64_t at_unix_us, const char *note) {
    struct drill_step step = {.state = state, .at_unix_us = at_unix_us};
    copy_cut(text_of(note), step.note, sizeof(step.note));
    return step;
}

void drill_pass(struct drill *drill, struct text key, enum drill_leg leg, const char *note) {
    if (drill != NULL) {
        set(drill, key, leg, make(DRILL_DONE, clock_unix_us(drill->clock), note));
    }
}

void drill_pass_at(struct drill *drill, struct text key, enum drill_leg leg, int64_t unix_us) {
    set(drill, key, leg, make(DRILL_DONE, unix_us, ""));
}

void drill_skip(struct drill *drill, struct text key, enum drill_leg leg, const char *note) {
    set(drill, key, leg, make(DRILL_SKIPPED, 0, note));
}

void drill_break(struct drill *drill, struct text key, enum drill_leg leg, const char *note) {
    set(drill, key, leg, make(DRILL_BROKEN, 0, note));
}

void drill_read(struct drill *drill, struct drill_report *report_out) {
    *report_out = (struct drill_report){0};
    if (drill == NULL) {
        return;
    }
    mutex_lock(&drill->lock);
    *report_out = drill->shared.report;
    mutex_unlock(&drill->lock);
    if (!ulid_is_none(&report_out->id)) {
        report_out->state = whole(report_out, clock_unix_ms(drill->clock), &report_out->broke_at);
    }
}
