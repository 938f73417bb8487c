#include "riposte/cli/history.h"

#include "automation.h"
#include "names_table.h"

#include "riposte/base/memory.h"
#include "riposte/config/template.h"
#include "riposte/config/threshold.h"
#include "riposte/config/where.h"
#include "riposte/detect/ruleset.h"
#include "riposte/respond/dry.h"
#include "riposte/respond/ladder.h"

#include <inttypes.h>
#include <stdlib.h>

/* One rule that matched one event. The numbers are those of texts in tables. */
struct match {
    int64_t unix_ms;
    uint64_t event; /* hash of its key */
    uint32_t rule, principal;
    uint32_t target;  /* what a limit counts: the principal, or whose ladder it climbs */
    uint32_t subject; /* with the rule's number before it */
    uint32_t containing_calls, other_calls, reason;
    uint32_t values_at, value_count; /* of a threshold */
    enum guard_decision decision;
    bool is_unconfirmed, is_held; /* held: by a playbook, after the guard let it pass */
    bool contains;                /* a playbook acts on the principal */
};

/* The last incident of a subject. */
struct open_incident {
    int64_t unix_ms;
    bool is_there, is_held;
};

struct reservation {
    int64_t unix_ms;
    uint32_t target;
};

/* A value that a threshold counts, and when it was seen last. */
struct sighting {
    int64_t unix_ms;
    uint32_t value;
};

/* The newest of a subject: as many as the threshold asks for say all. */
struct sightings {
    struct sighting *items;
    size_t count;
};

/* Those of one limit, oldest first. */
struct limit {
    struct reservation *items;
    size_t first, count, capacity;
};

struct history {
    const struct snapshot *snapshot;
    struct match_scratch *scratch;
    struct arena *arena; /* of one event */
    struct arena *kept;
    struct match *matches;
    size_t match_count, match_capacity;
    struct names_table principals, targets, subjects, texts, pairs, value_names;
    uint32_t *values; /* of matches, one match after the other */
    size_t value_count, value_capacity;
    struct history_principal **people; /* by number */
    size_t people_capacity;
    struct history_tally **tallies; /* by number of the pair */
    size_t tallies_capacity;
    struct history_result result;
};

struct history *history_new(const struct snapshot *snapshot) {
    struct history *history = memory_new(sizeof(*history));
    history->snapshot = snapshot;
    history->scratch = match_scratch_new();
    history->arena = arena_new();
    history->kept = arena_new();
    struct names_table *tables[] = {&history->principals, &history->targets, &history->subjects,
                                    &history->texts,      &history->pairs,   &history->value_names};
    for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
        names_table_init(tables[i]);
    }
    return history;
}

static void free_counts(struct history_counts *counts) {
    free(counts->items);
}

void history_free(struct history **pointer) {
    struct history *history = *pointer;
    *pointer = NULL;
    if (history == NULL) {
        return;
    }
    for (size_t i = 0; i < history->pairs.count && history->tallies != NULL; i++) {
        free_counts(&history->tallies[i]->calls);
        free_counts(&history->tallies[i]->reasons);
    }
    struct names_table *tables[] = {&history->principals, &history->targets, &history->subjects,
                                    &history->texts,      &history->pairs,   &history->value_names};
    for (size_t i = 0; i < ARRAY_COUNT(tables); i++) {
        names_table_done(tables[i]);
    }
    free(history->matches);
    free(history->values);
    free(history->people);
    free(history->tallies);
    match_scratch_free(&history->scratch);
    arena_free(&history->arena);
    arena_free(&history->kept);
    free(history);
}

/* ---- an event ---- */

/* Sessions of a role are many, and it is the role that one protects or looks at. Of Identity
 * Center's roles each session is a person. */
static struct text principal_key(const struct principal *principal, struct arena *arena) {
    bool is_session = principal->issuer_id.bytes > 0 &&
                      (principal->kind == PRINCIPAL_ROLE_SESSION ||
                       principal->kind == PRINCIPAL_SERVICE_LINKED);
    return is_session ? arena_format(arena, "%.*s/%.*s", TEXT_ARG(principal->account),
                                     TEXT_ARG(principal->issuer_id))
                      : principal->id;
}

