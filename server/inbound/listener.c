#include "riposte/inbound/listener.h"

#include "crowd.h"
#include "exchange.h"
#include "riposte/base/clock.h"
#include "riposte/base/memory.h"
#include "riposte/crypto/served_certificate.h"
#include "riposte/observe/log.h"
#include "riposte/observe/metrics.h"
#include "transport.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Headers of the size we allow, libmicrohttpd's records of them, and its read and write buffers.
 * What is larger it maps and unmaps for each connection, which costs as much as a handshake. */
#define CONNECTION_MEMORY_BYTES (24u * 1024)
#define STOP_WAIT_MS            2000
#define RETRY_AFTER_S           2
/* TLS 1.2 at least, and nothing weaker than 128 bits (what an ALB and EventBridge offer). First the
 * cipher whose SHA-256 the processor knows: the key schedule's SHA-384 is an eighth of a handshake.
 */
#define TLS_PRIORITIES                                                                           \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM:+CHACHA20-POLY1305:" \
    "+AES-256-GCM:%SERVER_PRECEDENCE"

/* Answers that say the same to everybody, built once. */
enum refusal {
    REFUSAL_FRAMING,
    REFUSAL_NO_PATH,
    REFUSAL_TOO_LARGE,
    REFUSAL_HEADERS,
    REFUSAL_MEMORY,
    REFUSAL_DRAINING,
    REFUSAL_COUNT,
};

static const struct refusal_text {
    unsigned status;
    const char *what;
    unsigned retry_after_s;
    bool is_last; /* what follows on the connection can't be trusted, or isn't wanted */
} refusal_texts[REFUSAL_COUNT] = {
    [REFUSAL_FRAMING] = {400,
                         "Content-Length or Transfer-Encoding: more than one, or not 'chunked'", 0,
                         true},
    [REFUSAL_NO_PATH] = {404, "no such path", 0, false},
    [REFUSAL_TOO_LARGE] = {413, "the body is too large", 0, false},
    [REFUSAL_HEADERS] = {431, "the headers are too large", 0, true},
    [REFUSAL_MEMORY] = {503, "too many requests at once", RETRY_AFTER_S, false},
    [REFUSAL_DRAINING] = {503, "stopping", RETRY_AFTER_S, true},
};

struct listener {
    struct MHD_Daemon *daemon;
    struct crowd *crowd;
    struct MHD_Response *refusals[REFUSAL_COUNT];
    char name[16];
    uint16_t port;
    bool has_socket; /* it came from outside: given back when quiesced */
    int left_socket;
    const struct route *routes;
    size_t route_count;
    struct listener_limits limits;
    char start_text[256]; /* what libmicrohttpd said last while it started */

    struct {
        atomic_bool is_draining, is_quiesced;
        atomic_size_t pending;    /* handed to a handler, not answered */
        atomic_size_t unfinished; /* handed to a handler, the answer not sent yet */
        atomic_size_t held_bytes; /* bodies in memory */
    } shared;
};

/* A connection. */
struct peer {
    struct transport *transport;
    struct visitor visitor;
};

enum {
    METRIC_REQUESTS,
    METRIC_BODY_BYTES,
    METRIC_CONNECTIONS,
    METRIC_ACCEPTED,
    METRIC_CROWDED,
    METRIC_COUNT
};

static struct metric metrics[METRIC_COUNT] = {
    [METRIC_REQUESTS] = {.name = "riposte_http_requests_total",
                         .help = "Requests by listener and status (0: ended without an answer).",
                         .type = METRIC_COUNTER,
                         .labels = {"listener", "status"}},
    [METRIC_BODY_BYTES] = {.name = "riposte_http_request_body_bytes_total",
                           .help = "Bytes of request bodies received.",
                           .type = METRIC_COUNTER,
                           .labels = {"listener"}},
    [METRIC_CONNECTIONS] = {.name = "riposte_http_connections",
                            .help = "Connections open now.",
                            .type = METRIC_GAUGE,
                            .labels = {"listener"}},
    [METRIC_ACCEPTED] = {.name = "riposte_http_connections_total",
                         .help = "Connections taken.",
                         .type = METRIC_COUNTER,
                         .labels = {"listener"}},
    [METRIC_CROWDED] = {.name = "riposte_http_crowded_out_total",
                        .help =
                            "Connections without an accepted request that gave way to new ones.",
                        .type = METRIC_COUNTER,
                        .labels = {"listener"}},
};

