#include "batch.h"

#include "riposte/base/time.h"
#include "riposte/config/builtin.h"
#include "riposte/config/context.h"
#include "riposte/config/template.h"
#include "riposte/config/threshold.h"
#include "riposte/config/where.h"
#include "riposte/crypto/random.h"
#include "riposte/observe/log.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* Most subjects are the principal: no context is made for them. */
#define SUBJECT_DEFAULT "${principal.id}"

/* An event whose patterns match some rule, on its way to the journal. */
struct firing {
    const struct batch_terms *terms;
    const struct setup *setup; /* the terms' */
    struct batch_event *event;
    struct arena *arena;
    const struct json *root; /* the event as a tree; NULL until somebody needs it */
};

static bool parse(struct firing *firing, struct error *error) {
    return firing->root != NULL ||
           json_parse(firing->event->text, 0, firing->arena, &firing->root, NULL, error);
}

/* What a rule's `where` and `subject` see. */
static bool make_context(struct firing *firing, const struct rule *rule,
                         const struct json **context_out, struct error *error) {
    const struct batch_event *event = firing->event;
    const struct settings *settings = firing->setup->snapshot->settings;
    if (!parse(firing, error)) {
        return false;
    }
    const struct subject_event subject = {firing->root, event->envelope, event->principal};
    const struct context_self self = context_self_known(settings, event->envelope.account);
    *context_out = context_new(&subject, rule->name, rule->severity, TEXT(""), &self,
                               settings->vars, firing->arena);
    return true;
}

static bool render_subject(struct firing *firing, const struct rule *rule, struct text *subject_out,
                           struct error *error) {
    const struct json *context = NULL;
    return make_context(firing, rule, &context, error) &&
           template_render_text(rule->subject, context, firing->arena, subject_out, error);
}

/* An event that lacks what the subject names is no less an attack: it is about its principal. */
static struct text find_subject(struct firing *firing, const struct rule *rule) {
    const struct batch_event *event = firing->event;
    struct text subject = event->principal.id;
    struct error error = {0};
    if (!text_equal(rule->subject, TEXT(SUBJECT_DEFAULT)) &&
        !render_subject(firing, rule, &subject, &error)) {
        log_warn(&(struct log_context){.component = "intake", .event = event->envelope.key},
                 "rule %.*s: subject %s: the principal is taken instead", TEXT_ARG(rule->name),
                 error.text);
    }
    return subject;
}

/* What this event adds to a rule's threshold. */
static bool make_threshold(struct firing *firing, const struct rule *rule,
                           const struct journal_threshold **threshold_out, struct error *error) {
    const struct json *context = NULL;
    struct journal_threshold *made = arena_alloc(firing->arena, sizeof(*made));
    *made = (struct journal_threshold){.count = rule->threshold_count,
                                       .per_ms = rule->threshold_per_ms};
    *threshold_out = made;
    return make_context(firing, rule, &context, error) &&
           threshold_values(rule, context, firing->arena, &made->values, &made->value_count, error);
}

/* An account that may be ours loses no event: respond asks again when the accounts are known. */
static bool compare(const struct firing *firing, const struct rule *rule,
                    const struct json *context, bool *holds_out, struct error *error) {
    return settings_await_accounts(firing->setup->snapshot->settings)
               ? where_may_hold(rule, context, firing->arena, holds_out, error)
               : where_holds(rule, context, firing->arena, holds_out, NULL, error);
}

/* What can't be compared or counted fires nothing: a response needs to be sure of what it is about.
 */
static bool fires(struct firing *firing, const struct rule *rule) {
    const struct json *context = NULL;
    const struct journal_threshold *threshold = NULL;
    bool holds = true;
    struct error error = {0};
    if ((rule->where_count > 0 && (!make_context(firing, rule, &context, &error) ||
                                   !compare(firing, rule, context, &holds, &error))) ||
        (holds && rule->threshold_count > 0 && !make_threshold(firing, rule, &threshold, &error))) {
        log_warn(&(struct log_context){.component = "intake", .event = firing->event->envelope.key},
                 "rule %.*s does not fire: %s", TEXT_ARG(rule->name), error.text);
        return false;
    }
    return holds;
}

/* ---- drills and canaries ---- */

