#include "riposte/respond/confirm.h"

#include "riposte/config/template.h"
#include "riposte/detect/pattern.h"
#include "riposte/respond/parameters.h"

static bool render_or_default(struct text template, struct text fallback,
                              const struct json *context, struct arena *arena, struct text *out,
                              struct error *error) {
    *out = fallback;
    return template.bytes == 0 || template_render_text(template, context, arena, out, error);
}

bool confirm_prepare(const struct question *question, const struct subject_event *event,
                     const struct json *context, struct arena *arena, struct confirm_call *call_out,
                     struct error *error) {
    struct confirm_call call = {
        .applies = true, .service = question->call.service, .operation = question->call.operation};
    if (question->when != NULL &&
        !pattern_match_tree(question->when, context, &call.applies, error)) {
        return error_wrap(error, "confirm: when");
    }
    if (call.applies &&
        (!render_or_default(question->account, event->envelope.account, context, arena,
                            &call.account, error) ||
         !render_or_default(question->region, event->envelope.region, context, arena, &call.region,
                            error) ||
         !plan_parameters(&question->call, context, arena, &call.parameters, error))) {
        return error_wrap(error, "confirm %.*s:%.*s", TEXT_ARG(call.service),
                          TEXT_ARG(call.operation));
    }
    *call_out = call;
    return true;
}

bool confirm_judge(const struct question *question, const struct json *context,
                   const struct json *answer, struct arena *arena, bool *is_confirmed_out,
                   struct error *error) {
    if (question->matches == NULL) {
        *is_confirmed_out = true;
        return true;
    }
    return plan_matches(question->matches, context, answer, arena, is_confirmed_out, error) ||
           error_wrap(error, "confirm %.*s:%.*s", TEXT_ARG(question->call.service),
                      TEXT_ARG(question->call.operation));
}
