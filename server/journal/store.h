/* Where the rows are: what a backend of the journal can do. It stores and finds, in transactions;
 * every decision is made above it, once for all backends.
 *
 *     sqlite.c   one connection that holds the file
 *     memory.c   for tests
 *
 * Ownership:  what is read is copied into the caller's arena; blobs come with a reference.
 * Threads:    one at a time: the journal's.
 * Errors:     ERROR_SYSTEM: the store failed; is_lost then says whether the transaction is gone.
 *             ERROR_LIMIT: a value too large to store. */
#ifndef RIPOSTE_SERVER_JOURNAL_STORE_H
#define RIPOSTE_SERVER_JOURNAL_STORE_H

#include "riposte/journal/chain.h"
#include "riposte/journal/journal.h"
#include "riposte/journal/search.h"

struct store_event {
    int64_t id; /* 0: to be given */
    struct text key;
    int64_t received_unix_ms, event_unix_ms;
    struct trace trace;
    uint32_t incident_count;
    struct blob *body;
};

struct store_incident {
    struct journal_incident shown;
    int64_t event_id;
};

struct store_task {
    int64_t id;
    struct ulid incident;
    int64_t event_id;
    enum task_kind kind;
    enum task_priority priority;
    unsigned attempt;
    int64_t due_unix_ms;
    struct text playbook, lane, detail;
};

struct store_call {
    struct journal_call shown;
    struct ulid incident;
};

/* pending ─▶ stands | unsure | (gone)      stands ⇄ unsure      stands, unsure ─▶ releasing ─▶
 * (gone) */
enum effect_state {
    EFFECT_PENDING,   /* its call may have been sent */
    EFFECT_STANDS,    /* its call was done */
    EFFECT_UNSURE,    /* its call failed, but may have worked */
    EFFECT_RELEASING, /* the last owner let go: its inverse is being sent */
};

struct store_effect {
    int64_t id;
    struct journal_effect_name name;
    struct text playbook, step, request, inverse; /* of the call that made it first */
    bool is_containing;
    enum effect_state state;
    uint32_t owner_count;
    int64_t made_unix_ms;
};

struct journal_effect effect_shown(const struct store_effect *effect);

struct store_key {
    struct text id;
    int64_t noted_unix_ms;
};

/* A value that a rule with a threshold saw of a subject; of the same value the latest counts. */
struct store_sighting {
    struct text rule, subject, value;
    int64_t seen_unix_ms, until_unix_ms; /* until: when it may be forgotten */
};

typedef void store_task_fn(void *arg, const struct store_task *task, enum incident_state state);
/* So many incidents of that rule in that state, the last of them `latest`. */
typedef void store_census_fn(void *arg, struct text rule, enum incident_state state, uint64_t count,
                             const struct ulid *latest);
typedef void store_key_fn(void *arg, struct text access_key_id);

struct store {
    /* The transaction is gone, with all its savepoints: only rollback and reopen make sense. */
    bool is_lost;
    /* What is stored is not what was written. reopen() looks at all of it, and fails from then on
     * if it is so. */
    bool is_damaged;

    void (*close)(struct store *store);
    /* After a failure: closes what there is and opens it again; then it can commit, or not. */
    bool (*reopen)(struct store *store, struct error *error);
    bool (*begin)(struct store *store, struct error *error);
    bool (*commit)(struct store *store, struct error *error);
    void (*rollback)(struct store *store);
    /* One level. */
    bool (*savepoint)(struct store *store, struct error *error);
    bool (*savepoint_release)(struct store *store, struct error *error);
    bool (*savepoint_rollback)(struct store *store, struct error *error);
    /* A change that means nothing, to see whether it can be committed. */
    bool (*touch)(struct store *store, int64_t unix_ms, struct error *error);
    /* Work that is best done when nobody waits: moves committed pages home. */
    void (*tidy)(struct store *store, bool is_idle);

    /* *id_out: 0 when the key is there already. */
    bool (*event_insert)(struct store *store, const struct store_event *event, int64_t *id_out,
                         struct error *error);
    /* How many incidents it has, after all. */
    bool (*event_incidents)(struct store *store, int64_t id, uint32_t incident_count,
                            struct error *error);
    /* By id, or by key when id is 0. body NULL: there is none. */
    bool (*event_read)(struct store *store, int64_t id, struct text key, struct arena *arena,
                       struct store_event *event_out, struct error *error);

