#include "riposte/cli/record.h"

#include "riposte/base/buffer.h"
#include "riposte/json/tree.h"
#include "riposte/json/writer.h"

static struct text member(const struct json *object, const char *name) {
    const struct json *node = json_member(object, name);
    return json_is_string(node) ? json_text(node) : TEXT("");
}

static struct text detail_type(struct text event_type) {
    static const struct {
        struct text event_type, detail_type;
    } types[] = {
        {TEXT_INIT("AwsApiCall"), TEXT_INIT("AWS API Call via CloudTrail")},
        {TEXT_INIT("AwsConsoleSignIn"), TEXT_INIT("AWS Console Sign In via CloudTrail")},
        {TEXT_INIT("AwsConsoleAction"), TEXT_INIT("AWS Console Action via CloudTrail")},
        {TEXT_INIT("AwsServiceEvent"), TEXT_INIT("AWS Service Event via CloudTrail")},
        {TEXT_INIT("AwsVpceEvent"), TEXT_INIT("AWS Network Activity Event via CloudTrail")},
        {TEXT_INIT("AwsVpceEvents"), TEXT_INIT("AWS Network Activity Event via CloudTrail")},
        {TEXT_INIT("AwsCloudTrailInsight"), TEXT_INIT("AWS Insight via CloudTrail")},
    };
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (text_equal(event_type, types[i].event_type)) {
            return types[i].detail_type;
        }
    }
    return types[0].detail_type; /* old records don't say */
}

/* "ec2.amazonaws.com" -> "aws.ec2" */
static struct text source_of(struct text event_source, struct arena *arena) {
    return arena_format(
        arena, "aws.%.*s",
        TEXT_ARG(text_slice(event_source, 0, text_find_byte(event_source, '.', 0))));
}

static struct text account_of(const struct json *record) {
    struct text recipient = member(record, "recipientAccountId");
    return recipient.bytes > 0 ? recipient
                               : member(json_member(record, "userIdentity"), "accountId");
}

/* The record goes in as it is written: spellings and duplicates count. */
static struct text wrap(const struct json *record, struct text text, struct arena *arena) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    struct json_writer writer;
    json_writer_init(&writer, &out);
    json_open_object(&writer, NULL);
    json_put_string(&writer, "version", "0");
    json_put_text(&writer, "id", member(record, "eventID"));
    json_put_text(&writer, "detail-type", detail_type(member(record, "eventType")));
    json_put_text(&writer, "source", source_of(member(record, "eventSource"), arena));
    json_put_text(&writer, "account", account_of(record));
    json_put_text(&writer, "time", member(record, "eventTime"));
    json_put_text(&writer, "region", member(record, "awsRegion"));
    json_open_array(&writer, "resources");
    json_close_array(&writer);
    json_put_raw(&writer, "detail", text);
    json_close_object(&writer);
    return arena_copy_text(arena, buffer_text(&out));
}

bool record_event(struct text record, struct arena *arena, struct text *event_out,
                  struct error *error) {
    const struct json *root = NULL;
    if (!json_parse(record, 0, arena, &root, NULL, error)) {
        return false;
    }
    const struct json *inner = json_member(root, "CloudTrailEvent");
    if (json_is_string(inner)) {
        record = json_text(inner);
        if (!json_parse(record, 0, arena, &root, NULL, error)) {
            return error_wrap(error, "CloudTrailEvent");
        }
    }
    if (json_is_object(json_member(root, "detail")) && json_member(root, "detail-type") != NULL) {
        *event_out = record;
        return true;
    }
    if (member(root, "eventSource").bytes == 0 || member(root, "eventName").bytes == 0) {
        return error_set(error, ERROR_INVALID,
                         "neither a record of CloudTrail nor an event of EventBridge");
    }
    *event_out = wrap(root, record, arena);
    return true;
}
