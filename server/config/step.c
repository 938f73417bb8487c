#include "step.h"

#include "call.h"
#include "forms.h"
#include "placeholder.h"
#include "post.h"

#include "riposte/base/time.h"
#include "riposte/config/template.h"
#include "riposte/detect/pattern.h"
#include "riposte/event/operation.h"

#define PLACES_OF_STEP \
    (NAME_EVENT | NAME_PRINCIPAL | NAME_SELF | NAME_RULE | NAME_INCIDENT | NAME_STEPS)

/* IAM takes seconds to spread, and that long an attacker can take the change back (it is eventually
 * consistent): look soon, and again. */
static const int64_t default_after_ms[] = {5000, 15000, 60000};
#define VERIFY_MOST_MS (INT64_C(24) * 3600 * 1000)

static void add_finding(const struct reading *reading, const struct json *object,
                        const char *member, const char *what) {
    const struct json *node = json_member(object, member);
    findings_add_at(reading->findings, reading->source,
                    node == NULL ? json_offset(object) : json_key_offset(node), "%s", what);
}

/* ---- before ---- */

static const struct member before_members[] = {
    {"call", MEMBER_CALL, MEMBER_REQUIRED},
    {"with", MEMBER_OBJECT, 0},
    {"request", MEMBER_OBJECT, 0},
    {"matches", MEMBER_OBJECT, 0},
};
static const struct member_detail before_details[] = {
    {.name = "request", .form = &request_form},
    {.name = "matches", .schema = FORM_PATTERN_SCHEMA},
};
static const struct form before_form = {.name = "before",
                                        .members = before_members,
                                        .count = ARRAY_COUNT(before_members),
                                        .details = before_details,
                                        .detail_count = ARRAY_COUNT(before_details)};

static struct before *read_before(const struct reading *reading, const struct scope *scope,
                                  const struct json *node) {
    if (node == NULL) {
        return NULL;
    }
    form_check(reading, node, "a \"before\"", before_members, ARRAY_COUNT(before_members));
    struct before *before = arena_alloc(reading->arena, sizeof(*before));
    before->call = call_read_question(reading, scope, node, "a \"before\"");
    before->matches = call_read_matches(reading, scope, node);
    return before;
}

/* ---- verify ---- */

static void read_after(const struct reading *reading, const struct json *verify,
                       struct verify *verify_out) {
    const struct json *node = json_member(verify, "after");
    verify_out->after_ms = default_after_ms;
    verify_out->after_count = ARRAY_COUNT(default_after_ms);
    if (!json_is_array(node)) {
        return;
    }
    int64_t *after_ms = arena_alloc_array(reading->arena, json_count(node), sizeof(*after_ms));
    size_t count = 0;
    int64_t last_ms = 0;
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        int64_t ms = 0;
        if (!duration_parse(json_text(child), &ms) || ms <= last_ms || ms > VERIFY_MOST_MS) {
            form_refuse(reading, child, "an entry of \"after\"",
                        "a duration like \"5s\", longer than the one before, up to \"1d\"");
            return;
        }
        last_ms = ms;
        after_ms[count++] = ms;
    }
    if (count == 0) {
        add_finding(reading, verify, "after", "\"after\" needs a duration like \"5s\"");
        return;
    }
    verify_out->after_ms = after_ms;
    verify_out->after_count = count;
}

static void read_same(const struct reading *reading, const struct scope *scope,
                      const struct json *node, struct verify *verify_out) {
    if (json_count(node) != 2) {
        findings_add(reading->findings, reading->source, node,
                     "\"same\" compares two values: [\"${answer...}\", \"${sent...}\"]");
        return;
    }
    struct scope wider = *scope;
    wider.places |= NAME_ANSWER;
    scope_check_template(reading, &wider, node);
    verify_out->same_left = json_first(node);
    verify_out->same_right = json_next(json_first(node));
}

