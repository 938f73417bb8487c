#include "riposte/detect/number.h"
#include "riposte/detect/test.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

struct compiler {
    struct arena *arena;
    enum test_dialect dialect;
    struct test_problem *problem;
};

static bool refuse(struct compiler *c, const struct json *culprit, const char *format, ...)
    PRINTF_LIKE(3, 4);

static bool refuse(struct compiler *c, const struct json *culprit, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    c->problem->culprit = culprit;
    (void)vsnprintf(c->problem->reason, sizeof(c->problem->reason), format, arguments);
    va_end(arguments);
    return false;
}

/* For messages: the beginning of a value's text. */
static const char *shown(char (*out)[48], struct text text) {
    (void)snprintf(*out, sizeof(*out), "%.*s%s", (int)(text.bytes > 40 ? 40 : text.bytes),
                   text.data == NULL ? "" : text.data, text.bytes > 40 ? "..." : "");
    return *out;
}

/* The only member of a match expression; NULL (refused) when there isn't exactly one. */
static const struct json *only_member(struct compiler *c, const struct json *expression,
                                      const char *what) {
    const struct json *member = json_first(expression);
    if (member == NULL) {
        (void)refuse(c, expression, "%s name not found", what);
        return NULL;
    }
    if (json_next(member) != NULL) {
        (void)refuse(c, json_next(member), "only one key allowed in %s", what);
        return NULL;
    }
    return member;
}

static void keep_text(struct compiler *c, const struct json *node, struct test *out) {
    out->text = arena_copy_text(c->arena, json_text(node));
}

/* A string operand for `kind`. */
static bool compile_string(struct compiler *c, const struct json *node, enum test_kind kind,
                           const char *name, struct test *out) {
    const char *reason = NULL;
    size_t at = 0;
    if (!json_is_string(node)) {
        return refuse(c, node, "%s match pattern must be a string", name);
    }
    *out = (struct test){.kind = kind};
    keep_text(c, node, out);
    switch (kind) {
    case TEST_IGNORE_CASE:
    case TEST_PREFIX_IGNORE_CASE:
    case TEST_SUFFIX_IGNORE_CASE:
        out->steps = casemap_steps(c->arena, out->text, &out->step_count);
        return true;
    case TEST_WILDCARD:
        if (!wildcard_parse(c->arena, out->text, &out->wildcard, &reason, &at)) {
            return refuse(c, node, "%s at character %zu of the wildcard", reason, at);
        }
        return true;
    case TEST_CIDR:
        return ip_range_parse(out->text, &out->ip_range, &reason) || refuse(c, node, "%s", reason);
    default:
        return true;
    }
}

/* prefix and suffix: a string, or {"equals-ignore-case": string}. */
static bool compile_affix(struct compiler *c, const struct json *node, bool is_prefix,
                          struct test *out) {
    const char *name = is_prefix ? "prefix" : "suffix";
    char key[48];
    if (!json_is_object(node)) {
        return compile_string(c, node, is_prefix ? TEST_PREFIX : TEST_SUFFIX, name, out);
    }
    const struct json *member = only_member(c, node,
                                            is_prefix ? "prefix expression" : "suffix expression");
    if (member == NULL) {
        return false;
    }
    if (!text_equal_string(json_key(member), "equals-ignore-case")) {
        return refuse(c, member, "unsupported %s pattern: %s", name, shown(&key, json_key(member)));
    }
    return compile_string(c, member, is_prefix ? TEST_PREFIX_IGNORE_CASE : TEST_SUFFIX_IGNORE_CASE,
                          "equals-ignore-case", out);
}

static bool compile_prefix(struct compiler *c, const struct json *node, struct test *out) {
    return compile_affix(c, node, true, out);
}

static bool compile_suffix(struct compiler *c, const struct json *node, struct test *out) {
    return compile_affix(c, node, false, out);
}

static bool compile_ignore_case(struct compiler *c, const struct json *node, struct test *out) {
    return compile_string(c, node, TEST_IGNORE_CASE, "equals-ignore-case", out);
}

static bool compile_wildcard(struct compiler *c, const struct json *node, struct test *out) {
    return compile_string(c, node, TEST_WILDCARD, "wildcard", out);
}

static bool compile_cidr(struct compiler *c, const struct json *node, struct test *out) {
    return compile_string(c, node, TEST_CIDR, "cidr", out);
}

static bool compile_exactly(struct compiler *c, const struct json *node, struct test *out) {
    return compile_string(c, node, TEST_EXACTLY, "exactly", out);
}

