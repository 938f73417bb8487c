#include "riposte/journal/search.h"
#include "riposte/respond/approval.h"
#include "riposte/respond/respond.h"

#include "stage.h"

#include "riposte/base/buffer.h"
#include "riposte/base/time.h"
#include "riposte/observe/metrics.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTAIN "iam:GetUser iam:GetUserPolicy iam:PutUserPolicy"
#define RESTORE "ec2:DescribeInstanceAttribute ec2:ModifyInstanceAttribute"

static const struct stage_options plain = {0};

static void done(struct stage *stage) {
    stage_close(stage);
    stage_aws_free(&stage->aws);
}

#define assert_state(stage, id, wanted, fragment)                                          \
    do {                                                                                   \
        struct stage_incident shown_ = stage_incident((stage), (id));                      \
        if (shown_.state != (wanted) || strstr(shown_.reason, (fragment)) == NULL) {       \
            print_error("%s: \"%s\"\n", incident_state_name(shown_.state), shown_.reason); \
            fail();                                                                        \
        }                                                                                  \
    } while (0)

/* ---- containing --------------------------------------------------------------------------------
 */

static void test_a_principal_is_contained_and_the_instance_protected(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), CONTAIN " " RESTORE);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    assert_int_equal(stage_incident(&stage, &id).effects, 2);
    assert_non_null(strstr(stage.aws->document, "\"Effect\":\"Deny\""));
    assert_non_null(strstr(stage.aws->document, id.text));
    assert_true(stage.aws->is_protected);
    assert_int_equal(stage_call_state(&stage, &id, "contain-principal/deny-user"), CALL_DONE);
    assert_int_equal(stage_call_state(&stage, &id, "protect#before"), CALL_DONE);
    done(&stage);
}

static void test_verifications_look_and_end(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_calls(&stage);
    stage_pass(&stage, 4000);
    assert_string_equal(stage_calls(&stage), "");
    stage_pass(&stage, 120000);
    assert_string_equal(stage_calls(&stage),
                        "iam:GetUserPolicy ec2:DescribeInstanceAttribute iam:GetUserPolicy "
                        "iam:GetUserPolicy ec2:DescribeInstanceAttribute");
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

static void test_a_full_inline_quota_falls_back(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_force(&stage, "iam:PutUserPolicy", AWS_REFUSED, "LimitExceeded", 1);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage),
                        CONTAIN " iam:ListAttachedUserPolicies iam:AttachUserPolicy " RESTORE);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    assert_true(stage.aws->is_attached);
    assert_int_equal(stage_call_state(&stage, &id, "deny-user"), CALL_FAILED);
    done(&stage);
}

static void test_another_user_under_the_name_is_left_alone(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    snprintf(stage.aws->user_id, sizeof(stage.aws->user_id), "AIDASOMEBODY");
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "iam:GetUser iam:GetUserPolicy " RESTORE);
    assert_state(&stage, &id, INCIDENT_HELD,
                 "contain-principal: step who: iam:GetUser: User.UserId: \"AIDASOMEBODY\"; wanted "
                 "[\"AIDAMALLORY\"]");
    assert_int_equal(stage_call_state(&stage, &id, "deny-user"), CALL_SKIPPED);
    assert_int_equal(stage_incident(&stage, &id).effects, 1);
    assert_string_equal(stage.aws->document, "");
    done(&stage);
}

static void test_a_protected_instance_is_left_as_it_is(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage.aws->is_protected = true;
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), CONTAIN " ec2:DescribeInstanceAttribute");
    assert_state(&stage, &id, INCIDENT_DONE, "");
    assert_int_equal(stage_call_state(&stage, &id, "restore-termination-protection/protect"),
                     CALL_SKIPPED);
    assert_int_equal(stage_incident(&stage, &id).effects, 1);
    done(&stage);
}

/* The last line of the audit of that kind, or an empty text; how many there are. */
static struct text audited(struct stage *stage, const char *event, struct arena *arena,
                           size_t *count_out) {
    struct journal_audit_line *lines = NULL;
    struct text last = {NULL, 0};
    struct error error = {0};
    size_t count = 0;
    assert_ok(journal_read_audit(stage->journal, 0, 1000, arena, &lines, &count, &error), &error);
    *count_out = 0;
    for (size_t i = 0; i < count; i++) {
        if (text_equal_string(lines[i].event, event)) {
            last = lines[i].text;
            ++*count_out;
        }
    }
    return last;
}

#define PLANTED                                                     \
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"Mine\"," \
    "\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"

static void test_what_was_planted_under_our_name_is_audited_before_it_is_gone(void **state) {
    (void)state;
    struct stage stage;
    struct error error = {0};
    scoped(arena_free) struct arena *arena = arena_new();
    size_t count = 0;
    stage_open(&stage, &plain);
    snprintf(stage.aws->document, sizeof(stage.aws->document), PLANTED);
    stage_force(&stage, "iam:PutUserPolicy", AWS_RETRY, "Throttling", 1);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_string_equal(stage.aws->document, PLANTED);
    struct text line = audited(&stage, "planted", arena, &count);
    assert_int_equal(count, 1);
    assert_true(text_contains(line, TEXT("\"result\":\"replaced\"")));
    assert_true(text_contains(line, TEXT("%22Sid%22%3A%22Mine%22")));
    stage_pass(&stage, 20000);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    assert_non_null(strstr(stage.aws->document, id.text));
    assert_ok(journal_undo(stage.journal, &id, TEXT("oncall"), true, NULL, &error), &error);
    stage_run(&stage);
    assert_string_equal(stage.aws->document, "");
    audited(&stage, "planted", arena, &count);
    assert_int_equal(count, 1);
    done(&stage);
}

static void test_nothing_planted_or_no_answer_about_it_is_no_line(void **state) {
    (void)state;
    struct stage stage;
    scoped(arena_free) struct arena *arena = arena_new();
    size_t count = 0;
    stage_open(&stage, &plain);
    stage_force(&stage, "iam:GetUserPolicy", AWS_REFUSED, "AccessDenied", 1);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    assert_non_null(strstr(stage.aws->document, id.text));
    audited(&stage, "planted", arena, &count);
    assert_int_equal(count, 0);
    done(&stage);
}

/* ---- sessions ----------------------------------------------------------------------------------
 */

#define DENIED_ONE "riposte-contained-30dff142add54c2d"
#define DENIED_TWO "riposte-contained-ce7e4bedf6e6a8e5"

/* The document of the role's policy of that name; NULL when there is none. */
static const char *role_policy(const struct stage *stage, const char *name) {
    for (size_t i = 0; i < STAGE_POLICIES; i++) {
        if (strcmp(stage->aws->role_policies[i].name, name) == 0) {
            return stage->aws->role_policies[i].document;
        }
    }
    return NULL;
}

static void test_of_a_role_that_session_alone_is_denied(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_session_event(&stage, "one", 0);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage),
                        "iam:GetRole iam:GetRolePolicy iam:PutRolePolicy " RESTORE);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    assert_non_null(role_policy(&stage, DENIED_ONE));
    assert_non_null(strstr(role_policy(&stage, DENIED_ONE),
                           "\"Condition\":{\"StringEquals\":{\"aws:userid\":\"AROADEPLOY:one\"}}"));
    stage.aws->role_policies[0].name[0] = '\0';
    stage_pass(&stage, 6000);
    assert_non_null(role_policy(&stage, DENIED_ONE));
    done(&stage);
}

static void test_two_sessions_of_one_role_are_let_go_one_by_one(void **state) {
    (void)state;
    struct stage stage;
    struct error error = {0};
    stage_open(&stage, &plain);
    struct ulid first = stage_session_event(&stage, "one", 0);
    stage_run(&stage);
    struct ulid second = stage_session_event(&stage, "two", 0);
    stage_run(&stage);
    assert_state(&stage, &first, INCIDENT_DONE, "");
    assert_state(&stage, &second, INCIDENT_DONE, "");
    assert_non_null(role_policy(&stage, DENIED_ONE));
    assert_non_null(role_policy(&stage, DENIED_TWO));
    assert_ok(journal_undo(stage.journal, &first, TEXT("oncall"), false, NULL, &error), &error);
    stage_run(&stage);
    stage_pass(&stage, 120000);
    assert_state(&stage, &first, INCIDENT_RELEASED, "");
    assert_state(&stage, &second, INCIDENT_DONE, "");
    assert_null(role_policy(&stage, DENIED_ONE));
    assert_non_null(role_policy(&stage, DENIED_TWO));
    done(&stage);
}

static void test_a_session_that_goes_on_costs_all_older_ones_then_it_is_held(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_session_event(&stage, "one", 0);
    stage_run(&stage);
    fake_clock_advance(&stage.clock, 30000);
    stage_session_event(&stage, "one", 0);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    char revoked[64];
    snprintf(revoked, sizeof(revoked), "riposte-revoked-%.*s", TEXT_ARG(ulid_text(&id)));
    assert_non_null(strstr(role_policy(&stage, revoked),
                           "\"DateLessThan\":{\"aws:TokenIssueTime\":\"2026-01-02T03:04:35"));
    fake_clock_advance(&stage.clock, 30000);
    stage_session_event(&stage, "one", 0);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_HELD, "escaped: no further containment");
    struct error error = {0};
    assert_ok(journal_undo(stage.journal, &id, TEXT("oncall"), false, NULL, &error), &error);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    assert_null(role_policy(&stage, revoked));
    done(&stage);
}

#define DENIED_THREE "riposte-contained-dec4ec578115251d"

static const struct stage_options role = {.settings = "tests/unit/respond/conf/role/riposte.json"};

static const char *revoked_by(const struct stage *stage, const struct ulid *id) {
    char name[64];
    snprintf(name, sizeof(name), "riposte-revoked-%.*s", TEXT_ARG(ulid_text(id)));
    return role_policy(stage, name);
}

static void release(struct stage *stage, const struct ulid *id) {
    struct error error = {0};
    assert_ok(journal_undo(stage->journal, id, TEXT("oncall"), false, NULL, &error), &error);
    stage_run(stage);
    assert_state(stage, id, INCIDENT_RELEASED, "");
}

static void test_a_second_session_of_a_role_costs_all_older_ones(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid first = stage_session_event(&stage, "one", 0);
    stage_run(&stage);
    assert_null(revoked_by(&stage, &first));
    fake_clock_advance(&stage.clock, 1000);
    stage_calls(&stage);
    struct ulid second = stage_session_event(&stage, "two", 0);
    stage_run(&stage);
    assert_int_equal(stage_count(&stage, "iam:PutRolePolicy"), 2);
    assert_state(&stage, &second, INCIDENT_DONE, "");
    assert_string_equal(stage_incident(&stage, &second).severity, "high");
    assert_non_null(role_policy(&stage, DENIED_TWO));
    assert_non_null(strstr(revoked_by(&stage, &second),
                           "\"DateLessThan\":{\"aws:TokenIssueTime\":\"2026-01-02T03:04:06"));
    stage_pass(&stage, 120000); /* verifications find what they look for */
    assert_int_equal(stage_count(&stage, "iam:PutRolePolicy"), 2);
    assert_state(&stage, &second, INCIDENT_DONE, "");
    release(&stage, &second);
    assert_null(revoked_by(&stage, &second));
    assert_null(role_policy(&stage, DENIED_TWO));
    assert_non_null(role_policy(&stage, DENIED_ONE));
    done(&stage);
}

static void test_a_session_offends_alone_when_the_other_was_let_go(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid first = stage_session_event(&stage, "one", 0);
    stage_run(&stage);
    release(&stage, &first);
    struct ulid second = stage_session_event(&stage, "two", 0);
    stage_run(&stage);
    assert_null(revoked_by(&stage, &second));
    assert_non_null(role_policy(&stage, DENIED_TWO));
    done(&stage);
}

