#include "riposte/config/snapshot.h"

#include "definition_parts.h"
#include "form.h"
#include "names.h"
#include "scope.h"
#include "suggest.h"

#include "riposte/base/file.h"
#include "riposte/base/memory.h"
#include "riposte/config/builtin.h"
#include "riposte/detect/complexity.h"

#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#define SOURCE_BYTES (4u * 1024 * 1024)

/* `public` comes first: a pointer to one is a pointer to the other. */
struct snapshot_box {
    struct snapshot public;
    atomic_uint references;
    struct snapshot_box *origin; /* what was read, when this only knows more accounts */
    struct arena *arena;
    struct settings settings;
    struct playbook **playbooks;
    size_t playbook_count, playbook_capacity;
    struct source *playbook_sources; /* one a playbook */
    size_t source_capacity;
    struct definition **definitions;
    size_t definition_count, definition_capacity;
};

/* Where the loading stands. */
struct loading {
    struct snapshot_box *box;
    struct source settings_source;
    const struct json *settings_root; /* for places; NULL until it was read */
    struct text *names;               /* of all playbooks, also of those with findings */
    size_t name_count, name_capacity;
    struct findings *findings;
};

static struct snapshot_box *box_of(struct snapshot *snapshot) {
    return (struct snapshot_box *)snapshot;
}

/* ---- files ---- */

/* Reads `path` into a source that lives in the arena; a file that can't be read is a finding. */
static bool load_source(const char *path, struct arena *arena, struct findings *findings,
                        struct source *source_out) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct error error = {0};
    struct source source = {.file = arena_copy_text(arena, text_of(path)).data, .text = TEXT("")};
    if (!file_read(path, SOURCE_BYTES, &text, &error)) {
        findings_add_at(findings, &source, 0, "can't be read: %s", error.text);
        return false;
    }
    source.text = arena_copy_text(arena, buffer_text(&text));
    *source_out = source;
    return true;
}

typedef void load_file_fn(struct loading *loading, const char *folder, const char *path);

/* Calls load_fn for each "*.json" in `folder`; `key` is the setting that names it. */
static void load_folder(struct loading *loading, struct text folder_name, const char *key,
                        load_file_fn *load_fn) {
    scoped(memory_free_at) char *folder = text_copy(folder_name);
    char **names = NULL;
    size_t count = 0;
    struct error error = {0};
    if (!file_list(folder, ".json", &names, &count, &error)) {
        findings_add(loading->findings, &loading->settings_source,
                     json_member(loading->settings_root, key),
                     "the folder that \"%s\" names can't be read: %s", key, error.text);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        scoped(memory_free_at) char *path = file_join(folder, names[i]);
        load_fn(loading, folder, path);
    }
    file_list_free(&names, count);
}

/* ---- playbooks ---- */

static void add_playbook(struct loading *loading, const struct source *source,
                         struct playbook *playbook) {
    struct snapshot_box *box = loading->box;
    for (size_t i = 0; i < box->playbook_count; i++) {
        if (text_equal(playbook->name, box->playbooks[i]->name)) {
            findings_add(loading->findings, source, json_member(playbook->source, "name"),
                         "\"%.*s\" is the name of the playbook in %s already",
                         TEXT_ARG(playbook->name), box->playbook_sources[i].file);
        }
    }
    size_t count = box->playbook_count + 1;
    box->playbooks = memory_grow_array(box->playbooks, &box->playbook_capacity, count,
                                       sizeof(*box->playbooks));
    box->playbook_sources = memory_grow_array(box->playbook_sources, &box->source_capacity, count,
                                              sizeof(*box->playbook_sources));
    box->playbooks[count - 1] = playbook;
    box->playbook_sources[count - 1] = *source;
    box->playbook_count = count;
}

static void load_playbook(struct loading *loading, const char *folder, const char *path) {
    (void)folder;
    struct arena *arena = loading->box->arena;
    struct source source;
    if (!load_source(path, arena, loading->findings, &source)) {
        return;
    }
    struct reading reading = {&source, arena, loading->findings};
    const struct json *root = form_parse(&reading, JSON_COMMENTS);
    if (root == NULL) {
        return;
    }
    struct playbook *playbook = playbook_read(&source, root, arena, loading->findings);
    loading->names = memory_grow_array(loading->names, &loading->name_capacity,
                                       loading->name_count + 1, sizeof(*loading->names));
    loading->names[loading->name_count++] = form_text(root, "name");
    if (playbook != NULL) {
        scope_check_vars(&reading, json_member(root, "steps"), loading->box->settings.vars);
        add_playbook(loading, &source, playbook);
    }
}

/* ---- rules ---- */

