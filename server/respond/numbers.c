#include "numbers.h"

#include "riposte/observe/metrics.h"

enum { REACTION, CALLS, CALL_TIME, INCIDENTS, PAGES, ESCAPES, REAPPLIED, RETRIES, TASKS, NOTICES };

static struct metric metrics[] = {
    [REACTION] = {.name = "riposte_reaction_seconds",
                  .unit = "seconds",
                  .type = METRIC_HISTOGRAM,
                  .help = "From the first byte of a POST to the last of its first containing "
                          "call's answer."},
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
    [NOTICES] = {.name = "riposte_notifications_total",
                 .type = METRIC_COUNTER,
                 .help =
                     "Steps of notifying playbooks by how they ended: sent, put off to be tried "
                     "again, lost (nobody was told), skipped.",
                 .labels = {"playbook", "outcome"}},
};

/* What is alerted on stands at 0 from the start: an increase from nothing would not be seen. */
void numbers_register(void) {
    metrics_register(metrics, ARRAY_COUNT(metrics));
    static const char *const pages[] = {"held", "failed", "escaped", "releasing"};
    for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
        metric_add(&metrics[PAGES], 0, METRIC_LABELS(text_of(pages[i])));
    }
    for (int state = INCIDENT_DETECTED; state <= INCIDENT_DISMISSED; state++) {
        struct text name = text_of(incident_state_name((enum incident_state)state));
        metric_add(&metrics[INCIDENTS], 0, METRIC_LABELS(name));
    }
}

void numbers_expect_notices(struct text playbook) {
    static const char *const outcomes[] = {"sent", "put-off", "lost", "skipped"};
    for (size_t i = 0; i < ARRAY_COUNT(outcomes); i++) {
        metric_add(&metrics[NOTICES], 0, METRIC_LABELS(playbook, text_of(outcomes[i])));
    }
}

void numbers_notice(struct text playbook, const char *outcome) {
    metric_add(&metrics[NOTICES], 1, METRIC_LABELS(playbook, text_of(outcome)));
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
