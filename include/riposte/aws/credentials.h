/* A set of credentials, and where one comes from: the first of these that is configured.
 *
 *     environment    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY [, AWS_SESSION_TOKEN,
 *                    AWS_CREDENTIAL_EXPIRATION]
 *     web identity   AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN [, AWS_ROLE_SESSION_NAME]
 *     container      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, else ..._FULL_URI
 *                    [, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, else ..._TOKEN]
 *
 *     file           profile AWS_PROFILE of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials)
 *     instance       IMDSv2 at AWS_EC2_METADATA_SERVICE_ENDPOINT, unless AWS_EC2_METADATA_DISABLED
 *
 * Files are read each time: they are rotated. Answers of container and instance pass no proxy.
 *
 * Ownership:  a set is shared: aws_credentials_ref()/aws_credentials_unref(); the last wipes it.
 * Threads:    a set is immutable. Fetching may block: for a thread that may.
 * Source:     FACTS.md 4.1. */
#ifndef RIPOSTE_AWS_CREDENTIALS_H
#define RIPOSTE_AWS_CREDENTIALS_H

#include "riposte/aws/environment.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"
#include "riposte/outbound/http.h"
#include "riposte/outbound/permit.h"

#include <stdbool.h>
#include <stdint.h>

struct aws_credentials {
    struct text access_key_id, secret_access_key;
    struct text session_token; /* empty: none */
    int64_t expires_unix_ms;   /* 0: never */
};

struct aws_credentials *aws_credentials_new(struct text access_key_id,
                                            struct text secret_access_key,
                                            struct text session_token, int64_t expires_unix_ms);
/* NULL gives NULL. */
struct aws_credentials *aws_credentials_ref(struct aws_credentials *credentials);
/* Gives it back and sets it to NULL. */
void aws_credentials_unref(struct aws_credentials **credentials);

/* What fetching needs. */
struct aws_provider {
    struct aws_environment environment;
    struct http_client *http;
    struct text endpoint; /* settings' aws.endpoint, for web identity; empty: none */
};

/* ERROR_NOT_FOUND: none configured; ERROR_INVALID: configured wrongly, or an answer that is none;
 * ERROR_DENIED: no permit, or refused there; ERROR_SYSTEM, ERROR_LIMIT: no answer. No text holds a
 * secret. */
MUST_CHECK bool aws_credentials_fetch(const struct aws_provider *provider,
                                      const struct permit *permit,
                                      struct aws_credentials **credentials_out,
                                      struct error *error);

/* From the answer of an STS operation that issues some; ERROR_INVALID: it holds none. */
MUST_CHECK bool aws_credentials_read(const struct json *body,
                                     struct aws_credentials **credentials_out, struct error *error);

#endif
