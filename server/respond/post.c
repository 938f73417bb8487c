#include "post.h"

#include "riposte/base/base64.h"
#include "riposte/base/hex.h"
#include "riposte/base/latch.h"
#include "riposte/base/memory.h"
#include "riposte/config/secret.h"
#include "riposte/config/template.h"
#include "riposte/crypto/hmac.h"
#include "riposte/crypto/random.h"
#include "riposte/crypto/sha256.h"
#include "riposte/json/writer.h"
#include "riposte/outbound/url.h"
#include "riposte/respond/failpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define POST_TIMEOUT_MS 10000
#define RESPONSE_BYTES  4096
/* Content-Type, traceparent, and the signature's three. */
#define OWN_HEADERS      5
#define KEY_PREFIX       TEXT("whsec_")
#define KEY_LEAST        24
#define KEY_MOST         64
#define SIGNATURE_BYTES  64
#define MESSAGE_ID_BYTES 80

/* ---- sending ---- */

struct answer {
    struct latch done;
    int status;
    int64_t took_us;
    char error[ERROR_TEXT_BYTES];
};

static void take_answer(void *arg, const struct http_response *response, bool may_have_arrived,
                        const struct error *error) {
    struct answer *answer = arg;
    (void)may_have_arrived;
    if (response != NULL) {
        answer->status = response->status;
        answer->took_us = response->took_us;
    } else {
        snprintf(answer->error, sizeof(answer->error), "%s", error->text);
    }
    latch_open(&answer->done);
}

/* 429 and 5xx pass; what else is refused stays so. */
static struct delivery judge(const struct job *job, const struct answer *answer) {
    if (answer->status >= 200 && answer->status < 300) {
        return (struct delivery){DELIVERED, {NULL, 0}, answer->took_us};
    }
    if (answer->status == 0) {
        return (struct delivery){DELIVERY_LATER,
                                 arena_copy_text(job->arena, text_of(answer->error)), 0};
    }
    bool may_pass = answer->status == 429 || answer->status >= 500;
    return (struct delivery){may_pass ? DELIVERY_LATER : DELIVERY_REFUSED,
                             arena_format(job->arena, "answered %d", answer->status),
                             answer->took_us};
}

static struct delivery send(const struct job *job, const struct http_request *request) {
    const struct respond_post *post = &job->respond->options.post;
    struct permit permit = job_permit(job, PERMIT_NOTIFY);
    struct answer answer = {0};
    struct error error = {0};
    latch_init(&answer.done);
    failpoint("before-call");
    if (!post->send_fn(post->arg, &permit, request, take_answer, &answer, &error)) {
        latch_open(&answer.done);
        latch_wait(&answer.done);
        latch_done(&answer.done);
        return (struct delivery){DELIVERY_REFUSED, arena_copy_text(job->arena, text_of(error.text)),
                                 0};
    }
    latch_wait(&answer.done);
    latch_done(&answer.done);
    failpoint("after-call");
    journal_report(job->respond->options.journal, job->task, answer.status != 0);
    return judge(job, &answer);
}

/* ---- secrets ---- */

/* False: it is not set, or can't be read. The caller wipes it. */
static bool resolve(const struct post_value *value, struct secret *secret, struct error *error) {
    struct secret_reference reference = {0};
    return secret_reference_parse(value->text, &reference, error) &&
           secret_resolve(&reference, secret, error) &&
           (secret->bytes > 0 ||
            error_set(error, ERROR_NOT_FOUND, "%.*s is not set", TEXT_ARG(value->text)));
}

static bool may_go_to(struct text text, struct error *error) {
    struct url url = {0};
    return url_parse(text, &url, error) &&
           (url.is_https || url_is_loopback(&url) ||
            error_set(error, ERROR_INVALID, "its url is not https"));
}

/* What stands for secrets lives only as long as the request. */
struct secrets {
    struct secret items[POST_HEADERS_MOST + POST_SECRETS_MOST + 2]; /* URL and key, too */
    size_t count;
};

static void secrets_done(struct secrets *secrets) {
    for (size_t i = 0; i < secrets->count; i++) {
        secret_done(&secrets->items[i]);
    }
}

static bool text_of_value(const struct post_value *value, struct secrets *secrets,
                          struct text *text_out, struct error *error) {
    if (!value->is_reference) {
        *text_out = value->text;
        return true;
    }
    struct secret *secret = &secrets->items[secrets->count++];
    *secret = (struct secret){0};
    if (!resolve(value, secret, error)) {
        return false;
    }
    *text_out = (struct text){secret->text, secret->bytes};
    return true;
}

/* ---- the body ---- */

/* Where a secret will stand: nobody can write that into an event. */
static struct text make_mark(struct arena *arena) {
    uint8_t random[16];
    char digits[2 * sizeof(random) + 1];
    random_bytes(random, sizeof(random));
    hex_encode(random, sizeof(random), digits);
    return arena_format(arena, "secret-%s", digits);
}