/* ---- a request's way in -------------------------------------------------------------------------
 */

static struct peer *peer_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    assert(info != NULL && info->socket_context != NULL);
    return info->socket_context;
}

static void set_timeout(struct MHD_Connection *connection, unsigned ms) {
    (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, (ms + 999) / 1000);
}

static enum MHD_Result queue_response(struct request *request) {
    enum MHD_Result result = MHD_queue_response(request->connection, request->status,
                                                request->response);
    if (result == MHD_YES && request->has_response_body &&
        !text_equal(request->method, TEXT("HEAD"))) {
        transport_hold(peer_of(request->connection)->transport);
    }
    if (!request->is_shared_response) {
        MHD_destroy_response(request->response); /* the connection has its own reference */
    }
    request->response = NULL;
    return result;
}

static void set_refusal(struct listener *listener, struct request *request, enum refusal refusal) {
    request->response = listener->refusals[refusal];
    request->is_shared_response = true;
    request->has_response_body = true;
    request->status = refusal_texts[refusal].status;
    atomic_store(&request->state, REQUEST_ANSWERED);
}

struct framing {
    size_t length_count, encoding_count;
    uint64_t length;
    bool is_chunked, is_wrong, expects_continue;
};

/* libmicrohttpd 0.9.75 keeps a space before the colon as part of the name, and of a value that goes
 * on in the next line it makes "Content-Length5": what others take for a length is none to it. */
static bool is_misread(struct text name) {
    static const struct text framing[] = {TEXT_INIT(MHD_HTTP_HEADER_CONTENT_LENGTH),
                                          TEXT_INIT(MHD_HTTP_HEADER_TRANSFER_ENCODING)};
    bool is_misread = false;
    for (size_t i = 0; i < name.bytes; i++) {
        is_misread |= name.data[i] <= ' ' || name.data[i] > '~';
    }
    for (size_t i = 0; i < ARRAY_COUNT(framing); i++) {
        is_misread |= name.bytes > framing[i].bytes &&
                      text_equal_ignoring_ascii_case(text_slice(name, 0, framing[i].bytes),
                                                     framing[i]);
    }
    return is_misread;
}

static enum MHD_Result on_framing_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                         size_t name_bytes, const char *value, size_t value_bytes) {
    (void)kind;
    struct framing *framing = arg;
    struct text key = {name, name_bytes};
    struct text text = {value, value == NULL ? 0 : value_bytes};
    framing->is_wrong |= is_misread(key);
    if (text_equal_ignoring_ascii_case(key, TEXT(MHD_HTTP_HEADER_CONTENT_LENGTH))) {
        framing->length_count++;
        framing->is_wrong |= !text_parse_unsigned(text, &framing->length);
    } else if (text_equal_ignoring_ascii_case(key, TEXT(MHD_HTTP_HEADER_TRANSFER_ENCODING))) {
        framing->encoding_count++;
        framing->is_chunked = text_equal_ignoring_ascii_case(text, TEXT("chunked"));
        framing->is_wrong |= !framing->is_chunked;
    } else if (text_equal_ignoring_ascii_case(key, TEXT(MHD_HTTP_HEADER_EXPECT))) {
        framing->expects_continue |= text_equal_ignoring_ascii_case(text, TEXT("100-continue"));
    }
    return MHD_YES;
}

/* libmicrohttpd takes the first of several lengths, and an unknown encoding as "until the end":
 * where a proxy in front reads it differently, one request hides inside another. */
static struct framing read_framing(const struct request *request) {
    struct framing framing = {0};
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, on_framing_header, &framing);
    framing.is_wrong |= framing.length_count + framing.encoding_count > 1;
    return framing;
}

/* The answer is there before the body. A body of bearable size is read and thrown away first, so
 * that the client is done sending when the answer comes, and the connection can be kept. Of a
 * larger one, or one that waits for a 100, nothing is read: libmicrohttpd closes after an answer
 * given here, and with bytes still coming that is a reset, which most clients don't read past. */
static enum MHD_Result answer_early(struct request *request, const struct framing *framing) {
    if (framing->expects_continue || framing->length > LISTENER_DISCARD_BYTES) {
        return queue_response(request);
    }
    request->is_discarding = true;
    return MHD_YES;
}

