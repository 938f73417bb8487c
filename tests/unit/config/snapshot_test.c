#include "riposte/config/snapshot.h"

#include "config_testing.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *no_environment(void *arg, const char *name) {
    (void)arg;
    (void)name;
    return NULL;
}

static const char *enforcing(void *arg, const char *name) {
    (void)arg;
    return strcmp(name, "RIPOSTE_MODE") == 0 ? "enforce" : NULL;
}

/* ---- a folder of settings ---- */

struct folder {
    char path[64];
};

static void put(const struct folder *folder, const char *name, const char *content) {
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static struct folder folder_make(void) {
    struct folder folder = {"/tmp/riposte-config-XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    char path[128];
    snprintf(path, sizeof(path), "%s/rules", folder.path);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/playbooks", folder.path);
    assert_int_equal(mkdir(path, 0700), 0);
    put(&folder, "s.json", "{\"vars\":{\"known\":1}}");
    return folder;
}

static void remove_files(const char *path) {
    char **names = NULL;
    size_t count = 0;
    struct error error = {0};
    assert_ok(file_list(path, "", &names, &count, &error), &error);
    for (size_t i = 0; i < count; i++) {
        char *name = file_join(path, names[i]);
        (void)remove(name);
        free(name);
    }
    file_list_free(&names, count);
}

static void folder_done(struct folder *folder) {
    char path[128];
    snprintf(path, sizeof(path), "%s/rules", folder->path);
    remove_files(path);
    snprintf(path, sizeof(path), "%s/playbooks", folder->path);
    remove_files(path);
    remove_files(folder->path);
    rmdir(folder->path);
}

/* Loads "s.json" of the folder; the findings with the folder's own path taken out. */
static void load(const struct folder *folder, struct snapshot **snapshot_out,
                 struct buffer *findings_out) {
    scoped(findings_free) struct findings *findings = findings_new();
    scoped(buffer_done) struct buffer printed = BUFFER_INIT;
    char path[128];
    snprintf(path, sizeof(path), "%s/s.json", folder->path);
    bool is_good = snapshot_load(path, no_environment, NULL, snapshot_out, findings);
    assert_int_equal(is_good, findings_errors(findings) == 0);
    findings_print(findings, &printed);
    struct text rest = buffer_text(&printed);
    char prefix[80];
    snprintf(prefix, sizeof(prefix), "%s/", folder->path);
    while (rest.bytes > 0) {
        size_t at = text_find(rest, text_of(prefix));
        buffer_append_text(findings_out, text_slice(rest, 0, at));
        rest = text_slice(rest, at + strlen(prefix), rest.bytes);
    }
}

#define PLAYBOOK(name)                                                             \
    "{\"name\":\"" name "\",\"acts_on\":\"principal\",\"steps\":[{\"name\":\"a\"," \
    "\"call\":\"iam:GetUser\",\"with\":{\"x\":\"${vars.known}\"}}]}"
#define RULE(name, playbook) \
    "{\"name\":\"" name "\",\"pattern\":{\"source\":[\"s\"]},\"respond\":[\"" playbook "\"]}"

static void assert_loads(const struct folder *folder, const char *expected) {
    scoped(snapshot_unref) struct snapshot *snapshot = NULL;
    scoped(buffer_done) struct buffer findings = BUFFER_INIT;
    load(folder, &snapshot, &findings);
    assert_text_equal(buffer_text(&findings), expected);
}

static void test_rules_and_playbooks_are_tied_together(void **state) {
    (void)state;
    scoped(folder_done) struct folder folder = folder_make();
    put(&folder, "playbooks/p.json", PLAYBOOK("p"));
    put(&folder, "rules/b.json", RULE("second", "p"));
    put(&folder, "rules/a.json", "// the first\n" RULE("first", "p"));
    put(&folder, "rules/notes.txt", "not read");
    scoped(snapshot_unref) struct snapshot *snapshot = NULL;
    scoped(buffer_done) struct buffer findings = BUFFER_INIT;
    load(&folder, &snapshot, &findings);
    assert_text_equal(buffer_text(&findings), "");
    assert_int_equal(snapshot->rule_count, 2);
    assert_int_equal(ruleset_rule_count(snapshot->ruleset), snapshot->all_count);
    assert_text_equal(snapshot->definitions[2]->rule->name, "riposte-drill");
    assert_text_equal(snapshot->definitions[0]->rule->name, "first");
    assert_int_equal(snapshot->definitions[0]->playbook_count, 1);
    assert_non_null(definition_playbook(snapshot->definitions[1], TEXT("p")));
    assert_null(definition_playbook(snapshot->definitions[1], TEXT("q")));
}

static void test_all_findings_of_all_files_come_at_once(void **state) {
    (void)state;
    scoped(folder_done) struct folder folder = folder_make();
    put(&folder, "playbooks/p.json", PLAYBOOK("contain"));
    put(&folder, "playbooks/q.json", PLAYBOOK("contain"));
    put(&folder, "playbooks/r.json", "{\"name\":\"broken\"");
    put(&folder, "playbooks/t.json",
        "{\"name\":\"t\",\"acts_on\":\"principal\",\"steps\":[{\"name\":\"a\",\"call\":"
        "\"iam:GetUser\",\"with\":{\"x\":\"${vars.unknown}\",\"y\":\"${vars.unknown:-1}\"}}]}");
    put(&folder, "rules/a.json", RULE("same", "contian"));
    put(&folder, "rules/b.json", RULE("same", "t"));
    put(&folder, "rules/c.json", "{}");
    put(&folder, "rules/d.json", RULE("riposte-drill", "t"));
    scoped(snapshot_unref) struct snapshot *snapshot = NULL;
    scoped(buffer_done) struct buffer findings = BUFFER_INIT;
    load(&folder, &snapshot, &findings);
    assert_null(snapshot);
    assert_text_equal(
        buffer_text(&findings),
        "playbooks/q.json:1:9: \"contain\" is the name of the playbook in playbooks/p.json "
        "already\n"
        "playbooks/r.json:1:17: the text ends inside an object\n"
        "playbooks/t.json:1:89: \"vars.unknown\": the settings' \"vars\" have no such member\n"
        "rules/a.json:1:54: no playbook in playbooks/ is called \"contian\"; did you mean "
        "\"contain\"?\n"
        "rules/b.json:1:9: \"same\" is the name of the rule in rules/a.json already\n"
        "rules/c.json:1:1: a rule needs \"name\"\n"
        "rules/c.json:1:1: a rule needs \"pattern\"\n"
        "rules/c.json:1:1: a rule needs \"respond\"\n"
        "rules/d.json:1:9: \"riposte-drill\" is the name of a rule of the server's own\n");
}

static void test_missing_files_and_folders_are_findings(void **state) {
    (void)state;
    scoped(folder_done) struct folder folder = folder_make();
    assert_loads(&folder, "s.json:1:1: warning: no rule in rules/: no event will ever match\n");
    put(&folder, "s.json", "{\n\"rules\": \"nowhere\"}");
    assert_loads(&folder, "s.json:2:10: the folder that \"rules\" names can't be read: nowhere: No "
                          "such file or directory\n");
    char path[128];
    snprintf(path, sizeof(path), "%s/s.json", folder.path);
    unlink(path);
    assert_loads(&folder, "s.json:1:1: can't be read: s.json: No such file or directory\n");
}

static void put_wildcard_rule(const struct folder *folder, const char *member,
                              const char *wildcard) {
    scoped(buffer_done) struct buffer rule = BUFFER_INIT;
    buffer_append_format(&rule,
                         "{\"name\":\"a\",\"respond\":[\"p\"],\"pattern\":{\"source\":[\"s\"]%s\n"
                         " {\"source\":[{\"wildcard\":\"%s\"}]}}",
                         member, wildcard);
    put(folder, "rules/a.json", buffer_string(&rule));
}

static void test_wildcards_are_as_complex_as_settings_allow(void **state) {
    (void)state;
    scoped(folder_done) struct folder folder = folder_make();
    put(&folder, "playbooks/p.json", PLAYBOOK("p"));
    put_wildcard_rule(&folder, "},\"when\":", "*aaaaaaaaa*");
    assert_loads(&folder, "");
    put_wildcard_rule(&folder, "},\"when\":", "*aaaaaaaaaa*");
    assert_loads(&folder, "rules/a.json:2:12: wildcards of complexity 12; the limit "
                          "\"wildcard_complexity\" is 11: use fewer \"*\", or fewer repeated "
                          "characters after one\n");
    put(&folder, "s.json", "{\"wildcard_complexity\":12,\"vars\":{\"known\":1}}");
    assert_loads(&folder, "");
    put(&folder, "s.json", "{\"wildcard_complexity\":2,\"vars\":{\"known\":1}}");
    put(&folder, "rules/a.json",
        "{\"name\":\"a\",\"respond\":[\"p\"],\n\"pattern\":{\"source\":[{\"wildcard\":\"*a*\"}]}}");
    assert_loads(&folder, "rules/a.json:2:21: wildcards of complexity 3; the limit "
                          "\"wildcard_complexity\" is 2: use fewer \"*\", or fewer repeated "
                          "characters after one\n");
}

/* ---- what is shipped ---- */

static struct snapshot *load_shipped(environment_fn *lookup_fn, const char *expected) {
    struct snapshot *snapshot = NULL;
    scoped(findings_free) struct findings *findings = findings_new();
    (void)!snapshot_load("conf/riposte.json", lookup_fn, NULL, &snapshot, findings);
    assert_findings(findings, expected);
    return snapshot;
}

static void test_what_is_shipped_has_no_findings(void **state) {
    (void)state;
    scoped(snapshot_unref) struct snapshot *snapshot = load_shipped(no_environment, "");
    assert_non_null(snapshot);
    assert_int_equal(snapshot->settings->mode, MODE_OBSERVE);
    assert_true(snapshot->rule_count >= 1);
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        assert_true(snapshot->definitions[i]->rule->test_count > 0);
    }
}

static void test_enforcing_without_protected_principals_is_warned_of(void **state) {
    (void)state;
    scoped(snapshot_unref) struct snapshot *snapshot = load_shipped(
        enforcing,
        "conf/riposte.json:1:1: warning: \"aws.resources\" is empty: rule riposte-changed, which "
        "protects what we run on, never fires\n"
        "conf/riposte.json:26:14: warning: \"guard.protected\" is empty: name the principals that "
        "must never be locked out, your way back in first\n");
    assert_non_null(snapshot);
}

static void test_the_milder_mode_holds(void **state) {
    (void)state;
    static const struct {
        struct rule rule;
        enum mode mode;
    } rows[] = {
        {{.has_mode = false}, MODE_OBSERVE},
        {{.has_mode = true, .mode = MODE_ENFORCE}, MODE_OBSERVE},
        {{.has_mode = true, .mode = MODE_OBSERVE}, MODE_OBSERVE},
    };
    scoped(snapshot_unref) struct snapshot *snapshot = load_shipped(no_environment, "");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_int_equal(snapshot_rule_mode(snapshot, &rows[i].rule), rows[i].mode);
    }
}

