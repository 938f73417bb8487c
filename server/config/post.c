#include "post.h"

#include "riposte/config/secret.h"
#include "riposte/config/template.h"

#define URL_NEEDS                                                                     \
    "an https:// URL (http:// to 127.0.0.1 or localhost), or env:NAME, file:PATH or " \
    "secretsmanager:ARN of one"

static const struct member post_members[] = {
    {"url", MEMBER_STRING, MEMBER_REQUIRED},
    {"headers", MEMBER_OBJECT, 0},
    {"body", MEMBER_OBJECT, MEMBER_REQUIRED},
    {"secrets", MEMBER_OBJECT, 0},
    {"sign", MEMBER_STRING, 0},
};
static const struct member_detail post_details[] = {
    {.name = "url", .schema = "{\"pattern\": \"^(https?://|env:|file:|secretsmanager:)\"}"},
    {.name = "headers", .schema = "{\"additionalProperties\": {\"type\": \"string\"}}"},
    {.name = "body",
     .schema = "{\"minProperties\": 1, \"maxProperties\": 1, \"properties\": "
               "{\"json\": {}, \"raw\": {\"type\": \"string\"}}, "
               "\"additionalProperties\": false}"},
    {.name = "secrets",
     .schema = "{\"maxProperties\": 8, \"additionalProperties\": {\"type\": \"string\", "
               "\"pattern\": \"^(env:|file:|secretsmanager:)\"}}"},
    {.name = "sign", .schema = "{\"pattern\": \"^(env:|file:|secretsmanager:)\"}"},
};
const struct form post_form = {.name = "post",
                               .members = post_members,
                               .count = ARRAY_COUNT(post_members),
                               .details = post_details,
                               .detail_count = ARRAY_COUNT(post_details)};

static bool is_reference(struct text text) {
    return text_starts_with(text, TEXT("env:")) || text_starts_with(text, TEXT("file:")) ||
           text_starts_with(text, TEXT("secretsmanager:"));
}

/* What an event says must not choose where we send to, nor what we send along with a secret. */
static struct post_value read_value(const struct reading *reading, const struct json *node,
                                    struct text name) {
    struct post_value value = {.name = name, .text = json_text(node)};
    struct secret_reference reference = {0};
    struct error error = {0};
    value.is_reference = is_reference(value.text);
    if (value.is_reference && !secret_reference_parse(value.text, &reference, &error)) {
        findings_add(reading->findings, reading->source, node, "%s", error.text);
    } else if (!value.is_reference && text_contains(value.text, TEXT("${"))) {
        findings_add(reading->findings, reading->source, node,
                     "a placeholder can stand in the \"body\" of a \"post\" only");
    }
    return value;
}

static bool is_url(struct text text) {
    static const char *const starts[] = {"https://", "http://127.0.0.1", "http://localhost",
                                         "http://[::1]"};
    for (size_t i = 0; i < ARRAY_COUNT(starts); i++) {
        if (text_starts_with(text, text_of(starts[i]))) {
            return true;
        }
    }
    return false;
}

static bool is_token(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if (c <= ' ' || c >= 0x7f || c == ':') {
            return false;
        }
    }
    return text.bytes > 0;
}

static void read_headers(const struct reading *reading, const struct json *node,
                         struct post *post) {
    struct post_value *headers = arena_alloc_array(reading->arena, json_count(node),
                                                   sizeof(*headers));
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        if (!json_is_string(child) || !is_token(json_key(child))) {
            form_refuse(reading, child, "a header", "a name and a string");
            continue;
        }
        if (post->header_count == POST_HEADERS_MOST) {
            findings_add(reading->findings, reading->source, child,
                         "a \"post\" has at most %d headers", POST_HEADERS_MOST);
            break;
        }
        headers[post->header_count++] = read_value(reading, child, json_key(child));
    }
    post->headers = headers;
}

/* What must be a reference and never a secret itself. */
static struct post_value read_reference(const struct reading *reading, const struct json *node,
                                        struct text name) {
    struct secret_reference reference = {0};
    struct error error = {0};
    if (!secret_reference_parse(json_text(node), &reference, &error)) {
        findings_add(reading->findings, reading->source, node, "%s", error.text);
    }
    return (struct post_value){.name = name, .text = json_text(node), .is_reference = true};
}

