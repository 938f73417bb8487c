#include "riposte/daemon/supervisor.h"

#include "riposte/base/clock.h"
#include "riposte/base/memory.h"
#include "riposte/base/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_SOCKET 3 /* SD_LISTEN_FDS_START */
#define SOCKETS_MAX  2

struct supervisor {
    int notify_socket; /* -1: nobody asks */
    int64_t watchdog_ms;
    int sockets[SOCKETS_MAX];
};

static const char *const names[SOCKETS_MAX] = {"intake", "admin"};

static const char *const variables[] = {"NOTIFY_SOCKET",  "LISTEN_PID",   "LISTEN_FDS",
                                        "LISTEN_FDNAMES", "WATCHDOG_PID", "WATCHDOG_USEC"};

static uint64_t read_number(const char *variable) {
    const char *value = getenv(variable);
    uint64_t number = 0;
    return value != NULL && text_parse_unsigned(text_of(value), &number) ? number : 0;
}

/* These variables say whom they are meant for: a child of that one may inherit them. */
static bool is_for_us(const char *variable) {
    return getenv(variable) == NULL || read_number(variable) == (uint64_t)getpid();
}

/* ---- notify -------------------------------------------------------------------------------------
 */

/* Connected now: later the path may be out of reach. */
static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t bytes = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || bytes >= sizeof(address.sun_path)) {
        return -1;
    }
    memcpy(address.sun_path, path, bytes);
    if (path[0] == '@') {
        address.sun_path[0] = '\0'; /* the abstract namespace */
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + bytes);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, address_bytes) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void supervisor_notify(const struct supervisor *supervisor, const char *lines) {
    if (supervisor->notify_socket >= 0) {
        (void)!send(supervisor->notify_socket, lines, strlen(lines), MSG_NOSIGNAL);
    }
}

void supervisor_notify_reloading(const struct supervisor *supervisor) {
    char lines[80];
    snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             clock_mono_us(&clock_system));
    supervisor_notify(supervisor, lines);
}

int64_t supervisor_watchdog_ms(const struct supervisor *supervisor) {
    return supervisor->watchdog_ms;
}

static void read_notify(struct supervisor *supervisor) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (path == NULL || path[0] == '\0') {
        return;
    }
    supervisor->notify_socket = connect_to(path);
    if (is_for_us("WATCHDOG_PID")) {
        supervisor->watchdog_ms = (int64_t)(read_number("WATCHDOG_USEC") / 1000 / 2);
    }
}

/* ---- sockets ------------------------------------------------------------------------------------
 */

int supervisor_socket(const struct supervisor *supervisor, const char *name) {
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if (strcmp(names[i], name) == 0) {
            return supervisor->sockets[i];
        }
    }
    return -1;
}

static bool is_listening_stream(int fd) {
    int type = 0;
    int is_listening = 0;
    socklen_t bytes = sizeof(type);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &bytes) == 0 && is_listening;
}

static int find_place(struct text name, bool is_only_one) {
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if (text_equal_string(name, names[i])) {
            return (int)i;
        }
    }
    return is_only_one ? 0 : -1;
}

static bool take_socket(struct supervisor *supervisor, int fd, struct text name, bool is_only_one,
                        struct error *error) {
    int place = find_place(name, is_only_one);
    if (place < 0 || supervisor->sockets[place] >= 0) {
        return error_set(error, ERROR_INVALID,
                         "LISTEN_FDNAMES: \"%.*s\": one each of \"intake\" and \"admin\" is known",
                         TEXT_ARG(name));
    }
    if (!is_listening_stream(fd) || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) {
        return error_set(error, ERROR_INVALID, "LISTEN_FDS: %d is no stream socket that listens",
                         fd);
    }
    supervisor->sockets[place] = fd;
    return true;
}

static bool read_sockets(struct supervisor *supervisor, struct error *error) {
    uint64_t count = read_number("LISTEN_FDS");
    const char *listed = getenv("LISTEN_FDNAMES");
    struct text rest = text_of(listed == NULL ? "" : listed);
    if (count == 0 || !is_for_us("LISTEN_PID")) {
        return true;
    }
    if (count > SOCKETS_MAX) {
        return error_set(error, ERROR_INVALID, "LISTEN_FDS: at most %d sockets", SOCKETS_MAX);
    }
    for (int i = 0; i < (int)count; i++) {
        struct text name = {NULL, 0};
        (void)text_next_part(&rest, ':', &name);
        if (!take_socket(supervisor, FIRST_SOCKET + i, name, count == 1, error)) {
            return false;
        }
    }
    return true;
}

/* ---- life ---------------------------------------------------------------------------------------
 */

bool supervisor_new(struct supervisor **supervisor_out, struct error *error) {
    scoped(supervisor_free) struct supervisor *supervisor = memory_new(sizeof(*supervisor));
    *supervisor = (struct supervisor){.notify_socket = -1, .sockets = {-1, -1}};
    read_notify(supervisor);
    bool is_good = read_sockets(supervisor, error);
    for (size_t i = 0; i < ARRAY_COUNT(variables); i++) {
        (void)unsetenv(variables[i]);
    }
    if (is_good) {
        *supervisor_out = supervisor;
        supervisor = NULL;
    }
    return is_good;
}

void supervisor_free(struct supervisor **supervisor) {
    if (*supervisor == NULL) {
        return;
    }
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if ((*supervisor)->sockets[i] >= 0) {
            close((*supervisor)->sockets[i]);
        }
    }
    if ((*supervisor)->notify_socket >= 0) {
        close((*supervisor)->notify_socket);
    }
    free(*supervisor);
    *supervisor = NULL;
}
