/* Documents of ours, read by table: which members an object may have, and of which kind.
 * Everything wrong goes into findings, with its place and what to do; the
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

/* JSON Schemas of what several kinds hold. */
#define FORM_DURATION_SCHEMA "{\"type\": \"string\", \"pattern\": \"^[0-9]+(ms|s|m|h|d)$\"}"
#define FORM_CALL_PATTERN    "^[a-z0-9][a-z0-9_-]{0,63}:[A-Z][A-Za-z0-9]{0,63}$"
#define FORM_CALL_SCHEMA     "{\"type\": \"string\", \"pattern\": \"" FORM_CALL_PATTERN "\"}"
#define FORM_PATTERN_SCHEMA  "{\"$ref\": \"#/$defs/pattern\"}"

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
};

struct member {
    const char *name;
    enum member_kind kind;
    unsigned flags;
};

struct form;

/* What a member's kind doesn't say of it, for a JSON Schema. */
struct member_detail {
    const char *name;
    const struct form *form;    /* of the object (MEMBER_ANY: or null), of an array's elements */
    const char *const *choices; /* the strings that it may be, NULL at the end */
    const char *schema;         /* JSON: keywords beside those of the kind */
};

/* A kind of object as a whole: what a JSON Schema is made of. */
struct form {
    const char *name; /* in the schema */
    const struct member *members;
    size_t count;
    const struct member_detail *details;
    size_t detail_count;
    const char *const *one_of;    /* members of which there must be one, NULL at the end */
    const struct form *otherwise; /* of objects without this form's first member */
};

/* The JSON Schema of what is of that kind. */
const char *form_kind_schema(enum member_kind kind);

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
