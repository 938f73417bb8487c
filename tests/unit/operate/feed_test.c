/* GET /v1/stream: the audit chain as it grows, with a real journal behind it. */
#include "riposte/inbound/listener.h"
#include "riposte/observe/log.h"
#include "riposte/operate/admin.h"

#include "operate/feed.h"
#include "test_certificate.h"
#include "testing.h"
#include "tls_client.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>

#define SETTINGS  "tests/unit/operate/conf/riposte.json"
#define LONG_ONES 400
#define VIEW      "Authorization: Bearer the-watchers-token\r\n"

static struct snapshot *snapshot;
static struct journal *journal;
static struct recent *recent;
static struct admin *admin;
static struct listener *listener;

static const char *no_environment(void *arg, const char *name) {
    (void)arg;
    (void)name;
    return NULL;
}

static int set_up_group(void **state) {
    (void)state;
    log_set_sink(open("/dev/null", O_WRONLY | O_CLOEXEC), &clock_system);
    setenv("RIPOSTE_TEST_VIEW", "the-watchers-token", 1);
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

static void adopt(void) {
    struct error error = {0};
    struct access *access = NULL;
    assert_ok(admin_prepare(snapshot, &access, &error), &error);
    admin_adopt(admin, &access);
}

static int set_up(void **state) {
    (void)state;
    struct error error = {0};
    const struct journal_options options = {
        .url = "memory:", .clock = &clock_system, .queue_limit = 1000, .workers = 2};
    assert_ok(journal_open(&options, &journal, &error), &error);
    recent = recent_new(RECENT_CAPACITY);
    admin = admin_new(
        &(struct admin_options){.journal = journal, .recent = recent, .clock = &clock_system});
    adopt();
    struct listener_options listening = {
        .name = "admin",
        .address = "127.0.0.1",
        .limits = {.threads = 1, .connections = 64, .memory_bytes = 1024 * 1024, .idle_ms = 20000}};
    listening.routes = admin_routes(admin, &listening.route_count);
    assert_ok(listener_start(&listening, &listener, &error), &error);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    admin_rest(admin);
    listener_stop(&listener);
    admin_free(&admin);
    journal_close(&journal);
    recent_free(&recent);
    return 0;
}

static struct tls_client *listen_with(const char *headers) {
    struct tls_client *client = tls_client_open(listener_port(listener));
    struct buffer request = BUFFER_INIT;
    assert_non_null(client);
    buffer_append_format(&request, "GET /v1/stream HTTP/1.1\r\nHost: test\r\n%s%s\r\n", VIEW,
                         headers);
    assert_true(tls_client_send(client, buffer_text(&request)));
    buffer_done(&request);
    return client;
}

static void note(const char *event) {
    struct error error = {0};
    assert_ok(journal_note(journal, TEXT("riposte"), text_of(event), TEXT("{}"), &error), &error);
}

/* The next event's name and data, in order; ": alive" doesn't count. */
static void assert_next(struct tls_client *client, const char *event, const char *fragment) {
    struct buffer skipped = BUFFER_INIT;
    struct buffer data = BUFFER_INIT;
    bool has_come = tls_client_read_body_until(client, "\nevent: ", &skipped) &&
                    tls_client_read_body_until(client, "\n\n", &data);
    if (!has_come || !text_starts_with(buffer_text(&data), text_of(event)) ||
        !text_contains(buffer_text(&data), text_of(fragment))) {
        fail_msg("expected %s with %s, got %s", event, fragment, buffer_string(&data));
    }
    buffer_done(&skipped);
    buffer_done(&data);
}

static void on_appended(void *arg, const bool *is_known, size_t count, const struct error *error) {
    (void)is_known;
    (void)count;
    assert_null(error);
    *(atomic_bool *)arg = true;
}

static void append_of(const char *id, const char *key, struct text name) {
    struct blob *body = blob_new(TEXT("{}"));
    struct journal_definition definition = {.text = body};
    struct journal_new_incident incident = {.rule = TEXT("deleted"),
                                            .subject = TEXT("mallory"),
                                            .severity = TEXT("high"),
                                            .mode = MODE_ENFORCE,
                                            .principal_name = name,
                                            .account = TEXT("111122223333"),
                                            .definition = &definition};
    const struct journal_new_event event = {.key = text_of(key),
                                            .body = body,
                                            .received_unix_ms = 1772444000000,
                                            .incidents = &incident,
                                            .incident_count = 1};
    atomic_bool is_done = false;
    assert_true(ulid_parse(text_of(id), &incident.id));
    journal_append(journal, &event, 1, on_appended, &is_done);
    while (!atomic_load(&is_done)) {
        clock_sleep_ms(1);
    }
    blob_unref(&body);
}

static void append_incident(void) {
    append_of("01ARZ3NDEKTSV4RRFFQ69G5FA1", "e1", TEXT("mal\"lory\n<b>"));
}

static void test_what_happens_is_told(void **state) {
    (void)state;
    note("start");
    struct tls_client *client = listen_with("");
    assert_next(client, "ready\n", "{\"sequence\":1}");
    append_incident();
    assert_next(client, "incident\n", "data: {\"sequence\":2,\"time\":\"");
    note("reload");
    assert_next(client, "note\n", "\"change\":\"reload\",\"actor\":\"riposte\"}");
    tls_client_close(&client);
}

static void test_an_incident_comes_as_lists_show_it(void **state) {
    (void)state;
    append_incident();
    struct tls_client *client = listen_with("Last-Event-ID: 0\r\n");
    assert_next(client, "ready\n", "{\"sequence\":0}");
    assert_next(client, "incident\n",
                "\"change\":\"detected\",\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FA1\",\"incident\":{"
                "\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FA1\",\"rule\":\"deleted\",\"severity\":\"high\","
                "\"state\":\"detected\",\"mode\":\"enforce\",\"subject\":\"mallory\","
                "\"principal\":{\"name\":\"mal\\\"lory\\n<b>\"}");
    tls_client_close(&client);
}

static void test_who_comes_again_misses_nothing(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) {
        note("before");
    }
    note("missed");
    struct tls_client *client = listen_with("Last-Event-ID: 3\r\n");
    assert_next(client, "ready\n", "{\"sequence\":3}");
    assert_next(client, "note\n", "{\"sequence\":4,");
    note("then");
    assert_next(client, "note\n", "{\"sequence\":5,");
    tls_client_close(&client);
}

