#include "riposte/config/settings.h"

#include "names.h"
#include "settings_keys.h"
#include "suggest.h"

#include "riposte/base/memory.h"
#include "riposte/json/writer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PATH_BYTES 64

/* ---- keys that stand in the file ---- */

static const struct key *find_key(struct text path) {
    for (size_t i = 0; i < settings_key_count; i++) {
        if (text_equal_string(path, settings_keys[i].path)) {
            return &settings_keys[i];
        }
    }
    return NULL;
}

/* "aws" and "guard.limit" are sections: some key begins with them and a ".". */
static bool is_below(const struct key *key, struct text section) {
    struct text path = text_of(key->path);
    return path.bytes > section.bytes && text_starts_with(path, section) &&
           path.data[section.bytes] == '.';
}

static bool is_section(struct text path) {
    for (size_t i = 0; i < settings_key_count; i++) {
        if (is_below(&settings_keys[i], path)) {
            return true;
        }
    }
    return false;
}

/* What `key` is called in `section` (empty: at the top); empty when it isn't there. */
static struct text name_in(const struct key *key, struct text section) {
    struct text rest = text_of(key->path);
    if (section.bytes > 0) {
        rest = is_below(key, section) ? text_slice(rest, section.bytes + 1, rest.bytes) : TEXT("");
    }
    return text_slice(rest, 0, text_find_byte(rest, '.', 0));
}

static void refuse_unknown(const struct reading *reading, const struct json *node,
                           struct text section) {
    struct suggestion near;
    suggestion_init(&near, json_key(node));
    for (size_t i = 0; i < settings_key_count; i++) {
        suggestion_offer(&near, name_in(&settings_keys[i], section));
    }
    char hint[SUGGESTION_BYTES];
    struct text where = section.bytes > 0 ? section : TEXT("the settings");
    findings_add_at(reading->findings, reading->source, json_key_offset(node),
                    "unknown key \"%.*s\" in %.*s%s", TEXT_ARG(json_key(node)), TEXT_ARG(where),
                    suggestion_text(&near, hint));
}

static void check_section(const struct reading *reading, const struct json *object,
                          struct text section) {
    for (const struct json *child = json_first(object); child != NULL; child = json_next(child)) {
        struct text key = json_key(child);
        struct text path = path_join(reading->arena, section, key);
        bool is_one_name = text_find_byte(key, '.', 0) == key.bytes;
        if (is_one_name && is_section(path) && json_is_object(child)) {
            check_section(reading, child, path);
        } else if (is_one_name && is_section(path)) {
            char label[PATH_BYTES];
            snprintf(label, sizeof(label), "\"%.*s\"", TEXT_ARG(path));
            form_refuse(reading, child, label, "an object");
        } else if (find_key(path) == NULL) {
            refuse_unknown(reading, child, section);
        } else if (!is_one_name) {
            findings_add_at(reading->findings, reading->source, json_key_offset(child),
                            "\"%.*s\" must be nested: {\"a\": {\"b\": ...}} for a.b",
                            TEXT_ARG(key));
        }
    }
}

/* The node of `key` below `root`, NULL when it isn't there. */
static const struct json *find_node(const struct json *root, const struct key *key) {
    struct text rest = text_of(key->path);
    struct text name;
    while (root != NULL && text_next_part(&rest, '.', &name)) {
        root = json_member_text(root, name);
    }
    return root;
}

/* ---- the environment ---- */

/* "listen.port" -> "RIPOSTE_LISTEN_PORT", "admin.token" -> "RIPOSTE_ADMIN_TOKEN_FROM". */
static void variable_name(const struct key *key, char out[SETTING_VARIABLE_BYTES]) {
    int length = snprintf(out, SETTING_VARIABLE_BYTES, "RIPOSTE_%s%s", key->path,
                          key->type->variable_end);
    assert(length > 0 && length < SETTING_VARIABLE_BYTES);
    for (char *c = out; *c != '\0'; c++) {
        *c = *c == '.' ? '_' : *c >= 'a' && *c <= 'z' ? (char)(*c - ('a' - 'A')) : *c;
    }
}

/* A number, null or whatever else JSON calls it; all other text is a string. */
static const struct json *variable_node(struct text value, struct arena *arena) {
    const struct json *node = NULL;
    struct error error;
    if (json_parse(value, 0, arena, &node, NULL, &error) &&
        (json_type(node) == JSON_NUMBER || json_type(node) == JSON_NULL)) {
        return node;
    }
    return json_new_string(arena, value);
}

/* Takes the value from the environment; false when there is none. */
static bool read_variable(const struct value_place *place, environment_fn *lookup_fn, void *arg) {
    if (place->key->type->variable_end == NULL) {
        return false;
    }
    char name[SETTING_VARIABLE_BYTES];
    variable_name(place->key, name);
    struct text value = text_of(lookup_fn(arg, name));
    if (value.bytes == 0) {
        return false;
    }
    const struct source source = {.file = "environment", .text = TEXT("")};
    struct reading reading = *place->reading;
    reading.source = &source;
    struct value_place here = *place;
    here.reading = &reading;
    here.label = name;
    if (!text_is_utf8(value)) {
        findings_add_at(reading.findings, &source, 0, "%s must be UTF-8", name);
        return true;
    }
    place->key->type->read_fn(&here, variable_node(value, place->reading->arena));
    return true;
}

/* ---- reading ---- */

static void read_fallback(const struct value_place *place) {
    const struct json *node = NULL;
    struct error error = {0};
    bool is_json = json_parse(text_of(place->key->fallback), 0, place->reading->arena, &node, NULL,
                              &error);
    assert(is_json);
    place->key->type->read_fn(place, node);
}

