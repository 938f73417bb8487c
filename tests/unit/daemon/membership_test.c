#include "riposte/daemon/membership.h"

#include "riposte/base/memory.h"
#include "riposte/config/findings.h"
#include "riposte/json/writer.h"

#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#define PAGE(accounts)        "{\"Accounts\":[" accounts "],\"NextToken\":null}"
#define PAGE_AND(accounts, t) "{\"Accounts\":[" accounts "],\"NextToken\":\"" t "\"}"
#define ACTIVE(id)            "{\"Id\":\"" id "\",\"Status\":\"ACTIVE\",\"State\":\"ACTIVE\"}"

#define FIRST  "111111111111"
#define SECOND "222222222222"
#define THIRD  "333333333333"

/* What Organizations says, one after the other; the last again and again. */
struct reply {
    enum aws_outcome outcome;
    const char *body;
};

struct fixture {
    char folder[32];
    struct snapshot *snapshot;
    struct fake_clock clock;
    const struct reply *replies;
    size_t reply_count, asked;
    char parameters[160]; /* of the last call */
    char adopted[512];    /* each list in parentheses */
    struct membership *membership;
};

static const char *mode = "enforce";

static const char *look_up(void *arg, const char *name) {
    (void)arg;
    return strcmp(name, "RIPOSTE_MODE") == 0 ? mode : NULL;
}

static struct aws_answer *answer(void *arg, const struct permit *permit,
                                 const struct aws_call *call) {
    struct fixture *fixture = arg;
    const struct reply *reply =
        &fixture->replies[fixture->asked < fixture->reply_count ? fixture->asked
                                                                : fixture->reply_count - 1];
    struct arena *arena = arena_new();
    struct aws_answer *made = arena_alloc(arena, sizeof(*made));
    scoped(buffer_done) struct buffer parameters = BUFFER_INIT;
    struct error error = {0};
    assert_int_equal(permit->class, PERMIT_READ);
    assert_text_equal(call->service, "organizations");
    assert_text_equal(call->operation, "ListAccounts");
    assert_int_equal(call->account.bytes, 0); /* as ourselves */
    json_write(&parameters, call->parameters);
    snprintf(fixture->parameters, sizeof(fixture->parameters), "%s", buffer_string(&parameters));
    *made = (struct aws_answer){.outcome = reply->outcome,
                                .error_code = TEXT("Code"),
                                .message = TEXT("why"),
                                .arena = arena};
    if (reply->body != NULL) {
        assert_ok(json_parse(text_of(reply->body), 0, arena, &made->body, NULL, &error), &error);
    }
    fixture->asked++;
    return made;
}

static struct snapshot *present(void *arg) {
    struct fixture *fixture = arg;
    return snapshot_ref(fixture->snapshot);
}

static void adopt(void *arg, struct texts accounts) {
    struct fixture *fixture = arg;
    size_t bytes = strlen(fixture->adopted);
    for (size_t i = 0; i < accounts.count; i++) {
        bytes += (size_t)snprintf(fixture->adopted + bytes, sizeof(fixture->adopted) - bytes,
                                  "%s%.*s", i == 0 ? "(" : " ", TEXT_ARG(accounts.items[i]));
    }
    snprintf(fixture->adopted + bytes, sizeof(fixture->adopted) - bytes, ")");
    struct snapshot *next = snapshot_with_accounts(fixture->snapshot, accounts);
    snapshot_unref(&fixture->snapshot);
    fixture->snapshot = next;
}

/* Always the whole of the pause, and the hour. */
static uint64_t no_jitter(uint64_t bound) {
    (void)bound;
    return 0;
}

static void load(struct fixture *fixture, const char *accounts) {
    char path[64], sub[64];
    scoped(findings_free) struct findings *findings = findings_new();
    snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/riposte-daemon-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    snprintf(path, sizeof(path), "%s/s.json", fixture->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file,
            "{\"aws\":{\"accounts\":%s},\"rules\":\".\",\"playbooks\":\".\",\"guard\":{"
            "\"protected\":[\"AIDAX\"]}}",
            accounts);
    fclose(file);
    snprintf(sub, sizeof(sub), "%s/s.txt", fixture->folder);
    assert_int_equal(rename(path, sub), 0); /* no rule, no playbook */
    assert_true(snapshot_load(sub, look_up, NULL, &fixture->snapshot, findings));
    assert_int_equal(unlink(sub), 0);
    assert_int_equal(rmdir(fixture->folder), 0);
}

