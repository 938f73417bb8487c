#include "riposte/inbound/stream.h"

#include "riposte/base/clock.h"
#include "riposte/inbound/listener.h"

#include "test_certificate.h"
#include "testing.h"
#include "tls_client.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define PART_BYTES 4096
#define PARTS_MOST 20000 /* far more than all buffers between the two ends hold */

static struct listener *listener;
static struct stream *_Atomic begun;

static void handle_stream(void *arg, struct request *request) {
    (void)arg;
    atomic_store(&begun, stream_begin(request, "text/event-stream"));
}

static const struct route routes[] = {{"GET", "/stream", 0, NULL, handle_stream, NULL}};

static int set_up_group(void **state) {
    (void)state;
    return test_certificate_serve();
}

static int set_up(void **state) {
    (void)state;
    struct error error = {0};
    const struct listener_options options = {
        .name = "test",
        .address = "127.0.0.1",
        .routes = routes,
        .route_count = ARRAY_COUNT(routes),
        .limits = {.threads = 1, .connections = 20, .memory_bytes = 65536, .idle_ms = 20000}};
    assert_ok(listener_start(&options, &listener, &error), &error);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    listener_stop(&listener);
    return 0;
}

static struct tls_client *ask(const char *method) {
    struct tls_client *client = tls_client_open(listener_port(listener));
    struct buffer request = BUFFER_INIT;
    assert_non_null(client);
    buffer_append_format(&request, "%s /stream HTTP/1.1\r\nHost: test\r\n\r\n", method);
    assert_true(tls_client_send(client, buffer_text(&request)));
    buffer_done(&request);
    return client;
}

static struct stream *take_stream(void) {
    struct stream *stream = NULL;
    while ((stream = atomic_exchange(&begun, NULL)) == NULL) {
        clock_sleep_ms(1);
    }
    return stream;
}

static void assert_reads(struct tls_client *client, const char *mark) {
    struct buffer got = BUFFER_INIT;
    if (!tls_client_read_until(client, mark, &got)) {
        fail_msg("'%s' never came", mark);
    }
    buffer_done(&got);
}

static void push(struct stream *stream, const char *part) {
    assert_true(stream_push(stream, text_of(part)));
}

static void test_parts_come_as_they_are_pushed(void **state) {
    (void)state;
    struct tls_client *client = ask("GET");
    struct stream *stream = take_stream();
    struct buffer head = BUFFER_INIT;
    assert_true(tls_client_read_until(client, "\r\n\r\n", &head));
    assert_true(text_starts_with(buffer_text(&head), TEXT("HTTP/1.1 200 ")));
    assert_true(text_contains(buffer_text(&head), TEXT("Content-Type: text/event-stream\r\n")));
    assert_true(text_contains(buffer_text(&head), TEXT("Cache-Control: no-store\r\n")));
    buffer_done(&head);
    push(stream, "one\n");
    assert_reads(client, "one\n");
    push(stream, "two\n");
    push(stream, "three\n");
    assert_reads(client, "three\n");
    assert_int_equal(listener_pending(listener), 1);
    push(stream, "last\n");
    stream_end(&stream);
    assert_null(stream);
    assert_reads(client, "last\n");
    assert_reads(client, "0\r\n\r\n");
    assert_int_equal(listener_pending(listener), 0);
    /* the connection goes on */
    assert_true(tls_client_send_string(client, "GET /none HTTP/1.1\r\nHost: test\r\n\r\n"));
    assert_reads(client, "HTTP/1.1 404 ");
    tls_client_close(&client);
}

static void test_a_part_larger_than_what_is_sent_at_once(void **state) {
    (void)state;
    struct tls_client *client = ask("GET");
    struct stream *stream = take_stream();
    struct buffer part = BUFFER_INIT;
    for (size_t i = 0; i < STREAM_HELD_BYTES - 4; i++) {
        buffer_append_char(&part, 'x');
    }
    buffer_append_string(&part, "END\n");
    for (int i = 0; i < 3; i++) { /* more, in all, than is ever held */
        struct buffer got = BUFFER_INIT;
        assert_true(stream_push(stream, buffer_text(&part)));
        assert_true(tls_client_read_body_until(client, "END\n", &got));
        assert_true(text_equal(buffer_text(&got), buffer_text(&part)));
        buffer_done(&got);
    }
    buffer_done(&part);
    stream_end(&stream);
    tls_client_close(&client);
}

