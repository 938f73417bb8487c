#include "html.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- names, which are ours ----------------------------------------------------------------------
 */

static bool is_name(const char *name) {
    size_t bytes = strlen(name);
    return bytes > 0 && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-") == bytes;
}

static bool is_one_of(const char *name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_void(const char *name) {
    static const char *const names[] = {"br", "hr", "img", "input", "link", "meta"};
    return is_one_of(name, names, ARRAY_COUNT(names));
}

static bool holds_url(const char *name) {
    static const char *const names[] = {"href", "src", "action", "formaction"};
    return is_one_of(name, names, ARRAY_COUNT(names));
}

/* What a browser reads as program or as style, whatever is escaped in it. */
static bool is_executed(const char *name) {
    static const char *const names[] = {"style", "srcdoc", "srcset", "ping"};
    return strncmp(name, "on", 2) == 0 || is_one_of(name, names, ARRAY_COUNT(names));
}

/* ---- texts, which are anybody's -----------------------------------------------------------------
 */

struct span {
    unsigned first, last;
};

/* Turns the direction of writing, or can't be seen: UAX 9, zero-width characters, tags. */
static bool is_deceptive(unsigned c) {
    static const struct span spans[] = {
        {0x00, 0x08},     {0x0B, 0x1F},     {0x7F, 0x9F},      {0xAD, 0xAD},     {0x34F, 0x34F},
        {0x61C, 0x61C},   {0x115F, 0x1160}, {0x17B4, 0x17B5},  {0x180B, 0x180F}, {0x200B, 0x200F},
        {0x2028, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},  {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF},
        {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0xE0000, 0xE0FFF}};
    for (size_t i = 0; i < ARRAY_COUNT(spans); i++) {
        if (c >= spans[i].first && c <= spans[i].last) {
            return true;
        }
    }
    return false;
}

static unsigned decode(struct text text, size_t at, size_t bytes) {
    static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    unsigned c = (unsigned char)text.data[at] & masks[bytes];
    for (size_t i = 1; i < bytes; i++) {
        c = c << 6 | ((unsigned char)text.data[at + i] & 0x3F);
    }
    return c;
}

static void write_character(struct buffer *out, struct text text, size_t at, size_t bytes,
                            bool is_kept) {
    unsigned c = decode(text, at, bytes);
    switch (c) {
    case '&':
        buffer_append_string(out, "&amp;");
        break;
    case '<':
        buffer_append_string(out, "&lt;");
        break;
    case '>':
        buffer_append_string(out, "&gt;");
        break;
    case '"':
        buffer_append_string(out, "&quot;");
        break;
    case '\'':
        buffer_append_string(out, "&#39;");
        break;
    default:
        if (is_deceptive(c) && !is_kept) {
            buffer_append_format(out, "[U+%04X]", c);
        } else {
            buffer_append(out, text.data + at, bytes);
        }
    }
}

/* Good between tags and between double quotes. Kept: what cannot be seen stays what it is. */
static void write_escaped(struct buffer *out, struct text text, bool is_kept) {
    size_t at = 0;
    while (at < text.bytes) {
        size_t bytes = text_utf8_bytes_at(text, at);
        if (bytes == 0) {
            buffer_append_string(out, "\xEF\xBF\xBD");
            at++;
        } else {
            write_character(out, text, at, bytes, is_kept);
            at += bytes;
        }
    }
}

static void write_shown(struct buffer *out, struct text text) {
    struct text shown = text_cut(text, HTML_TEXT_BYTES);
    write_escaped(out, shown, false);
    if (shown.bytes < text.bytes) {
        buffer_append_format(out, "\xE2\x80\xA6 [cut: %zu bytes in all]", text.bytes);
    }
}

/* ---- elements -----------------------------------------------------------------------------------
 */

static void end_tag(struct html *html) {
    if (html->is_in_tag) {
        buffer_append_char(html->out, '>');
        html->is_in_tag = false;
    }
}

void html_init(struct html *html, struct buffer *out) {
    *html = (struct html){.out = out};
    buffer_append_string(out, "<!doctype html>\n");
}

void html_done(struct html *html) {
    assert(html->depth == 0 && !html->is_in_tag);
}

void html_open(struct html *html, const char *name) {
    assert(is_name(name) && html->depth < HTML_DEPTH);
    end_tag(html);
    buffer_append_char(html->out, '<');
    buffer_append_string(html->out, name);
    html->open[html->depth++] = name;
    html->is_in_tag = true;
}

void html_open_class(struct html *html, const char *name, const char *class) {
    html_open(html, name);
    if (class != NULL) {
        html_attribute(html, "class", text_of(class));
    }
}

static void write_attribute_name(struct html *html, const char *name) {
    assert(html->is_in_tag && is_name(name) && !is_executed(name));
    buffer_append_char(html->out, ' ');
    buffer_append_string(html->out, name);
}

void html_attribute(struct html *html, const char *name, struct text value) {
    assert(!holds_url(name));
    write_attribute_name(html, name);
    buffer_append_string(html->out, "=\"");
    write_escaped(html->out, value, false);
    buffer_append_char(html->out, '"');
}

void html_attribute_format(struct html *html, const char *name, const char *format, ...) {
    char value[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(value, sizeof(value), format, arguments);
    va_end(arguments);
    html_attribute(html, name, text_of(value));
}

void html_flag(struct html *html, const char *name) {
    assert(!holds_url(name));
    write_attribute_name(html, name);
}

void html_path(struct html *html, const char *name, const char *path) {
    html_link(html, name, path, TEXT(""), NULL);
}

/* A path that begins with one slash is of this host, whatever follows. */
void html_link(struct html *html, const char *name, const char *path, struct text part,
               const char *rest) {
    assert(holds_url(name) && (path[0] == '#' || (path[0] == '/' && path[1] != '/')));
    assert(path[1] != '\0' || part.bytes == 0);
    write_attribute_name(html, name);
    buffer_append_string(html->out, "=\"");
    write_escaped(html->out, text_of(path), false);
    buffer_append_percent_encoded(html->out, part, "");
    write_escaped(html->out, text_of(rest), false);
    buffer_append_char(html->out, '"');
}

void html_close(struct html *html) {
    assert(html->depth > 0);
    const char *name = html->open[--html->depth];
    end_tag(html);
    if (!is_void(name)) {
        buffer_append_string(html->out, "</");
        buffer_append_string(html->out, name);
        buffer_append_char(html->out, '>');
    }
}

/* ---- what stands in them ------------------------------------------------------------------------
 */

void html_text(struct html *html, struct text text) {
    const char *name = html->depth > 0 ? html->open[html->depth - 1] : "";
    assert(strcmp(name, "script") != 0 && strcmp(name, "style") != 0 && !is_void(name));
    end_tag(html);
    /* What a form gives back must be whole. */
    if (strcmp(name, "textarea") == 0) {
        buffer_append_char(html->out, '\n');
        write_escaped(html->out, text, true);
    } else {
        write_shown(html->out, text);
    }
}

void html_format(struct html *html, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    html_text(html, text_of(text));
}

void html_value(struct html *html, struct text text) {
    html_element(html, "bdi", NULL, text);
}

void html_element(struct html *html, const char *name, const char *class, struct text text) {
    html_open_class(html, name, class);
    html_text(html, text);
    html_close(html);
}

void html_element_format(struct html *html, const char *name, const char *class, const char *format,
                         ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    html_element(html, name, class, text_of(text));
}
