#include "call.h"

#include "forms.h"

#include "riposte/config/template.h"
#include "riposte/event/operation.h"

/* {"$json": ...} is sent as its text: nothing can stand beside it. */
static void check_json_members(const struct reading *reading, const struct json *node) {
    const struct json *json = json_member(node, "$json");
    if (json != NULL && json_count(node) > 1) {
        findings_add_at(reading->findings, reading->source, json_key_offset(json),
                        "\"$json\" must be the only key of its object");
    }
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        check_json_members(reading, child);
    }
}

/* ---- a REST call's request ---- */

static const char *const method_names[] = {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", NULL};

static const struct member body_members[] = {
    {"json", MEMBER_ANY, 0}, {"xml", MEMBER_OBJECT, 0}, {"raw", MEMBER_STRING, 0}};
static const char *const body_one_of[] = {"json", "xml", "raw", NULL};
static const struct member xml_members[] = {
    {"root", MEMBER_STRING, MEMBER_REQUIRED},
    {"namespace", MEMBER_STRING, 0},
    {"value", MEMBER_ANY, MEMBER_REQUIRED},
};
static const struct form xml_form = {
    .name = "xml", .members = xml_members, .count = ARRAY_COUNT(xml_members)};
static const struct member_detail body_details[] = {{.name = "xml", .form = &xml_form}};
static const struct form body_form = {.name = "body",
                                      .members = body_members,
                                      .count = ARRAY_COUNT(body_members),
                                      .details = body_details,
                                      .detail_count = ARRAY_COUNT(body_details),
                                      .one_of = body_one_of};

static const struct member request_members[] = {
    {"method", MEMBER_ANY, MEMBER_REQUIRED},
    {"path", MEMBER_STRING, MEMBER_REQUIRED},
    {"query", MEMBER_OBJECT, 0},
    {"headers", MEMBER_OBJECT, 0},
    {"host_prefix", MEMBER_STRING, 0},
    {"body", MEMBER_OBJECT, 0},
};
static const struct member_detail request_details[] = {
    {.name = "method", .choices = method_names},
    {.name = "path", .schema = "{\"pattern\": \"^/\"}"},
    {.name = "body", .form = &body_form},
};
const struct form request_form = {.name = "request",
                                  .members = request_members,
                                  .count = ARRAY_COUNT(request_members),
                                  .details = request_details,
                                  .detail_count = ARRAY_COUNT(request_details)};

/* An operation that reads by its name may not write by its method. */
static void check_method(const struct reading *reading, const struct call_template *call,
                         const struct json *request) {
    const struct json *node = json_member(request, "method");
    struct text method = json_text(node);
    size_t index = 0;
    if (node == NULL || !form_choice(reading, node, "\"method\"", method_names, &index)) {
        return;
    }
    bool writes = !text_equal(method, TEXT("GET")) && !text_equal(method, TEXT("HEAD")) &&
                  !text_equal(method, TEXT("POST"));
    if (operation_is_read(call->operation) && writes) {
        findings_add(reading->findings, reading->source, node,
                     "%.*s is named like a read, and %.*s writes", TEXT_ARG(call->operation),
                     TEXT_ARG(method));
    }
}

static void check_body(const struct reading *reading, const struct json *body) {
    if (body == NULL) {
        return;
    }
    form_check(reading, body, "a \"body\"", body_members, ARRAY_COUNT(body_members));
    if (json_is_object(body) && json_count(body) != 1) {
        findings_add(reading->findings, reading->source, body,
                     "a \"body\" needs one of \"json\", \"xml\" and \"raw\"");
    }
    const struct json *xml = json_member(body, "xml");
    if (xml != NULL) {
        form_check(reading, xml, "an \"xml\"", xml_members, ARRAY_COUNT(xml_members));
    }
}

static void check_request(const struct reading *reading, const struct call_template *call,
                          const struct json *request) {
    const struct json *path = json_member(request, "path");
    form_check(reading, request, "a \"request\"", request_members, ARRAY_COUNT(request_members));
    check_method(reading, call, request);
    check_body(reading, json_member(request, "body"));
    if (json_is_string(path) && !text_starts_with(json_text(path), TEXT("/"))) {
        form_refuse(reading, path, "\"path\"", "begun with \"/\"");
    }
}

/* ---- a call ---- */

/* What stands where a call has its parameters: an object with nothing but `member`. */
static const struct json *marked(const struct reading *reading, const char *name,
                                 const struct json *value) {
    struct json *object = json_new_object(reading->arena);
    json_add_member(reading->arena, object, text_of(name), json_share(reading->arena, value));
    return object;
}

static void refuse_marks(const struct reading *reading, const struct json *with) {
    static const char *const marks[] = {CALL_REQUEST, CALL_EDIT, CALL_AS};
    for (size_t i = 0; i < ARRAY_COUNT(marks); i++) {
        const struct json *node = json_member(with, marks[i]);
        if (node != NULL) {
            findings_add_at(reading->findings, reading->source, json_key_offset(node),
                            "\"%s\" is no parameter", marks[i]);
        }
    }
}

struct call_template call_read(const struct reading *reading, const struct scope *scope,
                               const struct json *object) {
    struct call_template call = {0};
    const struct json *with = json_member(object, "with");
    const struct json *request = json_member(object, "request");
    /* Another form was a finding already. */
    if (!form_split_call(form_text(object, "call"), &call)) {
        return call;
    }
    if (with != NULL && request != NULL) {
        findings_add_at(reading->findings, reading->source, json_key_offset(request),
                        "a call takes \"with\" or \"request\", and not both");
    } else if (json_is_object(request)) {
        check_request(reading, &call, request);
        scope_check_template(reading, scope, request);
        check_json_members(reading, request);
        call.with = marked(reading, CALL_REQUEST, request);
    } else if (json_is_object(with)) {
        scope_check_template(reading, scope, with);
        check_json_members(reading, with);
        refuse_marks(reading, with);
        call.with = with;
    }
    return call;
}

/* ---- an edit ---- */

static const struct member read_members[] = {{"call", MEMBER_CALL, MEMBER_REQUIRED},
                                             {"with", MEMBER_OBJECT, 0},
                                             {"request", MEMBER_OBJECT, 0}};
static const struct member_detail read_details[] = {{.name = "request", .form = &request_form}};
static const struct form read_form = {.name = "edit_call",
                                      .members = read_members,
                                      .count = ARRAY_COUNT(read_members),
                                      .details = read_details,
                                      .detail_count = ARRAY_COUNT(read_details)};

static const struct member edit_members[] = {
    {"read", MEMBER_OBJECT, MEMBER_REQUIRED},
    {"document", MEMBER_STRING, MEMBER_REQUIRED},
    {"write", MEMBER_OBJECT, MEMBER_REQUIRED},
    {"add_statement", MEMBER_OBJECT, MEMBER_REQUIRED},
};
static const struct member_detail edit_details[] = {
    {.name = "read", .form = &read_form},
    {.name = "write", .form = &read_form},
    {.name = "add_statement", .schema = "{\"required\": [\"Sid\"]}"},
};
const struct form edit_form = {.name = "edit",
                               .members = edit_members,
                               .count = ARRAY_COUNT(edit_members),
                               .details = edit_details,
                               .detail_count = ARRAY_COUNT(edit_details)};

/* The Sid tells our statement from all others, when it is put and when it is taken out. */
static void check_statement(const struct reading *reading, const struct scope *scope,
                            const struct json *statement) {
    const struct json *sid = json_member(statement, "Sid");
    scope_check_template(reading, scope, statement);
    if (json_is_object(statement) &&
        (!json_is_string(sid) || !text_contains(json_text(sid), TEXT("${incident.id}")))) {
        findings_add(
            reading->findings, reading->source, sid == NULL ? statement : sid,
            "a statement of ours needs a \"Sid\" with ${incident.id} in it: it is found by "
            "that");
    }
}

static void note_document(void *arg, struct text path) {
    bool *is_there = arg;
    *is_there = *is_there || text_equal(path, TEXT("document"));
}

static void check_write(const struct reading *reading, const struct json *node,
                        const struct call_template *write) {
    bool has_document = false;
    if (write->with != NULL) {
        template_each_path(write->with, note_document, &has_document);
    }
    if (write->operation.bytes > 0 && operation_is_read(write->operation)) {
        findings_add(reading->findings, reading->source, json_member(node, "call"),
                     "a \"write\" changes something: this operation reads");
    } else if (write->operation.bytes > 0 && !has_document) {
        findings_add(reading->findings, reading->source, node,
                     "a \"write\" sends the document: give it a parameter that is "
                     "\"${document}\" or {\"$json\": \"${document}\"}");
    }
}

/* The same edit with `name` instead of its last member. */
static const struct json *make_edit(const struct reading *reading, const struct edit *edit,
                                    const struct json *node, const char *name) {
    struct arena *arena = reading->arena;
    const struct call_template *calls[] = {&edit->read, &edit->write};
    const char *const names[] = {"read", "write"};
    struct json *made = json_new_object(arena);
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
        struct json *call = json_new_object(arena);
        json_add_text(arena, call, "service", calls[i]->service);
        json_add_text(arena, call, "operation", calls[i]->operation);
        json_add_member(arena, call, TEXT("parameters"),
                        calls[i]->with != NULL ? json_share(arena, calls[i]->with)
                                               : json_new_object(arena));
        json_add_member(arena, made, text_of(names[i]), call);
    }
    json_add_member(arena, made, TEXT("document"),
                    json_share(arena, json_member(node, "document")));
    json_add_member(arena, made, text_of(name),
                    json_share(arena, json_member(node, "add_statement")));
    return marked(reading, CALL_EDIT, made);
}

