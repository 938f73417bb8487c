#include "riposte/cli/bench.h"

#include "riposte/base/arena.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/file.h"
#include "riposte/base/memory.h"
#include "riposte/detect/ruleset.h"
#include "riposte/json/tree.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RULES_BYTES     (256u * 1024 * 1024)
#define EVENTS_BYTES    ((size_t)4 * 1024 * 1024 * 1024)
#define RULE_FILES      64
#define DEFAULT_SECONDS 3

struct options {
    const char *rules[RULE_FILES];
    size_t rules_count;
    const char *events;
    double seconds;
    bool is_json;
};

struct bench {
    struct arena *arena; /* the rules' trees */
    struct ruleset_builder *builder;
    struct ruleset *set;
    struct match_scratch *scratch;
    struct buffer event_bytes;
    struct text *events;
    size_t event_count, event_capacity;
};

struct result {
    size_t events, bytes, matches_per_pass;
    double cpu_seconds, compile_seconds;
};

static int usage(void) {
    (void)fputs(
        "usage: riposte bench --rules FILE-OR-DIR... --events FILE [--seconds N] [--json]\n"
        "Rules: a folder of rules, or a JSON array of {\"name\",\"pattern\"}. Events: one a "
        "line.\n",
        stderr);
    return 2;
}

static void bench_done(struct bench *bench) {
    ruleset_builder_free(&bench->builder);
    ruleset_free(&bench->set);
    match_scratch_free(&bench->scratch);
    buffer_done(&bench->event_bytes);
    free(bench->events);
    arena_free(&bench->arena);
}

static double cpu_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool parse_options(int argc, char **argv, struct options *out) {
    *out = (struct options){.seconds = DEFAULT_SECONDS};
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;
        if (strcmp(argv[i], "--json") == 0) {
            out->is_json = true;
        } else if (strcmp(argv[i], "--rules") == 0 && has_value && out->rules_count < RULE_FILES) {
            out->rules[out->rules_count++] = argv[++i];
        } else if (strcmp(argv[i], "--events") == 0 && has_value) {
            out->events = argv[++i];
        } else if (strcmp(argv[i], "--seconds") == 0 && has_value) {
            out->seconds = strtod(argv[++i], NULL);
        } else {
            return false;
        }
    }
    return out->rules_count > 0 && out->events != NULL && out->seconds > 0;
}

static bool add_rule(struct bench *bench, const struct json *rule, struct error *error) {
    const struct json *pattern = json_member(rule, "pattern");
    const struct json *culprit = NULL;
    if (pattern == NULL) {
        return error_set(error, ERROR_INVALID, "a rule without \"pattern\"");
    }
    if (!ruleset_add_rule(bench->builder, pattern, NULL, &culprit, error)) {
        struct text name = json_text(json_member(rule, "name"));
        return error_wrap(error, "rule %.*s: byte %zu", TEXT_ARG(name),
                          culprit == NULL ? 0 : json_offset(culprit));
    }
    return true;
}

static bool add_rules_file(struct bench *bench, const char *path, struct error *error) {
    scoped(buffer_done) struct buffer bytes = BUFFER_INIT;
    const struct json *root = NULL;
    if (!file_read(path, RULES_BYTES, &bytes, error)) {
        return false;
    }
    if (!json_parse(buffer_text(&bytes), JSON_COMMENTS, bench->arena, &root, NULL, error)) {
        return error_wrap(error, "%s", path);
    }
    if (!json_is_array(root)) {
        return add_rule(bench, root, error) || error_wrap(error, "%s", path);
    }
    for (const struct json *rule = json_first(root); rule != NULL; rule = json_next(rule)) {
        if (!add_rule(bench, rule, error)) {
            return error_wrap(error, "%s", path);
        }
    }
    return true;
}

static bool add_rules_folder(struct bench *bench, const char *folder, struct error *error) {
    char **names = NULL;
    size_t count = 0;
    bool is_good = true;
    if (!file_list(folder, ".json", &names, &count, error)) {
        return false;
    }
    for (size_t i = 0; i < count && is_good; i++) {
        char *path = file_join(folder, names[i]);
        is_good = add_rules_file(bench, path, error);
        free(path);
    }
    file_list_free(&names, count);
    return is_good;
}

