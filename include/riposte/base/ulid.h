/* Universally unique, lexicographically sortable identifiers (github.com/ulid/spec): 48 bits of
 * unix ms and 80 random bits as 26 characters of Crockford's base 32.
 *
 * Threads:  a value; the caller brings time and randomness, so tests are repeatable. */
#ifndef RIPOSTE_BASE_ULID_H
#define RIPOSTE_BASE_ULID_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define ULID_TEXT_BYTES   26
#define ULID_RANDOM_BYTES 10

struct ulid {
    char text[ULID_TEXT_BYTES + 1]; /* NUL-terminated; all zero bytes: none */
};

struct ulid ulid_make(int64_t unix_ms, const uint8_t random[ULID_RANDOM_BYTES]);
/* 26 characters of the alphabet, either case, at most 7ZZZ...; the result is upper case. */
MUST_CHECK bool ulid_parse(struct text text, struct ulid *ulid_out);
int64_t ulid_unix_ms(const struct ulid *ulid);
bool ulid_is_none(const struct ulid *ulid);
struct text ulid_text(const struct ulid *ulid);

#endif
