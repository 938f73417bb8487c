/* Who is logged in to the console: a cookie's random value stands for a token that was shown once.
 * Private to the folder.
 *
 *     open ──▶ in use ──▶ over      closed, SESSION_LIFE_MS old, unused for SESSION_IDLE_MS, or
 *                                   the one that was unused for longest when another needs a place
 *
 * Neither the cookie's value nor the token is kept, only SHA-256 of each: whether the token still
 * lets anybody in is asked anew with every request.
 *
 * Ownership:  sessions_new/sessions_free.
 * Threads:    the admin listener's.
 * Bounds:     SESSIONS. Times are monotonic. Every session is compared with, in constant time. */
#ifndef RIPOSTE_SERVER_OPERATE_SESSION_H
#define RIPOSTE_SERVER_OPERATE_SESSION_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"
#include "riposte/crypto/sha256.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSIONS           64
#define SESSION_LIFE_MS    (12 * 3600 * INT64_C(1000))
#define SESSION_IDLE_MS    (2 * 3600 * INT64_C(1000))
#define SESSION_RANDOM     32
#define SESSION_TEXT_BYTES (2 * SESSION_RANDOM + 1) /* as hexadecimal digits and a NUL */

struct sessions;

/* What a request may know of its session. */
struct session {
    uint8_t token_digest[SHA256_BYTES];
    char form_key[SESSION_TEXT_BYTES]; /* stands in every form of it: a stranger's has none */
};

struct sessions *sessions_new(void);
void sessions_free(struct sessions **sessions);

/* A new one for whoever showed the token with this digest; `id_out` is the cookie's value. */
void sessions_open(struct sessions *sessions, const uint8_t token_digest[SHA256_BYTES],
                   int64_t now_mono_ms, char id_out[SESSION_TEXT_BYTES]);
/* Counts as use. False: there is none (any more). */
MUST_CHECK bool sessions_find(struct sessions *sessions, struct text id, int64_t now_mono_ms,
                              struct session *session_out);
void sessions_close(struct sessions *sessions, struct text id);
/* Ends what is over by now; how many that were. */
size_t sessions_sweep(struct sessions *sessions, int64_t now_mono_ms);

/* Does a form's key belong to the session? In constant time. */
bool session_knows_form(const struct session *session, struct text form_key);

#endif
