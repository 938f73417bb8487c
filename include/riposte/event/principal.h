/* Who did it: CloudTrail's userIdentity, in all its shapes, as one.
 *
 * Ownership:  texts point where the captures do, or into the arena.
 * Threads:    a value.
 * Source:     RULES.md (Principal), FACTS.md 2.3. Whatever a hostile event holds gives a principal,
 * at worst `unknown`; it never fails. */
#ifndef RIPOSTE_EVENT_PRINCIPAL_H
#define RIPOSTE_EVENT_PRINCIPAL_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"
#include "riposte/event/captures.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

enum principal_kind {
    PRINCIPAL_UNKNOWN,
    PRINCIPAL_USER,
    PRINCIPAL_ROLE_SESSION,
    PRINCIPAL_SSO_SESSION,
    PRINCIPAL_SERVICE_LINKED,
    PRINCIPAL_FEDERATED,
    PRINCIPAL_ROOT,
    PRINCIPAL_SERVICE,
    PRINCIPAL_EXTERNAL,
};

enum principal_mfa { MFA_UNKNOWN, MFA_NO, MFA_YES };

/* Members as in the table of RULES.md; an empty text is a member that is absent. */
struct principal {
    enum principal_kind kind;
    enum principal_mfa mfa;
    bool is_temporary;
    struct text id, name, arn, path, account, partition, access_key_id;
    struct text unique_id, issuer_id, session;
    struct text source_identity, issued_at, invoked_by;
};

/* `event_account` is the envelope's; `captures` holds EVENT_CAPTURE_COUNT. */
void principal_read(const struct json_capture *captures, struct text event_account,
                    struct arena *arena, struct principal *principal_out);

/* "user", "role-session", ... */
const char *principal_kind_name(enum principal_kind kind);

/* The present members with their names ("kind", "id", ..., "mfa"), for computed leaves. */
typedef void principal_member_fn(void *arg, const char *name, enum json_type type,
                                 struct text text);
void principal_each_member(const struct principal *principal, principal_member_fn *member_fn,
                           void *arg);

/* The same as an object, for a context. */
struct json *principal_to_json(const struct principal *principal, struct arena *arena);

#endif
