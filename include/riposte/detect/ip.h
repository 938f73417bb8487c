/* IP literals as the pattern language reads them (PATTERNS.md 5 and 8): what Java's InetAddress
 * makes of a.b.c.d with decimal octets, or of hexadecimal groups with ':'. An IPv4-mapped IPv6
 * address in hexadecimal is an IPv4 address.
 *
 * Threads:  values. */
#ifndef RIPOSTE_DETECT_IP_H
#define RIPOSTE_DETECT_IP_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_V4_BYTES 4
#define IP_V6_BYTES 16

struct ip {
    uint8_t bytes[IP_V6_BYTES]; /* the first byte_count of them; the rest 0 */
    size_t byte_count;          /* IP_V4_BYTES or IP_V6_BYTES */
};

struct ip_range {
    struct ip ip; /* host bits cleared */
    unsigned bits;
};

/* False when `text` is anything but an IP literal. */
MUST_CHECK bool ip_parse(struct text text, struct ip *ip_out);
bool ip_equal(const struct ip *a, const struct ip *b);

/* "10.0.0.0/8". On failure *reason_out says why. */
MUST_CHECK bool ip_range_parse(struct text text, struct ip_range *range_out,
                               const char **reason_out);
/* Sets the bits behind the mask to 0. */
void ip_range_clear_host(struct ip_range *range);
/* False across the two families. */
bool ip_range_contains(const struct ip_range *range, const struct ip *ip);

#endif
