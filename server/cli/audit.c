#include "riposte/cli/audit.h"

#include "riposte/base/clock.h"
#include "riposte/base/file.h"
#include "riposte/base/hex.h"
#include "riposte/cli/api.h"
#include "riposte/cli/command.h"
#include "riposte/cli/ocsf.h"
#include "riposte/cli/options.h"
#include "riposte/journal/chain.h"
#include "riposte/json/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PAGE_LINES   500
#define EXPORT_BYTES ((size_t)4 << 30)
#define HASH_DIGITS  (2 * JOURNAL_HASH_BYTES)

/* Where lines come from: a running server, or the file that none holds. */
struct audit {
    const char *name; /* of the command, for messages */
    struct api_options api_options;
    const char *file, *anchor, *lines, *format;
    struct api api;
    struct journal *journal;
};

static void audit_done(struct audit *audit) {
    journal_close(&audit->journal);
    api_done(&audit->api);
}

/* ---- lines --------------------------------------------------------------------------------------
 */

static bool open_file(struct audit *audit, struct error *error) {
    scoped(buffer_done) struct buffer url = BUFFER_INIT;
    buffer_append_format(&url, "sqlite:%s", audit->file);
    const struct journal_options options = {
        .url = buffer_string(&url), .clock = &clock_system, .queue_limit = 1, .workers = 1};
    return journal_open(&options, &audit->journal, error) ||
           (error->code == ERROR_BUSY ? error_wrap(error, "leave --journal out to ask it") : false);
}

static bool read_line(const struct json *node, struct journal_audit_line *line,
                      struct error *error) {
    line->event = json_text(json_member(node, "event"));
    line->incident = json_text(json_member(node, "incident"));
    line->actor = json_text(json_member(node, "actor"));
    line->text = json_text(json_member(node, "text"));
    return (json_integer(json_member(node, "sequence"), &line->sequence) &&
            json_integer(json_member(node, "unix_ms"), &line->unix_ms) &&
            hex_decode(json_text(json_member(node, "hash")), line->hash, sizeof(line->hash))) ||
           error_set(error, ERROR_INVALID, "this is no audit line");
}

static bool ask_for_lines(struct audit *audit, int64_t after, struct arena *arena,
                          struct journal_audit_line **lines_out, size_t *count_out,
                          struct error *error) {
    const struct json *answer = NULL;
    struct text path = arena_format(arena, "/v1/audit?after=%" PRId64, after);
    if (!api_ask(&audit->api, TEXT("GET"), path, TEXT(""), &answer, error)) {
        return false;
    }
    const struct json *nodes = json_member(answer, "lines");
    *lines_out = arena_alloc_array(arena, json_count(nodes), sizeof(**lines_out));
    *count_out = 0;
    for (const struct json *node = json_first(nodes); node != NULL; node = json_next(node)) {
        if (!read_line(node, &(*lines_out)[*count_out], error)) {
            return false;
        }
        (*count_out)++;
    }
    return true;
}

typedef bool each_line_fn(void *arg, const struct journal_audit_line *line, struct error *error);

/* Lines as they were exported. */
static bool each_exported(struct audit *audit, each_line_fn *line_fn, void *arg,
                          struct error *error) {
    scoped(buffer_done) struct buffer file = BUFFER_INIT;
    struct text part = {NULL, 0};
    if (!file_read(audit->lines, EXPORT_BYTES, &file, error)) {
        return false;
    }
    struct text rest = buffer_text(&file);
    for (size_t number = 1; text_next_part(&rest, '\n', &part); number++) {
        scoped(arena_free) struct arena *arena = arena_new();
        const struct json *node = NULL;
        struct journal_audit_line line = {0};
        if (part.bytes == 0) {
            continue;
        }
        if (!json_parse(part, 0, arena, &node, NULL, error) || !read_line(node, &line, error)) {
            return error_wrap(error, "%s: line %zu", audit->lines, number);
        }
        if (!line_fn(arg, &line, error)) {
            return false;
        }
    }
    return true;
}

