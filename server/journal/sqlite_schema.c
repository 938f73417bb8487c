#include "sqlite.h"

#define APPLICATION_ID 0x52697031 /* "Rip1" */

/* Step i brings version i to version i + 1, so a new file goes through all of them. A step that was
 * released never changes. */
static const char *const steps[] = {
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE event (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,"
    " received INTEGER NOT NULL, happened INTEGER NOT NULL, incidents INTEGER NOT NULL,"
    " body BLOB NOT NULL);"
    "CREATE TABLE definition (hash BLOB PRIMARY KEY, text BLOB NOT NULL);"
    "CREATE TABLE incident (id TEXT PRIMARY KEY, event INTEGER NOT NULL, state INTEGER NOT NULL,"
    " mode INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,"
    " contained INTEGER NOT NULL, severity TEXT NOT NULL, rule TEXT NOT NULL,"
    " subject TEXT NOT NULL, reason TEXT NOT NULL, joined_to TEXT NOT NULL,"
    " principal_id TEXT NOT NULL, principal_name TEXT NOT NULL, account TEXT NOT NULL,"
    " region TEXT NOT NULL, definition BLOB NOT NULL, plan TEXT NOT NULL) WITHOUT ROWID;"
    /* those that another event may join: observed, held, responding, done */
    "CREATE INDEX incident_open ON incident (subject, rule, created)"
    " WHERE state IN (3, 4, 5, 6);"
    "CREATE TABLE task (id INTEGER PRIMARY KEY, incident TEXT NOT NULL, event INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, priority INTEGER NOT NULL, attempt INTEGER NOT NULL,"
    " due INTEGER NOT NULL, playbook TEXT NOT NULL, lane TEXT NOT NULL, detail TEXT NOT NULL);"
    "CREATE TABLE call (id INTEGER PRIMARY KEY, incident TEXT NOT NULL, key TEXT NOT NULL,"
    " state INTEGER NOT NULL, attempts INTEGER NOT NULL, intended INTEGER NOT NULL,"
    " ended INTEGER NOT NULL, is_write INTEGER NOT NULL, is_containing INTEGER NOT NULL,"
    " playbook TEXT NOT NULL, step TEXT NOT NULL, service TEXT NOT NULL, operation TEXT NOT NULL,"
    " account TEXT NOT NULL, region TEXT NOT NULL, effect_account TEXT NOT NULL,"
    " effect_target TEXT NOT NULL, effect_name TEXT NOT NULL, error_code TEXT NOT NULL,"
    " reason TEXT NOT NULL, request TEXT NOT NULL, inverse TEXT NOT NULL, answer TEXT NOT NULL,"
    " UNIQUE (incident, key));"
    "CREATE TABLE effect (id INTEGER PRIMARY KEY, target TEXT NOT NULL, name TEXT NOT NULL,"
    " account TEXT NOT NULL, state INTEGER NOT NULL, owners INTEGER NOT NULL,"
    " made INTEGER NOT NULL, is_containing INTEGER NOT NULL, playbook TEXT NOT NULL,"
    " step TEXT NOT NULL, request TEXT NOT NULL, inverse TEXT NOT NULL,"
    " UNIQUE (target, name, account));"
    "CREATE TABLE owner (incident TEXT NOT NULL, effect INTEGER NOT NULL,"
    " PRIMARY KEY (incident, effect)) WITHOUT ROWID;"
    "CREATE TABLE reservation (scope TEXT NOT NULL, target TEXT NOT NULL, drawn INTEGER NOT NULL,"
    " PRIMARY KEY (scope, target)) WITHOUT ROWID;"
    "CREATE TABLE audit (sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, event TEXT NOT NULL,"
    " incident TEXT NOT NULL, actor TEXT NOT NULL, text TEXT NOT NULL, hash BLOB NOT NULL);",

    "ALTER TABLE call ADD COLUMN took_us INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE issued_key (id TEXT PRIMARY KEY, noted INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX event_alone ON event (received) WHERE incidents = 0;",

    "CREATE TABLE sighting (rule TEXT NOT NULL, subject TEXT NOT NULL, value TEXT NOT NULL,"
    " seen INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (rule, subject, value))"
    " WITHOUT ROWID;"
    "CREATE INDEX sighting_until ON sighting (until);"
    "CREATE INDEX incident_joined ON incident (joined_to) WHERE joined_to <> '';",

    "ALTER TABLE event ADD COLUMN trace TEXT NOT NULL DEFAULT '';",

    /* what searches look at, without the plans: a tenth of the table */
    ("CREATE INDEX incident_search ON incident (id, state, severity, rule, account, principal_id,"
     " principal_name);"),

    /* For a list of states SQLite fills a table of its own each time a row is written. */
    "DROP INDEX incident_open;"
    "CREATE INDEX incident_open ON incident (subject, rule, created)"
    " WHERE state >= 3 AND state <= 6;",
};

_Static_assert(INCIDENT_OBSERVED == 3 && INCIDENT_HELD == 4 && INCIDENT_RESPONDING == 5 &&
                   INCIDENT_DONE == 6,
               "the partial index incident_open and the stored states say so");

bool sqlite_check_identity(struct sqlite *sqlite, bool *is_new_out, struct error *error) {
    int64_t application = 0;
    int64_t version = 0;
    int64_t objects = 0;
    if (!sqlite_number(sqlite, "PRAGMA application_id", &application, error) ||
        !sqlite_number(sqlite, "PRAGMA user_version", &version, error) ||
        !sqlite_number(sqlite, "SELECT count(*) FROM sqlite_schema", &objects, error)) {
        return false;
    }
    *is_new_out = objects == 0 && version == 0;
    if (!*is_new_out && application != APPLICATION_ID) {
        return error_set(error, ERROR_INVALID, "this database is no journal of Riposte");
    }
    if (version > (int64_t)ARRAY_COUNT(steps)) {
        return error_set(error, ERROR_INVALID,
                         "its schema has version %lld and this program knows up to %zu: use the "
                         "newer program",
                         (long long)version, ARRAY_COUNT(steps));
    }
    return true;
}

static bool note_version(struct sqlite *sqlite, struct error *error) {
    struct query query = query_start(sqlite,
                                     "INSERT INTO meta (name, value) VALUES ('schema ' || ?, ?)"
                                     " ON CONFLICT (name) DO NOTHING");
    query_bind_number(&query, (int64_t)ARRAY_COUNT(steps));
    query_bind_number(&query, clock_unix_ms(sqlite->clock));
    bool is_ok = query_run(&query, error);
    query_done(&query);
    return is_ok;
}

static bool set_version(struct sqlite *sqlite, struct error *error) {
    _Static_assert(ARRAY_COUNT(steps) == 6 && APPLICATION_ID == 1382641713, "the text says so");
    return sqlite_run(sqlite, "PRAGMA user_version = 6; PRAGMA application_id = 1382641713",
                      error) &&
           note_version(sqlite, error);
}

bool sqlite_migrate(struct sqlite *sqlite, struct error *error) {
    int64_t version = 0;
    if (!sqlite_number(sqlite, "PRAGMA user_version", &version, error)) {
        return false;
    }
    if (version == (int64_t)ARRAY_COUNT(steps)) {
        return true;
    }
    bool is_ok = sqlite_run(sqlite, "BEGIN IMMEDIATE", error);
    for (size_t i = (size_t)version; is_ok && i < ARRAY_COUNT(steps); i++) {
        is_ok = sqlite_run(sqlite, steps[i], error);
    }
    is_ok = is_ok && set_version(sqlite, error) && sqlite_run(sqlite, "COMMIT", error);
    if (!is_ok) {
        struct error ignored = {0};
        (void)!sqlite_run(sqlite, "ROLLBACK", &ignored);
        return error_wrap(error, "bringing the schema from version %lld to %zu", (long long)version,
                          ARRAY_COUNT(steps));
    }
    return true;
}
