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
#include <stdlib.h>

#define DEFAULT_CONNECT_TIMEOUT_MS 3000
#define WARM_TIMEOUT_MS            5000
#define KEPT_CONNECTIONS           64L
#define IDLE_HANDLES               32
/* libcurl's own timers and curl_multi_wakeup() end a poll sooner. */
#define POLL_MS 60000

struct http_client {
    struct transfer_defaults defaults;
    char *ca_file, *user_agent;
    CURLM *multi;
    struct thread thread;
    struct transfer_list active; /* the thread's own */
    _Atomic uint64_t sent_requests;

    struct mutex lock; /* of `shared` */
    struct {
        struct transfer_list queue;
        void *idle[IDLE_HANDLES];
        size_t idle_count;
        bool is_ending;
    } shared;
};

static void *take_handle(struct http_client *client) REQUIRES(&client->lock);

static void *take_handle(struct http_client *client) {
    return client->shared.idle_count > 0 ? client->shared.idle[--client->shared.idle_count] : NULL;
}

/* Keeps the handle for the next transfer, or lets it go when enough are kept. */
static void return_handle(struct http_client *client, void *handle) {
    mutex_lock(&client->lock);
    if (handle != NULL && client->shared.idle_count < IDLE_HANDLES) {
        client->shared.idle[client->shared.idle_count++] = handle;
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

/* False: the client ends. */
static bool take_queue(struct http_client *client, struct transfer_list *queue_out) {
    mutex_lock(&client->lock);
    *queue_out = client->shared.queue;
    client->shared.queue = (struct transfer_list){0};
    bool is_ending = client->shared.is_ending;
    mutex_unlock(&client->lock);
    return !is_ending;
}

static void start(struct http_client *client, struct transfer_list *queue) {
    struct transfer *transfer;
    while ((transfer = transfer_list_take(queue)) != NULL) {
        CURLMcode result = curl_multi_add_handle(client->multi, transfer_handle(transfer));
        assert(result == CURLM_OK); /* else: a handle in use, or no memory */
        transfer_list_append(&client->active, transfer);
        client->sent_requests++;
    }
}

static void finish(struct http_client *client) {
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE) {
            continue;
        }
        CURL *handle = message->easy_handle;
        CURLcode result = message->data.result;
        struct transfer *transfer = transfer_of_handle(handle);
        transfer_list_remove(&client->active, transfer);
        transfer_finish(transfer, (int)result);
        curl_multi_remove_handle(client->multi, handle);
        retire(client, transfer);
    }
}

static void abandon(struct http_client *client, struct transfer_list *list, bool is_active) {
    struct transfer *transfer;
    while ((transfer = transfer_list_take(list)) != NULL) {
        transfer_abandon(transfer);
        if (is_active) {
            curl_multi_remove_handle(client->multi, transfer_handle(transfer));
        }
        retire(client, transfer);
    }
}

static void run(void *arg) {
    struct http_client *client = arg;
    struct transfer_list queue = {0};
    while (take_queue(client, &queue)) {
        int running;
        start(client, &queue);
        curl_multi_perform(client->multi, &running);
        finish(client);
        curl_multi_poll(client->multi, NULL, 0, POLL_MS, NULL);
    }
    abandon(client, &queue, false);
    abandon(client, &client->active, true);
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
    client->ca_file = options->ca_file != NULL ? memory_copy_string(options->ca_file) : NULL;
    client->user_agent = memory_copy_string(
        options->user_agent != NULL ? options->user_agent : "riposte/" RIPOSTE_VERSION);
    client->defaults = (struct transfer_defaults){
        .ca_file = client->ca_file,
        .user_agent = client->user_agent,
        .connect_timeout_ms = options->connect_timeout_ms > 0 ? (long)options->connect_timeout_ms
                                                              : DEFAULT_CONNECT_TIMEOUT_MS,
    };
    client->multi = curl_multi_init();
    if (client->multi == NULL) {
        return error_set(error, ERROR_SYSTEM, "libcurl can't start");
    }
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
    if (!thread_start(&client->thread, "outbound", run, client, error)) {
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
    client->shared.is_ending = true;
    mutex_unlock(&client->lock);
    if (client->multi != NULL) {
        curl_multi_wakeup(client->multi);
    }
    thread_join(&client->thread);
    mutex_lock(&client->lock);
    void *handle;
    while ((handle = take_handle(client)) != NULL) {
        curl_easy_cleanup(handle);
    }
    mutex_unlock(&client->lock);
    curl_multi_cleanup(client->multi);
    mutex_done(&client->lock);
    free(client->ca_file);
    free(client->user_agent);
    free(client);
    *client_at = NULL;
}

/* False when the client ends. */
static bool enqueue(struct http_client *client, struct transfer *transfer) {
    mutex_lock(&client->lock);
    bool is_ending = client->shared.is_ending;
    if (!is_ending) {
        transfer_list_append(&client->shared.queue, transfer);
    }
    mutex_unlock(&client->lock);
    return !is_ending;
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
    if (!enqueue(client, transfer)) {
        retire(client, transfer);
        return error_set(error, ERROR_BUSY, "nothing is sent any more: this process ends");
    }
    curl_multi_wakeup(client->multi);
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
