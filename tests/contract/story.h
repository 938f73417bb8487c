/* What the contract stories of the journal are told with: a journal on a clock that stands still,
 * and short words for what intake and respond do.
 *
 * Ownership:  story_setup()/story_teardown(), cmocka's fixtures; tasks that were claimed are the
 *             story's to finish or give back.
 * Threads:    the story's own, unless it starts some. */
#ifndef RIPOSTE_TESTS_CONTRACT_STORY_H
#define RIPOSTE_TESTS_CONTRACT_STORY_H

#include "testing.h"

#include "riposte/base/clock.h"
#include "riposte/journal/journal.h"

#define STORY_START_UNIX_MS INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */
#define STORY_QUEUE_LIMIT   500
#define STORY_WORKERS       4
#define STORY_RETAIN_MS     (INT64_C(30) * 24 * 60 * 60 * 1000)
#define HOUR_MS             (INT64_C(60) * 60 * 1000)
#define DAY_MS              (24 * HOUR_MS)

struct story {
    struct fake_clock clock;
    struct journal *journal;
    struct arena *arena;
    char folder[64], path[96], url[128]; /* path empty: in memory */
    int64_t audit_retain_ms;             /* 0: the chain is kept */
    struct blob *body, *rule_text;
    struct journal_definition definition;
};

/* Set by main from the command line. */
extern bool story_is_durable;

int story_setup(void **state);
int story_teardown(void **state);
struct journal_options story_options(const struct story *story);
void story_open(struct story *story);
void story_close(struct story *story);

/* ---- intake ---- */

struct appended {
    bool is_ok, is_known[8];
    struct error error;
};

struct journal_new_incident story_incident(struct story *story, const char *rule,
                                           const char *subject);
/* At the clock's time, with one incident (NULL: none). */
struct journal_new_event story_event(struct story *story, const char *key,
                                     const struct journal_new_incident *incident);
/* Waits for the commit. */
struct appended story_append_all(struct story *story, const struct journal_new_event *events,
                                 size_t count);
/* One event with one incident, which must be new. */
struct ulid story_append(struct story *story, const char *key, const char *rule,
                         const char *subject);

/* ---- respond ---- */

/* A task must be due now. */
struct journal_task *story_claim(struct story *story);
/* None must be. */
void story_claim_none(struct story *story);
/* A respond task for one new incident, claimed. */
struct journal_task *story_arrive(struct story *story, const char *key, const char *rule,
                                  const char *subject);
struct journal_new_task story_playbook(const char *name, bool acts_on_principal);
struct journal_intent story_intent(const char *key, const char *target, const char *effect);
/* Enforced, with these playbooks; admitted->next is the first. */
struct journal_admitted story_admit(struct story *story, struct journal_task *task,
                                    const struct journal_new_task *tasks, size_t count);
/* The same, arrived before, with one containing playbook, which is returned claimed. */
struct journal_task *story_respond(struct story *story, const char *key, const char *rule,
                                   const char *subject);
enum intent_result story_write_intent(struct story *story, const struct journal_task *task,
                                      const struct journal_intent *intent);
void story_write_outcome(struct story *story, const struct journal_task *task, const char *key,
                         enum call_state call_state, bool keeps_effect);
/* Intent and outcome: the effect stands. */
void story_make_effect(struct story *story, const struct journal_task *task, const char *key,
                       const char *target, const char *effect);
void story_write_state(struct story *story, const struct journal_task *task,
                       enum incident_state incident_state);
/* Ends the task, with a state unless it is INCIDENT_DETECTED; frees it. */
void story_finish(struct story *story, struct journal_task **task,
                  enum incident_state incident_state);
int64_t story_add_task(struct story *story, const struct journal_task *task, enum task_kind kind,
                       int64_t due_in_ms);

/* ---- looking ---- */

struct journal_incident story_read(struct story *story, const struct ulid *id);
void story_assert_state(struct story *story, const struct ulid *id,
                        enum incident_state incident_state);
size_t story_effects(struct story *story, const struct ulid *id,
                     struct journal_effect **effects_out);
size_t story_calls(struct story *story, const struct ulid *id, struct journal_call **calls_out);
size_t story_tasks(struct story *story, const struct ulid *id, struct journal_task_row **tasks_out);
/* The whole chain, each hash recomputed; the number of lines named `event` ("" for all). */
size_t story_count_audit(struct story *story, const char *event);

extern const struct CMUnitTest respond_stories[], effect_stories[], time_stories[],
    durable_stories[];
extern const size_t respond_story_count, effect_story_count, time_story_count, durable_story_count;

/* What the test program does when it is started again as the child that will be killed. */
int durable_child(const char *url);

#endif
