#include "index_bits.h"

#if defined(__x86_64__)

#include <immintrin.h>

typedef __m128i vec;
#define VEC_BYTES 16

static inline vec vec_load(const uint8_t *bytes) {
    return _mm_loadu_si128((const __m128i_u *)bytes);
}

static inline void vec_store(uint8_t *bytes, vec v) {
    _mm_storeu_si128((__m128i_u *)bytes, v);
}

static inline vec vec_splat(int byte) {
    return _mm_set1_epi8((char)byte);
}

static inline vec vec_table(const uint8_t *bytes) {
    return vec_load(bytes);
}

static inline vec vec_and(vec a, vec b) {
    return _mm_and_si128(a, b);
}

static inline vec vec_or(vec a, vec b) {
    return _mm_or_si128(a, b);
}

static inline vec vec_xor(vec a, vec b) {
    return _mm_xor_si128(a, b);
}

static inline vec vec_minus(vec a, vec b) {
    return _mm_subs_epu8(a, b);
}

static inline vec vec_lookup(vec table, vec index) {
    return _mm_shuffle_epi8(table, index);
}

static inline vec vec_high(vec v) {
    return vec_and(_mm_srli_epi16(v, 4), vec_splat(0x0F));
}

#define vec_before(v, previous, bytes) _mm_alignr_epi8((v), (previous), 16 - (bytes))

static inline uint64_t vec_equal(vec a, vec b) {
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b));
}

static inline uint64_t vec_most(vec a, vec b) {
    return vec_equal(_mm_min_epu8(a, b), a);
}

static inline bool vec_is_zero(vec v) {
    return _mm_testz_si128(v, v);
}

static inline uint64_t kernel_parity(uint64_t bits) {
    return index_parity(bits);
}

static inline size_t kernel_append(uint64_t marks, const uint8_t *block, uint32_t offset,
                                   uint32_t *tokens, uint8_t *firsts) {
    return index_append(marks, block, offset, tokens, firsts);
}

#include "index_kernel.h"

size_t json_index_sse42(const uint8_t *blocks, size_t block_count, uint32_t offset,
                        const uint8_t *escapes_end, struct index_carry *carry, uint32_t *tokens,
                        uint8_t *firsts) {
    return run_kernel(blocks, block_count, offset, escapes_end, carry, tokens, firsts);
}

#endif
