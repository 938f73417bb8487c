/* A JSON text as a tree that forgets nothing: byte offsets, the spelling of numbers, duplicate
 * keys. Settings, rules, playbooks, contexts and AWS answers live in it.
 *
 * Ownership:  nodes live in an arena; json_parse() puts everything there, the text's bytes
 *             included.
 * Threads:    a finished tree is immutable; building one is for one thread.
 * Bounds:     as scanner.h (depth, numbers); any value may stand at the top. */
#ifndef RIPOSTE_JSON_TREE_H
#define RIPOSTE_JSON_TREE_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/scanner.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json;

enum json_parse_flags {
    JSON_COMMENTS = 1, /* slash-slash and slash-star comments count as white space */
};

/* ERROR_INVALID with "line L, column C: what" (columns count bytes from 1); *offset_out (may be
 * NULL) is where. ERROR_LIMIT when too deep. */
MUST_CHECK bool json_parse(struct text text, unsigned flags, struct arena *arena,
                           const struct json **root_out, size_t *offset_out, struct error *error);

/* Line and column of byte `offset` of `text`, from 1. */
void json_position(struct text text, size_t offset, size_t *line_out, size_t *column_out);

enum json_type json_type(const struct json *node);
bool json_is_string(const struct json *node); /* false for NULL, as all json_is_... */
bool json_is_object(const struct json *node);
bool json_is_array(const struct json *node);
/* A string's characters (unescaped), a number's spelling, "true", "false", "null"; empty for
 * containers and NULL. */
struct text json_text(const struct json *node);
/* Bytes from the start of the parsed text to the node's first byte; 0 for built nodes. */
size_t json_offset(const struct json *node);
/* A member's name, unescaped; empty for what isn't a member. */
struct text json_key(const struct json *node);
size_t json_key_offset(const struct json *node);
/* Members or elements. */
size_t json_count(const struct json *node);
const struct json *json_first(const struct json *node);
const struct json *json_next(const struct json *node);
/* The object or array that holds it; NULL at the top. Below a shared node: the original. */
const struct json *json_parent(const struct json *node);
/* The last member of that name (JavaScript's choice), NULL when none or `node` isn't an object. */
const struct json *json_member(const struct json *node, const char *name);
const struct json *json_member_text(const struct json *node, struct text name);
/* A number that is whole (300, 300.0, 3e2) and in range; false when the node is anything else. */
MUST_CHECK bool json_integer(const struct json *node, int64_t *value_out);

/* Everything at a dotted path below `node`, through keys that hold dots; a name followed by "[*]"
 * goes over an array's elements (a single value counts as one element), "[0]" picks one. Without an
 * index an array is the value itself. Calls found_fn for each in the order of the text; false ends
 * it. Returns how many were found. */
typedef bool json_found_fn(void *arg, const struct json *node);
size_t json_find(const struct json *node, struct text path, json_found_fn *found_fn, void *arg);
/* The one at `path`; NULL with *count_out 0 when none, and with the count when several. */
const struct json *json_find_one(const struct json *node, struct text path, size_t *count_out);

/* Equal as JSON: members in any order (duplicates: the same number of times), numbers by value. */
bool json_equal(const struct json *a, const struct json *b);

/* Building. A node may be added once; a parsed node can be added elsewhere with json_share() or
 * json_copy(). */
struct json *json_new_object(struct arena *arena);
struct json *json_new_array(struct arena *arena);
struct json *json_new_string(struct arena *arena, struct text text);
struct json *json_new_integer(struct arena *arena, int64_t value);
struct json *json_new_literal(struct arena *arena, enum json_type type); /* true, false, null */
void json_add_member(struct arena *arena, struct json *object, struct text key, struct json *value);
void json_add_element(struct json *array, struct json *value);
/* Shorthand: a string member; nothing is added for an empty `value`.data == NULL. */
void json_add_text(struct arena *arena, struct json *object, const char *key, struct text value);
/* Deep, into `arena`, offsets kept. */
struct json *json_copy(struct arena *arena, const struct json *node);
/* A node of its own in `arena` with the same content, which stays where it is, must live as long,
 * and can't be added to any more through it. */
struct json *json_share(struct arena *arena, const struct json *node);

#endif