static const struct member verify_members[] = {
    {"call", MEMBER_CALL, MEMBER_REQUIRED},
    {"with", MEMBER_OBJECT, 0},
    {"request", MEMBER_OBJECT, 0},
    {"matches", MEMBER_OBJECT, 0},
    {"same", MEMBER_ARRAY, 0},
    {"missing", MEMBER_STRINGS, 0},
    {"after", MEMBER_STRINGS, 0},
};
static const struct member_detail verify_details[] = {
    {.name = "request", .form = &request_form},
    {.name = "matches", .schema = FORM_PATTERN_SCHEMA},
    {.name = "same", .schema = "{\"minItems\": 2, \"maxItems\": 2}"},
    {.name = "after", .schema = "{\"minItems\": 1, \"items\": " FORM_DURATION_SCHEMA "}"},
};
static const char *const verify_one_of[] = {"matches", "same", NULL};
static const struct form verify_form = {.name = "verify",
                                        .members = verify_members,
                                        .count = ARRAY_COUNT(verify_members),
                                        .details = verify_details,
                                        .detail_count = ARRAY_COUNT(verify_details),
                                        .one_of = verify_one_of};

static struct verify *read_verify(const struct reading *reading, const struct scope *scope,
                                  const struct json *node) {
    if (node == NULL) {
        return NULL;
    }
    form_check(reading, node, "a \"verify\"", verify_members, ARRAY_COUNT(verify_members));
    struct verify *verify = arena_alloc(reading->arena, sizeof(*verify));
    const struct json *same = json_member(node, "same");
    verify->call = call_read_question(reading, scope, node, "a \"verify\"");
    verify->matches = call_read_matches(reading, scope, node);
    verify->missing = form_texts(reading, node, "missing");
    read_after(reading, node, verify);
    if (json_is_array(same)) {
        read_same(reading, scope, same, verify);
    }
    if (json_is_object(node) && (json_member(node, "matches") != NULL) == (same != NULL)) {
        findings_add(reading->findings, reading->source, node,
                     "a \"verify\" needs \"matches\" or \"same\", and not both");
    }
    return verify;
}

/* ---- undo ---- */

static const struct member undo_members[] = {
    {"call", MEMBER_CALL, MEMBER_REQUIRED},
    {"with", MEMBER_OBJECT, 0},
    {"request", MEMBER_OBJECT, 0},
    {"tolerate", MEMBER_STRINGS, 0},
};
static const struct member_detail undo_details[] = {{.name = "request", .form = &request_form}};
static const struct form undo_form = {.name = "undo",
                                      .members = undo_members,
                                      .count = ARRAY_COUNT(undo_members),
                                      .details = undo_details,
                                      .detail_count = ARRAY_COUNT(undo_details)};

/* null says that the write is not to be taken back. */
static struct undo *read_undo(const struct reading *reading, const struct scope *scope,
                              const struct json *node) {
    if (node == NULL || json_type(node) == JSON_NULL) {
        return NULL;
    }
    form_check(reading, node, "an \"undo\"", undo_members, ARRAY_COUNT(undo_members));
    struct undo *undo = arena_alloc(reading->arena, sizeof(*undo));
    undo->call = call_read(reading, scope, node);
    undo->tolerate = form_texts(reading, node, "tolerate");
    if (undo->call.operation.bytes > 0 && operation_is_read(undo->call.operation)) {
        add_finding(reading, node, "call", "an \"undo\" changes something: this operation reads");
    }
    return undo;
}

/* ---- effect ---- */

static void note_item(void *arg, struct text path) {
    bool *has_item = arg;
    *has_item = *has_item || text_equal(path_first(path), TEXT("item"));
}

/* What stands isn't done again: two effects of the same target and name are one. */
static void check_effects_differ(const struct step_reading *steps, const struct json *step,
                                 const struct json *effect, struct text target) {
    const struct reading *reading = &steps->reading;
    bool has_item = false;
    template_each_path(effect, note_item, &has_item);
    if (json_member(step, "each") != NULL && !has_item) {
        findings_add(reading->findings, reading->source, step,
                     "a write with \"each\" makes an effect for each: give it an \"effect\" whose "
                     "target or name holds ${item}");
    }
    if (target.bytes > 0 && !text_contains(target, TEXT("${"))) {
        findings_warn(reading->findings, reading->source, effect,
                      "all events share an \"effect\" without a placeholder in its target: the "
                      "first one's stands for all");
    }
}

#define EFFECT_MEMBERS(flags)             \
    {"target", MEMBER_STRING, (flags)}, { \
        "name", MEMBER_STRING, (flags)    \
    }

