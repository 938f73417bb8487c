#include "riposte/config/rule.h"

#include "call.h"
#include "form.h"
#include "forms.h"
#include "rule_test.h"
#include "scope.h"
#include "threshold.h"
#include "where.h"

#include "riposte/base/time.h"
#include "riposte/detect/pattern.h"

#include <inttypes.h>

/* A retried or repeated act within minutes is one incident. */
#define DEFAULT_COOLDOWN_MS (INT64_C(5) * 60 * 1000)
#define LIMIT_MOST          1000000

#define PLACES_OF_WHEN    (NAME_EVENT | NAME_PRINCIPAL)
#define PLACES_OF_SUBJECT (NAME_EVENT | NAME_PRINCIPAL | NAME_RULE)
#define PLACES_OF_CONFIRM (NAME_EVENT | NAME_PRINCIPAL | NAME_SELF | NAME_RULE | NAME_INCIDENT)

static const struct scope scope_of_when = {PLACES_OF_WHEN, NULL, 0};
static const struct scope scope_of_subject = {PLACES_OF_SUBJECT, NULL, 0};
static const struct scope scope_of_confirm = {PLACES_OF_CONFIRM, NULL, 0};

/* ---- patterns ---- */

static void free_pattern(const struct pattern *pattern) {
    /* Ours: compiled when the rule was read. */
    struct pattern *owned = (struct pattern *)pattern;
    pattern_free(&owned);
}

static void read_pattern(const struct reading *reading, const struct json *root,
                         struct rule *rule) {
    const struct json *node = json_member(root, "pattern");
    if (!json_is_object(node)) {
        return;
    }
    rule->pattern = node;
    struct pattern *pattern = NULL;
    const struct json *culprit = NULL;
    struct error error = {0};
    if (!pattern_compile_tree(node, &pattern, &culprit, &error)) {
        findings_add(reading->findings, reading->source, culprit == NULL ? node : culprit, "%s",
                     error.text);
    }
    pattern_free(&pattern);
    if (json_member(node, "source") == NULL && json_member(node, "$or") == NULL) {
        findings_warn(reading->findings, reading->source, node,
                      "names no \"source\": whoever may put events on a bus can fire this rule");
    }
}

/* Only checked: a rule set compiles it, for all rules at once. */
static void read_when(const struct reading *reading, const struct json *root, struct rule *rule) {
    const struct json *node = json_member(root, "when");
    rule->when = json_is_object(node) ? node : NULL;
    free_pattern(scope_check_when(reading, &scope_of_when, node));
}

/* ---- confirm ---- */

static const struct member confirm_members[] = {
    {"when", MEMBER_OBJECT, 0},
    {"call", MEMBER_CALL, MEMBER_REQUIRED},
    {"with", MEMBER_OBJECT, 0},
    {"account", MEMBER_STRING, 0},
    {"region", MEMBER_STRING, 0},
    {"tolerate", MEMBER_STRINGS, 0},
    {"matches", MEMBER_OBJECT, MEMBER_REQUIRED},
    {"request", MEMBER_OBJECT, 0},
    {"role", MEMBER_STRING, 0},
};
static const struct member_detail confirm_details[] = {
    {.name = "request", .form = &request_form},
    {.name = "when", .schema = FORM_PATTERN_SCHEMA},
    {.name = "matches", .schema = FORM_PATTERN_SCHEMA},
};
static const struct form confirm_form = {.name = "confirm",
                                         .members = confirm_members,
                                         .count = ARRAY_COUNT(confirm_members),
                                         .details = confirm_details,
                                         .detail_count = ARRAY_COUNT(confirm_details)};

static void read_question(const struct reading *reading, const struct json *node,
                          struct question *question_out) {
    const struct scope *scope = &scope_of_confirm;
    form_check(reading, node, "a \"confirm\"", confirm_members, ARRAY_COUNT(confirm_members));
    question_out->when = scope_check_when(reading, scope, json_member(node, "when"));
    question_out->call = call_read_question(reading, scope, node, "a \"confirm\"");
    call_as(reading, call_read_template(reading, scope, node, "role"), &question_out->call);
    question_out->account = call_read_template(reading, scope, node, "account");
    question_out->region = call_read_template(reading, scope, node, "region");
    question_out->tolerate = form_texts(reading, node, "tolerate");
    question_out->matches = call_read_matches(reading, scope, node);
}

