#include "riposte/event/captures.h"

#define ONCE       JSON_PATH_UNIQUE
#define CONTAINERS JSON_PATH_CONTAINERS
#define IDENTITY   "detail.userIdentity."
#define SESSION    IDENTITY "sessionContext."
#define ATTRIBUTE  SESSION "attributes."
#define ISSUER     SESSION "sessionIssuer."

const struct event_capture_path event_capture_paths[EVENT_CAPTURE_COUNT] = {
    [EVENT_ID] = {TEXT_INIT("id"), ONCE},
    [EVENT_SOURCE] = {TEXT_INIT("source"), 0},
    [EVENT_DETAIL_TYPE] = {TEXT_INIT("detail-type"), 0},
    [EVENT_ACCOUNT] = {TEXT_INIT("account"), ONCE},
    [EVENT_REGION] = {TEXT_INIT("region"), ONCE},
    [EVENT_TIME] = {TEXT_INIT("time"), ONCE},
    [EVENT_DETAIL] = {TEXT_INIT("detail"), CONTAINERS},
    [EVENT_EVENT_ID] = {TEXT_INIT("detail.eventID"), ONCE},
    [EVENT_EVENT_NAME] = {TEXT_INIT("detail.eventName"), 0},
    [EVENT_USER_IDENTITY] = {TEXT_INIT("detail.userIdentity"), CONTAINERS | ONCE},
    [EVENT_IDENTITY_TYPE] = {TEXT_INIT(IDENTITY "type"), ONCE},
    [EVENT_IDENTITY_PRINCIPAL_ID] = {TEXT_INIT(IDENTITY "principalId"), ONCE},
    [EVENT_IDENTITY_ARN] = {TEXT_INIT(IDENTITY "arn"), ONCE},
    [EVENT_IDENTITY_ACCOUNT_ID] = {TEXT_INIT(IDENTITY "accountId"), ONCE},
    [EVENT_IDENTITY_ACCESS_KEY_ID] = {TEXT_INIT(IDENTITY "accessKeyId"), ONCE},
    [EVENT_IDENTITY_USER_NAME] = {TEXT_INIT(IDENTITY "userName"), ONCE},
    [EVENT_IDENTITY_INVOKED_BY] = {TEXT_INIT(IDENTITY "invokedBy"), ONCE},
    [EVENT_IDENTITY_PROVIDER] = {TEXT_INIT(IDENTITY "identityProvider"), ONCE},
    [EVENT_IDENTITY_CREDENTIAL_ID] = {TEXT_INIT(IDENTITY "credentialId"), ONCE},
    [EVENT_IDENTITY_ON_BEHALF_OF] = {TEXT_INIT(IDENTITY "onBehalfOf.userId"), ONCE},
    [EVENT_SESSION_SOURCE_IDENTITY] = {TEXT_INIT(SESSION "sourceIdentity"), ONCE},
    [EVENT_SESSION_CREATION_DATE] = {TEXT_INIT(ATTRIBUTE "creationDate"), ONCE},
    [EVENT_SESSION_MFA] = {TEXT_INIT(ATTRIBUTE "mfaAuthenticated"), ONCE},
    [EVENT_SESSION_ROLE_DELIVERY] = {TEXT_INIT(SESSION "ec2RoleDelivery"), ONCE},
    [EVENT_SESSION_WEB_PROVIDER] = {TEXT_INIT(SESSION "webIdFederationData.federatedProvider"),
                                    ONCE},
    [EVENT_ISSUER_TYPE] = {TEXT_INIT(ISSUER "type"), ONCE},
    [EVENT_ISSUER_PRINCIPAL_ID] = {TEXT_INIT(ISSUER "principalId"), ONCE},
    [EVENT_ISSUER_ARN] = {TEXT_INIT(ISSUER "arn"), ONCE},
    [EVENT_ISSUER_ACCOUNT_ID] = {TEXT_INIT(ISSUER "accountId"), ONCE},
    [EVENT_ISSUER_USER_NAME] = {TEXT_INIT(ISSUER "userName"), ONCE},
};
