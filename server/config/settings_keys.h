/* The table of settings: what each key is called, of which type, its default, where it lands. */
#ifndef RIPOSTE_SERVER_CONFIG_SETTINGS_KEYS_H
#define RIPOSTE_SERVER_CONFIG_SETTINGS_KEYS_H

#include "form.h"

#include "riposte/base/buffer.h"
#include "riposte/config/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key;

/* One value being read. */
struct value_place {
    const struct reading *reading;
    const char *folder;
    const struct key *key;
    const char *label; /* "\"listen.port\"" or the environment variable's name */
    struct settings *settings;
};

/* Reads `node` into the settings, or reports what is wrong with it. */
typedef void key_read_fn(const struct value_place *place, const struct json *node);
/* The reverse: the value as JSON. */
typedef struct json *key_print_fn(const struct settings *settings, const struct key *key,
                                  struct arena *arena);

struct key_type {
    const char *name; /* for `riposte help settings` */
    bool has_variable;
    key_read_fn *read_fn;
    key_print_fn *print_fn; /* NULL: prints the default, nothing else is supported yet */
};

struct key {
    const char *path;
    const struct key_type *type;
    const char *fallback; /* JSON */
    size_t offset;        /* in struct settings, of what the type reads */
    int64_t least, most;  /* numbers; ms for durations */
    const char *means;
};

extern const struct key settings_keys[];
extern const size_t settings_key_count;

#endif
