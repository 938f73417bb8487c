/* Lists of incidents, as the command line asks for them. Private to the folder.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_SERVER_CLI_INCIDENT_ROWS_H
#define RIPOSTE_SERVER_CLI_INCIDENT_ROWS_H

#include "riposte/base/attributes.h"
#include "riposte/cli/api.h"

#include <stdbool.h>

/* NULL: not said. */
struct incident_query {
    const char *state, *rule, *severity, *account, *principal;
    const char *since, *until; /* a time, or how long ago: "2h" */
    const char *limit, *cursor;
    bool is_all; /* page after page */
};

/* *next_out: the cursor of the next page; empty: that was all. ERROR_INVALID: the query. */
MUST_CHECK bool incident_rows_read(struct api *api, const struct incident_query *query,
                                   struct json **rows_out, struct text *next_out,
                                   struct error *error);
/* Appends a line each. */
void incident_rows_show(const struct json *rows, struct buffer *out);

#endif
