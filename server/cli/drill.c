#include "riposte/cli/drill.h"

#include "riposte/base/clock.h"
#include "riposte/base/time.h"
#include "riposte/cli/api.h"
#include "riposte/cli/command.h"
#include "riposte/cli/options.h"
#include "riposte/json/writer.h"
#include "riposte/observe/drill.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WAIT_EVENT  "30s"
#define WAIT_CANARY "15m"
#define LOOK_MS     20
#define LOOK_FAR_MS 1000 /* for a canary, which takes minutes */
#define BAR_WIDTH   40

/* What to look at where it broke; `canary`: of a canary's write, NULL: the same. */
static const struct {
    const char *event, *canary;
} checks[DRILL_LEGS] = {
    [DRILL_SENT] = {"is the server up, and are --url, listen.address and listen.port right? "
                    "('riposte health')",
                    "does the schedule run and may its role tag, is the trail logging, do rule, "
                    "connection and API destination of EventBridge work? (their dead-letter "
                    "queues; metric riposte_canary_age_seconds)"},
    [DRILL_LOGGED] = {"the event", "the trail: is it logging? (aws cloudtrail get-trail-status)"},
    [DRILL_RECEIVED] = {"the secret (authenticate.header and .secrets on both sides), listen.path, "
                        "and what stands between: a balancer may lead to another server",
                        NULL},
    [DRILL_MATCHED] = {"the folders that \"rules\" and \"playbooks\" name ('riposte check')", NULL},
    [DRILL_COMMITTED] = {"the journal: is its disk full, read-only or failing? ('riposte health', "
                         "'riposte journal check')",
                         NULL},
    [DRILL_PLANNED] = {"the workers: are all of them busy? (setting \"workers\", 'riposte status', "
                       "metric riposte_tasks_due)",
                       NULL},
    [DRILL_CALLED] = {"the server's credentials (the task's role), aws.endpoint, and the way out "
                      "to STS: network, proxy, certificates",
                      NULL},
};

struct leg {
    enum drill_state state;
    bool has_ms;
    double ms;
    struct text note;
};

struct drill_run {
    struct api api;
    const char *url; /* NULL: what the settings say */
    bool is_canary, as_json;
    int64_t wait_ms;
    struct secret secret;
    struct text id, nonce;
    /* What became of it. */
    struct leg legs[DRILL_LEGS];
    enum drill_state state;
    enum drill_leg broke_at;
    double total_ms;
};

static void drill_run_done(struct drill_run *run) {
    secret_done(&run->secret);
    api_done(&run->api);
}

/* ---- what the server says ---- */

static enum drill_state state_of(struct text name) {
    for (int i = DRILL_WAITS; i <= DRILL_BROKEN; i++) {
        if (text_equal_string(name, drill_state_name((enum drill_state)i))) {
            return (enum drill_state)i;
        }
    }
    return DRILL_WAITS;
}

static void break_at(struct drill_run *run, enum drill_leg leg, struct text note) {
    run->state = DRILL_BROKEN;
    run->broke_at = leg;
    run->legs[leg].state = DRILL_BROKEN;
    if (note.bytes > 0) {
        run->legs[leg].note = note;
    }
}

static double read_ms(const struct drill_run *run, const struct json *node) {
    return node == NULL
               ? 0
               : strtod(arena_copy_text(run->api.target.arena, json_text(node)).data, NULL);
}

static struct leg read_leg(const struct drill_run *run, const struct json *node) {
    const struct json *ms = json_member(node, "ms");
    return (struct leg){.state = state_of(json_text(json_member(node, "state"))),
                        .has_ms = ms != NULL,
                        .ms = read_ms(run, ms),
                        .note = json_text(json_member(node, "note"))};
}

/* False: it can't be asked, or another drill took the place of ours. */
static bool look(struct drill_run *run, struct error *error) {
    const struct json *answer = NULL;
    if (!api_ask(&run->api, TEXT("GET"), TEXT("/v1/drill"), TEXT(""), &answer, error)) {
        return error_wrap(error, "the admin API");
    }
    if (!text_equal(json_text(json_member(answer, "id")), run->id)) {
        return error_set(error, ERROR_BUSY, "another drill took the place of this one");
    }
    size_t i = 0;
    for (const struct json *node = json_first(json_member(answer, "legs"));
         node != NULL && i < DRILL_LEGS; node = json_next(node)) {
        run->legs[i++] = read_leg(run, node);
    }
    run->state = state_of(json_text(json_member(answer, "state")));
    run->total_ms = read_ms(run, json_member(answer, "total_ms"));
    for (int leg = DRILL_LEGS - 1; leg >= 0; leg--) { /* the first is why the others are */
        run->broke_at = run->legs[leg].state == DRILL_BROKEN ? (enum drill_leg)leg : run->broke_at;
    }
    return true;
}

static enum drill_leg first_waiting(const struct drill_run *run) {
    enum drill_leg leg = DRILL_SENT;
    while (leg < DRILL_CALLED &&
           (run->legs[leg].state == DRILL_DONE || run->legs[leg].state == DRILL_SKIPPED)) {
        leg++;
    }
    return leg;
}

