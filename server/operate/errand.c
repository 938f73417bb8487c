#include "errand.h"

static void run(void *arg) {
    struct errand *errand = arg;
    errand->run_fn(errand->arg);
    atomic_store(&errand->is_busy, false);
}

void errand_init(struct errand *errand, const char *what) {
    *errand = (struct errand){.what = what};
}

bool errand_start(struct errand *errand, thread_fn *run_fn, void *arg, struct error *error) {
    if (atomic_load(&errand->is_called_off) || atomic_exchange(&errand->is_busy, true)) {
        return error_set(error, ERROR_BUSY, "another %s is under way: try again", errand->what);
    }
    thread_join(&errand->thread); /* of the one before, which has ended */
    errand->run_fn = run_fn;
    errand->arg = arg;
    if (!thread_start(&errand->thread, "errand", run, errand, error)) {
        atomic_store(&errand->is_busy, false);
        return false;
    }
    return true;
}

void errand_rest(struct errand *errand) {
    atomic_store(&errand->is_called_off, true);
    thread_join(&errand->thread);
}
