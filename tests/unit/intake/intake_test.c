#include "riposte/intake/intake.h"

#include "riposte/base/memory.h"
#include "riposte/base/thread.h"
#include "riposte/crypto/sha256.h"
#include "riposte/inbound/listener.h"
#include "riposte/observe/log.h"

#include "fake_journal.h"
#include "test_certificate.h"
#include "testing.h"
#include "tls_client.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define SETTINGS "tests/unit/intake/conf/riposte.json"
#define SECRET   "the-secret-of-now"
#define NEXT     "the-secret-of-tomorrow"
#define NOW_MS   1772444000000 /* 2026-03-02T09:33:20Z */
#define KEY      "X-Test-Key: " SECRET "\r\n"
#define THREADS  8
#define ROUNDS   8

static struct fake_clock now;
static struct journal *journal;
static struct recent *recent;
static struct snapshot *snapshot;
static struct intake *intake;
static struct listener *listener;

static const char *no_environment(void *arg, const char *name) {
    (void)arg;
    (void)name;
    return NULL;
}

static void load_snapshot(void) {
    struct findings *findings = findings_new();
    bool is_loaded = snapshot_load(SETTINGS, no_environment, NULL, &snapshot, findings);
    struct buffer lines = BUFFER_INIT;
    findings_print(findings, &lines);
    if (!is_loaded) {
        fail_msg("%s", buffer_string(&lines));
    }
    buffer_done(&lines);
    findings_free(&findings);
}

static int set_up_group(void **state) {
    (void)state;
    log_set_sink(open("/dev/null", O_WRONLY | O_CLOEXEC), &clock_system);
    fake_clock_init(&now, NOW_MS);
    load_snapshot();
    return test_certificate_serve();
}

static int tear_down_group(void **state) {
    (void)state;
    snapshot_unref(&snapshot);
    return 0;
}

static void adopt(struct snapshot *next) {
    struct error error = {0};
    struct setup *setup = NULL;
    assert_ok(intake_prepare(next, &setup, &error), &error);
    intake_adopt(intake, &setup);
    assert_null(setup);
}

static int set_up(void **state) {
    (void)state;
    struct error error = {0};
    setenv("RIPOSTE_TEST_SECRET", SECRET, 1);
    setenv("RIPOSTE_TEST_SECRET_NEXT", NEXT, 1);
    journal = fake_journal_new();
    recent = recent_new(RECENT_CAPACITY);
    intake = intake_new(
        &(struct intake_options){.journal = journal, .recent = recent, .clock = &now.clock});
    adopt(snapshot);
    struct listener_options options = {
        .name = "intake",
        .address = "127.0.0.1",
        .limits = {
            .threads = 3, .connections = 100, .memory_bytes = 32u * 1024 * 1024, .idle_ms = 20000}};
    options.routes = intake_routes(intake, &options.route_count);
    assert_ok(listener_start(&options, &listener, &error), &error);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    listener_stop(&listener);
    assert_int_equal(intake_pending(intake), 0);
    intake_free(&intake);
    recent_free(&recent);
    fake_journal_free(&journal);
    return 0;
}

/* ---- events and answers -------------------------------------------------------------------------
 */

#define IDENTITY                                                                    \
    "{\"type\":\"IAMUser\",\"principalId\":\"AIDAEXAMPLE\",\"arn\":\"arn:aws:iam::" \
    "123456789012:user/mallory\",\"accountId\":\"123456789012\",\"userName\":\"mallory\"}"
#define EVENT_WITH(key, name, parameters, identity, more)                                        \
    "{\"version\":\"0\",\"id\":\"envelope\",\"detail-type\":\"AWS API Call via CloudTrail\","    \
    "\"source\":\"aws.test\",\"account\":\"123456789012\",\"time\":\"2026-03-02T09:33:16Z\","    \
    "\"region\":\"eu-west-1\"," more "\"detail\":{\"eventID\":\"" key "\",\"eventName\":\"" name \
    "\",\"requestParameters\":" parameters ",\"userIdentity\":" identity "}}"
#define EVENT(key, name) EVENT_WITH(key, name, "{\"table\":\"orders\"}", IDENTITY, "")

#define CALM    EVENT("calm-1", "DescribeTable")
#define HARMFUL EVENT("harm-1", "DeleteBucket")
#define TABLE   EVENT("table-1", "DeleteTable")

