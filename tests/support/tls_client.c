#include "tls_client.h"

#include "riposte/base/memory.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct tls_client {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t credentials;
    struct buffer received; /* not yet taken */
    struct buffer body;     /* of an answer in chunks, not yet taken */
    bool has_head;          /* of that answer it is read */
    bool is_late;           /* nothing came for TLS_CLIENT_WAIT_S */
};

static int connect_to(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval wait = {.tv_sec = TLS_CLIENT_WAIT_S};
    int one = 1; /* else the request waits 40 ms for the acknowledgement of the handshake's end */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

struct tls_client *tls_client_open_with(uint16_t port, const char *priorities) {
    signal(SIGPIPE, SIG_IGN);
    int fd = connect_to(port);
    if (fd < 0) {
        return NULL;
    }
    struct tls_client *client = memory_new(sizeof(*client));
    client->fd = fd;
    gnutls_certificate_allocate_credentials(&client->credentials);
    gnutls_init(&client->session, GNUTLS_CLIENT);
    if (priorities == NULL) {
        gnutls_set_default_priority(client->session);
    } else {
        gnutls_priority_set_direct(client->session, priorities, NULL);
    }
    gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->credentials);
    gnutls_transport_set_int(client->session, fd);
    int result = 0;
    do {
        result = gnutls_handshake(client->session);
    } while (result == GNUTLS_E_INTERRUPTED);
    if (result != GNUTLS_E_SUCCESS) {
        tls_client_abort(&client);
    }
    return client;
}

struct tls_client *tls_client_open(uint16_t port) {
    return tls_client_open_with(port, NULL);
}

void tls_client_abort(struct tls_client **client) {
    if (*client == NULL) {
        return;
    }
    gnutls_deinit((*client)->session);
    gnutls_certificate_free_credentials((*client)->credentials);
    buffer_done(&(*client)->received);
    buffer_done(&(*client)->body);
    close((*client)->fd);
    free(*client);
    *client = NULL;
}

void tls_client_close(struct tls_client **client) {
    if (*client != NULL) {
        gnutls_bye((*client)->session, GNUTLS_SHUT_WR);
    }
    tls_client_abort(client);
}

bool tls_client_send(struct tls_client *client, struct text bytes) {
    while (bytes.bytes > 0) {
        ssize_t sent = gnutls_record_send(client->session, bytes.data, bytes.bytes);
        if (sent == GNUTLS_E_INTERRUPTED) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes = text_slice(bytes, (size_t)sent, bytes.bytes);
    }
    return true;
}

bool tls_client_renegotiate(struct tls_client *client) {
    int result = GNUTLS_E_AGAIN;
    while (result == GNUTLS_E_AGAIN || result == GNUTLS_E_INTERRUPTED ||
           result == GNUTLS_E_WARNING_ALERT_RECEIVED) {
        result = gnutls_handshake(client->session);
    }
    return result == GNUTLS_E_SUCCESS;
}

bool tls_client_send_string(struct tls_client *client, const char *string) {
    return tls_client_send(client, text_of(string));
}

/* Reads what comes next; false at the end, on an error and when it takes too long. */
static bool receive_more(struct tls_client *client) {
    char bytes[16384];
    ssize_t count = 0;
    do {
        count = gnutls_record_recv(client->session, bytes, sizeof(bytes));
    } while (count == GNUTLS_E_INTERRUPTED ||
             (count < 0 && gnutls_error_is_fatal((int)count) == 0 && count != GNUTLS_E_AGAIN));
    client->is_late = count == GNUTLS_E_AGAIN;
    if (count <= 0) {
        return false;
    }
    buffer_append(&client->received, bytes, (size_t)count);
    return true;
}

/* Moves the first `bytes` of `from` to `out`. */
static void move(struct buffer *from, size_t bytes, struct buffer *out) {
    struct text all = buffer_text(from);
    struct buffer rest = BUFFER_INIT;
    buffer_append_text(out, text_slice(all, 0, bytes));
    buffer_append_text(&rest, text_slice(all, bytes, all.bytes));
    buffer_done(from);
    *from = rest;
}

/* Waits for `bytes` and moves them to `out`. */
static bool take(struct tls_client *client, size_t bytes, struct buffer *out) {
    while (client->received.bytes < bytes) {
        if (!receive_more(client)) {
            return false;
        }
    }
    move(&client->received, bytes, out);
    return true;
}