static const struct member effect_members[] = {EFFECT_MEMBERS(0)};
static const struct member whole_effect_members[] = {EFFECT_MEMBERS(MEMBER_REQUIRED)};
static const struct form effect_form = {
    .name = "effect", .members = effect_members, .count = ARRAY_COUNT(effect_members)};

/* By default the principal and the step's name, where a playbook acts on a principal. */
static void read_effect(const struct step_reading *steps, const struct scope *scope,
                        const struct json *step, struct step *step_out) {
    const struct reading *reading = &steps->reading;
    bool is_principal = steps->acts_on == ACTS_ON_PRINCIPAL;
    const struct json *node = json_member(step, "effect");
    if (node != NULL) {
        form_check(reading, node, "an \"effect\"",
                   is_principal ? effect_members : whole_effect_members,
                   ARRAY_COUNT(effect_members));
    } else if (!is_principal) {
        findings_add(reading->findings, reading->source, step,
                     "a write outside a playbook that acts on a principal needs "
                     "\"effect\": {\"target\": ..., \"name\": ...}");
    }
    struct text target = call_read_template(reading, scope, node, "target");
    struct text name = call_read_template(reading, scope, node, "name");
    check_effects_differ(steps, step, node, target);
    step_out->effect_target = target.bytes > 0 ? target : TEXT("${principal.id}");
    step_out->effect_name = name.bytes > 0 ? name : step_out->name;
}

/* ---- a step ---- */

static void read_each(const struct reading *reading, struct scope *scope, const struct json *step,
                      struct step *step_out) {
    const struct json *node = json_member(step, "each");
    step_out->each = call_read_template(reading, scope, step, "each");
    if (node == NULL) {
        return;
    }
    struct placeholder whole = {0};
    struct error error = {0};
    if (json_is_string(node) && placeholder_next(step_out->each, 0, &whole, &error) &&
        (whole.start > 0 || whole.end != step_out->each.bytes)) {
        form_refuse(reading, node, "\"each\"", "one placeholder, like \"${detail.x.items[*].id}\"");
    }
    scope->places |= NAME_ITEM;
}

/* Does a pattern name a path that begins with `first`? */
static bool looks_at(const struct json *fields, const char *first) {
    bool is_found = false;
    for (const struct json *field = json_first(fields); !is_found && field != NULL;
         field = json_next(field)) {
        /* The branches of $or stand in an array: they have no name. */
        is_found = json_is_array(field) && text_equal(json_key(field), TEXT("$or"))
                       ? looks_at(field, first)
                       : text_equal_string(path_first(json_key(field)), first) ||
                             (json_key(field).bytes == 0 && looks_at(field, first));
    }
    return is_found;
}

static void check_read_members(const struct reading *reading, const struct json *step) {
    static const char *const of_writes[] = {"before", "verify", "undo", "effect"};
    for (size_t i = 0; i < ARRAY_COUNT(of_writes); i++) {
        const struct json *node = json_member(step, of_writes[i]);
        if (node != NULL) {
            findings_add_at(reading->findings, reading->source, json_key_offset(node),
                            "\"%s\" belongs to a write, and this operation only reads",
                            of_writes[i]);
        }
    }
}

static void read_write(const struct step_reading *steps, const struct scope *scope,
                       const struct json *node, struct step *step_out) {
    const struct reading *reading = &steps->reading;
    struct before *before = read_before(reading, scope, json_member(node, "before"));
    struct scope wider = *scope;
    wider.places |= NAME_SENT;
    struct verify *verify = read_verify(reading, &wider, json_member(node, "verify"));
    wider.places |= before == NULL ? 0 : NAME_PRIOR;
    struct undo *undo = step_out->edit == NULL
                            ? read_undo(reading, &wider, json_member(node, "undo"))
                            : NULL;
    struct call_template *const calls[] = {before != NULL ? &before->call : NULL,
                                           verify != NULL ? &verify->call : NULL,
                                           undo != NULL ? &undo->call : NULL};
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
        if (calls[i] != NULL) {
            call_as(reading, form_text(node, "role"), calls[i]);
        }
    }
    step_out->before = before;
    step_out->verify = verify;
    step_out->undo = step_out->edit == NULL ? undo : step_out->undo;
    read_effect(steps, scope, node, step_out);
    if (json_member(node, "undo") == NULL && step_out->edit == NULL) {
        findings_warn(
            reading->findings, reading->source, node,
            "this write can't be taken back: give it an \"undo\" (null if none is wanted)");
    }
}

