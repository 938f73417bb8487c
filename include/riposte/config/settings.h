/* riposte.json: one table of keys parses it, takes environment overrides, and prints `riposte help
 * settings`.
 *
 * Ownership:  settings live in the arena they were read into.
 * Threads:    immutable once read.
 * Source:     DESIGN.md, Settings. */
#ifndef RIPOSTE_CONFIG_SETTINGS_H
#define RIPOSTE_CONFIG_SETTINGS_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/mode.h"
#include "riposte/base/text.h"
#include "riposte/config/canary.h"
#include "riposte/config/findings.h"
#include "riposte/config/secret.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct texts {
    const struct text *items;
    size_t count;
};

struct secret_references {
    const struct secret_reference *items;
    size_t count;
};

enum acknowledge { ACKNOWLEDGE_JOURNALED, ACKNOWLEDGE_RESPONDED };

enum admin_role { ADMIN_VIEW, ADMIN_OPERATE };

struct admin_token {
    struct text name;
    enum admin_role role;
    struct secret_references secrets;
};

struct settings {
    enum mode mode;
    struct {
        struct text address, path, certificate,
            key; /* certificate, key: file names, or empty: self-made */
        uint16_t port;
        uint32_t connections, connections_per_address;
    } listen;
    struct {
        struct text header;
        struct secret_references secrets;
    } authenticate;
    struct {
        struct text address;
        uint16_t port;
        const struct admin_token *tokens; /* `token` is the first, named "admin", role operate */
        size_t token_count;
        struct text url; /* how people reach it, for links; empty: by its address */
    } admin;
    struct text journal;
    enum acknowledge acknowledge; /* when a POST is answered */
    uint32_t queue_limit, workers;
    int64_t retain_ms, drain_ms, journal_wait_ms;
    uint32_t wildcard_complexity; /* detect/complexity.h */
    struct text output;           /* the folder that `append` writes to; empty: none */
    struct text rules, playbooks; /* folders, resolved against the settings file's */
    const struct json *vars;      /* an object */
    struct {
        struct texts accounts;   /* beside our own; empty: no other */
        bool is_organization;    /* `accounts` are the organization's, as they were last listed; */
        bool is_listed;          /* false: not yet, nobody knows them */
        struct text role;        /* to become there, with ${account} and ${partition} in it */
        struct text external_id; /* goes with the role; empty: none */
        struct text endpoint;
        struct texts regions;   /* empty: all */
        struct texts resources; /* what we run on */
    } aws;
    struct {
        struct texts protected_principals;
        uint32_t limit_principals, limit_resources;
        int64_t limit_per_ms, max_event_age_ms;
    } guard;
    struct {
        struct texts observed, held, failed, done, escaped, released; /* playbooks */
    } notify;
    struct {
        int64_t retain_ms; /* of the chain; 0: kept */
        struct {
            int64_t every_ms;
            struct {
                struct text bucket; /* empty: in the log alone */
                struct text prefix;
                int64_t retain_ms; /* 0: as the bucket's default says */
            } s3;
        } anchor;
    } audit;
    struct {
        const struct canary *items;
        size_t count;
    } canary;
    struct text log_level;
};

/* How to look up an environment variable: getenv in the server, a table in tests. NULL: unset. */
typedef const char *environment_fn(void *arg, const char *name);

/* Reads `source` (JSON with comments), applies the environment, fills the defaults; all that is
 * wrong goes into `findings`. False when there were errors. `folder`: what relative paths start
 * from. */
MUST_CHECK bool settings_read(const struct source *source, const char *folder,
                              environment_fn *lookup_fn, void *arg, struct arena *arena,
                              struct settings *settings_out, struct findings *findings);

/* aws.accounts is "organization", and its accounts were not listed yet: which are ours beside our
 * own is not known, and must not be guessed. snapshot_with_accounts() makes them known. */
bool settings_await_accounts(const struct settings *settings);

/* What is in force, as a settings file that reads back equal: defaults and overrides filled in,
 * paths resolved. */
void settings_print(const struct settings *settings, struct buffer *out);

/* One key of the table. */
#define SETTING_VARIABLE_BYTES 64

struct setting {
    const char *path, *type, *means, *fallback; /* fallback: JSON */
    char variable[SETTING_VARIABLE_BYTES];      /* empty: no variable */
};

/* The index-th key, in the table's order; false when there are no more. */
bool settings_describe(size_t index, struct setting *setting_out);
/* What goes for all keys: lines of text. */
extern const char settings_preface[];
/* The table for people. */
void settings_help(struct buffer *out);

/* Names what differs of what a reload can't change: listen, admin, journal and workers, and what
 * only the start hands on (queue_limit, retain, audit.retain, aws.endpoint, .role, .external_id).
 * Empty: nothing.
 */
void settings_needing_restart(const struct settings *now, const struct settings *next,
                              struct buffer *out);

#endif
