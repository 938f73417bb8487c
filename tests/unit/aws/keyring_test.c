#include "riposte/aws/keyring.h"

#include "riposte/base/mutex.h"
#include "riposte/base/time.h"
#include "riposte/observe/log.h"

#include "stand_in.h"
#include "testing.h"
#include "variables.h"

#include <stdio.h>

#define NOW_MS    INT64_C(1767323045000)
#define MINUTE_MS (60 * 1000)

static const struct permit writing = {.class = PERMIT_WRITE, .mode = MODE_ENFORCE};

/* A container's agent whose every answer is another key, good for `minutes` from `clock` on. */
struct agent {
    struct fake_clock *clock;
    _Atomic int minutes, status;
};

static void answer(void *arg, struct stand_in_exchange *exchange) {
    struct agent *agent = arg;
    char expiration[TIME_TEXT_BYTES];
    char body[256];
    time_format_s(clock_unix_ms(&agent->clock->clock) + (int64_t)agent->minutes * MINUTE_MS,
                  expiration);
    snprintf(body, sizeof(body),
             "{\"AccessKeyId\":\"KEY%d\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
             "\"Expiration\":\"%s\"}",
             exchange->request, expiration);
    stand_in_answer(exchange, agent->status, "", text_of(body));
}

struct fixture {
    struct fake_clock clock;
    struct agent agent;
    struct stand_in *stand_in;
    struct http_client *http;
    struct variables variables;
    struct aws_keyring *keyring;

    /* What was told to the key_fn. */
    char told[256];
    bool is_key_refused;
};

static void fixture_done(struct fixture *fixture) {
    aws_keyring_free(&fixture->keyring);
    http_client_free(&fixture->http);
    stand_in_stop(&fixture->stand_in);
}

static bool tell_key(void *arg, struct text key_id, struct error *error) {
    struct fixture *fixture = arg;
    size_t bytes = strlen(fixture->told);
    snprintf(fixture->told + bytes, sizeof(fixture->told) - bytes, "%.*s ", TEXT_ARG(key_id));
    return !fixture->is_key_refused || error_set(error, ERROR_SYSTEM, "no journal");
}

