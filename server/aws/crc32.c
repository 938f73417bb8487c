#include "riposte/aws/crc32.h"

#define POLYNOMIAL 0xEDB88320U

/* Bit by bit: bodies are policies of a few kilobytes. */
uint32_t aws_crc32(struct text bytes) {
    uint32_t remainder = UINT32_MAX;
    for (size_t i = 0; i < bytes.bytes; i++) {
        remainder ^= (uint8_t)bytes.data[i];
        for (int bit = 0; bit < 8; bit++) {
            remainder = remainder & 1 ? remainder >> 1 ^ POLYNOMIAL : remainder >> 1;
        }
    }
    return ~remainder;
}
