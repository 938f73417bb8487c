/* Preloaded into the server, it keeps threads that call themselves "worker" from ever beginning:
 * what intake and the journal cost alone (tests/bench/intake.py).
 *
 * Threads:    any. */
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

int pthread_setname_np(pthread_t thread, const char *name) {
    int (*set_fn)(pthread_t, const char *);
    while (strcmp(name, "worker") == 0) {
        pause();
    }
    *(void **)&set_fn = dlsym(RTLD_NEXT, "pthread_setname_np");
    return set_fn(thread, name);
}
