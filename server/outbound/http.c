#include "riposte/outbound/http.h"

#include "riposte/base/clock.h"
#include "riposte/base/latch.h"
#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/base/thread.h"
#include "riposte/outbound/transfer.h"
#include "riposte/outbound/url.h"

#include <curl/curl.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define DEFAULT_CONNECT_TIMEOUT_MS 3000
#define WARM_TIMEOUT_MS            5000
#define KEPT_CONNECTIONS           64L
#define IDLE_HANDLES               32
#define EVENTS                     16
#define NEVER                      INT64_MAX
#define STEPS                      8

/* Who sends what is urgent drives libcurl up to where the request has left; the client's thread
 * does all the rest. The kernel's poller and timer are told of sockets and deadlines by either. */
struct http_client {
    struct transfer_defaults defaults;
    char *ca_file, *user_agent;
    struct thread thread;
    int poller, timer, doorbell; /* -1: not there */
    _Atomic uint64_t sent_requests;

    struct mutex lock; /* of `waiting`; held for moments */
    struct {
        struct transfer_list queue;
        void *idle[IDLE_HANDLES];
        size_t idle_count;
        bool is_ending;
    } waiting;

    struct mutex multi_lock; /* of `shared` and of all that libcurl does with `multi` */
    struct {
        CURLM *multi;
        struct transfer_list active;
        size_t active_count;
        int64_t due_mono_ms;   /* when libcurl wants to be called though nothing came */
        int64_t armed_mono_ms; /* what the timer is set to; never later than `due` */
        bool is_closed;
    } shared;
};

static void *take_handle(struct http_client *client) REQUIRES(&client->lock) {
    return client->waiting.idle_count > 0 ? client->waiting.idle[--client->waiting.idle_count]
                                          : NULL;
}

/* Keeps the handle for the next transfer, or lets it go when enough are kept. */
static void return_handle(struct http_client *client, void *handle) {
    mutex_lock(&client->lock);
    if (handle != NULL && client->waiting.idle_count < IDLE_HANDLES) {
        client->waiting.idle[client->waiting.idle_count++] = handle;
        handle = NULL;
    }
    mutex_unlock(&client->lock);
    curl_easy_cleanup(handle);
}

static void retire(struct http_client *client, struct transfer *transfer) {
    void *handle = NULL;
    transfer_free(&transfer, &handle);
    return_handle(client, handle);
}

/* ---- libcurl, the poller and the timer ----------------------------------------------------------
 */

/* libcurl's: a socket is to be watched, otherwise or no more. */
static int watch(CURL *handle, curl_socket_t socket, int what, void *arg, void *known) {
    struct http_client *client = arg;
    (void)handle;
    struct epoll_event event = {.data.fd = socket};
    event.events = ((what & CURL_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0) |
                   ((what & CURL_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0);
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(client->poller, EPOLL_CTL_DEL, socket, NULL); /* or closed by now */
        return 0;
    }
    int result = epoll_ctl(client->poller, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket,
                           &event);
    assert(result == 0);
    curl_multi_assign(client->shared.multi, socket, client);
    return 0;
}

/* libcurl's: the next deadline. */
static int note_due(CURLM *multi, long wait_ms, void *arg) {
    struct http_client *client = arg;
    (void)multi;
    client->shared.due_mono_ms = wait_ms < 0 ? NEVER : clock_mono_ms(&clock_system) + wait_ms;
    return 0;
}

/* Mostly it stands at an earlier deadline, of a transfer that has ended: then the thread looks once
 * in vain, which is cheaper than to set the timer for each transfer. */
static void arm_timer(struct http_client *client) REQUIRES(&client->multi_lock) {
    int64_t due_ms = client->shared.due_mono_ms;
    if (due_ms >= client->shared.armed_mono_ms) {
        return;
    }
    const struct itimerspec at = {
        .it_value = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000 + 1}};
    int result = timerfd_settime(client->timer, TFD_TIMER_ABSTIME, &at, NULL);
    assert(result == 0);
    client->shared.armed_mono_ms = due_ms;
}

static void ring(struct http_client *client) {
    uint64_t one = 1;
    ssize_t written = write(client->doorbell, &one, sizeof(one));
    assert(written == sizeof(one));
}