static bool read_edit(const struct reading *reading, const struct scope *scope,
                      const struct json *node, struct edit *edit) {
    size_t errors_before = findings_errors(reading->findings);
    static const struct scope of_document = {NAME_ANSWER, NULL, 0};
    struct scope of_write = *scope;
    of_write.places |= NAME_DOCUMENT;
    form_check(reading, node, "an \"edit\"", edit_members, ARRAY_COUNT(edit_members));
    const struct json *read = json_member(node, "read");
    const struct json *write = json_member(node, "write");
    if (!json_is_object(read) || !json_is_object(write)) {
        return false; /* a finding already */
    }
    form_check(reading, read, "a \"read\"", read_members, ARRAY_COUNT(read_members));
    form_check(reading, write, "a \"write\"", read_members, ARRAY_COUNT(read_members));
    scope_check_template(reading, &of_document, json_member(node, "document"));
    check_statement(reading, scope, json_member(node, "add_statement"));
    edit->read = call_read_question(reading, scope, read, "a \"read\"");
    edit->write = call_read(reading, &of_write, write);
    check_write(reading, write, &edit->write);
    return findings_errors(reading->findings) == errors_before;
}

const struct edit *call_read_edit(const struct reading *reading, const struct scope *scope,
                                  const struct json *node, struct call_template *call_out,
                                  struct call_template *undo_out) {
    struct edit *edit = arena_alloc(reading->arena, sizeof(*edit));
    if (!read_edit(reading, scope, node, edit)) {
        return NULL;
    }
    *call_out = *undo_out = edit->write;
    call_out->with = make_edit(reading, edit, node, "add_statement");
    undo_out->with = make_edit(reading, edit, node, "remove_statement");
    return edit;
}