static void fixture_start(struct fixture *fixture, const struct reply *replies, size_t count,
                          const char *accounts) {
    *fixture = (struct fixture){.replies = replies, .reply_count = count};
    load(fixture, accounts);
    fake_clock_init(&fixture->clock, INT64_C(1767323045000));
    fixture->membership = membership_new(&(struct membership_options){
        .call_fn = answer,
        .call_arg = fixture,
        .clock = &fixture->clock.clock,
        .random_fn = no_jitter,
        .snapshot_fn = present,
        .adopt_fn = adopt,
        .arg = fixture,
    });
}

static void fixture_done(struct fixture *fixture) {
    membership_free(&fixture->membership);
    snapshot_unref(&fixture->snapshot);
}

/* Steps, and waits as it is told to. */
static int64_t pass(struct fixture *fixture) {
    int64_t wait_ms = membership_step(fixture->membership);
    fake_clock_advance(&fixture->clock, wait_ms);
    return wait_ms;
}

static void test_pages_are_one_list(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {AWS_OK, PAGE_AND(ACTIVE(SECOND), "one")},
        {AWS_OK, PAGE_AND("", "two")}, /* empty, and not the last */
        {AWS_OK, PAGE(ACTIVE(FIRST) "," ACTIVE(SECOND))},
    };
    scoped(fixture_done) struct fixture fixture;
    fixture_start(&fixture, replies, 3, "\"organization\"");
    assert_int_equal(pass(&fixture), 0);
    assert_string_equal(fixture.parameters, "{}");
    assert_int_equal(pass(&fixture), 0);
    assert_string_equal(fixture.parameters, "{\"NextToken\":\"one\"}");
    assert_string_equal(fixture.adopted, "");
    assert_int_equal(pass(&fixture), MEMBERSHIP_EVERY_MS);
    assert_string_equal(fixture.parameters, "{\"NextToken\":\"two\"}");
    assert_string_equal(fixture.adopted, "(" FIRST " " SECOND ")");
}

static void test_only_active_accounts_count_and_each_hour_anew(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {AWS_OK, PAGE(ACTIVE(FIRST) "," ACTIVE(
                     SECOND) ",{\"Id\":\"" THIRD
                             "\",\"Status\":\"ACTIVE\",\"State\":\"PENDING_CLOSURE\"}")},
        {AWS_OK, PAGE("{\"Id\":\"" FIRST "\",\"Status\":\"ACTIVE\"},{\"Id\":\"" SECOND
                      "\",\"Status\":\"SUSPENDED\"}")},
    };
    scoped(fixture_done) struct fixture fixture;
    fixture_start(&fixture, replies, 2, "\"organization\"");
    assert_int_equal(membership_step(fixture.membership), MEMBERSHIP_EVERY_MS);
    fake_clock_advance(&fixture.clock, MEMBERSHIP_EVERY_MS - 1);
    assert_int_equal(membership_step(fixture.membership), 1);
    assert_int_equal(fixture.asked, 1);
    fake_clock_advance(&fixture.clock, 1);
    assert_int_equal(membership_step(fixture.membership), MEMBERSHIP_EVERY_MS);
    assert_string_equal(fixture.adopted, "(" FIRST " " SECOND ")(" FIRST ")");
}

