#include "access.h"

#include "riposte/base/memory.h"
#include "riposte/config/secret.h"
#include "riposte/inbound/authenticate.h"

#include <stdatomic.h>
#include <stdlib.h>

#define SCHEME "Bearer "

struct access {
    atomic_size_t references;
    struct snapshot *snapshot;
    struct authenticator *authenticator;
};

static bool add_token(struct authenticator *authenticator, const struct admin_token *token,
                      const struct secret_reference *reference, struct error *error) {
    scoped(secret_done) struct secret secret = {0};
    if (!secret_resolve(reference, &secret, error)) {
        return error_wrap(error, "admin token %.*s", TEXT_ARG(token->name));
    }
    return secret.bytes == 0 ||
           authenticator_add(authenticator, token->name, (struct text){secret.text, secret.bytes},
                             (unsigned)token->role) ||
           error_set(error, ERROR_INVALID, "admin token %.*s: %.*s has less than %d characters",
                     TEXT_ARG(token->name), TEXT_ARG(reference->spelled), AUTHENTICATE_BYTES);
}

/* The audit names who acted: a name must mean one holder. */
static bool check_names(const struct settings *settings, struct error *error) {
    for (size_t i = 0; i < settings->admin.token_count; i++) {
        for (size_t before = 0; before < i; before++) {
            struct text name = settings->admin.tokens[i].name;
            if (text_equal(name, settings->admin.tokens[before].name)) {
                return error_set(error, ERROR_INVALID, "admin.tokens: two are named %.*s",
                                 TEXT_ARG(name));
            }
        }
    }
    return true;
}

static bool add_tokens(struct authenticator *authenticator, const struct settings *settings,
                       struct error *error) {
    for (size_t i = 0; i < settings->admin.token_count; i++) {
        const struct admin_token *token = &settings->admin.tokens[i];
        for (size_t at = 0; at < token->secrets.count; at++) {
            if (!add_token(authenticator, token, &token->secrets.items[at], error)) {
                return false;
            }
        }
    }
    return true;
}

bool access_new(struct snapshot *snapshot, struct access **access_out, struct error *error) {
    scoped(authenticator_free) struct authenticator *authenticator = authenticator_new();
    if (!check_names(snapshot->settings, error) ||
        !add_tokens(authenticator, snapshot->settings, error)) {
        return false;
    }
    *access_out = NULL;
    if (authenticator_count(authenticator) > 0) {
        struct access *access = memory_new(sizeof(*access));
        atomic_init(&access->references, 1);
        access->snapshot = snapshot_ref(snapshot);
        access->authenticator = authenticator;
        authenticator = NULL;
        *access_out = access;
    }
    return true;
}

struct access *access_ref(struct access *access) {
    atomic_fetch_add(&access->references, 1);
    return access;
}

void access_unref(struct access **access) {
    struct access *held = *access;
    *access = NULL;
    if (held == NULL || atomic_fetch_sub(&held->references, 1) > 1) {
        return;
    }
    snapshot_unref(&held->snapshot);
    authenticator_free(&held->authenticator);
    free(held);
}

struct snapshot *access_snapshot(struct access *access) {
    return access->snapshot;
}

bool access_find_digest(const struct access *access, const uint8_t digest[SHA256_BYTES],
                        struct text *name_out, enum admin_role *role_out) {
    size_t index = 0;
    if (!authenticator_accepts_digest(access->authenticator, digest, &index)) {
        return false;
    }
    *name_out = authenticator_name(access->authenticator, index);
    *role_out = (enum admin_role)authenticator_role(access->authenticator, index);
    return true;
}

bool access_find_token(const struct access *access, struct text token,
                       uint8_t digest_out[SHA256_BYTES], struct text *name_out,
                       enum admin_role *role_out) {
    sha256(token, digest_out);
    return access_find_digest(access, digest_out, name_out, role_out);
}

bool access_find(const struct access *access, const struct request *request, struct text *name_out,
                 enum admin_role *role_out) {
    struct text value = request_header(request, "Authorization");
    uint8_t digest[SHA256_BYTES];
    struct text scheme = text_slice(value, 0, sizeof(SCHEME) - 1);
    return text_equal_ignoring_ascii_case(scheme, TEXT(SCHEME)) &&
           access_find_token(access, text_slice(value, sizeof(SCHEME) - 1, value.bytes), digest,
                             name_out, role_out);
}
