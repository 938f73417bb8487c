-- The first schema of the journal, as it was released: what a file from then looks like.
CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE event (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, received INTEGER NOT NULL, happened INTEGER NOT NULL, incidents INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE definition (hash BLOB PRIMARY KEY, text BLOB NOT NULL);
CREATE TABLE incident (id TEXT PRIMARY KEY, event INTEGER NOT NULL, state INTEGER NOT NULL, mode INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, contained INTEGER NOT NULL, severity TEXT NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL, joined_to TEXT NOT NULL, principal_id TEXT NOT NULL, principal_name TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, definition BLOB NOT NULL, plan TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX incident_open ON incident (subject, rule, created) WHERE state IN (3, 4, 5, 6);
CREATE TABLE task (id INTEGER PRIMARY KEY, incident TEXT NOT NULL, event INTEGER NOT NULL, kind INTEGER NOT NULL, priority INTEGER NOT NULL, attempt INTEGER NOT NULL, due INTEGER NOT NULL, playbook TEXT NOT NULL, lane TEXT NOT NULL, detail TEXT NOT NULL);
CREATE TABLE call (id INTEGER PRIMARY KEY, incident TEXT NOT NULL, key TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL, intended INTEGER NOT NULL, ended INTEGER NOT NULL, is_write INTEGER NOT NULL, is_containing INTEGER NOT NULL, playbook TEXT NOT NULL, step TEXT NOT NULL, service TEXT NOT NULL, operation TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, effect_account TEXT NOT NULL, effect_target TEXT NOT NULL, effect_name TEXT NOT NULL, error_code TEXT NOT NULL, reason TEXT NOT NULL, request TEXT NOT NULL, inverse TEXT NOT NULL, answer TEXT NOT NULL, UNIQUE (incident, key));
CREATE TABLE effect (id INTEGER PRIMARY KEY, target TEXT NOT NULL, name TEXT NOT NULL, account TEXT NOT NULL, state INTEGER NOT NULL, owners INTEGER NOT NULL, made INTEGER NOT NULL, is_containing INTEGER NOT NULL, playbook TEXT NOT NULL, step TEXT NOT NULL, request TEXT NOT NULL, inverse TEXT NOT NULL, UNIQUE (target, name, account));
CREATE TABLE owner (incident TEXT NOT NULL, effect INTEGER NOT NULL, PRIMARY KEY (incident, effect)) WITHOUT ROWID;
CREATE TABLE reservation (scope TEXT NOT NULL, target TEXT NOT NULL, drawn INTEGER NOT NULL, PRIMARY KEY (scope, target)) WITHOUT ROWID;
CREATE TABLE audit (sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, event TEXT NOT NULL, incident TEXT NOT NULL, actor TEXT NOT NULL, text TEXT NOT NULL, hash BLOB NOT NULL);
PRAGMA user_version = 1;
PRAGMA application_id = 1382641713;
