/* What only a store that outlives the process has to keep. */
#include "story.h"

#include "riposte/journal/search.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void run_sql(const struct story *story, const char *text) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(story->path, &db), SQLITE_OK);
    int code = sqlite3_exec(db, text, NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        print_error("%s\n", sqlite3_errmsg(db));
    }
    assert_int_equal(code, SQLITE_OK);
    sqlite3_close(db);
}

static int take_number(void *arg, int count, char **values, char **names) {
    (void)count;
    (void)names;
    *(int *)arg = (int)strtol(values[0], NULL, 10);
    return 0;
}

/* What a query answers, which is a number. */
static int ask_sql(const struct story *story, const char *text) {
    sqlite3 *db = NULL;
    int number = -1;
    assert_int_equal(sqlite3_open(story->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, take_number, &number, NULL), SQLITE_OK);
    sqlite3_close(db);
    return number;
}

static void all_is_there_after_a_restart_but_leases(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = contain->incident.id;
    story_make_effect(story, contain, "k", "user-1", "deny-user");
    story_add_task(story, contain, TASK_VERIFY, 60000);
    assert_ok(journal_note_key(story->journal, TEXT("ASIAEXAMPLE"), &error), &error);
    size_t lines = story_count_audit(story, "");
    story_close(story);
    story_open(story);

    assert_int_equal(story_count_audit(story, ""), lines);
    assert_true(journal_knows_key(story->journal, TEXT("ASIAEXAMPLE")));
    struct journal_incident incident = story_read(story, &id);
    assert_int_equal(incident.state, INCIDENT_RESPONDING);
    assert_int_equal(incident.contained_unix_ms, STORY_START_UNIX_MS);
    assert_text_equal(incident.plan, "{\"calls\":[]}");
    struct journal_task *again = story_claim(story); /* nobody waits for a lease to run out */
    assert_int_equal(again->kind, TASK_PLAYBOOK);
    assert_text_equal(again->detail, "{\"n\":1}");
    assert_true(text_equal(blob_text(again->event), blob_text(story->body)));
    assert_true(text_equal(blob_text(again->definition), blob_text(story->rule_text)));
    struct journal_intent intent = story_intent("k", "user-1", "deny-user");
    assert_int_equal(story_write_intent(story, again, &intent), INTENT_ENDED);
    story_finish(story, &again, INCIDENT_DONE);
    story_claim_none(story);
    fake_clock_advance(&story->clock, 60000);
    again = story_claim(story);
    assert_int_equal(again->kind, TASK_VERIFY);
    story_finish(story, &again, INCIDENT_DETECTED);
    journal_task_free(&contain);
    assert_true(story_count_audit(story, "") > lines); /* the chain goes on where it ended */
}

/* Pages that SQLite's cache doesn't hold until the commit are written before it, and read again:
 * the keys are in no order. */
static void a_change_larger_than_the_cache_is_whole(void **state) {
    enum { EVENTS = 4001, STRIDE = 1777, BODY_BYTES = 800 };
    struct story *story = *state;
    char filler[BODY_BYTES];
    struct journal_new_event *events = arena_alloc_array(story->arena, EVENTS, sizeof(*events));
    memset(filler, 'x', sizeof(filler));
    struct blob *body = blob_new((struct text){filler, sizeof(filler)});
    for (unsigned i = 0; i < EVENTS; i++) {
        struct journal_new_incident *incident = arena_alloc(story->arena, sizeof(*incident));
        struct text key = arena_format(story->arena, "%04u-%0200u", i * STRIDE % EVENTS, i);
        *incident = story_incident(story, "rule-a", key.data);
        events[i] = story_event(story, key.data, incident);
        events[i].body = body;
    }
    assert_true(story_append_all(story, events, EVENTS).is_ok);
    blob_unref(&body);
    story_close(story);
    assert_int_equal(ask_sql(story, "SELECT count(*) FROM event WHERE length(body) = 800 AND"
                                    " CAST(substr(key, 6) AS INTEGER) * 1777 % 4001"
                                    " = CAST(substr(key, 1, 4) AS INTEGER)"),
                     EVENTS);
    assert_int_equal(ask_sql(story, "SELECT count(*) FROM pragma_integrity_check"
                                    " WHERE integrity_check = 'ok'"),
                     1);
    story_open(story);
}

