#include "riposte/respond/guard.h"

#include "playing.h"

#include "riposte/base/time.h"

#define EVENT(time, identity)                                                  \
    "{'id':'e','source':'aws.ec2','detail-type':'d','account':'123456789012'," \
    "'region':'eu-west-1','time':'" time "','detail':{'eventID':'ev1'" identity "}}"
#define AT "2026-01-02T03:04:05Z"
#define USER                                                                                    \
    ",'userIdentity':{'type':'IAMUser','principalId':'AIDAMALLORY','accountId':'123456789012'," \
    "'arn':'arn:aws:iam::123456789012:user/ops/mallory','userName':'mallory',"                  \
    "'accessKeyId':'AKIAMALLORY'}"
#define SESSION                                                                                   \
    ",'userIdentity':{'type':'AssumedRole','principalId':'AROAOPS:me','accountId':"               \
    "'123456789012','arn':'arn:aws:sts::123456789012:assumed-role/ops/me','accessKeyId':'ASIAX'," \
    "'sessionContext':{'sessionIssuer':{'type':'Role','principalId':'AROAOPS',"                   \
    "'arn':'arn:aws:iam::123456789012:role/team/ops','accountId':'123456789012',"                 \
    "'userName':'ops'}}}"
#define TWO_NAMES                                                                               \
    ",'userIdentity':{'type':'IAMUser','principalId':'AIDAMALLORY','accountId':'123456789012'," \
    "'arn':'arn:aws:iam::123456789012:user/other','userName':'mallory',"                        \
    "'accessKeyId':'AKIAMALLORY'}"
#define FEDERATED                                                                                 \
    ",'userIdentity':{'type':'FederatedUser','principalId':'123456789012:temp','accountId':"      \
    "'123456789012','arn':'arn:aws:sts::123456789012:federated-user/temp','accessKeyId':'ASIAX'," \
    "'sessionContext':{'sessionIssuer':{'type':'IAMUser','principalId':'AIDABROKER',"             \
    "'arn':'arn:aws:iam::123456789012:user/broker','accountId':'123456789012',"                   \
    "'userName':'broker'}}}"
#define EXTERNAL \
    ",'userIdentity':{'type':'AWSAccount','principalId':'AIDAX','accountId':'999999999999'}"

enum { KNOWN = 1, OWN_KEY = 2, NEEDED = 4, OTHER_ACCOUNT = 8, MEMBER = 16, OWN_ROLE = 32 };

