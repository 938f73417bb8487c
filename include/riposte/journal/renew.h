/* A damaged journal is set aside and a new one begun: only when a person says so.
 *
 *     FILE, FILE-wal  ──renamed──▶  FILE.damaged-20260102T030405Z, ...-wal
 *     what its audit chain still says ─▶ FILE.damaged-20260102T030405Z.audit.jsonl, as `audit
 *                                        export` writes it
 *     FILE, new: the first line of its chain ("renewed") names what was set aside, with the last
 *                line that could be read and its hash: the new chain goes on from the old one
 *
 * Ownership:  what is filled in is the caller's.
 * Threads:    any, while no server holds the file.
 * Source:     DESIGN.md, Journal. */
#ifndef RIPOSTE_JOURNAL_RENEW_H
#define RIPOSTE_JOURNAL_RENEW_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/journal/journal.h"

#include <stdbool.h>
#include <stdint.h>

struct journal_renewal {
    struct error damage;  /* what is wrong with the old one */
    int64_t lines;        /* of its chain, that could be read */
    int64_t sequence;     /* of the last of them; 0: none could be */
    bool is_chain_intact; /* from the first to that one */
    uint8_t hash[JOURNAL_HASH_BYTES];
    struct buffer aside; /* where the old one is now, or would be */
};
void journal_renewal_done(struct journal_renewal *renewal);

/* Says what is wrong, and with `is_sure` does it. ERROR_NOT_FOUND: no such file. ERROR_BUSY: a
 * server holds it. ERROR_INVALID: there is nothing wrong with it, or it is not ours: left alone. */
MUST_CHECK bool journal_renew(const char *path, const struct clock *clock, bool is_sure,
                              struct journal_renewal *renewal_out, struct error *error);

#endif