struct outcome {
    unsigned status;
    char body[16384];
    char retry_after[16];
};

static struct outcome outcome_of(struct http_answer *answer) {
    struct outcome outcome = {.status = answer->status};
    snprintf(outcome.body, sizeof(outcome.body), "%s", buffer_string(&answer->body));
    snprintf(outcome.retry_after, sizeof(outcome.retry_after), "%.*s",
             TEXT_ARG(http_answer_header(answer, "Retry-After")));
    http_answer_done(answer);
    return outcome;
}

static struct outcome request(const char *method, const char *path, const char *headers,
                              struct text body) {
    struct http_answer answer = {0};
    assert_true(https_request(listener_port(listener), method, path, headers, body, &answer));
    return outcome_of(&answer);
}

static struct outcome post(const char *body) {
    return request("POST", "/in", KEY, text_of(body));
}

static void assert_outcome(struct outcome outcome, unsigned status, const char *fragment) {
    if (outcome.status != status || strstr(outcome.body, fragment) == NULL) {
        testing_say_row();
        fail_msg("expected %u with '%s', got %u: %s", status, fragment, outcome.status,
                 outcome.body);
    }
}

static struct recent_event newest(void) {
    struct recent_event event = {0};
    assert_int_equal(recent_copy(recent, &event, 1), 1);
    return event;
}

/* ---- one event ----------------------------------------------------------------------------------
 */

/* The test's clock stands still; what the request took since its first line goes off. */
static void assert_received(int64_t received_unix_ms) {
    assert_in_range(NOW_MS - received_unix_ms, 0, 2000);
}

static void test_an_event_that_matches_nothing(void **state) {
    (void)state;
    assert_outcome(post(CALM), 200, "{\"event\":\"calm-1\",\"incidents\":[]}");
    assert_int_equal(fake_journal_event_count(journal), 0);
    struct recent_event event = newest();
    assert_string_equal(event.key, "calm-1");
    assert_string_equal(event.event_name, "DescribeTable");
    assert_string_equal(event.outcome, "no-match");
    assert_received(event.received_unix_ms);
}

/* The client of a request that waits for its commit. */
static struct tls_client *post_without_waiting(const char *body) {
    struct tls_client *client = tls_client_open(listener_port(listener));
    assert_non_null(client);
    struct buffer text = BUFFER_INIT;
    buffer_append_format(&text,
                         "POST /in HTTP/1.1\r\nHost: x\r\n" KEY "Content-Length: %zu\r\n\r\n%s",
                         strlen(body), body);
    assert_true(tls_client_send(client, buffer_text(&text)));
    buffer_done(&text);
    return client;
}

static void test_a_match_is_answered_after_its_commit(void **state) {
    (void)state;
    fake_journal_hold(journal);
    struct tls_client *client = post_without_waiting(HARMFUL);
    while (fake_journal_event_count(journal) == 0) {
        clock_sleep_ms(1);
    }
    assert_int_equal(intake_pending(intake), 1);
    struct recent_event none = {0};
    assert_int_equal(recent_copy(recent, &none, 1), 0); /* nothing is said before it is stored */
    fake_journal_commit(journal, 1);
    struct http_answer answer = {0};
    assert_true(tls_client_read(client, true, &answer));
    struct outcome outcome = outcome_of(&answer);
    const struct fake_event *event = fake_journal_event(journal, 0);
    char expected[256];
    snprintf(expected, sizeof(expected),
             "{\"event\":\"harm-1\",\"incidents\":[{\"id\":\"%s\",\"rule\":\"deleted\"}]}",
             event->incidents[0].id.text);
    assert_outcome(outcome, 202, expected);
    tls_client_close(&client);
    assert_string_equal(newest().outcome, "matched");
    assert_string_equal(newest().rules, "deleted");
}