/* ---- its course ---- */

static bool arm(struct drill_run *run, struct error *error) {
    const struct json *answer = NULL;
    struct text body = arena_format(run->api.target.arena,
                                    "{\"canary\":%s,\"wait_ms\":%" PRId64 "}",
                                    run->is_canary ? "true" : "false", run->wait_ms);
    if (!api_ask(&run->api, TEXT("POST"), TEXT("/v1/drill"), body, &answer, error)) {
        return error_wrap(error, "the admin API");
    }
    run->id = json_text(json_member(answer, "id"));
    run->nonce = json_text(json_member(answer, "nonce"));
    return true;
}

static struct text make_event(const struct drill_run *run, struct buffer *out) {
    struct json_writer writer;
    char time[TIME_TEXT_BYTES];
    int64_t now_us = clock_unix_us(&clock_system);
    time_format_s(now_us / 1000000 * 1000, time);
    json_writer_init(&writer, out);
    json_open_object(&writer, NULL);
    json_put_string(&writer, "version", "0");
    json_put_text(&writer, "id", run->id);
    json_put_string(&writer, "source", DRILL_SOURCE);
    json_put_string(&writer, "detail-type", DRILL_DETAIL_TYPE);
    json_put_string(&writer, "account", "000000000000");
    json_put_string(&writer, "region", "none");
    json_put_string(&writer, "time", time);
    json_open_object(&writer, "detail");
    json_put_text(&writer, "eventID",
                  arena_format(run->api.target.arena, "riposte-drill-%.*s", TEXT_ARG(run->id)));
    json_put_string(&writer, "eventName", "Drill");
    json_put_text(&writer, "nonce", run->nonce);
    json_put_integer(&writer, "sent_unix_us", now_us);
    json_close_object(&writer);
    json_close_object(&writer);
    return buffer_text(out);
}

/* "" when it was taken; else what was answered, or why nothing was: *leg_out is where it broke as
 * far as can be told from here. */
static struct text post(struct drill_run *run, enum drill_leg *leg_out) {
    struct target *target = &run->api.target;
    scoped(buffer_done) struct buffer event = BUFFER_INIT;
    scoped(buffer_done) struct buffer answer = BUFFER_INIT;
    struct error error = {0};
    int status = 0;
    const struct http_header headers[] = {
        {target->settings.authenticate.header, {run->secret.text, run->secret.bytes}},
        {TEXT("Content-Type"), TEXT("application/json; charset=utf-8")},
    };
    struct text base = target_events_url(target);
    struct text url = run->url != NULL ? text_of(run->url)
                                       : arena_format(target->arena, "%.*s%.*s", TEXT_ARG(base),
                                                      TEXT_ARG(target->settings.listen.path));
    if (!target_request(target, TEXT("POST"), url, headers, ARRAY_COUNT(headers),
                        make_event(run, &event), &status, &answer, &error)) {
        *leg_out = DRILL_SENT;
        return arena_copy_text(target->arena, text_of(error.text));
    }
    *leg_out = DRILL_RECEIVED;
    if (status >= 300) {
        return arena_format(target->arena, "answered %d: %.*s", status,
                            TEXT_ARG(text_trim(text_cut(buffer_text(&answer), 160))));
    }
    return TEXT("");
}

/* The event was posted; the server's word goes before what was seen from here. */
static bool follow_post(struct drill_run *run, struct error *error) {
    enum drill_leg leg = DRILL_SENT;
    struct text problem = post(run, &leg);
    if (!look(run, error)) {
        return false;
    }
    bool has_come = run->legs[DRILL_RECEIVED].state != DRILL_WAITS;
    if (!has_come && problem.bytes == 0) {
        break_at(run, DRILL_RECEIVED,
                 TEXT("answered 2xx, but not by the server whose admin API was asked"));
    } else if (!has_come) {
        run->legs[DRILL_SENT].state = leg == DRILL_SENT ? DRILL_BROKEN : DRILL_DONE;
        break_at(run, leg, problem);
    }
    return true;
}

static bool follow(struct drill_run *run, struct error *error) {
    int64_t until_ms = clock_mono_ms(&clock_system) + run->wait_ms;
    if (run->is_canary ? !look(run, error) : !follow_post(run, error)) {
        return false;
    }
    while (run->state == DRILL_WAITS && clock_mono_ms(&clock_system) < until_ms) {
        clock_sleep_ms(run->is_canary ? LOOK_FAR_MS : LOOK_MS);
        if (!look(run, error)) {
            return false;
        }
    }
    if (run->state == DRILL_WAITS ||
        (run->state == DRILL_BROKEN && run->legs[run->broke_at].state != DRILL_BROKEN)) {
        char wait[TIME_TEXT_BYTES];
        duration_format(run->wait_ms, wait);
        break_at(run, first_waiting(run),
                 arena_format(run->api.target.arena, "did not come within %s", wait));
    }
    return true;
}

/* ---- what is printed ---- */

static const char *check_of(const struct drill_run *run) {
    const char *canary = checks[run->broke_at].canary;
    return run->is_canary && canary != NULL ? canary : checks[run->broke_at].event;
}

