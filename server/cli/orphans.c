#include "riposte/cli/orphans.h"

#include "riposte/cli/api.h"
#include "riposte/cli/options.h"

#include "shown.h"

#include <stdio.h>

#define SEARCH_MS (10 * 60 * 1000)

static struct text member(const struct json *node, const char *name) {
    return shown_member(node, name);
}

static void print_orphan(const struct json *orphan) {
    struct text result = member(orphan, "result");
    printf("%.*s  %.*s %.*s %.*s: %.*s", TEXT_ARG(member(orphan, "incident")),
           TEXT_ARG(member(orphan, "account")), TEXT_ARG(member(orphan, "kind")),
           TEXT_ARG(member(orphan, "name")), TEXT_ARG(member(orphan, "policy")));
    printf("%s%.*s\n", result.bytes > 0 ? "  " : "", TEXT_ARG(result));
}

/* What was asked for happened to it. */
static bool is_done(const struct json *orphan, const char *action) {
    struct text result = member(orphan, "result");
    return action[0] == 'l' || text_equal(result, TEXT("adopted")) ||
           text_equal(result, TEXT("to be released"));
}

static int print(const struct json *answer, const char *action, bool as_json) {
    const struct json *orphans = json_member(answer, "orphans");
    const struct json *failed = json_member(answer, "failed");
    bool is_all = json_count(failed) == 0;
    if (as_json) {
        shown_json(answer);
    }
    for (const struct json *one = json_first(orphans); one; one = json_next(one)) {
        is_all = is_all && is_done(one, action);
        if (!as_json) {
            print_orphan(one);
        }
    }
    for (const struct json *one = json_first(failed); one; one = json_next(one)) {
        fprintf(stderr, "riposte orphans: account %.*s could not be asked: %.*s\n",
                TEXT_ARG(member(one, "account")), TEXT_ARG(member(one, "error")));
    }
    if (json_count(orphans) == 0 && !as_json) {
        printf("no orphans\n");
    }
    return is_all ? EXIT_GOOD : EXIT_NO;
}

static void list_ids(struct buffer *path, int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        buffer_append_string(path, i > 0 ? "," : "");
        buffer_append_percent_encoded(path, text_of(argv[i]), "");
    }
}

int cli_orphans(int argc, char **argv) {
    struct api_options api_options = {0};
    bool adopts = false, releases = false, is_sure = false, as_json = false;
    const struct cli_option options[] = {
        {"config", 'c', &api_options.settings, NULL},
        {"url", 0, &api_options.url, NULL},
        {"token", 0, &api_options.token, NULL},
        {"ca-file", 0, &api_options.ca_file, NULL},
        {"adopt", 0, NULL, &adopts},
        {"release", 0, NULL, &releases},
        {"yes", 0, NULL, &is_sure},
        {"json", 0, NULL, &as_json},
    };
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    if (adopts && releases) {
        return cli_fail(argv[0], "--adopt or --release, not both: releasing adopts, too");
    }
    struct error error = {0};
    scoped(api_done) struct api api = {0};
    if (!api_open(&api, &api_options, &error)) {
        return cli_fail(argv[0], "%s", error.text);
    }
    const char *action = !is_sure ? "list" : adopts ? "adopt" : releases ? "release" : "list";
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    buffer_append_format(&path, "/v1/orphans?action=%s&only=", action);
    list_ids(&path, argc - first, argv + first);
    const struct json *answer = NULL;
    api.target.timeout_ms = SEARCH_MS;
    if (!api_ask(&api, TEXT("POST"), buffer_text(&path), TEXT(""), &answer, &error)) {
        fprintf(stderr, "riposte orphans: %s\n", error.text);
        return EXIT_NO;
    }
    int result = print(answer, action, as_json);
    if ((adopts || releases) && !is_sure && json_count(json_member(answer, "orphans")) > 0) {
        fprintf(stderr, "riposte orphans: nothing was done: --yes does it\n");
    }
    return result;
}
