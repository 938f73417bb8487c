/* Definitions that incidents keep, read once: a small cache by hash.
 *
 * Ownership:  embedded; definitions_get() gives a reference.
 * Threads:    any.
 * Bounds:     DEFINITIONS_KEPT of them; the oldest makes room. */
#ifndef RIPOSTE_SERVER_RESPOND_DEFINITIONS_H
#define RIPOSTE_SERVER_RESPOND_DEFINITIONS_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/mutex.h"
#include "riposte/config/definition.h"
#include "riposte/journal/journal.h"

#include <stddef.h>

#define DEFINITIONS_KEPT 64

struct definitions {
    struct mutex lock;
    struct {
        struct {
            uint8_t hash[JOURNAL_HASH_BYTES];
            struct definition *definition;
        } kept[DEFINITIONS_KEPT];
        size_t next;
    } shared;
};

void definitions_init(struct definitions *definitions);
void definitions_done(struct definitions *definitions);
/* Errors as definition_read(). */
MUST_CHECK bool definitions_get(struct definitions *definitions,
                                const uint8_t hash[JOURNAL_HASH_BYTES], struct blob *text,
                                struct definition **definition_out, struct error *error);

#endif
