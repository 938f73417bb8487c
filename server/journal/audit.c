#include "ledger.h"

#include "riposte/base/memory.h"
#include "riposte/crypto/sha256.h"

#include <string.h>

static void put_number(struct buffer *bytes, uint64_t number, unsigned width) {
    for (unsigned i = width; i > 0; i--) {
        buffer_append_char(bytes, (char)(number >> (8 * (i - 1))));
    }
}

static void put_text(struct buffer *bytes, struct text text) {
    put_number(bytes, text.bytes, 4);
    buffer_append_text(bytes, text);
}

void journal_audit_hash(const uint8_t previous[JOURNAL_HASH_BYTES],
                        const struct journal_audit_line *line, uint8_t out[JOURNAL_HASH_BYTES]) {
    scoped(buffer_done) struct buffer bytes = BUFFER_INIT;
    buffer_reserve(&bytes, JOURNAL_HASH_BYTES + 32 + line->event.bytes + line->incident.bytes +
                               line->actor.bytes + line->text.bytes);
    buffer_append(&bytes, previous, JOURNAL_HASH_BYTES);
    put_number(&bytes, (uint64_t)line->sequence, 8);
    put_number(&bytes, (uint64_t)line->unix_ms, 8);
    put_text(&bytes, line->event);
    put_text(&bytes, line->incident);
    put_text(&bytes, line->actor);
    put_text(&bytes, line->text);
    sha256(buffer_text(&bytes), out);
}

bool ledger_audit(struct ledger *ledger, const char *event, const struct ulid *incident,
                  struct text actor, struct text text, struct error *error) {
    struct journal_audit_line line = {
        .sequence = ledger->head.sequence + 1,
        .unix_ms = ledger->now_unix_ms,
        .event = text_of(event),
        .incident = incident != NULL ? ulid_text(incident) : (struct text){NULL, 0},
        .actor = actor,
        .text = text,
    };
    journal_audit_hash(ledger->head.hash, &line, line.hash);
    if (!ledger->store->audit_insert(ledger->store, &line, error)) {
        return false;
    }
    ledger->head.sequence = line.sequence;
    memcpy(ledger->head.hash, line.hash, sizeof(line.hash));
    return true;
}

bool ledger_audit_members(struct ledger *ledger, const char *event, const struct ulid *incident,
                          struct text actor, const struct ledger_member *members,
                          struct error *error) {
    struct buffer *out = &ledger->scratch;
    buffer_clear(out);
    buffer_append_char(out, '{');
    for (; members->name != NULL; members++) {
        if (members->value.bytes == 0) {
            continue;
        }
        if (out->bytes > 1) {
            buffer_append_char(out, ',');
        }
        buffer_append_json_string(out, text_of(members->name));
        buffer_append_char(out, ':');
        buffer_append_json_string(out, members->value);
    }
    buffer_append_char(out, '}');
    return ledger_audit(ledger, event, incident, actor, buffer_text(out), error);
}
