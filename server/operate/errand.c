#include "errand.h"

static void run(void *arg) {
    struct errand *errand = arg;
    errand->run_fn(errand->arg);
    errand_end(errand);
}

void errand_init(struct errand *errand, const char *what) {
    *errand = (struct errand){.what = what};
}

bool errand_start(struct errand *errand, thread_fn *run_fn, void *arg, struct error *error) {
    if (atomic_load(&errand->is_called_off) || atomic_exchange(&errand->is_busy, true)) {
        return error_set(error, ERROR_BUSY, "another %s is under way: try again", errand->what);
    }
    thread_join(&errand->thread); /* of the one before, which has no more to do than to answer */
    errand->has_ended = false;
    errand->run_fn = run_fn;
    errand->arg = arg;
    if (!thread_start(&errand->thread, "errand", run, errand, error)) {
        atomic_store(&errand->is_busy, false);
        return false;
    }
    return true;
}

void errand_end(struct errand *errand) {
    if (!errand->has_ended) {
        errand->has_ended = true;
        atomic_store(&errand->is_busy, false); /* from here on the next one may wait for us */
    }
}

void errand_rest(struct errand *errand) {
    atomic_store(&errand->is_called_off, true);
    thread_join(&errand->thread);
}
