#include "index.h"

#include "index_bits.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ---- the portable kernel ---- */

enum byte_class {
    CLASS_QUOTE = 1,
    CLASS_BACKSLASH = 2,
    CLASS_WHITE = 4,
    CLASS_STRUCTURE = 8,
    CLASS_CONTROL = 16,
};

static uint8_t class_of(uint8_t byte) {
    switch (byte) {
    case '"':
        return CLASS_QUOTE;
    case '\\':
        return CLASS_BACKSLASH;
    case ' ':
        return CLASS_WHITE;
    case '\t':
    case '\n':
    case '\r':
        return CLASS_WHITE | CLASS_CONTROL;
    case '{':
    case '}':
    case '[':
    case ']':
    case ':':
    case ',':
        return CLASS_STRUCTURE;
    default:
        return byte < 0x20 ? CLASS_CONTROL : 0;
    }
}

static void mark_block(const uint8_t *block, struct block_marks *out) {
    for (unsigned i = 0; i < INDEX_BLOCK_BYTES; i++) {
        uint64_t class = class_of(block[i]);
        out->quotes |= (class & 1) << i;
        out->backslashes |= (class >> 1 & 1) << i;
        out->white |= (class >> 2 & 1) << i;
        out->structure |= (class >> 3 & 1) << i;
        out->controls |= (class >> 4 & 1) << i;
    }
}

/* What the next byte may be: 0 to 3 continuations to come in the low bits, and above them the
 * bounds of the next one where the lead byte narrows them. */
enum {
    UTF8_LOW_SHIFT = 8,
    UTF8_HIGH_SHIFT = 16,
};

static uint32_t utf8_pending(uint32_t count, uint32_t low, uint32_t high) {
    return count | low << UTF8_LOW_SHIFT | high << UTF8_HIGH_SHIFT;
}

/* The state behind a lead byte; UINT32_MAX when it can't be one. */
static uint32_t utf8_lead(uint8_t byte) {
    if (byte < 0x80) {
        return 0;
    }
    if (byte < 0xC2 || byte > 0xF4) {
        return UINT32_MAX;
    }
    if (byte < 0xE0) {
        return utf8_pending(1, 0x80, 0xBF);
    }
    if (byte < 0xF0) {
        return utf8_pending(2, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF);
    }
    return utf8_pending(3, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF);
}

static uint32_t utf8_next(uint32_t state, uint8_t byte) {
    if (state == UINT32_MAX) {
        return state;
    }
    uint32_t count = state & 0xFF;
    if (count == 0) {
        return utf8_lead(byte);
    }
    if (byte < (state >> UTF8_LOW_SHIFT & 0xFF) || byte > (state >> UTF8_HIGH_SHIFT & 0xFF)) {
        return UINT32_MAX;
    }
    return count == 1 ? 0 : utf8_pending(count - 1, 0x80, 0xBF);
}

static void check_utf8(const uint8_t *block, struct index_carry *carry) {
    for (unsigned i = 0; i < INDEX_BLOCK_BYTES; i++) {
        carry->utf8_state = utf8_next(carry->utf8_state, block[i]);
    }
    carry->has_error |= carry->utf8_state == UINT32_MAX;
}

size_t json_index_portable(const uint8_t *blocks, size_t block_count, uint32_t offset,
                           const uint8_t *escapes_end, struct index_carry *carry, uint32_t *tokens,
                           uint8_t *firsts) {
    size_t count = 0;
    for (size_t i = 0; i < block_count; i++, blocks += INDEX_BLOCK_BYTES) {
        struct block_marks marks = {0};
        mark_block(blocks, &marks);
        check_utf8(blocks, carry);
        uint64_t escaped = index_escaped(marks.backslashes, carry);
        uint64_t quotes = marks.quotes & ~escaped;
        uint64_t parity = index_parity(quotes);
        carry->has_backslash |= marks.backslashes != 0;
        carry->has_error |= !json_index_escapes(blocks, escaped & (parity ^ carry->in_string),
                                                escapes_end);
        count += index_append(index_tokens(&marks, quotes, parity, carry), blocks,
                              offset + (uint32_t)(i * INDEX_BLOCK_BYTES), tokens + count,
                              firsts + count);
    }
    return count;
}

static bool is_hex(uint8_t byte) {
    uint8_t lower = byte | 0x20;
    return (byte >= '0' && byte <= '9') || (lower >= 'a' && lower <= 'f');
}

bool json_index_escapes(const uint8_t *block, uint64_t marks, const uint8_t *end) {
    for (; marks != 0; marks &= marks - 1) {
        const uint8_t *at = block + __builtin_ctzll(marks);
        if (*at != 'u') {
            if (memchr("\"\\/bfnrt", *at, 8) == NULL) {
                return false;
            }
            continue;
        }
        if (end - at < 5 || !is_hex(at[1]) || !is_hex(at[2]) || !is_hex(at[3]) || !is_hex(at[4])) {
            return false;
        }
    }
    return true;
}

/* ---- which kernel ---- */

