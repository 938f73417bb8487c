/* A JSON value as the XML document of a request.
 *
 *     {"root": "R", "namespace": "n", "value": {"A": true, "B": ["1", "2"]}}
 *         <R xmlns="n"><A>true</A><B>1</B><B>2</B></R>
 *     {"root": "R", "value": {"@id": "7"}}
 *         <R id="7" />
 *
 * Members go out in their order; a list is its member once an element, so that a list that the API
 * wraps is spelled out: {"Items": {"Item": [...]}}. Empty elements, line breaks and quotes are
 * spelled as botocore spells them.
 *
 * Threads:    pure.
 * Bounds:     XML_WRITER_DEPTH. */
#ifndef RIPOSTE_AWS_XML_WRITER_H
#define RIPOSTE_AWS_XML_WRITER_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

#define XML_WRITER_DEPTH 32

/* ERROR_INVALID: a member that is no name, null, a control character, an attribute that isn't text,
 * a list in a list, or too deep. */
MUST_CHECK bool aws_xml_write(const struct json *document, struct buffer *out, struct error *error);

#endif
