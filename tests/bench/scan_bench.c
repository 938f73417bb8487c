/* How fast the scanner validates texts of which nothing is asked: scan_bench SECONDS FILE...
 *
 * A .jsonl file is a text a line, any other file one text. All are in memory; a pass is every text
 * once. Prints {"texts","bytes","cpu_seconds"} of whole passes; the first, which warms up, doesn't
 * count. The clock, which costs a system call, is read every BATCH_BYTES or so. */
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/file.h"
#include "riposte/base/memory.h"
#include "riposte/json/scanner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_BYTES  ((size_t)1024 * 1024 * 1024)
#define BATCH_BYTES ((size_t)4 * 1024 * 1024)

struct texts {
    struct text *items;
    size_t count, capacity, bytes;
};

static double cpu_seconds(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void add_text(struct texts *texts, struct text text) {
    if (text_trim(text).bytes == 0) {
        return;
    }
    texts->items = memory_grow_array(texts->items, &texts->capacity, texts->count + 1,
                                     sizeof(*texts->items));
    texts->items[texts->count++] = text;
    texts->bytes += text.bytes;
}

/* The file's bytes stay in memory until the end. */
static bool add_file(struct texts *texts, const char *path, struct error *error) {
    struct buffer bytes = BUFFER_INIT;
    struct text line;
    if (!file_read(path, FILE_BYTES, &bytes, error)) {
        return false;
    }
    struct text rest = buffer_text(&bytes);
    if (!text_ends_with(text_of(path), TEXT(".jsonl"))) {
        add_text(texts, rest);
        return true;
    }
    while (text_next_part(&rest, '\n', &line)) {
        add_text(texts, line);
    }
    return true;
}

static bool take_nothing(void *arg, const struct json_leaf *leaf, struct error *error) {
    (void)arg, (void)leaf, (void)error;
    return true;
}

static bool run_pass(const struct json_paths *paths, struct json_scratch *scratch,
                     const struct texts *texts, struct error *error) {
    for (size_t i = 0; i < texts->count; i++) {
        if (!json_scan(paths, scratch, texts->items[i], take_nothing, NULL, error)) {
            return error_wrap(error, "text %zu", i + 1);
        }
    }
    return true;
}

int main(int argc, char **argv) {
    struct texts texts = {0};
    struct error error = {.text = "usage: scan_bench SECONDS FILE..."};
    scoped(json_paths_free) struct json_paths *paths = json_paths_new();
    scoped(json_scratch_free) struct json_scratch *scratch = json_scratch_new();
    bool is_good = argc > 2;
    for (int i = 2; i < argc && is_good; i++) {
        is_good = add_file(&texts, argv[i], &error);
    }
    is_good = is_good && run_pass(paths, scratch, &texts, &error);
    size_t passes = 0, batch = BATCH_BYTES / (texts.bytes + 1) + 1;
    double start = cpu_seconds(), seconds = 0;
    while (is_good && (passes == 0 || seconds < strtod(argv[1], NULL))) {
        for (size_t i = 0; i < batch && is_good; i++, passes++) {
            is_good = run_pass(paths, scratch, &texts, &error);
        }
        seconds = cpu_seconds() - start;
    }
    if (!is_good) {
        (void)fprintf(stderr, "%s\n", error.text);
        return 2;
    }
    (void)printf("{\"texts\":%zu,\"bytes\":%zu,\"cpu_seconds\":%.6f}\n", texts.count * passes,
                 texts.bytes * passes, seconds);
    return 0;
}
