#include "riposte/cli/health.h"

#include "riposte/base/clock.h"
#include "riposte/base/time.h"
#include "riposte/cli/command.h"
#include "riposte/cli/options.h"
#include "riposte/cli/target.h"

#include <stdio.h>

#define POLL_MS 50

/* Asks once; false: no answer, or not ready. */
static bool is_ready(struct target *target, struct text url, struct buffer *said) {
    struct error error = {0};
    scoped(buffer_done) struct buffer answer = BUFFER_INIT;
    int status = 0;
    buffer_clear(said);
    if (!target_request(target, TEXT("GET"), url, NULL, 0, TEXT(""), &status, &answer, &error)) {
        buffer_append_string(said, error.text);
        return false;
    }
    buffer_append_format(said, "%s (%d from %.*s)", status == 200 ? "ready" : "not ready", status,
                         TEXT_ARG(url));
    return status == 200;
}

int cli_health(int argc, char **argv) {
    const char *settings = NULL, *ca_file = NULL, *wait = NULL;
    const struct cli_option options[] = {
        {"config", 'c', &settings, NULL},
        {"ca-file", 0, &ca_file, NULL},
        {"wait", 0, &wait, NULL},
    };
    if (cli_options(argc, argv, options, ARRAY_COUNT(options)) < 0) {
        return EXIT_INVALID;
    }
    struct error error = {0};
    scoped(target_done) struct target target = {0};
    int64_t wait_ms = 0;
    if (wait && !duration_parse(text_of(wait), &wait_ms)) {
        return cli_fail(argv[0], "--wait takes a time like 10s, not '%s'", wait);
    }
    if (!target_open(&target, settings, ca_file, &error)) {
        return cli_fail(argv[0], "%s", error.text);
    }
    scoped(buffer_done) struct buffer said = BUFFER_INIT;
    struct text base = target_events_url(&target);
    struct text url = arena_format(target.arena, "%.*s/readyz", TEXT_ARG(base));
    int64_t until_ms = clock_mono_ms(&clock_system) + wait_ms;
    bool ready = is_ready(&target, url, &said);
    while (!ready && clock_mono_ms(&clock_system) < until_ms) {
        clock_sleep_ms(POLL_MS);
        ready = is_ready(&target, url, &said);
    }
    fprintf(ready ? stdout : stderr, "%s%s\n",
            ready ? "" : "riposte health: ", buffer_string(&said));
    return ready ? EXIT_GOOD : EXIT_NO;
}
