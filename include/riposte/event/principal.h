/* Who did it: CloudTrail's userIdentity, in all its shapes, as one.
 *
 *     userIdentity.type        kind
 *     Root                     root
 *     IAMUser                  user
 *     AssumedRole, Role        by the role's path: service-linked below /aws-service-role/,
 *                              sso-session below /aws-reserved/sso.amazonaws.com/ (no path known:
 *                              by the name AWSReservedSSO_...), else role-session
 *     FederatedUser, SAMLUser, federated
 *     WebIdentityUser
 *     IdentityCenterUser       sso-session
 *     AWSService               service; so are events without a type in which nobody but invokedBy
 *                              is named
 *     AWSAccount               external, when it is another account
 *     anything else            unknown
 *
 * All but services become `external` when their account isn't the envelope's. A user or session of
 * which the event does not say clearly who it is becomes `unknown`, and nobody is contained: no
 * ARN, or one of another kind; ARNs and account ids that contradict each other; a role whose name
 * or unique id is not that of its ARN or session (a user's name may differ: users can be renamed);
 * a federated session that is not its ARN's; characters that IAM doesn't allow in names and ids,
 * such as wildcards and policy variables.
 *
 * A service that acts for somebody (invokedBy beside a user's or session's own members) leaves that
 * somebody the principal.
 *
 * Ownership:  texts point where the captures do, or into the arena.
 * Threads:    a value.
 * Source:     CloudTrail user guide, "CloudTrail userIdentity element". Whatever a hostile event
 *             holds gives a principal, at worst `unknown`; it never fails. */
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

/* An empty text is a member that is absent.
 *
 * mfa:        a user without session context has none. The flag says nothing about web identities,
 *             Identity Center, SAML and services (sessions without access key, or of an instance).
 * id:         never empty: "<account>/<principalId>", for Identity Center "<account>/<user id>",
 *             else the ARN, else invokedBy, else "unknown". The account is the event's when the
 *             identity has none.
 * name, arn,  of the role for a session; there is no path when only the session's ARN is known,
 * path:       which doesn't have it.
 * unique_id:  AIDA..., of a session's role AROA..., of an Identity Center user its user id.
 * issuer_id:  of a session's role, of a federated user's IAM user.
 * session:    what aws:userid holds: "AROA...:name", "<account>:name" of a federated user. */
struct principal {
    enum principal_kind kind;
    enum principal_mfa mfa;
    bool is_temporary; /* the credentials; sessions always */
    struct text id, name, arn, path, account, partition, access_key_id;
    struct text unique_id, issuer_id, session;
    struct text source_identity, issued_at, invoked_by;
};

/* `event_account` is the envelope's; `captures` holds EVENT_CAPTURE_COUNT. */
void principal_read(const struct json_capture *captures, struct text event_account,
                    struct arena *arena, struct principal *principal_out);

/* "user", "role-session", ... */
const char *principal_kind_name(enum principal_kind kind);

/* "kind", "id", ..., "mfa". */
#define PRINCIPAL_MEMBER_COUNT 16
struct text principal_member_name(size_t member);

/* The present members by their numbers, for computed leaves. */
typedef void principal_member_fn(void *arg, size_t member, enum json_type type, struct text text);
void principal_each_member(const struct principal *principal, principal_member_fn *member_fn,
                           void *arg);

/* The same as an object, for a context. */
struct json *principal_to_json(const struct principal *principal, struct arena *arena);

#endif
