#include "riposte/detect/subrule.h"

#include "riposte/base/memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All fields of all sub-rules together: bounds what overriding and sorting cost. */
#define FIELD_TOTAL_LIMIT 262144

/* A sub-rule as far as the text was read; a later field at the same path overrides. */
struct draft {
    const struct field **fields;
    size_t count, capacity;
};

struct drafts {
    struct draft *items;
    size_t count, capacity, field_total;
};

struct compiler {
    struct pattern *pattern;
    enum test_dialect dialect;
    struct drafts drafts;
    struct buffer path;
    size_t path_names; /* on the path: none at the top, where no '.' is needed */
    /* Why it was refused. */
    enum error_code code;
    struct test_problem problem;
    struct text problem_path; /* in the pattern's arena */
};

static bool refuse_with(struct compiler *c, enum error_code code, const struct json *culprit,
                        const char *format, ...) PRINTF_LIKE(4, 5);

static bool refuse_with(struct compiler *c, enum error_code code, const struct json *culprit,
                        const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(c->problem.reason, sizeof(c->problem.reason), format, arguments);
    va_end(arguments);
    c->code = code;
    c->problem.culprit = culprit;
    c->problem_path = arena_copy_text(c->pattern->arena, buffer_text(&c->path));
    return false;
}

#define refuse(c, culprit, ...) refuse_with(c, ERROR_INVALID, culprit, __VA_ARGS__)

static void draft_done(struct draft *draft) {
    free(draft->fields);
    *draft = (struct draft){0};
}

static void drafts_done(struct drafts *drafts) {
    for (size_t i = 0; i < drafts->count; i++) {
        draft_done(&drafts->items[i]);
    }
    free(drafts->items);
    *drafts = (struct drafts){0};
}

static struct draft *drafts_append(struct drafts *drafts) {
    drafts->items = memory_grow_array(drafts->items, &drafts->capacity, drafts->count + 1,
                                      sizeof(*drafts->items));
    struct draft *draft = &drafts->items[drafts->count++];
    *draft = (struct draft){0};
    return draft;
}

static void drafts_append_copy(struct drafts *drafts, const struct draft *source) {
    struct draft *draft = drafts_append(drafts);
    draft->fields = memory_grow_array(NULL, &draft->capacity, source->count + 1,
                                      sizeof(struct field *));
    memcpy(draft->fields, source->fields, source->count * sizeof(struct field *));
    draft->count = source->count;
    drafts->field_total += draft->count;
}

static bool draft_put(struct compiler *c, struct draft *draft, const struct field *field,
                      const struct json *source) {
    for (size_t i = 0; i < draft->count; i++) {
        if (draft->fields[i]->path == field->path) {
            draft->fields[i] = field;
            return true;
        }
    }
    if (draft->count == PATTERN_PATHS) {
        return refuse_with(c, ERROR_LIMIT, source, "more than %d paths in one rule", PATTERN_PATHS);
    }
    if (c->drafts.field_total++ >= FIELD_TOTAL_LIMIT) {
        return refuse_with(c, ERROR_LIMIT, source, "$or expands to more than %d fields",
                           FIELD_TOTAL_LIMIT);
    }
    draft->fields = memory_grow_array(draft->fields, &draft->capacity, draft->count + 1,
                                      sizeof(struct field *));
    draft->fields[draft->count++] = field;
    return true;
}

/* The tests of a field's array. */
static bool compile_tests(struct compiler *c, const struct json *array, struct field *field) {
    size_t count = json_count(array);
    struct test *tests = arena_alloc_array(c->pattern->arena, count, sizeof(*tests));
    if (count == 0) {
        return refuse(c, array, "empty arrays are not allowed");
    }
    for (const struct json *element = json_first(array); element != NULL;
         element = json_next(element)) {
        struct test_problem problem = {0};
        if (!test_compile(c->pattern->arena, element, c->dialect, &tests[field->test_count],
                          &problem)) {
            return refuse(c, problem.culprit, "%s", problem.reason);
        }
        field->may_be_absent |= tests[field->test_count++].kind == TEST_ABSENT;
    }
    field->tests = tests;
    return true;
}

