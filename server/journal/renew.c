#include "riposte/journal/renew.h"

#include "look.h"

#include "riposte/base/hex.h"
#include "riposte/base/time.h"
#include "riposte/journal/chain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HASH_DIGITS (2 * JOURNAL_HASH_BYTES)

void journal_renewal_done(struct journal_renewal *renewal) {
    buffer_done(&renewal->aside);
}

struct renew {
    struct look look;
    struct journal_renewal *renewal;
    FILE *chain; /* NULL: only looking */
    struct journal_chain *checked;
    int64_t last_written;
};

static void renew_done(struct renew *renew) {
    look_done(&renew->look);
    if (renew->chain != NULL) {
        fclose(renew->chain);
    }
}

/* ---- the chain that can still be read -----------------------------------------------------------
 */

static void put_member(struct buffer *out, const char *name, struct text value) {
    buffer_append_format(out, ",\"%s\":", name);
    buffer_append_json_string(out, value);
}

static bool write_line(struct renew *renew, const struct journal_audit_line *line,
                       struct error *error) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    char hash[HASH_DIGITS + 1];
    hex_encode(line->hash, sizeof(line->hash), hash);
    buffer_append_format(&out, "{\"sequence\":%" PRId64 ",\"unix_ms\":%" PRId64, line->sequence,
                         line->unix_ms);
    put_member(&out, "event", line->event);
    put_member(&out, "incident", line->incident);
    put_member(&out, "actor", line->actor);
    put_member(&out, "text", line->text);
    put_member(&out, "hash", text_of(hash));
    buffer_append_string(&out, "}\n");
    return fwrite(out.data, 1, out.bytes, renew->chain) == out.bytes ||
           error_set_errno(error, errno, "writing the chain");
}

static bool take_line(void *arg, const struct journal_audit_line *line, struct error *error) {
    struct renew *renew = arg;
    struct journal_renewal *renewal = renew->renewal;
    journal_chain_take(renew->checked, line);
    renewal->lines++;
    renewal->sequence = line->sequence;
    memcpy(renewal->hash, line->hash, sizeof(line->hash));
    return renew->chain == NULL || write_line(renew, line, error);
}

/* Where the next line that can be found is, behind a page that can't be read; 0: nowhere. Its index
 * is asked for the last line, then for ever earlier ones. */
static int64_t next_readable(struct renew *renew, int64_t after) {
    struct error ignored = {0};
    int64_t last = 0;
    if (!sqlite_number(&renew->look.sqlite, "SELECT max(sequence) FROM audit", &last, &ignored)) {
        return 0;
    }
    int64_t low = after;
    int64_t high = last;
    while (high - low > 1) { /* a page is lost, not single lines: the lines behind it are whole */
        int64_t middle = low + (high - low) / 2;
        char query[96];
        int64_t found = 0;
        snprintf(query, sizeof(query),
                 "SELECT count(*) FROM (SELECT text FROM audit WHERE sequence = %" PRId64 ")",
                 middle);
        bool is_read = sqlite_number(&renew->look.sqlite, query, &found, &ignored);
        *(is_read && found == 1 ? &high : &low) = middle;
    }
    return high > after ? high : 0;
}

/* What is on pages that can't be read is missing, and the chain says so. */
static bool take_lines(struct renew *renew, struct error *error) {
    struct error unreadable = {0};
    struct journal_renewal *renewal = renew->renewal;
    int64_t from = 1;
    while (!look_audit(&renew->look, from, take_line, renew, &unreadable)) {
        if (renew->chain != NULL && ferror(renew->chain) != 0) {
            *error = unreadable;
            return false;
        }
        renewal->is_chain_intact = false;
        int64_t next = next_readable(renew, renewal->sequence >= from ? renewal->sequence : from);
        if (next <= from) {
            return true;
        }
        from = next;
    }
    return true;
}

static bool take_chain(struct renew *renew, struct error *error) {
    struct journal_renewal *renewal = renew->renewal;
    scoped(journal_chain_free) struct journal_chain *checked = journal_chain_new();
    struct journal_chain_end end;
    struct error fault = {0};
    renew->checked = checked;
    renewal->is_chain_intact = true;
    bool is_ok = take_lines(renew, error);
    renew->checked = NULL;
    renewal->is_chain_intact = journal_chain_conclude(checked, &end, &fault) &&
                               renewal->is_chain_intact;
    return is_ok;
}

/* ---- setting aside ------------------------------------------------------------------------------
 */

