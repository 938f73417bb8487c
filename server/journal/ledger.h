/* What every decision works with: the store, the desk, the time, the end of the audit chain.
 *
 * The decisions themselves, one file a request:
 *
 *     append.c    events, incidents, respond tasks        calls.c   intents, outcomes, effects
 *     admit.c     verdict, limits, first tasks            undo.c    taking back
 *     write.c     what a task changes                 approve.c an operator's word on held ones
 *     retention.c  what is forgotten, and what of the chain is cut
 *
 * Ownership:  journal.c makes one ledger and owns it.
 * Threads:    the journal's. */
#ifndef RIPOSTE_SERVER_JOURNAL_LEDGER_H
#define RIPOSTE_SERVER_JOURNAL_LEDGER_H

#include "desk.h"
#include "store.h"

#include "riposte/base/buffer.h"

#define LEDGER_DEFINITIONS 64

struct ledger_head {
    int64_t sequence;
    uint8_t hash[JOURNAL_HASH_BYTES];
};

/* Definitions lately stored or read. */
struct ledger_definition {
    uint8_t hash[JOURNAL_HASH_BYTES];
    struct blob *text;
};

struct ledger {
    struct store *store;
    struct desk *desk;
    const struct clock *clock;
    size_t queue_limit;
    int64_t now_unix_ms; /* of this transaction */
    struct ledger_head head;
    struct ledger_definition definitions[LEDGER_DEFINITIONS];
    size_t next_definition;
    struct arena *arena;   /* of one request */
    struct buffer scratch; /* an audit text being made */
};

void ledger_init(struct ledger *ledger, struct store *store, struct desk *desk,
                 const struct clock *clock);
void ledger_done(struct ledger *ledger);

/* A place to go back to. */
struct ledger_mark {
    struct ledger_head head;
    size_t desk_mark;
};
struct ledger_mark ledger_mark(struct ledger *ledger);
void ledger_revert(struct ledger *ledger, const struct ledger_mark *mark);

/* Reads the end of the chain and all open tasks: after opening, or opening again. */
MUST_CHECK bool ledger_load(struct ledger *ledger, struct error *error);

/* The end of the chain as it is now. */
void ledger_count_head(const struct ledger *ledger, struct journal_numbers *numbers);

/* Adds a line to the chain; `incident` may be NULL. */
MUST_CHECK bool ledger_audit(struct ledger *ledger, const char *event, const struct ulid *incident,
                             struct text actor, struct text text, struct error *error);

/* One member of an audit text; an empty value is left out. */
struct ledger_member {
    const char *name;
    struct text value;
};
/* The same with an object made of `members`, up to the one without a name. */
MUST_CHECK bool ledger_audit_members(struct ledger *ledger, const char *event,
                                     const struct ulid *incident, struct text actor,
                                     const struct ledger_member *members, struct error *error);

MUST_CHECK bool ledger_keep_definition(struct ledger *ledger,
                                       const struct journal_definition *definition,
                                       struct error *error);
/* With a reference for the caller; NULL when there is none. */
MUST_CHECK bool ledger_find_definition(struct ledger *ledger,
                                       const uint8_t hash[JOURNAL_HASH_BYTES],
                                       struct blob **text_out, struct error *error);

/* A task as a worker gets it, without id and fence; texts are copied. */
struct journal_task *ledger_make_task(const struct store_task *task,
                                      const struct store_incident *incident,
                                      const struct store_event *event, struct blob *definition);
/* The same, read from the store: for the lease of a task that was not kept ready. ERROR_NOT_FOUND:
 * it, its incident or its event is gone. */
MUST_CHECK bool ledger_read_task(struct ledger *ledger, const struct desk_lease *lease,
                                 struct journal_task **task_out, struct error *error);

/* Stores the task and puts it on the desk; *task gets its id. fence_out NULL: anybody may claim it,
 * `ready` (may be NULL) is taken over on success. Else it is leased to the caller. */
MUST_CHECK bool ledger_add_task(struct ledger *ledger, struct store_task *task,
                                struct journal_task *ready, uint64_t *fence_out,
                                struct error *error);
MUST_CHECK bool ledger_end_task(struct ledger *ledger, int64_t id, struct error *error);

/* Goes there if it may, audited, and says whether it went. `shown` is changed. */
MUST_CHECK bool ledger_move(struct ledger *ledger, struct store_incident *incident,
                            enum incident_state state, struct text reason, struct text actor,
                            bool *has_moved_out, struct error *error);
bool incident_may_move(enum incident_state from, enum incident_state to);
/* Is there no new work for it any more? */
bool incident_is_closed(enum incident_state state);

#endif
