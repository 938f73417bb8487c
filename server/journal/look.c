#include "look.h"

#include "riposte/base/buffer.h"
#include "riposte/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void log_path(const struct look *look, struct buffer *out) {
    buffer_append_format(out, "%s-wal", look->sqlite.path);
}

bool look_open(struct look *look, const char *path, struct error *error) {
    scoped(buffer_done) struct buffer log = BUFFER_INIT;
    struct stat found;
    if (stat(path, &found) != 0) {
        error_set_errno(error, errno, "%s", path);
        error->code = errno == ENOENT ? ERROR_NOT_FOUND : ERROR_SYSTEM;
        return false;
    }
    *look = (struct look){.sqlite = {.path = memory_copy_string(path), .clock = &clock_system}};
    log_path(look, &log);
    look->had_log = access(buffer_string(&log), F_OK) == 0;
    int64_t objects = 0;
    bool is_open = sqlite_connect(&look->sqlite, error);
    if (is_open) {
        sqlite3_db_config(look->sqlite.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        is_open = sqlite_number(&look->sqlite, "SELECT count(*) FROM sqlite_schema", &objects,
                                error);
    }
    if (!is_open && error->code == ERROR_BUSY) {
        return error_set(error, ERROR_BUSY, "a server holds %s", path);
    }
    return is_open || look->sqlite.store.is_damaged || error_wrap(error, "%s", path);
}

void look_done(struct look *look) {
    if (look->sqlite.path == NULL) {
        return;
    }
    scoped(buffer_done) struct buffer log = BUFFER_INIT;
    struct stat found;
    sqlite_disconnect(&look->sqlite);
    log_path(look, &log);
    if (!look->had_log && stat(buffer_string(&log), &found) == 0 && found.st_size == 0) {
        unlink(buffer_string(&log)); /* it came with the look */
    }
    free(look->sqlite.path);
    look->sqlite.path = NULL;
}

static void read_line(struct query *query, struct arena *arena,
                      struct journal_audit_line *line_out) {
    line_out->sequence = query_number(query);
    line_out->unix_ms = query_number(query);
    line_out->event = query_text(query, arena);
    line_out->incident = query_text(query, arena);
    line_out->actor = query_text(query, arena);
    line_out->text = query_text(query, arena);
    query_bytes(query, line_out->hash, JOURNAL_HASH_BYTES);
}

bool look_audit(struct look *look, int64_t first, look_line_fn *line_fn, void *arg,
                struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct query query = query_start(
        &look->sqlite, "SELECT sequence, time, event, incident, actor, text, hash FROM audit"
                       " WHERE sequence >= ? ORDER BY sequence");
    query_bind_number(&query, first);
    bool is_row = false;
    bool is_ok = false;
    while ((is_ok = query_step(&query, &is_row, error)) && is_row) {
        struct journal_audit_line line = {0};
        arena_reset(arena);
        read_line(&query, arena, &line);
        if (!line_fn(arg, &line, error)) {
            is_ok = false;
            break;
        }
    }
    query_done(&query);
    return is_ok;
}
