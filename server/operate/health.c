#include "admin_parts.h"
#include "process.h"
#include "routes.h"

#include "riposte/observe/metrics.h"

void handle_metrics(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    const struct journal_census *census = NULL;
    struct error error = {0};
    process_measure(admin->options.journal);
    /* What can't be counted now stands as it stood. */
    if (census_recent(&admin->census, admin->options.journal, &census, &error)) {
        process_measure_incidents(census);
    }
    metrics_render(&text);
    request_answer(request, &(struct answer){.status = 200,
                                             .content_type = METRICS_CONTENT_TYPE,
                                             .body = buffer_text(&text)});
}

void handle_health(void *arg, struct request *request) {
    (void)arg;
    request_answer(request,
                   &(struct answer){.status = 200, .body = TEXT("{\"status\":\"alive\"}\n")});
}

void handle_ready(void *arg, struct request *request) {
    struct admin *admin = arg;
    if (journal_is_ready(admin->options.journal)) {
        request_answer(request,
                       &(struct answer){.status = 200, .body = TEXT("{\"status\":\"ready\"}\n")});
    } else {
        request_answer_busy(request, 503, "the journal can't commit", RETRY_AFTER_S);
    }
}
