#include "riposte/config/secret.h"

#include "riposte/base/buffer.h"
#include "riposte/base/file.h"
#include "riposte/base/memory.h"

#include <stdlib.h>

/* A secret is a token, not a document. */
#define SECRET_FILE_BYTES (64u * 1024)

bool secret_reference_parse(struct text spelled, struct secret_reference *reference_out,
                            struct error *error) {
    static const struct kind {
        struct text prefix;
        enum secret_kind kind;
    } kinds[] = {{TEXT_INIT("env:"), SECRET_ENVIRONMENT}, {TEXT_INIT("file:"), SECRET_FILE}};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct text prefix = kinds[i].prefix;
        if (text_starts_with(spelled, prefix) && spelled.bytes > prefix.bytes) {
            *reference_out = (struct secret_reference){
                .kind = kinds[i].kind,
                .place = text_slice(spelled, prefix.bytes, spelled.bytes),
                .spelled = spelled,
            };
            return true;
        }
    }
    if (text_starts_with(spelled, TEXT("secretsmanager:"))) {
        return error_set(error, ERROR_INVALID,
                         "\"secretsmanager:\" is not supported yet: use env:NAME or file:PATH");
    }
    /* What stands there may be the secret itself: it is not shown. */
    return error_set(error, ERROR_INVALID,
                     "must refer to a secret by env:NAME or file:PATH, never be one");
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

bool secret_resolve(const struct secret_reference *reference, struct secret *secret_out,
                    struct error *error) {
    if (reference->kind == SECRET_FILE) {
        return resolve_file(reference->place, secret_out, error);
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