static bool is_folder(const char *path) {
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return false;
    }
    (void)closedir(folder);
    return true;
}

static bool load_rules(struct bench *bench, const struct options *options, double *seconds_out,
                       struct error *error) {
    double start = cpu_seconds();
    bench->arena = arena_new();
    bench->builder = ruleset_builder_new();
    bench->scratch = match_scratch_new();
    for (size_t i = 0; i < options->rules_count; i++) {
        const char *path = options->rules[i];
        bool is_good = is_folder(path) ? add_rules_folder(bench, path, error)
                                       : add_rules_file(bench, path, error);
        if (!is_good) {
            return false;
        }
    }
    bool is_built = ruleset_build(&bench->builder, &bench->set, error);
    *seconds_out = cpu_seconds() - start;
    return is_built;
}

static bool load_events(struct bench *bench, const char *path, struct error *error) {
    struct text line;
    if (!file_read(path, EVENTS_BYTES, &bench->event_bytes, error)) {
        return false;
    }
    struct text rest = buffer_text(&bench->event_bytes);
    while (text_next_part(&rest, '\n', &line)) {
        if (text_trim(line).bytes == 0) {
            continue;
        }
        bench->events = memory_grow_array(bench->events, &bench->event_capacity,
                                          bench->event_count + 1, sizeof(*bench->events));
        bench->events[bench->event_count++] = line;
    }
    return bench->event_count > 0 || error_set(error, ERROR_INVALID, "%s: no events", path);
}

static bool run_pass(struct bench *bench, struct result *result, struct error *error) {
    struct ruleset_matches matches;
    result->matches_per_pass = 0;
    for (size_t i = 0; i < bench->event_count; i++) {
        if (!ruleset_match(bench->set, bench->scratch, bench->events[i], NULL, NULL, &matches,
                           error)) {
            return error_wrap(error, "event %zu", i + 1);
        }
        result->matches_per_pass += matches.count;
        result->bytes += bench->events[i].bytes;
    }
    result->events += bench->event_count;
    return true;
}

/* Whole passes until the time is used up; the first, which warms up, doesn't count. */
static bool run(struct bench *bench, double seconds, struct result *result, struct error *error) {
    if (!run_pass(bench, result, error)) {
        return false;
    }
    result->events = result->bytes = 0;
    double start = cpu_seconds();
    do {
        if (!run_pass(bench, result, error)) {
            return false;
        }
        result->cpu_seconds = cpu_seconds() - start;
    } while (result->cpu_seconds < seconds);
    return true;
}

static void print_json(const struct bench *bench, const struct result *result) {
    (void)printf("{\"events\":%zu,\"bytes\":%zu,\"matches_per_pass\":%zu,\"cpu_seconds\":%.6f,"
                 "\"compile_seconds\":%.6f,\"memory_bytes\":%zu}\n",
                 result->events, result->bytes, result->matches_per_pass, result->cpu_seconds,
                 result->compile_seconds, ruleset_memory_bytes(bench->set));
}

static void print_people(const struct bench *bench, const struct result *result) {
    double events_per_second = (double)result->events / result->cpu_seconds;
    (void)printf("%zu rules, compiled in %.3f s, %zu bytes\n", ruleset_rule_count(bench->set),
                 result->compile_seconds, ruleset_memory_bytes(bench->set));
    (void)printf("%zu events, %zu matches a pass\n", bench->event_count, result->matches_per_pass);
    (void)printf("%.0f events/s, %.1f MB/s, %.3f us an event, on one core\n", events_per_second,
                 (double)result->bytes / result->cpu_seconds / 1e6, 1e6 / events_per_second);
}

int cli_bench(int argc, char **argv) {
    scoped(bench_done) struct bench bench = {0};
    struct options options;
    struct result result = {0};
    struct error error;
    if (!parse_options(argc, argv, &options)) {
        return usage();
    }
    if (!load_rules(&bench, &options, &result.compile_seconds, &error) ||
        !load_events(&bench, options.events, &error) ||
        !run(&bench, options.seconds, &result, &error)) {
        (void)fprintf(stderr, "riposte bench: %s\n", error.text);
        return 2;
    }
    if (options.is_json) {
        print_json(&bench, &result);
    } else {
        print_people(&bench, &result);
    }
    return 0;
}
