/* A pattern (the first line) and an event (the rest). The pattern compiles or is refused, its
 * printed form compiles and says the same, and the plain evaluator over text and over a tree, the
 * explanation and a rule set agree about the event. */
#include "riposte/detect/pattern.h"
#include "riposte/detect/ruleset.h"

#include "fuzz.h"

struct verdict {
    enum error_code code; /* ERROR_NONE when there is one */
    bool is_match;
};

static void check_same(struct verdict a, struct verdict b) {
    fuzz_check(a.code == b.code && a.is_match == b.is_match);
}

static struct verdict by_text(const struct pattern *pattern, struct text event) {
    struct verdict verdict = {ERROR_NONE, false};
    struct error error = {0};
    if (!pattern_match(pattern, event, &verdict.is_match, &error)) {
        verdict.code = error.code;
    }
    return verdict;
}

static struct verdict by_explanation(const struct pattern *pattern, const struct json *event) {
    scoped(buffer_done) struct buffer why = BUFFER_INIT;
    struct verdict verdict = {ERROR_NONE, false};
    struct error error = {0};
    if (!pattern_explain(pattern, event, &why, &verdict.is_match, &error)) {
        verdict.code = error.code;
    }
    fuzz_check(verdict.code != ERROR_NONE || why.bytes > 0);
    return verdict;
}

static struct verdict by_tree(const struct pattern *pattern, const struct json *event) {
    struct verdict verdict = {ERROR_NONE, false};
    struct error error = {0};
    if (!pattern_match_tree(pattern, event, &verdict.is_match, &error)) {
        verdict.code = error.code;
    }
    return verdict;
}

static struct verdict by_print(const struct pattern *pattern, struct text event) {
    scoped(pattern_free) struct pattern *again = NULL;
    scoped(buffer_done) struct buffer printed = BUFFER_INIT;
    scoped(buffer_done) struct buffer reprinted = BUFFER_INIT;
    struct error error = {0};
    pattern_print(pattern, &printed);
    if (printed.bytes > PATTERN_BYTES) {
        return by_text(pattern, event);
    }
    fuzz_check(pattern_compile(buffer_text(&printed), &again, &error));
    pattern_print(again, &reprinted);
    fuzz_check(text_equal(buffer_text(&printed), buffer_text(&reprinted)));
    return by_text(again, event);
}

static struct verdict by_ruleset(const struct json *source, struct text event) {
    struct ruleset_builder *builder = ruleset_builder_new();
    scoped(ruleset_free) struct ruleset *set = NULL;
    scoped(match_scratch_free) struct match_scratch *scratch = match_scratch_new();
    struct ruleset_matches matches = {0};
    struct verdict verdict = {ERROR_NONE, false};
    struct error error = {0};
    fuzz_check(ruleset_add_rule(builder, source, NULL, NULL, &error));
    fuzz_check(ruleset_build(&builder, &set, &error));
    if (!ruleset_match(set, scratch, event, NULL, NULL, &matches, &error)) {
        verdict.code = error.code;
    }
    verdict.is_match = matches.count > 0;
    return verdict;
}

static void check_pattern(const struct json *source, struct text source_text, struct text event,
                          struct arena *arena) {
    scoped(pattern_free) struct pattern *pattern = NULL;
    scoped(pattern_free) struct pattern *from_tree = NULL;
    struct error error = {0};
    const struct json *culprit = NULL, *tree = NULL;
    bool is_good = pattern_compile(source_text, &pattern, &error);
    fuzz_check(is_good == pattern_compile_tree(source, &from_tree, &culprit, &error));
    fuzz_check(is_good || culprit != NULL);
    if (!is_good) {
        return;
    }
    struct verdict verdict = by_text(pattern, event);
    check_same(verdict, by_print(pattern, event));
    if (verdict.code != ERROR_LIMIT) {
        check_same(verdict, by_ruleset(source, event));
    }
    if (json_parse(event, 0, arena, &tree, NULL, &error)) {
        check_same(verdict, by_tree(pattern, tree));
        check_same(verdict, by_explanation(pattern, tree));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct text input = fuzz_text(data, bytes);
    size_t line_end = text_find_byte(input, '\n', 0);
    struct text source = text_slice(input, 0, line_end);
    struct text event = text_slice(input, line_end + 1, input.bytes);
    const struct json *root = NULL;
    struct error error = {0};
    if (json_parse(source, 0, arena, &root, NULL, &error)) {
        check_pattern(root, source, event, arena);
    }
    return 0;
}
