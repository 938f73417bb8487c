/* The accounts of our organization, page by page: organizations:ListAccounts, as the management
 * account or a delegated administrator may call it. Only those that are active; sorted, each once.
 *
 * Ownership:  aws_listing_new()/aws_listing_free(); the accounts live as long as the listing.
 * Threads:    one at a time.
 * Bounds:     AWS_LISTING_ACCOUNTS accounts; more are an error, not a part of them.
 * Source:     Organizations API, ListAccounts: a page may be empty and not the last. `State` says
 *             whether an account is active; `Status` said so before there was one. */
#ifndef RIPOSTE_AWS_LISTING_H
#define RIPOSTE_AWS_LISTING_H

#include "riposte/aws/client.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/outbound/permit.h"

#include <stdbool.h>
#include <stddef.h>

#define AWS_LISTING_ACCOUNTS 20000

/* aws_call() on a client; a table in tests. The caller frees the answer. */
typedef struct aws_answer *aws_call_fn(void *arg, const struct permit *permit,
                                       const struct aws_call *call);

struct aws_listing;

struct aws_listing *aws_listing_new(aws_call_fn *call_fn, void *arg);
void aws_listing_free(struct aws_listing **listing);

/* Asks for the next page. ERROR_SYSTEM: the same page may come later; other errors: not in this
 * listing. */
MUST_CHECK bool aws_listing_next(struct aws_listing *listing, const struct permit *permit,
                                 struct error *error);
/* The last page has come. */
bool aws_listing_is_complete(const struct aws_listing *listing);
/* Those that were heard of until now. */
const struct text *aws_listing_accounts(struct aws_listing *listing, size_t *count_out);

#endif