/* As it stands in a JSON string. */
static void append_inside(struct buffer *out, struct text text, bool is_json) {
    if (!is_json) {
        buffer_append_text(out, text);
        return;
    }
    size_t start = out->bytes;
    buffer_append_json_string(out, text);
    struct text quoted = text_slice(buffer_text(out), start, out->bytes);
    memmove(out->data + start, quoted.data + 1, quoted.bytes - 2);
    buffer_truncate(out, out->bytes - 2);
}

/* The text with each of the marks replaced. */
static void replace_marks(const struct posting *posting, const struct text *values,
                          struct buffer *out) {
    struct text rest = posting->body;
    while (rest.bytes > 0) {
        size_t first = rest.bytes, which = 0;
        for (size_t i = 0; i < posting->post->secret_count; i++) {
            size_t at = text_find(rest, posting->marks[i]);
            which = at < first ? i : which;
            first = at < first ? at : first;
        }
        buffer_append_text(out, text_slice(rest, 0, first));
        if (first == rest.bytes) {
            return;
        }
        append_inside(out, values[which], posting->is_json);
        rest = text_slice(rest, first + posting->marks[which].bytes, rest.bytes);
    }
}

/* A reference as it is spelled; of a URL in clear its host, since its path may be a secret. */
static struct text shown_url(const struct post *post) {
    size_t host = text_find(post->url.text, TEXT("://"));
    if (post->url.is_reference || host >= post->url.text.bytes) {
        return post->url.text;
    }
    return text_slice(post->url.text, 0, text_find_byte(post->url.text, '/', host + 3));
}

/* The url and the body, with references in place of secrets. */
static struct text journaled(const struct posting *posting, struct arena *arena) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    scoped(buffer_done) struct buffer body = BUFFER_INIT;
    struct text spelled[POST_SECRETS_MOST];
    for (size_t i = 0; i < posting->post->secret_count; i++) {
        spelled[i] = posting->post->secrets[i].text;
    }
    replace_marks(posting, spelled, &body);
    buffer_append_string(&text, "{\"url\":");
    buffer_append_json_string(&text, shown_url(posting->post));
    buffer_append_string(&text, ",\"body\":");
    if (posting->is_json) {
        buffer_append_string(&text, "{\"json\":");
        buffer_append_text(&text, buffer_text(&body));
    } else {
        buffer_append_string(&text, "{\"raw\":");
        buffer_append_json_string(&text, buffer_text(&body));
    }
    buffer_append_string(&text, "}}");
    return arena_copy_text(arena, buffer_text(&text));
}

bool post_fill(const struct post *post, const struct json *context, struct arena *arena,
               struct posting *posting_out, struct error *error) {
    struct posting posting = {.post = post};
    const struct json *body = NULL;
    for (size_t i = 0; i < post->secret_count; i++) {
        posting.marks[i] = make_mark(arena);
    }
    if (!template_render(post->body, notice_with_secrets(post, posting.marks, context, arena),
                         arena, &body, error)) {
        return false;
    }
    const struct json *raw = json_member(body, "raw");
    posting.is_json = raw == NULL;
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    if (posting.is_json) {
        json_write(&text, json_member(body, "json"));
    } else {
        buffer_append_text(&text, json_text(raw));
    }
    posting.body = arena_copy_text(arena, buffer_text(&text));
    posting.journaled = journaled(&posting, arena);
    *posting_out = posting;
    return true;
}

static void wipe_buffer(struct buffer *buffer) {
    if (buffer->data != NULL) {
        memory_wipe(buffer->data, buffer->capacity);
    }
    buffer_done(buffer);
}

static size_t count_marks(struct text text, struct text mark) {
    size_t count = 0;
    for (size_t at = text_find(text, mark); at < text.bytes; at = text_find(text, mark)) {
        text = text_slice(text, at + mark.bytes, text.bytes);
        count++;
    }
    return count;
}

/* With its secrets, into a buffer that never moves: that would leave copies behind. */
static bool fill_secrets(const struct posting *posting, struct secrets *secrets, struct buffer *out,
                         struct error *error) {
    struct text values[POST_SECRETS_MOST];
    size_t most = posting->body.bytes;
    for (size_t i = 0; i < posting->post->secret_count; i++) {
        if (!text_of_value(&posting->post->secrets[i], secrets, &values[i], error)) {
            return false;
        }
        /* An escape has six bytes. */
        most += count_marks(posting->body, posting->marks[i]) * (6 * values[i].bytes + 2);
    }
    if (most > POST_BODY_BYTES) {
        return error_set(error, ERROR_LIMIT, "its body is too large");
    }
    buffer_reserve(out, most);
    replace_marks(posting, values, out);
    return true;
}

/* ---- the signature ---- */

struct signature {
    char id[MESSAGE_ID_BYTES], timestamp[24], value[SIGNATURE_BYTES];
};

static bool read_key(struct text spelled, struct buffer *key, struct error *error) {
    bool is_key = text_starts_with(spelled, KEY_PREFIX);
    buffer_reserve(key, spelled.bytes);
    is_key = is_key && base64_decode(text_slice(spelled, KEY_PREFIX.bytes, spelled.bytes), key) &&
             key->bytes >= KEY_LEAST && key->bytes <= KEY_MOST;
    return is_key || error_set(error, ERROR_INVALID,
                               "its key to sign with is not whsec_ and %d to %d bytes in base64",
                               KEY_LEAST, KEY_MOST);
}

