#include "riposte/cli/ocsf.h"

#include "riposte/base/hex.h"
#include "riposte/event/operation.h"
#include "riposte/json/tree.h"
#include "riposte/json/writer.h"

#define SEVERITY_INFORMATIONAL 1

enum activity { CREATE = 1, READ, UPDATE, DELETE };
enum lifecycle { START = 3, STOP = 4 };
enum status { UNKNOWN, SUCCESS, FAILURE, OTHER = 99 };

/* A class, with the events that are of it; the last takes all others. */
struct class {
    int category, uid;
    const char *name;
    int (*activity_fn)(struct text event, const struct json *said);
    void (*write_fn)(struct json_writer *writer, const struct journal_audit_line *line,
                     const struct json *said);
    const char *events[4];
};

static struct text said_text(const struct json *said, const char *name) {
    return json_text(json_member(said, name));
}

static void put_if(struct json_writer *writer, const char *name, struct text value) {
    if (value.bytes > 0) {
        json_put_text(writer, name, value);
    }
}

/* ---- what all have ---- */

static void put_product(struct json_writer *writer) {
    json_open_object(writer, "product");
    json_put_string(writer, "name", "Riposte");
    json_put_string(writer, "vendor_name", "Riposte");
    json_put_string(writer, "version", RIPOSTE_VERSION);
    json_close_object(writer);
}

static void put_metadata(struct json_writer *writer, const struct journal_audit_line *line,
                         bool is_in_cloud, const char *hash) {
    json_open_object(writer, "metadata");
    json_put_string(writer, "version", OCSF_VERSION);
    put_product(writer);
    json_put_string(writer, "log_name", "audit");
    json_put_string(writer, "uid", hash);
    json_put_integer(writer, "sequence", line->sequence);
    json_put_text(writer, "event_code", line->event);
    put_if(writer, "correlation_uid", line->incident);
    if (is_in_cloud) {
        json_open_array(writer, "profiles");
        json_put_string(writer, NULL, "cloud");
        json_close_array(writer);
    }
    json_close_object(writer);
}

/* A person, or the server by itself. */
static void put_actor(struct json_writer *writer, const struct journal_audit_line *line) {
    json_open_object(writer, "actor");
    if (line->actor.bytes > 0 && !text_equal(line->actor, TEXT("riposte"))) {
        json_open_object(writer, "user");
        json_put_text(writer, "name", line->actor);
        json_close_object(writer);
    }
    json_put_string(writer, "app_name", "riposte");
    json_close_object(writer);
}

static void put_status(struct json_writer *writer, enum status status, const struct json *said) {
    json_put_integer(writer, "status_id", status);
    if (status == OTHER) {
        struct text state = said_text(said, "state");
        json_put_text(writer, "status", state.bytes > 0 ? state : TEXT("other"));
    }
    put_if(writer, "status_code", said_text(said, "error"));
    put_if(writer, "status_detail", said_text(said, "reason"));
}

/* ---- calls ---- */

static int call_activity(struct text event, const struct json *said) {
    struct text operation = said_text(said, "operation");
    (void)event;
    if (operation_is_read(operation)) {
        return READ;
    }
    bool is_deletion = text_starts_with(operation, TEXT("Delete")) ||
                       text_starts_with(operation, TEXT("Detach")) ||
                       text_starts_with(operation, TEXT("Remove"));
    return is_deletion ? DELETE : text_starts_with(operation, TEXT("Create")) ? CREATE : UPDATE;
}

static enum status call_status(struct text event, struct text state) {
    if (!text_equal(event, TEXT("outcome"))) {
        return text_equal(event, TEXT("intent")) ? UNKNOWN : OTHER;
    }
    return text_equal(state, TEXT("done"))     ? SUCCESS
           : text_equal(state, TEXT("failed")) ? FAILURE
                                               : OTHER;
}

static void put_target(struct json_writer *writer, const struct json *said) {
    struct text target = said_text(said, "effect_target");
    if (target.bytes > 0) {
        json_open_array(writer, "resources");
        json_open_object(writer, NULL);
        json_put_text(writer, "uid", target);
        put_if(writer, "name", said_text(said, "effect_name"));
        json_close_object(writer);
        json_close_array(writer);
    }
}

