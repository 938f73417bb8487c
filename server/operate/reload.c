#include "admin_parts.h"
#include "answers.h"
#include "gate.h"
#include "routes.h"
#include "view.h"

static struct json_object *lines_of(struct text text) {
    struct json_object *list = json_object_new_array();
    struct text line = {NULL, 0};
    while (text_next_part(&text, '\n', &line)) {
        if (line.bytes > 0) {
            json_object_array_add(list, json_object_new_string_len(line.data, (int)line.bytes));
        }
    }
    return list;
}

void handle_reload(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer findings = BUFFER_INIT;
    struct text actor = {NULL, 0};
    struct error error = {0};
    if (!gate_actor(admin, request, arena, &actor)) {
        return;
    }
    bool is_done = admin->options.reload_fn(admin->options.reload_arg, actor, &findings, &error);
    struct json_object *object = json_object_new_object();
    if (!is_done) {
        view_add_text(object, "error", text_of(error.text));
    }
    json_object_object_add(object, "findings", lines_of(buffer_text(&findings)));
    answer_object(request, is_done ? 200 : 409, object);
}
