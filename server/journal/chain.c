#include "riposte/journal/chain.h"

#include "riposte/base/hex.h"
#include "riposte/base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_DIGITS (2 * JOURNAL_HASH_BYTES)

/* ---- anchors ---- */

void journal_anchor_format(const struct journal_anchor *anchor, char out[JOURNAL_ANCHOR_BYTES]) {
    int bytes = snprintf(out, JOURNAL_ANCHOR_BYTES, "%" PRId64 ":", anchor->sequence);
    hex_encode(anchor->hash, sizeof(anchor->hash), out + bytes);
}

bool journal_anchor_parse(struct text text, struct journal_anchor *anchor_out) {
    size_t colon = text_find_byte(text, ':', 0);
    uint64_t sequence = 0;
    struct journal_anchor anchor;
    if (!text_parse_unsigned(text_slice(text, 0, colon), &sequence) || sequence == 0 ||
        sequence > INT64_MAX ||
        !hex_decode(text_slice(text, colon + 1, text.bytes), anchor.hash, sizeof(anchor.hash))) {
        return false;
    }
    anchor.sequence = (int64_t)sequence;
    *anchor_out = anchor;
    return true;
}

static size_t digits_before(struct text text, size_t end) {
    size_t from = end;
    while (from > 0 && text.data[from - 1] >= '0' && text.data[from - 1] <= '9') {
        from--;
    }
    return from;
}

bool journal_anchor_find(struct text *text, struct journal_anchor *anchor_out) {
    for (size_t colon = text_find_byte(*text, ':', 0); colon < text->bytes;
         colon = text_find_byte(*text, ':', colon + 1)) {
        size_t end = colon + 1 + HASH_DIGITS;
        struct text found = text_slice(*text, digits_before(*text, colon), end);
        if (end <= text->bytes && journal_anchor_parse(found, anchor_out)) {
            *text = text_slice(*text, end, text->bytes);
            return true;
        }
    }
    return false;
}

/* ---- the chain ---- */

enum fault { WHOLE, MISSING, CHANGED, NOT_THE_ANCHORS };

struct journal_chain {
    struct arena *arena; /* of `first`'s texts */
    struct journal_audit_line first;
    struct journal_anchor last;
    int64_t lines;
    enum fault fault;
    int64_t fault_sequence;
    struct {
        int64_t sequence; /* of the last line that is one; 0: none is */
        struct journal_anchor cut;
    } checkpoint;
    struct journal_anchor *anchors;
    size_t anchor_count, anchor_capacity;
};

struct journal_chain *journal_chain_new(void) {
    struct journal_chain *chain = memory_new(sizeof(*chain));
    chain->arena = arena_new();
    return chain;
}

void journal_chain_free(struct journal_chain **chain) {
    if (*chain != NULL) {
        arena_free(&(*chain)->arena);
        free((*chain)->anchors);
        memory_free_at(chain);
    }
}

void journal_chain_expect(struct journal_chain *chain, const struct journal_anchor *anchor) {
    chain->anchors = memory_grow_array(chain->anchors, &chain->anchor_capacity,
                                       chain->anchor_count + 1, sizeof(*chain->anchors));
    chain->anchors[chain->anchor_count++] = *anchor;
}

static void find_fault(struct journal_chain *chain, enum fault fault, int64_t sequence) {
    if (chain->fault == WHOLE) {
        chain->fault = fault;
        chain->fault_sequence = sequence;
    }
}

static bool follows(const uint8_t before[JOURNAL_HASH_BYTES],
                    const struct journal_audit_line *line) {
    uint8_t hash[JOURNAL_HASH_BYTES];
    journal_audit_hash(before, line, hash);
    return memcmp(hash, line->hash, sizeof(hash)) == 0;
}

/* What comes before the first line is known when it is line 1, else at the end. */
static void take_first(struct journal_chain *chain, const struct journal_audit_line *line) {
    static const uint8_t none[JOURNAL_HASH_BYTES] = {0};
    chain->first = *line;
    chain->first.event = arena_copy_text(chain->arena, line->event);
    chain->first.incident = arena_copy_text(chain->arena, line->incident);
    chain->first.actor = arena_copy_text(chain->arena, line->actor);
    chain->first.text = arena_copy_text(chain->arena, line->text);
    if (line->sequence < 1) {
        find_fault(chain, MISSING, 1);
    } else if (line->sequence == 1 && !follows(none, line)) {
        find_fault(chain, CHANGED, 1);
    }
}

