#include "credentials_parts.h"

#include "riposte/aws/answer.h"
#include "riposte/aws/endpoint.h"
#include "riposte/aws/service.h"
#include "riposte/base/file.h"
#include "riposte/base/memory.h"
#include "riposte/base/time.h"
#include "riposte/outbound/url.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CONTAINER_TIMEOUT_MS    2000
#define WEB_IDENTITY_TIMEOUT_MS 5000
#define ATTEMPTS                3
#define TOKEN_FILE_BYTES        (16 * 1024)
#define ANSWER_BYTES            (64 * 1024)
#define KEY_ID_BYTES            128

/* --- a set --- */

/* The public part first, so that a pointer to one is a pointer to the other. */
struct shared_credentials {
    struct aws_credentials credentials;
    atomic_uint references;
    size_t bytes;
    char text[]; /* the three one after the other */
};

static struct text place(char **at, struct text text) {
    struct text placed = {*at, text.bytes};
    if (text.bytes > 0) {
        memcpy(*at, text.data, text.bytes);
    }
    *at += text.bytes;
    return placed;
}

struct aws_credentials *aws_credentials_new(struct text access_key_id,
                                            struct text secret_access_key,
                                            struct text session_token, int64_t expires_unix_ms) {
    size_t bytes = access_key_id.bytes + secret_access_key.bytes + session_token.bytes;
    struct shared_credentials *shared = memory_new(sizeof(*shared) + bytes);
    char *at = shared->text;
    shared->bytes = bytes;
    shared->references = 1;
    shared->credentials = (struct aws_credentials){
        .access_key_id = place(&at, access_key_id),
        .secret_access_key = place(&at, secret_access_key),
        .session_token = place(&at, session_token),
        .expires_unix_ms = expires_unix_ms,
    };
    return &shared->credentials;
}

struct aws_credentials *aws_credentials_ref(struct aws_credentials *credentials) {
    if (credentials != NULL) {
        ((struct shared_credentials *)credentials)->references++;
    }
    return credentials;
}

void aws_credentials_unref(struct aws_credentials **credentials) {
    struct shared_credentials *shared = (struct shared_credentials *)*credentials;
    *credentials = NULL;
    if (shared != NULL && --shared->references == 0) {
        memory_wipe(shared->text, shared->bytes);
        free(shared);
    }
}

/* What goes into a header must be one word. */
static bool is_word(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] <= ' ' || text.data[i] >= 0x7F) {
            return false;
        }
    }
    return true;
}

bool credentials_make(struct text key_id, struct text secret, struct text token,
                      struct text expiration, struct aws_credentials **credentials_out,
                      struct error *error) {
    int64_t expires_unix_ms = 0;
    if (key_id.bytes == 0 || key_id.bytes > KEY_ID_BYTES || !is_word(key_id) ||
        text_find_byte(key_id, '/', 0) < key_id.bytes) {
        return error_set(error, ERROR_INVALID, "the access key's id is missing or malformed");
    }
    if (secret.bytes == 0 || !is_word(secret) || !is_word(token)) {
        return error_set(error, ERROR_INVALID,
                         "the secret key is missing, or it or the session token is malformed");
    }
    if (expiration.bytes > 0 && !time_parse(expiration, &expires_unix_ms)) {
        return error_set(error, ERROR_INVALID, "the expiration is not a time");
    }
    *credentials_out = aws_credentials_new(key_id, secret, token, expires_unix_ms);
    return true;
}

/* A member that must be a string: a number is no key. */
static struct text string_member(const struct json *object, const char *name) {
    const struct json *member = json_member(object, name);
    return json_is_string(member) ? json_text(member) : TEXT("");
}

bool aws_credentials_read(const struct json *body, struct aws_credentials **credentials_out,
                          struct error *error) {
    const struct json *found = json_member(body, "Credentials");
    return credentials_make(string_member(found, "AccessKeyId"),
                            string_member(found, "SecretAccessKey"),
                            string_member(found, "SessionToken"),
                            string_member(found, "Expiration"), credentials_out, error);
}

/* --- environment --- */

static bool fetch_from_environment(const struct aws_provider *provider,
                                   struct aws_credentials **credentials_out, struct error *error) {
    const struct aws_environment *environment = &provider->environment;
    struct text secret = aws_environment_get(environment, "AWS_SECRET_ACCESS_KEY");
    if (secret.bytes == 0) {
        return error_set(error, ERROR_INVALID,
                         "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY isn't");
    }
    return credentials_make(aws_environment_get(environment, "AWS_ACCESS_KEY_ID"), secret,
                            aws_environment_get(environment, "AWS_SESSION_TOKEN"),
                            aws_environment_get(environment, "AWS_CREDENTIAL_EXPIRATION"),
                            credentials_out, error);
}

/* --- asking: a few times when nobody answers --- */

