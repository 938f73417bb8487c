#include "rule_test.h"

#include "forms.h"

#include "riposte/base/file.h"
#include "riposte/base/memory.h"
#include "riposte/config/context.h"
#include "riposte/json/writer.h"

#define EVENT_BYTES (4u * 1024 * 1024)

static bool load_event(const struct json *node, const char *folder, struct buffer *out,
                       struct error *error) {
    if (json_is_object(node)) {
        json_write(out, node);
        return true;
    }
    scoped(memory_free_at) char *name = text_copy(json_text(node));
    scoped(memory_free_at) char *path = file_join(folder, name);
    return file_read(path, EVENT_BYTES, out, error);
}

/* The event's text and tree, when it is one. */
static struct text read_text(const struct reading *reading, const struct json *node,
                             const char *label, const char *folder, const struct json **root_out) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct subject_event event = {0};
    struct error error = {0};
    if (!json_is_object(node) && !json_is_string(node)) {
        form_refuse(reading, node, label, "a file's name or an event");
        return (struct text){NULL, 0};
    }
    if (!load_event(node, folder, &text, &error) ||
        !subject_event_read(buffer_text(&text), reading->arena, &event, &error)) {
        findings_add(reading->findings, reading->source, node, "%s is no event: %s", label,
                     error.text);
        return (struct text){NULL, 0};
    }
    *root_out = event.root;
    return arena_copy_text(reading->arena, buffer_text(&text));
}

static void read_event(const struct reading *reading, const struct json *node, const char *folder,
                       struct rule_test *test) {
    if (node != NULL) {
        test->event_text = read_text(reading, node, "\"event\"", folder, &test->event);
    }
}

static void read_earlier(const struct reading *reading, const struct json *array,
                         const char *folder, struct rule_test *test) {
    size_t count = json_is_array(array) ? json_count(array) : 0;
    struct text *texts = arena_alloc_array(reading->arena, count, sizeof(*texts));
    const struct json *root = NULL;
    const struct json *child = json_first(array);
    for (size_t i = 0; i < count; i++, child = json_next(child)) {
        texts[i] = read_text(reading, child, "an entry of \"earlier\"", folder, &root);
    }
    test->earlier = (struct texts){texts, count};
}

static void check_call_name(const struct reading *reading, const struct json *node,
                            struct text text, size_t offset) {
    struct call_template call;
    if (!form_split_call(text, &call)) {
        findings_add_at(reading->findings, reading->source, offset > 0 ? offset : json_offset(node),
                        "\"%.*s\" must be a call like \"ec2:DescribeInstances\"", TEXT_ARG(text));
    }
}

static void read_answers(const struct reading *reading, const struct json *node,
                         struct rule_test *test) {
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        check_call_name(reading, child, json_key(child), json_key_offset(child));
    }
    test->answers = json_is_object(node) ? node : NULL;
}

static const struct member self_members[] = {
    {"account", MEMBER_STRING, 0},    {"role", MEMBER_STRING, 0},
    {"partition", MEMBER_STRING, 0},  {"accounts", MEMBER_STRINGS, 0},
    {"resources", MEMBER_STRINGS, 0},
};
static const struct form self_form = {
    .name = "self", .members = self_members, .count = ARRAY_COUNT(self_members)};

/* `account`: whose event it is; ours, unless it is said otherwise. */
static void read_self(const struct reading *reading, const struct json *node,
                      struct rule_test *test) {
    if (node == NULL) {
        return;
    }
    form_check(reading, node, "a \"self\"", self_members, ARRAY_COUNT(self_members));
    struct text account = form_text(node, "account");
    test->has_self = true;
    test->self = (struct context_self){
        .account = account.bytes > 0 ? account : json_text(json_member(test->event, "account")),
        .role = form_text(node, "role"),
        .partition = form_text(node, "partition"),
        .accounts = form_texts(reading, node, "accounts"),
        .resources = form_texts(reading, node, "resources"),
    };
}

