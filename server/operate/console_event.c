#include "console.h"

#include <string.h>

#define LINES_MOST   2000
#define STRING_BYTES 1024

/* The members are written a line each, with their path from the top as patterns name it. */
struct shown {
    struct page *page;
    const struct texts *why;
    struct buffer path;
    size_t lines, marked;
};

static void indent(struct html *html, unsigned level) {
    for (unsigned i = 0; i < level; i++) {
        html_text(html, TEXT("  "));
    }
}

/* "detail.eventName: ..." is about the path before the colon. */
static bool is_about(struct text line, struct text path) {
    return path.bytes > 0 && line.bytes > path.bytes && text_starts_with(line, path) &&
           line.data[path.bytes] == ':';
}

static const struct text *find_why(const struct shown *shown, struct text path) {
    for (size_t i = 0; i < shown->why->count; i++) {
        if (is_about(shown->why->items[i], path)) {
            return &shown->why->items[i];
        }
    }
    return NULL;
}

/* As JSON spells it; of a long one the beginning, and how much there is. */
static void write_string(struct html *html, struct text text) {
    scoped(buffer_done) struct buffer spelled = BUFFER_INIT;
    struct text begin = text_cut(text, STRING_BYTES);
    buffer_append_json_string(&spelled, begin);
    html_text(html, buffer_text(&spelled));
    if (begin.bytes < text.bytes) {
        html_format(html, "\xE2\x80\xA6 [cut: %zu bytes in all]", text.bytes);
    }
}

static void write_leaf(struct html *html, const struct json *node) {
    if (json_is_string(node)) {
        write_string(html, json_text(node));
    } else {
        html_text(html, json_text(node));
    }
}

static void write_key(struct html *html, const struct json *node) {
    if (json_key(node).bytes > 0) {
        html_open_class(html, "span", "key");
        write_string(html, json_key(node));
        html_close(html);
        html_text(html, TEXT(": "));
    }
}

static void write_line(struct shown *shown, const struct json *node) {
    struct html *html = &shown->page->html;
    const struct text *why = find_why(shown, buffer_text(&shown->path));
    if (why != NULL) {
        html_open(html, "mark");
        html_attribute(html, "title", text_cut(*why, STRING_BYTES));
        shown->marked++;
    }
    write_key(html, node);
    write_leaf(html, node);
    if (why != NULL) {
        html_close(html);
    }
}

static bool is_container(const struct json *node) {
    return json_is_object(node) || json_is_array(node);
}

static void write_node(struct shown *shown, const struct json *node, unsigned level);

static void write_members(struct shown *shown, const struct json *node, unsigned level) {
    for (const struct json *member = json_first(node); member != NULL && shown->lines < LINES_MOST;
         member = json_next(member)) {
        size_t before = shown->path.bytes;
        if (json_is_object(node)) {
            buffer_append_string(&shown->path, before > 0 ? "." : "");
            buffer_append_text(&shown->path, text_cut(json_key(member), STRING_BYTES));
        }
        write_node(shown, member, level);
        buffer_truncate(&shown->path, before);
    }
}

static void write_node(struct shown *shown, const struct json *node, unsigned level) {
    struct html *html = &shown->page->html;
    shown->lines++;
    indent(html, level);
    if (!is_container(node)) {
        write_line(shown, node);
        html_text(html, TEXT("\n"));
        return;
    }
    write_key(html, node);
    html_text(html, json_is_object(node) ? TEXT("{") : TEXT("["));
    if (json_count(node) > 0) {
        html_text(html, TEXT("\n"));
        write_members(shown, node, level + 1);
        indent(html, level);
    }
    html_text(html, json_is_object(node) ? TEXT("}\n") : TEXT("]\n"));
}

void page_event(struct page *page, struct text event, const struct texts *why) {
    struct shown shown = {.page = page, .why = why};
    struct html *html = &page->html;
    const struct json *root = NULL;
    struct error error = {0};
    if (!json_parse(event, 0, page->arena, &root, NULL, &error)) {
        html_element(html, "p", "problem", TEXT("The event as it was stored is no JSON."));
        return;
    }
    html_open_class(html, "pre", "event");
    html_attribute(html, "tabindex", TEXT("0"));
    html_attribute(html, "role", TEXT("region"));
    html_attribute(html, "aria-label", TEXT("The event"));
    write_node(&shown, root, 0);
    if (shown.lines >= LINES_MOST) {
        html_format(html, "[cut after %d lines: the whole event is %zu bytes]", LINES_MOST,
                    event.bytes);
    }
    html_close(html);
    html_element_format(html, "p", "hint",
                        "%zu of its fields decided and are marked. The API shows it whole: "
                        "GET /v1/incidents/ID.",
                        shown.marked);
    buffer_done(&shown.path);
}
