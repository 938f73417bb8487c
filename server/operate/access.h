/* Who may use the admin API: a snapshot with its tokens. Private to the folder.
 *
 * Ownership:  access_new() gives one reference.
 * Threads:    immutable; the count is atomic. */
#ifndef RIPOSTE_SERVER_OPERATE_ACCESS_H
#define RIPOSTE_SERVER_OPERATE_ACCESS_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/config/snapshot.h"
#include "riposte/crypto/sha256.h"
#include "riposte/inbound/request.h"

#include <stdbool.h>

struct access;

/* Resolves the snapshot's tokens. *access_out is NULL when none is set. ERROR_INVALID: one that is
 * set is too short, or two have one name. */
MUST_CHECK bool access_new(struct snapshot *snapshot, struct access **access_out,
                           struct error *error);
struct access *access_ref(struct access *access);
void access_unref(struct access **access);
struct snapshot *access_snapshot(struct access *access);

/* Whose "Authorization: Bearer TOKEN" does the request carry? False: nobody's. */
bool access_find(const struct access *access, const struct request *request, struct text *name_out,
                 enum admin_role *role_out);

/* The same of a token alone; *digest_out is its SHA-256. */
bool access_find_token(const struct access *access, struct text token,
                       uint8_t digest_out[SHA256_BYTES], struct text *name_out,
                       enum admin_role *role_out);
/* Whose token has that SHA-256, now? */
bool access_find_digest(const struct access *access, const uint8_t digest[SHA256_BYTES],
                        struct text *name_out, enum admin_role *role_out);

#endif
