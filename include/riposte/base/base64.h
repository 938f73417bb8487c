/* Base64, RFC 4648 section 4, with padding.
 *
 * Threads:    any; pure. */
#ifndef RIPOSTE_BASE_BASE64_H
#define RIPOSTE_BASE_BASE64_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/text.h"

#include <stdbool.h>

void base64_encode(struct text bytes, struct buffer *out);
/* Strict: padding required, no white space, unused bits zero. False leaves `out` as it was. */
MUST_CHECK bool base64_decode(struct text text, struct buffer *out);

#endif
