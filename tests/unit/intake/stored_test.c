/* From a POST to a worker's hands and an operator's eyes, with a real journal in between. */
#include "riposte/intake/intake.h"

#include "riposte/base/thread.h"
#include "riposte/inbound/listener.h"
#include "riposte/observe/log.h"
#include "riposte/operate/admin.h"

#include "test_certificate.h"
#include "testing.h"
#include "tls_client.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>

#define SETTINGS    "tests/unit/operate/conf/riposte.json"
#define KEY         "X-Api-Key: the-secret-of-now\r\n"
#define TOKEN       "Authorization: Bearer the-admins-own-token\r\n"
#define QUEUE_LIMIT 100
#define CLIENTS     10
#define ROUNDS      10

static struct snapshot *snapshot;
static struct journal *journal;
static struct recent *recent;
static struct intake *intake;
static struct admin *admin;
static struct listener *events_listener, *admin_listener;

static const char *no_environment(void *arg, const char *name) {
    (void)arg;
    (void)name;
    return NULL;
}

static int set_up_group(void **state) {
    (void)state;
    log_set_sink(open("/dev/null", O_WRONLY | O_CLOEXEC), &clock_system);
    setenv("RIPOSTE_SECRET", "the-secret-of-now", 1);
    setenv("RIPOSTE_TEST_ADMIN", "the-admins-own-token", 1);
    struct findings *findings = findings_new();
    bool is_loaded = snapshot_load(SETTINGS, no_environment, NULL, &snapshot, findings);
    findings_free(&findings);
    assert_true(is_loaded);
    return test_certificate_serve();
}

static int tear_down_group(void **state) {
    (void)state;
    snapshot_unref(&snapshot);
    return 0;
}

static struct listener *start(const char *name, const struct route *routes, size_t count,
                              unsigned threads) {
    struct error error = {0};
    struct listener *listener = NULL;
    const struct listener_options options = {.name = name,
                                             .address = "127.0.0.1",
                                             .routes = routes,
                                             .route_count = count,
                                             .limits = {.threads = threads,
                                                        .connections = 100,
                                                        .memory_bytes = 32u * 1024 * 1024,
                                                        .idle_ms = 20000}};
    assert_ok(listener_start(&options, &listener, &error), &error);
    return listener;
}

static int set_up(void **state) {
    (void)state;
    struct error error = {0};
    struct setup *setup = NULL;
    struct access *access = NULL;
    size_t count = 0;
    const struct journal_options options = {
        .url = "memory:", .clock = &clock_system, .queue_limit = QUEUE_LIMIT, .workers = 2};
    assert_ok(journal_open(&options, &journal, &error), &error);
    recent = recent_new(RECENT_CAPACITY);
    intake = intake_new(
        &(struct intake_options){.journal = journal, .recent = recent, .clock = &clock_system});
    admin = admin_new(
        &(struct admin_options){.journal = journal, .recent = recent, .clock = &clock_system});
    assert_ok(intake_prepare(snapshot, &setup, &error), &error);
    intake_adopt(intake, &setup);
    assert_ok(admin_prepare(snapshot, &access, &error), &error);
    admin_adopt(admin, &access);
    const struct route *routes = intake_routes(intake, &count);
    events_listener = start("intake", routes, count, 3);
    routes = admin_routes(admin, &count);
    admin_listener = start("admin", routes, count, 1);
    return 0;
}

/* In the order of a server that stops. */
static int tear_down(void **state) {
    (void)state;
    listener_stop(&events_listener);
    journal_stop_claims(journal);
    listener_stop(&admin_listener);
    admin_free(&admin);
    intake_free(&intake);
    journal_close(&journal);
    recent_free(&recent);
    return 0;
}

static void fill_event(struct buffer *out, const char *key) {
    buffer_append_format(
        out,
        "{\"id\":\"%s\",\"source\":\"aws.test\",\"detail-type\":\"t\",\"account\":\"1\","
        "\"region\":\"r\",\"time\":\"2026-03-02T09:33:16Z\",\"detail\":{\"eventName\":"
        "\"DeleteBucket\",\"userIdentity\":{\"type\":\"IAMUser\",\"principalId\":\"AIDA1\","
        "\"userName\":\"mallory\"},\"n\":1.50}}",
        key);
}

static unsigned post_event(const char *key) {
    struct buffer body = BUFFER_INIT;
    struct http_answer answer = {0};
    fill_event(&body, key);
    bool is_answered = https_request(listener_port(events_listener), "POST", "/events", KEY,
                                     buffer_text(&body), &answer);
    unsigned status = is_answered ? answer.status : 0;
    http_answer_done(&answer);
    buffer_done(&body);
    return status;
}

static void assert_admin(const char *method, const char *path, unsigned status,
                         const char *fragment) {
    struct http_answer answer = {0};
    assert_true(
        https_request(listener_port(admin_listener), method, path, TOKEN, TEXT(""), &answer));
    if (answer.status != status || strstr(buffer_string(&answer.body), fragment) == NULL) {
        fail_msg("%s %s: expected %u with '%s', got %u: %s", method, path, status, fragment,
                 answer.status, buffer_string(&answer.body));
    }
    http_answer_done(&answer);
}

