#include "riposte/inbound/stream.h"

#include "exchange.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BLOCK_BYTES 4096

/* Is the connection to be woken? As a request's states: who finds the other one's word there does
 * the resume. */
enum flow {
    FLOW_ASKING, /* the listener's thread looks for something to send */
    FLOW_PARKED, /* it found nothing and has suspended the connection */
    FLOW_MOVED,  /* there is something, or the end */
};

struct stream {
    struct MHD_Connection *connection;
    int fd;
    atomic_size_t *pending; /* the listener's count */
    atomic_uint references; /* its maker's, the response's */
    _Atomic unsigned flow;  /* enum flow */
    struct mutex lock;
    struct {
        struct buffer held;
        size_t sent_bytes; /* of `held` */
        bool is_ended, is_gone;
    } shared; /* with `lock` */
};

static void stream_unref(struct stream *stream) {
    if (atomic_fetch_sub(&stream->references, 1) == 1) {
        mutex_lock(&stream->lock);
        buffer_done(&stream->shared.held);
        mutex_unlock(&stream->lock);
        mutex_done(&stream->lock);
        free(stream);
    }
}

/* Moves what there is into `out`: 0 for nothing, MHD_CONTENT_READER_END_OF_STREAM after the last.
 */
static ssize_t take(struct stream *stream, char *out, size_t capacity) {
    mutex_lock(&stream->lock);
    struct text held = buffer_text(&stream->shared.held);
    struct text rest = text_slice(held, stream->shared.sent_bytes, held.bytes);
    struct text part = text_slice(rest, 0, capacity < rest.bytes ? capacity : rest.bytes);
    bool is_over = rest.bytes == 0 && stream->shared.is_ended;
    if (part.bytes > 0) {
        memcpy(out, part.data, part.bytes);
    }
    stream->shared.sent_bytes += part.bytes;
    if (part.bytes == rest.bytes) {
        buffer_clear(&stream->shared.held);
        stream->shared.sent_bytes = 0;
    }
    mutex_unlock(&stream->lock);
    return is_over ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)part.bytes;
}

/* A MHD_ContentReaderCallback. */
static ssize_t on_ready(void *arg, uint64_t position, char *out, size_t capacity) {
    (void)position;
    struct stream *stream = arg;
    atomic_store(&stream->flow, FLOW_ASKING);
    ssize_t taken = take(stream, out, capacity);
    if (taken == 0) {
        MHD_suspend_connection(stream->connection);
        unsigned expected = FLOW_ASKING;
        if (!atomic_compare_exchange_strong(&stream->flow, &expected, FLOW_PARKED)) {
            MHD_resume_connection(stream->connection);
        }
    }
    return taken;
}

/* The connection ends; it still has its descriptor. */
static void on_gone(void *arg) {
    struct stream *stream = arg;
    mutex_lock(&stream->lock);
    stream->shared.is_gone = true;
    mutex_unlock(&stream->lock);
    stream_unref(stream);
}

/* Parked, nobody but us resumes it, and it can't end before that. */
static void move(struct stream *stream) {
    if (atomic_exchange(&stream->flow, FLOW_MOVED) == FLOW_PARKED) {
        MHD_resume_connection(stream->connection);
    }
}

struct stream *stream_begin(struct request *request, const char *content_type) {
    assert(request->is_handed);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct stream *stream = memory_new(sizeof(*stream));
    stream->connection = request->connection;
    stream->fd = info->connect_fd;
    stream->pending = request->pending;
    atomic_init(&stream->references, 2);
    atomic_init(&stream->flow, FLOW_MOVED);
    mutex_init(&stream->lock);
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES,
                                                                      on_ready, stream, on_gone);
    assert(response != NULL);
    response_add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    response_add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    response_add_header(response, "X-Content-Type-Options", "nosniff");
    request->response = response;
    request->status = MHD_HTTP_OK;
    unsigned before = atomic_exchange(&request->state, REQUEST_ANSWERED);
    assert(before == REQUEST_HANDLED); /* begun by the handler itself, not later */
    (void)before;
    return stream;
}

/* Of a reader that is too slow: libmicrohttpd sees it at once, in the middle of what it sends. */
static void disconnect(struct stream *stream) REQUIRES(&stream->lock) {
    stream->shared.is_gone = true;
    (void)shutdown(stream->fd, SHUT_RDWR);
}

/* A reader that never quite catches up must not make the buffer grow. */
static void drop_sent(struct stream *stream) REQUIRES(&stream->lock) {
    struct buffer *held = &stream->shared.held;
    size_t rest_bytes = held->bytes - stream->shared.sent_bytes;
    if (stream->shared.sent_bytes >= STREAM_HELD_BYTES) {
        memmove(held->data, held->data + stream->shared.sent_bytes, rest_bytes);
        buffer_truncate(held, rest_bytes);
        stream->shared.sent_bytes = 0;
    }
}

bool stream_push(struct stream *stream, struct text part) {
    mutex_lock(&stream->lock);
    size_t unsent_bytes = stream->shared.held.bytes - stream->shared.sent_bytes;
    if (!stream->shared.is_gone && part.bytes > STREAM_HELD_BYTES - unsent_bytes) {
        disconnect(stream);
    }
    bool is_open = !stream->shared.is_gone;
    if (is_open) {
        drop_sent(stream);
        buffer_append_text(&stream->shared.held, part);
    }
    mutex_unlock(&stream->lock);
    move(stream);
    return is_open;
}

size_t stream_unsent(struct stream *stream) {
    mutex_lock(&stream->lock);
    size_t bytes = stream->shared.held.bytes - stream->shared.sent_bytes;
    mutex_unlock(&stream->lock);
    return bytes;
}

bool stream_is_heard(struct stream *stream) {
    mutex_lock(&stream->lock);
    bool is_heard = !stream->shared.is_gone;
    if (is_heard) { /* then the socket is open */
        struct pollfd socket = {.fd = stream->fd, .events = POLLRDHUP};
        is_heard = poll(&socket, 1, 0) <= 0;
    }
    mutex_unlock(&stream->lock);
    return is_heard;
}

void stream_end(struct stream **stream) {
    struct stream *old = *stream;
    *stream = NULL;
    if (old == NULL) {
        return;
    }
    atomic_size_t *pending = old->pending;
    mutex_lock(&old->lock);
    old->shared.is_ended = true;
    mutex_unlock(&old->lock);
    move(old);
    stream_unref(old);
    atomic_fetch_sub(pending, 1); /* last: then the listener may be stopped and freed */
}
