/* A template (any JSON) renders or is refused; what it renders to has the template's structure, but
 * where a placeholder stood alone, and holds no placeholder that wasn't escaped. */
#include "riposte/config/template.h"

#include "fuzz.h"

/* Nothing in it begins with a brace or holds a "$": no "${" in a result can come from here. */
static const char context_text[] =
    "{\"a\":\"text\",\"b\":{\"c\":1.50,\"d\":null,\"e\":true,\"f.g\":\"dot\"},"
    "\"l\":[1,\"two\",[3],{\"x\":\"y\"}],\"n\":[],\"t\":\"1\",\"t\":\"2\","
    "\"j\":\"[1]\",\"u\":\"%41%2\",\"r\":\"arn:aws:iam::123456789012:user/path/name\"}";

static const struct json *parse(struct text text, struct arena *arena) {
    const struct json *root = NULL;
    struct error error;
    return json_parse(text, 0, arena, &root, NULL, &error) ? root : NULL;
}

static bool has(struct text text, const char *part) {
    return text_contains(text, text_of(part));
}

static bool is_container(const struct json *node) {
    return json_is_object(node) || json_is_array(node);
}

static void check_string(const struct json *template, const struct json *value) {
    struct text text = json_text(template);
    if (!has(text, "${")) {
        fuzz_check(json_is_string(value) && text_equal(text, json_text(value)));
    } else if (!has(text, "$${") && !has(text, ":-") && json_is_string(value)) {
        fuzz_check(!has(json_text(value), "${"));
    }
}

static void check_structure(const struct json *template, const struct json *value) {
    if (json_is_string(template)) {
        check_string(template, value);
        return;
    }
    fuzz_check(json_type(template) == json_type(value));
    fuzz_check(json_count(template) == json_count(value));
    fuzz_check(is_container(template) || text_equal(json_text(template), json_text(value)));
    const struct json *other = json_first(value);
    for (const struct json *child = json_first(template); child != NULL; child = json_next(child)) {
        fuzz_check(text_equal(json_key(child), json_key(other)));
        check_structure(child, other);
        other = json_next(other);
    }
}

static void count_path(void *arg, struct text path) {
    fuzz_check(path.bytes > 0 && !has(path, "}"));
    *(size_t *)arg += 1;
}

static void check_template(const struct json *template, const struct json *context,
                           struct arena *arena) {
    const struct json *culprit = NULL;
    const struct json *value = NULL;
    const struct json *again = NULL;
    struct error error = {0};
    bool is_well_formed = template_check(template, &culprit, &error);
    fuzz_check(is_well_formed || (culprit != NULL && error.code == ERROR_INVALID));
    bool is_bad_key = !is_well_formed && has(json_key(culprit), "${");
    size_t paths = 0;
    template_each_path(template, count_path, &paths);
    if (!template_render(template, context, arena, &value, &error)) {
        fuzz_check(error.code != ERROR_NONE && error.text[0] != '\0');
        fuzz_check(!is_well_formed || paths > 0);
        return;
    }
    fuzz_check(is_well_formed || is_bad_key);
    check_structure(template, value);
    fuzz_check(template_render(template, context, arena, &again, &error));
    fuzz_check(json_equal(value, again));
}

static void check_text(const struct json *template, const struct json *context,
                       struct arena *arena) {
    const struct json *value = NULL;
    struct text text = {0};
    struct error error = {0};
    if (json_is_string(template) && template_render(template, context, arena, &value, &error)) {
        bool is_text = template_render_text(json_text(template), context, arena, &text, &error);
        fuzz_check(is_text == (json_type(value) == JSON_STRING || json_type(value) == JSON_NUMBER));
        fuzz_check(!is_text || text_equal(text, json_text(value)));
        fuzz_check(template_render_each(json_text(template), context, arena, &value, &error));
        fuzz_check(json_is_array(value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct arena *arena = arena_new();
    const struct json *context = parse(text_of(context_text), arena);
    const struct json *template = parse(fuzz_text(data, bytes), arena);
    if (template != NULL) {
        check_template(template, context, arena);
        check_text(template, context, arena);
    }
    arena_free(&arena);
    return 0;
}
