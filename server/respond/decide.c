#include "decide.h"

#include "call.h"
#include "detail.h"
#include "entry.h"
#include "execute.h"
#include "notify.h"
#include "numbers.h"
#include "planted.h"
#include "release.h"
#include "restored.h"
#include "retry.h"

#include "riposte/aws/role.h"
#include "riposte/base/buffer.h"
#include "riposte/config/where.h"
#include "riposte/json/writer.h"
#include "riposte/observe/log.h"
#include "riposte/respond/confirm.h"
#include "riposte/respond/dry.h"
#include "riposte/respond/failpoint.h"
#include "riposte/respond/ladder.h"
#include "riposte/respond/parameters.h"

#define ANSWER_BYTES 2048 /* of a question's answer in the incident's story */

/* A verdict in the making. */
struct decision {
    struct job *job;
    struct guard_verdict verdict;
    struct detail detail;
    bool is_put_off;     /* a question is to be asked again later */
    unsigned tries;      /* of that question */
    struct buffer asked; /* JSON: what confirm asked and heard */
    struct json_writer writer;
};

static bool is_approved(const struct job *job) {
    return job->authority == AUTHORITY_OPERATOR;
}

/* It joined an incident that was approved by now. */
static bool is_catching_up(const struct job *job) {
    return job->task->incident.state == INCIDENT_JOINED;
}

/* On the same word, for those who joined this one. */
static struct text catch_up_detail(const struct decision *decision) {
    struct detail detail = job_detail(decision->job);
    detail.overrides_protection = decision->detail.overrides_protection;
    return is_approved(decision->job) ? detail_text(&detail) : TEXT("");
}

/* Asks for another go, unless there were enough. */
static bool try_later(struct decision *decision, const char *what) {
    decision->tries = detail_try(&decision->detail, text_of(what));
    decision->is_put_off = decision->tries < RESPOND_ATTEMPTS;
    return decision->is_put_off;
}

/* ---- guard --------------------------------------------------------------------------------------
 */

/* Whom we become where the event happened, when that isn't our own account. */
static struct text own_role(const struct job *job) {
    const struct settings *settings = job->snapshot->settings;
    const struct principal *principal = &job->event.principal;
    struct text account = job->event.envelope.account, role = {NULL, 0};
    struct error error = {0};
    bool is_elsewhere = settings->aws.accounts.count > 0 &&
                        !text_equal(account, job->identity.account);
    return is_elsewhere && aws_role_arn(settings->aws.role, principal->partition, account,
                                        job->arena, &role, &error)
               ? role
               : TEXT("");
}

/* Held, but only when that stays so. */
static void await_accounts(struct decision *decision) {
    decision->verdict = (struct guard_verdict){
        GUARD_HOLD, true,
        TEXT(
            "which accounts are ours is not known: those of the organization could not be listed")};
    bool is_put_off = try_later(decision, "accounts");
    (void)is_put_off; /* the verdict holds otherwise */
}

/* Intake fires what may be about a stranger's account while it can't know which accounts are ours.
 */
static void compare_again(struct decision *decision) {
    struct job *job = decision->job;
    const struct rule *rule = job->definition->rule;
    bool is_asked = job->snapshot->settings->aws.is_organization && where_names_accounts(rule) &&
                    !settings_await_accounts(job->snapshot->settings) && !is_approved(job);
    bool holds = true;
    struct error error = {0};
    if (is_asked && !where_holds(rule, job->context, job->arena, &holds, NULL, &error)) {
        decision->verdict = (struct guard_verdict){
            GUARD_HOLD, true, arena_copy_text(job->arena, text_of(error.text))};
    } else if (!holds) {
        decision->verdict = (struct guard_verdict){
            GUARD_SUPPRESS, false,
            TEXT("where: it does not hold, now that our accounts are known")};
    }
}

