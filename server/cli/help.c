#include "riposte/cli/help.h"

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/cli/completion.h"
#include "riposte/cli/manual.h"
#include "riposte/cli/options.h"
#include "riposte/config/settings.h"
#include "riposte/config/template.h"

#include <stdio.h>
#include <string.h>

int cli_version(int argc, char **argv) {
    (void)argc;
    (void)argv;
    printf("riposte %s\n", RIPOSTE_VERSION);
    return EXIT_GOOD;
}

static void settings_table(const struct command *commands, size_t count, struct buffer *out) {
    (void)commands;
    (void)count;
    settings_help(out);
}

static void templates_table(const struct command *commands, size_t count, struct buffer *out) {
    (void)commands;
    (void)count;
    template_help(out);
}

static void settings_manual(const struct command *commands, size_t count, struct buffer *out) {
    (void)commands;
    (void)count;
    manual_settings(out);
}

/* What help prints beside what it knows of each command. */
static const struct topic {
    const char *name, *part; /* part: NULL: stands alone */
    void (*print_fn)(const struct command *commands, size_t count, struct buffer *out);
} topics[] = {
    {"settings", NULL, settings_table},      {"templates", NULL, templates_table},
    {"man", NULL, manual_commands},          {"man", "riposte.json", settings_manual},
    {"completion", "bash", completion_bash}, {"completion", "zsh", completion_zsh},
};

static const struct topic *find_topic(const char *name, const char *part) {
    for (size_t i = 0; i < ARRAY_COUNT(topics); i++) {
        const struct topic *topic = &topics[i];
        bool is_part = topic->part == NULL ? part == NULL
                                           : part != NULL && strcmp(part, topic->part) == 0;
        if (is_part && strcmp(name, topic->name) == 0) {
            return topic;
        }
    }
    return NULL;
}

static int help_topic(const struct topic *topic, const struct command *commands, size_t count) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    topic->print_fn(commands, count, &out);
    fputs(buffer_string(&out), stdout);
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
    printf("\nriposte help COMMAND says more; riposte help settings prints the table of settings,\n"
           "riposte help templates what rules and playbooks may name.\n");
    return EXIT_GOOD;
}

int cli_help(const struct command *commands, size_t count, int argc, char **argv) {
    if (argc < 2) {
        return help_all(commands, count);
    }
    const struct topic *topic = find_topic(argv[1], argc > 2 ? argv[2] : NULL);
    if (topic != NULL) {
        return help_topic(topic, commands, count);
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return help_command(&commands[i]);
        }
    }
    return cli_fail("help", "there is no command '%s'; 'riposte help' lists them", argv[1]);
}
