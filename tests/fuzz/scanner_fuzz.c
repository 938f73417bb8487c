/* The scanner takes what the tree parser takes, says the same about what it doesn't, and hands over
 * the leaves that the tree has; paths that may occur once occur once in the tree, too. */
#include "riposte/json/scanner.h"
#include "riposte/json/tree.h"

#include "fuzz.h"

#include <string.h>

#define LEAF_DEPTH 64 /* deeper texts are only judged */

static const struct text once_paths[] = {TEXT_INIT("a"), TEXT_INIT("b.c")};
#define ONCE_PATHS ARRAY_COUNT(once_paths)

/* ---- as the tree has it ---- */

struct view {
    struct json_paths *paths;
    struct buffer leaves, path, memberships; /* the latter as written below */
    uint32_t array_count;
    size_t occurrences[ONCE_PATHS];
    bool has_duplicate, is_too_large;
};

static void view_done(struct view *view) {
    json_paths_free(&view->paths);
    buffer_done(&view->leaves);
    buffer_done(&view->path);
    buffer_done(&view->memberships);
}

/* "a.b=string@7:text 0/1 2/0\n": path, type, offset, text, memberships. */
static void append_leaf(struct buffer *out, struct text path, enum json_type type, size_t offset,
                        struct text text, struct text memberships) {
    buffer_append_text(out, path);
    buffer_append_format(out, "=%s@%zu:", json_type_name(type), offset);
    buffer_append_text(out, text);
    buffer_append_text(out, memberships);
    buffer_append_char(out, '\n');
}

static void view_value(struct view *view, const struct json *node, bool is_once);

/* Only containers among the elements count as "below an element". */
static void view_elements(struct view *view, const struct json *array, bool is_once) {
    uint32_t number = view->array_count++;
    uint32_t index = 0;
    for (const struct json *element = json_first(array); element != NULL;
         element = json_next(element)) {
        size_t before = view->memberships.bytes;
        buffer_append_format(&view->memberships, " %u/%u", number, index++);
        view_value(view, element, is_once);
        buffer_truncate(&view->memberships, before);
    }
}

/* Which of once_paths the path so far is; ONCE_PATHS for none. */
static size_t once_index(const struct view *view) {
    size_t i = 0;
    while (i < ONCE_PATHS && !text_equal(buffer_text(&view->path), once_paths[i])) {
        i++;
    }
    return i;
}

/* Appends the key; true when a path that may occur once ends at one of its dots. */
static bool view_key(struct view *view, struct text key) {
    bool leads_through = false;
    for (size_t i = 0; i < key.bytes; i++) {
        size_t index = key.data[i] == '.' ? once_index(view) : ONCE_PATHS;
        if (index < ONCE_PATHS) {
            view->occurrences[index]++;
            leads_through = true;
        }
        buffer_append_char(&view->path, key.data[i]);
    }
    return leads_through;
}

static bool has_key_before(const struct json *member) {
    const struct json *at = json_first(json_parent(member));
    while (at != member && !text_equal(json_key(at), json_key(member))) {
        at = json_next(at);
    }
    return at != member;
}

static void view_members(struct view *view, const struct json *object, bool is_once) {
    view->is_too_large |= is_once && json_count(object) > JSON_UNIQUE_MEMBERS;
    for (const struct json *member = json_first(object); member != NULL;
         member = json_next(member)) {
        size_t before = view->path.bytes;
        view->has_duplicate |= is_once && has_key_before(member);
        buffer_append_string(&view->path, json_parent(object) == NULL ? "" : ".");
        bool leads_through = view_key(view, json_key(member));
        view_value(view, member, is_once || leads_through);
        buffer_truncate(&view->path, before);
    }
}

/* What is around `node`: its own element is not. */
static struct text memberships_around(const struct view *view, const struct json *node) {
    struct text all = buffer_text(&view->memberships);
    size_t own = all.bytes;
    while (json_is_array(json_parent(node)) && own > 0 && all.data[--own] != ' ') {}
    return text_slice(all, 0, own);
}

/* A value below the top: what is in it first, as the scanner reports containers when they end. */
static void view_value(struct view *view, const struct json *node, bool is_once) {
    size_t index = once_index(view);
    if (index < ONCE_PATHS) {
        view->occurrences[index] += json_is_array(node) ? 0 : 1;
        is_once = true;
    }
    if (json_is_object(node)) {
        view_members(view, node, is_once);
    } else if (json_is_array(node)) {
        view_elements(view, node, is_once);
    }
    append_leaf(&view->leaves, buffer_text(&view->path), json_type(node), json_offset(node),
                json_text(node), memberships_around(view, node));
    json_paths_add(view->paths, buffer_text(&view->path), JSON_PATH_CONTAINERS);
}

