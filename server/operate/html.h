/* Writes HTML that says what it was given and nothing else: whatever stands in a text or a value is
 * escaped for the place where it stands, and there is no way to write markup as text. Private to
 * the folder.
 *
 *     html_open(html, "a");
 *     html_link(html, "href", "/rules/", rule->name, NULL);
 *     html_text(html, rule->name);
 *     html_close(html);
 *
 * Texts are untrusted: bytes that are not UTF-8 become U+FFFD; characters that turn the direction
 * of writing, that cannot be seen or that control show as what they are ("[U+202E]"); of a text
 * over HTML_TEXT_BYTES the beginning is shown, and how much there is; what stands in a <textarea>
 * is whole and as it was, since it comes back. html_value() puts a text in
 * <bdi>, so that one written from right to left leaves its surroundings alone.
 *
 * Names of elements and attributes are the program's own literals: asserted, as is that attributes
 * follow html_open(), that what holds a URL gets it by html_link() or html_path(), and that there
 * are no style, script or event attributes.
 *
 * Ownership:  embedded; html_init() borrows the buffer. Names must outlive it: literals.
 * Threads:    one.
 * Bounds:     HTML_DEPTH open elements.
 * Source:     WHATWG HTML, serializing and parsing of texts and double-quoted attribute values;
 *             Unicode UAX 9 (bidirectional control characters). */
#ifndef RIPOSTE_SERVER_OPERATE_HTML_H
#define RIPOSTE_SERVER_OPERATE_HTML_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define HTML_DEPTH      32
#define HTML_TEXT_BYTES 2048

struct html {
    struct buffer *out;
    const char *open[HTML_DEPTH];
    size_t depth;
    bool is_in_tag; /* "<p" is written, its ">" isn't yet */
};

/* Writes the doctype: a document of its own. */
void html_init(struct html *html, struct buffer *out);
/* The document is whole: asserts that every element is closed. */
void html_done(struct html *html);

void html_open(struct html *html, const char *name);
/* html_open() with a class. */
void html_open_class(struct html *html, const char *name, const char *class);
/* Of the element that was just opened. */
void html_attribute(struct html *html, const char *name, struct text value);
void html_attribute_format(struct html *html, const char *name, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Without a value: "checked", "required". */
void html_flag(struct html *html, const char *name);
/* href, action, src: our own path, a literal that begins with "/" or "#". */
void html_path(struct html *html, const char *name, const char *path);
/* The same with `part` percent-encoded behind it, and then `rest` (a literal; NULL: nothing). */
void html_link(struct html *html, const char *name, const char *path, struct text part,
               const char *rest);
void html_close(struct html *html);

void html_text(struct html *html, struct text text);
void html_format(struct html *html, const char *format, ...) PRINTF_LIKE(2, 3);
/* In <bdi>. */
void html_value(struct html *html, struct text text);
/* An element with nothing but this text; class NULL: none. */
void html_element(struct html *html, const char *name, const char *class, struct text text);
void html_element_format(struct html *html, const char *name, const char *class, const char *format,
                         ...) PRINTF_LIKE(4, 5);

#endif
