#include "riposte/inbound/request.h"

#include "exchange.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text request_method(const struct request *request) {
    return request->method;
}

struct text request_path(const struct request *request) {
    return request->path;
}

struct search {
    struct text name;
    struct text value; /* of the first */
    size_t count;
};

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                 size_t name_bytes, const char *value, size_t value_bytes) {
    (void)kind;
    struct search *search = arg;
    if (text_equal_ignoring_ascii_case((struct text){name, name_bytes}, search->name)) {
        if (search->count++ == 0 && value != NULL) {
            search->value = (struct text){value, value_bytes};
        }
    }
    return MHD_YES;
}

static struct search find_headers(const struct request *request, const char *name) {
    struct search search = {.name = text_of(name)};
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, on_header, &search);
    return search;
}

struct text request_header(const struct request *request, const char *name) {
    struct search search = find_headers(request, name);
    return search.count == 1 ? search.value : (struct text){NULL, 0};
}

size_t request_header_count(const struct request *request, const char *name) {
    return find_headers(request, name).count;
}

struct text request_query(const struct request *request, const char *name) {
    const char *value = NULL;
    size_t value_bytes = 0;
    MHD_lookup_connection_value_n(request->connection, MHD_GET_ARGUMENT_KIND, name, strlen(name),
                                  &value, &value_bytes);
    return value == NULL ? (struct text){NULL, 0} : (struct text){value, value_bytes};
}

struct text request_peer(struct request *request) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info == NULL ? NULL : info->client_addr;
    if (address == NULL || request->peer[0] != '\0') {
        return text_of(request->peer);
    }
    if (address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
                  request->peer, sizeof(request->peer));
    } else if (address->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
                  request->peer, sizeof(request->peer));
    }
    return text_of(request->peer);
}

struct blob *request_body(const struct request *request) {
    return request->body;
}

int64_t request_began_mono_us(const struct request *request) {
    return request->began_mono_us;
}

void response_add_header(struct MHD_Response *response, const char *name, const char *value) {
    enum MHD_Result result = MHD_add_response_header(response, name, value);
    assert(result == MHD_YES); /* refused: a line break in a value, which is ours */
}

static struct MHD_Response *response_of(struct text body) {
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.bytes, (void *)(uintptr_t)body.data, MHD_RESPMEM_MUST_COPY);
    assert(response != NULL); /* as memory.h: without a few bytes nothing goes on */
    return response;
}

struct MHD_Response *response_make(const struct answer *answer) {
    struct MHD_Response *response = response_of(answer->body);
    response_add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                        answer->content_type == NULL ? "application/json" : answer->content_type);
    response_add_header(response, "X-Content-Type-Options", "nosniff");
    if (answer->retry_after_s > 0) {
        char seconds[16];
        snprintf(seconds, sizeof(seconds), "%u", answer->retry_after_s);
        response_add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    if (answer->allow != NULL) {
        response_add_header(response, MHD_HTTP_HEADER_ALLOW, answer->allow);
    }
    if (answer->challenge != NULL) {
        response_add_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, answer->challenge);
    }
    if (answer->is_last) {
        response_add_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    if (answer->location.bytes > 0) {
        char *location = text_copy(answer->location);
        response_add_header(response, MHD_HTTP_HEADER_LOCATION, location);
        free(location);
    }
    for (size_t i = 0; i < answer->header_count; i++) {
        response_add_header(response, answer->headers[i].name, answer->headers[i].value);
    }
    return response;
}

static void append_error(struct buffer *body, const char *what) {
    buffer_append_string(body, "{\"error\":");
    buffer_append_json_string(body, text_of(what));
    buffer_append_string(body, "}\n");
}

struct MHD_Response *response_make_error(const char *what, unsigned retry_after_s, bool is_last) {
    struct buffer body = BUFFER_INIT;
    append_error(&body, what);
    struct MHD_Response *response = response_make(
        &(struct answer){.body = buffer_text(&body), .retry_after_s = retry_after_s});
    if (is_last) {
        response_add_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
    buffer_done(&body);
    return response;
}

void request_answer(struct request *request, const struct answer *answer) {
    struct MHD_Connection *connection = request->connection;
    atomic_size_t *pending = request->pending;
    bool is_handed = request->is_handed;
    request->response = response_make(answer);
    request->has_response_body = answer->body.bytes > 0;
    request->status = answer->status;
    /* From here on the listener's thread may end the request and free it, unless it is suspended:
     * then nobody touches it before the resume below. */
    unsigned before = atomic_exchange(&request->state, REQUEST_ANSWERED);
    assert(before != REQUEST_ANSWERED);
    if (before == REQUEST_SUSPENDED) {
        MHD_resume_connection(connection);
    }
    /* Last, because once nothing is pending the listener may be stopped and freed, and the resume
     * above still uses the daemon after it woke its thread. */
    if (is_handed) {
        atomic_fetch_sub(pending, 1);
    }
}

void request_answer_busy(struct request *request, unsigned status, const char *what,
                         unsigned retry_after_s) {
    struct buffer body = BUFFER_INIT;
    append_error(&body, what);
    request_answer(request, &(struct answer){.status = status,
                                             .body = buffer_text(&body),
                                             .retry_after_s = retry_after_s});
    buffer_done(&body);
}

void request_answer_error(struct request *request, unsigned status, const char *what) {
    request_answer_busy(request, status, what, 0);
}