static void read_secrets(const struct reading *reading, const struct json *node,
                         struct post *post) {
    struct post_value *secrets = arena_alloc_array(reading->arena, json_count(node),
                                                   sizeof(*secrets));
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        if (!json_is_string(child) || json_key(child).bytes == 0) {
            form_refuse(reading, child, "a secret", "a name and a reference");
            continue;
        }
        if (post->secret_count == POST_SECRETS_MOST) {
            findings_add(reading->findings, reading->source, child,
                         "a \"post\" has at most %d secrets", POST_SECRETS_MOST);
            break;
        }
        secrets[post->secret_count++] = read_reference(reading, child, json_key(child));
    }
    post->secrets = secrets;
}

struct secret_use {
    const struct reading *reading;
    const struct json *body;
    const struct post *post;
};

static void check_secret_use(void *arg, struct text path) {
    const struct secret_use *use = arg;
    struct text name = path_rest(path);
    if (use->post->secret_count == 0 || !text_equal(path_first(path), TEXT("secret"))) {
        return;
    }
    for (size_t i = 0; i < use->post->secret_count; i++) {
        if (text_equal(use->post->secrets[i].name, name)) {
            return;
        }
    }
    findings_add(use->reading->findings, use->reading->source, use->body,
                 "\"%.*s\": \"secrets\" has no such member", TEXT_ARG(path));
}

static void read_body(const struct reading *reading, const struct scope *scope,
                      const struct json *node, struct post *post) {
    const struct json *raw = json_member(node, "raw");
    bool is_good = json_count(node) == 1 &&
                   (json_member(node, "json") != NULL || json_is_string(raw));
    if (json_is_object(node) && !is_good) {
        form_refuse(reading, node, "\"body\"", "{\"json\": ...} or {\"raw\": \"...\"}");
    }
    struct scope wider = *scope;
    struct secret_use use = {reading, node, post};
    wider.places |= post->secret_count > 0 ? NAME_SECRET : 0;
    scope_check_template(reading, &wider, node);
    template_each_path(node, check_secret_use, &use);
    post->body = node;
}

const struct post *post_read(const struct reading *reading, const struct scope *scope,
                             const struct json *node) {
    if (node == NULL) {
        return NULL;
    }
    struct post *post = arena_alloc(reading->arena, sizeof(*post));
    *post = (struct post){0};
    form_check(reading, node, "a \"post\"", post_members, ARRAY_COUNT(post_members));
    const struct json *url = json_member(node, "url");
    if (json_is_string(url)) {
        post->url = read_value(reading, url, (struct text){NULL, 0});
        if (!post->url.is_reference && !is_url(post->url.text)) {
            form_refuse(reading, url, "\"url\"", URL_NEEDS);
        }
    }
    if (json_is_object(json_member(node, "headers"))) {
        read_headers(reading, json_member(node, "headers"), post);
    }
    if (json_is_object(json_member(node, "secrets"))) {
        read_secrets(reading, json_member(node, "secrets"), post);
    }
    if (json_is_string(json_member(node, "sign"))) {
        post->sign = read_reference(reading, json_member(node, "sign"), (struct text){NULL, 0});
    }
    read_body(reading, scope, json_member(node, "body"), post);
    return post;
}

/* ---- append ---- */

static const struct member append_members[] = {
    {"file", MEMBER_STRING, MEMBER_REQUIRED},
    {"line", MEMBER_OBJECT, MEMBER_REQUIRED},
};
static const struct member_detail append_details[] = {
    {.name = "file", .schema = "{\"pattern\": \"^[0-9A-Za-z_-][.0-9A-Za-z_-]{0,127}$\"}"},
};
const struct form append_form = {.name = "append",
                                 .members = append_members,
                                 .count = ARRAY_COUNT(append_members),
                                 .details = append_details,
                                 .detail_count = ARRAY_COUNT(append_details)};

/* Neither another folder nor a hidden file. */
static bool is_file_name(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                        (c >= 'a' && c <= 'z') || c == '-' || c == '_' || (c == '.' && i > 0);
        if (!is_plain) {
            return false;
        }
    }
    return text.bytes > 0 && text.bytes <= 128;
}

const struct append *append_read(const struct reading *reading, const struct scope *scope,
                                 const struct json *node) {
    struct append *append = arena_alloc(reading->arena, sizeof(*append));
    const struct json *file = json_member(node, "file");
    const struct json *line = json_member(node, "line");
    form_check(reading, node, "an \"append\"", append_members, ARRAY_COUNT(append_members));
    if (json_is_string(file) && !is_file_name(json_text(file))) {
        form_refuse(reading, file, "\"file\"",
                    "a name of letters, digits and - _ . in the settings' \"output\"");
    }
    if (line != NULL) {
        scope_check_template(reading, scope, line);
    }
    *append = (struct append){.file = json_text(file), .line = line};
    return append;
}
