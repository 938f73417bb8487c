/* References to secrets: "env:NAME", "file:PATH". A secret itself never stands in a file of ours,
 * is never logged and never put in an error text.
 *
 * Ownership:  secret_resolve() hands the caller text to wipe and free with secret_done().
 * Threads:    a value. */
#ifndef RIPOSTE_CONFIG_SECRET_H
#define RIPOSTE_CONFIG_SECRET_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>

enum secret_kind { SECRET_ENVIRONMENT, SECRET_FILE };

struct secret_reference {
    enum secret_kind kind;
    struct text place;   /* the variable's name or the file's path */
    struct text spelled; /* as in the settings, for messages */
};

struct secret {
    char *text; /* NULL: unset or empty */
    size_t bytes;
};

/* ERROR_INVALID: not a reference ("secretsmanager:" is not supported yet). Texts point into
 * `spelled`. */
MUST_CHECK bool secret_reference_parse(struct text spelled, struct secret_reference *reference_out,
                                       struct error *error);
/* Unset, empty or not there: true with text NULL. One line break at the end of a file is dropped.
 * ERROR_SYSTEM: the file is there but can't be read. */
MUST_CHECK bool secret_resolve(const struct secret_reference *reference, struct secret *secret_out,
                               struct error *error);
void secret_done(struct secret *secret);

#endif