static void judge(struct decision *decision) {
    struct job *job = decision->job;
    bool awaits_accounts = job_awaits_accounts(job);
    const struct settings *settings = job->snapshot->settings;
    struct text key = job->event.principal.access_key_id;
    struct guard_facts facts = {
        .event = &job->event,
        .identity = &job->identity,
        .is_own_key = key.bytes > 0 && journal_knows_key(job->respond->options.journal, key),
        .needs_identity = job->mode != MODE_OBSERVE,
        /* What nobody can say yet is left to await_accounts(). */
        .accounts = awaits_accounts ? (struct texts){&job->event.envelope.account, 1}
                                    : settings->aws.accounts,
        .own_role = own_role(job),
        .regions = settings->aws.regions,
        .protected_principals = settings->guard.protected_principals,
        .max_event_age_ms = settings->guard.max_event_age_ms,
        .received_unix_ms = job->task->received_unix_ms,
        .overrides_age = is_approved(job),
        .overrides_protection = is_approved(job) && decision->detail.overrides_protection,
    };
    guard_judge(&facts, job->arena, &decision->verdict);
    if (decision->verdict.decision == GUARD_HOLD && job->may_know_later) {
        bool is_held = !try_later(decision, "identity");
        (void)is_held; /* the verdict says so already */
    }
    if (decision->verdict.decision == GUARD_PASS && awaits_accounts) {
        await_accounts(decision);
    } else if (decision->verdict.decision == GUARD_PASS) {
        compare_again(decision);
    }
}

/* ---- confirm ------------------------------------------------------------------------------------
 */

static void hold(struct decision *decision, struct text reason) {
    decision->verdict = (struct guard_verdict){GUARD_HOLD, true, reason};
}

static void note_question(struct decision *decision, const struct confirm_call *call,
                          const char *result, const struct call_outcome *outcome) {
    struct json_writer *writer = &decision->writer;
    json_open_object(writer, NULL);
    json_put_text(writer, "call",
                  arena_format(decision->job->arena, "%.*s:%.*s", TEXT_ARG(call->service),
                               TEXT_ARG(call->operation)));
    json_put_string(writer, "result", result);
    if (outcome->reason.bytes > 0) {
        json_put_text(writer, "reason", outcome->reason);
    }
    struct text answer = job_json_text(decision->job, outcome->body);
    if (outcome->outcome == AWS_OK && answer.bytes <= ANSWER_BYTES) {
        json_put_raw(writer, "answer", answer);
    }
    json_put_integer(writer, "took_us", outcome->took_us);
    json_close_object(writer);
}

/* The audit says it with the verdict. */
static void note_confirmed(struct decision *decision, const struct confirm_call *call,
                           const char *how) {
    struct text before = decision->verdict.reason;
    decision->verdict.reason = arena_format(decision->job->arena, "%.*s%s%s by %.*s:%.*s",
                                            TEXT_ARG(before), before.bytes > 0 ? ", " : "", how,
                                            TEXT_ARG(call->service), TEXT_ARG(call->operation));
}

static void judge_answer(struct decision *decision, const struct question *question,
                         const struct confirm_call *call, const struct call_outcome *outcome) {
    struct job *job = decision->job;
    bool is_confirmed = false;
    struct error error = {0};
    if (!confirm_judge(question, job->context, outcome->body, job->arena, &is_confirmed, &error)) {
        note_question(decision, call, "undecided", outcome);
        hold(decision, arena_copy_text(job->arena, text_of(error.text)));
        return;
    }
    note_question(decision, call, is_confirmed ? "confirmed" : "not-confirmed", outcome);
    if (is_confirmed) {
        note_confirmed(decision, call, "confirmed");
        return;
    }
    struct text why = plan_mismatch(question->matches, job->context, outcome->body, job->arena);
    if (restored_lately(job)) {
        hold(decision,
             arena_format(job->arena,
                          "not confirmed by %.*s:%.*s (%.*s), but we put it right "
                          "ourselves not long ago: that may be all it shows",
                          TEXT_ARG(call->service), TEXT_ARG(call->operation), TEXT_ARG(why)));
        return;
    }
    decision->verdict = (struct guard_verdict){
        GUARD_SUPPRESS, false,
        arena_format(job->arena, "not confirmed by %.*s:%.*s: %.*s", TEXT_ARG(call->service),
                     TEXT_ARG(call->operation), TEXT_ARG(why))};
}