    bool (*definition_insert)(struct store *store, const struct journal_definition *definition,
                              struct error *error);
    bool (*definition_read)(struct store *store, const uint8_t hash[JOURNAL_HASH_BYTES],
                            struct blob **text_out, struct error *error);

    bool (*incident_insert)(struct store *store, const struct store_incident *incident,
                            struct error *error);
    /* *is_found_out false: incident_out is untouched. */
    bool (*incident_read)(struct store *store, const struct ulid *id, struct arena *arena,
                          struct store_incident *incident_out, bool *is_found_out,
                          struct error *error);
    /* State, severity, reason, joined_to, contained, updated. */
    bool (*incident_update)(struct store *store, const struct store_incident *incident,
                            struct error *error);
    bool (*incident_plan)(struct store *store, const struct ulid *id, struct text plan,
                          struct error *error);
    /* The latest of that rule and subject that is held, observed, responding or done and was
     * created after `created_after_unix_ms`. */
    bool (*incident_find_open)(struct store *store, struct text rule, struct text subject,
                               int64_t created_after_unix_ms, struct arena *arena,
                               struct store_incident *incident_out, bool *is_found_out,
                               struct error *error);
    /* Those that joined it, in the order of their ids. */
    bool (*incident_joined)(struct store *store, const struct ulid *id, struct arena *arena,
                            struct store_incident **incidents_out, size_t *count_out,
                            struct error *error);
    /* Looks at `slice` incidents before *before (none: from the newest), for at most `limit` that
     * pass; *before moves to where to go on, and is none at the end. */
    bool (*incident_search)(struct store *store, struct ulid *before,
                            const struct journal_filter *filter, size_t slice, size_t limit,
                            struct arena *arena, struct journal_incident **incidents_out,
                            size_t *count_out, struct error *error);
    /* The same, counted: each rule and state once. */
    bool (*incident_census)(struct store *store, struct ulid *before, size_t slice,
                            store_census_fn *census_fn, void *arg, struct error *error);

    bool (*task_insert)(struct store *store, const struct store_task *task, int64_t *id_out,
                        struct error *error);
    bool (*task_read)(struct store *store, int64_t id, struct arena *arena,
                      struct store_task *task_out, bool *is_found_out, struct error *error);
    /* Due time and attempt, and the detail unless its data is NULL. */
    bool (*task_update)(struct store *store, int64_t id, int64_t due_unix_ms, unsigned attempt,
                        struct text detail, struct error *error);
    bool (*task_delete)(struct store *store, int64_t id, struct error *error);
    /* All of them, with the states of their incidents. */
    bool (*task_each)(struct store *store, store_task_fn *task_fn, void *arg, struct error *error);

    bool (*call_insert)(struct store *store, const struct store_call *call, int64_t *id_out,
                        struct error *error);
    bool (*call_find)(struct store *store, const struct ulid *incident, struct text key,
                      struct arena *arena, struct journal_call *call_out, bool *is_found_out,
                      struct error *error);
    /* State, answer, error code, reason, attempts, ended, took. */
    bool (*call_update)(struct store *store, const struct journal_call *call, struct error *error);
    bool (*call_is_pending)(struct store *store, const struct ulid *incident,
                            const struct journal_intent *intent, bool *is_pending_out,
                            struct error *error);
    bool (*call_list)(struct store *store, const struct ulid *incident, struct arena *arena,
                      struct journal_call **calls_out, size_t *count_out, struct error *error);

    /* By id, or by name when id is 0. */
    bool (*effect_find)(struct store *store, int64_t id, const struct journal_effect_name *name,
                        struct arena *arena, struct store_effect *effect_out, bool *is_found_out,
                        struct error *error);
    bool (*effect_insert)(struct store *store, const struct store_effect *effect, int64_t *id_out,
                          struct error *error);
    /* State, owner_count, made. */
    bool (*effect_update)(struct store *store, const struct store_effect *effect,
                          struct error *error);
    bool (*effect_delete)(struct store *store, int64_t id, struct error *error);
    bool (*effect_list)(struct store *store, const struct ulid *incident, struct arena *arena,
                        struct journal_effect **effects_out, size_t *count_out,
                        struct error *error);
    /* Every one there is, the latest first. */
    bool (*effect_all)(struct store *store, struct arena *arena,
                       struct journal_effect **effects_out, size_t *count_out, struct error *error);
    /* Containing ones, not releasing, on `holder` or "<holder>:...", the latest first. */
    bool (*effect_kin)(struct store *store, struct text holder, size_t limit, struct arena *arena,
                       struct journal_effect **effects_out, size_t *count_out, struct error *error);
    /* *is_changed_out: it was no owner before; it was one. */
    bool (*owner_add)(struct store *store, const struct ulid *incident, int64_t effect_id,
                      bool *is_changed_out, struct error *error);
    bool (*owner_remove)(struct store *store, const struct ulid *incident, int64_t effect_id,
                         bool *is_changed_out, struct error *error);
    bool (*owner_is)(struct store *store, const struct ulid *incident, int64_t effect_id,
                     bool *is_owner_out, struct error *error);

