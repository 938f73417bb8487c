#include "riposte/cli/journal.h"

#include "riposte/base/clock.h"
#include "riposte/base/hex.h"
#include "riposte/cli/api.h"
#include "riposte/cli/options.h"
#include "riposte/journal/backup.h"
#include "riposte/journal/check.h"
#include "riposte/journal/renew.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BACKUP_MS   (60 * 60 * 1000)
#define COPY_BYTES  65536
#define HASH_DIGITS (2 * JOURNAL_HASH_BYTES)

struct store {
    const char *name; /* of the command, for messages */
    struct api_options api_options;
    const char *file; /* --journal */
    bool is_sure;
    struct api api;
};

static void store_done(struct store *store) {
    api_done(&store->api);
}

static int say_no(const struct store *store, const struct error *error) {
    fprintf(stderr, "riposte %s: %s\n", store->name, error->text);
    return EXIT_NO;
}

/* The file that the settings name. */
static bool find_file(struct store *store, const char **file_out, struct error *error) {
    struct target *target = &store->api.target;
    if (store->file != NULL) {
        *file_out = store->file;
        return true;
    }
    if (target->arena == NULL &&
        !target_open(target, store->api_options.settings, store->api_options.ca_file, error)) {
        return false;
    }
    struct text url = target->settings.journal;
    if (!text_starts_with(url, TEXT("sqlite:"))) {
        return error_set(error, ERROR_INVALID, "the journal %.*s is no file", TEXT_ARG(url));
    }
    *file_out = arena_copy_text(target->arena, text_slice(url, 7, url.bytes)).data;
    return true;
}

/* ---- backup -------------------------------------------------------------------------------------
 */

/* The server's copy, beside its journal. ERROR_SYSTEM: no server answers. */
static bool ask_for_copy(struct store *store, const char **file_out, struct error *error) {
    const struct json *answer = NULL;
    store->api.target.timeout_ms = BACKUP_MS;
    if (!api_ask(&store->api, TEXT("POST"), TEXT("/v1/journal/backup"), TEXT(""), &answer, error)) {
        return false;
    }
    struct text file = json_text(json_member(answer, "file"));
    *file_out = arena_copy_text(store->api.target.arena, file).data;
    return file.bytes > 0 || error_set(error, ERROR_INVALID, "the server's answer names no file");
}

static void close_at(int *file) {
    if (*file >= 0) {
        close(*file);
    }
}

static bool write_all(int file, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(file, bytes, count);
        if (written <= 0) {
            return false;
        }
        bytes += written;
        count -= (size_t)written;
    }
    return true;
}

static bool copy_bytes(const char *from, const char *to) {
    char bytes[COPY_BYTES];
    scoped(close_at) int source = open(from, O_RDONLY | O_CLOEXEC);
    scoped(close_at) int sink = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ssize_t got = source < 0 || sink < 0 ? -1 : 0;
    while (got >= 0 && (got = read(source, bytes, sizeof(bytes))) > 0) {
        got = write_all(sink, bytes, (size_t)got) ? got : -1;
    }
    return got == 0 && fsync(sink) == 0;
}

/* To another file system, too. */
static bool move_copy(const char *from, const char *to, struct error *error) {
    if (access(from, F_OK) != 0) {
        return error_set(error, ERROR_SYSTEM, "the server made it at %s, on its own host", from);
    }
    if (link(from, to) == 0 || (errno != EEXIST && copy_bytes(from, to))) {
        unlink(from);
        return true;
    }
    error_set_errno(error, errno, "%s", to);
    return error_wrap(error, "the copy is at %s", from);
}

static bool back_up_file(const char *from, const char *to, struct error *error) {
    scoped(buffer_done) struct buffer url = BUFFER_INIT;
    struct journal *journal = NULL;
    if (access(from, F_OK) != 0) {
        return error_set_errno(error, errno, "%s", from);
    }
    buffer_append_format(&url, "sqlite:%s", from);
    const struct journal_options options = {
        .url = buffer_string(&url), .clock = &clock_system, .queue_limit = 1, .workers = 1};
    bool is_done = journal_open(&options, &journal, error) &&
                   journal_backup(journal, to, NULL, error);
    journal_close(&journal);
    return is_done;
}

