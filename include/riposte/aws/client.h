/* Signed AWS calls: parameters in, an answer as JSON out, in our account or as a role in another.
 * Knows requests, no incidents.
 *
 *     call ─▶ request (protocol, endpoint) ─▶ credentials ─▶ sigv4 ─▶ outbound ─▶ answer
 *
 * The permit is asked first, so that without one not even credentials are fetched, and again by
 * outbound; a write needs a permit to write, whatever else the class allows; s3:PutObject may be
 * our own (where the audit chain ends).
 *
 * Ownership:  a call is copied; an answer belongs to the caller of aws_call(), who frees it; with
 *             aws_send() the answer is valid during done_fn.
 * Threads:    any. done_fn runs on outbound's thread or the credentials' and must not block.
 * Bounds:     a call ends within timeout_ms, a fetch of credentials included unless it hangs; the
 *             client itself retries only: once after refreshing credentials that AWS refused, once
 *             after correcting a clock skew that AWS named.
 * Source:     FACTS.md 4, 5, 6; the answer's shape: RULES.md, The context. */
#ifndef RIPOSTE_AWS_CLIENT_H
#define RIPOSTE_AWS_CLIENT_H

#include "riposte/aws/environment.h"
#include "riposte/aws/identity.h"
#include "riposte/aws/operation.h"
#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"
#include "riposte/observe/trace.h"
#include "riposte/outbound/http.h"
#include "riposte/outbound/permit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aws_client;

/* A new access key was issued to us; called before it is used, on a thread that may block. False:
 * the key is not used (it could not be journaled). */
typedef bool aws_key_fn(void *arg, struct text access_key_id, struct error *error);

struct aws_tag {
    struct text key, value;
};

/* Whom to become for calls to other accounts, and how. */
struct aws_role_options {
    struct text role; /* "arn:${partition}:iam::${account}:role/riposte-responder"; empty: calls to
                         other accounts that name no role are refused */
    struct text external_id;  /* may be empty */
    struct text session_name; /* empty: "riposte" */
    const struct aws_tag *tags;
    size_t tag_count;
};

struct aws_options {
    struct http_client *http;
    const struct clock *clock;
    struct text endpoint; /* settings' aws.endpoint: every service goes there; empty: environment,
                             then AWS */
    aws_key_fn *key_fn;   /* may be NULL */
    void *arg;
    const struct aws_environment *environment; /* NULL: the process's */
    struct aws_role_options roles;             /* copied */
};

/* Nothing is fetched or opened yet. */
MUST_CHECK bool aws_client_new(const struct aws_options *options, struct aws_client **client_out,
                               struct error *error);
/* Waits for the calls under way. Before http_client_free(). */
void aws_client_free(struct aws_client **client);

struct aws_call {
    struct text service, operation; /* "iam", "PutUserPolicy" */
    struct text account;            /* whose; empty: our own */
    struct text role;               /* an ARN to become for it; empty: for another account that of
                                       the options, for our own none */
    struct text region;             /* "" or a Region; global services sign with their own */
    const struct json *parameters;  /* an object with the API's wire names; NULL: none */
    const struct json *request;     /* REST services, instead of parameters: rest.h */
    int64_t timeout_ms;             /* 0: 10000 */
    struct trace trace;             /* sent as traceparent, beside what is signed; empty: not */
};

/* In which accounts beside our own a role may be assumed, from now on; the texts are copied.
 * is_known false: nobody knows them yet: calls to other accounts may work later. In any, before
 * this was called. */
void aws_allow_accounts(struct aws_client *client, const struct text *accounts,
                        size_t account_count, bool is_known);

enum aws_outcome {
    AWS_OK,
    AWS_REFUSED,   /* an error that stays: error_code says which */
    AWS_RETRY,     /* throttling, 5xx, conflict: the same call may work later */
    AWS_NO_ANSWER, /* network, timeout, or no answer of AWS: it may have been done */
    AWS_NOT_SENT,  /* no permit, no credentials, bad parameters: nothing left; `message` says why,
                      error_code is error_code_name()'s; credentials that may be had later: RETRY */
};

struct aws_answer {
    enum aws_outcome outcome;
    int status;
    struct text error_code, message, request_id;
    const struct json *body; /* an object; {} when there is none */
    int64_t took_us;
    struct arena *arena;
};
void aws_answer_free(struct aws_answer **answer);
const char *aws_outcome_name(enum aws_outcome outcome);

typedef void aws_done_fn(void *arg, const struct aws_answer *answer);

/* Calls done_fn exactly once, possibly before it returns (what was not sent). */
void aws_send(struct aws_client *client, const struct permit *permit, const struct aws_call *call,
              aws_done_fn *done_fn, void *arg);
/* Waits. Never NULL. */
struct aws_answer *aws_call(struct aws_client *client, const struct permit *permit,
                            const struct aws_call *call);

/* Who we are: sts:GetCallerIdentity, asked once per set of credentials (permit class credential).
 * ERROR_NOT_FOUND: no credentials configured; ERROR_DENIED: the mode forbids it; others: could not
 * be fetched. */
MUST_CHECK bool aws_identity(struct aws_client *client, const struct permit *permit,
                             struct aws_identity *identity_out, struct error *error);

/* Fetches credentials and opens connections for these services before they are needed; returns at
 * once, and what can't be had now is had with the first call. */
void aws_warm(struct aws_client *client, const struct permit *permit, const struct text *services,
              size_t service_count, struct text region);

/* Becomes the role of each of these accounts before that is needed (and asks there who that is);
 * returns at once; what goes wrong is logged. */
void aws_warm_accounts(struct aws_client *client, const struct permit *permit,
                       const struct text *accounts, size_t account_count);

/* Unix ms at which the present credentials end; 0: none or for good. For a gauge. */
int64_t aws_credentials_expiry(struct aws_client *client);

#endif
