#include "riposte/respond/parameters.h"

#include "riposte/base/buffer.h"
#include "riposte/config/template.h"
#include "riposte/detect/pattern.h"
#include "riposte/json/writer.h"

#define MISMATCH_BYTES 300

bool plan_parameters(const struct call_template *call, const struct json *context,
                     struct arena *arena, const struct json **parameters_out, struct error *error) {
    if (call->with == NULL) {
        *parameters_out = json_new_object(arena);
        return true;
    }
    return template_render(call->with, context, arena, parameters_out, error);
}

static const struct json *json_marked(const struct json *node) {
    return json_is_object(node) && json_count(node) == 1 ? json_member(node, "$json") : NULL;
}

static struct json *unwrap(const struct json *node, struct arena *arena, bool as_text) {
    const struct json *marked = json_marked(node);
    if (marked != NULL && as_text) {
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        json_write(&text, marked);
        return json_new_string(arena, buffer_text(&text));
    }
    if (marked != NULL) {
        return json_copy(arena, marked);
    }
    if (!json_is_object(node) && !json_is_array(node)) {
        return json_copy(arena, node);
    }
    struct json *copy = json_is_object(node) ? json_new_object(arena) : json_new_array(arena);
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        if (json_is_object(node)) {
            json_add_member(arena, copy, json_key(child), unwrap(child, arena, as_text));
        } else {
            json_add_element(copy, unwrap(child, arena, as_text));
        }
    }
    return copy;
}

const struct json *plan_wire(const struct json *parameters, struct arena *arena) {
    return unwrap(parameters, arena, true);
}

const struct json *plan_sent(const struct json *parameters, struct arena *arena) {
    return unwrap(parameters, arena, false);
}

bool plan_matches(const struct json *matches, const struct json *context, const struct json *answer,
                  struct arena *arena, bool *is_match_out, struct error *error) {
    const struct json *filled = NULL;
    if (!template_render(matches, context, arena, &filled, error)) {
        return error_wrap(error, "matches");
    }
    scoped(pattern_free) struct pattern *pattern = NULL;
    return (pattern_compile_tree(filled, &pattern, NULL, error) &&
            pattern_match_tree(pattern, answer, is_match_out, error)) ||
           error_wrap(error, "matches");
}

struct text plan_mismatch(const struct json *matches, const struct json *context,
                          const struct json *answer, struct arena *arena) {
    const struct json *filled = NULL;
    scoped(pattern_free) struct pattern *pattern = NULL;
    scoped(buffer_done) struct buffer lines = BUFFER_INIT;
    bool is_match = false;
    struct error error = {0};
    if (!template_render(matches, context, arena, &filled, &error) ||
        !pattern_compile_tree(filled, &pattern, NULL, &error) ||
        !pattern_explain(pattern, answer, &lines, &is_match, &error) || is_match) {
        return TEXT("the answer does not match");
    }
    struct text rest = buffer_text(&lines), line = {NULL, 0};
    (void)!text_next_part(&rest, '\n', &line); /* "no match" */
    (void)!text_next_part(&rest, '\n', &line);
    return arena_copy_text(arena, text_cut(text_trim(line), MISMATCH_BYTES));
}

bool plan_tolerates(const struct texts *tolerate, struct text error_code) {
    for (size_t i = 0; i < tolerate->count; i++) {
        if (text_equal(tolerate->items[i], error_code)) {
            return true;
        }
    }
    return false;
}
