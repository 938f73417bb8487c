#include "riposte/outbound/transfer.h"

#include "riposte/base/buffer.h"
#include "riposte/base/clock.h"
#include "riposte/base/memory.h"
#include "riposte/outbound/url.h"

#include <curl/curl.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS 10000
/* Longer than any peer keeps an idle connection: libcurl sees it closed and opens another. */
#define KEPT_CONNECTION_S 600L
#define KEEPALIVE_S       30L

struct transfer {
    struct transfer *next, *previous;
    CURL *handle;
    struct curl_slist *headers;
    char *host; /* for messages: the rest of a URL may be a secret */
    char *body;
    size_t body_bytes, limit_bytes;
    int64_t timeout_ms, started_mono_us;
    http_done_fn *done_fn;
    void *arg;

    struct buffer answer, answer_headers;
    struct http_header found[HTTP_HEADERS];
    size_t found_count;
    bool is_too_large;
    int result; /* libcurl's code, once it has ended */
    char problem[CURL_ERROR_SIZE];
};

/* libcurl writes headers as they are: a line break in one would begin another. */
static bool is_header_text(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7F) {
            return false;
        }
    }
    return true;
}

static bool is_token(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_')) {
            return false;
        }
    }
    return text.bytes > 0 && text.bytes <= 100;
}

static void append_header(struct transfer *transfer, const char *line) {
    struct curl_slist *longer = curl_slist_append(transfer->headers, line);
    if (longer == NULL) {
        abort(); /* as memory_new() does */
    }
    transfer->headers = longer;
}

static bool add_header(struct transfer *transfer, const struct http_header *header,
                       struct buffer *line, struct error *error) {
    if (!is_token(header->name) || !is_header_text(header->value)) {
        return error_set(error, ERROR_INVALID, "a header to %s holds what no header may",
                         transfer->host);
    }
    buffer_clear(line);
    buffer_append_text(line, header->name);
    /* libcurl's spelling of a header without a value; "name:" would remove it. */
    buffer_append_string(line, header->value.bytes == 0 ? ";" : ": ");
    buffer_append_text(line, header->value);
    append_header(transfer, buffer_string(line));
    return true;
}

static bool add_headers(struct transfer *transfer, const struct http_request *request,
                        struct error *error) {
    scoped(buffer_done) struct buffer line = BUFFER_INIT;
    bool has_content_type = false;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        has_content_type |= text_equal_ignoring_ascii_case(header->name, TEXT("content-type"));
        if (!add_header(transfer, header, &line, error)) {
            return false;
        }
    }
    /* What libcurl would add of its own accord. */
    append_header(transfer, "Expect:");
    if (!has_content_type) {
        append_header(transfer, "Content-Type:");
    }
    return true;
}

/* Returns fewer than it was given to end the transfer. */
static size_t take_body(char *data, size_t one, size_t bytes, void *arg) {
    struct transfer *transfer = arg;
    (void)one;
    if (bytes > transfer->limit_bytes - transfer->answer.bytes) {
        transfer->is_too_large = true;
        return 0;
    }
    buffer_append(&transfer->answer, data, bytes);
    return bytes;
}

static size_t take_header(char *data, size_t one, size_t bytes, void *arg) {
    struct transfer *transfer = arg;
    (void)one;
    struct text line = {data, bytes};
    if (text_starts_with(line, TEXT("HTTP/"))) {
        buffer_clear(&transfer->answer_headers); /* only those of the last status line count */
    }
    if (bytes > HTTP_HEADER_BYTES - transfer->answer_headers.bytes) {
        transfer->is_too_large = true;
        return 0;
    }
    buffer_append_text(&transfer->answer_headers, line);
    return bytes;
}

/* Says so with Content-Length: 0 when there is none: some peers insist. */
static bool has_body(struct text method) {
    return text_equal(method, TEXT("POST")) || text_equal(method, TEXT("PUT")) ||
           text_equal(method, TEXT("PATCH"));
}

static void set_method(CURL *handle, const struct transfer *transfer, struct text method) {
    if (text_equal(method, TEXT("HEAD"))) {
        curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
    } else if (has_body(method) || transfer->body_bytes > 0) {
        curl_easy_setopt(handle, CURLOPT_POST, 1L);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDS, transfer->body);
        curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body_bytes);
    }
    if (!text_equal(method, TEXT("HEAD")) && !text_equal(method, TEXT("POST")) &&
        !text_equal(method, TEXT("GET"))) {
        char name[101];
        memcpy(name, method.data, method.bytes);
        name[method.bytes] = '\0';
        curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, name);
    }
}

