#include "riposte/config/findings.h"

#include "riposte/base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct finding {
    char *file, *what;
    size_t line, column;
    size_t order; /* of being found: keeps the sort stable */
    bool is_warning;
};

struct findings {
    struct finding *items;
    size_t count, capacity;
    size_t errors, warnings;
};

struct findings *findings_new(void) {
    return memory_new(sizeof(struct findings));
}

void findings_free(struct findings **findings) {
    if (*findings == NULL) {
        return;
    }
    for (size_t i = 0; i < (*findings)->count; i++) {
        free((*findings)->items[i].file);
        free((*findings)->items[i].what);
    }
    free((*findings)->items);
    free(*findings);
    *findings = NULL;
}

/* A message may quote what a file holds: it must stay one line, and no terminal command. */
static char *format_line(const char *format, va_list arguments) PRINTF_LIKE(1, 0);
static char *format_line(const char *format, va_list arguments) {
    char *line = NULL;
    if (vasprintf(&line, format, arguments) < 0) {
        abort();
    }
    for (char *c = line; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F) {
            *c = '?';
        }
    }
    return line;
}

static void PRINTF_LIKE(5, 0)
    add(struct findings *findings, const struct source *source, size_t offset, bool is_warning,
        const char *format, va_list arguments) {
    *(is_warning ? &findings->warnings : &findings->errors) += 1;
    if (findings->count == FINDINGS_MAX) {
        return;
    }
    findings->items = memory_grow_array(findings->items, &findings->capacity, findings->count + 1,
                                        sizeof(*findings->items));
    struct finding *finding = &findings->items[findings->count];
    *finding = (struct finding){.file = memory_copy_string(source->file),
                                .what = format_line(format, arguments),
                                .order = findings->count,
                                .is_warning = is_warning};
    json_position(source->text, offset, &finding->line, &finding->column);
    findings->count++;
}

void findings_add(struct findings *findings, const struct source *source, const struct json *node,
                  const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(findings, source, json_offset(node), false, format, arguments);
    va_end(arguments);
}

void findings_add_at(struct findings *findings, const struct source *source, size_t offset,
                     const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(findings, source, offset, false, format, arguments);
    va_end(arguments);
}

void findings_warn(struct findings *findings, const struct source *source, const struct json *node,
                   const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(findings, source, json_offset(node), true, format, arguments);
    va_end(arguments);
}

size_t findings_errors(const struct findings *findings) {
    return findings->errors;
}

size_t findings_warnings(const struct findings *findings) {
    return findings->warnings;
}

static int compare_sizes(size_t a, size_t b) {
    return a < b ? -1 : a > b ? 1 : 0;
}

static int compare_findings(const void *a, const void *b) {
    const struct finding *left = *(const struct finding *const *)a;
    const struct finding *right = *(const struct finding *const *)b;
    int order = strcmp(left->file, right->file);
    order = order != 0 ? order : compare_sizes(left->line, right->line);
    order = order != 0 ? order : compare_sizes(left->column, right->column);
    return order != 0 ? order : compare_sizes(left->order, right->order);
}

static void print_one(const struct finding *finding, struct buffer *out) {
    buffer_append_format(out, "%s:%zu:%zu: %s%s\n", finding->file, finding->line, finding->column,
                         finding->is_warning ? "warning: " : "", finding->what);
}

void findings_print(const struct findings *findings, struct buffer *out) {
    if (findings->count == 0) {
        return;
    }
    scoped(memory_free_at) const struct finding **sorted = memory_new_array(
        findings->count, sizeof(const struct finding *));
    for (size_t i = 0; i < findings->count; i++) {
        sorted[i] = &findings->items[i];
    }
    qsort(sorted, findings->count, sizeof(*sorted), compare_findings);
    for (size_t i = 0; i < findings->count; i++) {
        print_one(sorted[i], out);
    }
    size_t more = findings->errors + findings->warnings - findings->count;
    if (more > 0) {
        buffer_append_format(out, "and %zu more\n", more);
    }
}
