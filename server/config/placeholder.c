#include "placeholder.h"

#include "suggest.h"

static const struct filter_entry {
    struct text name;
    const char *means;
} known[FILTER_COUNT] = {
    [FILTER_JSON] = {TEXT_INIT("json"), "parses a string"},
    [FILTER_URLDECODE] = {TEXT_INIT("urldecode"), "%41 becomes A"},
    [FILTER_ARN_ACCOUNT] = {TEXT_INIT("arn.account"), "of an ARN"},
    [FILTER_ARN_REGION] = {TEXT_INIT("arn.region"), "of an ARN"},
    [FILTER_ARN_NAME] = {TEXT_INIT("arn.name"), "of an ARN; of what is none, all of it"},
    [FILTER_FINGERPRINT] = {TEXT_INIT("fingerprint"),
                            "the first 16 hexadecimal digits of its SHA-256, for names"},
    [FILTER_LINE] = {TEXT_INIT("line"), "one line of at most 200 bytes, for people"},
};

void filters_help(struct buffer *out) {
    for (size_t i = 0; i < FILTER_COUNT; i++) {
        buffer_append_format(out, "  %-12s %s\n", known[i].name.data, known[i].means);
    }
}

static bool find_filter(struct text name, enum filter *filter_out) {
    for (size_t i = 0; i < FILTER_COUNT; i++) {
        if (text_equal(name, known[i].name)) {
            *filter_out = (enum filter)i;
            return true;
        }
    }
    return false;
}

bool filter_next(struct text *filters, enum filter *filter_out) {
    struct text name;
    return text_next_part(filters, '|', &name) && find_filter(name, filter_out);
}

static bool is_at(struct text text, size_t at, const char *what) {
    return text_starts_with(text_slice(text, at, text.bytes), text_of(what));
}

/* The next "${" that isn't part of a "$${", or the text's end. */
static size_t find_start(struct text text, size_t from) {
    size_t at = text_find_byte(text, '$', from);
    while (at < text.bytes && !is_at(text, at, "${")) {
        at = text_find_byte(text, '$', at + (is_at(text, at, "$${") ? 3 : 1));
    }
    return at;
}

/* The "}" that ends a default which begins at `from`, or the text's end. */
static size_t find_default_end(struct text text, size_t from) {
    size_t depth = 0;
    for (size_t at = from; at < text.bytes; at++) {
        if (is_at(text, at, "$${")) {
            at += 2;
        } else if (is_at(text, at, "${")) {
            depth++;
            at++;
        } else if (text.data[at] == '}' && depth-- == 0) {
            return at;
        }
    }
    return text.bytes;
}

/* `whole` is the placeholder as far as it goes, for messages. */
static bool fail(struct error *error, struct text whole, const char *what) {
    const int shown_bytes = whole.bytes < 80 ? (int)whole.bytes : 80;
    return error_set(error, ERROR_INVALID, "\"%.*s\": %s", shown_bytes, whole.data, what);
}

static bool check_filters(struct text whole, struct text filters, struct error *error) {
    struct text name;
    for (struct text rest = filters; text_next_part(&rest, '|', &name);) {
        enum filter filter;
        if (!find_filter(name, &filter)) {
            struct suggestion near;
            suggestion_init(&near, name);
            for (size_t i = 0; i < FILTER_COUNT; i++) {
                suggestion_offer(&near, known[i].name);
            }
            char hint[SUGGESTION_BYTES];
            fail(error, whole, "unknown filter");
            return error_set(error, ERROR_INVALID, "%s \"%.*s\"%s", error->text, TEXT_ARG(name),
                             suggestion_text(&near, hint));
        }
    }
    return true;
}

/* "[*]" or "[12]" at `at`: moves behind it. */
static bool skip_index(struct text path, size_t *at) {
    size_t end = text_find_byte(path, ']', *at);
    struct text index = text_slice(path, *at + 1, end);
    uint64_t number = 0;
    if (end == path.bytes ||
        (!text_equal(index, TEXT("*")) && !text_parse_unsigned(index, &number))) {
        return false;
    }
    *at = end + 1;
    return true;
}

