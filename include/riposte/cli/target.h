/* The running server that a command talks to: where it is, whether its certificate is checked, and
 * one request.
 *
 * A server on loopback may show a certificate that it made itself: there it isn't checked. Anywhere
 * else it is, against the system's authorities or --ca-file.
 *
 * Ownership:  target_open/target_done.
 * Threads:    main alone; requests wait. */
#ifndef RIPOSTE_CLI_TARGET_H
#define RIPOSTE_CLI_TARGET_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/config/settings.h"
#include "riposte/outbound/http.h"

#include <stdbool.h>
#include <stdint.h>

struct target {
    struct arena *arena;
    struct http_client *client;
    bool has_settings;
    struct settings settings; /* of the file, or the defaults */
    const char *ca_file;
    int64_t timeout_ms; /* of a request; 0: 30 s */
};

/* Reads the settings at `settings_path` (NULL: the default path, and no file there is no error). */
MUST_CHECK bool target_open(struct target *target, const char *settings_path, const char *ca_file,
                            struct error *error);
void target_done(struct target *target);

/* "https://ADDRESS:PORT" of the listener or the admin listener; a wildcard address becomes
 * 127.0.0.1. */
struct text target_events_url(struct target *target);
struct text target_admin_url(struct target *target);

/* The first of the references that resolves; Secrets Manager is asked with our own credentials.
 * ERROR_NOT_FOUND names what was tried. */
MUST_CHECK bool target_secret(struct target *target, const struct secret_references *references,
                              const char *what, struct secret *secret_out, struct error *error);

/* Sends and waits. The answer's body goes into `body_out`. ERROR_SYSTEM when there was no answer.
 */
MUST_CHECK bool target_request(struct target *target, struct text method, struct text url,
                               const struct http_header *headers, size_t header_count,
                               struct text body, int *status_out, struct buffer *body_out,
                               struct error *error);

#endif
