#include "riposte/cli/plan.h"

#include "riposte/base/file.h"
#include "riposte/cli/command.h"
#include "riposte/cli/loaded.h"
#include "riposte/cli/options.h"
#include "riposte/config/snapshot.h"
#include "riposte/json/writer.h"
#include "riposte/respond/rehearsal.h"

#include <stdio.h>

#define EVENT_BYTES (2 * 1024 * 1024)

/* For people. */
static void print(const struct rehearsal *rehearsal, struct buffer *out) {
    struct text name = rehearsal->rule->name;
    if (rehearsal->end != REHEARSAL_FIRES) {
        buffer_append_format(out, "rule %.*s does not fire%s: %.*s\n", TEXT_ARG(name),
                             rehearsal->end == REHEARSAL_THRESHOLD ? " by this event alone" : "",
                             TEXT_ARG(rehearsal->reason));
        return;
    }
    buffer_append_format(out, "rule %.*s matches, severity %.*s\n", TEXT_ARG(name),
                         TEXT_ARG(rehearsal->rule->severity));
    for (size_t i = 0; i < rehearsal->why.count; i++) {
        buffer_append_format(out, "  because %.*s\n", TEXT_ARG(rehearsal->why.items[i]));
    }
    dry_print(&rehearsal->run, 0, out);
}

static void add_plan(const struct rehearsal *rehearsal, struct arena *arena, struct json *plans) {
    if (rehearsal->end == REHEARSAL_FIRES) {
        struct json *plan = json_new_object(arena);
        json_add_text(arena, plan, "rule", rehearsal->rule->name);
        json_add_text(arena, plan, "severity", rehearsal->rule->severity);
        json_add_member(arena, plan, TEXT("plan"),
                        json_copy(arena, dry_to_json(&rehearsal->run, arena)));
        json_add_element(plans, plan);
    }
}

/* What the rules would do, added to `out` (people) and `plans` (JSON). */
static bool plan_event(const struct snapshot *snapshot, struct text text, struct arena *arena,
                       struct buffer *out, struct json *plans, bool *has_work,
                       struct error *error) {
    struct rehearsal *rehearsals = NULL;
    size_t count = 0;
    if (!rehearse(snapshot, text, TEXT(""), arena, &rehearsals, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        *has_work = *has_work || (rehearsals[i].end == REHEARSAL_FIRES &&
                                  dry_writes(&rehearsals[i].run, arena).count > 0);
        print(&rehearsals[i], out);
        add_plan(&rehearsals[i], arena, plans);
    }
    if (count == 0) {
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
