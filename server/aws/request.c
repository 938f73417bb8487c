#include "riposte/aws/request.h"
#include "riposte/event/operation.h"

#include "riposte/aws/crc32.h"
#include "riposte/aws/endpoint.h"
#include "riposte/aws/protocol.h"
#include "riposte/base/base64.h"
#include "riposte/base/buffer.h"
#include "riposte/base/time.h"
#include "riposte/crypto/sha256.h"

#include <assert.h>

#define FORM_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define LABEL_MIN 3
#define LABEL_MAX 63

static void add_header(struct aws_request *request, struct text name, struct text value) {
    assert(request->header_count < AWS_REQUEST_HEADERS);
    request->headers[request->header_count++] = (struct http_header){name, value};
}

/* --- query, EC2, JSON --- */

static bool make_form(const struct aws_call *call, struct arena *arena, struct aws_request *request,
                      struct error *error) {
    scoped(buffer_done) struct buffer body = BUFFER_INIT;
    if (!aws_protocol_form(request->service, call->operation, call->parameters, &body, error)) {
        return false;
    }
    request->body = arena_copy_text(arena, buffer_text(&body));
    add_header(request, TEXT("Content-Type"), TEXT(FORM_TYPE));
    return true;
}

static bool make_json(const struct aws_call *call, struct arena *arena, struct aws_request *request,
                      struct error *error) {
    const struct aws_service *service = request->service;
    scoped(buffer_done) struct buffer body = BUFFER_INIT;
    if (call->parameters != NULL && !json_is_object(call->parameters)) {
        return error_set(error, ERROR_INVALID, "parameters must be an object");
    }
    if (!aws_protocol_json(call->parameters, &body, error)) {
        return false;
    }
    request->body = arena_copy_text(arena, buffer_text(&body));
    add_header(request, TEXT("Content-Type"),
               arena_format(arena, "application/x-amz-json-%s", service->version));
    add_header(request, TEXT("X-Amz-Target"),
               arena_format(arena, "%s.%.*s", service->target, TEXT_ARG(call->operation)));
    if ((service->traits & AWS_TRAIT_QUERY_MODE) != 0) {
        add_header(request, TEXT("x-amzn-query-mode"), TEXT("true"));
    }
    return true;
}

/* --- S3 --- */

static bool has_checksum(const struct aws_request *request) {
    for (size_t i = 0; i < request->header_count; i++) {
        struct text name = request->headers[i].name;
        if (text_equal_ignoring_ascii_case(name, TEXT("content-md5")) ||
            text_equal_ignoring_ascii_case(text_slice(name, 0, TEXT("x-amz-checksum-").bytes),
                                           TEXT("x-amz-checksum-"))) {
            return true;
        }
    }
    return false;
}

static void add_checksum(struct aws_request *request, struct arena *arena) {
    uint32_t sum = aws_crc32(request->body);
    char bytes[] = {(char)(sum >> 24), (char)(sum >> 16), (char)(sum >> 8), (char)sum};
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    base64_encode((struct text){bytes, sizeof(bytes)}, &text);
    add_header(request, TEXT("x-amz-sdk-checksum-algorithm"), TEXT("CRC32"));
    add_header(request, TEXT("x-amz-checksum-crc32"), arena_copy_text(arena, buffer_text(&text)));
}

static void add_integrity(struct aws_request *request, struct arena *arena) {
    char hash[SHA256_HEX_BYTES];
    sha256_hex(request->body, hash);
    bool may_have_body = text_equal_string(request->method, "PUT") ||
                         text_equal_string(request->method, "POST");
    bool takes_checksum = (request->service->traits & AWS_TRAIT_BUCKETS) != 0;
    if (may_have_body && takes_checksum && !has_checksum(request)) {
        add_checksum(request, arena);
    }
    add_header(request, TEXT("X-Amz-Content-SHA256"), arena_copy_text(arena, text_of(hash)));
}

/* Can it stand before the host name? With a dot in it the certificate would not cover it. */
static bool is_label(struct text bucket) {
    for (size_t i = 0; i < bucket.bytes; i++) {
        char c = bucket.data[i];
        bool is_hyphen = c == '-' && i > 0 && i + 1 < bucket.bytes;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || is_hyphen)) {
            return false;
        }
    }
    return bucket.bytes >= LABEL_MIN && bucket.bytes <= LABEL_MAX;
}

/* The bucket goes from the path into the host name where it can. */
static void move_bucket(struct aws_request *request, struct arena *arena) {
    struct text path = request->path;
    struct text bucket = text_slice(path, 1, text_find_byte(path, '/', 1));
    if (is_label(bucket)) {
        request->authority = arena_format(arena, "%.*s.%.*s", TEXT_ARG(bucket),
                                          TEXT_ARG(request->authority));
        request->path = text_slice(path, 1 + bucket.bytes, path.bytes);
        request->path = request->path.bytes > 0 ? request->path : TEXT("/");
    }
}

/* --- REST --- */

/* What passed as a read by its name must not write by its method. */
static bool check_method(const struct aws_call *call, const struct aws_request *request,
                         struct error *error) {
    bool may_ask_by_post = request->service->protocol == AWS_PROTOCOL_REST_JSON;
    bool asks = text_equal_string(request->method, "GET") ||
                text_equal_string(request->method, "HEAD") ||
                (may_ask_by_post && text_equal_string(request->method, "POST"));
    if (operation_is_read(call->operation) && !asks) {
        return error_set(error, ERROR_INVALID, "%.*s reads, and %.*s writes",
                         TEXT_ARG(call->operation), TEXT_ARG(request->method));
    }
    return true;
}

