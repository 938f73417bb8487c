/* What is asked of the journal's thread, and the journal itself.
 *
 * A request runs once, on that thread: a change within the transaction of its group, a read outside
 * of any. It is completed after the commit, or at once when it failed.
 *
 * Ownership:  the asker's until it is completed. A request with a complete_fn belongs to that
 *             function from then on; one without is waited for by journal_ask().
 * Bounds:     a group takes JOURNAL_GROUP_REQUESTS, and no more once it has JOURNAL_GROUP_BYTES. */
#ifndef RIPOSTE_SERVER_JOURNAL_REQUEST_H
#define RIPOSTE_SERVER_JOURNAL_REQUEST_H

#include "ledger.h"

#include "riposte/base/latch.h"
#include "riposte/base/mutex.h"
#include "riposte/base/thread.h"

#include <stdatomic.h>

#define JOURNAL_GROUP_REQUESTS     64
#define JOURNAL_GROUP_BYTES        (4u * 1024 * 1024)
#define JOURNAL_HOLD_MS            1
#define JOURNAL_PROBE_MS           500
#define JOURNAL_READ_SLICE_US      2000
#define JOURNAL_RETENTION_MS       60000
#define JOURNAL_RETENTION_PAUSE_MS 100
#define JOURNAL_RETENTION_IDLE_MS  50 /* when nobody asks for anything: somebody may, any moment */
#define JOURNAL_RETAIN_LEAST_MS    (INT64_C(2) * 24 * 60 * 60 * 1000)
#define JOURNAL_KEEP_KEYS_MS       (INT64_C(30) * 24 * 60 * 60 * 1000)

/* The order of service. */
enum request_class {
    REQUEST_LOAD,   /* reads a task that a worker has claimed */
    REQUEST_CHANGE, /* workers' and operators' changes */
    REQUEST_APPEND,
    REQUEST_READ,
    REQUEST_CLASSES,
};

struct request {
    struct request *next;
    enum request_class class;
    size_t bytes; /* to be written, roughly */
    bool (*run_fn)(struct ledger *ledger, void *arg, struct error *error);
    void *arg;
    void (*complete_fn)(void *arg, const struct error *error); /* NULL inside: committed */
    struct error error;
    bool is_ok;
    bool wakes_later;                /* journal_wake() is up to the asker */
    void (*meanwhile_fn)(void *arg); /* the asker's, before it waits; may be NULL */
    void *meanwhile_arg;
    struct latch completed; /* of one without a complete_fn */
};

struct request_queue {
    struct request *first, **last;
    size_t count;
};

struct journal_keys;

struct journal {
    struct ledger ledger; /* the journal's thread's */
    struct store *store;
    struct desk *desk;
    const struct clock *clock;
    struct journal_keys *keys;
    const struct journal_watcher *_Atomic watcher;
    int64_t retain_ms, audit_retain_ms;
    struct {
        struct ulid cursor;
        int64_t next_mono_ms;
        int64_t last_mono_ms; /* real time */
        bool is_running, has_cut;
    } retention; /* the journal's thread's */
    struct thread thread;
    struct mutex lock;
    struct condition work;
    struct {
        struct request_queue queues[REQUEST_CLASSES];
        bool is_ready, is_stopping, is_idle, is_holding;
        struct error failure; /* why it isn't ready */
        struct journal_numbers numbers;
    } shared; /* under the lock */
};

/* For a transaction that is open: what is to be in it as well. Waits up to JOURNAL_HOLD_MS for it,
 * or until journal_wake(); NULL: nothing came. */
struct request *journal_take_more(struct journal *journal);

/* Hands the request over. When the journal isn't ready it is completed at once. */
void journal_submit(struct journal *journal, struct request *request);
/* The same, and waits; `request` may be on the caller's stack. */
MUST_CHECK bool journal_ask_request(struct journal *journal, struct request *request,
                                    struct error *error);
/* The same with a request that says no more than this. */
MUST_CHECK bool journal_ask(struct journal *journal, enum request_class class,
                            bool (*run_fn)(struct ledger *ledger, void *arg, struct error *error),
                            void *arg, size_t bytes, struct error *error);

#endif
