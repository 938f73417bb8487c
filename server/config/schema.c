#include "riposte/config/schema.h"

#include "forms.h"
#include "settings_keys.h"

#include <assert.h>
#include <string.h>

#define DIALECT TEXT("https://json-schema.org/draft/2020-12/schema")

/* What all patterns have in common; `riposte check` knows the operators. */
#define PATTERN_SCHEMA                                                                    \
    "{\"type\": \"object\", \"minProperties\": 1, \"additionalProperties\": {\"anyOf\": " \
    "[{\"type\": \"array\", \"minItems\": 1}, {\"$ref\": \"#/$defs/pattern\"}]}}"

struct schema {
    struct arena *arena;
    struct json *definitions; /* $defs */
};

/* Our own text. */
static struct json *parse(struct arena *arena, const char *text) {
    const struct json *node = NULL;
    struct error error = {0};
    bool is_json = json_parse(text_of(text), 0, arena, &node, NULL, &error);
    assert(is_json);
    return json_copy(arena, node);
}

static void add_string(struct arena *arena, struct json *array, const char *string) {
    json_add_element(array, json_new_string(arena, text_of(string)));
}

/* {key: value} */
static struct json *only(struct arena *arena, const char *key, struct json *value) {
    struct json *object = json_new_object(arena);
    json_add_member(arena, object, text_of(key), value);
    return object;
}

/* `base` with the keywords of `text`, which win. */
static struct json *with_keywords(struct arena *arena, struct json *base, const char *text) {
    struct json *keywords = parse(arena, text);
    for (const struct json *member = json_first(base); member != NULL; member = json_next(member)) {
        if (json_member_text(keywords, json_key(member)) == NULL) {
            json_add_member(arena, keywords, json_key(member), json_copy(arena, member));
        }
    }
    return keywords;
}

/* ---- forms ---- */

static struct json *refer(struct schema *schema, const struct form *form);

static const struct member_detail *find_detail(const struct form *form, const char *name) {
    for (size_t i = 0; i < form->detail_count; i++) {
        if (strcmp(form->details[i].name, name) == 0) {
            return &form->details[i];
        }
    }
    return NULL;
}

static struct json *of_choices(struct arena *arena, const char *const *choices) {
    struct json *array = json_new_array(arena);
    for (size_t i = 0; choices[i] != NULL; i++) {
        add_string(arena, array, choices[i]);
    }
    return only(arena, "enum", array);
}

/* The object itself, an array of such, or (of any kind) the object or null. */
static struct json *of_form(struct schema *schema, const struct member *member,
                            const struct form *form) {
    struct arena *arena = schema->arena;
    struct json *reference = refer(schema, form);
    if (member->kind == MEMBER_OBJECT) {
        return reference;
    }
    if (member->kind == MEMBER_ARRAY) {
        struct json *array = parse(arena, form_kind_schema(MEMBER_ARRAY));
        json_add_member(arena, array, TEXT("items"), reference);
        return array;
    }
    struct json *either = json_new_array(arena);
    json_add_element(either, parse(arena, "{\"type\": \"null\"}"));
    json_add_element(either, reference);
    return only(arena, "anyOf", either);
}

static struct json *of_member(struct schema *schema, const struct form *form,
                              const struct member *member) {
    struct arena *arena = schema->arena;
    const struct member_detail *detail = find_detail(form, member->name);
    if (detail != NULL && detail->choices != NULL) {
        return of_choices(arena, detail->choices);
    }
    struct json *node = detail != NULL && detail->form != NULL
                            ? of_form(schema, member, detail->form)
                            : parse(arena, form_kind_schema(member->kind));
    return detail == NULL || detail->schema == NULL ? node
                                                    : with_keywords(arena, node, detail->schema);
}

static struct json *of_one(const struct schema *schema, const struct form *form) {
    struct json *branches = json_new_array(schema->arena);
    for (size_t i = 0; form->one_of[i] != NULL; i++) {
        struct json *required = json_new_array(schema->arena);
        add_string(schema->arena, required, form->one_of[i]);
        json_add_element(branches, only(schema->arena, "required", required));
    }
    return branches;
}

static struct json *define(struct schema *schema, const struct form *form) {
    struct arena *arena = schema->arena;
    struct json *object = parse(arena, "{\"type\": \"object\", \"additionalProperties\": false}");
    struct json *required = json_new_array(arena);
    struct json *properties = json_new_object(arena);
    for (size_t i = 0; i < form->count; i++) {
        const struct member *member = &form->members[i];
        json_add_member(arena, properties, text_of(member->name), of_member(schema, form, member));
        if ((member->flags & MEMBER_REQUIRED) != 0) {
            add_string(arena, required, member->name);
        }
    }
    json_add_member(arena, object, TEXT("required"), required);
    if (form->one_of != NULL) {
        json_add_member(arena, object, TEXT("oneOf"), of_one(schema, form));
    }
    json_add_member(arena, object, TEXT("properties"), properties);
    return object;
}

