/* Against requests signed by botocore, stage by stage: tests/data/vectors/sigv4.json. */
#include "riposte/aws/sigv4.h"

#include "riposte/base/arena.h"
#include "riposte/base/hex.h"
#include "riposte/base/time.h"
#include "riposte/json/tree.h"
#include "riposte/outbound/url.h"

#include "testing.h"

#include <stdio.h>

#define HEADERS_MAX 8

struct vector {
    const struct json *json;
    struct http_header headers[HEADERS_MAX];
    struct sigv4_request request;
    struct sigv4_scope scope;
};

static struct text member(const struct json *json, const char *name) {
    return json_text(json_member(json, name));
}

static void add_header(struct vector *vector, struct text name, struct text value) {
    assert_true(vector->request.header_count < HEADERS_MAX);
    vector->headers[vector->request.header_count++] = (struct http_header){name, value};
}

/* "20260102T030405Z" */
static int64_t read_time(struct text basic) {
    char time[TIME_TEXT_BYTES];
    int64_t unix_ms = 0;
    snprintf(time, sizeof(time), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", basic.data, basic.data + 4,
             basic.data + 6, basic.data + 9, basic.data + 11, basic.data + 13);
    assert_true(time_parse(text_of(time), &unix_ms));
    return unix_ms;
}

/* Headers in an order of their own, to be sorted; S3's hash where botocore adds it. */
static void read_vector(const struct json *json, struct arena *arena, struct vector *vector) {
    struct error error = {0};
    struct url url;
    assert_ok(url_parse(member(json, "url"), &url, &error), &error);
    scoped(buffer_done) struct buffer host = BUFFER_INIT;
    url_append_authority(&url, &host);
    size_t path_bytes = text_find_byte(url.target, '?', 0);
    struct text service = member(json, "service");
    vector->json = json;
    vector->request = (struct sigv4_request){
        .method = member(json, "method"),
        .path = text_slice(url.target, 0, path_bytes),
        .query = text_slice(url.target, path_bytes + 1, url.target.bytes),
        .headers = vector->headers,
        .body = member(json, "body"),
        .is_s3 = text_equal_string(service, "s3"),
    };
    vector->scope = (struct sigv4_scope){read_time(member(json, "timestamp")),
                                         member(json, "region"), service};
    for (const struct json *header = json_first(json_member(json, "headers")); header != NULL;
         header = json_next(header)) {
        add_header(vector, json_key(header), json_text(header));
    }
    add_header(vector, TEXT("X-Amz-Date"), member(json, "timestamp"));
    if (json_is_string(json_member(json, "token"))) {
        add_header(vector, TEXT("X-Amz-Security-Token"), member(json, "token"));
    }
    if (vector->request.is_s3) {
        struct text rest = member(json, "canonical_request");
        size_t at = text_find(rest, TEXT("x-amz-content-sha256:"));
        add_header(vector, TEXT("x-amz-content-sha256"), text_slice(rest, at + 21, at + 21 + 64));
    }
    add_header(vector, TEXT("Host"), arena_copy_text(arena, buffer_text(&host)));
}

static void check_stages(const struct vector *vector) {
    scoped(buffer_done) struct buffer canonical = BUFFER_INIT;
    scoped(buffer_done) struct buffer signed_headers = BUFFER_INIT;
    scoped(buffer_done) struct buffer to_sign = BUFFER_INIT;
    sigv4_canonical_request(&vector->request, &canonical, &signed_headers);
    testing_assert_text_equal(buffer_text(&canonical), member(vector->json, "canonical_request"),
                              __FILE__, __LINE__);
    sigv4_string_to_sign(&vector->scope, buffer_text(&canonical), &to_sign);
    testing_assert_text_equal(buffer_text(&to_sign), member(vector->json, "string_to_sign"),
                              __FILE__, __LINE__);

    uint8_t key[SIGV4_KEY_BYTES];
    uint8_t signature[HMAC_SHA256_BYTES];
    char digits[2 * HMAC_SHA256_BYTES + 1];
    sigv4_signing_key(&vector->scope, member(vector->json, "secret_key"), key);
    hmac_sha256((struct text){(const char *)key, sizeof(key)}, buffer_text(&to_sign), signature);
    hex_encode(signature, sizeof(signature), digits);
    testing_assert_text_equal(text_of(digits), member(vector->json, "signature"), __FILE__,
                              __LINE__);
}

static void check_authorization(const struct vector *vector, struct sigv4_cache *cache) {
    scoped(buffer_done) struct buffer authorization = BUFFER_INIT;
    sigv4_sign(&vector->request, &vector->scope, member(vector->json, "access_key"),
               member(vector->json, "secret_key"), cache, &authorization);
    testing_assert_text_equal(buffer_text(&authorization), member(vector->json, "authorization"),
                              __FILE__, __LINE__);
}