static void test_a_ladder_is_one_principal_and_ends_at_the_role(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &role);
    struct ulid first = stage_session_event(&stage, "one", 0);
    stage_run(&stage);
    struct ulid second = stage_session_event(&stage, "two", 0);
    stage_run(&stage);
    assert_state(&stage, &second, INCIDENT_DONE, "");
    assert_non_null(revoked_by(&stage, &second));
    assert_null(role_policy(&stage, "riposte-contained"));
    fake_clock_advance(&stage.clock, 30000); /* opened after the others were revoked */
    struct ulid third = stage_session_event(&stage, "three", 0);
    stage_run(&stage);
    assert_state(&stage, &third, INCIDENT_DONE, "");
    assert_non_null(role_policy(&stage, DENIED_THREE));
    assert_null(revoked_by(&stage, &third));
    assert_non_null(role_policy(&stage, "riposte-contained"));
    struct ulid fourth = stage_session_event(&stage, "four", 0); /* at the same moment */
    stage_run(&stage);
    assert_state(&stage, &fourth, INCIDENT_DONE, "");
    struct ulid user = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_state(&stage, &user, INCIDENT_HELD, "the limit of 1");

    release(&stage, &third); /* the role's deny has another owner */
    assert_null(role_policy(&stage, DENIED_THREE));
    assert_non_null(role_policy(&stage, "riposte-contained"));
    release(&stage, &fourth);
    assert_null(role_policy(&stage, "riposte-contained"));
    assert_non_null(role_policy(&stage, DENIED_ONE));
    assert_state(&stage, &first, INCIDENT_DONE, "");
    done(&stage);
}

static void test_who_goes_on_although_the_role_is_denied_is_held(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &role);
    static const char *const names[] = {"one", "two", "three"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        stage_session_event(&stage, names[i], 0);
        stage_run(&stage);
        fake_clock_advance(&stage.clock, 30000);
    }
    assert_non_null(role_policy(&stage, "riposte-contained"));
    struct ulid fourth = stage_session_event(&stage, "four", 0);
    stage_run(&stage);
    assert_state(&stage, &fourth, INCIDENT_HELD, "escaped: no further containment");
    assert_string_equal(stage_incident(&stage, &fourth).severity, "critical");
    done(&stage);
}

static size_t count_role_policies(const struct stage *stage) {
    size_t count = 0;
    for (size_t i = 0; i < STAGE_POLICIES; i++) {
        count += stage->aws->role_policies[i].name[0] != '\0';
    }
    return count;
}

static bool denies_only(const struct stage *stage, const char *session) {
    char wanted[128];
    snprintf(wanted, sizeof(wanted), "\"Condition\":{\"StringEquals\":{\"aws:userid\":\"%s\"}}",
             session);
    size_t found = 0;
    for (size_t i = 0; i < STAGE_POLICIES; i++) {
        found += stage->aws->role_policies[i].name[0] != '\0' &&
                 strstr(stage->aws->role_policies[i].document, wanted) != NULL;
    }
    return found == 1;
}

/* A workload can't fetch other credentials than the instance's: the ladder would end it. */
static void test_of_an_instance_profile_only_that_instances_session_is_denied(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &role); /* the ladder that may end at the role */
    struct ulid first = stage_instance_session_event(&stage, "i-0a", 0);
    stage_run(&stage);
    assert_state(&stage, &first, INCIDENT_DONE, "");
    assert_int_equal(count_role_policies(&stage), 1);
    assert_true(denies_only(&stage, STAGE_ROLE_ID ":i-0a"));
    struct ulid second = stage_instance_session_event(&stage, "i-0b", 0); /* of the same role */
    stage_run(&stage);
    assert_state(&stage, &second, INCIDENT_DONE, "");
    assert_int_equal(count_role_policies(&stage), 2);
    assert_true(denies_only(&stage, STAGE_ROLE_ID ":i-0b"));
    fake_clock_advance(&stage.clock, 30000); /* and it goes on */
    stage_instance_session_event(&stage, "i-0b", 0);
    stage_run(&stage);
    assert_state(&stage, &second, INCIDENT_HELD, "escaped: no further containment");
    assert_int_equal(count_role_policies(&stage), 2);
    release(&stage, &second);
    assert_int_equal(count_role_policies(&stage), 1);
    assert_true(denies_only(&stage, STAGE_ROLE_ID ":i-0a"));
    done(&stage);
}

/* ---- joined ------------------------------------------------------------------------------------
 */

static void test_a_joined_event_restores_and_contains_no_more(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid first = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_calls(&stage);
    struct ulid second = stage_event(&stage, "i-2", 0);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), RESTORE);
    assert_state(&stage, &second, INCIDENT_JOINED, first.text);
    assert_state(&stage, &first, INCIDENT_DONE, "");
    assert_int_equal(stage_incident(&stage, &first).effects, 3);
    done(&stage);
}

static void test_the_same_instance_is_restored_again_at_once(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid first = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_calls(&stage);
    stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_true(stage.aws->is_protected);
    assert_int_equal(stage_count(&stage, "ec2:ModifyInstanceAttribute"), 1);
    assert_state(&stage, &first, INCIDENT_DONE, "");
    done(&stage);
}

static void test_an_escape_takes_the_next_link(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid first = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_calls(&stage);
    fake_clock_advance(&stage.clock, 30000);
    stage_event(&stage, "i-2", 0);
    stage_run(&stage);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 0);
    assert_int_equal(stage_count(&stage, "iam:AttachUserPolicy"), 1);
    assert_int_equal(stage_count(&stage, "ec2:ModifyInstanceAttribute"), 1);
    assert_true(stage_count(&stage, "iam:GetUserPolicy") >= 1);
    assert_state(&stage, &first, INCIDENT_DONE, "");
    assert_string_equal(stage_incident(&stage, &first).severity, "critical");
    done(&stage);
}

static void test_an_escape_without_another_link_is_held(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid first = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    for (int i = 0; i < 3; i++) { /* the managed deny, the key, nothing */
        fake_clock_advance(&stage.clock, 30000);
        stage_event(&stage, "i-2", 0);
        stage_run(&stage);
    }
    assert_true(stage.aws->is_key_inactive);
    assert_state(&stage, &first, INCIDENT_HELD, "escaped: no further containment");
    done(&stage);
}

static void test_an_escape_from_a_deny_that_another_incident_made(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_pass(&stage, 600000);
    struct ulid second = stage_event(&stage, "i-2", -600000 + 5000);
    stage_run(&stage);
    stage_pass(&stage, 20000);
    stage_event(&stage, "i-2", 0);
    stage_run(&stage);
    assert_string_equal(stage_incident(&stage, &second).severity, "critical");
    assert_true(stage.aws->is_attached);
    done(&stage);
}

static int count_done(void) {
    static const char series[] = "riposte_incidents_total{state=\"done\"} ";
    struct buffer out = BUFFER_INIT;
    metrics_render(&out);
    const char *at = strstr(buffer_string(&out), series);
    int count = at == NULL ? 0 : (int)strtol(at + sizeof(series) - 1, NULL, 10);
    buffer_done(&out);
    return count;
}

static void test_an_escape_after_the_cooldown_takes_the_next_link(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid first = stage_event(&stage, "i-1", 0);
    stage_pass(&stage, 10 * 60 * 1000);
    stage_calls(&stage);
    struct ulid second = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    const char *calls = stage_calls(&stage);
    assert_non_null(strstr(calls, "iam:ListAttachedUserPolicies iam:AttachUserPolicy"));
    assert_null(strstr(calls, "iam:PutUserPolicy"));
    assert_non_null(strstr(calls, "iam:GetUserPolicy")); /* what stands is looked at again */
    assert_state(&stage, &second, INCIDENT_DONE, "");
    assert_string_equal(stage_incident(&stage, &second).severity, "critical");
    assert_string_equal(stage_incident(&stage, &first).severity, "high");
    assert_true(stage.aws->is_attached);
    assert_int_equal(stage_incident(&stage, &second).effects, 3);

    stage_pass(&stage, 10 * 60 * 1000);
    struct ulid third = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_state(&stage, &third, INCIDENT_DONE, "");
    assert_true(stage.aws->is_key_inactive);

    stage_pass(&stage, 10 * 60 * 1000); /* and once more: nothing is left */
    struct ulid fourth = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_state(&stage, &fourth, INCIDENT_HELD, "escaped: no further containment");
    assert_state(&stage, &first, INCIDENT_DONE, "");
    done(&stage);
}

static void test_an_escape_from_an_escape_takes_the_link_after_it(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_event(&stage, "i-1", 0);
    stage_pass(&stage, 10 * 60 * 1000);
    struct ulid second = stage_event(&stage, "i-2", 0);
    stage_run(&stage);
    assert_state(&stage, &second, INCIDENT_DONE, "");
    assert_true(stage.aws->is_attached);
    stage_pass(&stage, 20000);
    stage_event(&stage, "i-2", 0);
    stage_run(&stage);
    assert_state(&stage, &second, INCIDENT_DONE, "");
    assert_true(stage.aws->is_key_inactive);
    stage_pass(&stage, 20000);
    stage_event(&stage, "i-2", 0);
    stage_run(&stage);
    assert_state(&stage, &second, INCIDENT_HELD, "escaped: no further containment");
    assert_string_equal(stage_incident(&stage, &second).severity, "critical");
    done(&stage);
}

static void test_what_happened_before_a_containment_is_no_escape(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_event(&stage, "i-1", 0);
    stage_pass(&stage, 6 * 60 * 1000);
    stage_calls(&stage);
    struct ulid late = stage_event(&stage, "i-1", -6 * 60 * 1000 + 5000);
    stage_run(&stage);
    assert_int_equal(stage_count(&stage, "iam:AttachUserPolicy"), 0);
    assert_state(&stage, &late, INCIDENT_DONE, "");
    done(&stage);
}

static void test_an_incident_that_ended_is_counted_once(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    int before = count_done();
    stage_event(&stage, "i-1", 0);
    stage_run(&stage); /* two playbooks, one incident */
    assert_int_equal(count_done(), before + 1);
    done(&stage);
}

/* ---- verify ------------------------------------------------------------------------------------
 */

static void test_a_deny_taken_away_comes_back_three_times(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_calls(&stage);
    for (int i = 0; i < 3; i++) {
        stage.aws->document[0] = '\0';
        stage_pass(&stage, 6000);
        assert_non_null(strstr(stage.aws->document, id.text));
    }
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 3);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    stage.aws->document[0] = '\0';
    stage_pass(&stage, 6000);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 3);
    assert_state(&stage, &id, INCIDENT_FAILED, "verify deny-user: applied again 3 times in vain");
    done(&stage);
}

static void test_a_deny_is_not_written_to_another_user_under_the_name(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage.aws->document[0] = '\0';
    snprintf(stage.aws->user_id, sizeof(stage.aws->user_id), "AIDASOMEBODY");
    stage_pass(&stage, 120000);
    assert_string_equal(stage.aws->document, "");
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 1);
    assert_state(&stage, &id, INCIDENT_FAILED, "verify deny-user: not applied again: step who");
    done(&stage);
}

static void test_a_deny_made_harmless_is_written_anew(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    snprintf(stage.aws->document, sizeof(stage.aws->document), "{\"Statement\":[]}");
    stage_pass(&stage, 6000);
    assert_non_null(strstr(stage.aws->document, id.text));
    done(&stage);
}

