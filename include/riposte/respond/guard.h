/* May this be acted on? The first three of the guard's questions, in their order, with a reason in
 * words: pure. The fourth (confirm) asks AWS: confirm.h.
 *
 *     our own access key        suppressed
 *     our role, another key     held, page
 *     account, Region, age      held
 *     protected, unknown        held, page
 *
 * Ownership:  the reason lives in the caller's arena.
 * Threads:    pure.
 * Source:     RULES.md, Guard. */
#ifndef RIPOSTE_RESPOND_GUARD_H
#define RIPOSTE_RESPOND_GUARD_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"
#include "riposte/config/context.h"
#include "riposte/config/settings.h"

#include <stdbool.h>
#include <stdint.h>

#define GUARD_AHEAD_MS (5 * 60 * 1000)

/* Who we are, as far as is known. */
struct guard_identity {
    bool is_known;         /* false: ownership is unknown */
    struct text why;       /* it is not known */
    struct text account;   /* ours */
    struct text unique_id; /* "AROA...:session" or "AIDA..." */
    struct text arn;       /* as STS says it */
};

struct guard_facts {
    const struct subject_event *event;
    const struct guard_identity *identity;
    bool is_own_key;       /* the event's access key was issued to us */
    bool needs_identity;   /* outside observe: held when nobody knows whose the account is */
    struct texts accounts; /* ours beside the identity's */
    struct text own_role;  /* an ARN: whom we become in the event's account; empty: nobody */
    struct texts regions;  /* empty: all */
    struct texts protected_principals;
    int64_t max_event_age_ms;  /* 0: any age */
    bool overrides_age;        /* a person approved it: old, or dated ahead */
    bool overrides_protection; /* and that, although the principal is protected */
    int64_t received_unix_ms;
};

enum guard_decision { GUARD_PASS, GUARD_SUPPRESS, GUARD_HOLD };

struct guard_verdict {
    enum guard_decision decision;
    bool must_page;
    struct text reason; /* of GUARD_PASS: what remains open ("ownership unknown"), or empty */
};

void guard_judge(const struct guard_facts *facts, struct arena *arena,
                 struct guard_verdict *verdict_out);

/* Does an entry of `protected` mean this principal? `*` is any characters, '/' and ':' too. */
bool guard_is_protected(struct text entry, const struct subject_event *event);

#endif