/* Which of the shipped rules match each test's event, as the tests say. */
static void test_shipped_rules_match_what_their_tests_say(void **state) {
    (void)state;
    scoped(snapshot_unref) struct snapshot *snapshot = load_shipped(no_environment, "");
    scoped(match_scratch_free) struct match_scratch *scratch = match_scratch_new();
    scoped(arena_free) struct arena *arena = arena_new();
    for (uint32_t i = 0; i < snapshot->rule_count; i++) {
        const struct rule *rule = snapshot->definitions[i]->rule;
        for (size_t k = 0; k < rule->test_count; k++) {
            const struct rule_test *test = &rule->tests[k];
            testing_row(test->name.data);
            struct principal_leaves leaves = {.arena = arena, .vars = test->vars};
            struct ruleset_matches matches = {0};
            struct error error = {0};
            assert_ok(ruleset_match(snapshot->ruleset, scratch, test->event_text, principal_leaves,
                                    &leaves, &matches, &error),
                      &error);
            bool is_match = false;
            for (size_t m = 0; m < matches.count; m++) {
                is_match = is_match || matches.rules[m] == i;
            }
            /* Where the patterns match, a `where` or a threshold may still say no. */
            assert_true(is_match == test->is_match ||
                        (is_match && (rule->where_count > 0 || rule->threshold_count > 0)));
        }
    }
    testing_row(NULL);
}

