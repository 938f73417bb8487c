/* AWS Signature Version 4, stage by stage.
 *
 *     request ─▶ canonical request ─▶ string to sign ─┬▶ signature ─▶ Authorization
 *     secret key, day, Region, service ─▶ signing key ┘
 *
 * Ownership:  all stages write into the caller's buffers; a cache is the caller's.
 * Threads:    the stages are pure; a cache may be shared.
 * Source:     IAM user guide, "Create a signed AWS API request". */
#ifndef RIPOSTE_AWS_SIGV4_H
#define RIPOSTE_AWS_SIGV4_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/text.h"
#include "riposte/crypto/hmac.h"
#include "riposte/outbound/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGV4_KEY_BYTES HMAC_SHA256_BYTES

/* What is signed, as it goes over the wire. All headers given are signed: Host, X-Amz-Date and
 * X-Amz-Security-Token must be among them; an X-Amz-Content-Sha256 stands for the body's hash. */
struct sigv4_request {
    struct text method;
    struct text path;  /* percent-encoded, without dot segments; empty: "/" */
    struct text query; /* percent-encoded, without '?' */
    const struct http_header *headers;
    size_t header_count;
    struct text body;
    bool is_s3; /* its paths are not encoded a second time */
};

/* When and for whom a signature counts. */
struct sigv4_scope {
    int64_t unix_ms;
    struct text region, service;
};

/* Appends the canonical request to `out` and the list of signed headers to `signed_headers`. */
void sigv4_canonical_request(const struct sigv4_request *request, struct buffer *out,
                             struct buffer *signed_headers);
void sigv4_string_to_sign(const struct sigv4_scope *scope, struct text canonical_request,
                          struct buffer *out);
void sigv4_signing_key(const struct sigv4_scope *scope, struct text secret_key,
                       uint8_t key_out[SIGV4_KEY_BYTES]);

/* Signing keys of late: one is good for a day, a Region and a service. */
struct sigv4_cache;
struct sigv4_cache *sigv4_cache_new(void);
void sigv4_cache_free(struct sigv4_cache **cache);

/* All stages: appends the value of the Authorization header. `cache` may be NULL. */
void sigv4_sign(const struct sigv4_request *request, const struct sigv4_scope *scope,
                struct text access_key_id, struct text secret_key, struct sigv4_cache *cache,
                struct buffer *authorization);

#endif
