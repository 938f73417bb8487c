/* Every vector: by the plain evaluator from text and from a tree, by a rule set, and after
 * printing; each with every kernel that the machine has for the scanner. */
#include "testing.h"
#include "vectors.h"

#include "riposte/base/arena.h"
#include "riposte/detect/pattern.h"
#include "riposte/detect/ruleset.h"

#include "../../../server/json/index.h"

static const char *verdict_of(bool is_good, bool is_match) {
    return !is_good ? "invalid" : is_match ? "match" : "nomatch";
}

static const char *by_text(struct text pattern_text, struct text event) {
    struct pattern *pattern = NULL;
    struct error error = {0};
    bool is_match = false;
    bool is_good = pattern_compile(pattern_text, &pattern, &error) &&
                   pattern_match(pattern, event, &is_match, &error);
    pattern_free(&pattern);
    return verdict_of(is_good, is_match);
}

static const char *by_print(struct text pattern_text, struct text event) {
    struct pattern *pattern = NULL;
    struct error error = {0};
    struct buffer printed = BUFFER_INIT;
    const char *verdict = "invalid";
    if (pattern_compile(pattern_text, &pattern, &error)) {
        pattern_print(pattern, &printed);
        verdict = by_text(buffer_text(&printed), event);
    }
    pattern_free(&pattern);
    buffer_done(&printed);
    return verdict;
}

static const char *by_tree(struct text pattern_text, struct text event) {
    struct arena *arena = arena_new();
    struct pattern *pattern = NULL;
    const struct json *pattern_tree = NULL, *event_tree = NULL;
    struct buffer why = BUFFER_INIT;
    struct error error = {0};
    bool is_match = false, is_explained_match = false;
    bool is_good = json_parse(pattern_text, 0, arena, &pattern_tree, NULL, &error) &&
                   json_parse(event, 0, arena, &event_tree, NULL, &error) &&
                   pattern_compile_tree(pattern_tree, &pattern, NULL, &error) &&
                   pattern_match_tree(pattern, event_tree, &is_match, &error) &&
                   pattern_explain(pattern, event_tree, &why, &is_explained_match, &error);
    assert_true(is_match == is_explained_match);
    pattern_free(&pattern);
    buffer_done(&why);
    arena_free(&arena);
    return verdict_of(is_good, is_match);
}

static const char *by_ruleset(struct text pattern_text, struct text event) {
    struct arena *arena = arena_new();
    struct ruleset_builder *builder = ruleset_builder_new();
    struct match_scratch *scratch = match_scratch_new();
    struct ruleset *set = NULL;
    struct ruleset_matches matches = {0};
    const struct json *pattern = NULL;
    struct error error = {0};
    bool is_good = json_parse(pattern_text, 0, arena, &pattern, NULL, &error) &&
                   ruleset_add_rule(builder, pattern, NULL, NULL, &error) &&
                   ruleset_build(&builder, &set, &error) &&
                   ruleset_match(set, scratch, event, NULL, NULL, &matches, &error);
    const char *verdict = verdict_of(is_good, matches.count > 0);
    ruleset_builder_free(&builder);
    ruleset_free(&set);
    match_scratch_free(&scratch);
    arena_free(&arena);
    return verdict;
}

static const struct way {
    const char *name;
    const char *(*verdict_fn)(struct text pattern, struct text event);
} ways[] = {
    {"text", by_text},
    {"printed", by_print},
    {"tree", by_tree},
    {"rule set", by_ruleset},
};

static size_t check_line(struct text line, const char *expected_name) {
    struct text expected = vector_string(line, expected_name);
    struct text pattern = vector_member(line, "pattern"), event = vector_member(line, "event");
    size_t wrong = 0;
    for (size_t i = 0; i < ARRAY_COUNT(ways); i++) {
        const char *verdict = ways[i].verdict_fn(pattern, event);
        if (!text_equal_string(expected, verdict)) {
            struct text id = vector_string(line, "id");
            testing_say_row();
            print_error("%.*s by %s: %s, not %.*s\n", TEXT_ARG(id), ways[i].name, verdict,
                        TEXT_ARG(expected));
            wrong++;
        }
    }
    return wrong;
}

static void check_file(const char *path, const char *expected_name, size_t at_least) {
    struct buffer bytes = BUFFER_INIT;
    struct text line;
    size_t count = 0, wrong = 0;
    load_fixture(path, &bytes);
    struct text rest = buffer_text(&bytes);
    while (text_next_part(&rest, '\n', &line)) {
        if (line.bytes > 0) {
            wrong += check_line(line, expected_name);
            count++;
        }
    }
    buffer_done(&bytes);
    assert_true(count >= at_least);
    assert_int_equal(wrong, 0);
}

static void check_with_every_kernel(const char *path, const char *expected_name, size_t at_least) {
    for (size_t i = 0; json_index_kernel_name(i) != NULL; i++) {
        testing_row(json_index_kernel_name(i));
        json_index_choose_kernel(i);
        check_file(path, expected_name, at_least);
    }
    json_index_choose_kernel(0);
}

static void test_patterns(void **state) {
    (void)state;
    check_with_every_kernel("tests/data/vectors/patterns.jsonl", "expect", 1000);
}

static void test_quirks(void **state) {
    (void)state;
    check_with_every_kernel("tests/data/vectors/quirks.jsonl", "sane", 49);
}

static void test_ours(void **state) {
    (void)state;
    check_with_every_kernel("tests/data/vectors/ours.jsonl", "expect", 300);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_quirks),
        cmocka_unit_test(test_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
