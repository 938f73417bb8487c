#include "riposte/event/operation.h"

#include "testing.h"

static const struct read_case {
    const char *operation;
    bool is_read;
} read_cases[] = {
    {"GetUser", true},        {"ListUsers", true},   {"DescribeInstances", true},
    {"LookupEvents", true},   {"HeadBucket", true},  {"Get", true},
    {"PutUserPolicy", false}, {"DeleteUser", false}, {"Getaway", false},
    {"Listen", false},        {"Headline", false},   {"getUser", false},
    {"AssumeRole", false},    {"", false},           {"BatchGetItem", false},
    {"GetawayCar", false},    {"Get2", false},       {"ModifyInstanceAttribute", false},
};

static void test_reads_are_named_like_reads(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(read_cases); i++) {
        testing_row(read_cases[i].operation);
        assert_int_equal(operation_is_read(text_of(read_cases[i].operation)),
                         read_cases[i].is_read);
    }
}

static void test_few_operations_only_tell(void **state) {
    (void)state;
    assert_true(operation_is_notice(TEXT("sns"), TEXT("Publish")));
    assert_true(operation_is_notice(TEXT("securityhub"), TEXT("BatchImportFindings")));
    assert_false(operation_is_notice(TEXT("sqs"), TEXT("Publish")));
    assert_false(operation_is_notice(TEXT("sns"), TEXT("PublishBatch")));
    assert_false(operation_is_notice(TEXT(""), TEXT("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_are_named_like_reads),
        cmocka_unit_test(test_few_operations_only_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
