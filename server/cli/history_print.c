#include "riposte/base/time.h"
#include "riposte/cli/history.h"

#include <stdio.h>

/* Of whom to look at first; --json gives all. */
#define PEOPLE_SHOWN 10

/* ---- for people ---- */

static const char *plural(size_t count) {
    return count == 1 ? "" : "s";
}

static void print_time(struct buffer *out, int64_t unix_ms) {
    char text[TIME_TEXT_BYTES];
    time_format_s(unix_ms, text);
    buffer_append_string(out, text);
}

static void print_span(struct buffer *out, int64_t first_unix_ms, int64_t last_unix_ms) {
    print_time(out, first_unix_ms);
    if (last_unix_ms != first_unix_ms) {
        buffer_append_string(out, " to ");
        print_time(out, last_unix_ms);
    }
}

static struct text shown_name(const struct history_principal *principal) {
    return principal->name.bytes > 0 ? principal->name : principal->id;
}

static void print_person(const struct history_principal *principal, struct buffer *out) {
    buffer_append_format(out, "  %.*s (%.*s): %zu event%s, ", TEXT_ARG(shown_name(principal)),
                         TEXT_ARG(principal->kind), principal->events, plural(principal->events));
    if (principal->contained > 0) {
        buffer_append_format(out, "would be contained %zu time%s", principal->contained,
                             plural(principal->contained));
    } else {
        buffer_append_string(out, "would not be contained");
    }
    if (principal->automation.bytes > 0) {
        buffer_append_format(out, "; looks like automation: %.*s", TEXT_ARG(principal->automation));
    }
    buffer_append_char(out, '\n');
    if (principal->contained > 0 && principal->arn.bytes > 0) {
        buffer_append_format(out, "    to guard.protected, if it may do that: \"%.*s\"\n",
                             TEXT_ARG(principal->arn));
    }
}

static void print_people(const struct history_result *result, struct buffer *out) {
    buffer_append_string(out, "\nlook at first:\n");
    for (size_t i = 0; i < result->principal_count && i < PEOPLE_SHOWN; i++) {
        print_person(result->principals[i], out);
    }
    if (result->principal_count > PEOPLE_SHOWN) {
        buffer_append_format(out, "  and %zu more below\n", result->principal_count - PEOPLE_SHOWN);
    }
}

static void print_counts(const char *label, const struct history_counts *counts,
                         const char *separator, struct buffer *out) {
    for (size_t i = 0; i < counts->count; i++) {
        const struct history_count *count = &counts->items[i];
        buffer_append_format(out, "%s%.*s x%zu", i == 0 ? label : separator, TEXT_ARG(count->what),
                             count->count);
    }
    buffer_append_string(out, counts->count > 0 ? "\n" : "");
}

static void print_number(const char *what, size_t count, bool *has_more, struct buffer *out) {
    if (count > 0) {
        buffer_append_format(out, "%s%zu %s", *has_more ? ", " : "", count, what);
        *has_more = true;
    }
}

static void print_tally(const struct history_tally *tally, struct buffer *out) {
    bool has_more = false;
    buffer_append_format(out, "  %.*s (%.*s, %.*s)\n", TEXT_ARG(shown_name(tally->principal)),
                         TEXT_ARG(tally->principal->kind), TEXT_ARG(tally->principal->id));
    buffer_append_format(out, "    %zu event%s, ", tally->events, plural(tally->events));
    print_span(out, tally->first_unix_ms, tally->last_unix_ms);
    buffer_append_string(out, "\n    ");
    print_number(tally->incidents == 1 ? "response" : "responses", tally->incidents, &has_more,
                 out);
    print_number("joined", tally->joined, &has_more, out);
    print_number("held", tally->held, &has_more, out);
    print_number("suppressed", tally->suppressed, &has_more, out);
    print_number("only if AWS confirms", tally->unconfirmed, &has_more, out);
    buffer_append_char(out, '\n');
    print_counts("    calls: ", &tally->calls, ", ", out);
    print_counts("    because: ", &tally->reasons, "\n             ", out);
}