static bool compile_exists(struct compiler *c, const struct json *node, struct test *out) {
    enum json_type type = json_type(node);
    if (type != JSON_TRUE && type != JSON_FALSE) {
        return refuse(c, node, "exists match pattern must be either true or false");
    }
    *out = (struct test){.kind = type == JSON_TRUE ? TEST_EXISTS : TEST_ABSENT};
    return true;
}

static bool comparable(struct compiler *c, const struct json *node, double *value_out) {
    char number[48];
    return number_comparable(json_text(node), value_out) ||
           refuse(c, node, "cannot compare number: %s", shown(&number, json_text(node)));
}

/* The number behind `operator`; *node is the operator and becomes what follows the number. */
static bool take_bound(struct compiler *c, const struct json *numeric, const struct json **node,
                       double *value_out, struct text *text_out) {
    char name[48];
    const struct json *number = json_next(*node);
    if (number == NULL || json_type(number) != JSON_NUMBER) {
        return refuse(c, number == NULL ? numeric : number, "value of %s must be numeric",
                      shown(&name, json_text(*node)));
    }
    if (!comparable(c, number, value_out)) {
        return false;
    }
    *text_out = arena_copy_text(c->arena, json_text(number));
    *node = json_next(number);
    return true;
}

static bool take_high(struct compiler *c, const struct json *numeric, const struct json **node,
                      struct number_range *range) {
    range->is_high_open = text_equal_string(json_text(*node), "<");
    return take_bound(c, numeric, node, &range->high, &range->high_text);
}

/* What may follow a lower bound. */
static bool take_second(struct compiler *c, const struct json *numeric, const struct json **node,
                        struct number_range *range) {
    char name[48];
    const struct json *name_node = *node;
    if (!json_is_string(name_node)) {
        return refuse(c, name_node, "bad value in numeric range");
    }
    if (!text_equal_string(json_text(name_node), "<") &&
        !text_equal_string(json_text(name_node), "<=")) {
        return refuse(c, name_node, "bad numeric range operator: %s",
                      shown(&name, json_text(name_node)));
    }
    if (!take_high(c, numeric, node, range)) {
        return false;
    }
    return range->low < range->high || refuse(c, numeric, "bottom must be less than top");
}

static bool take_range(struct compiler *c, const struct json *numeric, const struct json **node,
                       struct number_range *range) {
    char name[48];
    struct text operator_text = json_text(*node);
    if (text_equal_string(operator_text, "=")) {
        if (!take_bound(c, numeric, node, &range->low, &range->low_text)) {
            return false;
        }
        range->high = range->low;
        range->high_text = range->low_text;
        return true;
    }
    if (text_equal_string(operator_text, "<") || text_equal_string(operator_text, "<=")) {
        return take_high(c, numeric, node, range);
    }
    if (!text_equal_string(operator_text, ">") && !text_equal_string(operator_text, ">=")) {
        return refuse(c, *node, "unrecognized numeric range operator: %s",
                      shown(&name, operator_text));
    }
    range->is_low_open = text_equal_string(operator_text, ">");
    if (!take_bound(c, numeric, node, &range->low, &range->low_text)) {
        return false;
    }
    return *node == NULL || take_second(c, numeric, node, range);
}

static bool compile_numeric(struct compiler *c, const struct json *node, struct test *out) {
    if (!json_is_array(node)) {
        return refuse(c, node, "value of numeric must be an array");
    }
    const struct json *member = json_first(node);
    if (!json_is_string(member)) {
        return refuse(c, member == NULL ? node : member, "invalid member in numeric match");
    }
    *out = (struct test){.kind = TEST_RANGE, .range = {.low = -INFINITY, .high = INFINITY}};
    if (!take_range(c, node, &member, &out->range)) {
        return false;
    }
    return member == NULL || refuse(c, member, "too many elements in numeric expression");
}

/* One plain value that anything-but excludes. */
static bool compile_excluded(struct compiler *c, const struct json *node, struct test *out) {
    if (json_is_string(node)) {
        return compile_string(c, node, TEST_EXACTLY, "anything-but", out);
    }
    if (json_type(node) != JSON_NUMBER) {
        return refuse(c, node, "anything-but takes strings or numbers, not %s",
                      json_type_name(json_type(node)));
    }
    *out = (struct test){.kind = TEST_NUMBER};
    keep_text(c, node, out);
    return comparable(c, node, &out->number);
}

/* The inner operators of anything-but. */
static const struct inner_operator {
    const char *name;
    enum test_kind kind;
    bool may_be_empty, is_in_old_dialect, has_lists_in_old_dialect;
} inner_operators[] = {
    {"prefix", TEST_PREFIX, false, true, false},
    {"suffix", TEST_SUFFIX, false, true, false},
    {"equals-ignore-case", TEST_IGNORE_CASE, true, true, true},
    {"wildcard", TEST_WILDCARD, true, false, false},
};

