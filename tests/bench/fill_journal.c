/* Fills a journal with decided incidents, as fast as its own interface lets one:
 * fill_journal sqlite:PATH COUNT. Events come in batches; workers claim each respond task and
 * decide it: observed with a plan, held, suppressed. One in a thousand is of a rule and a principal
 * of its own. Ids are a second apart, the last is now. */
#include "riposte/base/clock.h"
#include "riposte/base/latch.h"
#include "riposte/base/memory.h"
#include "riposte/base/thread.h"
#include "riposte/crypto/random.h"
#include "riposte/crypto/sha256.h"
#include "riposte/journal/journal.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH      500
#define WORKERS    32
#define BODY_BYTES 2500
#define PLAN_BYTES 1500
#define RULES      53
#define PRINCIPALS 700

static struct journal *journal;
static atomic_size_t decided;
static char plan_bytes[PLAN_BYTES];

static void give_up(const char *what, const struct error *error) {
    fprintf(stderr, "fill_journal: %s: %s\n", what, error->text);
    exit(1);
}

static void on_appended(void *arg, const bool *is_known, size_t count, const struct error *error) {
    (void)is_known;
    (void)count;
    if (error != NULL) {
        give_up("append", error);
    }
    latch_open(arg);
}

static struct journal_new_incident make_incident(struct arena *arena, size_t number,
                                                 int64_t unix_ms,
                                                 const struct journal_definition *definition) {
    uint8_t random[ULID_RANDOM_BYTES];
    random_bytes(random, sizeof(random));
    bool is_rare = number % 1000 == 0;
    return (struct journal_new_incident){
        .id = ulid_make(unix_ms, random),
        .rule = is_rare ? TEXT("rare") : arena_format(arena, "rule-%zu", number % RULES),
        .subject = arena_format(arena, "subject-%zu", number),
        .severity = number % 7 == 0 ? TEXT("critical") : TEXT("high"),
        .mode = MODE_OBSERVE,
        .principal_id = arena_format(arena, "123456789012/AIDA%016zu", number % PRINCIPALS),
        .principal_name = is_rare ? TEXT("rare")
                                  : arena_format(arena, "user-%zu", number % PRINCIPALS),
        .account = TEXT("123456789012"),
        .region = TEXT("eu-west-1"),
        .definition = definition,
    };
}

static void append(size_t first, size_t count, size_t all, struct blob *body,
                   const struct journal_definition *definition) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct journal_new_event *events = arena_alloc_array(arena, count, sizeof(*events));
    struct journal_new_incident *incidents = arena_alloc_array(arena, count, sizeof(*incidents));
    struct latch done;
    latch_init(&done);
    for (size_t i = 0; i < count; i++) {
        size_t number = first + i;
        int64_t unix_ms = clock_unix_ms(&clock_system) - (int64_t)(all - number) * 1000;
        incidents[i] = make_incident(arena, number, unix_ms, definition);
        events[i] = (struct journal_new_event){.key = arena_format(arena, "event-%zu", number),
                                               .body = body,
                                               .received_unix_ms = unix_ms,
                                               .event_unix_ms = unix_ms,
                                               .incidents = &incidents[i],
                                               .incident_count = 1};
    }
    journal_append(journal, events, count, on_appended, &done);
    latch_wait(&done);
    latch_done(&done);
}

static void decide(struct journal_task *task, size_t number) {
    static const enum admit_proposal proposals[] = {ADMIT_OBSERVE, ADMIT_OBSERVE, ADMIT_HOLD,
                                                    ADMIT_SUPPRESS};
    const struct journal_admission admission = {
        .proposal = proposals[number % 4],
        .reason = TEXT("the principal is protected"),
        .plan = {plan_bytes, sizeof(plan_bytes)},
    };
    struct journal_admitted admitted = {0};
    struct error error = {0};
    if (!journal_admit(journal, task, &admission, &admitted, &error)) {
        give_up("admit", &error);
    }
    journal_admitted_done(&admitted);
}

static void work(void *arg) {
    size_t all = *(const size_t *)arg;
    struct journal_task *task = NULL;
    while (atomic_load(&decided) < all) {
        if (journal_claim(journal, 100, &task)) {
            decide(task, atomic_fetch_add(&decided, 1));
            journal_task_free(&task);
        }
    }
}

static void fill(size_t all) {
    char *bytes = memory_new(BODY_BYTES);
    memset(bytes, ' ', BODY_BYTES);
    bytes[0] = '{';
    bytes[BODY_BYTES - 1] = '}';
    memset(plan_bytes, ' ', sizeof(plan_bytes));
    plan_bytes[0] = '{';
    plan_bytes[sizeof(plan_bytes) - 1] = '}';
    struct blob *body = blob_new((struct text){bytes, BODY_BYTES});
    struct journal_definition definition = {.text = body};
    sha256(blob_text(body), definition.hash);
    struct thread workers[WORKERS] = {0};
    struct error error = {0};
    for (size_t i = 0; i < WORKERS; i++) {
        if (!thread_start(&workers[i], "worker", work, &all, &error)) {
            give_up("thread", &error);
        }
    }
    for (size_t done = 0; done < all; done += BATCH) {
        append(done, all - done < BATCH ? all - done : BATCH, all, body, &definition);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        thread_join(&workers[i]);
    }
    blob_unref(&body);
    free(bytes);
}

int main(int argc, char **argv) {
    uint64_t count = 0;
    struct error error = {0};
    if (argc != 3 || !text_parse_unsigned(text_of(argv[2]), &count) || count == 0) {
        fputs("usage: fill_journal sqlite:PATH COUNT\n", stderr);
        return 2;
    }
    const struct journal_options options = {
        .url = argv[1], .clock = &clock_system, .queue_limit = count + 1, .workers = 4 * WORKERS};
    if (!journal_open(&options, &journal, &error)) {
        give_up(argv[1], &error);
    }
    int64_t began_ms = clock_mono_ms(&clock_system);
    fill(count);
    journal_close(&journal);
    printf("%" PRIu64 " incidents in %.1f s\n", count,
           (double)(clock_mono_ms(&clock_system) - began_ms) / 1000);
    return 0;
}
