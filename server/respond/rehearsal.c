#include "riposte/respond/rehearsal.h"

#include "riposte/base/time.h"
#include "riposte/config/context.h"
#include "riposte/config/threshold.h"
#include "riposte/config/where.h"
#include "riposte/detect/pattern.h"

/* One rule over one event. */
struct scene {
    const struct subject_event *event;
    const struct json *context; /* what `when` and `where` see */
    struct arena *arena;
};

static size_t count_lines(struct text text) {
    size_t count = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        count += text.data[i] == '\n';
    }
    return count;
}

/* The lines behind the first, which says no more than whether it matches. */
static struct texts keep_reasons(struct text lines, struct arena *arena) {
    struct text rest = arena_copy_text(arena, lines);
    struct text line = {NULL, 0};
    struct text *kept = arena_alloc_array(arena, count_lines(lines) + 1, sizeof(*kept));
    size_t count = 0;
    while (text_next_part(&rest, '\n', &line)) {
        if (text_starts_with(line, TEXT(" "))) {
            kept[count++] = text_trim(line);
        }
    }
    return (struct texts){kept, count};
}

bool rehearse_pattern(const struct json *source, const struct json *event, struct arena *arena,
                      bool *is_match_out, struct texts *why_out, struct error *error) {
    scoped(pattern_free) struct pattern *pattern = NULL;
    scoped(buffer_done) struct buffer lines = BUFFER_INIT;
    if (!pattern_compile_tree(source, &pattern, NULL, error) ||
        !pattern_explain(pattern, event, &lines, is_match_out, error)) {
        return false;
    }
    *why_out = keep_reasons(buffer_text(&lines), arena);
    return true;
}

static void append(struct texts *texts, const struct texts *more, struct arena *arena) {
    struct text *all = arena_alloc_array(arena, texts->count + more->count + 1, sizeof(*all));
    for (size_t i = 0; i < texts->count; i++) {
        all[i] = texts->items[i];
    }
    for (size_t i = 0; i < more->count; i++) {
        all[texts->count + i] = more->items[i];
    }
    *texts = (struct texts){all, texts->count + more->count};
}

/* The two patterns: both are said when both match, else the one that doesn't. */
static bool explain_patterns(const struct scene *scene, const struct rule *rule, bool *is_match_out,
                             struct texts *why_out, struct error *error) {
    struct texts of_when = {0};
    if (!rehearse_pattern(rule->pattern, scene->event->root, scene->arena, is_match_out, why_out,
                          error)) {
        return false;
    }
    if (!*is_match_out || rule->when == NULL) {
        return true;
    }
    if (!rehearse_pattern(rule->when, scene->context, scene->arena, is_match_out, &of_when,
                          error)) {
        return false;
    }
    if (*is_match_out) {
        append(why_out, &of_when, scene->arena);
    } else {
        *why_out = of_when;
    }
    return true;
}

static void append_line(struct texts *texts, struct text line, struct arena *arena) {
    append(texts, &(struct texts){&line, 1}, arena);
}

/* It fires. */
static bool explain(const struct scene *scene, const struct rule *rule, struct texts *why_out,
                    struct error *error) {
    struct arena *arena = scene->arena;
    bool is_match = false;
    if (!explain_patterns(scene, rule, &is_match, why_out, error)) {
        return false;
    }
    for (size_t i = 0; i < rule->where_count; i++) {
        struct text line = where_explain(&rule->where[i], scene->context, arena);
        append_line(why_out, arena_format(arena, "where: %.*s", TEXT_ARG(line)), arena);
    }
    if (rule->threshold_count > 0) {
        append_line(why_out,
                    arena_format(arena,
                                 "threshold: this event alone has %u distinct values or more",
                                 rule->threshold_count),
                    arena);
    }
    return true;
}

/* The patterns match; a `where` may not hold. */
static bool holds(const struct scene *scene, struct rehearsal *rehearsal) {
    const struct rule *rule = rehearsal->rule;
    struct error error = {0};
    size_t failing = 0;
    bool is_so = false;
    rehearsal->end = REHEARSAL_WHERE;
    if (!where_holds(rule, scene->context, scene->arena, &is_so, &failing, &error)) {
        rehearsal->reason = arena_copy_text(scene->arena, text_of(error.text));
    } else if (!is_so) {
        rehearsal->reason = arena_format(
            scene->arena, "where: %.*s",
            TEXT_ARG(where_explain(&rule->where[failing], scene->context, scene->arena)));
    }
    return is_so;
}

