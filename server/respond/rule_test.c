#include "riposte/respond/rule_test.h"

#include "riposte/base/arena.h"
#include "riposte/base/buffer.h"
#include "riposte/base/file.h"
#include "riposte/config/template.h"
#include "riposte/config/threshold.h"
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

static bool does_match(const struct bench *bench, const struct rule_test *test, struct text text,
                       bool *is_match_out, struct error *error) {
    struct ruleset_matches matches = {0};
    struct principal_leaves leaves = {.arena = bench->arena, .vars = vars_of(bench, test)};
    if (!ruleset_match(bench->snapshot->ruleset, bench->scratch, text, principal_leaves, &leaves,
                       &matches, error)) {
        return false;
    }
    *is_match_out = false;
    for (size_t i = 0; i < matches.count; i++) {
        *is_match_out |= matches.rules[i] == bench->rule_index;
    }
    return true;
}

/* The settings' resources of ours count, the event's account is ours, unless the test says. */
static struct context_self self_of(const struct bench *bench, const struct rule_test *test,
                                   const struct subject_event *event) {
    return test->has_self ? test->self
                          : context_self_known(bench->snapshot->settings, event->envelope.account);
}

static const struct rule *rule_of(const struct bench *bench) {
    return bench->snapshot->definitions[bench->rule_index]->rule;
}

/* Distinct values that a threshold has counted of one subject. */
struct tally {
    struct text subject, *values;
    size_t count;
};

static void tally_add(struct tally *tally, const struct text *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < tally->count && !text_equal(tally->values[at], values[i])) {
            at++;
        }
        tally->values[at] = values[i];
        tally->count += at == tally->count;
    }
}

/* What the event adds to the tally of its subject; the first event says whose it is. */
static void tally_event(const struct bench *bench, const struct rule_test *test,
                        const struct subject_event *event, struct tally *tally) {
    const struct rule *rule = rule_of(bench);
    const struct context_self self = self_of(bench, test, event);
    const struct json *context = context_new(event, rule->name, rule->severity, TEXT(""), &self,
                                             vars_of(bench, test), bench->arena);
    const struct text *values = NULL;
    size_t count = 0;
    struct text subject = event->principal.id;
    struct error error = {0};
    if (!template_render_text(rule->subject, context, bench->arena, &subject, &error)) {
        subject = event->principal.id;
    }
    tally->subject = tally->subject.bytes == 0 ? subject : tally->subject;
    if (text_equal(subject, tally->subject) &&
        threshold_values(rule, context, bench->arena, &values, &count, &error)) {
        tally_add(tally, values, count);
    }
}

static bool passes(const struct bench *bench, const struct rule_test *test, struct text text,
                   struct subject_event *event_out, bool *passes_out, struct error *error) {
    if (!does_match(bench, test, text, passes_out, error) ||
        !subject_event_read(text, bench->arena, event_out, error)) {
        return false;
    }
    const struct context_self self = self_of(bench, test, event_out);
    return !*passes_out || where_fires(rule_of(bench), event_out, &self, vars_of(bench, test),
                                       bench->arena, passes_out, error);
}

/* The test's event and those before it, all within the threshold's time. */
static bool is_reached(const struct bench *bench, const struct rule_test *test,
                       const struct subject_event *event, bool *is_reached_out,
                       struct error *error) {
    uint32_t needed = rule_of(bench)->threshold_count;
    struct tally tally = {.values = arena_alloc_array(bench->arena,
                                                      needed * (test->earlier.count + 1),
                                                      sizeof(struct text))};
    tally_event(bench, test, event, &tally);
    for (size_t i = 0; i < test->earlier.count; i++) {
        struct subject_event earlier = {0};
        bool counts = false;
        if (!passes(bench, test, test->earlier.items[i], &earlier, &counts, error)) {
            return error_wrap(error, "earlier event %zu", i);
        }
        if (counts) {
            tally_event(bench, test, &earlier, &tally);
        }
    }
    *is_reached_out = tally.count >= needed;
    return true;
}

static bool does_fire(const struct bench *bench, const struct rule_test *test,
                      struct subject_event *event_out, bool *fires_out, struct error *error) {
    return passes(bench, test, test->event_text, event_out, fires_out, error) &&
           (!*fires_out || rule_of(bench)->threshold_count == 0 ||
            is_reached(bench, test, event_out, fires_out, error));
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

/* Says what differs, if anything does. */
static bool check_list(const char *label, const struct texts *expected, const struct texts *planned,
                       struct buffer *what) {
    if (are_equal(planned, expected)) {
        return true;
    }
    buffer_append_format(what, "expected %s ", label);
    append_list(what, expected);
    buffer_append_string(what, ", got ");
    append_list(what, planned);
    return false;
}

static bool check_writes(const struct bench *bench, const struct rule_test *test,
                         const struct subject_event *event, struct buffer *what) {
    struct dry_run run = {0};
    struct error error = {0};
    if (!plan_writes(bench, test, event, &run, &error)) {
        buffer_append_string(what, error.text);
        return false;
    }
    struct texts writes = dry_writes(&run, bench->arena);
    struct texts inverses = dry_inverses(&run, bench->arena);
    if ((test->has_calls && !check_list("calls", &test->calls, &writes, what)) ||
        (test->has_inverses && !check_list("inverses", &test->inverses, &inverses, what))) {
        append_ends(what, &run);
        return false;
    }
    return true;
}

static bool run_one(const struct bench *bench, const struct rule_test *test, struct buffer *what) {
    bool is_match = false;
    struct subject_event event = {0};
    struct error error = {0};
    arena_reset(bench->arena);
    if (!does_fire(bench, test, &event, &is_match, &error)) {
        buffer_append_format(what, "the event: %s", error.text);
        return false;
    }
    if (is_match != test->is_match) {
        buffer_append_string(what, test->is_match ? "expected a match, but the rule does not match"
                                                  : "expected no match, but the rule matches");
        return false;
    }
    return !is_match || !(test->has_calls || test->has_inverses) ||
           check_writes(bench, test, &event, what);
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

struct rule_test_result *rule_test_results(const struct snapshot *snapshot, size_t rule_index,
                                           struct arena *arena) {
    scoped(match_scratch_free) struct match_scratch *scratch = match_scratch_new();
    scoped(arena_free) struct arena *own = arena_new();
    const struct bench bench = {snapshot, scratch, rule_index, NULL, NULL, own};
    const struct rule *rule = rule_of(&bench);
    struct rule_test_result *results = arena_alloc_array(arena, rule->test_count + 1,
                                                         sizeof(*results));
    for (size_t i = 0; i < rule->test_count; i++) {
        scoped(buffer_done) struct buffer what = BUFFER_INIT;
        (void)!run_one(&bench, &rule->tests[i], &what);
        results[i] = (struct rule_test_result){&rule->tests[i],
                                               arena_copy_text(arena, buffer_text(&what))};
    }
    return results;
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
