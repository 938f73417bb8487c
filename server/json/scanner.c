#include "riposte/json/scanner.h"

#include "index.h"
#include "paths.h"
#include "reader.h"
#include "scanner_plain.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

/* Longer texts have offsets that the index can't hold. */
#define SCAN_BYTES ((size_t)UINT32_MAX / 2)

/* Where no path is and none can be below. */
#define LOST JSON_NO_NAME

struct json_scratch {
    struct json_index index;
    struct plain_scratch *plain;
    struct json_membership *memberships;
    size_t membership_capacity;
    struct text *names; /* of the open objects in which no key may occur twice, as written */
    size_t name_capacity;
    size_t *occurrences; /* of the unique paths */
    size_t occurrence_capacity;
    struct buffer key; /* unescaped */
};

/* A failing scan only fails: what is wrong, and where, the plain scanner says. */
struct scan {
    struct json_index *index;
    const uint8_t *text, *end;
    const struct json_paths *paths;
    const struct json_names *names; /* of the paths */
    struct json_scratch *scratch;
    json_leaf_fn *leaf_fn;
    void *arg;
    struct error *error;
    size_t membership_count, name_count;
    uint32_t array_count;
    unsigned depth;        /* open containers */
    bool is_ended;         /* by leaf_fn */
    bool has_escaped_name; /* in an object in which no key may occur twice */
};

struct json_scratch *json_scratch_new(void) {
    struct json_scratch *scratch = memory_new(sizeof(*scratch));
    json_index_init(&scratch->index);
    scratch->plain = plain_scratch_new();
    return scratch;
}

void json_scratch_free(struct json_scratch **scratch) {
    if (*scratch == NULL) {
        return;
    }
    json_index_done(&(*scratch)->index);
    plain_scratch_free(&(*scratch)->plain);
    free((*scratch)->memberships);
    free((*scratch)->names);
    free((*scratch)->occurrences);
    buffer_done(&(*scratch)->key);
    free(*scratch);
    *scratch = NULL;
}

/* ---- tokens ---- */

/* A member is a key, a colon, a value's first token, and what follows it. */
#define MEMBER_TOKENS 4
/* An element is a value's first token and what follows it. */
#define ELEMENT_TOKENS 2

static inline bool has_tokens(struct json_index *index, size_t wanted) {
    if (index->count - index->at < wanted) {
        json_index_more(index, wanted);
    }
    return index->count - index->at >= wanted;
}

/* The next token's first byte, NUL at the end. */
static inline uint8_t peek(struct scan *scan) {
    return has_tokens(scan->index, 1) ? scan->index->firsts[scan->index->at] : '\0';
}

/* The same, which is there, and goes on behind it. */
static inline uint8_t take_first(struct scan *scan) {
    return scan->index->firsts[scan->index->at++];
}

static inline uint32_t take(struct scan *scan) {
    return scan->index->tokens[scan->index->at++];
}

/* The inside of the string that opens at `from`: its closing quote is the last byte before the next
 * token that is no white space. */
static inline void string_before(const struct scan *scan, uint32_t from, uint32_t next,
                                 struct text *inside_out) {
    const uint8_t *inside = scan->text + from + 1, *last = scan->text + next - 1;
    while (*last != '"') {
        last--;
    }
    *inside_out = (struct text){(const char *)inside, (size_t)(last - inside)};
}

static bool has_backslash(const struct scan *scan, struct text text) {
    return scan->index->carry.has_backslash && text.bytes > 0 &&
           memchr(text.data, '\\', text.bytes) != NULL;
}

/* ---- scalars ---- */

