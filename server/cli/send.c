#include "riposte/cli/send.h"

#include "riposte/base/clock.h"
#include "riposte/base/file.h"
#include "riposte/base/hex.h"
#include "riposte/base/time.h"
#include "riposte/cli/command.h"
#include "riposte/cli/options.h"
#include "riposte/cli/target.h"
#include "riposte/crypto/random.h"
#include "riposte/json/writer.h"

#include <stdio.h>

#define EVENT_BYTES (64 * 1024 * 1024)

/* What --fresh puts in place of the recorded event's own. */
struct freshness {
    struct text event_id, id, time;
};

static struct text make_uuid(struct arena *arena) {
    uint8_t bytes[16];
    random_bytes(bytes, sizeof(bytes));
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    char digits[33];
    hex_encode(bytes, sizeof(bytes), digits);
    return arena_format(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", digits, digits + 8, digits + 12,
                        digits + 16, digits + 20);
}

static struct freshness make_freshness(struct arena *arena) {
    char now[TIME_TEXT_BYTES];
    time_format_s(clock_unix_ms(&clock_system), now);
    return (struct freshness){make_uuid(arena), make_uuid(arena),
                              arena_copy_text(arena, text_of(now))};
}

/* `object` with the members of those names, where it has them, set anew. */
static struct json *with_members(struct arena *arena, const struct json *object,
                                 const struct text *names, const struct text *values,
                                 size_t count) {
    struct json *copy = json_new_object(arena);
    for (const struct json *member = json_first(object); member; member = json_next(member)) {
        struct json *value = NULL;
        for (size_t i = 0; i < count && !value; i++) {
            if (text_equal(json_key(member), names[i])) {
                value = json_new_string(arena, values[i]);
            }
        }
        json_add_member(arena, copy, json_key(member), value ? value : json_copy(arena, member));
    }
    return copy;
}

static const struct json *freshen(struct arena *arena, const struct json *event) {
    const struct freshness fresh = make_freshness(arena);
    const struct text outer[] = {TEXT("id"), TEXT("time")};
    const struct text outer_values[] = {fresh.id, fresh.time};
    const struct text inner[] = {TEXT("eventID"), TEXT("eventTime")};
    const struct text inner_values[] = {fresh.event_id, fresh.time};
    struct json *whole = json_new_object(arena);
    const struct json *outside = with_members(arena, event, outer, outer_values, 2);
    for (const struct json *member = json_first(outside); member; member = json_next(member)) {
        bool is_detail = text_equal(json_key(member), TEXT("detail")) && json_is_object(member);
        json_add_member(arena, whole, json_key(member),
                        is_detail ? with_members(arena, member, inner, inner_values, 2)
                                  : json_copy(arena, member));
    }
    return whole;
}

static bool freshen_text(struct buffer *text, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *root = NULL;
    if (!json_parse(buffer_text(text), 0, arena, &root, NULL, error)) {
        return false;
    }
    const struct json *result = root;
    if (json_is_array(root)) {
        struct json *array = json_new_array(arena);
        for (const struct json *event = json_first(root); event; event = json_next(event)) {
            json_add_element(array, json_copy(arena, freshen(arena, event)));
        }
        result = array;
    } else if (json_is_object(root)) {
        result = freshen(arena, root);
    }
    buffer_clear(text);
    json_write(text, result);
    return true;
}

static void print_incidents(const struct json *answer) {
    const struct json *incidents = json_member(answer, "incidents");
    const struct json *known = json_member(answer, "known");
    bool is_known = known && json_type(known) == JSON_TRUE;
    if (json_count(incidents) == 0) {
        printf(", %s", is_known ? "known already: nothing to do" : "no rule matches");
    }
    for (const struct json *incident = json_first(incidents); incident;
         incident = json_next(incident)) {
        printf(", incident %.*s (%.*s)", TEXT_ARG(json_text(json_member(incident, "id"))),
               TEXT_ARG(json_text(json_member(incident, "rule"))));
    }
}

/* A line for people about one answer. */
static void print_answer(const char *path, int status, struct text body) {
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *answer = NULL;
    struct error error = {0};
    printf("%s: %d", path, status);
    if (!json_parse(body, 0, arena, &answer, NULL, &error)) {
        printf(" %.*s", TEXT_ARG(body));
    } else if (status >= 300) {
        printf(": %.*s", TEXT_ARG(json_text(json_member(answer, "error"))));
    } else if (json_is_array(json_member(answer, "events"))) {
        const struct json *events = json_member(answer, "events");
        for (const struct json *event = json_first(events); event; event = json_next(event)) {
            print_incidents(event);
        }
    } else {
        print_incidents(answer);
    }
    printf("\n");
}

struct send_options {
    const char *settings, *url, *ca_file;
    bool is_fresh, as_json;
};

static bool send_one(struct target *target, const struct send_options *options,
                     const struct secret *secret, const char *path, int *status_out,
                     struct error *error) {
    scoped(buffer_done) struct buffer event = BUFFER_INIT;
    scoped(buffer_done) struct buffer answer = BUFFER_INIT;
    if (!file_read(path, EVENT_BYTES, &event, error) ||
        (options->is_fresh && !freshen_text(&event, error))) {
        return false;
    }
    const struct http_header headers[] = {
        {target->settings.authenticate.header, {secret->text, secret->bytes}},
        {TEXT("Content-Type"), TEXT("application/json; charset=utf-8")},
    };
    struct text base = target_events_url(target);
    struct text url = options->url ? text_of(options->url)
                                   : arena_format(target->arena, "%.*s%.*s", TEXT_ARG(base),
                                                  TEXT_ARG(target->settings.listen.path));
    if (!target_request(target, TEXT("POST"), url, headers, ARRAY_COUNT(headers),
                        buffer_text(&event), status_out, &answer, error)) {
        return false;
    }
    if (options->as_json) {
        printf("%.*s\n", TEXT_ARG(buffer_text(&answer)));
    } else {
        print_answer(path, *status_out, buffer_text(&answer));
    }
    return true;
}

int cli_send(int argc, char **argv) {
    struct send_options chosen = {0};
    const struct cli_option options[] = {
        {"config", 'c', &chosen.settings, NULL}, {"url", 0, &chosen.url, NULL},
        {"ca-file", 0, &chosen.ca_file, NULL},   {"fresh", 0, NULL, &chosen.is_fresh},
        {"json", 0, NULL, &chosen.as_json},
    };
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    if (first == argc) {
        return cli_fail(argv[0], "name at least one file with an event ('-': standard input)");
    }
    struct error error = {0};
    scoped(target_done) struct target target = {0};
    scoped(secret_done) struct secret secret = {0};
    if (!target_open(&target, chosen.settings, chosen.ca_file, &error) ||
        !target_secret(&target, &target.settings.authenticate.secrets, "secret", &secret, &error)) {
        return cli_fail(argv[0], "%s", error.text);
    }
    int code = EXIT_GOOD;
    for (int i = first; i < argc; i++) {
        int status = 0;
        if (!send_one(&target, &chosen, &secret, argv[i], &status, &error)) {
            fprintf(stderr, "riposte send: %s: %s\n", argv[i], error.text);
            code = EXIT_NO;
        } else if (status >= 300) {
            code = EXIT_NO;
        }
    }
    return code;
}