static void test_a_question_without_an_answer_is_asked_again(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_calls(&stage);
    stage_force(&stage, "iam:GetUserPolicy", AWS_NO_ANSWER, "", 3);
    stage_pass(&stage, 200000);
    assert_int_equal(stage_count(&stage, "iam:GetUserPolicy"), 6);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

/* ---- what does not answer ----------------------------------------------------------------------
 */

static void test_throttling_is_waited_out(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_force(&stage, "iam:PutUserPolicy", AWS_RETRY, "Throttling", 3);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_RESPONDING, "");
    assert_int_equal(stage_call_state(&stage, &id, "deny-user"), CALL_INTENT);
    stage_pass(&stage, 10000);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 4);
    assert_int_equal(stage_count(&stage, "iam:GetUser"), 2); /* an answer grows old */
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

static void test_what_never_answers_fails_and_is_taken_back_all_the_same(void **state) {
    (void)state;
    struct stage stage;
    struct error error = {0};
    stage_open(&stage, &plain);
    stage_force(&stage, "iam:PutUserPolicy", AWS_NO_ANSWER, "", 100);
    stage_force(&stage, "iam:AttachUserPolicy", AWS_REFUSED, "LimitExceeded", 1);
    stage_force(&stage, "iam:UpdateAccessKey", AWS_REFUSED, "AccessDenied", 1);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_pass(&stage, 180000);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), RESPOND_ATTEMPTS);
    assert_state(&stage, &id, INCIDENT_FAILED, "UpdateAccessKey: AccessDenied");
    stage_calls(&stage);
    assert_ok(journal_undo(stage.journal, &id, TEXT("oncall"), false, NULL, &error), &error);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "iam:GetUser iam:DeleteUserPolicy");
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    done(&stage);
}

static void test_a_dead_endpoint_is_tried_by_one_at_a_time(void **state) {
    (void)state;
    struct stage stage;
    struct ulid ids[4];
    stage_open(&stage, &plain);
    stage_force(&stage, "iam:GetRole", AWS_NO_ANSWER, "", 4 + 3);
    stage_force(&stage, "iam:GetRolePolicy", AWS_NO_ANSWER, "", 4 + 3);
    for (int i = 0; i < 4; i++) {
        char session[16];
        snprintf(session, sizeof(session), "session-%d", i);
        ids[i] = stage_session_event(&stage, session, 0);
    }
    stage_run(&stage);
    assert_int_equal(stage_count(&stage, "iam:GetRole"), 4); /* each new one has its try */
    stage_pass(&stage, 6000);                                /* rests of 1, 2 and 4 s */
    assert_int_equal(stage_count(&stage, "iam:GetRole"), 4 + 2);
    assert_int_equal(stage_count(&stage, "ec2:ModifyInstanceAttribute"), 1); /* another lane */
    stage_pass(&stage, 40000);
    for (int i = 0; i < 4; i++) {
        assert_state(&stage, &ids[i], INCIDENT_DONE, "");
    }
    done(&stage);
}

static void test_a_read_that_is_put_off_sends_no_write(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_force(&stage, "iam:GetUser", AWS_RETRY, "Throttling", 2);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 0);
    stage_pass(&stage, 5000);
    assert_int_equal(stage_count(&stage, "iam:GetUser"), 3);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 1);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

/* ---- guard, confirm, modes ---------------------------------------------------------------------
 */

static void test_without_credentials_incidents_are_held(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage.aws->has_identity = false;
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &id, INCIDENT_HELD, "no credentials are configured");
    done(&stage);
}

static void test_a_call_that_can_not_be_sent_holds(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_force(&stage, "iam:PutUserPolicy", AWS_NOT_SENT, "denied", 1);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_HELD, "iam:PutUserPolicy was not sent");
    assert_int_equal(stage_call_state(&stage, &id, "deny-user"), CALL_FAILED);
    done(&stage);
}

static void test_observe_journals_the_plan_and_calls_nothing(void **state) {
    (void)state;
    struct stage stage;
    struct stage_options options = {.mode = "observe"};
    stage_open(&stage, &options);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_pass(&stage, 120000);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &id, INCIDENT_OBSERVED, "ownership unknown");
    assert_non_null(strstr(stage_incident(&stage, &id).plan, "{\"decision\":\"respond\""));
    done(&stage);
}

static void test_an_event_of_our_own_is_suppressed(void **state) {
    (void)state;
    struct stage stage;
    struct error error = {0};
    stage_open(&stage, &plain);
    assert_ok(journal_note_key(stage.journal, TEXT("AKIAMALLORY"), &error), &error);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &id, INCIDENT_SUPPRESSED, "our own access key AKIAMALLORY");
    done(&stage);
}

static void test_an_old_event_is_held(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", -2 * 3600 * 1000);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &id, INCIDENT_HELD, "was 2h 0m 0s old at receipt");
    done(&stage);
}

#define ATTRIBUTE_EVENT                                                                      \
    "{\"id\":\"e\",\"source\":\"aws.ec2\",\"detail-type\":\"AWS API Call via CloudTrail\","  \
    "\"account\":\"" STAGE_ACCOUNT "\",\"region\":\"eu-west-1\","                            \
    "\"time\":\"2026-01-02T03:04:05Z\",\"detail\":{\"eventID\":\"ev-a\","                    \
    "\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"ModifyInstanceAttribute\","       \
    "\"userIdentity\":{\"type\":\"IAMUser\",\"principalId\":\"" STAGE_USER_ID "\","          \
    "\"accountId\":\"" STAGE_ACCOUNT "\",\"arn\":\"arn:aws:iam::" STAGE_ACCOUNT              \
    ":user/" STAGE_USER "\",\"userName\":\"" STAGE_USER "\",\"accessKeyId\":\"AKIAM\"},"     \
    "\"requestParameters\":{\"instanceId\":\"i-1\",\"attribute\":\"disableApiTermination\"," \
    "\"value\":\"<sensitiveDataRemoved>\"}}}"

static void test_what_is_not_confirmed_is_suppressed(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage.aws->is_protected = true;
    struct ulid id = stage_event_text(&stage, ATTRIBUTE_EVENT);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "ec2:DescribeInstanceAttribute");
    assert_state(&stage, &id, INCIDENT_SUPPRESSED,
                 "not confirmed by ec2:DescribeInstanceAttribute: disableApiTermination.value: "
                 "\"true\"; wanted [\"false\"]");
    done(&stage);
}

/* Somebody else's event was answered by restoring the instance: that it is protected now says
 * nothing. */
static void test_what_only_shows_our_own_work_is_held(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid other = stage_session_event(&stage, "one", 0);
    stage_run(&stage);
    assert_state(&stage, &other, INCIDENT_DONE, "");
    assert_true(stage.aws->is_protected);
    struct ulid id = stage_event_text(&stage, ATTRIBUTE_EVENT);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_HELD, "we put it right ourselves");
    done(&stage);
}

static void test_what_is_confirmed_is_responded_to(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event_text(&stage, ATTRIBUTE_EVENT);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "ec2:DescribeInstanceAttribute " CONTAIN " " RESTORE);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    struct stage_incident shown = stage_incident(&stage, &id);
    assert_non_null(strstr(shown.plan, "\"result\":\"confirmed\""));
    assert_non_null(strstr(shown.plan, "\"answer\":{\"disableApiTermination\""));
    done(&stage);
}

static void test_a_tolerated_error_confirms(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_force(&stage, "ec2:DescribeInstanceAttribute", AWS_REFUSED, "InvalidInstanceID.NotFound",
                2);
    struct ulid id = stage_event_text(&stage, ATTRIBUTE_EVENT);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage),
                        "ec2:DescribeInstanceAttribute " CONTAIN " ec2:DescribeInstanceAttribute");
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

static void test_a_question_that_fails_for_good_holds(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_force(&stage, "ec2:DescribeInstanceAttribute", AWS_REFUSED, "UnauthorizedOperation", 1);
    struct ulid id = stage_event_text(&stage, ATTRIBUTE_EVENT);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_HELD, "UnauthorizedOperation");
    done(&stage);
}

static void test_a_question_that_is_throttled_is_asked_again(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_force(&stage, "ec2:DescribeInstanceAttribute", AWS_RETRY, "RequestLimitExceeded", 2);
    struct ulid id = stage_event_text(&stage, ATTRIBUTE_EVENT);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_DETECTED, "");
    stage_pass(&stage, 5000);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

/* ---- a person's word ---------------------------------------------------------------------------
 */

static const struct stage_options approving = {.mode = "approve"};

static void approve(struct stage *stage, const struct ulid *id, bool overrides_protection) {
    struct error error = {0};
    scoped(arena_free) struct arena *arena = arena_new();
    struct text detail = approval_detail(TEXT("alice"), clock_unix_ms(&stage->clock.clock),
                                         overrides_protection, arena);
    assert_ok(journal_approve(stage->journal, id, TEXT("alice"), detail, overrides_protection, NULL,
                              &error),
              &error);
}

static void test_approve_asks_and_writes_nothing(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &approving);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_pass(&stage, 120000);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &id, INCIDENT_HELD, "awaits approval");
    assert_non_null(strstr(stage_incident(&stage, &id).plan, "iam:PutUserPolicy"));
    done(&stage);
}

static void test_what_is_approved_is_done_and_looked_after(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &approving);
    struct ulid first = stage_event(&stage, "i-1", 0);
    struct ulid other = stage_session_event(&stage, "one", 0);
    stage_run(&stage);
    approve(&stage, &first, false);
    approve(&stage, &first, false); /* twice is once */
    stage_run(&stage);
    approve(&stage, &first, false);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), CONTAIN " " RESTORE);
    assert_state(&stage, &first, INCIDENT_DONE, "");
    assert_state(&stage, &other, INCIDENT_HELD, "awaits approval");

    stage.aws->document[0] = '\0'; /* the attacker takes the deny away */
    stage_pass(&stage, 6000);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 1);
    assert_non_null(strstr(stage.aws->document, "Deny"));
    assert_state(&stage, &other, INCIDENT_HELD, "awaits approval");
    done(&stage);
}

static void test_what_joined_is_restored_when_it_is_approved(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &approving);
    struct ulid first = stage_event(&stage, "i-1", 0);
    struct ulid joined[2];
    stage_run(&stage);
    joined[0] = stage_event(&stage, "i-2", 0);
    joined[1] = stage_event(&stage, "i-3", 0);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "");
    approve(&stage, &first, false);
    stage_run(&stage);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 1);
    assert_int_equal(stage_count(&stage, "ec2:DescribeInstanceAttribute"), 3);
    assert_int_equal(stage_incident(&stage, &first).effects, 2); /* of three: one AWS instance */
    assert_state(&stage, &first, INCIDENT_DONE, "");
    for (size_t i = 0; i < ARRAY_COUNT(joined); i++) {
        assert_state(&stage, &joined[i], INCIDENT_JOINED, first.text);
    }
    stage_calls(&stage);
    approve(&stage, &first, false);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), ""); /* once */
    stage_event(&stage, "i-4", 0);                /* and what comes now awaits the next word */
    stage_run(&stage);
    assert_int_equal(stage_count(&stage, "ec2:ModifyInstanceAttribute"), 0);
    done(&stage);
}

static void test_an_approved_write_is_tried_again(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &approving);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_force(&stage, "iam:PutUserPolicy", AWS_RETRY, "Throttling", 3);
    approve(&stage, &id, false);
    stage_run(&stage);
    assert_string_equal(stage.aws->document, "");
    stage_pass(&stage, 10000);
    assert_non_null(strstr(stage.aws->document, "Deny"));
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

static void test_the_panic_switch_stops_an_approval(void **state) {
    (void)state;
    struct stage stage, observing;
    struct stage_options observe = {.mode = "observe"};
    stage_open(&stage, &plain);
    stage_open(&observing, &observe);
    struct ulid id = stage_event(&stage, "i-1", -2 * 3600 * 1000);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_HELD, "old at receipt");
    struct snapshot *enforce = stage.snapshot;
    stage.snapshot = observing.snapshot;
    approve(&stage, &id, false);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &id, INCIDENT_HELD, "approved by alice, but: mode observe");
    stage.snapshot = enforce;
    approve(&stage, &id, false); /* the age is overridden */
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), CONTAIN " " RESTORE);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
    done(&observing);
}

