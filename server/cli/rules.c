#include "riposte/cli/rules.h"

#include "riposte/cli/api.h"
#include "riposte/cli/options.h"

#include "shown.h"

#include <stdio.h>

static void show_row(const struct json *rule, struct buffer *out) {
    shown_text(out, shown_member(rule, "name"), 44);
    shown_text(out, shown_member(rule, "severity"), 10);
    shown_text(out, shown_member(rule, "mode"), 9);
    buffer_append_format(out, "%6lld", (long long)shown_number(rule, "incidents"));
    if (shown_member(rule, "latest").bytes > 0) {
        buffer_append_string(out, "  ");
        shown_text(out, shown_member(rule, "latest"), 0);
    }
    buffer_append_char(out, '\n');
}

static void show_field(const char *label, struct text value, struct buffer *out) {
    if (value.bytes > 0) {
        buffer_append_format(out, "%-16s ", label);
        shown_text(out, value, 0);
        buffer_append_char(out, '\n');
    }
}

static void show_list(const char *label, const struct json *list, struct buffer *out) {
    if (json_count(list) > 0) {
        buffer_append_format(out, "%-16s", label);
        for (const struct json *one = json_first(list); one; one = json_next(one)) {
            buffer_append_char(out, ' ');
            shown_text(out, json_text(one), 0);
        }
        buffer_append_char(out, '\n');
    }
}

static void show_test(const struct json *test, struct buffer *out) {
    bool passes = shown_is_true(test, "passes");
    buffer_append_format(out, "  %-6s %s: ", passes ? "passes" : "FAILS",
                         shown_is_true(test, "match") ? "match" : "no match");
    shown_text(out, shown_member(test, "name"), 0);
    if (!passes) {
        buffer_append_string(out, ": ");
        shown_text(out, shown_member(test, "what"), 0);
    }
    buffer_append_char(out, '\n');
}

/* False: a test fails. */
static bool show_rule(const struct json *rule, struct buffer *out) {
    bool is_good = true;
    show_field("rule", shown_member(rule, "name"), out);
    show_field("description", shown_member(rule, "description"), out);
    show_field("severity", shown_member(rule, "severity"), out);
    show_field("mode", shown_member(rule, "mode"), out);
    show_list("attack", json_member(rule, "attack"), out);
    show_field("false positives", shown_member(rule, "false_positives"), out);
    show_list("respond", json_member(rule, "respond"), out);
    show_field("cooldown", shown_member(rule, "cooldown"), out);
    show_field("release after", shown_member(rule, "release_after"), out);
    buffer_append_format(out, "%-16s %lld\n", "incidents",
                         (long long)shown_number(rule, "incidents"));
    show_field("latest", shown_member(rule, "latest"), out);
    buffer_append_string(out, "tests\n");
    const struct json *test = json_first(json_member(rule, "tests"));
    for (; test; test = json_next(test)) {
        is_good = is_good && shown_is_true(test, "passes");
        show_test(test, out);
    }
    return is_good;
}

static int print(const struct json *answer, bool is_one, bool as_json) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    bool is_good = true;
    if (is_one) {
        is_good = show_rule(answer, &out);
    }
    const struct json *rule = json_first(json_member(answer, "rules"));
    for (; rule; rule = json_next(rule)) {
        show_row(rule, &out);
    }
    if (as_json) {
        shown_json(answer);
    } else {
        fputs(buffer_string(&out), stdout);
    }
    return is_good ? EXIT_GOOD : EXIT_NO;
}

int cli_rules(int argc, char **argv) {
    struct api_options api_options = {0};
    bool as_json = false;
    const struct cli_option options[] = {
        {"config", 'c', &api_options.settings, NULL},
        {"url", 0, &api_options.url, NULL},
        {"token", 0, &api_options.token, NULL},
        {"ca-file", 0, &api_options.ca_file, NULL},
        {"json", 0, NULL, &as_json},
    };
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    if (argc - first > 1) {
        return cli_fail(argv[0], "takes one rule's name, or none");
    }
    struct error error = {0};
    scoped(api_done) struct api api = {0};
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    const struct json *answer = NULL;
    bool is_one = argc > first;
    if (!api_open(&api, &api_options, &error)) {
        return cli_fail(argv[0], "%s", error.text);
    }
    buffer_append_string(&path, is_one ? "/v1/rules/" : "/v1/rules");
    buffer_append_percent_encoded(&path, text_of(is_one ? argv[first] : ""), "");
    if (!api_ask(&api, TEXT("GET"), buffer_text(&path), TEXT(""), &answer, &error)) {
        return cli_fail(argv[0], "%s", error.text), EXIT_NO;
    }
    return print(answer, is_one, as_json);
}
