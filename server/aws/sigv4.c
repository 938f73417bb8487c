#include "riposte/aws/sigv4.h"

#include "riposte/base/hex.h"
#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/base/time.h"
#include "riposte/crypto/sha256.h"

#include <stdlib.h>
#include <string.h>

#define ALGORITHM   "AWS4-HMAC-SHA256"
#define TERMINATOR  "aws4_request"
#define DAY_BYTES   8
#define CACHE_SLOTS 16

/* --- canonical request --- */

struct pair {
    struct text name, value;
};

static int compare_pairs(const void *a, const void *b) {
    const struct pair *first = a;
    const struct pair *second = b;
    int by_name = text_compare(first->name, second->name);
    return by_name != 0 ? by_name : text_compare(first->value, second->value);
}

static void append_path(const struct sigv4_request *request, struct buffer *out) {
    if (request->path.bytes == 0) {
        buffer_append_char(out, '/');
    } else if (request->is_s3) {
        buffer_append_text(out, request->path);
    } else {
        buffer_append_percent_encoded(out, request->path, "/");
    }
}

static void append_query(struct text query, struct buffer *out) {
    size_t count = 0;
    size_t capacity = 0;
    scoped(memory_free_at) struct pair *pairs = NULL;
    struct text part;
    while (text_next_part(&query, '&', &part)) {
        size_t equals = text_find_byte(part, '=', 0);
        pairs = memory_grow_array(pairs, &capacity, count + 1, sizeof(*pairs));
        pairs[count].name = text_slice(part, 0, equals);
        pairs[count].value = text_slice(part, equals + 1, part.bytes);
        count++;
    }
    if (count > 0) {
        qsort(pairs, count, sizeof(*pairs), compare_pairs);
    }
    for (size_t i = 0; i < count; i++) {
        buffer_append_string(out, i > 0 ? "&" : "");
        buffer_append_text(out, pairs[i].name);
        buffer_append_char(out, '=');
        buffer_append_text(out, pairs[i].value);
    }
}

/* Trimmed, and inner runs of spaces as one. */
static void append_header_value(struct text value, struct buffer *out) {
    value = text_trim(value);
    for (size_t i = 0; i < value.bytes; i++) {
        if (value.data[i] != ' ' || value.data[i - 1] != ' ') {
            buffer_append_char(out, value.data[i]);
        }
    }
}

/* A header with its place among those of the same name, whose values keep their order. */
struct place {
    char *name; /* lower case */
    const struct http_header *header;
};

static int compare_places(const void *a, const void *b) {
    const struct place *first = a;
    const struct place *second = b;
    int by_name = strcmp(first->name, second->name);
    if (by_name != 0) {
        return by_name;
    }
    return first->header < second->header ? -1 : first->header > second->header;
}

static struct place *sort_headers(const struct sigv4_request *request) {
    struct place *places = memory_new_array(request->header_count, sizeof(*places));
    for (size_t i = 0; i < request->header_count; i++) {
        places[i].header = &request->headers[i];
        places[i].name = text_copy(request->headers[i].name);
        for (char *c = places[i].name; *c != '\0'; c++) {
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
        }
    }
    qsort(places, request->header_count, sizeof(*places), compare_places);
    return places;
}

static void append_headers(const struct sigv4_request *request, struct buffer *out,
                           struct buffer *signed_headers) {
    scoped(memory_free_at) struct place *places = sort_headers(request);
    for (size_t i = 0; i < request->header_count; i++) {
        if (i > 0 && strcmp(places[i].name, places[i - 1].name) == 0) {
            buffer_truncate(out, out->bytes - 1); /* the line break: the value goes on */
            buffer_append_char(out, ',');
        } else {
            buffer_append_string(signed_headers, i > 0 ? ";" : "");
            buffer_append_string(signed_headers, places[i].name);
            buffer_append_string(out, places[i].name);
            buffer_append_char(out, ':');
        }
        append_header_value(places[i].header->value, out);
        buffer_append_char(out, '\n');
    }
    for (size_t i = 0; i < request->header_count; i++) {
        free(places[i].name);
    }
}

static void append_body_hash(const struct sigv4_request *request, struct buffer *out) {
    for (size_t i = 0; i < request->header_count; i++) {
        if (text_equal_ignoring_ascii_case(request->headers[i].name,
                                           TEXT("x-amz-content-sha256"))) {
            buffer_append_text(out, request->headers[i].value);
            return;
        }
    }
    char hash[SHA256_HEX_BYTES];
    sha256_hex(request->body, hash);
    buffer_append_string(out, hash);
}

void sigv4_canonical_request(const struct sigv4_request *request, struct buffer *out,
                             struct buffer *signed_headers) {
    buffer_append_text(out, request->method);
    buffer_append_char(out, '\n');
    append_path(request, out);
    buffer_append_char(out, '\n');
    append_query(request->query, out);
    buffer_append_char(out, '\n');
    append_headers(request, out, signed_headers);
    buffer_append_char(out, '\n');
    buffer_append_text(out, buffer_text(signed_headers));
    buffer_append_char(out, '\n');
    append_body_hash(request, out);
}

/* --- string to sign, signing key --- */

static void append_scope(const struct sigv4_scope *scope, const char *time, struct buffer *out) {
    buffer_append_format(out, "%.*s/%.*s/%.*s/" TERMINATOR, DAY_BYTES, time,
                         TEXT_ARG(scope->region), TEXT_ARG(scope->service));
}

