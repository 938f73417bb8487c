#include "riposte/config/canary.h"

#include "settings_keys.h"

#include "riposte/base/time.h"
#include "riposte/event/arn.h"

#include <assert.h>
#include <stdio.h>

#define EVERY_DEFAULT_MS (5 * 60 * 1000)
#define STALE_DEFAULT_MS (20 * 60 * 1000)

/* What can be tagged: the call, and where it names the resource. */
static const struct kind {
    const char *service, *resource, *event, *parameter;
    bool is_url; /* the parameter ends in /ACCOUNT/NAME */
} kinds[] = {
    {"sqs", "", "TagQueue", "queueUrl", true},
    {"iam", "role/", "TagRole", "roleName", false},
};

static const struct kind *find_kind(const struct arn *arn) {
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (text_equal_string(arn->service, kinds[i].service) &&
            text_starts_with(arn->resource, text_of(kinds[i].resource))) {
            return &kinds[i];
        }
    }
    return NULL;
}

/* Nothing that JSON would have to escape. */
static bool is_plain(struct text text) {
    static const struct text marks = TEXT_INIT("+=,.@_/:-");
    bool is_good = text.bytes > 0;
    for (size_t i = 0; is_good && i < text.bytes; i++) {
        char c = text.data[i];
        is_good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  text_find_byte(marks, c, 0) < marks.bytes;
    }
    return is_good;
}

/* ---- its events ---- */

static struct arn resource_of(const struct canary *canary) {
    struct arn arn = {0};
    bool is_arn = arn_parse(canary->resource, &arn);
    assert(is_arn); /* read_canary() saw to it */
    (void)is_arn;
    return arn;
}

struct text canary_account(const struct canary *canary) {
    return resource_of(canary).account;
}

const struct json *canary_pattern(const struct canary *canary, struct arena *arena) {
    struct arn arn = resource_of(canary);
    const struct kind *kind = find_kind(&arn);
    struct text name = arn_name(&arn);
    struct text value = kind->is_url ? arena_format(arena, "{\"suffix\":\"/%.*s/%.*s\"}",
                                                    TEXT_ARG(arn.account), TEXT_ARG(name))
                                     : arena_format(arena, "\"%.*s\"", TEXT_ARG(name));
    struct text text = arena_format(
        arena,
        "{\"source\":[\"aws.%s\"],\"detail-type\":[\"AWS API Call via CloudTrail\"],"
        "\"account\":[\"%.*s\"],\"region\":[\"%.*s\"],\"detail\":{"
        "\"eventSource\":[\"%s.amazonaws.com\"],\"eventName\":[\"%s\"],"
        "\"errorCode\":[{\"exists\":false}],\"requestParameters\":{\"%s\":[%.*s]},"
        "\"userIdentity\":{\"sessionContext\":{\"sessionIssuer\":{\"arn\":[\"%.*s\"]}}}}}",
        kind->service, TEXT_ARG(arn.account), TEXT_ARG(canary->region), kind->service, kind->event,
        kind->parameter, TEXT_ARG(value), TEXT_ARG(canary->role));
    const struct json *pattern = NULL;
    struct error error = {0};
    bool is_json = json_parse(text, 0, arena, &pattern, NULL, &error);
    assert(is_json);
    (void)is_json;
    return pattern;
}

/* {"KEY": value} of SQS, [{"key": KEY, "value": value}] of IAM. */
struct text canary_tag(const struct json *event) {
    const struct json *parameters = json_member(json_member(event, "detail"), "requestParameters");
    const struct json *tags = json_member(parameters, "tags");
    if (json_is_object(tags)) {
        return json_text(json_member(tags, CANARY_TAG));
    }
    for (const struct json *tag = json_first(tags); tag != NULL; tag = json_next(tag)) {
        if (text_equal(json_text(json_member(tag, "key")), TEXT(CANARY_TAG))) {
            return json_text(json_member(tag, "value"));
        }
    }
    return TEXT("");
}

/* ---- the setting ---- */

static const struct member canary_members[] = {
    {"region", MEMBER_STRING, MEMBER_REQUIRED}, {"resource", MEMBER_STRING, MEMBER_REQUIRED},
    {"role", MEMBER_STRING, MEMBER_REQUIRED},   {"every", MEMBER_DURATION, 0},
    {"stale_after", MEMBER_DURATION, 0},
};
static const struct form canary_form = {
    .name = "canary", .members = canary_members, .count = ARRAY_COUNT(canary_members)};

