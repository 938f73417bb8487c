#include "admin_parts.h"
#include "answers.h"
#include "routes.h"
#include "view.h"

#include "riposte/base/memory.h"

#include <stdlib.h>

#define LIMIT_WRONG "limit: a number from 1 to 256"
_Static_assert(RECENT_CAPACITY == 256, "the text says so");

static bool read_recent_limit(struct text text, uint64_t *limit_out) {
    *limit_out = RECENT_CAPACITY;
    return text.bytes == 0 || (text_parse_unsigned(text, limit_out) && *limit_out > 0 &&
                               *limit_out <= RECENT_CAPACITY);
}

/* Those with that outcome (empty: any), at most `limit`; returns how many. */
static size_t keep(struct recent_event *events, size_t count, struct text outcome, size_t limit) {
    size_t kept = 0;
    for (size_t i = 0; i < count && kept < limit; i++) {
        if (outcome.bytes == 0 || text_equal_string(outcome, events[i].outcome)) {
            events[kept++] = events[i];
        }
    }
    return kept;
}

void handle_recent(void *arg, struct request *request) {
    struct admin *admin = arg;
    uint64_t limit = 0;
    if (!read_recent_limit(request_query(request, "limit"), &limit)) {
        request_answer_error(request, 400, LIMIT_WRONG);
        return;
    }
    struct recent_event *events = memory_new_array(RECENT_CAPACITY, sizeof(*events));
    size_t count = recent_copy(admin->options.recent, events, RECENT_CAPACITY);
    count = keep(events, count, request_query(request, "outcome"), (size_t)limit);
    answer_list(request, "events", view_recent(events, count));
    free(events);
}
