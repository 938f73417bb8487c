/* One token after the other of a JSON text, each checked: what the scanner and the tree parser have
 * in common, so that they can't disagree on what JSON is.
 *
 * Ownership:  embedded, nothing to free; tokens point into the caller's text.
 * Threads:    one at a time.
 * Bounds:     depth and numbers as scanner.h; the nesting is a bit a level, nothing recurses.
 * Source:     RFC 8259, without its liberties: no byte order mark. A surrogate escape that pairs
 * with nothing is accepted, as every sender's serialiser may write one, and stays what it is: three
 * bytes. */
#ifndef RIPOSTE_SERVER_JSON_READER_H
#define RIPOSTE_SERVER_JSON_READER_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/scanner.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The scalars, in the order of enum json_type, then the structure. */
enum json_token {
    TOKEN_NULL,
    TOKEN_FALSE,
    TOKEN_TRUE,
    TOKEN_NUMBER,
    TOKEN_STRING,
    TOKEN_ARRAY_OPEN,
    TOKEN_OBJECT_OPEN,
    TOKEN_ARRAY_CLOSE,
    TOKEN_OBJECT_CLOSE,
    TOKEN_KEY, /* the colon behind it is read, too */
    TOKEN_END,
};

enum json_reader_state {
    READER_AT_VALUE,
    READER_AT_FIRST_ELEMENT, /* or the end of the array */
    READER_AT_FIRST_KEY,     /* or the end of the object */
    READER_BEHIND_VALUE,
};

struct json_reader {
    struct text text;
    size_t at; /* the next byte */
    bool has_comments;
    enum json_reader_state state;
    unsigned depth;
    uint64_t objects[JSON_DEPTH_LIMIT / 64 + 1]; /* a bit a level: an object, not an array */

    /* the last token */
    size_t token_at;
    struct text raw; /* of a key or scalar; strings without quotes */
    bool has_escapes;

    /* why json_reader_next() failed */
    enum error_code failure;
    const char *problem;
    size_t problem_at;
};

void json_reader_init(struct json_reader *reader, struct text text, bool has_comments);

/* On failure `failure`, `problem` and `problem_at` say what and where. TOKEN_END follows the value
 * at the top once only white space is left. */
MUST_CHECK bool json_reader_next(struct json_reader *reader, enum json_token *token_out);

/* Writes what `raw`, the inside of a valid JSON string, spells to `out`, which has room for
 * raw.bytes; returns the bytes written. */
size_t json_decode(struct text raw, char *out);

#endif