static void set_answer(CURL *handle, struct transfer *transfer) {
    curl_easy_setopt(handle, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, transfer->problem);
}

static void set_connection(CURL *handle, const struct transfer_defaults *defaults) {
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(handle, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
    curl_easy_setopt(handle, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
    curl_easy_setopt(handle, CURLOPT_MAXAGE_CONN, KEPT_CONNECTION_S);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, defaults->connect_timeout_ms);
    curl_easy_setopt(handle, CURLOPT_USERAGENT, defaults->user_agent);
}

static void set_peer(CURL *handle, const struct transfer_defaults *defaults,
                     const struct http_request *request, const struct url *url) {
    const char *ca_file = request->ca_file != NULL ? request->ca_file : defaults->ca_file;
    if (ca_file != NULL) {
        curl_easy_setopt(handle, CURLOPT_CAINFO, ca_file);
    }
    if (request->skip_verification) {
        curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (request->no_proxy || url_is_loopback(url) || url_is_link_local(url)) {
        curl_easy_setopt(handle, CURLOPT_PROXY, "");
    }
}

/* May this request go to that URL at all? */
static bool check_request(const struct http_request *request, struct url *url_out,
                          struct error *error) {
    struct url url;
    if (!url_parse(request->url, &url, error)) {
        return false;
    }
    if (!is_token(request->method)) {
        return error_set(error, ERROR_INVALID, "\"%.*s\" is not an HTTP method",
                         TEXT_ARG(request->method));
    }
    if (!url.is_https && !request->allow_plain_http && !url_is_loopback(&url) &&
        !url_is_link_local(&url)) {
        return error_set(error, ERROR_INVALID, "http:// to %.*s: only https:// leaves this machine",
                         TEXT_ARG(url.host));
    }
    if (request->skip_verification && !url_is_loopback(&url)) {
        return error_set(error, ERROR_INVALID, "the certificate of %.*s must be verified",
                         TEXT_ARG(url.host));
    }
    *url_out = url;
    return true;
}

static struct transfer *make(const struct http_request *request, const struct url *url,
                             http_done_fn *done_fn, void *arg) {
    struct transfer *transfer = memory_new(sizeof(*transfer));
    transfer->host = text_copy(url->host);
    transfer->body = text_copy(request->body);
    transfer->body_bytes = request->body.bytes;
    transfer->limit_bytes = request->response_limit_bytes > 0 ? request->response_limit_bytes
                                                              : HTTP_RESPONSE_BYTES;
    transfer->timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : DEFAULT_TIMEOUT_MS;
    transfer->started_mono_us = clock_mono_us(&clock_system);
    transfer->done_fn = done_fn;
    transfer->arg = arg;
    return transfer;
}

bool transfer_new(const struct transfer_defaults *defaults, const struct http_request *request,
                  http_done_fn *done_fn, void *arg, void **handle, struct transfer **transfer_out,
                  struct error *error) {
    struct url url;
    if (!check_request(request, &url, error)) {
        return false;
    }
    struct transfer *transfer = make(request, &url, done_fn, arg);
    if (!add_headers(transfer, request, error)) {
        transfer_free(&transfer, handle);
        return false;
    }
    transfer->handle = *handle != NULL ? *handle : curl_easy_init();
    *handle = NULL;
    if (transfer->handle == NULL) {
        abort(); /* as memory_new() does */
    }
    char *url_string = text_copy(request->url);
    curl_easy_setopt(transfer->handle, CURLOPT_URL, url_string);
    free(url_string);
    curl_easy_setopt(transfer->handle, CURLOPT_TIMEOUT_MS, (long)transfer->timeout_ms);
    curl_easy_setopt(transfer->handle, CURLOPT_HTTPHEADER, transfer->headers);
    set_connection(transfer->handle, defaults);
    set_peer(transfer->handle, defaults, request, &url);
    set_method(transfer->handle, transfer, request->method);
    set_answer(transfer->handle, transfer);
    *transfer_out = transfer;
    return true;
}

void transfer_free(struct transfer **transfer_at, void **handle_out) {
    struct transfer *transfer = *transfer_at;
    if (transfer == NULL) {
        return;
    }
    if (transfer->handle != NULL) {
        curl_easy_reset(transfer->handle);
        *handle_out = transfer->handle;
    }
    curl_slist_free_all(transfer->headers);
    /* A form may hold a token (AssumeRoleWithWebIdentity), an answer new keys. */
    memory_wipe(transfer->body, transfer->body_bytes);
    if (transfer->answer.bytes > 0) {
        memory_wipe(transfer->answer.data, transfer->answer.bytes);
    }
    free(transfer->body);
    free(transfer->host);
    buffer_done(&transfer->answer);
    buffer_done(&transfer->answer_headers);
    free(transfer);
    *transfer_at = NULL;
}

void *transfer_handle(struct transfer *transfer) {
    return transfer->handle;
}

struct transfer *transfer_of_handle(void *handle) {
    char *transfer = NULL;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, &transfer);
    assert(transfer != NULL);
    return (struct transfer *)(void *)transfer;
}

/* "Name: value" lines into found[]; the status line and the empty last line hold no header. */
static void find_headers(struct transfer *transfer) {
    struct text rest = buffer_text(&transfer->answer_headers);
    struct text line;
    transfer->found_count = 0;
    while (transfer->found_count < HTTP_HEADERS && text_next_part(&rest, '\n', &line)) {
        size_t colon = text_find_byte(line, ':', 0);
        if (colon < line.bytes && !text_starts_with(line, TEXT("HTTP/"))) {
            transfer->found[transfer->found_count++] = (struct http_header){
                text_slice(line, 0, colon), text_trim(text_slice(line, colon + 1, line.bytes))};
        }
    }
}

static void say_answer(struct transfer *transfer) {
    long status = 0;
    long opened = 0;
    curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->handle, CURLINFO_NUM_CONNECTS, &opened);
    find_headers(transfer);
    struct http_response response = {
        .status = (int)status,
        .body = buffer_text(&transfer->answer),
        .headers = transfer->found,
        .header_count = transfer->found_count,
        .took_us = clock_mono_us(&clock_system) - transfer->started_mono_us,
        .was_kept_connection = opened == 0,
    };
    struct error none = {0};
    transfer->done_fn(transfer->arg, &response, true, &none);
}