void history_print(const struct history_result *result, struct buffer *out) {
    buffer_append_format(out, "events: %zu, of which match: %zu\n", result->events,
                         result->matched_events);
    if (result->not_kept > 0) {
        buffer_append_format(out,
                             "%zu matches more than can be kept are in no number below: give "
                             "fewer files\n",
                             result->not_kept);
    }
    if (result->tally_count == 0) {
        return;
    }
    print_people(result, out);
    const struct rule *rule = NULL;
    for (size_t i = 0; i < result->tally_count; i++) {
        const struct history_tally *tally = result->tallies[i];
        if (tally->rule != rule) {
            rule = tally->rule;
            buffer_append_format(out, "\nrule %.*s, severity %.*s\n", TEXT_ARG(rule->name),
                                 TEXT_ARG(rule->severity));
        }
        print_tally(tally, out);
    }
}

/* ---- for programs ---- */

static void add_number(struct arena *arena, struct json *object, const char *name, size_t value) {
    json_add_member(arena, object, text_of(name), json_new_integer(arena, (int64_t)value));
}

static void add_time(struct arena *arena, struct json *object, const char *name, int64_t unix_ms) {
    char text[TIME_TEXT_BYTES];
    time_format_s(unix_ms, text);
    json_add_member(arena, object, text_of(name), json_new_string(arena, text_of(text)));
}

static void add_counts(struct arena *arena, struct json *object, const char *name,
                       const struct history_counts *counts) {
    struct json *made = json_new_object(arena);
    for (size_t i = 0; i < counts->count; i++) {
        json_add_member(arena, made, counts->items[i].what,
                        json_new_integer(arena, (int64_t)counts->items[i].count));
    }
    json_add_member(arena, object, text_of(name), made);
}

static struct json *person_to_json(const struct history_principal *principal, struct arena *arena) {
    struct json *object = json_new_object(arena);
    json_add_text(arena, object, "id", principal->id);
    json_add_text(arena, object, "name", principal->name);
    json_add_text(arena, object, "arn", principal->arn);
    json_add_text(arena, object, "kind", principal->kind);
    json_add_text(arena, object, "automation", principal->automation);
    add_number(arena, object, "events", principal->events);
    add_number(arena, object, "contained", principal->contained);
    return object;
}

static struct json *tally_to_json(const struct history_tally *tally, struct arena *arena) {
    struct json *object = json_new_object(arena);
    json_add_text(arena, object, "rule", tally->rule->name);
    json_add_text(arena, object, "severity", tally->rule->severity);
    json_add_text(arena, object, "principal", tally->principal->id);
    json_add_text(arena, object, "name", tally->principal->name);
    add_number(arena, object, "events", tally->events);
    add_time(arena, object, "first", tally->first_unix_ms);
    add_time(arena, object, "last", tally->last_unix_ms);
    add_number(arena, object, "responses", tally->incidents);
    add_number(arena, object, "contained", tally->contained);
    add_number(arena, object, "joined", tally->joined);
    add_number(arena, object, "held", tally->held);
    add_number(arena, object, "suppressed", tally->suppressed);
    add_number(arena, object, "unconfirmed", tally->unconfirmed);
    add_counts(arena, object, "calls", &tally->calls);
    add_counts(arena, object, "reasons", &tally->reasons);
    return object;
}

struct json *history_to_json(const struct history_result *result, struct arena *arena) {
    struct json *object = json_new_object(arena);
    struct json *people = json_new_array(arena);
    struct json *tallies = json_new_array(arena);
    for (size_t i = 0; i < result->principal_count; i++) {
        json_add_element(people, person_to_json(result->principals[i], arena));
    }
    for (size_t i = 0; i < result->tally_count; i++) {
        json_add_element(tallies, tally_to_json(result->tallies[i], arena));
    }
    add_number(arena, object, "events", result->events);
    add_number(arena, object, "matched", result->matched_events);
    add_number(arena, object, "not_kept", result->not_kept);
    json_add_member(arena, object, TEXT("principals"), people);
    json_add_member(arena, object, TEXT("rules"), tallies);
    return object;
}