static void test_a_page_that_fails_comes_later(void **state) {
    (void)state;
    static const struct reply replies[] = {
        {AWS_OK, PAGE_AND(ACTIVE(FIRST), "one")}, {AWS_RETRY, NULL}, {AWS_NO_ANSWER, NULL},
        {AWS_OK, PAGE(ACTIVE(SECOND))},           {AWS_RETRY, NULL},
    };
    scoped(fixture_done) struct fixture fixture;
    fixture_start(&fixture, replies, 5, "\"organization\"");
    assert_int_equal(pass(&fixture), 0);
    assert_int_equal(pass(&fixture), 1000);
    assert_int_equal(pass(&fixture), 2000);
    assert_string_equal(fixture.parameters, "{\"NextToken\":\"one\"}");
    assert_int_equal(pass(&fixture), MEMBERSHIP_EVERY_MS);
    assert_string_equal(fixture.adopted, "(" FIRST " " SECOND ")");
    assert_int_equal(pass(&fixture), 1000); /* the last list stays */
    assert_int_equal(fixture.snapshot->settings->aws.accounts.count, 2);
    for (int i = 0; i < 20; i++) {
        assert_true(pass(&fixture) <= MEMBERSHIP_PAUSE_MS);
    }
    assert_string_equal(fixture.adopted, "(" FIRST " " SECOND ")");
}

static const struct reply bad_replies[] = {
    {AWS_REFUSED, NULL},
    {AWS_NOT_SENT, NULL},
    {AWS_OK, "{}"},
    {AWS_OK, PAGE("")},
    {AWS_OK, PAGE("{\"State\":\"ACTIVE\"}")},
    {AWS_OK, PAGE("{\"Id\":\"" FIRST "\",\"State\":\"SUSPENDED\"}")},
};

static void test_what_is_no_list_is_not_adopted(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_replies); i++) {
        scoped(fixture_done) struct fixture fixture;
        fixture_start(&fixture, &bad_replies[i], 1, "\"organization\"");
        assert_int_equal(pass(&fixture), 1000);
        assert_int_equal(pass(&fixture), 2000);
        assert_int_equal(pass(&fixture), 4000);
        assert_string_equal(fixture.parameters, "{}");
        assert_string_equal(fixture.adopted, "");
        assert_true(settings_await_accounts(fixture.snapshot->settings));
    }
}

static void test_pages_without_end_end(void **state) {
    (void)state;
    static const struct reply replies[] = {{AWS_OK, PAGE_AND(ACTIVE(FIRST), "one")}};
    scoped(fixture_done) struct fixture fixture;
    fixture_start(&fixture, replies, 1, "\"organization\"");
    for (int64_t wait_ms = 1000; wait_ms < 10000; wait_ms *= 2) {
        assert_int_equal(pass(&fixture), 0);
        assert_int_equal(pass(&fixture), wait_ms);
    }
    assert_string_equal(fixture.adopted, "");
}

static void test_a_reload_lists_at_once(void **state) {
    (void)state;
    static const struct reply replies[] = {{AWS_OK, PAGE(ACTIVE(FIRST))}};
    scoped(fixture_done) struct fixture fixture;
    fixture_start(&fixture, replies, 1, "\"organization\"");
    assert_int_equal(membership_step(fixture.membership), MEMBERSHIP_EVERY_MS);
    membership_relist(fixture.membership);
    assert_int_equal(membership_step(fixture.membership), MEMBERSHIP_EVERY_MS);
    assert_int_equal(fixture.asked, 2);
}

static void test_nobody_is_asked_in_observe_or_for_a_list(void **state) {
    (void)state;
    static const struct reply replies[] = {{AWS_OK, PAGE(ACTIVE(FIRST))}};
    {
        scoped(fixture_done) struct fixture fixture;
        fixture_start(&fixture, replies, 1, "[\"" FIRST "\"]");
        assert_int_equal(pass(&fixture), MEMBERSHIP_EVERY_MS);
        assert_int_equal(fixture.asked, 0);
    }
    mode = "observe";
    scoped(fixture_done) struct fixture fixture;
    fixture_start(&fixture, replies, 1, "\"organization\"");
    mode = "enforce";
    assert_int_equal(pass(&fixture), MEMBERSHIP_EVERY_MS);
    assert_int_equal(fixture.asked, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages_are_one_list),
        cmocka_unit_test(test_only_active_accounts_count_and_each_hour_anew),
        cmocka_unit_test(test_a_page_that_fails_comes_later),
        cmocka_unit_test(test_what_is_no_list_is_not_adopted),
        cmocka_unit_test(test_pages_without_end_end),
        cmocka_unit_test(test_a_reload_lists_at_once),
        cmocka_unit_test(test_nobody_is_asked_in_observe_or_for_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