static void test_a_verification_writes_in_no_mode_but_enforce(void **state) {
    (void)state;
    static const char *const modes[] = {"observe", "approve"};
    for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
        struct stage stage, milder;
        struct stage_options options = {.mode = modes[i]};
        stage_open(&stage, &plain);
        stage_open(&milder, &options);
        struct ulid first = stage_event(&stage, "i-1", 0);
        struct ulid other = stage_session_event(&stage, "one", 0);
        stage_run(&stage);
        assert_state(&stage, &first, INCIDENT_DONE, "");
        assert_state(&stage, &other, INCIDENT_DONE, "");
        struct snapshot *enforce = stage.snapshot;
        stage.snapshot = milder.snapshot;
        stage.aws->document[0] = stage.aws->role_policies[0].name[0] = '\0';
        stage.aws->is_protected = false;
        stage_calls(&stage);
        stage_pass(&stage, 180000);
        static const char *const writes[] = {"iam:PutUserPolicy", "iam:PutRolePolicy",
                                             "ec2:ModifyInstanceAttribute", "iam:AttachUserPolicy"};
        for (size_t k = 0; k < ARRAY_COUNT(writes); k++) {
            assert_int_equal(stage_count(&stage, writes[k]), 0);
        }
        assert_string_equal(stage.aws->document, "");
        assert_false(stage.aws->is_protected);
        stage.snapshot = enforce;
        done(&stage);
        done(&milder);
    }
}

static void test_an_approval_asks_again_who_it_is(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    snprintf(stage.aws->user_id, sizeof(stage.aws->user_id), "AIDASOMEBODY");
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_HELD, "step who");
    stage_calls(&stage);
    approve(&stage, &id, false);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage),
                        "iam:GetUser iam:GetUserPolicy ec2:DescribeInstanceAttribute");
    assert_state(&stage, &id, INCIDENT_HELD, "step who");
    snprintf(stage.aws->user_id, sizeof(stage.aws->user_id), STAGE_USER_ID);
    stage_pass(&stage, 1000);
    approve(&stage, &id, false);
    stage_run(&stage);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 1);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    assert_non_null(strstr(stage.aws->document, "Deny"));
    done(&stage);
}

static void test_an_approval_of_what_is_not_so_any_more_stays_held(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &approving);
    struct ulid id = stage_event_text(&stage, ATTRIBUTE_EVENT);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_HELD,
                 "awaits approval: confirmed by ec2:DescribeInstanceAttribute");
    struct stage_incident held = stage_incident(&stage, &id);
    assert_non_null(strstr(held.plan, "\"call\":\"ec2:DescribeInstanceAttribute\","
                                      "\"result\":\"confirmed\""));
    stage_calls(&stage);
    stage.aws->is_protected = true;
    approve(&stage, &id, false);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "ec2:DescribeInstanceAttribute");
    assert_state(&stage, &id, INCIDENT_HELD, "approved by alice, but: not confirmed");
    done(&stage);
}

static void test_what_is_dismissed_is_over(void **state) {
    (void)state;
    struct stage stage;
    struct error error = {0};
    stage_open(&stage, &plain);
    snprintf(stage.aws->user_id, sizeof(stage.aws->user_id), "AIDASOMEBODY");
    stage_force(&stage, "ec2:ModifyInstanceAttribute", AWS_RETRY, "Throttling", 3);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_HELD, "step who"); /* the restoring waits for a retry */
    assert_ok(journal_dismiss(stage.journal, &id, TEXT("alice"), NULL, &error), &error);
    stage_calls(&stage);
    stage_pass(&stage, 120000);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &id, INCIDENT_DISMISSED, "dismissed");
    done(&stage);
}

/* ---- undo --------------------------------------------------------------------------------------
 */

static void undo(struct stage *stage, const struct ulid *id, bool with_resources) {
    struct error error = {0};
    assert_ok(journal_undo(stage->journal, id, TEXT("oncall"), with_resources, NULL, &error),
              &error);
    stage_run(stage);
}

static void test_undo_frees_the_principal_and_leaves_the_instance(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_calls(&stage);
    undo(&stage, &id, false);
    assert_string_equal(stage_calls(&stage), "iam:GetUser iam:DeleteUserPolicy");
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    assert_string_equal(stage.aws->document, "");
    assert_true(stage.aws->is_protected);
    stage_pass(&stage, 120000);
    assert_string_equal(stage.aws->document, "");
    done(&stage);
}

static void test_undo_with_resources_takes_the_newest_back_first(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_calls(&stage);
    undo(&stage, &id, true);
    assert_string_equal(stage_calls(&stage),
                        "ec2:ModifyInstanceAttribute iam:GetUser iam:DeleteUserPolicy");
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    assert_false(stage.aws->is_protected);
    done(&stage);
}

static void test_a_deny_goes_with_its_last_owner(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid first = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    fake_clock_advance(&stage.clock, 600000);
    stage_run(&stage);
    struct ulid second = stage_event(&stage, "i-2", -600000 + 5000); /* no escape */
    stage_run(&stage);
    assert_state(&stage, &second, INCIDENT_DONE, "");
    assert_non_null(strstr(stage.aws->document, first.text));
    stage_pass(&stage, 120000);
    assert_non_null(strstr(stage.aws->document, first.text));
    stage_calls(&stage);
    undo(&stage, &first, false);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &first, INCIDENT_RELEASED, "");
    undo(&stage, &second, false);
    assert_string_equal(stage_calls(&stage), "iam:GetUser iam:DeleteUserPolicy");
    assert_string_equal(stage.aws->document, "");
    done(&stage);
}

static void test_the_panic_switch_lets_an_undo_pass(void **state) {
    (void)state;
    struct stage stage, observing;
    struct stage_options observe = {.mode = "observe"};
    stage_open(&stage, &plain);
    stage_open(&observing, &observe);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    struct snapshot *enforce = stage.snapshot;
    stage.snapshot = observing.snapshot;
    stage_calls(&stage);
    stage_pass(&stage, 10000);
    assert_string_equal(stage_calls(&stage), "");
    undo(&stage, &id, false);
    assert_string_equal(stage_calls(&stage), "iam:GetUser iam:DeleteUserPolicy");
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    stage.snapshot = enforce;
    done(&stage);
    done(&observing);
}

static void test_an_undo_that_is_refused_goes_on_trying(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage_force(&stage, "iam:DeleteUserPolicy", AWS_REFUSED, "AccessDenied", 2);
    undo(&stage, &id, false);
    assert_state(&stage, &id, INCIDENT_RELEASING, "");
    stage_pass(&stage, 11 * 60 * 1000);
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    assert_string_equal(stage.aws->document, "");
    done(&stage);
}

static void test_undo_leaves_another_user_of_that_name_alone(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    snprintf(stage.aws->user_id, sizeof(stage.aws->user_id), "AIDASOMEBODYELSE");
    snprintf(stage.aws->document, sizeof(stage.aws->document), "their own deny");
    undo(&stage, &id, false);
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    assert_string_equal(stage.aws->document, "their own deny");
    assert_int_equal(stage_count(&stage, "iam:DeleteUserPolicy"), 0);
    done(&stage);
}

static void test_undo_of_what_is_gone_already_is_an_undo(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    stage.aws->document[0] = '\0';
    undo(&stage, &id, false);
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    done(&stage);
}

/* ---- limits, and playbooks that say little ------------------------------------------------------
 */

static const struct stage_options narrow = {.settings = "tests/unit/respond/conf/riposte.json"};

static struct ulid run_instances_at(struct stage *stage, const char *user, const char *ids,
                                    int64_t later_ms) {
    char text[1024], time[TIME_TEXT_BYTES];
    time_format_ms(clock_unix_ms(&stage->clock.clock) + later_ms, time);
    snprintf(text, sizeof(text),
             "{\"id\":\"ev-%u\",\"source\":\"aws.ec2\",\"detail-type\":\"d\",\"account\":\"%s\","
             "\"region\":\"eu-west-1\",\"time\":\"%s\",\"detail\":{\"eventName\":"
             "\"RunInstances\",\"userIdentity\":{\"type\":\"IAMUser\",\"principalId\":"
             "\"AIDA%s\",\"accountId\":\"%s\",\"arn\":\"arn:aws:iam::%s:user/%s\","
             "\"userName\":\"%s\"},\"requestParameters\":{\"ids\":%s}}}",
             stage->events, STAGE_ACCOUNT, time, user, STAGE_ACCOUNT, STAGE_ACCOUNT, user, user,
             ids);
    return stage_event_text(stage, text);
}

static struct ulid run_instances(struct stage *stage, const char *user, const char *ids) {
    return run_instances_at(stage, user, ids, 0);
}

static void test_beyond_the_limit_of_principals_is_held(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &narrow);
    struct ulid first = run_instances(&stage, "x", "[]");
    struct ulid second = run_instances(&stage, "y", "[]");
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "iam:PutUserPolicy");
    assert_state(&stage, &first, INCIDENT_DONE, "");
    assert_state(&stage, &second, INCIDENT_HELD, "the limit of 1 within 3600 s (principals)");
    done(&stage);
}

static void test_beyond_the_limit_of_resources_is_held(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &narrow);
    struct ulid id = run_instances(&stage, "x", "[\"i-1\",\"i-2\",\"i-3\"]");
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage),
                        "iam:PutUserPolicy ec2:StopInstances ec2:StopInstances");
    assert_state(&stage, &id, INCIDENT_HELD, "step stop: the limit of 2 resources is reached");
    assert_int_equal(stage_call_state(&stage, &id, "stop/1"), CALL_DONE);
    assert_int_equal(stage_call_state(&stage, &id, "stop/2"), -1);
    done(&stage);
}

static void test_a_protected_principal_is_held(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &narrow);
    struct ulid id = run_instances(&stage, "boss", "[]");
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &id, INCIDENT_HELD, "the principal is protected by");
    assert_string_not_equal(stage_incident(&stage, &id).plan, "");
    done(&stage);
}

static void test_a_protected_principal_needs_more_than_an_approval(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &narrow);
    struct ulid id = run_instances(&stage, "boss", "[]");
    stage_run(&stage);
    approve(&stage, &id, false);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &id, INCIDENT_HELD, "approved by alice, but: the principal is protected");
    approve(&stage, &id, true);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "iam:PutUserPolicy");
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

static void test_an_approval_is_beyond_the_limits(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &narrow);
    run_instances(&stage, "x", "[]");
    struct ulid id = run_instances(&stage, "y", "[\"i-1\",\"i-2\",\"i-3\"]");
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_HELD, "the limit of 1");
    stage_calls(&stage);
    approve(&stage, &id, false);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "iam:PutUserPolicy ec2:StopInstances "
                                             "ec2:StopInstances ec2:StopInstances");
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

static void test_what_stands_and_can_not_be_verified_is_written_again(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &narrow);
    struct ulid first = run_instances(&stage, "x", "[\"i-1\"]");
    stage_run(&stage);
    fake_clock_advance(&stage.clock, 600000);
    stage_calls(&stage);
    struct ulid second = run_instances_at(&stage, "x", "[\"i-1\"]", -600000 + 5000);
    stage_run(&stage);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 1);
    assert_int_equal(stage_count(&stage, "ec2:StopInstances"), 1);
    assert_non_null(strstr(stage.aws->document, first.text));
    assert_state(&stage, &second, INCIDENT_DONE, "");
    stage_pass(&stage, 120000);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 1);
    done(&stage);
}

