#include "riposte/config/template.h"

#include "filters.h"
#include "placeholder.h"

#include "riposte/base/buffer.h"

#include <assert.h>

/* What one string may grow to. */
#define TEMPLATE_BYTES (4u * 1024 * 1024)

/* ---- checking ---- */

static bool check_text(struct text text, struct error *error) {
    struct placeholder found = {0};
    do {
        if (!placeholder_next(text, found.end, &found, error)) {
            return false;
        }
    } while (found.start < text.bytes);
    return true;
}

static bool check_node(const struct json *node, const struct json **culprit_out,
                       struct error *error) {
    bool is_good = true;
    if (text_contains(json_key(node), TEXT("${"))) {
        is_good = error_set(error, ERROR_INVALID, "a key can't hold a placeholder");
    } else if (json_is_string(node)) {
        is_good = check_text(json_text(node), error);
    }
    if (!is_good && culprit_out != NULL) {
        *culprit_out = node;
    }
    for (const struct json *child = json_first(node); is_good && child != NULL;
         child = json_next(child)) {
        is_good = check_node(child, culprit_out, error);
    }
    return is_good;
}

bool template_check(const struct json *node, const struct json **culprit_out, struct error *error) {
    return check_node(node, culprit_out, error);
}

/* ---- looking up ---- */

/* Values at a path: `found` of them in `values`. */
struct lookup {
    struct arena *arena;
    struct text path, filters;
    struct json *values; /* an array */
    bool has_empty_list; /* a "[*]" stood at an array without elements */
};

static bool is_fan(struct text path) {
    return text_contains(path, TEXT("[*]"));
}

static bool keep(struct lookup *lookup, const struct json *node, struct error *error) {
    const struct json *value = NULL;
    if (!filters_apply(lookup->filters, node, lookup->arena, &value, error)) {
        return error_wrap(error, "${%.*s}", TEXT_ARG(lookup->path));
    }
    json_add_element(lookup->values, json_share(lookup->arena, value));
    return true;
}

/* The one value at `path`; NULL when there is none. A path without "[*]" that leads to two values
 * is ambiguous: whoever wrote the event could mean one and show the other. */
static bool find_one(const struct lookup *lookup, const struct json *node, struct text path,
                     const struct json **found_out, struct error *error) {
    size_t count = 0;
    *found_out = path.bytes == 0 ? node : json_find_one(node, path, &count);
    if (count > 1) {
        return error_set(error, ERROR_INVALID, "${%.*s}: occurs %zu times, must be clear",
                         TEXT_ARG(lookup->path), count);
    }
    return true;
}

static bool collect(struct lookup *lookup, const struct json *node, struct text path,
                    struct error *error);

static bool collect_elements(struct lookup *lookup, const struct json *list, struct text rest,
                             struct error *error) {
    if (!json_is_array(list)) {
        return collect(lookup, list, rest, error);
    }
    lookup->has_empty_list = lookup->has_empty_list || json_count(list) == 0;
    for (const struct json *element = json_first(list); element != NULL;
         element = json_next(element)) {
        if (!collect(lookup, element, rest, error)) {
            return false;
        }
    }
    return true;
}

static bool collect(struct lookup *lookup, const struct json *node, struct text path,
                    struct error *error) {
    size_t fan = text_find(path, TEXT("[*]"));
    const struct json *found = NULL;
    if (!find_one(lookup, node, text_slice(path, 0, fan), &found, error)) {
        return false;
    }
    if (found == NULL) {
        return true;
    }
    if (fan == path.bytes) {
        return keep(lookup, found, error);
    }
    struct text rest = text_slice(path, fan + 3, path.bytes);
    bool is_name_next = rest.bytes > 0 && rest.data[0] == '.';
    return collect_elements(lookup, found, text_slice(rest, is_name_next ? 1 : 0, rest.bytes),
                            error);
}