static const struct inner_operator *find_inner(struct text name) {
    for (size_t i = 0; i < ARRAY_COUNT(inner_operators); i++) {
        if (text_equal_string(name, inner_operators[i].name)) {
            return &inner_operators[i];
        }
    }
    return NULL;
}

static bool compile_inner(struct compiler *c, const struct inner_operator *inner,
                          const struct json *node, struct test *out) {
    if (!compile_string(c, node, inner->kind, inner->name, out)) {
        return false;
    }
    return inner->may_be_empty || out->text.bytes > 0 ||
           refuse(c, node, "empty %s not allowed in anything-but", inner->name);
}

/* `node` (a value or a list of values) into out->list. `inner` is NULL for plain values. */
static bool compile_list(struct compiler *c, const struct inner_operator *inner,
                         const struct json *node, struct test *out) {
    bool is_list = json_is_array(node);
    size_t count = is_list ? json_count(node) : 1, done = 0;
    struct test *list = arena_alloc_array(c->arena, count + 1, sizeof(*list));
    if (count == 0) {
        return refuse(c, node, "the list inside anything-but is empty");
    }
    for (const struct json *item = is_list ? json_first(node) : node; done < count;
         item = json_next(item), done++) {
        bool is_good = inner != NULL ? compile_inner(c, inner, item, &list[done])
                                     : compile_excluded(c, item, &list[done]);
        if (!is_good) {
            return false;
        }
        if (list[done].kind != list[0].kind) {
            return refuse(c, item, "the list inside anything-but mixes strings and numbers");
        }
    }
    *out = (struct test){.kind = TEST_ANYTHING_BUT};
    out->list = list;
    out->list_count = count;
    return true;
}

static bool compile_anything_but(struct compiler *c, const struct json *node, struct test *out) {
    char name[48];
    if (!json_is_object(node)) {
        return compile_list(c, NULL, node, out);
    }
    const struct json *member = only_member(c, node, "anything-but expression");
    if (member == NULL) {
        return false;
    }
    const struct inner_operator *inner = find_inner(json_key(member));
    bool is_old = c->dialect == TEST_DIALECT_OLD;
    if (inner == NULL || (is_old && !inner->is_in_old_dialect)) {
        return refuse(c, member, "unsupported anything-but pattern: %s",
                      shown(&name, json_key(member)));
    }
    if (is_old && json_is_array(member) && !inner->has_lists_in_old_dialect) {
        return refuse(c, member, "%s inside anything-but must be a string", inner->name);
    }
    return compile_list(c, inner, member, out);
}

static const struct operator_row {
    const char *name;
    bool (*compile_fn)(struct compiler *c, const struct json *node, struct test *out);
} operators[] = {
    {"prefix", compile_prefix},
    {"suffix", compile_suffix},
    {"equals-ignore-case", compile_ignore_case},
    {"wildcard", compile_wildcard},
    {"anything-but", compile_anything_but},
    {"exists", compile_exists},
    {"numeric", compile_numeric},
    {"cidr", compile_cidr},
    {"exactly", compile_exactly},
};

static bool compile_expression(struct compiler *c, const struct json *node, struct test *out) {
    char name[48];
    const struct json *member = only_member(c, node, "match expression");
    if (member == NULL) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++) {
        if (text_equal_string(json_key(member), operators[i].name)) {
            return operators[i].compile_fn(c, member, out);
        }
    }
    return refuse(c, member, "unrecognized match type %s", shown(&name, json_key(member)));
}

bool test_compile(struct arena *arena, const struct json *element, enum test_dialect dialect,
                  struct test *test_out, struct test_problem *problem) {
    struct compiler c = {arena, dialect, problem};
    enum json_type type = json_type(element);
    switch (type) {
    case JSON_OBJECT:
        return compile_expression(&c, element, test_out);
    case JSON_ARRAY:
        return refuse(&c, element,
                      "match value must be string, number, true, false, null or an "
                      "expression, not an array");
    case JSON_STRING:
        *test_out = (struct test){.kind = TEST_STRING};
        keep_text(&c, element, test_out);
        if (ip_parse(test_out->text, &test_out->ip)) {
            test_out->kind = TEST_IP;
        }
        return true;
    case JSON_NUMBER:
        *test_out = (struct test){.kind = TEST_NUMBER};
        keep_text(&c, element, test_out);
        if (!number_comparable(test_out->text, &test_out->number)) {
            test_out->kind = TEST_NUMBER_TEXT;
        }
        return true;
    default:
        *test_out = (struct test){.kind = TEST_LITERAL, .type = type};
        return true;
    }
}
