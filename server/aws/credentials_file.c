#include "credentials_parts.h"

#include "riposte/base/arena.h"
#include "riposte/base/file.h"
#include "riposte/base/memory.h"

#define FILE_BYTES      (1024 * 1024)
#define DEFAULT_PROFILE TEXT("default")

/* "name = value" in the section that is wanted. */
struct profile {
    struct text key_id, secret, token;
    bool is_found;
};

static void wiped_buffer_done(struct buffer *buffer) {
    memory_wipe(buffer->data, buffer->bytes);
    buffer_done(buffer);
}

static struct text file_path(const struct aws_environment *environment, struct arena *arena) {
    struct text path = aws_environment_get(environment, "AWS_SHARED_CREDENTIALS_FILE");
    struct text home = aws_environment_get(environment, "HOME");
    if (path.bytes == 0 && home.bytes > 0) {
        path = arena_format(arena, "%.*s/.aws/credentials", TEXT_ARG(home));
    }
    return path;
}

static void read_value(struct text line, struct profile *profile) {
    const struct {
        const char *name;
        struct text *value;
    } known[] = {{"aws_access_key_id", &profile->key_id},
                 {"aws_secret_access_key", &profile->secret},
                 {"aws_session_token", &profile->token}};
    size_t equals = text_find_byte(line, '=', 0);
    struct text name = text_trim(text_slice(line, 0, equals));
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        if (text_equal_string(name, known[i].name)) {
            *known[i].value = text_trim(text_slice(line, equals + 1, line.bytes));
        }
    }
}

static struct profile find_profile(struct text rest, struct text wanted) {
    struct profile profile = {0};
    bool is_inside = false;
    struct text line;
    while (text_next_part(&rest, '\n', &line)) {
        line = text_trim(line);
        if (line.bytes > 1 && line.data[0] == '[') {
            size_t end = text_find_byte(line, ']', 1);
            is_inside = text_equal(text_trim(text_slice(line, 1, end)), wanted);
            profile.is_found |= is_inside;
        } else if (is_inside && line.bytes > 0 && line.data[0] != '#' && line.data[0] != ';') {
            read_value(line, &profile);
        }
    }
    return profile;
}

bool credentials_from_file(const struct aws_provider *provider,
                           struct aws_credentials **credentials_out, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(wiped_buffer_done) struct buffer text = BUFFER_INIT;
    struct text wanted = aws_environment_get(&provider->environment, "AWS_PROFILE");
    struct text path = file_path(&provider->environment, arena);
    if (path.bytes == 0) {
        return error_set(error, ERROR_NOT_FOUND, "neither AWS_SHARED_CREDENTIALS_FILE nor HOME");
    }
    if (!file_read(path.data, FILE_BYTES, &text, error)) {
        return false;
    }
    wanted = wanted.bytes > 0 ? wanted : DEFAULT_PROFILE;
    struct profile profile = find_profile(buffer_text(&text), wanted);
    if (!profile.is_found) {
        return error_set(error, ERROR_NOT_FOUND, "%.*s has no profile [%.*s]", TEXT_ARG(path),
                         TEXT_ARG(wanted));
    }
    if (profile.key_id.bytes == 0) {
        return error_set(error, ERROR_INVALID,
                         "%.*s: profile [%.*s] holds no aws_access_key_id; other kinds of profile "
                         "are not read: put the keys there, or into the environment",
                         TEXT_ARG(path), TEXT_ARG(wanted));
    }
    return credentials_make(profile.key_id, profile.secret, profile.token, TEXT(""),
                            credentials_out, error) ||
           error_wrap(error, "%.*s: profile [%.*s]", TEXT_ARG(path), TEXT_ARG(wanted));
}
