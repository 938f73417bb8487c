/* One pass over a JSON text: validates all of it and hands over only the members asked for.
 *
 * The text is an object of RFC 8259: UTF-8 checked (no overlong forms, no surrogates; an
 * escape may spell a lone one), depth <= JSON_DEPTH_LIMIT, numbers <= JSON_NUMBER_BYTES characters,
 * nothing but white space behind it, no byte order mark. Duplicate keys are both seen.
 *
 * Paths are key names joined with '.', compared after unescaping, so {"a":{"b":1}} and {"a.b":1}
 * have the same path; arrays add nothing. Each leaf below an object or array element of an
 * array carries (array, element) for that array: what EventBridge's array consistency needs.
 *
 * Ownership:  the text belongs to the caller and is not copied; a leaf and what it points to are
 *             valid during the call of leaf_fn, `raw` as long as the text.
 * Threads:    json_paths is immutable once built and may be shared; a scratch is for one thread.
 * Bounds:     time linear in the text; no allocation after a scratch has grown to the deepest text
 *             seen. */
#ifndef RIPOSTE_JSON_SCANNER_H
#define RIPOSTE_JSON_SCANNER_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_LIMIT  1000
#define JSON_NUMBER_BYTES 1000
/* An object below a JSON_PATH_UNIQUE path may have so many members. */
#define JSON_UNIQUE_MEMBERS 256

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

/* "null", "false", "true", "number", "string", "array", "object". */
const char *json_type_name(enum json_type type);

enum json_path_flags {
    /* Objects and arrays at the path are reported too, when they end: `raw` is their text. Their
     * memberships are those of a scalar in their place. */
    JSON_PATH_CONTAINERS = 1,
    /* The path may occur once, and in no object at or below it a key twice: else the scan fails
     * with "detail.userIdentity.arn: twice, at bytes 120 and 301". Each element of an array is an
     * occurrence, and so is a key with dots that leads through the path. */
    JSON_PATH_UNIQUE = 2,
};

/* The members to hand over. An empty key is a name, too: {"":{"b":1}} has the path ".b". */
struct json_paths;

struct json_paths *json_paths_new(void);
void json_paths_free(struct json_paths **paths);
/* Asks for `path`; the same path again gives the same index (flags add up). Indices count from 0. A
 * path that begins with byte 0xFF is one that no text can spell (used for computed members). */
uint32_t json_paths_add(struct json_paths *paths, struct text path, unsigned flags);
size_t json_paths_count(const struct json_paths *paths);
struct text json_paths_text(const struct json_paths *paths, uint32_t index);

/* Element `element` of the array that was the `array`-th to open in this text. */
struct json_membership {
    uint32_t array, element;
};

struct json_leaf {
    uint32_t path;
    enum json_type type;
    bool has_escapes; /* of a string: raw must go through json_unescape() */
    struct text raw;  /* as written; a string without its quotes */
    size_t offset;    /* of the value's first byte (a string's quote) */
    const struct json_membership *memberships; /* outermost first */
    size_t membership_count;
};

/* False (with `error` set) ends the scan. */
typedef bool json_leaf_fn(void *arg, const struct json_leaf *leaf, struct error *error);

struct json_scratch;
struct json_scratch *json_scratch_new(void);
void json_scratch_free(struct json_scratch **scratch);

/* Calls leaf_fn for each leaf at a path of `paths`, in the order of the text. ERROR_INVALID with
 * "byte N: what" when the text isn't a JSON object; leaves before that were handed over already.
 * ERROR_LIMIT when too deep, a number too long, or an object over JSON_UNIQUE_MEMBERS. */
MUST_CHECK bool json_scan(const struct json_paths *paths, struct json_scratch *scratch,
                          struct text text, json_leaf_fn *leaf_fn, void *arg, struct error *error);

/* What a scan found at a path that the server itself reads.
 * `text`: a string unescaped, a number as spelled, a container's JSON text. */
struct json_capture {
    bool is_present;
    enum json_type type;
    struct text text;
    size_t offset;
};

/* Appends the string that `raw` (the inside of a valid JSON string) spells, as UTF-8; a lone
 * surrogate as the three bytes that UTF-8 would make of it (ED A0 80 to ED BF BF). */
void json_unescape(struct text raw, struct buffer *out);

#endif