/* All values of the placeholder in lookup_out->values. ERROR_NOT_FOUND when there are none. */
static bool look_up(const struct placeholder *placeholder, const struct json *context,
                    struct arena *arena, struct lookup *lookup_out, struct error *error) {
    struct lookup lookup = {.arena = arena,
                            .path = placeholder->path,
                            .filters = placeholder->filters,
                            .values = json_new_array(arena)};
    if (!collect(&lookup, context, placeholder->path, error)) {
        return false;
    }
    if (json_count(lookup.values) == 0 && !lookup.has_empty_list) {
        return error_set(error, ERROR_NOT_FOUND, "${%.*s}: not in the context",
                         TEXT_ARG(placeholder->path));
    }
    *lookup_out = lookup;
    return true;
}

/* ---- rendering ---- */

static bool render_string(struct text text, const struct json *context, struct arena *arena,
                          struct json **value_out, struct error *error);

static bool render_placeholder(const struct placeholder *placeholder, const struct json *context,
                               struct arena *arena, struct json **value_out, struct error *error) {
    struct lookup lookup = {0};
    if (!look_up(placeholder, context, arena, &lookup, error)) {
        return error->code == ERROR_NOT_FOUND && placeholder->has_default &&
               render_string(placeholder->fallback, context, arena, value_out, error);
    }
    *value_out = is_fan(placeholder->path) ? lookup.values
                                           : json_share(arena, json_first(lookup.values));
    return true;
}

/* Text between placeholders, in which "$${" spells "${". */
static void append_literal(struct buffer *out, struct text literal) {
    while (literal.bytes > 0) {
        size_t escape = text_find(literal, TEXT("$${"));
        buffer_append_text(out, text_slice(literal, 0, escape));
        if (escape < literal.bytes) {
            buffer_append_string(out, "${");
        }
        literal = text_slice(literal, escape + 3, literal.bytes);
    }
}

/* How a placeholder's text goes into the text around it. */
typedef bool append_fn(struct buffer *out, struct text path, struct text value,
                       struct error *error);

static bool append_plain(struct buffer *out, struct text path, struct text value,
                         struct error *error) {
    (void)path;
    (void)error;
    buffer_append_text(out, value);
    return true;
}

static bool append_encoded(struct buffer *out, struct text path, struct text value,
                           struct error *error) {
    if (value.bytes == 0) {
        return error_set(error, ERROR_INVALID, "${%.*s}: is empty, and would lead elsewhere",
                         TEXT_ARG(path));
    }
    buffer_append_percent_encoded(out, value, "");
    return true;
}

static bool append_placeholder(struct buffer *out, const struct placeholder *placeholder,
                               const struct json *context, struct arena *arena, append_fn *append,
                               struct error *error) {
    struct json *value = NULL;
    if (!render_placeholder(placeholder, context, arena, &value, error)) {
        return false;
    }
    if (json_is_object(value) || json_is_array(value)) {
        return error_set(error, ERROR_INVALID, "${%.*s}: an %s can't stand inside a text",
                         TEXT_ARG(placeholder->path), json_type_name(json_type(value)));
    }
    return append(out, placeholder->path, json_text(value), error);
}

/* `first`: the first placeholder of `text`. */
static bool render_mixed(struct text text, struct placeholder first, const struct json *context,
                         struct arena *arena, append_fn *append, struct json **value_out,
                         struct error *error) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    buffer_init(&out, TEMPLATE_BYTES);
    size_t from = 0;
    for (struct placeholder found = first;;) {
        append_literal(&out, text_slice(text, from, found.start));
        if (found.start == text.bytes) {
            break;
        }
        if (!append_placeholder(&out, &found, context, arena, append, error)) {
            return false;
        }
        from = found.end;
        if (!placeholder_next(text, from, &found, error)) {
            return false;
        }
    }
    if (out.is_overfull) {
        return error_set(error, ERROR_LIMIT, "a text became longer than %u bytes", TEMPLATE_BYTES);
    }
    *value_out = json_new_string(arena, buffer_text(&out));
    return true;
}

