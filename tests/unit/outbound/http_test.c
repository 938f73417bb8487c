#include "riposte/outbound/http.h"

#include "riposte/base/mutex.h"

#include "stand_in.h"
#include "testing.h"

#include <stdio.h>

static const struct permit own = {.class = PERMIT_OWN};

struct fixture {
    struct stand_in *stand_in;
    struct http_client *client;
};

static void fixture_done(struct fixture *fixture) {
    http_client_free(&fixture->client);
    stand_in_stop(&fixture->stand_in);
}

/* Of what has to work, also on a machine that does much else under a sanitizer. */
#define PATIENCE_MS 60000

static struct fixture fixture_start(bool is_tls, stand_in_fn *answer_fn, void *arg) {
    struct fixture fixture = {.stand_in = stand_in_start(is_tls, answer_fn, arg)};
    struct http_options options = {
        .ca_file = is_tls ? stand_in_ca_file(fixture.stand_in) : NULL,
        .connect_timeout_ms = PATIENCE_MS,
    };
    struct error error = {0};
    assert_ok(http_client_new(&options, &fixture.client, &error), &error);
    return fixture;
}

/* All of it holds whoever's thread a request leaves on. */
static bool is_urgent;

static struct http_request request_to(const struct fixture *fixture) {
    return (struct http_request){
        .method = TEXT("GET"),
        .url = text_of(stand_in_origin(fixture->stand_in)),
        .timeout_ms = PATIENCE_MS,
        .is_urgent = is_urgent,
    };
}

/* --- answers --- */

/* Says what it was asked. */
static void echo(void *arg, struct stand_in_exchange *exchange) {
    (void)arg;
    scoped(buffer_done) struct buffer body = BUFFER_INIT;
    buffer_append_text(&body, exchange->head);
    buffer_append_text(&body, exchange->body);
    stand_in_answer(exchange, 200, "X-One: 1\r\nx-two:\t two words \r\n", buffer_text(&body));
}

static void answer_nothing(void *arg, struct stand_in_exchange *exchange) {
    (void)arg;
    (void)exchange;
}

static void close_without_answer(void *arg, struct stand_in_exchange *exchange) {
    (void)arg;
    exchange->close_after = true;
}

static void answer_forever_long(void *arg, struct stand_in_exchange *exchange) {
    char *body = malloc(70000);
    memset(body, 'x', 70000);
    stand_in_answer(exchange, *(int *)arg, "", (struct text){body, 70000});
    free(body);
}

static void answer_half(void *arg, struct stand_in_exchange *exchange) {
    (void)arg;
    buffer_append_string(exchange->answer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    exchange->close_after = true;
}

static void redirect(void *arg, struct stand_in_exchange *exchange) {
    (void)arg;
    stand_in_answer(exchange, 302, "Location: /elsewhere\r\n", TEXT("<html>moved</html>"));
}

/* --- tests --- */

static void test_a_request_arrives_as_it_was_given(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(true, echo, NULL);
    const struct http_header headers[] = {
        {TEXT("X-Amz-Date"), TEXT("20260102T030405Z")},
        {TEXT("Content-Type"), TEXT("text/plain")},
        {TEXT("X-Empty"), TEXT("")},
    };
    struct http_request request = request_to(&fixture);
    request.method = TEXT("POST");
    request.headers = headers;
    request.header_count = ARRAY_COUNT(headers);
    request.body = TEXT("a\0b");
    scoped(http_reply_free) struct http_reply *reply = NULL;
    struct error error = {0};
    assert_ok(http_call(fixture.client, &own, &request, &reply, NULL, &error), &error);

    struct text said = reply->response.body;
    assert_int_equal(reply->response.status, 200);
    assert_true(text_starts_with(said, TEXT("POST / HTTP/1.1\r\nHost: localhost:")));
    assert_true(text_contains(said, TEXT("\r\nX-Amz-Date: 20260102T030405Z\r\n")));
    assert_true(text_contains(said, TEXT("\r\nContent-Type: text/plain\r\n")));
    assert_true(text_contains(said, TEXT("\r\nX-Empty:\r\n")));
    assert_true(text_contains(said, TEXT("\r\nUser-Agent: riposte/")));
    assert_true(text_contains(said, TEXT("\r\nContent-Length: 3\r\n")));
    assert_false(text_contains(said, TEXT("Expect")));
    assert_true(text_ends_with(said, TEXT("\r\n\r\na\0b")));
    assert_text_equal(http_response_header(&reply->response, "x-ONE"), "1");
    assert_text_equal(http_response_header(&reply->response, "X-Two"), "two words");
    assert_text_equal(http_response_header(&reply->response, "HTTP/1.1 200 Made"), "");
    assert_true(reply->response.took_us > 0);
}

static void test_a_large_body_needs_no_permission_first(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, echo, NULL);
    const size_t bytes = 2000000; /* libcurl asks from a mebibyte on */
    char *body = malloc(bytes);
    memset(body, 'y', bytes);
    struct http_request request = request_to(&fixture);
    request.method = TEXT("POST");
    request.body = (struct text){body, bytes};
    request.response_limit_bytes = 2 * bytes;
    scoped(http_reply_free) struct http_reply *reply = NULL;
    struct error error = {0};
    assert_ok(http_call(fixture.client, &own, &request, &reply, NULL, &error), &error);
    assert_false(text_contains(reply->response.body, TEXT("Expect")));
    assert_false(text_contains(reply->response.body, TEXT("Content-Type")));
    assert_true(reply->response.body.bytes > bytes);
    free(body);
}