/* May the byte at `at` follow a number or literal? */
static inline bool ends_scalar(const struct scan *scan, const uint8_t *at) {
    static const bool ends[256] = {
        [' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true, [','] = true,
        [':'] = true, ['{'] = true,  ['}'] = true,  ['['] = true,  [']'] = true};
    return at == scan->end || ends[*at];
}

static inline bool is_digit_at(const struct scan *scan, const uint8_t *at) {
    return at < scan->end && (uint8_t)(*at - '0') <= 9;
}

/* Behind the digits that begin at `at`. */
static inline const uint8_t *skip_digits(const struct scan *scan, const uint8_t *at) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    while (scan->end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        /* The highest bit of each byte that is no digit. */
        uint64_t value = word ^ 0x3030303030303030u;
        uint64_t others = (((value & 0x7F7F7F7F7F7F7F7Fu) + 0x7676767676767676u) | value) &
                          0x8080808080808080u;
        if (others != 0) {
            return at + (__builtin_ctzll(others) >> 3);
        }
        at += 8;
    }
#endif
    while (is_digit_at(scan, at)) {
        at++;
    }
    return at;
}

/* Byte by byte, for what is unusual: exponents, more than a window of bytes, the end of the text.
 */
static bool number_end_slowly(const struct scan *scan, const uint8_t *from,
                              const uint8_t **end_out) {
    const uint8_t *at = from + (*from == '-');
    if (!is_digit_at(scan, at)) {
        return false;
    }
    at = *at == '0' ? at + 1 : skip_digits(scan, at);
    if (at < scan->end && *at == '.') {
        if (!is_digit_at(scan, ++at)) {
            return false;
        }
        at = skip_digits(scan, at);
    }
    if (at < scan->end && (*at | 0x20) == 'e') {
        at++;
        at += at < scan->end && (*at == '+' || *at == '-');
        if (!is_digit_at(scan, at)) {
            return false;
        }
        at = skip_digits(scan, at);
    }
    *end_out = at;
    return at - from <= JSON_NUMBER_BYTES && ends_scalar(scan, at);
}

/* A bit for each of NUMBER_WINDOW bytes that is no digit. */
#define NUMBER_WINDOW 32
#if defined(__SSE2__)
static inline uint32_t half_window(const uint8_t *at) {
    __m128i value = _mm_sub_epi8(_mm_loadu_si128((const __m128i_u *)at), _mm_set1_epi8('0'));
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(value, _mm_set1_epi8(9)), value);
    return (uint32_t)_mm_movemask_epi8(is_digit);
}

