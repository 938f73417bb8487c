/* A view of bytes somebody else owns: pointer and length, no NUL. Usually UTF-8.
 *
 * Ownership:  a view owns nothing and is valid as long as what it looks at.
 * Threads:    a value. */
#ifndef RIPOSTE_BASE_TEXT_H
#define RIPOSTE_BASE_TEXT_H

#include "riposte/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    const char *data; /* may be NULL when bytes is 0 */
    size_t bytes;
};

/* A view of a string literal, also as an initialiser. */
#define TEXT(literal)                   \
    (struct text) {                     \
        "" literal, sizeof(literal) - 1 \
    }
#define TEXT_INIT(literal) \
    { "" literal, sizeof(literal) - 1 }
/* For printf's "%.*s". */
#define TEXT_ARG(text) (int)(text).bytes, (text).data

/* A view of a NUL-terminated string; NULL gives the empty view. */
struct text text_of(const char *string);
bool text_equal(struct text a, struct text b);
bool text_equal_string(struct text a, const char *string);
/* ASCII letters only: for HTTP header names and the like. */
bool text_equal_ignoring_ascii_case(struct text a, struct text b);
/* Byte order, shorter first on a tie: negative, 0, positive. */
int text_compare(struct text a, struct text b);
bool text_starts_with(struct text text, struct text prefix);
bool text_ends_with(struct text text, struct text suffix);
/* Index of the first `byte` from `from` on, or text.bytes. */
size_t text_find_byte(struct text text, char byte, size_t from);
/* Index of the first `needle`, or text.bytes; an empty needle is at 0. */
size_t text_find(struct text text, struct text needle);
bool text_contains(struct text text, struct text needle);
/* From `from` up to, not including, `to`; both are clamped to the text. */
struct text text_slice(struct text text, size_t from, size_t to);
/* At most `bytes` from the front, not cutting a UTF-8 character in two. */
struct text text_cut(struct text text, size_t bytes);
/* Without ASCII white space at both ends. */
struct text text_trim(struct text text);
/* Cuts the part before `separator` off the front of *rest into *part_out; false when *rest is
 * empty. *rest is advanced behind the separator. "a,,b" has three parts, "a," one, "" none. */
bool text_next_part(struct text *rest, char separator, struct text *part_out);
/* A NUL-terminated copy for the caller to free(). */
char *text_copy(struct text text);
/* FNV-1a, 64 bits: for our own tables, never for anything a stranger may attack. */
uint64_t text_hash(struct text text);
/* Whole-text decimal number without sign; false on anything else or overflow. */
MUST_CHECK bool text_parse_unsigned(struct text text, uint64_t *value_out);
/* Length of the well-formed UTF-8 character at `at` (< text.bytes); 0 when there is none. */
size_t text_utf8_bytes_at(struct text text, size_t at);
/* True when all bytes form valid UTF-8 (no overlong forms, no surrogates, <= U+10FFFF). */
bool text_is_utf8(struct text text);

#endif