static struct json *reference_to(struct arena *arena, const char *name) {
    return only(arena, "$ref", json_new_string(arena, arena_format(arena, "#/$defs/%s", name)));
}

/* A form whose first member is there, else the other form. */
static struct json *refer_to_either(struct schema *schema, const struct form *form) {
    struct arena *arena = schema->arena;
    struct json *required = json_new_array(arena);
    add_string(arena, required, form->members[0].name);
    struct json *either = only(arena, "if", only(arena, "required", required));
    json_add_member(arena, either, TEXT("then"), reference_to(arena, form->name));
    json_add_member(arena, either, TEXT("else"), refer(schema, form->otherwise));
    return either;
}

/* Defines the form when it is met first. */
static struct json *refer(struct schema *schema, const struct form *form) {
    if (json_member(schema->definitions, form->name) == NULL) {
        json_add_member(schema->arena, schema->definitions, text_of(form->name),
                        define(schema, form));
    }
    return form->otherwise == NULL ? reference_to(schema->arena, form->name)
                                   : refer_to_either(schema, form);
}

/* ---- settings ---- */

static struct json *of_key(struct schema *schema, const struct key *key) {
    struct arena *arena = schema->arena;
    struct json *node = parse(arena, key->type->schema);
    struct text type = json_text(json_member(node, "type"));
    if (key->type->form != NULL) {
        json_add_member(arena, node, TEXT("items"), refer(schema, key->type->form));
    }
    if (text_equal(type, TEXT("integer"))) {
        json_add_member(arena, node, TEXT("minimum"), json_new_integer(arena, key->least));
        json_add_member(arena, node, TEXT("maximum"), json_new_integer(arena, key->most));
    }
    json_add_text(arena, node, "description", text_of(key->means));
    json_add_member(arena, node, TEXT("default"), parse(arena, key->fallback));
    return node;
}

static struct json *new_section(struct arena *arena) {
    struct json *section = parse(arena, "{\"type\": \"object\", \"additionalProperties\": false}");
    json_add_member(arena, section, TEXT("properties"), json_new_object(arena));
    return section;
}

/* Sections stand together in the table: an object for each name before the last. */
static void add_key(struct schema *schema, struct json *root, const struct key *key) {
    struct text rest = text_of(key->path);
    struct text name;
    /* All sections were made here: they may be added to. */
    struct json *properties = (struct json *)json_member(root, "properties");
    while (text_next_part(&rest, '.', &name) && rest.bytes > 0) {
        if (json_member_text(properties, name) == NULL) {
            json_add_member(schema->arena, properties, name, new_section(schema->arena));
        }
        const struct json *section = json_member_text(properties, name);
        properties = (struct json *)json_member(section, "properties");
    }
    json_add_member(schema->arena, properties, name, of_key(schema, key));
}

static struct json *of_settings(struct schema *schema) {
    struct json *root = new_section(schema->arena);
    for (size_t i = 0; i < settings_key_count; i++) {
        add_key(schema, root, &settings_keys[i]);
    }
    return root;
}

/* ---- a schema ---- */

const struct json *schema_make(enum schema_kind kind, struct arena *arena) {
    static const char *const titles[] = {[SCHEMA_SETTINGS] = "Riposte: settings",
                                         [SCHEMA_RULE] = "Riposte: a rule",
                                         [SCHEMA_PLAYBOOK] = "Riposte: a playbook"};
    struct schema schema = {arena, json_new_object(arena)};
    struct json *root = kind == SCHEMA_SETTINGS ? of_settings(&schema)
                        : kind == SCHEMA_RULE   ? refer(&schema, &rule_form)
                                                : refer(&schema, &playbook_form);
    if (kind != SCHEMA_SETTINGS) {
        json_add_member(arena, schema.definitions, TEXT("pattern"), parse(arena, PATTERN_SCHEMA));
    }
    struct json *made = json_new_object(arena);
    json_add_text(arena, made, "$schema", DIALECT);
    json_add_text(arena, made, "title", text_of(titles[kind]));
    for (const struct json *member = json_first(root); member != NULL; member = json_next(member)) {
        json_add_member(arena, made, json_key(member), json_copy(arena, member));
    }
    json_add_member(arena, made, TEXT("$defs"), schema.definitions);
    return made;
}
