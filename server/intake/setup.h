/* What a request is judged by: a snapshot with its secrets. Private to the folder.
 *
 * Ownership:  setup_new() gives one reference.
 * Threads:    immutable; the count is atomic. */
#ifndef RIPOSTE_SERVER_INTAKE_SETUP_H
#define RIPOSTE_SERVER_INTAKE_SETUP_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/config/snapshot.h"
#include "riposte/inbound/authenticate.h"
#include "riposte/journal/journal.h"

#include <stdatomic.h>
#include <stdbool.h>

struct setup {
    atomic_size_t references;
    struct snapshot *snapshot;
    struct setup *origin; /* whose all below is; NULL: its own */
    struct authenticator *authenticator;
    char *header;                           /* that carries the secret */
    struct journal_definition *definitions; /* as the journal wants them; index: the rule's */
};

/* Resolves the snapshot's secrets. ERROR_INVALID when none is set and long enough, naming the
 * references; ERROR_SYSTEM when a file that holds one can't be read. */
MUST_CHECK bool setup_new(struct snapshot *snapshot, struct setup **setup_out, struct error *error);
/* The same secrets with a snapshot of the same rules: snapshot_with_accounts(). */
struct setup *setup_with_snapshot(struct setup *setup, struct snapshot *snapshot);
struct setup *setup_ref(struct setup *setup);
void setup_unref(struct setup **setup);

#endif