static enum MHD_Result refuse_method(struct listener *listener, struct request *request,
                                     const struct framing *framing) {
    struct buffer allow = BUFFER_INIT;
    route_allow(listener->routes, listener->route_count, request->path, &allow);
    request->response = response_make(&(struct answer){
        .body = TEXT("{\"error\":\"not with this method\"}\n"), .allow = buffer_string(&allow)});
    request->has_response_body = true;
    request->status = MHD_HTTP_METHOD_NOT_ALLOWED;
    atomic_store(&request->state, REQUEST_ANSWERED);
    buffer_done(&allow);
    return answer_early(request, framing);
}

static bool is_over_header_limit(const struct request *request) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info != NULL && info->header_size > LISTENER_HEADER_BYTES;
}

static size_t body_limit(const struct request *request) {
    size_t limit = request->route->body_limit_bytes;
    return limit > 0 ? limit : LISTENER_DISCARD_BYTES;
}

/* A gate has let it in: it may stay. */
static void welcome(struct listener *listener, struct request *request) {
    struct visitor *visitor = &peer_of(request->connection)->visitor;
    if (visitor->is_welcome) {
        set_timeout(request->connection, listener->limits.request_ms);
    } else {
        visitor->is_welcome = true;
        crowd_prove(listener->crowd, visitor);
    }
}

/* The connection waits for its next request: long, where it was let in. */
static void rest(struct listener *listener, struct MHD_Connection *connection) {
    struct peer *peer = peer_of(connection);
    transport_rest(peer->transport, listener->limits.request_ms);
    if (peer->visitor.is_welcome) {
        set_timeout(connection, listener->limits.idle_ms);
    }
}

/* The headers are there. */
static enum MHD_Result begin(struct listener *listener, struct request *request) {
    transport_expect(peer_of(request->connection)->transport,
                     clock_mono_ms(&clock_system) + listener->limits.request_ms);
    struct framing framing = read_framing(request);
    if (framing.is_wrong) {
        set_refusal(listener, request, REFUSAL_FRAMING);
        return queue_response(request);
    }
    if (is_over_header_limit(request)) {
        set_refusal(listener, request, REFUSAL_HEADERS);
        return queue_response(request);
    }
    if (atomic_load(&listener->shared.is_draining)) {
        set_refusal(listener, request, REFUSAL_DRAINING);
        return answer_early(request, &framing);
    }
    bool is_path_known = false;
    request->route = request->has_no_path
                         ? NULL
                         : route_find(listener->routes, listener->route_count, request->method,
                                      request->path, &is_path_known);
    if (request->route == NULL && is_path_known) {
        return refuse_method(listener, request, &framing);
    }
    if (request->route == NULL) {
        set_refusal(listener, request, REFUSAL_NO_PATH);
        return answer_early(request, &framing);
    }
    if (request->route->gate_fn != NULL && !request->route->gate_fn(request->route->arg, request)) {
        assert(atomic_load(&request->state) == REQUEST_ANSWERED);
        return answer_early(request, &framing);
    }
    if (request->route->gate_fn != NULL) {
        welcome(listener, request);
    }
    if (framing.length > body_limit(request)) {
        set_refusal(listener, request, REFUSAL_TOO_LARGE);
        return answer_early(request, &framing);
    }
    request->is_discarding = request->route->body_limit_bytes == 0;
    return MHD_YES;
}

static void drop_body(struct listener *listener, struct request *request) {
    buffer_done(&request->incoming);
    blob_unref(&request->body);
    atomic_fetch_sub(&listener->shared.held_bytes, request->held_bytes);
    request->held_bytes = 0;
}

/* The body is not wanted any more; the answer waits for its end (libmicrohttpd takes none before).
 */
static void refuse_rest(struct listener *listener, struct request *request, enum refusal refusal) {
    drop_body(listener, request);
    set_refusal(listener, request, refusal);
    request->is_discarding = true;
}

static void store(struct listener *listener, struct request *request, struct text part) {
    if (part.bytes > body_limit(request) - request->incoming.bytes) {
        refuse_rest(listener, request, REFUSAL_TOO_LARGE);
        return;
    }
    buffer_append_text(&request->incoming, part);
    size_t grown_bytes = request->incoming.capacity - request->held_bytes;
    size_t all_bytes = atomic_fetch_add(&listener->shared.held_bytes, grown_bytes) + grown_bytes;
    request->held_bytes += grown_bytes;
    if (all_bytes > listener->limits.memory_bytes) {
        refuse_rest(listener, request, REFUSAL_MEMORY);
    }
}

