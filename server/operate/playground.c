/* POST /v1/plan: what rules would make of an event, or what a pattern says of it. Asks nobody. On a
 * thread of its own: a pattern may cost a second. */
#include "admin_parts.h"
#include "answers.h"
#include "routes.h"
#include "view.h"

#include "riposte/base/memory.h"
#include "riposte/json/writer.h"
#include "riposte/respond/rehearsal.h"

#include <assert.h>
#include <stdlib.h>

#define BODY_MEMBERS "event, pattern and rule"

/* What is asked: an event, with one of these or none. */
struct asked_plan {
    const struct json *event, *pattern; /* pattern NULL: rules */
    struct text rule;                   /* empty: those that match */
};

/* An object, or a string that holds one as text: pasted as it is. NULL: absent. */
static bool read_object(const struct json *root, const char *name, struct arena *arena,
                        const struct json **object_out, struct error *error) {
    const struct json *node = json_member(root, name);
    if (json_is_string(node) && !json_parse(json_text(node), 0, arena, &node, NULL, error)) {
        return error_wrap(error, "%s", name);
    }
    *object_out = node;
    return node == NULL || json_is_object(node) ||
           error_set(error, ERROR_INVALID, "%s: must be an object, or its text", name);
}

static bool check_members(const struct json *root, struct error *error) {
    static const struct text known[] = {TEXT_INIT("event"), TEXT_INIT("pattern"),
                                        TEXT_INIT("rule")};
    for (const struct json *member = json_first(root); member != NULL; member = json_next(member)) {
        bool is_known = false;
        for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
            is_known |= text_equal(json_key(member), known[i]);
        }
        if (!is_known) {
            return error_set(error, ERROR_INVALID, "%.*s: not known; " BODY_MEMBERS " are",
                             TEXT_ARG(json_key(member)));
        }
    }
    return true;
}

static bool read_question(struct text body, struct arena *arena, struct asked_plan *question,
                          struct error *error) {
    const struct json *root = NULL;
    if (!json_parse(body, 0, arena, &root, NULL, error)) {
        return false;
    }
    if (!json_is_object(root)) {
        return error_set(error, ERROR_INVALID, "the body must be an object with " BODY_MEMBERS);
    }
    const struct json *rule = json_member(root, "rule");
    question->rule = json_text(rule);
    if (!check_members(root, error) ||
        !read_object(root, "event", arena, &question->event, error) ||
        !read_object(root, "pattern", arena, &question->pattern, error)) {
        return false;
    }
    if (question->event == NULL) {
        return error_set(error, ERROR_INVALID, "event: missing");
    }
    if (rule != NULL && (!json_is_string(rule) || question->rule.bytes == 0)) {
        return error_set(error, ERROR_INVALID, "rule: must be a rule's name");
    }
    return rule == NULL || question->pattern == NULL ||
           error_set(error, ERROR_INVALID, "a pattern or a rule, not both");
}

static struct json *list_of(const struct texts *texts, struct arena *arena) {
    struct json *list = json_new_array(arena);
    for (size_t i = 0; i < texts->count; i++) {
        json_add_element(list, json_new_string(arena, texts->items[i]));
    }
    return list;
}

static void add_flag(struct json *object, struct text key, bool value, struct arena *arena) {
    json_add_member(arena, object, key, json_new_literal(arena, value ? JSON_TRUE : JSON_FALSE));
}

static bool try_pattern(const struct asked_plan *question, struct arena *arena, struct json *answer,
                        struct error *error) {
    struct texts why = {0};
    bool is_match = false;
    if (!rehearse_pattern(question->pattern, question->event, arena, &is_match, &why, error)) {
        return false;
    }
    add_flag(answer, TEXT("match"), is_match, arena);
    json_add_member(arena, answer, TEXT("why"), list_of(&why, arena));
    return true;
}

static struct json *show_rehearsal(const struct rehearsal *rehearsal, struct arena *arena) {
    struct json *shown = json_new_object(arena);
    json_add_text(arena, shown, "rule", rehearsal->rule->name);
    json_add_text(arena, shown, "severity", rehearsal->rule->severity);
    add_flag(shown, TEXT("fires"), rehearsal->end == REHEARSAL_FIRES, arena);
    if (rehearsal->reason.bytes > 0) {
        json_add_text(arena, shown, "reason", rehearsal->reason);
    }
    json_add_member(arena, shown, TEXT("why"), list_of(&rehearsal->why, arena));
    if (rehearsal->end == REHEARSAL_FIRES) {
        json_add_member(arena, shown, TEXT("plan"),
                        json_copy(arena, dry_to_json(&rehearsal->run, arena)));
    }
    return shown;
}

static bool try_rules(const struct snapshot *snapshot, const struct asked_plan *question,
                      struct arena *arena, struct json *answer, struct error *error) {
    scoped(buffer_done) struct buffer event = BUFFER_INIT;
    struct rehearsal *rehearsals = NULL;
    size_t count = 0;
    bool is_match = false;
    json_write(&event, question->event);
    if (!rehearse(snapshot, arena_copy_text(arena, buffer_text(&event)), question->rule, arena,
                  &rehearsals, &count, error)) {
        return error_wrap(error, "event");
    }
    struct json *rules = json_new_array(arena);
    for (size_t i = 0; i < count; i++) {
        is_match |= rehearsals[i].end == REHEARSAL_FIRES;
        json_add_element(rules, show_rehearsal(&rehearsals[i], arena));
    }
    add_flag(answer, TEXT("match"), is_match, arena);
    json_add_member(arena, answer, TEXT("rules"), rules);
    return true;
}

static void run_plan(void *arg) {
    struct long_request *asked = arg;
    struct request *request = asked->request;
    struct errand *errand = &asked->admin->rehearsals;
    scoped(access_unref) struct access *access = admin_access(asked->admin);
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct json *answer = json_new_object(arena);
    struct asked_plan question = {0};
    struct error error = {0};
    free(asked);
    bool is_ok = read_question(blob_text(request_body(request)), arena, &question, &error) &&
                 (question.pattern != NULL
                      ? try_pattern(&question, arena, answer, &error)
                      : access != NULL &&
                            try_rules(access_snapshot(access), &question, arena, answer, &error));
    errand_end(errand);
    if (is_ok) {
        json_write(&text, answer);
        request_answer(request, &(struct answer){.status = 200, .body = buffer_text(&text)});
    } else {
        request_answer_error(request, error.code == ERROR_NOT_FOUND ? 404 : 400, error.text);
    }
}

void handle_plan(void *arg, struct request *request) {
    struct admin *admin = arg;
    errand_answer(&admin->rehearsals, admin, request, run_plan);
}