static void test_more_than_a_page_is_told_in_order(void **state) {
    (void)state;
    for (int i = 0; i < 2 * FEED_LINES + 3; i++) {
        note("one");
    }
    struct tls_client *client = listen_with("Last-Event-ID: 0\r\n");
    assert_next(client, "ready\n", "{\"sequence\":0}");
    for (int i = 1; i <= 2 * FEED_LINES + 3; i++) {
        char line[40];
        snprintf(line, sizeof(line), "{\"sequence\":%d,", i);
        assert_next(client, "note\n", line);
    }
    tls_client_close(&client);
}

/* More in all than a stream may hold, and names longer than that alone. */
static void test_long_names_and_many_are_told_all_the_same(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer name = BUFFER_INIT;
    for (size_t i = 0; i < 300000; i++) {
        buffer_append_char(&name, 'n');
    }
    for (unsigned i = 0; i < LONG_ONES; i++) {
        char id[ULID_TEXT_BYTES + 1], key[16];
        snprintf(id, sizeof(id), "01ARZ3NDEKTSV4RRFFQ69G5%03u", i);
        snprintf(key, sizeof(key), "e%u", i);
        append_of(id, key, buffer_text(&name));
    }
    struct tls_client *client = listen_with("Last-Event-ID: 0\r\n");
    assert_next(client, "ready\n", "{\"sequence\":0}");
    for (unsigned i = 0; i < LONG_ONES; i++) {
        char id[64];
        snprintf(id, sizeof(id), "\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5%03u\"", i);
        assert_next(client, "incident\n", id);
    }
    tls_client_close(&client);
}