static size_t depth_of(const struct json *root) {
    size_t deepest = 0;
    size_t depth = 0;
    for (const struct json *node = root; node != NULL;) {
        deepest = depth > deepest ? depth : deepest;
        if (json_first(node) != NULL) {
            node = json_first(node);
            depth++;
            continue;
        }
        while (node != NULL && json_next(node) == NULL) {
            node = json_parent(node);
            depth--;
        }
        node = json_next(node);
    }
    return deepest;
}

/* ---- as the scanner has it ---- */

struct sight {
    const struct json_paths *paths;
    struct buffer leaves, text;
};

static void sight_done(struct sight *sight) {
    buffer_done(&sight->leaves);
    buffer_done(&sight->text);
}

static void check_container(const struct json_leaf *leaf) {
    bool is_object = leaf->type == JSON_OBJECT;
    fuzz_check(leaf->raw.bytes >= 2 && leaf->raw.data[0] == (is_object ? '{' : '['));
    fuzz_check(leaf->raw.data[leaf->raw.bytes - 1] == (is_object ? '}' : ']'));
}

static bool take_leaf(void *arg, const struct json_leaf *leaf, struct error *error) {
    (void)error;
    struct sight *sight = arg;
    buffer_clear(&sight->text);
    if (leaf->type == JSON_OBJECT || leaf->type == JSON_ARRAY) {
        check_container(leaf);
    } else if (leaf->has_escapes) {
        json_unescape(leaf->raw, &sight->text);
    } else {
        buffer_append_text(&sight->text, leaf->raw);
    }
    scoped(buffer_done) struct buffer memberships = BUFFER_INIT;
    for (size_t i = 0; i < leaf->membership_count; i++) {
        buffer_append_format(&memberships, " %u/%u", leaf->memberships[i].array,
                             leaf->memberships[i].element);
    }
    append_leaf(&sight->leaves, json_paths_text(sight->paths, leaf->path), leaf->type, leaf->offset,
                buffer_text(&sight->text), buffer_text(&memberships));
    return true;
}

static bool take_nothing(void *arg, const struct json_leaf *leaf, struct error *error) {
    (void)arg;
    (void)leaf;
    (void)error;
    return true;
}

/* ---- the properties ---- */

static void check_leaves(struct text text, const struct view *view, struct json_scratch *scratch) {
    scoped(sight_done) struct sight sight = {.paths = view->paths};
    struct error error = {0};
    fuzz_check(json_scan(view->paths, scratch, text, take_leaf, &sight, &error));
    fuzz_check(text_equal(buffer_text(&sight.leaves), buffer_text(&view->leaves)));
}

static void check_once(struct text text, const struct view *view, struct json_scratch *scratch) {
    scoped(json_paths_free) struct json_paths *paths = json_paths_new();
    bool is_once = !view->has_duplicate && !view->is_too_large;
    for (size_t i = 0; i < ONCE_PATHS; i++) {
        json_paths_add(paths, once_paths[i], JSON_PATH_UNIQUE);
        is_once &= view->occurrences[i] <= 1;
    }
    struct error error = {0};
    bool is_ok = json_scan(paths, scratch, text, take_nothing, NULL, &error);
    fuzz_check(is_ok == is_once);
    fuzz_check(is_ok || strstr(error.text, "twice") != NULL || view->is_too_large);
}

/* "byte 7: what", and the same what as the tree parser's. */
static void check_refusal(size_t offset, const struct error *tree_error,
                          const struct error *scan_error) {
    char prefix[32];
    snprintf(prefix, sizeof(prefix), "byte %zu: ", offset);
    fuzz_check(tree_error->code == scan_error->code);
    fuzz_check(strncmp(scan_error->text, prefix, strlen(prefix)) == 0);
    const char *what = scan_error->text + strlen(prefix);
    fuzz_check(strlen(tree_error->text) > strlen(what));
    fuzz_check(strcmp(tree_error->text + strlen(tree_error->text) - strlen(what), what) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(json_scratch_free) struct json_scratch *scratch = json_scratch_new();
    scoped(view_done) struct view view = {.paths = json_paths_new()};
    struct text text = fuzz_text(data, bytes);
    const struct json *root = NULL;
    size_t offset = 0;
    struct error tree_error = {0};
    struct error scan_error = {0};
    bool is_json = json_parse(text, 0, arena, &root, &offset, &tree_error);
    bool is_scanned = json_scan(view.paths, scratch, text, take_nothing, NULL, &scan_error);
    fuzz_check(is_scanned == (is_json && json_is_object(root)));
    if (!is_json && strstr(scan_error.text, "an object is expected") == NULL) {
        check_refusal(offset, &tree_error, &scan_error);
    }
    if (is_scanned && depth_of(root) <= LEAF_DEPTH) {
        view_members(&view, root, false);
        check_leaves(text, &view, scratch);
        check_once(text, &view, scratch);
    }
    return 0;
}
