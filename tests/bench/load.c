/* A client that makes load: HTTPS POSTs over a number of connections, one thread, epoll.
 *
 * Each request carries one of the event files in turn, in which every "@@@@@@@@@@@@" is replaced by
 * the request's number in twelve digits. With --rate requests start when they are due, and their
 * time counts from then, whether or not a connection was free; without it every connection sends
 * its next request as soon as it has its answer. With --new each request has a connection of its
 * own. At the end, one line:
 *
 *     {"requests":N,"errors":N,"seconds":S,"cpu_seconds":S,"p50_us":N,"p99_us":N,"max_us":N,
 *      "status":{"200":N,...}}
 *
 * usage: load --port N [--path /events] [--header "Name: value"]... --event FILE...
 *             [--connections N] [--requests N] [--seconds S] [--rate N] [--new] [--start N] */
#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <getopt.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MARK         "@@@@@@@@@@@@"
#define MARK_BYTES   12
#define MARKS        8
#define EVENTS       16
#define EVENT_BYTES  (64 * 1024)
#define ANSWER_BYTES (16 * 1024)
#define CONNECTIONS  4096
#define TIMES        (4 * 1024 * 1024)
#define STATUSES     600
#define TIMEOUT_NS   10000000000LL

struct event {
    char text[EVENT_BYTES]; /* the whole request */
    size_t bytes;
    size_t marks[MARKS];
    size_t mark_count;
};

enum state { FREE, CONNECTING, IDLE, SENDING, READING };

struct connection {
    enum state state;
    int fd;
    gnutls_session_t session;
    int64_t began_ns;
    size_t request_bytes, sent_bytes, answer_bytes;
    char request[EVENT_BYTES];
    char answer[ANSWER_BYTES + 1];
};

static struct options {
    uint16_t port;
    const char *path;
    char headers[4096];
    const char *files[EVENTS];
    size_t file_count, connections;
    uint64_t requests, start;
    double seconds, rate;
    bool is_new;
} options = {.path = "/events", .connections = 1, .requests = UINT64_MAX, .seconds = 1e6};

static struct event events[EVENTS];
static size_t event_count;
static struct connection *connections;
static gnutls_certificate_credentials_t credentials;
static gnutls_priority_t priorities;
static int epoll_fd;
static uint32_t *times_us;
static size_t time_count;
static uint64_t started, ended, errors, statuses[STATUSES];

static volatile sig_atomic_t is_interrupted; /* no more requests, then the report */

static void on_interrupt(int signal) {
    (void)signal;
    is_interrupted = 1;
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec time = {0};
    (void)clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void disconnect(struct connection *connection) {
    if (connection->session != NULL) {
        gnutls_deinit(connection->session);
        connection->session = NULL;
    }
    close(connection->fd);
    connection->state = FREE;
}

/* `status` 0: there was no answer. */
static void finish(struct connection *connection, unsigned status) {
    ended++;
    errors += status == 0 ? 1 : 0;
    statuses[status < STATUSES ? status : 0]++;
    if (time_count < TIMES) {
        times_us[time_count++] = (uint32_t)((clock_ns(CLOCK_MONOTONIC) - connection->began_ns) /
                                            1000);
    }
    if (status != 0 && options.is_new) {
        (void)gnutls_bye(connection->session, GNUTLS_SHUT_WR);
    }
    if (status == 0 || options.is_new) {
        disconnect(connection);
    } else {
        connection->state = IDLE;
    }
}

/* Not edge-triggered: after a session ticket GnuTLS says "again" with the answer still unread. */
static bool connect_now(struct connection *connection) {
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(connection->fd >= 0);
    int one = 1;
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(options.port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        fcntl(connection->fd, F_SETFL, O_NONBLOCK) != 0) {
        return false;
    }
    struct epoll_event wanted = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = connection};
    (void)epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &wanted);
    (void)gnutls_init(&connection->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    (void)gnutls_priority_set(connection->session, priorities);
    (void)gnutls_credentials_set(connection->session, GNUTLS_CRD_CERTIFICATE, credentials);
    gnutls_transport_set_int(connection->session, connection->fd);
    connection->state = CONNECTING;
    return true;
}