static void add_name(struct step_reading *steps, const struct json *step) {
    struct text name = form_text(step, "name");
    for (size_t i = 0; i < steps->name_count; i++) {
        if (name.bytes > 0 && text_equal(name, steps->names[i])) {
            findings_add(steps->reading.findings, steps->reading.source, json_member(step, "name"),
                         "\"%.*s\" is the name of another step already", TEXT_ARG(name));
        }
    }
    steps->names[steps->name_count++] = name;
}

static const struct member step_members[] = {
    {"name", MEMBER_NAME, MEMBER_REQUIRED},
    {"when", MEMBER_OBJECT, 0},
    {"call", MEMBER_CALL, 0},
    {"with", MEMBER_OBJECT, 0},
    {"request", MEMBER_OBJECT, 0},
    {"edit", MEMBER_OBJECT, 0},
    {"account", MEMBER_STRING, 0},
    {"region", MEMBER_STRING, 0},
    {"each", MEMBER_STRING, 0},
    {"matches", MEMBER_OBJECT, 0},
    {"tolerate", MEMBER_STRINGS, 0},
    {"before", MEMBER_OBJECT, 0},
    {"verify", MEMBER_OBJECT, 0},
    {"undo", MEMBER_ANY, 0},
    {"effect", MEMBER_OBJECT, 0},
    {"role", MEMBER_STRING, 0},
    {"post", MEMBER_OBJECT, 0},
    {"append", MEMBER_OBJECT, 0},
};
static const struct member_detail step_details[] = {
    {.name = "request", .form = &request_form},
    {.name = "edit", .form = &edit_form},
    {.name = "post", .form = &post_form},
    {.name = "append", .form = &append_form},
    {.name = "when", .schema = FORM_PATTERN_SCHEMA},
    {.name = "each", .schema = "{\"pattern\": \"^[$][{].*[}]$\"}"},
    {.name = "matches", .schema = FORM_PATTERN_SCHEMA},
    {.name = "before", .form = &before_form},
    {.name = "verify", .form = &verify_form},
    {.name = "undo", .form = &undo_form},
    {.name = "effect", .form = &effect_form},
};
static const char *const step_one_of[] = {"call", "edit", "post", "append", NULL};
static const struct form step_form = {.name = "step",
                                      .members = step_members,
                                      .count = ARRAY_COUNT(step_members),
                                      .details = step_details,
                                      .detail_count = ARRAY_COUNT(step_details),
                                      .one_of = step_one_of};

static const struct member first_of_members[] = {
    {"first_of", MEMBER_ARRAY, MEMBER_REQUIRED},
    {"ladder", MEMBER_STRING, 0},
};
static const struct member_detail first_of_details[] = {
    {.name = "first_of", .form = &step_form, .schema = "{\"minItems\": 1}"},
};
const struct form first_of_form = {.name = "first_of",
                                   .members = first_of_members,
                                   .count = ARRAY_COUNT(first_of_members),
                                   .details = first_of_details,
                                   .detail_count = ARRAY_COUNT(first_of_details),
                                   .otherwise = &step_form};

/* An edit is taken back by the same edit, the other way round: nothing is left to say of it. */
static void read_edit(const struct reading *reading, const struct scope *scope,
                      const struct json *step, struct step *step_out) {
    static const char *const others[] = {"call", "with", "request", "matches", "undo"};
    struct undo *undo = arena_alloc(reading->arena, sizeof(*undo));
    for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
        const struct json *node = json_member(step, others[i]);
        if (node != NULL) {
            findings_add_at(reading->findings, reading->source, json_key_offset(node),
                            "\"%s\" can't stand beside \"edit\"", others[i]);
        }
    }
    step_out->edit = call_read_edit(reading, scope, json_member(step, "edit"), &step_out->call,
                                    &undo->call);
    call_as(reading, form_text(step, "role"), &undo->call);
    undo->tolerate = form_texts(reading, step, "tolerate");
    step_out->undo = step_out->edit != NULL ? undo : NULL;
}

