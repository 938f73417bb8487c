#include "riposte/aws/secrets.h"

#include "riposte/aws/client.h"

#include "stand_in.h"
#include "testing.h"
#include "variables.h"

#include <stdio.h>

#define NOW_MS      INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */
#define CHANGED_S   "1767319445"           /* an hour before */
#define HOUR_MS     (INT64_C(60) * 60 * 1000)
#define ARN         "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hook-AbCdEf"
#define STRING(say) "{\"SecretString\":\"" say "\",\"CreatedDate\":" CHANGED_S ".5}"

struct fixture {
    const char *current, *previous; /* what is answered; NULL: nobody answers */
    int previous_status;            /* 0: 200 */
    struct fake_clock clock;
    struct stand_in *stand_in;
    struct http_client *http;
    struct variables variables;
    struct aws_client *client;
    struct aws_secrets *secrets;
    int calls;
    char head[2048];
};

static void answer(void *arg, struct stand_in_exchange *exchange) {
    struct fixture *fixture = arg;
    bool is_previous = text_contains(exchange->body, TEXT("AWSPREVIOUS"));
    const char *said = is_previous ? fixture->previous : fixture->current;
    int status = is_previous && fixture->previous_status != 0 ? fixture->previous_status : 200;
    fixture->calls++;
    snprintf(fixture->head, sizeof(fixture->head), "%.*s", TEXT_ARG(exchange->head));
    stand_in_answer(exchange, said != NULL ? status : 500, "",
                    text_of(said != NULL ? said : "{\"__type\":\"InternalServiceError\"}"));
}

static void fixture_done(struct fixture *fixture) {
    aws_secrets_free(&fixture->secrets);
    aws_client_free(&fixture->client);
    http_client_free(&fixture->http);
    stand_in_stop(&fixture->stand_in);
}

static void fixture_start(struct fixture *fixture) {
    struct error error = {0};
    static struct aws_environment environment;
    fake_clock_init(&fixture->clock, NOW_MS);
    fixture->stand_in = stand_in_start(false, answer, fixture);
    fixture->variables = (struct variables){
        {{"AWS_ACCESS_KEY_ID", "AKIAE"}, {"AWS_SECRET_ACCESS_KEY", "s"}}};
    environment = (struct aws_environment){variables_get, &fixture->variables};
    assert_ok(http_client_new(&(struct http_options){0}, &fixture->http, &error), &error);
    struct aws_options options = {.http = fixture->http,
                                  .clock = &fixture->clock.clock,
                                  .endpoint = text_of(stand_in_origin(fixture->stand_in)),
                                  .environment = &environment};
    assert_ok(aws_client_new(&options, &fixture->client, &error), &error);
    fixture->secrets = aws_secrets_new(fixture->client, &fixture->clock.clock);
}

static void assert_fetches(struct fixture *fixture, const char *place, bool is_previous,
                           const char *wanted) {
    struct error error = {0};
    scoped(buffer_done) struct buffer value = BUFFER_INIT;
    assert_ok(aws_secrets_fetch(fixture->secrets, text_of(place), is_previous, &value, &error),
              &error);
    assert_string_equal(buffer_string(&value), wanted);
}

static void assert_refuses(struct fixture *fixture, const char *place, enum error_code code,
                           const char *part) {
    struct error error = {0};
    scoped(buffer_done) struct buffer value = BUFFER_INIT;
    assert_false(aws_secrets_fetch(fixture->secrets, text_of(place), false, &value, &error));
    assert_int_equal(error.code, code);
    assert_non_null(strstr(error.text, part));
    assert_null(strstr(error.text, "hush"));
    assert_int_equal(value.bytes, 0);
}

static void test_a_secret_is_asked_for_in_its_region_and_remembered(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {.current = STRING("hush")};
    fixture_start(&fixture);
    assert_fetches(&fixture, ARN, false, "hush");
    assert_non_null(strstr(fixture.head, "/eu-west-1/secretsmanager/aws4_request"));
    fixture.current = STRING("hush-hush");
    fake_clock_advance(&fixture.clock, AWS_SECRETS_FRESH_MS - 1);
    assert_fetches(&fixture, ARN, false, "hush");
    assert_int_equal(fixture.calls, 1);
    fake_clock_advance(&fixture.clock, 1);
    assert_fetches(&fixture, ARN, false, "hush-hush");
    assert_int_equal(fixture.calls, 2);
    fixture.current = STRING("new");
    aws_secrets_expire(fixture.secrets);
    assert_fetches(&fixture, ARN, false, "new");
}

static void test_what_was_heard_serves_on_while_nobody_answers(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    assert_refuses(&fixture, ARN, ERROR_BUSY, ARN);
    fixture.current = STRING("hush");
    assert_fetches(&fixture, ARN, false, "hush");
    fixture.current = NULL;
    fake_clock_advance(&fixture.clock, 10 * HOUR_MS);
    assert_fetches(&fixture, ARN, false, "hush");
    fixture.current = STRING("new");
    assert_fetches(&fixture, ARN, false, "new");
}

static void test_the_version_before_is_good_for_a_day(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {.current = STRING("new"),
                                                   .previous = STRING("old")};
    fixture_start(&fixture);
    assert_fetches(&fixture, ARN, true, "old");
    fake_clock_advance(&fixture.clock, 23 * HOUR_MS - 1000); /* changed an hour ago */
    assert_fetches(&fixture, ARN, true, "old");
    fake_clock_advance(&fixture.clock, 2000);
    assert_fetches(&fixture, ARN, true, "");
    assert_fetches(&fixture, ARN, false, "new");
}

static void test_there_may_be_no_version_before(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {
        .current = STRING("new"),
        .previous = "{\"__type\":\"ResourceNotFoundException\"}",
        .previous_status = 400};
    fixture_start(&fixture);
    assert_fetches(&fixture, ARN, true, "");
}

static void test_a_member_is_taken_out_of_an_object(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {
        .current = STRING("{\\\"url\\\":\\\"hush\\\",\\\"port\\\":1}")};
    fixture_start(&fixture);
    assert_fetches(&fixture, ARN "#url", false, "hush");
    assert_refuses(&fixture, ARN "#port", ERROR_SYSTEM, "\"port\"");
    assert_refuses(&fixture, ARN "#other", ERROR_SYSTEM, "\"other\"");
    fixture.current = STRING("hush");
    aws_secrets_expire(fixture.secrets);
    assert_refuses(&fixture, ARN "#url", ERROR_SYSTEM, "no JSON object");
    fixture.current = "{\"SecretBinary\":\"aHVzaA==\"}";
    aws_secrets_expire(fixture.secrets);
    assert_fetches(&fixture, ARN, false, "hush"); /* what was heard serves on */
}

static void test_a_secret_must_be_text(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {.current = "{\"SecretBinary\":\"aHVzaA==\"}"};
    fixture_start(&fixture);
    assert_refuses(&fixture, ARN, ERROR_SYSTEM, "binary");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_secret_is_asked_for_in_its_region_and_remembered),
        cmocka_unit_test(test_what_was_heard_serves_on_while_nobody_answers),
        cmocka_unit_test(test_the_version_before_is_good_for_a_day),
        cmocka_unit_test(test_there_may_be_no_version_before),
        cmocka_unit_test(test_a_member_is_taken_out_of_an_object),
        cmocka_unit_test(test_a_secret_must_be_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
