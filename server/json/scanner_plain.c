#include "scanner_plain.h"

#include "paths.h"
#include "reader.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>

/* An open object or array. */
struct frame {
    struct text key; /* under which it stands, as written; no data for an element or the top */
    struct json_cursor cursor;
    size_t offset;
    uint32_t report_path;      /* what to report it as when it ends, or JSON_NO_PATH */
    uint32_t array, element;   /* of an array: which one, and which element comes next */
    size_t membership_count;   /* around it */
    size_t name_count;         /* before its first member's */
    bool is_object, is_unique; /* unique: no key in it may occur twice */
};

/* A member of an open object in which no key may occur twice. */
struct name {
    size_t from, bytes; /* in the scratch's `names` */
    size_t offset;
};

struct plain_scratch {
    struct frame *frames;
    size_t frame_capacity;
    struct json_membership *memberships;
    size_t membership_capacity;
    struct name *name_list;
    size_t name_capacity;
    struct buffer names, key; /* unescaped */
    size_t *first_offsets;    /* of the unique paths, NOWHERE for none yet */
    size_t first_offset_capacity;
};

#define NOWHERE SIZE_MAX

/* The place of the value to come. */
struct place {
    struct text key;
    struct json_cursor cursor;
    size_t offset; /* of the member's key, or of the element */
    bool is_unique;
};

struct scan {
    struct json_reader reader;
    const struct json_paths *paths;
    struct plain_scratch *scratch;
    json_leaf_fn *leaf_fn;
    void *arg;
    struct error *error;
    size_t depth, membership_count, name_count;
    uint32_t array_count;
    struct place member; /* set by a key for its value */
};

struct plain_scratch *plain_scratch_new(void) {
    return memory_new(sizeof(struct plain_scratch));
}

void plain_scratch_free(struct plain_scratch **scratch) {
    if (*scratch == NULL) {
        return;
    }
    free((*scratch)->frames);
    free((*scratch)->memberships);
    free((*scratch)->name_list);
    free((*scratch)->first_offsets);
    buffer_done(&(*scratch)->names);
    buffer_done(&(*scratch)->key);
    free(*scratch);
    *scratch = NULL;
}

static struct frame *top_frame(const struct scan *scan) {
    return scan->depth == 0 ? NULL : &scan->scratch->frames[scan->depth - 1];
}

/* ---- once and only once ---- */

/* "detail.userIdentity.arn": the keys from the top, as written, and `key` behind them. */
static void append_path(const struct scan *scan, struct text key, struct buffer *out) {
    for (size_t i = 0; i <= scan->depth; i++) {
        struct text part = i < scan->depth ? scan->scratch->frames[i].key : key;
        if (part.data != NULL) {
            buffer_append_string(out, out->bytes > 0 ? "." : "");
            buffer_append_text(out, part);
        }
    }
}

static bool fail_twice(struct scan *scan, struct text path, size_t first, size_t second) {
    return error_set(scan->error, ERROR_INVALID, "%.*s: twice, at bytes %zu and %zu",
                     TEXT_ARG(path), first, second);
}

static bool fail_name_twice(struct scan *scan, size_t first) {
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    append_path(scan, scan->reader.raw, &path);
    return fail_twice(scan, buffer_text(&path), first, scan->reader.token_at);
}

/* Something begins at `offset` whose path is that of `cursor`. */
static bool note_occurrence(struct scan *scan, struct json_cursor cursor, size_t offset) {
    uint32_t path = json_paths_at(scan->paths, cursor);
    if (path == JSON_NO_PATH || (json_paths_flags(scan->paths, path) & JSON_PATH_UNIQUE) == 0) {
        return true;
    }
    size_t *first = &scan->scratch->first_offsets[json_paths_unique_index(scan->paths, path)];
    if (*first != NOWHERE) {
        return fail_twice(scan, json_paths_text(scan->paths, path), *first, offset);
    }
    *first = offset;
    return true;
}

static struct text name_text(const struct plain_scratch *scratch, const struct name *name) {
    return text_slice(buffer_text(&scratch->names), name->from, name->from + name->bytes);
}

/* The objects below a unique path are few and small: comparing with each member is enough. */
static bool note_name(struct scan *scan, struct text name) {
    struct plain_scratch *scratch = scan->scratch;
    size_t from = top_frame(scan)->name_count;
    for (size_t i = from; i < scan->name_count; i++) {
        if (text_equal(name_text(scratch, &scratch->name_list[i]), name)) {
            return fail_name_twice(scan, scratch->name_list[i].offset);
        }
    }
    if (scan->name_count - from == JSON_UNIQUE_MEMBERS) {
        return error_set(scan->error, ERROR_LIMIT, "byte %zu: an object of more than %d members",
                         top_frame(scan)->offset, JSON_UNIQUE_MEMBERS);
    }
    scratch->name_list = memory_grow_array(scratch->name_list, &scratch->name_capacity,
                                           scan->name_count + 1, sizeof(*scratch->name_list));
    scratch->name_list[scan->name_count++] = (struct name){scratch->names.bytes, name.bytes,
                                                           scan->reader.token_at};
    buffer_append_text(&scratch->names, name);
    return true;
}