static const struct kernel {
    const char *name;
    index_kernel_fn *kernel_fn;
} kernels[] = {
#if defined(__x86_64__)
    {"avx512", json_index_avx512},
    {"avx2", json_index_avx2},
    {"sse4.2", json_index_sse42},
#elif defined(__aarch64__)
    {"neon", json_index_neon},
#endif
    {"portable", json_index_portable},
};

static bool has_kernel(size_t number) {
#if defined(__x86_64__)
    if (kernels[number].kernel_fn == json_index_avx512) {
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("pclmul") &&
               __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
    }
    if (kernels[number].kernel_fn == json_index_avx2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") &&
               __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt");
    }
    if (kernels[number].kernel_fn == json_index_sse42) {
        return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
    }
#endif
    return number < ARRAY_COUNT(kernels);
}

static size_t kernel_at(size_t number) {
    for (size_t i = 0; i < ARRAY_COUNT(kernels); i++) {
        if (has_kernel(i) && number-- == 0) {
            return i;
        }
    }
    return ARRAY_COUNT(kernels);
}

const char *json_index_kernel_name(size_t number) {
    size_t at = kernel_at(number);
    return at == ARRAY_COUNT(kernels) ? NULL : kernels[at].name;
}

/* 0: none chosen yet; else its number + 1. */
static atomic_size_t chosen;

void json_index_choose_kernel(size_t number) {
    size_t at = kernel_at(number);
    assert(at < ARRAY_COUNT(kernels));
    atomic_store_explicit(&chosen, at + 1, memory_order_relaxed);
}

static index_kernel_fn *chosen_kernel(void) {
    size_t number = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (number == 0) {
        json_index_choose_kernel(0);
        number = atomic_load_explicit(&chosen, memory_order_relaxed);
    }
    return kernels[number - 1].kernel_fn;
}

/* ---- pieces ---- */

/* Tokens of a piece, those left over, and room for what kernels write too much. */
#define TOKEN_CAPACITY (INDEX_PIECE_BYTES + 2 * INDEX_BLOCK_BYTES)

void json_index_init(struct json_index *index) {
    *index = (struct json_index){0};
    index->tokens = memory_new_array(TOKEN_CAPACITY, sizeof(*index->tokens));
    index->firsts = memory_new_array(TOKEN_CAPACITY, sizeof(*index->firsts));
}

void json_index_done(struct json_index *index) {
    free(index->tokens);
    free(index->firsts);
    *index = (struct json_index){0};
}

void json_index_start(struct json_index *index, struct text text) {
    assert(text.bytes < UINT32_MAX - INDEX_BLOCK_BYTES);
    index->text = (const uint8_t *)text.data;
    index->bytes = text.bytes;
    index->next = index->at = index->count = 0;
    index->carry = (struct index_carry){0};
}

/* The end of the text, in a block that is filled up with spaces: so a cut-off character is an
 * error. */
static void read_tail(struct json_index *index, index_kernel_fn *kernel_fn) {
    uint8_t block[INDEX_BLOCK_BYTES];
    size_t bytes = index->bytes - index->next;
    memset(block, ' ', sizeof(block));
    if (bytes > 0) {
        memcpy(block, index->text + index->next, bytes);
    }
    index->count += kernel_fn(block, 1, (uint32_t)index->next, block + bytes, &index->carry,
                              index->tokens + index->count, index->firsts + index->count);
    index->carry.has_error |= index->carry.in_string != 0;
    index->next = index->bytes + 1;
}

static void read_piece(struct json_index *index) {
    index_kernel_fn *kernel_fn = chosen_kernel();
    size_t blocks = (index->bytes - index->next) / INDEX_BLOCK_BYTES;
    if (blocks == 0) {
        read_tail(index, kernel_fn);
        return;
    }
    if (blocks > INDEX_PIECE_BYTES / INDEX_BLOCK_BYTES) {
        blocks = INDEX_PIECE_BYTES / INDEX_BLOCK_BYTES;
    }
    index->count += kernel_fn(index->text + index->next, blocks, (uint32_t)index->next,
                              index->text + index->bytes, &index->carry,
                              index->tokens + index->count, index->firsts + index->count);
    index->next += blocks * INDEX_BLOCK_BYTES;
    if (index->bytes - index->next < INDEX_BLOCK_BYTES &&
        blocks * INDEX_BLOCK_BYTES < INDEX_PIECE_BYTES) {
        read_tail(index, kernel_fn);
    }
}

void json_index_more(struct json_index *index, size_t wanted) {
    while (index->count - index->at < wanted && index->next <= index->bytes) {
        size_t left = index->count - index->at;
        memmove(index->tokens, index->tokens + index->at, left * sizeof(*index->tokens));
        memmove(index->firsts, index->firsts + index->at, left);
        index->at = 0;
        index->count = left;
        read_piece(index);
        if (index->carry.has_error) { /* nothing of a wrong text is looked at */
            index->count = 0;
            index->next = index->bytes + 1;
        }
    }
}
