#include "riposte/base/ulid.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define ULID_TIME_DIGITS 10
#define ULID_MAX_UNIX_MS ((INT64_C(1) << 48) - 1)

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* Writes the lowest 5 * digits bits of `value`, most significant first. */
static void write_digits(uint64_t value, size_t digits, char *out) {
    for (size_t i = digits; i > 0; i--) {
        out[i - 1] = alphabet[value & 31];
        value >>= 5;
    }
}

static uint64_t read_40_bits(const uint8_t bytes[5]) {
    uint64_t value = 0;
    for (size_t i = 0; i < 5; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

struct ulid ulid_make(int64_t unix_ms, const uint8_t random[ULID_RANDOM_BYTES]) {
    assert(unix_ms >= 0 && unix_ms <= ULID_MAX_UNIX_MS);
    struct ulid ulid = {{0}};
    write_digits((uint64_t)unix_ms, ULID_TIME_DIGITS, ulid.text);
    write_digits(read_40_bits(random), 8, ulid.text + ULID_TIME_DIGITS);
    write_digits(read_40_bits(random + 5), 8, ulid.text + ULID_TIME_DIGITS + 8);
    return ulid;
}

/* NULL for what is no digit of either case. */
static const char *find_digit(char c) {
    if (c >= 'a' && c <= 'z') {
        c = (char)(c - 'a' + 'A');
    }
    return c == '\0' ? NULL : strchr(alphabet, c);
}

bool ulid_parse(struct text text, struct ulid *ulid_out) {
    if (text.bytes != ULID_TEXT_BYTES || text.data[0] < '0' || text.data[0] > '7') {
        return false;
    }
    struct ulid ulid = {{0}};
    for (size_t i = 0; i < ULID_TEXT_BYTES; i++) {
        const char *digit = find_digit(text.data[i]);
        if (digit == NULL) {
            return false;
        }
        ulid.text[i] = *digit;
    }
    *ulid_out = ulid;
    return true;
}

int64_t ulid_unix_ms(const struct ulid *ulid) {
    int64_t unix_ms = 0;
    for (size_t i = 0; i < ULID_TIME_DIGITS && ulid->text[i] != '\0'; i++) {
        const char *digit = strchr(alphabet, ulid->text[i]);
        assert(digit != NULL);
        unix_ms = unix_ms << 5 | (digit - alphabet);
    }
    return unix_ms;
}

bool ulid_is_none(const struct ulid *ulid) {
    return ulid->text[0] == '\0';
}

struct text ulid_text(const struct ulid *ulid) {
    return (struct text){ulid->text, ulid_is_none(ulid) ? 0 : ULID_TEXT_BYTES};
}