static inline uint32_t others_in_window(const uint8_t *at) {
    return ~(half_window(at) | half_window(at + NUMBER_WINDOW / 2) << (NUMBER_WINDOW / 2));
}
#elif defined(__ARM_NEON)
static inline uint32_t half_window(const uint8_t *at) {
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t is_digit = vcleq_u8(vsubq_u8(vld1q_u8(at), vdupq_n_u8('0')), vdupq_n_u8(9));
    uint8x16_t bits = vandq_u8(is_digit, vld1q_u8(weights));
    return (uint32_t)vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

static inline uint32_t others_in_window(const uint8_t *at) {
    return ~(half_window(at) | half_window(at + NUMBER_WINDOW / 2) << (NUMBER_WINDOW / 2));
}
#else
static inline uint32_t others_in_window(const uint8_t *at) {
    uint32_t others = 0;
    for (unsigned i = 0; i < NUMBER_WINDOW; i++) {
        others |= (uint32_t)((uint8_t)(at[i] - '0') > 9) << i;
    }
    return others;
}
#endif

/* Where the run of digits from byte `from` of the window on ends; NUMBER_WINDOW when beyond it. */
static inline unsigned run_end(uint32_t others, unsigned from) {
    uint64_t ahead = ((uint64_t)1 << NUMBER_WINDOW | others) >> from;
    return from + (unsigned)__builtin_ctzll(ahead);
}

static inline bool number_end(const struct scan *scan, const uint8_t *from,
                              const uint8_t **end_out) {
    if (scan->end - from < NUMBER_WINDOW + 1) {
        return number_end_slowly(scan, from, end_out);
    }
    uint32_t others = others_in_window(from);
    unsigned start = *from == '-', end = run_end(others, start);
    if (end == start || (from[start] == '0' && end > start + 1)) {
        return false;
    }
    if (end < NUMBER_WINDOW - 1 && from[end] == '.') {
        unsigned fraction = end + 1;
        end = run_end(others, fraction);
        if (end == fraction) {
            return false;
        }
    }
    if (end >= NUMBER_WINDOW - 1 || (from[end] | 0x20) == 'e') {
        return number_end_slowly(scan, from, end_out);
    }
    *end_out = from + end;
    return ends_scalar(scan, from + end);
}

static inline bool is_literal(const struct scan *scan, const uint8_t *at, const char *literal,
                              size_t bytes) {
    return (size_t)(scan->end - at) >= bytes && memcmp(at, literal, bytes) == 0 &&
           ends_scalar(scan, at + bytes);
}

/* The scalar that begins with `first`; not for strings. */
static inline bool scalar_end(const struct scan *scan, const uint8_t *from,
                              enum json_type *type_out, const uint8_t **end_out) {
    if (is_digit_at(scan, from) || *from == '-') {
        *type_out = JSON_NUMBER;
        return number_end(scan, from, end_out);
    }
    switch (*from) {
    case 't':
        *type_out = JSON_TRUE;
        *end_out = from + 4;
        return is_literal(scan, from, "true", 4);
    case 'f':
        *type_out = JSON_FALSE;
        *end_out = from + 5;
        return is_literal(scan, from, "false", 5);
    case 'n':
        *type_out = JSON_NULL;
        *end_out = from + 4;
        return is_literal(scan, from, "null", 4);
    default:
        return false;
    }
}

static inline bool check_scalar(const struct scan *scan, const uint8_t *from) {
    enum json_type type;
    const uint8_t *end;
    return scalar_end(scan, from, &type, &end);
}

/* ---- what nobody asked for ---- */

static bool skip_container(struct scan *scan, uint8_t opening);

/* The value whose first token is tokens[at + ahead], and the token that follows it, which becomes
 * *separator_out. Both are there. */
static inline bool skip_value(struct scan *scan, size_t ahead, uint8_t *separator_out) {
    struct json_index *index = scan->index;
    const uint8_t *firsts = index->firsts + index->at + ahead;
    uint8_t first = firsts[0];
    if (first == '{' || first == '[') {
        index->at += ahead + 1;
        if (!skip_container(scan, first) || !has_tokens(index, 1)) {
            return false;
        }
        *separator_out = take_first(scan);
        return true;
    }
    const uint8_t *from = scan->text + index->tokens[index->at + ahead];
    *separator_out = firsts[1];
    index->at += ahead + 2;
    return first == '"' || check_scalar(scan, from);
}

/* Goes over what reads `alike` again and again: strings, of which nothing is left to check. Leaves
 * at least one token. */
static inline void skip_alike(struct json_index *index, const char *alike, size_t tokens) {
    while (index->count - index->at > tokens &&
           memcmp(index->firsts + index->at, alike, tokens) == 0) {
        index->at += tokens;
    }
}

static bool skip_members(struct scan *scan) {
    for (uint8_t separator = ','; separator != '}';) {
        if (separator != ',') {
            return false;
        }
        skip_alike(scan->index, "\":\",", MEMBER_TOKENS);
        if (!has_tokens(scan->index, MEMBER_TOKENS)) {
            return false;
        }
        const uint8_t *firsts = scan->index->firsts + scan->index->at;
        if (firsts[0] != '"' || firsts[1] != ':' || !skip_value(scan, 2, &separator)) {
            return false;
        }
    }
    return true;
}

static bool skip_elements(struct scan *scan) {
    for (uint8_t separator = ','; separator != ']';) {
        if (separator != ',') {
            return false;
        }
        skip_alike(scan->index, "\",", ELEMENT_TOKENS);
        if (!has_tokens(scan->index, ELEMENT_TOKENS) || !skip_value(scan, 0, &separator)) {
            return false;
        }
    }
    return true;
}

static bool skip_container(struct scan *scan, uint8_t opening) {
    bool is_object = opening == '{';
    scan->array_count += !is_object;
    if (scan->depth == JSON_DEPTH_LIMIT) {
        return false;
    }
    if (peek(scan) == (is_object ? '}' : ']')) {
        scan->index->at++;
        return true;
    }
    scan->depth++;
    bool is_good = is_object ? skip_members(scan) : skip_elements(scan);
    scan->depth--;
    return is_good;
}

/* ---- once and only once ---- */

static bool note_occurrence(struct scan *scan, const struct json_name *name) {
    if ((name->flags & JSON_PATH_UNIQUE) == 0) {
        return true;
    }
    return scan->scratch->occurrences[json_paths_unique_index(scan->paths, name->path)]++ == 0;
}

/* `from`: where the names of the object begin. */
static bool note_name(struct scan *scan, struct text name, size_t from) {
    struct json_scratch *scratch = scan->scratch;
    scan->has_escaped_name |= has_backslash(scan, name);
    for (size_t i = from; i < scan->name_count; i++) {
        if (text_equal(scratch->names[i], name)) {
            return false;
        }
    }
    if (scan->name_count - from == JSON_UNIQUE_MEMBERS) {
        return false;
    }
    scratch->names = memory_grow_array(scratch->names, &scratch->name_capacity,
                                       scan->name_count + 1, sizeof(*scratch->names));
    scratch->names[scan->name_count++] = name;
    return true;
}

/* ---- keys ---- */

/* A key with dots is several names, and may lead through a unique path. `node` is that of the
 * object. */
static bool follow_names(struct scan *scan, struct text key, uint32_t node, uint32_t *node_out,
                         bool *is_unique) {
    size_t from = 0;
    for (;;) {
        size_t dot = text_find_byte(key, '.', from);
        node = json_names_find(scan->names, node, text_slice(key, from, dot), false);
        if (dot == key.bytes || node == LOST) {
            *node_out = node;
            return true;
        }
        const struct json_name *passed = &scan->names->nodes[node];
        *is_unique |= (passed->flags & JSON_PATH_UNIQUE) != 0;
        if (passed->path != JSON_NO_PATH && !note_occurrence(scan, passed)) {
            return false;
        }
        from = dot + 1;
    }
}

static inline bool word_has_dot(uint64_t word) {
    uint64_t others = word ^ 0x2E2E2E2E2E2E2E2Eu; /* a zero byte where a dot was */
    return ((others - 0x0101010101010101u) & ~others & 0x8080808080808080u) != 0;
}

static inline bool has_dot(struct text name, const struct json_name_key *key) {
    return key->bytes <= 16 ? word_has_dot(key->first) || word_has_dot(key->last)
                            : memchr(name.data, '.', name.bytes) != NULL;
}

/* As follow_names(), for any key. */
static inline bool follow_key(struct scan *scan, struct text key, uint32_t node, uint32_t *node_out,
                              bool *is_unique) {
    if (has_backslash(scan, key)) {
        buffer_clear(&scan->scratch->key);
        json_unescape(key, &scan->scratch->key);
        return follow_names(scan, buffer_text(&scan->scratch->key), node, node_out, is_unique);
    }
    if (!json_name_may_begin(&scan->names->nodes[node], key) &&
        (key.bytes == 0 || key.data[0] != '.')) {
        *node_out = LOST;
        return true;
    }
    bool is_padded = scan->end - (const uint8_t *)key.data >= 8;
    struct json_name_key name_key = json_name_key(key, is_padded);
    const struct json_name_slot *slot = json_name_slot(scan->names, node, key.data, &name_key);
    if (slot->child == 0 && has_dot(key, &name_key)) {
        return follow_names(scan, key, node, node_out, is_unique);
    }
    *node_out = slot->child == 0 ? LOST : slot->child;
    return true;
}

/* ---- what somebody asked for ---- */

static bool hand_over(struct scan *scan, uint32_t path, enum json_type type, struct text raw,
                      size_t offset) {
    struct json_leaf leaf = {.path = path,
                             .type = type,
                             .has_escapes = type == JSON_STRING && has_backslash(scan, raw),
                             .raw = raw,
                             .offset = offset,
                             .memberships = scan->scratch->memberships,
                             .membership_count = scan->membership_count};
    scan->is_ended = !scan->leaf_fn(scan->arg, &leaf, scan->error);
    return !scan->is_ended;
}

static bool take_scalar(struct scan *scan, uint32_t offset, uint32_t node) {
    const uint8_t *from = scan->text + offset, *end = NULL;
    const struct json_name *name = node == LOST ? NULL : &scan->names->nodes[node];
    enum json_type type = JSON_STRING;
    struct text raw;
    if (*from == '"') {
        if (!has_tokens(scan->index, 1)) {
            return false;
        }
        string_before(scan, offset, scan->index->tokens[scan->index->at], &raw);
    } else if (scalar_end(scan, from, &type, &end)) {
        raw = (struct text){(const char *)from, (size_t)(end - from)};
    } else {
        return false;
    }
    if (name == NULL || name->path == JSON_NO_PATH) {
        return true;
    }
    return note_occurrence(scan, name) && hand_over(scan, name->path, type, raw, offset);
}

/* Where a value stands that is no element of an array. */
#define NO_ELEMENT             \
    (struct json_membership) { \
        UINT32_MAX, 0          \
    }

static bool take_container(struct scan *scan, uint32_t offset, uint32_t node, bool is_unique,
                           struct json_membership element);

/* As skip_value(), for a value that somebody may have asked for. `node` and `is_unique` say where
 * it stands: handed on one by one, as a struct that is written piecemeal and read as a whole stalls
 * the processor. */
static inline bool take_value(struct scan *scan, size_t ahead, uint32_t node, bool is_unique,
                              struct json_membership element, uint8_t *separator_out) {
    if (node == LOST && !is_unique) {
        return skip_value(scan, ahead, separator_out);
    }
    scan->index->at += ahead;
    uint8_t first = scan->index->firsts[scan->index->at];
    uint32_t offset = take(scan);
    bool is_good = first == '{' || first == '['
                       ? take_container(scan, offset, node, is_unique, element)
                       : take_scalar(scan, offset, node);
    if (!is_good || !has_tokens(scan->index, 1)) {
        return false;
    }
    *separator_out = take_first(scan);
    return true;
}

static inline bool take_member(struct scan *scan, uint32_t object, bool is_unique,
                               size_t names_before, uint8_t *separator_out) {
    struct text key;
    uint32_t node = LOST;
    const uint32_t *tokens = scan->index->tokens + scan->index->at;
    const uint8_t *firsts = scan->index->firsts + scan->index->at;
    if (firsts[0] != '"' || firsts[1] != ':') {
        return false;
    }
    string_before(scan, tokens[0], tokens[1], &key);
    if (is_unique && !note_name(scan, key, names_before)) {
        return false;
    }
    if (object != LOST && !follow_key(scan, key, object, &node, &is_unique)) {
        return false;
    }
    return take_value(scan, 2, node, is_unique, NO_ELEMENT, separator_out);
}

static bool take_members(struct scan *scan, uint32_t object, bool is_unique) {
    size_t names_before = scan->name_count;
    if (!is_unique && (object == LOST || !scan->names->nodes[object].has_names)) {
        return skip_members(scan);
    }
    for (uint8_t separator = ','; separator != '}';) {
        if (separator != ',' || !has_tokens(scan->index, MEMBER_TOKENS) ||
            !take_member(scan, object, is_unique, names_before, &separator)) {
            return false;
        }
    }
    scan->name_count = names_before;
    return true;
}

static void push_membership(struct scan *scan, struct json_membership membership) {
    struct json_scratch *scratch = scan->scratch;
    scratch->memberships = memory_grow_array(scratch->memberships, &scratch->membership_capacity,
                                             scan->membership_count + 1,
                                             sizeof(*scratch->memberships));
    scratch->memberships[scan->membership_count++] = membership;
}

static bool take_elements(struct scan *scan, uint32_t array, bool is_unique) {
    uint32_t number = scan->array_count - 1, element = 0;
    for (uint8_t separator = ','; separator != ']'; element++) {
        struct json_membership membership = {number, element};
        if (separator != ',' || !has_tokens(scan->index, ELEMENT_TOKENS) ||
            !take_value(scan, 0, array, is_unique, membership, &separator)) {
            return false;
        }
    }
    return true;
}

/* Up to and with the closing bracket. */
static bool take_inside(struct scan *scan, uint32_t node, bool is_unique, bool is_object) {
    scan->array_count += !is_object;
    if (scan->depth == JSON_DEPTH_LIMIT) {
        return false;
    }
    if (peek(scan) == (is_object ? '}' : ']')) {
        scan->index->at++;
        return true;
    }
    scan->depth++;
    bool is_good = is_object ? take_members(scan, node, is_unique)
                             : take_elements(scan, node, is_unique);
    scan->depth--;
    return is_good;
}

static bool take_container(struct scan *scan, uint32_t offset, uint32_t node, bool is_unique,
                           struct json_membership element) {
    bool is_object = scan->text[offset] == '{';
    const struct json_name *name = node == LOST ? NULL : &scan->names->nodes[node];
    unsigned flags = name == NULL ? 0 : name->flags;
    size_t memberships_before = scan->membership_count;
    /* An array is nothing but its elements. */
    if (is_object && name != NULL && !note_occurrence(scan, name)) {
        return false;
    }
    if (element.array != NO_ELEMENT.array && node != LOST) {
        push_membership(scan, element);
    }
    if (!take_inside(scan, node, is_unique || (flags & JSON_PATH_UNIQUE) != 0, is_object)) {
        return false;
    }
    scan->membership_count = memberships_before;
    if ((flags & JSON_PATH_CONTAINERS) == 0) {
        return true;
    }
    size_t end = (size_t)scan->index->tokens[scan->index->at - 1] + 1;
    struct text raw = {(const char *)scan->text + offset, end - offset};
    return hand_over(scan, name->path, is_object ? JSON_OBJECT : JSON_ARRAY, raw, offset);
}

/* ---- the scan ---- */

static void forget_last_scan(struct json_scratch *scratch, size_t unique_count) {
    scratch->occurrences = memory_grow_array(scratch->occurrences, &scratch->occurrence_capacity,
                                             unique_count, sizeof(*scratch->occurrences));
    for (size_t i = 0; i < unique_count; i++) {
        scratch->occurrences[i] = 0;
    }
}

static bool scan_top(struct scan *scan) {
    if (peek(scan) != '{') {
        return false;
    }
    scan->index->at++;
    return take_inside(scan, 0, false, true) && !has_tokens(scan->index, 1) &&
           !scan->index->carry.has_error;
}

static bool take_nothing(void *arg, const struct json_leaf *leaf, struct error *error) {
    (void)arg;
    (void)leaf;
    (void)error;
    return true;
}

/* The plain scanner's word on a text that the fast one refused, or leaves to it. */
static bool ask_plain(const struct json_paths *paths, struct json_scratch *scratch,
                      struct text text, bool is_refused, struct error *error) {
    if (!json_scan_plain(paths, scratch->plain, text, take_nothing, NULL, error)) {
        return false;
    }
    return !is_refused || error_set(error, ERROR_INVALID, "byte 0: not a JSON object");
}

bool json_scan(const struct json_paths *paths, struct json_scratch *scratch, struct text text,
               json_leaf_fn *leaf_fn, void *arg, struct error *error) {
    struct scan scan = {.index = &scratch->index,
                        .text = (const uint8_t *)text.data,
                        .end = (const uint8_t *)text.data + text.bytes,
                        .paths = paths,
                        .names = json_paths_names(paths),
                        .scratch = scratch,
                        .leaf_fn = leaf_fn,
                        .arg = arg,
                        .error = error};
    if (text.bytes > SCAN_BYTES) {
        return json_scan_plain(paths, scratch->plain, text, leaf_fn, arg, error);
    }
    forget_last_scan(scratch, json_paths_unique_count(paths));
    json_index_start(&scratch->index, text);
    bool is_good = scan_top(&scan);
    if (scan.is_ended) {
        return false;
    }
    return (is_good && !scan.has_escaped_name) || ask_plain(paths, scratch, text, !is_good, error);
}
const char *json_type_name(enum json_type type) {
    static const char *const names[] = {
        [JSON_NULL] = "null",     [JSON_FALSE] = "false",   [JSON_TRUE] = "true",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string", [JSON_ARRAY] = "array",
        [JSON_OBJECT] = "object",
    };
    return names[type];
}

void json_unescape(struct text raw, struct buffer *out) {
    char *room = buffer_reserve(out, raw.bytes);
    buffer_added(out, json_decode(raw, room));
}