static const struct method_case {
    const char *method, *body, *first;
} method_cases[] = {
    {"GET", "", "GET / "},     {"DELETE", "", "DELETE / "},   {"PUT", "x", "PUT / "},
    {"PUT", "", "PUT / "},     {"POST", "", "POST / "},       {"PATCH", "x", "PATCH / "},
    {"PATCH", "", "PATCH / "}, {"OPTIONS", "", "OPTIONS / "},
};

static void test_methods(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, echo, NULL);
    for (size_t i = 0; i < ARRAY_COUNT(method_cases); i++) {
        const struct method_case *c = &method_cases[i];
        testing_row(c->method);
        struct http_request request = request_to(&fixture);
        request.method = text_of(c->method);
        request.body = text_of(c->body);
        scoped(http_reply_free) struct http_reply *reply = NULL;
        struct error error = {0};
        assert_ok(http_call(fixture.client, &own, &request, &reply, NULL, &error), &error);
        assert_true(text_starts_with(reply->response.body, text_of(c->first)));
        assert_true(text_ends_with(reply->response.body, text_of(c->body)));
        bool says_length = strcmp(c->method, "P") > 0 && strcmp(c->method, "Q") < 0;
        assert_int_equal(text_contains(reply->response.body, TEXT("Content-Length: ")),
                         says_length);
    }
}

static void test_without_a_permit_no_socket_is_opened(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, echo, NULL);
    static const struct permit refused[] = {
        {.class = PERMIT_NONE},
        {.class = PERMIT_READ, .mode = MODE_OBSERVE},
        {.class = PERMIT_WRITE, .mode = MODE_APPROVE},
    };
    struct http_request request = request_to(&fixture);
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        struct http_reply *reply = NULL;
        struct error error = {0};
        bool may_have_arrived = true;
        assert_fails(
            http_call(fixture.client, &refused[i], &request, &reply, &may_have_arrived, &error),
            &error, ERROR_DENIED, "");
        assert_false(may_have_arrived);
        assert_fails(http_warm(fixture.client, &refused[i], request.url, &error), &error,
                     ERROR_DENIED, "");
    }
    assert_int_equal(http_sent_requests(fixture.client), 0);
    http_client_free(&fixture.client); /* whatever was under way has ended */
    assert_int_equal(stand_in_connections(fixture.stand_in), 0);
}

static const struct refusal_case {
    const char *url, *method, *header, *says;
    bool skip_verification;
} refusal_cases[] = {
    {"http://example.com/", "GET", "x", "only https:// leaves this machine", false},
    {"http://10.0.0.1/", "GET", "x", "only https:// leaves this machine", false},
    {"gopher://localhost/", "GET", "x", "URL", false},
    {"https://example.com/", "GET", "x", "must be verified", true},
    {"http://localhost/", "GET /x", "x", "not an HTTP method", false},
    {"http://localhost/", "", "x", "not an HTTP method", false},
    {"http://localhost/", "GET", "x\r\nX-Evil: 1", "a header to localhost", false},
};

