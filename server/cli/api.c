#include "riposte/cli/api.h"

static bool find_token(struct api *api, const char *token, struct error *error) {
    scoped(secret_done) struct secret secret = {0};
    struct secret_reference reference = {0};
    struct secret_references references = {&reference, 1};
    if (token) {
        if (!secret_reference_parse(text_of(token), &reference, error)) {
            return error_wrap(error, "--token");
        }
    } else if (api->target.settings.admin.token_count > 0) {
        references = api->target.settings.admin.tokens[0].secrets;
    } else {
        references.count = 0;
    }
    if (!target_secret(&api->target, &references, "admin token", &secret, error)) {
        return false;
    }
    api->authorization = arena_format(api->target.arena, "Bearer %.*s", (int)secret.bytes,
                                      secret.text);
    return true;
}

bool api_open(struct api *api, const struct api_options *options, struct error *error) {
    if (!target_open(&api->target, options->settings, options->ca_file, error) ||
        !find_token(api, options->token, error)) {
        return false;
    }
    api->base = options->url ? text_of(options->url) : target_admin_url(&api->target);
    return true;
}

void api_done(struct api *api) {
    target_done(&api->target);
}

bool api_ask(struct api *api, struct text method, struct text path, struct text body,
             const struct json **answer_out, struct error *error) {
    struct arena *arena = api->target.arena;
    const struct http_header headers[] = {
        {TEXT("Authorization"), api->authorization},
        {TEXT("Content-Type"), TEXT("application/json")},
    };
    struct text url = arena_format(arena, "%.*s%.*s", TEXT_ARG(api->base), TEXT_ARG(path));
    scoped(buffer_done) struct buffer answer = BUFFER_INIT;
    int status = 0;
    if (!target_request(&api->target, method, url, headers, ARRAY_COUNT(headers), body, &status,
                        &answer, error)) {
        return false;
    }
    struct text text = arena_copy_text(arena, buffer_text(&answer));
    if (!json_parse(text, 0, arena, answer_out, NULL, error)) {
        return error_wrap(error, "%.*s answered %d", TEXT_ARG(url), status);
    }
    if (status >= 300) {
        return error_set(error, status == 404 ? ERROR_NOT_FOUND : ERROR_INVALID, "%d: %.*s", status,
                         TEXT_ARG(json_text(json_member(*answer_out, "error"))));
    }
    return true;
}