static double longest_ms(const struct drill_run *run) {
    double longest = 0;
    for (int i = 0; i < DRILL_LEGS; i++) {
        longest = run->legs[i].has_ms && run->legs[i].ms > longest ? run->legs[i].ms : longest;
    }
    return longest;
}

/* A leg that took any time has a bar. */
static void print_leg(enum drill_leg leg, const struct leg *seen, double longest) {
    char bar[BAR_WIDTH + 1] = "";
    int width = !seen->has_ms || longest <= 0 ? 0 : (int)(seen->ms / longest * BAR_WIDTH + 0.5);
    width = seen->has_ms && width == 0 ? 1 : width;
    for (int i = 0; i < width && i < BAR_WIDTH; i++) {
        bar[i] = '#';
        bar[i + 1] = '\0';
    }
    printf("  %-9s  %-7s", drill_leg_name(leg), drill_state_name(seen->state));
    if (seen->has_ms) {
        printf("  %10.1f ms  %s", seen->ms, bar);
    }
    printf("%s%.*s\n", seen->note.bytes > 0 ? "  " : "", TEXT_ARG(seen->note));
}

static void print_people(const struct drill_run *run) {
    double longest = longest_ms(run);
    printf("drill %.*s\n", TEXT_ARG(run->id));
    for (int i = 0; i < DRILL_LEGS; i++) {
        print_leg((enum drill_leg)i, &run->legs[i], longest);
    }
    if (run->state == DRILL_DONE) {
        printf("the chain works: %.1f ms\n", run->total_ms);
    } else {
        printf("broke at %s. Check %s\n", drill_leg_name(run->broke_at), check_of(run));
    }
}

static void put_ms(struct json_writer *writer, const char *key, double ms) {
    char number[32];
    (void)snprintf(number, sizeof(number), "%.3f", ms);
    json_put_raw(writer, key, text_of(number));
}

static void print_json(const struct drill_run *run) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    struct json_writer writer;
    json_writer_init(&writer, &out);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "id", run->id);
    json_put_string(&writer, "state", drill_state_name(run->state));
    if (run->state == DRILL_BROKEN) {
        json_put_string(&writer, "broke_at", drill_leg_name(run->broke_at));
        json_put_string(&writer, "check", check_of(run));
    }
    put_ms(&writer, "total_ms", run->total_ms);
    json_open_array(&writer, "legs");
    for (int i = 0; i < DRILL_LEGS; i++) {
        json_open_object(&writer, NULL);
        json_put_string(&writer, "leg", drill_leg_name((enum drill_leg)i));
        json_put_string(&writer, "state", drill_state_name(run->legs[i].state));
        if (run->legs[i].has_ms) {
            put_ms(&writer, "ms", run->legs[i].ms);
        }
        if (run->legs[i].note.bytes > 0) {
            json_put_text(&writer, "note", run->legs[i].note);
        }
        json_close_object(&writer);
    }
    json_close_array(&writer);
    json_close_object(&writer);
    printf("%s\n", buffer_string(&out));
}

/* ---- the command ---- */

static bool open_run(struct drill_run *run, const struct api_options *options,
                     struct error *error) {
    struct target *target = &run->api.target;
    if (!api_open(&run->api, options, error)) {
        return false;
    }
    target->timeout_ms = run->is_canary || run->wait_ms > 30000 ? 30000 : run->wait_ms;
    return run->is_canary || target_secret(target, &target->settings.authenticate.secrets, "secret",
                                           &run->secret, error);
}

int cli_drill(int argc, char **argv) {
    struct api_options api = {0};
    const char *wait = NULL;
    scoped(drill_run_done) struct drill_run run = {0};
    const struct cli_option options[] = {
        {"config", 'c', &api.settings, NULL}, {"url", 0, &run.url, NULL},
        {"admin-url", 0, &api.url, NULL},     {"token", 0, &api.token, NULL},
        {"ca-file", 0, &api.ca_file, NULL},   {"wait", 0, &wait, NULL},
        {"canary", 0, NULL, &run.is_canary},  {"json", 0, NULL, &run.as_json},
    };
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    struct error error = {0};
    if (first < 0) {
        return EXIT_INVALID;
    }
    wait = wait != NULL ? wait : run.is_canary ? WAIT_CANARY : WAIT_EVENT;
    if (first != argc) {
        return cli_fail(argv[0], "takes no operands");
    }
    if (!duration_parse(text_of(wait), &run.wait_ms) || run.wait_ms == 0) {
        return cli_fail(argv[0], "--wait takes a time like 10s, not '%s'", wait);
    }
    if (!open_run(&run, &api, &error)) {
        return cli_fail(argv[0], "%s", error.text);
    }
    if (!arm(&run, &error) || !follow(&run, &error)) {
        (void)cli_fail(argv[0], "%s", error.text);
        return EXIT_NO;
    }
    if (run.as_json) {
        print_json(&run);
    } else {
        print_people(&run);
    }
    return run.state == DRILL_DONE ? EXIT_GOOD : EXIT_NO;
}
