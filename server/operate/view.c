#include "view.h"

#include "riposte/base/arena.h"
#include "riposte/base/hex.h"
#include "riposte/base/time.h"
#include "riposte/json/tree.h"

#include <stdlib.h>

void view_put(struct json_object **object) {
    json_object_put(*object);
    *object = NULL;
}

void view_add_text(struct json_object *object, const char *key, struct text value) {
    if (value.bytes > 0) {
        json_object_object_add(object, key,
                               json_object_new_string_len(value.data, (int)value.bytes));
    }
}

static void add_string(struct json_object *object, const char *key, const char *value) {
    view_add_text(object, key, text_of(value));
}

static void add_number(struct json_object *object, const char *key, int64_t value) {
    json_object_object_add(object, key, json_object_new_int64(value));
}

static void add_flag(struct json_object *object, const char *key, bool value) {
    json_object_object_add(object, key, json_object_new_boolean(value));
}

void view_add_time(struct json_object *object, const char *key, int64_t unix_ms) {
    if (unix_ms != 0) {
        char text[TIME_TEXT_BYTES];
        time_format_ms(unix_ms, text);
        add_string(object, key, text);
    }
}

static void add_ulid(struct json_object *object, const char *key, const struct ulid *id) {
    if (!ulid_is_none(id)) {
        view_add_text(object, key, ulid_text(id));
    }
}

/* Writes the node's own string as it is. */
static int write_raw(struct json_object *node, struct printbuf *out, int level, int flags) {
    (void)level;
    (void)flags;
    return printbuf_memappend(out, json_object_get_string(node), json_object_get_string_len(node));
}

void view_add_json(struct json_object *object, const char *key, struct text text) {
    if (text.bytes == 0) {
        return;
    }
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *root = NULL;
    struct error error = {0};
    struct json_object *node = json_object_new_string_len(text.data, (int)text.bytes);
    if (json_parse(text, 0, arena, &root, NULL, &error)) {
        json_object_set_serializer(node, write_raw, NULL, NULL);
    }
    json_object_object_add(object, key, node);
}

struct json_object *view_story(const struct journal_incident *incident) {
    struct json_object *object = json_object_new_object();
    struct json_object *principal = json_object_new_object();
    add_ulid(object, "id", &incident->id);
    view_add_text(object, "rule", incident->rule);
    view_add_text(object, "severity", incident->severity);
    add_string(object, "state", incident_state_name(incident->state));
    view_add_text(object, "reason", incident->reason);
    add_string(object, "mode", mode_name(incident->mode));
    view_add_text(object, "subject", incident->subject);
    view_add_text(principal, "id", incident->principal_id);
    view_add_text(principal, "name", incident->principal_name);
    json_object_object_add(object, "principal", principal);
    view_add_text(object, "account", incident->account);
    view_add_text(object, "region", incident->region);
    view_add_text(object, "event_key", incident->event_key);
    view_add_text(object, "trace_id", trace_text(&incident->trace));
    add_ulid(object, "joined_to", &incident->joined_to);
    view_add_time(object, "event_time", incident->event_unix_ms);
    view_add_time(object, "received", incident->received_unix_ms);
    view_add_time(object, "created", incident->created_unix_ms);
    view_add_time(object, "updated", incident->updated_unix_ms);
    view_add_time(object, "contained", incident->contained_unix_ms);
    if (incident->contained_unix_ms != 0) {
        add_number(object, "contained_after_ms",
                   incident->contained_unix_ms - incident->received_unix_ms);
    }
    return object;
}

struct json_object *view_incident(const struct journal_incident *incident) {
    struct journal_incident shown = *incident;
    struct text *texts[] = {&shown.reason,  &shown.subject, &shown.principal_id,
                            &shown.account, &shown.region,  &shown.principal_name};
    bool is_cut = false;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        is_cut |= texts[i]->bytes > VIEW_CUT_BYTES;
        *texts[i] = text_cut(*texts[i], VIEW_CUT_BYTES);
    }
    struct json_object *object = view_story(&shown);
    if (is_cut) {
        add_flag(object, "is_cut", true);
    }
    return object;
}

static void add_effect_name(struct json_object *object, const struct journal_effect_name *name) {
    view_add_text(object, "account", name->account);
    view_add_text(object, "target", name->target);
    view_add_text(object, "name", name->name);
}

static struct json_object *view_call(const struct journal_call *call) {
    struct json_object *object = json_object_new_object();
    view_add_text(object, "key", call->key);
    view_add_text(object, "playbook", call->playbook);
    view_add_text(object, "step", call->step);
    view_add_text(object, "service", call->service);
    view_add_text(object, "operation", call->operation);
    view_add_text(object, "account", call->account);
    view_add_text(object, "region", call->region);
    add_string(object, "state", call_state_name(call->state));
    view_add_text(object, "error_code", call->error_code);
    view_add_text(object, "reason", call->reason);
    add_flag(object, "is_write", call->is_write);
    add_flag(object, "is_containing", call->is_containing);
    add_number(object, "attempts", call->attempts);
    view_add_time(object, "intended", call->intended_unix_ms);
    view_add_time(object, "ended", call->ended_unix_ms);
    add_number(object, "took_us", call->took_us);
    view_add_json(object, "request", call->request);
    view_add_json(object, "answer", call->answer);
    view_add_json(object, "inverse", call->inverse);
    if (call->effect.name.bytes > 0) {
        struct json_object *effect = json_object_new_object();
        add_effect_name(effect, &call->effect);
        json_object_object_add(object, "effect", effect);
    }
    return object;
}

