#include "riposte/respond/respond.h"

#include "canary.h"
#include "decide.h"
#include "drill.h"
#include "execute.h"
#include "job.h"
#include "notify.h"
#include "numbers.h"
#include "release.h"
#include "undo.h"
#include "verify.h"

#include "riposte/base/memory.h"
#include "riposte/base/thread.h"
#include "riposte/config/builtin.h"
#include "riposte/crypto/random.h"
#include "riposte/observe/log.h"

#define CLAIM_WAIT_MS   1000
#define STOPPED_WAIT_MS 5
/* Between looks whether the accounts of the organization are known now. */
#define ACCOUNTS_WAIT_MS 5000

/* ---- the client ---------------------------------------------------------------------------------
 */

static void client_send(void *arg, const struct permit *permit, const struct aws_call *call,
                        aws_done_fn *done_fn, void *done_arg) {
    aws_send(arg, permit, call, done_fn, done_arg);
}

static bool client_identity(void *arg, const struct permit *permit,
                            struct aws_identity *identity_out, struct error *error) {
    return aws_identity(arg, permit, identity_out, error);
}

struct respond_aws respond_aws_of(struct aws_client *client) {
    return (struct respond_aws){client_send, client_identity, client};
}

static bool http_post(void *arg, const struct permit *permit, const struct http_request *request,
                      http_done_fn *done_fn, void *done_arg, struct error *error) {
    return http_send(arg, permit, request, done_fn, done_arg, error);
}

struct respond_post respond_post_of(struct http_client *http) {
    return (struct respond_post){http_post, http};
}

/* ---- a task -------------------------------------------------------------------------------------
 */

/* Event or definition can't be read: nobody will ever be able to respond to it. */
static void hold_unreadable(struct job *job, const struct error *why) {
    struct text reason = arena_copy_text(job->arena, text_of(why->text));
    struct error error = {0};
    if (job->task->kind == TASK_RESPOND) {
        struct journal_admission admission = {
            .proposal = ADMIT_HOLD, .reason = reason, .approved_by = job->approver};
        scoped(journal_admitted_done) struct journal_admitted admitted = {0};
        if (!journal_admit(job->respond->options.journal, job->task, &admission, &admitted,
                           &error)) {
            log_warn(&(struct log_context){.component = "respond"}, "not admitted: %s", error.text);
            return;
        }
    } else {
        scoped(journal_write_free) struct journal_write *write = journal_write_new(job->task);
        notify_write_state(job, write, INCIDENT_HELD, reason);
        journal_write_finish(write);
        if (!job_commit(job, write)) {
            return;
        }
    }
    numbers_incident(INCIDENT_HELD);
    job_page(job, "held", reason);
}

/* What was begun before a restart goes on when it is known where it may: it counts as no try. */
static bool must_wait(const struct job *job) {
    enum task_kind kind = job->task->kind;
    return (kind == TASK_PLAYBOOK || kind == TASK_VERIFY || kind == TASK_UNDO) &&
           job_awaits_accounts(job);
}

static void put_off(struct job *job) {
    scoped(journal_write_free) struct journal_write *write = journal_write_new(job->task);
    journal_write_again(write, job_now(job) + ACCOUNTS_WAIT_MS, job->task->detail, false);
    if (job_commit(job, write)) {
        numbers_retry(task_kind_name(job->task->kind));
    }
}

/* The server's own rules are decided by who knows them. */
static void decide_any(struct job *job) {
    static void (*const decide_fns[])(struct job *) = {
        [BUILTIN_DRILL] = drill, [BUILTIN_CANARY] = decide_canary};
    enum builtin own;
    if (builtin_find(job->task->incident.rule, &own)) {
        decide_fns[own](job);
    } else {
        decide(job);
    }
}