void sigv4_string_to_sign(const struct sigv4_scope *scope, struct text canonical_request,
                          struct buffer *out) {
    char time[TIME_TEXT_BYTES];
    char hash[SHA256_HEX_BYTES];
    time_format_basic(scope->unix_ms, time);
    sha256_hex(canonical_request, hash);
    buffer_append_format(out, ALGORITHM "\n%s\n", time);
    append_scope(scope, time, out);
    buffer_append_format(out, "\n%s", hash);
}

void sigv4_signing_key(const struct sigv4_scope *scope, struct text secret_key,
                       uint8_t key_out[SIGV4_KEY_BYTES]) {
    char time[TIME_TEXT_BYTES];
    time_format_basic(scope->unix_ms, time);
    scoped(buffer_done) struct buffer first = BUFFER_INIT;
    buffer_append_string(&first, "AWS4");
    buffer_append_text(&first, secret_key);
    struct text key = {(const char *)key_out, SIGV4_KEY_BYTES};
    hmac_sha256(buffer_text(&first), (struct text){time, DAY_BYTES}, key_out);
    hmac_sha256(key, scope->region, key_out);
    hmac_sha256(key, scope->service, key_out);
    hmac_sha256(key, TEXT(TERMINATOR), key_out);
    memory_wipe(first.data, first.bytes);
}

/* --- cache --- */

struct sigv4_cache {
    struct mutex lock; /* of `shared` */
    struct {
        struct {
            char *name; /* access key, day, Region, service */
            uint8_t key[SIGV4_KEY_BYTES];
        } slots[CACHE_SLOTS];
        size_t next;
    } shared;
};

struct sigv4_cache *sigv4_cache_new(void) {
    struct sigv4_cache *cache = memory_new(sizeof(*cache));
    mutex_init(&cache->lock);
    return cache;
}

void sigv4_cache_free(struct sigv4_cache **cache_at) {
    struct sigv4_cache *cache = *cache_at;
    if (cache == NULL) {
        return;
    }
    mutex_lock(&cache->lock);
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        free(cache->shared.slots[i].name);
        memory_wipe(cache->shared.slots[i].key, SIGV4_KEY_BYTES);
    }
    mutex_unlock(&cache->lock);
    mutex_done(&cache->lock);
    free(cache);
    *cache_at = NULL;
}

static bool recall(struct sigv4_cache *cache, const char *name, uint8_t key_out[SIGV4_KEY_BYTES]) {
    bool is_found = false;
    mutex_lock(&cache->lock);
    for (size_t i = 0; i < CACHE_SLOTS && !is_found; i++) {
        const char *known = cache->shared.slots[i].name;
        if (known != NULL && strcmp(known, name) == 0) {
            memcpy(key_out, cache->shared.slots[i].key, SIGV4_KEY_BYTES);
            is_found = true;
        }
    }
    mutex_unlock(&cache->lock);
    return is_found;
}

static void remember(struct sigv4_cache *cache, const char *name,
                     const uint8_t key[SIGV4_KEY_BYTES]) {
    char *copy = memory_copy_string(name);
    mutex_lock(&cache->lock);
    size_t slot = cache->shared.next++ % CACHE_SLOTS;
    char *forgotten = cache->shared.slots[slot].name;
    cache->shared.slots[slot].name = copy;
    memcpy(cache->shared.slots[slot].key, key, SIGV4_KEY_BYTES);
    mutex_unlock(&cache->lock);
    free(forgotten);
}

static void find_key(const struct sigv4_scope *scope, struct text access_key_id,
                     struct text secret_key, struct sigv4_cache *cache,
                     uint8_t key_out[SIGV4_KEY_BYTES]) {
    if (cache == NULL) {
        sigv4_signing_key(scope, secret_key, key_out);
        return;
    }
    char time[TIME_TEXT_BYTES];
    time_format_basic(scope->unix_ms, time);
    scoped(buffer_done) struct buffer name = BUFFER_INIT;
    buffer_append_format(&name, "%.*s/", TEXT_ARG(access_key_id));
    append_scope(scope, time, &name);
    if (!recall(cache, buffer_string(&name), key_out)) {
        sigv4_signing_key(scope, secret_key, key_out);
        remember(cache, buffer_string(&name), key_out);
    }
}

/* --- all of it --- */

void sigv4_sign(const struct sigv4_request *request, const struct sigv4_scope *scope,
                struct text access_key_id, struct text secret_key, struct sigv4_cache *cache,
                struct buffer *authorization) {
    scoped(buffer_done) struct buffer canonical = BUFFER_INIT;
    scoped(buffer_done) struct buffer signed_headers = BUFFER_INIT;
    scoped(buffer_done) struct buffer to_sign = BUFFER_INIT;
    sigv4_canonical_request(request, &canonical, &signed_headers);
    sigv4_string_to_sign(scope, buffer_text(&canonical), &to_sign);

    uint8_t key[SIGV4_KEY_BYTES];
    uint8_t signature[HMAC_SHA256_BYTES];
    char digits[2 * HMAC_SHA256_BYTES + 1];
    find_key(scope, access_key_id, secret_key, cache, key);
    hmac_sha256((struct text){(const char *)key, sizeof(key)}, buffer_text(&to_sign), signature);
    hex_encode(signature, sizeof(signature), digits);
    memory_wipe(key, sizeof(key));

    char time[TIME_TEXT_BYTES];
    time_format_basic(scope->unix_ms, time);
    buffer_append_format(authorization, ALGORITHM " Credential=%.*s/", TEXT_ARG(access_key_id));
    append_scope(scope, time, authorization);
    buffer_append_format(authorization, ", SignedHeaders=%s, Signature=%s",
                         buffer_string(&signed_headers), digits);
}
