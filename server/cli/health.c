#include "riposte/cli/health.h"

#include "riposte/cli/command.h"
#include "riposte/cli/options.h"
#include "riposte/cli/target.h"

#include <stdio.h>

int cli_health(int argc, char **argv) {
    const char *settings = NULL, *ca_file = NULL;
    const struct cli_option options[] = {
        {"config", 'c', &settings, NULL},
        {"ca-file", 0, &ca_file, NULL},
    };
    if (cli_options(argc, argv, options, ARRAY_COUNT(options)) < 0) {
        return EXIT_INVALID;
    }
    struct error error = {0};
    scoped(target_done) struct target target = {0};
    if (!target_open(&target, settings, ca_file, &error)) {
        return cli_fail(argv[0], "%s", error.text);
    }
    scoped(buffer_done) struct buffer answer = BUFFER_INIT;
    struct text base = target_events_url(&target);
    struct text url = arena_format(target.arena, "%.*s/readyz", TEXT_ARG(base));
    int status = 0;
    if (!target_request(&target, TEXT("GET"), url, NULL, 0, TEXT(""), &status, &answer, &error)) {
        fprintf(stderr, "riposte health: %s\n", error.text);
        return EXIT_NO;
    }
    printf("%s (%d from %.*s)\n", status == 200 ? "ready" : "not ready", status, TEXT_ARG(url));
    return status == 200 ? EXIT_GOOD : EXIT_NO;
}