static void write_call(struct json_writer *writer, const struct journal_audit_line *line,
                       const struct json *said) {
    put_status(writer, call_status(line->event, said_text(said, "state")), said);
    json_open_object(writer, "api");
    json_put_text(writer, "operation", said_text(said, "operation"));
    json_open_object(writer, "service");
    json_put_text(writer, "name", said_text(said, "service"));
    json_close_object(writer);
    json_open_object(writer, "request");
    json_put_text(writer, "uid", said_text(said, "call"));
    json_close_object(writer);
    json_close_object(writer);
    json_open_object(writer, "src_endpoint");
    json_put_string(writer, "name", "riposte");
    json_close_object(writer);
    json_open_object(writer, "cloud");
    json_put_string(writer, "provider", "AWS");
    put_if(writer, "region", said_text(said, "region"));
    json_open_object(writer, "account");
    json_put_text(writer, "uid", said_text(said, "account"));
    json_close_object(writer);
    json_close_object(writer);
    put_target(writer, said);
}

/* ---- the server ---- */

static int lifecycle_activity(struct text event, const struct json *said) {
    (void)said;
    return text_equal(event, TEXT("start"))  ? START
           : text_equal(event, TEXT("stop")) ? STOP
                                             : OTHER;
}

static void write_lifecycle(struct json_writer *writer, const struct journal_audit_line *line,
                            const struct json *said) {
    (void)line;
    put_status(writer, SUCCESS, said);
    json_open_object(writer, "app");
    json_put_string(writer, "name", "Riposte");
    json_put_string(writer, "vendor_name", "Riposte");
    put_if(writer, "version", said_text(said, "version"));
    json_close_object(writer);
}

/* ---- incidents, and the journal itself ---- */

static int entity_activity(struct text event, const struct json *said) {
    (void)said;
    return text_equal(event, TEXT("detected")) || text_equal(event, TEXT("adopted")) ? CREATE
           : text_equal(event, TEXT("forgotten"))                                    ? DELETE
                                                                                     : UPDATE;
}

static void write_entity(struct json_writer *writer, const struct journal_audit_line *line,
                         const struct json *said) {
    put_status(writer, SUCCESS, said);
    put_if(writer, "comment", said_text(said, "reason"));
    json_open_object(writer, "entity");
    struct text rule = said_text(said, "rule");
    if (line->incident.bytes > 0) {
        json_put_string(writer, "type", "incident");
        json_put_text(writer, "uid", line->incident);
        put_if(writer, "name", rule);
    } else {
        json_put_string(writer, "type", rule.bytes > 0 ? "rule" : "journal");
        json_put_text(writer, "name", rule.bytes > 0 ? rule : TEXT("journal"));
    }
    json_close_object(writer);
}

static const struct class classes[] = {
    {6, 6003, "API Activity", call_activity, write_call, {"intent", "outcome", "shared", NULL}},
    {6,
     6002,
     "Application Lifecycle",
     lifecycle_activity,
     write_lifecycle,
     {"start", "stop", "reload", NULL}},
    {3, 3004, "Entity Management", entity_activity, write_entity, {NULL}},
};

static const struct class *class_of(struct text event) {
    size_t last = ARRAY_COUNT(classes) - 1;
    for (size_t i = 0; i < last; i++) {
        for (size_t k = 0; classes[i].events[k] != NULL; k++) {
            if (text_equal_string(event, classes[i].events[k])) {
                return &classes[i];
            }
        }
    }
    return &classes[last];
}

void ocsf_write_line(const struct journal_audit_line *line, struct buffer *out) {
    scoped(arena_free) struct arena *arena = arena_new();
    const struct class *class = class_of(line->event);
    const struct json *said = NULL;
    struct error ignored = {0};
    struct json_writer writer;
    char hash[2 * JOURNAL_HASH_BYTES + 1];
    hex_encode(line->hash, sizeof(line->hash), hash);
    if (!json_parse(line->text, 0, arena, &said, NULL, &ignored)) {
        said = json_new_object(arena); /* a journal that was tampered with; the text is kept */
    }
    int activity = class->activity_fn(line->event, said);
    json_writer_init(&writer, out);
    json_open_object(&writer, NULL);
    json_put_integer(&writer, "category_uid", class->category);
    json_put_integer(&writer, "class_uid", class->uid);
    json_put_string(&writer, "class_name", class->name);
    json_put_integer(&writer, "activity_id", activity);
    if (activity == OTHER) {
        json_put_text(&writer, "activity_name", line->event);
    }
    json_put_integer(&writer, "type_uid", (int64_t) class->uid * 100 + activity);
    json_put_integer(&writer, "severity_id", SEVERITY_INFORMATIONAL);
    json_put_integer(&writer, "time", line->unix_ms);
    put_metadata(&writer, line, class->write_fn == write_call, hash);
    put_actor(&writer, line);
    class->write_fn(&writer, line, said);
    json_open_object(&writer, "unmapped");
    json_put_text(&writer, "event", line->event);
    json_put_text(&writer, "text", line->text);
    json_put_string(&writer, "hash", hash);
    json_close_object(&writer);
    json_close_object(&writer);
}