/* A notification has nothing to verify or to take back. */
static void check_members(const struct reading *reading, const struct json *step, const char *kind,
                          const char *const *allowed) {
    for (const struct json *child = json_first(step); child != NULL; child = json_next(child)) {
        size_t i = 0;
        while (allowed[i] != NULL && !text_equal_string(json_key(child), allowed[i])) {
            i++;
        }
        if (allowed[i] == NULL) {
            findings_add_at(reading->findings, reading->source, json_key_offset(child),
                            "\"%.*s\" can't stand beside %s", TEXT_ARG(json_key(child)), kind);
        }
    }
}

static void check_acts_on_nobody(const struct step_reading *steps, const struct json *node) {
    if (steps->acts_on != ACTS_ON_NOBODY) {
        findings_add_at(steps->reading.findings, steps->reading.source, json_key_offset(node),
                        "only a playbook that acts on nobody %ss: name one beside this",
                        text_equal(json_key(node), TEXT("post")) ? "post" : "append");
    }
}

static void read_post(const struct step_reading *steps, const struct scope *scope,
                      const struct json *step, struct step *step_out) {
    static const char *const allowed[] = {"name", "when", "post", NULL};
    const struct json *post = json_member(step, "post");
    check_members(&steps->reading, step, "\"post\"", allowed);
    check_acts_on_nobody(steps, post);
    struct scope wider = *scope;
    wider.places |= NAME_NOTICE;
    step_out->post = post_read(&steps->reading, &wider, post);
}

static void read_append(const struct step_reading *steps, const struct scope *scope,
                        const struct json *step, struct step *step_out) {
    static const char *const allowed[] = {"name", "when", "append", NULL};
    const struct json *append = json_member(step, "append");
    check_members(&steps->reading, step, "\"append\"", allowed);
    check_acts_on_nobody(steps, append);
    struct scope wider = *scope;
    wider.places |= NAME_NOTICE;
    step_out->append = append_read(&steps->reading, &wider, append);
}

/* A call that tells somebody: nothing to verify, nothing to take back. */
static void read_notice(const struct step_reading *steps, const struct scope *scope,
                        const struct json *step, struct step *step_out) {
    static const char *const allowed[] = {"name",   "when", "call",    "with",    "request",
                                          "region", "role", "account", "matches", NULL};
    const struct reading *reading = &steps->reading;
    check_members(reading, step, "the \"call\" of a playbook that acts on nobody", allowed);
    step_out->call = call_read(reading, scope, step);
    call_as(reading, call_read_template(reading, scope, step, "role"), &step_out->call);
    step_out->account = call_read_template(reading, scope, step, "account");
    step_out->region = call_read_template(reading, scope, step, "region");
    step_out->matches = call_read_matches(reading, scope, step);
    const struct call_template *call = &step_out->call;
    if (call->operation.bytes > 0 && !operation_is_notice(call->service, call->operation)) {
        add_finding(reading, step, "call",
                    "a playbook that acts on nobody tells and changes nothing: it calls "
                    "sns:Publish, sqs:SendMessage, events:PutEvents, firehose:PutRecord or "
                    "securityhub:BatchImportFindings");
    }
}