static void test_what_is_not_sent(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, echo, NULL);
    for (size_t i = 0; i < ARRAY_COUNT(refusal_cases); i++) {
        const struct refusal_case *c = &refusal_cases[i];
        testing_row(c->says);
        struct http_header header = {TEXT("X-Name"), text_of(c->header)};
        struct http_request request = {.method = text_of(c->method),
                                       .url = text_of(c->url),
                                       .headers = &header,
                                       .header_count = 1,
                                       .skip_verification = c->skip_verification};
        struct http_reply *reply = NULL;
        struct error error = {0};
        assert_fails(http_call(fixture.client, &own, &request, &reply, NULL, &error), &error,
                     ERROR_INVALID, c->says);
    }
    assert_int_equal(http_sent_requests(fixture.client), 0);
}

static void test_a_connection_is_kept(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(true, echo, NULL);
    struct http_request request = request_to(&fixture);
    for (int i = 0; i < 5; i++) {
        scoped(http_reply_free) struct http_reply *reply = NULL;
        struct error error = {0};
        assert_ok(http_call(fixture.client, &own, &request, &reply, NULL, &error), &error);
        assert_int_equal(reply->response.was_kept_connection, i > 0);
    }
    assert_int_equal(stand_in_connections(fixture.stand_in), 1);
    assert_int_equal(http_sent_requests(fixture.client), 5);
}

static void test_a_warmed_connection_is_the_one_used(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(true, redirect, NULL);
    struct http_request request = request_to(&fixture);
    struct error error = {0};
    assert_ok(http_warm(fixture.client, &own, request.url, &error), &error);
    /* The warming GET may still be under way, then this call opens a second one; the third finds
     * whichever is idle. */
    bool was_kept = false;
    for (int i = 0; i < 3; i++) {
        scoped(http_reply_free) struct http_reply *reply = NULL;
        assert_ok(http_call(fixture.client, &own, &request, &reply, NULL, &error), &error);
        was_kept = reply->response.was_kept_connection;
    }
    assert_true(was_kept);
    assert_true(stand_in_connections(fixture.stand_in) <= 2);
}

/* Answers the first request, closes the connection at the second, answers the third. */
static void die_at_the_second(void *arg, struct stand_in_exchange *exchange) {
    if (exchange->request == 2) {
        close_without_answer(arg, exchange);
    } else {
        echo(arg, exchange);
    }
}

static void test_a_kept_connection_found_dead_is_retried(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(true, die_at_the_second, NULL);
    struct http_request request = request_to(&fixture);
    request.method = TEXT("POST");
    request.body = TEXT("twice");
    for (int i = 0; i < 2; i++) {
        scoped(http_reply_free) struct http_reply *reply = NULL;
        struct error error = {0};
        assert_ok(http_call(fixture.client, &own, &request, &reply, NULL, &error), &error);
        assert_true(text_ends_with(reply->response.body, TEXT("\r\n\r\ntwice")));
    }
    assert_int_equal(stand_in_requests(fixture.stand_in), 3);
    assert_int_equal(stand_in_connections(fixture.stand_in), 2);
}

/* Answers the first request, then closes every connection without a word. */
static void die_from_the_second_on(void *arg, struct stand_in_exchange *exchange) {
    if (exchange->request >= 2) {
        close_without_answer(arg, exchange);
    } else {
        echo(arg, exchange);
    }
}

static void test_a_dead_connection_is_retried_once(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, die_from_the_second_on,
                                                                NULL);
    struct http_request request = request_to(&fixture);
    scoped(http_reply_free) struct http_reply *reply = NULL;
    struct error error = {0};
    assert_ok(http_call(fixture.client, &own, &request, &reply, NULL, &error), &error);
    struct http_reply *none = NULL;
    bool may_have_arrived = false;
    assert_fails(http_call(fixture.client, &own, &request, &none, &may_have_arrived, &error),
                 &error, ERROR_SYSTEM, "localhost: ");
    assert_true(may_have_arrived);
    assert_int_equal(stand_in_requests(fixture.stand_in), 3);
}

static void test_a_new_connection_that_dies_is_not_retried(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, close_without_answer, NULL);
    struct http_request request = request_to(&fixture);
    struct http_reply *none = NULL;
    struct error error = {0};
    bool may_have_arrived = false;
    assert_fails(http_call(fixture.client, &own, &request, &none, &may_have_arrived, &error),
                 &error, ERROR_SYSTEM, "");
    assert_true(may_have_arrived);
    assert_int_equal(stand_in_requests(fixture.stand_in), 1);
}

