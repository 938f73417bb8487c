#include "call.h"

#include "numbers.h"

#include "riposte/base/latch.h"
#include "riposte/base/memory.h"
#include "riposte/respond/failpoint.h"
#include "riposte/respond/parameters.h"

#define REASON_BYTES 300

static struct aws_call wire_call(const struct call *call, struct arena *arena) {
    return (struct aws_call){.service = call->service,
                             .operation = call->operation,
                             .account = call->account,
                             .region = call->region,
                             .parameters = plan_wire(call->parameters, arena)};
}

static struct text explain(const struct aws_answer *answer, struct arena *arena) {
    struct text message = text_cut(answer->message, REASON_BYTES);
    bool has_both = answer->error_code.bytes > 0 && message.bytes > 0;
    return arena_format(arena, "%.*s%s%.*s", TEXT_ARG(answer->error_code), has_both ? ": " : "",
                        TEXT_ARG(message));
}

static struct call_outcome read_answer(const struct aws_answer *answer, struct arena *arena) {
    return (struct call_outcome){.outcome = answer->outcome,
                                 .error_code = arena_copy_text(arena, answer->error_code),
                                 .reason = explain(answer, arena),
                                 .body = answer->body != NULL ? json_copy(arena, answer->body)
                                                              : json_new_object(arena),
                                 .took_us = answer->took_us};
}

struct early_call {
    struct text service, operation;
    struct arena *arena; /* the answer's */
    struct latch done;
    struct call_outcome outcome; /* once done */
    bool was_waited_for;
};

static void take_answer(void *arg, const struct aws_answer *answer) {
    struct early_call *early = arg;
    early->outcome = read_answer(answer, early->arena);
    latch_open(&early->done);
}

static struct early_call *send(const struct job *job, const struct permit *permit,
                               const struct call *call) {
    const struct respond_aws *aws = &job->respond->options.aws;
    struct early_call *early = memory_new(sizeof(*early));
    early->arena = arena_new();
    early->service = call->service;
    early->operation = call->operation;
    latch_init(&early->done);
    struct aws_call wire = wire_call(call, job->arena);
    aws->send_fn(aws->arg, permit, &wire, take_answer, early);
    return early;
}

struct early_call *early_call_send(const struct job *job, const struct call *call) {
    struct permit permit = job_permit(job, PERMIT_READ);
    return send(job, &permit, call);
}

/* Who has to wait lets others work: what admit left for later, too. */
static struct call_outcome wait_for(const struct job *job, struct early_call *early) {
    if (!early->was_waited_for && !latch_try(&early->done)) {
        journal_wake(job->respond->options.journal);
        latch_wait(&early->done);
    }
    early->was_waited_for = true;
    return early->outcome;
}

struct call_outcome early_call_wait(const struct job *job, struct early_call *early) {
    struct call_outcome outcome = wait_for(job, early);
    numbers_call(early->service, early->operation, outcome.outcome, outcome.took_us);
    outcome.error_code = arena_copy_text(job->arena, outcome.error_code);
    outcome.reason = arena_copy_text(job->arena, outcome.reason);
    outcome.body = json_copy(job->arena, outcome.body);
    return outcome;
}

struct call_outcome call_send(const struct job *job, enum permit_class class,
                              const struct call *call) {
    struct permit permit = job_permit(job, class);
    failpoint("before-call");
    scoped(early_call_free) struct early_call *sent = send(job, &permit, call);
    struct call_outcome outcome = early_call_wait(job, sent);
    failpoint("after-call");
    return outcome;
}

void early_call_free(struct early_call **early) {
    if (*early == NULL) {
        return;
    }
    if (!(*early)->was_waited_for) {
        latch_wait(&(*early)->done);
    }
    latch_done(&(*early)->done);
    arena_free(&(*early)->arena);
    memory_free_at(early);
}