static void read_confirm(const struct reading *reading, const struct json *root,
                         struct rule *rule) {
    const struct json *array = json_member(root, "confirm");
    size_t count = json_is_array(array) ? json_count(array) : 0;
    struct question *questions = arena_alloc_array(reading->arena, count, sizeof(*questions));
    const struct json *child = json_first(array);
    for (size_t i = 0; i < count; i++, child = json_next(child)) {
        read_question(reading, child, &questions[i]);
    }
    rule->confirm = questions;
    rule->confirm_count = count;
}

/* ---- the rest ---- */

static const char *const severity_names[] = {"low", "medium", "high", "critical", NULL};

static void read_severity(const struct reading *reading, const struct json *root,
                          struct rule *rule) {
    const struct json *node = json_member(root, "severity");
    size_t index = 1;
    if (node != NULL) {
        (void)form_choice(reading, node, "\"severity\"", severity_names, &index);
    }
    rule->severity = text_of(severity_names[index]);
}

/* "T1562", "T1562.008". */
static bool is_technique(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        char wanted = "T0000.000"[i < 9 ? i : 0];
        char c = text.data[i];
        if (wanted == '0' ? c < '0' || c > '9' : c != wanted) {
            return false;
        }
    }
    return text.bytes == 5 || text.bytes == 9;
}

static void read_attack(const struct reading *reading, const struct json *root, struct rule *rule) {
    const struct json *array = json_member(root, "attack");
    rule->attack = form_texts(reading, root, "attack");
    for (const struct json *child = json_first(array); child != NULL; child = json_next(child)) {
        if (json_is_string(child) && !is_technique(json_text(child))) {
            form_refuse(reading, child, "an entry of \"attack\"",
                        "a technique of MITRE ATT&CK, like \"T1562\" or \"T1562.008\"");
        }
    }
}

static const char *const mode_names[] = {"observe", "approve", "enforce", NULL};

static void read_mode(const struct reading *reading, const struct json *root, struct rule *rule) {
    static const enum mode modes[] = {MODE_OBSERVE, MODE_APPROVE, MODE_ENFORCE};
    const struct json *node = json_member(root, "mode");
    size_t index = 0;
    if (node == NULL || !form_choice(reading, node, "\"mode\"", mode_names, &index)) {
        return;
    }
    rule->has_mode = true;
    rule->mode = modes[index];
}

static const struct member limit_members[] = {
    {"count", MEMBER_ANY, MEMBER_REQUIRED},
    {"per", MEMBER_DURATION, MEMBER_REQUIRED},
};
static const struct member_detail limit_details[] = {
    {.name = "count", .schema = "{\"type\": \"integer\", \"minimum\": 0, \"maximum\": 1000000}"},
};
static const struct form limit_form = {.name = "limit",
                                       .members = limit_members,
                                       .count = ARRAY_COUNT(limit_members),
                                       .details = limit_details,
                                       .detail_count = ARRAY_COUNT(limit_details)};

static void read_limit(const struct reading *reading, const struct json *root, struct rule *rule) {
    const struct json *node = json_member(root, "limit");
    if (node == NULL) {
        return;
    }
    form_check(reading, node, "a \"limit\"", limit_members, ARRAY_COUNT(limit_members));
    const struct json *count = json_member(node, "count");
    int64_t value = 0;
    if (count != NULL && (!json_integer(count, &value) || value < 0 || value > LIMIT_MOST)) {
        form_refuse(reading, count, "\"count\"", "a whole number from 0 to 1000000");
    }
    rule->has_limit = true;
    rule->limit_count = (uint32_t)value;
    rule->limit_per_ms = form_duration(node, "per", 0);
    if (json_is_object(node) && json_is_string(json_member(node, "per")) &&
        rule->limit_per_ms <= 0) {
        form_refuse(reading, json_member(node, "per"), "\"per\"", "longer than nothing");
    }
}

static void read_respond(const struct reading *reading, const struct json *root,
                         struct rule *rule) {
    const struct json *array = json_member(root, "respond");
    rule->respond = form_texts(reading, root, "respond");
    if (json_is_array(array) && json_count(array) == 0) {
        findings_add(reading->findings, reading->source, array,
                     "\"respond\" needs the name of a playbook");
    }
    const struct json *child = json_first(array);
    for (size_t i = 0; i < rule->respond.count; i++, child = json_next(child)) {
        for (size_t earlier = 0; earlier < i; earlier++) {
            if (text_equal(rule->respond.items[i], rule->respond.items[earlier])) {
                findings_add(reading->findings, reading->source, child, "\"%.*s\" is there already",
                             TEXT_ARG(rule->respond.items[i]));
            }
        }
    }
}

