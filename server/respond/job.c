#include "job.h"

#include "numbers.h"

#include "riposte/aws/operation.h"
#include "riposte/base/time.h"
#include "riposte/config/builtin.h"
#include "riposte/json/writer.h"
#include "riposte/observe/log.h"
#include "riposte/outbound/url.h"
#include "riposte/respond/failpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define JOB_AGAIN_MS 1000

struct permit job_permit(const struct job *job, enum permit_class class) {
    return (struct permit){.class = class,
                           .mode = job->mode,
                           .authority = job->authority,
                           .incident = job->task->incident.id};
}

int64_t job_now(const struct job *job) {
    return clock_unix_ms(job->respond->options.clock);
}

struct detail job_detail(const struct job *job) {
    return (struct detail){
        .approver = job->approver, .approved_unix_ms = job->approved_unix_ms, .arena = job->arena};
}

static void take_authority(struct job *job) {
    struct detail detail;
    detail_read(job->task->detail, job->arena, &detail);
    bool is_approved = detail.approver.bytes > 0;
    job->approver = detail.approver;
    job->approved_unix_ms = detail.approved_unix_ms;
    job->authority = job->task->kind == TASK_UNDO ? AUTHORITY_RELEASE
                     : is_approved                ? AUTHORITY_OPERATOR
                                                  : AUTHORITY_MODE;
    job->story_key = !is_approved
                         ? job->task->event_key
                         : arena_format(job->arena, "%.*s#approved-%" PRId64,
                                        TEXT_ARG(job->task->event_key), detail.approved_unix_ms);
}

/* Not knowing who we are is no error: the guard decides what it means. */
static void identify(struct job *job) {
    struct aws_identity *identity = &job->aws_identity;
    const struct respond_aws *aws = &job->respond->options.aws;
    struct permit permit = {.class = PERMIT_CREDENTIAL, .mode = job->mode};
    struct error error = {0};
    enum builtin own;
    if (builtin_find(job->task->incident.rule, &own)) {
        job->identity.why = TEXT("not needed");
        return;
    }
    if (job->mode == MODE_OBSERVE) {
        job->identity.why = TEXT("mode observe asks nobody");
        return;
    }
    if (!aws->identity_fn(aws->arg, &permit, identity, &error)) {
        job->identity.why = arena_copy_text(job->arena, text_of(error.text));
        job->may_know_later = error.code != ERROR_NOT_FOUND && error.code != ERROR_DENIED;
        return;
    }
    job->identity = (struct guard_identity){.is_known = true,
                                            .account = text_of(identity->account),
                                            .unique_id = text_of(identity->unique_id),
                                            .arn = text_of(identity->arn)};
}

/* arn:aws:sts::1:assumed-role/NAME/SESSION, arn:aws:iam::1:user/NAME: the NAME. */
static struct text name_in_arn(struct text arn) {
    size_t slash = text_find_byte(arn, '/', 0);
    struct text rest = text_slice(arn, slash < arn.bytes ? slash + 1 : slash, arn.bytes);
    return text_slice(rest, 0, text_find_byte(rest, '/', 0));
}

struct context_self job_self(const struct job *job) {
    struct context_self self = context_self_known(job->snapshot->settings, job->identity.account);
    self.role = name_in_arn(job->identity.arn);
    self.partition = text_of(job->aws_identity.partition);
    return self;
}

static bool is_another(const struct job *job, struct text account) {
    return account.bytes > 0 && !text_equal(account, job->identity.account);
}

bool job_awaits_accounts(const struct job *job) {
    return job->has_story && job->identity.is_known &&
           settings_await_accounts(job->snapshot->settings) &&
           (is_another(job, job->event.envelope.account) ||
            is_another(job, job->event.principal.account) ||
            text_contains(blob_text(job->definition->text), TEXT("${self.accounts")));
}

static void make_context(struct job *job) {
    const struct journal_incident *incident = &job->task->incident;
    struct context_self self = job_self(job);
    job->context = context_new(&job->event, incident->rule, incident->severity,
                               ulid_text(&incident->id), &self, job->definition->vars, job->arena);
}

/* What the task is about. */
static bool open_story(struct job *job, struct error *error) {
    if (!definitions_get(&job->respond->definitions, job->task->incident.definition_hash,
                         job->task->definition, &job->definition, error)) {
        return error_wrap(error, "definition");
    }
    if (!subject_event_read(blob_text(job->task->event), job->arena, &job->event, error)) {
        return error_wrap(error, "event");
    }
    identify(job);
    make_context(job);
    job->has_story = true;
    return true;
}

bool job_open(struct job *job, struct respond *respond, struct journal_task **task,
              struct error *error) {
    *job = (struct job){.respond = respond, .task = *task, .arena = arena_new()};
    *task = NULL;
    job->memo = arena_alloc(job->arena, sizeof(*job->memo));
    job->snapshot = respond->options.snapshot_fn(respond->options.snapshot_arg);
    job->mode = mode_milder(job->snapshot->settings->mode, job->task->incident.mode);
    take_authority(job);
    /* Taking back can do with what the journal holds of the effects. */
    return open_story(job, error) || job->task->kind == TASK_UNDO ||
           job->task->kind == TASK_RELEASE;
}