/* A field goes into every sub-rule there is so far. */
static bool compile_field(struct compiler *c, const struct json *array) {
    struct field *field = arena_alloc(c->pattern->arena, sizeof(*field));
    if (!compile_tests(c, array, field)) {
        return false;
    }
    field->number = c->pattern->field_count++;
    field->path = json_paths_add(c->pattern->paths, buffer_text(&c->path), 0);
    field->path_text = arena_copy_text(c->pattern->arena, buffer_text(&c->path));
    if (c->drafts.count == 0) {
        (void)drafts_append(&c->drafts);
    }
    for (size_t i = 0; i < c->drafts.count; i++) {
        if (!draft_put(c, &c->drafts.items[i], field, array)) {
            return false;
        }
    }
    return true;
}

static bool compile_object(struct compiler *c, const struct json *object, bool is_branch);

/* One branch over a copy of every sub-rule that stood before the $or; the results go to `merged`.
 */
static bool compile_branch(struct compiler *c, const struct json *branch,
                           const struct drafts *before, struct drafts *merged) {
    if (!json_is_object(branch)) {
        return refuse(c, branch, "only objects are allowed in a $or list");
    }
    c->drafts = (struct drafts){.field_total = merged->field_total};
    for (size_t i = 0; i < before->count; i++) {
        drafts_append_copy(&c->drafts, &before->items[i]);
    }
    bool is_good = compile_object(c, branch, true);
    if (is_good && merged->count + c->drafts.count > PATTERN_SUBRULES) {
        is_good = refuse_with(c, ERROR_LIMIT, branch, "$or expands to more than %d combinations",
                              PATTERN_SUBRULES);
    }
    merged->field_total = c->drafts.field_total;
    merged->items = memory_grow_array(merged->items, &merged->capacity,
                                      merged->count + c->drafts.count, sizeof(*merged->items));
    if (c->drafts.count > 0) {
        memcpy(merged->items + merged->count, c->drafts.items,
               c->drafts.count * sizeof(*merged->items));
    }
    merged->count += c->drafts.count;
    free(c->drafts.items); /* what they hold moved */
    c->drafts = (struct drafts){0};
    return is_good;
}

static bool compile_or(struct compiler *c, const struct json *branches) {
    struct drafts before = c->drafts, merged = {0};
    bool is_good = true;
    c->drafts = (struct drafts){0};
    if (json_count(branches) < 2) {
        is_good = refuse(c, branches, "$or needs at least two objects");
    }
    for (const struct json *branch = json_first(branches); is_good && branch != NULL;
         branch = json_next(branch)) {
        is_good = compile_branch(c, branch, &before, &merged);
    }
    drafts_done(&before);
    c->drafts = merged;
    return is_good;
}

/* In a branch of $or the names of operators are no fields, at any depth. */
static bool compile_value(struct compiler *c, const struct json *member, bool is_branch) {
    switch (json_type(member)) {
    case JSON_OBJECT:
        return compile_object(c, member, is_branch);
    case JSON_ARRAY:
        return compile_field(c, member);
    default:
        return refuse(c, member, "must be an object or an array");
    }
}

static bool compile_member(struct compiler *c, const struct json *member, bool is_branch) {
    size_t length = c->path.bytes;
    if (c->dialect == TEST_DIALECT_FULL && json_is_array(member) &&
        text_equal_string(json_key(member), "$or")) {
        return compile_or(c, member);
    }
    if (c->path_names++ > 0) {
        buffer_append_char(&c->path, '.');
    }
    buffer_append_text(&c->path, json_key(member));
    if (is_branch && subrule_is_reserved(json_key(member))) {
        return refuse(c, member, "this name is reserved for an operator inside $or");
    }
    if (!compile_value(c, member, is_branch)) {
        return false;
    }
    buffer_truncate(&c->path, length);
    c->path_names--;
    return true;
}

static bool compile_object(struct compiler *c, const struct json *object, bool is_branch) {
    if (json_first(object) == NULL) {
        return refuse(c, object, "empty objects are not allowed");
    }
    for (const struct json *member = json_first(object); member != NULL;
         member = json_next(member)) {
        if (!compile_member(c, member, is_branch)) {
            return false;
        }
    }
    return true;
}

static int compare_fields(const void *a, const void *b) {
    const struct field *const *left = a, *const *right = b;
    return subrule_compare_paths((*left)->path_text, (*right)->path_text);
}

