/* What listener.c and request.c share: a request as libmicrohttpd sees it. Private to the folder.
 */
#ifndef RIPOSTE_SERVER_INBOUND_EXCHANGE_H
#define RIPOSTE_SERVER_INBOUND_EXCHANGE_H

#include "riposte/base/blob.h"
#include "riposte/base/buffer.h"
#include "riposte/base/text.h"
#include "riposte/inbound/request.h"
#include "riposte/inbound/route.h"

#include <microhttpd.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request_state { REQUEST_READING, REQUEST_HANDLED, REQUEST_SUSPENDED, REQUEST_ANSWERED };

struct request {
    struct MHD_Connection *connection;
    const struct route *route;
    struct text method, path;
    int64_t began_mono_us;
    bool has_no_path;       /* none that can be written down */
    bool is_begun;          /* the headers were looked at */
    atomic_size_t *pending; /* the listener's count */
    bool is_handed;         /* counted there: a handler has or had it */
    _Atomic unsigned state; /* enum request_state */
    struct buffer incoming; /* the body while it comes */
    struct blob *body;      /* the body once it is there */
    size_t held_bytes;      /* its share of the listener's memory */
    bool is_discarding;     /* what comes is thrown away, `response` is the answer */
    uint64_t discarded_bytes;
    /* Written before `state` becomes REQUEST_ANSWERED, read after. */
    struct MHD_Response *response;
    bool is_shared_response; /* the listener's own: not to be destroyed with the request */
    bool has_response_body;
    unsigned status;
    char peer[INET6_ADDRSTRLEN];
};

/* A response with our headers; the caller destroys or queues it. */
struct MHD_Response *response_make(const struct answer *answer);
/* {"error": what} with Retry-After (0: none); `is_last` closes the connection. */
struct MHD_Response *response_make_error(const char *what, unsigned retry_after_s, bool is_last);
void response_add_header(struct MHD_Response *response, const char *name, const char *value);

#endif
