/* acknowledge: responded. A POST is answered when its incidents are settled, or late. */
#include "riposte/intake/intake.h"

#include "riposte/base/thread.h"
#include "riposte/inbound/listener.h"
#include "riposte/observe/log.h"

#include "test_certificate.h"
#include "testing.h"
#include "tls_client.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>

#define SETTINGS   "tests/unit/operate/conf/riposte.json"
#define KEY        "X-Api-Key: the-secret-of-now\r\n"
#define LATE_MS    100
#define PATIENT_MS 60000 /* the test would fail by its time limit */

static struct snapshot *snapshot;
static struct journal *journal;
static struct recent *recent;
static struct intake *intake;
static struct listener *listener;

static const char *environment(void *arg, const char *name) {
    (void)arg;
    return strcmp(name, "RIPOSTE_ACKNOWLEDGE") == 0 ? "responded" : NULL;
}

static int set_up_group(void **state) {
    (void)state;
    log_set_sink(open("/dev/null", O_WRONLY | O_CLOEXEC), &clock_system);
    setenv("RIPOSTE_SECRET", "the-secret-of-now", 1);
    struct findings *findings = findings_new();
    bool is_loaded = snapshot_load(SETTINGS, environment, NULL, &snapshot, findings);
    findings_free(&findings);
    assert_true(is_loaded);
    return test_certificate_serve();
}

static int tear_down_group(void **state) {
    (void)state;
    snapshot_unref(&snapshot);
    return 0;
}

static void start(int64_t hold_ms) {
    struct error error = {0};
    struct setup *setup = NULL;
    const struct journal_options options = {
        .url = "memory:", .clock = &clock_system, .queue_limit = 1, .workers = 2};
    assert_ok(journal_open(&options, &journal, &error), &error);
    recent = recent_new(RECENT_CAPACITY);
    intake = intake_new(&(struct intake_options){
        .journal = journal, .recent = recent, .clock = &clock_system, .hold_ms = hold_ms});
    assert_ok(intake_prepare(snapshot, &setup, &error), &error);
    intake_adopt(intake, &setup);
    struct listener_options listening = {
        .name = "intake",
        .address = "127.0.0.1",
        .limits = {
            .threads = 2, .connections = 100, .memory_bytes = 32u * 1024 * 1024, .idle_ms = 20000}};
    listening.routes = intake_routes(intake, &listening.route_count);
    assert_ok(listener_start(&listening, &listener, &error), &error);
}

static int tear_down(void **state) {
    (void)state;
    listener_stop(&listener);
    journal_stop_claims(journal);
    intake_free(&intake);
    journal_close(&journal);
    recent_free(&recent);
    return 0;
}

/* ---- a client ---- */

struct client {
    struct thread thread;
    const char *key;
    unsigned status;
    atomic_bool is_answered;
};

static void post(void *arg) {
    struct client *client = arg;
    struct http_answer answer = {0};
    char body[512];
    snprintf(body, sizeof(body),
             "{\"id\":\"%s\",\"source\":\"aws.test\",\"detail-type\":\"t\",\"account\":\"1\","
             "\"region\":\"r\",\"time\":\"2026-03-02T09:33:16Z\",\"detail\":{\"eventName\":"
             "\"DeleteBucket\",\"userIdentity\":{\"type\":\"IAMUser\",\"principalId\":\"AIDA1\","
             "\"userName\":\"mallory\"}}}",
             client->key);
    if (https_request(listener_port(listener), "POST", "/events", KEY, text_of(body), &answer)) {
        client->status = answer.status;
    }
    atomic_store(&client->is_answered, true);
    http_answer_done(&answer);
}

static void begin(struct client *client, const char *key) {
    struct error error = {0};
    client->key = key;
    assert_ok(thread_start(&client->thread, "client", post, client, &error), &error);
}

static unsigned status_of(struct client *client) {
    thread_join(&client->thread);
    return client->status;
}

static unsigned answer_to(const char *key) {
    struct client client = {.key = key};
    post(&client);
    return client.status;
}

/* ---- a worker ---- */

static struct journal_task *claim(void) {
    struct journal_task *task = NULL;
    assert_true(journal_claim(journal, 5000, &task));
    return task;
}

