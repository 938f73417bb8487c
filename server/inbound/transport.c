#include "transport.h"

#include "riposte/base/clock.h"
#include "riposte/base/memory.h"

#include <assert.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define PARTS_MAX 8

struct transport {
    gnutls_session_t session;
    int fd;
    int64_t until_mono_ms, within_ms; /* until: 0 while resting */
    bool is_holding;
    size_t held_bytes;
    char held[TRANSPORT_HELD_BYTES];
};

static size_t count_bytes(const giovec_t *parts, int count) {
    size_t bytes = 0;
    for (int i = 0; i < count; i++) {
        bytes += parts[i].iov_len;
    }
    return bytes;
}

static void hold(struct transport *transport, const giovec_t *parts, int count) {
    for (int i = 0; i < count; i++) {
        memcpy(transport->held + transport->held_bytes, parts[i].iov_base, parts[i].iov_len);
        transport->held_bytes += parts[i].iov_len;
    }
}

static ssize_t fail(struct transport *transport, int code) {
    gnutls_transport_set_errno(transport->session, code);
    return -1;
}

/* What is held, then the new: how much of the new went out. */
static ssize_t send_all(struct transport *transport, const giovec_t *parts, int count) {
    struct iovec vector[PARTS_MAX + 1] = {{transport->held, transport->held_bytes}};
    int taken = count < PARTS_MAX ? count : PARTS_MAX;
    memcpy(vector + 1, parts, (size_t)taken * sizeof(*parts));
    bool has_held = transport->held_bytes > 0;
    const struct msghdr message = {.msg_iov = has_held ? vector : vector + 1,
                                   .msg_iovlen = (size_t)taken + (has_held ? 1 : 0)};
    ssize_t sent = sendmsg(transport->fd, &message, MSG_NOSIGNAL);
    if (sent < 0) {
        return fail(transport, errno);
    }
    size_t of_held = (size_t)sent < transport->held_bytes ? (size_t)sent : transport->held_bytes;
    transport->held_bytes -= of_held;
    memmove(transport->held, transport->held + of_held, transport->held_bytes);
    return (size_t)sent > of_held ? sent - (ssize_t)of_held : fail(transport, EAGAIN);
}

static ssize_t push(gnutls_transport_ptr_t arg, const giovec_t *parts, int count) {
    struct transport *transport = arg;
    size_t bytes = count_bytes(parts, count);
    if (transport->is_holding && bytes <= TRANSPORT_HELD_BYTES - transport->held_bytes) {
        transport->is_holding = false;
        hold(transport, parts, count);
        return (ssize_t)bytes;
    }
    transport->is_holding = false;
    return send_all(transport, parts, count);
}

static ssize_t pull(gnutls_transport_ptr_t arg, void *bytes, size_t capacity) {
    struct transport *transport = arg;
    int64_t now_ms = clock_mono_ms(&clock_system);
    if (transport->until_mono_ms != 0 && now_ms > transport->until_mono_ms) {
        return fail(transport, ECONNRESET);
    }
    ssize_t got = recv(transport->fd, bytes, capacity, 0);
    if (got < 0) {
        return fail(transport, errno);
    }
    if (transport->until_mono_ms == 0) {
        transport->until_mono_ms = now_ms + transport->within_ms;
    }
    return got;
}

void transport_expect(struct transport *transport, int64_t until_mono_ms) {
    transport->until_mono_ms = until_mono_ms;
}

void transport_rest(struct transport *transport, int64_t within_ms) {
    transport->until_mono_ms = 0;
    transport->within_ms = within_ms;
}

struct transport *transport_attach(void *session, int fd) {
    struct transport *transport = memory_new(sizeof(*transport));
    transport->session = session;
    transport->fd = fd;
    gnutls_transport_set_ptr(session, transport);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_vec_push_function(session, push);
    return transport;
}

void transport_free(struct transport **transport) {
    free(*transport);
    *transport = NULL;
}

void transport_hold(struct transport *transport) {
    transport->is_holding = true;
}
