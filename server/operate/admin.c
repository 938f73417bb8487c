#include "riposte/operate/admin.h"

#include "admin_parts.h"
#include "console.h"
#include "gate.h"
#include "process.h"
#include "routes.h"

#include "riposte/base/memory.h"

#include <stdlib.h>

struct access *admin_access(struct admin *admin) {
    mutex_lock(&admin->lock);
    struct access *access = admin->shared.access == NULL ? NULL : access_ref(admin->shared.access);
    mutex_unlock(&admin->lock);
    return access;
}

struct admin *admin_new(const struct admin_options *options) {
    process_register();
    gate_register();
    struct admin *admin = memory_new(sizeof(*admin));
    admin->options = *options;
    errand_init(&admin->errand, "backup or search for orphans");
    errand_init(&admin->rehearsals, "plan");
    census_init(&admin->census);
    admin->feed = feed_new(options->journal);
    admin->strikes = strikes_new();
    admin->sessions = sessions_new();
    mutex_init(&admin->lock);
    console_name_version(admin->console_version);
    routes_fill(admin);
    return admin;
}

void admin_free(struct admin **admin) {
    struct admin *old = *admin;
    *admin = NULL;
    if (old == NULL) {
        return;
    }
    errand_rest(&old->errand);
    errand_rest(&old->rehearsals);
    census_done(&old->census);
    feed_free(&old->feed);
    strikes_free(&old->strikes);
    sessions_free(&old->sessions);
    access_unref(&old->shared.access);
    mutex_done(&old->lock);
    free(old->routes);
    free(old);
}

bool admin_prepare(struct snapshot *snapshot, struct access **access_out, struct error *error) {
    return access_new(snapshot, access_out, error);
}

void admin_discard(struct access **access) {
    access_unref(access);
}

void admin_adopt(struct admin *admin, struct access **access) {
    mutex_lock(&admin->lock);
    struct access *before = admin->shared.access;
    admin->shared.access = *access;
    mutex_unlock(&admin->lock);
    *access = NULL;
    access_unref(&before);
    feed_drop(admin->feed); /* who listens must be let in anew */
}

void admin_rest(struct admin *admin) {
    errand_rest(&admin->errand);
    errand_rest(&admin->rehearsals);
    feed_rest(admin->feed);
}

const struct route *admin_routes(struct admin *admin, size_t *count_out) {
    *count_out = admin->route_count;
    return admin->routes;
}