static void test_what_has_no_inverse_is_let_go(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &narrow);
    struct ulid id = run_instances(&stage, "x", "[\"i-1\",\"i-2\"]");
    stage_run(&stage);
    stage_calls(&stage);
    undo(&stage, &id, true);
    assert_string_equal(stage_calls(&stage), "ec2:StartInstances ec2:StartInstances");
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    assert_int_equal(stage_incident(&stage, &id).effects, 0);
    done(&stage);
}

static void test_a_playbook_in_which_no_step_applies_says_so(void **state) {
    (void)state;
    struct stage stage;
    struct error error = {0};
    scoped(arena_free) struct arena *arena = arena_new();
    struct journal_audit_line *lines = NULL;
    size_t count = 0;
    size_t found = 0;
    stage_open(&stage, &narrow);
    struct ulid id = run_instances(&stage, "x", "[]"); /* no instance to stop */
    stage_run(&stage);
    assert_int_equal(stage_count(&stage, "ec2:StopInstances"), 0);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    assert_ok(journal_read_audit(stage.journal, 0, 1000, arena, &lines, &count, &error), &error);
    for (size_t i = 0; i < count; i++) {
        found += text_equal(lines[i].text, TEXT("{\"playbook\":\"stop-each\",\"end\":\"done\","
                                                "\"reason\":\"no step applies\"}"));
    }
    assert_int_equal(found, 1);
    done(&stage);
}

static void test_what_was_there_before_is_what_undo_brings_back(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &narrow);
    stage.rule = 1;
    snprintf(stage.aws->document, sizeof(stage.aws->document), "{\"as\": \"it was\"}");
    struct ulid id = run_instances(&stage, "x", "[]");
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "iam:GetUserPolicy iam:PutUserPolicy");
    assert_non_null(strstr(stage.aws->document, id.text));
    assert_state(&stage, &id, INCIDENT_DONE, "");
    undo(&stage, &id, false);
    assert_string_equal(stage.aws->document, "{\"as\": \"it was\"}");
    done(&stage);
}

/* ---- what ends by itself ------------------------------------------------------------------------
 */

#define MINUTE_MS (60 * 1000)

static void open_rule(struct stage *stage, const char *name, const char *journal) {
    stage_open(stage,
               &(struct stage_options){
                   .settings = narrow.settings,
                   .journal = journal,
                   .aws = stage->aws,
                   .now_unix_ms = stage->aws != NULL ? clock_unix_ms(&stage->clock.clock) : 0});
    stage->rule = SIZE_MAX;
    for (size_t i = 0; i < stage->snapshot->rule_count; i++) {
        bool is_it = text_equal_string(stage->snapshot->definitions[i]->rule->name, name);
        stage->rule = is_it ? i : stage->rule;
    }
    assert_int_not_equal(stage->rule, SIZE_MAX);
}

static void open_while(struct stage *stage, const char *journal) {
    open_rule(stage, "while", journal);
}

/* When the release task is due, from now on; -1: there is none. */
static int64_t release_in(struct stage *stage, const struct ulid *id) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct journal_task_row *rows = NULL;
    struct error error = {0};
    size_t count = 0;
    assert_ok(journal_read_tasks(stage->journal, id, arena, &rows, &count, &error), &error);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].kind == TASK_RELEASE) {
            return rows[i].due_unix_ms - clock_unix_ms(&stage->clock.clock);
        }
    }
    return -1;
}

static void test_a_containment_ends_by_itself(void **state) {
    (void)state;
    struct stage stage = {0};
    open_while(&stage, NULL);
    struct ulid id = run_instances(&stage, "x", "[]");
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), "iam:PutUserPolicy");
    assert_int_equal(release_in(&stage, &id), 30 * MINUTE_MS);
    stage_pass(&stage, 29 * MINUTE_MS);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &id, INCIDENT_DONE, "");
    stage_pass(&stage, 2 * MINUTE_MS);
    assert_string_equal(stage_calls(&stage), "iam:DeleteUserPolicy");
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    assert_int_equal(release_in(&stage, &id), -1);
    done(&stage);
}

static void test_a_due_release_passes_in_observe(void **state) {
    (void)state;
    struct stage stage = {0}, observing;
    struct stage_options observe = {.mode = "observe"};
    open_while(&stage, NULL);
    stage_open(&observing, &observe);
    struct ulid id = run_instances(&stage, "x", "[]");
    stage_run(&stage);
    stage_calls(&stage);
    struct snapshot *enforce = stage.snapshot;
    stage.snapshot = observing.snapshot;
    stage_pass(&stage, 31 * MINUTE_MS);
    assert_string_equal(stage_calls(&stage), "iam:DeleteUserPolicy");
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    stage.snapshot = enforce;
    done(&stage);
    done(&observing);
}

static void test_an_undo_before_it_makes_a_release_needless(void **state) {
    (void)state;
    struct stage stage = {0};
    open_while(&stage, NULL);
    struct ulid id = run_instances(&stage, "x", "[]");
    stage_run(&stage);
    undo(&stage, &id, false);
    assert_int_equal(release_in(&stage, &id), -1);
    stage_calls(&stage);
    stage_pass(&stage, 31 * MINUTE_MS);
    assert_string_equal(stage_calls(&stage), "");
    done(&stage);
}

static void test_a_late_containment_is_released_late(void **state) {
    (void)state;
    struct stage stage = {0};
    open_while(&stage, NULL);
    stage_force(&stage, "iam:PutUserPolicy", AWS_RETRY, "Throttling", 7);
    struct ulid id = run_instances(&stage, "x", "[]");
    stage_pass(&stage, 29 * MINUTE_MS);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    stage_calls(&stage);
    stage_pass(&stage, MINUTE_MS + 1000);
    assert_string_equal(stage_calls(&stage), "");
    assert_true(release_in(&stage, &id) > 0);
    stage_pass(&stage, 2 * MINUTE_MS);
    assert_string_equal(stage_calls(&stage), "iam:DeleteUserPolicy");
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    done(&stage);
}

static void test_a_containment_that_never_came_is_not_released(void **state) {
    (void)state;
    struct stage stage = {0};
    open_while(&stage, NULL);
    stage_force(&stage, "iam:PutUserPolicy", AWS_REFUSED, "AccessDenied", 1);
    struct ulid id = run_instances(&stage, "x", "[]");
    stage_pass(&stage, 31 * MINUTE_MS);
    assert_string_equal(stage_calls(&stage), "iam:PutUserPolicy");
    assert_state(&stage, &id, INCIDENT_FAILED, "AccessDenied");
    assert_int_equal(release_in(&stage, &id), -1);
    done(&stage);
}

static void test_a_release_survives_a_restart(void **state) {
    (void)state;
    char folder[] = "/tmp/riposte-release-XXXXXX", url[96], path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/journal.db", folder);
    snprintf(url, sizeof(url), "sqlite:%s", path);
    struct stage stage = {0};
    open_while(&stage, url);
    struct ulid id = run_instances(&stage, "x", "[]");
    stage_run(&stage);
    stage_calls(&stage);
    stage_close(&stage);
    open_while(&stage, url);
    stage_pass(&stage, 31 * MINUTE_MS);
    assert_string_equal(stage_calls(&stage), "iam:DeleteUserPolicy");
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    done(&stage);
    unlink(path);
    rmdir(folder);
}

/* ---- asked again ---- */

static void test_a_late_write_asks_again_who_it_hits(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_force(&stage, "iam:PutUserPolicy", AWS_RETRY, "Throttling", 4);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_string_equal(stage_calls(&stage), CONTAIN " " RESTORE);
    snprintf(stage.aws->user_id, sizeof(stage.aws->user_id), "AIDASOMEBODY");
    stage_pass(&stage, 30000);
    assert_state(&stage, &id, INCIDENT_HELD, "step who");
    assert_string_equal(stage.aws->document, "");
    assert_true(stage_count(&stage, "iam:GetUser") > 0);
    done(&stage);
}

static void test_a_late_write_to_the_same_user_is_sent(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage_force(&stage, "iam:PutUserPolicy", AWS_RETRY, "Throttling", 4);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_pass(&stage, 30000);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    assert_non_null(strstr(stage.aws->document, "Deny"));
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 5);
    unsigned asked = stage_count(&stage, "iam:GetUser");
    assert_true(asked > 1 && asked <= 5);
    assert_int_equal(stage_count(&stage, "ec2:ModifyInstanceAttribute"), 1);
    done(&stage);
}

static void test_resources_can_be_taken_back_after_the_principal(void **state) {
    (void)state;
    struct stage stage;
    struct error error = {0};
    stage_open(&stage, &plain);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    undo(&stage, &id, false);
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    assert_true(stage.aws->is_protected);
    assert_fails(journal_undo(stage.journal, &id, TEXT("oncall"), false, NULL, &error), &error,
                 ERROR_INVALID, "nothing to undo");
    stage_calls(&stage);
    undo(&stage, &id, true);
    assert_string_equal(stage_calls(&stage), "ec2:ModifyInstanceAttribute");
    assert_state(&stage, &id, INCIDENT_RELEASED, "");
    assert_false(stage.aws->is_protected);
    error = (struct error){0};
    assert_fails(journal_undo(stage.journal, &id, TEXT("oncall"), true, NULL, &error), &error,
                 ERROR_INVALID, "nothing to undo");
    done(&stage);
}

/* ---- telling ---- */

#define CHAT       "https://chat.example/T0/secret"
#define CHAT_START CHAT "|Content-Type=application/json Authorization=Bearer x |{\"text\":\""

static void open_telling(struct stage *stage) {
    setenv("RIPOSTE_TEST_URL", CHAT, 1);
    setenv("RIPOSTE_TEST_TOKEN", "Bearer x", 1);
    open_rule(stage, "telling", NULL);
}

static void test_a_response_is_told_after_the_containment(void **state) {
    (void)state;
    struct stage stage = {0};
    open_telling(&stage);
    stage_force(&stage, "iam:PutUserPolicy", AWS_RETRY, "Throttling", 1);
    struct ulid id = run_instances(&stage, "x", "[]");
    stage_run(&stage);
    assert_int_equal(stage_count(&stage, "iam:PutUserPolicy"), 1); /* tried before it is told */
    stage_pass(&stage, 2000);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    assert_int_equal(stage.aws->post_count, 1);
    assert_string_equal(stage.aws->posts[0], CHAT_START "responding: telling by x\",\"why\":\"\"}");
    assert_int_equal(stage_call_state(&stage, &id, "tell/chat"), CALL_DONE);
    assert_int_equal(stage_call_state(&stage, &id, "tell/pager"), CALL_SKIPPED);
    done(&stage);
}

static void test_no_secret_is_journaled(void **state) {
    (void)state;
    struct stage stage = {0};
    open_telling(&stage);
    struct ulid id = run_instances(&stage, "x", "[]");
    stage_run(&stage);
    scoped(arena_free) struct arena *arena = arena_new();
    struct journal_call *calls = NULL;
    struct error error = {0};
    size_t count = 0;
    assert_ok(journal_read_calls(stage.journal, &id, arena, &calls, &count, &error), &error);
    assert_true(count > 2);
    for (size_t i = 0; i < count; i++) {
        assert_false(text_contains(calls[i].request, TEXT("secret")));
        assert_false(text_contains(calls[i].request, TEXT("Bearer")));
        assert_false(text_contains(calls[i].reason, TEXT("secret")));
    }
    done(&stage);
}

static void test_what_is_held_is_told_once(void **state) {
    (void)state;
    struct stage stage = {0};
    open_telling(&stage);
    struct ulid id = run_instances(&stage, "boss", "[]");
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_HELD, "protected");
    assert_int_equal(stage.aws->post_count, 1);
    assert_non_null(strstr(stage.aws->posts[0], CHAT_START "held: telling by boss\",\"why\":\"the "
                                                           "principal is protected"));
    approve(&stage, &id, false); /* and held again */
    stage_pass(&stage, 5000);
    assert_int_equal(stage.aws->post_count, 1);
    done(&stage);
}