static void check_playbook_name(const struct reading *reading, const struct loading *loading,
                                const struct json *node) {
    struct suggestion near;
    suggestion_init(&near, json_text(node));
    for (size_t i = 0; i < loading->name_count; i++) {
        if (text_equal(json_text(node), loading->names[i])) {
            return;
        }
        suggestion_offer(&near, loading->names[i]);
    }
    char hint[SUGGESTION_BYTES];
    findings_add(reading->findings, reading->source, node,
                 "no playbook in %.*s is called \"%.*s\"%s",
                 TEXT_ARG(loading->box->settings.playbooks), TEXT_ARG(json_text(node)),
                 suggestion_text(&near, hint));
}

static void check_respond(const struct reading *reading, const struct loading *loading,
                          const struct rule *rule) {
    const struct json *child = json_first(json_member(rule->source, "respond"));
    for (; child != NULL; child = json_next(child)) {
        check_playbook_name(reading, loading, child);
    }
}

static void check_rule_name(const struct reading *reading, const struct snapshot_box *box,
                            const struct rule *rule) {
    enum builtin own;
    if (builtin_find(rule->name, &own)) {
        findings_add(reading->findings, reading->source, json_member(rule->source, "name"),
                     "\"%.*s\" is the name of a rule of the server's own", TEXT_ARG(rule->name));
    }
    for (size_t i = 0; i < box->definition_count; i++) {
        if (text_equal(rule->name, box->definitions[i]->rule->name)) {
            findings_add(reading->findings, reading->source, json_member(rule->source, "name"),
                         "\"%.*s\" is the name of the rule in %s already", TEXT_ARG(rule->name),
                         box->definitions[i]->rule->file);
        }
    }
}

static void check_vars(const struct reading *reading, const struct rule *rule,
                       const struct json *vars) {
    scope_check_vars(reading, json_member(rule->source, "confirm"), vars);
    scope_check_vars(reading, json_member(rule->source, "where"), vars);
    scope_check_vars(reading, json_member(rule->source, "subject"), vars);
}

/* `pattern` may be NULL. */
static void check_complexity(const struct reading *reading, const struct json *pattern,
                             uint32_t limit) {
    struct complexity complexity = {.is_exact = true};
    if (pattern != NULL) {
        complexity_measure(pattern, &complexity);
    }
    if (complexity.most <= limit && complexity.is_exact) {
        return;
    }
    findings_add(reading->findings, reading->source, complexity.field,
                 "wildcards of complexity %" PRIu32 "%s; the limit \"wildcard_complexity\" is "
                 "%" PRIu32 ": use fewer \"*\", or fewer repeated characters after one",
                 complexity.most, complexity.is_exact ? "" : " or more (too many to tell)", limit);
}

/* Takes it over (sets NULL). */
static void add_definition(struct snapshot_box *box, struct definition **definition) {
    box->definitions = memory_grow_array(box->definitions, &box->definition_capacity,
                                         box->definition_count + 1, sizeof(*box->definitions));
    box->definitions[box->definition_count++] = *definition;
    *definition = NULL;
}

static void load_rule(struct loading *loading, const char *folder, const char *path) {
    struct snapshot_box *box = loading->box;
    scoped(definition_unref) struct definition *definition = definition_new();
    struct arena *arena = definition_arena(definition);
    struct source source;
    if (!load_source(path, arena, loading->findings, &source)) {
        return;
    }
    struct reading reading = {&source, arena, loading->findings};
    const struct json *root = form_parse(&reading, JSON_COMMENTS);
    if (root == NULL) {
        return;
    }
    struct rule *rule = rule_read(&source, root, folder, arena, loading->findings);
    if (rule == NULL) {
        return;
    }
    definition_set_rule(definition, rule);
    check_respond(&reading, loading, rule);
    check_rule_name(&reading, box, rule);
    check_vars(&reading, rule, box->settings.vars);
    check_complexity(&reading, rule->pattern, box->settings.wildcard_complexity);
    check_complexity(&reading, rule->when, box->settings.wildcard_complexity);
    add_definition(box, &definition);
}

/* Behind those of the files. */
static void add_builtins(struct snapshot_box *box) {
    box->public.rule_count = box->definition_count;
    for (int i = 0; i < BUILTIN_COUNT; i++) {
        struct definition *definition = builtin_definition((enum builtin)i);
        add_definition(box, &definition);
    }
    box->public.definitions = box->definitions;
    box->public.all_count = box->definition_count;
}

/* ---- the set ---- */

static void free_builder(struct ruleset_builder **builder) {
    ruleset_builder_free(builder);
}

/* Behind all that have a definition. */
static bool add_canaries(const struct loading *loading, struct ruleset_builder *builder) {
    const struct settings *settings = &loading->box->settings;
    struct error error = {0};
    for (size_t i = 0; i < settings->canary.count; i++) {
        const struct json *pattern = canary_pattern(&settings->canary.items[i],
                                                    loading->box->arena);
        if (!ruleset_add_rule(builder, pattern, NULL, NULL, &error)) {
            findings_add(loading->findings, &loading->settings_source,
                         json_member(loading->settings_root, "canary"), "\"canary\": %s",
                         error.text);
            return false;
        }
    }
    return true;
}

