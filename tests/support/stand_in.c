#include "stand_in.h"

#include "riposte/base/clock.h"
#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/base/thread.h"
#include "riposte/crypto/certificate.h"

#include <gnutls/gnutls.h>

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX_BYTES (4 * 1024 * 1024)
#define CONNECTIONS_MAX   64

struct connection {
    struct stand_in *stand_in;
    int socket, number;
    bool is_open;
    struct thread thread;
    gnutls_session_t session;
};

struct stand_in {
    bool is_tls;
    stand_in_fn *answer_fn;
    void *arg;
    int socket;
    char origin[64], ca_file[64];
    gnutls_certificate_credentials_t credentials;
    struct thread thread;
    _Atomic int requests, connections;
    struct mutex answering; /* answer_fn is called by one thread at a time */
    struct mutex lock;      /* of connection[].is_open */
    struct condition has_closed;
    struct connection connection[CONNECTIONS_MAX];
};

static ssize_t receive(struct connection *connection, void *out, size_t bytes) {
    if (!connection->stand_in->is_tls) {
        return recv(connection->socket, out, bytes, 0);
    }
    ssize_t got;
    do {
        got = gnutls_record_recv(connection->session, out, bytes);
    } while (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED);
    return got;
}

static void send_all(struct connection *connection, struct text bytes) {
    while (bytes.bytes > 0) {
        ssize_t sent = connection->stand_in->is_tls
                           ? gnutls_record_send(connection->session, bytes.data, bytes.bytes)
                           : send(connection->socket, bytes.data, bytes.bytes, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes = text_slice(bytes, (size_t)sent, bytes.bytes);
    }
}

static struct text find_header(struct text head, const char *name) {
    struct text line;
    while (text_next_part(&head, '\n', &line)) {
        size_t colon = text_find_byte(line, ':', 0);
        if (text_equal_ignoring_ascii_case(text_slice(line, 0, colon), text_of(name))) {
            return text_trim(text_slice(line, colon + 1, line.bytes));
        }
    }
    return TEXT("");
}

/* One request into `in`; false at the end of the connection. */
static bool read_request(struct connection *connection, struct buffer *in, size_t *head_bytes_out) {
    static const struct text blank = TEXT_INIT("\r\n\r\n");
    buffer_clear(in);
    for (;;) {
        size_t end = text_find(buffer_text(in), blank);
        if (end < in->bytes) {
            uint64_t body_bytes = 0;
            struct text head = text_slice(buffer_text(in), 0, end);
            struct text length = find_header(head, "content-length");
            bool is_known = length.bytes == 0 || text_parse_unsigned(length, &body_bytes);
            if (is_known && in->bytes >= end + blank.bytes + body_bytes) {
                *head_bytes_out = end + blank.bytes;
                return true;
            }
        }
        ssize_t got = receive(connection, buffer_reserve(in, 16384), 16384);
        if (got <= 0 || in->bytes > REQUEST_MAX_BYTES) {
            return false;
        }
        buffer_added(in, (size_t)got);
    }
}

static bool serve_one(struct connection *connection, struct buffer *in, struct buffer *out) {
    struct stand_in *stand_in = connection->stand_in;
    size_t head_bytes = 0;
    if (!read_request(connection, in, &head_bytes)) {
        return false;
    }
    buffer_clear(out);
    struct stand_in_exchange exchange = {
        .head = text_slice(buffer_text(in), 0, head_bytes),
        .body = text_slice(buffer_text(in), head_bytes, in->bytes),
        .connection = connection->number,
        .request = ++stand_in->requests,
        .answer = out,
    };
    mutex_lock(&stand_in->answering);
    stand_in->answer_fn(stand_in->arg, &exchange);
    mutex_unlock(&stand_in->answering);
    send_all(connection, buffer_text(out));
    return !exchange.close_after;
}

static bool shake_hands(struct connection *connection) {
    struct stand_in *stand_in = connection->stand_in;
    if (!stand_in->is_tls) {
        return true;
    }
    gnutls_init(&connection->session, GNUTLS_SERVER);
    gnutls_set_default_priority(connection->session);
    gnutls_credentials_set(connection->session, GNUTLS_CRD_CERTIFICATE, stand_in->credentials);
    gnutls_transport_set_int(connection->session, connection->socket);
    int result;
    do {
        result = gnutls_handshake(connection->session);
    } while (result < 0 && gnutls_error_is_fatal(result) == 0);
    return result == 0;
}

static void serve(void *arg) {
    struct connection *connection = arg;
    struct stand_in *stand_in = connection->stand_in;
    scoped(buffer_done) struct buffer in = BUFFER_INIT;
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    if (shake_hands(connection)) {
        while (serve_one(connection, &in, &out)) {}
    }
    mutex_lock(&stand_in->lock);
    if (connection->session != NULL) {
        gnutls_deinit(connection->session);
    }
    shutdown(connection->socket, SHUT_RDWR);
    close(connection->socket);
    connection->is_open = false;
    condition_broadcast(&stand_in->has_closed);
    mutex_unlock(&stand_in->lock);
}

static void listen_for(void *arg) {
    struct stand_in *stand_in = arg;
    struct error error;
    int accepted;
    while ((accepted = accept(stand_in->socket, NULL, NULL)) >= 0) {
        assert(stand_in->connections < CONNECTIONS_MAX);
        struct connection *connection = &stand_in->connection[stand_in->connections];
        connection->stand_in = stand_in;
        connection->socket = accepted;
        mutex_lock(&stand_in->lock);
        connection->is_open = true;
        mutex_unlock(&stand_in->lock);
        connection->number = ++stand_in->connections;
        bool is_started = thread_start(&connection->thread, "peer", serve, connection, &error);
        assert(is_started);
    }
}

static void open_socket(struct stand_in *stand_in) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t address_bytes = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    stand_in->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = bind(stand_in->socket, (struct sockaddr *)&address, sizeof(address));
    failed |= listen(stand_in->socket, CONNECTIONS_MAX);
    failed |= getsockname(stand_in->socket, (struct sockaddr *)&address, &address_bytes);
    assert(!failed);
    snprintf(stand_in->origin, sizeof(stand_in->origin), "%s://localhost:%u",
             stand_in->is_tls ? "https" : "http", (unsigned)ntohs(address.sin_port));
}