static void test_an_event_reaches_a_worker_and_an_operator(void **state) {
    (void)state;
    assert_int_equal(post_event("e1"), 202);
    assert_int_equal(post_event("e1"), 200);
    struct journal_task *task = NULL;
    assert_true(journal_claim(journal, 5000, &task));
    assert_int_equal(task->kind, TASK_RESPOND);
    assert_text_equal(task->event_key, "e1");
    assert_text_equal(task->incident.rule, "deleted");
    assert_text_equal(task->incident.subject, "1/AIDA1");
    struct buffer expected = BUFFER_INIT;
    fill_event(&expected, "e1");
    assert_text_equal(blob_text(task->event), buffer_string(&expected));
    buffer_done(&expected);
    struct error error = {0};
    struct definition *definition = NULL;
    assert_ok(definition_read(task->definition, &definition, &error), &error);
    assert_non_null(definition_playbook(definition, TEXT("contain")));
    definition_unref(&definition);

    char path[128];
    char fragment[128];
    snprintf(fragment, sizeof(fragment), "{\"incidents\":[{\"id\":\"%s\",\"rule\":\"deleted\"",
             task->incident.id.text);
    assert_admin("GET", "/v1/incidents", 200, fragment);
    snprintf(path, sizeof(path), "/v1/incidents/%s", task->incident.id.text);
    assert_admin("GET", path, 200, "\"state\":\"detected\"");
    assert_admin("GET", path, 200, "\"n\":1.50}}}"); /* the event as it came */
    assert_admin("GET", path, 200, "\"tasks\":[{");
    snprintf(path, sizeof(path), "/v1/incidents/%s/undo", task->incident.id.text);
    assert_admin("POST", path, 409, "detected");
    assert_admin("GET", "/metrics", 200, "riposte_respond_tasks_not_admitted 1\n");
    assert_admin("GET", "/v1/events/recent", 200, "\"outcome\":\"known\"");
    journal_give_back(journal, 0, &task);
}

/* `things`: JSON. */
static void post_closing(const char *key, const char *things, unsigned status,
                         const char *fragment) {
    struct http_answer answer = {0};
    char body[512];
    snprintf(body, sizeof(body),
             "{\"id\":\"%s\",\"source\":\"aws.test\",\"detail-type\":\"t\",\"account\":\"1\","
             "\"region\":\"r\",\"time\":\"2026-03-02T09:33:16Z\",\"detail\":{\"eventName\":"
             "\"Close\",\"userIdentity\":{\"type\":\"IAMUser\",\"principalId\":\"AIDA1\"}%s}}",
             key, things);
    assert_true(https_request(listener_port(events_listener), "POST", "/events", KEY, text_of(body),
                              &answer));
    if (answer.status != status || strstr(buffer_string(&answer.body), fragment) == NULL) {
        fail_msg("%s: expected %u with '%s', got %u: %s", key, status, fragment, answer.status,
                 buffer_string(&answer.body));
    }
    http_answer_done(&answer);
}

static void test_a_threshold_is_reached_by_several_events(void **state) {
    (void)state;
    post_closing("c1", ",\"things\":[\"a\",\"b\",\"a\"]", 202, "\"incidents\":[]");
    post_closing("c1", ",\"things\":[\"a\",\"b\"]", 200, "\"known\":true");
    assert_admin("GET", "/v1/events/recent", 200, "\"outcome\":\"counted\"");
    post_closing("c2", "", 200, "\"incidents\":[]"); /* nothing to count */
    post_closing("c3", ",\"things\":\"c\"", 202, "\"rule\":\"many\"");
    struct journal_task *task = NULL;
    assert_true(journal_claim(journal, 5000, &task));
    assert_text_equal(task->event_key, "c3");
    journal_give_back(journal, 0, &task);
    assert_admin("GET", "/metrics", 200, "riposte_rule_matches_total{rule=\"many\"} 1\n");
}

static void run_client(void *arg) {
    atomic_int *accepted = arg;
    static atomic_int next_key;
    for (int i = 0; i < ROUNDS; i++) {
        char key[32];
        snprintf(key, sizeof(key), "key-%d", atomic_fetch_add(&next_key, 1));
        atomic_fetch_add(accepted, post_event(key) == 202);
    }
}

/* A client has its answer a moment before the request stops being pending: see request_answer(). */
static bool gets_idle(const struct listener *listener) {
    for (int waited_ms = 0; listener_pending(listener) > 0 && waited_ms < 2000; waited_ms++) {
        clock_sleep_ms(1);
    }
    return listener_pending(listener) == 0;
}

static void test_many_at_once_and_then_one_too_many(void **state) {
    (void)state;
    struct thread clients[CLIENTS] = {0};
    struct error error = {0};
    atomic_int accepted = 0;
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_ok(thread_start(&clients[i], "client", run_client, &accepted, &error), &error);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        thread_join(&clients[i]);
    }
    assert_int_equal(atomic_load(&accepted), CLIENTS * ROUNDS);
    struct journal_numbers numbers = {0};
    journal_numbers(journal, &numbers);
    assert_int_equal(numbers.not_admitted, QUEUE_LIMIT);
    assert_int_equal(post_event("one too many"), 429);
    assert_true(gets_idle(events_listener));
}

#define with_both(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_both(test_an_event_reaches_a_worker_and_an_operator),
        with_both(test_a_threshold_is_reached_by_several_events),
        with_both(test_many_at_once_and_then_one_too_many),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
