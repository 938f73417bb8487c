/* Splitting an array by its commas and brackets alone, then reading each element, accepts what a
 * JSON parser accepts of the whole, and finds the same elements. */
#include "riposte/intake/decode.h"
#include "riposte/intake/intake.h"
#include "riposte/json/tree.h"

#include "fuzz.h"

/* ERROR_NONE when it was parsed. */
static enum error_code parse(struct arena *arena, struct text text, const struct json **root_out) {
    struct error error = {0};
    return json_parse(text, 0, arena, root_out, NULL, &error) ? ERROR_NONE : error.code;
}

/* ERROR_NONE when every element can be parsed. */
static enum error_code parse_all(struct arena *arena, const struct decoded *decoded,
                                 const struct json **elements) {
    for (size_t i = 0; i < decoded->count; i++) {
        enum error_code code = parse(arena, decoded->events[i], &elements[i]);
        if (code != ERROR_NONE) {
            return code;
        }
    }
    return ERROR_NONE;
}

static void check_elements(const struct json *root, const struct decoded *decoded,
                           const struct json **elements) {
    fuzz_check(json_is_array(root) && json_count(root) == decoded->count);
    const struct json *child = json_first(root);
    for (size_t i = 0; i < decoded->count; i++) {
        fuzz_check(json_equal(child, elements[i]));
        child = json_next(child);
    }
}

static void check_refused(enum error_code whole, const struct json *root,
                          const struct error *error) {
    if (error->code == ERROR_LIMIT) {
        fuzz_check(whole != ERROR_NONE || json_count(root) > INTAKE_EVENTS_MAX);
    } else {
        fuzz_check(error->code == ERROR_INVALID && whole != ERROR_NONE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct text text = fuzz_text(data, bytes);
    struct decoded decoded = {0};
    struct error error = {0};
    const struct json *root = NULL;
    enum error_code whole = parse(arena, text, &root);
    if (!decode_body(text, arena, &decoded, &error)) {
        check_refused(whole, root, &error);
        return 0;
    }
    if (!decoded.is_array) {
        fuzz_check(decoded.count == 1 && text_equal(decoded.events[0], text));
        return 0;
    }
    const struct json **elements = arena_alloc_array(arena, decoded.count + 1, sizeof(*elements));
    enum error_code parts = parse_all(arena, &decoded, elements);
    if (whole == ERROR_NONE) {
        fuzz_check(parts == ERROR_NONE);
        check_elements(root, &decoded, elements);
    } else {
        /* The array is one level of its own. */
        fuzz_check(parts != ERROR_NONE || whole == ERROR_LIMIT);
    }
    return 0;
}