static void test_what_is_released_or_failed_is_told(void **state) {
    (void)state;
    struct stage stage = {0};
    open_telling(&stage);
    struct ulid first = run_instances(&stage, "x", "[]");
    stage_run(&stage);
    undo(&stage, &first, false);
    stage_run(&stage);
    assert_state(&stage, &first, INCIDENT_RELEASED, "");
    assert_int_equal(stage.aws->post_count, 2);
    assert_non_null(strstr(stage.aws->posts[1], "released: telling by x"));
    stage_force(&stage, "iam:PutUserPolicy", AWS_REFUSED, "AccessDenied", 1);
    struct ulid second = run_instances(&stage, "y", "[]");
    stage_run(&stage);
    assert_state(&stage, &second, INCIDENT_FAILED, "AccessDenied");
    assert_int_equal(stage.aws->post_count, 4);
    assert_true(strstr(stage.aws->posts[2], "failed: telling by y") != NULL ||
                strstr(stage.aws->posts[3], "failed: telling by y") != NULL);
    done(&stage);
}

static void test_a_notification_is_tried_again(void **state) {
    (void)state;
    struct stage stage = {0};
    open_telling(&stage);
    static const int statuses[] = {0, 503, 429};
    memcpy(stage.aws->post_status, statuses, sizeof(statuses));
    stage.aws->post_status_count = 3;
    struct ulid id = run_instances(&stage, "boss", "[]");
    stage_pass(&stage, 60000);
    assert_int_equal(stage.aws->post_count, 4);
    assert_int_equal(stage_call_state(&stage, &id, "tell/chat"), CALL_DONE);
    done(&stage);
}

#define SIGNING_KEY "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"

static struct ulid sign(struct stage *stage, const char *token, const char *key, const char *ids) {
    setenv("RIPOSTE_TEST_URL", CHAT, 1);
    setenv("RIPOSTE_TEST_TOKEN", token, 1);
    setenv("RIPOSTE_TEST_KEY", key, 1);
    if (stage->journal == NULL) {
        open_rule(stage, "signing", NULL);
    }
    char user[16]; /* none joins another */
    snprintf(user, sizeof(user), "u%u", stage->events);
    struct ulid id = run_instances(stage, user, ids);
    stage_run(stage);
    return id;
}

/* The one call of an incident, with its texts in `arena`. */
static struct journal_call only_call(struct stage *stage, const struct ulid *id,
                                     struct arena *arena) {
    struct journal_call *calls = NULL;
    struct error error = {0};
    size_t count = 0;
    assert_ok(journal_read_calls(stage->journal, id, arena, &calls, &count, &error), &error);
    assert_int_equal(count, 1);
    return calls[0];
}

static void test_a_secret_in_the_body_is_sent_and_not_journaled(void **state) {
    (void)state;
    struct stage stage = {0};
    scoped(arena_free) struct arena *arena = arena_new();
    /* What an event says can't ask for it. */
    struct ulid id = sign(&stage, "a\"b\\c", SIGNING_KEY, "[\"${secret.key}\"]");
    assert_int_equal(stage.aws->post_count, 1);
    assert_non_null(
        strstr(stage.aws->posts[0],
               "|{\"key\":\"a\\\"b\\\\c\",\"again\":\"<a\\\"b\\\\ca\\\"b\\\\c>\","
               "\"ids\":[\"${secret.key}\"],\"to\":\"https://127.0.0.1:9443/incidents/"));
    struct journal_call call = only_call(&stage, &id, arena);
    assert_true(
        text_contains(call.request, TEXT("{\"url\":\"env:RIPOSTE_TEST_URL\",\"body\":{\"json\":{"
                                         "\"key\":\"env:RIPOSTE_TEST_TOKEN\",\"again\":\"<env:")));
    assert_false(text_contains(call.request, TEXT("a\\\"b")));
    done(&stage);
}

static void test_a_post_is_signed_or_not_sent(void **state) {
    (void)state;
    struct stage stage = {0};
    scoped(arena_free) struct arena *arena = arena_new();
    struct ulid first = sign(&stage, "t", SIGNING_KEY, "[]");
    char expected[64];
    snprintf(expected, sizeof(expected), "webhook-id=msg_%s_", first.text);
    assert_non_null(strstr(stage.aws->posts[0], expected));
    assert_non_null(strstr(stage.aws->posts[0], " webhook-timestamp="));
    assert_non_null(strstr(stage.aws->posts[0], " webhook-signature=v1,"));
    struct ulid second = sign(&stage, "t", "whsec_dG9vIHNob3J0", "[1]");
    struct journal_call call = only_call(&stage, &second, arena);
    assert_int_equal(call.state, CALL_FAILED);
    assert_text_equal(call.reason,
                      "its key to sign with is not whsec_ and 24 to 64 bytes in base64");
    struct ulid third = sign(&stage, "t", "", "[2]");
    assert_int_equal(only_call(&stage, &third, arena).state, CALL_SKIPPED);
    assert_int_equal(stage.aws->post_count, 1);
    done(&stage);
}

static void test_a_vendor_down_for_an_hour_is_told_once_when_it_is_back(void **state) {
    (void)state;
    struct stage stage = {0};
    open_telling(&stage);
    stage.aws->posts_fail = true;
    struct ulid id = run_instances(&stage, "boss", "[]");
    stage_pass(&stage, 3600 * 1000);
    assert_in_range(stage.aws->post_refusals, 15, 40); /* patient, and gives nothing up */
    assert_int_equal(stage_call_state(&stage, &id, "tell/chat"), CALL_INTENT);
    stage.aws->posts_fail = false;
    stage_pass(&stage, 6 * 60 * 1000);
    assert_int_equal(stage.aws->post_count, 1);
    assert_int_equal(stage_call_state(&stage, &id, "tell/chat"), CALL_DONE);
    stage_pass(&stage, 3600 * 1000);
    assert_int_equal(stage.aws->post_count, 1);
    assert_state(&stage, &id, INCIDENT_HELD, "protected");
    done(&stage);
}

static void test_a_refused_notification_changes_no_incident(void **state) {
    (void)state;
    struct stage stage = {0};
    open_telling(&stage);
    stage.aws->post_status[0] = 404;
    stage.aws->post_status_count = 1;
    struct ulid id = run_instances(&stage, "x", "[]");
    stage_pass(&stage, 60000);
    assert_int_equal(stage.aws->post_count, 1);
    assert_int_equal(stage_call_state(&stage, &id, "tell/chat"), CALL_FAILED);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

static void test_a_place_that_is_not_set_or_not_https_is_told_nothing(void **state) {
    (void)state;
    struct stage stage = {0};
    open_telling(&stage);
    setenv("RIPOSTE_TEST_URL", "", 1);
    struct ulid first = run_instances(&stage, "x", "[]");
    stage_run(&stage);
    assert_int_equal(stage_call_state(&stage, &first, "tell/chat"), CALL_SKIPPED);
    setenv("RIPOSTE_TEST_URL", "http://chat.example/T0/secret", 1);
    struct ulid second = run_instances(&stage, "y", "[]");
    stage_run(&stage);
    assert_int_equal(stage_call_state(&stage, &second, "tell/chat"), CALL_FAILED);
    assert_int_equal(stage.aws->post_count, 0);
    assert_state(&stage, &second, INCIDENT_DONE, "");
    done(&stage);
}

static void test_one_element_that_waits_lets_the_others_go_on(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &narrow);
    stage_force(&stage, "ec2:StopInstances", AWS_RETRY, "RequestLimitExceeded", 1);
    struct ulid id = run_instances(&stage, "x", "[\"i-1\",\"i-2\"]");
    stage_run(&stage);
    assert_int_equal(stage_call_state(&stage, &id, "stop/0"), CALL_INTENT);
    assert_int_equal(stage_call_state(&stage, &id, "stop/1"), CALL_DONE);
    stage_pass(&stage, 2000);
    assert_int_equal(stage_count(&stage, "ec2:StopInstances"), 3);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

static void test_who_we_are_may_be_known_later(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    stage.aws->identity_failures = 2;
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_DETECTED, "");
    stage_pass(&stage, 5000);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

/* ---- kill -9 -----------------------------------------------------------------------------------
 */

/* Plays the story until the process is killed at the failpoint; true when it came to its end. */
static bool play_until_killed(const char *journal, struct stage_aws *aws, const char *failpoint,
                              bool starts) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct stage stage;
        struct stage_options options = {.journal = journal, .aws = aws};
        stage_open(&stage, &options);
        if (starts) {
            stage_event(&stage, "i-1", 0);
        }
        setenv("RIPOSTE_FAILPOINT", failpoint, 1);
        stage_run(&stage);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 137);
    return WEXITSTATUS(status) == 0;
}

static void finish_response(struct stage *stage, const struct ulid *id) {
    stage_run(stage);
    stage_pass(stage, 40000);
    assert_state(stage, id, INCIDENT_DONE, "");
    assert_int_equal(stage_incident(stage, id).effects, 2);
    assert_non_null(strstr(stage->aws->document, id->text));
    assert_true(stage->aws->is_protected);
}

/* What was perhaps done is taken back too. */
static void finish_after_crash(const char *journal, struct stage_aws *aws, bool undoes_at_once) {
    struct stage stage;
    struct stage_options options = {.journal = journal, .aws = aws};
    struct journal_incident *incidents = NULL;
    struct arena *arena = arena_new();
    struct error error = {0};
    size_t count = 0;
    stage_open(&stage, &options);
    assert_ok(journal_find_incidents(stage.journal, NULL, &(struct journal_filter){.states = 0}, 10,
                                     arena, &incidents, &count, NULL, &error),
              &error);
    assert_int_equal(count, 1);
    if (!undoes_at_once || incidents[0].state == INCIDENT_DETECTED) {
        finish_response(&stage, &incidents[0].id);
    }
    undo(&stage, &incidents[0].id, true);
    assert_state(&stage, &incidents[0].id, INCIDENT_RELEASED, "");
    assert_string_equal(aws->document, "");
    assert_false(aws->is_protected);
    arena_free(&arena);
    stage_close(&stage);
}

/* In memory where there is such a place: a process that dies needs no disk to prove itself. */
static void make_folder(char *folder, size_t bytes) {
    snprintf(folder, bytes, "/dev/shm/riposte-respond-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        snprintf(folder, bytes, "/tmp/riposte-respond-XXXXXX");
        assert_non_null(mkdtemp(folder));
    }
}

static void remove_journal(const char *folder) {
    char path[128];
    static const char *const ends[] = {"/j.db", "/j.db-wal", "/j.db-shm", "/j.db-journal"};
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        snprintf(path, sizeof(path), "%s%s", folder, ends[i]);
        unlink(path);
    }
}

/* Each point in a plain build; some of them where a process takes long to start. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KILL_STRIDE 4
#endif
#endif
#ifndef KILL_STRIDE
#define KILL_STRIDE 1
#endif

static void kill_at_any_point(bool undoes_at_once) {
    char folder[64], journal[96], failpoint[32];
    make_folder(folder, sizeof(folder));
    snprintf(journal, sizeof(journal), "sqlite:%s/j.db", folder);
    bool has_ended = false;
    int point = 1;
    for (; !has_ended; point += KILL_STRIDE) {
        struct stage_aws *aws = stage_aws_new();
        snprintf(failpoint, sizeof(failpoint), "any:%d", point);
        testing_row(failpoint);
        has_ended = play_until_killed(journal, aws, failpoint, true);
        if (point % 3 != 0) { /* once more while it picks up the pieces */
            play_until_killed(journal, aws, "any:2", false);
        }
        finish_after_crash(journal, aws, undoes_at_once);
        stage_aws_free(&aws);
        remove_journal(folder);
    }
    assert_true(point > 12);
    assert_int_equal(rmdir(folder), 0);
}

