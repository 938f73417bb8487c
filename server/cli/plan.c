#include "riposte/cli/plan.h"

#include "riposte/base/file.h"
#include "riposte/base/time.h"
#include "riposte/cli/command.h"
#include "riposte/cli/loaded.h"
#include "riposte/cli/options.h"
#include "riposte/config/context.h"
#include "riposte/config/snapshot.h"
#include "riposte/config/threshold.h"
#include "riposte/config/where.h"
#include "riposte/detect/pattern.h"
#include "riposte/json/writer.h"
#include "riposte/respond/dry.h"

#include <stdio.h>

#define EVENT_BYTES (2 * 1024 * 1024)

/* Appends why `source` matches `root`: the leaf that satisfied each field. */
static bool explain(const struct json *source, const struct json *root, struct buffer *out,
                    struct error *error) {
    scoped(pattern_free) struct pattern *pattern = NULL;
    scoped(buffer_done) struct buffer lines = BUFFER_INIT;
    bool is_match = false;
    if (!source) {
        return true;
    }
    if (!pattern_compile_tree(source, &pattern, NULL, error) ||
        !pattern_explain(pattern, root, &lines, &is_match, error)) {
        return false;
    }
    struct text rest = buffer_text(&lines), line;
    while (text_next_part(&rest, '\n', &line)) {
        if (text_starts_with(line, TEXT(" "))) { /* the first only says that it matches */
            buffer_append_format(out, "  because %.*s\n", TEXT_ARG(text_trim(line)));
        }
    }
    return true;
}

/* What a rule's `when` and `where` see. */
static const struct json *plan_context(const struct snapshot *snapshot, const struct rule *rule,
                                       const struct subject_event *event, struct arena *arena) {
    const struct context_self self = context_self_known(snapshot->settings,
                                                        event->envelope.account);
    return context_new(event, rule->name, rule->severity, TEXT(""), &self, snapshot->settings->vars,
                       arena);
}

static bool explain_rule(const struct rule *rule, const struct subject_event *event,
                         const struct json *context, struct arena *arena, struct buffer *out,
                         struct error *error) {
    buffer_append_format(out, "rule %.*s matches, severity %.*s\n", TEXT_ARG(rule->name),
                         TEXT_ARG(rule->severity));
    if (!explain(rule->pattern, event->root, out, error) ||
        !explain(rule->when, context, out, error)) {
        return false;
    }
    for (size_t i = 0; i < rule->where_count; i++) {
        buffer_append_format(out, "  because where: %.*s\n",
                             TEXT_ARG(where_explain(&rule->where[i], context, arena)));
    }
    if (rule->threshold_count > 0) {
        buffer_append_format(
            out, "  because threshold: this event alone has %u distinct values or more\n",
            rule->threshold_count);
    }
    return true;
}

/* Only this event is known here: what others add, the server's journal counts. */
static bool reaches_threshold(const struct rule *rule, const struct json *context,
                              struct arena *arena, struct buffer *out) {
    size_t count = 0;
    bool is_reached = threshold_reached_alone(rule, context, arena, &count);
    char per[TIME_TEXT_BYTES];
    duration_format(rule->threshold_per_ms, per);
    if (!is_reached) {
        buffer_append_format(out,
                             "rule %.*s does not fire by this event alone: threshold: %zu of %u "
                             "within %s\n",
                             TEXT_ARG(rule->name), count, rule->threshold_count, per);
    }
    return is_reached;
}

/* The patterns match; a `where` may not hold, and why is said. */
static bool fires(const struct rule *rule, const struct json *context, struct arena *arena,
                  struct buffer *out) {
    size_t failing = 0;
    bool holds = false;
    struct error error = {0};
    if (!where_holds(rule, context, arena, &holds, &failing, &error)) {
        buffer_append_format(out, "rule %.*s does not fire: %s\n", TEXT_ARG(rule->name),
                             error.text);
    } else if (!holds) {
        buffer_append_format(out, "rule %.*s does not fire: where: %.*s\n", TEXT_ARG(rule->name),
                             TEXT_ARG(where_explain(&rule->where[failing], context, arena)));
    }
    return holds;
}