static int back_up(struct store *store, const char *to) {
    struct error error = {0};
    const char *from = NULL;
    if (access(to, F_OK) == 0) {
        return cli_fail(store->name, "%s is there already", to);
    }
    bool is_done = store->file != NULL
                       ? back_up_file(store->file, to, &error)
                       : api_open(&store->api, &store->api_options, &error) &&
                             ask_for_copy(store, &from, &error) && move_copy(from, to, &error);
    if (!is_done) {
        return say_no(store, &error);
    }
    printf("the journal is copied to %s\n", to);
    return EXIT_GOOD;
}

/* ---- check --------------------------------------------------------------------------------------
 */

static void print_finding(void *arg, const char *what) {
    fprintf(stderr, "riposte %s: %s\n", (const char *)arg, what);
}

static int check_file(struct store *store, const char *file, const char *shown) {
    struct error error = {0};
    struct journal_checked checked = {0};
    if (!journal_check(file, print_finding, (void *)(uintptr_t)store->name, &checked, &error)) {
        say_no(store, &error);
        return EXIT_INVALID;
    }
    if (checked.finding_count > 0) {
        fprintf(stderr, "riposte %s: %s is broken\n", store->name, shown);
        return EXIT_NO;
    }
    char hash[HASH_DIGITS + 1];
    hex_encode(checked.hash, sizeof(checked.hash), hash);
    printf("%s is intact: %" PRId64 " events, %" PRId64 " incidents, %" PRId64
           " effects; anchor %" PRId64 ":%s\n",
           shown, checked.events, checked.incidents, checked.effects, checked.sequence, hash);
    return EXIT_GOOD;
}

/* Of a running server a copy is checked; when none answers, the file. */
static int check(struct store *store, const char *file) {
    struct error error = {0};
    const char *copy = NULL;
    if (file != NULL || store->file != NULL) {
        file = file != NULL ? file : store->file;
        return check_file(store, file, file);
    }
    if (!api_open(&store->api, &store->api_options, &error)) {
        return cli_fail(store->name, "%s", error.text);
    }
    if (ask_for_copy(store, &copy, &error)) {
        int result = check_file(store, copy, "the journal");
        unlink(copy);
        return result;
    }
    struct error no_answer = error;
    if (no_answer.code != ERROR_SYSTEM || !find_file(store, &file, &error)) {
        return say_no(store, &no_answer), EXIT_INVALID;
    }
    return check_file(store, file, file);
}

/* ---- renew --------------------------------------------------------------------------------------
 */

static void print_renewal(const struct journal_renewal *renewal, const char *file, bool is_done) {
    printf("%s is damaged: %s\n", file, renewal->damage.text);
    printf("of its audit chain %" PRId64 " lines can be read, up to line %" PRId64 "%s\n",
           renewal->lines, renewal->sequence,
           renewal->is_chain_intact ? ", intact" : ", with gaps");
    printf(is_done ? "it is now %s, the chain %s.audit.jsonl;\n"
                     "a new journal has begun: 'riposte orphans' finds what it doesn't know\n"
                   : "with --yes it becomes %s, the chain %s.audit.jsonl\n",
           buffer_string(&renewal->aside), buffer_string(&renewal->aside));
}

static int renew(struct store *store) {
    struct error error = {0};
    const char *file = NULL;
    scoped(journal_renewal_done) struct journal_renewal renewal = {.aside = BUFFER_INIT};
    if (!find_file(store, &file, &error)) {
        return cli_fail(store->name, "%s", error.text);
    }
    if (!journal_renew(file, &clock_system, store->is_sure, &renewal, &error)) {
        return say_no(store, &error);
    }
    print_renewal(&renewal, file, store->is_sure);
    return EXIT_GOOD;
}

int cli_journal(int argc, char **argv) {
    scoped(store_done) struct store store = {.name = argv[0]};
    const struct cli_option options[] = {
        {"config", 'c', &store.api_options.settings, NULL},
        {"url", 0, &store.api_options.url, NULL},
        {"token", 0, &store.api_options.token, NULL},
        {"ca-file", 0, &store.api_options.ca_file, NULL},
        {"journal", 0, &store.file, NULL},
        {"yes", 0, NULL, &store.is_sure},
    };
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    int operands = argc - first - 1;
    const char *verb = operands >= 0 ? argv[first] : "";
    const char *file = operands == 1 ? argv[first + 1] : NULL;
    if (strcmp(verb, "check") == 0 && operands <= 1) {
        return check(&store, file);
    }
    if (strcmp(verb, "backup") == 0 && operands == 1) {
        return back_up(&store, file);
    }
    if (strcmp(verb, "renew") == 0 && operands == 0) {
        return renew(&store);
    }
    return cli_fail(argv[0], "wants one of check [FILE], backup FILE, renew");
}
