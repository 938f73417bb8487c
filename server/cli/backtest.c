#include "riposte/cli/backtest.h"

#include "riposte/base/file.h"
#include "riposte/base/memory.h"
#include "riposte/cli/command.h"
#include "riposte/cli/history.h"
#include "riposte/cli/loaded.h"
#include "riposte/cli/options.h"
#include "riposte/cli/record.h"
#include "riposte/cli/splitter.h"
#include "riposte/json/writer.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define CHUNK_BYTES   ((size_t)64 * 1024)
#define FOLDERS_DEEP  32
#define PROBLEMS_MOST 20 /* told of one file */

struct reader {
    struct history *history;
    struct splitter *splitter;
    struct arena *arena; /* of one record */
    const char *path;    /* being read */
    size_t files, problems, problems_here;
};

/* ---- problems ---- */

static void tell(struct reader *reader, const char *what) {
    reader->problems++;
    fprintf(stderr, "%s: %s\n", reader->path, what);
}

static void tell_at(void *arg, const char *what, const struct splitter_place *place) {
    struct reader *reader = arg;
    reader->problems++;
    reader->problems_here++;
    if (reader->problems_here <= PROBLEMS_MOST) {
        fprintf(stderr, "%s:%" PRIu64 ": byte %" PRIu64 ": %s: skipped\n", reader->path,
                place->line, place->byte, what);
    } else if (reader->problems_here == PROBLEMS_MOST + 1) {
        fprintf(stderr, "%s: more of that in this file isn't told\n", reader->path);
    }
}

/* ---- a file ---- */

static void take_record(void *arg, struct text record, const struct splitter_place *place) {
    struct reader *reader = arg;
    struct text event = {0};
    struct error error = {0};
    arena_reset(reader->arena);
    if (!record_event(record, reader->arena, &event, &error) ||
        !history_add(reader->history, event, &error)) {
        tell_at(reader, error.text, place);
    }
}

static void close_gzip(gzFile *file) {
    if (*file != NULL) {
        gzclose(*file);
    }
    *file = NULL;
}

static gzFile open_gzip(const char *path) {
    bool is_input = strcmp(path, "-") == 0;
    int input = is_input ? dup(STDIN_FILENO) : -1;
    gzFile file = is_input ? (input < 0 ? NULL : gzdopen(input, "rb")) : gzopen(path, "rb");
    if (file == NULL && input >= 0) {
        close(input);
    }
    return file;
}

/* zlib hands on what is no gzip as it is. */
static void read_stream(struct reader *reader, gzFile file) {
    char chunk[CHUNK_BYTES];
    int got = 0, code = Z_OK;
    while ((got = gzread(file, chunk, CHUNK_BYTES)) > 0) {
        splitter_feed(reader->splitter, (struct text){chunk, (size_t)got});
    }
    const char *what = gzerror(file, &code);
    splitter_end(reader->splitter);
    if (code != Z_OK && code != Z_STREAM_END) {
        tell(reader, code == Z_ERRNO ? strerror(errno) : what);
    }
}

static void read_file(struct reader *reader, const char *path) {
    scoped(close_gzip) gzFile file = NULL;
    reader->path = path;
    reader->problems_here = 0;
    errno = 0;
    file = open_gzip(path);
    if (file == NULL) {
        tell(reader, strerror(errno));
        return;
    }
    reader->files++;
    gzbuffer(file, CHUNK_BYTES);
    read_stream(reader, file);
}

/* ---- folders ---- */

static void read_path(struct reader *reader, const char *path, unsigned depth);

/* Digests, which CloudTrail puts beside its logs, hold no records. */
static bool is_wanted(const char *name) {
    return strcmp(name, "CloudTrail-Digest") != 0;
}

static void read_folder(struct reader *reader, const char *path, unsigned depth) {
    char **names = NULL;
    size_t count = 0;
    struct error error = {0};
    if (!file_list(path, "", &names, &count, &error)) {
        reader->problems++;
        fprintf(stderr, "%s\n", error.text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        scoped(memory_free_at) char *inner = file_join(path, names[i]);
        if (is_wanted(names[i])) {
            read_path(reader, inner, depth + 1);
        }
    }
    file_list_free(&names, count);
}

static void read_path(struct reader *reader, const char *path, unsigned depth) {
    struct stat status;
    bool is_folder = strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    if (!is_folder) {
        read_file(reader, path);
    } else if (depth < FOLDERS_DEEP) { /* a link may lead back */
        read_folder(reader, path, depth);
    } else {
        reader->path = path;
        tell(reader, "folders too deep");
    }
}

/* ---- the command ---- */

static void print(const struct reader *reader, const struct history_result *result, bool as_json) {
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    if (as_json) {
        struct json *object = history_to_json(result, arena);
        json_add_member(arena, object, TEXT("files"),
                        json_new_integer(arena, (int64_t)reader->files));
        json_add_member(arena, object, TEXT("problems"),
                        json_new_integer(arena, (int64_t)reader->problems));
        json_write_pretty(&out, object);
        buffer_append_char(&out, '\n');
    } else {
        buffer_append_format(&out, "files: %zu, not readable: %zu\n", reader->files,
                             reader->problems);
        history_print(result, &out);
    }
    fputs(buffer_string(&out), stdout);
}

static void read_all(const struct snapshot *snapshot, char *const *paths, size_t count,
                     bool as_json) {
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(history_free) struct history *history = history_new(snapshot);
    struct reader reader = {.history = history, .arena = arena};
    const struct splitter_sink sink = {take_record, tell_at, &reader};
    scoped(splitter_free) struct splitter *splitter = splitter_new(&sink);
    reader.splitter = splitter;
    for (size_t i = 0; i < count; i++) {
        read_path(&reader, paths[i], 0);
    }
    print(&reader, history_decide(history), as_json);
}

int cli_backtest(int argc, char **argv) {
    const char *path = CLI_SETTINGS_DEFAULT;
    bool as_json = false;
    const struct cli_option options[] = {{"config", 'c', &path, NULL}, {"json", 0, NULL, &as_json}};
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    if (first == argc) {
        return cli_fail(argv[0], "name files or folders with CloudTrail's logs ('-': standard "
                                 "input)");
    }
    scoped(snapshot_unref) struct snapshot *snapshot = NULL;
    if (!loaded_snapshot(path, &snapshot)) {
        return EXIT_INVALID;
    }
    loaded_say_accounts(snapshot);
    read_all(snapshot, argv + first, (size_t)(argc - first), as_json);
    return EXIT_GOOD;
}