/* Each rule compiled alone already; together they may be too much. */
static bool build_ruleset(struct loading *loading) {
    scoped(free_builder) struct ruleset_builder *builder = ruleset_builder_new();
    struct snapshot_box *box = loading->box;
    struct error error = {0};
    for (size_t i = 0; i < EVENT_CAPTURE_COUNT; i++) {
        ruleset_add_capture(builder, event_capture_paths[i].path, event_capture_paths[i].flags);
    }
    for (size_t i = 0; i < PRINCIPAL_MEMBER_COUNT; i++) {
        ruleset_add_computed(builder,
                             path_join(box->arena, TEXT("principal"), principal_member_name(i)));
    }
    for (size_t i = 0; i < box->definition_count; i++) {
        const struct rule *rule = box->definitions[i]->rule;
        if (!ruleset_add_rule(builder, rule->pattern, rule->when, NULL, &error)) {
            findings_add(loading->findings, &(struct source){rule->file, TEXT("")}, NULL, "%s",
                         error.text);
            return false;
        }
    }
    if (!add_canaries(loading, builder)) {
        return false;
    }
    if (!ruleset_build(&builder, &box->public.ruleset, &error)) {
        findings_add(loading->findings, &loading->settings_source, NULL, "the rules together: %s",
                     error.text);
        return false;
    }
    return true;
}

static void complete_definitions(struct snapshot_box *box) {
    for (size_t i = 0; i < box->public.rule_count; i++) {
        definition_complete(box->definitions[i], (const struct playbook *const *)box->playbooks,
                            box->playbook_count, box->settings.vars);
    }
}

/* ---- notify ---- */

/* Names may come from the environment too: then there is no place to point at. */
static void check_notify(const struct loading *loading) {
    const struct settings *settings = &loading->box->settings;
    const struct texts lists[] = {settings->notify.observed, settings->notify.held,
                                  settings->notify.failed,   settings->notify.done,
                                  settings->notify.escaped,  settings->notify.released};
    const struct json *node = json_member(loading->settings_root, "notify");
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        for (size_t k = 0; k < lists[i].count; k++) {
            struct text name = lists[i].items[k];
            const struct playbook *playbook = snapshot_playbook(&loading->box->public, name);
            if (playbook == NULL || playbook->acts_on != ACTS_ON_NOBODY) {
                findings_add(loading->findings, &loading->settings_source, node,
                             playbook == NULL ? "\"notify\": there is no playbook \"%.*s\""
                                              : "\"notify\": playbook \"%.*s\" must act on nobody",
                             TEXT_ARG(name));
            }
        }
    }
}

size_t snapshot_find_rule(const struct snapshot *snapshot, struct text name) {
    size_t index = 0;
    while (index < snapshot->rule_count &&
           !text_equal(snapshot->definitions[index]->rule->name, name)) {
        index++;
    }
    return index;
}

const struct playbook *snapshot_playbook(const struct snapshot *snapshot, struct text name) {
    for (size_t i = 0; i < snapshot->playbook_count; i++) {
        if (text_equal(snapshot->playbooks[i]->name, name)) {
            return snapshot->playbooks[i];
        }
    }
    return NULL;
}

/* ---- loading ---- */

static void warn_of_settings(const struct loading *loading) {
    const struct settings *settings = &loading->box->settings;
    const struct json *guard = json_member(loading->settings_root, "guard");
    if (settings->mode == MODE_ENFORCE && settings->guard.protected_principals.count == 0) {
        findings_warn(loading->findings, &loading->settings_source, guard,
                      "\"guard.protected\" is empty: name the principals that must never be "
                      "locked out, your way back in first");
    }
    if (loading->box->public.rule_count == 0 && findings_errors(loading->findings) == 0) {
        findings_warn(loading->findings, &loading->settings_source,
                      json_member(loading->settings_root, "rules"),
                      "no rule in %.*s: no event will ever match", TEXT_ARG(settings->rules));
    }
}

/* The definitions are complete: their texts hold all that they name. */
static void warn_of_resources(const struct loading *loading) {
    const struct snapshot_box *box = loading->box;
    const struct settings *settings = &box->settings;
    bool is_asked_for = settings->mode == MODE_ENFORCE && settings->aws.resources.count == 0;
    for (size_t i = 0; is_asked_for && i < box->public.rule_count; i++) {
        if (text_contains(blob_text(box->definitions[i]->text), TEXT("${self.resources}"))) {
            findings_warn(loading->findings, &loading->settings_source,
                          json_member(loading->settings_root, "aws"),
                          "\"aws.resources\" is empty: rule %.*s, which protects what we run on, "
                          "never fires",
                          TEXT_ARG(box->definitions[i]->rule->name));
            return;
        }
    }
}