bool tls_client_read_until(struct tls_client *client, const char *mark, struct buffer *out) {
    size_t at = 0;
    while ((at = text_find(buffer_text(&client->received), text_of(mark))) ==
           client->received.bytes) {
        if (!receive_more(client)) {
            return false;
        }
    }
    return take(client, at + strlen(mark), out);
}

/* Adds the next chunk to the body; false at the last. */
static bool take_chunk(struct tls_client *client) {
    struct buffer line = BUFFER_INIT;
    struct buffer chunk = BUFFER_INIT;
    bool is_there = tls_client_read_until(client, "\r\n", &line);
    unsigned long bytes = is_there ? strtoul(buffer_string(&line), NULL, 16) : 0;
    is_there = is_there && bytes > 0 && take(client, bytes + 2, &chunk);
    if (is_there) {
        buffer_append_text(&client->body, text_slice(buffer_text(&chunk), 0, bytes));
    }
    buffer_done(&line);
    buffer_done(&chunk);
    return is_there;
}

bool tls_client_read_body_until(struct tls_client *client, const char *mark, struct buffer *out) {
    size_t at = 0;
    if (!client->has_head && !tls_client_read_until(client, "\r\n\r\n", out)) {
        return false;
    }
    client->has_head = true;
    buffer_clear(out);
    while ((at = text_find(buffer_text(&client->body), text_of(mark))) == client->body.bytes) {
        if (!take_chunk(client)) {
            return false;
        }
    }
    move(&client->body, at + strlen(mark), out);
    return true;
}

static bool take_head(struct tls_client *client, struct buffer *out) {
    for (;;) {
        struct text received = buffer_text(&client->received);
        size_t end = text_find(received, TEXT("\r\n\r\n"));
        if (end < received.bytes) {
            return take(client, end + 4, out);
        }
        if (!receive_more(client)) {
            return false;
        }
    }
}

struct text http_answer_header(const struct http_answer *answer, const char *name) {
    struct text rest = buffer_text(&answer->head);
    struct text line = {NULL, 0};
    while (text_next_part(&rest, '\n', &line)) {
        size_t colon = text_find_byte(line, ':', 0);
        if (colon < line.bytes &&
            text_equal_ignoring_ascii_case(text_slice(line, 0, colon), text_of(name))) {
            return text_trim(text_slice(line, colon + 1, line.bytes));
        }
    }
    return (struct text){NULL, 0};
}

void http_answer_done(struct http_answer *answer) {
    buffer_done(&answer->head);
    buffer_done(&answer->body);
    answer->status = 0;
}

bool tls_client_read(struct tls_client *client, bool has_body, struct http_answer *answer_out) {
    *answer_out = (struct http_answer){0};
    if (!take_head(client, &answer_out->head)) {
        return false;
    }
    uint64_t status = 0;
    uint64_t bytes = 0;
    struct text head = buffer_text(&answer_out->head);
    bool is_fine = text_starts_with(head, TEXT("HTTP/1.1 ")) &&
                   text_parse_unsigned(text_slice(head, 9, 12), &status);
    struct text length = http_answer_header(answer_out, "Content-Length");
    is_fine = is_fine && (length.bytes == 0 || text_parse_unsigned(length, &bytes));
    if (!is_fine || (has_body && !take(client, (size_t)bytes, &answer_out->body))) {
        return false;
    }
    answer_out->status = (unsigned)status;
    return true;
}

bool tls_client_is_closed(struct tls_client *client) {
    while (receive_more(client)) {
        buffer_clear(&client->received);
    }
    return !client->is_late;
}

bool https_request(uint16_t port, const char *method, const char *path, const char *headers,
                   struct text body, struct http_answer *answer_out) {
    *answer_out = (struct http_answer){0};
    struct tls_client *client = tls_client_open(port);
    if (client == NULL) {
        return false;
    }
    struct buffer request = BUFFER_INIT;
    buffer_append_format(&request, "%s %s HTTP/1.1\r\nHost: test\r\n%s", method, path, headers);
    if (body.bytes > 0) {
        buffer_append_format(&request, "Content-Length: %zu\r\n", body.bytes);
    }
    buffer_append_string(&request, "\r\n");
    buffer_append_text(&request, body);
    /* An early answer may end the sending; it can be read all the same. */
    tls_client_send(client, buffer_text(&request));
    buffer_done(&request);
    bool is_head = strcmp(method, "HEAD") == 0;
    bool is_answered = tls_client_read(client, !is_head, answer_out);
    tls_client_close(&client);
    return is_answered;
}
