/* An AWS that answers at once: HTTP/1.1 on loopback, one thread, canned answers for the actions
 * that the shipped playbooks use, and a user's policy as it was put. When the last byte of the
 * first PutUserPolicy for a user comes, it looks at the clock, and at how much CPU the watched
 * process has used by then. GET /wait/USER is answered with that, as soon as it is known and the
 * call itself was answered:
 *
 *     <monotonic ns> <CPU ns of the watched process, or 0>
 *
 * usage: standin [PORT [RECORD]]      prints its port. PUT /watch/PID says whom to watch. Into the
 * file RECORD goes a line for each write that was asked for: "ACTION USER-OR-INSTANCE HASH", the
 * hash of the policy document. Ends with its standard input. */
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
#define USERS         65536 /* a power of two; a newer user takes an older one's place when it is full */
#define NAME_BYTES    64
#define POLICY_BYTES  1024

struct user {
    char name[NAME_BYTES];
    char policy[POLICY_BYTES]; /* as it came, percent-encoded: that is how IAM gives it back */
    long long mono_ns, cpu_ns; /* of the first; 0: there was none yet */
    int waiting;               /* the descriptor of who waits for it; 0: nobody */
};

struct peer {
    char bytes[REQUEST_BYTES + 1];
    size_t used;
};

static struct peer *peers[PEERS];
static struct user users[USERS];
static clockid_t watched_clock;
static bool is_watching;
static FILE *record;