static void test_what_is_stored(void **state) {
    (void)state;
    assert_outcome(post(" " TABLE "\n"), 202, "table-1");
    assert_int_equal(fake_journal_event_count(journal), 1);
    const struct fake_event *event = fake_journal_event(journal, 0);
    assert_string_equal(event->key, "table-1");
    assert_string_equal(event->body, " " TABLE "\n");
    assert_received(event->received_unix_ms);
    assert_int_equal(event->event_unix_ms, NOW_MS - 4000);
    assert_int_equal(event->incident_count, 2);
    const struct fake_incident *first = &event->incidents[0];
    const struct fake_incident *second = &event->incidents[1];
    if (strcmp(first->rule, "deleted") != 0) {
        first = second;
        second = &event->incidents[0];
    }
    assert_string_equal(first->rule, "deleted");
    assert_string_equal(first->subject, "123456789012/AIDAEXAMPLE");
    assert_string_equal(first->severity, "high");
    assert_int_equal(first->mode, MODE_ENFORCE);
    assert_string_equal(first->principal_id, "123456789012/AIDAEXAMPLE");
    assert_string_equal(first->principal_name, "mallory");
    assert_string_equal(first->account, "123456789012");
    assert_string_equal(first->region, "eu-west-1");
    assert_int_equal(ulid_unix_ms(&first->id), NOW_MS);
    assert_string_equal(second->rule, "deleted-table");
    assert_string_equal(second->subject, "table/orders");
    assert_int_equal(second->mode, MODE_OBSERVE); /* the rule's, milder than the settings' */
    assert_string_not_equal(first->id.text, second->id.text);
    uint8_t hash[SHA256_BYTES];
    sha256(text_of(first->definition), hash);
    assert_memory_equal(first->hash, hash, sizeof(hash));
    assert_non_null(strstr(first->definition, "\"contain\""));
}

static void test_a_known_event_does_nothing(void **state) {
    (void)state;
    assert_outcome(post(HARMFUL), 202, "deleted");
    assert_outcome(post(HARMFUL), 200, "{\"event\":\"harm-1\",\"known\":true,\"incidents\":[]}");
    assert_int_equal(fake_journal_event_count(journal), 1);
    assert_string_equal(newest().outcome, "known");
}

#define KEY_OF(key, parameters) EVENT_WITH(key, "CreateAccessKey", parameters, IDENTITY, "")

static void test_where_decides_what_fires(void **state) {
    (void)state;
    const char *const nothing = "\"incidents\":[]";
    assert_outcome(post(KEY_OF("w-1", "{\"userName\":\"mallory\"}")), 200, nothing);
    assert_outcome(post(KEY_OF("w-2", "{}")), 200, nothing);
    assert_outcome(post(KEY_OF("w-3", "{\"userName\":\"a\",\"userName\":\"b\"}")), 200, nothing);
    assert_outcome(post(KEY_OF("w-4", "{\"userName\":\"alice\"}")), 202,
                   "\"rule\":\"key-of-another\"");
    assert_int_equal(fake_journal_event_count(journal), 1);
    assert_string_equal(fake_journal_event(journal, 0)->incidents[0].subject, "user/alice");
}

static void test_a_subject_that_is_missing_is_the_principal(void **state) {
    (void)state;
    assert_outcome(post(EVENT_WITH("t-2", "DeleteTable", "{}", IDENTITY, "")), 202,
                   "deleted-table");
    const struct fake_event *event = fake_journal_event(journal, 0);
    assert_int_equal(event->incident_count, 2);
    assert_string_equal(event->incidents[0].subject, "123456789012/AIDAEXAMPLE");
    assert_string_equal(event->incidents[1].subject, "123456789012/AIDAEXAMPLE");
}

static void test_an_event_cannot_say_who_its_principal_is(void **state) {
    (void)state;
    assert_outcome(post(EVENT_WITH("p-1", "DeleteTable", "{\"table\":\"t\"}",
                                   "{\"type\":\"Root\",\"principalId\":\"123456789012\"}",
                                   "\"principal\":{\"kind\":\"user\"},")),
                   202, "deleted");
    assert_int_equal(fake_journal_event(journal, 0)->incident_count, 1);
    assert_string_equal(fake_journal_event(journal, 0)->incidents[0].rule, "deleted");
}

/* ---- arrays -------------------------------------------------------------------------------------
 */

