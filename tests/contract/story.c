#include "story.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/crypto/random.h"
#include "riposte/crypto/sha256.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

bool story_is_durable;

struct journal_options story_options(const struct story *story) {
    return (struct journal_options){
        .url = story->url,
        .clock = &story->clock.clock,
        .queue_limit = STORY_QUEUE_LIMIT,
        .workers = STORY_WORKERS,
        .retain_ms = STORY_RETAIN_MS,
        .audit_retain_ms = story->audit_retain_ms,
    };
}

void story_open(struct story *story) {
    struct error error = {0};
    struct journal_options options = story_options(story);
    assert_ok(journal_open(&options, &story->journal, &error), &error);
}

void story_close(struct story *story) {
    journal_close(&story->journal);
}

static void make_folder(struct story *story) {
    const char *temporary = getenv("TMPDIR");
    snprintf(story->folder, sizeof(story->folder), "%s/riposte-XXXXXX",
             temporary != NULL && strlen(temporary) < 40 ? temporary : "/tmp");
    assert_non_null(mkdtemp(story->folder));
    snprintf(story->path, sizeof(story->path), "%s/journal.db", story->folder);
    snprintf(story->url, sizeof(story->url), "sqlite:%s", story->path);
}

int story_setup(void **state) {
    struct story *story = memory_new(sizeof(*story));
    *state = story;
    fake_clock_init(&story->clock, STORY_START_UNIX_MS);
    if (story_is_durable) {
        make_folder(story);
    } else {
        snprintf(story->url, sizeof(story->url), "memory:");
    }
    story->arena = arena_new();
    story->body = blob_new(TEXT("{\"detail\":{}}"));
    story->rule_text = blob_new(TEXT("{\"rule\":{}}"));
    story->definition.text = story->rule_text;
    sha256(blob_text(story->rule_text), story->definition.hash);
    story_open(story);
    return 0;
}

static void remove_folder(const char *folder) {
    DIR *files = opendir(folder);
    if (files == NULL) {
        return;
    }
    for (struct dirent *file = readdir(files); file != NULL; file = readdir(files)) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder, file->d_name);
        unlink(path);
    }
    closedir(files);
    rmdir(folder);
}

int story_teardown(void **state) {
    struct story *story = *state;
    story_close(story);
    remove_folder(story->folder);
    blob_unref(&story->body);
    blob_unref(&story->rule_text);
    arena_free(&story->arena);
    free(story);
    return 0;
}

/* ---- intake ---- */

struct journal_new_incident story_incident(struct story *story, const char *rule,
                                           const char *subject) {
    return (struct journal_new_incident){
        .id = random_ulid(clock_unix_ms(&story->clock.clock)),
        .rule = text_of(rule),
        .subject = text_of(subject),
        .severity = TEXT("high"),
        .mode = MODE_ENFORCE,
        .principal_id = text_of(subject),
        .principal_name = TEXT("mallory"),
        .account = TEXT("111122223333"),
        .region = TEXT("eu-west-1"),
        .definition = &story->definition,
    };
}

struct journal_new_event story_event(struct story *story, const char *key,
                                     const struct journal_new_incident *incident) {
    return (struct journal_new_event){
        .key = text_of(key),
        .body = story->body,
        .received_unix_ms = clock_unix_ms(&story->clock.clock),
        .event_unix_ms = clock_unix_ms(&story->clock.clock),
        .incidents = incident,
        .incident_count = incident != NULL,
    };
}

struct wait {
    struct mutex lock;
    struct condition done;
    bool is_done;
    struct appended appended;
};

static void note_appended(void *arg, const bool *is_known, size_t count,
                          const struct error *error) {
    struct wait *wait = arg;
    mutex_lock(&wait->lock);
    wait->is_done = true;
    wait->appended.is_ok = error == NULL;
    if (error != NULL) {
        wait->appended.error = *error;
    }
    for (size_t i = 0; i < count && i < ARRAY_COUNT(wait->appended.is_known); i++) {
        wait->appended.is_known[i] = error == NULL && is_known[i];
    }
    condition_signal(&wait->done);
    mutex_unlock(&wait->lock);
}

