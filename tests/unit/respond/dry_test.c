#include "riposte/respond/dry.h"

#include "playing.h"

#include "riposte/config/snapshot.h"
#include "riposte/json/writer.h"
#include "riposte/respond/rule_test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS "conf/events/"
#define OFF    "{'ec2:DescribeInstanceAttribute':{'disableApiTermination':{'value':'false'}}}"
#define ON     "{'ec2:DescribeInstanceAttribute':{'disableApiTermination':{'value':'true'}}}"

static const char *no_environment(void *arg, const char *name) {
    (void)arg;
    (void)name;
    return NULL;
}

static struct snapshot *load_shipped(void) {
    struct snapshot *snapshot = NULL;
    struct findings *findings = findings_new();
    if (!snapshot_load("conf/riposte.json", no_environment, NULL, &snapshot, findings)) {
        struct buffer lines = BUFFER_INIT;
        findings_print(findings, &lines);
        print_error("%s", buffer_string(&lines));
        buffer_done(&lines);
    }
    findings_free(&findings);
    assert_non_null(snapshot);
    return snapshot;
}

static const struct definition *find_rule(const struct snapshot *snapshot, const char *name) {
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        if (text_equal_string(snapshot->definitions[i]->rule->name, name)) {
            return snapshot->definitions[i];
        }
    }
    fail_msg("no rule %s", name);
    return NULL;
}

static void run_shipped(const struct snapshot *snapshot, const char *file, const char *answers,
                        struct arena *arena, struct dry_run *run_out) {
    struct buffer text = BUFFER_INIT;
    struct error error = {0};
    struct subject_event *event = arena_alloc(arena, sizeof(*event));
    load_fixture(file, &text);
    assert_ok(subject_event_read(arena_copy_text(arena, buffer_text(&text)), arena, event, &error),
              &error);
    struct dry_input input = {.definition = find_rule(snapshot, "termination-protection-disabled"),
                              .event = event,
                              .answers = answers != NULL ? playing_json(arena, answers) : NULL};
    assert_ok(dry_run(&input, arena, run_out, &error), &error);
    buffer_done(&text);
}

static void assert_writes(const struct dry_run *run, struct arena *arena, const char *expected) {
    struct texts writes = dry_writes(run, arena);
    struct buffer text = BUFFER_INIT;
    for (size_t i = 0; i < writes.count; i++) {
        buffer_append_format(&text, "%s%.*s", i > 0 ? " " : "", TEXT_ARG(writes.items[i]));
    }
    assert_text_equal(buffer_text(&text), expected);
    buffer_done(&text);
}

static const struct shipped_case {
    const char *name, *event, *answers, *writes;
    enum guard_decision decision;
    bool is_unconfirmed;
} shipped_cases[] = {
    {"attribute form, it is off", EVENTS "cli-attribute-value.json", OFF,
     "iam:PutUserPolicy ec2:ModifyInstanceAttribute", GUARD_PASS, false},
    {"attribute form, it is on", EVENTS "cli-attribute-value.json", ON, "", GUARD_SUPPRESS, false},
    {"attribute form, nobody asked", EVENTS "cli-attribute-value.json", NULL,
     "iam:PutUserPolicy ec2:ModifyInstanceAttribute", GUARD_PASS, true},
    {"flag form needs no confirmation", EVENTS "terraform-no-mfa.json", NULL,
     "iam:PutUserPolicy ec2:ModifyInstanceAttribute", GUARD_PASS, false},
    {"protected again already", EVENTS "terraform-no-mfa.json", ON, "iam:PutUserPolicy", GUARD_PASS,
     false},
    {"of a role, that session", EVENTS "role-session.json", OFF,
     "iam:PutRolePolicy ec2:ModifyInstanceAttribute", GUARD_PASS, false},
    {"of a user, that federated session", EVENTS "federated-user.json", OFF,
     "iam:PutUserPolicy ec2:ModifyInstanceAttribute", GUARD_PASS, false},
    {"no containment for Identity Center", EVENTS "sso-session.json", OFF,
     "ec2:ModifyInstanceAttribute", GUARD_PASS, false},
};

static void test_the_shipped_rule_plans(void **state) {
    (void)state;
    struct snapshot *snapshot = load_shipped();
    for (size_t i = 0; i < ARRAY_COUNT(shipped_cases); i++) {
        const struct shipped_case *row = &shipped_cases[i];
        struct arena *arena = arena_new();
        struct dry_run run;
        testing_row(row->name);
        run_shipped(snapshot, row->event, row->answers, arena, &run);
        assert_int_equal(run.decision, row->decision);
        assert_int_equal(run.is_unconfirmed, row->is_unconfirmed);
        assert_writes(&run, arena, row->writes);
        arena_free(&arena);
    }
    snapshot_unref(&snapshot);
}

