#include "riposte/cli/events.h"

#include "riposte/cli/api.h"
#include "riposte/cli/options.h"

#include "shown.h"

#include <stdio.h>
#include <string.h>

static void show_event(const struct json *event, struct buffer *out) {
    shown_text(out, shown_member(event, "received"), 26);
    shown_text(out, shown_member(event, "outcome"), 10);
    shown_text(out, shown_member(event, "event_name"), 0);
    buffer_append_string(out, "  ");
    shown_text(out, shown_member(event, "source"), 0);
    buffer_append_string(out, "  ");
    shown_text(out, shown_member(event, "account"), 0);
    const struct json *rule = json_first(json_member(event, "rules"));
    for (; rule; rule = json_next(rule)) {
        buffer_append_string(out, "  ");
        shown_text(out, json_text(rule), 0);
    }
    buffer_append_char(out, '\n');
}

static void print(const struct json *answer, bool as_json) {
    const struct json *events = json_member(answer, "events");
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    if (as_json) {
        shown_json(answer);
        return;
    }
    for (const struct json *event = json_first(events); event; event = json_next(event)) {
        show_event(event, &out);
    }
    fputs(json_count(events) > 0 ? buffer_string(&out) : "no events\n", stdout);
}

int cli_events(int argc, char **argv) {
    struct api_options api_options = {0};
    const char *limit = "50", *outcome = "";
    bool as_json = false;
    const struct cli_option options[] = {
        {"config", 'c', &api_options.settings, NULL},
        {"url", 0, &api_options.url, NULL},
        {"token", 0, &api_options.token, NULL},
        {"ca-file", 0, &api_options.ca_file, NULL},
        {"limit", 0, &limit, NULL},
        {"outcome", 0, &outcome, NULL},
        {"json", 0, NULL, &as_json},
    };
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    if (argc - first > 1 || (argc - first == 1 && strcmp(argv[first], "recent") != 0)) {
        return cli_fail(argv[0], "there is 'recent', and nothing else");
    }
    struct error error = {0};
    scoped(api_done) struct api api = {0};
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    const struct json *answer = NULL;
    if (!api_open(&api, &api_options, &error)) {
        return cli_fail(argv[0], "%s", error.text);
    }
    buffer_append_string(&path, "/v1/events/recent?limit=");
    buffer_append_percent_encoded(&path, text_of(limit), "");
    buffer_append_string(&path, "&outcome=");
    buffer_append_percent_encoded(&path, text_of(outcome), "");
    if (!api_ask(&api, TEXT("GET"), buffer_text(&path), TEXT(""), &answer, &error)) {
        return cli_fail(argv[0], "%s", error.text), EXIT_NO;
    }
    print(answer, as_json);
    return EXIT_GOOD;
}
