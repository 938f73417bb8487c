#include "batch.h"

#include "riposte/config/context.h"
#include "riposte/config/template.h"
#include "riposte/crypto/random.h"
#include "riposte/observe/log.h"

#include <string.h>

/* Most subjects are the principal: no context is made for them. */
#define SUBJECT_DEFAULT "${principal.id}"

static const uint32_t *copy_rules(struct arena *arena, const struct ruleset_matches *matches) {
    if (matches->count == 0) {
        return NULL;
    }
    uint32_t *rules = arena_alloc_array(arena, matches->count, sizeof(*rules));
    memcpy(rules, matches->rules, matches->count * sizeof(*rules));
    return rules;
}

static bool render_subject(const struct batch_event *event, const struct setup *setup,
                           const struct rule *rule, struct arena *arena, struct text *subject_out,
                           struct error *error) {
    struct subject_event subject = {.envelope = event->envelope, .principal = event->principal};
    const struct context_self self = {0}; /* who we are is not known here */
    if (!json_parse(event->text, 0, arena, &subject.root, NULL, error)) {
        return false;
    }
    const struct json *context = context_new(&subject, rule->name, rule->severity, TEXT(""), &self,
                                             setup->snapshot->settings->vars, arena);
    return template_render_text(rule->subject, context, arena, subject_out, error);
}

/* An event that lacks what the subject names is no less an attack: it is about its principal. */
static struct text find_subject(const struct batch_event *event, const struct setup *setup,
                                const struct rule *rule, struct arena *arena) {
    struct text subject = event->principal.id;
    struct error error = {0};
    if (!text_equal(rule->subject, TEXT(SUBJECT_DEFAULT)) &&
        !render_subject(event, setup, rule, arena, &subject, &error)) {
        log_warn(&(struct log_context){.component = "intake", .event = event->envelope.key},
                 "rule %.*s: subject %s: the principal is taken instead", TEXT_ARG(rule->name),
                 error.text);
    }
    return subject;
}

static const struct journal_new_incident *make_incidents(const struct batch_event *event,
                                                         const struct setup *setup,
                                                         int64_t received_unix_ms,
                                                         struct arena *arena) {
    struct journal_new_incident *incidents = arena_alloc_array(arena, event->rule_count,
                                                               sizeof(*incidents));
    for (size_t i = 0; i < event->rule_count; i++) {
        uint32_t index = event->rules[i];
        const struct rule *rule = setup->snapshot->definitions[index]->rule;
        incidents[i] = (struct journal_new_incident){
            .id = random_ulid(received_unix_ms),
            .rule = rule->name,
            .subject = find_subject(event, setup, rule, arena),
            .severity = rule->severity,
            .mode = snapshot_rule_mode(setup->snapshot, rule),
            .principal_id = event->principal.id,
            .principal_name = event->principal.name,
            .account = event->envelope.account,
            .region = event->envelope.region,
            .definition = &setup->definitions[index],
        };
    }
    return incidents;
}

static bool read_event(const struct setup *setup, struct text text, struct match_scratch *scratch,
                       struct arena *arena, struct batch_event *event, struct error *error) {
    struct principal_leaves leaves = {.arena = arena, .vars = setup->snapshot->settings->vars};
    struct ruleset_matches matches = {0};
    if (!ruleset_match(setup->snapshot->ruleset, scratch, text, principal_leaves, &leaves, &matches,
                       error)) {
        return false;
    }
    *event = (struct batch_event){.text = text,
                                  .envelope = leaves.envelope,
                                  .principal = leaves.principal,
                                  .rules = copy_rules(arena, &matches),
                                  .rule_count = matches.count};
    return true;
}

/* What a match hands out lies in the scratch until the next: what is read later is copied. */
static void keep_texts(struct batch_event *event, struct arena *arena) {
    struct text *texts[] = {
        &event->envelope.key,     &event->envelope.source, &event->envelope.detail_type,
        &event->envelope.account, &event->envelope.region, &event->envelope.event_name,
        &event->principal.id,     &event->principal.name,
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        if (texts[i]->bytes > 0) {
            *texts[i] = arena_copy_text(arena, *texts[i]);
        }
    }
}

bool batch_read(const struct setup *setup, const struct decoded *decoded, int64_t received_unix_ms,
                struct match_scratch *scratch, struct arena *arena, struct batch *batch_out,
                struct error *error) {
    struct batch batch = {
        .count = decoded->count,
        .is_array = decoded->is_array,
        .received_unix_ms = received_unix_ms,
        .events = arena_alloc_array(arena, decoded->count, sizeof(*batch.events))};
    for (size_t i = 0; i < decoded->count; i++) {
        struct batch_event *event = &batch.events[i];
        if (!read_event(setup, decoded->events[i], scratch, arena, event, error)) {
            return decoded->is_array ? error_wrap(error, "event %zu", i) : false;
        }
        if (decoded->count > 1) {
            keep_texts(event, arena);
        }
        if (event->rule_count > 0) {
            batch.match_count++;
            event->incidents = make_incidents(event, setup, received_unix_ms, arena);
        }
    }
    *batch_out = batch;
    return true;
}

struct journal_new_event *batch_to_journal(const struct batch *batch, struct blob *body,
                                           struct arena *arena) {
    struct journal_new_event *events = arena_alloc_array(arena, batch->match_count,
                                                         sizeof(*events));
    size_t count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_event *event = &batch->events[i];
        if (event->rule_count == 0) {
            continue;
        }
        events[count++] = (struct journal_new_event){
            .key = event->envelope.key,
            .body = batch->is_array ? blob_new(event->text) : blob_ref(body),
            .received_unix_ms = batch->received_unix_ms,
            .event_unix_ms = event->envelope.has_time ? event->envelope.time_unix_ms : 0,
            .incidents = event->incidents,
            .incident_count = event->rule_count,
        };
    }
    return events;
}

void batch_release(struct journal_new_event *events, size_t count) {
    for (size_t i = 0; i < count; i++) {
        blob_unref(&events[i].body);
    }
}
