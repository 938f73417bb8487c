#include "admin_parts.h"
#include "answers.h"
#include "routes.h"
#include "view.h"

#include <assert.h>

void handle_rules(void *arg, struct request *request) {
    scoped(access_unref) struct access *access = admin_access(arg);
    assert(access != NULL); /* the gate found a token in it, and it is only ever replaced */
    answer_list(request, "rules", view_rules(access_snapshot(access)));
}