static void unanswered(struct decision *decision, const struct confirm_call *call,
                       const struct call_outcome *outcome) {
    struct job *job = decision->job;
    bool may_answer_later = outcome->outcome == AWS_RETRY || outcome->outcome == AWS_NO_ANSWER;
    if (may_answer_later && try_later(decision, "confirm")) {
        return;
    }
    note_question(decision, call, "unanswered", outcome);
    hold(decision, arena_format(job->arena, "confirm %.*s:%.*s: %.*s", TEXT_ARG(call->service),
                                TEXT_ARG(call->operation), TEXT_ARG(outcome->reason)));
}

static void ask(struct decision *decision, const struct question *question) {
    struct job *job = decision->job;
    struct confirm_call call = {0};
    struct error error = {0};
    if (!confirm_prepare(question, &job->event, job->context, job->arena, &call, &error)) {
        hold(decision, arena_copy_text(job->arena, text_of(error.text)));
        return;
    }
    if (!call.applies) {
        return;
    }
    struct call wire = {call.service, call.operation, call.account, call.region, call.parameters};
    struct call_outcome outcome = call_send(job, PERMIT_READ, &wire);
    bool is_tolerated = outcome.outcome == AWS_REFUSED &&
                        plan_tolerates(&question->tolerate, outcome.error_code);
    if (outcome.outcome == AWS_OK) {
        judge_answer(decision, question, &call, &outcome);
    } else if (is_tolerated) {
        note_question(decision, &call, "tolerated", &outcome);
        note_confirmed(
            decision, &call,
            arena_format(job->arena, "%.*s tolerated", TEXT_ARG(outcome.error_code)).data);
    } else {
        unanswered(decision, &call, &outcome);
    }
}

static void confirm(struct decision *decision) {
    const struct rule *rule = decision->job->definition->rule;
    json_open_object(&decision->writer, NULL);
    json_open_array(&decision->writer, "confirm");
    for (size_t i = 0; i < rule->confirm_count && decision->verdict.decision == GUARD_PASS &&
                       !decision->is_put_off;
         i++) {
        ask(decision, &rule->confirm[i]);
    }
    json_close_array(&decision->writer);
    json_close_object(&decision->writer);
}

/* ---- the first intents --------------------------------------------------------------------------
 */

/* An event that will only join another needs none of it. */
static bool will_join(const struct job *job) {
    const struct journal_incident *incident = &job->task->incident;
    return !is_approved(job) && hints_has(&job->respond->hints, incident->rule, incident->subject,
                                          job_now(job) - job->definition->rule->cooldown_ms);
}

static void add_read(struct head_start *head, struct text key, const struct call *call) {
    if (head->read_count < HEAD_START_READS) {
        head->reads[head->read_count].key = key;
        head->reads[head->read_count++].asked = *call;
    }
}

/* Walks ahead over reads whose answers nobody has yet; stops at the first write. */
static void look_ahead(struct job *job, const struct playbook *playbook, struct head_start *head) {
    bool sends_reads = !will_join(job);
    struct plan_record assumed[HEAD_START_READS];
    size_t count = 0;
    bool asks_before = false;
    struct plan_action action;
    for (;;) {
        struct plan_input input = job_plan_input(job, playbook);
        input.records = assumed;
        input.record_count = count;
        plan_next(&input, job->arena, &action);
        if (action.kind != PLAN_ASK || action.is_known_only_when_asked ||
            count == HEAD_START_READS) {
            break;
        }
        asks_before |= action.is_before;
        assumed[count++] = (struct plan_record){
            .key = action.key, .state = PLAN_WORKED, .is_assumed = true};
        struct call call = {action.service, action.operation, action.account, action.region,
                            action.parameters};
        if (sends_reads) {
            add_read(head, action.key, &call);
        }
    }
    head->has_intent = action.kind == PLAN_WRITE && !action.is_known_only_when_asked &&
                       !asks_before;
    head->intent = action;
    struct call look;
    if (sends_reads && head->has_intent && planted_question(job, &action, &look)) {
        add_read(head, planted_key(job, action.key), &look);
    }
}

