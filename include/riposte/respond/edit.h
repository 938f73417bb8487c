/* A policy edited in place: our statement put into the document as it is now, or taken out of it.
 * Nothing else in it changes, and none of what stood there when it was planned is written back.
 *
 *     read ─▶ document ─▶ add or remove the statement with our Sid ─▶ write
 *
 * IAM and S3 have no conditional write: of two changes at the same moment one can be lost. A
 * verification finds that out.
 *
 * Ownership:  results live in the caller's arena, and share what they are given.
 * Threads:    pure.
 * Source:     RULES.md, Playbooks. */
#ifndef RIPOSTE_RESPOND_EDIT_H
#define RIPOSTE_RESPOND_EDIT_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

/* `answer`: what the read gave. *document_out: the document to write; NULL: it is as it should be.
 * ERROR_INVALID: the answer holds no policy, or taking ours out would leave no statement. */
MUST_CHECK bool edit_document(const struct json *edit, const struct json *answer,
                              struct arena *arena, const struct json **document_out,
                              struct error *error);
/* The write's parameters with the document in them. */
const struct json *edit_parameters(const struct json *parameters, const struct json *document,
                                   struct arena *arena);

#endif