static void check_anchors(struct journal_chain *chain, const struct journal_audit_line *line) {
    for (size_t i = 0; i < chain->anchor_count; i++) {
        if (chain->anchors[i].sequence == line->sequence &&
            memcmp(chain->anchors[i].hash, line->hash, sizeof(line->hash)) != 0) {
            find_fault(chain, NOT_THE_ANCHORS, line->sequence);
        }
    }
}

void journal_chain_take(struct journal_chain *chain, const struct journal_audit_line *line) {
    if (chain->lines == 0) {
        take_first(chain, line);
    } else if (line->sequence != chain->last.sequence + 1) {
        find_fault(chain, MISSING, chain->last.sequence + 1);
    } else if (!follows(chain->last.hash, line)) {
        find_fault(chain, CHANGED, line->sequence);
    }
    check_anchors(chain, line);
    struct text text = line->text;
    struct journal_anchor cut;
    if (text_equal(line->event, TEXT(JOURNAL_CHECKPOINT)) && journal_anchor_find(&text, &cut)) {
        chain->checkpoint.sequence = line->sequence;
        chain->checkpoint.cut = cut;
    }
    chain->lines++;
    chain->last.sequence = line->sequence;
    memcpy(chain->last.hash, line->hash, sizeof(line->hash));
}

/* ---- the end ---- */

/* A chain whose first line isn't line 1. What was found behind it may be in a checkpoint itself:
 * then that is what is wrong, and the first line is not judged by it. */
static void check_beginning(struct journal_chain *chain) {
    const struct journal_anchor *cut = &chain->checkpoint.cut;
    int64_t first = chain->first.sequence;
    if (chain->checkpoint.sequence == 0 || cut->sequence + 1 < first) {
        find_fault(chain, MISSING, chain->checkpoint.sequence == 0 ? 1 : cut->sequence + 1);
    } else if (cut->sequence + 1 > first) {
        find_fault(chain, CHANGED, first);
    } else if (!follows(cut->hash, &chain->first) &&
               (chain->fault == WHOLE || chain->fault_sequence != chain->checkpoint.sequence)) {
        chain->fault = CHANGED; /* what was found comes later */
        chain->fault_sequence = first;
    }
}

static void check_anchors_outside(struct journal_chain *chain, struct journal_chain_end *end) {
    for (size_t i = 0; i < chain->anchor_count; i++) {
        const struct journal_anchor *anchor = &chain->anchors[i];
        const struct journal_anchor *cut = &chain->checkpoint.cut;
        bool is_at_cut = end->cut > 0 && anchor->sequence == cut->sequence;
        if (is_at_cut && memcmp(anchor->hash, cut->hash, sizeof(cut->hash)) != 0) {
            find_fault(chain, NOT_THE_ANCHORS, anchor->sequence);
        }
        end->anchors_cut += anchor->sequence < chain->first.sequence && !is_at_cut;
    }
}

static bool check_end(const struct journal_chain *chain, struct error *error) {
    for (size_t i = 0; i < chain->anchor_count; i++) {
        if (chain->anchors[i].sequence > chain->last.sequence) {
            return error_set(error, ERROR_INVALID,
                             "it ends at line %" PRId64 ", the anchor is line %" PRId64,
                             chain->last.sequence, chain->anchors[i].sequence);
        }
    }
    return true;
}

bool journal_chain_conclude(struct journal_chain *chain, struct journal_chain_end *end_out,
                            struct error *error) {
    if (chain->lines > 0 && chain->first.sequence > 1) {
        check_beginning(chain);
    }
    *end_out = (struct journal_chain_end){
        .lines = chain->lines, .last = chain->last, .anchors_seen = chain->anchor_count};
    end_out->cut = chain->lines > 0 && chain->first.sequence > 1 ? chain->first.sequence - 1 : 0;
    check_anchors_outside(chain, end_out);
    switch (chain->fault) {
    case MISSING:
        return error_set(error, ERROR_INVALID, "line %" PRId64 " is missing",
                         chain->fault_sequence);
    case CHANGED:
        return error_set(error, ERROR_INVALID, "line %" PRId64 " is not what was written",
                         chain->fault_sequence);
    case NOT_THE_ANCHORS:
        return error_set(error, ERROR_INVALID,
                         "line %" PRId64 " is not the anchor's: it was written anew",
                         chain->fault_sequence);
    case WHOLE:
        break;
    }
    return check_end(chain, error);
}
