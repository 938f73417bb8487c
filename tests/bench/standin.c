/* An AWS that answers at once: HTTP/1.1 on loopback, one thread, canned answers for the actions
 * that the shipped playbooks use. For each request it notes when its last byte came, and how much
 * CPU the watched process had used by then; GET /log gives and clears the notes:
 *
 *     <monotonic ns> <CPU ns of the watched process, or 0> <Action> <UserName or ->
 *
 * usage: standin [PORT]      prints its port. PUT /watch/PID says whom to watch. Ends with its
 * standard input. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_BYTES (64 * 1024)
#define PEERS         256
#define NOTES         65536
#define NAME_BYTES    64

struct note {
    long long mono_ns, cpu_ns;
    char action[NAME_BYTES], user[NAME_BYTES];
};

struct peer {
    char bytes[REQUEST_BYTES + 1];
    size_t used;
};

static struct peer *peers[PEERS];
static struct note notes[NOTES];
static size_t note_count;
static clockid_t watched_clock;
static bool is_watching;

static long long now_ns(clockid_t clock) {
    struct timespec time = {0};
    (void)clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* The value of a form field, as far as it needs no decoding. */
static void field(const char *body, const char *name, char out[NAME_BYTES]) {
    const char *found = strstr(body, name);
    size_t bytes = 0;
    if (found) {
        found += strlen(name);
        while (bytes + 1 < NAME_BYTES && found[bytes] && found[bytes] != '&') {
            out[bytes] = found[bytes];
            bytes++;
        }
    }
    out[bytes] = '\0';
}

