#include "riposte/daemon/sandbox.h"

#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a child found out about its sandbox: each false would be a way out. */
enum { PART_PRIVILEGES = 1, PART_DUMPS = 2, PART_FILES = 4, PART_CALLS = 8, PART_USE = 16 };

static bool can_write(const char *folder, const char *name) {
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool is_written = file >= 0 && write(file, "x", 1) == 1;
    if (file >= 0) {
        close(file);
        unlink(path);
    }
    return is_written;
}

/* A file that is there already: nothing has to be made. */
static bool can_overwrite(const char *folder) {
    char path[256];
    snprintf(path, sizeof(path), "%s/there", folder);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    bool is_written = file >= 0 && write(file, "x", 1) == 1;
    if (file >= 0) {
        close(file);
    }
    return is_written;
}

static bool can_truncate(const char *folder) {
    char path[256];
    snprintf(path, sizeof(path), "%s/there", folder);
    return truncate(path, 0) == 0;
}

static void make_file(const char *folder, bool is_there) {
    char path[256];
    snprintf(path, sizeof(path), "%s/there", folder);
    if (!is_there) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    close(file);
}

/* Landlock knows of truncate() since its version 3, Linux 6.2. */
static bool is_closed(const char *folder) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return !can_write(folder, "x") && !can_overwrite(folder) &&
           (version < 3 || !can_truncate(folder));
}

static bool can_read(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    char byte;
    bool is_read = file >= 0 && read(file, &byte, 1) == 1;
    if (file >= 0) {
        close(file);
    }
    return is_read;
}

static bool starts_nothing(void) {
    char *const arguments[] = {(char *)(uintptr_t) "true", NULL};
    execv("/bin/true", arguments);
    return errno == EPERM || errno == EACCES;
}

static int look_around(const char *inside, const char *outside) {
    struct sandbox_part parts[SANDBOX_PARTS];
    sandbox_enter(&inside, 1, parts);
    int held = 0;
    held |= prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? PART_PRIVILEGES : 0;
    held |= prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? PART_DUMPS : 0;
    /* Where the kernel can't, it must have been said. */
    held |= parts[2].problem != 0 || is_closed(outside) ? PART_FILES : 0;
    held |= parts[3].problem != 0 || (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 &&
                                      errno == EPERM && starts_nothing())
                ? PART_CALLS
                : 0;
    bool is_usable = can_write(inside, "y") && can_overwrite(inside) && can_truncate(inside);
    held |= is_usable && can_read("/proc/self/status") ? PART_USE : 0;
    return held;
}

static void test_there_is_no_way_out(void **state) {
    (void)state;
    char inside[] = "/tmp/riposte-sandbox-XXXXXX";
    char outside[] = "/tmp/riposte-outside-XXXXXX";
    assert_non_null(mkdtemp(inside));
    assert_non_null(mkdtemp(outside));
    make_file(inside, true);
    make_file(outside, true);
    assert_true(can_write(outside, "x") && can_overwrite(outside) && can_truncate(outside));
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        _exit(look_around(inside, outside));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status),
                     PART_PRIVILEGES | PART_DUMPS | PART_FILES | PART_CALLS | PART_USE);
    make_file(inside, false);
    make_file(outside, false);
    assert_int_equal(rmdir(inside), 0);
    assert_int_equal(rmdir(outside), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_is_no_way_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