    /* Forgets the scope's draws up to `until_unix_ms`, then: has `target` drawn, how many have? */
    bool (*reservation_count)(struct store *store, struct text scope, struct text target,
                              int64_t until_unix_ms, bool *has_drawn_out, uint32_t *count_out,
                              struct error *error);
    bool (*reservation_insert)(struct store *store, struct text scope, struct text target,
                               int64_t unix_ms, struct error *error);

    bool (*sighting_note)(struct store *store, const struct store_sighting *sighting,
                          struct error *error);
    /* How many values of its rule and subject were seen within per_ms before the latest that was
     * seen less than per_ms after it. */
    bool (*sighting_count)(struct store *store, const struct store_sighting *sighting,
                           int64_t per_ms, uint32_t *count_out, struct error *error);
    /* Forgets all but the latest `keep` of its rule and subject. */
    bool (*sighting_trim)(struct store *store, const struct store_sighting *sighting, uint32_t keep,
                          struct error *error);
    bool (*sighting_purge)(struct store *store, int64_t until_unix_ms, struct error *error);

    bool (*audit_insert)(struct store *store, const struct journal_audit_line *line,
                         struct error *error);
    /* Sequence 0 when there is none. */
    bool (*audit_head)(struct store *store, int64_t *sequence_out,
                       uint8_t hash_out[JOURNAL_HASH_BYTES], struct error *error);
    bool (*audit_list)(struct store *store, int64_t after, size_t limit, struct arena *arena,
                       struct journal_audit_line **lines_out, size_t *count_out,
                       struct error *error);

    /* Deletes the first `count` lines if there are more, all are older than `until_unix_ms`, and
     * none is about an incident that is there; *last_out is the last of them, or untouched. */
    bool (*audit_cut)(struct store *store, int64_t until_unix_ms, size_t count,
                      struct journal_anchor *last_out, struct error *error);

    bool (*key_insert)(struct store *store, const struct store_key *key, struct error *error);
    bool (*key_each)(struct store *store, store_key_fn *key_fn, void *arg, struct error *error);
    bool (*key_purge)(struct store *store, int64_t until_unix_ms, struct error *error);

    /* At most `limit` incidents behind *cursor, in the order of their ids, that were last changed
     * before `until_unix_ms`, are neither detected, responding nor releasing and own no effect of a
     * containing call: their ids. *cursor moves to the last one looked at, or is none at the end.
     */
    bool (*retention_find)(struct store *store, struct ulid *cursor, int64_t until_unix_ms,
                           size_t limit, struct arena *arena, struct ulid **incidents_out,
                           size_t *count_out, struct error *error);
    /* The incident, its calls and ownerships, effects that nobody owns then, and its event when no
     * other incident has it. */
    bool (*retention_delete)(struct store *store, const struct ulid *incident, struct error *error);
    /* At most `limit` events that never had an incident. */
    bool (*retention_events)(struct store *store, int64_t until_unix_ms, size_t limit,
                             struct error *error);

    /* A copy of everything into the empty file at `path`, in steps of about a millisecond; what is
     * committed between them gets into it. reopen() ends one that is under way. ERROR_BUSY: there
     * is one. */
    bool (*backup_start)(struct store *store, const char *path, struct error *error);
    bool (*backup_step)(struct store *store, bool *is_complete_out, struct error *error);
    void (*backup_stop)(struct store *store);
};

/* A copy that is complete becomes a file on its own. Not the journal's thread. */
MUST_CHECK bool store_settle_copy(const char *path, struct error *error);

/* `path`: a file. */
MUST_CHECK bool store_open_sqlite(const char *path, const struct clock *clock,
                                  struct store **store_out, struct error *error);
struct store *store_open_memory(void);

#endif
