/* The names that the first part of a path may be, in a template or a `when`, and where each can be
 * used. One table: a context is built from it and every path in the files is checked against it.
 *
 * Source:     RULES.md, The context. */
#ifndef RIPOSTE_SERVER_CONFIG_NAMES_H
#define RIPOSTE_SERVER_CONFIG_NAMES_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum name_place {
    NAME_EVENT = 1,     /* a member of the envelope */
    NAME_PRINCIPAL = 2, /* principal, vars: everywhere */
    NAME_SELF = 4,      /* once a worker has the incident: it knows our credentials */
    NAME_RULE = 8,
    NAME_INCIDENT = 16,
    NAME_STEPS = 32,
    NAME_ITEM = 64,
    NAME_SENT = 128,      /* in `verify` and `undo` */
    NAME_ANSWER = 256,    /* in `same` */
    NAME_PRIOR = 512,     /* in `undo` */
    NAME_DOCUMENT = 2048, /* in the `write` of an `edit` */
    NAME_NOTICE = 4096,   /* in a playbook that acts on nobody */
    NAME_SECRET = 8192,   /* in the `body` of a `post` with `secrets` */
    NAME_OURS = 1024,     /* of `self` what is known without asking: in `where` */
};

struct context_name {
    const char *name;
    enum name_place place;
    const char *const *members; /* those it has; NULL: any */
    const char *needs;          /* what to do where it can't be used */
};

/* The members of `self` at NAME_OURS, NULL at the end. */
extern const char *const names_ours[];

extern const struct context_name context_names[];
extern const size_t context_name_count;

/* NULL when there is none. */
const struct context_name *context_name_find(struct text name);
/* A path's first part: up to the first "." or "[". */
struct text path_first(struct text path);
/* Behind the first part and its ".". */
struct text path_rest(struct text path);
/* "prefix.name"; `name` alone when the prefix is empty. */
struct text path_join(struct arena *arena, struct text prefix, struct text name);
/* Is the first part of `key` one that hides what an event holds? */
bool is_computed_name(struct text key);

#endif