/* ---- what else a step has ---- */

void call_as(const struct reading *reading, struct text role, struct call_template *call) {
    struct arena *arena = reading->arena;
    if (role.bytes == 0 || call->operation.bytes == 0) {
        return;
    }
    struct json *made = json_new_object(arena);
    json_add_text(arena, made, "role", role);
    json_add_member(arena, made, TEXT("parameters"),
                    call->with != NULL ? json_share(arena, call->with) : json_new_object(arena));
    call->with = marked(reading, CALL_AS, made);
}

struct call_template call_read_question(const struct reading *reading, const struct scope *scope,
                                        const struct json *object, const char *what) {
    struct call_template call = call_read(reading, scope, object);
    if (call.operation.bytes > 0 && !operation_is_read(call.operation)) {
        findings_add(reading->findings, reading->source, json_member(object, "call"),
                     "%s only asks: use an operation named Get, List, Describe, Lookup or Head",
                     what);
    }
    return call;
}

struct text call_read_template(const struct reading *reading, const struct scope *scope,
                               const struct json *object, const char *name) {
    const struct json *node = json_member(object, name);
    if (!json_is_string(node)) {
        return TEXT("");
    }
    scope_check_template(reading, scope, node);
    return json_text(node);
}

const struct json *call_read_matches(const struct reading *reading, const struct scope *scope,
                                     const struct json *object) {
    const struct json *node = json_member(object, "matches");
    scope_check_matches(reading, scope, node);
    return json_is_object(node) ? node : NULL;
}
