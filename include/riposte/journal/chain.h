/* Follows the audit chain line by line and says where it is broken first.
 *
 *     1  2  3 ... 510  511 ... 900 ... 1021  1022 ... 1400 ...
 *     └── cut ──┘              │                      │
 *                              checkpoint {510, hash} │
 *     └────────────── cut ─────────────┘              checkpoint {1021, hash}
 *
 * Retention cuts lines off the beginning, and in the same transaction the chain gets a line
 * "checkpoint" that names the last one cut and its hash. So a chain begins with line 1, or behind
 * the line that its last checkpoint names. Who cuts more than that, or puts something in, breaks
 * it.
 *
 * An anchor is a line's sequence and hash, noted elsewhere: it finds an end that was cut off or
 * written anew, which no chain can find in itself.
 *
 * Ownership:  journal_chain_new()/journal_chain_free(); lines are copied as far as they are needed.
 * Threads:    one at a time. */
#ifndef RIPOSTE_JOURNAL_CHAIN_H
#define RIPOSTE_JOURNAL_CHAIN_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/journal/journal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_CHECKPOINT   "checkpoint"
#define JOURNAL_ANCHOR_BYTES (20 + 1 + 2 * JOURNAL_HASH_BYTES + 1)

struct journal_anchor {
    int64_t sequence; /* from 1 on */
    uint8_t hash[JOURNAL_HASH_BYTES];
};
/* "SEQUENCE:HASH", the hash in 64 hexadecimal digits. */
void journal_anchor_format(const struct journal_anchor *anchor, char out[JOURNAL_ANCHOR_BYTES]);
MUST_CHECK bool journal_anchor_parse(struct text text, struct journal_anchor *anchor_out);
/* Finds the next one in any text (a log, JSON, a list), and moves *text behind it. */
MUST_CHECK bool journal_anchor_find(struct text *text, struct journal_anchor *anchor_out);

struct journal_chain;

struct journal_chain *journal_chain_new(void);
void journal_chain_free(struct journal_chain **chain);

/* The chain must hold that line. Before the lines. */
void journal_chain_expect(struct journal_chain *chain, const struct journal_anchor *anchor);
/* The next line, as it was found. */
void journal_chain_take(struct journal_chain *chain, const struct journal_audit_line *line);

struct journal_chain_end {
    int64_t lines;
    int64_t cut;                /* lines that retention cut; 0: it begins with line 1 */
    struct journal_anchor last; /* of the last line; sequence 0: there is none */
    size_t anchors_seen;
    size_t anchors_cut; /* of lines before the cut: they prove nothing any more */
};
/* All lines were taken. ERROR_INVALID: "line 7 is missing", "line 7 is not what was written": the
 * first that is wrong. *end_out is filled in either case. */
MUST_CHECK bool journal_chain_conclude(struct journal_chain *chain,
                                       struct journal_chain_end *end_out, struct error *error);

#endif
