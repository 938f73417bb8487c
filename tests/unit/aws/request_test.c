#include "riposte/aws/request.h"

#include "testing.h"
#include "variables.h"

#include <stdio.h>

static const char no_endpoint[] = "";

/* What a request becomes; other protocols and all shapes that botocore has: botocore_test.py. */
static const struct request_case {
    const char *name, *endpoint, *service, *operation;
    const char *request; /* JSON */
    const char *method, *url;
    const char *body; /* NULL: refused with `url` in the text */
} request_cases[] = {
    {"a bucket stands in the host name", no_endpoint, "s3", "PutBucketPolicy",
     "{\"method\":\"PUT\",\"path\":\"/bucket\",\"query\":{\"policy\":\"\"},\"body\":{\"json\":{}}}",
     "PUT", "https://bucket.s3.eu-west-1.amazonaws.com/?policy", "{}"},
    {"with its key behind it", no_endpoint, "s3", "GetObject",
     "{\"method\":\"GET\",\"path\":\"/bucket//a/%2e%2E%2e\"}", "GET",
     "https://bucket.s3.eu-west-1.amazonaws.com//a/%2e%2E%2e", ""},
    {"dots: in the path", no_endpoint, "s3", "GetObject",
     "{\"method\":\"GET\",\"path\":\"/b.u.c/k\"}", "GET",
     "https://s3.eu-west-1.amazonaws.com/b.u.c/k", ""},
    {"no label: in the path", no_endpoint, "s3", "GetObject",
     "{\"method\":\"GET\",\"path\":\"/Bucket_x/k\"}", "GET",
     "https://s3.eu-west-1.amazonaws.com/Bucket_x/k", ""},
    {"another host's name: in the path", no_endpoint, "s3", "GetObject",
     "{\"method\":\"GET\",\"path\":\"/evil.example.com%2F/k\"}", "GET",
     "https://s3.eu-west-1.amazonaws.com/evil.example.com%2F/k", ""},
    {"no bucket at all", no_endpoint, "s3", "ListBuckets", "{\"method\":\"GET\",\"path\":\"/\"}",
     "GET", "https://s3.eu-west-1.amazonaws.com/", ""},
    {"a configured endpoint: in the path", "http://localhost:5000", "s3", "GetBucketAcl",
     "{\"method\":\"GET\",\"path\":\"/bucket\",\"query\":{\"acl\":\"\"}}", "GET",
     "http://localhost:5000/bucket?acl", ""},
    {"which goes behind the endpoint's", "http://localhost:5000/aws/", "guardduty", "GetDetector",
     "{\"method\":\"GET\",\"path\":\"/detector/d\"}", "GET", "http://localhost:5000/aws/detector/d",
     ""},
    {"a host prefix", no_endpoint, "s3control", "GetPublicAccessBlock",
     "{\"method\":\"GET\",\"path\":\"/v\",\"host_prefix\":\"123456789012.\"}", "GET",
     "https://123456789012.s3-control.eu-west-1.amazonaws.com/v", ""},
    {"none before a configured endpoint", "http://localhost:5000", "s3control",
     "GetPublicAccessBlock",
     "{\"method\":\"GET\",\"path\":\"/v\",\"host_prefix\":\"123456789012.\"}", "GET",
     "http://localhost:5000/v", ""},
    {"what isn't encoded is", no_endpoint, "lambda", "GetPolicy",
     "{\"method\":\"GET\",\"path\":\"/f/arn:x%3ay/a?b#c%2/\\u00e9\"}", "GET",
     "https://lambda.eu-west-1.amazonaws.com/f/arn%3Ax%3ay/a%3Fb%23c%252/%C3%A9", ""},
    {"a query", no_endpoint, "guardduty", "ListDetectors",
     "{\"method\":\"GET\",\"path\":\"/d\",\"query\":{\"k\":[\"a b\",1],\"t\":true,\"e&\":\"&\"}}",
     "GET", "https://guardduty.eu-west-1.amazonaws.com/d?k=a%20b&k=1&t=true&e%26=%26", ""},
    {"XML", no_endpoint, "route53", "CreateIt",
     "{\"method\":\"POST\",\"path\":\"/"
     "z\",\"body\":{\"xml\":{\"root\":\"R\",\"namespace\":\"n\\\"\","
     "\"value\":{\"A\":\"<&>\\r\\n\",\"B\":[1,true],\"C\":{},\"D\":{\"@x:y\":\"z\",\"E\":\"\"}}}}}",
     "POST", "https://route53.amazonaws.com/z",
     "<R xmlns=\"n&quot;\"><A>&lt;&amp;&gt;&#xD;&#xA;</A><B>1</B><B>true</B><C />"
     "<D x:y=\"z\"><E /></D></R>"},
    {"raw", no_endpoint, "lambda", "Invoke",
     "{\"method\":\"POST\",\"path\":\"/i\",\"body\":{\"raw\":\"a\\u0000\"}}", "POST",
     "https://lambda.eu-west-1.amazonaws.com/i", "a"},
    {"a document as text", no_endpoint, "backup", "PutIt",
     "{\"method\":\"PUT\",\"path\":\"/v\",\"body\":{\"json\":{\"P\":{\"$json\":[ 1 ]}}}}", "PUT",
     "https://backup.eu-west-1.amazonaws.com/v", "{\"P\":\"[1]\"}"},
    /* refused */
    {"none", no_endpoint, "s3", "GetObject", "null", NULL, "need a \"request\"", NULL},
    {"a member too many", no_endpoint, "s3", "GetObject", "{\"url\":\"x\"}", NULL,
     "a request has no \"url\"", NULL},
    {"a method of its own", no_endpoint, "s3", "GetObject",
     "{\"method\":\"CONNECT\",\"path\":\"/\"}", NULL, "the method must be", NULL},
    {"a read that writes", no_endpoint, "s3", "GetBucketPolicy",
     "{\"method\":\"DELETE\",\"path\":\"/bucket\"}", NULL,
     "GetBucketPolicy reads, and DELETE writes", NULL},
    {"a read that posts to S3", no_endpoint, "s3", "GetBucketPolicy",
     "{\"method\":\"POST\",\"path\":\"/bucket\"}", NULL, "POST writes", NULL},
    {"no path", no_endpoint, "s3", "GetObject", "{\"method\":\"GET\",\"path\":\"x\"}", NULL,
     "begins with \"/\"", NULL},
    {"up", no_endpoint, "s3", "GetObject", "{\"method\":\"GET\",\"path\":\"/a/../b\"}", NULL,
     "a segment \"..\"", NULL},
    {"up, encoded", no_endpoint, "guardduty", "GetIt", "{\"method\":\"GET\",\"path\":\"/a/%2e.\"}",
     NULL, "a segment \"%2e.\"", NULL},
    {"nothing between slashes", no_endpoint, "guardduty", "GetIt",
     "{\"method\":\"GET\",\"path\":\"/detector//x\"}", NULL, "a segment \"\"", NULL},
    {"a header of ours", no_endpoint, "s3", "GetObject",
     "{\"method\":\"GET\",\"path\":\"/b\",\"headers\":{\"AUTHORIZATION\":\"x\"}}", NULL,
     "the header \"AUTHORIZATION\"", NULL},
    {"a header that is a list", no_endpoint, "s3", "GetObject",
     "{\"method\":\"GET\",\"path\":\"/b\",\"headers\":{\"x-a\":[]}}", NULL, "the header \"x-a\"",
     NULL},
    {"a host", no_endpoint, "s3control", "GetIt",
     "{\"method\":\"GET\",\"path\":\"/b\",\"host_prefix\":\"evil.example.com/\"}", NULL,
     "the host prefix", NULL},
    {"a host's end", no_endpoint, "s3control", "GetIt",
     "{\"method\":\"GET\",\"path\":\"/b\",\"host_prefix\":\"a..\"}", NULL, "the host prefix", NULL},
    {"a query of objects", no_endpoint, "s3", "GetObject",
     "{\"method\":\"GET\",\"path\":\"/b\",\"query\":{\"a\":{}}}", NULL, "the query parameter \"a\"",
     NULL},
    {"two bodies", no_endpoint, "s3", "PutObject",
     "{\"method\":\"PUT\",\"path\":\"/b\",\"body\":{\"raw\":\"\",\"json\":1}}", NULL,
     "the body must be", NULL},
    {"an element that is none", no_endpoint, "s3", "PutIt",
     "{\"method\":\"PUT\",\"path\":\"/b\",\"body\":{\"xml\":{\"root\":\"a b\"}}}", NULL,
     "no name of an element", NULL},
    {"an attribute that ends it", no_endpoint, "s3", "PutIt",
     "{\"method\":\"PUT\",\"path\":\"/"
     "b\",\"body\":{\"xml\":{\"root\":\"a\",\"value\":{\"@b=\":\"\"}}}}",
     NULL, "no name of an attribute", NULL},
    {"a control character", no_endpoint, "s3", "PutIt",
     "{\"method\":\"PUT\",\"path\":\"/"
     "b\",\"body\":{\"xml\":{\"root\":\"a\",\"value\":\"\\u0001\"}}}",
     NULL, "no control characters", NULL},
    {"a request for what takes parameters", no_endpoint, "kms", "EnableKey", "{}", NULL,
     "take parameters", NULL},
};

