/* Where the tokens of a JSON text begin: the first pass of a scan, 64 bytes at a time with the
 * vector instructions that the machine has.
 *
 * A token is one of { } [ ] : , outside strings, a string's opening quote, or the first byte of
 * anything else. Found on the way: bytes that are no UTF-8, control characters in strings, escapes
 * that don't exist, a string without end. Which tokens may follow which, and what numbers and
 * literals look like, is for the second pass.
 *
 * Ownership:  json_index_init/done; the text belongs to the caller.
 * Threads:    one at a time.
 * Bounds:     reads ahead by pieces of INDEX_PIECE_BYTES, so what it holds doesn't grow with the
 * text. */
#ifndef RIPOSTE_SERVER_JSON_INDEX_H
#define RIPOSTE_SERVER_JSON_INDEX_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_BLOCK_BYTES 64
#define INDEX_PIECE_BYTES 8192

/* What a kernel carries from block to block. */
struct index_carry {
    uint64_t in_string;  /* all ones: the block begins inside a string */
    uint64_t is_escaped; /* 1: its first byte is escaped */
    uint64_t is_scalar;  /* 1: the byte before belongs to a scalar that is no string */
    bool has_error, has_backslash;
    uint8_t last[64];    /* the bytes before, for UTF-8 */
    uint32_t utf8_state; /* of the portable kernel */
};

struct json_index {
    const uint8_t *text;
    size_t bytes, next; /* the first byte not yet indexed; over bytes when all is done */
    uint32_t *tokens;   /* offsets, ascending */
    uint8_t *firsts;    /* the byte at each */
    size_t at, count;   /* tokens[at] is the next one */
    struct index_carry carry;
};

void json_index_init(struct json_index *index);
void json_index_done(struct json_index *index);
/* Begins a text of less than 4 GiB. */
void json_index_start(struct json_index *index, struct text text);
/* Reads on until `wanted` tokens (at most 8) are there or the text ends; those used are dropped. */
void json_index_more(struct json_index *index, size_t wanted);

/* The ways to do it, fastest first; NULL behind the last one that this machine has. */
const char *json_index_kernel_name(size_t number);
/* Takes that one instead of the fastest: for tests. */
void json_index_choose_kernel(size_t number);

/* Appends the tokens of whole blocks to `tokens` and their first bytes to `firsts` (room for all
 * bytes in both); returns how many. `offset` is that of the first block. `escapes_end` is where the
 * text that may be looked at behind an escape ends. */
typedef size_t index_kernel_fn(const uint8_t *blocks, size_t block_count, uint32_t offset,
                               const uint8_t *escapes_end, struct index_carry *carry,
                               uint32_t *tokens, uint8_t *firsts);

index_kernel_fn json_index_portable;
#if defined(__x86_64__)
index_kernel_fn json_index_avx512;
index_kernel_fn json_index_avx2;
index_kernel_fn json_index_sse42;
#elif defined(__aarch64__)
index_kernel_fn json_index_neon;
#endif

/* Are the escapes well formed whose second byte is marked? False also when one goes on behind
 * `end`. */
bool json_index_escapes(const uint8_t *block, uint64_t marks, const uint8_t *end);

#endif
