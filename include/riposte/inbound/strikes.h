/* Who failed to authenticate too often: a bucket of failures an address (of IPv6 a /64).
 *
 * Only failures count and only failures are told off: many callers share EventBridge's addresses,
 * and whoever has the secret is never turned away for what a neighbour does.
 *
 * Ownership:  strikes_new/strikes_free.
 * Threads:    any; a lock for the length of a table look-up, in failing requests only.
 * Bounds:     STRIKES_ADDRESSES addresses; one more takes the place of another. STRIKES_BURST
 *             failures at once, then one each STRIKES_REFILL_MS. */
#ifndef RIPOSTE_INBOUND_STRIKES_H
#define RIPOSTE_INBOUND_STRIKES_H

#include "riposte/base/text.h"

#include <stdbool.h>
#include <stdint.h>

#define STRIKES_ADDRESSES 1024
#define STRIKES_BURST     20
#define STRIKES_REFILL_MS 3000

struct strikes;

struct strikes *strikes_new(void);
void strikes_free(struct strikes **strikes);
/* A failure of this address (as text) now. True: it is one too many. */
bool strikes_add(struct strikes *strikes, struct text address, int64_t now_mono_ms);

#endif
