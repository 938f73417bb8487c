#include "planted.h"

#include "verify.h"

#include "riposte/base/buffer.h"
#include "riposte/config/context.h"
#include "riposte/json/writer.h"
#include "riposte/respond/parameters.h"

#define FOUND_BYTES 4096

static const struct json *context_of(const struct job *job, const struct plan_action *action) {
    return context_with(job->context, "sent", plan_sent(action->parameters, job->arena),
                        job->arena);
}

struct text planted_key(const struct job *job, struct text key) {
    return arena_format(job->arena, "%.*s#planted", TEXT_ARG(key));
}

bool planted_question(const struct job *job, const struct plan_action *action,
                      struct call *call_out) {
    const struct verify *verify = action->step->verify;
    struct error ignored = {0};
    if (verify == NULL || !plan_names_our_own(action->parameters)) {
        return false;
    }
    struct call call = {verify->call.service, verify->call.operation, action->account,
                        action->region, NULL};
    if (!plan_parameters(&verify->call, context_of(job, action), job->arena, &call.parameters,
                         &ignored)) {
        return false;
    }
    *call_out = call;
    return true;
}

struct text planted_found(const struct job *job, const struct plan_action *action,
                          const struct call_outcome *outcome) {
    struct error ignored = {0};
    if (outcome->outcome != AWS_OK ||
        verify_looks_right(action->step->verify, context_of(job, action), outcome->body, job->arena,
                           &ignored)) {
        return (struct text){NULL, 0};
    }
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct json_writer writer;
    json_writer_init(&writer, &text);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "key", action->key);
    json_put_string(&writer, "result", "replaced");
    json_put_text(&writer, "found", text_cut(job_json_text(job, outcome->body), FOUND_BYTES));
    json_close_object(&writer);
    return arena_copy_text(job->arena, buffer_text(&text));
}