bool job_go_on(struct job *job, struct journal_task **task, struct error *error) {
    assert(job->earlier_task == NULL && text_equal(job->task->event_key, (*task)->event_key));
    const struct journal_incident *before = &job->task->incident;
    const struct journal_incident *now = &(*task)->incident;
    bool is_same = memcmp(&before->id, &now->id, sizeof(now->id)) == 0;
    job->earlier_task = job->task;
    job->task = *task;
    *task = NULL;
    if (is_same) {
        return true;
    }
    job->mode = mode_milder(job->snapshot->settings->mode, now->mode);
    take_authority(job);
    job->earlier_definition = job->definition;
    job->definition = NULL;
    if (!definitions_get(&job->respond->definitions, now->definition_hash, job->task->definition,
                         &job->definition, error)) {
        return error_wrap(error, "definition");
    }
    make_context(job);
    return true;
}

/* A task that no commit ended, as the journal failed, is not left to its lease: it is due again
 * soon, and whatever was called meanwhile is found as after a crash. */
void job_done(struct job *job) {
    struct journal *journal = job->respond->options.journal;
    journal_give_back(journal, JOB_AGAIN_MS, &job->task);
    journal_give_back(journal, JOB_AGAIN_MS, &job->earlier_task);
    definition_unref(&job->earlier_definition);
    snapshot_unref(&job->snapshot);
    definition_unref(&job->definition);
    arena_free(&job->arena);
}

struct plan_input job_plan_input(const struct job *job, const struct playbook *playbook) {
    return (struct plan_input){.memo = job->memo,
                               .playbook = playbook,
                               .context = job->context,
                               .event_key = job->story_key,
                               .event_account = job->event.envelope.account,
                               .event_region = job->event.envelope.region,
                               .principal_account = job->event.principal.account,
                               .principal_id = job->event.principal.id};
}

static const struct step *first_write(const struct playbook *playbook) {
    for (size_t i = 0; i < playbook->step_count; i++) {
        const struct step *step = &playbook->steps[i];
        const struct step *links = step->link_count > 0 ? step->links : step;
        for (size_t k = 0; k < (step->link_count > 0 ? step->link_count : 1); k++) {
            if (links[k].is_write) {
                return &links[k];
            }
        }
    }
    return NULL;
}

/* Of a URL in clear only its host, since its path may be a secret; a reference as it is spelled. */
static struct text post_lane(const struct playbook *playbook) {
    for (size_t i = 0; i < playbook->step_count; i++) {
        const struct post *post = playbook->steps[i].post;
        struct url url = {0};
        struct error error = {0};
        if (post != NULL && post->url.is_reference) {
            return post->url.text;
        }
        if (post != NULL && url_parse(post->url.text, &url, &error)) {
            return url.host;
        }
        if (playbook->steps[i].call.operation.bytes > 0) {
            return playbook->steps[i].call.service;
        }
    }
    return TEXT("notify");
}

struct text job_lane(const struct job *job, const struct playbook *playbook) {
    if (playbook->acts_on == ACTS_ON_NOBODY) {
        return post_lane(playbook);
    }
    const struct step *step = first_write(playbook);
    struct text account = playbook->acts_on == ACTS_ON_PRINCIPAL ? job->event.principal.account
                                                                 : job->event.envelope.account;
    return step != NULL ? aws_lane(account, step->call.service, job->arena) : TEXT("");
}

struct text job_json_text(const struct job *job, const struct json *node) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    json_write(&text, node);
    return arena_copy_text(job->arena, buffer_text(&text));
}

const struct json *job_parse(const struct job *job, struct text text) {
    const struct json *node = NULL;
    struct error error = {0};
    return text.bytes > 0 && json_parse(text, 0, job->arena, &node, NULL, &error) ? node : NULL;
}

void job_ended(const struct job *job, enum incident_state state, struct text reason) {
    const struct journal_incident *incident = &job->task->incident;
    char took[TIME_TEXT_BYTES];
    int64_t took_ms = job_now(job) - incident->received_unix_ms;
    duration_describe(took_ms > 0 ? took_ms : 0, took);
    numbers_incident(state);
    log_info(&(struct log_context){.component = "respond",
                                   .event = job->task->event_key,
                                   .trace = trace_text(&job->task->trace),
                                   .incident = ulid_text(&incident->id),
                                   LOG_FIELDS(log_text("rule", incident->rule),
                                              log_text("reason", reason))},
             "incident %s, %s after it was received", incident_state_name(state), took);
}

void job_page(const struct job *job, const char *state, struct text reason) {
    const struct journal_incident *incident = &job->task->incident;
    numbers_page(state);
    log_error(&(struct log_context){.component = "respond",
                                    .event = job->task->event_key,
                                    .trace = trace_text(&job->task->trace),
                                    .incident = ulid_text(&incident->id),
                                    LOG_FIELDS(log_string("state", state),
                                               log_text("rule", incident->rule),
                                               log_text("principal", incident->principal_id))},
              "a person must look: %s: %.*s", state, TEXT_ARG(reason));
}

bool job_commit(const struct job *job, struct journal_write *write) {
    struct error error = {0};
    failpoint("before-write");
    bool is_committed = journal_write_commit(job->respond->options.journal, write, &error);
    failpoint("after-write");
    if (!is_committed) {
        log_warn(&(struct log_context){.component = "respond",
                                       .event = job->task->event_key,
                                       .trace = trace_text(&job->task->trace),
                                       .incident = ulid_text(&job->task->incident.id)},
                 "%s task dropped: %s", task_kind_name(job->task->kind), error.text);
    }
    return is_committed;
}
