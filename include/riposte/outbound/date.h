/* The time in a Date header.
 *
 * Threads:    pure.
 * Source:     RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT"; the two obsolete forms are refused.
 */
#ifndef RIPOSTE_OUTBOUND_DATE_H
#define RIPOSTE_OUTBOUND_DATE_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stdint.h>

MUST_CHECK bool http_date_parse(struct text text, int64_t *unix_ms_out);

#endif