static uint32_t note_principal(struct history *history, const struct subject_event *event) {
    const struct principal *principal = &event->principal;
    size_t before = history->principals.count;
    uint32_t number = names_table_add(&history->principals,
                                      principal_key(principal, history->arena));
    struct text automation = automation_reason(event, history->arena);
    if (number == before) {
        struct history_principal *person = arena_alloc(history->kept, sizeof(*person));
        *person = (struct history_principal){
            .id = history->principals.items[number],
            .name = arena_copy_text(history->kept, principal->name),
            .arn = arena_copy_text(history->kept, principal->arn),
            .kind = text_of(principal_kind_name(principal->kind))};
        history->people = memory_grow_array(history->people, &history->people_capacity, before + 1,
                                            sizeof(struct history_principal *));
        history->people[number] = person;
    }
    if (history->people[number]->automation.bytes == 0 && automation.bytes > 0) {
        history->people[number]->automation = arena_copy_text(history->kept, automation);
    }
    return number;
}

/* "service:Operation service:Operation" of the writes, by those playbooks that act on the
 * principal, or by the others. */
static uint32_t note_calls(struct history *history, const struct dry_run *run, bool containing) {
    scoped(buffer_done) struct buffer calls = BUFFER_INIT;
    for (size_t i = 0; i < run->playbook_count; i++) {
        const struct dry_playbook *playbook = &run->playbooks[i];
        for (size_t k = 0; k < playbook->call_count; k++) {
            const struct dry_call *call = &playbook->calls[k];
            if (call->kind == DRY_WRITE && (playbook->acts_on == ACTS_ON_PRINCIPAL) == containing) {
                buffer_append_format(&calls, "%s%.*s:%.*s", calls.bytes > 0 ? " " : "",
                                     TEXT_ARG(call->service), TEXT_ARG(call->operation));
            }
        }
    }
    return names_table_add(&history->texts, buffer_text(&calls));
}

/* The guard's, else that of the first playbook that doesn't come to its end. */
static struct text reason_of(const struct dry_run *run, bool *is_held_out, struct arena *arena) {
    struct text reason = run->decision == GUARD_PASS ? TEXT("") : run->reason;
    for (size_t i = run->playbook_count; i > 0; i--) {
        const struct dry_playbook *playbook = &run->playbooks[i - 1];
        *is_held_out |= playbook->end == PLAN_HELD;
        if (playbook->end != PLAN_DONE) {
            reason = arena_format(arena, "%.*s: %.*s", TEXT_ARG(playbook->name),
                                  TEXT_ARG(playbook->reason));
        }
    }
    return reason;
}

static bool note_subject(struct history *history, uint32_t rule, const struct subject_event *event,
                         uint32_t *subject_out, struct error *error) {
    const struct context_self nobody = {0};
    const struct rule *source = history->snapshot->definitions[rule]->rule;
    struct text subject = TEXT("");
    const struct json *context = context_new(event, source->name, source->severity, TEXT(""),
                                             &nobody, history->snapshot->settings->vars,
                                             history->arena);
    if (!template_render_text(source->subject, context, history->arena, &subject, error)) {
        return false;
    }
    subject = arena_format(history->arena, "%" PRIu32 " %.*s", rule, TEXT_ARG(subject));
    *subject_out = names_table_add(&history->subjects, subject);
    return true;
}

static bool has_containing_playbook(const struct definition *definition) {
    for (size_t i = 0; i < definition->playbook_count; i++) {
        if (definition->playbooks[i]->acts_on == ACTS_ON_PRINCIPAL) {
            return true;
        }
    }
    return false;
}

static void keep(struct history *history, const struct match *match) {
    if (history->match_count == HISTORY_MATCHES) {
        history->result.not_kept++;
        return;
    }
    history->matches = memory_grow_array(history->matches, &history->match_capacity,
                                         history->match_count + 1, sizeof(*history->matches));
    history->matches[history->match_count++] = *match;
}

static uint32_t note_target(struct history *history, uint32_t rule,
                            const struct subject_event *event) {
    const struct definition *definition = history->snapshot->definitions[rule];
    const struct context_self nobody = {0};
    struct text target = event->principal.id;
    const struct json *context = context_new(event, TEXT(""), TEXT(""), TEXT(""), &nobody,
                                             definition->vars, history->arena);
    for (size_t i = 0; i < definition->playbook_count; i++) {
        if (definition->playbooks[i]->acts_on == ACTS_ON_PRINCIPAL) {
            (void)!ladder_holder(definition->playbooks[i], context, history->arena, &target);
            break;
        }
    }
    return names_table_add(&history->targets, target);
}