static void test_connections_closed_while_idle_are_replaced(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(true, echo, NULL);
    struct http_request request = request_to(&fixture);
    for (int i = 0; i < 3; i++) {
        scoped(http_reply_free) struct http_reply *reply = NULL;
        struct error error = {0};
        assert_ok(http_call(fixture.client, &own, &request, &reply, NULL, &error), &error);
        assert_false(reply->response.was_kept_connection);
        stand_in_drop_connections(fixture.stand_in);
    }
    assert_int_equal(stand_in_requests(fixture.stand_in), 3);
}

static void test_a_body_over_the_limit(void **state) {
    (void)state;
    int status = 200;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, answer_forever_long,
                                                                &status);
    struct http_request request = request_to(&fixture);
    request.response_limit_bytes = 69999;
    struct http_reply *none = NULL;
    struct error error = {0};
    bool may_have_arrived = false;
    assert_fails(http_call(fixture.client, &own, &request, &none, &may_have_arrived, &error),
                 &error, ERROR_LIMIT, "more than 69999 bytes");
    assert_true(may_have_arrived);
    request.response_limit_bytes = 70000;
    scoped(http_reply_free) struct http_reply *reply = NULL;
    assert_ok(http_call(fixture.client, &own, &request, &reply, NULL, &error), &error);
    assert_int_equal(reply->response.body.bytes, 70000);
}

static void test_no_answer_in_time(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, answer_nothing, NULL);
    struct http_request request = request_to(&fixture);
    request.timeout_ms = 60;
    struct http_reply *none = NULL;
    struct error error = {0};
    bool may_have_arrived = false;
    assert_fails(http_call(fixture.client, &own, &request, &none, &may_have_arrived, &error),
                 &error, ERROR_LIMIT, "no answer in time");
    assert_true(may_have_arrived);
}

static void test_nobody_there(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, echo, NULL);
    char origin[64];
    snprintf(origin, sizeof(origin), "%s", stand_in_origin(fixture.stand_in));
    stand_in_stop(&fixture.stand_in);
    struct http_request request = {.method = TEXT("GET"), .url = text_of(origin)};
    struct http_reply *none = NULL;
    struct error error = {0};
    bool may_have_arrived = true;
    assert_fails(http_call(fixture.client, &own, &request, &none, &may_have_arrived, &error),
                 &error, ERROR_SYSTEM, "localhost: ");
    assert_false(may_have_arrived);
}

static void test_half_an_answer_is_none(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, answer_half, NULL);
    struct http_request request = request_to(&fixture);
    struct http_reply *none = NULL;
    struct error error = {0};
    assert_fails(http_call(fixture.client, &own, &request, &none, NULL, &error), &error,
                 ERROR_SYSTEM, "");
}

static void test_a_redirect_is_an_answer(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, redirect, NULL);
    struct http_request request = request_to(&fixture);
    scoped(http_reply_free) struct http_reply *reply = NULL;
    struct error error = {0};
    assert_ok(http_call(fixture.client, &own, &request, &reply, NULL, &error), &error);
    assert_int_equal(reply->response.status, 302);
    assert_text_equal(http_response_header(&reply->response, "location"), "/elsewhere");
    assert_text_equal(reply->response.body, "<html>moved</html>");
    assert_int_equal(stand_in_requests(fixture.stand_in), 1);
}

static void test_certificates_are_verified(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(true, echo, NULL);
    scoped(http_client_free) struct http_client *wary = NULL;
    struct error error = {0};
    assert_ok(http_client_new(&(struct http_options){0}, &wary, &error), &error);
    struct http_request request = request_to(&fixture);
    struct http_reply *none = NULL;
    bool may_have_arrived = true;
    assert_fails(http_call(wary, &own, &request, &none, &may_have_arrived, &error), &error,
                 ERROR_SYSTEM, "certificate");
    assert_false(may_have_arrived);
    assert_int_equal(stand_in_requests(fixture.stand_in), 0);

    /* Trusted for one request, but not under another name. */
    request.ca_file = stand_in_ca_file(fixture.stand_in);
    scoped(http_reply_free) struct http_reply *reply = NULL;
    assert_ok(http_call(wary, &own, &request, &reply, NULL, &error), &error);
    char url[64];
    snprintf(url, sizeof(url), "https://127.0.0.1:%s",
             strrchr(stand_in_origin(fixture.stand_in), ':') + 1);
    request.url = text_of(url);
    assert_fails(http_call(wary, &own, &request, &none, NULL, &error), &error, ERROR_SYSTEM, "");

    /* And one that asks for no verification says so for itself alone. */
    request.ca_file = NULL;
    request.skip_verification = true;
    scoped(http_reply_free) struct http_reply *unverified = NULL;
    assert_ok(http_call(wary, &own, &request, &unverified, NULL, &error), &error);
    request.skip_verification = false;
    assert_fails(http_call(wary, &own, &request, &none, NULL, &error), &error, ERROR_SYSTEM, "");
}