static void an_undo_survives_a_restart(void **state) {
    struct story *story = *state;
    struct error error = {0};
    struct journal_task *contain = story_respond(story, "event-1", "rule-a", "user-1");
    struct ulid id = contain->incident.id;
    struct journal_intent intent = story_intent("k", "user-1", "deny-user");
    assert_int_equal(story_write_intent(story, contain, &intent), INTENT_SEND);
    assert_ok(journal_undo(story->journal, &id, TEXT("oncall"), false, NULL, &error), &error);
    story_close(story); /* killed between the call and its outcome */
    story_open(story);
    journal_task_free(&contain);
    struct journal_task *task = story_claim(story);
    assert_int_equal(task->kind, TASK_UNDO);
    story_claim_none(story); /* the playbook isn't taken up again */
    struct journal_effect *effects = NULL;
    assert_int_equal(story_effects(story, &id, &effects), 1); /* it may have been sent */
    story_finish(story, &task, INCIDENT_RELEASED);
    struct journal_task_row *rows = NULL;
    assert_int_equal(story_tasks(story, &id, &rows), 0);
}

static void a_second_server_is_refused(void **state) {
    struct story *story = *state;
    struct journal_options options = story_options(story);
    struct journal *second = NULL;
    struct error error = {0};
    assert_fails(journal_open(&options, &second, &error), &error, ERROR_BUSY,
                 "another server holds");
    assert_null(second);
    story_append(story, "event-1", "rule-a", "user-1");
}