static bool make(const struct request_case *c, struct arena *arena, struct aws_request *request,
                 struct error *error) {
    struct variables none = {0};
    struct aws_environment environment = {variables_get, &none};
    const struct json *said = NULL;
    assert_ok(json_parse(text_of(c->request), 0, arena, &said, NULL, error), error);
    struct aws_call call = {.service = text_of(c->service),
                            .operation = text_of(c->operation),
                            .region = TEXT("eu-west-1"),
                            .request = said};
    return aws_request_make(&environment, text_of(c->endpoint), &call, arena, request, error);
}

static void test_requests(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(request_cases); i++) {
        const struct request_case *c = &request_cases[i];
        testing_row(c->name);
        scoped(arena_free) struct arena *arena = arena_new();
        struct aws_request request;
        struct error error = {0};
        bool is_made = make(c, arena, &request, &error);
        if (c->body == NULL) {
            assert_fails(is_made, &error, ERROR_INVALID, c->url);
            continue;
        }
        assert_ok(is_made, &error);
        assert_text_equal(request.method, c->method);
        assert_text_equal(request.url, c->url);
        assert_true(text_starts_with(request.body, text_of(c->body)));
    }
}

static bool has_header(const struct http_header *headers, size_t count, const char *name,
                       const char *value) {
    for (size_t i = 0; i < count; i++) {
        if (text_equal_string(headers[i].name, name)) {
            return text_equal_string(headers[i].value, value);
        }
    }
    return false;
}

