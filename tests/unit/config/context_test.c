#include "riposte/config/context.h"

#include "riposte/config/template.h"
#include "riposte/json/writer.h"

#include "testing.h"

#define EVENT(more)                                                                            \
    "{\"version\":\"0\",\"id\":\"e-1\",\"source\":\"aws.ec2\",\"detail-type\":\"t\","          \
    "\"account\":\"123456789012\",\"region\":\"eu-west-1\",\"time\":\"2026-01-02T03:04:05Z\"," \
    "\"detail\":{\"eventID\":\"d-1\",\"eventName\":\"Do\\u0049t\",\"userIdentity\":{"          \
    "\"type\":\"IAMUser\",\"principalId\":\"AIDAEXAMPLE\",\"userName\":\"mallory\","           \
    "\"arn\":\"arn:aws:iam::123456789012:user/mallory\",\"accountId\":\"123456789012\"},"      \
    "\"n\":1.50}" more "}"

struct fixture {
    struct arena *arena;
    struct subject_event event;
};

static void fixture_done(struct fixture *fixture) {
    arena_free(&fixture->arena);
}

static struct fixture read_event(const char *text) {
    struct fixture fixture = {.arena = arena_new()};
    struct error error = {0};
    assert_ok(subject_event_read(text_of(text), fixture.arena, &fixture.event, &error), &error);
    return fixture;
}

static struct json *make_context(const struct fixture *fixture) {
    const struct context_self self = {.account = TEXT("123456789012"), .partition = TEXT("aws")};
    const struct json *vars = NULL;
    struct error error = {0};
    assert_ok(json_parse(TEXT("{\"x\":{\"y\":[1]}}"), 0, fixture->arena, &vars, NULL, &error),
              &error);
    return context_new(&fixture->event, TEXT("a-rule"), TEXT("high"), TEXT("01J"), &self, vars,
                       fixture->arena);
}

static void assert_renders(const struct json *context, struct arena *arena, const char *template,
                           const char *expected) {
    struct text text = {0};
    struct error error = {0};
    assert_ok(template_render_text(text_of(template), context, arena, &text, &error), &error);
    assert_text_equal(text, expected);
}

static void test_an_event_is_read_once(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read_event(EVENT(""));
    assert_text_equal(fixture.event.envelope.key, "d-1");
    assert_text_equal(fixture.event.envelope.event_name, "DoIt");
    assert_text_equal(fixture.event.principal.id, "123456789012/AIDAEXAMPLE");
    assert_true(json_is_object(fixture.event.root));
}

static const struct bad_event {
    const char *text, *why;
} bad_events[] = {
    {"", ""},
    {"[]", ""},
    {"{\"id\":\"1\"}", "missing"},
    {EVENT(",\"id\":\"e-2\""), "id"},
    {EVENT(",\"detail.eventID\":\"d-2\""), "detail.eventID"},
    {EVENT("") " x", ""},
};

static void test_what_is_no_event_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_events); i++) {
        testing_row(bad_events[i].text);
        scoped(arena_free) struct arena *arena = arena_new();
        struct subject_event event = {0};
        struct error error = {0};
        assert_fails(subject_event_read(text_of(bad_events[i].text), arena, &event, &error), &error,
                     ERROR_INVALID, bad_events[i].why);
        assert_null(event.root);
    }
    testing_row(NULL);
}

static void test_everything_is_in_one_document(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read_event(EVENT(""));
    struct json *context = make_context(&fixture);
    assert_renders(context, fixture.arena, "${id} ${detail-type} ${detail.n}", "e-1 t 1.50");
    assert_renders(context, fixture.arena, "${principal.kind} ${principal.mfa}", "user no");
    assert_renders(context, fixture.arena, "${rule.name} ${rule.severity}", "a-rule high");
    assert_renders(context, fixture.arena, "${incident.id}", "01J");
    assert_renders(context, fixture.arena, "${self.account} ${self.partition}", "123456789012 aws");
    assert_renders(context, fixture.arena, "${self.role:-unknown}", "unknown");
    assert_renders(context, fixture.arena, "${vars.x.y[0]}", "1");
}

static void test_an_event_cannot_spell_what_is_computed(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read_event(
        EVENT(",\"principal\":{\"kind\":\"root\",\"own\":1},\"principal.own\":2,\"vars\":{\"z\":1},"
              "\"steps\":{\"who\":1},\"item.id\":3,\"self.role\":\"r\",\"rule\":4,\"items\":5"));
    struct json *context = make_context(&fixture);
    assert_renders(context, fixture.arena, "${principal.kind}", "user");
    static const char *const hidden[] = {"${principal.own:-no}", "${vars.z:-no}",
                                         "${steps.who:-no}", "${item.id:-no}", "${self.role:-no}"};
    for (size_t i = 0; i < ARRAY_COUNT(hidden); i++) {
        assert_renders(context, fixture.arena, hidden[i], "no");
    }
    assert_renders(context, fixture.arena, "${rule.name}", "a-rule");
    assert_renders(context, fixture.arena, "${items}", "5");
}

static void test_answers_are_added_to_a_new_context(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read_event(EVENT(""));
    struct json *context = make_context(&fixture);
    struct json *first = json_new_object(fixture.arena);
    json_add_text(fixture.arena, first, "a", TEXT("1"));
    struct json *second = json_new_string(fixture.arena, TEXT("2"));
    struct json *one = context_with_step(context, TEXT("who"), first, fixture.arena);
    struct json *two = context_with_step(one, TEXT("look"), second, fixture.arena);
    assert_renders(context, fixture.arena, "${steps.who.a:-no}", "no");
    assert_renders(one, fixture.arena, "${steps.who.a} ${steps.look:-no}", "1 no");
    assert_renders(two, fixture.arena, "${steps.who.a} ${steps.look} ${detail.n}", "1 2 1.50");
    struct json *again = context_with_step(two, TEXT("who"), second, fixture.arena);
    assert_renders(again, fixture.arena, "${steps.who} ${steps.look}", "2 2");
}

static void test_a_member_replaces_and_hides(void **state) {
    (void)state;
    scoped(fixture_done) struct fixture fixture = read_event(
        EVENT(",\"answer\":{\"x\":1},\"answer.y\":2"));
    struct json *context = make_context(&fixture);
    struct json *one = context_with(context, "answer", json_new_object(fixture.arena),
                                    fixture.arena);
    assert_renders(one, fixture.arena, "${answer.x:-no} ${answer.y:-no}", "no no");
    struct json *two = context_with(one, "item", json_new_integer(fixture.arena, 7), fixture.arena);
    struct json *three = context_with(two, "item", json_new_integer(fixture.arena, 8),
                                      fixture.arena);
    assert_renders(two, fixture.arena, "${item}", "7");
    assert_renders(three, fixture.arena, "${item}", "8");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_event_is_read_once),
        cmocka_unit_test(test_what_is_no_event_is_refused),
        cmocka_unit_test(test_everything_is_in_one_document),
        cmocka_unit_test(test_an_event_cannot_spell_what_is_computed),
        cmocka_unit_test(test_answers_are_added_to_a_new_context),
        cmocka_unit_test(test_a_member_replaces_and_hides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