/* ---- leaves ---- */

static bool matches(const struct snapshot *snapshot, struct principal_leaves *leaves,
                    const char *event) {
    scoped(match_scratch_free) struct match_scratch *scratch = match_scratch_new();
    struct ruleset_matches found = {0};
    struct error error = {0};
    assert_ok(ruleset_match(snapshot->ruleset, scratch, text_of(event), principal_leaves, leaves,
                            &found, &error),
              &error);
    return found.count > 0;
}

#define EVENT(more)                                                                      \
    "{\"id\":\"1\",\"source\":\"s\",\"detail-type\":\"t\",\"account\":\"123456789012\"," \
    "\"region\":\"r\",\"time\":\"2026-01-02T03:04:05Z\",\"detail\":{}" more "}"

static void test_a_when_sees_vars_but_not_the_events_own(void **state) {
    (void)state;
    scoped(folder_done) struct folder folder = folder_make();
    put(&folder, "playbooks/p.json", PLAYBOOK("p"));
    put(&folder, "rules/a.json",
        "{\"name\":\"a\",\"pattern\":{\"source\":[\"s\"]},\"respond\":[\"p\"],\"when\":{"
        "\"vars\":{\"known\":[1]}}}");
    scoped(snapshot_unref) struct snapshot *snapshot = NULL;
    scoped(buffer_done) struct buffer findings = BUFFER_INIT;
    load(&folder, &snapshot, &findings);
    assert_text_equal(buffer_text(&findings), "");
    scoped(arena_free) struct arena *arena = arena_new();
    struct principal_leaves leaves = {.arena = arena};
    assert_false(matches(snapshot, &leaves, EVENT("")));
    assert_false(matches(snapshot, &leaves, EVENT(",\"vars\":{\"known\":1}")));
    leaves.vars = snapshot->settings->vars;
    assert_true(matches(snapshot, &leaves, EVENT("")));
    assert_text_equal(leaves.envelope.key, "1");
    assert_int_equal(leaves.principal.kind, PRINCIPAL_UNKNOWN);
}

