#include "admin_parts.h"
#include "answers.h"
#include "routes.h"
#include "view.h"

#include "riposte/json/writer.h"
#include "riposte/respond/rule_test.h"

#include <assert.h>

/* How often it fired, of the incidents that are kept. */
static void add_count(struct json_object *object, const struct journal_census *census,
                      struct text rule) {
    static const struct journal_rule_count none = {0};
    const struct journal_rule_count *count = &none;
    for (size_t i = 0; i < census->rule_count; i++) {
        count = text_equal(census->rules[i].rule, rule) ? &census->rules[i] : count;
    }
    json_object_object_add(object, "incidents", json_object_new_int64((int64_t)count->incidents));
    view_add_time(object, "latest", count->latest_unix_ms);
}

/* What each test expects; with results also what came. */
static void add_tests(struct json_object *object, const struct rule *rule,
                      const struct rule_test_result *results) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < rule->test_count; i++) {
        const struct rule_test *test = &rule->tests[i];
        struct json_object *shown = json_object_new_object();
        view_add_text(shown, "name", test->name);
        json_object_object_add(shown, "match", json_object_new_boolean(test->is_match));
        if (test->has_calls) {
            json_object_object_add(shown, "calls", view_texts(&test->calls));
        }
        if (results != NULL) {
            json_object_object_add(shown, "passes",
                                   json_object_new_boolean(results[i].what.bytes == 0));
            view_add_text(shown, "what", results[i].what);
            view_add_json(shown, "event", test->event_text);
        }
        json_object_array_add(list, shown);
    }
    json_object_object_add(object, "tests", list);
}

static struct json_object *show_rule(const struct snapshot *snapshot, const struct rule *rule,
                                     const struct journal_census *census,
                                     const struct rule_test_result *results) {
    struct json_object *object = view_rule(snapshot, rule);
    add_count(object, census, rule->name);
    add_tests(object, rule, results);
    return object;
}

static void answer_rules(struct request *request, const struct snapshot *snapshot,
                         const struct journal_census *census) {
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        json_object_array_add(list,
                              show_rule(snapshot, snapshot->definitions[i]->rule, census, NULL));
    }
    answer_list(request, "rules", list);
}

/* One with its text, and its tests as they come out now. */
static void answer_rule(struct request *request, const struct snapshot *snapshot, size_t index,
                        const struct journal_census *census) {
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer source = BUFFER_INIT;
    const struct rule *rule = snapshot->definitions[index]->rule;
    struct json_object *object = show_rule(snapshot, rule, census,
                                           rule_test_results(snapshot, index, arena));
    json_write(&source, rule->source);
    view_add_json(object, "source", buffer_text(&source));
    answer_object(request, 200, object);
}

/* All of them, or the one that the path names. */
void handle_rules(void *arg, struct request *request) {
    struct admin *admin = arg;
    scoped(access_unref) struct access *access = admin_access(admin);
    const struct journal_census *census = NULL;
    struct error error = {0};
    assert(access != NULL); /* the gate found a token in it, and it is only ever replaced */
    const struct snapshot *snapshot = access_snapshot(access);
    struct text path = request_path(request);
    bool is_list = text_equal(path, TEXT(ROUTE_RULES));
    size_t index = snapshot_find_rule(snapshot,
                                      text_slice(path, sizeof(ROUTE_RULES "/") - 1, path.bytes));
    if (!is_list && index == snapshot->rule_count) {
        request_answer_error(request, 404, "there is no such rule");
    } else if (!census_recent(&admin->census, admin->options.journal, &census, &error)) {
        answer_failure(request, &error);
    } else if (is_list) {
        answer_rules(request, snapshot, census);
    } else {
        answer_rule(request, snapshot, index, census);
    }
}
