#include "riposte/cli/help.h"

#include "riposte/base/buffer.h"
#include "riposte/cli/options.h"
#include "riposte/config/settings.h"

#include <stdio.h>
#include <string.h>

int cli_version(int argc, char **argv) {
    (void)argc;
    (void)argv;
    printf("riposte %s\n", RIPOSTE_VERSION);
    return EXIT_GOOD;
}

static int help_settings(void) {
    scoped(buffer_done) struct buffer table = BUFFER_INIT;
    settings_help(&table);
    fputs(buffer_string(&table), stdout);
    return EXIT_GOOD;
}

static int help_command(const struct command *command) {
    printf("usage: riposte %s %s\n\n%s\n", command->name, command->arguments, command->summary);
    if (command->details) {
        printf("\n%s\n", command->details);
    }
    return EXIT_GOOD;
}

static int help_all(const struct command *commands, size_t count) {
    printf("riposte: a self-defending cloud\n\nusage: riposte COMMAND [ARGUMENTS]\n\n");
    for (size_t i = 0; i < count; i++) {
        printf("  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    printf(
        "\nriposte help COMMAND says more; riposte help settings prints the table of settings.\n");
    return EXIT_GOOD;
}

int cli_help(const struct command *commands, size_t count, int argc, char **argv) {
    if (argc < 2) {
        return help_all(commands, count);
    }
    if (strcmp(argv[1], "settings") == 0) {
        return help_settings();
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return help_command(&commands[i]);
        }
    }
    return cli_fail("help", "there is no command '%s'; 'riposte help' lists them", argv[1]);
}