/* Decides the incident; what is to be done for it next, if anything. */
static struct journal_task *admit(enum admit_proposal proposal) {
    struct error error = {0};
    struct journal_task *task = claim();
    const struct journal_new_task contain = {
        .kind = TASK_PLAYBOOK, .playbook = TEXT("contain"), .acts_on_principal = true};
    const struct journal_admission admission = {
        .proposal = proposal, .reason = TEXT("as told"), .tasks = &contain, .task_count = 1};
    struct journal_admitted admitted = {0};
    assert_ok(journal_admit(journal, task, &admission, &admitted, &error), &error);
    struct journal_task *next = admitted.next;
    admitted.next = NULL;
    journal_admitted_done(&admitted);
    journal_task_free(&task);
    return next;
}

static void end(struct journal_task *task, enum incident_state state) {
    struct error error = {0};
    struct journal_write *write = journal_write_new(task);
    journal_write_state(write, state, TEXT("as told"));
    journal_write_finish(write);
    assert_ok(journal_write_commit(journal, write, &error), &error);
    journal_write_free(&write);
    journal_task_free(&task);
}

/* ---- the tests ---- */

static void test_an_answer_comes_when_the_response_is_over(void **state) {
    (void)state;
    static const enum incident_state ends[] = {INCIDENT_DONE, INCIDENT_FAILED, INCIDENT_HELD};
    start(PATIENT_MS);
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        const char *const keys[] = {"done", "failed", "held"};
        struct client client = {0};
        begin(&client, keys[i]);
        struct journal_task *task = admit(ADMIT_RESPOND);
        assert_non_null(task);
        assert_false(atomic_load(&client.is_answered));
        end(task, ends[i]);
        assert_int_equal(status_of(&client), 202);
    }
}

static void test_an_answer_comes_with_a_verdict_that_does_nothing(void **state) {
    (void)state;
    static const enum admit_proposal proposals[] = {ADMIT_SUPPRESS, ADMIT_OBSERVE, ADMIT_HOLD};
    start(PATIENT_MS);
    for (size_t i = 0; i < ARRAY_COUNT(proposals); i++) {
        const char *const keys[] = {"suppressed", "observed", "held"};
        struct client client = {0};
        begin(&client, keys[i]);
        assert_null(admit(proposals[i]));
        assert_int_equal(status_of(&client), 202);
    }
}

static void test_who_has_nothing_to_wait_for_has_its_answer_at_once(void **state) {
    (void)state;
    start(PATIENT_MS);
    struct client client = {0};
    begin(&client, "first");
    struct journal_task *task = claim();
    assert_int_equal(answer_to("first"), 200); /* known */
    assert_int_equal(answer_to("one more than the queue takes"), 429);
    journal_give_back(journal, 0, &task);
    assert_null(admit(ADMIT_SUPPRESS));
    assert_int_equal(status_of(&client), 202);
}

static void test_an_answer_comes_in_time_all_the_same(void **state) {
    (void)state;
    start(LATE_MS);
    int64_t before_ms = clock_mono_ms(&clock_system);
    assert_int_equal(answer_to("late"), 202);
    assert_true(clock_mono_ms(&clock_system) - before_ms >= LATE_MS);
    end(admit(ADMIT_RESPOND), INCIDENT_DONE); /* nobody waits any more */
}

static void test_a_server_that_stops_holds_no_answer(void **state) {
    (void)state;
    start(PATIENT_MS);
    struct client client = {0};
    begin(&client, "before");
    struct journal_task *task = admit(ADMIT_RESPOND);
    assert_false(atomic_load(&client.is_answered));
    intake_release(intake);
    assert_int_equal(status_of(&client), 202);
    assert_int_equal(answer_to("after"), 202);
    end(task, INCIDENT_DONE);
}

#define with_it(test) cmocka_unit_test_teardown(test, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_it(test_an_answer_comes_when_the_response_is_over),
        with_it(test_an_answer_comes_with_a_verdict_that_does_nothing),
        with_it(test_who_has_nothing_to_wait_for_has_its_answer_at_once),
        with_it(test_an_answer_comes_in_time_all_the_same),
        with_it(test_a_server_that_stops_holds_no_answer),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
