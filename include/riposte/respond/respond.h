/* The worker pool: begins at journal_claim(), ends at a commit. N threads, each with one task at a
 * time:
 *
 *     RESPOND   guard ▸ confirm ▸ plan the first intents ▸ journal_admit ▸ the first playbook at
 * once PLAYBOOK  plan_next ▸ intent committed ▸ call ▸ outcome, verification and next intent in one
 *               commit ▸ ... ▸ the incident's state
 *     VERIFY    ask whether a write is still there; apply it again, at most three times
 *     UNDO      let go of effects, the newest first; the last owner sends the stored inverse
 *
 * Between the claim of an event and its containing call stand one commit (admit, with the intent)
 * and the read that makes sure whom the call will hit; that read is under way while admit commits.
 * No write leaves before its intent is committed.
 *
 * Ownership:  respond_start() gives a pool that respond_free() frees; what options point to must
 * outlive it.
 * Threads:    options.workers of its own; respond_... may be called from any one thread.
 * Bounds:     a call is tried at most RESPOND_ATTEMPTS times over about two minutes, then it failed
 * for good; a write is applied again at most RESPOND_REAPPLIED times. */
#ifndef RIPOSTE_RESPOND_RESPOND_H
#define RIPOSTE_RESPOND_RESPOND_H

#include "riposte/aws/client.h"
#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/config/snapshot.h"
#include "riposte/journal/journal.h"
#include "riposte/observe/drill.h"
#include "riposte/outbound/http.h"

#include <stdbool.h>
#include <stdint.h>

#define RESPOND_ATTEMPTS  9
#define RESPOND_REAPPLIED 3

struct respond;

/* AWS, as respond sees it: the client in the server, a table in tests. */
struct respond_aws {
    void (*send_fn)(void *arg, const struct permit *permit, const struct aws_call *call,
                    aws_done_fn *done_fn, void *done_arg);
    bool (*identity_fn)(void *arg, const struct permit *permit, struct aws_identity *identity_out,
                        struct error *error);
    void *arg;
};
struct respond_aws respond_aws_of(struct aws_client *client);

/* Where notifications go: the HTTPS client in the server, a table in tests. As http_send(). */
struct respond_post {
    bool (*send_fn)(void *arg, const struct permit *permit, const struct http_request *request,
                    http_done_fn *done_fn, void *done_arg, struct error *error);
    void *arg;
};
struct respond_post respond_post_of(struct http_client *http);

/* The present snapshot; the caller unrefs it. */
typedef struct snapshot *respond_snapshot_fn(void *arg);

struct respond_options {
    struct journal *journal;
    struct respond_aws aws;
    struct respond_post post;
    struct drill *drill; /* NULL: there are none */
    const struct clock *clock;
    respond_snapshot_fn *snapshot_fn;
    void *snapshot_arg;
    unsigned workers;
    /* Jitter: evenly spread over 0 .. bound - 1; NULL: random_below(). */
    uint64_t (*random_fn)(uint64_t bound);
};

/* Starts the threads. Outside observe the first of them asks who we are before its first task, so
 * that the first event finds credentials and a connection. */
MUST_CHECK bool respond_start(const struct respond_options *options, struct respond **respond_out,
                              struct error *error);
/* After journal_stop_claims(): waits until each worker has finished its call and given its task
 * back. Then frees. */
void respond_free(struct respond **respond);

/* Claims and works on one task in the caller's thread; false when none was due within wait_ms. For
 * tests, on a pool started with workers 0. */
bool respond_work(struct respond *respond, int64_t wait_ms);

#endif
