/* What a task asks to be changed: a list, filled by the journal_write_...() calls on the worker's
 * thread, gone through by decide_write() on the journal's.
 *
 * Ownership:  texts are copied into its arena. */
#ifndef RIPOSTE_SERVER_JOURNAL_WRITE_H
#define RIPOSTE_SERVER_JOURNAL_WRITE_H

#include "riposte/journal/journal.h"

enum write_kind {
    WRITE_INTENT,
    WRITE_OUTCOME,
    WRITE_TASK,
    WRITE_STATE,
    WRITE_NOTICE,
    WRITE_AUDIT,
    WRITE_ESCAPE,
    WRITE_LET_GO,
    WRITE_RELEASED,
};

struct write_change {
    struct write_change *next;
    enum write_kind kind;
    size_t result_index; /* INTENT, STATE, LET_GO */
    union {
        struct journal_intent intent;
        struct {
            struct text call_key;
            struct journal_outcome outcome;
        } outcome;
        struct journal_new_task task;
        struct {
            size_t state_index;
            struct journal_new_task task;
        } notice;
        struct {
            enum incident_state state;
            struct text reason;
        } state;
        struct {
            struct text event, text;
        } audit;
        int64_t effect_id;
    };
};

enum write_end { WRITE_KEEPS, WRITE_FINISHES, WRITE_AGAIN };

struct journal_write {
    struct arena *arena;
    int64_t task_id;
    uint64_t fence;
    struct ulid incident;
    struct write_change *first, **last;
    enum write_end end;
    struct {
        int64_t due_unix_ms;
        struct text detail;
        bool counts;
    } again;
    enum incident_state state; /* the incident's, once it is committed */
    int *results;
    size_t result_count;
};

#endif
