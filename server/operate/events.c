#include "admin_parts.h"
#include "answers.h"
#include "routes.h"
#include "view.h"

#include "riposte/base/memory.h"

#include <stdlib.h>

void handle_recent(void *arg, struct request *request) {
    struct admin *admin = arg;
    struct recent_event *events = memory_new_array(RECENT_CAPACITY, sizeof(*events));
    size_t count = recent_copy(admin->options.recent, events, RECENT_CAPACITY);
    answer_list(request, "events", view_recent(events, count));
    free(events);
}
