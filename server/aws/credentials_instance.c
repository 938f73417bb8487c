#include "credentials_parts.h"

#include "riposte/base/arena.h"

#define ENDPOINT     TEXT("http://169.254.169.254")
#define ROLES        "/latest/meta-data/iam/security-credentials/"
#define TIMEOUT_MS   1000
#define ANSWER_BYTES (64 * 1024)
#define ROLE_BYTES   128

/* One question to the metadata service; never through a proxy, never twice: where there is none, a
 * second must not be lost again. */
static bool ask(const struct aws_provider *provider, const struct permit *permit,
                struct text method, struct text url, struct http_header header,
                struct http_reply **reply_out, struct error *error) {
    struct http_request request = {
        .method = method,
        .url = url,
        .headers = &header,
        .header_count = 1,
        .timeout_ms = TIMEOUT_MS,
        .response_limit_bytes = ANSWER_BYTES,
        .allow_plain_http = true,
        .no_proxy = true,
    };
    return credentials_ask(provider, permit, &request, 1, reply_out, error);
}

/* Nobody there, or nobody who knows: this is no instance, as far as we can tell. */
static bool ask_for_token(const struct aws_provider *provider, const struct permit *permit,
                          struct text origin, struct arena *arena, struct text *token_out,
                          struct error *error) {
    scoped(http_reply_free) struct http_reply *reply = NULL;
    struct text url = arena_format(arena, "%.*s/latest/api/token", TEXT_ARG(origin));
    if (!ask(provider, permit, TEXT("PUT"), url,
             (struct http_header){TEXT("X-aws-ec2-metadata-token-ttl-seconds"), TEXT("21600")},
             &reply, error)) {
        error->code = error->code == ERROR_DENIED ? ERROR_DENIED : ERROR_NOT_FOUND;
        return false;
    }
    *token_out = arena_copy_text(arena, text_trim(reply->response.body));
    return (reply->response.status == 200 && token_out->bytes > 0) ||
           error_set(error, ERROR_NOT_FOUND, "HTTP status %d for a token", reply->response.status);
}

static bool find_role(const struct aws_provider *provider, const struct permit *permit,
                      struct text origin, struct http_header token, struct arena *arena,
                      struct text *role_out, struct error *error) {
    scoped(http_reply_free) struct http_reply *reply = NULL;
    struct text url = arena_format(arena, "%.*s" ROLES, TEXT_ARG(origin));
    if (!ask(provider, permit, TEXT("GET"), url, token, &reply, error)) {
        return false;
    }
    if (reply->response.status != 200) {
        return error_set(error, ERROR_NOT_FOUND, "the instance has no role");
    }
    struct text roles = text_trim(reply->response.body);
    *role_out = arena_copy_text(arena, text_slice(roles, 0, text_find_byte(roles, '\n', 0)));
    return (role_out->bytes > 0 && role_out->bytes <= ROLE_BYTES) ||
           error_set(error, ERROR_INVALID, "no role's name came");
}

static bool fetch_role(const struct aws_provider *provider, const struct permit *permit,
                       struct text origin, struct http_header token, struct text role,
                       struct aws_credentials **credentials_out, struct error *error) {
    scoped(buffer_done) struct buffer url = BUFFER_INIT;
    buffer_append_text(&url, origin);
    buffer_append_string(&url, ROLES);
    buffer_append_percent_encoded(&url, role, "");
    scoped(http_reply_free) struct http_reply *reply = NULL;
    if (!ask(provider, permit, TEXT("GET"), buffer_text(&url), token, &reply, error)) {
        return false;
    }
    bool is_read = credentials_read_agent(&reply->response, credentials_out, error);
    credentials_wipe_reply(reply);
    return is_read || error_wrap(error, "role %.*s", TEXT_ARG(role));
}

bool credentials_from_instance(const struct aws_provider *provider, const struct permit *permit,
                               struct aws_credentials **credentials_out, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    const struct aws_environment *environment = &provider->environment;
    struct text origin = aws_environment_get(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    struct http_header token = {.name = TEXT("X-aws-ec2-metadata-token")};
    struct text role;
    if (aws_environment_is_true(environment, "AWS_EC2_METADATA_DISABLED")) {
        return error_set(error, ERROR_NOT_FOUND, "AWS_EC2_METADATA_DISABLED is set");
    }
    origin = origin.bytes > 0 ? origin : ENDPOINT;
    if (origin.data[origin.bytes - 1] == '/') {
        origin.bytes--;
    }
    return ask_for_token(provider, permit, origin, arena, &token.value, error) &&
           find_role(provider, permit, origin, token, arena, &role, error) &&
           fetch_role(provider, permit, origin, token, role, credentials_out, error);
}
