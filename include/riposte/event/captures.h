/* The members of an event that the server itself reads, whatever the rules name: one table from
 * which a rule set takes its captures, and one view of what a scan found there.
 *
 * `id`, `account`, `region`, `time`, `detail.eventID` and the members of `detail.userIdentity` may
 * occur once: whoever reads an event must agree with CloudTrail on who did it.
 *
 * Ownership:  texts point into the event or into the scratch of the scan that found them.
 * Threads:    values. */
#ifndef RIPOSTE_EVENT_CAPTURES_H
#define RIPOSTE_EVENT_CAPTURES_H

#include "riposte/base/text.h"
#include "riposte/json/scanner.h"

#include <stdbool.h>
#include <stddef.h>

enum event_capture {
    EVENT_ID,
    EVENT_SOURCE,
    EVENT_DETAIL_TYPE,
    EVENT_ACCOUNT,
    EVENT_REGION,
    EVENT_TIME,
    EVENT_DETAIL,
    EVENT_EVENT_ID,
    EVENT_EVENT_NAME,
    EVENT_USER_IDENTITY,
    EVENT_IDENTITY_TYPE,
    EVENT_IDENTITY_PRINCIPAL_ID,
    EVENT_IDENTITY_ARN,
    EVENT_IDENTITY_ACCOUNT_ID,
    EVENT_IDENTITY_ACCESS_KEY_ID,
    EVENT_IDENTITY_USER_NAME,
    EVENT_IDENTITY_INVOKED_BY,
    EVENT_IDENTITY_PROVIDER,
    EVENT_IDENTITY_CREDENTIAL_ID,
    EVENT_IDENTITY_ON_BEHALF_OF, /* the user's id in its identity store */
    EVENT_SESSION_SOURCE_IDENTITY,
    EVENT_SESSION_CREATION_DATE,
    EVENT_SESSION_MFA,
    EVENT_SESSION_ROLE_DELIVERY, /* set for the role of an EC2 instance */
    EVENT_SESSION_WEB_PROVIDER,  /* set when a web identity assumed the role */
    EVENT_ISSUER_TYPE,
    EVENT_ISSUER_PRINCIPAL_ID,
    EVENT_ISSUER_ARN,
    EVENT_ISSUER_ACCOUNT_ID,
    EVENT_ISSUER_USER_NAME,
    EVENT_CAPTURE_COUNT,
};

/* Dotted path and json_path_flags of each, in the order of the enum. */
struct event_capture_path {
    struct text path;
    unsigned flags;
};
extern const struct event_capture_path event_capture_paths[EVENT_CAPTURE_COUNT];

#endif