static void forget_names(struct scan *scan, size_t name_count) {
    if (name_count < scan->name_count) {
        buffer_truncate(&scan->scratch->names, scan->scratch->name_list[name_count].from);
        scan->name_count = name_count;
    }
}

/* ---- keys ---- */

static struct text unescaped_key(struct scan *scan) {
    if (!scan->reader.has_escapes) {
        return scan->reader.raw;
    }
    buffer_clear(&scan->scratch->key);
    json_unescape(scan->reader.raw, &scan->scratch->key);
    return buffer_text(&scan->scratch->key);
}

/* Follows a key from its object's place, name by name: a key with dots may lead through a unique
 * path. */
static bool walk_key(struct scan *scan, struct text key) {
    struct place *member = &scan->member;
    if (scan->depth > 1) {
        member->cursor = json_paths_walk(scan->paths, member->cursor, TEXT("."));
    }
    size_t from = 0;
    while (!json_cursor_is_lost(member->cursor)) {
        size_t dot = text_find_byte(key, '.', from);
        member->cursor = json_paths_walk(scan->paths, member->cursor, text_slice(key, from, dot));
        if (dot == key.bytes || json_cursor_is_lost(member->cursor)) {
            break;
        }
        uint32_t passed = json_paths_at(scan->paths, member->cursor);
        if (passed != JSON_NO_PATH) {
            member->is_unique |= (json_paths_flags(scan->paths, passed) & JSON_PATH_UNIQUE) != 0;
            if (!note_occurrence(scan, member->cursor, member->offset)) {
                return false;
            }
        }
        member->cursor = json_paths_walk(scan->paths, member->cursor, TEXT("."));
        from = dot + 1;
    }
    return true;
}

static bool take_key(struct scan *scan) {
    const struct frame *object = top_frame(scan);
    scan->member = (struct place){.key = scan->reader.raw,
                                  .cursor = object->cursor,
                                  .offset = scan->reader.token_at,
                                  .is_unique = object->is_unique};
    if (json_cursor_is_lost(object->cursor) && !object->is_unique) {
        return true;
    }
    struct text key = unescaped_key(scan);
    if (object->is_unique && !note_name(scan, key)) {
        return false;
    }
    return json_cursor_is_lost(object->cursor) || walk_key(scan, key);
}

/* ---- values ---- */

static bool hand_over(struct scan *scan, uint32_t path, enum json_type type, struct text raw,
                      size_t offset) {
    struct json_leaf leaf = {.path = path,
                             .type = type,
                             .has_escapes = type == JSON_STRING && scan->reader.has_escapes,
                             .raw = raw,
                             .offset = offset,
                             .memberships = scan->scratch->memberships,
                             .membership_count = scan->membership_count};
    return scan->leaf_fn(scan->arg, &leaf, scan->error);
}

/* Where the value that begins now stands; an element counts. */
static struct place next_place(struct scan *scan) {
    struct frame *frame = top_frame(scan);
    if (frame->is_object) {
        return scan->member;
    }
    frame->element++;
    return (struct place){
        .cursor = frame->cursor, .offset = scan->reader.token_at, .is_unique = frame->is_unique};
}

static bool take_scalar(struct scan *scan, enum json_type type) {
    struct place place = next_place(scan);
    uint32_t path = json_paths_at(scan->paths, place.cursor);
    if (path == JSON_NO_PATH) {
        return true;
    }
    return note_occurrence(scan, place.cursor, place.offset) &&
           hand_over(scan, path, type, scan->reader.raw, scan->reader.token_at);
}

static void push_membership(struct scan *scan, struct json_membership membership) {
    struct plain_scratch *scratch = scan->scratch;
    scratch->memberships = memory_grow_array(scratch->memberships, &scratch->membership_capacity,
                                             scan->membership_count + 1,
                                             sizeof(*scratch->memberships));
    scratch->memberships[scan->membership_count++] = membership;
}

static void push_frame(struct scan *scan, struct frame frame) {
    struct plain_scratch *scratch = scan->scratch;
    scratch->frames = memory_grow_array(scratch->frames, &scratch->frame_capacity, scan->depth + 1,
                                        sizeof(*scratch->frames));
    scratch->frames[scan->depth++] = frame;
}