/* Only this event is known here: what others add, the server's journal counts. */
static bool reaches_threshold(const struct scene *scene, struct rehearsal *rehearsal) {
    const struct rule *rule = rehearsal->rule;
    size_t count = 0;
    char per[TIME_TEXT_BYTES];
    if (threshold_reached_alone(rule, scene->context, scene->arena, &count)) {
        return true;
    }
    duration_format(rule->threshold_per_ms, per);
    rehearsal->end = REHEARSAL_THRESHOLD;
    rehearsal->reason = arena_format(scene->arena, "threshold: %zu of %u within %s", count,
                                     rule->threshold_count, per);
    return false;
}

static bool play(const struct scene *scene, const struct dry_input *input, bool does_match,
                 struct rehearsal *rehearsal, struct error *error) {
    const struct rule *rule = rehearsal->rule;
    if (!does_match) {
        rehearsal->end = REHEARSAL_NO_MATCH;
        return explain_patterns(scene, rule, &does_match, &rehearsal->why, error);
    }
    if (!holds(scene, rehearsal) || !reaches_threshold(scene, rehearsal)) {
        return true;
    }
    rehearsal->end = REHEARSAL_FIRES;
    return dry_run(input, scene->arena, &rehearsal->run, error) &&
           explain(scene, rule, &rehearsal->why, error);
}

static bool rehearse_rule(const struct snapshot *snapshot, size_t index, bool does_match,
                          const struct subject_event *event, struct arena *arena,
                          struct rehearsal *rehearsal, struct error *error) {
    const struct dry_input input = {
        .definition = snapshot->definitions[index], .event = event, .settings = snapshot->settings};
    const struct rule *rule = input.definition->rule;
    const struct context_self self = context_self_known(snapshot->settings,
                                                        event->envelope.account);
    const struct scene scene = {event,
                                context_new(event, rule->name, rule->severity, TEXT(""), &self,
                                            snapshot->settings->vars, arena),
                                arena};
    *rehearsal = (struct rehearsal){.rule = rule};
    return play(&scene, &input, does_match, rehearsal, error) ||
           error_wrap(error, "rule %.*s", TEXT_ARG(rule->name));
}

/* The one that was asked for. */
static bool rehearse_one(const struct snapshot *snapshot, struct text name,
                         const struct ruleset_matches *matches, const struct subject_event *event,
                         struct arena *arena, struct rehearsal *rehearsal, struct error *error) {
    size_t index = snapshot_find_rule(snapshot, name);
    bool does_match = false;
    if (index == snapshot->rule_count) {
        return error_set(error, ERROR_NOT_FOUND, "there is no rule %.*s", TEXT_ARG(name));
    }
    for (size_t i = 0; i < matches->count; i++) {
        does_match |= matches->rules[i] == index;
    }
    return rehearse_rule(snapshot, index, does_match, event, arena, rehearsal, error);
}

bool rehearse(const struct snapshot *snapshot, struct text text, struct text rule,
              struct arena *arena, struct rehearsal **rehearsals_out, size_t *count_out,
              struct error *error) {
    scoped(match_scratch_free) struct match_scratch *scratch = match_scratch_new();
    struct principal_leaves leaves = {.arena = arena, .vars = snapshot->settings->vars};
    struct ruleset_matches matches = {0};
    struct subject_event *event = arena_alloc(arena, sizeof(*event));
    if (!ruleset_match(snapshot->ruleset, scratch, text, principal_leaves, &leaves, &matches,
                       error) ||
        !subject_event_read(text, arena, event, error)) {
        return false;
    }
    snapshot_drop_builtins(snapshot, &matches);
    struct rehearsal *rehearsals = arena_alloc_array(arena, matches.count + 1, sizeof(*rehearsals));
    *rehearsals_out = rehearsals;
    *count_out = rule.bytes > 0 ? 1 : matches.count;
    if (rule.bytes > 0) {
        return rehearse_one(snapshot, rule, &matches, event, arena, rehearsals, error);
    }
    for (size_t i = 0; i < matches.count; i++) {
        if (!rehearse_rule(snapshot, matches.rules[i], true, event, arena, &rehearsals[i], error)) {
            return false;
        }
    }
    return true;
}
