/* How many incidents there are, counted anew now and then: counting looks at all of them. Private
 * to the folder.
 *
 * Ownership:  embedded; census_init/census_done. What census_recent() gives is valid until the next
 *             call.
 * Threads:    the admin listener's. */
#ifndef RIPOSTE_SERVER_OPERATE_CENSUS_H
#define RIPOSTE_SERVER_OPERATE_CENSUS_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/journal/search.h"

#include <stdbool.h>
#include <stdint.h>

#define CENSUS_LEAST_MS 1000 /* a count is good for so long, */
#define CENSUS_TIMES    50   /* or so many times as long as it took */

struct census_cache {
    struct arena *arena;
    struct journal_census counted;
    int64_t good_until_mono_ms; /* 0: never counted */
};

void census_init(struct census_cache *cache);
void census_done(struct census_cache *cache);
MUST_CHECK bool census_recent(struct census_cache *cache, struct journal *journal,
                              const struct journal_census **census_out, struct error *error);

#endif