/* What can't be played through is held, as the server would. */
static void play(struct history *history, uint32_t rule, const struct subject_event *event,
                 struct match *match) {
    const struct definition *definition = history->snapshot->definitions[rule];
    const struct dry_input input = {
        .definition = definition, .event = event, .settings = history->snapshot->settings};
    struct dry_run run = {.decision = GUARD_HOLD};
    struct error error = {0};
    bool is_held = false;
    if (!note_subject(history, rule, event, &match->subject, &error) ||
        !dry_run(&input, history->arena, &run, &error)) {
        run = (struct dry_run){.decision = GUARD_HOLD, .reason = text_of(error.text)};
        match->subject = names_table_add(&history->subjects, event->envelope.key);
    }
    struct text reason = reason_of(&run, &is_held, history->arena);
    match->decision = run.decision;
    match->is_unconfirmed = run.is_unconfirmed;
    match->is_held = is_held;
    match->reason = names_table_add(&history->texts, reason);
    match->containing_calls = note_calls(history, &run, true);
    match->other_calls = note_calls(history, &run, false);
    match->contains = has_containing_playbook(definition);
}

/* As intake has it: what can't be decided fires nothing. */
static bool fires(const struct history *history, uint32_t rule, const struct subject_event *event) {
    const struct settings *settings = history->snapshot->settings;
    const struct context_self self = context_self_known(settings, event->envelope.account);
    bool holds = false;
    struct error ignored = {0};
    return where_fires(history->snapshot->definitions[rule]->rule, event, &self, settings->vars,
                       history->arena, &holds, &ignored) &&
           holds;
}

/* What a threshold counts of the event; false: nothing. */
static bool note_values(struct history *history, const struct subject_event *event,
                        struct match *match) {
    const struct rule *rule = history->snapshot->definitions[match->rule]->rule;
    const struct context_self nobody = {0};
    const struct text *values = NULL;
    size_t count = 0;
    struct error ignored = {0};
    if (rule->threshold_count == 0) {
        return true;
    }
    const struct json *context = context_new(event, rule->name, rule->severity, TEXT(""), &nobody,
                                             history->snapshot->settings->vars, history->arena);
    if (!threshold_values(rule, context, history->arena, &values, &count, &ignored)) {
        return false;
    }
    match->values_at = (uint32_t)history->value_count;
    match->value_count = (uint32_t)count;
    history->values = memory_grow_array(history->values, &history->value_capacity,
                                        history->value_count + count, sizeof(*history->values));
    for (size_t i = 0; i < count; i++) {
        history->values[history->value_count++] = names_table_add(&history->value_names, values[i]);
    }
    return count > 0;
}

bool history_add(struct history *history, struct text text, struct error *error) {
    arena_reset(history->arena);
    struct principal_leaves leaves = {.arena = history->arena,
                                      .vars = history->snapshot->settings->vars};
    struct ruleset_matches matches = {0};
    struct subject_event event = {0};
    if (!ruleset_match(history->snapshot->ruleset, history->scratch, text, principal_leaves,
                       &leaves, &matches, error)) {
        return false;
    }
    if (!leaves.envelope.has_time) {
        return error_set(error, ERROR_INVALID, "its time can't be read");
    }
    history->result.events++;
    snapshot_drop_builtins(history->snapshot, &matches);
    if (matches.count == 0) {
        return true;
    }
    if (!subject_event_read(text, history->arena, &event, error)) {
        return false;
    }
    for (size_t i = 0; i < matches.count; i++) {
        if (!fires(history, matches.rules[i], &event)) {
            continue;
        }
        struct match match = {.unix_ms = event.envelope.time_unix_ms,
                              .event = text_hash(event.envelope.key),
                              .rule = matches.rules[i],
                              .principal = note_principal(history, &event),
                              .target = note_target(history, matches.rules[i], &event)};
        if (note_values(history, &event, &match)) {
            play(history, match.rule, &event, &match);
            keep(history, &match);
        }
    }
    return true;
}

/* ---- in the order of time ---- */