/* Names joined with ".", each with any number of indices. */
static bool check_path(struct text whole, struct text path, struct error *error) {
    if (path.bytes == 0) {
        return fail(error, whole, "names nothing: write ${path}");
    }
    bool is_at_name = true;
    for (size_t at = 0; at < path.bytes;) {
        char c = path.data[at];
        if ((unsigned char)c <= ' ' || c == '{' || c == '$' || c == '"' || c == 0x7F) {
            return fail(error, whole, "a path holds no white space, \"$\", \"{\" or quotes");
        }
        if (c == '[' && !is_at_name) {
            if (!skip_index(path, &at)) {
                return fail(error, whole, "an index is [*] or a number, like [0]");
            }
            if (at < path.bytes && path.data[at] != '.' && path.data[at] != '[') {
                return fail(error, whole, "\".\" or the end must follow \"]\"");
            }
            continue;
        }
        if (is_at_name && (c == '.' || c == '[' || c == ']')) {
            return fail(error, whole, "a name in the path is empty");
        }
        is_at_name = c == '.';
        at++;
    }
    return !is_at_name || fail(error, whole, "a name in the path is empty");
}

static bool check_default(struct text whole, struct text fallback, unsigned depth,
                          struct error *error);

static bool take_apart(struct text text, size_t start, unsigned depth, struct placeholder *out,
                       struct error *error) {
    struct text rest = text_slice(text, start, text.bytes);
    size_t close = text_find_byte(rest, '}', 2);
    size_t default_at = 2 + text_find(text_slice(rest, 2, close), TEXT(":-"));
    out->has_default = default_at + 2 <= close;
    size_t head_end = out->has_default ? default_at : close;
    size_t end = out->has_default ? find_default_end(rest, default_at + 2) : close;
    struct text whole = text_slice(rest, 0, end + 1);
    if (end == rest.bytes) {
        return fail(error, whole, "is not closed: add \"}\"");
    }
    struct text head = text_slice(rest, 2, head_end);
    size_t bar = text_find_byte(head, '|', 0);
    out->path = text_slice(head, 0, bar);
    out->filters = text_slice(head, bar + 1, head.bytes);
    out->fallback = out->has_default ? text_slice(rest, default_at + 2, end) : TEXT("");
    out->start = start;
    out->end = start + end + 1;
    bool has_empty_filter = bar < head.bytes &&
                            (out->filters.bytes == 0 || head.data[head.bytes - 1] == '|');
    if (has_empty_filter) {
        return fail(error, whole, "a filter must follow \"|\"");
    }
    return check_path(whole, out->path, error) && check_filters(whole, out->filters, error) &&
           check_default(whole, out->fallback, depth, error);
}

static bool next_at_depth(struct text text, size_t from, unsigned depth,
                          struct placeholder *placeholder_out, struct error *error) {
    size_t start = find_start(text, from);
    if (start == text.bytes) {
        *placeholder_out = (struct placeholder){.start = start, .end = start};
        return true;
    }
    struct placeholder found = {0};
    if (!take_apart(text, start, depth, &found, error)) {
        return false;
    }
    *placeholder_out = found;
    return true;
}

static bool check_default(struct text whole, struct text fallback, unsigned depth,
                          struct error *error) {
    if (depth == PLACEHOLDER_DEPTH) {
        return fail(error, whole, "defaults are nested too deep");
    }
    struct placeholder inner = {0};
    do {
        if (!next_at_depth(fallback, inner.end, depth + 1, &inner, error)) {
            return false;
        }
    } while (inner.start < fallback.bytes);
    return true;
}

bool placeholder_next(struct text text, size_t from, struct placeholder *placeholder_out,
                      struct error *error) {
    return next_at_depth(text, from, 0, placeholder_out, error);
}
