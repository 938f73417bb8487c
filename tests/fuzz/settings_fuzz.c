/* Any text is read or refused with places inside it; what was read reads back equal once printed.
 */
#include "riposte/config/settings.h"

#include "fuzz.h"

#include <string.h>

static const char *no_environment(void *arg, const char *name) {
    (void)arg;
    (void)name;
    return NULL;
}

static size_t take_number(const char **at) {
    char *end = NULL;
    size_t number = strtoul(*at, &end, 10);
    fuzz_check(end != *at && *end == ':');
    *at = end + 1;
    return number;
}

/* "s.json:LINE:COLUMN: what". */
static void check_line(const char *line, struct text text) {
    static const char file[] = "s.json:";
    fuzz_check(strncmp(line, file, strlen(file)) == 0);
    const char *at = line + strlen(file);
    size_t wanted_line = take_number(&at);
    size_t column = take_number(&at);
    fuzz_check(*at == ' ' && at[1] != '\n' && at[1] != '\0');
    struct text rest = text;
    for (size_t i = 1; i < wanted_line; i++) {
        size_t end = text_find_byte(rest, '\n', 0);
        fuzz_check(end < rest.bytes);
        rest = text_slice(rest, end + 1, rest.bytes);
    }
    fuzz_check(column >= 1 && column <= text_find_byte(rest, '\n', 0) + 1);
}

static void check_findings(const struct findings *findings, struct text text) {
    struct buffer printed = BUFFER_INIT;
    findings_print(findings, &printed);
    const char *line = buffer_string(&printed);
    while (*line != '\0' && strncmp(line, "and ", 4) != 0) {
        check_line(line, text);
        line = strchr(line, '\n') + 1;
    }
    buffer_done(&printed);
}

/* Prints what was read, when there were no errors. */
static bool read_and_print(struct text text, struct buffer *out) {
    struct arena *arena = arena_new();
    struct findings *findings = findings_new();
    struct source source = {.file = "s.json", .text = text};
    struct settings settings = {0};
    bool is_good = settings_read(&source, "/etc", no_environment, NULL, arena, &settings, findings);
    fuzz_check(is_good == (findings_errors(findings) == 0));
    check_findings(findings, text);
    if (is_good) {
        settings_print(&settings, out);
    }
    findings_free(&findings);
    arena_free(&arena);
    return is_good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    struct buffer first = BUFFER_INIT;
    struct buffer second = BUFFER_INIT;
    if (read_and_print(fuzz_text(data, bytes), &first)) {
        fuzz_check(read_and_print(buffer_text(&first), &second));
        fuzz_check(text_equal(buffer_text(&first), buffer_text(&second)));
    }
    buffer_done(&first);
    buffer_done(&second);
    return 0;
}
