/* What the files of the admin API share. Private to the folder.
 *
 *     routes.c      which path is whose
 *     gate.c        who asks, and may they?
 *     answers.c     objects and failures as answers
 *     console.h     the console: all that is about pages
 *     the rest      a file a subject, each with the handlers that routes.h lists
 *
 * Threads:    handlers run on the admin listener's one thread, errands on their own. */
#ifndef RIPOSTE_SERVER_OPERATE_ADMIN_PARTS_H
#define RIPOSTE_SERVER_OPERATE_ADMIN_PARTS_H

#include "access.h"
#include "census.h"
#include "errand.h"
#include "feed.h"
#include "session.h"

#include "riposte/base/mutex.h"
#include "riposte/inbound/route.h"
#include "riposte/inbound/strikes.h"
#include "riposte/operate/admin.h"

#include <stddef.h>

#define BODY_BYTES    4096 /* of a body that says no more than how to act */
#define RETRY_AFTER_S 5

#define CONSOLE_VERSION_BYTES 13 /* with the NUL */

struct admin {
    struct admin_options options;
    struct route *routes;
    size_t route_count;
    struct errand errand, rehearsals; /* backups and searches; what rules would do */
    struct census_cache census;
    struct feed *feed;
    struct strikes *strikes;   /* who comes without a token */
    struct sessions *sessions; /* who is logged in to the console */
    char console_version[CONSOLE_VERSION_BYTES];
    struct mutex lock;
    struct {
        struct access *access; /* NULL: no token is set, nobody gets in */
    } shared;                  /* with `lock` */
};

/* The tokens and the snapshot in force, by reference; NULL: nobody gets in. */
struct access *admin_access(struct admin *admin);

/* A request that is answered by an errand, which owns it (memory_new). */
struct long_request {
    struct admin *admin;
    struct request *request;
};
/* Has `run_fn` answer, with a struct long_request; 503 when the errand is under way. */
void errand_answer(struct errand *errand, struct admin *admin, struct request *request,
                   thread_fn *run_fn);

#endif
