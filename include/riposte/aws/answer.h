/* What an answer says, as JSON; and what an error says, whichever protocol shaped it.
 *
 *     <GetUserResponse><GetUserResult><User>      {"User": {"UserId": "AIDA..."}}
 *     <a><member>1</member></a>                   {"a": ["1"]}        (item likewise)
 *     <a><b>1</b><b>2</b></a>                     {"a": {"b": ["1", "2"]}}
 *     <BlockConfig><On>true</On></BlockConfig>    {"On": "true"}      (rest-xml: the root is
 * stripped) <a/>, <a> white space with a line break </a> {"a": []}
 *
 * Ownership:  everything is in the caller's arena.
 * Threads:    pure.
 * Bounds:     those of xml.h.
 * Source:     RULES.md, The context; FACTS.md 5, Errors. */
#ifndef RIPOSTE_AWS_ANSWER_H
#define RIPOSTE_AWS_ANSWER_H

#include "riposte/aws/service.h"
#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"
#include "riposte/outbound/http.h"

#include <stdbool.h>

/* The body of an answer of that protocol. Always an object; {} for no text at all, and for content
 * that is none (an object of S3). *request_id_out is empty where the body names none.
 * ERROR_INVALID: not the answer of such a service; ERROR_LIMIT as xml.h. */
MUST_CHECK bool aws_answer_read(enum aws_protocol protocol, struct text text, struct arena *arena,
                                const struct json **body_out, struct text *request_id_out,
                                struct error *error);

struct aws_answer_error {
    struct text code, message, request_id;
};

/* The shapes of all protocols, told apart by the headers and the text. Whatever else it is (HTML of
 * a proxy, nothing): the status stands for the code. Cannot fail. */
struct aws_answer_error aws_answer_error(const struct http_response *response, struct arena *arena);

#endif
