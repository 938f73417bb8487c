#include "riposte/event/envelope.h"

#include "capturing.h"
#include "testing.h"

static const char whole[] =
    "{\"version\":\"0\",\"id\":\"e-1\",\"detail-type\":\"AWS API Call via CloudTrail\","
    "\"source\":\"aws.ec2\",\"account\":\"150905\",\"time\":\"2016-10-14T17:31:37Z\","
    "\"region\":\"eu-west-1\",\"resources\":[],"
    "\"detail\":{\"eventID\":\"b3c4\",\"eventName\":\"ModifyInstanceAttribute\"}}";

static void test_an_envelope_in_full(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    struct capturing capturing = {.arena = arena};
    struct envelope envelope;
    struct error error = {0};
    assert_ok(capturing_scan(&capturing, text_of(whole), &error), &error);
    assert_ok(envelope_read(capturing.captures, &envelope, &error), &error);
    assert_text_equal(envelope.key, "b3c4");
    assert_text_equal(envelope.id, "e-1");
    assert_text_equal(envelope.source, "aws.ec2");
    assert_text_equal(envelope.detail_type, "AWS API Call via CloudTrail");
    assert_text_equal(envelope.account, "150905");
    assert_text_equal(envelope.region, "eu-west-1");
    assert_text_equal(envelope.time, "2016-10-14T17:31:37Z");
    assert_text_equal(envelope.event_name, "ModifyInstanceAttribute");
    assert_true(envelope.has_time);
    assert_true(envelope.time_unix_ms == 1476466297000);
}

#define HEAD \
    "\"source\":\"s\",\"detail-type\":\"t\",\"account\":\"1\",\"region\":\"r\",\"time\":\"now\","

static const struct envelope_case {
    const char *name, *text, *key, *error; /* error: NULL when it is an envelope */
} envelope_cases[] = {
    {"no formats are checked", "{" HEAD "\"detail\":{\"eventID\":\"x\"}}", "x", NULL},
    {"id without eventID", "{" HEAD "\"id\":\"i\",\"detail\":{}}", "i", NULL},
    {"eventID goes before id", "{" HEAD "\"id\":\"i\",\"detail\":{\"eventID\":\"x\"}}", "x", NULL},
    {"an empty eventID is none", "{" HEAD "\"id\":\"i\",\"detail\":{\"eventID\":\"\"}}", "i", NULL},
    {"null is none", "{" HEAD "\"id\":\"i\",\"detail\":{\"eventID\":null}}", "i", NULL},
    {"empty strings are strings",
     "{\"source\":\"\",\"detail-type\":\"\",\"account\":\"\",\"region\":\"\",\"time\":\"\","
     "\"detail\":{\"eventID\":\"x\"}}",
     "x", NULL},
    {"an eventName of another type is none",
     "{" HEAD "\"detail\":{\"eventID\":\"x\",\"eventName\":7}}", "x", NULL},
    {"names with dots are the same path", "{" HEAD "\"detail\":{},\"detail.eventID\":\"x\"}", "x",
     NULL},

    {"no key", "{" HEAD "\"detail\":{}}", NULL, "neither detail.eventID nor id"},
    {"an empty key", "{" HEAD "\"id\":\"\",\"detail\":{\"eventID\":\"\"}}", NULL,
     "neither detail.eventID nor id"},
    {"a number as key", "{" HEAD "\"id\":\"i\",\"detail\":{\"eventID\":7}}", NULL,
     "detail.eventID: must be a string, is a number"},
    {"an id that is no string", "{" HEAD "\"id\":false,\"detail\":{\"eventID\":\"x\"}}", NULL,
     "id: must be a string, is false"},
    {"no detail", "{" HEAD "\"id\":\"i\"}", NULL, "detail: missing"},
    {"a string as detail", "{" HEAD "\"id\":\"i\",\"detail\":\"{}\"}", NULL,
     "detail: must be an object, is a string"},
    {"an empty array as detail", "{" HEAD "\"id\":\"i\",\"detail\":[]}", NULL,
     "detail: must be an object, is an array"},
    {"null as detail", "{" HEAD "\"id\":\"i\",\"detail\":null}", NULL,
     "detail: must be an object, is null"},
    {"an empty object", "{}", NULL, "source: missing"},
    {"no source", "{\"detail-type\":\"t\",\"account\":\"1\",\"region\":\"r\",\"time\":\"now\"}",
     NULL, "source: missing"},
    {"no detail-type", "{\"source\":\"s\",\"account\":\"1\",\"region\":\"r\",\"time\":\"now\"}",
     NULL, "detail-type: missing"},
    {"no account", "{\"source\":\"s\",\"detail-type\":\"t\",\"region\":\"r\",\"time\":\"now\"}",
     NULL, "account: missing"},
    {"no region", "{\"source\":\"s\",\"detail-type\":\"t\",\"account\":\"1\",\"time\":\"now\"}",
     NULL, "region: missing"},
    {"no time", "{\"source\":\"s\",\"detail-type\":\"t\",\"account\":\"1\",\"region\":\"r\"}", NULL,
     "time: missing"},
    {"a number as account", "{\"source\":\"s\",\"detail-type\":\"t\",\"account\":150905}", NULL,
     "account: must be a string, is a number"},
    {"an object as region",
     "{\"source\":\"s\",\"detail-type\":\"t\",\"account\":\"1\",\"region\":{\"a\":1}}", NULL,
     "region: missing"},

    {"id twice", "{" HEAD "\"id\":\"i\",\"id\":\"i\",\"detail\":{}}", NULL, "id: twice"},
    {"account twice", "{" HEAD "\"account\":\"2\",\"detail\":{}}", NULL, "account: twice"},
    {"region twice", "{" HEAD "\"region\":\"2\",\"detail\":{}}", NULL, "region: twice"},
    {"time twice", "{" HEAD "\"time\":\"2\",\"detail\":{}}", NULL, "time: twice"},
    {"eventID twice", "{" HEAD "\"detail\":{\"eventID\":\"x\"},\"detail\":{\"eventID\":\"y\"}}",
     NULL, "detail.eventID: twice, at bytes 82 and 107"},
    {"userIdentity twice",
     "{" HEAD "\"id\":\"i\",\"detail\":{\"userIdentity\":{},\"userIdentity\":{}}}", NULL,
     "detail.userIdentity: twice"},
    {"a member of userIdentity that nobody reads, twice",
     "{" HEAD "\"id\":\"i\",\"detail\":{\"userIdentity\":{\"x\":{\"y\":1,\"y\":2}}}}", NULL,
     "detail.userIdentity.x.y: twice"},
    {"a member of userIdentity twice, once with dots",
     "{" HEAD "\"id\":\"i\",\"detail\":{\"userIdentity\":{\"arn\":1},\"userIdentity.arn\":2}}",
     NULL, "twice"},
};

