#include "scope.h"

#include "placeholder.h"
#include "suggest.h"

#include "riposte/config/template.h"
#include "riposte/detect/pattern.h"

#include <stdio.h>

/* ---- one path ---- */

/* Where a path stands, and how it is written there. */
struct path_place {
    const struct reading *reading;
    const struct scope *scope;
    const struct json *node;
    size_t offset; /* of what to point at */
};

static void refuse_path(const struct path_place *place, struct text path, const char *why,
                        const char *hint) {
    findings_add_at(place->reading->findings, place->reading->source, place->offset,
                    "\"%.*s\": %s%s", TEXT_ARG(path), why, hint);
}

static void refuse_first(const struct path_place *place, struct text path) {
    struct suggestion near;
    suggestion_init(&near, path_first(path));
    for (size_t i = 0; i < context_name_count; i++) {
        suggestion_offer(&near, text_of(context_names[i].name));
    }
    char hint[SUGGESTION_BYTES];
    refuse_path(place, path, "an event has no such member, nor has what is known about it",
                suggestion_text(&near, hint));
}

static void check_member_of(const struct path_place *place, struct text path,
                            const struct context_name *name) {
    struct text member = path_first(path_rest(path));
    struct suggestion near;
    suggestion_init(&near, member);
    for (size_t i = 0; name->members[i] != NULL; i++) {
        if (member.bytes == 0 || text_equal_string(member, name->members[i])) {
            return;
        }
        suggestion_offer(&near, text_of(name->members[i]));
    }
    char hint[SUGGESTION_BYTES];
    char why[64];
    snprintf(why, sizeof(why), "%s has no such member", name->name);
    refuse_path(place, path, why, suggestion_text(&near, hint));
}

static void check_step(const struct path_place *place, struct text path) {
    const struct scope *scope = place->scope;
    struct text step = path_first(path_rest(path));
    struct suggestion near;
    suggestion_init(&near, step);
    for (size_t i = 0; i < scope->step_count; i++) {
        if (text_equal(step, scope->steps[i])) {
            return;
        }
        suggestion_offer(&near, scope->steps[i]);
    }
    char hint[SUGGESTION_BYTES];
    refuse_path(place, path, "no step of that name comes before this one",
                suggestion_text(&near, hint));
}

static bool is_ours(const struct path_place *place, const struct context_name *name,
                    struct text path) {
    struct text member = path_first(path_rest(path));
    bool is_known = false;
    for (size_t i = 0; !is_known && names_ours[i] != NULL; i++) {
        is_known = text_equal_string(member, names_ours[i]);
    }
    return is_known && name->place == NAME_SELF && (place->scope->places & NAME_OURS) != 0;
}

static void check_path(const struct path_place *place, struct text path) {
    const struct context_name *name = context_name_find(path_first(path));
    if (name == NULL) {
        refuse_first(place, path);
    } else if (is_ours(place, name, path)) {
        return;
    } else if ((place->scope->places & name->place) == 0) {
        refuse_path(place, path, "can't be used here: ",
                    name->needs != NULL ? name->needs : "only an \"answer\" is known");
    } else if (name->place == NAME_STEPS) {
        check_step(place, path);
    } else if (name->members != NULL) {
        check_member_of(place, path, name);
    }
}

/* ---- templates ---- */

static void check_text(const struct path_place *place, struct text text) {
    struct placeholder found = {0};
    struct error error;
    while (placeholder_next(text, found.end, &found, &error) && found.start < text.bytes) {
        check_path(place, found.path);
        check_text(place, found.fallback);
    }
}

static void check_node(struct path_place *place, const struct json *node) {
    if (json_is_string(node)) {
        place->offset = json_offset(node);
        check_text(place, json_text(node));
    }
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        check_node(place, child);
    }
}

void scope_check_template(const struct reading *reading, const struct scope *scope,
                          const struct json *node) {
    const struct json *culprit = NULL;
    struct error error = {0};
    if (node == NULL) {
        return;
    }
    if (!template_check(node, &culprit, &error)) {
        findings_add(reading->findings, reading->source, culprit, "%s", error.text);
        return;
    }
    struct path_place place = {.reading = reading, .scope = scope};
    check_node(&place, node);
}

/* ---- patterns ---- */

static void refuse_pattern(const struct reading *reading, const struct json *node,
                           const struct json *culprit, const struct error *error) {
    /* A node that was made, not read, has no place. */
    bool has_place = culprit != NULL && json_offset(culprit) > 0;
    findings_add(reading->findings, reading->source, has_place ? culprit : node, "%s", error->text);
}

static bool has_placeholder(const struct json *node) {
    bool is_found = json_is_string(node) && text_contains(json_text(node), TEXT("${"));
    for (const struct json *child = json_first(node); !is_found && child != NULL;
         child = json_next(child)) {
        is_found = has_placeholder(child);
    }
    return is_found;
}

