/* One request with its answer: a libcurl handle, what it sends, and what comes back. The client
 * (http.h) moves it from the sender's queue through its thread to done_fn.
 *
 * Ownership:  copies the request; transfer_free() gives the handle back through *handle_out.
 * Threads:    one at a time: first the sender's, then the client's.
 * Bounds:     those of http.h. */
#ifndef RIPOSTE_OUTBOUND_TRANSFER_H
#define RIPOSTE_OUTBOUND_TRANSFER_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/outbound/http.h"

#include <stdbool.h>

struct transfer;

/* What all transfers of a client share. */
struct transfer_defaults {
    const char *ca_file, *user_agent;
    long connect_timeout_ms;
};

/* Prepares the request on `handle` (a used one, reset, or NULL for a new one), which the transfer
 * takes over, also when it fails: then *handle is NULL. ERROR_INVALID: URL, header or method. */
MUST_CHECK bool transfer_new(const struct transfer_defaults *defaults,
                             const struct http_request *request, http_done_fn *done_fn, void *arg,
                             void **handle, struct transfer **transfer_out, struct error *error);
/* Leaves the handle, reset for the next transfer, in *handle_out. */
void transfer_free(struct transfer **transfer, void **handle_out);

/* libcurl's handle, and the way back from it. */
void *transfer_handle(struct transfer *transfer);
struct transfer *transfer_of_handle(void *handle);

/* It has ended; `result` is libcurl's code. */
void transfer_note_result(struct transfer *transfer, int result);
/* Calls done_fn with what came. */
void transfer_finish(struct transfer *transfer);
/* Calls done_fn with ERROR_BUSY: the client ends. */
void transfer_abandon(struct transfer *transfer);

/* A list of transfers, for whoever holds it. */
struct transfer_list {
    struct transfer *first, *last;
};
void transfer_list_append(struct transfer_list *list, struct transfer *transfer);
/* NULL when it is empty. */
struct transfer *transfer_list_take(struct transfer_list *list);
/* NULL at the end. */
struct transfer *transfer_list_next(struct transfer *transfer);
void transfer_list_remove(struct transfer_list *list, struct transfer *transfer);

#endif
