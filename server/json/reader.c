#include "reader.h"

#include "riposte/base/hex.h"

#include <string.h>

void json_reader_init(struct json_reader *reader, struct text text, bool has_comments) {
    reader->text = text;
    reader->at = 0;
    reader->has_comments = has_comments;
    reader->state = READER_AT_VALUE;
    reader->depth = 0;
    reader->failure = ERROR_NONE;
}

static bool fail(struct json_reader *reader, size_t at, const char *problem) {
    reader->failure = ERROR_INVALID;
    reader->problem = problem;
    reader->problem_at = at;
    return false;
}

static bool fail_limit(struct json_reader *reader, size_t at, const char *problem) {
    fail(reader, at, problem);
    reader->failure = ERROR_LIMIT;
    return false;
}

static bool is_at_end(const struct json_reader *reader) {
    return reader->at >= reader->text.bytes;
}

/* The next byte, or NUL at the end; a NUL in the text is never part of a token either. */
static unsigned char peek(const struct json_reader *reader) {
    return is_at_end(reader) ? '\0' : (unsigned char)reader->text.data[reader->at];
}

/* Says "the text ends where ..." when it does, otherwise `problem`. */
static bool fail_expecting(struct json_reader *reader, const char *at_end, const char *problem) {
    return fail(reader, reader->at, is_at_end(reader) ? at_end : problem);
}

/* ---- white space and comments ---- */

static bool skip_line_comment(struct json_reader *reader) {
    reader->at = text_find_byte(reader->text, '\n', reader->at);
    return true;
}

static bool skip_block_comment(struct json_reader *reader) {
    size_t from = reader->at;
    struct text rest = text_slice(reader->text, from + 2, reader->text.bytes);
    size_t end = text_find(rest, TEXT("*/"));
    if (end >= rest.bytes) {
        return fail(reader, from, "a comment without end");
    }
    reader->at = from + 2 + end + 2;
    return true;
}

static bool skip_comment(struct json_reader *reader) {
    size_t from = reader->at;
    char second = from + 1 < reader->text.bytes ? reader->text.data[from + 1] : '\0';
    if (second != '/' && second != '*') {
        return fail(reader, from, "a lone slash");
    }
    if (!(second == '/' ? skip_line_comment(reader) : skip_block_comment(reader))) {
        return false;
    }
    if (!text_is_utf8(text_slice(reader->text, from, reader->at))) {
        return fail(reader, from, "a comment that is not UTF-8");
    }
    return true;
}

static bool skip_space(struct json_reader *reader) {
    while (!is_at_end(reader)) {
        char c = reader->text.data[reader->at];
        if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            reader->at++;
        } else if (c == '/' && reader->has_comments) {
            if (!skip_comment(reader)) {
                return false;
            }
        } else {
            break;
        }
    }
    return true;
}

/* ---- strings ---- */

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))
#define HIGH_BITS        EACH_BYTE(0x80)

/* Has any of the 8 bytes something that a string's inside can't pass over: a control character, a
 * quote, a backslash or the beginning of a longer UTF-8 character? (A zero byte in x shows as a
 * high bit of (x - 0x01..) & ~x; no false negatives, and the lowest one is exact.) */
static bool has_special(uint64_t word) {
    uint64_t quote = word ^ EACH_BYTE('"');
    uint64_t backslash = word ^ EACH_BYTE('\\');
    uint64_t found = (word - EACH_BYTE(0x20)) | (quote - EACH_BYTE(1)) |
                     (backslash - EACH_BYTE(1)) | word;
    return (found & HIGH_BITS) != 0;
}

static size_t skip_plain(struct text text, size_t at) {
    while (text.bytes - at >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text.data + at, sizeof(word));
        if (has_special(word)) {
            break;
        }
        at += sizeof(word);
    }
    while (at < text.bytes) {
        unsigned char c = (unsigned char)text.data[at];
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\') {
            break;
        }
        at++;
    }
    return at;
}