struct json_object *view_calls(const struct journal_call *calls, size_t count) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++) {
        json_object_array_add(list, view_call(&calls[i]));
    }
    return list;
}

struct json_object *view_effects(const struct journal_effect *effects, size_t count) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++) {
        const struct journal_effect *effect = &effects[i];
        struct json_object *object = json_object_new_object();
        add_number(object, "id", effect->id);
        add_effect_name(object, &effect->name);
        view_add_text(object, "playbook", effect->playbook);
        view_add_text(object, "step", effect->step);
        add_number(object, "owners", (int64_t)effect->owner_count);
        add_flag(object, "is_releasing", effect->is_releasing);
        add_flag(object, "acts_on_principal", effect->acts_on_principal);
        view_add_time(object, "made", effect->made_unix_ms);
        view_add_json(object, "inverse", effect->inverse);
        json_object_array_add(list, object);
    }
    return list;
}

struct json_object *view_tasks(const struct journal_task_row *tasks, size_t count) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++) {
        const struct journal_task_row *task = &tasks[i];
        struct json_object *object = json_object_new_object();
        add_number(object, "id", task->id);
        add_string(object, "kind", task_kind_name(task->kind));
        view_add_text(object, "playbook", task->playbook);
        add_number(object, "attempt", task->attempt);
        add_flag(object, "is_leased", task->is_leased);
        view_add_time(object, "due", task->due_unix_ms);
        json_object_array_add(list, object);
    }
    return list;
}

static struct json_object *split_names(const char *names) {
    struct json_object *list = json_object_new_array();
    struct text rest = text_of(names);
    struct text name = {NULL, 0};
    while (text_next_part(&rest, ',', &name)) {
        json_object_array_add(list, json_object_new_string_len(name.data, (int)name.bytes));
    }
    return list;
}

struct json_object *view_recent(const struct recent_event *events, size_t count) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++) {
        const struct recent_event *event = &events[i];
        struct json_object *object = json_object_new_object();
        add_number(object, "number", (int64_t)event->number);
        view_add_time(object, "received", event->received_unix_ms);
        add_string(object, "key", event->key);
        add_string(object, "source", event->source);
        add_string(object, "detail_type", event->detail_type);
        add_string(object, "event_name", event->event_name);
        add_string(object, "account", event->account);
        add_string(object, "region", event->region);
        add_string(object, "outcome", event->outcome);
        json_object_object_add(object, "rules", split_names(event->rules));
        json_object_array_add(list, object);
    }
    return list;
}

struct json_object *view_texts(const struct texts *texts) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < texts->count; i++) {
        json_object_array_add(
            list, json_object_new_string_len(texts->items[i].data, (int)texts->items[i].bytes));
    }
    return list;
}

struct json_object *view_rule(const struct snapshot *snapshot, const struct rule *rule) {
    struct json_object *object = json_object_new_object();
    char cooldown[TIME_TEXT_BYTES];
    view_add_text(object, "name", rule->name);
    view_add_text(object, "description", rule->description);
    view_add_text(object, "severity", rule->severity);
    add_string(object, "mode", mode_name(snapshot_rule_mode(snapshot, rule)));
    json_object_object_add(object, "attack", view_texts(&rule->attack));
    view_add_text(object, "false_positives", rule->false_positives);
    json_object_object_add(object, "respond", view_texts(&rule->respond));
    duration_format(rule->cooldown_ms, cooldown);
    add_string(object, "cooldown", cooldown);
    if (rule->release_after_ms > 0) {
        char after[TIME_TEXT_BYTES];
        duration_format(rule->release_after_ms, after);
        add_string(object, "release_after", after);
    }
    return object;
}

/* All that the hash is over, as it is: also what is empty. */
static struct json_object *view_line(const struct journal_audit_line *line) {
    struct json_object *object = json_object_new_object();
    char hash[2 * JOURNAL_HASH_BYTES + 1];
    hex_encode(line->hash, sizeof(line->hash), hash);
    add_number(object, "sequence", line->sequence);
    view_add_time(object, "time", line->unix_ms);
    add_number(object, "unix_ms", line->unix_ms);
    view_add_text(object, "event", line->event);
    view_add_text(object, "incident", line->incident);
    view_add_text(object, "actor", line->actor);
    view_add_text(object, "text", line->text);
    add_string(object, "hash", hash);
    return object;
}

struct json_object *view_change(const struct journal_audit_line *line) {
    struct json_object *object = json_object_new_object();
    add_number(object, "sequence", line->sequence);
    view_add_time(object, "time", line->unix_ms);
    view_add_text(object, "change", line->event);
    view_add_text(object, "actor", line->actor);
    view_add_text(object, "id", line->incident);
    return object;
}

struct json_object *view_audit(const struct journal_audit_line *lines, size_t count) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < count; i++) {
        json_object_array_add(list, view_line(&lines[i]));
    }
    return list;
}
