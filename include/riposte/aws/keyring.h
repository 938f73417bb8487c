/* The credentials in use, refreshed before they end, by one thread and one fetch at a time.
 *
 *     left:   > 15 min      15 .. 10 min              < 10 min                 0
 *             in use        in use, fetched beside    fetched first; the old   never used
 *                                                     ones if that fails
 *
 * A new access key is told to key_fn before anybody may use it.
 *
 * Ownership:  aws_keyring_new()/aws_keyring_free(); sets handed out are references.
 * Threads:    any; ready_fn and key_fn run on the keyring's thread.
 * Source:     FACTS.md 4.1, Refresh. */
#ifndef RIPOSTE_AWS_KEYRING_H
#define RIPOSTE_AWS_KEYRING_H

#include "riposte/aws/client.h"
#include "riposte/aws/credentials.h"
#include "riposte/base/attributes.h"
#include "riposte/base/clock.h"
#include "riposte/base/error.h"
#include "riposte/outbound/permit.h"

#include <stdbool.h>
#include <stdint.h>

#define KEYRING_ADVISORY_MS  (15 * 60 * 1000)
#define KEYRING_MANDATORY_MS (10 * 60 * 1000)
/* After a failed fetch beside the present credentials, the next one waits so long. */
#define KEYRING_PAUSE_MS (30 * 1000)

struct aws_keyring;

/* Fetches anew; may block. */
typedef bool aws_keyring_fetch_fn(void *arg, const struct permit *permit,
                                  struct aws_credentials **credentials_out, struct error *error);

struct aws_keyring_options {
    struct aws_provider provider;   /* where they come from, unless */
    aws_keyring_fetch_fn *fetch_fn; /* says otherwise; may be NULL */
    void *fetch_arg;
    const struct clock *clock;
    aws_key_fn *key_fn; /* may be NULL */
    void *arg;
    bool is_own; /* our own credentials, no role's in another account: their expiry is measured */
};

MUST_CHECK bool aws_keyring_new(const struct aws_keyring_options *options,
                                struct aws_keyring **keyring_out, struct error *error);
/* From now on whoever waits, or would, gets ERROR_BUSY. */
void aws_keyring_stop(struct aws_keyring *keyring);
/* Stops; waits for a fetch under way. */
void aws_keyring_free(struct aws_keyring **keyring);

/* A reference to what may be used now, or NULL: then aws_keyring_wait(). `permit` is that of the
 * call that needs them: a fetch beside goes out on it. */
struct aws_credentials *aws_keyring_current(struct aws_keyring *keyring,
                                            const struct permit *permit);

/* `credentials` is ready_fn's to ref; NULL: `error` says why. */
typedef void aws_keyring_ready_fn(void *arg, struct aws_credentials *credentials,
                                  const struct error *error);
/* Calls ready_fn once, when there are credentials to use or none can be had. `stale` (may be NULL):
 * a set that AWS refused: others are fetched unless it was replaced already. */
void aws_keyring_wait(struct aws_keyring *keyring, const struct permit *permit,
                      struct aws_credentials *stale, aws_keyring_ready_fn *ready_fn, void *arg);

/* Unix ms; 0: none, or for good. */
int64_t aws_keyring_expiry(struct aws_keyring *keyring);

#endif