static const struct member expect_members[] = {
    {"match", MEMBER_BOOLEAN, MEMBER_REQUIRED},
    {"calls", MEMBER_STRINGS, 0},
    {"inverses", MEMBER_STRINGS, 0},
};
static const struct member_detail expect_details[] = {
    {.name = "calls", .schema = "{\"items\": " FORM_CALL_SCHEMA "}"},
    {.name = "inverses", .schema = "{\"items\": " FORM_CALL_SCHEMA "}"},
};
static const struct form expect_form = {.name = "expect",
                                        .members = expect_members,
                                        .count = ARRAY_COUNT(expect_members),
                                        .details = expect_details,
                                        .detail_count = ARRAY_COUNT(expect_details)};

/* A list of calls by name; false: the member isn't there. */
static bool read_call_names(const struct reading *reading, const struct json *expect,
                            const char *name, bool is_match, struct texts *out) {
    const struct json *array = json_member(expect, name);
    *out = form_texts(reading, expect, name);
    for (const struct json *child = json_first(array); child != NULL; child = json_next(child)) {
        if (json_is_string(child)) {
            check_call_name(reading, child, json_text(child), 0);
        }
    }
    if (!is_match && out->count > 0) {
        findings_add(reading->findings, reading->source, array, "without a match there are no %s",
                     name);
    }
    return json_is_array(array);
}

static void read_expected(const struct reading *reading, const struct json *node,
                          struct rule_test *test) {
    if (!json_is_object(node)) {
        return;
    }
    form_check(reading, node, "an \"expect\"", expect_members, ARRAY_COUNT(expect_members));
    const struct json *match = json_member(node, "match");
    test->is_match = match != NULL && json_type(match) == JSON_TRUE;
    test->has_calls = read_call_names(reading, node, "calls", test->is_match, &test->calls);
    test->has_inverses = read_call_names(reading, node, "inverses", test->is_match,
                                         &test->inverses);
}

static const struct member test_members[] = {
    {"name", MEMBER_STRING, MEMBER_REQUIRED},
    {"event", MEMBER_ANY, MEMBER_REQUIRED},
    {"earlier", MEMBER_ARRAY, 0},
    {"answers", MEMBER_OBJECT, 0},
    {"vars", MEMBER_OBJECT, 0},
    {"self", MEMBER_OBJECT, 0},
    {"expect", MEMBER_OBJECT, MEMBER_REQUIRED},
};
static const struct member_detail test_details[] = {
    {.name = "event", .schema = "{\"type\": [\"string\", \"object\"]}"},
    {.name = "earlier", .schema = "{\"items\": {\"type\": [\"string\", \"object\"]}}"},
    {.name = "answers", .schema = "{\"propertyNames\": {\"pattern\": \"" FORM_CALL_PATTERN "\"}}"},
    {.name = "self", .form = &self_form},
    {.name = "expect", .form = &expect_form},
};
const struct form rule_test_form = {.name = "test",
                                    .members = test_members,
                                    .count = ARRAY_COUNT(test_members),
                                    .details = test_details,
                                    .detail_count = ARRAY_COUNT(test_details)};

static void read_test(const struct reading *reading, const struct json *node, const char *folder,
                      struct rule_test *test) {
    form_check(reading, node, "a test", test_members, ARRAY_COUNT(test_members));
    test->node = node;
    test->name = form_text(node, "name");
    read_event(reading, json_member(node, "event"), folder, test);
    read_earlier(reading, json_member(node, "earlier"), folder, test);
    read_answers(reading, json_member(node, "answers"), test);
    read_self(reading, json_member(node, "self"), test);
    read_expected(reading, json_member(node, "expect"), test);
    if (json_is_object(json_member(node, "vars"))) {
        test->vars = json_member(node, "vars");
    }
}

void rule_tests_read(const struct reading *reading, const struct json *array, const char *folder,
                     struct rule *rule) {
    size_t count = json_is_array(array) ? json_count(array) : 0;
    struct rule_test *tests = arena_alloc_array(reading->arena, count, sizeof(*tests));
    const struct json *child = json_first(array);
    for (size_t i = 0; i < count; i++, child = json_next(child)) {
        read_test(reading, child, folder, &tests[i]);
    }
    rule->tests = tests;
    rule->test_count = count;
}
