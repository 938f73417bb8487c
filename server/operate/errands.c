#include "admin_parts.h"
#include "answers.h"
#include "gate.h"
#include "routes.h"
#include "view.h"

#include "riposte/base/memory.h"
#include "riposte/crypto/random.h"
#include "riposte/journal/backup.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

void errand_answer(struct errand *errand, struct admin *admin, struct request *request,
                   thread_fn *run_fn) {
    struct long_request *asked = memory_new(sizeof(*asked));
    struct error error = {0};
    *asked = (struct long_request){admin, request};
    if (!errand_start(errand, run_fn, asked, &error)) {
        free(asked);
        answer_failure(request, &error);
    }
}

/* "FILE.backup-01ARZ3...", beside the journal: elsewhere the sandbox lets nobody write. */
static bool backup_path(struct admin *admin, struct buffer *path, struct error *error) {
    scoped(access_unref) struct access *access = admin_access(admin);
    struct text url = access != NULL ? access_snapshot(access)->settings->journal : TEXT("");
    if (!text_starts_with(url, TEXT("sqlite:"))) {
        return error_set(error, ERROR_INVALID, "the journal is no file");
    }
    struct ulid id = random_ulid(clock_unix_ms(admin->options.clock));
    buffer_append_text(path, text_slice(url, sizeof("sqlite:") - 1, url.bytes));
    buffer_append_format(path, ".backup-%s", id.text);
    return true;
}

static void run_backup(void *arg) {
    struct long_request *asked = arg;
    struct admin *admin = asked->admin;
    scoped(buffer_done) struct buffer path = BUFFER_INIT;
    struct error error = {0};
    struct stat made = {0};
    bool is_made = backup_path(admin, &path, &error) &&
                   journal_backup(admin->options.journal, buffer_string(&path),
                                  &admin->errand.is_called_off, &error) &&
                   (stat(buffer_string(&path), &made) == 0 ||
                    error_set_errno(&error, errno, "backup"));
    errand_end(&admin->errand);
    if (!is_made) {
        answer_failure(asked->request, &error);
    } else {
        struct json_object *object = json_object_new_object();
        view_add_text(object, "file", buffer_text(&path));
        json_object_object_add(object, "bytes", json_object_new_int64(made.st_size));
        answer_object(asked->request, 200, object);
    }
    free(asked);
}

void handle_backup(void *arg, struct request *request) {
    struct admin *admin = arg;
    errand_answer(&admin->errand, admin, request, run_backup);
}

static void run_orphans(void *arg) {
    struct long_request *asked = arg;
    struct admin *admin = asked->admin;
    struct request *request = asked->request;
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer answer = BUFFER_INIT;
    struct text actor = {NULL, 0};
    struct error error = {0};
    free(asked);
    if (!gate_actor(admin, request, arena, &actor)) {
        return;
    }
    bool is_done = admin->options.orphans_fn(
        admin->options.orphans_arg, request_query(request, "action"),
        request_query(request, "only"), actor, &admin->errand.is_called_off, &answer, &error);
    errand_end(&admin->errand);
    if (!is_done) {
        answer_failure(request, &error);
    } else {
        request_answer(request, &(struct answer){.status = 200, .body = buffer_text(&answer)});
    }
}

void handle_orphans(void *arg, struct request *request) {
    static const char *const actions[] = {"list", "adopt", "release"};
    struct admin *admin = arg;
    bool is_known = false;
    for (size_t i = 0; i < ARRAY_COUNT(actions); i++) {
        is_known |= text_equal_string(request_query(request, "action"), actions[i]);
    }
    if (!is_known) {
        request_answer_error(request, 400, "action: list, adopt or release");
    } else {
        errand_answer(&admin->errand, admin, request, run_orphans);
    }
}
