#include "riposte/journal/check.h"

#include "look.h"

#include "riposte/journal/chain.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct check {
    struct look look;
    journal_finding_fn *finding_fn;
    void *arg;
    struct journal_checked *checked;
};

static void check_done(struct check *check) {
    look_done(&check->look);
}

static void PRINTF_LIKE(2, 3) find(struct check *check, const char *format, ...) {
    char text[ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    check->checked->finding_count++;
    check->finding_fn(check->arg, text);
}

/* ---- pages --------------------------------------------------------------------------------------
 */

_Static_assert(CHECK_FINDINGS == 10, "the text says so");

static void check_pages(struct check *check) {
    struct query query = query_start(&check->look.sqlite, "PRAGMA integrity_check(10)");
    struct error error = {0};
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(&query, &is_row, &error)) && is_row) {
        const char *found = (const char *)sqlite3_column_text(query.statement, 0);
        if (found != NULL && strcmp(found, "ok") != 0) {
            find(check, "the database: %s", found);
        }
    }
    query_done(&query);
    if (!is_ok) {
        find(check, "the database: %s", error.text);
    }
}

/* ---- the chain ----------------------------------------------------------------------------------
 */

static bool take_line(void *arg, const struct journal_audit_line *line, struct error *error) {
    (void)error;
    journal_chain_take(arg, line);
    return true;
}

static void check_chain(struct check *check) {
    scoped(journal_chain_free) struct journal_chain *chain = journal_chain_new();
    struct journal_checked *checked = check->checked;
    struct journal_chain_end end;
    struct error error = {0};
    if (!look_audit(&check->look, 1, take_line, chain, &error) ||
        !journal_chain_conclude(chain, &end, &error)) {
        find(check, "the audit chain: %s", error.text);
        return;
    }
    checked->sequence = end.last.sequence;
    memcpy(checked->hash, end.last.hash, sizeof(checked->hash));
}

/* ---- what must hold between rows ----------------------------------------------------------------
 */

/* Each query gives what breaks the rule. Task kinds and states as they are stored: respond 0,
 * playbook 1, undo 3; detected 0, responding 5, releasing 8. */
static const struct rule {
    const char *what, *query;
} rules[] = {
    {"an incident without its event",
     "SELECT id FROM incident WHERE event NOT IN (SELECT id FROM event) LIMIT 10"},
    {"an incident without its rule's definition",
     "SELECT id FROM incident WHERE definition NOT IN (SELECT hash FROM definition) LIMIT 10"},
    {"an incident that the audit chain doesn't know",
     "SELECT id FROM incident WHERE id NOT IN (SELECT incident FROM audit) LIMIT 10"},
    {"an event that counts other incidents than it has",
     "SELECT key FROM event LEFT JOIN (SELECT event AS of, count(*) AS n FROM incident"
     " GROUP BY event) ON of = event.id WHERE incidents <> coalesce(n, 0) LIMIT 10"},
    {"two incidents of one rule for one event",
     "SELECT min(id) FROM incident GROUP BY event, rule HAVING count(*) > 1 LIMIT 10"},
    {"an incident that nobody looks at: it is detected and has no task",
     "SELECT id FROM incident WHERE state = 0 AND"
     " id NOT IN (SELECT incident FROM task WHERE kind = 0) LIMIT 10"},
    {"an incident that nobody goes on with: it is responding and has no task",
     "SELECT id FROM incident WHERE state = 5 AND"
     " id NOT IN (SELECT incident FROM task WHERE kind IN (0, 1)) LIMIT 10"},
    {"an incident that nobody takes back: it is releasing and has no task",
     "SELECT id FROM incident WHERE state = 8 AND"
     " id NOT IN (SELECT incident FROM task WHERE kind = 3) LIMIT 10"},
    {"a task without its incident",
     "SELECT id FROM task WHERE incident NOT IN (SELECT id FROM incident) LIMIT 10"},
    {"a call without its incident",
     "SELECT id FROM call WHERE incident NOT IN (SELECT id FROM incident) LIMIT 10"},
    {"an effect that counts other owners than it has",
     "SELECT target || ' ' || name FROM effect LEFT JOIN (SELECT effect AS of, count(*) AS n"
     " FROM owner GROUP BY effect) ON of = effect.id WHERE owners <> coalesce(n, 0) LIMIT 10"},
    {"an owner of an effect that is not there",
     "SELECT incident FROM owner WHERE effect NOT IN (SELECT id FROM effect)"
     " OR incident NOT IN (SELECT id FROM incident) LIMIT 10"},
};

_Static_assert(TASK_RESPOND == 0 && TASK_PLAYBOOK == 1 && TASK_UNDO == 3, "the queries say so");
_Static_assert(INCIDENT_DETECTED == 0 && INCIDENT_RESPONDING == 5 && INCIDENT_RELEASING == 8,
               "the queries say so");

static void check_rule(struct check *check, const struct rule *rule) {
    struct query query = query_start(&check->look.sqlite, rule->query);
    struct error error = {0};
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(&query, &is_row, &error)) && is_row) {
        find(check, "%s: %s", rule->what, (const char *)sqlite3_column_text(query.statement, 0));
    }
    query_done(&query);
    if (!is_ok) {
        find(check, "%s: can't be checked: %s", rule->what, error.text);
    }
}

static int64_t count(struct check *check, const char *query) {
    struct error ignored = {0};
    int64_t number = 0;
    return sqlite_number(&check->look.sqlite, query, &number, &ignored) ? number : 0;
}

static void check_rows(struct check *check) {
    for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
        check_rule(check, &rules[i]);
    }
    check->checked->events = count(check, "SELECT count(*) FROM event");
    check->checked->incidents = count(check, "SELECT count(*) FROM incident");
    check->checked->effects = count(check, "SELECT count(*) FROM effect");
}

bool journal_check(const char *path, journal_finding_fn *finding_fn, void *arg,
                   struct journal_checked *checked_out, struct error *error) {
    *checked_out = (struct journal_checked){0};
    scoped(check_done) struct check check = {
        .finding_fn = finding_fn, .arg = arg, .checked = checked_out};
    bool is_new = false;
    if (!look_open(&check.look, path, error)) {
        return false;
    }
    check_pages(&check);
    if (!sqlite_check_identity(&check.look.sqlite, &is_new, error) || is_new) {
        find(&check, "%s", is_new ? "it is empty" : error->text);
        return true;
    }
    check_chain(&check);
    check_rows(&check);
    return true;
}