static bool check_canary(const struct value_place *place, const struct json *node,
                         struct canary *canary) {
    const struct reading *reading = place->reading;
    struct arn resource = {0}, role = {0};
    if (!is_plain(canary->resource) || !arn_parse(canary->resource, &resource) ||
        find_kind(&resource) == NULL || resource.account.bytes == 0) {
        form_refuse(reading, json_member(node, "resource"), "\"resource\"",
                    "the ARN of a queue or of a role");
    } else if (!is_plain(canary->role) || !arn_parse(canary->role, &role) ||
               !text_equal(role.service, TEXT("iam")) ||
               !text_starts_with(role.resource, TEXT("role/"))) {
        form_refuse(reading, json_member(node, "role"), "\"role\"",
                    "the ARN of the schedule's role");
    } else if (!is_plain(canary->region)) {
        form_refuse(reading, json_member(node, "region"), "\"region\"",
                    "a Region like \"eu-west-1\"");
    } else if (canary->stale_after_ms <= canary->every_ms) {
        findings_add(reading->findings, reading->source, node,
                     "%s: \"stale_after\" must be longer than \"every\"", place->label);
    } else {
        canary->service = resource.service;
        return true;
    }
    return false;
}

static void read_canary(const struct value_place *place, const struct json *node,
                        struct canary *canary_out) {
    size_t errors_before = findings_errors(place->reading->findings);
    form_check(place->reading, node, "a canary", canary_members, ARRAY_COUNT(canary_members));
    if (findings_errors(place->reading->findings) > errors_before) {
        return;
    }
    *canary_out = (struct canary){
        .region = form_text(node, "region"),
        .resource = form_text(node, "resource"),
        .role = form_text(node, "role"),
        .every_ms = form_duration(node, "every", EVERY_DEFAULT_MS),
        .stale_after_ms = form_duration(node, "stale_after", STALE_DEFAULT_MS),
    };
    bool is_good = check_canary(place, node, canary_out);
    (void)is_good; /* the findings say so */
}

/* In the environment the list stands as text. */
static const struct json *parse_text(const struct value_place *place, const struct json *node) {
    const struct json *parsed = NULL;
    struct error error = {0};
    return json_is_string(node) &&
                   json_parse(json_text(node), 0, place->reading->arena, &parsed, NULL, &error)
               ? parsed
               : node;
}

static void read_canaries(const struct value_place *place, const struct json *written) {
    const struct json *node = parse_text(place, written);
    size_t errors_before = findings_errors(place->reading->findings);
    if (!json_is_array(node) || json_count(node) > CANARIES_MOST) {
        value_refuse(place, node,
                     "an array of at most 64 {\"region\", \"resource\", \"role\", \"every\", "
                     "\"stale_after\"}");
        return;
    }
    struct canary *items = arena_alloc_array(place->reading->arena, json_count(node),
                                             sizeof(*items));
    size_t count = 0;
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        read_canary(place, child, &items[count++]);
    }
    if (findings_errors(place->reading->findings) == errors_before) {
        place->settings->canary.items = items;
        place->settings->canary.count = count;
    }
}

static void add_duration(struct arena *arena, struct json *object, const char *name, int64_t ms) {
    char text[TIME_TEXT_BYTES];
    duration_format(ms, text);
    json_add_text(arena, object, name, arena_copy_text(arena, text_of(text)));
}

static struct json *print_canaries(const struct settings *settings, const struct key *key,
                                   struct arena *arena) {
    (void)key;
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < settings->canary.count; i++) {
        const struct canary *canary = &settings->canary.items[i];
        struct json *object = json_new_object(arena);
        json_add_text(arena, object, "region", canary->region);
        json_add_text(arena, object, "resource", canary->resource);
        json_add_text(arena, object, "role", canary->role);
        add_duration(arena, object, "every", canary->every_ms);
        add_duration(arena, object, "stale_after", canary->stale_after_ms);
        json_add_element(array, object);
    }
    return array;
}

const struct key_type settings_canary_type = {
    "list",      "", read_canaries, print_canaries, "{\"type\": \"array\", \"maxItems\": 64}",
    &canary_form};