/* What one rule would do, added to `out` (people) and `plans` (JSON). */
static bool plan_rule(const struct snapshot *snapshot, size_t index,
                      const struct subject_event *event, struct arena *arena, struct buffer *out,
                      struct json *plans, bool *has_work, struct error *error) {
    const struct dry_input input = {
        .definition = snapshot->definitions[index], .event = event, .settings = snapshot->settings};
    const struct rule *rule = input.definition->rule;
    const struct json *context = plan_context(snapshot, rule, event, arena);
    struct dry_run run = {0};
    if (!fires(rule, context, arena, out) || !reaches_threshold(rule, context, arena, out)) {
        return true;
    }
    if (!dry_run(&input, arena, &run, error) ||
        !explain_rule(rule, event, context, arena, out, error)) {
        return error_wrap(error, "rule %.*s", TEXT_ARG(rule->name));
    }
    *has_work = *has_work || dry_writes(&run, arena).count > 0;
    dry_print(&run, 0, out);
    struct json *plan = json_new_object(arena);
    json_add_text(arena, plan, "rule", rule->name);
    json_add_text(arena, plan, "severity", rule->severity);
    json_add_member(arena, plan, TEXT("plan"), json_copy(arena, dry_to_json(&run, arena)));
    json_add_element(plans, plan);
    return true;
}

static bool plan_event(const struct snapshot *snapshot, struct text text, struct arena *arena,
                       struct buffer *out, struct json *plans, bool *has_work,
                       struct error *error) {
    scoped(match_scratch_free) struct match_scratch *scratch = match_scratch_new();
    struct principal_leaves leaves = {.arena = arena, .vars = snapshot->settings->vars};
    struct ruleset_matches matches = {0};
    struct subject_event event = {0};
    if (!ruleset_match(snapshot->ruleset, scratch, text, principal_leaves, &leaves, &matches,
                       error) ||
        !subject_event_read(text, arena, &event, error)) {
        return false;
    }
    for (size_t i = 0; i < matches.count; i++) {
        if (!plan_rule(snapshot, matches.rules[i], &event, arena, out, plans, has_work, error)) {
            return false;
        }
    }
    if (matches.count == 0) {
        buffer_append_format(out,
                             "no rule of %zu matches; 'riposte match PATTERN EVENT' says why\n",
                             snapshot->rule_count);
    }
    return true;
}

int cli_plan(int argc, char **argv) {
    const char *path = CLI_SETTINGS_DEFAULT;
    bool as_json = false;
    const struct cli_option options[] = {{"config", 'c', &path, NULL}, {"json", 0, NULL, &as_json}};
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    if (first != argc - 1) {
        return cli_fail(argv[0], "name one file with an event ('-': standard input)");
    }
    struct error error = {0};
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    scoped(snapshot_unref) struct snapshot *snapshot = NULL;
    if (!file_read(argv[first], EVENT_BYTES, &text, &error)) {
        return cli_fail(argv[0], "%s", error.text);
    }
    if (!loaded_snapshot(path, &snapshot)) {
        return EXIT_INVALID;
    }
    loaded_say_accounts(snapshot);
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    struct json *plans = json_new_array(arena);
    bool has_work = false;
    if (!plan_event(snapshot, buffer_text(&text), arena, &out, plans, &has_work, &error)) {
        return cli_fail(argv[0], "%s: %s", argv[first], error.text);
    }
    if (as_json) {
        buffer_clear(&out);
        json_write_pretty(&out, plans);
        buffer_append_char(&out, '\n');
    }
    fputs(buffer_string(&out), stdout);
    return has_work ? EXIT_GOOD : EXIT_NO;
}
