#include "riposte/detect/test.h"

#include "riposte/detect/number.h"

static bool range_contains(const struct number_range *range, double value) {
    bool is_above = range->is_low_open ? value > range->low : value >= range->low;
    bool is_below = range->is_high_open ? value < range->high : value <= range->high;
    return is_above && is_below;
}

static bool number_passes(const struct test *test, struct text text) {
    double value = 0;
    if (test->kind == TEST_NUMBER_TEXT) {
        return text_equal(test->text, text);
    }
    if (!number_comparable(text, &value)) {
        return false;
    }
    return test->kind == TEST_NUMBER ? value == test->number : range_contains(&test->range, value);
}

static bool string_passes(const struct test *test, struct text text) {
    struct ip ip;
    switch (test->kind) {
    case TEST_STRING:
    case TEST_EXACTLY:
        return text_equal(text, test->text);
    case TEST_IP:
        return ip_parse(text, &ip) && ip_equal(&ip, &test->ip);
    case TEST_PREFIX:
        return text_starts_with(text, test->text);
    case TEST_SUFFIX:
        return text_ends_with(text, test->text);
    case TEST_IGNORE_CASE:
        return casemap_equals(test->steps, test->step_count, text);
    case TEST_PREFIX_IGNORE_CASE:
        return casemap_begins(test->steps, test->step_count, text, NULL);
    case TEST_SUFFIX_IGNORE_CASE:
        return casemap_ends(test->steps, test->step_count, text);
    case TEST_WILDCARD:
        return wildcard_matches(&test->wildcard, text);
    case TEST_CIDR:
        return ip_parse(text, &ip) && ip_range_contains(&test->ip_range, &ip);
    default:
        return false;
    }
}

static bool none_passes(const struct test *list, size_t count, enum json_type type,
                        struct text text) {
    for (size_t i = 0; i < count; i++) {
        if (test_passes(&list[i], type, text)) {
            return false;
        }
    }
    return true;
}

bool test_passes(const struct test *test, enum json_type type, struct text text) {
    switch (test->kind) {
    case TEST_LITERAL:
        return type == test->type;
    case TEST_NUMBER:
    case TEST_NUMBER_TEXT:
    case TEST_RANGE:
        return type == JSON_NUMBER && number_passes(test, text);
    case TEST_ANYTHING_BUT:
        return none_passes(test->list, test->list_count, type, text);
    case TEST_EXISTS:
        return true;
    case TEST_ABSENT:
        return false;
    default:
        return type == JSON_STRING && string_passes(test, text);
    }
}

static void copy_wildcard(struct arena *arena, struct wildcard *wildcard) {
    struct text *parts = arena_alloc_array(arena, wildcard->count, sizeof(*parts));
    for (size_t i = 0; i < wildcard->count; i++) {
        parts[i] = arena_copy_text(arena, wildcard->parts[i]);
    }
    wildcard->parts = parts;
}

static void copy_operand(struct arena *arena, struct test *test) {
    test->text = arena_copy_text(arena, test->text);
    switch (test->kind) {
    case TEST_RANGE:
        test->range.low_text = arena_copy_text(arena, test->range.low_text);
        test->range.high_text = arena_copy_text(arena, test->range.high_text);
        return;
    case TEST_IGNORE_CASE:
    case TEST_PREFIX_IGNORE_CASE:
    case TEST_SUFFIX_IGNORE_CASE:
        test->steps = casemap_steps(arena, test->text, &test->step_count);
        return;
    case TEST_WILDCARD:
        copy_wildcard(arena, &test->wildcard);
        return;
    case TEST_ANYTHING_BUT:
        test->list = test_copy(arena, test->list, test->list_count);
        return;
    default:
        return;
    }
}

const struct test *test_copy(struct arena *arena, const struct test *tests, size_t count) {
    struct test *copies = arena_alloc_array(arena, count, sizeof(*copies));
    for (size_t i = 0; i < count; i++) {
        copies[i] = tests[i];
        copy_operand(arena, &copies[i]);
    }
    return copies;
}

/* U+D800 to U+DFFF as three bytes: what an escape that pairs with nothing spells. */
static bool is_lone_surrogate(struct text text, size_t at) {
    return at + 2 < text.bytes && (unsigned char)text.data[at] == 0xED &&
           (unsigned char)text.data[at + 1] >= 0xA0;
}

