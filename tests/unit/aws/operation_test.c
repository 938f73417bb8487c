#include "riposte/aws/operation.h"

#include "riposte/aws/service.h"

#include "testing.h"

static const struct operation_case {
    const char *service, *operation;
    const char *refusal; /* NULL: can be sent */
} operation_cases[] = {
    {"iam", "PutUserPolicy", NULL},
    {"ec2", "ModifyInstanceAttribute", NULL},
    {"sts", "GetCallerIdentity", NULL},
    {"rds", "ModifyDBInstance", NULL},
    {"elasticloadbalancing", "ModifyLoadBalancerAttributes", NULL},
    {"IAM", "PutUserPolicy", "no AWS service is named \"IAM\""},
    {"", "PutUserPolicy", "no AWS service"},
    {"iamx", "PutUserPolicy", "no AWS service"},
    {"kms", "CancelKeyDeletion", NULL},
    {"guardduty", "UpdateDetector", NULL},
    {"s3", "PutBucketPolicy", NULL},
    {"s3control", "PutPublicAccessBlock", NULL},
    {"iam", "", "not the name of an operation"},
    {"iam", "putUserPolicy", "not the name of an operation"},
    {"iam", "Put&Version=1", "not the name of an operation"},
    {"iam", "PutUserPolicyPutUserPolicyPutUserPolicyPutUserPolicyPutUserPolicy",
     "not the name of an operation"},
};

static void test_what_can_be_sent(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(operation_cases); i++) {
        const struct operation_case *c = &operation_cases[i];
        testing_row(c->operation);
        struct error error = {0};
        bool is_ok = aws_operation_check(text_of(c->service), text_of(c->operation), &error);
        if (c->refusal == NULL) {
            assert_ok(is_ok, &error);
        } else {
            assert_fails(is_ok, &error, ERROR_INVALID, c->refusal);
        }
    }
}

static void test_a_lane_is_an_account_and_a_service(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    assert_text_equal(aws_lane(TEXT("123456789012"), TEXT("iam"), arena), "123456789012/iam");
}

static void test_the_table_of_services(void **state) {
    (void)state;
    const struct aws_service *iam = aws_service_find(TEXT("iam"));
    assert_non_null(iam);
    assert_string_equal(iam->version, "2010-05-08");
    const struct aws_service *sso = aws_service_find(TEXT("sso-admin"));
    assert_non_null(sso);
    assert_string_equal(aws_protocol_name(sso->protocol), "json");
    assert_string_equal(sso->version, "1.1");
    assert_string_equal(sso->target, "SWBExternalService");
    assert_string_equal(sso->signing_name, "sso");
    assert_null(aws_service_find(TEXT("kmsx")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_can_be_sent),
        cmocka_unit_test(test_a_lane_is_an_account_and_a_service),
        cmocka_unit_test(test_the_table_of_services),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
