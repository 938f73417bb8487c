/* A playbook: ordered steps that act on a principal, on a resource, or on nobody.
 *
 * Ownership:  lives in the arena of the definition it was read with; patterns too.
 * Threads:    immutable once read.
 * Source:     RULES.md, Playbooks. */
#ifndef RIPOSTE_CONFIG_PLAYBOOK_H
#define RIPOSTE_CONFIG_PLAYBOOK_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/text.h"
#include "riposte/config/findings.h"
#include "riposte/config/settings.h"
#include "riposte/detect/pattern.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum acts_on { ACTS_ON_PRINCIPAL, ACTS_ON_RESOURCE, ACTS_ON_NOBODY };

/* A REST call's "request" and an "edit" stand where other calls have parameters, as the one member
 * of an object: from the playbook to what is sent, in plans and in the journal. */
#define CALL_REQUEST "$request"
#define CALL_EDIT    "$edit"
/* A call that is made as another role: {CALL_AS: {"role": ARN, "parameters": what else would stand
 * there}}. */
#define CALL_AS "$as"
/* In an edit's write: {"$document": true} is the document, which is known only when it was read. */
#define CALL_DOCUMENT "$document"

/* "service:Operation" and its parameters. */
struct call_template {
    struct text service, operation;
    const struct json *with; /* {CALL_REQUEST: ...}: of a REST call; NULL: none */
};

/* Of a step that edits a document in place: its call and its undo are the write's, with
 * {CALL_EDIT: {"read", "document", "write", "add_statement" or "remove_statement"}}. */
struct edit {
    struct call_template read, write;
};

/* Asked before the first intent. */
struct before {
    struct call_template call;
    const struct json *matches; /* NULL: only remembered for undo */
};

struct verify {
    struct call_template call;
    const struct json *matches; /* or */
    const struct json *same_left, *same_right;
    struct texts missing;
    const int64_t *after_ms;
    size_t after_count;
};

struct undo {
    struct call_template call;
    struct texts tolerate;
};

/* A value that may be a secret: as written, or a reference ("env:NAME", "file:PATH"). */
struct post_value {
    struct text name; /* of a header */
    struct text text; /* as written */
    bool is_reference;
};

#define POST_HEADERS_MOST 32
#define POST_SECRETS_MOST 8

/* A notification over HTTPS, by a playbook that acts on nobody. */
struct post {
    struct post_value url;
    const struct post_value *headers;
    size_t header_count;     /* at most POST_HEADERS_MOST */
    const struct json *body; /* template: {"json": ...} or {"raw": "..."} */
    /* References that the body names as ${secret.NAME}. */
    const struct post_value *secrets;
    size_t secret_count;    /* at most POST_SECRETS_MOST */
    struct post_value sign; /* a reference to the key; empty: not signed */
};

/* A line of JSON at the end of a file in the settings' `output`, by a playbook that acts on nobody.
 */
struct append {
    struct text file;        /* a name, without a folder */
    const struct json *line; /* template */
};

struct step {
    struct text name;
    /* first_of: links, and nothing else. */
    const struct step *links;
    size_t link_count;
    struct text ladder; /* template: whose ladder the links are; empty: a plain chain */
    /* A call. */
    const struct pattern *when; /* NULL: always */
    bool is_when_of_item;       /* decided for each element of `each` */
    bool is_when_of_answers;    /* looks at what steps before it were answered */
    struct call_template call;
    bool is_write;
    struct text account, region; /* templates; empty: the default */
    struct text each;            /* template; empty: once */
    const struct json *matches;  /* may hold placeholders; NULL: any answer */
    struct texts tolerate;
    const struct edit *edit; /* NULL: an ordinary call */
    const struct post *post; /* NULL: a call, or */
    const struct append *append;
    const struct before *before;
    const struct verify *verify;
    const struct undo *undo;                /* NULL: can't be taken back */
    struct text effect_target, effect_name; /* templates; empty for reads */
};

struct playbook {
    struct text name;
    enum acts_on acts_on;
    const struct step *steps;
    size_t step_count;
    const struct step *ladder; /* the first_of that is one; NULL: none */
    const struct json *source; /* what it was read from */
};

const char *acts_on_name(enum acts_on acts_on);

/* Reads one playbook. All that is wrong goes into `findings`; NULL then. */
struct playbook *playbook_read(const struct source *source, const struct json *root,
                               struct arena *arena, struct findings *findings);
/* Frees the patterns that the arena can't. */
void playbook_done(struct playbook *playbook);

#endif