/* A story that is told up to a point, then played until the process is killed, then to its end. */
struct killed_story {
    struct stage_options options;
    void (*tell_fn)(struct stage *stage);
    int64_t told_ms; /* how far its clock went */
    /* The latest incident comes first. */
    void (*assert_end_fn)(struct stage *stage, const struct journal_incident *incidents,
                          size_t count);
};

static bool play_told_until_killed(const struct killed_story *story,
                                   const struct stage_options *options, const char *failpoint,
                                   bool tells) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct stage stage;
        struct stage_options now = *options;
        now.now_unix_ms = STAGE_START_MS + (tells ? 0 : story->told_ms);
        stage_open(&stage, &now);
        if (tells) {
            story->tell_fn(&stage);
        }
        setenv("RIPOSTE_FAILPOINT", failpoint, 1);
        stage_run(&stage);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 137);
    return WEXITSTATUS(status) == 0;
}

/* All of it comes, once, and all of it is taken back. */
static void finish_told(const struct killed_story *story, const struct stage_options *options) {
    struct stage stage;
    struct stage_options now = *options;
    struct journal_incident *incidents = NULL;
    scoped(arena_free) struct arena *arena = arena_new();
    struct error error = {0};
    size_t count = 0;
    now.now_unix_ms = STAGE_START_MS + story->told_ms;
    stage_open(&stage, &now);
    for (int i = 0; i < 5; i++) { /* past the leases of the dead, and what waits for them */
        stage_run(&stage);
        fake_clock_advance(&stage.clock, 10000);
    }
    assert_ok(journal_find_incidents(stage.journal, NULL, &(struct journal_filter){.states = 0}, 10,
                                     arena, &incidents, &count, NULL, &error),
              &error);
    story->assert_end_fn(&stage, incidents, count);
    for (size_t i = 0; i < count; i++) {
        if (incidents[i].state != INCIDENT_JOINED) {
            undo(&stage, &incidents[i].id, true);
            assert_state(&stage, &incidents[i].id, INCIDENT_RELEASED, "");
        }
    }
    assert_string_equal(stage.aws->document, "");
    assert_int_equal(count_role_policies(&stage), 0);
    assert_false(stage.aws->is_attached || stage.aws->is_protected);
    stage_close(&stage);
}

static void kill_told_at_any_point(const struct killed_story *story) {
    char folder[64], journal[96], failpoint[32];
    make_folder(folder, sizeof(folder));
    snprintf(journal, sizeof(journal), "sqlite:%s/j.db", folder);
    bool has_ended = false;
    int point = 1;
    for (; !has_ended; point += KILL_STRIDE) {
        struct stage_options options = story->options;
        options.journal = journal;
        options.aws = stage_aws_new();
        snprintf(failpoint, sizeof(failpoint), "any:%d", point);
        testing_row(failpoint);
        has_ended = play_told_until_killed(story, &options, failpoint, true);
        if (point % 3 == 1) {
            play_told_until_killed(story, &options, "any:2", false);
        }
        finish_told(story, &options);
        stage_aws_free(&options.aws);
        remove_journal(folder);
    }
    assert_true(point > 12);
    assert_int_equal(rmdir(folder), 0);
}

static void tell_of_two_sessions(struct stage *stage) {
    stage_session_event(stage, "one", 0);
    stage_run(stage);
    fake_clock_advance(&stage->clock, 1000);
    stage_session_event(stage, "two", 0);
}

static void assert_second_rung(struct stage *stage, const struct journal_incident *incidents,
                               size_t count) {
    assert_int_equal(count, 2);
    assert_state(stage, &incidents[0].id, INCIDENT_DONE, "");
    assert_state(stage, &incidents[1].id, INCIDENT_DONE, "");
    assert_non_null(role_policy(stage, DENIED_ONE));
    assert_non_null(role_policy(stage, DENIED_TWO));
    assert_non_null(revoked_by(stage, &incidents[0].id));
    assert_int_equal(count_role_policies(stage), 3); /* and no further rung */
    assert_int_equal(stage_incident(stage, &incidents[0].id).effects, 2);
}

static void test_a_kill_at_any_point_takes_no_rung_away_and_adds_none(void **state) {
    (void)state;
    const struct killed_story story = {role, tell_of_two_sessions, 1000, assert_second_rung};
    kill_told_at_any_point(&story);
}

#define AFTER_COOLDOWN_MS (10 * 60 * 1000)

static void tell_of_an_escape(struct stage *stage) {
    stage_event(stage, "i-1", 0);
    stage_run(stage);
    fake_clock_advance(&stage->clock, AFTER_COOLDOWN_MS);
    stage_event(stage, "i-1", 0);
    stage->aws->is_protected = false;
}

static void assert_escape_is_contained(struct stage *stage,
                                       const struct journal_incident *incidents, size_t count) {
    assert_int_equal(count, 2);
    assert_state(stage, &incidents[0].id, INCIDENT_DONE, "");
    assert_string_equal(stage_incident(stage, &incidents[0].id).severity, "critical");
    assert_string_equal(stage_incident(stage, &incidents[1].id).severity, "high");
    assert_non_null(strstr(stage->aws->document, incidents[1].id.text));
    assert_true(stage->aws->is_attached);
    assert_false(stage->aws->is_key_inactive); /* one link, not two */
    assert_int_equal(stage_incident(stage, &incidents[0].id).effects, 2);
}

static void test_a_kill_at_any_point_of_an_escape_takes_one_link(void **state) {
    (void)state;
    const struct killed_story story = {role, tell_of_an_escape, AFTER_COOLDOWN_MS,
                                       assert_escape_is_contained};
    kill_told_at_any_point(&story);
}

static void tell_of_an_approval(struct stage *stage) {
    struct ulid first = stage_event(stage, "i-1", 0);
    stage_run(stage);
    stage_event(stage, "i-2", 0);
    stage_event(stage, "i-3", 0);
    stage_run(stage);
    approve(stage, &first, false);
}

static void assert_all_caught_up(struct stage *stage, const struct journal_incident *incidents,
                                 size_t count) {
    assert_int_equal(count, 3);
    assert_state(stage, &incidents[2].id, INCIDENT_DONE, "");
    assert_state(stage, &incidents[1].id, INCIDENT_JOINED, incidents[2].id.text);
    assert_state(stage, &incidents[0].id, INCIDENT_JOINED, incidents[2].id.text);
    assert_non_null(strstr(stage->aws->document, incidents[2].id.text));
    assert_true(stage->aws->is_protected);
    assert_true(stage_count(stage, "ec2:DescribeInstanceAttribute") >= 3);
    /* The deny, and of three instances, which are one here, those whose question was older. */
    size_t effects = stage_incident(stage, &incidents[2].id).effects;
    assert_true(effects >= 2 && effects <= 4);
}

static void test_a_kill_at_any_point_after_an_approval_leaves_nothing_behind(void **state) {
    (void)state;
    const struct killed_story story = {
        {.mode = "approve", .settings = "tests/unit/respond/conf/approval/riposte.json"},
        tell_of_an_approval,
        0,
        assert_all_caught_up};
    kill_told_at_any_point(&story);
}

static void limit_files(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_task_whose_commit_failed_is_not_left_to_its_lease(void **state) {
    (void)state;
    char folder[64], journal[96];
    make_folder(folder, sizeof(folder));
    snprintf(journal, sizeof(journal), "sqlite:%s/j.db", folder);
    signal(SIGXFSZ, SIG_IGN);
    struct stage stage;
    stage_open(&stage, &(struct stage_options){.journal = journal});
    struct ulid id = stage_event(&stage, "i-1", 0);
    limit_files(1);
    stage_run(&stage);
    limit_files(RLIM_INFINITY);
    assert_null(strstr(stage_calls(&stage), "iam:PutUserPolicy"));
    for (int i = 0; !journal_is_ready(stage.journal) && i < 5000; i++) {
        clock_sleep_ms(1);
    }
    stage_pass(&stage, 2000); /* a lease lasts much longer */
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
    remove_journal(folder);
    assert_int_equal(rmdir(folder), 0);
}

static void test_kill_at_any_point_changes_nothing(void **state) {
    (void)state;
    kill_at_any_point(false);
}

static void test_kill_at_any_point_can_be_undone(void **state) {
    (void)state;
    kill_at_any_point(true);
}

/* ---- a reload in between ------------------------------------------------------------------------
 */

/* An incident goes on with what it was admitted with, although neither its rule nor its playbooks
 * are there any more. */
static void test_a_reload_between_any_two_steps_changes_nothing(void **state) {
    (void)state;
    unsigned all_calls = 0;
    for (unsigned calls = 0; calls <= all_calls; calls++) {
        struct stage stage;
        char row[32];
        snprintf(row, sizeof(row), "reload after %u calls", calls);
        testing_row(row);
        stage_open(&stage, &plain);
        struct ulid id = stage_event(&stage, "i-1", 0);
        stage_reload(&stage, "tests/unit/respond/conf/riposte.json", calls);
        finish_response(&stage, &id);
        undo(&stage, &id, true);
        assert_state(&stage, &id, INCIDENT_RELEASED, "");
        assert_string_equal(stage.aws->document, "");
        assert_false(stage.aws->is_protected);
        all_calls = stage.aws->call_count;
        done(&stage);
    }
    assert_true(all_calls > 8);
}

/* ---- many at once ------------------------------------------------------------------------------
 */

static void test_workers_share_the_work(void **state) {
    (void)state;
    struct stage stage;
    struct stage_options options = {.workers = 4};
    struct ulid ids[40];
    char text[1400];
    stage_open(&stage, &options);
    for (unsigned i = 0; i < ARRAY_COUNT(ids); i++) {
        snprintf(text, sizeof(text),
                 "{\"id\":\"e\",\"source\":\"aws.ec2\",\"detail-type\":\"d\",\"account\":\"%s\","
                 "\"region\":\"eu-west-1\",\"time\":\"2026-01-02T03:04:05Z\",\"detail\":{"
                 "\"eventID\":\"ev-%u\",\"userIdentity\":{\"type\":\"IAMUser\","
                 "\"principalId\":\"" STAGE_USER_ID "\",\"accountId\":\"%s\","
                 "\"arn\":\"arn:aws:iam::%s:user/m\",\"userName\":\"m\",\"accessKeyId\":\"A\"},"
                 "\"requestParameters\":{\"instanceId\":\"i-%u\"}}}",
                 STAGE_ACCOUNT, i, STAGE_ACCOUNT, STAGE_ACCOUNT, i);
        ids[i] = stage_event_text(&stage, text);
    }
    for (unsigned i = 0; i < ARRAY_COUNT(ids); i++) {
        struct stage_incident shown;
        for (int waited = 0; waited < 20000; waited += 5) {
            shown = stage_incident(&stage, &ids[i]);
            if (shown.state == INCIDENT_DONE || shown.state == INCIDENT_JOINED) {
                break;
            }
            fake_clock_advance(&stage.clock, 5);
            clock_sleep_ms(5);
        }
        assert_true(shown.state == INCIDENT_DONE || shown.state == INCIDENT_JOINED);
    }
    assert_true(stage_count(&stage, "iam:PutUserPolicy") >= 1);
    assert_true(stage_count(&stage, "ec2:ModifyInstanceAttribute") >= 1);
    done(&stage);
}

/* ---- the organization --------------------------------------------------------------------------
 */

#define MEMBER "111111111111"

static const char member_event[] =
    "{\"id\":\"1\",\"source\":\"aws.ec2\",\"detail-type\":\"AWS API Call via "
    "CloudTrail\",\"account\":"
    "\"" MEMBER
    "\",\"region\":\"eu-west-1\",\"time\":\"2026-01-02T03:04:05Z\",\"detail\":{\"eventID\":"
    "\"member-1\",\"eventSource\":\"ec2.amazonaws.com\",\"eventName\":\"ModifyInstanceAttribute\","
    "\"userIdentity\":{\"type\":\"IAMUser\",\"principalId\":\"" STAGE_USER_ID
    "\",\"accountId\":\"" MEMBER "\",\"arn\":\"arn:aws:iam::" MEMBER ":user/" STAGE_USER
    "\",\"userName\":\"" STAGE_USER "\",\"accessKeyId\":\"" STAGE_KEY
    "\"},\"requestParameters\":{\"instanceId\":\"i-1\",\"attribute\":\"disableApiTermination\"}}}";

/* As if the settings said "organization", which was not listed yet. */
static void await_list(struct stage *stage) {
    struct settings *settings = (struct settings *)(uintptr_t)stage->snapshot->settings;
    settings->aws.is_organization = true;
}

static void list(struct stage *stage, const char *account) {
    struct text items[] = {text_of(account)};
    snapshot_unref(&stage->next);
    stage->next = snapshot_with_accounts(stage->snapshot, (struct texts){items, 1});
    stage->next_at = 0;
}

static void test_incidents_of_other_accounts_wait_for_the_list(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    await_list(&stage);
    struct ulid other = stage_event_text(&stage, member_event);
    stage_run(&stage);
    stage_pass(&stage, 10 * 1000);
    assert_state(&stage, &other, INCIDENT_DETECTED, "");
    assert_string_equal(stage_calls(&stage), "");
    list(&stage, MEMBER);
    stage_pass(&stage, 40 * 1000);
    assert_state(&stage, &other, INCIDENT_DONE, "");
    done(&stage);
}

static void test_those_of_our_own_account_do_not(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    await_list(&stage);
    struct ulid id = stage_event(&stage, "i-1", 0);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    done(&stage);
}

static void test_without_a_list_they_are_held(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    await_list(&stage);
    struct ulid id = stage_event_text(&stage, member_event);
    stage_pass(&stage, 5 * 60 * 1000);
    assert_state(&stage, &id, INCIDENT_HELD, "which accounts are ours is not known");
    assert_string_equal(stage_calls(&stage), "");
    done(&stage);
}

static void test_an_account_that_is_not_listed_is_not_ours(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    await_list(&stage);
    list(&stage, "222222222222");
    struct ulid id = stage_event_text(&stage, member_event);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_HELD, "account " MEMBER " is not ours");
    assert_string_equal(stage_calls(&stage), "");
    done(&stage);
}

