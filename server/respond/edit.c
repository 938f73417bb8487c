#include "riposte/respond/edit.h"

#include "riposte/config/context.h"
#include "riposte/config/playbook.h"
#include "riposte/config/template.h"

#define STATEMENT "Statement"

/* ---- statements ---- */

static bool is_ours(const struct json *statement, const struct json *ours) {
    const struct json *sid = json_member(statement, "Sid");
    return sid != NULL && json_equal(sid, json_member(ours, "Sid"));
}

/* Those of the document but ours; *ours_out: how many of ours; *is_same_out: the last one is as it
 * should be. */
static struct json *others(const struct json *statements, const struct json *ours,
                           struct arena *arena, size_t *ours_out, bool *is_same_out) {
    struct json *kept = json_new_array(arena);
    /* One statement may stand without an array. */
    bool is_list = json_is_array(statements);
    for (const struct json *statement = is_list ? json_first(statements) : statements;
         statement != NULL; statement = is_list ? json_next(statement) : NULL) {
        if (is_ours(statement, ours)) {
            ++*ours_out;
            *is_same_out = json_equal(statement, ours);
        } else {
            json_add_element(kept, json_share(arena, statement));
        }
    }
    return kept;
}

static const struct json *with_statements(const struct json *document, struct json *statements,
                                          struct arena *arena) {
    struct json *made = json_new_object(arena);
    for (const struct json *member = json_first(document); member != NULL;
         member = json_next(member)) {
        bool is_it = text_equal(json_key(member), TEXT(STATEMENT));
        json_add_member(arena, made, json_key(member),
                        is_it ? statements : json_share(arena, member));
    }
    return made;
}

/* ---- the document ---- */

static bool find_statements(const struct json *document, const struct json **statements_out,
                            struct error *error) {
    size_t count = 0;
    const struct json *statements = json_find_one(document, TEXT(STATEMENT), &count);
    if (!json_is_object(document) || count != 1 ||
        (!json_is_array(statements) && !json_is_object(statements))) {
        return error_set(error, ERROR_INVALID, "what was read is no policy with statements");
    }
    *statements_out = statements;
    return true;
}

static bool read_document(const struct json *edit, const struct json *answer, struct arena *arena,
                          const struct json **document_out, struct error *error) {
    const struct json *context = context_with(json_new_object(arena), "answer", answer, arena);
    return template_render(json_member(edit, "document"), context, arena, document_out, error) ||
           error_set(error, ERROR_INVALID, "the document can't be read: %s", error->text);
}

bool edit_document(const struct json *edit, const struct json *answer, struct arena *arena,
                   const struct json **document_out, struct error *error) {
    const struct json *added = json_member(edit, "add_statement");
    const struct json *ours = added != NULL ? added : json_member(edit, "remove_statement");
    const struct json *document = NULL, *statements = NULL;
    if (!read_document(edit, answer, arena, &document, error) ||
        !find_statements(document, &statements, error)) {
        return false;
    }
    size_t count = 0;
    bool is_same = false;
    struct json *kept = others(statements, ours, arena, &count, &is_same);
    *document_out = NULL;
    if (added != NULL ? count == 1 && is_same : count == 0) {
        return true;
    }
    if (added != NULL) {
        json_add_element(kept, json_share(arena, added));
    }
    if (json_count(kept) == 0) {
        return error_set(error, ERROR_INVALID,
                         "nothing but our statement is left in the policy: replace it by hand");
    }
    *document_out = with_statements(document, kept, arena);
    return true;
}

const struct json *edit_parameters(const struct json *parameters, const struct json *document,
                                   struct arena *arena) {
    if (json_is_object(parameters) && json_count(parameters) == 1 &&
        json_member(parameters, CALL_DOCUMENT) != NULL) {
        return document;
    }
    if (!json_is_object(parameters) && !json_is_array(parameters)) {
        return parameters;
    }
    bool is_object = json_is_object(parameters);
    struct json *made = is_object ? json_new_object(arena) : json_new_array(arena);
    for (const struct json *child = json_first(parameters); child != NULL;
         child = json_next(child)) {
        struct json *value = json_share(arena, edit_parameters(child, document, arena));
        if (is_object) {
            json_add_member(arena, made, json_key(child), value);
        } else {
            json_add_element(made, value);
        }
    }
    return made;
}