/* The drafts become sub-rules in the arena. */
static void finish_subrules(struct compiler *c) {
    struct pattern *pattern = c->pattern;
    pattern->subrule_count = c->drafts.count;
    pattern->subrules = arena_alloc_array(pattern->arena, c->drafts.count,
                                          sizeof(*pattern->subrules));
    for (size_t i = 0; i < c->drafts.count; i++) {
        struct draft *draft = &c->drafts.items[i];
        qsort(draft->fields, draft->count, sizeof(struct field *), compare_fields);
        const struct field **fields = arena_alloc_array(pattern->arena, draft->count,
                                                        sizeof(struct field *));
        memcpy(fields, draft->fields, draft->count * sizeof(struct field *));
        pattern->subrules[i] = (struct subrule){fields, draft->count};
    }
}

static struct pattern *new_pattern(void) {
    struct pattern *pattern = memory_new(sizeof(*pattern));
    pattern->arena = arena_new();
    pattern->paths = json_paths_new();
    return pattern;
}

void pattern_free(struct pattern **pattern) {
    if (*pattern == NULL) {
        return;
    }
    json_paths_free(&(*pattern)->paths);
    arena_free(&(*pattern)->arena);
    free(*pattern);
    *pattern = NULL;
}

/* What a compile in one dialect came to: a pattern, or (NULL) why not. */
struct outcome {
    struct pattern *pattern;
    const struct json *culprit;
    struct error error;
};

static void outcome_done(struct outcome *outcome) {
    pattern_free(&outcome->pattern);
}

static void describe(const struct compiler *c, struct outcome *out) {
    bool has_path = c->problem_path.bytes > 0;
    int shown = c->problem_path.bytes > 200 ? 200 : (int)c->problem_path.bytes;
    out->culprit = c->problem.culprit;
    (void)error_set(&out->error, c->code, "%.*s%s%s", shown, has_path ? c->problem_path.data : "",
                    has_path ? ": " : "", c->problem.reason);
}

static void compile_dialect(const struct json *source, enum test_dialect dialect,
                            struct outcome *out) {
    struct compiler c = {.pattern = new_pattern(), .dialect = dialect};
    *out = (struct outcome){0};
    bool is_good = json_is_object(source) ? compile_object(&c, source, false)
                                          : refuse(&c, source, "a pattern must be an object");
    if (is_good) {
        finish_subrules(&c);
        out->pattern = c.pattern;
    } else {
        describe(&c, out);
        pattern_free(&c.pattern);
    }
    drafts_done(&c.drafts);
    buffer_done(&c.path);
}

/* A pattern that the full dialect refuses may still be one in which "$or" is an ordinary name. When
 * it is neither, the reason of the full dialect is the one to tell. */
bool pattern_compile_tree(const struct json *source, struct pattern **pattern_out,
                          const struct json **culprit_out, struct error *error) {
    scoped(outcome_done) struct outcome full, old = {0};
    compile_dialect(source, TEST_DIALECT_FULL, &full);
    if (full.pattern == NULL && full.error.code == ERROR_INVALID) {
        compile_dialect(source, TEST_DIALECT_OLD, &old);
    }
    struct pattern **good = full.pattern != NULL ? &full.pattern : &old.pattern;
    if (*good == NULL) {
        if (culprit_out != NULL) {
            *culprit_out = full.culprit;
        }
        return error_set(error, full.error.code, "%s", full.error.text);
    }
    *pattern_out = *good;
    *good = NULL;
    return true;
}

static void arena_done(struct arena **arena) {
    arena_free(arena);
}

bool pattern_compile(struct text source, struct pattern **pattern_out, struct error *error) {
    scoped(arena_done) struct arena *arena = arena_new();
    const struct json *root = NULL, *culprit = NULL;
    size_t offset = 0;
    if (source.bytes > PATTERN_BYTES) {
        return error_set(error, ERROR_LIMIT, "pattern of %zu bytes: at most %d", source.bytes,
                         PATTERN_BYTES);
    }
    if (!json_parse(source, 0, arena, &root, &offset, error)) {
        return error_wrap(error, "byte %zu", offset);
    }
    if (!pattern_compile_tree(root, pattern_out, &culprit, error)) {
        return error_wrap(error, "byte %zu", culprit == NULL ? 0 : json_offset(culprit));
    }
    return true;
}
