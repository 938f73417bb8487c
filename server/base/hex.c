#include "riposte/base/hex.h"

#include <stdint.h>

void hex_encode(const void *data, size_t bytes, char *out) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = data;
    for (size_t i = 0; i < bytes; i++) {
        out[2 * i] = digits[from[i] >> 4];
        out[2 * i + 1] = digits[from[i] & 15];
    }
    out[2 * bytes] = '\0';
}

bool hex_decode(struct text text, void *out, size_t bytes) {
    if (text.bytes % 2 != 0 || text.bytes / 2 != bytes) {
        return false;
    }
    for (size_t i = 0; i < text.bytes; i++) {
        if (hex_value(text.data[i]) < 0) {
            return false;
        }
    }
    uint8_t *to = out;
    for (size_t i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(hex_value(text.data[2 * i]) << 4 | hex_value(text.data[2 * i + 1]));
    }
    return true;
}
