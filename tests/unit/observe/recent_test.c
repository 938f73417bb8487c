#include "riposte/observe/recent.h"

#include "riposte/base/thread.h"

#include "testing.h"

#include <stdio.h>

static void add(struct recent *recent, const char *key) {
    recent_add(recent, &(struct recent_note){.received_unix_ms = 5, .key = text_of(key)});
}

static void test_the_newest_come_first_and_the_oldest_go(void **state) {
    (void)state;
    scoped(recent_free) struct recent *recent = recent_new(3);
    struct recent_event events[10];
    assert_int_equal(recent_copy(recent, events, 10), 0);
    const char *const keys[] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        add(recent, keys[i]);
    }
    assert_int_equal(recent_copy(recent, events, 10), 3);
    assert_string_equal(events[0].key, "e");
    assert_int_equal(events[0].number, 5);
    assert_string_equal(events[1].key, "d");
    assert_string_equal(events[2].key, "c");
    assert_int_equal(recent_copy(recent, events, 2), 2);
    assert_string_equal(events[1].key, "d");
}

static void test_every_field_is_kept(void **state) {
    (void)state;
    scoped(recent_free) struct recent *recent = recent_new(1);
    const struct text rules[] = {TEXT_INIT("ec2-stop"), TEXT_INIT("trail-stop")};
    recent_add(recent, &(struct recent_note){.received_unix_ms = 1767225600000,
                                             .key = TEXT("k"),
                                             .source = TEXT("aws.ec2"),
                                             .detail_type = TEXT("AWS API Call via CloudTrail"),
                                             .account = TEXT("123456789012"),
                                             .region = TEXT("eu-central-1"),
                                             .event_name = TEXT("StopInstances"),
                                             .outcome = TEXT("matched"),
                                             .rules = rules,
                                             .rule_count = 2});
    struct recent_event event;
    assert_int_equal(recent_copy(recent, &event, 1), 1);
    assert_int_equal(event.received_unix_ms, 1767225600000);
    assert_string_equal(event.key, "k");
    assert_string_equal(event.source, "aws.ec2");
    assert_string_equal(event.detail_type, "AWS API Call via CloudTrail");
    assert_string_equal(event.account, "123456789012");
    assert_string_equal(event.region, "eu-central-1");
    assert_string_equal(event.event_name, "StopInstances");
    assert_string_equal(event.outcome, "matched");
    assert_string_equal(event.rules, "ec2-stop,trail-stop");
    assert_int_equal(event.rule_count, 2);
}

static void test_long_texts_are_cut_and_rules_kept_whole(void **state) {
    (void)state;
    scoped(recent_free) struct recent *recent = recent_new(1);
    char long_text[300];
    for (size_t i = 0; i + 3 <= sizeof(long_text); i += 3) {
        memcpy(long_text + i, "\xE2\x82\xAC", 3);
    }
    struct text text = {long_text, sizeof(long_text)};
    const struct text rules[] = {{long_text, 150}, {long_text, 150}, TEXT_INIT("short")};
    recent_add(recent, &(struct recent_note){.key = text,
                                             .source = text,
                                             .detail_type = text,
                                             .account = text,
                                             .region = text,
                                             .event_name = text,
                                             .outcome = text,
                                             .rules = rules,
                                             .rule_count = 3});
    struct recent_event event;
    assert_int_equal(recent_copy(recent, &event, 1), 1);
    const char *const texts[] = {event.key,    event.source,     event.detail_type, event.account,
                                 event.region, event.event_name, event.outcome,     event.rules};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        assert_true(text_is_utf8(text_of(texts[i])));
        assert_true(strlen(texts[i]) >= 15);
    }
    assert_int_equal(strlen(event.key), 78); /* 79 would fit, but not a whole character */
    assert_int_equal(strlen(event.rules), 150 + 6);
    assert_int_equal(event.rule_count, 3);
}

static void test_a_text_as_long_as_its_place_is_cut_by_the_nul(void **state) {
    (void)state;
    scoped(recent_free) struct recent *recent = recent_new(1);
    recent_add(recent, &(struct recent_note){.account = TEXT("1234567890123456"),
                                             .region = TEXT("eu-central-1")});
    struct recent_event event;
    assert_int_equal(recent_copy(recent, &event, 1), 1);
    assert_string_equal(event.account, "123456789012345");
    assert_string_equal(event.region, "eu-central-1");
}

static void add_many(void *arg) {
    for (size_t i = 0; i < 1000; i++) {
        add(arg, "0123456789012345678901234567890123456789");
    }
}

static void test_threads_may_add_while_others_read(void **state) {
    (void)state;
    scoped(recent_free) struct recent *recent = recent_new(4);
    struct thread threads[2];
    struct error error = {0};
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        assert_ok(thread_start(&threads[i], "add", add_many, recent, &error), &error);
    }
    struct recent_event events[4];
    for (size_t round = 0; round < 500; round++) {
        size_t count = recent_copy(recent, events, 4);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(strlen(events[i].key), 40);
            assert_true(i == 0 || events[i].number < events[i - 1].number);
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(threads); i++) {
        thread_join(&threads[i]);
    }
    assert_int_equal(recent_copy(recent, events, 4), 4);
    assert_int_equal(events[0].number, 2000);
    assert_int_equal(events[3].number, 1997);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_come_first_and_the_oldest_go),
        cmocka_unit_test(test_every_field_is_kept),
        cmocka_unit_test(test_long_texts_are_cut_and_rules_kept_whole),
        cmocka_unit_test(test_a_text_as_long_as_its_place_is_cut_by_the_nul),
        cmocka_unit_test(test_threads_may_add_while_others_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
