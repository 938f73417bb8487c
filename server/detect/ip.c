#include "riposte/detect/ip.h"

#include "riposte/base/hex.h"

#include <string.h>

#define MASK_BITS_LIMIT 1000000 /* saturates: far above any valid mask */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Decimal, leading zeros allowed, at most 255. */
static bool parse_octet(struct text part, uint8_t *octet_out) {
    unsigned value = 0;
    for (size_t i = 0; i < part.bytes; i++) {
        value = value * 10 + (unsigned)(part.data[i] - '0');
        if (!is_digit(part.data[i]) || value > 255) {
            return false;
        }
    }
    *octet_out = (uint8_t)value;
    return part.bytes > 0;
}

static bool parse_v4(struct text text, struct ip *out) {
    struct text part;
    size_t start = 0;
    *out = (struct ip){.byte_count = IP_V4_BYTES};
    for (size_t i = 0; i < IP_V4_BYTES; i++) {
        size_t end = text_find_byte(text, '.', start);
        if ((end == text.bytes) != (i == IP_V4_BYTES - 1)) {
            return false;
        }
        part = text_slice(text, start, end);
        if (!parse_octet(part, &out->bytes[i])) {
            return false;
        }
        start = end + 1;
    }
    return true;
}

/* What stands between two colons: hexadecimal, leading zeros allowed, at most ffff. */
static bool parse_group(struct text part, struct ip *out) {
    unsigned value = 0;
    for (size_t i = 0; i < part.bytes; i++) {
        int digit = hex_value(part.data[i]);
        value = value << 4 | (unsigned)(digit & 0xF);
        if (digit < 0 || value > 0xFFFF) {
            return false;
        }
    }
    if (out->byte_count + 2 > IP_V6_BYTES) {
        return false;
    }
    out->bytes[out->byte_count++] = (uint8_t)(value >> 8);
    out->bytes[out->byte_count++] = (uint8_t)value;
    return true;
}

/* Moves what was read behind the "::" to the end, zeros in between. */
static bool fill_gap(struct ip *ip, size_t gap_at) {
    size_t tail = ip->byte_count - gap_at;
    if (ip->byte_count == IP_V6_BYTES) {
        return false;
    }
    memmove(ip->bytes + IP_V6_BYTES - tail, ip->bytes + gap_at, tail);
    memset(ip->bytes + gap_at, 0, IP_V6_BYTES - tail - gap_at);
    ip->byte_count = IP_V6_BYTES;
    return true;
}

static bool parse_groups(struct text text, struct ip *out) {
    bool has_gap = false;
    size_t gap_at = 0, at = 0;
    *out = (struct ip){.byte_count = 0};
    if (text_starts_with(text, TEXT("::"))) {
        has_gap = true;
        at = 2;
    }
    while (at < text.bytes) {
        size_t end = text_find_byte(text, ':', at);
        if (end == at && has_gap) {
            return false; /* a second gap, or a lone colon in front */
        }
        if (end == at) {
            has_gap = true;
            gap_at = out->byte_count;
            at++;
            continue;
        }
        if (!parse_group(text_slice(text, at, end), out) || end + 1 == text.bytes) {
            return false;
        }
        at = end + 1;
    }
    return has_gap ? fill_gap(out, gap_at) : out->byte_count == IP_V6_BYTES;
}

/* ::ffff:a00:1 is 10.0.0.1. */
static void map_to_v4(struct ip *ip) {
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    if (memcmp(ip->bytes, mapped, sizeof(mapped)) == 0) {
        struct ip v4 = {.byte_count = IP_V4_BYTES};
        memcpy(v4.bytes, ip->bytes + sizeof(mapped), IP_V4_BYTES);
        *ip = v4;
    }
}

static bool parse_v6(struct text text, struct ip *out) {
    if (text.bytes < 2 || (text.data[0] == ':' && text.data[1] != ':') ||
        !parse_groups(text, out)) {
        return false;
    }
    map_to_v4(out);
    return true;
}

bool ip_parse(struct text text, struct ip *ip_out) {
    struct ip ip;
    if (text.bytes == 0 || (hex_value(text.data[0]) < 0 && text.data[0] != ':')) {
        return false;
    }
    if (!parse_v4(text, &ip) && !parse_v6(text, &ip)) {
        return false;
    }
    *ip_out = ip;
    return true;
}

bool ip_equal(const struct ip *a, const struct ip *b) {
    return a->byte_count == b->byte_count && memcmp(a->bytes, b->bytes, a->byte_count) == 0;
}

/* As Java's Integer.parseInt: a sign and leading zeros are fine. */
static bool parse_bits(struct text text, long *bits_out) {
    bool has_sign = text.bytes > 0 && (text.data[0] == '-' || text.data[0] == '+');
    size_t start = has_sign ? 1 : 0;
    long bits = 0;
    for (size_t i = start; i < text.bytes; i++) {
        if (!is_digit(text.data[i])) {
            return false;
        }
        bits = bits >= MASK_BITS_LIMIT ? bits : bits * 10 + (text.data[i] - '0');
    }
    *bits_out = has_sign && text.data[0] == '-' ? -bits : bits;
    return text.bytes > start;
}

void ip_range_clear_host(struct ip_range *range) {
    for (size_t i = 0; i < range->ip.byte_count; i++) {
        size_t before = i * 8;
        size_t kept = range->bits > before ? range->bits - before : 0;
        if (kept < 8) {
            range->ip.bytes[i] = (uint8_t)(range->ip.bytes[i] & ~(0xFFu >> kept));
        }
    }
}

static const char *range_problem(struct text text, struct ip_range *out) {
    long bits = 0;
    while (text_ends_with(text, TEXT("/"))) {
        text.bytes--; /* Java's split() drops empty parts at the end */
    }
    size_t slash = text_find_byte(text, '/', 0);
    if (slash == text.bytes || text_find_byte(text, '/', slash + 1) != text.bytes) {
        return "malformed CIDR, one '/' required";
    }
    if (!parse_bits(text_slice(text, slash + 1, text.bytes), &bits)) {
        return "malformed CIDR, mask bits must be an integer";
    }
    if (bits < 0) {
        return "malformed CIDR, mask bits must not be negative";
    }
    if (!ip_parse(text_slice(text, 0, slash), &out->ip)) {
        return "not an IP address";
    }
    if (bits >= (long)out->ip.byte_count * 8) {
        return out->ip.byte_count == IP_V4_BYTES ? "IPv4 mask bits must be < 32"
                                                 : "IPv6 mask bits must be < 128";
    }
    out->bits = (unsigned)bits;
    return NULL;
}

bool ip_range_parse(struct text text, struct ip_range *range_out, const char **reason_out) {
    struct ip_range range;
    const char *problem = range_problem(text, &range);
    if (problem != NULL) {
        *reason_out = problem;
        return false;
    }
    ip_range_clear_host(&range);
    *range_out = range;
    return true;
}

bool ip_range_contains(const struct ip_range *range, const struct ip *ip) {
    struct ip_range probe = {*ip, range->bits};
    if (ip->byte_count != range->ip.byte_count) {
        return false;
    }
    ip_range_clear_host(&probe);
    return ip_equal(&probe.ip, &range->ip);
}