/* The code unit of "\uXXXX" at `at`, or -1 when there isn't one. */
static int32_t code_unit_at(struct text text, size_t at) {
    if (at > text.bytes || text.bytes - at < 6 || text.data[at] != '\\' ||
        text.data[at + 1] != 'u') {
        return -1;
    }
    int32_t unit = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        int digit = hex_value(text.data[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool is_high_surrogate(int32_t unit) {
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(int32_t unit) {
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static bool skip_unicode_escape(struct json_reader *reader) {
    int32_t unit = code_unit_at(reader->text, reader->at);
    if (unit < 0) {
        return fail(reader, reader->at, "\\u needs four hexadecimal digits");
    }
    reader->at += 6;
    return true;
}

static bool skip_escape(struct json_reader *reader) {
    if (reader->at + 1 >= reader->text.bytes) {
        return fail(reader, reader->text.bytes, "the text ends inside a string");
    }
    switch (reader->text.data[reader->at + 1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        reader->at += 2;
        return true;
    case 'u':
        return skip_unicode_escape(reader);
    default:
        return fail(reader, reader->at, "no such escape in a string");
    }
}

/* What stops skip_plain() without ending the string. */
static bool skip_special(struct json_reader *reader) {
    unsigned char c = (unsigned char)reader->text.data[reader->at];
    if (c == '\\') {
        reader->has_escapes = true;
        return skip_escape(reader);
    }
    if (c < 0x20) {
        return fail(reader, reader->at, "a control character in a string must be escaped");
    }
    size_t bytes = text_utf8_bytes_at(reader->text, reader->at);
    if (bytes == 0) {
        return fail(reader, reader->at, "not UTF-8");
    }
    reader->at += bytes;
    return true;
}

static bool read_string(struct json_reader *reader) {
    size_t from = ++reader->at;
    reader->has_escapes = false;
    for (;;) {
        reader->at = skip_plain(reader->text, reader->at);
        if (is_at_end(reader)) {
            return fail(reader, reader->at, "the text ends inside a string");
        }
        if (reader->text.data[reader->at] == '"') {
            reader->raw = (struct text){reader->text.data + from, reader->at - from};
            reader->at++;
            return true;
        }
        if (!skip_special(reader)) {
            return false;
        }
    }
}

/* ---- numbers and literals ---- */

static bool skip_digits(struct json_reader *reader) {
    size_t from = reader->at;
    while (!is_at_end(reader) && reader->text.data[reader->at] >= '0' &&
           reader->text.data[reader->at] <= '9') {
        reader->at++;
    }
    return reader->at > from;
}

static bool skip_fraction_and_exponent(struct json_reader *reader) {
    if (peek(reader) == '.') {
        reader->at++;
        if (!skip_digits(reader)) {
            return fail(reader, reader->at, "a number needs a digit behind the point");
        }
    }
    if (peek(reader) == 'e' || peek(reader) == 'E') {
        reader->at++;
        if (peek(reader) == '+' || peek(reader) == '-') {
            reader->at++;
        }
        if (!skip_digits(reader)) {
            return fail(reader, reader->at, "a number needs a digit in its exponent");
        }
    }
    return true;
}

static bool read_number(struct json_reader *reader) {
    size_t from = reader->at;
    if (peek(reader) == '-') {
        reader->at++;
    }
    if (peek(reader) == '0') {
        reader->at++;
        if (peek(reader) >= '0' && peek(reader) <= '9') {
            return fail(reader, from, "a number with a leading zero");
        }
    } else if (!skip_digits(reader)) {
        return fail(reader, reader->at, "a number needs a digit behind its sign");
    }
    if (!skip_fraction_and_exponent(reader)) {
        return false;
    }
    reader->raw = (struct text){reader->text.data + from, reader->at - from};
    if (reader->raw.bytes > JSON_NUMBER_BYTES) {
        return fail_limit(reader, from, "a number of more than 1000 characters");
    }
    return true;
}

static bool read_literal(struct json_reader *reader, struct text literal) {
    struct text found = text_slice(reader->text, reader->at, reader->at + literal.bytes);
    if (!text_equal(found, literal)) {
        return fail(reader, reader->at, "a value is expected");
    }
    reader->raw = found;
    reader->at += literal.bytes;
    return true;
}

/* ---- structure ---- */

static bool is_in_object(const struct json_reader *reader) {
    return (reader->objects[reader->depth / 64] >> (reader->depth % 64) & 1) != 0;
}

static bool open_container(struct json_reader *reader, bool is_object) {
    if (reader->depth == JSON_DEPTH_LIMIT) {
        return fail_limit(reader, reader->at, "nested deeper than 1000 levels");
    }
    reader->depth++;
    uint64_t bit = UINT64_C(1) << (reader->depth % 64);
    uint64_t *word = &reader->objects[reader->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    reader->state = is_object ? READER_AT_FIRST_KEY : READER_AT_FIRST_ELEMENT;
    reader->at++;
    return true;
}

static bool close_container(struct json_reader *reader, enum json_token *token_out) {
    *token_out = is_in_object(reader) ? TOKEN_OBJECT_CLOSE : TOKEN_ARRAY_CLOSE;
    reader->depth--;
    reader->at++;
    reader->state = READER_BEHIND_VALUE;
    return true;
}

static bool is_number_start(unsigned char c) {
    return c == '-' || (c >= '0' && c <= '9');
}

static bool fail_value(struct json_reader *reader) {
    if (reader->at == 0 && text_starts_with(reader->text, TEXT("\xEF\xBB\xBF"))) {
        return fail(reader, 0, "a byte order mark");
    }
    return fail_expecting(reader, "the text ends where a value is expected", "a value is expected");
}

static bool read_scalar(struct json_reader *reader, enum json_token *token_out) {
    reader->state = READER_BEHIND_VALUE;
    switch (peek(reader)) {
    case '"':
        *token_out = TOKEN_STRING;
        return read_string(reader);
    case 't':
        *token_out = TOKEN_TRUE;
        return read_literal(reader, TEXT("true"));
    case 'f':
        *token_out = TOKEN_FALSE;
        return read_literal(reader, TEXT("false"));
    case 'n':
        *token_out = TOKEN_NULL;
        return read_literal(reader, TEXT("null"));
    default:
        *token_out = TOKEN_NUMBER;
        return is_number_start(peek(reader)) ? read_number(reader) : fail_value(reader);
    }
}

static bool read_value(struct json_reader *reader, enum json_token *token_out) {
    reader->has_escapes = false;
    switch (peek(reader)) {
    case '{':
        *token_out = TOKEN_OBJECT_OPEN;
        return open_container(reader, true);
    case '[':
        *token_out = TOKEN_ARRAY_OPEN;
        return open_container(reader, false);
    default:
        return read_scalar(reader, token_out);
    }
}

static bool read_key(struct json_reader *reader, enum json_token *token_out) {
    if (peek(reader) != '"') {
        return fail_expecting(reader, "the text ends where a key is expected",
                              "a key in double quotes is expected");
    }
    if (!read_string(reader) || !skip_space(reader)) {
        return false;
    }
    if (peek(reader) != ':') {
        return fail_expecting(reader, "the text ends where a colon is expected",
                              "a colon is expected behind a key");
    }
    reader->at++;
    reader->state = READER_AT_VALUE;
    *token_out = TOKEN_KEY;
    return true;
}

/* Behind the value at the top only the end may come. */
static bool read_end(struct json_reader *reader, enum json_token *token_out) {
    if (!is_at_end(reader)) {
        return fail(reader, reader->at, "something stands behind the value");
    }
    *token_out = TOKEN_END;
    return true;
}

/* A comma and what it promises, or the end of the container. */
static bool read_separator(struct json_reader *reader, enum json_token *token_out) {
    bool is_object = is_in_object(reader);
    unsigned char end = is_object ? '}' : ']';
    if (peek(reader) == end) {
        return close_container(reader, token_out);
    }
    if (peek(reader) != ',') {
        return fail_expecting(
            reader, is_object ? "the text ends inside an object" : "the text ends inside an array",
            is_object ? "a comma or '}' is expected" : "a comma or ']' is expected");
    }
    reader->at++;
    if (!skip_space(reader)) {
        return false;
    }
    reader->token_at = reader->at;
    if (peek(reader) == end) {
        return fail(reader, reader->at, "a comma before the end");
    }
    return is_object ? read_key(reader, token_out) : read_value(reader, token_out);
}

bool json_reader_next(struct json_reader *reader, enum json_token *token_out) {
    if (!skip_space(reader)) {
        return false;
    }
    reader->token_at = reader->at;
    switch (reader->state) {
    case READER_AT_FIRST_KEY:
        return peek(reader) == '}' ? close_container(reader, token_out)
                                   : read_key(reader, token_out);
    case READER_AT_FIRST_ELEMENT:
        return peek(reader) == ']' ? close_container(reader, token_out)
                                   : read_value(reader, token_out);
    case READER_BEHIND_VALUE:
        return reader->depth == 0 ? read_end(reader, token_out) : read_separator(reader, token_out);
    case READER_AT_VALUE:
    default:
        return read_value(reader, token_out);
    }
}

/* ---- unescaping ---- */

static size_t put_utf8(uint32_t code_point, char *out) {
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    size_t bytes = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(leads[bytes] | code_point);
    return bytes;
}

/* Decodes the \u escape at *at (a pair when two surrogates make one) and moves behind it. */
static size_t decode_unicode_escape(struct text raw, size_t *at, char *out) {
    uint32_t code_point = (uint32_t)code_unit_at(raw, *at);
    *at += 6;
    int32_t low = is_high_surrogate((int32_t)code_point) ? code_unit_at(raw, *at) : -1;
    if (is_low_surrogate(low)) {
        code_point = 0x10000 + ((code_point - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
        *at += 6;
    }
    return put_utf8(code_point, out);
}

static char decode_short_escape(char letter) {
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return letter;
    }
}

size_t json_decode(struct text raw, char *out) {
    size_t written = 0;
    size_t at = 0;
    while (at < raw.bytes) {
        size_t escape = text_find_byte(raw, '\\', at);
        memcpy(out + written, raw.data + at, escape - at);
        written += escape - at;
        at = escape;
        if (at + 1 >= raw.bytes) {
            break;
        }
        if (raw.data[at + 1] == 'u') {
            written += decode_unicode_escape(raw, &at, out + written);
        } else {
            out[written++] = decode_short_escape(raw.data[at + 1]);
            at += 2;
        }
    }
    return written;
}