/* All lines in order, until line_fn says false. */
static bool each_line(struct audit *audit, each_line_fn *line_fn, void *arg, struct error *error) {
    if (audit->lines != NULL) {
        return each_exported(audit, line_fn, arg, error);
    }
    int64_t after = 0;
    for (;;) {
        scoped(arena_free) struct arena *arena = arena_new();
        struct journal_audit_line *lines = NULL;
        size_t count = 0;
        bool is_read = audit->journal != NULL
                           ? journal_read_audit(audit->journal, after, PAGE_LINES, arena, &lines,
                                                &count, error)
                           : ask_for_lines(audit, after, arena, &lines, &count, error);
        if (!is_read) {
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (!line_fn(arg, &lines[i], error)) {
                return false;
            }
            after = lines[i].sequence;
        }
        if (count == 0) {
            return true;
        }
    }
}

/* ---- verify -------------------------------------------------------------------------------------
 */

/* One that was noted, or a file that holds some: a log, what was put into S3, a list of them. */
static bool expect_anchors(const struct audit *audit, struct journal_chain *chain,
                           struct error *error) {
    scoped(buffer_done) struct buffer file = BUFFER_INIT;
    struct text rest = text_of(audit->anchor);
    struct journal_anchor anchor;
    if (journal_anchor_parse(rest, &anchor)) {
        journal_chain_expect(chain, &anchor);
        return true;
    }
    if (!file_read(audit->anchor, EXPORT_BYTES, &file, error)) {
        return error_wrap(error, "--anchor takes SEQUENCE:HASH, as verify prints it, or a file");
    }
    size_t count = 0;
    for (rest = buffer_text(&file); journal_anchor_find(&rest, &anchor); count++) {
        journal_chain_expect(chain, &anchor);
    }
    return count > 0 ||
           error_set(error, ERROR_INVALID,
                     "--anchor %s: no SEQUENCE:HASH in it, as verify prints it", audit->anchor);
}

static void print_end(const struct journal_chain_end *end) {
    char anchor[JOURNAL_ANCHOR_BYTES];
    journal_anchor_format(&end->last, anchor);
    printf("intact, %" PRId64 " lines", end->lines);
    if (end->cut > 0) {
        printf(" (%" PRId64 " before them were cut, as the chain says)", end->cut);
    }
    if (end->anchors_seen > 1 || end->anchors_cut > 0) {
        printf(", %zu anchors hold", end->anchors_seen - end->anchors_cut);
    }
    if (end->anchors_cut > 0) {
        printf(" (%zu are of lines that were cut)", end->anchors_cut);
    }
    printf("; anchor %s\n", anchor);
}

/* A chain as it is being read, in pages. */
struct reading {
    const struct audit *audit;
    struct journal_chain *chain;
    int64_t last;
    bool
        is_cut_meanwhile; /* what was read before a gap was cut since: the chain begins behind it */
};

static void reading_done(struct reading *reading) {
    journal_chain_free(&reading->chain);
}

static bool begin_chain(struct reading *reading, struct error *error) {
    journal_chain_free(&reading->chain);
    reading->chain = journal_chain_new();
    return reading->audit->anchor == NULL || expect_anchors(reading->audit, reading->chain, error);
}

static bool take_line(void *arg, const struct journal_audit_line *line, struct error *error) {
    struct reading *reading = arg;
    bool is_gap = reading->last > 0 && line->sequence > reading->last + 1;
    if (is_gap && reading->is_cut_meanwhile && !begin_chain(reading, error)) {
        return false;
    }
    journal_chain_take(reading->chain, line);
    reading->last = line->sequence;
    return true;
}

static int verify_once(struct audit *audit, bool is_cut_meanwhile, struct error *error) {
    scoped(reading_done) struct reading reading = {.audit = audit,
                                                   .is_cut_meanwhile = is_cut_meanwhile};
    struct journal_chain_end end;
    if (!begin_chain(&reading, error)) {
        return EXIT_INVALID;
    }
    if (!each_line(audit, take_line, &reading, error)) {
        return EXIT_NO;
    }
    if (!journal_chain_conclude(reading.chain, &end, error)) {
        (void)error_wrap(error, "broken");
        return EXIT_NO;
    }
    print_end(&end);
    return EXIT_GOOD;
}

