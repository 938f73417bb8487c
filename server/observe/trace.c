#include "riposte/observe/trace.h"

#include "riposte/base/hex.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SPAN_DIGITS  16
#define PARENT_BYTES (TRACE_PARENT_BYTES - 1)
#define EPOCH_DIGITS 8

struct text trace_text(const struct trace *trace) {
    return text_of(trace->text);
}

/* Both specifications say lower case. */
static bool is_hex(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

/* Digits that aren't all 0. */
static bool is_id(struct text text, size_t digits) {
    if (text.bytes != digits || !is_hex(text)) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        if (text.data[i] != '0') {
            return true;
        }
    }
    return false;
}

bool trace_from_text(struct text digits, struct trace *trace_out) {
    if (!is_id(digits, TRACE_DIGITS)) {
        return false;
    }
    memcpy(trace_out->text, digits.data, TRACE_DIGITS);
    trace_out->text[TRACE_DIGITS] = '\0';
    return true;
}

/* A later version may have more behind another dash; "ff" is none. */
static bool has_form(struct text parent) {
    if (parent.bytes < PARENT_BYTES) {
        return false;
    }
    struct text version = text_slice(parent, 0, 2);
    if (!is_hex(version) || text_equal(version, TEXT("ff")) || parent.data[2] != '-' ||
        parent.data[35] != '-' || parent.data[52] != '-' || !is_hex(text_slice(parent, 53, 55))) {
        return false;
    }
    return parent.bytes == PARENT_BYTES ||
           (!text_equal(version, TEXT("00")) && parent.data[PARENT_BYTES] == '-');
}

bool trace_from_parent(struct text traceparent, struct trace *trace_out) {
    return has_form(traceparent) && is_id(text_slice(traceparent, 36, 52), SPAN_DIGITS) &&
           trace_from_text(text_slice(traceparent, 3, 35), trace_out);
}

/* 1-<8 digits>-<24 digits> */
static bool take_root(struct text root, struct trace *trace_out) {
    char digits[TRACE_DIGITS];
    if (root.bytes != 2 + EPOCH_DIGITS + 1 + 24 || !text_starts_with(root, TEXT("1-")) ||
        root.data[2 + EPOCH_DIGITS] != '-') {
        return false;
    }
    memcpy(digits, root.data + 2, EPOCH_DIGITS);
    memcpy(digits + EPOCH_DIGITS, root.data + 2 + EPOCH_DIGITS + 1, 24);
    return trace_from_text((struct text){digits, TRACE_DIGITS}, trace_out);
}

bool trace_from_amazon(struct text header, struct trace *trace_out) {
    struct text part = {NULL, 0};
    while (text_next_part(&header, ';', &part)) {
        part = text_trim(part);
        if (text_starts_with(part, TEXT("Root="))) {
            return take_root(text_slice(part, sizeof("Root=") - 1, part.bytes), trace_out);
        }
    }
    return false;
}

struct trace trace_make(const uint8_t random[TRACE_ID_BYTES]) {
    struct trace trace;
    hex_encode(random, TRACE_ID_BYTES, trace.text);
    return trace;
}

void trace_parent(const struct trace *trace, uint64_t span, char out[TRACE_PARENT_BYTES]) {
    assert(trace->text[0] != '\0');
    /* A span of 0 is none. */
    snprintf(out, TRACE_PARENT_BYTES, "00-%s-%016" PRIx64 "-01", trace->text, span | 1);
}