struct appended story_append_all(struct story *story, const struct journal_new_event *events,
                                 size_t count) {
    struct wait wait = {.is_done = false};
    mutex_init(&wait.lock);
    condition_init(&wait.done);
    journal_append(story->journal, events, count, note_appended, &wait);
    mutex_lock(&wait.lock);
    while (!wait.is_done) {
        condition_wait(&wait.done, &wait.lock);
    }
    mutex_unlock(&wait.lock);
    condition_done(&wait.done);
    mutex_done(&wait.lock);
    return wait.appended;
}

struct ulid story_append(struct story *story, const char *key, const char *rule,
                         const char *subject) {
    struct journal_new_incident incident = story_incident(story, rule, subject);
    struct journal_new_event event = story_event(story, key, &incident);
    struct appended appended = story_append_all(story, &event, 1);
    assert_ok(appended.is_ok, &appended.error);
    assert_false(appended.is_known[0]);
    return incident.id;
}

/* ---- respond ---- */

struct journal_task *story_claim(struct story *story) {
    struct journal_task *task = NULL;
    assert_true(journal_claim(story->journal, 0, &task));
    return task;
}

void story_claim_none(struct story *story) {
    struct journal_task *task = NULL;
    assert_false(journal_claim(story->journal, 0, &task));
}

struct journal_task *story_arrive(struct story *story, const char *key, const char *rule,
                                  const char *subject) {
    struct ulid id = story_append(story, key, rule, subject);
    struct journal_task *task = story_claim(story);
    assert_int_equal(task->kind, TASK_RESPOND);
    assert_string_equal(task->incident.id.text, id.text);
    return task;
}

struct journal_new_task story_playbook(const char *name, bool acts_on_principal) {
    return (struct journal_new_task){
        .kind = TASK_PLAYBOOK,
        .priority = acts_on_principal ? PRIORITY_CONTAIN : PRIORITY_RESTORE,
        .playbook = text_of(name),
        .lane = TEXT("111122223333/iam"),
        .detail = TEXT("{\"n\":1}"),
        .acts_on_principal = acts_on_principal,
    };
}

struct journal_intent story_intent(const char *key, const char *target, const char *effect) {
    return (struct journal_intent){
        .key = text_of(key),
        .playbook = TEXT("contain-principal"),
        .step = TEXT("deny-user"),
        .service = TEXT("iam"),
        .operation = TEXT("PutUserPolicy"),
        .account = TEXT("111122223333"),
        .region = TEXT("us-east-1"),
        .request = TEXT("{\"UserName\":\"mallory\"}"),
        .inverse = TEXT("{\"operation\":\"DeleteUserPolicy\"}"),
        .effect =
            {
                .account = effect[0] != '\0' ? TEXT("111122223333") : (struct text){NULL, 0},
                .target = text_of(target),
                .name = text_of(effect),
            },
        .is_write = true,
        .is_containing = true,
    };
}

struct journal_admitted story_admit(struct story *story, struct journal_task *task,
                                    const struct journal_new_task *tasks, size_t count) {
    struct journal_admission admission = {
        .proposal = ADMIT_RESPOND,
        .reason = TEXT("it matches"),
        .plan = TEXT("{\"calls\":[]}"),
        .cooldown_ms = 5 * 60 * 1000,
        .limit = {TEXT("principals"), task->incident.subject, 10, HOUR_MS},
        .tasks = tasks,
        .task_count = count,
        .escape = story_playbook("contain-principal", true),
    };
    struct journal_admitted admitted = {0};
    struct error error = {0};
    assert_ok(journal_admit(story->journal, task, &admission, &admitted, &error), &error);
    journal_task_free(&task);
    return admitted;
}

struct journal_task *story_respond(struct story *story, const char *key, const char *rule,
                                   const char *subject) {
    struct journal_new_task playbook = story_playbook("contain-principal", true);
    struct journal_admitted admitted = story_admit(story, story_arrive(story, key, rule, subject),
                                                   &playbook, 1);
    assert_int_equal(admitted.state, INCIDENT_RESPONDING);
    struct journal_task *next = admitted.next;
    assert_non_null(next);
    admitted.next = NULL;
    journal_admitted_done(&admitted);
    return next;
}

static void commit(struct story *story, struct journal_write *write) {
    struct error error = {0};
    assert_ok(journal_write_commit(story->journal, write, &error), &error);
}

enum intent_result story_write_intent(struct story *story, const struct journal_task *task,
                                      const struct journal_intent *intent) {
    scoped(journal_write_free) struct journal_write *write = journal_write_new(task);
    size_t index = journal_write_intent(write, intent);
    commit(story, write);
    return (enum intent_result)journal_write_result(write, index);
}

