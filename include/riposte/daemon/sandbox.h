/* Gives up what a server that answers HTTPS and writes a folder or two never needs, so that whoever
 * takes it over gets little else:
 *
 *     no new privileges    no program it starts could gain any
 *     no dumps             neither core files nor other processes read its memory, keys and all
 *     Landlock             files are written in these folders only (before Linux 6.2 others can
 * still be cut short), and none is executed seccomp              no other program, no tracing, no
 * mounts, modules, namespaces, BPF
 *
 * Each is in force or not by itself: kernels and containers differ.
 *
 * Threads:    main, before it starts others: Landlock holds for the calling thread and those that
 *             it starts from then on, the rest for all.
 * Source:     landlock(7), seccomp(2), prctl(2). */
#ifndef RIPOSTE_DAEMON_SANDBOX_H
#define RIPOSTE_DAEMON_SANDBOX_H

#include <stddef.h>

#define SANDBOX_PARTS 4

struct sandbox_part {
    const char *name; /* "Landlock" */
    int problem;      /* an errno; 0: in force */
};

/* Files are written in these folders only. It can't be taken back. */
void sandbox_enter(const char *const *folders, size_t count,
                   struct sandbox_part parts_out[SANDBOX_PARTS]);

#endif