bool credentials_ask(const struct aws_provider *provider, const struct permit *permit,
                     const struct http_request *request, int attempts,
                     struct http_reply **reply_out, struct error *error) {
    for (int attempt = 1;; attempt++) {
        struct http_reply *reply = NULL;
        bool is_answered = http_call(provider->http, permit, request, &reply, NULL, error);
        bool is_last = attempt == attempts;
        if (is_answered && (is_last || reply->response.status < 500)) {
            *reply_out = reply;
            return true;
        }
        bool may_work_later = is_answered || error->code == ERROR_SYSTEM ||
                              error->code == ERROR_LIMIT;
        http_reply_free(&reply);
        if (is_last || !may_work_later) {
            return false;
        }
    }
}

/* Token files are replaced now and then: one that isn't there is no sign that none is configured.
 */
static bool read_token(struct text path, struct buffer *token, struct error *error) {
    /* An environment's text ends in NUL. */
    if (!file_read(path.data, TOKEN_FILE_BYTES, token, error)) {
        error->code = ERROR_SYSTEM;
        return false;
    }
    return true;
}

void credentials_wipe_reply(struct http_reply *reply) {
    /* The reply's own copy, in its arena: nobody else reads it. */
    memory_wipe((char *)(uintptr_t)reply->response.body.data, reply->response.body.bytes);
}

/* --- web identity --- */

static void append_parameter(struct buffer *form, const char *name, struct text value) {
    buffer_append_format(form, "&%s=", name);
    buffer_append_percent_encoded(form, value, "");
}

/* An unsigned AssumeRoleWithWebIdentity. */
static bool make_form(const struct aws_provider *provider, const struct aws_service *sts,
                      struct buffer *form, struct error *error) {
    const struct aws_environment *environment = &provider->environment;
    struct text path = aws_environment_get(environment, "AWS_WEB_IDENTITY_TOKEN_FILE");
    struct text session = aws_environment_get(environment, "AWS_ROLE_SESSION_NAME");
    scoped(buffer_done) struct buffer token = BUFFER_INIT;
    if (!read_token(path, &token, error)) {
        return error_wrap(error, "AWS_WEB_IDENTITY_TOKEN_FILE");
    }
    buffer_append_format(form, "Action=AssumeRoleWithWebIdentity&Version=%s", sts->version);
    append_parameter(form, "RoleArn", aws_environment_get(environment, "AWS_ROLE_ARN"));
    append_parameter(form, "RoleSessionName", session.bytes > 0 ? session : TEXT("riposte"));
    append_parameter(form, "WebIdentityToken", text_trim(buffer_text(&token)));
    memory_wipe(token.data, token.bytes);
    return true;
}

static bool read_sts_answer(const struct http_response *response, struct arena *arena,
                            struct aws_credentials **credentials_out, struct error *error) {
    if (response->status != 200) {
        struct aws_answer_error said = aws_answer_error(response, arena);
        return error_set(error, response->status >= 500 ? ERROR_SYSTEM : ERROR_DENIED, "%.*s: %.*s",
                         TEXT_ARG(said.code), TEXT_ARG(said.message));
    }
    const struct json *body = NULL;
    struct text request_id;
    if (!aws_answer_read(AWS_PROTOCOL_QUERY, response->body, arena, &body, &request_id, error)) {
        return false;
    }
    return aws_credentials_read(body, credentials_out, error);
}

static bool fetch_by_web_identity(const struct aws_provider *provider, const struct permit *permit,
                                  struct aws_credentials **credentials_out, struct error *error) {
    static const struct http_header headers[] = {
        {TEXT_INIT("Content-Type"), TEXT_INIT("application/x-www-form-urlencoded; charset=utf-8")},
    };
    const struct aws_service *sts = aws_service_find(TEXT("sts"));
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer form = BUFFER_INIT;
    struct aws_endpoint endpoint;
    if (!aws_endpoint_resolve(&provider->environment, provider->endpoint, sts, TEXT(""), arena,
                              &endpoint, error) ||
        !make_form(provider, sts, &form, error)) {
        return false;
    }
    struct http_request request = {
        .method = TEXT("POST"),
        .url = endpoint.url,
        .headers = headers,
        .header_count = ARRAY_COUNT(headers),
        .body = buffer_text(&form),
        .timeout_ms = WEB_IDENTITY_TIMEOUT_MS,
        .response_limit_bytes = ANSWER_BYTES,
        .allow_plain_http = endpoint.is_configured,
    };
    scoped(http_reply_free) struct http_reply *reply = NULL;
    bool is_answered = credentials_ask(provider, permit, &request, ATTEMPTS, &reply, error);
    memory_wipe(form.data, form.bytes);
    if (!is_answered) {
        return false;
    }
    bool is_read = read_sts_answer(&reply->response, arena, credentials_out, error);
    credentials_wipe_reply(reply);
    return is_read;
}

/* --- container --- */

