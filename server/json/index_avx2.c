#include "index_bits.h"

#if defined(__x86_64__)

#include <immintrin.h>

typedef __m256i vec;
#define VEC_BYTES 32

static inline vec vec_load(const uint8_t *bytes) {
    return _mm256_loadu_si256((const __m256i_u *)bytes);
}

static inline void vec_store(uint8_t *bytes, vec v) {
    _mm256_storeu_si256((__m256i_u *)bytes, v);
}

static inline vec vec_splat(int byte) {
    return _mm256_set1_epi8((char)byte);
}

static inline vec vec_table(const uint8_t *bytes) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i_u *)bytes));
}

static inline vec vec_and(vec a, vec b) {
    return _mm256_and_si256(a, b);
}

static inline vec vec_or(vec a, vec b) {
    return _mm256_or_si256(a, b);
}

static inline vec vec_xor(vec a, vec b) {
    return _mm256_xor_si256(a, b);
}

static inline vec vec_minus(vec a, vec b) {
    return _mm256_subs_epu8(a, b);
}

static inline vec vec_lookup(vec table, vec index) {
    return _mm256_shuffle_epi8(table, index);
}

static inline vec vec_high(vec v) {
    return vec_and(_mm256_srli_epi16(v, 4), vec_splat(0x0F));
}

#define vec_before(v, previous, bytes) \
    _mm256_alignr_epi8((v), _mm256_permute2x128_si256((previous), (v), 0x21), 16 - (bytes))

static inline uint64_t vec_equal(vec a, vec b) {
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, b));
}

static inline uint64_t vec_most(vec a, vec b) {
    return vec_equal(_mm256_min_epu8(a, b), a);
}

static inline bool vec_is_zero(vec v) {
    return _mm256_testz_si256(v, v);
}

static inline uint64_t kernel_parity(uint64_t bits) {
    __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)bits),
                                           _mm_set1_epi8((char)0xFF), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

static inline size_t kernel_append(uint64_t marks, const uint8_t *block, uint32_t offset,
                                   uint32_t *tokens, uint8_t *firsts) {
    return index_append(marks, block, offset, tokens, firsts);
}

#include "index_kernel.h"

size_t json_index_avx2(const uint8_t *blocks, size_t block_count, uint32_t offset,
                       const uint8_t *escapes_end, struct index_carry *carry, uint32_t *tokens,
                       uint8_t *firsts) {
    return run_kernel(blocks, block_count, offset, escapes_end, carry, tokens, firsts);
}

#endif
