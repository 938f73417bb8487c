/* Times and durations as text.
 *
 * Units:  unix_ms: milliseconds since 1970-01-01T00:00:00Z, which may be negative.
 * Source: RFC 3339 (CloudTrail and EventBridge write "2026-01-02T03:04:05Z"). */
#ifndef RIPOSTE_BASE_TIME_H
#define RIPOSTE_BASE_TIME_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define TIME_TEXT_BYTES 32

/* "2026-01-02T03:04:05Z", with fraction (cut to ms) or offset ("+02:00") too. */
MUST_CHECK bool time_parse(struct text text, int64_t *unix_ms_out);
/* "2026-01-02T03:04:05.678Z" into out; years 0 to 9999, others give "out of range". */
void time_format_ms(int64_t unix_ms, char out[TIME_TEXT_BYTES]);
/* "2026-01-02T03:04:05Z". */
void time_format_s(int64_t unix_ms, char out[TIME_TEXT_BYTES]);
/* "20260102T030405Z": AWS Signature Version 4's form. */
void time_format_basic(int64_t unix_ms, char out[TIME_TEXT_BYTES]);
/* "250ms", "5s", "5m", "1h", "30d": a whole number and one unit; at most 100 years. */
MUST_CHECK bool duration_parse(struct text text, int64_t *ms_out);
/* The largest unit that divides: 300000 -> "5m". */
void duration_format(int64_t ms, char out[TIME_TEXT_BYTES]);
/* For people, rounded down (ms >= 0): "266d 23h", "1h 0m 1s", "5m 2s", "340ms". */
void duration_describe(int64_t ms, char out[TIME_TEXT_BYTES]);

#endif