static void write_number(char *place, uint64_t number) {
    for (size_t i = MARK_BYTES; i > 0; i--) {
        place[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* The status of a whole answer; 0: not yet. */
static unsigned parse_answer(const struct connection *connection) {
    static const char name[] = "\r\nContent-Length:";
    const char *end = strstr(connection->answer, "\r\n\r\n");
    if (end == NULL) {
        return 0;
    }
    const char *length = strcasestr(connection->answer, name);
    size_t body_bytes = length == NULL ? 0 : strtoul(length + sizeof(name) - 1, NULL, 10);
    size_t head_bytes = (size_t)(end - connection->answer) + 4;
    return connection->answer_bytes < head_bytes + body_bytes
               ? 0
               : (unsigned)strtoul(connection->answer + 9, NULL, 10);
}

/* Each goes as far as it can without waiting; false: it failed. */
static bool shake_hands(struct connection *connection) {
    int code = gnutls_handshake(connection->session);
    if (code == GNUTLS_E_SUCCESS) {
        connection->state = SENDING;
    }
    return code == GNUTLS_E_SUCCESS || !gnutls_error_is_fatal(code);
}

static bool send_request(struct connection *connection) {
    while (connection->sent_bytes < connection->request_bytes) {
        ssize_t sent = gnutls_record_send(connection->session,
                                          connection->request + connection->sent_bytes,
                                          connection->request_bytes - connection->sent_bytes);
        if (sent < 0) {
            return sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED;
        }
        connection->sent_bytes += (size_t)sent;
    }
    connection->state = READING;
    return true;
}

static bool read_answer(struct connection *connection) {
    for (;;) {
        ssize_t got = gnutls_record_recv(connection->session,
                                         connection->answer + connection->answer_bytes,
                                         ANSWER_BYTES - connection->answer_bytes);
        if (got == GNUTLS_E_AGAIN) {
            return true;
        }
        if (got < 0 && !gnutls_error_is_fatal((int)got)) {
            continue; /* a session ticket */
        }
        if (got <= 0) {
            return false;
        }
        connection->answer_bytes += (size_t)got;
        connection->answer[connection->answer_bytes] = '\0';
        unsigned status = parse_answer(connection);
        if (status != 0) {
            finish(connection, status);
            return true;
        }
    }
}

static void go_on(struct connection *connection) {
    bool is_good = true;
    if (connection->state == CONNECTING) {
        is_good = shake_hands(connection);
    }
    if (is_good && connection->state == SENDING) {
        is_good = send_request(connection);
    }
    if (is_good && connection->state == READING) {
        is_good = read_answer(connection);
    }
    if (!is_good) {
        finish(connection, 0);
    }
}

static void begin(struct connection *connection, int64_t began_ns) {
    const struct event *event = &events[started % event_count];
    memcpy(connection->request, event->text, event->bytes);
    for (size_t i = 0; i < event->mark_count; i++) {
        write_number(connection->request + event->marks[i], options.start + started);
    }
    started++;
    connection->request_bytes = event->bytes;
    connection->sent_bytes = connection->answer_bytes = 0;
    connection->began_ns = began_ns;
    if (connection->state == IDLE) {
        connection->state = SENDING;
    } else if (!connect_now(connection)) {
        finish(connection, 0);
        return;
    }
    go_on(connection);
}

/* Starts what is due, on connections that are free. */
static void start_due(int64_t first_ns) {
    for (size_t i = 0; i < options.connections; i++) {
        struct connection *connection = &connections[i];
        if (connection->state != FREE && connection->state != IDLE) {
            continue;
        }
        int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
        int64_t due_ns = options.rate > 0
                             ? first_ns + (int64_t)((double)started / options.rate * 1e9)
                             : now_ns;
        if (due_ns > now_ns || started >= options.requests) {
            return;
        }
        begin(connection, due_ns);
    }
}

static void end_late(void) {
    int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    for (size_t i = 0; i < options.connections; i++) {
        struct connection *connection = &connections[i];
        if (connection->state != FREE && connection->state != IDLE &&
            now_ns - connection->began_ns > TIMEOUT_NS) {
            finish(connection, 0);
        }
    }
}

static void run(void) {
    int64_t first_ns = clock_ns(CLOCK_MONOTONIC);
    int64_t last_ns = first_ns + (int64_t)(options.seconds * 1e9);
    bool is_over = false;
    while (!is_over || ended < started) {
        is_over = is_interrupted || started >= options.requests ||
                  clock_ns(CLOCK_MONOTONIC) >= last_ns;
        if (!is_over) {
            start_due(first_ns);
        }
        struct epoll_event ready[64];
        bool is_any_free = started - ended < options.connections;
        int count = epoll_wait(epoll_fd, ready, 64, options.rate > 0 ? 1 : is_any_free ? 0 : 100);
        for (int i = 0; i < count; i++) {
            struct connection *connection = ready[i].data.ptr;
            if (connection->state == IDLE && (ready[i].events & (EPOLLRDHUP | EPOLLHUP)) != 0) {
                disconnect(connection);
            } else if (connection->state != FREE && connection->state != IDLE) {
                go_on(connection);
            }
        }
        end_late();
    }
}

static int compare(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one;
    uint32_t b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

static void report(double seconds) {
    qsort(times_us, time_count, sizeof(*times_us), compare);
    printf("{\"requests\":%llu,\"errors\":%llu,\"seconds\":%.3f,\"cpu_seconds\":%.3f,"
           "\"p50_us\":%u,\"p99_us\":%u,\"max_us\":%u,\"status\":{",
           (unsigned long long)ended, (unsigned long long)errors, seconds,
           (double)clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e9, times_us[time_count / 2],
           times_us[time_count * 99 / 100], times_us[time_count == 0 ? 0 : time_count - 1]);
    const char *separator = "";
    for (size_t i = 0; i < STATUSES; i++) {
        if (statuses[i] > 0) {
            printf("%s\"%zu\":%llu", separator, i, (unsigned long long)statuses[i]);
            separator = ",";
        }
    }
    printf("}}\n");
}

static bool read_event(const char *path) {
    static char body[EVENT_BYTES];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    size_t body_bytes = fread(body, 1, sizeof(body) - 1, file);
    (void)fclose(file);
    body[body_bytes] = '\0';
    struct event *event = &events[event_count++];
    int bytes = snprintf(event->text, sizeof(event->text),
                         "POST %s HTTP/1.1\r\nHost: localhost\r\n%s%sContent-Length: %zu\r\n\r\n%s",
                         options.path, options.headers,
                         options.is_new ? "Connection: close\r\n" : "", body_bytes, body);
    assert(bytes > 0 && (size_t)bytes < sizeof(event->text));
    event->bytes = (size_t)bytes;
    for (const char *at = event->text; (at = strstr(at, MARK)) != NULL; at += MARK_BYTES) {
        assert(event->mark_count < MARKS);
        event->marks[event->mark_count++] = (size_t)(at - event->text);
    }
    return true;
}

static bool read_option(int letter, const char *value) {
    size_t used = strlen(options.headers);
    switch (letter) {
    case 'p':
        options.port = (uint16_t)strtoul(value, NULL, 10);
        return true;
    case 'P':
        options.path = value;
        return true;
    case 'R':
        options.rate = strtod(value, NULL);
        return true;
    case 'c':
        options.connections = strtoul(value, NULL, 10);
        return true;
    case 'r':
        options.requests = strtoull(value, NULL, 10);
        return true;
    case 's':
        options.seconds = strtod(value, NULL);
        return true;
    case 'S':
        options.start = strtoull(value, NULL, 10);
        return true;
    case 'n':
        options.is_new = true;
        return true;
    case 'h':
        return snprintf(options.headers + used, sizeof(options.headers) - used, "%s\r\n", value) >
               0;
    case 'e':
        if (options.file_count < EVENTS) {
            options.files[options.file_count++] = value;
            return true;
        }
        return false;
    default:
        return false;
    }
}

static bool read_options(int argc, char **argv) {
    static const struct option names[] = {
        {"port", 1, NULL, 'p'},  {"path", 1, NULL, 'P'},     {"header", 1, NULL, 'h'},
        {"event", 1, NULL, 'e'}, {"rate", 1, NULL, 'R'},     {"connections", 1, NULL, 'c'},
        {"start", 1, NULL, 'S'}, {"requests", 1, NULL, 'r'}, {"seconds", 1, NULL, 's'},
        {"new", 0, NULL, 'n'},   {NULL, 0, NULL, 0}};
    int letter = 0;
    while ((letter = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (!read_option(letter, optarg)) {
            return false;
        }
    }
    return options.port != 0 && options.file_count > 0 && options.connections <= CONNECTIONS;
}

int main(int argc, char **argv) {
    if (!read_options(argc, argv)) {
        fputs("usage: see the head of tests/bench/load.c\n", stderr);
        return 2;
    }
    connections = calloc(options.connections, sizeof(*connections));
    times_us = calloc(TIMES, sizeof(*times_us));
    assert(connections != NULL && times_us != NULL);
    for (size_t i = 0; i < options.file_count; i++) {
        if (!read_event(options.files[i])) {
            return 2;
        }
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    (void)gnutls_certificate_allocate_credentials(&credentials);
    (void)gnutls_priority_init(&priorities, "NORMAL", NULL);
    (void)signal(SIGINT, on_interrupt);
    int64_t began_ns = clock_ns(CLOCK_MONOTONIC);
    run();
    report((double)(clock_ns(CLOCK_MONOTONIC) - began_ns) / 1e9);
    return errors > 0 ? 1 : 0;
}