static void test_an_array_of_all_kinds(void **state) {
    (void)state;
    assert_outcome(post(HARMFUL), 202, "");
    struct outcome outcome = post("[" CALM ", " TABLE " ," HARMFUL "]");
    assert_outcome(outcome, 202,
                   "{\"events\":[{\"event\":\"calm-1\",\"incidents\":[]},"
                   "{\"event\":\"table-1\",\"incidents\":[{\"id\":\"");
    assert_outcome(outcome, 202, "{\"event\":\"harm-1\",\"known\":true,\"incidents\":[]}]}");
    assert_int_equal(fake_journal_event_count(journal), 2);
    assert_string_equal(fake_journal_event(journal, 1)->key, "table-1");
    assert_text_equal(text_trim(text_of(fake_journal_event(journal, 1)->body)), TABLE);
}

static void test_an_array_without_news(void **state) {
    (void)state;
    assert_outcome(post("[]"), 200, "{\"events\":[]}");
    assert_outcome(post("[" CALM "]"), 200,
                   "{\"events\":[{\"event\":\"calm-1\",\"incidents\":[]}]}");
    assert_outcome(post("[" HARMFUL "]"), 202, "{\"events\":[{\"event\":\"harm-1\"");
    assert_outcome(post("[" HARMFUL "," CALM "]"), 200, "\"known\":true");
    assert_int_equal(fake_journal_event_count(journal), 1);
}

static void test_an_invalid_element_stores_nothing(void **state) {
    (void)state;
    assert_outcome(post("[" HARMFUL ",{\"id\":\"x\"}]"), 400, "event 1: ");
    assert_outcome(post("[" HARMFUL "," CALM ",17]"), 400, "event 2: ");
    assert_outcome(post("[" HARMFUL "," CALM), 400, "array");
    assert_int_equal(fake_journal_event_count(journal), 0);
}

/* What a scan unescaped is gone with the next event's scan. */
static void test_escaped_texts_of_an_array_stay(void **state) {
    (void)state;
    struct outcome outcome = post(
        "[" EVENT_WITH("\\u0041-1", "Delete\\u0041", "{}",
                       "{\"type\":\"IAMUser\",\"principalId\":\"\\u0041IDA1\","
                       "\"userName\":\"\\u0041lice\"}",
                       "") "," EVENT_WITH("\\u0042-2", "Delete\\u0042", "{}",
                                          "{\"type\":\"IAMUser\",\"principalId\":\"\\u0042IDA2\","
                                          "\"userName\":\"\\u0042ob\"}",
                                          "") "]");
    assert_outcome(outcome, 202, "\"event\":\"A-1\"");
    assert_outcome(outcome, 202, "\"event\":\"B-2\"");
    assert_string_equal(fake_journal_event(journal, 0)->key, "A-1");
    assert_string_equal(fake_journal_event(journal, 0)->incidents[0].subject, "123456789012/AIDA1");
    assert_string_equal(fake_journal_event(journal, 0)->incidents[0].principal_name, "Alice");
    assert_string_equal(fake_journal_event(journal, 1)->incidents[0].subject, "123456789012/BIDA2");
    struct recent_event events[2];
    assert_int_equal(recent_copy(recent, events, 2), 2);
    assert_string_equal(events[1].event_name, "DeleteA");
}

static void test_a_thousand_events(void **state) {
    (void)state;
    struct buffer body = BUFFER_INIT;
    for (int i = 0; i < INTAKE_EVENTS_MAX; i++) {
        buffer_append_string(&body, i == 0 ? "[" CALM : "," CALM);
    }
    size_t bytes = body.bytes;
    buffer_append_string(&body, "]");
    assert_outcome(request("POST", "/in", KEY, buffer_text(&body)), 200, "{\"events\":[");
    buffer_truncate(&body, bytes);
    buffer_append_string(&body, "," CALM "]");
    assert_outcome(request("POST", "/in", KEY, buffer_text(&body)), 400, "over 1000 events");
    buffer_done(&body);
}

/* ---- what is wrong ------------------------------------------------------------------------------
 */