static bool make_rest(const struct aws_call *call, struct arena *arena, struct aws_request *request,
                      struct error *error) {
    struct aws_rest rest;
    if (call->parameters != NULL && json_count(call->parameters) > 0) {
        return error_set(error, ERROR_INVALID, "calls to %s take a \"request\", not parameters",
                         request->service->name);
    }
    if (!aws_rest_read(request->service, call->request, arena, &rest, error)) {
        return false;
    }
    request->method = rest.method;
    if (!check_method(call, request, error)) {
        return false;
    }
    request->query = rest.query;
    request->body = rest.body;
    for (size_t i = 0; i < rest.header_count; i++) {
        add_header(request, rest.headers[i].name, rest.headers[i].value);
    }
    if (request->is_endpoint_configured) {
        /* Its own path goes first; nothing goes before its host, which may be an address. */
        struct text base = request->path;
        base.bytes -= text_ends_with(base, TEXT("/")) ? 1 : 0;
        request->path = arena_format(arena, "%.*s%.*s", TEXT_ARG(base), TEXT_ARG(rest.path));
        return true;
    }
    request->path = rest.path;
    request->authority = arena_format(arena, "%.*s%.*s", TEXT_ARG(rest.host_prefix),
                                      TEXT_ARG(request->authority));
    if ((request->service->traits & AWS_TRAIT_BUCKETS) != 0) {
        move_bucket(request, arena);
    }
    return true;
}

/* --- all of them --- */

static bool make_by_protocol(const struct aws_call *call, struct arena *arena,
                             struct aws_request *request, struct error *error) {
    enum aws_protocol protocol = request->service->protocol;
    if (protocol == AWS_PROTOCOL_REST_JSON || protocol == AWS_PROTOCOL_REST_XML) {
        return make_rest(call, arena, request, error);
    }
    if (call->request != NULL) {
        return error_set(error, ERROR_INVALID, "calls to %s take parameters, not a \"request\"",
                         request->service->name);
    }
    return protocol == AWS_PROTOCOL_JSON ? make_json(call, arena, request, error)
                                         : make_form(call, arena, request, error);
}

bool aws_request_make(const struct aws_environment *environment, struct text configured,
                      const struct aws_call *call, struct arena *arena,
                      struct aws_request *request_out, struct error *error) {
    struct aws_endpoint endpoint;
    struct aws_request request = {.method = TEXT("POST")};
    if (!aws_operation_check(call->service, call->operation, error)) {
        return false;
    }
    request.service = aws_service_find(call->service);
    if (!aws_endpoint_resolve(environment, configured, request.service, call->region, arena,
                              &endpoint, error)) {
        return false;
    }
    request.authority = endpoint.authority;
    request.path = endpoint.path;
    request.signing_region = endpoint.signing_region;
    request.is_endpoint_configured = endpoint.is_configured;
    if (!make_by_protocol(call, arena, &request, error)) {
        return false;
    }
    if ((request.service->traits & AWS_TRAIT_S3) != 0) {
        add_integrity(&request, arena);
    }
    struct text scheme = text_starts_with(endpoint.url, TEXT("https:")) ? TEXT("https")
                                                                        : TEXT("http");
    request.url = arena_format(arena, "%.*s://%.*s%.*s%s%.*s", TEXT_ARG(scheme),
                               TEXT_ARG(request.authority), TEXT_ARG(request.path),
                               request.query.bytes > 0 ? "?" : "", TEXT_ARG(request.query));
    *request_out = request;
    return true;
}

/* --- signature --- */

static struct text authorize(const struct aws_request *request,
                             const struct aws_credentials *credentials, int64_t signed_unix_ms,
                             struct sigv4_cache *cache, const struct http_header *headers,
                             size_t header_count, struct arena *arena) {
    struct sigv4_request canonical = {
        .method = request->method,
        .path = request->path,
        .query = request->query,
        .headers = headers,
        .header_count = header_count,
        .body = request->body,
        .is_s3 = (request->service->traits & AWS_TRAIT_S3) != 0,
    };
    struct sigv4_scope scope = {
        .unix_ms = signed_unix_ms,
        .region = request->signing_region,
        .service = text_of(request->service->signing_name),
    };
    scoped(buffer_done) struct buffer authorization = BUFFER_INIT;
    sigv4_sign(&canonical, &scope, credentials->access_key_id, credentials->secret_access_key,
               cache, &authorization);
    return arena_copy_text(arena, buffer_text(&authorization));
}

size_t aws_request_sign(const struct aws_request *request,
                        const struct aws_credentials *credentials, int64_t signed_unix_ms,
                        struct sigv4_cache *cache, struct arena *arena,
                        struct http_header headers_out[AWS_REQUEST_HEADERS]) {
    char time[TIME_TEXT_BYTES];
    time_format_basic(signed_unix_ms, time);
    size_t count = 0;
    headers_out[count++] = (struct http_header){TEXT("Host"), request->authority};
    for (size_t i = 0; i < request->header_count; i++) {
        headers_out[count++] = request->headers[i];
    }
    headers_out[count++] = (struct http_header){TEXT("X-Amz-Date"),
                                                arena_copy_text(arena, text_of(time))};
    if (credentials->session_token.bytes > 0) {
        headers_out[count++] = (struct http_header){TEXT("X-Amz-Security-Token"),
                                                    credentials->session_token};
    }
    assert(count <= AWS_REQUEST_HEADERS);
    /* In Host's place, which outbound makes itself. */
    struct text authorization = authorize(request, credentials, signed_unix_ms, cache, headers_out,
                                          count, arena);
    headers_out[0] = (struct http_header){TEXT("Authorization"), authorization};
    return count;
}