/* Once more, for the places of what is checked later. */
static const struct json *parse_settings(const struct loading *loading) {
    const struct json *root = NULL;
    struct error error = {0};
    bool is_json = json_parse(loading->settings_source.text, JSON_COMMENTS, loading->box->arena,
                              &root, NULL, &error);
    assert(is_json);
    return root;
}

static bool load_settings(struct loading *loading, const char *path, environment_fn *lookup_fn,
                          void *arg) {
    struct snapshot_box *box = loading->box;
    scoped(memory_free_at) char *folder = file_folder(path);
    if (!load_source(path, box->arena, loading->findings, &loading->settings_source) ||
        !settings_read(&loading->settings_source, folder, lookup_fn, arg, box->arena,
                       &box->settings, loading->findings)) {
        return false;
    }
    loading->settings_root = parse_settings(loading);
    return true;
}

static void loading_done(struct loading *loading) {
    free(loading->names);
}

bool snapshot_load(const char *path, environment_fn *lookup_fn, void *arg,
                   struct snapshot **snapshot_out, struct findings *findings) {
    size_t errors_before = findings_errors(findings);
    struct snapshot_box *box = memory_new(sizeof(*box));
    atomic_init(&box->references, 1);
    box->arena = arena_new();
    box->public.settings = &box->settings;
    scoped(snapshot_unref) struct snapshot *snapshot = &box->public;
    scoped(loading_done) struct loading loading = {.box = box, .findings = findings};
    if (!load_settings(&loading, path, lookup_fn, arg)) {
        return false;
    }
    load_folder(&loading, box->settings.playbooks, "playbooks", load_playbook);
    load_folder(&loading, box->settings.rules, "rules", load_rule);
    add_builtins(box);
    box->public.playbooks = box->playbooks;
    box->public.playbook_count = box->playbook_count;
    check_notify(&loading);
    warn_of_settings(&loading);
    if (findings_errors(findings) > errors_before || !build_ruleset(&loading)) {
        return false;
    }
    complete_definitions(box);
    warn_of_resources(&loading);
    *snapshot_out = snapshot;
    snapshot = NULL;
    return true;
}

/* ---- accounts ---- */

struct snapshot *snapshot_with_accounts(struct snapshot *snapshot, struct texts accounts) {
    struct snapshot_box *from = box_of(snapshot);
    struct snapshot_box *box = memory_new(sizeof(*box));
    assert(snapshot->settings->aws.is_organization);
    atomic_init(&box->references, 1);
    box->origin = from->origin != NULL ? from->origin : from;
    (void)snapshot_ref(&box->origin->public);
    box->arena = arena_new();
    box->settings = from->settings;
    struct text *items = arena_alloc_array(box->arena, accounts.count, sizeof(*items));
    for (size_t i = 0; i < accounts.count; i++) {
        items[i] = arena_copy_text(box->arena, accounts.items[i]);
    }
    box->settings.aws.accounts = (struct texts){items, accounts.count};
    box->settings.aws.is_listed = true;
    box->public = from->public;
    box->public.settings = &box->settings;
    return &box->public;
}

/* ---- lifetime ---- */

struct snapshot *snapshot_ref(struct snapshot *snapshot) {
    atomic_fetch_add(&box_of(snapshot)->references, 1);
    return snapshot;
}

static void free_box(struct snapshot_box *box) {
    if (box->origin != NULL) {
        struct snapshot *origin = &box->origin->public;
        snapshot_unref(&origin);
    } else {
        ruleset_free(&box->public.ruleset);
    }
    for (size_t i = 0; i < box->definition_count; i++) {
        definition_unref(&box->definitions[i]);
    }
    for (size_t i = 0; i < box->playbook_count; i++) {
        playbook_done(box->playbooks[i]);
    }
    free(box->definitions);
    free(box->playbooks);
    free(box->playbook_sources);
    arena_free(&box->arena);
    free(box);
}

void snapshot_unref(struct snapshot **snapshot) {
    if (*snapshot != NULL && atomic_fetch_sub(&box_of(*snapshot)->references, 1) == 1) {
        free_box(box_of(*snapshot));
    }
    *snapshot = NULL;
}

void snapshot_drop_builtins(const struct snapshot *snapshot, struct ruleset_matches *matches) {
    while (matches->count > 0 && matches->rules[matches->count - 1] >= snapshot->rule_count) {
        matches->count--;
    }
}

enum mode snapshot_rule_mode(const struct snapshot *snapshot, const struct rule *rule) {
    enum mode global = snapshot->settings->mode;
    return rule->has_mode ? mode_milder(global, rule->mode) : global;
}
