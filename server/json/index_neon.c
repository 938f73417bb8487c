#include "index_bits.h"

#if defined(__aarch64__)

#include <arm_neon.h>

typedef uint8x16_t vec;
#define VEC_BYTES 16

static inline vec vec_load(const uint8_t *bytes) {
    return vld1q_u8(bytes);
}

static inline void vec_store(uint8_t *bytes, vec v) {
    vst1q_u8(bytes, v);
}

static inline vec vec_splat(int byte) {
    return vdupq_n_u8((uint8_t)byte);
}

static inline vec vec_table(const uint8_t *bytes) {
    return vec_load(bytes);
}

static inline vec vec_and(vec a, vec b) {
    return vandq_u8(a, b);
}

static inline vec vec_or(vec a, vec b) {
    return vorrq_u8(a, b);
}

static inline vec vec_xor(vec a, vec b) {
    return veorq_u8(a, b);
}

static inline vec vec_minus(vec a, vec b) {
    return vqsubq_u8(a, b);
}

/* As the x86 shuffle: zero for an index with the highest bit. */
static inline vec vec_lookup(vec table, vec index) {
    return vqtbl1q_u8(table, vandq_u8(index, vdupq_n_u8(0x8F)));
}

static inline vec vec_high(vec v) {
    return vshrq_n_u8(v, 4);
}

#define vec_before(v, previous, bytes) vextq_u8((previous), (v), 16 - (bytes))

/* A bit a byte, from bytes of all zeros or all ones. */
static inline uint64_t marks(vec v) {
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t bits = vandq_u8(v, vld1q_u8(weights));
    return (uint32_t)vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

static inline uint64_t vec_equal(vec a, vec b) {
    return marks(vceqq_u8(a, b));
}

static inline uint64_t vec_most(vec a, vec b) {
    return marks(vcleq_u8(a, b));
}

static inline bool vec_is_zero(vec v) {
    return vmaxvq_u8(v) == 0;
}

static inline uint64_t kernel_parity(uint64_t bits) {
    return index_parity(bits);
}

static inline size_t kernel_append(uint64_t marks, const uint8_t *block, uint32_t offset,
                                   uint32_t *tokens, uint8_t *firsts) {
    return index_append(marks, block, offset, tokens, firsts);
}

#include "index_kernel.h"

size_t json_index_neon(const uint8_t *blocks, size_t block_count, uint32_t offset,
                       const uint8_t *escapes_end, struct index_carry *carry, uint32_t *tokens,
                       uint8_t *firsts) {
    return run_kernel(blocks, block_count, offset, escapes_end, carry, tokens, firsts);
}

#endif
