/* The part of a kernel that is the same for all: from the marks of a block's 64 bytes to its
 * tokens. */
#ifndef RIPOSTE_SERVER_JSON_INDEX_BITS_H
#define RIPOSTE_SERVER_JSON_INDEX_BITS_H

#include "index.h"

#include <stdbool.h>
#include <stdint.h>

/* A bit a byte, the first byte lowest. */
struct block_marks {
    uint64_t quotes, backslashes, white, structure, controls;
};

/* The bytes behind an odd run of backslashes. */
static inline uint64_t index_escaped(uint64_t backslashes, struct index_carry *carry) {
    const uint64_t odd_bits = 0xAAAAAAAAAAAAAAAAu;
    if (backslashes == 0) {
        uint64_t escaped = carry->is_escaped;
        carry->is_escaped = 0;
        return escaped;
    }
    uint64_t potential = backslashes & ~carry->is_escaped;
    uint64_t escape_and_end = (((potential << 1) | odd_bits) - potential) ^ odd_bits;
    uint64_t escaped = escape_and_end ^ (backslashes | carry->is_escaped);
    carry->is_escaped = (escape_and_end & backslashes) >> 63;
    return escaped;
}

/* Bit i becomes the parity of bits 0 to i. */
static inline uint64_t index_parity(uint64_t bits) {
    bits ^= bits << 1;
    bits ^= bits << 2;
    bits ^= bits << 4;
    bits ^= bits << 8;
    bits ^= bits << 16;
    bits ^= bits << 32;
    return bits;
}

/* Marks of the tokens; `parity` of the unescaped quotes is computed by the kernel. */
static inline uint64_t index_tokens(const struct block_marks *marks, uint64_t quotes,
                                    uint64_t parity, struct index_carry *carry) {
    uint64_t in_string = parity ^ carry->in_string;
    uint64_t structure = marks->structure & ~marks->controls;
    uint64_t scalar = ~(structure | marks->white);
    uint64_t bare = scalar & ~quotes;
    uint64_t follows_bare = bare << 1 | carry->is_scalar;
    uint64_t inside = in_string ^
                      quotes; /* strings without their opening, with their closing quotes */
    carry->in_string = (uint64_t)((int64_t)in_string >> 63);
    carry->is_scalar = bare >> 63;
    carry->has_error |= (in_string & marks->controls) != 0;
    return (structure | (scalar & ~follows_bare)) & ~inside;
}

/* The tokens of a block, whose marks are given, and their first bytes. */
static inline size_t index_append(uint64_t marks, const uint8_t *block, uint32_t offset,
                                  uint32_t *tokens, uint8_t *firsts) {
    const uint64_t highest = (uint64_t)1 << 63; /* so that there is always one to find */
    size_t count = (size_t)__builtin_popcountll(marks);
    /* Eight at a time, whether or not there are so many: what is too much is overwritten. */
    for (size_t done = 0; done < count; done += 8) {
        for (size_t i = done; i < done + 8; i++) {
            unsigned at = (unsigned)__builtin_ctzll(marks | highest);
            tokens[i] = offset + at;
            firsts[i] = block[at];
            marks &= marks - 1;
        }
    }
    return count;
}

#endif
