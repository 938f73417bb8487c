#include "riposte/cli/export.h"

#include "riposte/base/arena.h"
#include "riposte/base/buffer.h"
#include "riposte/cli/command.h"
#include "riposte/cli/options.h"
#include "riposte/config/schema.h"
#include "riposte/json/writer.h"

#include <stdio.h>
#include <string.h>

static int print(const struct json *node) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    json_write_pretty(&out, node);
    puts(buffer_string(&out));
    return EXIT_GOOD;
}

/* ---- schema ---- */

static const char *const schema_names[] = {
    [SCHEMA_SETTINGS] = "settings", [SCHEMA_RULE] = "rule", [SCHEMA_PLAYBOOK] = "playbook"};

/* One by its name, or all as members of an object. */
static int export_schema(const char *command, const char *name) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct json *all = json_new_object(arena);
    for (size_t i = 0; i < ARRAY_COUNT(schema_names); i++) {
        const struct json *schema = schema_make((enum schema_kind)i, arena);
        if (name != NULL && strcmp(name, schema_names[i]) == 0) {
            return print(schema);
        }
        json_add_member(arena, all, text_of(schema_names[i]), json_share(arena, schema));
    }
    return name == NULL ? print(all)
                        : cli_fail(command, "a schema is of settings, a rule or a playbook");
}

/* ---- the command ---- */

int cli_export(int argc, char **argv) {
    const char *path = CLI_SETTINGS_DEFAULT;
    const struct cli_option options[] = {{"config", 'c', &path, NULL}};
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    const char *what = first < argc ? argv[first] : "";
    int operands = argc - first;
    if (strcmp(what, "schema") == 0 && operands <= 2) {
        return export_schema(argv[0], operands == 2 ? argv[first + 1] : NULL);
    }
    return cli_fail(argv[0], "export schema");
}
