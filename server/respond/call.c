#include "call.h"

#include "numbers.h"

#include "riposte/aws/operation.h"
#include "riposte/aws/quota.h"
#include "riposte/base/latch.h"
#include "riposte/base/memory.h"
#include "riposte/respond/edit.h"
#include "riposte/respond/failpoint.h"
#include "riposte/respond/parameters.h"

#define REASON_BYTES 300

static struct aws_call wire_call(const struct call *call, struct trace trace, struct arena *arena) {
    struct aws_call wire = {.service = call->service,
                            .operation = call->operation,
                            .account = call->account,
                            .region = call->region,
                            .trace = trace};
    const struct json *parameters = plan_as(call->parameters, &wire.role);
    const struct json *request = plan_request(parameters);
    if (request != NULL) {
        wire.request = plan_wire(request, arena);
    } else {
        wire.parameters = plan_wire(parameters, arena);
    }
    return wire;
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
    struct text service, operation, lane;
    struct arena *arena; /* the answer's and the lane's */
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
    early->lane = aws_lane(call->account, call->service, early->arena);
    latch_init(&early->done);
    struct aws_call wire = wire_call(call, job->task->trace, job->arena);
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

/* A playbook may call endpoints that its task's lane does not stand for: they say nothing of it. */
static void report(const struct job *job, const struct early_call *early,
                   enum aws_outcome outcome) {
    if (outcome != AWS_NOT_SENT && text_equal(early->lane, job->task->lane)) {
        journal_report(job->respond->options.journal, job->task, outcome != AWS_NO_ANSWER);
    }
}

struct call_outcome early_call_wait(const struct job *job, struct early_call *early) {
    struct call_outcome outcome = wait_for(job, early);
    report(job, early, outcome.outcome);
    numbers_call(early->service, early->operation, outcome.outcome, outcome.took_us);
    outcome.error_code = arena_copy_text(job->arena, outcome.error_code);
    outcome.reason = arena_copy_text(job->arena, outcome.reason);
    outcome.body = json_copy(job->arena, outcome.body);
    return outcome;
}

static struct call_outcome send_one(const struct job *job, enum permit_class class,
                                    const struct call *call) {
    struct permit permit = job_permit(job, class);
    failpoint("before-call");
    scoped(early_call_free) struct early_call *sent = send(job, &permit, call);
    struct call_outcome outcome = early_call_wait(job, sent);
    failpoint("after-call");
    return outcome;
}

/* The edit's "read" or "write", where and as whom the whole is to be done. */
static struct call part_of(const struct json *edit, const char *name, const struct call *call,
                           struct text role, struct arena *arena) {
    const struct json *node = json_member(edit, name);
    return (struct call){json_text(json_member(node, "service")),
                         json_text(json_member(node, "operation")), call->account, call->region,
                         plan_made_as(json_member(node, "parameters"), role, arena)};
}

/* Nothing of it was sent, and nothing of it will ever be. */
static struct call_outcome unusable(const struct job *job, const struct error *error) {
    return (struct call_outcome){.outcome = AWS_REFUSED,
                                 .error_code = TEXT("UnusableDocument"),
                                 .reason = arena_copy_text(job->arena, text_of(error->text)),
                                 .body = json_new_object(job->arena)};
}

static struct call_outcome send_edit(const struct job *job, enum permit_class class,
                                     const struct json *edit, struct text role,
                                     const struct call *call) {
    const struct call read = part_of(edit, "read", call, role, job->arena);
    struct call write = part_of(edit, "write", call, role, job->arena);
    const struct json *document = NULL;
    struct error error = {0};
    struct call_outcome outcome = send_one(job, PERMIT_READ, &read);
    if (outcome.outcome != AWS_OK) {
        return outcome;
    }
    if (!edit_document(edit, outcome.body, job->arena, &document, &error)) {
        return unusable(job, &error);
    }
    if (document == NULL) {
        outcome.reason = TEXT("so already");
        outcome.body = json_new_object(job->arena);
        return outcome;
    }
    write.parameters = edit_parameters(write.parameters, document, job->arena);
    /* What a plan checks of other writes is known only now. */
    struct aws_call wire = wire_call(&write, job->task->trace, job->arena);
    if (!aws_quota_check(wire.service, wire.operation, wire.parameters, &error)) {
        return unusable(job, &error);
    }
    return send_one(job, class, &write);
}

struct call_outcome call_send(const struct job *job, enum permit_class class,
                              const struct call *call) {
    struct text role = {NULL, 0};
    const struct json *edit = plan_edit(plan_as(call->parameters, &role));
    return edit != NULL ? send_edit(job, class, edit, role, call) : send_one(job, class, call);
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