static int compare_numbers(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

static int compare_matches(const void *a, const void *b) {
    const struct match *left = a, *right = b;
    if (left->unix_ms != right->unix_ms) {
        return left->unix_ms < right->unix_ms ? -1 : 1;
    }
    int order = compare_numbers(left->event, right->event);
    return order != 0 ? order : compare_numbers(left->rule, right->rule);
}

static void count_one(struct history_counts *counts, struct text what) {
    for (size_t i = 0; i < counts->count; i++) {
        if (text_equal(counts->items[i].what, what)) {
            counts->items[i].count++;
            return;
        }
    }
    counts->items = memory_grow_array(counts->items, &counts->capacity, counts->count + 1,
                                      sizeof(*counts->items));
    counts->items[counts->count++] = (struct history_count){what, 1};
}

static void count_calls(struct history_counts *counts, struct text calls) {
    struct text call;
    while (text_next_part(&calls, ' ', &call)) {
        count_one(counts, call);
    }
}

static struct history_tally *tally_of(struct history *history, const struct match *match) {
    size_t before = history->pairs.count;
    arena_reset(history->arena);
    struct text pair = arena_format(history->arena, "%" PRIu32 " %" PRIu32, match->rule,
                                    match->principal);
    uint32_t number = names_table_add(&history->pairs, pair);
    if (number == before) {
        struct history_tally *tally = arena_alloc(history->kept, sizeof(*tally));
        *tally = (struct history_tally){.rule = history->snapshot->definitions[match->rule]->rule,
                                        .principal = history->people[match->principal],
                                        .first_unix_ms = match->unix_ms};
        history->tallies = memory_grow_array(history->tallies, &history->tallies_capacity,
                                             before + 1, sizeof(struct history_tally *));
        history->tallies[number] = tally;
    }
    return history->tallies[number];
}

/* Distinct targets within the period before now. */
static bool draw(struct limit *limit, uint32_t most, int64_t per_ms, const struct match *match) {
    while (limit->first < limit->count &&
           limit->items[limit->first].unix_ms <= match->unix_ms - per_ms) {
        limit->first++;
    }
    for (size_t i = limit->first; i < limit->count; i++) {
        if (limit->items[i].target == match->target) {
            return true;
        }
    }
    if (limit->count - limit->first >= most) {
        return false;
    }
    limit->items = memory_grow_array(limit->items, &limit->capacity, limit->count + 1,
                                     sizeof(*limit->items));
    limit->items[limit->count++] = (struct reservation){match->unix_ms, match->target};
    return true;
}

struct deciding {
    struct history *history;
    struct open_incident *open; /* by subject */
    struct sightings *seen;     /* by subject */
    struct limit *limits;       /* one a rule, and the last for all */
};

/* Sees `value` now: a new one takes the place of the oldest when there are `most` already. */
static void see(struct sightings *seen, size_t most, uint32_t value, int64_t unix_ms) {
    size_t at = 0;
    for (size_t i = 0; i < seen->count; i++) {
        if (seen->items[i].value == value) {
            seen->items[i].unix_ms = unix_ms;
            return;
        }
        at = seen->items[i].unix_ms < seen->items[at].unix_ms ? i : at;
    }
    at = seen->count < most ? seen->count++ : at;
    seen->items[at] = (struct sighting){unix_ms, value};
}

/* Were enough distinct values seen of the subject lately, this event's among them? */
static bool reaches_threshold(const struct deciding *deciding, const struct match *match) {
    struct history *history = deciding->history;
    const struct rule *rule = history->snapshot->definitions[match->rule]->rule;
    struct sightings *seen = &deciding->seen[match->subject];
    size_t count = 0;
    if (rule->threshold_count == 0) {
        return true;
    }
    if (seen->items == NULL) {
        seen->items = arena_alloc_array(history->kept, rule->threshold_count, sizeof(*seen->items));
    }
    for (uint32_t i = 0; i < match->value_count; i++) {
        see(seen, rule->threshold_count, history->values[match->values_at + i], match->unix_ms);
    }
    for (size_t i = 0; i < seen->count; i++) {
        count += seen->items[i].unix_ms > match->unix_ms - rule->threshold_per_ms;
    }
    return count >= rule->threshold_count;
}

static bool is_within_limit(const struct deciding *deciding, const struct match *match,
                            const struct rule *rule) {
    const struct settings *settings = deciding->history->snapshot->settings;
    size_t all = deciding->history->snapshot->rule_count;
    uint32_t most = rule->has_limit ? rule->limit_count : settings->guard.limit_principals;
    return !match->contains || most == 0 ||
           draw(&deciding->limits[rule->has_limit ? match->rule : all], most,
                rule->has_limit ? rule->limit_per_ms : settings->guard.limit_per_ms, match);
}

static void hold(struct open_incident *open, const struct match *match, struct history_tally *tally,
                 struct text reason) {
    *open = (struct open_incident){match->unix_ms, true, true};
    tally->held++;
    count_one(&tally->reasons, reason);
}

static void respond(const struct deciding *deciding, const struct match *match,
                    struct open_incident *open, struct history_tally *tally) {
    struct history *history = deciding->history;
    struct text containing = history->texts.items[match->containing_calls];
    struct text reason = history->texts.items[match->reason];
    *open = (struct open_incident){match->unix_ms, true, match->is_held};
    tally->incidents++;
    tally->unconfirmed += match->is_unconfirmed;
    count_calls(&tally->calls, containing);
    count_calls(&tally->calls, history->texts.items[match->other_calls]);
    if (containing.bytes > 0) {
        tally->contained++;
        history->people[match->principal]->contained++;
    }
    if (reason.bytes > 0) {
        count_one(&tally->reasons, reason);
    }
}

static void decide(const struct deciding *deciding, const struct match *match) {
    struct history *history = deciding->history;
    struct history_tally *tally = tally_of(history, match);
    struct open_incident *open = &deciding->open[match->subject];
    struct text reason = history->texts.items[match->reason];
    int64_t cooldown_ms = tally->rule->cooldown_ms;
    tally->events++;
    tally->last_unix_ms = match->unix_ms;
    history->people[match->principal]->events++;
    if (match->decision == GUARD_SUPPRESS) {
        tally->suppressed++;
        count_one(&tally->reasons, reason);
    } else if (match->decision == GUARD_HOLD) {
        hold(open, match, tally, reason);
    } else if (open->is_there && match->unix_ms - open->unix_ms < cooldown_ms) {
        tally->joined++;
        if (!open->is_held) {
            count_calls(&tally->calls, history->texts.items[match->other_calls]);
        }
    } else if (is_within_limit(deciding, match, tally->rule)) {
        respond(deciding, match, open, tally);
    } else {
        hold(open, match, tally, TEXT("the limit of principals is reached"));
    }
}

static void decide_all(struct history *history) {
    size_t limit_count = history->snapshot->rule_count + 1;
    struct deciding deciding = {
        .history = history,
        .open = memory_new_array(history->subjects.count, sizeof(struct open_incident)),
        .seen = memory_new_array(history->subjects.count, sizeof(struct sightings)),
        .limits = memory_new_array(limit_count, sizeof(struct limit))};
    const struct match *last = NULL;
    bool is_counted = false;
    for (size_t i = 0; i < history->match_count; i++) {
        const struct match *match = &history->matches[i];
        bool is_same_event = last != NULL && last->event == match->event &&
                             last->unix_ms == match->unix_ms;
        if (is_same_event && last->rule == match->rule) {
            continue; /* known */
        }
        last = match;
        is_counted &= is_same_event;
        if (reaches_threshold(&deciding, match)) {
            history->result.matched_events += is_counted ? 0 : 1;
            is_counted = true;
            decide(&deciding, match);
        }
    }
    for (size_t i = 0; i < limit_count; i++) {
        free(deciding.limits[i].items);
    }
    free(deciding.limits);
    free(deciding.seen);
    free(deciding.open);
}

/* ---- the result ---- */

static int compare_people(const void *a, const void *b) {
    const struct history_principal *left = *(const struct history_principal *const *)a;
    const struct history_principal *right = *(const struct history_principal *const *)b;
    int order = compare_numbers(right->contained > 0, left->contained > 0);
    order = order != 0 ? order
                       : compare_numbers(right->automation.bytes > 0, left->automation.bytes > 0);
    order = order != 0 ? order : compare_numbers(right->events, left->events);
    return order != 0 ? order : text_compare(left->id, right->id);
}

static int compare_tallies(const void *a, const void *b) {
    const struct history_tally *left = *(const struct history_tally *const *)a;
    const struct history_tally *right = *(const struct history_tally *const *)b;
    int order = text_compare(left->rule->name, right->rule->name);
    order = order != 0 ? order : compare_numbers(right->events, left->events);
    return order != 0 ? order : text_compare(left->principal->id, right->principal->id);
}

const struct history_result *history_decide(struct history *history) {
    struct history_result *result = &history->result;
    if (history->match_count > 0) {
        qsort(history->matches, history->match_count, sizeof(*history->matches), compare_matches);
        result->first_unix_ms = history->matches[0].unix_ms;
        result->last_unix_ms = history->matches[history->match_count - 1].unix_ms;
    }
    decide_all(history);
    result->tally_count = history->pairs.count;
    struct history_tally **tallies = arena_alloc_array(history->kept, result->tally_count,
                                                       sizeof(struct history_tally *));
    struct history_principal **people = arena_alloc_array(history->kept, result->principal_count,
                                                          sizeof(struct history_principal *));
    for (size_t i = 0; i < result->tally_count; i++) {
        tallies[i] = history->tallies[i];
    }
    for (size_t i = 0; i < history->principals.count; i++) {
        if (history->people[i]->events > 0) { /* else all of its events were known, or not kept */
            people[result->principal_count++] = history->people[i];
        }
    }
    if (result->tally_count > 0) {
        qsort(tallies, result->tally_count, sizeof(*tallies), compare_tallies);
        qsort(people, result->principal_count, sizeof(*people), compare_people);
    }
    result->tallies = (const struct history_tally *const *)tallies;
    result->principals = (const struct history_principal *const *)people;
    return result;
}
