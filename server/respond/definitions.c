#include "definitions.h"

#include <string.h>

void definitions_init(struct definitions *definitions) {
    *definitions = (struct definitions){0};
    mutex_init(&definitions->lock);
}

void definitions_done(struct definitions *definitions) {
    for (size_t i = 0; i < DEFINITIONS_KEPT; i++) {
        definition_unref(&definitions->shared.kept[i].definition);
    }
    mutex_done(&definitions->lock);
}

static struct definition *find(struct definitions *definitions,
                               const uint8_t hash[JOURNAL_HASH_BYTES]) {
    struct definition *found = NULL;
    mutex_lock(&definitions->lock);
    for (size_t i = 0; i < DEFINITIONS_KEPT && found == NULL; i++) {
        struct definition *kept = definitions->shared.kept[i].definition;
        if (kept != NULL &&
            memcmp(definitions->shared.kept[i].hash, hash, JOURNAL_HASH_BYTES) == 0) {
            found = definition_ref(kept);
        }
    }
    mutex_unlock(&definitions->lock);
    return found;
}

static void keep(struct definitions *definitions, const uint8_t hash[JOURNAL_HASH_BYTES],
                 struct definition *definition) {
    mutex_lock(&definitions->lock);
    size_t at = definitions->shared.next++ % DEFINITIONS_KEPT;
    struct definition *old = definitions->shared.kept[at].definition;
    memcpy(definitions->shared.kept[at].hash, hash, JOURNAL_HASH_BYTES);
    definitions->shared.kept[at].definition = definition_ref(definition);
    mutex_unlock(&definitions->lock);
    definition_unref(&old);
}

bool definitions_get(struct definitions *definitions, const uint8_t hash[JOURNAL_HASH_BYTES],
                     struct blob *text, struct definition **definition_out, struct error *error) {
    struct definition *definition = find(definitions, hash);
    if (definition == NULL) {
        if (!definition_read(text, &definition, error)) {
            return false;
        }
        keep(definitions, hash, definition);
    }
    *definition_out = definition;
    return true;
}