static void work(struct respond *respond, struct journal_task *task) {
    static void (*const work_fns[])(struct job *) = {[TASK_RESPOND] = decide_any,
                                                     [TASK_VERIFY] = verify,
                                                     [TASK_UNDO] = undo,
                                                     [TASK_RELEASE] = release,
                                                     [TASK_NOTIFY] = notify};
    enum task_kind kind = task->kind;
    struct job job;
    struct error error = {0};
    numbers_task(task_kind_name(kind));
    if (!job_open(&job, respond, &task, &error)) {
        hold_unreadable(&job, &error);
    } else if (must_wait(&job)) {
        put_off(&job);
    } else if (kind == TASK_PLAYBOOK) {
        execute_playbook(&job, NULL);
    } else {
        work_fns[kind](&job);
    }
    job_done(&job);
}

bool respond_work(struct respond *respond, int64_t wait_ms) {
    struct journal_task *task = NULL;
    if (!journal_claim(respond->options.journal, wait_ms, &task)) {
        return false;
    }
    if (atomic_load(&respond->is_stopping)) {
        journal_give_back(respond->options.journal, 0, &task);
        return false;
    }
    work(respond, task);
    return true;
}

/* ---- the pool -----------------------------------------------------------------------------------
 */

static void worker(void *arg) {
    struct respond *respond = arg;
    while (!atomic_load(&respond->is_stopping)) {
        int64_t started_ms = clock_mono_ms(&clock_system);
        bool is_refused = !respond_work(respond, CLAIM_WAIT_MS) &&
                          clock_mono_ms(&clock_system) - started_ms < CLAIM_WAIT_MS / 2;
        if (is_refused) { /* claims were stopped, and respond_free() comes soon */
            clock_sleep_ms(STOPPED_WAIT_MS);
        }
    }
}

/* So that the first event need not wait for credentials. */
static void ask_who_we_are(struct respond *respond) {
    scoped(snapshot_unref) struct snapshot *snapshot = respond->options.snapshot_fn(
        respond->options.snapshot_arg);
    struct permit permit = {.class = PERMIT_CREDENTIAL, .mode = snapshot->settings->mode};
    struct aws_identity identity;
    struct error error = {0};
    if (permit.mode == MODE_OBSERVE) {
        return;
    }
    if (!respond->options.aws.identity_fn(respond->options.aws.arg, &permit, &identity, &error)) {
        log_error(&(struct log_context){.component = "respond"},
                  "no AWS identity: incidents will be held: %s", error.text);
        return;
    }
    log_info(&(struct log_context){.component = "respond",
                                   LOG_FIELDS(log_string("arn", identity.arn),
                                              log_string("account", identity.account))},
             "credentials found");
}

static void first_worker(void *arg) {
    ask_who_we_are(arg);
    worker(arg);
}

/* Whether a rule or the settings name them. */
static void expect_notices(struct respond *respond) {
    scoped(snapshot_unref) struct snapshot *snapshot = respond->options.snapshot_fn(
        respond->options.snapshot_arg);
    for (size_t i = 0; i < snapshot->playbook_count; i++) {
        if (snapshot->playbooks[i]->acts_on == ACTS_ON_NOBODY) {
            numbers_expect_notices(snapshot->playbooks[i]->name);
        }
    }
}

bool respond_start(const struct respond_options *options, struct respond **respond_out,
                   struct error *error) {
    scoped(respond_free) struct respond *respond = memory_new(sizeof(*respond));
    respond->options = *options;
    if (options->random_fn == NULL) {
        respond->options.random_fn = random_below;
    }
    definitions_init(&respond->definitions);
    hints_init(&respond->hints);
    numbers_register();
    expect_notices(respond);
    respond->threads = memory_new_array(options->workers, sizeof(struct thread));
    for (unsigned i = 0; i < options->workers; i++) {
        if (!thread_start(&respond->threads[i], "worker", i == 0 ? first_worker : worker, respond,
                          error)) {
            return error_wrap(error, "worker %u", i);
        }
        respond->thread_count++;
    }
    *respond_out = respond;
    respond = NULL;
    return true;
}

void respond_free(struct respond **respond) {
    if (*respond == NULL) {
        return;
    }
    atomic_store(&(*respond)->is_stopping, true);
    for (unsigned i = 0; i < (*respond)->thread_count; i++) {
        thread_join(&(*respond)->threads[i]);
    }
    memory_free_at(&(*respond)->threads);
    definitions_done(&(*respond)->definitions);
    hints_done(&(*respond)->hints);
    memory_free_at(respond);
}
