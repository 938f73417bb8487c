#include "riposte/cli/splitter.h"

#include "riposte/base/buffer.h"
#include "riposte/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 16

enum where {
    OUTSIDE, /* between values at the top */
    OBJECT,  /* in one at the top: a record, unless it holds a list of them */
    LIST,    /* between the elements of a list */
    ELEMENT, /* in one of them */
    REST,    /* behind the list, in the object that held it */
    LOST,    /* in what is no JSON: up to the end of the line, or the next element */
};

struct splitter {
    struct splitter_sink sink;
    enum where where;
    struct splitter_place now, start;
    struct buffer record;
    size_t depth;
    bool in_string, is_escaped, is_too_long;
    bool is_list_at_top; /* LIST: a bare array */
    bool is_line;        /* OBJECT: more than its brace stands on its first line */
    bool at_line_start;
    bool has_told; /* of what is wrong, until a record is good again */
    /* The last string at depth 1, and whether a list may follow it. */
    char key[KEY_BYTES];
    size_t key_bytes;
    bool is_list_next;
};

static void start_over(struct splitter *splitter) {
    struct splitter_sink sink = splitter->sink;
    struct buffer record = splitter->record;
    buffer_clear(&record);
    *splitter = (struct splitter){.sink = sink, .record = record};
    splitter->now = (struct splitter_place){.line = 1};
    splitter->at_line_start = true;
}

struct splitter *splitter_new(const struct splitter_sink *sink) {
    struct splitter *splitter = memory_new(sizeof(*splitter));
    splitter->sink = *sink;
    buffer_init(&splitter->record, 0);
    start_over(splitter);
    return splitter;
}

void splitter_free(struct splitter **splitter) {
    if (*splitter != NULL) {
        buffer_done(&(*splitter)->record);
        free(*splitter);
    }
    *splitter = NULL;
}

static void tell(struct splitter *splitter, const char *what, const struct splitter_place *place) {
    if (!splitter->has_told) {
        splitter->sink.problem_fn(splitter->sink.arg, what, place);
    }
    splitter->has_told = true;
}

/* ---- a record ---- */

static bool is_in_list(const struct splitter *splitter) {
    return splitter->where == ELEMENT;
}

static void keep(struct splitter *splitter, char c) {
    if (splitter->record.bytes < SPLITTER_RECORD_BYTES) {
        buffer_append_char(&splitter->record, c);
    } else {
        splitter->is_too_long = true;
    }
}

static void begin(struct splitter *splitter, enum where where, char c) {
    buffer_clear(&splitter->record);
    splitter->where = where;
    splitter->start = splitter->now;
    splitter->depth = 1;
    splitter->in_string = splitter->is_escaped = splitter->is_too_long = false;
    splitter->is_line = splitter->is_list_next = false;
    splitter->key_bytes = 0;
    keep(splitter, c);
}

static void finish(struct splitter *splitter) {
    splitter->where = is_in_list(splitter) ? LIST : OUTSIDE;
    if (splitter->is_too_long) {
        tell(splitter, "a record of more than 2 MiB", &splitter->start);
        return;
    }
    splitter->has_told = false;
    splitter->sink.record_fn(splitter->sink.arg, buffer_text(&splitter->record), &splitter->start);
}

static bool is_list_key(const struct splitter *splitter) {
    struct text key = {splitter->key, splitter->key_bytes};
    return text_equal(key, TEXT("Records")) || text_equal(key, TEXT("Events"));
}

/* In a string; it ends with its quote. */
static void take_in_string(struct splitter *splitter, char c) {
    bool ends = c == '"' && !splitter->is_escaped;
    if (!ends && splitter->depth == 1 && splitter->key_bytes < KEY_BYTES) {
        splitter->key[splitter->key_bytes++] = c;
    }
    splitter->is_escaped = c == '\\' && !splitter->is_escaped;
    splitter->in_string = !ends;
    keep(splitter, c);
}

/* Keeps track of what an object at the top says next: its list begins at the "[". */
static bool begins_list(struct splitter *splitter, char c) {
    bool is_at_top = splitter->where == OBJECT && splitter->depth == 1;
    bool was_next = splitter->is_list_next;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        return false;
    }
    splitter->is_list_next = is_at_top && c == ':' && is_list_key(splitter);
    return is_at_top && was_next && c == '[';
}

static void enter_list(struct splitter *splitter, bool is_at_top) {
    splitter->where = LIST;
    splitter->is_list_at_top = is_at_top;
    buffer_clear(&splitter->record);
}

