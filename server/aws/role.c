#include "riposte/aws/role.h"

#include "riposte/base/buffer.h"
#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"

#include <stdlib.h>

#define ACCOUNT_BYTES   12
#define DEFAULT_SESSION "riposte"

struct role {
    struct role *next;
    struct aws_roles *roles;
    char *arn;
    struct aws_keyring *keyring;
};

struct aws_roles {
    struct aws_roles_options options;

    struct mutex lock; /* of `shared` */
    struct {
        struct role *first;
        size_t count;
        bool is_ending;
    } shared;
};

/* --- names --- */

static bool is_account(struct text account) {
    for (size_t i = 0; i < account.bytes; i++) {
        if (account.data[i] < '0' || account.data[i] > '9') {
            return false;
        }
    }
    return account.bytes == ACCOUNT_BYTES;
}

/* arn:PARTITION:iam::ACCOUNT:role/... */
struct text aws_role_account(struct text role) {
    struct text parts[6] = {{NULL, 0}};
    struct text rest = role;
    for (size_t i = 0; i < ARRAY_COUNT(parts) && text_next_part(&rest, ':', &parts[i]); i++) {}
    bool is_role = text_equal_string(parts[0], "arn") && text_equal_string(parts[2], "iam") &&
                   parts[3].bytes == 0 && is_account(parts[4]) &&
                   text_starts_with(parts[5], TEXT("role/"));
    return is_role ? parts[4] : TEXT("");
}

/* Appends `value` for the placeholder `name`; false when *rest does not begin with it. */
static bool append_part(struct text *rest, const char *name, struct text value,
                        struct buffer *out) {
    if (!text_starts_with(*rest, text_of(name))) {
        return false;
    }
    buffer_append_text(out, value);
    *rest = text_slice(*rest, text_of(name).bytes, rest->bytes);
    return true;
}

bool aws_role_arn(struct text template, struct text partition, struct text account,
                  struct arena *arena, struct text *role_out, struct error *error) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    struct text rest = template;
    if (!is_account(account)) {
        return error_set(error, ERROR_INVALID, "\"%.*s\" is not an account", TEXT_ARG(account));
    }
    while (rest.bytes > 0) {
        if (!append_part(&rest, "${partition}", partition, &out) &&
            !append_part(&rest, "${account}", account, &out)) {
            buffer_append_char(&out, rest.data[0]);
            rest = text_slice(rest, 1, rest.bytes);
        }
    }
    if (!text_equal(aws_role_account(buffer_text(&out)), account)) {
        return error_set(error, ERROR_INVALID, "\"%s\" is not a role in account %.*s",
                         buffer_string(&out), TEXT_ARG(account));
    }
    *role_out = arena_copy_text(arena, buffer_text(&out));
    return true;
}

const struct json *aws_role_parameters(const struct aws_role_options *options, struct text role,
                                       struct arena *arena) {
    struct json *parameters = json_new_object(arena);
    struct text session = options->session_name;
    json_add_text(arena, parameters, "RoleArn", role);
    json_add_text(arena, parameters, "RoleSessionName",
                  session.bytes > 0 ? session : TEXT(DEFAULT_SESSION));
    if (options->external_id.bytes > 0) {
        json_add_text(arena, parameters, "ExternalId", options->external_id);
    }
    if (options->tag_count > 0) {
        struct json *tags = json_new_array(arena);
        for (size_t i = 0; i < options->tag_count; i++) {
            struct json *tag = json_new_object(arena);
            json_add_text(arena, tag, "Key", options->tags[i].key);
            json_add_member(arena, tag, TEXT("Value"),
                            json_new_string(arena, options->tags[i].value));
            json_add_element(tags, tag);
        }
        json_add_member(arena, parameters, TEXT("Tags"), tags);
    }
    return parameters;
}

/* --- keyrings --- */

static bool fetch(void *arg, const struct permit *permit, struct aws_credentials **credentials_out,
                  struct error *error) {
    const struct role *role = arg;
    const struct aws_roles_options *options = &role->roles->options;
    return options->assume_fn(options->assume_arg, text_of(role->arn), permit, credentials_out,
                              error) ||
           error_wrap(error, "%s", role->arn);
}

static void role_free(struct role *role) {
    aws_keyring_free(&role->keyring);
    free(role->arn);
    free(role);
}

static bool role_new(struct aws_roles *roles, struct text arn, struct role **role_out,
                     struct error *error) {
    struct role *role = memory_new(sizeof(*role));
    role->roles = roles;
    role->arn = text_copy(arn);
    struct aws_keyring_options options = {
        .fetch_fn = fetch,
        .fetch_arg = role,
        .clock = roles->options.clock,
        .key_fn = roles->options.key_fn,
        .arg = roles->options.key_arg,
    };
    if (!aws_keyring_new(&options, &role->keyring, error)) {
        role_free(role);
        return false;
    }
    *role_out = role;
    return true;
}

struct aws_roles *aws_roles_new(const struct aws_roles_options *options) {
    struct aws_roles *roles = memory_new(sizeof(*roles));
    roles->options = *options;
    mutex_init(&roles->lock);
    return roles;
}

void aws_roles_stop(struct aws_roles *roles) {
    mutex_lock(&roles->lock);
    roles->shared.is_ending = true;
    for (struct role *role = roles->shared.first; role != NULL; role = role->next) {
        aws_keyring_stop(role->keyring);
    }
    mutex_unlock(&roles->lock);
}

void aws_roles_free(struct aws_roles **roles_at) {
    struct aws_roles *roles = *roles_at;
    if (roles == NULL) {
        return;
    }
    aws_roles_stop(roles);
    mutex_lock(&roles->lock);
    struct role *role = roles->shared.first;
    roles->shared.first = NULL;
    mutex_unlock(&roles->lock);
    while (role != NULL) {
        struct role *next = role->next;
        role_free(role);
        role = next;
    }
    mutex_done(&roles->lock);
    free(roles);
    *roles_at = NULL;
}

static bool find(struct aws_roles *roles, struct text arn, struct aws_keyring **keyring_out,
                 struct error *error) REQUIRES(&roles->lock);

static bool find(struct aws_roles *roles, struct text arn, struct aws_keyring **keyring_out,
                 struct error *error) {
    struct role *role = roles->shared.first;
    while (role != NULL && !text_equal_string(arn, role->arn)) {
        role = role->next;
    }
    if (role == NULL) {
        if (roles->shared.is_ending || roles->shared.count == AWS_ROLES_MAX) {
            return roles->shared.is_ending
                       ? error_set(error, ERROR_BUSY, "no role is assumed any more")
                       : error_set(error, ERROR_LIMIT, "more than %d roles", AWS_ROLES_MAX);
        }
        if (!role_new(roles, arn, &role, error)) {
            return false;
        }
        role->next = roles->shared.first;
        roles->shared.first = role;
        roles->shared.count++;
    }
    *keyring_out = role->keyring;
    return true;
}

bool aws_roles_find(struct aws_roles *roles, struct text role, struct aws_keyring **keyring_out,
                    struct error *error) {
    mutex_lock(&roles->lock);
    bool is_found = find(roles, role, keyring_out, error);
    mutex_unlock(&roles->lock);
    return is_found;
}