void story_write_outcome(struct story *story, const struct journal_task *task, const char *key,
                         enum call_state call_state, bool keeps_effect) {
    const struct journal_outcome outcome = {
        .state = call_state,
        .answer = TEXT("{}"),
        .error_code = call_state == CALL_FAILED ? TEXT("AccessDenied") : (struct text){NULL, 0},
        .took_us = 1234,
        .keeps_effect = keeps_effect,
    };
    scoped(journal_write_free) struct journal_write *write = journal_write_new(task);
    journal_write_outcome(write, text_of(key), &outcome);
    commit(story, write);
}

void story_make_effect(struct story *story, const struct journal_task *task, const char *key,
                       const char *target, const char *effect) {
    struct journal_intent intent = story_intent(key, target, effect);
    assert_int_equal(story_write_intent(story, task, &intent), INTENT_SEND);
    story_write_outcome(story, task, key, CALL_DONE, false);
}

void story_write_state(struct story *story, const struct journal_task *task,
                       enum incident_state incident_state) {
    scoped(journal_write_free) struct journal_write *write = journal_write_new(task);
    journal_write_state(write, incident_state, TEXT("as the story has it"));
    commit(story, write);
}

void story_finish(struct story *story, struct journal_task **task,
                  enum incident_state incident_state) {
    scoped(journal_write_free) struct journal_write *write = journal_write_new(*task);
    if (incident_state != INCIDENT_DETECTED) {
        journal_write_state(write, incident_state, TEXT("as the story has it"));
    }
    journal_write_finish(write);
    commit(story, write);
    journal_task_free(task);
}

int64_t story_add_task(struct story *story, const struct journal_task *task, enum task_kind kind,
                       int64_t due_in_ms) {
    struct journal_new_task new = story_playbook("contain-principal", true);
    new.kind = kind;
    new.due_unix_ms = clock_unix_ms(&story->clock.clock) + due_in_ms;
    scoped(journal_write_free) struct journal_write *write = journal_write_new(task);
    journal_write_task(write, &new);
    commit(story, write);
    struct journal_task_row *rows = NULL;
    size_t count = story_tasks(story, &task->incident.id, &rows);
    return count > 0 ? rows[count - 1].id : 0;
}

/* ---- looking ---- */

struct journal_incident story_read(struct story *story, const struct ulid *id) {
    struct journal_incident incident = {0};
    struct error error = {0};
    assert_ok(journal_read_incident(story->journal, id, story->arena, &incident, &error), &error);
    return incident;
}

void story_assert_state(struct story *story, const struct ulid *id,
                        enum incident_state incident_state) {
    struct journal_incident incident = story_read(story, id);
    assert_string_equal(incident_state_name(incident.state), incident_state_name(incident_state));
}

size_t story_effects(struct story *story, const struct ulid *id,
                     struct journal_effect **effects_out) {
    size_t count = 0;
    struct error error = {0};
    assert_ok(journal_read_effects(story->journal, id, story->arena, effects_out, &count, &error),
              &error);
    return count;
}

size_t story_calls(struct story *story, const struct ulid *id, struct journal_call **calls_out) {
    size_t count = 0;
    struct error error = {0};
    assert_ok(journal_read_calls(story->journal, id, story->arena, calls_out, &count, &error),
              &error);
    return count;
}

size_t story_tasks(struct story *story, const struct ulid *id,
                   struct journal_task_row **tasks_out) {
    size_t count = 0;
    struct error error = {0};
    assert_ok(journal_read_tasks(story->journal, id, story->arena, tasks_out, &count, &error),
              &error);
    return count;
}

size_t story_count_audit(struct story *story, const char *event) {
    uint8_t previous[JOURNAL_HASH_BYTES] = {0};
    int64_t last = 0;
    size_t found = 0;
    size_t count = 1;
    while (count > 0) {
        struct journal_audit_line *lines = NULL;
        struct error error = {0};
        assert_ok(journal_read_audit(story->journal, last, 7, story->arena, &lines, &count, &error),
                  &error);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(lines[i].sequence, last + 1);
            journal_audit_hash(previous, &lines[i], previous);
            assert_memory_equal(previous, lines[i].hash, JOURNAL_HASH_BYTES);
            last = lines[i].sequence;
            found += event[0] == '\0' || text_equal_string(lines[i].event, event);
        }
    }
    return found;
}
