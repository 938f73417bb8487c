#include "decide.h"

#include "riposte/base/hex.h"
#include "riposte/crypto/sha256.h"

#define VALUE_BYTES 16 /* of a digest: enough to tell values apart, whoever chooses them */

/* Values can be long, and need not be known. */
static struct text digest(struct ledger *ledger, struct text value) {
    uint8_t hash[SHA256_BYTES];
    sha256(value, hash);
    char *text = arena_alloc(ledger->arena, 2 * VALUE_BYTES + 1);
    hex_encode(hash, VALUE_BYTES, text);
    return (struct text){text, 2 * VALUE_BYTES};
}

bool decide_threshold(struct ledger *ledger, const struct journal_new_event *event,
                      const struct journal_new_incident *new, bool *fires_out,
                      struct error *error) {
    const struct journal_threshold *threshold = new->threshold;
    struct store *store = ledger->store;
    uint32_t count = 0;
    *fires_out = threshold == NULL;
    if (threshold == NULL || threshold->value_count == 0) {
        return true;
    }
    struct store_sighting sighting = {
        .rule = new->rule,
        .subject = new->subject,
        .seen_unix_ms = event->event_unix_ms != 0 && event->event_unix_ms < ledger->now_unix_ms
                            ? event->event_unix_ms
                            : ledger->now_unix_ms,
        .until_unix_ms = ledger->now_unix_ms + threshold->per_ms,
    };
    for (size_t i = 0; i < threshold->value_count; i++) {
        sighting.value = digest(ledger, threshold->values[i]);
        if (!store->sighting_note(store, &sighting, error)) {
            return false;
        }
    }
    if (!store->sighting_count(store, &sighting, threshold->per_ms, &count, error)) {
        return false;
    }
    *fires_out = count >= threshold->count;
    return store->sighting_trim(store, &sighting, threshold->count, error);
}