/* Could any byte of the request have reached the peer? */
static bool has_left(const struct transfer *transfer) {
    long sent_bytes = 0;
    curl_easy_getinfo(transfer->handle, CURLINFO_REQUEST_SIZE, &sent_bytes);
    return sent_bytes > 0;
}

void transfer_note_result(struct transfer *transfer, int result) {
    transfer->result = result;
}

void transfer_finish(struct transfer *transfer) {
    int result = transfer->result;
    if (result == CURLE_OK) {
        say_answer(transfer);
        return;
    }
    struct error error = {0};
    if (transfer->is_too_large) {
        error_set(&error, ERROR_LIMIT, "%s answered with more than %zu bytes", transfer->host,
                  transfer->limit_bytes);
    } else if (result == CURLE_OPERATION_TIMEDOUT) {
        error_set(&error, ERROR_LIMIT, "%s: no answer in time: %s", transfer->host,
                  transfer->problem);
    } else {
        error_set(&error, ERROR_SYSTEM, "%s: %s", transfer->host,
                  transfer->problem[0] != '\0' ? transfer->problem
                                               : curl_easy_strerror((CURLcode)result));
    }
    transfer->done_fn(transfer->arg, NULL, has_left(transfer), &error);
}

void transfer_abandon(struct transfer *transfer) {
    struct error error = {0};
    error_set(&error, ERROR_BUSY, "%s: given up, this process ends", transfer->host);
    transfer->done_fn(transfer->arg, NULL, has_left(transfer), &error);
}

void transfer_list_append(struct transfer_list *list, struct transfer *transfer) {
    transfer->next = NULL;
    transfer->previous = list->last;
    if (list->last != NULL) {
        list->last->next = transfer;
    } else {
        list->first = transfer;
    }
    list->last = transfer;
}

struct transfer *transfer_list_take(struct transfer_list *list) {
    struct transfer *transfer = list->first;
    if (transfer != NULL) {
        transfer_list_remove(list, transfer);
    }
    return transfer;
}

struct transfer *transfer_list_next(struct transfer *transfer) {
    return transfer->next;
}

void transfer_list_remove(struct transfer_list *list, struct transfer *transfer) {
    if (transfer->previous != NULL) {
        transfer->previous->next = transfer->next;
    } else {
        list->first = transfer->next;
    }
    if (transfer->next != NULL) {
        transfer->next->previous = transfer->previous;
    } else {
        list->last = transfer->previous;
    }
    transfer->next = transfer->previous = NULL;
}