/* While the journal writes: the intents don't depend on the answers. */
static void ask_ahead(void *arg) {
    struct head_start *head = arg;
    for (size_t i = 0; i < head->read_count; i++) {
        head->reads[i].call = early_call_send(head->job, &head->reads[i].asked);
    }
}

static void head_start_done(struct head_start *head) {
    for (size_t i = 0; i < head->read_count; i++) {
        early_call_free(&head->reads[i].call);
    }
}

/* ---- admit --------------------------------------------------------------------------------------
 */

static struct journal_new_task playbook_task(const struct job *job, const struct playbook *playbook,
                                             bool is_escape) {
    static const enum task_priority priorities[] = {[ACTS_ON_PRINCIPAL] = PRIORITY_CONTAIN,
                                                    [ACTS_ON_RESOURCE] = PRIORITY_RESTORE,
                                                    [ACTS_ON_NOBODY] = PRIORITY_NOTIFY};
    struct detail detail = job_detail(job);
    detail.is_escape = is_escape;
    return (struct journal_new_task){
        .kind = TASK_PLAYBOOK,
        .priority = priorities[playbook->acts_on],
        .playbook = playbook->name,
        .lane = job_lane(job, playbook),
        .detail = detail_text(&detail),
        .acts_on_principal = playbook->acts_on == ACTS_ON_PRINCIPAL,
    };
}

/* Containing ones first, each kind in `respond` order; then the end of what they do. */
static size_t list_tasks(const struct job *job, struct journal_new_task *tasks) {
    const struct definition *definition = job->definition;
    size_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < definition->playbook_count; i++) {
            const struct playbook *playbook = definition->playbooks[i];
            if ((playbook->acts_on == ACTS_ON_PRINCIPAL) == (pass == 0)) {
                tasks[count++] = playbook_task(job, playbook, false);
            }
        }
    }
    bool contains = count > 0 && tasks[0].acts_on_principal;
    return count + (contains && release_task(job, &tasks[count]));
}

/* All who climb one ladder are one principal. */
static struct journal_reservation principal_limit(const struct job *job,
                                                  const struct playbook *first) {
    const struct rule *rule = job->definition->rule;
    const struct settings *settings = job->snapshot->settings;
    struct journal_reservation limit = {.scope = TEXT("principals"),
                                        .target = job->event.principal.id,
                                        .count = settings->guard.limit_principals,
                                        .per_ms = settings->guard.limit_per_ms};
    struct text holder = {NULL, 0};
    if (ladder_holder(first, job->context, job->arena, &holder)) {
        limit.target = holder;
    }
    if (rule->has_limit) {
        limit.scope = arena_format(job->arena, "principals of rule %.*s", TEXT_ARG(rule->name));
        limit.count = rule->limit_count;
        limit.per_ms = rule->limit_per_ms;
    }
    return limit;
}

static enum admit_proposal propose(const struct decision *decision) {
    static const enum admit_proposal by_mode[] = {[MODE_OBSERVE] = ADMIT_OBSERVE,
                                                  [MODE_APPROVE] = ADMIT_APPROVE,
                                                  [MODE_ENFORCE] = ADMIT_RESPOND};
    switch (decision->verdict.decision) {
    case GUARD_SUPPRESS:
        return ADMIT_SUPPRESS;
    case GUARD_HOLD:
        return ADMIT_HOLD;
    case GUARD_PASS:
        break;
    }
    if (is_approved(decision->job)) {
        return ADMIT_RESPOND;
    }
    return by_mode[decision->job->mode];
}

