#include "session.h"

#include "riposte/base/hex.h"
#include "riposte/base/memory.h"
#include "riposte/crypto/equal.h"
#include "riposte/crypto/random.h"

#include <stdlib.h>
#include <string.h>

struct place {
    bool is_taken;
    uint8_t id_digest[SHA256_BYTES];
    struct session session;
    int64_t opened_mono_ms, used_mono_ms;
};

struct sessions {
    struct place places[SESSIONS];
};

struct sessions *sessions_new(void) {
    return memory_new(sizeof(struct sessions));
}

void sessions_free(struct sessions **sessions) {
    if (*sessions != NULL) {
        memory_wipe(*sessions, sizeof(**sessions));
    }
    free(*sessions);
    *sessions = NULL;
}

static bool is_over(const struct place *place, int64_t now_mono_ms) {
    return now_mono_ms - place->opened_mono_ms >= SESSION_LIFE_MS ||
           now_mono_ms - place->used_mono_ms >= SESSION_IDLE_MS;
}

size_t sessions_sweep(struct sessions *sessions, int64_t now_mono_ms) {
    size_t count = 0;
    for (size_t i = 0; i < SESSIONS; i++) {
        struct place *place = &sessions->places[i];
        if (place->is_taken && is_over(place, now_mono_ms)) {
            memory_wipe(place, sizeof(*place));
            count++;
        }
    }
    return count;
}

/* A free place, or the one that was unused for longest. */
static struct place *find_place(struct sessions *sessions) {
    struct place *best = &sessions->places[0];
    for (size_t i = 0; i < SESSIONS && best->is_taken; i++) {
        struct place *place = &sessions->places[i];
        if (!place->is_taken || place->used_mono_ms < best->used_mono_ms) {
            best = place;
        }
    }
    return best;
}

static void make_text(char out[SESSION_TEXT_BYTES]) {
    uint8_t bytes[SESSION_RANDOM];
    random_bytes(bytes, sizeof(bytes));
    hex_encode(bytes, sizeof(bytes), out);
    memory_wipe(bytes, sizeof(bytes));
}

void sessions_open(struct sessions *sessions, const uint8_t token_digest[SHA256_BYTES],
                   int64_t now_mono_ms, char id_out[SESSION_TEXT_BYTES]) {
    (void)sessions_sweep(sessions, now_mono_ms);
    struct place *place = find_place(sessions);
    *place = (struct place){
        .is_taken = true, .opened_mono_ms = now_mono_ms, .used_mono_ms = now_mono_ms};
    memcpy(place->session.token_digest, token_digest, SHA256_BYTES);
    make_text(place->session.form_key);
    make_text(id_out);
    sha256(text_of(id_out), place->id_digest);
}

/* Compares with every place, whatever matches. */
static struct place *find_session(struct sessions *sessions, struct text id) {
    struct place *found = NULL;
    uint8_t digest[SHA256_BYTES];
    sha256(id, digest);
    for (size_t i = 0; i < SESSIONS; i++) {
        struct place *place = &sessions->places[i];
        bool is_it = crypto_equal_bytes(digest, place->id_digest, sizeof(digest));
        found = is_it && place->is_taken ? place : found;
    }
    return found;
}

bool sessions_find(struct sessions *sessions, struct text id, int64_t now_mono_ms,
                   struct session *session_out) {
    struct place *place = find_session(sessions, id);
    if (place == NULL || is_over(place, now_mono_ms)) {
        return false;
    }
    place->used_mono_ms = now_mono_ms;
    *session_out = place->session;
    return true;
}

void sessions_close(struct sessions *sessions, struct text id) {
    struct place *place = find_session(sessions, id);
    if (place != NULL) {
        memory_wipe(place, sizeof(*place));
    }
}

bool session_knows_form(const struct session *session, struct text form_key) {
    return crypto_equal(text_of(session->form_key), form_key);
}