/* The last line never ended, and here begins another: seen in JSON lines only. */
static bool begins_anew(const struct splitter *splitter, char c) {
    return splitter->where == OBJECT && splitter->is_line && splitter->at_line_start && c == '{';
}

static void break_off(struct splitter *splitter) {
    tell(splitter, "a record that does not end", &splitter->start);
    splitter->where = is_in_list(splitter) ? LIST : OUTSIDE;
}

static void take_in_record(struct splitter *splitter, char c) {
    if (splitter->in_string && c == '\n') {
        break_off(splitter);
        return;
    }
    if (splitter->in_string) {
        take_in_string(splitter, c);
        return;
    }
    if (begins_anew(splitter, c)) {
        break_off(splitter);
        begin(splitter, OBJECT, c);
        return;
    }
    if (begins_list(splitter, c)) {
        enter_list(splitter, false);
        return;
    }
    if (c == '"') {
        splitter->in_string = true;
        splitter->key_bytes = splitter->depth == 1 ? 0 : splitter->key_bytes;
    }
    splitter->is_line |= splitter->now.line == splitter->start.line && c != '\n' && c != '\r';
    splitter->depth += c == '{' || c == '[' ? 1 : 0;
    keep(splitter, c);
    if ((c == '}' || c == ']') && --splitter->depth == 0) {
        finish(splitter);
    }
}

/* ---- around records ---- */

static bool is_blank(char c) {
    /* A byte order mark counts. */
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\xEF' || c == '\xBB' ||
           c == '\xBF';
}

static void lose(struct splitter *splitter, const char *what) {
    tell(splitter, what, &splitter->now);
    splitter->where = LOST;
}

static void take_outside(struct splitter *splitter, char c) {
    if (c == '{') {
        begin(splitter, OBJECT, c);
    } else if (c == '[') {
        enter_list(splitter, true);
    } else if (!is_blank(c)) {
        splitter->depth = 0;
        lose(splitter, "no JSON object");
    }
}

static void take_in_list(struct splitter *splitter, char c) {
    if (c == '{' || c == '[') {
        begin(splitter, ELEMENT, c);
    } else if (c == ']') {
        splitter->where = splitter->is_list_at_top ? OUTSIDE : REST;
        splitter->depth = 1;
        splitter->in_string = splitter->is_escaped = false;
    } else if (c != ',' && !is_blank(c)) {
        splitter->depth = 1;
        lose(splitter, "no record");
    }
}

/* Nothing here is wanted. */
static void take_in_rest(struct splitter *splitter, char c) {
    if (splitter->in_string) {
        splitter->in_string = c != '"' || splitter->is_escaped;
        splitter->is_escaped = c == '\\' && !splitter->is_escaped;
        return;
    }
    splitter->in_string = c == '"';
    splitter->depth += c == '{' || c == '[' ? 1 : 0;
    if ((c == '}' || c == ']') && --splitter->depth == 0) {
        splitter->where = OUTSIDE;
    }
}

/* depth: 0 outside, 1 in a list. */
static void take_lost(struct splitter *splitter, char c) {
    if (splitter->depth == 0 && c == '\n') {
        splitter->where = OUTSIDE;
    } else if (splitter->depth == 1 && (c == '{' || c == ']')) {
        splitter->where = LIST;
        take_in_list(splitter, c);
    }
}

static void take(struct splitter *splitter, char c) {
    switch (splitter->where) {
    case OUTSIDE:
        take_outside(splitter, c);
        break;
    case OBJECT:
    case ELEMENT:
        take_in_record(splitter, c);
        break;
    case LIST:
        take_in_list(splitter, c);
        break;
    case REST:
        take_in_rest(splitter, c);
        break;
    case LOST:
        take_lost(splitter, c);
        break;
    }
    splitter->now.byte++;
    splitter->now.line += c == '\n' ? 1 : 0;
    splitter->at_line_start = c == '\n';
}

void splitter_feed(struct splitter *splitter, struct text bytes) {
    for (size_t i = 0; i < bytes.bytes; i++) {
        take(splitter, bytes.data[i]);
    }
}

void splitter_end(struct splitter *splitter) {
    if (splitter->where == OBJECT || splitter->where == ELEMENT) {
        tell(splitter, "a record that does not end", &splitter->start);
    } else if (splitter->where == LIST || splitter->where == REST) {
        tell(splitter, "the file ends before its list of records does", &splitter->now);
    }
    start_over(splitter);
}