/* While a running server is asked, page after page, retention may cut what was read or is to be:
 * then there is a gap, and a checkpoint further on that names the last line of it. */
static int verify(struct audit *audit, struct error *error) {
    struct error ignored = {0};
    bool is_asked = audit->journal == NULL && audit->lines == NULL;
    int code = verify_once(audit, false, error);
    if (code == EXIT_NO && is_asked && verify_once(audit, true, &ignored) == EXIT_GOOD) {
        return EXIT_GOOD;
    }
    if (code == EXIT_INVALID) {
        return cli_fail(audit->name, "%s", error->text);
    }
    if (code == EXIT_NO) {
        fprintf(stderr, "riposte audit: %s\n", error->text);
    }
    return code;
}

/* ---- export -------------------------------------------------------------------------------------
 */

static void write_line(const struct journal_audit_line *line, struct buffer *out) {
    struct json_writer writer;
    char hash[HASH_DIGITS + 1];
    hex_encode(line->hash, sizeof(line->hash), hash);
    json_writer_init(&writer, out);
    json_open_object(&writer, NULL);
    json_put_integer(&writer, "sequence", line->sequence);
    json_put_integer(&writer, "unix_ms", line->unix_ms);
    json_put_text(&writer, "event", line->event);
    json_put_text(&writer, "incident", line->incident);
    json_put_text(&writer, "actor", line->actor);
    json_put_text(&writer, "text", line->text);
    json_put_string(&writer, "hash", hash);
    json_close_object(&writer);
}

/* As it is kept, which `verify --lines` reads, or for a SIEM. */
static const struct format {
    const char *name;
    void (*write_fn)(const struct journal_audit_line *line, struct buffer *out);
} formats[] = {{"lines", write_line}, {"ocsf", ocsf_write_line}};

static const struct format *find_format(const char *name) {
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        if (strcmp(name, formats[i].name) == 0) {
            return &formats[i];
        }
    }
    return NULL;
}

static bool print_line(void *arg, const struct journal_audit_line *line, struct error *error) {
    const struct format *format = arg;
    (void)error;
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    format->write_fn(line, &out);
    printf("%s\n", buffer_string(&out));
    return true;
}

static int export(struct audit *audit, struct error *error) {
    const struct format *format = find_format(audit->format);
    if (!each_line(audit, print_line, (void *)(uintptr_t)format, error)) {
        fprintf(stderr, "riposte audit: %s\n", error->text);
        return EXIT_NO;
    }
    return EXIT_GOOD;
}

int cli_audit(int argc, char **argv) {
    scoped(audit_done) struct audit audit = {.name = argv[0], .format = formats[0].name};
    const struct cli_option options[] = {
        {"config", 'c', &audit.api_options.settings, NULL},
        {"url", 0, &audit.api_options.url, NULL},
        {"token", 0, &audit.api_options.token, NULL},
        {"ca-file", 0, &audit.api_options.ca_file, NULL},
        {"journal", 0, &audit.file, NULL},
        {"anchor", 0, &audit.anchor, NULL},
        {"lines", 0, &audit.lines, NULL},
        {"format", 0, &audit.format, NULL},
    };
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    const char *action = first < argc ? argv[first] : "";
    bool is_verify = strcmp(action, "verify") == 0;
    if ((!is_verify && strcmp(action, "export") != 0) || argc - first > 1) {
        return cli_fail(argv[0], "wants one of verify, export");
    }
    if (find_format(audit.format) == NULL) {
        return cli_fail(argv[0], "--format takes lines or ocsf, not '%s'", audit.format);
    }
    struct error error = {0};
    bool is_open = audit.lines != NULL  ? true
                   : audit.file != NULL ? open_file(&audit, &error)
                                        : api_open(&audit.api, &audit.api_options, &error);
    if (!is_open) {
        return cli_fail(argv[0], "%s", error.text);
    }
    return is_verify ? verify(&audit, &error) : export(&audit, &error);
}