static void read_subject(const struct reading *reading, const struct json *root,
                         struct rule *rule) {
    struct text subject = call_read_template(reading, &scope_of_subject, root, "subject");
    rule->subject = subject.bytes > 0 ? subject : TEXT("${principal.id}");
}

static void read_release(const struct reading *reading, const struct json *root,
                         struct rule *rule) {
    const struct json *node = json_member(root, "release_after");
    rule->release_after_ms = form_duration(root, "release_after", 0);
    int64_t ms = 0;
    if (json_is_string(node) && duration_parse(json_text(node), &ms) && ms == 0) {
        form_refuse(reading, node, "\"release_after\"", "longer than nothing");
    }
}

static const struct member rule_members[] = {
    {"name", MEMBER_NAME, MEMBER_REQUIRED},
    {"description", MEMBER_STRING, 0},
    {"severity", MEMBER_ANY, 0},
    {"attack", MEMBER_STRINGS, 0},
    {"false_positives", MEMBER_STRING, 0},
    {"pattern", MEMBER_OBJECT, MEMBER_REQUIRED},
    {"when", MEMBER_OBJECT, 0},
    {"where", MEMBER_ARRAY, 0},
    {"threshold", MEMBER_OBJECT, 0},
    {"confirm", MEMBER_ARRAY, 0},
    {"subject", MEMBER_STRING, 0},
    {"cooldown", MEMBER_DURATION, 0},
    {"respond", MEMBER_STRINGS, MEMBER_REQUIRED},
    {"mode", MEMBER_ANY, 0},
    {"limit", MEMBER_OBJECT, 0},
    {"release_after", MEMBER_DURATION, 0},
    {"tests", MEMBER_ARRAY, 0},
};
static const struct member_detail rule_details[] = {
    {.name = "severity", .choices = severity_names},
    {.name = "attack",
     .schema = "{\"items\": {\"type\": \"string\","
               " \"pattern\": \"^T[0-9]{4}([.][0-9]{3})?$\"}}"},
    {.name = "pattern", .schema = FORM_PATTERN_SCHEMA},
    {.name = "when", .schema = FORM_PATTERN_SCHEMA},
    {.name = "where", .form = &where_form},
    {.name = "threshold", .form = &threshold_form},
    {.name = "confirm", .form = &confirm_form},
    {.name = "respond", .schema = "{\"minItems\": 1, \"uniqueItems\": true}"},
    {.name = "mode", .choices = mode_names},
    {.name = "limit", .form = &limit_form},
    {.name = "tests", .form = &rule_test_form},
};
const struct form rule_form = {.name = "rule",
                               .members = rule_members,
                               .count = ARRAY_COUNT(rule_members),
                               .details = rule_details,
                               .detail_count = ARRAY_COUNT(rule_details)};

static void read_members(const struct reading *reading, const struct json *root,
                         struct rule *rule) {
    rule->source = root;
    rule->name = form_text(root, "name");
    rule->description = form_text(root, "description");
    rule->false_positives = form_text(root, "false_positives");
    rule->cooldown_ms = form_duration(root, "cooldown", DEFAULT_COOLDOWN_MS);
    read_release(reading, root, rule);
    read_severity(reading, root, rule);
    read_attack(reading, root, rule);
    read_pattern(reading, root, rule);
    read_when(reading, root, rule);
    where_read(reading, json_member(root, "where"), rule);
    threshold_read(reading, root, rule);
    read_confirm(reading, root, rule);
    read_subject(reading, root, rule);
    read_respond(reading, root, rule);
    read_mode(reading, root, rule);
    read_limit(reading, root, rule);
}

struct rule *rule_read(const struct source *source, const struct json *root, const char *folder,
                       struct arena *arena, struct findings *findings) {
    size_t errors_before = findings_errors(findings);
    struct reading reading = {source, arena, findings};
    struct rule *rule = arena_alloc(arena, sizeof(*rule));
    form_check(&reading, root, "a rule", rule_members, ARRAY_COUNT(rule_members));
    read_members(&reading, root, rule);
    if (folder != NULL) {
        rule->file = arena_copy_text(arena, text_of(source->file)).data;
        rule_tests_read(&reading, json_member(root, "tests"), folder, rule);
    }
    if (findings_errors(findings) > errors_before) {
        rule_done(rule);
        return NULL;
    }
    return rule;
}

void rule_done(struct rule *rule) {
    for (size_t i = 0; i < rule->confirm_count; i++) {
        free_pattern(rule->confirm[i].when);
    }
    rule->confirm_count = 0;
}
