#include "riposte/inbound/listener.h"

#include "riposte/base/clock.h"
#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/base/thread.h"
#include "riposte/observe/metrics.h"

#include "test_certificate.h"
#include "testing.h"
#include "tls_client.h"

#include <stdatomic.h>
#include <stdio.h>

#define BODY_LIMIT   65536
#define ANSWERERS    4
#define PARALLEL     20
#define ROUNDS       10
#define MEMORY_BYTES (512u * 1024)
#define KEEP_ALL     64

/* ---- the server side ----------------------------------------------------------------------------
 */

/* Requests that a handler kept, for other threads to answer; `lock` guards the rest. */
static struct {
    struct mutex lock;
    struct condition changed;
    struct request *kept[KEEP_ALL * 4];
    size_t count;
    bool is_ending;
} desk;

static struct thread answerers[ANSWERERS];
static struct listener *listener;
static atomic_int handled;

static void answer_with_body(struct request *request) {
    struct blob *body = blob_ref(request_body(request));
    request_answer(
        request,
        &(struct answer){.status = 200, .content_type = "text/plain", .body = blob_text(body)});
    blob_unref(&body);
}

static void handle_echo(void *arg, struct request *request) {
    (void)arg;
    atomic_fetch_add(&handled, 1);
    answer_with_body(request);
}

static void handle_later(void *arg, struct request *request) {
    (void)arg;
    atomic_fetch_add(&handled, 1);
    mutex_lock(&desk.lock);
    assert_true(desk.count < ARRAY_COUNT(desk.kept));
    desk.kept[desk.count++] = request;
    condition_broadcast(&desk.changed);
    mutex_unlock(&desk.lock);
}

static void run_answerer(void *arg) {
    (void)arg;
    for (;;) {
        struct request *request = NULL;
        mutex_lock(&desk.lock);
        while (desk.count == 0 && !desk.is_ending) {
            condition_wait(&desk.changed, &desk.lock);
        }
        if (desk.count > 0) {
            request = desk.kept[--desk.count];
        }
        mutex_unlock(&desk.lock);
        if (request == NULL) {
            return;
        }
        answer_with_body(request);
    }
}

static void handle_facts(void *arg, struct request *request) {
    (void)arg;
    struct buffer text = BUFFER_INIT;
    buffer_append_format(&text, "%.*s %.*s one=%.*s ones=%zu q=%.*s peer=%.*s body=%d began=%d",
                         TEXT_ARG(request_method(request)), TEXT_ARG(request_path(request)),
                         TEXT_ARG(request_header(request, "x-one")),
                         request_header_count(request, "x-one"),
                         TEXT_ARG(request_query(request, "q")), TEXT_ARG(request_peer(request)),
                         request_body(request) != NULL, request_began_mono_us(request) > 0);
    request_answer(request, &(struct answer){.status = 200,
                                             .content_type = "text/plain",
                                             .body = buffer_text(&text),
                                             .location = TEXT("/elsewhere")});
    buffer_done(&text);
}

static bool gate_key(void *arg, struct request *request) {
    (void)arg;
    if (text_equal(request_header(request, "X-Key"), TEXT("right"))) {
        return true;
    }
    request_answer(request, &(struct answer){.status = 401,
                                             .body = TEXT("{\"error\":\"who?\"}\n"),
                                             .challenge = "Bearer"});
    return false;
}

static void handle_busy(void *arg, struct request *request) {
    (void)arg;
    request_answer_busy(request, 429, "a \"full\" queue", 7);
}

static const struct route routes[] = {
    {"POST", "/echo", BODY_LIMIT, NULL, handle_echo, NULL},
    {"POST", "/later", BODY_LIMIT, NULL, handle_later, NULL},
    {"POST", "/gated", 4u * 1024 * 1024, gate_key, handle_echo, NULL},
    {"GET", "/facts", 0, NULL, handle_facts, NULL},
    {"POST", "/busy", BODY_LIMIT, NULL, handle_busy, NULL},
    {"GET", "/under/*", 0, NULL, handle_facts, NULL},
};

