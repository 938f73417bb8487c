#include "riposte/detect/subrule.h"

/* Names that mean an operator, and so no field, inside a branch of $or. */
static const char *const reserved_names[] = {
    "exactly",
    "equals-ignore-case",
    "prefix",
    "suffix",
    "anything-but",
    "exists",
    "wildcard",
    "numeric",
    "cidr",
    "=",
    "<",
    "<=",
    ">",
    ">=",
    "regex",
    "not-wildcard",
    "not-equals-ignore-case",
    "date-after",
    "date-on-or-after",
    "date-before",
    "date-on-or-before",
    "in-date-range",
    "ip-address-in-range",
    "ip-address-not-in-range",
};

bool subrule_is_reserved(struct text name) {
    for (size_t i = 0; i < ARRAY_COUNT(reserved_names); i++) {
        if (text_equal_string(name, reserved_names[i])) {
            return true;
        }
    }
    return false;
}

bool field_passes(const struct field *field, enum json_type type, struct text text) {
    for (size_t i = 0; i < field->test_count; i++) {
        if (test_passes(&field->tests[i], type, text)) {
            return true;
        }
    }
    return false;
}

/* UTF-8 sorts by code point. UTF-16 differs in one thing: characters beyond U+FFFF (surrogates,
 * lead byte F0 and up) sort before U+E000 to U+FFFF (lead bytes EE and EF). */
static int utf16_rank(unsigned char byte) {
    return byte == 0xEE || byte == 0xEF ? byte + 0x20 : byte;
}

int subrule_compare_paths(struct text a, struct text b) {
    size_t shorter = a.bytes < b.bytes ? a.bytes : b.bytes;
    for (size_t i = 0; i < shorter; i++) {
        if (a.data[i] != b.data[i]) {
            return utf16_rank((unsigned char)a.data[i]) - utf16_rank((unsigned char)b.data[i]);
        }
    }
    return (a.bytes > b.bytes) - (a.bytes < b.bytes);
}
