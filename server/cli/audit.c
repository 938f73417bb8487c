#include "riposte/cli/audit.h"

#include "riposte/base/clock.h"
#include "riposte/base/file.h"
#include "riposte/base/hex.h"
#include "riposte/cli/api.h"
#include "riposte/cli/command.h"
#include "riposte/cli/options.h"
#include "riposte/journal/journal.h"
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
    const char *file, *anchor, *lines;
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

/* How far the chain is verified. */
struct chain {
    int64_t sequence;
    uint8_t hash[JOURNAL_HASH_BYTES];
    int64_t anchor; /* sequence of the line that must have the anchor's hash; 0: none */
    uint8_t anchor_hash[JOURNAL_HASH_BYTES];
};

static bool parse_anchor(struct text text, struct chain *chain) {
    size_t colon = text_find_byte(text, ':', 0);
    uint64_t sequence = 0;
    if (!text_parse_unsigned(text_slice(text, 0, colon), &sequence) || sequence == 0 ||
        sequence > INT64_MAX ||
        !hex_decode(text_slice(text, colon + 1, text.bytes), chain->anchor_hash,
                    sizeof(chain->anchor_hash))) {
        return false;
    }
    chain->anchor = (int64_t)sequence;
    return true;
}

static bool verify_line(void *arg, const struct journal_audit_line *line, struct error *error) {
    struct chain *chain = arg;
    if (line->sequence != chain->sequence + 1) {
        return error_set(error, ERROR_INVALID, "broken: line %" PRId64 " is missing",
                         chain->sequence + 1);
    }
    journal_audit_hash(chain->hash, line, chain->hash);
    chain->sequence = line->sequence;
    if (memcmp(chain->hash, line->hash, sizeof(line->hash)) != 0) {
        return error_set(error, ERROR_INVALID, "broken: line %" PRId64 " is not what was written",
                         line->sequence);
    }
    if (line->sequence == chain->anchor &&
        memcmp(chain->anchor_hash, line->hash, sizeof(line->hash)) != 0) {
        return error_set(error, ERROR_INVALID,
                         "broken: line %" PRId64 " is not the anchor's: it was written anew",
                         line->sequence);
    }
    return true;
}

static int verify(struct audit *audit, struct error *error) {
    struct chain chain = {0};
    if (audit->anchor != NULL && !parse_anchor(text_of(audit->anchor), &chain)) {
        return cli_fail(audit->name, "--anchor takes SEQUENCE:HASH, as verify prints it, not '%s'",
                        audit->anchor);
    }
    bool is_intact = each_line(audit, verify_line, &chain, error);
    if (is_intact && chain.sequence < chain.anchor) {
        is_intact = error_set(error, ERROR_INVALID,
                              "broken: it ends at line %" PRId64 ", the anchor is line %" PRId64,
                              chain.sequence, chain.anchor);
    }
    if (!is_intact) {
        fprintf(stderr, "riposte audit: %s\n", error->text);
        return EXIT_NO;
    }
    char hash[HASH_DIGITS + 1];
    hex_encode(chain.hash, sizeof(chain.hash), hash);
    printf("intact, %" PRId64 " lines; anchor %" PRId64 ":%s\n", chain.sequence, chain.sequence,
           hash);
    return EXIT_GOOD;
}

/* ---- export -------------------------------------------------------------------------------------
 */

static bool print_line(void *arg, const struct journal_audit_line *line, struct error *error) {
    (void)arg;
    (void)error;
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    struct json_writer writer;
    char hash[HASH_DIGITS + 1];
    hex_encode(line->hash, sizeof(line->hash), hash);
    json_writer_init(&writer, &out);
    json_open_object(&writer, NULL);
    json_put_integer(&writer, "sequence", line->sequence);
    json_put_integer(&writer, "unix_ms", line->unix_ms);
    json_put_text(&writer, "event", line->event);
    json_put_text(&writer, "incident", line->incident);
    json_put_text(&writer, "actor", line->actor);
    json_put_text(&writer, "text", line->text);
    json_put_string(&writer, "hash", hash);
    json_close_object(&writer);
    printf("%s\n", buffer_string(&out));
    return true;
}

static int export(struct audit *audit, struct error *error) {
    if (!each_line(audit, print_line, NULL, error)) {
        fprintf(stderr, "riposte audit: %s\n", error->text);
        return EXIT_NO;
    }
    return EXIT_GOOD;
}

int cli_audit(int argc, char **argv) {
    scoped(audit_done) struct audit audit = {.name = argv[0]};
    const struct cli_option options[] = {
        {"config", 'c', &audit.api_options.settings, NULL},
        {"url", 0, &audit.api_options.url, NULL},
        {"token", 0, &audit.api_options.token, NULL},
        {"ca-file", 0, &audit.api_options.ca_file, NULL},
        {"journal", 0, &audit.file, NULL},
        {"anchor", 0, &audit.anchor, NULL},
        {"lines", 0, &audit.lines, NULL},
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
    struct error error = {0};
    bool is_open = audit.lines != NULL  ? true
                   : audit.file != NULL ? open_file(&audit, &error)
                                        : api_open(&audit.api, &audit.api_options, &error);
    if (!is_open) {
        return cli_fail(argv[0], "%s", error.text);
    }
    return is_verify ? verify(&audit, &error) : export(&audit, &error);
}