static const struct guard_case {
    const char *name, *event, *protected_entry, *region, *self;
    unsigned flags;
    enum guard_decision decision;
    bool must_page;
    const char *reason;
} guard_cases[] = {
    {"nothing stands in the way", EVENT(AT, USER), NULL, NULL, "AROASELF:i", KNOWN, GUARD_PASS,
     false, ""},
    {"our own key", EVENT(AT, USER), NULL, NULL, "AROASELF:i", KNOWN | OWN_KEY, GUARD_SUPPRESS,
     false, "our own access key AKIAMALLORY"},
    {"our own key is asked first", EVENT("nonsense", USER), "*", "us-east-1", "AROASELF:i",
     KNOWN | OWN_KEY | OTHER_ACCOUNT, GUARD_SUPPRESS, false, "our own access key"},
    {"our role with another key", EVENT(AT, SESSION), NULL, NULL, "AROAOPS:i", KNOWN, GUARD_HOLD,
     true, "our own role, with an access key that is not ours: ASIAX"},
    {"our user with another key", EVENT(AT, USER), NULL, NULL, "AIDAMALLORY", KNOWN, GUARD_HOLD,
     true, "our own user, with an access key that is not ours"},
    {"another account", EVENT(AT, USER), NULL, NULL, "AROASELF:i", KNOWN | OTHER_ACCOUNT,
     GUARD_HOLD, false, "account 123456789012 is not ours"},
    {"another account of ours", EVENT(AT, USER), NULL, NULL, "AROASELF:i",
     KNOWN | OTHER_ACCOUNT | MEMBER, GUARD_PASS, false, ""},
    {"our role there with another key", EVENT(AT, SESSION), NULL, NULL, "AROASELF:i",
     KNOWN | OTHER_ACCOUNT | MEMBER | OWN_ROLE, GUARD_HOLD, true,
     "our own role, with an access key that is not ours: ASIAX"},
    {"a region that is not ours", EVENT(AT, USER), NULL, "us-east-1", "AROASELF:i", KNOWN,
     GUARD_HOLD, false, "region eu-west-1 is not one of aws.regions"},
    {"a region that is", EVENT(AT, USER), NULL, "eu-west-1", "AROASELF:i", KNOWN, GUARD_PASS, false,
     ""},
    {"no credentials, in observe", EVENT(AT, USER), NULL, NULL, "", 0, GUARD_PASS, false,
     "ownership unknown"},
    {"no credentials, in enforce", EVENT(AT, USER), NULL, NULL, "", NEEDED, GUARD_HOLD, true,
     "whose account 123456789012 is can't be asked: no credentials"},
    {"an hour and a second old", EVENT("2026-01-02T02:04:04Z", USER), NULL, NULL, "AROASELF:i",
     KNOWN, GUARD_HOLD, false, "the event was 1h 0m 1s old at receipt, max_event_age is 1h"},
    {"an hour old", EVENT("2026-01-02T02:04:05Z", USER), NULL, NULL, "AROASELF:i", KNOWN,
     GUARD_PASS, false, ""},
    {"five minutes ahead", EVENT("2026-01-02T03:09:05Z", USER), NULL, NULL, "AROASELF:i", KNOWN,
     GUARD_PASS, false, ""},
    {"more than five minutes ahead", EVENT("2026-01-02T03:09:06Z", USER), NULL, NULL, "AROASELF:i",
     KNOWN, GUARD_HOLD, false, "the event is dated 5m 1s ahead"},
    {"no time", EVENT("yesterday", USER), NULL, NULL, "AROASELF:i", KNOWN, GUARD_HOLD, false,
     "the event's time can't be read: \"yesterday\""},
    {"protected by ARN", EVENT(AT, USER), "arn:aws:iam::123456789012:user/ops/mallory", NULL,
     "AROASELF:i", KNOWN, GUARD_HOLD, true,
     "the principal is protected by \"arn:aws:iam::123456789012:user/ops/mallory\""},
    {"the star spans slashes", EVENT(AT, USER), "arn:*:user/*lory", NULL, "AROASELF:i", KNOWN,
     GUARD_HOLD, true, "the principal is protected"},
    {"a prefix alone protects nobody", EVENT(AT, USER), "arn:aws:iam::123456789012:user/ops", NULL,
     "AROASELF:i", KNOWN, GUARD_PASS, false, ""},
    {"protected by unique id", EVENT(AT, USER), "AIDAMALLORY", NULL, "AROASELF:i", KNOWN,
     GUARD_HOLD, true, "the principal is protected"},
    {"a role by its ARN with path", EVENT(AT, SESSION), "arn:aws:iam::*:role/team/*", NULL,
     "AROASELF:i", KNOWN, GUARD_HOLD, true, "the principal is protected"},
    {"a session by its ARN", EVENT(AT, SESSION), "arn:aws:sts::123456789012:assumed-role/ops/me",
     NULL, "AROASELF:i", KNOWN, GUARD_HOLD, true, "the principal is protected"},
    {"a session of another name", EVENT(AT, SESSION),
     "arn:aws:sts::123456789012:assumed-role/ops/you", NULL, "AROASELF:i", KNOWN, GUARD_PASS, false,
     ""},
    {"a role by its unique id", EVENT(AT, SESSION), "AROAOPS", NULL, "AROASELF:i", KNOWN,
     GUARD_HOLD, true, "the principal is protected"},
    {"a federated session by the user who opened it", EVENT(AT, FEDERATED),
     "arn:aws:iam::123456789012:user/broker", NULL, "AROASELF:i", KNOWN, GUARD_HOLD, true,
     "the principal is protected"},
    {"a federated session of another user", EVENT(AT, FEDERATED),
     "arn:aws:iam::123456789012:user/bert", NULL, "AROASELF:i", KNOWN, GUARD_PASS, false, ""},
    {"no userIdentity", EVENT(AT, ""), NULL, NULL, "AROASELF:i", KNOWN, GUARD_HOLD, true,
     "the principal is unknown: the event has no userIdentity"},
    {"a type never seen",
     EVENT(AT, ",'userIdentity':{'type':'Martian','accountId':"
               "'123456789012'}"),
     NULL, NULL, "AROASELF:i", KNOWN, GUARD_HOLD, true,
     "the principal is unknown: userIdentity of type \"Martian\""},
    {"a principal of another account", EVENT(AT, EXTERNAL), NULL, NULL, "AROASELF:i", KNOWN,
     GUARD_PASS, false, ""},
};

