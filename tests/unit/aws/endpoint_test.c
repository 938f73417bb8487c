#include "riposte/aws/endpoint.h"

#include "testing.h"

#include <stdio.h>

/* "NAME=value" pairs, separated by spaces. */
static const char *get_of_list(void *arg, const char *name) {
    static char value[256];
    struct text rest = text_of(arg);
    struct text pair;
    while (text_next_part(&rest, ' ', &pair)) {
        size_t equals = text_find_byte(pair, '=', 0);
        if (text_equal_string(text_slice(pair, 0, equals), name)) {
            snprintf(value, sizeof(value), "%.*s",
                     TEXT_ARG(text_slice(pair, equals + 1, pair.bytes)));
            return value;
        }
    }
    return NULL;
}

static const struct endpoint_case {
    const char *environment, *configured, *service, *region;
    const char *url, *signing_region; /* url NULL: refused with signing_region in the text */
} endpoint_cases[] = {
    /* The partitions' own. */
    {"", "", "iam", "eu-west-1", "https://iam.amazonaws.com/", "us-east-1"},
    {"", "", "iam", "", "https://iam.amazonaws.com/", "us-east-1"},
    {"", "", "iam", "cn-northwest-1", "https://iam.cn-north-1.amazonaws.com.cn/", "cn-north-1"},
    {"", "", "iam", "us-gov-east-1", "https://iam.us-gov.amazonaws.com/", "us-gov-west-1"},
    {"", "", "iam", "eusc-de-east-1", "https://iam.eusc-de-east-1.amazonaws.eu/", "eusc-de-east-1"},
    {"AWS_REGION=cn-north-1", "", "iam", "", "https://iam.cn-north-1.amazonaws.com.cn/",
     "cn-north-1"},
    {"", "", "organizations", "eu-west-1", "https://organizations.us-east-1.amazonaws.com/",
     "us-east-1"},
    {"", "", "organizations", "cn-north-1",
     "https://organizations.cn-northwest-1.amazonaws.com.cn/", "cn-northwest-1"},
    {"", "", "route53", "", "https://route53.amazonaws.com/", "us-east-1"},
    {"", "", "account", "us-gov-east-1", "https://account.us-gov-west-1.amazonaws.com/",
     "us-gov-west-1"},
    {"", "", "shield", "eu-west-1", "https://shield.us-east-1.amazonaws.com/", "us-east-1"},
    {"", "", "sso-admin", "eu-west-1", "https://sso.eu-west-1.amazonaws.com/", "eu-west-1"},
    {"", "", "cloudwatch", "eu-west-1", "https://monitoring.eu-west-1.amazonaws.com/", "eu-west-1"},
    {"", "", "ecr", "cn-north-1", "https://api.ecr.cn-north-1.amazonaws.com.cn/", "cn-north-1"},
    {"", "", "ec2", "eu-west-1", "https://ec2.eu-west-1.amazonaws.com/", "eu-west-1"},
    {"", "", "rds", "cn-north-1", "https://rds.cn-north-1.amazonaws.com.cn/", "cn-north-1"},
    {"", "", "sts", "us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com/", "us-gov-west-1"},
    {"", "", "sns", "eusc-de-east-1", "https://sns.eusc-de-east-1.amazonaws.eu/", "eusc-de-east-1"},
    {"", "", "elasticloadbalancing", "ap-south-2",
     "https://elasticloadbalancing.ap-south-2.amazonaws.com/", "ap-south-2"},
    /* Which Region. */
    {"AWS_REGION=eu-west-3 AWS_DEFAULT_REGION=eu-west-1", "", "ec2", "",
     "https://ec2.eu-west-3.amazonaws.com/", "eu-west-3"},
    {"AWS_DEFAULT_REGION=eu-west-1", "", "ec2", "", "https://ec2.eu-west-1.amazonaws.com/",
     "eu-west-1"},
    {"AWS_REGION=eu-west-3", "", "ec2", "us-west-2", "https://ec2.us-west-2.amazonaws.com/",
     "us-west-2"},
    {"", "", "sts", "", "https://sts.us-east-1.amazonaws.com/", "us-east-1"},
    {"", "", "ec2", "", NULL, "no Region"},
    {"", "", "ec2", "us-iso-east-1", NULL, "not supported yet"},
    {"", "", "ec2", "us-isob-east-1", NULL, "not supported yet"},
    {"", "", "ec2", "evil.example.com/", NULL, "not the name of a Region"},
    {"", "", "ec2", "EU-WEST-1", NULL, "not the name of a Region"},
    {"", "", "ec2", "-eu-west-1", NULL, "not the name of a Region"},
    {"", "", "ec2", "eu-west-1-", NULL, "not the name of a Region"},
    {"AWS_REGION=x@y", "", "iam", "", NULL, "not the name of a Region"},
    /* Configured ones; IAM is signed for its own Region all the same. */
    {"", "http://127.0.0.1:5000", "iam", "eu-west-1", "http://127.0.0.1:5000/", "us-east-1"},
    {"", "https://VPCE.example.com:443/aws", "ec2", "eu-west-1", "https://vpce.example.com/aws",
     "eu-west-1"},
    {"AWS_ENDPOINT_URL=http://a:1 AWS_ENDPOINT_URL_EC2=http://b:2", "", "ec2", "eu-west-1",
     "http://b:2/", "eu-west-1"},
    {"AWS_ENDPOINT_URL=http://a:1 AWS_ENDPOINT_URL_EC2=http://b:2", "", "sts", "eu-west-1",
     "http://a:1/", "eu-west-1"},
    {"AWS_ENDPOINT_URL=http://a:1", "http://c:3", "sts", "eu-west-1", "http://c:3/", "eu-west-1"},
    {"AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2=http://b:2", "", "elasticloadbalancing",
     "eu-west-1", "http://b:2/", "eu-west-1"},
    {"AWS_ENDPOINT_URL_AUTO_SCALING=http://b:2", "", "autoscaling", "eu-west-1", "http://b:2/",
     "eu-west-1"},
    {"AWS_ENDPOINT_URL=http://a:1 AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=True", "", "ec2", "eu-west-1",
     "https://ec2.eu-west-1.amazonaws.com/", "eu-west-1"},
    {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", "http://c:3", "ec2", "eu-west-1", "http://c:3/",
     "eu-west-1"},
    {"AWS_ENDPOINT_URL=a:1", "", "ec2", "eu-west-1", NULL, "the configured endpoint: "},
    {"AWS_ENDPOINT_URL=http://a/?x=1", "", "ec2", "eu-west-1", NULL, "must not hold a query"},
    /* Variants. */
    {"AWS_USE_FIPS_ENDPOINT=true", "", "ec2", "us-east-1", NULL, "AWS_USE_FIPS_ENDPOINT is not"},
    {"AWS_USE_DUALSTACK_ENDPOINT=TRUE", "", "iam", "us-east-1", NULL, "not supported yet"},
    {"AWS_USE_FIPS_ENDPOINT=false", "", "sts", "us-east-1", "https://sts.us-east-1.amazonaws.com/",
     "us-east-1"},
    {"AWS_USE_FIPS_ENDPOINT=true AWS_ENDPOINT_URL_EC2=https://ec2-fips.us-east-1.amazonaws.com", "",
     "ec2", "us-east-1", "https://ec2-fips.us-east-1.amazonaws.com/", "us-east-1"},
};

