#include "numbers.h"

#include "riposte/observe/metrics.h"

enum { REACTION, CALLS, CALL_TIME, INCIDENTS, PAGES, ESCAPES, REAPPLIED, RETRIES, TASKS };

static struct metric metrics[] = {
    [REACTION] = {.name = "riposte_reaction_seconds",
                  .unit = "seconds",
                  .type = METRIC_HISTOGRAM,
                  .help = "From the receipt of an event to the end of its first containing call."},
    [CALLS] = {.name = "riposte_aws_calls_total",
               .type = METRIC_COUNTER,
               .help = "AWS calls by how they ended.",
               .labels = {"service", "operation", "outcome"}},
    [CALL_TIME] = {.name = "riposte_aws_call_seconds",
                   .unit = "seconds",
                   .type = METRIC_HISTOGRAM,
                   .help = "How long AWS took to answer.",
                   .labels = {"service", "operation"}},
    [INCIDENTS] = {.name = "riposte_incidents_total",
                   .type = METRIC_COUNTER,
                   .help = "Incidents that came into a state.",
                   .labels = {"state"}},
    [PAGES] = {.name = "riposte_pages_total",
               .type = METRIC_COUNTER,
               .help = "Times that a person was called for.",
               .labels = {"state"}},
    [ESCAPES] = {.name = "riposte_escapes_total",
                 .type = METRIC_COUNTER,
                 .help = "Principals that went on after they had been contained."},
    [REAPPLIED] = {.name = "riposte_verify_reapplied_total",
                   .type = METRIC_COUNTER,
                   .help = "Writes applied again because a verification missed them."},
    [RETRIES] = {.name = "riposte_retries_total",
                 .type = METRIC_COUNTER,
                 .help = "Tasks put off because AWS did not answer or asked to wait.",
                 .labels = {"task"}},
    [TASKS] = {.name = "riposte_tasks_total",
               .type = METRIC_COUNTER,
               .help = "Tasks worked on.",
               .labels = {"task"}},
};

void numbers_register(void) {
    metrics_register(metrics, ARRAY_COUNT(metrics));
}

void numbers_reaction(int64_t us) {
    metric_observe_us(&metrics[REACTION], us, NULL);
}

void numbers_call(struct text service, struct text operation, enum aws_outcome outcome,
                  int64_t took_us) {
    metric_add(&metrics[CALLS], 1,
               METRIC_LABELS(service, operation, text_of(aws_outcome_name(outcome))));
    if (outcome != AWS_NOT_SENT) {
        metric_observe_us(&metrics[CALL_TIME], took_us, METRIC_LABELS(service, operation));
    }
}

void numbers_incident(enum incident_state state) {
    metric_add(&metrics[INCIDENTS], 1, METRIC_LABELS(text_of(incident_state_name(state))));
}

void numbers_page(const char *state) {
    metric_add(&metrics[PAGES], 1, METRIC_LABELS(text_of(state)));
}

void numbers_escape(void) {
    metric_add(&metrics[ESCAPES], 1, NULL);
}

void numbers_reapplied(void) {
    metric_add(&metrics[REAPPLIED], 1, NULL);
}

void numbers_retry(const char *task) {
    metric_add(&metrics[RETRIES], 1, METRIC_LABELS(text_of(task)));
}

void numbers_task(const char *task) {
    metric_add(&metrics[TASKS], 1, METRIC_LABELS(text_of(task)));
}
