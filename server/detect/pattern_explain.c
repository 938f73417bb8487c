#include "riposte/detect/finder.h"
#include "riposte/detect/leaves.h"
#include "riposte/detect/pattern.h"
#include "riposte/detect/subrule.h"
#include "riposte/detect/test.h"

#define EXPLAIN_STEPS     ((size_t)4 * PATTERN_STEPS) /* of all branches together */
#define SHOWN_LEAVES      10
#define SHOWN_TESTS       20
#define SHOWN_BRANCHES    100
#define SHOWN_VALUE_BYTES 200 /* of a value, a test, a path */

/* Patterns and events may be as long as they like; what is said of them isn't. */
static void append_cut(struct buffer *out, struct text text) {
    struct text shown = text_cut(text, SHOWN_VALUE_BYTES);
    buffer_append_text(out, shown);
    buffer_append_string(out, shown.bytes < text.bytes ? "..." : "");
}

static void append_test(struct buffer *out, const struct test *test) {
    scoped(buffer_done) struct buffer printed = BUFFER_INIT;
    test_print(test, &printed);
    append_cut(out, buffer_text(&printed));
}

static void append_value(struct buffer *out, const struct leaf *leaf) {
    struct text shown = text_cut(leaf->text, SHOWN_VALUE_BYTES);
    if (leaf->type == JSON_STRING) {
        test_print_string(out, shown);
    } else if (leaf->type == JSON_NUMBER) {
        buffer_append_text(out, shown);
    } else {
        buffer_append_string(out, json_type_name(leaf->type));
    }
    buffer_append_string(out, shown.bytes < leaf->text.bytes ? "..." : "");
}

static void append_tests(struct buffer *out, const struct field *field) {
    buffer_append_char(out, '[');
    for (size_t i = 0; i < field->test_count && i < SHOWN_TESTS; i++) {
        buffer_append_string(out, i == 0 ? "" : ",");
        append_test(out, &field->tests[i]);
    }
    buffer_append_string(out, field->test_count > SHOWN_TESTS ? ",...]" : "]");
}

static void append_leaves(struct buffer *out, const struct leaves *leaves, uint32_t path) {
    size_t count = 0;
    for (uint32_t i = leaves_first(leaves, path); i != LEAF_NONE; i = leaves->items[i].next) {
        if (count++ < SHOWN_LEAVES) {
            buffer_append_string(out, count == 1 ? "" : ", ");
            append_value(out, &leaves->items[i]);
        }
    }
    if (count > SHOWN_LEAVES) {
        buffer_append_format(out, " and %zu more", count - SHOWN_LEAVES);
    }
    if (count == 0) {
        buffer_append_string(out, "no value in the event");
    }
}

static void append_path(struct buffer *out, const struct field *field) {
    append_cut(out, field->path_text);
    buffer_append_string(out, ": ");
}

/* The test that the leaf passed. */
static void append_passed(struct buffer *out, const struct field *field, const struct leaf *leaf) {
    for (size_t i = 0; i < field->test_count; i++) {
        if (test_passes(&field->tests[i], leaf->type, leaf->text)) {
            append_test(out, &field->tests[i]);
            return;
        }
    }
}

static void explain_match(const struct finder *finder, struct buffer *out) {
    for (size_t i = 0; i < finder->subrule->field_count; i++) {
        const struct field *field = finder->subrule->fields[i];
        buffer_append_string(out, "  ");
        append_path(out, field);
        if (finder->chosen[i] == LEAF_NONE) {
            buffer_append_string(out, "absent, as {\"exists\":false} asks\n");
            continue;
        }
        append_value(out, &finder->leaves->items[finder->chosen[i]]);
        buffer_append_string(out, " passes ");
        append_passed(out, field, &finder->leaves->items[finder->chosen[i]]);
        buffer_append_char(out, '\n');
    }
}

/* Does some leaf of the field pass, wherever it lies? */
static bool some_leaf_passes(const struct finder *finder, const struct field *field) {
    for (uint32_t i = leaves_first(finder->leaves, field->path); i != LEAF_NONE;
         i = finder->leaves->items[i].next) {
        const struct leaf *leaf = &finder->leaves->items[i];
        if (field_passes(field, leaf->type, leaf->text)) {
            return true;
        }
    }
    return false;
}

static void explain_failure(const struct finder *finder, struct buffer *out) {
    const struct field *field = finder->subrule->fields[finder->failed_field];
    append_path(out, field);
    append_leaves(out, finder->leaves, field->path);
    buffer_append_string(out, some_leaf_passes(finder, field)
                                  ? "; none that passes is in the array elements of the other "
                                    "fields; wanted "
                                  : "; wanted ");
    append_tests(out, field);
    buffer_append_char(out, '\n');
}

static void explain_branch_name(const struct pattern *pattern, size_t index, struct buffer *out) {
    if (pattern->subrule_count > 1) {
        buffer_append_format(out, "  branch %zu of %zu: ", index + 1, pattern->subrule_count);
    } else {
        buffer_append_string(out, "  ");
    }
}

static bool explain_leaves(const struct pattern *pattern, const struct leaves *leaves,
                           struct finder *finder, struct buffer *failures, struct buffer *out,
                           bool *is_match_out, struct error *error) {
    bool is_decided = true; /* a branch that gave up doesn't keep another from matching */
    size_t steps_left = EXPLAIN_STEPS;
    for (size_t i = 0; i < pattern->subrule_count; i++) {
        bool is_match = false;
        finder->step_limit = steps_left < PATTERN_STEPS ? steps_left : PATTERN_STEPS;
        is_decided &= finder_search(finder, &pattern->subrules[i], NULL, leaves, &is_match, error);
        steps_left -= finder->steps < steps_left ? finder->steps : steps_left;
        if (is_match) {
            buffer_append_string(out, "match\n");
            explain_match(finder, out);
            *is_match_out = true;
            return true;
        }
        if (i < SHOWN_BRANCHES) {
            explain_branch_name(pattern, i, failures);
            explain_failure(finder, failures);
        }
    }
    if (!is_decided) {
        return false;
    }
    buffer_append_string(out, "no match\n");
    buffer_append_text(out, buffer_text(failures));
    if (pattern->subrule_count > SHOWN_BRANCHES) {
        buffer_append_format(out, "  and %zu branches more\n",
                             pattern->subrule_count - SHOWN_BRANCHES);
    }
    *is_match_out = false;
    return true;
}

bool pattern_explain(const struct pattern *pattern, const struct json *root, struct buffer *out,
                     bool *is_match_out, struct error *error) {
    scoped(leaves_done) struct leaves leaves;
    scoped(finder_done) struct finder finder;
    scoped(buffer_done) struct buffer failures = BUFFER_INIT;
    leaves_init(&leaves);
    finder_init(&finder);
    return leaves_of_tree(&leaves, pattern->paths, root, error) &&
           explain_leaves(pattern, &leaves, &finder, &failures, out, is_match_out, error);
}
