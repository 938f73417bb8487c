#include "riposte/daemon/sandbox.h"

#include "riposte/base/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

static int stop_new_privileges(void) {
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : errno;
}

static int stop_dumps(void) {
    const struct rlimit none = {0, 0};
    return setrlimit(RLIMIT_CORE, &none) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0
                                                                                         : errno;
}

/* ---- Landlock -----------------------------------------------------------------------------------
 */

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (UINT64_C(1) << 14) /* ABI 3 */
#endif
#define ABI_OF_REFER    2
#define ABI_OF_TRUNCATE 3

static uint64_t handled_access(int abi) {
    uint64_t access = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                      LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                      LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                      LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                      LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                      LANDLOCK_ACCESS_FS_MAKE_SYM;
    access |= abi >= ABI_OF_REFER ? LANDLOCK_ACCESS_FS_REFER : 0;
    access |= abi >= ABI_OF_TRUNCATE ? LANDLOCK_ACCESS_FS_TRUNCATE : 0;
    return access;
}

static int allow_folder(int ruleset, const char *folder, uint64_t handled) {
    struct landlock_path_beneath_attr rule = {
        .allowed_access = handled &
                          (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                           LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_TRUNCATE),
        .parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC),
    };
    if (rule.parent_fd < 0) {
        return errno;
    }
    long result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int problem = result == 0 ? 0 : errno;
    close(rule.parent_fd);
    return problem;
}

static int restrict_files(const char *const *folders, size_t count) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 0) {
        return errno;
    }
    const struct landlock_ruleset_attr attributes = {.handled_access_fs = handled_access((int)abi)};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
    if (ruleset < 0) {
        return errno;
    }
    int problem = 0;
    for (size_t i = 0; problem == 0 && i < count; i++) {
        problem = allow_folder(ruleset, folders[i], attributes.handled_access_fs);
    }
    if (problem == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
        problem = errno;
    }
    close(ruleset);
    return problem;
}

/* ---- seccomp ------------------------------------------------------------------------------------
 */

#ifdef THIS_ARCHITECTURE

static const uint32_t denied_calls[] = {
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_open_by_handle_at,
    SYS_acct,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_personality,
};

/* Two instructions a call: equal? then deny. One for another architecture's numbers, which would
 * mean other calls: end. */
#define HEAD         4
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))

static int deny_calls(void) {
    struct sock_filter program[HEAD + 2 * ARRAY_COUNT(denied_calls) + 1] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCHITECTURE, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
    };
    size_t count = HEAD;
    for (size_t i = 0; i < ARRAY_COUNT(denied_calls); i++) {
        program[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, denied_calls[i],
                                                        0, 1);
        program[count++] = (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM);
    }
    program[count++] = (struct sock_filter)RETURN(SECCOMP_RET_ALLOW);
    const struct sock_fprog filter = {.len = (unsigned short)count, .filter = program};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) == 0
               ? 0
               : errno;
}

#else

static int deny_calls(void) {
    return ENOSYS;
}

#endif

void sandbox_enter(const char *const *folders, size_t count,
                   struct sandbox_part parts_out[SANDBOX_PARTS]) {
    /* In this order: without the first, the kernel refuses the last two to who is not root. */
    parts_out[0] = (struct sandbox_part){"no new privileges", stop_new_privileges()};
    parts_out[1] = (struct sandbox_part){"no dumps", stop_dumps()};
    parts_out[2] = (struct sandbox_part){"Landlock", restrict_files(folders, count)};
    parts_out[3] = (struct sandbox_part){"seccomp", deny_calls()};
}