static void read_key(const struct reading *reading, const struct json *root, const char *folder,
                     const struct key *key, struct settings *settings, environment_fn *lookup_fn,
                     void *arg) {
    char label[PATH_BYTES];
    snprintf(label, sizeof(label), "\"%s\"", key->path);
    struct value_place place = {reading, folder, key, label, settings};
    const struct json *node = find_node(root, key);
    if (node != NULL) {
        key->type->read_fn(&place, node);
    }
    if (!read_variable(&place, lookup_fn, arg) && node == NULL) {
        read_fallback(&place);
    }
}

static void check_together(const struct reading *reading, const struct json *root,
                           const struct settings *settings) {
    bool has_certificate = settings->listen.certificate.bytes > 0;
    bool has_key = settings->listen.key.bytes > 0;
    if (has_certificate != has_key) {
        findings_add(reading->findings, reading->source, json_member(root, "listen"),
                     "\"listen.certificate\" and \"listen.key\" go together: set both or none");
    }
}

bool settings_read(const struct source *source, const char *folder, environment_fn *lookup_fn,
                   void *arg, struct arena *arena, struct settings *settings_out,
                   struct findings *findings) {
    size_t errors_before = findings_errors(findings);
    struct reading reading = {source, arena, findings};
    const struct json *root = form_parse(&reading, JSON_COMMENTS);
    if (root == NULL) {
        return false;
    }
    if (!json_is_object(root)) {
        form_refuse(&reading, root, "the settings", "an object");
        return false;
    }
    struct settings settings = {0};
    check_section(&reading, root, TEXT(""));
    for (size_t i = 0; i < settings_key_count; i++) {
        read_key(&reading, root, folder, &settings_keys[i], &settings, lookup_fn, arg);
    }
    check_together(&reading, root, &settings);
    if (findings_errors(findings) > errors_before) {
        return false;
    }
    *settings_out = settings;
    return true;
}

bool settings_await_accounts(const struct settings *settings) {
    return settings->aws.is_organization && !settings->aws.is_listed;
}

/* ---- printing ---- */

/* Puts `value` at the dotted path of `key`; sections stand together in the table. */
static void print_key(struct json *root, const struct key *key, struct json *value,
                      struct arena *arena) {
    struct json *object = root;
    struct text rest = text_of(key->path);
    struct text name;
    while (text_next_part(&rest, '.', &name) && rest.bytes > 0) {
        const struct json *section = json_member_text(object, name);
        if (section == NULL) {
            struct json *made = json_new_object(arena);
            json_add_member(arena, object, name, made);
            section = made;
        }
        /* All sections were made here. */
        object = (struct json *)section;
    }
    json_add_member(arena, object, name, value);
}

static struct json *fallback_node(const struct key *key, struct arena *arena) {
    const struct json *node = NULL;
    struct error error = {0};
    bool is_json = json_parse(text_of(key->fallback), 0, arena, &node, NULL, &error);
    assert(is_json);
    return json_copy(arena, node);
}

void settings_print(const struct settings *settings, struct buffer *out) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct json *root = json_new_object(arena);
    for (size_t i = 0; i < settings_key_count; i++) {
        const struct key *key = &settings_keys[i];
        struct json *value = key->type->print_fn == NULL
                                 ? fallback_node(key, arena)
                                 : key->type->print_fn(settings, key, arena);
        print_key(root, key, value, arena);
    }
    json_write_pretty(out, root);
    buffer_append_char(out, '\n');
}

const char settings_preface[] =
    "The settings file is JSON; // and /* */ comments are allowed. All keys have defaults.\n"
    "A relative path starts at the file's folder. A variable that is set and not empty wins\n"
    "over the file. One that ends in _FROM says where a secret is, as one reference, and never\n"
    "is the secret.\n";

bool settings_describe(size_t index, struct setting *setting_out) {
    if (index >= settings_key_count) {
        return false;
    }
    const struct key *key = &settings_keys[index];
    *setting_out = (struct setting){
        .path = key->path, .type = key->type->name, .means = key->means, .fallback = key->fallback};
    if (key->type->variable_end != NULL) {
        variable_name(key, setting_out->variable);
    }
    return true;
}

void settings_help(struct buffer *out) {
    buffer_append_format(out, "%s\n", settings_preface);
    struct setting setting;
    for (size_t i = 0; settings_describe(i, &setting); i++) {
        buffer_append_format(out, "%s (%s)\n    %s\n    default %s%s%s\n", setting.path,
                             setting.type, setting.means, setting.fallback,
                             setting.variable[0] == '\0' ? "" : "; variable ", setting.variable);
    }
}

/* ---- reload ---- */

static bool are_equal(const struct settings *now, const struct settings *next,
                      const struct key *key, struct arena *arena) {
    return json_equal(key->type->print_fn(now, key, arena), key->type->print_fn(next, key, arena));
}

void settings_needing_restart(const struct settings *now, const struct settings *next,
                              struct buffer *out) {
    static const char *const fixed[] = {
        "listen.address",
        "listen.port",
        "listen.path",
        "listen.certificate",
        "listen.key",
        "listen.connections",
        "listen.connections_per_address",
        "admin.address",
        "admin.port",
        "admin.token",
        "admin.tokens",
        "journal",
        "output",
        "workers",
        "queue_limit",
        "retain",
        "audit.retain",
        "aws.endpoint",
        "aws.role",
        "aws.external_id",
    };
    scoped(arena_free) struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(fixed); i++) {
        const struct key *key = find_key(text_of(fixed[i]));
        if (!are_equal(now, next, key, arena)) {
            buffer_append_format(out, "%s%s", out->bytes == 0 ? "" : ", ", fixed[i]);
        }
    }
}
