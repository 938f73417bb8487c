#include "census.h"

#include "riposte/base/clock.h"

void census_init(struct census_cache *cache) {
    *cache = (struct census_cache){.arena = arena_new()};
}

void census_done(struct census_cache *cache) {
    arena_free(&cache->arena);
}

bool census_recent(struct census_cache *cache, struct journal *journal,
                   const struct journal_census **census_out, struct error *error) {
    int64_t began_ms = clock_mono_ms(&clock_system);
    if (began_ms >= cache->good_until_mono_ms) {
        arena_reset(cache->arena);
        cache->good_until_mono_ms = 0;
        if (!journal_take_census(journal, cache->arena, &cache->counted, error)) {
            return false;
        }
        int64_t ended_ms = clock_mono_ms(&clock_system);
        int64_t good_ms = (ended_ms - began_ms) * CENSUS_TIMES;
        cache->good_until_mono_ms = ended_ms +
                                    (good_ms > CENSUS_LEAST_MS ? good_ms : CENSUS_LEAST_MS);
    }
    *census_out = &cache->counted;
    return true;
}