static void test_what_is_no_envelope_ends_the_match(void **state) {
    (void)state;
    scoped(snapshot_unref) struct snapshot *snapshot = load_shipped(no_environment, "");
    scoped(match_scratch_free) struct match_scratch *scratch = match_scratch_new();
    scoped(arena_free) struct arena *arena = arena_new();
    struct principal_leaves leaves = {.arena = arena};
    struct ruleset_matches found = {0};
    struct error error = {0};
    assert_fails(ruleset_match(snapshot->ruleset, scratch, TEXT("{\"id\":\"1\"}"), principal_leaves,
                               &leaves, &found, &error),
                 &error, ERROR_INVALID, "missing");
}

/* ---- definitions ---- */

static void test_a_definition_reads_back_equal(void **state) {
    (void)state;
    scoped(snapshot_unref) struct snapshot *snapshot = load_shipped(no_environment, "");
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        const struct definition *first = snapshot->definitions[i];
        scoped(definition_unref) struct definition *second = NULL;
        struct error error = {0};
        assert_ok(definition_read(first->text, &second, &error), &error);
        assert_true(text_equal(second->rule->name, first->rule->name));
        assert_int_equal(second->rule->test_count, 0);
        assert_null(json_member(second->rule->source, "tests"));
        assert_true(json_equal(first->rule->pattern, second->rule->pattern));
        assert_int_equal(second->playbook_count, first->playbook_count);
        for (size_t k = 0; k < first->playbook_count; k++) {
            assert_true(json_equal(first->playbooks[k]->source, second->playbooks[k]->source));
        }
        assert_true(json_equal(first->vars, second->vars));
    }
}

