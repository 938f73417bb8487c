#include "riposte/config/secret.h"

#include "riposte/base/buffer.h"
#include "riposte/base/file.h"
#include "riposte/base/memory.h"
#include "riposte/event/arn.h"

#include <stdlib.h>

/* A secret is a token, not a document. */
#define SECRET_FILE_BYTES (64u * 1024)

static struct {
    secret_fetch_fn *fetch_fn;
    void *arg;
} manager;

void secret_ask_with(secret_fetch_fn *fetch_fn, void *arg) {
    manager.fetch_fn = fetch_fn;
    manager.arg = arg;
}

/* The ARN says where to ask and what to allow. */
static bool check_place(struct text place, struct error *error) {
    struct arn arn = {0};
    size_t hash = text_find_byte(place, '#', 0);
    bool is_good = arn_parse(text_slice(place, 0, hash), &arn) &&
                   text_equal(arn.service, TEXT("secretsmanager")) && arn.region.bytes > 0 &&
                   arn.account.bytes > 0 && text_starts_with(arn.resource, TEXT("secret:")) &&
                   hash + 1 != place.bytes;
    return is_good || error_set(error, ERROR_INVALID,
                                "\"secretsmanager:\" takes a secret's ARN "
                                "(arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX), and "
                                "#KEY when it holds a JSON object");
}

bool secret_reference_parse(struct text spelled, struct secret_reference *reference_out,
                            struct error *error) {
    static const struct kind {
        struct text prefix;
        enum secret_kind kind;
    } kinds[] = {{TEXT_INIT("env:"), SECRET_ENVIRONMENT},
                 {TEXT_INIT("file:"), SECRET_FILE},
                 {TEXT_INIT("secretsmanager:"), SECRET_MANAGER}};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct text prefix = kinds[i].prefix;
        if (text_starts_with(spelled, prefix) && spelled.bytes > prefix.bytes) {
            struct text place = text_slice(spelled, prefix.bytes, spelled.bytes);
            if (kinds[i].kind == SECRET_MANAGER && !check_place(place, error)) {
                return false;
            }
            *reference_out = (struct secret_reference){
                .kind = kinds[i].kind,
                .place = place,
                .spelled = spelled,
            };
            return true;
        }
    }
    /* What stands there may be the secret itself: it is not shown. */
    return error_set(error, ERROR_INVALID,
                     "must refer to a secret by env:NAME, file:PATH or secretsmanager:ARN, never "
                     "be one");
}

static void copy_secret(struct text text, struct secret *secret_out) {
    *secret_out = (struct secret){text.bytes > 0 ? text_copy(text) : NULL, text.bytes};
}

static void wipe_buffer(struct buffer *buffer) {
    if (buffer->data != NULL) {
        memory_wipe(buffer->data, buffer->capacity);
    }
    buffer_done(buffer);
}

static void drop_line_break(struct buffer *bytes) {
    struct text text = buffer_text(bytes);
    size_t end = text.bytes;
    end -= end > 0 && text.data[end - 1] == '\n' ? 1 : 0;
    end -= end > 0 && end < text.bytes && text.data[end - 1] == '\r' ? 1 : 0;
    buffer_truncate(bytes, end);
}

static bool resolve_file(struct text place, struct secret *secret_out, struct error *error) {
    scoped(memory_free_at) char *path = text_copy(place);
    scoped(wipe_buffer) struct buffer bytes = BUFFER_INIT;
    /* Room for all of it at once: a buffer that moves leaves copies behind. */
    buffer_reserve(&bytes, 2 * SECRET_FILE_BYTES);
    if (!file_read(path, SECRET_FILE_BYTES, &bytes, error)) {
        if (error->code != ERROR_NOT_FOUND) {
            error->code = ERROR_SYSTEM;
            return false;
        }
    }
    drop_line_break(&bytes);
    copy_secret(buffer_text(&bytes), secret_out);
    return true;
}

static bool resolve_at_manager(struct text place, bool is_previous, struct secret *secret_out,
                               struct error *error) {
    scoped(wipe_buffer) struct buffer bytes = BUFFER_INIT;
    if (manager.fetch_fn == NULL) {
        return error_set(error, ERROR_SYSTEM, "%.*s: Secrets Manager can't be asked here",
                         TEXT_ARG(place));
    }
    buffer_reserve(&bytes, SECRET_FILE_BYTES);
    if (!manager.fetch_fn(manager.arg, place, is_previous, &bytes, error)) {
        return false;
    }
    copy_secret(buffer_text(&bytes), secret_out);
    return true;
}

bool secret_resolve_previous(const struct secret_reference *reference, struct secret *secret_out,
                             struct error *error) {
    *secret_out = (struct secret){0};
    return reference->kind != SECRET_MANAGER ||
           resolve_at_manager(reference->place, true, secret_out, error);
}

bool secret_resolve(const struct secret_reference *reference, struct secret *secret_out,
                    struct error *error) {
    if (reference->kind == SECRET_FILE) {
        return resolve_file(reference->place, secret_out, error);
    }
    if (reference->kind == SECRET_MANAGER) {
        return resolve_at_manager(reference->place, false, secret_out, error);
    }
    scoped(memory_free_at) char *name = text_copy(reference->place);
    copy_secret(text_of(getenv(name)), secret_out);
    return true;
}

void secret_done(struct secret *secret) {
    if (secret->text != NULL) {
        memory_wipe(secret->text, secret->bytes);
        free(secret->text);
    }
    *secret = (struct secret){0};
}
