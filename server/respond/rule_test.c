#include "riposte/respond/rule_test.h"

#include "riposte/base/arena.h"
#include "riposte/base/buffer.h"
#include "riposte/base/file.h"
#include "riposte/config/where.h"
#include "riposte/respond/dry.h"

#define RULE_FILE_BYTES (16 * 1024 * 1024)

/* One rule of the set, under test. */
struct bench {
    const struct snapshot *snapshot;
    struct match_scratch *scratch;
    size_t rule_index;
    const struct source *source;
    struct findings *findings;
    struct arena *arena;
};

static const struct json *vars_of(const struct bench *bench, const struct rule_test *test) {
    return test->vars != NULL ? test->vars : bench->snapshot->settings->vars;
}

static bool does_match(const struct bench *bench, const struct rule_test *test, bool *is_match_out,
                       struct error *error) {
    struct ruleset_matches matches = {0};
    struct principal_leaves leaves = {.arena = bench->arena, .vars = vars_of(bench, test)};
    if (!ruleset_match(bench->snapshot->ruleset, bench->scratch, test->event_text, principal_leaves,
                       &leaves, &matches, error)) {
        return false;
    }
    *is_match_out = false;
    for (size_t i = 0; i < matches.count; i++) {
        *is_match_out |= matches.rules[i] == bench->rule_index;
    }
    return true;
}

/* The settings' resources of ours count, the event's account is ours, unless the test says. */
static bool does_fire(const struct bench *bench, const struct rule_test *test,
                      const struct subject_event *event, bool *fires_out, struct error *error) {
    const struct rule *rule = bench->snapshot->definitions[bench->rule_index]->rule;
    struct context_self known = context_self_known(bench->snapshot->settings,
                                                   event->envelope.account);
    return where_fires(rule, event, test->has_self ? &test->self : &known, vars_of(bench, test),
                       bench->arena, fires_out, error);
}

static bool plan_writes(const struct bench *bench, const struct rule_test *test,
                        const struct subject_event *event, struct dry_run *run_out,
                        struct error *error) {
    struct dry_input input = {.definition = bench->snapshot->definitions[bench->rule_index],
                              .event = event,
                              .answers = test->answers,
                              .self = test->has_self ? &test->self : NULL,
                              .vars = vars_of(bench, test)};
    return dry_run(&input, bench->arena, run_out, error);
}

static bool are_equal(const struct texts *a, const struct texts *b) {
    bool is_equal = a->count == b->count;
    for (size_t i = 0; is_equal && i < a->count; i++) {
        is_equal = text_equal(a->items[i], b->items[i]);
    }
    return is_equal;
}

static void append_list(struct buffer *out, const struct texts *texts) {
    buffer_append_char(out, '[');
    for (size_t i = 0; i < texts->count; i++) {
        buffer_append_format(out, "%s%.*s", i > 0 ? ", " : "", TEXT_ARG(texts->items[i]));
    }
    buffer_append_char(out, ']');
}

/* Why there are fewer calls than one would think. */
static void append_ends(struct buffer *out, const struct dry_run *run) {
    if (run->decision != GUARD_PASS) {
        buffer_append_format(out, " (%s: %.*s)",
                             run->decision == GUARD_HOLD ? "held" : "suppressed",
                             TEXT_ARG(run->reason));
    }
    for (size_t i = 0; i < run->playbook_count; i++) {
        const struct dry_playbook *playbook = &run->playbooks[i];
        if (playbook->end != PLAN_DONE) {
            buffer_append_format(out, " (%.*s: %.*s)", TEXT_ARG(playbook->name),
                                 TEXT_ARG(playbook->reason));
        }
    }
}

static bool check_calls(const struct bench *bench, const struct rule_test *test,
                        const struct subject_event *event, struct buffer *what) {
    struct dry_run run = {0};
    struct error error = {0};
    if (!plan_writes(bench, test, event, &run, &error)) {
        buffer_append_string(what, error.text);
        return false;
    }
    struct texts writes = dry_writes(&run, bench->arena);
    if (are_equal(&writes, &test->calls)) {
        return true;
    }
    buffer_append_string(what, "expected calls ");
    append_list(what, &test->calls);
    buffer_append_string(what, ", got ");
    append_list(what, &writes);
    append_ends(what, &run);
    return false;
}

static bool run_one(const struct bench *bench, const struct rule_test *test, struct buffer *what) {
    bool is_match = false;
    struct subject_event event = {0};
    struct error error = {0};
    arena_reset(bench->arena);
    if (!does_match(bench, test, &is_match, &error) ||
        !subject_event_read(test->event_text, bench->arena, &event, &error) ||
        (is_match && !does_fire(bench, test, &event, &is_match, &error))) {
        buffer_append_format(what, "the event: %s", error.text);
        return false;
    }
    if (is_match != test->is_match) {
        buffer_append_string(what, test->is_match ? "expected a match, but the rule does not match"
                                                  : "expected no match, but the rule matches");
        return false;
    }
    return !is_match || !test->has_calls || check_calls(bench, test, &event, what);
}

static struct rule_test_numbers run_rule(const struct bench *bench, const struct rule *rule) {
    struct rule_test_numbers numbers = {0};
    if (rule->test_count == 0) {
        findings_warn(bench->findings, bench->source, rule->source, "rule %.*s has no tests",
                      TEXT_ARG(rule->name));
    }
    for (size_t i = 0; i < rule->test_count; i++) {
        const struct rule_test *test = &rule->tests[i];
        scoped(buffer_done) struct buffer what = BUFFER_INIT;
        numbers.run++;
        if (!run_one(bench, test, &what)) {
            numbers.failed++;
            findings_add(bench->findings, bench->source, test->node, "test \"%.*s\": %s",
                         TEXT_ARG(test->name), buffer_string(&what));
        }
    }
    return numbers;
}

struct rule_test_numbers rule_test_run(const struct snapshot *snapshot, struct findings *findings) {
    struct rule_test_numbers all = {0};
    scoped(match_scratch_free) struct match_scratch *scratch = match_scratch_new();
    scoped(arena_free) struct arena *arena = arena_new();
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        const struct rule *rule = snapshot->definitions[i]->rule;
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        struct error error = {0};
        struct source source = {.file = rule->file != NULL ? rule->file : ""};
        if (rule->file != NULL && file_read(rule->file, RULE_FILE_BYTES, &text, &error)) {
            source.text = buffer_text(&text);
        }
        struct bench bench = {snapshot, scratch, i, &source, findings, arena};
        struct rule_test_numbers numbers = run_rule(&bench, rule);
        all.run += numbers.run;
        all.failed += numbers.failed;
    }
    return all;
}