static void test_every_stage_is_botocores(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(sigv4_cache_free) struct sigv4_cache *cache = sigv4_cache_new();
    const struct json *vectors = NULL;
    struct error error = {0};
    load_fixture("tests/data/vectors/sigv4.json", &text);
    assert_ok(json_parse(buffer_text(&text), 0, arena, &vectors, NULL, &error), &error);
    assert_int_equal(json_count(vectors), 8);
    for (const struct json *json = json_first(vectors); json != NULL; json = json_next(json)) {
        struct vector vector;
        testing_row(json_text(json_member(json, "name")).data);
        read_vector(json, arena, &vector);
        check_stages(&vector);
        check_authorization(&vector, NULL);
        check_authorization(&vector, cache); /* puts the key in */
        check_authorization(&vector, cache); /* finds it */
    }
}

static const struct sigv4_scope scope = {0, TEXT_INIT("eu-west-1"), TEXT_INIT("iam")};

static void test_headers_are_sorted_joined_and_trimmed(void **state) {
    (void)state;
    const struct http_header headers[] = {
        {TEXT("X-B"), TEXT("  two   words ")},
        {TEXT("host"), TEXT("a")},
        {TEXT("x-a"), TEXT("1")},
        {TEXT("X-A"), TEXT("2")},
        {TEXT("x-a-b"), TEXT("")},
    };
    struct sigv4_request request = {.method = TEXT("GET"),
                                    .query = TEXT("b=2&a=2&a=1&policy&a-b=&"),
                                    .headers = headers,
                                    .header_count = ARRAY_COUNT(headers)};
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    scoped(buffer_done) struct buffer signed_headers = BUFFER_INIT;
    sigv4_canonical_request(&request, &out, &signed_headers);
    assert_text_equal(buffer_text(&signed_headers), "host;x-a;x-a-b;x-b");
    assert_text_equal(buffer_text(&out),
                      "GET\n/\na=1&a=2&a-b=&b=2&policy=\nhost:a\nx-a:1,2\nx-a-b:\nx-b:two words\n\n"
                      "host;x-a;x-a-b;x-b\n"
                      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static const struct path_case {
    const char *path;
    bool is_s3;
    const char *canonical;
} path_cases[] = {
    {"", false, "/"},
    {"/", true, "/"},
    {"/a/b~c", false, "/a/b~c"},
    {"/functions/arn%3Aaws%3Alambda/policy", false, "/functions/arn%253Aaws%253Alambda/policy"},
    {"/a%20b/%C3%A9", false, "/a%2520b/%25C3%25A9"},
    {"/a%20b/%C3%A9", true, "/a%20b/%C3%A9"},
    {"/a%2Fb//", true, "/a%2Fb//"},
};

static void test_paths_are_encoded_twice_but_for_s3(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(path_cases); i++) {
        const struct path_case *c = &path_cases[i];
        testing_row(c->path);
        const struct http_header host = {TEXT("host"), TEXT("a")};
        struct sigv4_request request = {.method = TEXT("GET"),
                                        .path = text_of(c->path),
                                        .headers = &host,
                                        .header_count = 1,
                                        .is_s3 = c->is_s3};
        scoped(buffer_done) struct buffer out = BUFFER_INIT;
        scoped(buffer_done) struct buffer signed_headers = BUFFER_INIT;
        sigv4_canonical_request(&request, &out, &signed_headers);
        struct text rest = text_slice(buffer_text(&out), TEXT("GET\n").bytes, out.bytes);
        struct text path;
        assert_true(text_next_part(&rest, '\n', &path));
        assert_text_equal(path, c->canonical);
    }
}

/* A cache that mixed up keys would sign some requests wrongly, some of the time. */
static void test_the_cache_never_mixes_keys_up(void **state) {
    (void)state;
    static const char *const regions[] = {"eu-west-1", "us-east-1"};
    scoped(sigv4_cache_free) struct sigv4_cache *cache = sigv4_cache_new();
    const struct http_header host = {TEXT("host"), TEXT("a")};
    struct sigv4_request request = {.method = TEXT("GET"), .headers = &host, .header_count = 1};
    for (int round = 0; round < 2; round++) {
        for (int day = 0; day < 12; day++) {
            for (size_t region = 0; region < 2; region++) {
                struct sigv4_scope at = scope;
                at.unix_ms = day * INT64_C(86400000);
                at.region = text_of(regions[region]);
                scoped(buffer_done) struct buffer cached = BUFFER_INIT;
                scoped(buffer_done) struct buffer fresh = BUFFER_INIT;
                struct text key_id = day % 2 == 0 ? TEXT("AKIAA") : TEXT("AKIAB");
                struct text secret = day % 2 == 0 ? TEXT("a") : TEXT("b");
                sigv4_sign(&request, &at, key_id, secret, cache, &cached);
                sigv4_sign(&request, &at, key_id, secret, NULL, &fresh);
                assert_text_equal(buffer_text(&cached), buffer_string(&fresh));
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_stage_is_botocores),
        cmocka_unit_test(test_headers_are_sorted_joined_and_trimmed),
        cmocka_unit_test(test_paths_are_encoded_twice_but_for_s3),
        cmocka_unit_test(test_the_cache_never_mixes_keys_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
