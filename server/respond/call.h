/* One AWS call of a job, and what became of it, in the job's words.
 *
 * Ownership:  outcomes live in the job's arena; an early call belongs to who started it.
 * Threads:    an early call is answered on another thread; all else is the worker's. */
#ifndef RIPOSTE_SERVER_RESPOND_CALL_H
#define RIPOSTE_SERVER_RESPOND_CALL_H

#include "job.h"

#include "riposte/aws/client.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stdint.h>

struct call {
    struct text service, operation, account, region;
    const struct json *parameters; /* as the planner gives them */
};

struct call_outcome {
    enum aws_outcome outcome;
    struct text error_code;
    struct text reason; /* for people: "NoSuchEntity: The user ... cannot be found." */
    const struct json *body;
    int64_t took_us;
};

/* Waits for the answer. Of an edit that is the write's, or the read's where that ends it. */
struct call_outcome call_send(const struct job *job, enum permit_class class,
                              const struct call *call);

/* A read that is sent before it is needed. */
struct early_call;
struct early_call *early_call_send(const struct job *job, const struct call *call);
/* Waits for the answer. */
struct call_outcome early_call_wait(const struct job *job, struct early_call *early);
/* Waits until nobody writes to it any more; NULL inside is fine. */
void early_call_free(struct early_call **early);

#endif
