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
    const char *name;         /* for `riposte help settings` */
    const char *variable_end; /* its variable's name is the path's and this; NULL: it has none */
    key_read_fn *read_fn;
    key_print_fn *print_fn;  /* NULL: prints the default, nothing else is supported yet */
    const char *schema;      /* JSON Schema; integers get the key's bounds beside it */
    const struct form *form; /* of a list's elements; may be NULL */
};

struct key {
    const char *path;
    const struct key_type *type;
    const char *fallback; /* JSON */
    size_t offset;        /* in struct settings, of what the type reads */
    int64_t least, most;  /* numbers; ms for durations */
    const char *means;
};

/* settings_scalars.c */
extern const struct key_type settings_mode_type;
extern const struct key_type settings_level_type;
extern const struct key_type settings_number_type;
extern const struct key_type settings_port_type;
extern const struct key_type settings_duration_type;
extern const struct key_type settings_address_type;
extern const struct key_type settings_header_type;
extern const struct key_type settings_url_path_type;
extern const struct key_type settings_endpoint_type;
extern const struct key_type settings_file_type;
extern const struct key_type settings_folder_type;
extern const struct key_type settings_output_type;
extern const struct key_type settings_journal_type;
extern const struct key_type settings_bucket_type;
extern const struct key_type settings_prefix_type;
/* settings_lists.c */
extern const struct key_type settings_acknowledge_type;
extern const struct key_type settings_external_id_type;
extern const struct key_type settings_role_type;
extern const struct key_type settings_secrets_type;
extern const struct key_type settings_token_type;
extern const struct key_type settings_tokens_type;
extern const struct key_type settings_accounts_type;
extern const struct key_type settings_regions_type;
extern const struct key_type settings_names_type;
extern const struct key_type settings_protected_type;
extern const struct key_type settings_vars_type;

/* canary.c */
extern const struct key_type settings_canary_type;

/* aws.role's default. */
#define RESPONDER_ROLE "arn:${partition}:iam::${account}:role/riposte-responder"

/* What the types' functions share. */
void value_refuse(const struct value_place *place, const struct json *node, const char *needs);
void value_refuse_later(const struct value_place *place, const struct json *node, const char *what,
                        const char *instead);
/* Where the key's value lands. */
void *value_target(const struct value_place *place);
const void *value_of(const struct settings *settings, const struct key *key);
/* Relative to the folder of the settings. */
struct text value_resolve(const struct value_place *place, struct text name);

extern const struct key settings_keys[];
extern const size_t settings_key_count;

#endif
