#include "riposte/cli/match.h"

#include "riposte/base/arena.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/file.h"
#include "riposte/cli/vector.h"
#include "riposte/detect/pattern.h"
#include "riposte/json/tree.h"

#include <stdio.h>
#include <string.h>

#define EVENT_BYTES   (64u * 1024 * 1024)
#define VECTORS_BYTES (1024u * 1024 * 1024)

enum {
    EXIT_MATCH = 0,
    EXIT_NO_MATCH = 1,
    EXIT_INVALID = 2,
};

static int usage(void) {
    (void)fputs("usage: riposte match PATTERN EVENT\n"
                "       riposte match --vectors FILE\n"
                "PATTERN and EVENT are files, '-' for standard input, or JSON text that begins "
                "with '{'.\n",
                stderr);
    return EXIT_INVALID;
}

static void complain(const struct error *error) {
    (void)fprintf(stderr, "riposte match: %s\n", error->text);
}

static void arena_done(struct arena **arena) {
    arena_free(arena);
}

/* What an error of its text begins with. */
static const char *argument_name(const char *argument, const char *what) {
    return argument[0] == '{' ? what : strcmp(argument, "-") == 0 ? "standard input" : argument;
}

static bool read_argument(const char *argument, size_t limit_bytes, struct buffer *out,
                          struct error *error) {
    if (argument[0] == '{') {
        buffer_append_string(out, argument);
        return true;
    }
    return file_read(argument, limit_bytes, out, error);
}

static bool compile_argument(const char *argument, struct pattern **pattern_out,
                             struct error *error) {
    scoped(buffer_done) struct buffer bytes = BUFFER_INIT;
    if (!read_argument(argument, PATTERN_BYTES, &bytes, error)) {
        return false;
    }
    return pattern_compile(buffer_text(&bytes), pattern_out, error) ||
           error_wrap(error, "%s", argument_name(argument, "pattern"));
}

static bool explain_argument(const char *argument, const struct pattern *pattern,
                             struct buffer *why_out, bool *is_match_out, struct error *error) {
    scoped(arena_done) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer event = BUFFER_INIT;
    const struct json *root = NULL;
    if (!read_argument(argument, EVENT_BYTES, &event, error)) {
        return false;
    }
    return (json_parse(buffer_text(&event), 0, arena, &root, NULL, error) &&
            pattern_explain(pattern, root, why_out, is_match_out, error)) ||
           error_wrap(error, "%s", argument_name(argument, "event"));
}

static int match_one(const char *pattern_argument, const char *event_argument) {
    scoped(pattern_free) struct pattern *pattern = NULL;
    scoped(buffer_done) struct buffer why = BUFFER_INIT;
    struct error error;
    bool is_match = false;
    if (!compile_argument(pattern_argument, &pattern, &error) ||
        !explain_argument(event_argument, pattern, &why, &is_match, &error)) {
        complain(&error);
        return EXIT_INVALID;
    }
    (void)fwrite(why.data, 1, why.bytes, stdout);
    return is_match ? EXIT_MATCH : EXIT_NO_MATCH;
}

static bool print_verdict(struct text line, size_t number) {
    struct vector vector;
    if (!vector_read(line, &vector)) {
        (void)fprintf(stderr, "riposte match: line %zu has no id, pattern or event\n", number);
        return false;
    }
    (void)printf("%.*s\t%s\n", TEXT_ARG(vector.id), vector_verdict(&vector));
    return true;
}

static int match_vectors(const char *path) {
    scoped(buffer_done) struct buffer bytes = BUFFER_INIT;
    struct error error;
    struct text line;
    bool is_good = true;
    if (!file_read(path, VECTORS_BYTES, &bytes, &error)) {
        complain(&error);
        return EXIT_INVALID;
    }
    struct text rest = buffer_text(&bytes);
    for (size_t number = 1; text_next_part(&rest, '\n', &line); number++) {
        is_good &= text_trim(line).bytes == 0 || print_verdict(line, number);
    }
    return is_good ? 0 : EXIT_INVALID;
}

int cli_match(int argc, char **argv) {
    if (argc != 3) {
        return usage();
    }
    if (strcmp(argv[1], "--vectors") == 0) {
        return match_vectors(argv[2]);
    }
    return match_one(argv[1], argv[2]);
}
