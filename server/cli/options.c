#include "riposte/cli/options.h"

#include "riposte/cli/command.h"

#include <assert.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LONG_CODE 256

const char *cli_environment(void *arg, const char *name) {
    (void)arg;
    return getenv(name);
}

int cli_fail(const char *command, const char *format, ...) {
    fprintf(stderr, "riposte %s: ", command);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return EXIT_INVALID;
}

static const struct cli_option *option_of(int code, const struct cli_option *options,
                                          size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (code == FIRST_LONG_CODE + (int)i || (options[i].letter && code == options[i].letter)) {
            return &options[i];
        }
    }
    return NULL;
}

/* getopt's own messages name argv[0], which is the subcommand: say it ourselves. */
static int refuse(char **argv, int code, const char *argument) {
    const char *what = code == ':' ? "needs a value" : "is not an option";
    return cli_fail(argv[0], "%s %s; see 'riposte help %s'", argument, what, argv[0]), -1;
}

int cli_options(int argc, char **argv, const struct cli_option *options, size_t count) {
    assert(count <= CLI_OPTIONS_MAX);
    struct option longs[CLI_OPTIONS_MAX + 1] = {0};
    char letters[2 * CLI_OPTIONS_MAX + 2] = ":";
    size_t letters_bytes = 1;
    for (size_t i = 0; i < count; i++) {
        longs[i] = (struct option){.name = options[i].name,
                                   .has_arg = options[i].value ? required_argument : no_argument,
                                   .val = FIRST_LONG_CODE + (int)i};
        if (options[i].letter) {
            letters[letters_bytes++] = options[i].letter;
            if (options[i].value) {
                letters[letters_bytes++] = ':';
            }
        }
    }
    optind = 0; /* glibc: start anew */
    for (;;) {
        int before = optind > 0 ? optind : 1;
        int code = getopt_long(argc, argv, letters, longs, NULL);
        if (code == -1) {
            return optind;
        }
        if (code == '?' || code == ':') {
            return refuse(argv, code, argv[before]);
        }
        const struct cli_option *option = option_of(code, options, count);
        if (option->value) {
            *option->value = optarg;
        } else {
            *option->is_set = true;
        }
    }
}