/* What would be done, for those who decide later; what was asked, where it is being done. */
static struct text make_plan(const struct decision *decision, enum admit_proposal proposal) {
    struct job *job = decision->job;
    if (proposal == ADMIT_SUPPRESS || proposal == ADMIT_RESPOND) {
        return job->definition->rule->confirm_count > 0 ? buffer_text(&decision->asked)
                                                        : (struct text){NULL, 0};
    }
    struct guard_verdict pass = {.decision = GUARD_PASS};
    struct context_self self = job_self(job);
    struct dry_input input = {
        .definition = job->definition,
        .event = &job->event,
        .settings = job->snapshot->settings,
        .self = job->identity.is_known ? &self : NULL,
        .incident_id = ulid_text(&job->task->incident.id),
        .verdict = decision->verdict.decision == GUARD_PASS ? &decision->verdict : &pass};
    struct dry_run run;
    struct error error = {0};
    if (!dry_run(&input, job->arena, &run, &error)) {
        return (struct text){NULL, 0};
    }
    run.asked = json_member(job_parse(job, buffer_text(&decision->asked)), "confirm");
    run.is_unconfirmed = run.is_unconfirmed && run.asked == NULL;
    return job_json_text(job, dry_to_json(&run, job->arena));
}

static void log_verdict(const struct job *job, const struct journal_admitted *admitted) {
    log_info(&(struct log_context){.component = "respond",
                                   .event = job->task->event_key,
                                   .trace = trace_text(&job->task->trace),
                                   .incident = ulid_text(&job->task->incident.id),
                                   LOG_FIELDS(log_text("rule", job->task->incident.rule),
                                              log_text("reason", admitted->reason))},
             "incident %s", incident_state_name(admitted->state));
}

static void tell(const struct decision *decision, const struct journal_admitted *admitted,
                 enum admit_proposal proposal) {
    const struct job *job = decision->job;
    log_verdict(job, admitted);
    if (is_catching_up(job)) {
        if (proposal == ADMIT_HOLD) {
            job_page(job, "held", admitted->reason);
        }
        return;
    }
    numbers_incident(admitted->state);
    if (admitted->state == INCIDENT_RESPONDING) {
        hints_note(&job->respond->hints, job->task->incident.rule, job->task->incident.subject,
                   job_now(job));
    }
    if (admitted->is_escape) {
        numbers_escape();
        job_page(job, "escaped", TEXT("the principal went on after it had been contained"));
    }
    bool is_limited = admitted->state == INCIDENT_HELD && proposal != ADMIT_HOLD &&
                      proposal != ADMIT_SUPPRESS;
    bool must_page = admitted->state == INCIDENT_HELD && decision->verdict.must_page;
    if (is_limited || must_page) {
        job_page(job, "held", admitted->reason);
    }
}

/* Does the head start belong to the playbook that admit handed out? */
static bool is_headed(const struct journal_admitted *admitted, const struct head_start *head,
                      struct text playbook) {
    bool has_any = head->read_count > 0 || head->has_intent;
    bool is_own = admitted->is_escape || ulid_is_none(&admitted->joined_to);
    return has_any && is_own && text_equal(admitted->next->playbook, playbook);
}

/* The same event, in the hands of the same worker: only the incident may be another one. */
static void go_on(struct job *job, struct journal_admitted *admitted, const struct head_start *head,
                  struct text playbook) {
    struct error error = {0};
    bool takes_head = is_headed(admitted, head, playbook);
    if (job_go_on(job, &admitted->next, &error)) {
        execute_playbook(job, takes_head ? head : NULL);
    } else {
        log_warn(&(struct log_context){.component = "respond",
                                       .event = job->task->event_key,
                                       .trace = trace_text(&job->task->trace),
                                       .incident = ulid_text(&job->task->incident.id)},
                 "playbook task dropped: %s", error.text);
    }
}

static void drop(struct job *job) {
    scoped(journal_write_free) struct journal_write *write = journal_write_new(job->task);
    journal_write_finish(write);
    bool is_committed = job_commit(job, write);
    (void)is_committed; /* job_commit() said so */
}