static void test_who_is_far_behind_or_ahead_lists_anew(void **state) {
    (void)state;
    note("start");
    struct tls_client *ahead = listen_with("Last-Event-ID: 1000\r\n");
    assert_next(ahead, "reset\n", "{\"sequence\":1}");
    note("then");
    assert_next(ahead, "note\n", "{\"sequence\":2,");
    tls_client_close(&ahead);
    for (int i = 0; i <= FEED_BACKLOG; i++) {
        note("many");
    }
    struct tls_client *behind = listen_with("Last-Event-ID: 1\r\n");
    assert_next(behind, "ready\n", "{\"sequence\":1}");
    assert_next(behind, "reset\n", "{\"sequence\":5003}");
    tls_client_close(&behind);
}

static void assert_status(const char *headers, const char *path, unsigned status,
                          const char *fragment) {
    struct http_answer answer = {0};
    assert_true(https_request(listener_port(listener), "GET", path, headers, TEXT(""), &answer));
    assert_int_equal(answer.status, status);
    assert_true(text_contains(buffer_text(&answer.body), text_of(fragment)));
    http_answer_done(&answer);
}

static void test_bad_positions_and_strangers(void **state) {
    (void)state;
    assert_status("", "/v1/stream", 401, "Bearer");
    assert_status(VIEW, "/v1/stream?after=x", 400, "not a line's sequence");
    assert_status(VIEW "Last-Event-ID: -1\r\n", "/v1/stream", 400, "not a line's sequence");
}

static void test_only_so_many_listen(void **state) {
    (void)state;
    struct tls_client *clients[FEED_LISTENERS] = {0};
    for (size_t i = 0; i < FEED_LISTENERS; i++) {
        clients[i] = listen_with("");
        assert_next(clients[i], "ready\n", "{\"sequence\":0}");
    }
    assert_status(VIEW, "/v1/stream", 503, "16 listen already");
    note("all hear it");
    for (size_t i = 0; i < FEED_LISTENERS; i++) {
        assert_next(clients[i], "note\n", "{\"sequence\":1,");
        tls_client_close(&clients[i]);
    }
}

static bool has_streams(const char *number) {
    struct http_answer answer = {0};
    assert_true(
        https_request(listener_port(listener), "GET", "/v1/status", VIEW, TEXT(""), &answer));
    bool has = text_contains(buffer_text(&answer.body), text_of(number));
    http_answer_done(&answer);
    return has;
}

static void test_who_leaves_makes_room_at_once(void **state) {
    (void)state;
    struct tls_client *client = listen_with("");
    assert_next(client, "ready\n", "{\"sequence\":0}");
    assert_true(has_streams("\"streams\":1"));
    tls_client_close(&client);
    int64_t until_ms = clock_mono_ms(&clock_system) + FEED_ALIVE_MS / 3;
    while (!has_streams("\"streams\":0")) {
        assert_true(clock_mono_ms(&clock_system) < until_ms);
        clock_sleep_ms(20);
    }
}

static void test_new_tokens_end_streams(void **state) {
    (void)state;
    struct tls_client *client = listen_with("");
    assert_next(client, "ready\n", "{\"sequence\":0}");
    adopt();
    struct buffer rest = BUFFER_INIT;
    assert_true(tls_client_read_until(client, "0\r\n\r\n", &rest));
    buffer_done(&rest);
    tls_client_close(&client);
}

static void test_stopping_ends_streams(void **state) {
    (void)state;
    struct tls_client *client = listen_with("");
    assert_next(client, "ready\n", "{\"sequence\":0}");
    admin_rest(admin);
    assert_status(VIEW, "/v1/stream", 503, "stopping");
    listener_stop(&listener);
    assert_true(tls_client_is_closed(client));
    tls_client_abort(&client);
}

#define with_admin(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_admin(test_what_happens_is_told),
        with_admin(test_an_incident_comes_as_lists_show_it),
        with_admin(test_who_comes_again_misses_nothing),
        with_admin(test_more_than_a_page_is_told_in_order),
        with_admin(test_long_names_and_many_are_told_all_the_same),
        with_admin(test_who_is_far_behind_or_ahead_lists_anew),
        with_admin(test_bad_positions_and_strangers),
        with_admin(test_only_so_many_listen),
        with_admin(test_who_leaves_makes_room_at_once),
        with_admin(test_new_tokens_end_streams),
        with_admin(test_stopping_ends_streams),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
