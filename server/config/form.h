/* Documents of ours, read by table: which members an object may have, of which kind, and which are
 * not supported yet. Everything wrong goes into findings, with its place and what to do; the
 * getters below give something harmless for what is wrong or absent.
 *
 * Ownership:  what is read lives in the arena of the reading.
 * Threads:    one at a time. */
#ifndef RIPOSTE_SERVER_CONFIG_FORM_H
#define RIPOSTE_SERVER_CONFIG_FORM_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"
#include "riposte/config/findings.h"
#include "riposte/config/playbook.h"
#include "riposte/config/settings.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORM_NAME_BYTES 64

struct reading {
    const struct source *source;
    struct arena *arena;
    struct findings *findings;
};

enum member_kind {
    MEMBER_ANY,
    MEMBER_BOOLEAN,
    MEMBER_STRING,
    MEMBER_NAME,
    MEMBER_OBJECT,
    MEMBER_ARRAY,
    MEMBER_STRINGS,
    MEMBER_DURATION,
    MEMBER_CALL,
};

enum member_flags {
    MEMBER_REQUIRED = 1,
    MEMBER_LATER = 2, /* known, refused: not supported yet */
};

struct member {
    const char *name;
    enum member_kind kind;
    unsigned flags;
};

/* Parses the source's text and refuses keys that stand twice in an object; NULL when it is no JSON.
 */
const struct json *form_parse(const struct reading *reading, unsigned json_flags);

/* Is `node` an object with such members? `what` names it in messages: "a rule". */
void form_check(const struct reading *reading, const struct json *node, const char *what,
                const struct member *members, size_t count);

/* Reports "<label> must be <needs>, is <what it is>". */
void form_refuse(const struct reading *reading, const struct json *node, const char *label,
                 const char *needs);
/* What a value is, for messages: `"abc"`, `12`, `an object`. */
#define FORM_SHOWN_BYTES 64
const char *form_show(const struct json *node, char out[FORM_SHOWN_BYTES]);

/* One of `choices` (ends in NULL); false and a finding when it is another. */
bool form_choice(const struct reading *reading, const struct json *node, const char *label,
                 const char *const *choices, size_t *index_out);

/* The members of an object, when they are there and right. */
struct text form_text(const struct json *object, const char *name);
struct texts form_texts(const struct reading *reading, const struct json *object, const char *name);
int64_t form_duration(const struct json *object, const char *name, int64_t fallback_ms);

bool form_is_name(struct text text);
/* "service:Operation"; false when it has another form. */
bool form_split_call(struct text text, struct call_template *call_out);

#endif