static void admit(struct decision *decision) {
    struct job *job = decision->job;
    size_t playbooks = job->definition->playbook_count;
    enum admit_proposal proposal = propose(decision);
    struct journal_new_task *tasks = arena_alloc_array(job->arena, playbooks + 1, sizeof(*tasks));
    struct journal_intent intent;
    scoped(head_start_done) struct head_start head = {.job = job};
    scoped(journal_admitted_done) struct journal_admitted admitted = {0};
    struct error error = {0};
    struct journal_admission admission = {.proposal = proposal,
                                          .reason = decision->verdict.reason,
                                          .plan = make_plan(decision, proposal),
                                          .cooldown_ms = job->definition->rule->cooldown_ms,
                                          .tasks = tasks,
                                          .task_count = list_tasks(job, tasks),
                                          .intents = &intent,
                                          .approved_by = job->approver,
                                          .catch_up = catch_up_detail(decision)};
    bool contains = playbooks > 0 && tasks[0].acts_on_principal;
    admission.notices = notify_notices(job, &admission.notice_count);
    if (contains) {
        const struct playbook *first = definition_playbook(job->definition, tasks[0].playbook);
        admission.limit = principal_limit(job, first);
        admission.escape = playbook_task(job, first, true);
        if (proposal == ADMIT_RESPOND && !is_catching_up(job)) {
            look_ahead(job, first, &head);
            admission.intent_count = head.has_intent ? 1 : 0;
            admission.wakes_later = head.has_intent;
            admission.meanwhile_fn = ask_ahead;
            admission.meanwhile_arg = &head;
        }
        if (head.has_intent) {
            intent = entry_intent(job, first, &head.intent);
        }
    }
    failpoint("before-admit");
    if (!journal_admit(job->respond->options.journal, job->task, &admission, &admitted, &error)) {
        log_warn(&(struct log_context){.component = "respond",
                                       .event = job->task->event_key,
                                       .trace = trace_text(&job->task->trace),
                                       .incident = ulid_text(&job->task->incident.id)},
                 "not admitted: %s", error.text);
        if (error.code == ERROR_INVALID || error.code == ERROR_NOT_FOUND) {
            drop(job); /* decided already, or forgotten */
        }
        return;
    }
    failpoint("after-admit");
    head.has_intent = head.has_intent && admitted.intents != NULL;
    head.result = head.has_intent ? admitted.intents[0] : INTENT_LIMITED;
    tell(decision, &admitted, proposal);
    if (admitted.next != NULL) {
        go_on(job, &admitted, &head, playbooks > 0 ? tasks[0].playbook : TEXT(""));
    }
}

static void ask_again_later(struct decision *decision) {
    struct job *job = decision->job;
    scoped(journal_write_free) struct journal_write *write = journal_write_new(job->task);
    int64_t wait_ms = retry_wait_ms(decision->tries, job->respond->options.random_fn);
    journal_write_again(write, job_now(job) + wait_ms, detail_text(&decision->detail), true);
    if (job_commit(job, write)) {
        numbers_retry(task_kind_name(TASK_RESPOND));
    }
}

/* A person's word goes as far as the mode: observe is the panic switch. */
static void judge_approved(struct decision *decision) {
    struct job *job = decision->job;
    if (decision->verdict.decision == GUARD_PASS && job->mode == MODE_OBSERVE) {
        hold(decision, TEXT("mode observe: nothing is sent, approved or not"));
    }
}

/* The verdict's reason tells who said so. */
static void name_operator(struct decision *decision) {
    struct text reason = decision->verdict.reason;
    decision->verdict.reason = arena_format(decision->job->arena, "approved by %.*s%s%.*s",
                                            TEXT_ARG(decision->job->approver),
                                            decision->verdict.decision != GUARD_PASS ? ", but: "
                                            : reason.bytes > 0                       ? ", "
                                                                                     : "",
                                            TEXT_ARG(reason));
}

void decide(struct job *job) {
    struct decision decision = {.job = job};
    buffer_init(&decision.asked, 0);
    json_writer_init(&decision.writer, &decision.asked);
    detail_read(job->task->detail, job->arena, &decision.detail);
    judge(&decision);
    if (is_approved(job)) {
        judge_approved(&decision);
    }
    if (decision.verdict.decision == GUARD_PASS && job->mode != MODE_OBSERVE) {
        confirm(&decision);
    }
    if (decision.is_put_off) {
        ask_again_later(&decision);
    } else {
        if (is_approved(job)) {
            name_operator(&decision);
        }
        admit(&decision);
    }
    buffer_done(&decision.asked);
}
