#include "riposte/outbound/url.h"

#include "testing.h"

enum place { ELSEWHERE, LOOPBACK, LINK_LOCAL };

static const struct url_case {
    const char *url, *origin, *target;
    enum place place;
} url_cases[] = {
    {"https://iam.amazonaws.com", "https://iam.amazonaws.com", "", ELSEWHERE},
    {"https://IAM.Amazonaws.com/", "https://iam.amazonaws.com", "/", ELSEWHERE},
    {"https://a.b:443/x?y=1", "https://a.b", "/x?y=1", ELSEWHERE},
    {"https://a.b:80/", "https://a.b:80", "/", ELSEWHERE},
    {"http://a_b:80?x", "http://a_b", "?x", ELSEWHERE},
    {"http://localhost:5000", "http://localhost:5000", "", LOOPBACK},
    {"http://LocalHost", "http://localhost", "", LOOPBACK},
    {"http://127.0.0.1:5000/", "http://127.0.0.1:5000", "/", LOOPBACK},
    {"http://127.9.9.9", "http://127.9.9.9", "", LOOPBACK},
    {"http://[::1]:5000/", "http://[::1]:5000", "/", LOOPBACK},
    {"http://[::2]", "http://[::2]", "", ELSEWHERE},
    {"http://169.254.170.2/v2", "http://169.254.170.2", "/v2", LINK_LOCAL},
    {"http://169.255.170.2/v2", "http://169.255.170.2", "/v2", ELSEWHERE},
    {"http://[fd00:ec2::23]/v1", "http://[fd00:ec2::23]", "/v1", LINK_LOCAL},
    {"http://[fe80::1]", "http://[fe80::1]", "", LINK_LOCAL},
    {"http://127.0.0.1.example.com", "http://127.0.0.1.example.com", "", ELSEWHERE},
    {"http://localhost.example.com", "http://localhost.example.com", "", ELSEWHERE},
    {"https://a/%41", "https://a", "/%41", ELSEWHERE},
};

static void test_parts(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(url_cases); i++) {
        const struct url_case *c = &url_cases[i];
        testing_row(c->url);
        struct error error = {0};
        struct url url;
        assert_ok(url_parse(text_of(c->url), &url, &error), &error);
        scoped(buffer_done) struct buffer origin = BUFFER_INIT;
        url_append_origin(&url, &origin);
        assert_text_equal(buffer_text(&origin), c->origin);
        assert_text_equal(url.target, c->target);
        assert_int_equal(url_is_loopback(&url), c->place == LOOPBACK);
        assert_int_equal(url_is_link_local(&url), c->place == LINK_LOCAL);
    }
}

static const char *const bad_urls[] = {
    "",
    "iam.amazonaws.com",
    "ftp://a/",
    "HTTPS://a/",
    "file:///etc/passwd",
    "https://",
    "https:///x",
    "https://:80/",
    "https://a:/",
    "https://a:0/",
    "https://a:65536/",
    "https://a:8a/",
    "https://user@a/",
    "https://localhost:80@evil/",
    "https://a#b",
    "https://a/#b",
    "https://a\\b/",
    "https://a/x y",
    "https://a/\r\nHost: b",
    "https://a%2eb/",
    "https://[::1/",
    "https://[1.2.3.4]/",
    "https://[fe80::1%25eth0]/",
    "https://[::1]x/",
    "https://a/\xC3\xA9",
};

static void test_what_is_odd_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(bad_urls); i++) {
        testing_row(bad_urls[i]);
        struct error error = {0};
        struct url url;
        assert_fails(url_parse(text_of(bad_urls[i]), &url, &error), &error, ERROR_INVALID, "URL");
    }
}

static void test_a_byte_of_zero_ends_nothing(void **state) {
    (void)state;
    struct error error = {0};
    struct url url;
    assert_fails(url_parse(TEXT("https://a\0b/"), &url, &error), &error, ERROR_INVALID, "");
    assert_fails(url_parse(TEXT("https://a/\0b"), &url, &error), &error, ERROR_INVALID, "");
}

static void test_a_url_has_a_bound(void **state) {
    (void)state;
    char url_text[URL_MAX_BYTES + 2] = "https://a/";
    memset(url_text + 10, 'x', sizeof(url_text) - 10);
    struct error error = {0};
    struct url url;
    assert_ok(url_parse((struct text){url_text, URL_MAX_BYTES}, &url, &error), &error);
    assert_fails(url_parse((struct text){url_text, URL_MAX_BYTES + 1}, &url, &error), &error,
                 ERROR_INVALID, "more than");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_what_is_odd_is_refused),
        cmocka_unit_test(test_a_byte_of_zero_ends_nothing),
        cmocka_unit_test(test_a_url_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
