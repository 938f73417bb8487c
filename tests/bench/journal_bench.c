/* What a durable append costs: journal_bench [FOLDER] (default: the present one); with a number
 * behind it, what it costs while retention deletes so many old incidents, cuts their lines off the
 * audit chain, and their pages are given back.
 *
 * Each append is an event with one incident: rows of event, incident, task and audit. Groups are
 * exact: the completion of a group's last append, on the journal's own thread, queues the next
 * group. CPU is that of the whole process: the asker's copies, the journal's thread, the system's
 * calls. */
#include "riposte/base/clock.h"
#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/crypto/random.h"
#include "riposte/crypto/sha256.h"
#include "riposte/journal/journal.h"

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BODY_BYTES 2500
#define GROUP_MAX  64

#define SPACED_APPENDS 500
#define ROUNDS         4
#define SPACE_MS       4

struct bench {
    struct journal *journal;
    struct blob *body;
    struct journal_definition definition;
    size_t group, groups_left, waiting_for;
    uint64_t next_key;
    struct mutex lock;
    struct condition done;
    bool is_done;
};

static int64_t cpu_us(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void append_group(struct bench *bench);

static void note_appended(void *arg, const bool *is_known, size_t count,
                          const struct error *error) {
    struct bench *bench = arg;
    (void)is_known;
    (void)count;
    if (error != NULL) {
        fprintf(stderr, "journal_bench: %s\n", error->text);
        exit(1);
    }
    if (--bench->waiting_for > 0) {
        return;
    }
    if (bench->groups_left > 0) {
        append_group(bench);
        return;
    }
    mutex_lock(&bench->lock);
    bench->is_done = true;
    condition_signal(&bench->done);
    mutex_unlock(&bench->lock);
}

static void append_one(struct bench *bench) {
    char key[40];
    char subject[64];
    uint64_t random = 0;
    random_bytes(&random, sizeof(random)); /* CloudTrail's event ids are random */
    snprintf(key, sizeof(key), "%016llx-%016llx", (unsigned long long)random,
             (unsigned long long)bench->next_key++);
    snprintf(subject, sizeof(subject), "111122223333/AIDAEXAMPLE%08llx",
             (unsigned long long)(random & 0xffff));
    const struct journal_new_incident incident = {
        .id = random_ulid(clock_unix_ms(&clock_system)),
        .rule = TEXT("termination-protection-disabled"),
        .subject = text_of(subject),
        .severity = TEXT("high"),
        .mode = MODE_ENFORCE,
        .principal_id = text_of(subject),
        .principal_name = TEXT("mallory"),
        .account = TEXT("111122223333"),
        .region = TEXT("eu-west-1"),
        .definition = &bench->definition,
    };
    const struct journal_new_event event = {
        .key = text_of(key),
        .body = bench->body,
        .received_unix_ms = clock_unix_ms(&clock_system),
        .event_unix_ms = clock_unix_ms(&clock_system),
        .incidents = &incident,
        .incident_count = 1,
    };
    journal_append(bench->journal, &event, 1, note_appended, bench);
}

static void append_group(struct bench *bench) {
    bench->groups_left--;
    bench->waiting_for = bench->group;
    for (size_t i = 0; i < bench->group; i++) {
        append_one(bench);
    }
}

static void run(struct bench *bench, size_t group, size_t groups) {
    struct journal_numbers before;
    struct journal_numbers after;
    bench->group = group;
    bench->groups_left = groups;
    bench->is_done = false;
    /* The first append alone is a commit of its own: it starts the chain. */
    bench->waiting_for = 1;
    journal_numbers(bench->journal, &before);
    int64_t cpu_before_us = cpu_us();
    int64_t wall_before_us = clock_mono_us(&clock_system);
    append_one(bench);
    mutex_lock(&bench->lock);
    while (!bench->is_done) {
        condition_wait(&bench->done, &bench->lock);
    }
    mutex_unlock(&bench->lock);
    int64_t cpu = cpu_us() - cpu_before_us;
    int64_t wall = clock_mono_us(&clock_system) - wall_before_us;
    journal_numbers(bench->journal, &after);
    double appends = (double)(group * groups + 1);
    double commits = (double)(after.commits - before.commits);
    printf("groups of %2zu: %6.1f us CPU, %7.1f us an append; %5.1f appends a commit, %7.1f us a"
           " commit\n",
           group, (double)cpu / appends, (double)wall / appends, appends / commits,
           (double)wall / commits);
}

static int compare(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Asked, waited for, asked again: what one caller alone sees, threads woken included. */
static void run_lone(struct bench *bench, size_t count) {
    int64_t *took_us = memory_new_array(count, sizeof(*took_us));
    int64_t cpu_before_us = cpu_us();
    for (size_t i = 0; i < count; i++) {
        int64_t before_us = clock_mono_us(&clock_system);
        bench->groups_left = 0;
        bench->waiting_for = 1;
        bench->is_done = false;
        append_one(bench);
        mutex_lock(&bench->lock);
        while (!bench->is_done) {
            condition_wait(&bench->done, &bench->lock);
        }
        mutex_unlock(&bench->lock);
        took_us[i] = clock_mono_us(&clock_system) - before_us;
    }
    double cpu = (double)(cpu_us() - cpu_before_us) / (double)count;
    qsort(took_us, count, sizeof(*took_us), compare);
    printf("lone commit:  %6.1f us CPU; took p50 %lld us, p99 %lld us\n", cpu,
           (long long)took_us[count / 2], (long long)took_us[count * 99 / 100]);
    free(took_us);
}

/* Appends alone, at some distance from each other: in between the journal has time for itself. */
static void run_spaced(struct bench *bench, int64_t *took_us, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int64_t before_us = clock_mono_us(&clock_system);
        bench->groups_left = 0;
        bench->waiting_for = 1;
        bench->is_done = false;
        append_one(bench);
        mutex_lock(&bench->lock);
        while (!bench->is_done) {
            condition_wait(&bench->done, &bench->lock);
        }
        mutex_unlock(&bench->lock);
        took_us[i] = clock_mono_us(&clock_system) - before_us;
        clock_sleep_ms(SPACE_MS);
    }
}

static void print_spaced(const char *what, int64_t *took_us, size_t count) {
    qsort(took_us, count, sizeof(*took_us), compare);
    printf("%s: p50 %lld us, p99 %lld us, worst %lld us\n", what, (long long)took_us[count / 2],
           (long long)took_us[count * 99 / 100], (long long)took_us[count - 1]);
}

static void open_journal(struct bench *bench, const char *url, int64_t retain_ms,
                         int64_t audit_retain_ms) {
    const struct journal_options options = {.url = url,
                                            .clock = &clock_system,
                                            .queue_limit = 1000000,
                                            .workers = 8,
                                            .retain_ms = retain_ms,
                                            .audit_retain_ms = audit_retain_ms};
    struct error error = {0};
    if (!journal_open(&options, &bench->journal, &error)) {
        fprintf(stderr, "journal_bench: %s\n", error.text);
        exit(1);
    }
}

/* All incidents become old and over: what the workers and the time would have done. */
static void age(const char *path) {
    sqlite3 *db = NULL;
    char text[512];
    int64_t then = clock_unix_ms(&clock_system) - INT64_C(4) * 24 * 60 * 60 * 1000;
    struct ulid id = random_ulid(then);
    snprintf(text, sizeof(text),
             "UPDATE incident SET state = 3, updated = %lld, id = '%.10s' || substr(id, 11);"
             "UPDATE event SET received = %lld; UPDATE audit SET time = %lld; DELETE FROM task",
             (long long)then, id.text, (long long)then, (long long)then);
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "journal_bench: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
    sqlite3_close(db);
}

static long long count_rows(const char *path, const char *text) {
    sqlite3 *db = NULL;
    sqlite3_stmt *query = NULL;
    long long count = -1;
    if (sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, text, -1, &query, NULL) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW) {
        count = sqlite3_column_int64(query, 0);
    }
    sqlite3_finalize(query);
    sqlite3_close(db);
    return count;
}

