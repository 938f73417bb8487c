/* References to secrets: "env:NAME", "file:PATH", "secretsmanager:ARN[#KEY]". A secret itself never
 * stands in a file of ours, is never logged and never put in an error text.
 *
 * Ownership:  secret_resolve() hands the caller text to wipe and free with secret_done().
 * Threads:    a value; secret_ask_with() comes before other threads that resolve. */
#ifndef RIPOSTE_CONFIG_SECRET_H
#define RIPOSTE_CONFIG_SECRET_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>

enum secret_kind { SECRET_ENVIRONMENT, SECRET_FILE, SECRET_MANAGER };

struct secret_reference {
    enum secret_kind kind;
    struct text place;   /* the variable's name, the file's path, or ARN[#KEY] */
    struct text spelled; /* as in the settings, for messages */
};

struct secret {
    char *text; /* NULL: unset or empty */
    size_t bytes;
};

/* ERROR_INVALID: not a reference. Texts point into `spelled`. */
MUST_CHECK bool secret_reference_parse(struct text spelled, struct secret_reference *reference_out,
                                       struct error *error);
/* Unset, empty or not there: true with text NULL. One line break at the end of a file is dropped.
 * ERROR_SYSTEM: it is there but can't be read; ERROR_BUSY: not now. May block. */
MUST_CHECK bool secret_resolve(const struct secret_reference *reference, struct secret *secret_out,
                               struct error *error);
/* The value before the present one, while it still counts: of "secretsmanager:" references only. */
MUST_CHECK bool secret_resolve_previous(const struct secret_reference *reference,
                                        struct secret *secret_out, struct error *error);

/* Appends what Secrets Manager holds at `place` (ARN[#KEY]), or the version before; nothing: there
 * is none. */
typedef bool secret_fetch_fn(void *arg, struct text place, bool is_previous,
                             struct buffer *value_out, struct error *error);
/* Whom "secretsmanager:" references are asked of, for the whole process; NULL: nobody any more. */
void secret_ask_with(secret_fetch_fn *fetch_fn, void *arg);

void secret_done(struct secret *secret);

#endif