static void test_a_definition_outlives_its_snapshot(void **state) {
    (void)state;
    struct snapshot *snapshot = load_shipped(no_environment, "");
    scoped(definition_unref) struct definition *definition = definition_ref(
        snapshot->definitions[0]);
    snapshot_unref(&snapshot);
    assert_true(definition->rule->name.bytes > 0);
    assert_true(definition->rule->tests[0].event_text.bytes > 0);
    assert_true(definition->playbook_count > 0);
}

static void test_accounts_that_are_known_later_change_nothing_else(void **state) {
    (void)state;
    scoped(folder_done) struct folder folder = folder_make();
    put(&folder, "s.json", "{\"aws\":{\"accounts\":\"organization\"},\"workers\":3}");
    scoped(buffer_done) struct buffer findings = BUFFER_INIT;
    struct snapshot *read = NULL;
    load(&folder, &read, &findings);
    struct text names[] = {TEXT("111111111111"), TEXT("222222222222")};
    struct snapshot *first = snapshot_with_accounts(read, (struct texts){names, 2});
    scoped(snapshot_unref) struct snapshot *second = snapshot_with_accounts(
        first, (struct texts){names, 1});
    assert_true(settings_await_accounts(read->settings));
    assert_int_equal(first->settings->aws.accounts.count, 2);
    snapshot_unref(&read); /* what the others share lives on */
    snapshot_unref(&first);
    names[0] = TEXT("somebody's");
    assert_false(settings_await_accounts(second->settings));
    assert_int_equal(second->settings->aws.accounts.count, 1);
    assert_text_equal(second->settings->aws.accounts.items[0], "111111111111");
    assert_int_equal(second->settings->workers, 3);
    assert_non_null(second->ruleset);
    assert_null(snapshot_playbook(second, TEXT("x")));
}

static const struct bad_definition {
    const char *text, *error;
} bad_definitions[] = {
    {"", "definition:1:1: "},
    {"{}", "definition:1:1: a definition needs \"rule\""},
    {"{\"rule\":{},\"playbooks\":[],\"vars\":{}}", "definition:1:9: a rule needs \"name\""},
    {"{\"rule\":" RULE("r", "p") ",\"playbooks\":[],\"vars\":{}}",
     "definition:1:1: the playbook \"p\" is missing"},
    {"{\"rule\":" RULE("r", "p") ",\"playbooks\":[{}],\"vars\":{}}", "a playbook needs \"name\""},
};

static void test_a_broken_definition_names_the_first_thing_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_definitions); i++) {
        testing_row(bad_definitions[i].text);
        scoped(blob_unref) struct blob *text = blob_new(text_of(bad_definitions[i].text));
        struct definition *definition = NULL;
        struct error error = {0};
        assert_fails(definition_read(text, &definition, &error), &error, ERROR_INVALID,
                     bad_definitions[i].error);
        assert_null(definition);
    }
    testing_row(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_and_playbooks_are_tied_together),
        cmocka_unit_test(test_all_findings_of_all_files_come_at_once),
        cmocka_unit_test(test_missing_files_and_folders_are_findings),
        cmocka_unit_test(test_wildcards_are_as_complex_as_settings_allow),
        cmocka_unit_test(test_what_is_shipped_has_no_findings),
        cmocka_unit_test(test_enforcing_without_protected_principals_is_warned_of),
        cmocka_unit_test(test_the_milder_mode_holds),
        cmocka_unit_test(test_shipped_rules_match_what_their_tests_say),
        cmocka_unit_test(test_a_when_sees_vars_but_not_the_events_own),
        cmocka_unit_test(test_what_is_no_envelope_ends_the_match),
        cmocka_unit_test(test_a_definition_reads_back_equal),
        cmocka_unit_test(test_a_definition_outlives_its_snapshot),
        cmocka_unit_test(test_a_broken_definition_names_the_first_thing_wrong),
        cmocka_unit_test(test_accounts_that_are_known_later_change_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
