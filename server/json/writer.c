#include "riposte/json/writer.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>

/* ---- trees ---- */

/* Recurses a level of the tree: what was parsed is at most JSON_DEPTH_LIMIT deep. */
struct tree_writer {
    struct buffer *out;
    bool is_pretty;
    size_t depth;
};

static void new_line(const struct tree_writer *writer) {
    if (!writer->is_pretty) {
        return;
    }
    buffer_append_char(writer->out, '\n');
    for (size_t i = 0; i < writer->depth; i++) {
        buffer_append_string(writer->out, "  ");
    }
}

/* Index of the first lone surrogate from `from` on (a tree keeps one as the three bytes ED A0 80 to
 * ED BF BF), or text.bytes. */
static size_t find_surrogate(struct text text, size_t from) {
    size_t at = text_find_byte(text, '\xED', from);
    while (at < text.bytes) {
        const unsigned char *bytes = (const unsigned char *)text.data + at;
        if (text.bytes - at >= 3 && bytes[1] >= 0xA0 && bytes[1] <= 0xBF && (bytes[2] >> 6) == 2) {
            return at;
        }
        at = text_find_byte(text, '\xED', at + 1);
    }
    return at;
}

/* A lone surrogate goes out as the escape that it came in as. */
static void write_string(struct buffer *out, struct text text) {
    buffer_append_char(out, '"');
    size_t from = 0;
    size_t at = find_surrogate(text, 0);
    while (at < text.bytes) {
        const unsigned char *bytes = (const unsigned char *)text.data + at;
        buffer_append_json_escaped(out, text_slice(text, from, at));
        buffer_append_format(out, "\\ud%02x%x",
                             (unsigned)(bytes[1] & 0x3F) << 2 | (bytes[2] & 0x3F) >> 4,
                             bytes[2] & 0xFu);
        from = at + 3;
        at = find_surrogate(text, from);
    }
    buffer_append_json_escaped(out, text_slice(text, from, text.bytes));
    buffer_append_char(out, '"');
}

static void write_scalar(struct buffer *out, const struct json *node) {
    if (json_type(node) == JSON_STRING) {
        write_string(out, json_text(node));
    } else {
        buffer_append_text(out, json_text(node));
    }
}

static void write_node(struct tree_writer *writer, const struct json *node);

static void write_children(struct tree_writer *writer, const struct json *container) {
    bool is_object = json_is_object(container);
    buffer_append_char(writer->out, is_object ? '{' : '[');
    writer->depth++;
    for (const struct json *child = json_first(container); child != NULL;
         child = json_next(child)) {
        new_line(writer);
        if (is_object) {
            write_string(writer->out, json_key(child));
            buffer_append_string(writer->out, writer->is_pretty ? ": " : ":");
        }
        write_node(writer, child);
        if (json_next(child) != NULL) {
            buffer_append_char(writer->out, ',');
        }
    }
    writer->depth--;
    new_line(writer);
    buffer_append_char(writer->out, is_object ? '}' : ']');
}

static void write_node(struct tree_writer *writer, const struct json *node) {
    bool is_object = json_is_object(node);
    if (!is_object && !json_is_array(node)) {
        write_scalar(writer->out, node);
    } else if (json_first(node) == NULL) {
        buffer_append_string(writer->out, is_object ? "{}" : "[]");
    } else {
        write_children(writer, node);
    }
}

void json_write(struct buffer *out, const struct json *node) {
    struct tree_writer writer = {.out = out};
    write_node(&writer, node);
}

void json_write_pretty(struct buffer *out, const struct json *node) {
    struct tree_writer writer = {.out = out, .is_pretty = true};
    write_node(&writer, node);
}

/* ---- member by member ---- */

void json_writer_init(struct json_writer *writer, struct buffer *out) {
    *writer = (struct json_writer){.out = out};
}

static void start_value(struct json_writer *writer, const char *key) {
    assert((key != NULL) == writer->is_object[writer->depth]);
    assert(writer->depth > 0 || !writer->has_members[0]);
    if (writer->has_members[writer->depth]) {
        buffer_append_char(writer->out, ',');
    }
    writer->has_members[writer->depth] = true;
    if (key != NULL) {
        buffer_append_json_string(writer->out, text_of(key));
        buffer_append_char(writer->out, ':');
    }
}

static void open_container(struct json_writer *writer, const char *key, bool is_object) {
    start_value(writer, key);
    buffer_append_char(writer->out, is_object ? '{' : '[');
    writer->depth++;
    assert(writer->depth < JSON_WRITER_DEPTH);
    writer->has_members[writer->depth] = false;
    writer->is_object[writer->depth] = is_object;
}

static void close_container(struct json_writer *writer, bool is_object) {
    assert(writer->depth > 0 && writer->is_object[writer->depth] == is_object);
    writer->depth--;
    buffer_append_char(writer->out, is_object ? '}' : ']');
}

void json_open_object(struct json_writer *writer, const char *key) {
    open_container(writer, key, true);
}

void json_close_object(struct json_writer *writer) {
    close_container(writer, true);
}

void json_open_array(struct json_writer *writer, const char *key) {
    open_container(writer, key, false);
}

void json_close_array(struct json_writer *writer) {
    close_container(writer, false);
}

void json_put_text(struct json_writer *writer, const char *key, struct text value) {
    start_value(writer, key);
    buffer_append_json_string(writer->out, value);
}

void json_put_string(struct json_writer *writer, const char *key, const char *value) {
    json_put_text(writer, key, text_of(value));
}

void json_put_integer(struct json_writer *writer, const char *key, int64_t value) {
    start_value(writer, key);
    buffer_append_format(writer->out, "%" PRId64, value);
}

void json_put_bool(struct json_writer *writer, const char *key, bool value) {
    start_value(writer, key);
    buffer_append_string(writer->out, value ? "true" : "false");
}

void json_put_null(struct json_writer *writer, const char *key) {
    start_value(writer, key);
    buffer_append_string(writer->out, "null");
}

void json_put_raw(struct json_writer *writer, const char *key, struct text value) {
    start_value(writer, key);
    buffer_append_text(writer->out, value);
}

void json_put_tree(struct json_writer *writer, const char *key, const struct json *value) {
    start_value(writer, key);
    json_write(writer->out, value);
}