/* A part of the body is there. False ends the connection without an answer. */
static enum MHD_Result receive(struct listener *listener, struct request *request,
                               struct text part) {
    metric_add(&metrics[METRIC_BODY_BYTES], part.bytes, METRIC_LABELS(text_of(listener->name)));
    if (request->is_discarding) {
        request->discarded_bytes += part.bytes;
        return request->discarded_bytes <= LISTENER_DISCARD_BYTES ? MHD_YES : MHD_NO;
    }
    store(listener, request, part);
    return MHD_YES;
}

/* The whole request is there: the handler's turn. */
static enum MHD_Result hand_over(struct listener *listener, struct request *request) {
    if (request->incoming.bytes > 0) {
        request->body = blob_from_buffer(&request->incoming);
    }
    request->is_handed = true;
    atomic_fetch_add(&listener->shared.pending, 1);
    atomic_fetch_add(&listener->shared.unfinished, 1);
    atomic_store(&request->state, REQUEST_HANDLED);
    request->route->handle_fn(request->route->arg, request);
    if (atomic_load(&request->state) == REQUEST_ANSWERED) {
        return queue_response(request);
    }
    MHD_suspend_connection(request->connection);
    unsigned expected = REQUEST_HANDLED;
    if (!atomic_compare_exchange_strong(&request->state, &expected, REQUEST_SUSPENDED)) {
        /* It was answered just now, and whoever did that saw no suspended connection to resume. */
        MHD_resume_connection(request->connection);
    }
    return MHD_YES;
}

/* Called by libmicrohttpd: once with the headers, for each part of the body, once at the end, and
 * once more after a resume. */
static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *bytes, void **context) {
    (void)connection;
    (void)version;
    struct listener *listener = arg;
    struct request *request = *context;
    if (!request->is_begun) {
        request->is_begun = true;
        request->method = text_of(method);
        request->path = text_of(url);
        return begin(listener, request);
    }
    if (*bytes > 0) {
        struct text part = {data, *bytes};
        *bytes = 0;
        return receive(listener, request, part);
    }
    if (atomic_load(&request->state) == REQUEST_ANSWERED) {
        return queue_response(request);
    }
    return hand_over(listener, request);
}

/* ---- libmicrohttpd's other callbacks ------------------------------------------------------------
 */

static void name_thread(const struct listener *listener) {
    static _Thread_local bool is_named;
    if (!is_named) {
        pthread_setname_np(pthread_self(), listener->name);
        is_named = true;
    }
}

/* A request line was read: a request begins here, so that its clock starts early. on_completed()
 * follows for every one, also when no handler ever sees it. */
static void *on_request_line(void *arg, const char *uri, struct MHD_Connection *connection) {
    struct listener *listener = arg;
    name_thread(listener);
    struct request *request = memory_new(sizeof(*request));
    request->connection = connection;
    request->began_mono_us = clock_mono_us(&clock_system);
    request->pending = &listener->shared.pending;
    /* Decoded, the path would end there. */
    request->has_no_path = uri != NULL && strstr(uri, "%00") != NULL;
    return request;
}

static void count_request(const struct listener *listener, struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection,
                                                                   MHD_CONNECTION_INFO_HTTP_STATUS);
    char status[16];
    snprintf(status, sizeof(status), "%u", info == NULL ? 0 : info->http_status);
    metric_add(&metrics[METRIC_REQUESTS], 1,
               METRIC_LABELS(text_of(listener->name), text_of(status)));
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code) {
    (void)code;
    struct listener *listener = arg;
    struct request *request = *context;
    *context = NULL;
    if (request == NULL) {
        return;
    }
    assert(!request->is_handed || atomic_load(&request->state) == REQUEST_ANSWERED);
    rest(listener, connection);
    count_request(listener, connection);
    drop_body(listener, request);
    if (request->response != NULL && !request->is_shared_response) {
        MHD_destroy_response(request->response); /* the client left before it could be queued */
    }
    bool is_handed = request->is_handed;
    free(request);
    if (is_handed) {
        atomic_fetch_sub(&listener->shared.unfinished, 1);
    }
}

