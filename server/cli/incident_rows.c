#include "incident_rows.h"

#include "riposte/base/clock.h"
#include "riposte/base/time.h"
#include "shown.h"

#define PAGE_ROWS "500" /* when all are asked for */

static void add_parameter(struct buffer *path, const char *name, struct text value) {
    buffer_append_format(
        path, "%c%s=", text_find_byte(buffer_text(path), '?', 0) < path->bytes ? '&' : '?', name);
    buffer_append_percent_encoded(path, value, "");
}

/* "2h" is a time, too: so long ago. */
static bool add_time(struct buffer *path, const char *name, const char *value,
                     struct error *error) {
    char text[TIME_TEXT_BYTES];
    int64_t ms = 0;
    if (value == NULL) {
        return true;
    }
    if (duration_parse(text_of(value), &ms)) {
        time_format_ms(clock_unix_ms(&clock_system) - ms, text);
        add_parameter(path, name, text_of(text));
        return true;
    }
    if (!time_parse(text_of(value), &ms)) {
        return error_set(error, ERROR_INVALID,
                         "--%s: a time as 2026-03-02T09:30:00Z, or how long ago: 2h", name);
    }
    add_parameter(path, name, text_of(value));
    return true;
}

static bool make_path(const struct incident_query *query, struct buffer *path,
                      struct error *error) {
    const struct {
        const char *name, *value;
    } parameters[] = {
        {"state", query->state},
        {"rule", query->rule},
        {"severity", query->severity},
        {"account", query->account},
        {"principal", query->principal},
        {"limit", query->limit != NULL ? query->limit
                  : query->is_all      ? PAGE_ROWS
                                       : NULL},
    };
    buffer_append_string(path, "/v1/incidents");
    for (size_t i = 0; i < ARRAY_COUNT(parameters); i++) {
        if (parameters[i].value != NULL) {
            add_parameter(path, parameters[i].name, text_of(parameters[i].value));
        }
    }
    return add_time(path, "since", query->since, error) &&
           add_time(path, "until", query->until, error);
}

bool incident_rows_read(struct api *api, const struct incident_query *query, struct json **rows_out,
                        struct text *next_out, struct error *error) {
    struct arena *arena = api->target.arena;
    struct json *rows = json_new_array(arena);
    const struct json *answer = NULL;
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    struct text cursor = query->cursor != NULL ? text_of(query->cursor) : TEXT("");
    if (!make_path(query, &path, error)) {
        return false;
    }
    size_t path_bytes = path.bytes;
    do {
        buffer_truncate(&path, path_bytes);
        if (cursor.bytes > 0) {
            add_parameter(&path, "cursor", cursor);
        }
        if (!api_ask(api, TEXT("GET"), buffer_text(&path), TEXT(""), &answer, error)) {
            return false;
        }
        const struct json *row = json_first(json_member(answer, "incidents"));
        for (; row; row = json_next(row)) {
            json_add_element(rows, json_share(arena, row));
        }
        cursor = shown_member(answer, "next");
    } while (query->is_all && cursor.bytes > 0);
    *rows_out = rows;
    *next_out = cursor;
    return true;
}

void incident_rows_show(const struct json *rows, struct buffer *out) {
    for (const struct json *row = json_first(rows); row; row = json_next(row)) {
        struct text reason = shown_member(row, "reason");
        shown_text(out, shown_member(row, "id"), 28);
        shown_text(out, shown_member(row, "state"), 12);
        shown_text(out, shown_member(row, "severity"), 10);
        shown_text(out, shown_member(row, "rule"), 0);
        buffer_append_string(out, "  ");
        shown_text(out, shown_member(json_member(row, "principal"), "name"), 0);
        if (reason.bytes > 0) {
            buffer_append_string(out, "  (");
            shown_text(out, reason, 0);
            buffer_append_char(out, ')');
        }
        buffer_append_char(out, '\n');
    }
}
