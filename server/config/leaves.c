#include "riposte/config/snapshot.h"

#include "names.h"

struct sinking {
    struct leaf_sink *sink;
    struct arena *arena;
};

static void put_member(void *arg, size_t member, enum json_type type, struct text text) {
    leaf_sink_put(arg, member, type, text);
}

/* Each leaf below `node`, arrays adding nothing to its path. */
static void add_tree(const struct sinking *sinking, struct text path, const struct json *node) {
    if (!json_is_object(node) && !json_is_array(node)) {
        leaf_sink_add(sinking->sink, path, json_type(node), json_text(node));
    }
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        bool is_member = json_is_object(node);
        add_tree(sinking, is_member ? path_join(sinking->arena, path, json_key(child)) : path,
                 child);
    }
}

bool principal_leaves(void *arg, const struct json_capture *captures, struct leaf_sink *sink,
                      struct error *error) {
    struct principal_leaves *leaves = arg;
    if (!envelope_read(captures, &leaves->envelope, error)) {
        return false;
    }
    principal_read(captures, leaves->envelope.account, leaves->arena, &leaves->principal);
    principal_each_member(&leaves->principal, put_member, sink);
    if (leaves->vars != NULL) {
        struct sinking sinking = {sink, leaves->arena};
        add_tree(&sinking, TEXT("vars"), leaves->vars);
    }
    return true;
}