/* The first legs are known only now; what was posted has none in CloudTrail. */
static void begin_drill(const struct firing *firing, int64_t sent_unix_us) {
    struct drill *drill = firing->terms->drill;
    struct text key = firing->event->envelope.key;
    drill_pass_at(drill, key, DRILL_SENT, sent_unix_us);
    drill_skip(drill, key, DRILL_LOGGED, "posted: CloudTrail has no part in it");
    drill_pass_at(drill, key, DRILL_RECEIVED, firing->terms->received_unix_ms * 1000);
}

/* A chain without rules leads nowhere, whatever it is given. */
static bool match_drill(const struct firing *firing) {
    struct drill *drill = firing->terms->drill;
    struct text key = firing->event->envelope.key;
    size_t count = firing->setup->snapshot->rule_count;
    char note[DRILL_NOTE_BYTES];
    if (count == 0) {
        drill_break(drill, key, DRILL_MATCHED,
                    "the folder that \"rules\" names holds none: no event will ever match");
        return false;
    }
    (void)snprintf(note, sizeof(note), "among %zu rules", count);
    drill_pass(drill, key, DRILL_MATCHED, note);
    return true;
}

/* The trail's way, and then that of every event. */
static bool fires_canary_drill(const struct firing *firing, int64_t sent_unix_ms) {
    struct drill *drill = firing->terms->drill;
    const struct envelope *envelope = &firing->event->envelope;
    if (!drill_take_canary(drill, envelope->key)) {
        return false;
    }
    drill_pass_at(drill, envelope->key, DRILL_SENT, sent_unix_ms * 1000);
    drill_pass_at(drill, envelope->key, DRILL_LOGGED, envelope->time_unix_ms * 1000);
    drill_pass_at(drill, envelope->key, DRILL_RECEIVED, firing->terms->received_unix_ms * 1000);
    return match_drill(firing);
}

/* A canary says that it is there, and no rule fires on it. False: it lacks the tag that makes it
 * one. CloudTrail's time does when that of the schedule can't be read. */
static bool is_canary(struct firing *firing, const struct canary *canary) {
    struct batch_event *event = firing->event;
    struct error error = {0};
    struct text tag = parse(firing, &error) ? canary_tag(firing->root) : TEXT("");
    int64_t sent_unix_ms = event->envelope.time_unix_ms;
    if (tag.bytes == 0 || !event->envelope.has_time) {
        return false;
    }
    (void)!time_parse(tag, &sent_unix_ms);
    canaries_hear(firing->terms->canaries, canary->region, canary->resource, sent_unix_ms,
                  firing->terms->received_unix_ms);
    event->is_canary = true;
    event->is_drill = fires_canary_drill(firing, sent_unix_ms);
    return true;
}

/* Whoever has the nonce was let in by the admin API; for all others there are no drills. */
static bool fires_drill(struct firing *firing) {
    struct error error = {0};
    const struct json *detail = parse(firing, &error) ? json_member(firing->root, "detail") : NULL;
    struct text key = firing->event->envelope.key;
    int64_t sent_unix_us = 0;
    if (!drill_take(firing->terms->drill, json_text(json_member(detail, "nonce")), key)) {
        log_warn(&(struct log_context){.component = "intake", .event = key},
                 "an event that says it is a drill, but nobody asked for it: ignored");
        return false;
    }
    (void)!json_integer(json_member(detail, "sent_unix_us"), &sent_unix_us);
    begin_drill(firing, sent_unix_us);
    firing->event->is_drill = match_drill(firing);
    return firing->event->is_drill;
}

/* ---- rules ---- */

static const struct rule *rule_at(const struct setup *setup, uint32_t index) {
    return setup->snapshot->definitions[index]->rule;
}

/* Canaries stand last. */
static const struct canary *find_canary(struct firing *firing,
                                        const struct ruleset_matches *matches) {
    const struct snapshot *snapshot = firing->setup->snapshot;
    for (size_t i = matches->count; i > 0 && matches->rules[i - 1] >= snapshot->all_count; i--) {
        const struct canary *canary =
            &snapshot->settings->canary.items[matches->rules[i - 1] - snapshot->all_count];
        if (is_canary(firing, canary)) {
            return canary;
        }
    }
    return NULL;
}

/* Of the server's own rules only a drill's fires on what comes in. */
static bool fires_any(struct firing *firing, uint32_t index) {
    size_t count = firing->setup->snapshot->rule_count;
    return index < count ? fires(firing, rule_at(firing->setup, index))
                         : index == count + BUILTIN_DRILL && fires_drill(firing);
}