static void judge(const struct guard_case *row, struct arena *arena,
                  struct guard_verdict *verdict_out) {
    struct subject_event event;
    struct error error = {0};
    int64_t now = 0;
    assert_true(time_parse(TEXT(AT), &now));
    assert_ok(subject_event_read(playing_text(arena, row->event), arena, &event, &error), &error);
    struct guard_identity identity = {
        .is_known = (row->flags & KNOWN) != 0,
        .account = (row->flags & OTHER_ACCOUNT) != 0 ? TEXT("210987654321") : TEXT("123456789012"),
        .unique_id = text_of(row->self),
        .why = TEXT("no credentials")};
    struct text entry = text_of(row->protected_entry), region = text_of(row->region);
    struct text member = TEXT("123456789012");
    struct guard_facts facts = {
        .event = &event,
        .identity = &identity,
        .is_own_key = (row->flags & OWN_KEY) != 0,
        .needs_identity = (row->flags & NEEDED) != 0,
        .accounts = {&member, (row->flags & MEMBER) != 0 ? 1 : 0},
        .own_role = (row->flags & OWN_ROLE) != 0 ? TEXT("arn:aws:iam::123456789012:role/team/ops")
                                                 : TEXT(""),
        .regions = {&region, row->region != NULL ? 1 : 0},
        .protected_principals = {&entry, row->protected_entry != NULL ? 1 : 0},
        .max_event_age_ms = 3600 * 1000,
        .received_unix_ms = now};
    guard_judge(&facts, arena, verdict_out);
}

static void test_the_guard_judges(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(guard_cases); i++) {
        const struct guard_case *row = &guard_cases[i];
        struct arena *arena = arena_new();
        struct guard_verdict verdict;
        testing_row(row->name);
        judge(row, arena, &verdict);
        bool says_so = text_starts_with(verdict.reason, text_of(row->reason)) &&
                       (row->reason[0] != '\0' || verdict.reason.bytes == 0);
        if (verdict.decision != row->decision || verdict.must_page != row->must_page || !says_so) {
            print_error("in the row \"%s\": %d %d \"%.*s\"\n", row->name, verdict.decision,
                        verdict.must_page, TEXT_ARG(verdict.reason));
            fail();
        }
        arena_free(&arena);
    }
}

static const struct name_case {
    const char *entry;
    bool is_protected;
} name_cases[] = {
    {"arn:aws:iam::123456789012:user/ops/mallory", true},
    {"arn:aws:iam::123456789012:user/mal*", true},
    {"arn:aws:iam::123456789012:user/other", true},
    {"arn:aws:iam::123456789012:user/ops/mallor", false},
    {"arn:aws:iam::123456789012:role/mallory", false},
};

static void test_whom_calls_would_name_is_protected(void **state) {
    (void)state;
    struct arena *arena = arena_new();
    struct subject_event event;
    struct error error = {0};
    assert_ok(subject_event_read(playing_text(arena, EVENT(AT, TWO_NAMES)), arena, &event, &error),
              &error);
    for (size_t i = 0; i < ARRAY_COUNT(name_cases); i++) {
        testing_row(name_cases[i].entry);
        assert_true(guard_is_protected(text_of(name_cases[i].entry), &event) ==
                    name_cases[i].is_protected);
    }
    arena_free(&arena);
}

static const struct glob_case {
    const char *entry;
    bool is_protected;
} glob_cases[] = {
    {"*", true},
    {"", false},
    {"**mallory", true},
    {"arn:aws:iam::123456789012:user/ops/mallory*", true},
    {"arn:aws:iam::123456789012:user/ops/mallory?", false},
    {"*:user/*/mallory", true},
    {"*:user/*/mallor", false},
    {"*o*m*y", true},
    {"*y*m*o", false},
    {"ARN:aws:iam::123456789012:user/ops/mallory", false},
};

static void test_a_star_is_any_characters(void **state) {
    (void)state;
    struct arena *arena = arena_new();
    struct subject_event event;
    struct error error = {0};
    assert_ok(subject_event_read(playing_text(arena, EVENT(AT, USER)), arena, &event, &error),
              &error);
    for (size_t i = 0; i < ARRAY_COUNT(glob_cases); i++) {
        testing_row(glob_cases[i].entry);
        if (guard_is_protected(text_of(glob_cases[i].entry), &event) !=
            glob_cases[i].is_protected) {
            print_error("\"%s\"\n", glob_cases[i].entry);
            fail();
        }
    }
    arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_guard_judges),
        cmocka_unit_test(test_whom_calls_would_name_is_protected),
        cmocka_unit_test(test_a_star_is_any_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