static void test_bodies_that_are_no_event(void **state) {
    (void)state;
    static const struct {
        const char *body, *what;
    } rows[] = {
        {"", "empty"},
        {" ", "empty"},
        {"nonsense", "byte 0"},
        {"{\"id\":", "byte "},
        {"17", "byte "},
        {"{}", "missing"},
        {"{\"id\":\"\x80\"}", "byte "},
        {CALM "x", "byte "},
        {"{\"id\":\"1\",\"source\":\"s\",\"detail-type\":\"t\",\"account\":\"a\",\"region\":\"r\","
         "\"time\":\"2026-03-02T09:33:16Z\"}",
         "detail: missing"},
        {"{\"source\":\"s\",\"detail-type\":\"t\",\"account\":\"a\",\"region\":\"r\","
         "\"time\":\"2026-03-02T09:33:16Z\",\"detail\":{}}",
         "neither detail.eventID nor id"},
        {EVENT_WITH("k", "n", "{}", IDENTITY, "\"account\":\"1\","), "account"},
        {EVENT_WITH("k\",\"eventID\":\"l", "n", "{}", IDENTITY, ""), "eventID"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].body);
        assert_outcome(post(rows[i].body), 400, rows[i].what);
    }
    assert_int_equal(fake_journal_event_count(journal), 0);
}

static void test_a_deep_body(void **state) {
    (void)state;
    struct buffer body = BUFFER_INIT;
    buffer_append_string(&body, "{\"a\":");
    for (int i = 0; i < 100000; i++) {
        buffer_append_char(&body, '[');
    }
    assert_outcome(request("POST", "/in", KEY, buffer_text(&body)), 400, "deep");
    buffer_done(&body);
}

static void test_a_body_over_the_limit(void **state) {
    (void)state;
    char *body = memory_new(INTAKE_BODY_BYTES + 1);
    memset(body, ' ', INTAKE_BODY_BYTES + 1);
    assert_outcome(request("POST", "/in", KEY, (struct text){body, INTAKE_BODY_BYTES}), 400,
                   "empty");
    assert_outcome(request("POST", "/in", KEY, (struct text){body, INTAKE_BODY_BYTES + 1}), 413,
                   "too large");
    free(body);
}

static void test_who_may_send(void **state) {
    (void)state;
    static const struct {
        const char *headers;
        unsigned status;
    } rows[] = {
        {KEY, 200},
        {"x-test-key: " NEXT "\r\n", 200},
        {"", 401},
        {"X-Test-Key: \r\n", 401},
        {"X-Test-Key: wrong\r\n", 401},
        {"X-Test-Key: " SECRET "x\r\n", 401},
        {"X-Test-Key: the-secret-of-no\r\n", 401},
        {"X-Api-Key: " SECRET "\r\n", 401},
        {KEY KEY, 401},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].headers);
        assert_outcome(request("POST", "/in", rows[i].headers, TEXT(CALM)), rows[i].status, "");
    }
    char *long_key = memory_new(9000);
    memset(long_key, 'k', 8999);
    memcpy(long_key, "X-Test-Key: ", 12);
    memcpy(long_key + 8997, "\r\n", 2);
    assert_outcome(request("POST", "/in", long_key, TEXT(CALM)), 401, "missing or wrong secret");
    free(long_key);
}

static void test_paths_and_methods(void **state) {
    (void)state;
    assert_outcome(request("GET", "/in", KEY, TEXT("")), 405, "");
    assert_outcome(request("PUT", "/in", KEY, TEXT(CALM)), 405, "");
    assert_outcome(request("POST", "/events", KEY, TEXT(CALM)), 404, "");
    assert_outcome(request("POST", "/healthz", KEY, TEXT(CALM)), 405, "");
}

static void test_when_the_journal_cannot(void **state) {
    (void)state;
    static const struct {
        enum error_code code;
        unsigned status;
    } rows[] = {{ERROR_LIMIT, 429}, {ERROR_SYSTEM, 503}, {ERROR_BUSY, 503}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        fake_journal_fail(journal, rows[i].code);
        struct outcome outcome = post(HARMFUL);
        assert_outcome(outcome, rows[i].status, "error");
        assert_string_equal(outcome.retry_after, "5");
        assert_outcome(post(CALM), 200, "calm-1"); /* needs no journal */
    }
    fake_journal_fail(journal, ERROR_NONE);
    assert_outcome(post(HARMFUL), 202, "deleted");
}

static void test_health(void **state) {
    (void)state;
    assert_outcome(request("GET", "/healthz", "", TEXT("")), 200, "alive");
    assert_outcome(request("GET", "/readyz", "", TEXT("")), 200, "ready");
    fake_journal_set_ready(journal, false);
    assert_outcome(request("GET", "/readyz", "", TEXT("")), 503, "commit");
    assert_outcome(request("GET", "/healthz", "", TEXT("")), 200, "alive");
    fake_journal_set_ready(journal, true);
    intake_unready(intake);
    assert_outcome(request("GET", "/readyz", "", TEXT("")), 503, "stopping");
    assert_outcome(post(HARMFUL), 202, "deleted"); /* still taken */
}