static void fixture_start(struct fixture *fixture) {
    struct error error = {0};
    fake_clock_init(&fixture->clock, NOW_MS);
    fixture->agent = (struct agent){.clock = &fixture->clock, .minutes = 60, .status = 200};
    fixture->stand_in = stand_in_start(false, answer, &fixture->agent);
    fixture->variables = (struct variables){
        {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", stand_in_origin(fixture->stand_in)}}};
    assert_ok(http_client_new(&(struct http_options){0}, &fixture->http, &error), &error);
    struct aws_keyring_options options = {
        .provider = {.environment = {variables_get, &fixture->variables}, .http = fixture->http},
        .clock = &fixture->clock.clock,
        .key_fn = tell_key,
        .arg = fixture,
    };
    assert_ok(aws_keyring_new(&options, &fixture->keyring, &error), &error);
}

/* What a wait ended with. */
struct result {
    struct mutex lock;
    struct condition has_ended;
    int ended;
    struct aws_credentials *credentials;
    struct error error;
};

static void take(void *arg, struct aws_credentials *credentials, const struct error *error) {
    struct result *result = arg;
    mutex_lock(&result->lock);
    aws_credentials_unref(&result->credentials);
    result->credentials = aws_credentials_ref(credentials);
    result->error = *error;
    result->ended++;
    condition_signal(&result->has_ended);
    mutex_unlock(&result->lock);
}

static void result_init(struct result *result) {
    *result = (struct result){0};
    mutex_init(&result->lock);
    condition_init(&result->has_ended);
}

static void await(struct result *result, int count) {
    mutex_lock(&result->lock);
    while (result->ended < count) {
        condition_wait(&result->has_ended, &result->lock);
    }
    mutex_unlock(&result->lock);
}

/* Waits for credentials, "" when none can be had; whatever was due before is done then. */
static void wait_for(struct fixture *fixture, struct aws_credentials *stale, char key_id_out[32],
                     struct error *error_out) {
    struct result result;
    result_init(&result);
    aws_keyring_wait(fixture->keyring, &writing, stale, take, &result);
    await(&result, 1);
    struct text key_id = result.credentials != NULL ? result.credentials->access_key_id : TEXT("");
    snprintf(key_id_out, 32, "%.*s", TEXT_ARG(key_id));
    *error_out = result.error;
    aws_credentials_unref(&result.credentials);
}

static void assert_wait_gives(struct fixture *fixture, struct aws_credentials *stale,
                              const char *expected) {
    char key_id[32];
    struct error error = {0};
    wait_for(fixture, stale, key_id, &error);
    assert_string_equal(key_id, expected);
}

/* A refresh beside may be taken together with the first wait or before it, never after both. */
static void await_refresh(struct fixture *fixture) {
    char key_id[32];
    struct error error = {0};
    wait_for(fixture, NULL, key_id, &error);
    wait_for(fixture, NULL, key_id, &error);
}

static void assert_current(struct fixture *fixture, const char *expected) {
    scoped(aws_credentials_unref) struct aws_credentials *current = aws_keyring_current(
        fixture->keyring, &writing);
    if (expected == NULL) {
        assert_null(current);
    } else {
        assert_non_null(current);
        assert_text_equal(current->access_key_id, expected);
    }
}

static void test_the_first_ones_are_fetched_and_told(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    assert_current(&fixture, NULL);
    assert_int_equal(aws_keyring_expiry(fixture.keyring), 0);
    assert_wait_gives(&fixture, NULL, "KEY1");
    assert_string_equal(fixture.told, "KEY1 ");
    assert_current(&fixture, "KEY1");
    assert_int_equal(aws_keyring_expiry(fixture.keyring), NOW_MS + 60 * MINUTE_MS);
    assert_wait_gives(&fixture, NULL, "KEY1");
    assert_int_equal(stand_in_requests(fixture.stand_in), 1);
}

static void test_advisory_refresh_goes_beside(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    assert_wait_gives(&fixture, NULL, "KEY1");
    fake_clock_advance(&fixture.clock, 44 * MINUTE_MS);
    assert_current(&fixture, "KEY1");
    assert_wait_gives(&fixture, NULL, "KEY1");
    assert_int_equal(stand_in_requests(fixture.stand_in), 1);

    fake_clock_advance(&fixture.clock, 2 * MINUTE_MS); /* 14 left */
    assert_current(&fixture, "KEY1");
    await_refresh(&fixture);
    assert_current(&fixture, "KEY2");
    assert_string_equal(fixture.told, "KEY1 KEY2 ");
}

static void test_a_failed_advisory_refresh_keeps_the_old_ones(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    assert_wait_gives(&fixture, NULL, "KEY1");
    fake_clock_advance(&fixture.clock, 46 * MINUTE_MS);
    fixture.agent.status = 404;
    for (int i = 0; i < 5; i++) { /* and not every call asks again */
        assert_current(&fixture, "KEY1");
        await_refresh(&fixture);
    }
    assert_int_equal(stand_in_requests(fixture.stand_in), 2);
    fixture.agent.status = 200;
    fake_clock_advance(&fixture.clock, KEYRING_PAUSE_MS);
    assert_current(&fixture, "KEY1");
    await_refresh(&fixture);
    assert_current(&fixture, "KEY3");
}

static void test_mandatory_refresh_comes_first(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    assert_wait_gives(&fixture, NULL, "KEY1");
    fake_clock_advance(&fixture.clock, 51 * MINUTE_MS); /* 9 left */
    assert_current(&fixture, NULL);
    assert_wait_gives(&fixture, NULL, "KEY2");
}

static void test_old_ones_are_better_than_none_until_they_end(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    assert_wait_gives(&fixture, NULL, "KEY1");
    fixture.agent.status = 404;
    fake_clock_advance(&fixture.clock, 59 * MINUTE_MS);
    assert_current(&fixture, NULL);
    assert_wait_gives(&fixture, NULL, "KEY1");
    fake_clock_advance(&fixture.clock, MINUTE_MS);
    char key_id[32];
    struct error error = {0};
    wait_for(&fixture, NULL, key_id, &error);
    assert_string_equal(key_id, "");
    assert_int_equal(error.code, ERROR_DENIED);
    assert_non_null(strstr(error.text, "credentials of the container: HTTP status 404"));
}

static void test_refused_ones_are_replaced_once(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    assert_wait_gives(&fixture, NULL, "KEY1");
    scoped(aws_credentials_unref) struct aws_credentials *stale = aws_keyring_current(
        fixture.keyring, &writing);
    assert_wait_gives(&fixture, stale, "KEY2");
    assert_wait_gives(&fixture, stale, "KEY2"); /* another call that was under way */
    assert_int_equal(stand_in_requests(fixture.stand_in), 2);

    fixture.agent.status = 404;
    scoped(aws_credentials_unref) struct aws_credentials *stale_too = aws_keyring_current(
        fixture.keyring, &writing);
    assert_wait_gives(&fixture, stale_too, "");
}

static void test_many_wait_for_one_fetch(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    struct result result;
    result_init(&result);
    for (int i = 0; i < 8; i++) {
        aws_keyring_wait(fixture.keyring, &writing, NULL, take, &result);
    }
    await(&result, 8);
    aws_credentials_unref(&result.credentials);
    assert_int_equal(stand_in_requests(fixture.stand_in), 1);
}

static void test_a_key_that_cannot_be_journaled_is_not_used(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    fixture.is_key_refused = true;
    char key_id[32];
    struct error error = {0};
    wait_for(&fixture, NULL, key_id, &error);
    assert_string_equal(key_id, "");
    assert_int_equal(error.code, ERROR_SYSTEM);
    assert_string_equal(error.text, "a new access key is not used: no journal");
    assert_current(&fixture, NULL);
    fixture.is_key_refused = false;
    assert_wait_gives(&fixture, NULL, "KEY2");
}

static void test_what_has_expired_already_is_not_used(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    fixture.agent.minutes = -1;
    assert_wait_gives(&fixture, NULL, "");
    assert_string_equal(fixture.told, "");
    fixture.agent.minutes = 5; /* short-lived ones are fetched for each call */
    assert_wait_gives(&fixture, NULL, "KEY2");
    assert_current(&fixture, NULL);
    assert_wait_gives(&fixture, NULL, "KEY3");
}

static void test_static_ones_last(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    fixture.variables = (struct variables){
        {{"AWS_ACCESS_KEY_ID", "STATIC"}, {"AWS_SECRET_ACCESS_KEY", "s"}}};
    assert_wait_gives(&fixture, NULL, "STATIC");
    fake_clock_advance(&fixture.clock, INT64_C(10) * 365 * 24 * 60 * MINUTE_MS);
    assert_current(&fixture, "STATIC");
    assert_int_equal(aws_keyring_expiry(fixture.keyring), 0);
    scoped(aws_credentials_unref) struct aws_credentials *stale = aws_keyring_current(
        fixture.keyring, &writing);
    assert_wait_gives(&fixture, stale, "STATIC");
    assert_string_equal(fixture.told, "STATIC "); /* the same key is no news */
    assert_int_equal(stand_in_requests(fixture.stand_in), 0);
}

static void test_the_end(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = {0};
    fixture_start(&fixture);
    aws_keyring_stop(fixture.keyring);
    char key_id[32];
    struct error error = {0};
    wait_for(&fixture, NULL, key_id, &error);
    assert_string_equal(key_id, "");
    assert_int_equal(error.code, ERROR_BUSY);
    assert_int_equal(stand_in_requests(fixture.stand_in), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_ones_are_fetched_and_told),
        cmocka_unit_test(test_advisory_refresh_goes_beside),
        cmocka_unit_test(test_a_failed_advisory_refresh_keeps_the_old_ones),
        cmocka_unit_test(test_mandatory_refresh_comes_first),
        cmocka_unit_test(test_old_ones_are_better_than_none_until_they_end),
        cmocka_unit_test(test_refused_ones_are_replaced_once),
        cmocka_unit_test(test_many_wait_for_one_fetch),
        cmocka_unit_test(test_a_key_that_cannot_be_journaled_is_not_used),
        cmocka_unit_test(test_what_has_expired_already_is_not_used),
        cmocka_unit_test(test_static_ones_last),
        cmocka_unit_test(test_the_end),
    };
    log_set_level(LOG_ERROR); /* failed refreshes are warned of */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