/* `prefix`: the path of `fields`. The first two parts of a path are what can be judged. */
static void check_fields(struct path_place *place, struct text prefix, const struct json *fields);

static void check_field(struct path_place *place, struct text prefix, const struct json *field) {
    struct text path = path_join(place->reading->arena, prefix, json_key(field));
    if (json_is_object(field) && path_rest(path).bytes == 0) {
        check_fields(place, path, field);
    } else {
        place->offset = json_key_offset(field);
        check_path(place, path);
    }
}

static void check_fields(struct path_place *place, struct text prefix, const struct json *fields) {
    for (const struct json *field = json_first(fields); field != NULL; field = json_next(field)) {
        bool is_choice = text_equal(json_key(field), TEXT("$or")) && json_is_array(field);
        if (!is_choice) {
            check_field(place, prefix, field);
            continue;
        }
        for (const struct json *branch = json_first(field); branch != NULL;
             branch = json_next(branch)) {
            check_fields(place, prefix, branch);
        }
    }
}

struct pattern *scope_check_when(const struct reading *reading, const struct scope *scope,
                                 const struct json *node) {
    struct pattern *pattern = NULL;
    const struct json *culprit = NULL;
    struct error error = {0};
    if (!json_is_object(node)) {
        return NULL;
    }
    if (!pattern_compile_tree(node, &pattern, &culprit, &error)) {
        refuse_pattern(reading, node, culprit, &error);
        return NULL;
    }
    if (has_placeholder(node)) {
        findings_warn(reading->findings, reading->source, node,
                      "a \"when\" is literal: no placeholder in it is filled");
    }
    struct path_place place = {.reading = reading, .scope = scope};
    check_fields(&place, TEXT(""), node);
    return pattern;
}

/* `node` with `stand_in` for each string that holds a placeholder. */
static struct json *with_stand_ins(const struct json *node, const struct json *stand_in,
                                   struct arena *arena) {
    if (json_is_string(node) && text_contains(json_text(node), TEXT("${"))) {
        return json_copy(arena, stand_in);
    }
    if (!json_is_object(node) && !json_is_array(node)) {
        return json_copy(arena, node);
    }
    struct json *made = json_is_object(node) ? json_new_object(arena) : json_new_array(arena);
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        struct json *value = with_stand_ins(child, stand_in, arena);
        if (json_is_object(node)) {
            json_add_member(arena, made, json_key(child), value);
        } else {
            json_add_element(made, value);
        }
    }
    return made;
}

static bool compiles(const struct json *node, const struct json **culprit_out,
                     struct error *error) {
    struct pattern *pattern = NULL;
    bool is_good = pattern_compile_tree(node, &pattern, culprit_out, error);
    pattern_free(&pattern);
    return is_good;
}

void scope_check_matches(const struct reading *reading, const struct scope *scope,
                         const struct json *node) {
    if (!json_is_object(node)) {
        return;
    }
    scope_check_template(reading, scope, node);
    struct error error = {0};
    const struct json *culprit = NULL;
    if (compiles(node, &culprit, &error)) {
        return;
    }
    /* What a placeholder will hold isn't known: a string, a number or an address must do. */
    struct arena *arena = reading->arena;
    const struct json *const stand_ins[] = {json_new_string(arena, TEXT("x")),
                                            json_new_integer(arena, 1),
                                            json_new_string(arena, TEXT("192.0.2.0/24"))};
    for (size_t i = 0; has_placeholder(node) && i < ARRAY_COUNT(stand_ins); i++) {
        struct error ignored = {0};
        if (compiles(with_stand_ins(node, stand_ins[i], arena), NULL, &ignored)) {
            return;
        }
    }
    refuse_pattern(reading, node, culprit, &error);
}

/* ---- vars ---- */

static void check_vars_in_text(const struct path_place *place, struct text text,
                               const struct json *vars) {
    struct placeholder found = {0};
    struct error error;
    while (placeholder_next(text, found.end, &found, &error) && found.start < text.bytes) {
        if (text_equal(path_first(found.path), TEXT("vars")) && !found.has_default &&
            json_find(vars, path_rest(found.path), NULL, NULL) == 0) {
            refuse_path(place, found.path, "the settings' \"vars\" have no such member", "");
        }
        check_vars_in_text(place, found.fallback, vars);
    }
}

void scope_check_vars(const struct reading *reading, const struct json *node,
                      const struct json *vars) {
    if (json_is_string(node)) {
        struct path_place place = {.reading = reading, .offset = json_offset(node)};
        check_vars_in_text(&place, json_text(node), vars);
    }
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        scope_check_vars(reading, child, vars);
    }
}