static void make_certificate(struct stand_in *stand_in) {
    scoped(buffer_done) struct buffer certificate = BUFFER_INIT;
    scoped(buffer_done) struct buffer key = BUFFER_INIT;
    static const char *const names[] = {"localhost"};
    struct error error = {0};
    bool is_made = certificate_make(&clock_system, names, 1, &certificate, &key, &error);
    assert(is_made);
    gnutls_datum_t certificate_pem = {(unsigned char *)certificate.data,
                                      (unsigned)certificate.bytes};
    gnutls_datum_t key_pem = {(unsigned char *)key.data, (unsigned)key.bytes};
    gnutls_certificate_allocate_credentials(&stand_in->credentials);
    int result = gnutls_certificate_set_x509_key_mem(stand_in->credentials, &certificate_pem,
                                                     &key_pem, GNUTLS_X509_FMT_PEM);
    assert(result >= 0);
    snprintf(stand_in->ca_file, sizeof(stand_in->ca_file), "/tmp/riposte-test-XXXXXX");
    int file = mkstemp(stand_in->ca_file);
    ssize_t written = write(file, certificate.data, certificate.bytes);
    assert(file >= 0 && written == (ssize_t)certificate.bytes);
    close(file);
}

struct stand_in *stand_in_start(bool is_tls, stand_in_fn *answer_fn, void *arg) {
    struct stand_in *stand_in = memory_new(sizeof(*stand_in));
    struct error error = {0};
    stand_in->is_tls = is_tls;
    stand_in->answer_fn = answer_fn;
    stand_in->arg = arg;
    mutex_init(&stand_in->answering);
    mutex_init(&stand_in->lock);
    condition_init(&stand_in->has_closed);
    open_socket(stand_in);
    if (is_tls) {
        make_certificate(stand_in);
    }
    bool is_started = thread_start(&stand_in->thread, "stand-in", listen_for, stand_in, &error);
    assert(is_started);
    return stand_in;
}

void stand_in_drop_connections(struct stand_in *stand_in) {
    mutex_lock(&stand_in->lock);
    for (int i = 0; i < stand_in->connections; i++) {
        struct connection *connection = &stand_in->connection[i];
        if (connection->is_open) {
            shutdown(connection->socket, SHUT_RDWR);
        }
        while (connection->is_open) {
            condition_wait(&stand_in->has_closed, &stand_in->lock);
        }
    }
    mutex_unlock(&stand_in->lock);
}

void stand_in_stop(struct stand_in **stand_in_at) {
    struct stand_in *stand_in = *stand_in_at;
    if (stand_in == NULL) {
        return;
    }
    shutdown(stand_in->socket, SHUT_RDWR);
    thread_join(&stand_in->thread);
    close(stand_in->socket);
    stand_in_drop_connections(stand_in);
    for (int i = 0; i < stand_in->connections; i++) {
        thread_join(&stand_in->connection[i].thread);
    }
    if (stand_in->is_tls) {
        gnutls_certificate_free_credentials(stand_in->credentials);
        unlink(stand_in->ca_file);
    }
    condition_done(&stand_in->has_closed);
    mutex_done(&stand_in->lock);
    mutex_done(&stand_in->answering);
    free(stand_in);
    *stand_in_at = NULL;
}

const char *stand_in_origin(const struct stand_in *stand_in) {
    return stand_in->origin;
}

const char *stand_in_ca_file(const struct stand_in *stand_in) {
    return stand_in->ca_file;
}

int stand_in_requests(const struct stand_in *stand_in) {
    return stand_in->requests;
}

int stand_in_connections(const struct stand_in *stand_in) {
    return stand_in->connections;
}

void stand_in_answer(struct stand_in_exchange *exchange, int status, const char *headers,
                     struct text body) {
    buffer_append_format(exchange->answer, "HTTP/1.1 %d Made\r\nContent-Length: %zu\r\n%s\r\n",
                         status, body.bytes, headers);
    buffer_append_text(exchange->answer, body);
}

struct text stand_in_header(const struct stand_in_exchange *exchange, const char *name) {
    return find_header(exchange->head, name);
}
