/* A notification over HTTPS. Its secrets are resolved when it is sent; until then their places in
 * the body hold marks that nobody could guess, and what is journaled their references.
 *
 * Ownership:  a posting lives in the arena it was filled in; secrets are wiped once it was sent.
 * Threads:    a worker's.
 * Source:     RULES.md, post; Standard Webhooks 1.0.0. */
#ifndef RIPOSTE_SERVER_RESPOND_POST_H
#define RIPOSTE_SERVER_RESPOND_POST_H

#include "delivery.h"
#include "job.h"
#include "notice.h"

#define POST_BODY_BYTES (8u * 1024 * 1024)

struct posting {
    const struct post *post;
    bool is_json;
    struct text body; /* with the marks */
    struct text marks[POST_SECRETS_MOST];
    struct text journaled; /* JSON: {"url", "body"} */
};

/* From a context with the notice. */
MUST_CHECK bool post_fill(const struct post *post, const struct json *context, struct arena *arena,
                          struct posting *posting_out, struct error *error);
/* Waits for the answer. `message`: the same for each try of the same notification. */
struct delivery post_send(const struct job *job, const struct posting *posting,
                          struct text message);

#endif