/* ---- reload and load ----------------------------------------------------------------------------
 */

static void test_secrets_are_replaced(void **state) {
    (void)state;
    struct error error = {0};
    struct setup *setup = NULL;
    assert_outcome(post(CALM), 200, "");
    setenv("RIPOSTE_TEST_SECRET", "another-secret-of-now", 1);
    adopt(snapshot);
    assert_outcome(post(CALM), 401, "");
    assert_outcome(request("POST", "/in", "X-Test-Key: another-secret-of-now\r\n", TEXT(CALM)), 200,
                   "");
    setenv("RIPOSTE_TEST_SECRET", "short", 1);
    unsetenv("RIPOSTE_TEST_SECRET_NEXT");
    assert_fails(intake_prepare(snapshot, &setup, &error), &error, ERROR_INVALID,
                 "env:RIPOSTE_TEST_SECRET, env:RIPOSTE_TEST_SECRET_NEXT");
    assert_outcome(request("POST", "/in", "X-Test-Key: another-secret-of-now\r\n", TEXT(CALM)), 200,
                   "");
    assert_outcome(request("POST", "/in", "X-Test-Key: short\r\n", TEXT(CALM)), 401, "");
}

static void run_client(void *arg) {
    atomic_int *failures = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct http_answer answer = {0};
        bool is_fine = https_request(listener_port(listener), "POST", "/in", KEY,
                                     i % 2 == 0 ? TEXT("[" CALM "," HARMFUL "," TABLE "]")
                                                : TEXT(CALM),
                                     &answer) &&
                       (answer.status == 200 || answer.status == 202);
        atomic_fetch_add(failures, is_fine ? 0 : 1);
        http_answer_done(&answer);
    }
}

static void run_committer(void *arg) {
    const atomic_bool *is_over = arg;
    while (!atomic_load(is_over)) {
        fake_journal_commit(journal, 0);
        clock_sleep_ms(1);
    }
}

static void test_many_at_once_while_rules_are_replaced(void **state) {
    (void)state;
    struct thread clients[THREADS] = {0};
    struct thread committer = {0};
    struct error error = {0};
    atomic_int failures = 0;
    atomic_bool is_over = false;
    fake_journal_hold(journal);
    assert_ok(thread_start(&committer, "committer", run_committer, &is_over, &error), &error);
    for (size_t i = 0; i < THREADS; i++) {
        assert_ok(thread_start(&clients[i], "client", run_client, &failures, &error), &error);
    }
    for (size_t i = 0; i < 20; i++) {
        adopt(snapshot);
    }
    for (size_t i = 0; i < THREADS; i++) {
        thread_join(&clients[i]);
    }
    atomic_store(&is_over, true);
    thread_join(&committer);
    assert_int_equal(atomic_load(&failures), 0);
    assert_int_equal(fake_journal_event_count(journal), 2);
}

#define with_intake(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_intake(test_an_event_that_matches_nothing),
        with_intake(test_a_match_is_answered_after_its_commit),
        with_intake(test_what_is_stored),
        with_intake(test_a_known_event_does_nothing),
        with_intake(test_where_decides_what_fires),
        with_intake(test_a_subject_that_is_missing_is_the_principal),
        with_intake(test_an_event_cannot_say_who_its_principal_is),
        with_intake(test_an_array_of_all_kinds),
        with_intake(test_an_array_without_news),
        with_intake(test_an_invalid_element_stores_nothing),
        with_intake(test_escaped_texts_of_an_array_stay),
        with_intake(test_a_thousand_events),
        with_intake(test_bodies_that_are_no_event),
        with_intake(test_a_deep_body),
        with_intake(test_a_body_over_the_limit),
        with_intake(test_who_may_send),
        with_intake(test_paths_and_methods),
        with_intake(test_when_the_journal_cannot),
        with_intake(test_health),
        with_intake(test_secrets_are_replaced),
        with_intake(test_many_at_once_while_rules_are_replaced),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