static struct peer *attach(struct listener *listener, struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *session = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection,
                                                                 MHD_CONNECTION_INFO_CONNECTION_FD);
    struct peer *peer = memory_new(sizeof(*peer));
    peer->transport = transport_attach(session->tls_session, fd->connect_fd);
    transport_expect(peer->transport, clock_mono_ms(&clock_system) + listener->limits.request_ms);
    set_timeout(connection, listener->limits.request_ms);
    if (crowd_enter(listener->crowd, &peer->visitor, fd->connect_fd)) {
        metric_add(&metrics[METRIC_CROWDED], 1, METRIC_LABELS(text_of(listener->name)));
    }
    return peer;
}

static void detach(struct listener *listener, struct peer *peer) {
    crowd_leave(listener->crowd, &peer->visitor);
    transport_free(&peer->transport);
    free(peer);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code) {
    struct listener *listener = arg;
    struct text name = text_of(listener->name);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = attach(listener, connection);
        metric_add(&metrics[METRIC_ACCEPTED], 1, METRIC_LABELS(name));
        metric_change(&metrics[METRIC_CONNECTIONS], 1, METRIC_LABELS(name));
    } else {
        metric_change(&metrics[METRIC_CONNECTIONS], -1, METRIC_LABELS(name));
        detach(listener, *context);
        *context = NULL;
    }
}

static enum MHD_Result on_accept(void *arg, const struct sockaddr *address, socklen_t bytes) {
    (void)address;
    (void)bytes;
    struct listener *listener = arg;
    return atomic_load(&listener->shared.is_quiesced) ? MHD_NO : MHD_YES;
}

/* The listener that this thread is starting: what libmicrohttpd says then is why it can't. */
static _Thread_local struct listener *starting;

__attribute__((format(printf, 2, 0))) static void on_log(void *arg, const char *format,
                                                         va_list arguments) {
    struct listener *listener = arg;
    char text[256];
    vsnprintf(text, sizeof(text), format, arguments);
    if (listener == starting) {
        memcpy(listener->start_text, text, sizeof(text));
        return;
    }
    /* Mostly what strangers do: bad handshakes, half requests. */
    log_debug(&(struct log_context){.component = "inbound",
                                    LOG_FIELDS(log_string("listener", listener->name))},
              "%s", text);
}

/* ---- start and stop -----------------------------------------------------------------------------
 */

static bool bind_one(const struct addrinfo *candidate, int *socket_out, struct error *error) {
    int fd = socket(candidate->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return error_set_errno(error, errno, "socket");
    }
    int one = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(fd, candidate->ai_addr, candidate->ai_addrlen) != 0 || listen(fd, SOMAXCONN) != 0) {
        error_set_errno(error, errno, "listen");
        close(fd);
        return false;
    }
    *socket_out = fd;
    return true;
}

static uint16_t bound_port(int fd) {
    struct sockaddr_storage address = {0};
    socklen_t bytes = sizeof(address);
    int result = getsockname(fd, (struct sockaddr *)&address, &bytes);
    assert(result == 0);
    return ntohs(address.ss_family == AF_INET6
                     ? ((const struct sockaddr_in6 *)(const void *)&address)->sin6_port
                     : ((const struct sockaddr_in *)(const void *)&address)->sin_port);
}