static bool render_string(struct text text, const struct json *context, struct arena *arena,
                          struct json **value_out, struct error *error) {
    struct placeholder first = {0};
    if (!placeholder_next(text, 0, &first, error)) {
        return false;
    }
    bool is_whole = first.start == 0 && first.end == text.bytes && text.bytes > 0;
    return is_whole ? render_placeholder(&first, context, arena, value_out, error)
                    : render_mixed(text, first, context, arena, append_plain, value_out, error);
}

static bool render_node(const struct json *node, const struct json *context, struct arena *arena,
                        struct json **value_out, struct error *error);

static bool render_children(const struct json *node, const struct json *context,
                            struct arena *arena, struct json **value_out, struct error *error) {
    struct json *made = json_is_object(node) ? json_new_object(arena) : json_new_array(arena);
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        struct json *value = NULL;
        if (!render_node(child, context, arena, &value, error)) {
            return false;
        }
        if (json_is_object(node)) {
            json_add_member(arena, made, json_key(child), value);
        } else {
            json_add_element(made, value);
        }
    }
    *value_out = made;
    return true;
}

static bool render_node(const struct json *node, const struct json *context, struct arena *arena,
                        struct json **value_out, struct error *error) {
    switch (json_type(node)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return render_children(node, context, arena, value_out, error);
    case JSON_STRING:
        return render_string(json_text(node), context, arena, value_out, error);
    default:
        *value_out = json_share(arena, node);
        return true;
    }
}

bool template_render(const struct json *node, const struct json *context, struct arena *arena,
                     const struct json **value_out, struct error *error) {
    struct json *value = NULL;
    if (!render_node(node, context, arena, &value, error)) {
        return false;
    }
    *value_out = value;
    return true;
}

bool template_render_text(struct text text, const struct json *context, struct arena *arena,
                          struct text *value_out, struct error *error) {
    struct json *value = NULL;
    if (!render_string(text, context, arena, &value, error)) {
        return false;
    }
    if (json_type(value) != JSON_STRING && json_type(value) != JSON_NUMBER) {
        return error_set(error, ERROR_INVALID, "%.*s: must give a string, gives %s", TEXT_ARG(text),
                         json_type_name(json_type(value)));
    }
    *value_out = json_text(value);
    return true;
}

bool template_render_path(struct text text, const struct json *context, struct arena *arena,
                          struct text *value_out, struct error *error) {
    struct json *value = NULL;
    struct placeholder first = {0};
    if (!placeholder_next(text, 0, &first, error) ||
        !render_mixed(text, first, context, arena, append_encoded, &value, error)) {
        return false;
    }
    *value_out = json_text(value);
    return true;
}

static struct json *flatten(const struct json *values, struct arena *arena) {
    struct json *flat = json_new_array(arena);
    for (const struct json *value = json_first(values); value != NULL; value = json_next(value)) {
        const struct json *first = json_is_array(value) ? json_first(value) : value;
        for (const struct json *element = first; element != NULL;
             element = json_is_array(value) ? json_next(element) : NULL) {
            json_add_element(flat, json_share(arena, element));
        }
    }
    return flat;
}

bool template_render_each(struct text text, const struct json *context, struct arena *arena,
                          const struct json **array_out, struct error *error) {
    struct json *value = NULL;
    if (!render_string(text, context, arena, &value, error)) {
        return false;
    }
    struct json *values = value;
    if (!json_is_array(value) || !is_fan(text)) {
        values = json_new_array(arena);
        json_add_element(values, value);
    }
    *array_out = flatten(values, arena);
    return true;
}

/* ---- what a template depends on ---- */

static void each_path_in_text(struct text text, template_path_fn *path_fn, void *arg) {
    struct placeholder found = {0};
    struct error ignored;
    while (placeholder_next(text, found.end, &found, &ignored) && found.start < text.bytes) {
        path_fn(arg, found.path);
        each_path_in_text(found.fallback, path_fn, arg);
    }
}

void template_each_path(const struct json *node, template_path_fn *path_fn, void *arg) {
    if (json_is_string(node)) {
        each_path_in_text(json_text(node), path_fn, arg);
    }
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        template_each_path(child, path_fn, arg);
    }
}