static void test_what_was_begun_waits_for_the_list_too(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &plain);
    await_list(&stage);
    list(&stage, MEMBER);
    struct ulid id = stage_event_text(&stage, member_event);
    stage_run(&stage);
    assert_state(&stage, &id, INCIDENT_DONE, "");
    stage_calls(&stage);
    snapshot_unref(&stage.next); /* a restart */
    stage_pass(&stage, 10 * 60 * 1000);
    assert_string_equal(stage_calls(&stage), "");
    assert_state(&stage, &id, INCIDENT_DONE, "");
    list(&stage, MEMBER);
    stage_pass(&stage, 30 * 1000);
    assert_true(stage_count(&stage, "iam:GetUserPolicy") > 0);
    done(&stage);
}

/* usage: unit_respond_respond [killed]    with it the tests that kill processes, which take long;
 * they fork, before there is any thread. */
int main(int argc, char **argv) {
    const struct CMUnitTest killed[] = {
        cmocka_unit_test(test_kill_at_any_point_changes_nothing),
        cmocka_unit_test(test_kill_at_any_point_can_be_undone),
        cmocka_unit_test(test_a_kill_at_any_point_takes_no_rung_away_and_adds_none),
        cmocka_unit_test(test_a_kill_at_any_point_of_an_escape_takes_one_link),
        cmocka_unit_test(test_a_kill_at_any_point_after_an_approval_leaves_nothing_behind),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_task_whose_commit_failed_is_not_left_to_its_lease),
        cmocka_unit_test(test_a_principal_is_contained_and_the_instance_protected),
        cmocka_unit_test(test_verifications_look_and_end),
        cmocka_unit_test(test_a_full_inline_quota_falls_back),
        cmocka_unit_test(test_another_user_under_the_name_is_left_alone),
        cmocka_unit_test(test_a_protected_instance_is_left_as_it_is),
        cmocka_unit_test(test_what_was_planted_under_our_name_is_audited_before_it_is_gone),
        cmocka_unit_test(test_nothing_planted_or_no_answer_about_it_is_no_line),
        cmocka_unit_test(test_of_a_role_that_session_alone_is_denied),
        cmocka_unit_test(test_two_sessions_of_one_role_are_let_go_one_by_one),
        cmocka_unit_test(test_a_session_that_goes_on_costs_all_older_ones_then_it_is_held),
        cmocka_unit_test(test_a_second_session_of_a_role_costs_all_older_ones),
        cmocka_unit_test(test_a_session_offends_alone_when_the_other_was_let_go),
        cmocka_unit_test(test_a_ladder_is_one_principal_and_ends_at_the_role),
        cmocka_unit_test(test_who_goes_on_although_the_role_is_denied_is_held),
        cmocka_unit_test(test_of_an_instance_profile_only_that_instances_session_is_denied),
        cmocka_unit_test(test_a_joined_event_restores_and_contains_no_more),
        cmocka_unit_test(test_the_same_instance_is_restored_again_at_once),
        cmocka_unit_test(test_an_escape_takes_the_next_link),
        cmocka_unit_test(test_an_escape_without_another_link_is_held),
        cmocka_unit_test(test_a_deny_taken_away_comes_back_three_times),
        cmocka_unit_test(test_a_deny_is_not_written_to_another_user_under_the_name),
        cmocka_unit_test(test_a_deny_made_harmless_is_written_anew),
        cmocka_unit_test(test_an_escape_from_a_deny_that_another_incident_made),
        cmocka_unit_test(test_an_escape_after_the_cooldown_takes_the_next_link),
        cmocka_unit_test(test_what_happened_before_a_containment_is_no_escape),
        cmocka_unit_test(test_an_escape_from_an_escape_takes_the_link_after_it),
        cmocka_unit_test(test_an_incident_that_ended_is_counted_once),
        cmocka_unit_test(test_a_question_without_an_answer_is_asked_again),
        cmocka_unit_test(test_throttling_is_waited_out),
        cmocka_unit_test(test_what_never_answers_fails_and_is_taken_back_all_the_same),
        cmocka_unit_test(test_a_dead_endpoint_is_tried_by_one_at_a_time),
        cmocka_unit_test(test_a_read_that_is_put_off_sends_no_write),
        cmocka_unit_test(test_without_credentials_incidents_are_held),
        cmocka_unit_test(test_a_call_that_can_not_be_sent_holds),
        cmocka_unit_test(test_observe_journals_the_plan_and_calls_nothing),
        cmocka_unit_test(test_approve_asks_and_writes_nothing),
        cmocka_unit_test(test_what_is_approved_is_done_and_looked_after),
        cmocka_unit_test(test_what_joined_is_restored_when_it_is_approved),
        cmocka_unit_test(test_an_approved_write_is_tried_again),
        cmocka_unit_test(test_the_panic_switch_stops_an_approval),
        cmocka_unit_test(test_a_verification_writes_in_no_mode_but_enforce),
        cmocka_unit_test(test_an_approval_asks_again_who_it_is),
        cmocka_unit_test(test_a_protected_principal_needs_more_than_an_approval),
        cmocka_unit_test(test_an_approval_is_beyond_the_limits),
        cmocka_unit_test(test_an_approval_of_what_is_not_so_any_more_stays_held),
        cmocka_unit_test(test_what_is_dismissed_is_over),
        cmocka_unit_test(test_incidents_of_other_accounts_wait_for_the_list),
        cmocka_unit_test(test_those_of_our_own_account_do_not),
        cmocka_unit_test(test_without_a_list_they_are_held),
        cmocka_unit_test(test_an_account_that_is_not_listed_is_not_ours),
        cmocka_unit_test(test_what_was_begun_waits_for_the_list_too),
        cmocka_unit_test(test_an_event_of_our_own_is_suppressed),
        cmocka_unit_test(test_an_old_event_is_held),
        cmocka_unit_test(test_what_is_not_confirmed_is_suppressed),
        cmocka_unit_test(test_what_only_shows_our_own_work_is_held),
        cmocka_unit_test(test_what_is_confirmed_is_responded_to),
        cmocka_unit_test(test_a_tolerated_error_confirms),
        cmocka_unit_test(test_a_question_that_fails_for_good_holds),
        cmocka_unit_test(test_a_question_that_is_throttled_is_asked_again),
        cmocka_unit_test(test_undo_frees_the_principal_and_leaves_the_instance),
        cmocka_unit_test(test_undo_with_resources_takes_the_newest_back_first),
        cmocka_unit_test(test_a_deny_goes_with_its_last_owner),
        cmocka_unit_test(test_the_panic_switch_lets_an_undo_pass),
        cmocka_unit_test(test_an_undo_that_is_refused_goes_on_trying),
        cmocka_unit_test(test_undo_leaves_another_user_of_that_name_alone),
        cmocka_unit_test(test_undo_of_what_is_gone_already_is_an_undo),
        cmocka_unit_test(test_beyond_the_limit_of_principals_is_held),
        cmocka_unit_test(test_beyond_the_limit_of_resources_is_held),
        cmocka_unit_test(test_a_protected_principal_is_held),
        cmocka_unit_test(test_what_stands_and_can_not_be_verified_is_written_again),
        cmocka_unit_test(test_what_has_no_inverse_is_let_go),
        cmocka_unit_test(test_a_playbook_in_which_no_step_applies_says_so),
        cmocka_unit_test(test_what_was_there_before_is_what_undo_brings_back),
        cmocka_unit_test(test_a_containment_ends_by_itself),
        cmocka_unit_test(test_a_due_release_passes_in_observe),
        cmocka_unit_test(test_an_undo_before_it_makes_a_release_needless),
        cmocka_unit_test(test_a_late_containment_is_released_late),
        cmocka_unit_test(test_a_containment_that_never_came_is_not_released),
        cmocka_unit_test(test_a_release_survives_a_restart),
        cmocka_unit_test(test_a_late_write_asks_again_who_it_hits),
        cmocka_unit_test(test_a_late_write_to_the_same_user_is_sent),
        cmocka_unit_test(test_resources_can_be_taken_back_after_the_principal),
        cmocka_unit_test(test_a_response_is_told_after_the_containment),
        cmocka_unit_test(test_no_secret_is_journaled),
        cmocka_unit_test(test_what_is_held_is_told_once),
        cmocka_unit_test(test_what_is_released_or_failed_is_told),
        cmocka_unit_test(test_a_notification_is_tried_again),
        cmocka_unit_test(test_a_secret_in_the_body_is_sent_and_not_journaled),
        cmocka_unit_test(test_a_post_is_signed_or_not_sent),
        cmocka_unit_test(test_a_vendor_down_for_an_hour_is_told_once_when_it_is_back),
        cmocka_unit_test(test_a_refused_notification_changes_no_incident),
        cmocka_unit_test(test_a_place_that_is_not_set_or_not_https_is_told_nothing),
        cmocka_unit_test(test_one_element_that_waits_lets_the_others_go_on),
        cmocka_unit_test(test_who_we_are_may_be_known_later),
        cmocka_unit_test(test_a_reload_between_any_two_steps_changes_nothing),
        cmocka_unit_test(test_workers_share_the_work),
    };
    return argc > 1 && strcmp(argv[1], "killed") == 0 ? cmocka_run_group_tests(killed, NULL, NULL)
                                                      : cmocka_run_group_tests(tests, NULL, NULL);
}