static void test_what_is_an_envelope(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(envelope_cases); i++) {
        const struct envelope_case *row = &envelope_cases[i];
        testing_row(row->name);
        scoped(arena_free) struct arena *arena = arena_new();
        struct capturing capturing = {.arena = arena};
        struct envelope envelope = {0};
        struct error error = {0};
        bool is_ok = capturing_scan(&capturing, text_of(row->text), &error) &&
                     envelope_read(capturing.captures, &envelope, &error);
        if (row->error == NULL) {
            assert_ok(is_ok, &error);
            assert_text_equal(envelope.key, row->key);
        } else {
            assert_fails(is_ok, &error, ERROR_INVALID, row->error);
            assert_null(envelope.key.data);
        }
    }
}

static void test_a_time_that_is_none_is_kept_as_text(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    struct capturing capturing = {.arena = arena};
    struct envelope envelope;
    struct error error = {0};
    assert_ok(capturing_scan(&capturing, text_of("{" HEAD "\"id\":\"i\",\"detail\":{}}"), &error),
              &error);
    assert_ok(envelope_read(capturing.captures, &envelope, &error), &error);
    assert_false(envelope.has_time);
    assert_text_equal(envelope.time, "now");
    assert_text_equal(envelope.event_name, "");
}

static void test_a_key_is_no_novel(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    for (size_t bytes = ENVELOPE_KEY_BYTES; bytes <= ENVELOPE_KEY_BYTES + 1; bytes++) {
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        buffer_append_string(&text, "{" HEAD "\"detail\":{},\"id\":\"");
        for (size_t i = 0; i < bytes; i++) {
            buffer_append_char(&text, 'x');
        }
        buffer_append_string(&text, "\"}");
        struct capturing capturing = {.arena = arena};
        struct envelope envelope;
        struct error error = {0};
        assert_ok(capturing_scan(&capturing, buffer_text(&text), &error), &error);
        bool is_ok = envelope_read(capturing.captures, &envelope, &error);
        if (bytes > ENVELOPE_KEY_BYTES) {
            assert_fails(is_ok, &error, ERROR_INVALID, "id: longer than 256 bytes");
        } else {
            assert_ok(is_ok, &error);
        }
    }
}

static void test_the_samples_of_2016_are_envelopes(void **state) {
    (void)state;
    static const char *const files[] = {"1-console-mfa", "2-cli-flag", "3-cli-attribute-value"};
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        testing_row(files[i]);
        scoped(arena_free) struct arena *arena = arena_new();
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        struct capturing capturing = {.arena = arena};
        struct envelope envelope;
        struct error error = {0};
        load_fixture(arena_format(arena, "tests/data/events/blog/%s.json", files[i]).data, &text);
        assert_ok(capturing_scan(&capturing, buffer_text(&text), &error), &error);
        assert_ok(envelope_read(capturing.captures, &envelope, &error), &error);
        assert_text_equal(envelope.account, "150905");
        assert_text_equal(envelope.event_name, "ModifyInstanceAttribute");
        assert_true(envelope.has_time);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_envelope_in_full),
        cmocka_unit_test(test_what_is_an_envelope),
        cmocka_unit_test(test_a_time_that_is_none_is_kept_as_text),
        cmocka_unit_test(test_a_key_is_no_novel),
        cmocka_unit_test(test_the_samples_of_2016_are_envelopes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