static long long now_ns(clockid_t clock) {
    struct timespec time = {0};
    (void)clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* The value of a form field, as far as it needs no decoding. */
static void field(const char *body, const char *name, char *out, size_t out_bytes) {
    const char *found = strstr(body, name);
    size_t bytes = 0;
    if (found) {
        found += strlen(name);
        while (bytes + 1 < out_bytes && found[bytes] && found[bytes] != '&') {
            out[bytes] = found[bytes];
            bytes++;
        }
    }
    out[bytes] = '\0';
}

static void answer_as(int fd, const char *status, const char *type, const char *body,
                      size_t bytes) {
    char head[256];
    int head_bytes = snprintf(head, sizeof(head),
                              "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                              status, type, bytes);
    struct part {
        const void *base;
        size_t bytes;
    } parts[] = {{head, (size_t)head_bytes}, {body, bytes}};
    for (size_t i = 0; i < 2; i++) {
        const char *at = parts[i].base;
        size_t left = parts[i].bytes;
        while (left > 0) {
            ssize_t sent = send(fd, at, left, MSG_NOSIGNAL | (i == 0 && bytes > 0 ? MSG_MORE : 0));
            if (sent < 0) {
                return;
            }
            at += sent;
            left -= (size_t)sent;
        }
    }
}

static void answer_text(int fd, const char *type, const char *body, size_t bytes) {
    answer_as(fd, "200 OK", type, body, bytes);
}

static unsigned hash_of(const char *text) {
    unsigned hash = 2166136261U;
    for (const char *at = text; *at; at++) {
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    }
    return hash;
}

static struct user *find_user(const char *name) {
    unsigned hash = hash_of(name);
    struct user *user = &users[hash & (USERS - 1)];
    for (unsigned i = 1; i < USERS && user->name[0] && strcmp(user->name, name) != 0; i++) {
        user = &users[(hash + i) & (USERS - 1)];
    }
    if (strcmp(user->name, name) != 0) {
        *user = (struct user){0};
        snprintf(user->name, sizeof(user->name), "%s", name);
    }
    return user;
}

static void answer_wait(struct user *user) {
    char text[64];
    int bytes = snprintf(text, sizeof(text), "%lld %lld\n", user->mono_ns, user->cpu_ns);
    answer_text(user->waiting, "text/plain", text, (size_t)bytes);
    user->waiting = 0;
}

static void wait_for(int fd, const char *name) {
    char copy[NAME_BYTES];
    snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(name, " "), name);
    struct user *user = find_user(copy);
    user->waiting = fd;
    if (user->mono_ns != 0) {
        answer_wait(user);
    }
}

static void answer_action(int fd, const char *action, const struct user *user) {
    char body[POLICY_BYTES + 1024];
    char inner[POLICY_BYTES + 512] = "";
    if (strcmp(action, "GetUserPolicy") == 0 && !user->policy[0]) {
        static const char none[] = "<ErrorResponse><Error><Code>NoSuchEntity</Code>"
                                   "<Message>there is none</Message></Error></ErrorResponse>";
        answer_as(fd, "404 Not Found", "text/xml", none, sizeof(none) - 1);
        return;
    }
    if (strcmp(action, "GetUser") == 0) {
        snprintf(inner, sizeof(inner),
                 "<GetUserResult><User><UserName>%s</UserName><UserId>AIDA%s</UserId></User>"
                 "</GetUserResult>",
                 user->name, user->name);
    } else if (strcmp(action, "GetUserPolicy") == 0) {
        snprintf(inner, sizeof(inner),
                 "<GetUserPolicyResult><UserName>%s</UserName><PolicyDocument>%s</PolicyDocument>"
                 "</GetUserPolicyResult>",
                 user->name, user->policy);
    } else if (strcmp(action, "GetCallerIdentity") == 0) {
        snprintf(inner, sizeof(inner),
                 "<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/responder</Arn>"
                 "<UserId>AIDARESPONDER</UserId><Account>123456789012</Account>"
                 "</GetCallerIdentityResult>");
    } else if (strcmp(action, "DescribeInstanceAttribute") == 0) {
        snprintf(inner, sizeof(inner),
                 "<instanceId>i-1</instanceId><disableApiTermination><value>%s</value>"
                 "</disableApiTermination>",
                 user->policy[0] ? "true" : "false");
    } else if (strcmp(action, "ModifyInstanceAttribute") == 0) {
        snprintf(inner, sizeof(inner), "<return>true</return>");
    }
    int bytes = snprintf(body, sizeof(body),
                         "<%sResponse>%s<ResponseMetadata><RequestId>r</RequestId>"
                         "</ResponseMetadata></%sResponse>",
                         action, inner, action);
    answer_text(fd, "text/xml", body, (size_t)bytes);
}

static void watch(const char *pid) {
    is_watching = clock_getcpuclockid((pid_t)strtol(pid, NULL, 10), &watched_clock) == 0;
}

static void note_write(const char *action, const struct user *user) {
    bool is_policy = strcmp(action, "PutUserPolicy") == 0;
    if (record && (is_policy || strcmp(action, "ModifyInstanceAttribute") == 0)) {
        fprintf(record, "%s %s %08x\n", action, user->name, hash_of(user->policy));
        fflush(record);
    }
}

static void handle_action(int fd, const char *body, long long mono_ns) {
    char action[NAME_BYTES];
    char name[NAME_BYTES];
    field(body, "Action=", action, sizeof(action));
    field(body, "UserName=", name, sizeof(name));
    if (!name[0]) { /* an instance is remembered like a user, its protection like a policy */
        field(body, "InstanceId=", name, sizeof(name));
    }
    struct user *user = find_user(name);
    if (strcmp(action, "ModifyInstanceAttribute") == 0) {
        snprintf(user->policy, sizeof(user->policy), "protected");
    }
    if (strcmp(action, "PutUserPolicy") == 0) {
        long long cpu_ns = is_watching ? now_ns(watched_clock) : 0;
        field(body, "PolicyDocument=", user->policy, sizeof(user->policy));
        if (user->mono_ns == 0) {
            user->mono_ns = mono_ns;
            user->cpu_ns = cpu_ns;
        }
    }
    note_write(action, user);
    answer_action(fd, action, user);
    if (user->waiting != 0 && user->mono_ns != 0) {
        answer_wait(user);
    }
}

static void handle(int fd, const char *request, const char *body) {
    long long mono_ns = now_ns(CLOCK_MONOTONIC);
    if (strncmp(request, "GET /wait/", 10) == 0) {
        wait_for(fd, request + 10);
    } else if (strncmp(request, "PUT /watch/", 11) == 0) {
        watch(request + 11);
        answer_text(fd, "text/plain", "", 0);
    } else {
        handle_action(fd, body, mono_ns);
    }
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
    record = argc > 2 ? fopen(argv[2], "a") : NULL;
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
