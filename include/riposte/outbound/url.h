/* An absolute http or https URL, cut into its parts. Strict: what is odd is refused, so that no two
 * readers of it can disagree about the host.
 *
 * Ownership:  the parts are views of the parsed text.
 * Threads:    pure.
 * Source:     RFC 3986; no user, no fragment, no percent-encoding in the host. */
#ifndef RIPOSTE_OUTBOUND_URL_H
#define RIPOSTE_OUTBOUND_URL_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define URL_MAX_BYTES 2048

struct url {
    bool is_https;
    struct text host; /* an IPv6 address without its brackets */
    bool is_ipv6;
    uint16_t port;      /* the scheme's own when none is written */
    struct text target; /* path and query; empty, or begins with '/' or '?' */
};

/* ERROR_INVALID; the text names the host at most, since a path may hold a secret. */
MUST_CHECK bool url_parse(struct text text, struct url *url_out, struct error *error);
/* "localhost", 127.0.0.0/8, ::1. */
bool url_is_loopback(const struct url *url);
/* 169.254.0.0/16, fe80::/10 and fd00:ec2::/32, where AWS has its agents. */
bool url_is_link_local(const struct url *url);
/* The Host header's value, lower case: the port only when it isn't the scheme's. */
void url_append_authority(const struct url *url, struct buffer *out);
/* "https://" and the authority. */
void url_append_origin(const struct url *url, struct buffer *out);

#endif