static void test_the_headers_of_s3(void **state) {
    (void)state;
    static const struct request_case ours = {
        "",
        no_endpoint,
        "s3",
        "PutBucketPolicy",
        "{\"method\":\"PUT\",\"path\":\"/bucket\",\"body\":{\"raw\":\"123456789\"}}",
        NULL,
        NULL,
        ""};
    static const struct request_case theirs = {
        "",
        no_endpoint,
        "s3",
        "PutBucketPolicy",
        "{\"method\":\"PUT\",\"path\":\"/bucket\",\"headers\":{\"Content-MD5\":\"x\"}}",
        NULL,
        NULL,
        ""};
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(aws_credentials_unref) struct aws_credentials *credentials = aws_credentials_new(
        TEXT("AKIA"), TEXT("s"), TEXT("t"), 0);
    struct aws_request request;
    struct error error = {0};
    struct http_header headers[AWS_REQUEST_HEADERS];
    assert_ok(make(&ours, arena, &request, &error), &error);
    size_t count = aws_request_sign(&request, credentials, 0, NULL, arena, headers);
    assert_true(has_header(headers, count, "x-amz-checksum-crc32", "y/Q5Jg==")); /* 0xCBF43926 */
    assert_true(has_header(headers, count, "X-Amz-Content-SHA256",
                           "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"));
    assert_true(has_header(headers, count, "X-Amz-Security-Token", "t"));
    assert_false(has_header(headers, count, "Host", "bucket.s3.eu-west-1.amazonaws.com"));
    assert_ok(make(&theirs, arena, &request, &error), &error);
    count = aws_request_sign(&request, credentials, 0, NULL, arena, headers);
    assert_true(has_header(headers, count, "Content-MD5", "x"));
    assert_false(has_header(headers, count, "x-amz-sdk-checksum-algorithm", "CRC32"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_the_headers_of_s3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