static struct listener *start_with(struct listener_limits limits) {
    struct error error = {0};
    struct listener *started = NULL;
    const struct listener_options options = {.name = "test",
                                             .address = "127.0.0.1",
                                             .routes = routes,
                                             .route_count = ARRAY_COUNT(routes),
                                             .limits = limits};
    assert_ok(listener_start(&options, &started, &error), &error);
    return started;
}

static const struct listener_limits usual_limits = {
    .threads = 3, .connections = 300, .memory_bytes = MEMORY_BYTES, .idle_ms = 20000};

static void start_answerers(void) {
    struct error error = {0};
    mutex_lock(&desk.lock);
    desk.is_ending = false;
    mutex_unlock(&desk.lock);
    for (size_t i = 0; i < ANSWERERS; i++) {
        assert_ok(thread_start(&answerers[i], "answerer", run_answerer, NULL, &error), &error);
    }
}

/* Lets them answer what is kept first. */
static void end_answerers(void) {
    mutex_lock(&desk.lock);
    desk.is_ending = true;
    condition_broadcast(&desk.changed);
    mutex_unlock(&desk.lock);
    for (size_t i = 0; i < ANSWERERS; i++) {
        thread_join(&answerers[i]);
    }
}

static void wait_until_kept(size_t count) {
    mutex_lock(&desk.lock);
    while (desk.count < count) {
        condition_wait(&desk.changed, &desk.lock);
    }
    mutex_unlock(&desk.lock);
}

static int set_up_group(void **state) {
    (void)state;
    mutex_init(&desk.lock);
    condition_init(&desk.changed);
    return test_certificate_serve();
}

static int tear_down_group(void **state) {
    (void)state;
    condition_done(&desk.changed);
    mutex_done(&desk.lock);
    return 0;
}

static int set_up(void **state) {
    (void)state;
    atomic_store(&handled, 0);
    listener = start_with(usual_limits);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    listener_stop(&listener);
    return 0;
}

/* ---- the client side ----------------------------------------------------------------------------
 */

static char *filled(char byte, size_t bytes) {
    char *text = memory_new(bytes + 1);
    memset(text, byte, bytes);
    return text;
}

static struct tls_client *connected(void) {
    struct tls_client *client = tls_client_open(listener_port(listener));
    assert_non_null(client);
    return client;
}

static void expect_status(struct tls_client *client, unsigned status, const char *body_fragment) {
    struct http_answer answer = {0};
    if (!tls_client_read(client, true, &answer) || answer.status != status ||
        !text_contains(buffer_text(&answer.body), text_of(body_fragment))) {
        testing_say_row();
        print_error("expected %u with '%s', got %s%s\n", status, body_fragment,
                    buffer_string(&answer.head), buffer_string(&answer.body));
        fail();
    }
    http_answer_done(&answer);
}

static void expect_closed(struct tls_client *client) {
    if (!tls_client_is_closed(client)) {
        testing_say_row();
        fail_msg("the connection is still open");
    }
}

#define HOST "Host: test\r\n"

