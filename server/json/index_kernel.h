/* A vector kernel, once the includer has said what a vector is: the type `vec` of VEC_BYTES bytes
 * (16, 32 or 64) and vec_load, vec_splat, vec_table (16 bytes, in every 16-byte lane), vec_and,
 * vec_or, vec_xor, vec_minus (saturating), vec_lookup (by the low four bits, which the caller has
 * cleared above for bytes that count), vec_high (the upper four bits), vec_before (the vector that
 * begins N bytes earlier), vec_equal and vec_most (a bit a byte: is it the other's, is it at most
 * the other's), vec_is_zero, kernel_parity, kernel_append (as index_append). UTF-8 is checked as in
 * "Validating UTF-8 In Less Than One Instruction Per Byte" (Keiser and Lemire, 2021). */
#ifndef RIPOSTE_SERVER_JSON_INDEX_KERNEL_H
#define RIPOSTE_SERVER_JSON_INDEX_KERNEL_H

#include "index_bits.h"

#include <string.h>

#define BLOCK_VECS (INDEX_BLOCK_BYTES / VEC_BYTES)

/* What two bytes in a row can have wrong; the last marks two continuations, wrong unless the lead
 * says so. */
enum {
    TOO_SHORT = 1,
    TOO_LONG = 2,
    OVERLONG_3 = 4,
    TOO_LARGE = 8,
    SURROGATE = 16,
    OVERLONG_2 = 32,
    TOO_LARGE_1000 = 64,
    OVERLONG_4 = 64,
    TWO_CONTINUATIONS = 128,
    CARRY = TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS,
};

static const uint8_t first_high_table[16] = {
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TOO_SHORT | OVERLONG_2,
    TOO_SHORT,
    TOO_SHORT | OVERLONG_3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4,
};

static const uint8_t first_low_table[16] = {
    CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4,
    CARRY | OVERLONG_2,
    CARRY,
    CARRY,
    CARRY | TOO_LARGE,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000 | SURROGATE,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
};

static const uint8_t second_high_table[16] = {
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | OVERLONG_3 | TOO_LARGE,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
    TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS | SURROGATE | TOO_LARGE,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
};

/* By the low four bits: the white space with these (or something that has others). */
static const uint8_t white_table[16] = {' ', 100,  100,  100, 17,  100,  113, 2,
                                        100, '\t', '\n', 112, 100, '\r', 100, 100};
/* The same for { } [ ] : , with bit 5 set, which makes { of [ and } of ]; and : and , of two
 * control characters, which index_tokens() takes out again. */
static const uint8_t structure_table[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0};

struct kernel_constants {
    vec white, structure, first_high, first_low, second_high;
};

static inline vec utf8_errors(const struct kernel_constants *k, vec input, vec before) {
    vec previous = vec_before(input, before, 1);
    vec special = vec_and(vec_and(vec_lookup(k->first_high, vec_high(previous)),
                                  vec_lookup(k->first_low, vec_and(previous, vec_splat(0x0F)))),
                          vec_lookup(k->second_high, vec_high(input)));
    vec third = vec_minus(vec_before(input, before, 2), vec_splat(0xE0 - 0x80));
    vec fourth = vec_minus(vec_before(input, before, 3), vec_splat(0xF0 - 0x80));
    vec must_continue = vec_and(vec_or(third, fourth), vec_splat(0x80));
    return vec_xor(must_continue, special);
}

static inline void mark_vec(const struct kernel_constants *k, vec input, unsigned shift,
                            struct block_marks *out) {
    vec structure = vec_lookup(k->structure, input);
    out->quotes |= vec_equal(input, vec_splat('"')) << shift;
    out->backslashes |= vec_equal(input, vec_splat('\\')) << shift;
    out->white |= vec_equal(vec_lookup(k->white, input), input) << shift;
    out->structure |= vec_equal(structure, vec_or(input, vec_splat(0x20))) << shift;
    out->controls |= vec_most(input, vec_splat(0x1F)) << shift;
}

/* Are all bytes of the block, and the end of the one before, ASCII? Then so far all is well. */
static inline bool is_ascii(const vec *inputs, vec before) {
    vec all = vec_and(before, vec_splat(0x80));
    for (int i = 0; i < BLOCK_VECS; i++) {
        all = vec_or(all, vec_and(inputs[i], vec_splat(0x80)));
    }
    return vec_is_zero(all);
}

static inline size_t run_kernel(const uint8_t *blocks, size_t block_count, uint32_t offset,
                                const uint8_t *escapes_end, struct index_carry *carry,
                                uint32_t *tokens, uint8_t *firsts) {
    const struct kernel_constants k = {vec_table(white_table), vec_table(structure_table),
                                       vec_table(first_high_table), vec_table(first_low_table),
                                       vec_table(second_high_table)};
    vec before = vec_load(carry->last), errors = vec_splat(0);
    size_t count = 0;
    for (size_t block = 0; block < block_count; block++, blocks += INDEX_BLOCK_BYTES) {
        struct block_marks marks = {0};
        vec inputs[BLOCK_VECS];
        for (int i = 0; i < BLOCK_VECS; i++) {
            inputs[i] = vec_load(blocks + i * VEC_BYTES);
            mark_vec(&k, inputs[i], (unsigned)(i * VEC_BYTES), &marks);
        }
        if (!is_ascii(inputs, before)) {
            errors = vec_or(errors, utf8_errors(&k, inputs[0], before));
            for (int i = 1; i < BLOCK_VECS; i++) {
                errors = vec_or(errors, utf8_errors(&k, inputs[i], inputs[i - 1]));
            }
        }
        before = inputs[BLOCK_VECS - 1];
        uint64_t escaped = index_escaped(marks.backslashes, carry);
        uint64_t quotes = marks.quotes & ~escaped;
        uint64_t starts = carry->in_string;
        uint64_t parity = kernel_parity(quotes);
        if ((escaped | marks.backslashes) != 0) {
            uint64_t strings = parity ^ starts;
            carry->has_backslash = true;
            carry->has_error |= !json_index_escapes(blocks, escaped & strings, escapes_end);
        }
        count += kernel_append(index_tokens(&marks, quotes, parity, carry), blocks,
                               offset + (uint32_t)(block * INDEX_BLOCK_BYTES), tokens + count,
                               firsts + count);
    }
    carry->has_error |= !vec_is_zero(errors);
    vec_store(carry->last, before);
    return count;
}

#endif