/* The socket is made here and not by libmicrohttpd, which doesn't say why it couldn't. */
static bool open_socket(const struct listener_options *options, int *socket_out,
                        struct error *error) {
    char port[8];
    snprintf(port, sizeof(port), "%u", options->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *candidates = NULL;
    int result = getaddrinfo(options->address, port, &hints, &candidates);
    if (result != 0) {
        return error_set(error, ERROR_INVALID, "address %s: %s", options->address,
                         gai_strerror(result));
    }
    bool is_bound = false;
    for (const struct addrinfo *at = candidates; at != NULL && !is_bound; at = at->ai_next) {
        is_bound = bind_one(at, socket_out, error);
    }
    freeaddrinfo(candidates);
    return is_bound || error_wrap(error, "address %s, port %u", options->address, options->port);
}

static bool copy_socket(const struct listener_options *options, int *socket_out,
                        struct error *error) {
    int fd = fcntl(options->socket, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        return error_set_errno(error, errno, "socket %d", options->socket);
    }
    *socket_out = fd;
    return true;
}

/* The threads that start inside inherit a mask with everything blocked: signals are main's. With
 * poll and not epoll: there libmicrohttpd 0.9.75 never forgets that a connection was readable until
 * its handshake is done, and runs in circles through every wait for a client. */
static struct MHD_Daemon *start_daemon(struct listener *listener, int fd) {
    unsigned idle_s = (listener->limits.idle_ms + 999) / 1000;
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_log, listener},
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)served_certificate_callback()},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, listener},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, listener},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, listener},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY_BYTES, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)idle_s, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)listener->limits.connections, NULL},
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)listener->limits.connections_per_address,
         NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        /* One thread is what there is without a pool. */
        {listener->limits.threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END,
         (intptr_t)listener->limits.threads, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    starting = listener;
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
        0, on_accept, listener, on_request, listener, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
    starting = NULL;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

static struct listener *listener_new(const struct listener_options *options) {
    struct listener *listener = memory_new(sizeof(*listener));
    snprintf(listener->name, sizeof(listener->name), "%s", options->name);
    listener->routes = options->routes;
    listener->route_count = options->route_count;
    listener->has_socket = options->has_socket;
    listener->limits = options->limits;
    if (listener->limits.request_ms == 0) {
        listener->limits.request_ms = listener->limits.idle_ms;
    }
    listener->crowd = crowd_new(options->limits.connections);
    for (size_t i = 0; i < REFUSAL_COUNT; i++) {
        const struct refusal_text *text = &refusal_texts[i];
        listener->refusals[i] = response_make_error(text->what, text->retry_after_s, text->is_last);
    }
    return listener;
}

static void listener_free(struct listener **listener) {
    if (*listener == NULL) {
        return;
    }
    for (size_t i = 0; i < REFUSAL_COUNT; i++) {
        MHD_destroy_response((*listener)->refusals[i]);
    }
    crowd_free(&(*listener)->crowd);
    free(*listener);
    *listener = NULL;
}

bool listener_start(const struct listener_options *options, struct listener **listener_out,
                    struct error *error) {
    assert(options->limits.threads > 0 && options->limits.connections >= options->limits.threads);
    metrics_register(metrics, METRIC_COUNT);
    metric_add(&metrics[METRIC_CROWDED], 0, METRIC_LABELS(text_of(options->name)));
    int fd = -1;
    if (!(options->has_socket ? copy_socket(options, &fd, error)
                              : open_socket(options, &fd, error))) {
        return error_wrap(error, "listener %s", options->name);
    }
    scoped(listener_free) struct listener *listener = listener_new(options);
    listener->port = bound_port(fd);
    listener->daemon = start_daemon(listener, fd);
    if (listener->daemon == NULL) {
        /* `fd` stays open: whether libmicrohttpd closed it depends on how far it got. */
        return error_set(error, ERROR_SYSTEM, "listener %s: %s", options->name,
                         listener->start_text[0] != '\0' ? listener->start_text
                                                         : "libmicrohttpd did not start");
    }
    *listener_out = listener;
    listener = NULL;
    return true;
}

uint16_t listener_port(const struct listener *listener) {
    return listener->port;
}

void listener_drain(struct listener *listener) {
    atomic_store(&listener->shared.is_draining, true);
}

/* On a socket that others hold, too, connections wait for whoever serves it next, and it must not
 * be shut down, as libmicrohttpd does with what it still has when it stops. */
void listener_quiesce(struct listener *listener) {
    bool was_quiesced = atomic_exchange(&listener->shared.is_quiesced, true);
    if (listener->has_socket && !was_quiesced) {
        listener->left_socket = MHD_quiesce_daemon(listener->daemon);
    }
}

size_t listener_pending(const struct listener *listener) {
    return atomic_load(&listener->shared.pending);
}

static void wait_for_zero(const atomic_size_t *count) {
    for (int waited_ms = 0; atomic_load(count) > 0 && waited_ms < STOP_WAIT_MS; waited_ms++) {
        clock_sleep_ms(1);
    }
}

void listener_stop(struct listener **listener) {
    if (*listener == NULL) {
        return;
    }
    listener_drain(*listener);
    listener_quiesce(*listener);
    /* A thread may still be on its way out of the last request_answer(). */
    wait_for_zero(&(*listener)->shared.pending);
    assert(listener_pending(*listener) == 0);
    wait_for_zero(&(*listener)->shared.unfinished);
    MHD_stop_daemon((*listener)->daemon);
    if ((*listener)->has_socket) {
        close((*listener)->left_socket);
    }
    listener_free(listener);
}