static void print_size(const char *path, const char *what) {
    printf("%lld incidents and %lld audit lines %s, %lld pages, %lld of them free\n",
           count_rows(path, "SELECT count(*) FROM incident"),
           count_rows(path, "SELECT count(*) FROM audit"), what,
           count_rows(path, "PRAGMA page_count"), count_rows(path, "PRAGMA freelist_count"));
}

static void run_retention(struct bench *bench, const char *url, const char *path, size_t count) {
    static struct {
        const char *what;
        int64_t retain_ms, audit_retain_ms;
        int64_t took_us[ROUNDS * SPACED_APPENDS];
    } kinds[] = {{"without retention       ", 0, 0, {0}},
                 {"while it deletes        ", 1, 0, {0}},
                 {"and cuts the audit chain", 1, 1, {0}}};
    open_journal(bench, url, 0, 0);
    run(bench, GROUP_MAX, count / GROUP_MAX);
    journal_close(&bench->journal);
    age(path);
    print_size(path, "old");
    for (size_t round = 0; round < ROUNDS; round++) { /* side by side: all see the same machine */
        for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
            open_journal(bench, url, kinds[i].retain_ms, kinds[i].audit_retain_ms);
            run_spaced(bench, kinds[i].took_us + round * SPACED_APPENDS, SPACED_APPENDS);
            journal_close(&bench->journal);
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        print_spaced(kinds[i].what, kinds[i].took_us, ROUNDS * SPACED_APPENDS);
    }
    print_size(path, "left");
}

static void remove_files(const char *folder) {
    static const char *const names[] = {"journal.db", "journal.db-wal", "journal.db-journal"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

static struct blob *make_body(void) {
    char body[BODY_BYTES];
    memset(body, 'x', sizeof(body));
    memcpy(body, "{\"detail\":\"", 11);
    memcpy(body + sizeof(body) - 2, "\"}", 2);
    return blob_new((struct text){body, sizeof(body)});
}

int main(int argument_count, char **arguments) {
    char folder[256];
    char url[300];
    struct bench bench = {.body = make_body(), .definition.text = blob_new(TEXT("{}"))};
    snprintf(folder, sizeof(folder), "%s/riposte-bench-XXXXXX",
             argument_count > 1 ? arguments[1] : ".");
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    snprintf(url, sizeof(url), "sqlite:%s/journal.db", folder);
    sha256(blob_text(bench.definition.text), bench.definition.hash);
    mutex_init(&bench.lock);
    condition_init(&bench.done);
    if (argument_count > 2) {
        run_retention(&bench, url, url + 7, strtoul(arguments[2], NULL, 10));
    } else {
        open_journal(&bench, url, 0, 0);
        run_lone(&bench, 500);
        run(&bench, 1, 1000);
        run(&bench, 16, 300);
        run(&bench, GROUP_MAX, 100);
        journal_close(&bench.journal);
    }
    remove_files(folder);
    blob_unref(&bench.body);
    blob_unref(&bench.definition.text);
    condition_done(&bench.done);
    mutex_done(&bench.lock);
    return 0;
}
