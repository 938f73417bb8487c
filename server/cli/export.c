#include "riposte/cli/export.h"

#include "riposte/base/arena.h"
#include "riposte/base/buffer.h"
#include "riposte/cli/command.h"
#include "riposte/cli/event_pattern.h"
#include "riposte/cli/iam_policy.h"
#include "riposte/cli/loaded.h"
#include "riposte/cli/options.h"
#include "riposte/config/schema.h"
#include "riposte/json/writer.h"

#include <stdio.h>
#include <string.h>

static int print(const struct json *node) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    json_write_pretty(&out, node);
    puts(buffer_string(&out));
    return EXIT_GOOD;
}

/* ---- schema ---- */

static const char *const schema_names[] = {
    [SCHEMA_SETTINGS] = "settings", [SCHEMA_RULE] = "rule", [SCHEMA_PLAYBOOK] = "playbook"};

/* One by its name, or all as members of an object. */
static int export_schema(const char *command, const char *name) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct json *all = json_new_object(arena);
    for (size_t i = 0; i < ARRAY_COUNT(schema_names); i++) {
        const struct json *schema = schema_make((enum schema_kind)i, arena);
        if (name != NULL && strcmp(name, schema_names[i]) == 0) {
            return print(schema);
        }
        json_add_member(arena, all, text_of(schema_names[i]), json_share(arena, schema));
    }
    return name == NULL ? print(all)
                        : cli_fail(command, "a schema is of settings, a rule or a playbook");
}

/* ---- what rules and playbooks need ---- */

/* Says so on stderr when AWS would not take it as it is. */
static void warn_if_long(const struct json *policy) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    json_write(&text, policy);
    if (text.bytes > IAM_POLICY_MANAGED_CHARACTERS) {
        fprintf(stderr,
                "%zu characters: a managed policy may have %d, the inline policies of a role %d: "
                "make one policy of each statement\n",
                text.bytes, IAM_POLICY_MANAGED_CHARACTERS, IAM_POLICY_INLINE_CHARACTERS);
    }
}

/* Which other accounts are there? Of the organization's nobody knows them here: each that may be.
 */
static bool find_role(const struct snapshot *snapshot, struct text account,
                      struct iam_policy_role *role_out) {
    const struct settings *settings = snapshot->settings;
    bool is_any = text_equal(account, TEXT("member"));
    bool is_listed = settings->aws.is_organization || (is_any && settings->aws.accounts.count > 0);
    for (size_t i = 0; i < settings->aws.accounts.count && !is_listed; i++) {
        is_listed = text_equal(settings->aws.accounts.items[i], account);
    }
    bool is_id = account.bytes == 12 && strspn(account.data, "0123456789") == 12;
    *role_out = (struct iam_policy_role){account.bytes > 0, is_any ? TEXT("") : account};
    return account.bytes == 0 || (is_listed && (is_any || is_id));
}

static int export_policy(const struct snapshot *snapshot, const char *account) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct iam_policy_role role;
    if (!find_role(snapshot, text_of(account), &role)) {
        return cli_fail("export",
                        "aws.accounts does not name \"%s\": --account takes an id of it, or "
                        "\"member\" for one policy that does for each of them",
                        account);
    }
    const struct json *policy = iam_policy_make(snapshot, &role, arena);
    warn_if_long(policy);
    return print(policy);
}

static int export_patterns(const struct snapshot *snapshot, const char *account) {
    if (account != NULL) {
        return cli_fail("export", "an event pattern is of no account: it takes no --account");
    }
    scoped(arena_free) struct arena *arena = arena_new();
    struct event_patterns patterns = event_patterns_make(snapshot, arena);
    return print(event_patterns_to_json(&patterns, arena));
}

/* ---- the command ---- */

static const struct subject {
    const char *name;
    int (*export_fn)(const struct snapshot *snapshot, const char *account);
} subjects[] = {{"iam-policy", export_policy}, {"event-pattern", export_patterns}};

static int export_loaded(const struct subject *subject, const char *path, const char *account) {
    scoped(snapshot_unref) struct snapshot *snapshot = NULL;
    return loaded_snapshot(path, &snapshot) ? subject->export_fn(snapshot, account) : EXIT_INVALID;
}

int cli_export(int argc, char **argv) {
    const char *path = CLI_SETTINGS_DEFAULT;
    const char *account = NULL;
    const struct cli_option options[] = {{"config", 'c', &path, NULL},
                                         {"account", 0, &account, NULL}};
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    const char *what = first < argc ? argv[first] : "";
    int operands = argc - first;
    if (strcmp(what, "schema") == 0 && operands <= 2) {
        return export_schema(argv[0], operands == 2 ? argv[first + 1] : NULL);
    }
    for (size_t i = 0; i < ARRAY_COUNT(subjects); i++) {
        if (strcmp(what, subjects[i].name) == 0 && operands == 1) {
            return export_loaded(&subjects[i], path, account);
        }
    }
    return cli_fail(argv[0], "name one: iam-policy, event-pattern or schema");
}
