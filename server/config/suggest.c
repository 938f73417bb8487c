#include "suggest.h"

#include <stdio.h>
#include <string.h>

void suggestion_init(struct suggestion *suggestion, struct text word) {
    /* A third of the letters may be wrong. */
    *suggestion = (struct suggestion){.word = word, .distance = (word.bytes + 2) / 3 + 1};
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that make `b` of `a` (optimal string
 * alignment), letters of either case being the same. */
static size_t edit_distance(struct text a, struct text b) {
    size_t rows[3][SUGGEST_BYTES + 1];
    for (size_t j = 0; j <= b.bytes; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a.bytes; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *second_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.bytes; j++) {
            char from = lower(a.data[i - 1]);
            char to = lower(b.data[j - 1]);
            row[j] = smaller(smaller(above[j], row[j - 1]) + 1, above[j - 1] + (from != to));
            if (i > 1 && j > 1 && from == lower(b.data[j - 2]) && to == lower(a.data[i - 2])) {
                row[j] = smaller(row[j], second_above[j - 2] + 1);
            }
        }
    }
    return rows[a.bytes % 3][b.bytes];
}

void suggestion_offer(struct suggestion *suggestion, struct text name) {
    if (suggestion->word.bytes > SUGGEST_BYTES || name.bytes > SUGGEST_BYTES || name.bytes == 0) {
        return;
    }
    size_t distance = edit_distance(suggestion->word, name);
    if (distance < suggestion->distance) {
        suggestion->distance = distance;
        suggestion->nearest = name;
    }
}

const char *suggestion_text(const struct suggestion *suggestion, char out[SUGGESTION_BYTES]) {
    out[0] = '\0';
    if (suggestion->nearest.bytes > 0) {
        snprintf(out, SUGGESTION_BYTES, "; did you mean \"%.*s\"?", TEXT_ARG(suggestion->nearest));
    }
    return out;
}
