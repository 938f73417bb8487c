#include "index_bits.h"

#if defined(__x86_64__)

#include <immintrin.h>

typedef __m512i vec;
#define VEC_BYTES 64

static inline vec vec_load(const uint8_t *bytes) {
    return _mm512_loadu_si512(bytes);
}

static inline void vec_store(uint8_t *bytes, vec v) {
    _mm512_storeu_si512(bytes, v);
}

static inline vec vec_splat(int byte) {
    return _mm512_set1_epi8((char)byte);
}

static inline vec vec_table(const uint8_t *bytes) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i_u *)bytes));
}

static inline vec vec_and(vec a, vec b) {
    return _mm512_and_si512(a, b);
}

static inline vec vec_or(vec a, vec b) {
    return _mm512_or_si512(a, b);
}

static inline vec vec_xor(vec a, vec b) {
    return _mm512_xor_si512(a, b);
}

static inline vec vec_minus(vec a, vec b) {
    return _mm512_subs_epu8(a, b);
}

static inline vec vec_lookup(vec table, vec index) {
    return _mm512_shuffle_epi8(table, index);
}

static inline vec vec_high(vec v) {
    return vec_and(_mm512_srli_epi16(v, 4), vec_splat(0x0F));
}

#define vec_before(v, previous, bytes) \
    _mm512_alignr_epi8((v), _mm512_alignr_epi64((v), (previous), 6), 16 - (bytes))

static inline uint64_t vec_equal(vec a, vec b) {
    return _mm512_cmpeq_epi8_mask(a, b);
}

static inline uint64_t vec_most(vec a, vec b) {
    return _mm512_cmple_epu8_mask(a, b);
}

static inline bool vec_is_zero(vec v) {
    return _mm512_test_epi8_mask(v, v) == 0;
}

static inline uint64_t kernel_parity(uint64_t bits) {
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)bits),
                                           _mm_set1_epi8((char)0xFF), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

/* The numbers of the marked bytes, side by side; sixteen at a time, whether or not there are so
 * many. */
static inline size_t kernel_append(uint64_t marks, const uint8_t *block, uint32_t offset,
                                   uint32_t *tokens, uint8_t *firsts) {
    static const uint8_t numbers[INDEX_BLOCK_BYTES] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    vec marked = _mm512_maskz_compress_epi8(marks, vec_load(numbers));
    vec first = _mm512_set1_epi32((int)offset);
    size_t count = (size_t)__builtin_popcountll(marks);
    vec_store(firsts, _mm512_maskz_compress_epi8(marks, vec_load(block)));
    _mm512_storeu_si512(
        tokens, _mm512_add_epi32(first, _mm512_cvtepu8_epi32(_mm512_castsi512_si128(marked))));
    if (count > 16) {
        __m128i second = _mm512_extracti32x4_epi32(marked, 1);
        _mm512_storeu_si512(tokens + 16, _mm512_add_epi32(first, _mm512_cvtepu8_epi32(second)));
    }
    if (count > 32) {
        __m128i third = _mm512_extracti32x4_epi32(marked, 2);
        __m128i fourth = _mm512_extracti32x4_epi32(marked, 3);
        _mm512_storeu_si512(tokens + 32, _mm512_add_epi32(first, _mm512_cvtepu8_epi32(third)));
        _mm512_storeu_si512(tokens + 48, _mm512_add_epi32(first, _mm512_cvtepu8_epi32(fourth)));
    }
    return count;
}

#include "index_kernel.h"

size_t json_index_avx512(const uint8_t *blocks, size_t block_count, uint32_t offset,
                         const uint8_t *escapes_end, struct index_carry *carry, uint32_t *tokens,
                         uint8_t *firsts) {
    return run_kernel(blocks, block_count, offset, escapes_end, carry, tokens, firsts);
}

#endif
