#include "answers.h"

#include "admin_parts.h"

#include "riposte/observe/log.h"

void answer_object(struct request *request, unsigned status, struct json_object *object) {
    size_t bytes = 0;
    const char *text = json_object_to_json_string_length(
        object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &bytes);
    request_answer(request, &(struct answer){.status = status, .body = {text, bytes}});
    json_object_put(object);
}

/* Takes `list` over. */
void answer_list(struct request *request, const char *key, struct json_object *list) {
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, key, list);
    answer_object(request, 200, object);
}

void answer_failure(struct request *request, const struct error *error) {
    static const unsigned statuses[] = {
        [ERROR_NONE] = 500,  [ERROR_INVALID] = 409, [ERROR_NOT_FOUND] = 404, [ERROR_DENIED] = 409,
        [ERROR_LIMIT] = 503, [ERROR_BUSY] = 503,    [ERROR_SYSTEM] = 503,
    };
    unsigned status = statuses[error->code];
    if (status == 503) {
        log_error(&(struct log_context){.component = "operate"}, "%s", error->text);
    }
    request_answer_busy(request, status, error->text, status == 503 ? RETRY_AFTER_S : 0);
}