static void test_a_playbook_beside_one_that_is_held_goes_on(void **state) {
    (void)state;
    struct snapshot *snapshot = load_shipped();
    struct arena *arena = arena_new();
    struct dry_run run;
    testing_row(NULL);
    run_shipped(snapshot, EVENTS "sso-session.json", OFF, arena, &run);
    assert_int_equal(run.playbook_count, 2);
    assert_int_equal(run.playbooks[0].end, PLAN_HELD);
    assert_true(text_starts_with(run.playbooks[0].reason,
                                 TEXT("no containment for sso-session: its role can't be edited")));
    assert_int_equal(run.playbooks[1].end, PLAN_DONE);
    arena_free(&arena);
    snapshot_unref(&snapshot);
}

static const struct json *call_with(const struct dry_playbook *playbook, enum dry_call_kind kind) {
    for (size_t i = 0; i < playbook->call_count; i++) {
        if (playbook->calls[i].kind == kind) {
            return playbook->calls[i].parameters;
        }
    }
    return NULL;
}

static void test_a_federated_session_is_denied_on_its_user(void **state) {
    (void)state;
    struct snapshot *snapshot = load_shipped();
    struct arena *arena = arena_new();
    struct dry_run run;
    run_shipped(snapshot, EVENTS "federated-user.json", OFF, arena, &run);
    const struct json *with = call_with(&run.playbooks[0], DRY_WRITE);
    assert_text_equal(json_text(json_member(with, "UserName")), "broker");
    assert_text_equal(json_text(json_member(with, "PolicyName")),
                      "riposte-contained-404ca9d0d4c7f5f6");
    assert_text_equal(run.playbooks[0].calls[1].effect_target,
                      "123456789012/123456789012:contractor/AIDAEXAMPLEBROKER0001");
    arena_free(&arena);
    snapshot_unref(&snapshot);
}

static void test_the_print_names_calls_and_inverses(void **state) {
    (void)state;
    struct snapshot *snapshot = load_shipped();
    struct arena *arena = arena_new();
    struct buffer page = BUFFER_INIT;
    struct dry_run run;
    run_shipped(snapshot, EVENTS "terraform-no-mfa.json", NULL, arena, &run);
    dry_print(&run, 2, &page);
    static const char *const lines[] = {
        "  would respond\n",
        "  playbook contain-principal, acts on principal\n",
        "    read iam:GetUser (unconfirmed) in ",
        "    write iam:PutUserPolicy in ",
        "\"PolicyName\":\"riposte-contained\"",
        "      undo: iam:DeleteUserPolicy {\"UserName\":",
        "      verify: iam:GetUserPolicy after 5s, 15s, 1m\n",
        "    before ec2:DescribeInstanceAttribute (unconfirmed) in ",
    };
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        if (!text_contains(buffer_text(&page), text_of(lines[i]))) {
            print_error("\"%s\" is not in\n%s", lines[i], buffer_string(&page));
            fail();
        }
    }
    buffer_done(&page);
    arena_free(&arena);
    snapshot_unref(&snapshot);
}

static void test_the_json_plan_holds_what_a_reader_needs(void **state) {
    (void)state;
    struct snapshot *snapshot = load_shipped();
    struct arena *arena = arena_new();
    struct dry_run run;
    size_t count = 0;
    run_shipped(snapshot, EVENTS "cli-attribute-value.json", NULL, arena, &run);
    const struct json *plan = dry_to_json(&run, arena);
    static const struct {
        const char *path, *value;
    } members[] = {
        {"decision", "respond"},
        {"unconfirmed", "true"},
        {"confirm[0].call", "ec2:DescribeInstanceAttribute"},
        {"confirm[0].unconfirmed", "true"},
        {"playbooks[0].name", "contain-principal"},
        {"playbooks[0].calls[1].call", "iam:PutUserPolicy"},
        {"playbooks[0].calls[1].inverse.operation", "DeleteUserPolicy"},
        {"playbooks[0].calls[1].effect.name", "deny-user"},
        {"playbooks[1].calls[1].kind", "write"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(members); i++) {
        testing_row(members[i].path);
        assert_text_equal(json_text(json_find_one(plan, text_of(members[i].path), &count)),
                          members[i].value);
    }
    arena_free(&arena);
    snapshot_unref(&snapshot);
}

static void test_the_shipped_rules_tests_pass(void **state) {
    (void)state;
    struct snapshot *snapshot = load_shipped();
    struct findings *findings = findings_new();
    struct buffer lines = BUFFER_INIT;
    struct rule_test_numbers numbers = rule_test_run(snapshot, findings);
    findings_print(findings, &lines);
    assert_string_equal(buffer_string(&lines), "");
    assert_true(numbers.run >= 8);
    assert_int_equal(numbers.failed, 0);
    buffer_done(&lines);
    findings_free(&findings);
    snapshot_unref(&snapshot);
}

/* ---- a rule whose tests fail -------------------------------------------------------------------
 */

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (const char *c = text; *c != '\0'; c++) {
        fputc(*c == '\'' ? '"' : *c, file);
    }
    assert_int_equal(fclose(file), 0);
}

