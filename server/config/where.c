#include "riposte/config/where.h"

#include "forms.h"
#include "scope.h"
#include "where.h"

#include "riposte/base/buffer.h"
#include "riposte/config/template.h"
#include "riposte/detect/pattern.h"
#include "riposte/json/writer.h"

#define EXPLAINED_BYTES 300

/* ---- reading ---- */

static const struct scope scope_of_where = {NAME_EVENT | NAME_PRINCIPAL | NAME_OURS | NAME_RULE,
                                            NULL, 0};

static const struct member where_members[] = {
    {"value", MEMBER_STRING, MEMBER_REQUIRED},
    {"in", MEMBER_ARRAY, 0},
    {"not_in", MEMBER_ARRAY, 0},
    {"matches", MEMBER_OBJECT, 0},
};
static const struct member_detail where_details[] = {
    {.name = "in", .schema = "{\"minItems\": 1}"},
    {.name = "not_in", .schema = "{\"minItems\": 1}"},
    {.name = "matches", .schema = FORM_PATTERN_SCHEMA},
};
const struct form where_form = {.name = "where",
                                .members = where_members,
                                .count = ARRAY_COUNT(where_members),
                                .details = where_details,
                                .detail_count = ARRAY_COUNT(where_details)};

static const struct json *read_list(const struct reading *reading, const struct json *object,
                                    const char *name) {
    const struct json *list = json_member(object, name);
    if (!json_is_array(list)) {
        return NULL;
    }
    if (json_count(list) == 0) {
        findings_add(reading->findings, reading->source, list, "\"%s\" needs something to compare",
                     name);
    }
    scope_check_template(reading, &scope_of_where, list);
    return list;
}

static void read_comparison(const struct reading *reading, const struct json *node,
                            struct comparison *comparison) {
    form_check(reading, node, "a \"where\"", where_members, ARRAY_COUNT(where_members));
    comparison->value = json_member(node, "value");
    scope_check_template(reading, &scope_of_where, comparison->value);
    comparison->in = read_list(reading, node, "in");
    comparison->not_in = read_list(reading, node, "not_in");
    comparison->matches = json_member(node, "matches");
    scope_check_matches(reading, &scope_of_where, comparison->matches);
    if (json_is_object(node) && comparison->in == NULL && comparison->not_in == NULL &&
        comparison->matches == NULL) {
        findings_add(reading->findings, reading->source, node,
                     "a \"where\" needs a test: \"in\", \"not_in\" or \"matches\"");
    }
}

void where_read(const struct reading *reading, const struct json *array, struct rule *rule) {
    size_t count = json_is_array(array) ? json_count(array) : 0;
    struct comparison *comparisons = arena_alloc_array(reading->arena, count, sizeof(*comparisons));
    const struct json *child = json_first(array);
    for (size_t i = 0; i < count; i++, child = json_next(child)) {
        read_comparison(reading, child, &comparisons[i]);
    }
    rule->where = comparisons;
    rule->where_count = count;
}

/* ---- deciding ---- */

/* A condition's tests with their placeholders filled. */
struct tests {
    const struct json *in, *not_in;
    struct pattern *matches;
};

static void tests_done(struct tests *tests) {
    pattern_free(&tests->matches);
}

static bool fill_list(const struct json *list, const struct json *context, struct arena *arena,
                      const struct json **list_out, struct error *error) {
    return list == NULL || template_render(list, context, arena, list_out, error);
}

static bool fill_tests(const struct comparison *comparison, const struct json *context,
                       struct arena *arena, struct tests *tests, struct error *error) {
    const struct json *matches = NULL;
    return fill_list(comparison->in, context, arena, &tests->in, error) &&
           fill_list(comparison->not_in, context, arena, &tests->not_in, error) &&
           fill_list(comparison->matches, context, arena, &matches, error) &&
           (matches == NULL || pattern_compile_tree(matches, &tests->matches, NULL, error));
}

static bool is_in(const struct json *list, const struct json *value) {
    bool is_found = false;
    for (const struct json *entry = json_first(list); !is_found && entry != NULL;
         entry = json_next(entry)) {
        is_found = json_is_array(entry) ? is_in(entry, value) : json_equal(entry, value);
    }
    return is_found;
}

