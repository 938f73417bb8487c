#include "riposte/cli/status.h"

#include "riposte/base/clock.h"
#include "riposte/base/time.h"
#include "riposte/cli/api.h"
#include "riposte/cli/options.h"

#include "incident_rows.h"
#include "shown.h"

#include <stdio.h>
#include <unistd.h>

#define WATCH_MS   2000
#define LATEST     "10"
#define CLEAR_HOME "\x1b[H\x1b[J"

static long long number(const struct json *node, const char *name) {
    return (long long)shown_number(node, name);
}

static void show_process(const struct json *status, struct buffer *out) {
    const struct json *process = json_member(status, "process");
    const struct json *you = json_member(status, "you");
    char up[TIME_TEXT_BYTES];
    duration_format(shown_number(process, "uptime_s") * 1000, up);
    buffer_append_format(
        out, "riposte %.*s, %.*s, up %s, %lld MB, %lld streams; you are %.*s (%.*s)\n",
        TEXT_ARG(shown_member(status, "version")), TEXT_ARG(shown_member(status, "mode")), up,
        number(process, "resident_bytes") / 1000000, number(process, "streams"),
        TEXT_ARG(shown_member(you, "name")), TEXT_ARG(shown_member(you, "role")));
}

static void show_parts(const struct json *status, struct buffer *out) {
    const struct json *journal = json_member(status, "journal");
    const struct json *tasks = json_member(status, "tasks");
    const struct json *workers = json_member(status, "workers");
    buffer_append_format(out, "journal      %s, %lld lines, %lld queued, %lld failed commits\n",
                         shown_is_true(journal, "is_damaged") ? "DAMAGED"
                         : shown_is_true(journal, "is_ready") ? "ready"
                                                              : "NOT READY",
                         number(journal, "sequence"), number(journal, "queued"),
                         number(journal, "failed_commits"));
    buffer_append_format(
        out, "tasks        %lld open, %lld due, %lld ms late; %lld of %lld not admitted\n",
        number(tasks, "open"), number(tasks, "due"), number(tasks, "late_ms"),
        number(tasks, "not_admitted"), number(tasks, "queue_limit"));
    buffer_append_format(out, "workers      %lld of %lld busy\n", number(workers, "busy"),
                         number(workers, "count"));
}

static void show_end(const char *label, const struct json *node, const char *else_text,
                     struct buffer *out) {
    struct text expires = shown_member(node, "expires");
    buffer_append_format(out, "%-12s %s%.*s%s\n", label, expires.bytes > 0 ? "until " : else_text,
                         TEXT_ARG(expires),
                         shown_is_true(node, "is_self_made") ? ", self-made" : "");
}

static void show_incidents(const struct json *status, struct buffer *out) {
    const struct json *incidents = json_member(status, "incidents");
    const struct json *state = json_first(json_member(incidents, "by_state"));
    buffer_append_format(out, "rules        %lld\nincidents    %lld", number(status, "rules"),
                         number(incidents, "total"));
    for (const char *before = ": "; state; state = json_next(state)) {
        int64_t count = 0;
        if (json_integer(state, &count) && count > 0) {
            buffer_append_format(out, "%s%.*s %lld", before, TEXT_ARG(json_key(state)),
                                 (long long)count);
            before = ", ";
        }
    }
    buffer_append_char(out, '\n');
}

static void show_lanes(const struct json *status, struct buffer *out) {
    const struct json *lane = json_first(json_member(status, "lanes"));
    for (; lane; lane = json_next(lane)) {
        struct text name = shown_member(lane, "name");
        buffer_append_string(out, "lane         ");
        shown_text(out, name.bytes > 0 ? name : TEXT("-"), 0);
        buffer_append_format(out, ": %lld tasks, %lld due, %lld workers%s\n", number(lane, "tasks"),
                             number(lane, "due"), number(lane, "busy"),
                             shown_is_true(lane, "is_failing") ? ", NO ANSWER" : "");
    }
}

static void show(const struct json *status, struct buffer *out) {
    show_process(status, out);
    show_parts(status, out);
    show_end("credentials", json_member(status, "credentials"), "none, or for good", out);
    show_end("certificate", json_member(status, "certificate"), "none", out);
    show_incidents(status, out);
    show_lanes(status, out);
}

static bool read_status(struct api *api, const struct json **status_out, struct error *error) {
    return api_ask(api, TEXT("GET"), TEXT("/v1/status"), TEXT(""), status_out, error);
}

/* What is on the screen: also that there is no answer. */
static bool show_screen(struct api *api, struct buffer *out) {
    const struct incident_query latest = {.limit = LATEST};
    const struct json *status = NULL;
    struct json *rows = NULL;
    struct text next = {NULL, 0};
    struct error error = {0};
    if (!read_status(api, &status, &error) ||
        !incident_rows_read(api, &latest, &rows, &next, &error)) {
        buffer_append_format(out, "%s\n", error.text);
        return false;
    }
    show(status, out);
    buffer_append_char(out, '\n');
    incident_rows_show(rows, out);
    return true;
}

/* Until somebody interrupts it. Each look has an arena of its own: a screen stays on for days. */
static int watch(const char *name, const struct api_options *options) {
    for (;;) {
        struct error error = {0};
        scoped(api_done) struct api api = {0};
        scoped(buffer_done) struct buffer out = BUFFER_INIT;
        if (!api_open(&api, options, &error)) {
            return cli_fail(name, "%s", error.text);
        }
        (void)show_screen(&api, &out);
        printf(CLEAR_HOME "%s", buffer_string(&out));
        if (fflush(stdout) != 0) {
            return EXIT_NO; /* nobody looks any more */
        }
        clock_sleep_ms(WATCH_MS);
    }
}

static int print(const char *name, const struct api_options *options, bool as_json) {
    struct error error = {0};
    scoped(api_done) struct api api = {0};
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    const struct json *status = NULL;
    if (!api_open(&api, options, &error)) {
        return cli_fail(name, "%s", error.text);
    }
    if (!read_status(&api, &status, &error)) {
        return cli_fail(name, "%s", error.text), EXIT_NO;
    }
    if (as_json) {
        shown_json(status);
    } else {
        show(status, &out);
        fputs(buffer_string(&out), stdout);
    }
    return shown_is_true(json_member(status, "journal"), "is_ready") ? EXIT_GOOD : EXIT_NO;
}

int cli_status(int argc, char **argv) {
    struct api_options api_options = {0};
    bool as_json = false, watches = false;
    const struct cli_option options[] = {
        {"config", 'c', &api_options.settings, NULL},
        {"url", 0, &api_options.url, NULL},
        {"token", 0, &api_options.token, NULL},
        {"ca-file", 0, &api_options.ca_file, NULL},
        {"watch", 0, NULL, &watches},
        {"json", 0, NULL, &as_json},
    };
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    if (first != argc) {
        return cli_fail(argv[0], "takes no operands");
    }
    return watches && !as_json && isatty(STDOUT_FILENO) ? watch(argv[0], &api_options)
                                                        : print(argv[0], &api_options, as_json);
}