#define COUNTED(name, who, ids)                                                                 \
    "{'id':'e','source':'aws.x','detail-type':'t','account':'1','region':'r','time':"           \
    "'2026-01-02T03:04:05Z','detail':{'eventName':'" name "','userIdentity':{'type':'IAMUser'," \
    "'principalId':'" who "','accountId':'1'},'ids':" ids "}}"

/* What a threshold counts in a test: the event, and earlier ones of its subject that match. */
static const char
    counting_rule[] =
        "{'name':'t','description':'d','severity':'high','pattern':{'source':['aws.x'],'detail':"
        "{'eventName':['Gone']}},'threshold':{'count':3,'of':'${detail.ids[*]}','per':'5m'},"
        "'respond':['p'],'tests':[\n"
        "{'name':'alone','event':" COUNTED(
            "Gone", "A",
            "[1,2,3]") ",'expect':{'match':true}},\n"
                       "{'name':'too few','event':" COUNTED(
                           "Gone", "A",
                           "[1,1,2]") ",'expect':{'match':false}},\n"
                                      "{'name':'with others','event':" COUNTED("Gone", "A", "[1]") ",'earlier':[" COUNTED("Gone", "A", "[2]") "," COUNTED(
                                          "Gone", "A",
                                          "[3,1]") "],'expect':{'match':true}},\n"
                                                   "{'name':'the same','event':" COUNTED("Gone", "A", "[1]") ",'earlier':[" COUNTED("Gone", "A", "[1]") "," COUNTED(
                                                       "Gone", "A",
                                                       "[2]") "],'expect':{'match':false}},\n"
                                                              "{'name':'of "
                                                              "others','event':" COUNTED("Gone", "A", "[1]") ",'earlier':[" COUNTED(
                                                                  "Gone", "B",
                                                                  "[2,3]") "," COUNTED("Kept", "A",
                                                                                       "[2,3]") "],"
                                                                                                "'e"
                                                                                                "xp"
                                                                                                "ec"
                                                                                                "t'"
                                                                                                ":{"
                                                                                                "'m"
                                                                                                "at"
                                                                                                "ch"
                                                                                                "':"
                                                                                                "fa"
                                                                                                "ls"
                                                                                                "e}"
                                                                                                "},"
                                                                                                "\n"
                                                                                                "\n"
                                                                                                "\n"
                                                                                                "{'"
                                                                                                "na"
                                                                                                "me"
                                                                                                "':"
                                                                                                "'n"
                                                                                                "o "
                                                                                                "su"
                                                                                                "ch"
                                                                                                " e"
                                                                                                "ve"
                                                                                                "nt"
                                                                                                "',"
                                                                                                "'e"
                                                                                                "ve"
                                                                                                "nt"
                                                                                                "'"
                                                                                                ":" COUNTED(
                                                                                                    "Gone",
                                                                                                    "A",
                                                                                                    "[]") ",'expect':{'match':true}}]}";

