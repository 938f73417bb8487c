/* A journal that does what a test tells it: commits when told, fails as told, shows the rows it was
 * given and remembers what it was asked for. Stands in for riposte_journal at link time.
 *
 * Ownership:  fake_journal_new()/fake_journal_free(); rows stay the test's.
 * Threads:    appends and undos from any; what a test tells it from one. */
#ifndef RIPOSTE_TESTS_FAKE_JOURNAL_H
#define RIPOSTE_TESTS_FAKE_JOURNAL_H

#include "riposte/base/error.h"
#include "riposte/journal/journal.h"
#include "riposte/journal/search.h"

#include <stdbool.h>
#include <stddef.h>

#define FAKE_EVENTS_MAX    64
#define FAKE_INCIDENTS_MAX 4

/* An event as it was stored, texts copied. */
struct fake_event {
    char *key, *body;
    int64_t received_unix_ms, event_unix_ms;
    size_t incident_count;
    struct fake_incident {
        struct ulid id;
        char *rule, *subject, *severity, *principal_id, *principal_name, *account, *region;
        char *definition;
        enum mode mode;
        uint8_t hash[JOURNAL_HASH_BYTES];
    } incidents[FAKE_INCIDENTS_MAX];
};

/* What reads find. */
struct fake_rows {
    const struct journal_incident *incidents; /* the newest first */
    size_t incident_count;
    const struct journal_call *calls;
    size_t call_count;
    const struct journal_effect *effects;
    size_t effect_count;
    const struct journal_task_row *tasks;
    size_t task_count;
    const char *event; /* NULL: the event is gone */
    struct journal_numbers numbers;
    const struct journal_audit_line *lines;
    size_t line_count;
    const struct journal_lane *lanes;
    size_t lane_count;
    struct journal_census census;
    bool is_new; /* what operators ask for changes something */
};

struct journal *fake_journal_new(void);
void fake_journal_free(struct journal **journal);

/* Every call that can fail does so with this code; ERROR_NONE: works again. */
void fake_journal_fail(struct journal *journal, enum error_code code);
void fake_journal_set_ready(struct journal *journal, bool is_ready);
void fake_journal_set_rows(struct journal *journal, const struct fake_rows *rows);
/* Appends wait from now on for fake_journal_commit(). */
void fake_journal_hold(struct journal *journal);
/* Waits until `count` appends wait, and commits them, in this thread. */
void fake_journal_commit(struct journal *journal, size_t count);

size_t fake_journal_event_count(struct journal *journal);
const struct fake_event *fake_journal_event(struct journal *journal, size_t index);

struct fake_undo {
    unsigned count;
    char id[ULID_TEXT_BYTES + 1], actor[64];
    bool with_resources;
};
struct fake_undo fake_journal_undo(struct journal *journal);
/* What the latest list was to hold: "rule|severity|account|principal|since|until"; in the journal.
 */
const char *fake_journal_filter(struct journal *journal);
/* The latest approval or dismissal: "approve <id> <actor> <detail>"; in the journal. */
const char *fake_journal_word(struct journal *journal);

#endif
