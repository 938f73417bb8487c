#include "riposte/base/base64.h"

#include <stddef.h>
#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct text bytes, struct buffer *out) {
    for (size_t i = 0; i < bytes.bytes; i += 3) {
        size_t left = bytes.bytes - i;
        const uint8_t *from = (const uint8_t *)bytes.data + i;
        uint32_t group = (uint32_t)from[0] << 16;
        group |= left > 1 ? (uint32_t)from[1] << 8 : 0;
        group |= left > 2 ? from[2] : 0u;
        char digits[4] = {
            alphabet[group >> 18],
            alphabet[group >> 12 & 63],
            left > 1 ? alphabet[group >> 6 & 63] : '=',
            left > 2 ? alphabet[group & 63] : '=',
        };
        buffer_append(out, digits, sizeof(digits));
    }
}

/* -1 for what is no digit. */
static int digit_value(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits, the last `padding` of them '=', into 3 - padding bytes. */
static bool decode_group(const char *digits, size_t padding, uint8_t bytes_out[3]) {
    uint32_t group = 0;
    for (size_t i = 0; i < 4 - padding; i++) {
        int value = digit_value(digits[i]);
        if (value < 0) {
            return false;
        }
        group |= (uint32_t)value << (18 - 6 * i);
    }
    bytes_out[0] = (uint8_t)(group >> 16);
    bytes_out[1] = (uint8_t)(group >> 8);
    bytes_out[2] = (uint8_t)group;
    return padding == 0 || (group & (padding == 1 ? 0xFFu : 0xFFFFu)) == 0;
}

static size_t count_padding(struct text text) {
    if (text_ends_with(text, TEXT("=="))) {
        return 2;
    }
    return text_ends_with(text, TEXT("=")) ? 1 : 0;
}

bool base64_decode(struct text text, struct buffer *out) {
    if (text.bytes % 4 != 0) {
        return false;
    }
    size_t bytes_before = out->bytes;
    for (size_t i = 0; i < text.bytes; i += 4) {
        size_t padding = i + 4 == text.bytes ? count_padding(text) : 0;
        uint8_t bytes[3];
        if (!decode_group(text.data + i, padding, bytes)) {
            buffer_truncate(out, bytes_before);
            return false;
        }
        buffer_append(out, bytes, 3 - padding);
    }
    return true;
}
