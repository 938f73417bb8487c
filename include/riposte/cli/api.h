/* The admin API of a running server, as commands talk to it.
 *
 * Ownership:  api_open/api_done; answers live until then.
 * Threads:    main alone; requests wait. */
#ifndef RIPOSTE_CLI_API_H
#define RIPOSTE_CLI_API_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/cli/target.h"
#include "riposte/json/tree.h"

#include <stdbool.h>

/* What the command line says; all may be NULL. */
struct api_options {
    const char *settings, *url, *ca_file;
    const char *token; /* a reference, never the token itself; NULL: what the settings name first */
};

struct api {
    struct target target;
    struct text base, authorization;
};

MUST_CHECK bool api_open(struct api *api, const struct api_options *options, struct error *error);
void api_done(struct api *api);

/* One request; *answer_out is the answer's tree, also when its status is an error: then the error
 * holds status and "error" of it. ERROR_SYSTEM: no answer, or not JSON. */
MUST_CHECK bool api_ask(struct api *api, struct text method, struct text path, struct text body,
                        const struct json **answer_out, struct error *error);

#endif
