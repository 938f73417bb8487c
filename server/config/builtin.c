#include "riposte/config/builtin.h"

#include <assert.h>

static const struct {
    const char *rule, *text; /* text: of the definition */
} builtins[BUILTIN_COUNT] = {
    [BUILTIN_DRILL] =
        {"riposte-drill",
         "{\"rule\":{\"name\":\"riposte-drill\",\"severity\":\"low\","
         "\"description\":\"A drill: nothing happened, nobody is locked out.\","
         "\"pattern\":{\"source\":[\"riposte.drill\"],\"detail-type\":[\"Riposte drill\"]},"
         "\"subject\":\"${id}\",\"cooldown\":\"0s\",\"respond\":[\"riposte-drill\"]},"
         "\"playbooks\":[{\"name\":\"riposte-drill\",\"acts_on\":\"resource\",\"steps\":["
         "{\"name\":\"probe\",\"call\":\"sts:GetCallerIdentity\"}]}],\"vars\":{}}"},
    [BUILTIN_CANARY] =
        {"riposte-canary",
         "{\"rule\":{\"name\":\"riposte-canary\",\"severity\":\"high\","
         "\"description\":\"A canary is stale: API calls of its Region may go unseen.\","
         "\"pattern\":{\"source\":[\"" CANARY_SOURCE "\"],"
         "\"detail-type\":[\"" CANARY_DETAIL_TYPE "\"]},"
         "\"subject\":\"${detail.resource}\",\"cooldown\":\"0s\",\"respond\":[\"riposte-canary\"]},"
         "\"playbooks\":[{\"name\":\"riposte-canary\",\"acts_on\":\"resource\",\"steps\":["
         "{\"name\":\"trails\",\"call\":\"cloudtrail:DescribeTrails\"},"
         "{\"name\":\"status\",\"call\":\"cloudtrail:GetTrailStatus\"},"
         "{\"name\":\"selectors\",\"call\":\"cloudtrail:GetEventSelectors\"}]}],\"vars\":{}}"},
};

struct definition *builtin_definition(enum builtin builtin) {
    struct definition *definition = NULL;
    struct error error = {0};
    struct blob *text = blob_new(text_of(builtins[builtin].text));
    bool is_read = definition_read(text, &definition, &error);
    blob_unref(&text);
    assert(is_read);
    (void)is_read;
    return definition;
}

bool builtin_find(struct text rule, enum builtin *builtin_out) {
    for (int i = 0; i < BUILTIN_COUNT; i++) {
        if (text_equal_string(rule, builtins[i].rule)) {
            *builtin_out = (enum builtin)i;
            return true;
        }
    }
    return false;
}
