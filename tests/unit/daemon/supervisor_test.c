#include "riposte/daemon/supervisor.h"

#include "testing.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* An abstract socket that hears what the supervisor is told. */
static int open_ear(char name_out[32]) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int bytes = snprintf(name_out, 32, "@riposte-test-%d", (int)getpid());
    memcpy(address.sun_path + 1, name_out + 1, (size_t)bytes - 1);
    int ear = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)bytes);
    assert_int_equal(bind(ear, (struct sockaddr *)&address, size), 0);
    return ear;
}

static void expect_heard(int ear, const char *prefix) {
    char heard[256] = {0};
    assert_true(recv(ear, heard, sizeof(heard) - 1, 0) > 0);
    assert_memory_equal(heard, prefix, strlen(prefix));
}

static void test_what_is_told(void **state) {
    (void)state;
    char name[32];
    int ear = open_ear(name);
    char pid[32];
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    setenv("NOTIFY_SOCKET", name, 1);
    setenv("WATCHDOG_USEC", "30000000", 1);
    setenv("WATCHDOG_PID", pid, 1);
    struct supervisor *supervisor = NULL;
    struct error error = {0};
    assert_true(supervisor_new(&supervisor, &error));
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_int_equal(supervisor_watchdog_ms(supervisor), 15000);
    supervisor_notify(supervisor, "READY=1");
    expect_heard(ear, "READY=1");
    supervisor_notify_reloading(supervisor);
    expect_heard(ear, "RELOADING=1\nMONOTONIC_USEC=");
    close(ear);
    supervisor_notify(supervisor, "STOPPING=1"); /* nobody hears it */
    supervisor_free(&supervisor);
    assert_null(supervisor);
}

static void test_nobody_asks(void **state) {
    (void)state;
    static const char *const rows[] = {NULL, "", "relative", "/no/such/socket"};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct supervisor *supervisor = NULL;
        struct error error = {0};
        if (rows[i] != NULL) {
            setenv("NOTIFY_SOCKET", rows[i], 1);
        }
        setenv("WATCHDOG_USEC", "2000000", 1);
        setenv("WATCHDOG_PID", "1", 1); /* another's */
        setenv("LISTEN_FDS", "1", 1);
        setenv("LISTEN_PID", "1", 1);
        assert_true(supervisor_new(&supervisor, &error));
        supervisor_notify(supervisor, "READY=1");
        assert_int_equal(supervisor_watchdog_ms(supervisor), 0);
        assert_int_equal(supervisor_socket(supervisor, "intake"), -1);
        assert_int_equal(supervisor_socket(supervisor, "other"), -1);
        supervisor_free(&supervisor);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_told),
        cmocka_unit_test(test_nobody_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