static bool move(const char *path, const char *aside, const char *suffix, struct error *error) {
    scoped(buffer_done) struct buffer from = BUFFER_INIT;
    scoped(buffer_done) struct buffer to = BUFFER_INIT;
    buffer_append_format(&from, "%s%s", path, suffix);
    buffer_append_format(&to, "%s%s", aside, suffix);
    if (access(buffer_string(&from), F_OK) != 0 && suffix[0] != '\0') {
        return true;
    }
    return rename(buffer_string(&from), buffer_string(&to)) == 0 ||
           error_set_errno(error, errno, "renaming %s", buffer_string(&from));
}

/* The log goes first: without it, the file alone would be taken for older than it is. */
static bool set_aside(const char *path, const char *aside, struct error *error) {
    return move(path, aside, "-wal", error) && move(path, aside, "-journal", error) &&
           move(path, aside, "-suspect", error) && move(path, aside, "", error);
}

static bool open_chain(struct renew *renew, const char *aside, struct error *error) {
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    buffer_append_format(&path, "%s.audit.jsonl", aside);
    int file = open(buffer_string(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    renew->chain = file >= 0 ? fdopen(file, "w") : NULL;
    return renew->chain != NULL || error_set_errno(error, errno, "%s", buffer_string(&path));
}

static bool write_chain(struct renew *renew, struct error *error) {
    if (!take_chain(renew, error)) {
        return false;
    }
    return (fflush(renew->chain) == 0 && fsync(fileno(renew->chain)) == 0) ||
           error_set_errno(error, errno, "writing the chain");
}

/* The first line of the new chain. */
static bool begin_anew(const char *path, const struct clock *clock,
                       const struct journal_renewal *renewal, struct error *error) {
    scoped(buffer_done) struct buffer url = BUFFER_INIT;
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct journal *journal = NULL;
    char hash[HASH_DIGITS + 1];
    hex_encode(renewal->hash, sizeof(renewal->hash), hash);
    buffer_append_format(&url, "sqlite:%s", path);
    buffer_append_string(&text, "{\"aside\":");
    buffer_append_json_string(&text, buffer_text(&renewal->aside));
    buffer_append_format(&text, ",\"lines\":%" PRId64 ",\"sequence\":%" PRId64 ",\"hash\":\"%s\"",
                         renewal->lines, renewal->sequence, hash);
    buffer_append_format(&text,
                         ",\"intact\":%s,\"damage\":", renewal->is_chain_intact ? "true" : "false");
    buffer_append_json_string(&text, text_of(renewal->damage.text));
    buffer_append_char(&text, '}');
    const struct journal_options options = {
        .url = buffer_string(&url), .clock = clock, .queue_limit = 1, .workers = 1};
    bool is_done = journal_open(&options, &journal, error) &&
                   journal_note(journal, TEXT("riposte"), TEXT("renewed"), buffer_text(&text),
                                error);
    journal_close(&journal);
    return is_done;
}

/* ---- all of it ----------------------------------------------------------------------------------
 */

/* Damaged, and ours as far as that can be seen. */
static bool find_damage(struct renew *renew, struct error *error) {
    struct sqlite *sqlite = &renew->look.sqlite;
    bool is_new = false;
    if (sqlite->store.is_damaged) {
        *error = (struct error){0};
    } else if (!sqlite_check_identity(sqlite, &is_new, error) && !sqlite->store.is_damaged) {
        return false;
    }
    if (sqlite_quick_check(sqlite, &renew->renewal->damage)) {
        return error_set(error, ERROR_INVALID, "%s is intact: it is left alone", sqlite->path);
    }
    return sqlite->store.is_damaged || (*error = renew->renewal->damage, false);
}

bool journal_renew(const char *path, const struct clock *clock, bool is_sure,
                   struct journal_renewal *renewal, struct error *error) {
    *renewal = (struct journal_renewal){.aside = BUFFER_INIT};
    char now[TIME_TEXT_BYTES];
    time_format_basic(clock_unix_ms(clock), now);
    buffer_append_format(&renewal->aside, "%s.damaged-%s", path, now);
    const char *aside = buffer_string(&renewal->aside);
    scoped(renew_done) struct renew renew = {.renewal = renewal};
    if (!look_open(&renew.look, path, error) || !find_damage(&renew, error)) {
        return false;
    }
    if (!is_sure) {
        return take_chain(&renew, error);
    }
    if (!open_chain(&renew, aside, error) || !write_chain(&renew, error) ||
        !set_aside(path, aside, error)) {
        return false;
    }
    look_done(&renew.look); /* held until here: nobody came between */
    return begin_anew(path, clock, renewal, error);
}
