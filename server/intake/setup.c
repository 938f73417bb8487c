#include "setup.h"

#include "riposte/base/buffer.h"
#include "riposte/base/memory.h"
#include "riposte/crypto/sha256.h"
#include "riposte/observe/log.h"

#include <assert.h>
#include <stdlib.h>

static void accept_secret(struct authenticator *authenticator,
                          const struct secret_reference *reference, const struct secret *secret) {
    if (secret->bytes > 0 && !authenticator_add(authenticator, reference->spelled,
                                                (struct text){secret->text, secret->bytes}, 0)) {
        log_warn(&(struct log_context){.component = "intake"},
                 "the secret %.*s has less than %d characters: it is not accepted",
                 TEXT_ARG(reference->spelled), AUTHENTICATE_BYTES);
    }
}

/* With the one before, while a rotation may be under way. */
static bool add_secret(struct authenticator *authenticator,
                       const struct secret_reference *reference, struct error *error) {
    scoped(secret_done) struct secret secret = {0};
    scoped(secret_done) struct secret previous = {0};
    if (!secret_resolve(reference, &secret, error) ||
        !secret_resolve_previous(reference, &previous, error)) {
        return error_wrap(error, "authenticate.secrets");
    }
    accept_secret(authenticator, reference, &secret);
    accept_secret(authenticator, reference, &previous);
    return true;
}

static bool fail_without_secret(const struct secret_references *references, struct error *error) {
    scoped(buffer_done) struct buffer names = BUFFER_INIT;
    for (size_t i = 0; i < references->count; i++) {
        buffer_append_format(&names, "%s%.*s", i == 0 ? "" : ", ",
                             TEXT_ARG(references->items[i].spelled));
    }
    return error_set(error, ERROR_INVALID,
                     "authenticate.secrets: none is set and at least %d characters long (%s)",
                     AUTHENTICATE_BYTES,
                     references->count == 0 ? "none is listed" : buffer_string(&names));
}

static bool make_authenticator(const struct secret_references *references,
                               struct authenticator **authenticator_out, struct error *error) {
    scoped(authenticator_free) struct authenticator *authenticator = authenticator_new();
    for (size_t i = 0; i < references->count; i++) {
        if (!add_secret(authenticator, &references->items[i], error)) {
            return false;
        }
    }
    if (authenticator_count(authenticator) == 0) {
        return fail_without_secret(references, error);
    }
    *authenticator_out = authenticator;
    authenticator = NULL;
    return true;
}

bool setup_new(struct snapshot *snapshot, struct setup **setup_out, struct error *error) {
    struct authenticator *authenticator = NULL;
    if (!make_authenticator(&snapshot->settings->authenticate.secrets, &authenticator, error)) {
        return false;
    }
    struct setup *setup = memory_new(sizeof(*setup));
    atomic_init(&setup->references, 1);
    setup->snapshot = snapshot_ref(snapshot);
    setup->authenticator = authenticator;
    setup->header = text_copy(snapshot->settings->authenticate.header);
    setup->definitions = memory_new_array(snapshot->all_count, sizeof(*setup->definitions));
    for (size_t i = 0; i < snapshot->all_count; i++) {
        setup->definitions[i].text = snapshot->definitions[i]->text;
        sha256(blob_text(setup->definitions[i].text), setup->definitions[i].hash);
    }
    *setup_out = setup;
    return true;
}

struct setup *setup_with_snapshot(struct setup *setup, struct snapshot *snapshot) {
    struct setup *origin = setup->origin != NULL ? setup->origin : setup;
    struct setup *made = memory_new(sizeof(*made));
    assert(snapshot->ruleset == origin->snapshot->ruleset);
    atomic_init(&made->references, 1);
    made->snapshot = snapshot_ref(snapshot);
    made->origin = setup_ref(origin);
    made->authenticator = origin->authenticator;
    made->header = origin->header;
    made->definitions = origin->definitions;
    return made;
}

struct setup *setup_ref(struct setup *setup) {
    atomic_fetch_add(&setup->references, 1);
    return setup;
}

void setup_unref(struct setup **setup) {
    struct setup *held = *setup;
    *setup = NULL;
    if (held == NULL || atomic_fetch_sub(&held->references, 1) > 1) {
        return;
    }
    snapshot_unref(&held->snapshot);
    if (held->origin != NULL) {
        setup_unref(&held->origin);
    } else {
        authenticator_free(&held->authenticator);
        free(held->header);
        free(held->definitions);
    }
    free(held);
}