static void test_a_failing_test_is_a_finding_at_its_place(void **state) {
    (void)state;
    char folder[] = "/tmp/riposte-rule-test-XXXXXX", path[128], command_rules[64], playbooks[64];
    assert_non_null(mkdtemp(folder));
    snprintf(command_rules, sizeof(command_rules), "%s/rules", folder);
    snprintf(playbooks, sizeof(playbooks), "%s/playbooks", folder);
    assert_int_equal(mkdir(command_rules, 0700), 0);
    assert_int_equal(mkdir(playbooks, 0700), 0);
    snprintf(path, sizeof(path), "%s/riposte.json", folder);
    write_file(path, "{'rules':'rules/','playbooks':'playbooks/'}");
    snprintf(path, sizeof(path), "%s/playbooks/p.json", folder);
    write_file(path, "{'name':'p','acts_on':'resource','steps':[{'name':'stop','call':"
                     "'ec2:StopInstances','effect':{'target':'t','name':'n'},'undo':"
                     "{'call':'ec2:StartInstances'}},"
                     "{'name':'note','call':'ec2:ModifyX','effect':{'target':'t','name':'o'},"
                     "'undo':null},"
                     "{'name':'untag','call':'ec2:DeleteTags','effect':{'target':'t','name':'p'},"
                     "'undo':{'call':'ec2:CreateTags'}}]}");
    snprintf(path, sizeof(path), "%s/rules/r.json", folder);
    write_file(path,
               "{'name':'r','description':'d','severity':'high','pattern':{'source':['aws.ec2']},\n"
               "'subject':'${principal.id}','cooldown':'5m','respond':['p'],'tests':[\n"
               "{'name':'a','event':" PLAYING_EVENT ",'expect':{'match':false}},\n"
               "  {'name':'b','event':" PLAYING_EVENT
               ",'expect':{'match':true,'calls':['iam:PutUserPolicy']}},\n"
               "{'name':'c','event':" PLAYING_EVENT ",'expect':{'match':true,'inverses':"
               "['ec2:StopInstances','ec2:StartInstances']}},\n"
               "{'name':'d','event':" PLAYING_EVENT ",'expect':{'match':true,'inverses':"
               "['ec2:StartInstances','ec2:CreateTags']}},\n"
               "{'name':'e','event':" PLAYING_EVENT ",'expect':{'match':true,'inverses':"
               "['ec2:CreateTags','ec2:StartInstances']}}]}");
    snprintf(path, sizeof(path), "%s/rules/t.json", folder);
    write_file(path, counting_rule);
    snprintf(path, sizeof(path), "%s/riposte.json", folder);
    struct findings *findings = findings_new();
    struct snapshot *snapshot = NULL;
    struct buffer lines = BUFFER_INIT;
    bool is_loaded = snapshot_load(path, no_environment, NULL, &snapshot, findings);
    if (is_loaded) {
        struct rule_test_numbers numbers = rule_test_run(snapshot, findings);
        assert_int_equal(numbers.run, 11);
        assert_int_equal(numbers.failed, 5);
    }
    findings_print(findings, &lines);
    testing_row(NULL);
    static const char *const parts[] = {
        "r.json:3:1: test \"a\": expected no match, but the rule matches\n",
        "t.json:9:1: test \"no such event\": expected a match, but the rule does not match\n",
        "r.json:4:3: test \"b\": expected calls [iam:PutUserPolicy], got [ec2:StopInstances, "
        "ec2:ModifyX, ec2:DeleteTags]\n",
        "r.json:5:1: test \"c\": expected inverses [ec2:StopInstances, ec2:StartInstances], got "
        "[ec2:CreateTags, ec2:StartInstances]\n",
        "r.json:6:1: test \"d\": expected inverses [ec2:StartInstances, ec2:CreateTags], got "
        "[ec2:CreateTags, ec2:StartInstances]\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (!text_contains(buffer_text(&lines), text_of(parts[i]))) {
            print_error("\"%s\" is not in\n%s", parts[i], buffer_string(&lines));
            fail();
        }
    }
    buffer_done(&lines);
    findings_free(&findings);
    snapshot_unref(&snapshot);
    static const char *const made[] = {"/rules/r.json",
                                       "/rules/t.json",
                                       "/playbooks/p.json",
                                       "/riposte.json",
                                       "/rules",
                                       "/playbooks",
                                       ""};
    for (size_t i = 0; i < ARRAY_COUNT(made); i++) {
        snprintf(path, sizeof(path), "%s%s", folder, made[i]);
        assert_int_equal(remove(path), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_shipped_rule_plans),
        cmocka_unit_test(test_a_playbook_beside_one_that_is_held_goes_on),
        cmocka_unit_test(test_a_federated_session_is_denied_on_its_user),
        cmocka_unit_test(test_the_print_names_calls_and_inverses),
        cmocka_unit_test(test_the_json_plan_holds_what_a_reader_needs),
        cmocka_unit_test(test_the_shipped_rules_tests_pass),
        cmocka_unit_test(test_a_failing_test_is_a_finding_at_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