static const struct {
    const char *name, *request;
    unsigned status;
    const char *body; /* a part of it */
    bool is_closed;   /* the connection is closed afterwards; else it takes another request */
} exchanges[] = {
    {"a body comes back", "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", 200,
     "hello", false},
    {"no body", "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, "", false},
    {"no length", "POST /echo HTTP/1.1\r\n" HOST "\r\n", 200, "", false},
    {"chunks",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
     "3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n",
     200, "hello", false},
    {"what EventBridge sends",
     "POST /echo HTTP/1.1\r\n" HOST "User-Agent: Amazon/EventBridge/ApiDestinations\r\n"
     "Content-Type: application/json; charset=utf-8\r\nRange: bytes=0-1048575\r\n"
     "Accept-Encoding: gzip,deflate\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
     200, "hello", true},
    {"HTTP/1.0", "POST /echo HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true},
    {"method, path, headers, query", "GET /facts?q=a%20b&x HTTP/1.1\r\n" HOST "X-ONE: 1\r\n\r\n",
     200, "GET /facts one=1 ones=1 q=a b peer=127.0.0.1 body=0 began=1", false},
    {"a header twice has no value", "GET /facts HTTP/1.1\r\n" HOST "X-One: 1\r\nx-one: 2\r\n\r\n",
     200, "one= ones=2 q= ", false},
    {"a prefix", "GET /under/a/b HTTP/1.1\r\n" HOST "\r\n", 200, "GET /under/a/b ", false},
    {"a body nobody expects", "GET /facts HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 200,
     "body=0", false},
    {"unknown path", "GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404, "no such path", false},
    {"unknown path with a body", "POST /nothing HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
     404, "no such path", false},
    {"wrong method", "GET /echo HTTP/1.1\r\n" HOST "\r\n", 405, "method", false},
    {"the gate's no", "POST /gated HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 401, "who?",
     false},
    {"the gate's no, chunked",
     "POST /gated HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 401,
     "who?", false},
    {"the gate's yes",
     "POST /gated HTTP/1.1\r\n" HOST "x-key: right\r\nContent-Length: 3\r\n\r\nabc", 200, "abc",
     false},
    {"an error is escaped", "POST /busy HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx", 429,
     "{\"error\":\"a \\\"full\\\" queue\"}", false},
    {"a length beyond what is read, before the body",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 8388609\r\n\r\n", 413, "too large", true},
    /* libmicrohttpd 0.9.75 builds this answer twice into one buffer: only the status is right. */
    {"an absurd length",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 413, "", true},
    {"not a length", "POST /echo HTTP/1.1\r\n" HOST "Content-Length: five\r\n\r\nhello", 400, "",
     true},
    {"a negative length", "POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400, "",
     true},
    {"two lengths",
     "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400, "",
     true},
    {"length and chunks",
     "POST /echo HTTP/1.1\r\n" HOST
     "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, "", true},
    {"another transfer encoding",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, "",
     true},
    {"chunks that aren't",
     "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "", true},
    {"no host", "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 400, "", true},
};

static void test_one_request_gives_its_answer(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(exchanges); i++) {
        testing_row(exchanges[i].name);
        struct tls_client *client = connected();
        assert_true(tls_client_send_string(client, exchanges[i].request));
        expect_status(client, exchanges[i].status, exchanges[i].body);
        if (exchanges[i].is_closed) {
            expect_closed(client);
        } else {
            assert_true(tls_client_send_string(client, exchanges[0].request));
            expect_status(client, 200, "hello");
        }
        tls_client_close(&client);
    }
}

static void test_answers_carry_their_headers(void **state) {
    (void)state;
    static const struct {
        const char *method, *path, *header, *value;
    } rows[] = {
        {"GET", "/facts", "Content-Type", "text/plain"},
        {"GET", "/facts", "Location", "/elsewhere"},
        {"GET", "/nothing", "Content-Type", "application/json"},
        {"DELETE", "/echo", "Allow", "POST"},
        {"POST", "/facts", "Allow", "GET, HEAD"},
        {"POST", "/busy", "Retry-After", "7"},
        {"POST", "/gated", "WWW-Authenticate", "Bearer"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].path);
        struct http_answer answer = {0};
        assert_true(https_request(listener_port(listener), rows[i].method, rows[i].path, "",
                                  TEXT(""), &answer));
        assert_text_equal(http_answer_header(&answer, rows[i].header), rows[i].value);
        http_answer_done(&answer);
    }
}

static void test_head_is_get_without_the_body(void **state) {
    (void)state;
    struct tls_client *client = connected();
    struct http_answer answer = {0};
    assert_true(tls_client_send_string(client, "HEAD /facts HTTP/1.1\r\n" HOST "\r\n"));
    assert_true(tls_client_read(client, false, &answer));
    assert_int_equal(answer.status, 200);
    assert_true(http_answer_header(&answer, "Content-Length").bytes > 0);
    http_answer_done(&answer);
    assert_true(tls_client_send_string(client, exchanges[0].request));
    expect_status(client, 200, "hello");
    tls_client_close(&client);
}

static void test_expect_continue(void **state) {
    (void)state;
    struct tls_client *client = connected();
    assert_true(tls_client_send_string(client,
                                       "POST /echo HTTP/1.1\r\n" HOST
                                       "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
    struct http_answer answer = {0};
    assert_true(tls_client_read(client, false, &answer));
    assert_int_equal(answer.status, 100);
    http_answer_done(&answer);
    assert_true(tls_client_send_string(client, "hello"));
    expect_status(client, 200, "hello");
    tls_client_close(&client);

    client = connected();
    assert_true(tls_client_send_string(client,
                                       "POST /gated HTTP/1.1\r\n" HOST
                                       "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
    expect_status(client, 401, "who?"); /* and the body is never asked for */
    tls_client_close(&client);
}

static void test_pipelined_requests_are_answered_in_order(void **state) {
    (void)state;
    start_answerers();
    struct tls_client *client = connected();
    struct buffer requests = BUFFER_INIT;
    for (int i = 0; i < 10; i++) {
        buffer_append_format(&requests,
                             "POST /%s HTTP/1.1\r\n" HOST "Content-Length: 7\r\n\r\nbody %02d",
                             i % 2 == 0 ? "later" : "echo", i);
    }
    assert_true(tls_client_send(client, buffer_text(&requests)));
    for (int i = 0; i < 10; i++) {
        char body[16];
        snprintf(body, sizeof(body), "body %02d", i);
        expect_status(client, 200, body);
    }
    buffer_done(&requests);
    tls_client_close(&client);
    end_answerers();
}

static void test_a_body_of_the_limit_and_one_over(void **state) {
    (void)state;
    char *body = filled('x', BODY_LIMIT + 1);
    struct http_answer answer = {0};
    assert_true(https_request(listener_port(listener), "POST", "/echo", "",
                              (struct text){body, BODY_LIMIT}, &answer));
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.body.bytes, BODY_LIMIT);
    http_answer_done(&answer);
    assert_true(https_request(listener_port(listener), "POST", "/echo", "",
                              (struct text){body, BODY_LIMIT + 1}, &answer));
    assert_int_equal(answer.status, 413);
    http_answer_done(&answer);
    free(body);
}

static void test_chunks_over_the_limit(void **state) {
    (void)state;
    char *body = filled('x', 0x8000);
    struct tls_client *client = connected();
    tls_client_send_string(client,
                           "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        tls_client_send_string(client, "8000\r\n");
        tls_client_send(client, (struct text){body, 0x8000});
        tls_client_send_string(client, "\r\n");
    }
    tls_client_send_string(client, "0\r\n\r\n");
    expect_status(client, 413, "too large");
    assert_int_equal(atomic_load(&handled), 0);
    tls_client_close(&client);
    free(body);
}

static void test_an_unwanted_body_is_not_read_for_ever(void **state) {
    (void)state;
    char *body = filled('x', 0x8000);
    struct tls_client *client = connected();
    tls_client_send_string(client,
                           "POST /nothing HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    bool is_open = true;
    size_t sent_bytes = 0;
    while (is_open && sent_bytes < 64u * 1024 * 1024) {
        is_open = tls_client_send_string(client, "8000\r\n") &&
                  tls_client_send(client, (struct text){body, 0x8000}) &&
                  tls_client_send_string(client, "\r\n");
        sent_bytes += 0x8000;
    }
    assert_false(is_open);
    tls_client_abort(&client);
    free(body);
}

/* The client of a refused request is still sending when it is refused; afterwards the connection
 * takes the next request. */
static void test_a_refusal_can_be_read_by_who_sends_a_body(void **state) {
    (void)state;
    static const struct {
        const char *path;
        unsigned status;
        size_t bytes;
    } rows[] = {{"/gated", 401, 1},
                {"/gated", 401, 100000},
                {"/gated", 401, 3u * 1024 * 1024},
                {"/gated", 401, LISTENER_DISCARD_BYTES},
                {"/echo", 413, 3u * 1024 * 1024},
                {"/echo", 413, LISTENER_DISCARD_BYTES},
                {"/nothing", 404, 3u * 1024 * 1024}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char *body = filled('x', rows[i].bytes);
        char head[128];
        struct tls_client *client = connected();
        snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n",
                 rows[i].path, rows[i].bytes);
        assert_true(tls_client_send_string(client, head));
        assert_true(tls_client_send(client, (struct text){body, rows[i].bytes}));
        expect_status(client, rows[i].status, "error");
        assert_true(tls_client_send_string(client, exchanges[0].request));
        expect_status(client, 200, "hello");
        tls_client_close(&client);
        free(body);
    }
}

static void test_headers_over_the_limit(void **state) {
    (void)state;
    static const struct {
        size_t bytes, lines;
        unsigned status;
    } rows[] = {
        {8000, 1, 200},  {100, 100, 200},  {LISTENER_HEADER_BYTES, 1, 431},
        {200, 100, 431}, {200000, 1, 431}, {10, 20000, 431},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct buffer headers = BUFFER_INIT;
        char *value = filled('v', rows[i].bytes);
        for (size_t line = 0; line < rows[i].lines; line++) {
            buffer_append_format(&headers, "X-%zu: %s\r\n", line, value);
        }
        struct http_answer answer = {0};
        bool is_answered = https_request(listener_port(listener), "GET", "/facts",
                                         buffer_string(&headers), TEXT(""), &answer);
        if (!is_answered || answer.status != rows[i].status) {
            print_error("%zu lines of %zu: %u\n", rows[i].lines, rows[i].bytes, answer.status);
            fail();
        }
        http_answer_done(&answer);
        buffer_done(&headers);
        free(value);
    }
}

static void test_a_long_path(void **state) {
    (void)state;
    char *path = filled('p', 100000);
    path[0] = '/';
    struct http_answer answer = {0};
    assert_true(https_request(listener_port(listener), "GET", path, "", TEXT(""), &answer));
    assert_int_equal(answer.status, 414);
    http_answer_done(&answer);
    free(path);
}

/* ---- suspended requests -------------------------------------------------------------------------
 */

static void run_client(void *arg) {
    atomic_int *failures = arg;
    for (int round = 0; round < ROUNDS; round++) {
        char body[32];
        snprintf(body, sizeof(body), "%p %d", (void *)&body, round);
        struct http_answer answer = {0};
        bool is_fine = https_request(listener_port(listener), "POST",
                                     round % 3 == 0 ? "/echo" : "/later", "", text_of(body),
                                     &answer) &&
                       answer.status == 200 && text_equal(buffer_text(&answer.body), text_of(body));
        atomic_fetch_add(failures, is_fine ? 0 : 1);
        http_answer_done(&answer);
    }
}

static void test_parallel_requests_answered_by_other_threads(void **state) {
    (void)state;
    struct thread clients[PARALLEL] = {0};
    struct error error = {0};
    atomic_int failures = 0;
    start_answerers();
    for (size_t i = 0; i < PARALLEL; i++) {
        assert_ok(thread_start(&clients[i], "client", run_client, &failures, &error), &error);
    }
    for (size_t i = 0; i < PARALLEL; i++) {
        thread_join(&clients[i]);
    }
    end_answerers();
    assert_int_equal(atomic_load(&failures), 0);
    assert_int_equal(atomic_load(&handled), PARALLEL * ROUNDS);
    assert_int_equal(listener_pending(listener), 0);
}

static void test_no_thread_waits_for_a_suspended_request(void **state) {
    (void)state;
    struct tls_client *clients[KEEP_ALL];
    for (size_t i = 0; i < KEEP_ALL; i++) {
        clients[i] = connected();
        tls_client_send_string(clients[i],
                               "POST /later HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    }
    wait_until_kept(KEEP_ALL);
    assert_int_equal(listener_pending(listener), KEEP_ALL);
    struct http_answer answer = {0};
    assert_true(
        https_request(listener_port(listener), "POST", "/echo", "", TEXT("still here"), &answer));
    assert_text_equal(buffer_text(&answer.body), "still here");
    http_answer_done(&answer);
    start_answerers();
    for (size_t i = 0; i < KEEP_ALL; i++) {
        expect_status(clients[i], 200, "hello");
        tls_client_close(&clients[i]);
    }
    end_answerers();
    assert_int_equal(listener_pending(listener), 0);
}

static void test_a_client_that_vanishes_while_suspended(void **state) {
    (void)state;
    for (size_t i = 0; i < KEEP_ALL; i++) {
        struct tls_client *client = connected();
        tls_client_send_string(client,
                               "POST /later HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
        wait_until_kept(i + 1);
        if (i % 2 == 0) {
            tls_client_abort(&client);
        } else {
            tls_client_close(&client);
        }
    }
    start_answerers();
    end_answerers();
    assert_int_equal(listener_pending(listener), 0);
    struct http_answer answer = {0};
    assert_true(https_request(listener_port(listener), "POST", "/echo", "", TEXT("ok"), &answer));
    assert_int_equal(answer.status, 200);
    http_answer_done(&answer);
}

static void test_drain_quiesce_stop(void **state) {
    (void)state;
    struct tls_client *waiting = connected();
    struct tls_client *kept = connected();
    tls_client_send_string(waiting,
                           "POST /later HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    wait_until_kept(1);

    listener_drain(listener);
    struct http_answer answer = {0};
    assert_true(https_request(listener_port(listener), "POST", "/echo", "", TEXT("new"), &answer));
    assert_int_equal(answer.status, 503);
    assert_text_equal(http_answer_header(&answer, "Retry-After"), "2");
    http_answer_done(&answer);

    listener_quiesce(listener);
    assert_null(tls_client_open(listener_port(listener)));
    tls_client_send_string(kept, exchanges[0].request);
    expect_status(kept, 503, "stopping"); /* a connection from before still gets an answer */

    assert_int_equal(listener_pending(listener), 1);
    start_answerers();
    end_answerers();
    listener_stop(&listener);
    expect_status(waiting, 200, "hello"); /* what was accepted was answered before the stop */
    tls_client_close(&waiting);
    tls_client_close(&kept);
    assert_null(listener);
}

static void test_stop_while_clients_keep_coming(void **state) {
    (void)state;
    start_answerers();
    for (int round = 0; round < 20; round++) {
        struct tls_client *clients[8];
        for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
            clients[i] = connected();
            tls_client_send_string(clients[i], i % 2 == 0 ? exchanges[0].request
                                                          : "POST /later HTTP/1.1\r\n" HOST
                                                            "Content-Length: 5\r\n\r\nhello");
        }
        listener_stop(&listener);
        for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
            tls_client_abort(&clients[i]);
        }
        listener = start_with(usual_limits);
    }
    end_answerers();
}

/* ---- limits -------------------------------------------------------------------------------------
 */

static void test_bodies_over_the_memory(void **state) {
    (void)state;
    struct tls_client *clients[MEMORY_BYTES / BODY_LIMIT];
    char *body = filled('x', BODY_LIMIT - 1);
    for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
        clients[i] = connected();
        tls_client_send_string(clients[i],
                               "POST /later HTTP/1.1\r\n" HOST "Content-Length: 65535\r\n\r\n");
        tls_client_send(clients[i], (struct text){body, BODY_LIMIT - 1});
    }
    wait_until_kept(ARRAY_COUNT(clients));
    struct http_answer answer = {0};
    assert_true(https_request(listener_port(listener), "POST", "/echo", "", TEXT("more"), &answer));
    assert_int_equal(answer.status, 503);
    assert_text_equal(http_answer_header(&answer, "Retry-After"), "2");
    http_answer_done(&answer);
    start_answerers();
    end_answerers();
    for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
        expect_status(clients[i], 200, "");
        tls_client_close(&clients[i]);
    }
    /* The memory comes back with the end of each request, a moment after its answer. */
    unsigned status = 503;
    for (int i = 0; i < 1000 && status == 503; i++) {
        assert_true(
            https_request(listener_port(listener), "POST", "/echo", "", TEXT("more"), &answer));
        status = answer.status;
        http_answer_done(&answer);
    }
    assert_int_equal(status, 200);
    free(body);
}

static void test_a_slow_body_and_an_idle_connection_are_closed(void **state) {
    (void)state;
    listener_stop(&listener);
    listener = start_with((struct listener_limits){
        .threads = 1, .connections = 10, .memory_bytes = MEMORY_BYTES, .idle_ms = 300});
    struct tls_client *idle = connected();
    struct tls_client *slow = connected();
    tls_client_send_string(slow, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel");
    assert_true(tls_client_is_closed(idle));
    assert_true(tls_client_is_closed(slow));
    tls_client_close(&idle);
    tls_client_close(&slow);
    assert_int_equal(atomic_load(&handled), 0);
}

static void test_a_trickling_body_is_closed(void **state) {
    (void)state;
    listener_stop(&listener);
    listener = start_with((struct listener_limits){
        .threads = 2, .connections = 10, .memory_bytes = MEMORY_BYTES, .idle_ms = 300});
    struct tls_client *client = connected();
    tls_client_send_string(client, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 60000\r\n\r\n");
    bool is_open = true;
    for (int i = 0; i < 500 && is_open; i++) {
        is_open = tls_client_send_string(client, "x");
        clock_sleep_ms(10);
    }
    assert_false(is_open);
    tls_client_abort(&client);
}

static void test_connections_of_one_address(void **state) {
    (void)state;
    listener_stop(&listener);
    listener = start_with((struct listener_limits){.threads = 2,
                                                   .connections = 50,
                                                   .connections_per_address = 3,
                                                   .memory_bytes = MEMORY_BYTES,
                                                   .idle_ms = 20000});
    struct tls_client *clients[3];
    for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
        clients[i] = connected();
    }
    assert_null(tls_client_open(listener_port(listener)));
    tls_client_send_string(clients[0], exchanges[0].request);
    expect_status(clients[0], 200, "hello");
    for (size_t i = 0; i < ARRAY_COUNT(clients); i++) {
        tls_client_close(&clients[i]);
    }
}

static void test_a_second_handshake_is_refused(void **state) {
    (void)state;
    struct tls_client *client = tls_client_open_with(listener_port(listener),
                                                     "NORMAL:-VERS-ALL:+VERS-TLS1.2");
    assert_non_null(client);
    tls_client_send_string(client, exchanges[0].request);
    expect_status(client, 200, "hello");
    assert_false(tls_client_renegotiate(client));
    tls_client_abort(&client);
}

static void test_old_tls_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *priorities;
        bool is_taken;
    } rows[] = {
        {"NORMAL:-VERS-ALL:+VERS-TLS1.3", true},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2", true},
        {"LEGACY:-VERS-ALL:+VERS-TLS1.1", false},
        {"LEGACY:-VERS-ALL:+VERS-TLS1.0", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].priorities);
        struct tls_client *client = tls_client_open_with(listener_port(listener),
                                                         rows[i].priorities);
        assert_int_equal(client != NULL, rows[i].is_taken);
        tls_client_close(&client);
    }
}

static void test_both_kinds_of_addresses_at_once(void **state) {
    (void)state;
    struct error error = {0};
    struct listener *other = NULL;
    const struct listener_options options = {.name = "other",
                                             .address = "::",
                                             .routes = routes,
                                             .route_count = ARRAY_COUNT(routes),
                                             .limits = usual_limits};
    if (!listener_start(&options, &other, &error)) {
        assert_int_equal(error.code, ERROR_SYSTEM);
        skip(); /* a machine without IPv6 */
    }
    struct http_answer answer = {0};
    assert_true(https_request(listener_port(other), "GET", "/facts", "", TEXT(""), &answer));
    assert_true(text_contains(buffer_text(&answer.body), TEXT("peer=::ffff:127.0.0.1 ")));
    http_answer_done(&answer);
    listener_stop(&other);
}

static void test_what_cannot_be_listened_on(void **state) {
    (void)state;
    struct error error = {0};
    struct listener *other = NULL;
    struct listener_options options = {.name = "other",
                                       .address = "127.0.0.1",
                                       .port = listener_port(listener),
                                       .routes = routes,
                                       .route_count = ARRAY_COUNT(routes),
                                       .limits = usual_limits};
    assert_fails(listener_start(&options, &other, &error), &error, ERROR_SYSTEM,
                 "listener other: address 127.0.0.1, port");
    options.address = "999.1.1.1";
    options.port = 0;
    assert_fails(listener_start(&options, &other, &error), &error, ERROR_INVALID,
                 "address 999.1.1.1");
    assert_null(other);
}

static void test_requests_are_counted(void **state) {
    (void)state;
    struct buffer text = BUFFER_INIT;
    struct http_answer answer = {0};
    assert_true(https_request(listener_port(listener), "GET", "/facts", "", TEXT(""), &answer));
    http_answer_done(&answer);
    listener_stop(&listener); /* the end of a request is counted after its answer */
    metrics_render(&text);
    assert_true(
        text_contains(buffer_text(&text),
                      TEXT("riposte_http_requests_total{listener=\"test\",status=\"200\"} ")));
    assert_true(
        text_contains(buffer_text(&text), TEXT("riposte_http_connections{listener=\"test\"} 0\n")));
    buffer_done(&text);
}

#define with_listener(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_listener(test_one_request_gives_its_answer),
        with_listener(test_answers_carry_their_headers),
        with_listener(test_head_is_get_without_the_body),
        with_listener(test_expect_continue),
        with_listener(test_pipelined_requests_are_answered_in_order),
        with_listener(test_a_body_of_the_limit_and_one_over),
        with_listener(test_chunks_over_the_limit),
        with_listener(test_an_unwanted_body_is_not_read_for_ever),
        with_listener(test_a_refusal_can_be_read_by_who_sends_a_body),
        with_listener(test_headers_over_the_limit),
        with_listener(test_a_long_path),
        with_listener(test_parallel_requests_answered_by_other_threads),
        with_listener(test_no_thread_waits_for_a_suspended_request),
        with_listener(test_a_client_that_vanishes_while_suspended),
        with_listener(test_drain_quiesce_stop),
        with_listener(test_stop_while_clients_keep_coming),
        with_listener(test_bodies_over_the_memory),
        with_listener(test_a_slow_body_and_an_idle_connection_are_closed),
        with_listener(test_a_trickling_body_is_closed),
        with_listener(test_connections_of_one_address),
        with_listener(test_a_second_handshake_is_refused),
        with_listener(test_old_tls_is_refused),
        with_listener(test_both_kinds_of_addresses_at_once),
        with_listener(test_what_cannot_be_listened_on),
        with_listener(test_requests_are_counted),
    };
    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