/* Standard Webhooks 1.0.0, HMAC-SHA256: base64 of what id, timestamp and body with '.' between
 * give. The same message has the same id however often it is sent. */
static bool sign(const struct job *job, struct text spelled_key, struct text message,
                 struct text body, struct signature *signature, struct error *error) {
    scoped(wipe_buffer) struct buffer key = BUFFER_INIT;
    scoped(wipe_buffer) struct buffer text = BUFFER_INIT;
    scoped(buffer_done) struct buffer encoded = BUFFER_INIT;
    char digits[SHA256_HEX_BYTES];
    uint8_t hash[HMAC_SHA256_BYTES];
    if (!read_key(spelled_key, &key, error)) {
        return false;
    }
    sha256_hex(message, digits);
    snprintf(signature->id, sizeof(signature->id), "msg_%s_%.16s", job->task->incident.id.text,
             digits);
    snprintf(signature->timestamp, sizeof(signature->timestamp), "%" PRId64, job_now(job) / 1000);
    buffer_reserve(&text, body.bytes + sizeof(*signature));
    buffer_append_format(&text, "%s.%s.", signature->id, signature->timestamp);
    buffer_append_text(&text, body);
    hmac_sha256(buffer_text(&key), buffer_text(&text), hash);
    base64_encode((struct text){(const char *)hash, sizeof(hash)}, &encoded);
    snprintf(signature->value, sizeof(signature->value), "v1,%s", buffer_string(&encoded));
    return true;
}

/* ---- a request ---- */

/* All that the request points to. */
struct wire {
    struct secrets secrets;
    struct buffer body;
    struct signature signature;
    char parent[TRACE_PARENT_BYTES];
    struct http_header headers[POST_HEADERS_MOST + OWN_HEADERS];
    struct http_request request;
};

static void wire_done(struct wire *wire) {
    secrets_done(&wire->secrets);
    wipe_buffer(&wire->body);
}

static void add_header(struct wire *wire, const char *name, struct text value) {
    wire->headers[wire->request.header_count++] = (struct http_header){text_of(name), value};
}

static bool add_headers(struct wire *wire, const struct post *post, struct error *error) {
    for (size_t i = 0; i < post->header_count; i++) {
        struct http_header *header = &wire->headers[wire->request.header_count++];
        header->name = post->headers[i].name;
        if (!text_of_value(&post->headers[i], &wire->secrets, &header->value, error)) {
            return false;
        }
    }
    return true;
}

static bool add_signature(struct wire *wire, const struct job *job, const struct post *post,
                          struct text message, struct error *error) {
    struct text key = {NULL, 0};
    if (post->sign.text.bytes == 0) {
        return true;
    }
    if (!text_of_value(&post->sign, &wire->secrets, &key, error) ||
        !sign(job, key, message, wire->request.body, &wire->signature, error)) {
        return false;
    }
    add_header(wire, "webhook-id", text_of(wire->signature.id));
    add_header(wire, "webhook-timestamp", text_of(wire->signature.timestamp));
    add_header(wire, "webhook-signature", text_of(wire->signature.value));
    return true;
}

static bool make_request(struct wire *wire, const struct job *job, const struct posting *posting,
                         struct text message, struct error *error) {
    const struct post *post = posting->post;
    const struct trace *trace = &job->task->trace;
    wire->request = (struct http_request){.method = TEXT("POST"),
                                          .headers = wire->headers,
                                          .timeout_ms = POST_TIMEOUT_MS,
                                          .response_limit_bytes = RESPONSE_BYTES};
    add_header(wire, "Content-Type",
               posting->is_json ? TEXT("application/json") : TEXT("text/plain; charset=utf-8"));
    if (!text_of_value(&post->url, &wire->secrets, &wire->request.url, error) ||
        !add_headers(wire, post, error) || !may_go_to(wire->request.url, error) ||
        !fill_secrets(posting, &wire->secrets, &wire->body, error)) {
        return false;
    }
    wire->request.body = buffer_text(&wire->body);
    if (trace->text[0] != '\0') {
        trace_parent(trace, job->respond->options.random_fn(UINT64_MAX), wire->parent);
        add_header(wire, "traceparent", text_of(wire->parent));
    }
    return add_signature(wire, job, post, message, error);
}

struct delivery post_send(const struct job *job, const struct posting *posting,
                          struct text message) {
    scoped(wire_done) struct wire wire = {.body = BUFFER_INIT};
    struct error error = {0};
    if (!make_request(&wire, job, posting, message, &error)) {
        enum delivery_end end = error.code == ERROR_NOT_FOUND ? DELIVERY_NEEDLESS
                                : error.code == ERROR_BUSY    ? DELIVERY_LATER
                                                              : DELIVERY_REFUSED;
        return (struct delivery){end, arena_copy_text(job->arena, text_of(error.text)), 0};
    }
    return send(job, &wire.request);
}
