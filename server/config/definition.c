#include "riposte/config/definition.h"

#include "definition_parts.h"
#include "form.h"

#include "riposte/base/memory.h"
#include "riposte/json/writer.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

/* `public` comes first: a pointer to one is a pointer to the other. */
struct definition_box {
    struct definition public;
    atomic_uint references;
    struct arena *arena;
    struct rule *rule;
    struct playbook **playbooks;
};

static struct definition_box *box_of(struct definition *definition) {
    return (struct definition_box *)definition;
}

struct definition *definition_new(void) {
    struct definition_box *box = memory_new(sizeof(*box));
    atomic_init(&box->references, 1);
    box->arena = arena_new();
    return &box->public;
}

struct arena *definition_arena(struct definition *definition) {
    return box_of(definition)->arena;
}

void definition_set_rule(struct definition *definition, struct rule *rule) {
    box_of(definition)->rule = rule;
    definition->rule = rule;
}

/* ---- its text ---- */

/* The rule as an incident keeps it: its tests are for those who write it. */
static struct json *without_tests(const struct json *rule, struct arena *arena) {
    struct json *kept = json_new_object(arena);
    for (const struct json *member = json_first(rule); member != NULL; member = json_next(member)) {
        if (!text_equal(json_key(member), TEXT("tests"))) {
            json_add_member(arena, kept, json_key(member), json_copy(arena, member));
        }
    }
    return kept;
}

static struct blob *write_text(const struct definition *definition) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct json *root = json_new_object(arena);
    struct json *playbooks = json_new_array(arena);
    for (size_t i = 0; i < definition->playbook_count; i++) {
        json_add_element(playbooks, json_copy(arena, definition->playbooks[i]->source));
    }
    json_add_member(arena, root, TEXT("rule"), without_tests(definition->rule->source, arena));
    json_add_member(arena, root, TEXT("playbooks"), playbooks);
    json_add_member(arena, root, TEXT("vars"), json_copy(arena, definition->vars));
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    json_write(&text, root);
    return blob_from_buffer(&text);
}

/* ---- from files ---- */

static const struct playbook *find_playbook(const struct playbook *const *playbooks, size_t count,
                                            struct text name) {
    for (size_t i = 0; i < count; i++) {
        if (text_equal(playbooks[i]->name, name)) {
            return playbooks[i];
        }
    }
    return NULL;
}

static void add_playbook(struct definition_box *box, const struct json *source_root) {
    static const struct source source = {.file = "definition", .text = {"", 0}};
    scoped(findings_free) struct findings *findings = findings_new();
    struct playbook *playbook = playbook_read(&source, json_copy(box->arena, source_root),
                                              box->arena, findings);
    assert(playbook != NULL);
    box->playbooks[box->public.playbook_count++] = playbook;
}

static void make_room(struct definition_box *box, size_t playbook_count) {
    box->playbooks = arena_alloc_array(box->arena, playbook_count, sizeof(struct playbook *));
    box->public.playbooks = (const struct playbook *const *)box->playbooks;
}

void definition_complete(struct definition *definition, const struct playbook *const *playbooks,
                         size_t playbook_count, const struct json *vars) {
    struct definition_box *box = box_of(definition);
    const struct texts *names = &definition->rule->respond;
    make_room(box, names->count);
    for (size_t i = 0; i < names->count; i++) {
        const struct playbook *playbook = find_playbook(playbooks, playbook_count, names->items[i]);
        assert(playbook != NULL);
        add_playbook(box, playbook->source);
    }
    definition->vars = json_copy(box->arena, vars);
    definition->text = write_text(definition);
}

/* ---- from its text ---- */

static void read_playbooks(const struct reading *reading, const struct json *array,
                           struct definition_box *box) {
    make_room(box, json_count(array));
    for (const struct json *child = json_first(array); child != NULL; child = json_next(child)) {
        struct playbook *playbook = playbook_read(reading->source, child, reading->arena,
                                                  reading->findings);
        if (playbook != NULL) {
            box->playbooks[box->public.playbook_count++] = playbook;
        }
    }
}

static void read_parts(const struct reading *reading, struct definition *definition) {
    static const struct member members[] = {
        {"rule", MEMBER_OBJECT, MEMBER_REQUIRED},
        {"playbooks", MEMBER_ARRAY, MEMBER_REQUIRED},
        {"vars", MEMBER_OBJECT, MEMBER_REQUIRED},
    };
    const struct json *root = form_parse(reading, 0);
    if (root == NULL) {
        return;
    }
    form_check(reading, root, "a definition", members, ARRAY_COUNT(members));
    if (findings_errors(reading->findings) > 0) {
        return;
    }
    definition_set_rule(definition, rule_read(reading->source, json_member(root, "rule"), NULL,
                                              reading->arena, reading->findings));
    read_playbooks(reading, json_member(root, "playbooks"), box_of(definition));
    definition->vars = json_member(root, "vars");
}

static void check_playbooks(const struct reading *reading, const struct definition *definition) {
    if (findings_errors(reading->findings) > 0) {
        return;
    }
    for (size_t i = 0; i < definition->rule->respond.count; i++) {
        struct text name = definition->rule->respond.items[i];
        if (definition_playbook(definition, name) == NULL) {
            findings_add_at(reading->findings, reading->source, 0,
                            "the playbook \"%.*s\" is missing", TEXT_ARG(name));
        }
    }
}

/* The first line that isn't a warning. */
static bool set_first_error(const struct findings *findings, struct error *error) {
    scoped(buffer_done) struct buffer printed = BUFFER_INIT;
    findings_print(findings, &printed);
    struct text rest = buffer_text(&printed);
    struct text line;
    while (text_next_part(&rest, '\n', &line)) {
        if (!text_contains(line, TEXT(": warning: "))) {
            return error_set(error, ERROR_INVALID, "%.*s", TEXT_ARG(line));
        }
    }
    return error_set(error, ERROR_INVALID, "definition: unreadable");
}

bool definition_read(struct blob *text, struct definition **definition_out, struct error *error) {
    scoped(definition_unref) struct definition *definition = definition_new();
    scoped(findings_free) struct findings *findings = findings_new();
    struct source source = {.file = "definition", .text = blob_text(text)};
    struct reading reading = {&source, definition_arena(definition), findings};
    read_parts(&reading, definition);
    check_playbooks(&reading, definition);
    if (findings_errors(findings) > 0) {
        return set_first_error(findings, error);
    }
    definition->text = blob_ref(text);
    *definition_out = definition;
    definition = NULL;
    return true;
}

/* ---- lifetime ---- */

struct definition *definition_ref(struct definition *definition) {
    atomic_fetch_add(&box_of(definition)->references, 1);
    return definition;
}

static void free_box(struct definition_box *box) {
    if (box->rule != NULL) {
        rule_done(box->rule);
    }
    for (size_t i = 0; i < box->public.playbook_count; i++) {
        playbook_done(box->playbooks[i]);
    }
    blob_unref(&box->public.text);
    arena_free(&box->arena);
    free(box);
}

void definition_unref(struct definition **definition) {
    if (*definition != NULL && atomic_fetch_sub(&box_of(*definition)->references, 1) == 1) {
        free_box(box_of(*definition));
    }
    *definition = NULL;
}

const struct playbook *definition_playbook(const struct definition *definition, struct text name) {
    return find_playbook(definition->playbooks, definition->playbook_count, name);
}