static int64_t processor_ms(void) {
    struct timespec used = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static void test_a_stream_with_nothing_to_send_costs_nothing(void **state) {
    (void)state;
    struct tls_client *client = ask("GET");
    struct stream *stream = take_stream();
    push(stream, "one\n");
    assert_reads(client, "one\n");
    int64_t before_ms = processor_ms();
    clock_sleep_ms(200);
    assert_in_range(processor_ms() - before_ms, 0, 50);
    push(stream, "two\n");
    assert_reads(client, "two\n");
    stream_end(&stream);
    tls_client_close(&client);
}

/* Pushes until it is told to stop; how much went in. */
static size_t push_until_refused(struct stream *stream) {
    static const char part[PART_BYTES];
    size_t count = 0;
    while (count < PARTS_MOST && stream_push(stream, (struct text){part, sizeof(part)})) {
        count++;
    }
    return count;
}

static void test_a_reader_that_does_not_read_is_disconnected(void **state) {
    (void)state;
    struct tls_client *client = ask("GET");
    struct stream *stream = take_stream();
    push(stream, "one\n");
    assert_reads(client, "one\n");
    size_t count = push_until_refused(stream);
    assert_in_range(count, STREAM_HELD_BYTES / PART_BYTES, PARTS_MOST - 1);
    assert_false(stream_push(stream, TEXT("more")));
    stream_end(&stream);
    assert_true(tls_client_is_closed(client));
    tls_client_abort(&client);
}

static void test_a_part_over_the_bound_disconnects(void **state) {
    (void)state;
    struct tls_client *client = ask("GET");
    struct stream *stream = take_stream();
    char *part = calloc(1, STREAM_HELD_BYTES + 1);
    assert_false(stream_push(stream, (struct text){part, STREAM_HELD_BYTES + 1}));
    free(part);
    stream_end(&stream);
    assert_true(tls_client_is_closed(client));
    tls_client_abort(&client);
}

static void test_a_client_that_is_gone_shows(void **state) {
    (void)state;
    struct tls_client *client = ask("GET");
    struct stream *stream = take_stream();
    push(stream, "one\n");
    assert_reads(client, "one\n");
    tls_client_abort(&client);
    int64_t until_ms = clock_mono_ms(&clock_system) + 5000;
    while (stream_push(stream, TEXT(": alive\n\n"))) {
        assert_true(clock_mono_ms(&clock_system) < until_ms);
        clock_sleep_ms(5);
    }
    stream_end(&stream);
}

static void test_a_client_that_closes_shows_with_nothing_to_send(void **state) {
    (void)state;
    struct tls_client *client = ask("GET");
    struct stream *stream = take_stream();
    push(stream, "one\n");
    assert_reads(client, "one\n");
    assert_true(stream_is_heard(stream));
    tls_client_close(&client);
    int64_t until_ms = clock_mono_ms(&clock_system) + 5000;
    while (stream_is_heard(stream)) {
        assert_true(clock_mono_ms(&clock_system) < until_ms);
        clock_sleep_ms(5);
    }
    stream_end(&stream);
}

static void test_head_has_no_parts(void **state) {
    (void)state;
    struct tls_client *client = ask("HEAD");
    struct stream *stream = take_stream();
    assert_reads(client, "\r\n\r\n");
    while (stream_push(stream, TEXT("one\n"))) {
        clock_sleep_ms(1);
    }
    stream_end(&stream);
    tls_client_close(&client);
}

static void test_stop_with_streams_that_have_ended(void **state) {
    (void)state;
    struct tls_client *clients[8] = {0};
    struct stream *streams[8] = {0};
    for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
        clients[i] = ask("GET");
        streams[i] = take_stream();
    }
    listener_drain(listener);
    for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
        stream_end(&streams[i]);
    }
    listener_stop(&listener);
    for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
        assert_true(tls_client_is_closed(clients[i]));
        tls_client_abort(&clients[i]);
    }
}

#define with_listener(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_listener(test_parts_come_as_they_are_pushed),
        with_listener(test_a_part_larger_than_what_is_sent_at_once),
        with_listener(test_a_stream_with_nothing_to_send_costs_nothing),
        with_listener(test_a_reader_that_does_not_read_is_disconnected),
        with_listener(test_a_part_over_the_bound_disconnects),
        with_listener(test_a_client_that_is_gone_shows),
        with_listener(test_a_client_that_closes_shows_with_nothing_to_send),
        with_listener(test_head_has_no_parts),
        with_listener(test_stop_with_streams_that_have_ended),
    };
    return cmocka_run_group_tests(tests, set_up_group, NULL);
}
