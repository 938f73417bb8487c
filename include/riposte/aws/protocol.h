/* A call's parameters, a JSON object with the API's wire names, as the form that the query and EC2
 * protocols take, or as the document of the JSON protocol.
 *
 *     {"A": {"B": true}}             A.B=true
 *     {"Names": ["x", "y"]}          query: Names.member.1=x&Names.member.2=y   ec2: Names.1=x&...
 *     {"Tags.Tag.N": [{"Key": "k"}]} Tags.Tag.1.Key=k: a list whose elements the API names itself,
 *                                  or the one element of it
 *     {"Names": []}                  query: Names=   ec2: nothing
 *     {"Doc": {"$json": {...}}}      the JSON text of what "$json" holds, compact
 *
 * Members go out in their order, numbers as they are spelled.
 *
 * Threads:    pure.
 * Bounds:     PROTOCOL_DEPTH levels, PROTOCOL_BODY_BYTES.
 * Source:     FACTS.md 5 (botocore's QuerySerializer and EC2Serializer). */
#ifndef RIPOSTE_AWS_PROTOCOL_H
#define RIPOSTE_AWS_PROTOCOL_H

#include "riposte/aws/service.h"
#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

#define PROTOCOL_DEPTH      32
#define PROTOCOL_BODY_BYTES (1024 * 1024)

/* Appends "Action=...&Version=...&..." to `body`. `parameters` may be NULL. ERROR_INVALID names the
 * parameter: null, a name that would change the operation, too deep; ERROR_LIMIT: too large. */
MUST_CHECK bool aws_protocol_form(const struct aws_service *service, struct text operation,
                                  const struct json *parameters, struct buffer *body,
                                  struct error *error);

/* Appends `value` as compact JSON, with {"$json": ...} as a string of the JSON text within; NULL:
 * {}. ERROR_INVALID: too deep; ERROR_LIMIT: too large. */
MUST_CHECK bool aws_protocol_json(const struct json *value, struct buffer *body,
                                  struct error *error);

#endif