static void keep_drill(struct firing *firing, struct batch_event *event) {
    uint32_t *rules = arena_alloc_array(firing->arena, 1, sizeof(*rules));
    rules[0] = (uint32_t)firing->setup->snapshot->rule_count + BUILTIN_DRILL;
    event->rules = rules;
    event->rule_count = 1;
}

/* The rules of which the `where` holds, too. */
static void keep_rules(struct firing *firing, const struct ruleset_matches *matches,
                       struct batch_event *event) {
    if (find_canary(firing, matches) != NULL) {
        if (event->is_drill) {
            keep_drill(firing, event);
        }
        return;
    }
    uint32_t *rules = NULL;
    for (size_t i = 0; i < matches->count; i++) {
        if (!fires_any(firing, matches->rules[i])) {
            continue;
        }
        if (rules == NULL) {
            rules = arena_alloc_array(firing->arena, matches->count, sizeof(*rules));
        }
        rules[event->rule_count++] = matches->rules[i];
    }
    event->rules = rules;
}

static const struct journal_threshold *find_threshold(struct firing *firing,
                                                      const struct rule *rule) {
    const struct journal_threshold *threshold = NULL;
    struct error error = {0};
    if (rule->threshold_count == 0) {
        return NULL;
    }
    bool is_made = make_threshold(firing, rule, &threshold, &error);
    assert(is_made); /* fires() has tried */
    return threshold;
}

static struct journal_new_incident *make_incidents(struct firing *firing,
                                                   int64_t received_unix_ms) {
    const struct batch_event *event = firing->event;
    const struct setup *setup = firing->setup;
    struct journal_new_incident *incidents = arena_alloc_array(firing->arena, event->rule_count,
                                                               sizeof(*incidents));
    for (size_t i = 0; i < event->rule_count; i++) {
        const struct rule *rule = rule_at(setup, event->rules[i]);
        incidents[i] = (struct journal_new_incident){
            .id = random_ulid(received_unix_ms),
            .rule = rule->name,
            .subject = find_subject(firing, rule),
            .severity = rule->severity,
            .mode = snapshot_rule_mode(setup->snapshot, rule),
            .principal_id = event->principal.id,
            .principal_name = event->principal.name,
            .account = event->envelope.account,
            .region = event->envelope.region,
            .definition = &setup->definitions[event->rules[i]],
            .threshold = find_threshold(firing, rule),
        };
    }
    return incidents;
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

static bool read_event(const struct batch_terms *terms, struct text text,
                       struct match_scratch *scratch, struct arena *arena, bool is_one_of_many,
                       struct batch_event *event, struct error *error) {
    const struct setup *setup = terms->setup;
    struct principal_leaves leaves = {.arena = arena, .vars = setup->snapshot->settings->vars};
    struct ruleset_matches matches = {0};
    if (!ruleset_match(setup->snapshot->ruleset, scratch, text, principal_leaves, &leaves, &matches,
                       error)) {
        return false;
    }
    *event = (struct batch_event){
        .text = text, .envelope = leaves.envelope, .principal = leaves.principal};
    struct firing firing = {terms, setup, event, arena, NULL};
    keep_rules(&firing, &matches, event);
    if (is_one_of_many) {
        keep_texts(event, arena);
    }
    if (event->rule_count > 0) {
        event->incidents = make_incidents(&firing, terms->received_unix_ms);
    }
    return true;
}

bool batch_read(const struct batch_terms *terms, const struct decoded *decoded,
                struct match_scratch *scratch, struct arena *arena, struct batch *batch_out,
                struct error *error) {
    struct batch batch = {
        .count = decoded->count,
        .is_array = decoded->is_array,
        .received_unix_ms = terms->received_unix_ms,
        .events = arena_alloc_array(arena, decoded->count, sizeof(*batch.events))};
    for (size_t i = 0; i < decoded->count; i++) {
        struct batch_event *event = &batch.events[i];
        if (!read_event(terms, decoded->events[i], scratch, arena, decoded->count > 1, event,
                        error)) {
            return decoded->is_array ? error_wrap(error, "event %zu", i) : false;
        }
        batch.match_count += event->rule_count > 0 ? 1 : 0;
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
            .trace = batch->trace,
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