static void answer_text(int fd, const char *type, const char *body, size_t bytes) {
    char head[256];
    int head_bytes = snprintf(head, sizeof(head),
                              "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                              type, bytes);
    struct part {
        const void *base;
        size_t bytes;
    } parts[] = {{head, (size_t)head_bytes}, {body, bytes}};
    for (size_t i = 0; i < 2; i++) {
        const char *at = parts[i].base;
        size_t left = parts[i].bytes;
        while (left > 0) {
            ssize_t sent = send(fd, at, left, MSG_NOSIGNAL | (i == 0 ? MSG_MORE : 0));
            if (sent < 0) {
                return;
            }
            at += sent;
            left -= (size_t)sent;
        }
    }
}

static void answer_log(int fd) {
    size_t capacity = note_count * 192 + 1, bytes = 0;
    char *text = malloc(capacity);
    assert(text);
    for (size_t i = 0; i < note_count; i++) {
        bytes += (size_t)snprintf(text + bytes, capacity - bytes, "%lld %lld %s %s\n",
                                  notes[i].mono_ns, notes[i].cpu_ns, notes[i].action,
                                  notes[i].user[0] ? notes[i].user : "-");
    }
    note_count = 0;
    answer_text(fd, "text/plain", text, bytes);
    free(text);
}

static void answer_action(int fd, const struct note *note) {
    char body[1024];
    const char *inner = "";
    char user[256];
    if (strcmp(note->action, "GetUser") == 0) {
        snprintf(user, sizeof(user),
                 "<GetUserResult><User><UserName>%s</UserName><UserId>AIDA%s</UserId></User>"
                 "</GetUserResult>",
                 note->user, note->user);
        inner = user;
    } else if (strcmp(note->action, "GetCallerIdentity") == 0) {
        inner = "<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/responder</Arn>"
                "<UserId>AIDARESPONDER</UserId><Account>123456789012</Account>"
                "</GetCallerIdentityResult>";
    } else if (strcmp(note->action, "DescribeInstanceAttribute") == 0) {
        inner = "<instanceId>i-1</instanceId><disableApiTermination><value>false</value>"
                "</disableApiTermination>";
    } else if (strcmp(note->action, "ModifyInstanceAttribute") == 0) {
        inner = "<return>true</return>";
    }
    int bytes = snprintf(body, sizeof(body),
                         "<%sResponse>%s<ResponseMetadata><RequestId>r</RequestId>"
                         "</ResponseMetadata></%sResponse>",
                         note->action, inner, note->action);
    answer_text(fd, "text/xml", body, (size_t)bytes);
}

static void watch(const char *pid) {
    is_watching = clock_getcpuclockid((pid_t)strtol(pid, NULL, 10), &watched_clock) == 0;
}

static void handle(int fd, const char *request, const char *body) {
    long long mono_ns = now_ns(CLOCK_MONOTONIC);
    if (strncmp(request, "GET /log", 8) == 0) {
        answer_log(fd);
        return;
    }
    if (strncmp(request, "PUT /watch/", 11) == 0) {
        watch(request + 11);
        answer_text(fd, "text/plain", "", 0);
        return;
    }
    struct note *note = &notes[note_count < NOTES ? note_count++ : NOTES - 1];
    note->mono_ns = mono_ns;
    note->cpu_ns = is_watching ? now_ns(watched_clock) : 0;
    field(body, "Action=", note->action);
    field(body, "UserName=", note->user);
    answer_action(fd, note);
}

/* Handles the whole requests in the buffer. */
static void consume(int fd, struct peer *peer) {
    for (;;) {
        peer->bytes[peer->used] = '\0';
        char *body = strstr(peer->bytes, "\r\n\r\n");
        if (!body) {
            return;
        }
        body += 4;
        const char *length = strcasestr(peer->bytes, "\r\nContent-Length:");
        size_t body_bytes = length && length < body ? strtoul(length + 17, NULL, 10) : 0;
        size_t whole = (size_t)(body - peer->bytes) + body_bytes;
        if (peer->used < whole) {
            return;
        }
        char next = peer->bytes[whole];
        peer->bytes[whole] = '\0';
        handle(fd, peer->bytes, body);
        peer->bytes[whole] = next;
        memmove(peer->bytes, peer->bytes + whole, peer->used - whole);
        peer->used -= whole;
    }
}

static void read_peer(int fd) {
    struct peer *peer = peers[fd];
    ssize_t got = recv(fd, peer->bytes + peer->used, REQUEST_BYTES - peer->used, 0);
    if (got <= 0) {
        close(fd);
        free(peer);
        peers[fd] = NULL;
        return;
    }
    peer->used += (size_t)got;
    consume(fd, peer);
}

static void accept_peer(int epoll, int listening) {
    int fd = accept(listening, NULL, NULL);
    if (fd < 0 || fd >= PEERS) {
        close(fd);
        return;
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    peers[fd] = calloc(1, sizeof(struct peer));
    assert(peers[fd]);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    assert(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static int listen_on(unsigned short port) {
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_bytes = sizeof(address);
    assert(bind(listening, (struct sockaddr *)&address, sizeof(address)) == 0);
    assert(listen(listening, 128) == 0);
    assert(getsockname(listening, (struct sockaddr *)&address, &address_bytes) == 0);
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return listening;
}

int main(int argc, char **argv) {
    int listening = listen_on(argc > 1 ? (unsigned short)strtoul(argv[1], NULL, 10) : 0);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listening};
    assert(epoll_ctl(epoll, EPOLL_CTL_ADD, listening, &event) == 0);
    event.data.fd = STDIN_FILENO;
    bool has_stdin = epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) == 0;
    for (;;) {
        struct epoll_event ready[16];
        int count = epoll_wait(epoll, ready, 16, -1);
        for (int i = 0; i < count; i++) {
            int fd = ready[i].data.fd;
            char end[16];
            if (fd == listening) {
                accept_peer(epoll, listening);
            } else if (has_stdin && fd == STDIN_FILENO) {
                if (read(fd, end, sizeof(end)) <= 0) {
                    return 0;
                }
            } else {
                read_peer(fd);
            }
        }
    }
}