static struct frame frame_at(const struct scan *scan, struct place place, bool is_object) {
    return (struct frame){.key = place.key,
                          .cursor = place.cursor,
                          .offset = scan->reader.token_at,
                          .report_path = JSON_NO_PATH,
                          .membership_count = scan->membership_count,
                          .name_count = scan->name_count,
                          .is_object = is_object,
                          .is_unique = place.is_unique};
}

static bool take_open(struct scan *scan, bool is_object) {
    struct place place = next_place(scan);
    struct frame frame = frame_at(scan, place, is_object);
    uint32_t path = json_paths_at(scan->paths, place.cursor);
    if (path != JSON_NO_PATH) {
        unsigned flags = json_paths_flags(scan->paths, path);
        frame.report_path = (flags & JSON_PATH_CONTAINERS) != 0 ? path : JSON_NO_PATH;
        frame.is_unique |= (flags & JSON_PATH_UNIQUE) != 0;
        /* An array is nothing but its elements. */
        if (is_object && !note_occurrence(scan, place.cursor, place.offset)) {
            return false;
        }
    }
    const struct frame *outer = top_frame(scan);
    if (!outer->is_object && !json_cursor_is_lost(place.cursor)) {
        push_membership(scan, (struct json_membership){outer->array, outer->element - 1});
    }
    frame.array = is_object ? 0 : scan->array_count++;
    push_frame(scan, frame);
    return true;
}

static bool take_close(struct scan *scan) {
    struct frame frame = *top_frame(scan);
    scan->depth--;
    scan->membership_count = frame.membership_count;
    forget_names(scan, frame.name_count);
    if (frame.report_path == JSON_NO_PATH) {
        return true;
    }
    struct text raw = text_slice(scan->reader.text, frame.offset, scan->reader.at);
    return hand_over(scan, frame.report_path, frame.is_object ? JSON_OBJECT : JSON_ARRAY, raw,
                     frame.offset);
}

/* ---- the scan ---- */

static bool take_token(struct scan *scan, enum json_token token) {
    switch (token) {
    case TOKEN_KEY:
        return take_key(scan);
    case TOKEN_OBJECT_OPEN:
    case TOKEN_ARRAY_OPEN:
        return take_open(scan, token == TOKEN_OBJECT_OPEN);
    case TOKEN_OBJECT_CLOSE:
    case TOKEN_ARRAY_CLOSE:
        return take_close(scan);
    case TOKEN_END:
        return true;
    default:
        return take_scalar(scan, (enum json_type)token);
    }
}

static bool next_token(struct scan *scan, enum json_token *token_out) {
    const struct json_reader *reader = &scan->reader;
    return json_reader_next(&scan->reader, token_out) ||
           error_set(scan->error, reader->failure, "byte %zu: %s", reader->problem_at,
                     reader->problem);
}

static bool open_top(struct scan *scan) {
    enum json_token token;
    if (!next_token(scan, &token)) {
        return false;
    }
    if (token != TOKEN_OBJECT_OPEN) {
        return error_set(scan->error, ERROR_INVALID, "byte %zu: an object is expected, not %s",
                         scan->reader.token_at,
                         token == TOKEN_ARRAY_OPEN ? "an array" : "a single value");
    }
    push_frame(scan, frame_at(scan, (struct place){.cursor = json_paths_start()}, true));
    return true;
}

static void forget_last_scan(struct plain_scratch *scratch, size_t unique_count) {
    scratch->first_offsets = memory_grow_array(scratch->first_offsets,
                                               &scratch->first_offset_capacity, unique_count,
                                               sizeof(*scratch->first_offsets));
    for (size_t i = 0; i < unique_count; i++) {
        scratch->first_offsets[i] = NOWHERE;
    }
    buffer_clear(&scratch->names);
}

bool json_scan_plain(const struct json_paths *paths, struct plain_scratch *scratch,
                     struct text text, json_leaf_fn *leaf_fn, void *arg, struct error *error) {
    struct scan scan = {
        .paths = paths, .scratch = scratch, .leaf_fn = leaf_fn, .arg = arg, .error = error};
    forget_last_scan(scratch, json_paths_unique_count(paths));
    json_reader_init(&scan.reader, text, false);
    if (!open_top(&scan)) {
        return false;
    }
    enum json_token token = TOKEN_OBJECT_OPEN;
    while (token != TOKEN_END) {
        if (!next_token(&scan, &token) || !take_token(&scan, token)) {
            return false;
        }
    }
    assert(scan.depth == 0);
    return true;
}