static bool is_due(const struct http_client *client) REQUIRES(&client->multi_lock) {
    return client->shared.due_mono_ms <= clock_mono_ms(&clock_system);
}

/* Goes on with what is due; libcurl takes several steps to send a request. */
static void drive(struct http_client *client) REQUIRES(&client->multi_lock) {
    int running = 0;
    for (int step = 0; step < STEPS && (step == 0 || is_due(client)); step++) {
        client->shared.due_mono_ms = NEVER;
        curl_multi_socket_action(client->shared.multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    arm_timer(client);
    if ((size_t)running < client->shared.active_count) {
        ring(client); /* some have ended */
    }
}

static void add(struct http_client *client, struct transfer *transfer)
    REQUIRES(&client->multi_lock) {
    CURLMcode result = curl_multi_add_handle(client->shared.multi, transfer_handle(transfer));
    assert(result == CURLM_OK); /* else: a handle in use, or no memory */
    transfer_list_append(&client->shared.active, transfer);
    client->shared.active_count++;
    client->sent_requests++;
}

/* On this thread. False: the client has ended. */
static bool send_now(struct http_client *client, struct transfer *transfer) {
    mutex_lock(&client->multi_lock);
    bool is_closed = client->shared.is_closed;
    if (!is_closed) {
        add(client, transfer);
        drive(client);
    }
    mutex_unlock(&client->multi_lock);
    return !is_closed;
}

/* On the client's thread. False: the client ends. */
static bool enqueue(struct http_client *client, struct transfer *transfer) {
    mutex_lock(&client->lock);
    bool is_ending = client->waiting.is_ending;
    if (!is_ending) {
        transfer_list_append(&client->waiting.queue, transfer);
    }
    mutex_unlock(&client->lock);
    if (!is_ending) {
        ring(client);
    }
    return !is_ending;
}

/* ---- the thread ---------------------------------------------------------------------------------
 */

static void forget_ring(int fd) {
    uint64_t count;
    ssize_t bytes = read(fd, &count, sizeof(count));
    (void)bytes; /* neither blocks, and both only say "now" */
}

static void act(struct http_client *client, const struct epoll_event *event)
    REQUIRES(&client->multi_lock) {
    int running = 0;
    int mask = ((event->events & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
               ((event->events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
               ((event->events & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0);
    if (event->data.fd == client->timer) {
        forget_ring(client->timer);
        client->shared.armed_mono_ms = NEVER;
    } else if (event->data.fd == client->doorbell) {
        forget_ring(client->doorbell);
    } else { /* one that was closed meanwhile libcurl doesn't know any more */
        curl_multi_socket_action(client->shared.multi, event->data.fd, mask, &running);
    }
}

static void take_ended(struct http_client *client, struct transfer_list *ended)
    REQUIRES(&client->multi_lock) {
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(client->shared.multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        CURL *handle = message->easy_handle;
        struct transfer *transfer = transfer_of_handle(handle);
        transfer_note_result(transfer, (int)message->data.result);
        curl_multi_remove_handle(client->shared.multi, handle);
        transfer_list_remove(&client->shared.active, transfer);
        client->shared.active_count--;
        transfer_list_append(ended, transfer);
    }
}

/* False: the client ends. */
static bool take_queue(struct http_client *client, struct transfer_list *queue_out) {
    mutex_lock(&client->lock);
    *queue_out = client->waiting.queue;
    client->waiting.queue = (struct transfer_list){0};
    bool is_ending = client->waiting.is_ending;
    mutex_unlock(&client->lock);
    return !is_ending;
}

static void add_all(struct http_client *client, struct transfer_list *queue)
    REQUIRES(&client->multi_lock) {
    struct transfer *transfer;
    while ((transfer = transfer_list_take(queue)) != NULL) {
        add(client, transfer);
    }
}

/* Waits for what comes. False: the client ends. */
static bool wait(struct http_client *client, struct transfer_list *ended) {
    struct epoll_event events[EVENTS];
    struct transfer_list queue = {0};
    int count = epoll_wait(client->poller, events, EVENTS, -1);
    mutex_lock(&client->multi_lock);
    for (int i = 0; i < count; i++) {
        act(client, &events[i]);
    }
    bool goes_on = take_queue(client, &queue);
    add_all(client, &queue);
    if (is_due(client)) {
        drive(client);
    }
    arm_timer(client);
    take_ended(client, ended);
    mutex_unlock(&client->multi_lock);
    return goes_on;
}

static void finish(struct http_client *client, struct transfer_list *ended) {
    struct transfer *transfer;
    while ((transfer = transfer_list_take(ended)) != NULL) {
        transfer_finish(transfer);
        retire(client, transfer);
    }
}

static void abandon_all(struct http_client *client) {
    mutex_lock(&client->multi_lock);
    client->shared.is_closed = true;
    struct transfer_list left = client->shared.active;
    client->shared.active = (struct transfer_list){0};
    for (struct transfer *transfer = left.first; transfer != NULL;
         transfer = transfer_list_next(transfer)) {
        curl_multi_remove_handle(client->shared.multi, transfer_handle(transfer));
    }
    mutex_unlock(&client->multi_lock);
    struct transfer *transfer;
    while ((transfer = transfer_list_take(&left)) != NULL) {
        transfer_abandon(transfer);
        retire(client, transfer);
    }
}

static void run(void *arg) {
    struct http_client *client = arg;
    bool goes_on = true;
    while (goes_on) {
        struct transfer_list ended = {0};
        goes_on = wait(client, &ended);
        finish(client, &ended);
    }
    abandon_all(client);
}

/* ---- life ---------------------------------------------------------------------------------------
 */

static bool poll_for(const struct http_client *client, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return fd >= 0 && epoll_ctl(client->poller, EPOLL_CTL_ADD, fd, &event) == 0;
}

static bool open_poller(struct http_client *client, struct error *error) {
    client->poller = epoll_create1(EPOLL_CLOEXEC);
    client->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    client->doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return (poll_for(client, client->timer) && poll_for(client, client->doorbell)) ||
           error_set_errno(error, errno, "can't wait for sockets");
}

static void close_poller(const struct http_client *client) {
    const int fds[] = {client->poller, client->timer, client->doorbell};
    for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

static void set_up_multi(struct http_client *client) {
    CURLM *multi = client->shared.multi;
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, client);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, note_due);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, client);
}

/* libcurl asks for it before any thread uses it, and never again. */
static void init_curl(void) {
    CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
    assert(result == CURLE_OK);
}

bool http_client_new(const struct http_options *options, struct http_client **client_out,
                     struct error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, init_curl);

    scoped(http_client_free) struct http_client *client = memory_new(sizeof(*client));
    mutex_init(&client->lock);
    mutex_init(&client->multi_lock);
    client->poller = client->timer = client->doorbell = -1;
    client->shared.due_mono_ms = client->shared.armed_mono_ms = NEVER;
    client->ca_file = options->ca_file != NULL ? memory_copy_string(options->ca_file) : NULL;
    client->user_agent = memory_copy_string(
        options->user_agent != NULL ? options->user_agent : "riposte/" RIPOSTE_VERSION);
    client->defaults = (struct transfer_defaults){
        .ca_file = client->ca_file,
        .user_agent = client->user_agent,
        .connect_timeout_ms = options->connect_timeout_ms > 0 ? (long)options->connect_timeout_ms
                                                              : DEFAULT_CONNECT_TIMEOUT_MS,
    };
    client->shared.multi = curl_multi_init();
    if (client->shared.multi == NULL) {
        return error_set(error, ERROR_SYSTEM, "libcurl can't start");
    }
    set_up_multi(client);
    if (!open_poller(client, error) ||
        !thread_start(&client->thread, "outbound", run, client, error)) {
        return false;
    }
    *client_out = client;
    client = NULL;
    return true;
}

void http_client_free(struct http_client **client_at) {
    struct http_client *client = *client_at;
    if (client == NULL) {
        return;
    }
    mutex_lock(&client->lock);
    client->waiting.is_ending = true;
    mutex_unlock(&client->lock);
    if (client->thread.is_started) {
        ring(client);
    }
    thread_join(&client->thread);
    mutex_lock(&client->lock);
    void *handle;
    while ((handle = take_handle(client)) != NULL) {
        curl_easy_cleanup(handle);
    }
    mutex_unlock(&client->lock);
    curl_multi_cleanup(client->shared.multi);
    close_poller(client);
    mutex_done(&client->lock);
    mutex_done(&client->multi_lock);
    free(client->ca_file);
    free(client->user_agent);
    free(client);
    *client_at = NULL;
}

bool http_send(struct http_client *client, const struct permit *permit,
               const struct http_request *request, http_done_fn *done_fn, void *arg,
               struct error *error) {
    if (!permit_check(permit, error)) {
        return false;
    }
    mutex_lock(&client->lock);
    void *handle = take_handle(client);
    mutex_unlock(&client->lock);
    struct transfer *transfer = NULL;
    if (!transfer_new(&client->defaults, request, done_fn, arg, &handle, &transfer, error)) {
        return_handle(client, handle);
        return false;
    }
    if (!(request->is_urgent ? send_now(client, transfer) : enqueue(client, transfer))) {
        retire(client, transfer);
        return error_set(error, ERROR_BUSY, "nothing is sent any more: this process ends");
    }
    return true;
}

struct text http_response_header(const struct http_response *response, const char *name) {
    for (size_t i = 0; i < response->header_count; i++) {
        if (text_equal_ignoring_ascii_case(response->headers[i].name, text_of(name))) {
            return response->headers[i].value;
        }
    }
    return TEXT("");
}

uint64_t http_sent_requests(const struct http_client *client) {
    return client->sent_requests;
}

static struct http_reply *reply_new(const struct http_response *response) {
    struct arena *arena = arena_new();
    struct http_reply *reply = arena_alloc(arena, sizeof(*reply));
    struct http_header *headers = arena_alloc_array(arena, response->header_count,
                                                    sizeof(*headers));
    for (size_t i = 0; i < response->header_count; i++) {
        headers[i].name = arena_copy_text(arena, response->headers[i].name);
        headers[i].value = arena_copy_text(arena, response->headers[i].value);
    }
    reply->response = *response;
    reply->response.headers = headers;
    reply->response.body = arena_copy_text(arena, response->body);
    reply->arena = arena;
    return reply;
}

void http_reply_free(struct http_reply **reply) {
    if (*reply != NULL) {
        struct arena *arena = (*reply)->arena;
        arena_free(&arena);
        *reply = NULL;
    }
}

/* Who waits in http_call(), on that thread's stack. */
struct waiter {
    struct latch has_ended;
    bool may_have_arrived;
    struct http_reply *reply;
    struct error error;
};

static void wake_waiter(void *arg, const struct http_response *response, bool may_have_arrived,
                        const struct error *error) {
    struct waiter *waiter = arg;
    waiter->reply = response != NULL ? reply_new(response) : NULL;
    waiter->error = *error;
    waiter->may_have_arrived = may_have_arrived;
    latch_open(&waiter->has_ended); /* the waiter may be gone now */
}

bool http_call(struct http_client *client, const struct permit *permit,
               const struct http_request *request, struct http_reply **reply_out,
               bool *may_have_arrived_out, struct error *error) {
    assert(!pthread_equal(pthread_self(), client->thread.pthread));
    struct waiter waiter = {0};
    latch_init(&waiter.has_ended);
    bool is_sent = http_send(client, permit, request, wake_waiter, &waiter, error);
    if (is_sent) {
        latch_wait(&waiter.has_ended);
    }
    latch_done(&waiter.has_ended);
    if (is_sent && waiter.reply == NULL) {
        *error = waiter.error;
    }
    if (may_have_arrived_out != NULL) {
        *may_have_arrived_out = waiter.may_have_arrived;
    }
    if (waiter.reply != NULL) {
        *reply_out = waiter.reply;
    }
    return waiter.reply != NULL;
}

static void ignore_answer(void *arg, const struct http_response *response, bool may_have_arrived,
                          const struct error *error) {
    (void)arg;
    (void)response;
    (void)may_have_arrived;
    (void)error;
}

bool http_warm(struct http_client *client, const struct permit *permit, struct text url,
               struct error *error) {
    struct url parts;
    if (!url_parse(url, &parts, error)) {
        return false;
    }
    scoped(buffer_done) struct buffer root = BUFFER_INIT;
    url_append_origin(&parts, &root);
    buffer_append_char(&root, '/');
    struct http_request request = {
        .method = TEXT("GET"),
        .url = buffer_text(&root),
        .timeout_ms = WARM_TIMEOUT_MS,
        .allow_plain_http = true, /* says nothing, and the call that follows asks */
    };
    return http_send(client, permit, &request, ignore_answer, NULL, error);
}
