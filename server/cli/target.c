#include "riposte/cli/target.h"

#include "riposte/aws/secrets.h"
#include "riposte/base/file.h"
#include "riposte/base/memory.h"
#include "riposte/cli/options.h"
#include "riposte/config/findings.h"

#include <string.h>

#define SETTINGS_BYTES (1024 * 1024)
#define RESPONSE_BYTES (64 * 1024 * 1024)
#define TIMEOUT_MS     30000

static bool read_settings(struct target *target, const char *path, struct text text,
                          struct error *error) {
    scoped(memory_free_at) char *folder = file_folder(path);
    scoped(findings_free) struct findings *findings = findings_new();
    const struct source source = {path, arena_copy_text(target->arena, text)};
    if (settings_read(&source, arena_copy_text(target->arena, text_of(folder)).data,
                      cli_environment, NULL, target->arena, &target->settings, findings)) {
        return true;
    }
    scoped(buffer_done) struct buffer lines = BUFFER_INIT;
    findings_print(findings, &lines);
    return error_set(error, ERROR_INVALID, "%.*s", TEXT_ARG(text_trim(buffer_text(&lines))));
}

bool target_open(struct target *target, const char *settings_path, const char *ca_file,
                 struct error *error) {
    *target = (struct target){.arena = arena_new(), .ca_file = ca_file};
    const char *path = settings_path ? settings_path : CLI_SETTINGS_DEFAULT;
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    target->has_settings = file_read(path, SETTINGS_BYTES, &text, error);
    if (!target->has_settings && (settings_path || error->code != ERROR_NOT_FOUND)) {
        return false;
    }
    if (!target->has_settings) {
        buffer_append_string(&text, "{}");
    }
    return read_settings(target, path, buffer_text(&text), error) &&
           http_client_new(
               &(struct http_options){.ca_file = ca_file, .connect_timeout_ms = TIMEOUT_MS},
               &target->client, error);
}

void target_done(struct target *target) {
    http_client_free(&target->client);
    arena_free(&target->arena);
}

static struct text local_url(struct target *target, struct text address, uint16_t port) {
    if (text_equal(address, TEXT("0.0.0.0")) || text_equal(address, TEXT("::"))) {
        address = TEXT("127.0.0.1");
    }
    bool is_v6 = text_find_byte(address, ':', 0) < address.bytes;
    return arena_format(target->arena, is_v6 ? "https://[%.*s]:%u" : "https://%.*s:%u",
                        TEXT_ARG(address), (unsigned)port);
}

struct text target_events_url(struct target *target) {
    return local_url(target, target->settings.listen.address, target->settings.listen.port);
}

struct text target_admin_url(struct target *target) {
    return local_url(target, target->settings.admin.address, target->settings.admin.port);
}

static bool resolve_at_manager(struct target *target, const struct secret_reference *reference,
                               struct secret *secret_out, struct error *error) {
    const struct aws_options options = {
        .http = target->client, .clock = &clock_system, .endpoint = target->settings.aws.endpoint};
    scoped(aws_client_free) struct aws_client *client = NULL;
    if (!aws_client_new(&options, &client, error)) {
        return false;
    }
    scoped(aws_secrets_free) struct aws_secrets *secrets = aws_secrets_new(client, &clock_system);
    secret_ask_with(aws_secrets_fetch, secrets);
    bool is_resolved = secret_resolve(reference, secret_out, error);
    secret_ask_with(NULL, NULL);
    return is_resolved;
}

static bool resolve(struct target *target, const struct secret_reference *reference,
                    struct secret *secret_out, struct error *error) {
    return reference->kind == SECRET_MANAGER
               ? resolve_at_manager(target, reference, secret_out, error)
               : secret_resolve(reference, secret_out, error);
}

bool target_secret(struct target *target, const struct secret_references *references,
                   const char *what, struct secret *secret_out, struct error *error) {
    scoped(buffer_done) struct buffer tried = BUFFER_INIT;
    for (size_t i = 0; i < references->count; i++) {
        if (!resolve(target, &references->items[i], secret_out, error)) {
            return false;
        }
        if (secret_out->text) {
            return true;
        }
        buffer_append_string(&tried, i > 0 ? ", " : "");
        buffer_append_text(&tried, references->items[i].spelled);
    }
    return error_set(error, ERROR_NOT_FOUND, "no %s: %s", what,
                     tried.bytes > 0 ? buffer_string(&tried) : "the settings name none");
}

/* The host's part of "https://host:port/..." */
static struct text url_host(struct text url) {
    struct text host = url;
    size_t scheme = text_find(url, TEXT("://"));
    if (scheme < url.bytes) {
        host = text_slice(url, scheme + 3, url.bytes);
    }
    host = text_slice(host, 0, text_find_byte(host, '/', 0));
    if (text_starts_with(host, TEXT("["))) {
        return text_slice(host, 1, text_find_byte(host, ']', 0));
    }
    return text_slice(host, 0, text_find_byte(host, ':', 0));
}

static bool is_loopback(struct text url) {
    struct text host = url_host(url);
    return text_equal(host, TEXT("127.0.0.1")) || text_equal(host, TEXT("localhost")) ||
           text_equal(host, TEXT("::1"));
}

bool target_request(struct target *target, struct text method, struct text url,
                    const struct http_header *headers, size_t header_count, struct text body,
                    int *status_out, struct buffer *body_out, struct error *error) {
    const struct permit permit = {.class = PERMIT_OWN};
    bool local = is_loopback(url);
    const struct http_request request = {
        .method = method,
        .url = url,
        .headers = headers,
        .header_count = header_count,
        .body = body,
        .timeout_ms = target->timeout_ms > 0 ? target->timeout_ms : TIMEOUT_MS,
        .response_limit_bytes = RESPONSE_BYTES,
        .skip_verification = local && !target->ca_file,
        .no_proxy = local,
    };
    scoped(http_reply_free) struct http_reply *reply = NULL;
    if (!http_call(target->client, &permit, &request, &reply, NULL, error)) {
        return error_wrap(error, "%.*s", TEXT_ARG(url));
    }
    *status_out = reply->response.status;
    buffer_append_text(body_out, reply->response.body);
    return true;
}