static bool passes(const struct tests *tests, const struct json *value, bool *passes_out,
                   struct error *error) {
    *passes_out = (tests->in == NULL || is_in(tests->in, value)) &&
                  (tests->not_in == NULL || !is_in(tests->not_in, value));
    /* A pattern is about an object's fields. */
    if (*passes_out && tests->matches != NULL) {
        *passes_out = false;
        return !json_is_object(value) ||
               pattern_match_tree(tests->matches, value, passes_out, error);
    }
    return true;
}

static bool any_passes(const struct tests *tests, const struct json *value, bool *passes_out,
                       struct error *error) {
    if (!json_is_array(value)) {
        return passes(tests, value, passes_out, error);
    }
    *passes_out = false;
    for (const struct json *element = json_first(value); element != NULL && !*passes_out;
         element = json_next(element)) {
        if (!any_passes(tests, element, passes_out, error)) {
            return false;
        }
    }
    return true;
}

static bool comparison_holds(const struct comparison *comparison, const struct json *context,
                             struct arena *arena, bool *holds_out, struct error *error) {
    scoped(tests_done) struct tests tests = {0};
    const struct json *value = NULL;
    if (template_render(comparison->value, context, arena, &value, error) &&
        fill_tests(comparison, context, arena, &tests, error)) {
        return any_passes(&tests, value, holds_out, error);
    }
    *holds_out = false;
    return error->code == ERROR_NOT_FOUND;
}

static bool names_accounts(const struct json *template) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    if (template == NULL) {
        return false;
    }
    json_write(&text, template);
    return text_contains(buffer_text(&text), TEXT("${self.accounts"));
}

static bool asks_for_accounts(const struct comparison *comparison) {
    return names_accounts(comparison->value) || names_accounts(comparison->in) ||
           names_accounts(comparison->not_in) || names_accounts(comparison->matches);
}

bool where_names_accounts(const struct rule *rule) {
    bool names = false;
    for (size_t i = 0; i < rule->where_count && !names; i++) {
        names = asks_for_accounts(&rule->where[i]);
    }
    return names;
}

static bool all_hold(const struct rule *rule, bool lacks_accounts, const struct json *context,
                     struct arena *arena, bool *holds_out, size_t *failing_out,
                     struct error *error) {
    bool holds = true;
    size_t at = 0;
    for (; at < rule->where_count; at++) {
        if (lacks_accounts && asks_for_accounts(&rule->where[at])) {
            continue;
        }
        if (!comparison_holds(&rule->where[at], context, arena, &holds, error)) {
            return error_wrap(error, "where");
        }
        if (!holds) {
            break;
        }
    }
    if (failing_out != NULL) {
        *failing_out = at;
    }
    *holds_out = holds;
    return true;
}

bool where_holds(const struct rule *rule, const struct json *context, struct arena *arena,
                 bool *holds_out, size_t *failing_out, struct error *error) {
    return all_hold(rule, false, context, arena, holds_out, failing_out, error);
}

bool where_may_hold(const struct rule *rule, const struct json *context, struct arena *arena,
                    bool *holds_out, struct error *error) {
    return all_hold(rule, true, context, arena, holds_out, NULL, error);
}

bool where_fires(const struct rule *rule, const struct subject_event *event,
                 const struct context_self *self, const struct json *vars, struct arena *arena,
                 bool *fires_out, struct error *error) {
    *fires_out = true;
    return rule->where_count == 0 ||
           where_holds(rule,
                       context_new(event, rule->name, rule->severity, TEXT(""), self, vars, arena),
                       arena, fires_out, NULL, error);
}

/* ---- for people ---- */

static void append_test(struct buffer *out, const char *name, const struct json *test) {
    if (test != NULL) {
        buffer_append_format(out, " %s ", name);
        json_write(out, test);
    }
}

struct text where_explain(const struct comparison *comparison, const struct json *context,
                          struct arena *arena) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    const struct json *value = NULL;
    struct error error = {0};
    if (template_render(comparison->value, context, arena, &value, &error)) {
        json_write(&out, value);
    } else {
        buffer_append_string(&out, error.text);
    }
    append_test(&out, "in", comparison->in);
    append_test(&out, "not in", comparison->not_in);
    append_test(&out, "matches", comparison->matches);
    return arena_copy_text(arena, text_cut(buffer_text(&out), EXPLAINED_BYTES));
}