static void test_where_services_are(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(endpoint_cases); i++) {
        const struct endpoint_case *c = &endpoint_cases[i];
        testing_row(c->url != NULL ? c->url : c->signing_region);
        scoped(arena_free) struct arena *arena = arena_new();
        struct aws_environment environment = {get_of_list, (char *)(uintptr_t)c->environment};
        struct aws_endpoint endpoint = {0};
        struct error error = {0};
        bool is_ok = aws_endpoint_resolve(&environment, text_of(c->configured),
                                          aws_service_find(text_of(c->service)), text_of(c->region),
                                          arena, &endpoint, &error);
        if (c->url == NULL) {
            assert_fails(is_ok, &error, ERROR_INVALID, c->signing_region);
            continue;
        }
        assert_ok(is_ok, &error);
        assert_text_equal(endpoint.url, c->url);
        assert_text_equal(endpoint.signing_region, c->signing_region);
    }
}

static void test_what_is_signed_is_what_is_asked(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    struct aws_environment environment = {get_of_list, (char *)(uintptr_t) ""};
    struct aws_endpoint endpoint = {0};
    struct error error = {0};
    assert_ok(aws_endpoint_resolve(&environment, TEXT("http://[::1]:5000/a/b"),
                                   aws_service_find(TEXT("ec2")), TEXT("eu-west-1"), arena,
                                   &endpoint, &error),
              &error);
    assert_text_equal(endpoint.authority, "[::1]:5000");
    assert_text_equal(endpoint.path, "/a/b");
    assert_true(endpoint.is_configured);
    assert_ok(aws_endpoint_resolve(&environment, TEXT(""), aws_service_find(TEXT("ec2")),
                                   TEXT("eu-west-1"), arena, &endpoint, &error),
              &error);
    assert_text_equal(endpoint.authority, "ec2.eu-west-1.amazonaws.com");
    assert_text_equal(endpoint.path, "/");
    assert_false(endpoint.is_configured);
}

static void test_partitions(void **state) {
    (void)state;
    assert_string_equal(aws_partition_of_region(TEXT("ap-southeast-7")), "aws");
    assert_string_equal(aws_partition_of_region(TEXT("us-gov-west-1")), "aws-us-gov");
    assert_null(aws_partition_of_region(TEXT("us-iso-west-1")));
    assert_null(aws_partition_of_region(TEXT("")));
    assert_null(aws_partition_of_region(TEXT("a.b")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_where_services_are),
        cmocka_unit_test(test_what_is_signed_is_what_is_asked),
        cmocka_unit_test(test_partitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