/* http only to this machine and to the agents of ECS and EKS. */
static bool may_ask(const struct url *url) {
    return url->is_https || url_is_loopback(url) || text_equal_string(url->host, "169.254.170.2") ||
           text_equal_string(url->host, "169.254.170.23") ||
           text_equal_string(url->host, "fd00:ec2::23");
}

static bool find_container(const struct aws_environment *environment, struct arena *arena,
                           struct text *url_out, struct error *error) {
    struct text relative = aws_environment_get(environment,
                                               "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    struct text full = aws_environment_get(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative.bytes > 0) {
        *url_out = arena_format(arena, "http://169.254.170.2%.*s", TEXT_ARG(relative));
    } else {
        *url_out = full;
    }
    struct url url;
    if (!url_parse(*url_out, &url, error)) {
        return false;
    }
    if (!may_ask(&url)) {
        return error_set(error, ERROR_DENIED, "http:// to %.*s, which is no agent of ECS or EKS",
                         TEXT_ARG(url.host));
    }
    return true;
}

/* Empty when none is configured. */
static bool find_authorization(const struct aws_environment *environment, struct buffer *token,
                               struct error *error) {
    struct text path = aws_environment_get(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (path.bytes == 0) {
        buffer_append_text(token,
                           aws_environment_get(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    } else if (!read_token(path, token, error)) {
        return error_wrap(error, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    }
    struct text text = buffer_text(token);
    if (text_find_byte(text, '\n', 0) < text.bytes || text_find_byte(text, '\r', 0) < text.bytes) {
        return error_set(error, ERROR_INVALID, "the authorization token holds a line break");
    }
    return true;
}

bool credentials_read_agent(const struct http_response *response,
                            struct aws_credentials **credentials_out, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *body = NULL;
    struct error ignored;
    if (!json_parse(response->body, 0, arena, &body, NULL, &ignored)) {
        body = NULL;
    }
    if (response->status != 200) {
        return error_set(error, response->status >= 500 ? ERROR_SYSTEM : ERROR_DENIED,
                         "HTTP status %d: %.*s", response->status,
                         TEXT_ARG(string_member(body, "message")));
    }
    if (!json_is_object(body)) {
        return error_set(error, ERROR_INVALID, "the answer is not a JSON object");
    }
    return credentials_make(string_member(body, "AccessKeyId"),
                            string_member(body, "SecretAccessKey"), string_member(body, "Token"),
                            string_member(body, "Expiration"), credentials_out, error);
}

static bool fetch_from_container(const struct aws_provider *provider, const struct permit *permit,
                                 struct aws_credentials **credentials_out, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer token = BUFFER_INIT;
    struct text url;
    if (!find_container(&provider->environment, arena, &url, error) ||
        !find_authorization(&provider->environment, &token, error)) {
        return false;
    }
    struct http_header authorization = {TEXT("Authorization"), buffer_text(&token)};
    struct http_request request = {
        .method = TEXT("GET"),
        .url = url,
        .headers = &authorization,
        .header_count = token.bytes > 0 ? 1 : 0,
        .timeout_ms = CONTAINER_TIMEOUT_MS,
        .response_limit_bytes = ANSWER_BYTES,
        .no_proxy = true,
    };
    scoped(http_reply_free) struct http_reply *reply = NULL;
    if (!credentials_ask(provider, permit, &request, ATTEMPTS, &reply, error)) {
        return false;
    }
    bool is_read = credentials_read_agent(&reply->response, credentials_out, error);
    credentials_wipe_reply(reply);
    return is_read;
}

/* --- the first that is configured --- */

static bool is_set(const struct aws_provider *provider, const char *name) {
    return aws_environment_get(&provider->environment, name).bytes > 0;
}

bool aws_credentials_fetch(const struct aws_provider *provider, const struct permit *permit,
                           struct aws_credentials **credentials_out, struct error *error) {
    if (is_set(provider, "AWS_ACCESS_KEY_ID")) {
        return fetch_from_environment(provider, credentials_out, error) ||
               error_wrap(error, "credentials from the environment");
    }
    if (is_set(provider, "AWS_WEB_IDENTITY_TOKEN_FILE") && is_set(provider, "AWS_ROLE_ARN")) {
        return fetch_by_web_identity(provider, permit, credentials_out, error) ||
               error_wrap(error, "credentials by web identity");
    }
    if (is_set(provider, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
        is_set(provider, "AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
        return fetch_from_container(provider, permit, credentials_out, error) ||
               error_wrap(error, "credentials of the container");
    }
    if (credentials_from_file(provider, credentials_out, error)) {
        return true;
    }
    /* A profile that is asked for by name has to be there. */
    if (error->code != ERROR_NOT_FOUND || is_set(provider, "AWS_PROFILE")) {
        return error_wrap(error, "credentials from a file");
    }
    if (credentials_from_instance(provider, permit, credentials_out, error)) {
        return true;
    }
    return error->code == ERROR_NOT_FOUND
               ? error_set(error, ERROR_NOT_FOUND, "no AWS credentials are configured")
               : error_wrap(error, "credentials of the instance");
}