static void read_call_step(struct step_reading *steps, const struct json *node,
                           struct step *step_out) {
    const struct reading *reading = &steps->reading;
    bool is_of_nobody = steps->acts_on == ACTS_ON_NOBODY;
    struct scope scope = {PLACES_OF_STEP | (is_of_nobody ? NAME_NOTICE : 0), steps->names,
                          steps->name_count};
    form_check(reading, node, "a step", step_members, ARRAY_COUNT(step_members));
    const struct json *edit = json_member(node, "edit");
    bool is_other = edit != NULL || json_member(node, "post") != NULL ||
                    json_member(node, "append") != NULL;
    if (json_is_object(node) && json_member(node, "call") == NULL && !is_other) {
        findings_add(reading->findings, reading->source, node,
                     "a step needs \"call\" (or is a \"first_of\")");
    }
    step_out->name = form_text(node, "name");
    read_each(reading, &scope, node, step_out);
    step_out->when = scope_check_when(reading, &scope, json_member(node, "when"));
    step_out->is_when_of_item = looks_at(json_member(node, "when"), "item");
    step_out->is_when_of_answers = looks_at(json_member(node, "when"), "steps");
    if (json_is_object(json_member(node, "post"))) {
        read_post(steps, &scope, node, step_out);
        add_name(steps, node);
        return;
    }
    if (json_is_object(json_member(node, "append"))) {
        read_append(steps, &scope, node, step_out);
        add_name(steps, node);
        return;
    }
    if (is_of_nobody) {
        read_notice(steps, &scope, node, step_out);
        add_name(steps, node);
        return;
    }
    step_out->call = call_read(reading, &scope, node);
    if (json_is_object(edit)) {
        read_edit(reading, &scope, node, step_out);
    }
    call_as(reading, call_read_template(reading, &scope, node, "role"), &step_out->call);
    step_out->account = call_read_template(reading, &scope, node, "account");
    step_out->region = call_read_template(reading, &scope, node, "region");
    step_out->matches = call_read_matches(reading, &scope, node);
    step_out->tolerate = form_texts(reading, node, "tolerate");
    step_out->is_write = step_out->call.operation.bytes > 0 &&
                         !operation_is_read(step_out->call.operation);
    if (step_out->is_write) {
        read_write(steps, &scope, node, step_out);
    } else if (step_out->call.operation.bytes > 0) {
        check_read_members(reading, node);
    }
    add_name(steps, node);
}

/* Whose: all who give the same climb it together. */
static void read_ladder(const struct step_reading *steps, const struct json *node,
                        struct step *step_out) {
    const struct reading *reading = &steps->reading;
    struct scope scope = {NAME_EVENT | NAME_PRINCIPAL, steps->names, steps->name_count};
    const struct json *ladder = json_member(node, "ladder");
    if (ladder != NULL && steps->acts_on != ACTS_ON_PRINCIPAL) {
        findings_add_at(reading->findings, reading->source, json_key_offset(ladder),
                        "only a playbook that acts on a principal has a \"ladder\"");
    }
    step_out->ladder = call_read_template(reading, &scope, node, "ladder");
}

static void read_first_of(struct step_reading *steps, const struct json *node,
                          struct step *step_out) {
    const struct reading *reading = &steps->reading;
    form_check(reading, node, "a \"first_of\"", first_of_members, ARRAY_COUNT(first_of_members));
    const struct json *array = json_member(node, "first_of");
    size_t count = json_is_array(array) ? json_count(array) : 0;
    if (json_is_array(array) && count == 0) {
        findings_add(reading->findings, reading->source, array, "a \"first_of\" needs steps");
        return;
    }
    if (steps->acts_on == ACTS_ON_NOBODY) {
        findings_add(reading->findings, reading->source, node,
                     "a playbook that acts on nobody runs all its steps: it takes no \"first_of\"");
    }
    read_ladder(steps, node, step_out);
    struct step *links = arena_alloc_array(reading->arena, count, sizeof(*links));
    const struct json *child = json_first(array);
    for (size_t i = 0; i < count; i++, child = json_next(child)) {
        if (json_member(child, "first_of") != NULL) {
            findings_add(reading->findings, reading->source, child,
                         "a \"first_of\" can't stand in another");
        } else {
            read_call_step(steps, child, &links[i]);
        }
    }
    step_out->links = links;
    step_out->link_count = count;
}

void step_read(struct step_reading *steps, const struct json *node, struct step *step_out) {
    *step_out = (struct step){0};
    if (json_member(node, "first_of") != NULL) {
        read_first_of(steps, node, step_out);
    } else {
        read_call_step(steps, node, step_out);
    }
}

size_t step_count_names(const struct json *array) {
    size_t count = 0;
    for (const struct json *child = json_first(array); child != NULL; child = json_next(child)) {
        count += 1 + json_count(json_member(child, "first_of"));
    }
    return count;
}

static void free_pattern(const struct pattern *pattern) {
    /* Ours: compiled when the step was read. */
    struct pattern *owned = (struct pattern *)pattern;
    pattern_free(&owned);
}

void step_done(struct step *step) {
    free_pattern(step->when);
    for (size_t i = 0; i < step->link_count; i++) {
        free_pattern(step->links[i].when);
    }
}
