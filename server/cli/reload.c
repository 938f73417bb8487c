#include "riposte/cli/reload.h"

#include "riposte/cli/api.h"
#include "riposte/cli/command.h"
#include "riposte/cli/options.h"

#include "shown.h"

#include <stdio.h>

int cli_reload(int argc, char **argv) {
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
    if (first != argc) {
        return cli_fail(argv[0], "takes no operands");
    }
    struct error error = {0};
    scoped(api_done) struct api api = {0};
    const struct json *answer = NULL;
    if (!api_open(&api, &api_options, &error)) {
        return cli_fail(argv[0], "%s", error.text);
    }
    bool is_done = api_ask(&api, TEXT("POST"), TEXT("/v1/reload"), TEXT(""), &answer, &error);
    if (as_json && answer) {
        shown_json(answer);
        return is_done ? EXIT_GOOD : EXIT_NO;
    }
    const struct json *findings = json_member(answer, "findings");
    for (const struct json *line = json_first(findings); line; line = json_next(line)) {
        fprintf(stderr, "%.*s\n", TEXT_ARG(json_text(line)));
    }
    if (!is_done) {
        fprintf(stderr, "riposte reload: not reloaded: %s\n", error.text);
        return EXIT_NO;
    }
    printf("reloaded\n");
    return EXIT_GOOD;
}