void test_print_string(struct buffer *out, struct text text) {
    size_t start = 0;
    struct buffer part = BUFFER_INIT;
    buffer_append_char(out, '"');
    for (size_t at = 0; at <= text.bytes; at++) {
        bool is_lone = is_lone_surrogate(text, at);
        if (!is_lone && at < text.bytes) {
            continue;
        }
        buffer_clear(&part);
        buffer_append_json_string(&part, text_slice(text, start, at));
        buffer_append_text(out, text_slice(buffer_text(&part), 1, part.bytes - 1));
        if (is_lone) {
            unsigned unit = 0xD000u | ((unsigned char)text.data[at + 1] & 0x3Fu) << 6 |
                            ((unsigned char)text.data[at + 2] & 0x3Fu);
            buffer_append_format(out, "\\u%04x", unit);
            at += 2;
            start = at + 1;
        }
    }
    buffer_append_char(out, '"');
    buffer_done(&part);
}

static void print_operator(struct buffer *out, const char *name, struct text operand) {
    buffer_append_format(out, "{\"%s\":", name);
    test_print_string(out, operand);
    buffer_append_char(out, '}');
}

static void print_ignore_case(struct buffer *out, const char *name, struct text operand) {
    buffer_append_format(out, "{\"%s\":", name);
    print_operator(out, "equals-ignore-case", operand);
    buffer_append_char(out, '}');
}

static void print_range(struct buffer *out, const struct number_range *range) {
    bool has_low = range->low_text.bytes > 0, has_high = range->high_text.bytes > 0;
    buffer_append_string(out, "{\"numeric\":[");
    if (has_low && has_high && range->low == range->high) {
        buffer_append_format(out, "\"=\",%.*s", TEXT_ARG(range->low_text));
        has_low = has_high = false;
    }
    if (has_low) {
        buffer_append_format(out, "\"%s\",%.*s%s",
                             range->is_low_open ? ">" : ">=", TEXT_ARG(range->low_text),
                             has_high ? "," : "");
    }
    if (has_high) {
        buffer_append_format(out, "\"%s\",%.*s",
                             range->is_high_open ? "<" : "<=", TEXT_ARG(range->high_text));
    }
    buffer_append_string(out, "]}");
}

static const char *operator_name(enum test_kind kind) {
    switch (kind) {
    case TEST_PREFIX:
    case TEST_PREFIX_IGNORE_CASE:
        return "prefix";
    case TEST_SUFFIX:
    case TEST_SUFFIX_IGNORE_CASE:
        return "suffix";
    case TEST_WILDCARD:
        return "wildcard";
    case TEST_IGNORE_CASE:
        return "equals-ignore-case";
    case TEST_CIDR:
        return "cidr";
    case TEST_EXACTLY:
        return "exactly";
    default:
        return NULL;
    }
}

static void print_anything_but(struct buffer *out, const struct test *test) {
    enum test_kind kind = test->list[0].kind;
    const char *name = kind == TEST_EXACTLY ? NULL : operator_name(kind);
    buffer_append_string(out, "{\"anything-but\":");
    if (name != NULL) {
        buffer_append_format(out, "{\"%s\":", name);
    }
    /* Not a list where one value does: the older dialect has lists only of plain values. */
    bool is_list = test->list_count > 1;
    buffer_append_string(out, is_list ? "[" : "");
    for (size_t i = 0; i < test->list_count; i++) {
        buffer_append_string(out, i == 0 ? "" : ",");
        if (test->list[i].kind == TEST_NUMBER) {
            buffer_append_text(out, test->list[i].text);
        } else {
            test_print_string(out, test->list[i].text);
        }
    }
    buffer_append_string(out, is_list ? "]" : "");
    buffer_append_string(out, name != NULL ? "}}" : "}");
}

void test_print(const struct test *test, struct buffer *out) {
    switch (test->kind) {
    case TEST_LITERAL:
        buffer_append_string(out, json_type_name(test->type));
        return;
    case TEST_STRING:
    case TEST_IP:
        test_print_string(out, test->text);
        return;
    case TEST_NUMBER:
    case TEST_NUMBER_TEXT:
        buffer_append_text(out, test->text);
        return;
    case TEST_RANGE:
        print_range(out, &test->range);
        return;
    case TEST_PREFIX_IGNORE_CASE:
    case TEST_SUFFIX_IGNORE_CASE:
        print_ignore_case(out, operator_name(test->kind), test->text);
        return;
    case TEST_ANYTHING_BUT:
        print_anything_but(out, test);
        return;
    case TEST_EXISTS:
    case TEST_ABSENT:
        buffer_append_format(out, "{\"exists\":%s}", test->kind == TEST_EXISTS ? "true" : "false");
        return;
    default:
        print_operator(out, operator_name(test->kind), test->text);
    }
}