static void only_we_may_read_the_file(void **state) {
    struct story *story = *state;
    struct stat found;
    char wal[160];
    snprintf(wal, sizeof(wal), "%s-wal", story->path);
    assert_int_equal(stat(story->path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_int_equal(stat(wal, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
}

/* ---- what is in the file ---- */

static void refuse_to_open(struct story *story, enum error_code code, const char *fragment) {
    struct journal_options options = story_options(story);
    struct journal *journal = NULL;
    struct error error = {0};
    assert_fails(journal_open(&options, &journal, &error), &error, code, fragment);
}

static void a_newer_schema_is_refused(void **state) {
    struct story *story = *state;
    story_close(story);
    run_sql(story, "PRAGMA user_version = 99");
    refuse_to_open(story, ERROR_INVALID, "version 99");
    run_sql(story, "SELECT count(*) FROM incident"); /* and left alone */
}

static void another_database_is_refused(void **state) {
    struct story *story = *state;
    story_close(story);
    unlink(story->path);
    run_sql(story, "CREATE TABLE customers (id)");
    refuse_to_open(story, ERROR_INVALID, "no journal");
}

static void write_at(const struct story *story, off_t offset, const char *bytes, size_t count) {
    int file = open(story->path, O_WRONLY);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, bytes, count, offset), count);
    close(file);
}

static void another_file_is_refused(void **state) {
    struct story *story = *state;
    story_close(story);
    write_at(story, 0, "this is no database at all", 26);
    refuse_to_open(story, ERROR_INVALID, "not a database");
}

static void damage_is_found_at_the_start(void **state) {
    struct story *story = *state;
    static char noise[3000];
    story_append(story, "event-1", "rule-a", "user-1");
    story_close(story);
    memset(noise, 0xA5, sizeof(noise));
    write_at(story, 5 * 4096, noise, sizeof(noise));
    refuse_to_open(story, ERROR_SYSTEM, "");
}

/* ---- the schema of before ---- */

static void insert_old_rows(struct story *story) {
    struct journal_audit_line line = {
        .sequence = 1,
        .unix_ms = STORY_START_UNIX_MS,
        .event = TEXT("detected"),
        .incident = TEXT("01ARZ3NDEKTSV4RRFFQ69G5FAV"),
        .text = TEXT("{}"),
    };
    static const uint8_t before_all[JOURNAL_HASH_BYTES];
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    journal_audit_hash(before_all, &line, line.hash);
    assert_int_equal(sqlite3_open(story->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "INSERT INTO audit VALUES (1, ?, 'detected', ?, '', '{}', ?)", -1,
                           &insert, NULL),
        SQLITE_OK);
    sqlite3_bind_int64(insert, 1, line.unix_ms);
    sqlite3_bind_text(insert, 2, line.incident.data, (int)line.incident.bytes, SQLITE_STATIC);
    sqlite3_bind_blob(insert, 3, line.hash, JOURNAL_HASH_BYTES, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    run_sql(story,
            "INSERT INTO event VALUES (1, 'old', 5, 4, 1, x'7b7d');"
            "INSERT INTO definition VALUES (x'00', x'7b7d');"
            "INSERT INTO incident VALUES ('01ARZ3NDEKTSV4RRFFQ69G5FAV', 1, 5, 2, 5, 5, 0, 'high',"
            " 'rule-a', 'user-1', 'it matches', '', 'user-1', 'mallory', '111122223333',"
            " 'eu-west-1', x'00', '');"
            "INSERT INTO task VALUES (7, '01ARZ3NDEKTSV4RRFFQ69G5FAV', 1, 1, 0, 2, 5,"
            " 'contain-principal', 'lane', '{}');"
            "INSERT INTO call VALUES (3, '01ARZ3NDEKTSV4RRFFQ69G5FAV', 'k', 0, 0, 5, 0, 1, 1,"
            " 'contain-principal', 'deny-user', 'iam', 'PutUserPolicy', '111122223333',"
            " 'us-east-1', '111122223333', 'user-1', 'deny-user', '', '', '{}', '{}', '');"
            "INSERT INTO effect VALUES (4, 'user-1', 'deny-user', '111122223333', 0, 1, 0, 1,"
            " 'contain-principal', 'deny-user', '{}', '{}');"
            "INSERT INTO owner VALUES ('01ARZ3NDEKTSV4RRFFQ69G5FAV', 4);");
}

static void a_previous_schema_is_brought_forward(void **state) {
    struct story *story = *state;
    scoped(buffer_done) struct buffer schema = BUFFER_INIT;
    story_close(story);
    unlink(story->path);
    load_fixture("tests/contract/schema-1.sql", &schema);
    run_sql(story, buffer_string(&schema));
    insert_old_rows(story);
    story_open(story);

    struct error error = {0};
    struct ulid id;
    assert_true(ulid_parse(TEXT("01ARZ3NDEKTSV4RRFFQ69G5FAV"), &id));
    story_assert_state(story, &id, INCIDENT_RESPONDING);
    const struct journal_filter filter = {.rule = TEXT("rule-a"), .principal = TEXT("mallory")};
    struct journal_incident *found = NULL;
    size_t count = 0;
    assert_ok(journal_find_incidents(story->journal, NULL, &filter, 10, story->arena, &found,
                                     &count, NULL, &error),
              &error);
    assert_int_equal(count, 1); /* the index is new */
    struct journal_task *task = story_claim(story);
    assert_int_equal(task->id, 7);
    assert_int_equal(task->attempt, 2);
    story_write_outcome(story, task, "k", CALL_DONE, false);
    struct journal_call *calls = NULL;
    assert_int_equal(story_calls(story, &id, &calls), 1);
    assert_int_equal(calls[0].took_us, 1234); /* the column is new */
    struct journal_effect *effects = NULL;
    assert_int_equal(story_effects(story, &id, &effects), 1);
    assert_ok(journal_note_key(story->journal, TEXT("ASIAEXAMPLE"), &error), &error);
    story_finish(story, &task, INCIDENT_DONE);
    assert_true(story_count_audit(story, "") > 1);
    story_close(story);
    assert_int_equal(ask_sql(story, "SELECT count(*) FROM meta WHERE name = 'schema 6'"), 1);
    story_open(story);
    story_assert_state(story, &id, INCIDENT_DONE);
}

/* ---- thresholds ---- */

static void show_values(struct story *story, const char *key, unsigned from, unsigned count,
                        bool fires) {
    char names[64][8];
    struct text values[64];
    struct journal_threshold threshold = {
        .count = 10, .per_ms = HOUR_MS, .values = values, .value_count = count};
    for (unsigned i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "i-%u", from + i);
        values[i] = text_of(names[i]);
    }
    bool has_fired = !fires;
    struct journal_new_incident incident = story_incident(story, "rule-a", "user-1");
    incident.threshold = &threshold;
    incident.has_fired_out = &has_fired;
    struct journal_new_event event = story_event(story, key, &incident);
    assert_true(story_append_all(story, &event, 1).is_ok);
    assert_int_equal(has_fired, fires);
}

static void a_threshold_goes_on_counting_after_a_restart(void **state) {
    struct story *story = *state;
    show_values(story, "event-1", 0, 9, false);
    story_close(story);
    story_open(story);
    show_values(story, "event-2", 9, 1, true);
    story_close(story);
    assert_int_equal(ask_sql(story, "SELECT incidents FROM event WHERE key = 'event-1'"), 0);
    assert_int_equal(ask_sql(story, "SELECT incidents FROM event WHERE key = 'event-2'"), 1);
    story_open(story);
}

static void what_a_threshold_keeps_is_bounded(void **state) {
    struct story *story = *state;
    for (unsigned i = 0; i < 5; i++) {
        char key[16];
        snprintf(key, sizeof(key), "event-%u", i);
        show_values(story, key, 60 * i, 60, true);
    }
    story_close(story);
    assert_int_equal(ask_sql(story, "SELECT count(*) FROM sighting"), 10);
    story_open(story);
}

/* ---- kill -9 ---- */

static void say_appended(void *arg, const bool *is_known, size_t count, const struct error *error) {
    const char *key = arg;
    (void)is_known;
    (void)count;
    if (error == NULL) {
        dprintf(STDOUT_FILENO, "%s\n", key);
    }
}

/* Appends until it is killed, saying each key once it is acknowledged; a thread of it claims and
 * starts responses. */
int durable_child(const char *url) {
    static char keys[100000][32];
    struct story *story = NULL;
    story_is_durable = false;
    if (story_setup((void **)&story) != 0) {
        return 1;
    }
    story_close(story);
    snprintf(story->url, sizeof(story->url), "%s", url);
    story_open(story);
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        snprintf(keys[i], sizeof(keys[i]), "e%zu", i);
        struct journal_new_incident incident = story_incident(story, "rule-a", keys[i]);
        struct journal_new_event event = story_event(story, keys[i], &incident);
        journal_append(story->journal, &event, 1, say_appended, keys[i]);
        struct journal_task *task = NULL;
        if (i % 2 == 0 && journal_claim(story->journal, 100, &task)) {
            struct journal_new_task playbook = story_playbook("contain-principal", true);
            struct journal_admitted admitted = story_admit(story, task, &playbook, 1);
            journal_admitted_done(&admitted);
        }
        if (i % 50 == 0) {
            clock_sleep_ms(1);
        }
    }
    return 0;
}

/* Reads what the child says until `bytes` came, kills it, reads the rest. */
static size_t kill_child_after(const struct story *story, size_t bytes, struct buffer *said) {
    int ends[2];
    pid_t child = 0;
    posix_spawn_file_actions_t actions;
    char *arguments[] = {(char *)(uintptr_t) "contract_journal", (char *)(uintptr_t) "child",
                         (char *)(uintptr_t)story->url, NULL};
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    assert_int_equal(posix_spawn(&child, "/proc/self/exe", &actions, NULL, arguments, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    bool is_killed = false;
    for (;;) {
        char *room = buffer_reserve(said, 4096);
        ssize_t got = read(ends[0], room, 4096);
        if (got <= 0) {
            break;
        }
        buffer_added(said, (size_t)got);
        if (!is_killed && said->bytes >= bytes) {
            kill(child, SIGKILL);
            is_killed = true;
        }
    }
    close(ends[0]);
    waitpid(child, NULL, 0);
    return said->bytes;
}

static void what_was_acknowledged_outlives_kill_9(void **state) {
    struct story *story = *state;
    story_close(story);
    for (size_t round = 1; round <= 3; round++) {
        scoped(buffer_done) struct buffer said = BUFFER_INIT;
        unlink(story->path);
        assert_true(kill_child_after(story, round * 700, &said) >= round * 700);
        story_open(story);
        struct text rest = buffer_text(&said);
        struct text key;
        size_t count = 0;
        while (text_next_part(&rest, '\n', &key)) {
            struct blob *body = NULL;
            struct error error = {0};
            if (key.bytes > 0) {
                assert_ok(journal_read_event(story->journal, key, &body, &error), &error);
                blob_unref(&body);
                count++;
            }
        }
        assert_true(count > 100);
        /* Every incident is at hand: its respond task or its playbook is due, nobody holds it. */
        struct journal_numbers numbers;
        journal_numbers(story->journal, &numbers);
        struct journal_incident *incidents = NULL;
        size_t incident_count = 0;
        struct error error = {0};
        assert_ok(
            journal_find_incidents(story->journal, NULL,
                                   &(struct journal_filter){.states = 1u << INCIDENT_DETECTED},
                                   100000, story->arena, &incidents, &incident_count, NULL, &error),
            &error);
        assert_int_equal(numbers.not_admitted, incident_count);
        struct journal_task *task = story_claim(story);
        journal_give_back(story->journal, 0, &task);
        story_count_audit(story, ""); /* the chain is whole */
        story_close(story);
    }
    story_open(story);
}

/* ---- a full disk ---- */

static void limit_files(rlim_t bytes) {
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_fails_requests_until_there_is_room(void **state) {
    struct story *story = *state;
    struct error error = {0};
    signal(SIGXFSZ, SIG_IGN);
    blob_unref(&story->body);
    static char large[50000];
    memset(large, ' ', sizeof(large));
    story->body = blob_new((struct text){large, sizeof(large)});
    struct journal_task *task = story_respond(story, "first", "rule-a", "user-1");
    struct ulid id = task->incident.id;
    limit_files(300000);
    size_t stored = 0;
    struct appended appended = {.is_ok = true};
    while (appended.is_ok) {
        char key[32];
        assert_true(stored < 20);
        snprintf(key, sizeof(key), "event-%zu", stored);
        struct journal_new_incident incident = story_incident(story, "rule-a", key);
        struct journal_new_event event = story_event(story, key, &incident);
        appended = story_append_all(story, &event, 1);
        stored += appended.is_ok;
    }
    assert_int_equal(appended.error.code, ERROR_SYSTEM);
    struct journal_numbers numbers;
    journal_numbers(story->journal, &numbers);
    assert_true(numbers.failed_commits >= 1);
    for (int i = 0; journal_is_ready(story->journal) && i < 1000; i++) {
        clock_sleep_ms(1);
    }
    story_claim_none(story); /* there are respond tasks, but nothing could come of them */

    limit_files(RLIM_INFINITY);
    for (int i = 0; !journal_is_ready(story->journal); i++) {
        assert_true(i < 10000);
        clock_sleep_ms(1);
    }
    for (size_t i = 0; i < stored; i++) {
        char key[32];
        struct blob *body = NULL;
        snprintf(key, sizeof(key), "event-%zu", i);
        assert_ok(journal_read_event(story->journal, text_of(key), &body, &error), &error);
        blob_unref(&body);
    }
    struct journal_new_incident incident = story_incident(story, "rule-a", "again");
    struct journal_new_event event = story_event(story, "again", &incident);
    assert_true(story_append_all(story, &event, 1).is_ok);
    story_finish(story, &task, INCIDENT_DONE); /* the lease was kept */
    story_assert_state(story, &id, INCIDENT_DONE);
    story_count_audit(story, "");
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, story_setup, story_teardown)
const struct CMUnitTest durable_stories[] = {
    STORY(all_is_there_after_a_restart_but_leases),
    STORY(an_undo_survives_a_restart),
    STORY(a_second_server_is_refused),
    STORY(only_we_may_read_the_file),
    STORY(a_change_larger_than_the_cache_is_whole),
    STORY(a_newer_schema_is_refused),
    STORY(another_database_is_refused),
    STORY(another_file_is_refused),
    STORY(damage_is_found_at_the_start),
    STORY(a_previous_schema_is_brought_forward),
    STORY(a_threshold_goes_on_counting_after_a_restart),
    STORY(what_a_threshold_keeps_is_bounded),
    STORY(what_was_acknowledged_outlives_kill_9),
    STORY(a_full_disk_fails_requests_until_there_is_room),
};
const size_t durable_story_count = ARRAY_COUNT(durable_stories);
