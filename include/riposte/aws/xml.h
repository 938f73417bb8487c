/* An XML document as elements with text: what AWS answers are made of. Attributes, comments and
 * processing instructions are dropped, and so is text beside elements.
 *
 * Ownership:  everything is in the caller's arena.
 * Threads:    pure.
 * Bounds:     XML_DEPTH, XML_ELEMENTS; a document type, and with it every entity of its own, is
 *             refused. */
#ifndef RIPOSTE_AWS_XML_H
#define RIPOSTE_AWS_XML_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define XML_DEPTH    64
#define XML_ELEMENTS 200000

struct xml_element {
    struct text name;
    struct text text; /* UTF-8; empty when it has children */
    const struct xml_element *first, *next;
    size_t child_count;
};

/* ERROR_INVALID with the line; ERROR_LIMIT when too deep or too many. */
MUST_CHECK bool xml_parse(struct text text, struct arena *arena,
                          const struct xml_element **root_out, struct error *error);

/* The first child of that name; NULL when none, or `element` is NULL. */
const struct xml_element *xml_child(const struct xml_element *element, const char *name);
/* Its text; the empty text for NULL. */
struct text xml_text(const struct xml_element *element);

#endif