/* Counts the ends of what was sent. */
struct ends {
    struct mutex lock;
    struct condition has_grown;
    int arrived, done, busy;
};

static void arrive_and_hang(void *arg, struct stand_in_exchange *exchange) {
    struct ends *ends = arg;
    (void)exchange;
    mutex_lock(&ends->lock);
    ends->arrived++;
    condition_signal(&ends->has_grown);
    mutex_unlock(&ends->lock);
}

static void count_end(void *arg, const struct http_response *response, bool may_have_arrived,
                      const struct error *error) {
    struct ends *ends = arg;
    (void)may_have_arrived;
    mutex_lock(&ends->lock);
    ends->done++;
    ends->busy += response == NULL && error->code == ERROR_BUSY;
    condition_signal(&ends->has_grown);
    mutex_unlock(&ends->lock);
}

static void test_calls_go_side_by_side(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = fixture_start(false, echo, NULL);
    struct ends ends = {0};
    mutex_init(&ends.lock);
    condition_init(&ends.has_grown);
    struct http_request request = request_to(&fixture);
    for (int i = 0; i < 50; i++) {
        struct error error = {0};
        request.is_urgent = is_urgent && i % 2 == 0;
        assert_ok(http_send(fixture.client, &own, &request, count_end, &ends, &error), &error);
    }
    mutex_lock(&ends.lock);
    while (ends.done < 50) {
        condition_wait(&ends.has_grown, &ends.lock);
    }
    mutex_unlock(&ends.lock);
    assert_int_equal(ends.busy, 0);
    assert_int_equal(stand_in_requests(fixture.stand_in), 50);
}

/* One that waits for its answer, and two that may not even have been started. */
static void test_the_end_of_the_client_ends_its_calls(void **state) {
    (void)state;
    struct ends ends = {0};
    mutex_init(&ends.lock);
    condition_init(&ends.has_grown);
    scoped(fixture_done) struct fixture fixture = fixture_start(false, arrive_and_hang, &ends);
    struct http_request request = request_to(&fixture);
    struct error error = {0};
    assert_ok(http_send(fixture.client, &own, &request, count_end, &ends, &error), &error);
    mutex_lock(&ends.lock);
    while (ends.arrived == 0) {
        condition_wait(&ends.has_grown, &ends.lock);
    }
    mutex_unlock(&ends.lock);
    for (int i = 0; i < 2; i++) {
        assert_ok(http_send(fixture.client, &own, &request, count_end, &ends, &error), &error);
    }
    http_client_free(&fixture.client);
    assert_int_equal(ends.done, 3);
    assert_int_equal(ends.busy, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_arrives_as_it_was_given),
        cmocka_unit_test(test_a_large_body_needs_no_permission_first),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_without_a_permit_no_socket_is_opened),
        cmocka_unit_test(test_what_is_not_sent),
        cmocka_unit_test(test_a_connection_is_kept),
        cmocka_unit_test(test_a_warmed_connection_is_the_one_used),
        cmocka_unit_test(test_a_kept_connection_found_dead_is_retried),
        cmocka_unit_test(test_a_dead_connection_is_retried_once),
        cmocka_unit_test(test_a_new_connection_that_dies_is_not_retried),
        cmocka_unit_test(test_connections_closed_while_idle_are_replaced),
        cmocka_unit_test(test_a_body_over_the_limit),
        cmocka_unit_test(test_no_answer_in_time),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_half_an_answer_is_none),
        cmocka_unit_test(test_a_redirect_is_an_answer),
        cmocka_unit_test(test_certificates_are_verified),
        cmocka_unit_test(test_calls_go_side_by_side),
        cmocka_unit_test(test_the_end_of_the_client_ends_its_calls),
    };
    int failed = cmocka_run_group_tests_name("sent by the client's thread", tests, NULL, NULL);
    is_urgent = true;
    return failed + cmocka_run_group_tests_name("sent by the caller's", tests, NULL, NULL);
}
