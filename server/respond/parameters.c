#include "riposte/respond/parameters.h"

#include "riposte/base/buffer.h"
#include "riposte/config/context.h"
#include "riposte/config/template.h"
#include "riposte/detect/pattern.h"
#include "riposte/json/writer.h"

#define MISMATCH_BYTES 300
#define OUR_PREFIX     TEXT("riposte-")

static bool render(const struct json *with, const struct json *context, struct arena *arena,
                   const struct json **parameters_out, struct error *error);

/* ---- requests and edits ---- */

static bool render_member(const struct json *member, const struct json *context,
                          struct arena *arena, struct json *to, struct error *error) {
    const struct json *value = NULL;
    if (!template_render(member, context, arena, &value, error)) {
        return false;
    }
    json_add_member(arena, to, json_key(member), json_share(arena, value));
    return true;
}

static struct json *marked(const char *mark, struct json *value, struct arena *arena) {
    struct json *object = json_new_object(arena);
    json_add_member(arena, object, text_of(mark), value);
    return object;
}

/* What an event says goes into a path as one segment, or a part of one. */
static bool render_request(const struct json *request, const struct json *context,
                           struct arena *arena, const struct json **out, struct error *error) {
    struct json *made = json_new_object(arena);
    for (const struct json *member = json_first(request); member != NULL;
         member = json_next(member)) {
        struct text path = {NULL, 0};
        if (!text_equal(json_key(member), TEXT("path"))) {
            if (!render_member(member, context, arena, made, error)) {
                return error_wrap(error, "request");
            }
        } else if (template_render_path(json_text(member), context, arena, &path, error)) {
            json_add_member(arena, made, TEXT("path"), json_new_string(arena, path));
        } else {
            return error_wrap(error, "path");
        }
    }
    *out = marked(CALL_REQUEST, made, arena);
    return true;
}

static bool render_edit_call(const struct json *call, const struct json *context,
                             struct arena *arena, struct json **out, struct error *error) {
    const struct json *parameters = NULL;
    if (!render(json_member(call, "parameters"), context, arena, &parameters, error)) {
        return false;
    }
    *out = json_new_object(arena);
    json_add_text(arena, *out, "service", json_text(json_member(call, "service")));
    json_add_text(arena, *out, "operation", json_text(json_member(call, "operation")));
    json_add_member(arena, *out, TEXT("parameters"), json_share(arena, parameters));
    return true;
}

/* Where the document will stand. What fills templates from now on must not be a template: nothing
 * but this mark is replaced once it was read. */
static const struct json *with_document_mark(const struct json *context, struct arena *arena) {
    struct json *mark = marked(CALL_DOCUMENT, json_new_literal(arena, JSON_TRUE), arena);
    return context_with(context, "document", mark, arena);
}

static bool render_edit(const struct json *edit, const struct json *context, struct arena *arena,
                        const struct json **out, struct error *error) {
    struct json *made = json_new_object(arena);
    struct json *read = NULL, *write = NULL;
    const struct json *member = json_member(edit, "add_statement");
    if (!render_edit_call(json_member(edit, "read"), context, arena, &read, error) ||
        !render_edit_call(json_member(edit, "write"), with_document_mark(context, arena), arena,
                          &write, error)) {
        return error_wrap(error, "edit");
    }
    json_add_member(arena, made, TEXT("read"), read);
    json_add_text(arena, made, "document", json_text(json_member(edit, "document")));
    json_add_member(arena, made, TEXT("write"), write);
    member = member != NULL ? member : json_member(edit, "remove_statement");
    if (!render_member(member, context, arena, made, error)) {
        return error_wrap(error, "edit");
    }
    *out = marked(CALL_EDIT, made, arena);
    return true;
}

static const struct json *find_marked(const struct json *node, const char *mark) {
    return json_is_object(node) && json_count(node) == 1 ? json_member(node, mark) : NULL;
}

const struct json *plan_request(const struct json *parameters) {
    return find_marked(parameters, CALL_REQUEST);
}

const struct json *plan_edit(const struct json *parameters) {
    return find_marked(parameters, CALL_EDIT);
}

const struct json *plan_as(const struct json *parameters, struct text *role_out) {
    const struct json *as = find_marked(parameters, CALL_AS);
    *role_out = json_text(json_member(as, "role"));
    return as != NULL ? json_member(as, "parameters") : parameters;
}

bool plan_names_our_own(const struct json *parameters) {
    struct text role = {NULL, 0};
    for (const struct json *node = json_first(plan_as(parameters, &role)); node != NULL;
         node = json_next(node)) {
        if (json_is_string(node) && text_starts_with(json_text(node), OUR_PREFIX)) {
            return true;
        }
    }
    return false;
}

const struct json *plan_made_as(const struct json *parameters, struct text role,
                                struct arena *arena) {
    if (role.bytes == 0) {
        return parameters;
    }
    struct json *as = json_new_object(arena);
    json_add_text(arena, as, "role", role);
    json_add_member(arena, as, TEXT("parameters"), json_share(arena, parameters));
    return marked(CALL_AS, as, arena);
}

static bool render_as(struct text template, const struct json *with, const struct json *context,
                      struct arena *arena, const struct json **out, struct error *error) {
    const struct json *parameters = NULL;
    struct text role = {NULL, 0};
    if (!template_render_text(template, context, arena, &role, error)) {
        return error_wrap(error, "role");
    }
    if (role.bytes == 0) {
        return error_set(error, ERROR_INVALID, "role: is empty");
    }
    if (!render(with, context, arena, &parameters, error)) {
        return false;
    }
    *out = plan_made_as(parameters, role, arena);
    return true;
}

static bool render(const struct json *with, const struct json *context, struct arena *arena,
                   const struct json **parameters_out, struct error *error) {
    struct text role = {NULL, 0};
    const struct json *inner = plan_as(with, &role);
    if (role.bytes > 0) {
        return render_as(role, inner, context, arena, parameters_out, error);
    }
    if (plan_request(with) != NULL) {
        return render_request(plan_request(with), context, arena, parameters_out, error);
    }
    if (plan_edit(with) != NULL) {
        return render_edit(plan_edit(with), context, arena, parameters_out, error);
    }
    return template_render(with, context, arena, parameters_out, error);
}

bool plan_parameters(const struct call_template *call, const struct json *context,
                     struct arena *arena, const struct json **parameters_out, struct error *error) {
    if (call->with == NULL) {
        *parameters_out = json_new_object(arena);
        return true;
    }
    return render(call->with, context, arena, parameters_out, error);
}

/* ---- on the wire ---- */

static const struct json *json_marked(const struct json *node) {
    return find_marked(node, "$json");
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
    struct text role = {NULL, 0};
    const struct json *inner = plan_as(parameters, &role);
    const struct json *request = plan_request(inner);
    return unwrap(request != NULL ? request : inner, arena, false);
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
