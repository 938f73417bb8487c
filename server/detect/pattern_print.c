#include "riposte/detect/pattern.h"
#include "riposte/detect/subrule.h"
#include "riposte/detect/test.h"

static void print_field(const struct field *field, bool is_first, struct buffer *out) {
    buffer_append_string(out, is_first ? "" : ",");
    test_print_string(out, field->path_text);
    buffer_append_string(out, ":[");
    for (size_t i = 0; i < field->test_count; i++) {
        buffer_append_string(out, i == 0 ? "" : ",");
        test_print(&field->tests[i], out);
    }
    buffer_append_char(out, ']');
}

/* The fields that may stand inside a branch of $or, or those that may not. True when there were
 * any. */
static bool print_fields(const struct subrule *subrule, bool are_reserved, struct buffer *out) {
    bool is_first = true;
    for (size_t i = 0; i < subrule->field_count; i++) {
        if (subrule_is_reserved(subrule->fields[i]->path_text) == are_reserved) {
            print_field(subrule->fields[i], is_first, out);
            is_first = false;
        }
    }
    return !is_first;
}

/* A name reserved inside $or can only have come from outside, so all sub-rules share that field. */
static void print_or(const struct pattern *pattern, struct buffer *out) {
    bool has_fields = print_fields(&pattern->subrules[0], true, out);
    buffer_append_string(out, has_fields ? ",\"$or\":[" : "\"$or\":[");
    for (size_t i = 0; i < pattern->subrule_count; i++) {
        buffer_append_string(out, i == 0 ? "{" : ",{");
        (void)print_fields(&pattern->subrules[i], false, out);
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ']');
}

void pattern_print(const struct pattern *pattern, struct buffer *out) {
    buffer_append_char(out, '{');
    if (pattern->subrule_count > 1) {
        print_or(pattern, out);
    } else {
        const struct subrule *subrule = &pattern->subrules[0];
        for (size_t i = 0; i < subrule->field_count; i++) {
            print_field(subrule->fields[i], i == 0, out);
        }
    }
    buffer_append_char(out, '}');
}
