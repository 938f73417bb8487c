#include "riposte/event/arn.h"

#include "testing.h"

static const struct arn_case {
    const char *text, *partition, *service, *region, *account, *resource, *name;
} arn_cases[] = {
    {"arn:aws:iam::123456789012:user/a/b/bert", "aws", "iam", "", "123456789012", "user/a/b/bert",
     "bert"},
    {"arn:aws-us-gov:ec2:us-gov-west-1:123456789012:instance/i-1", "aws-us-gov", "ec2",
     "us-gov-west-1", "123456789012", "instance/i-1", "i-1"},
    {"arn:aws:s3:::bucket", "aws", "s3", "", "", "bucket", "bucket"},
    {"arn:aws:rds:eu-west-1:1:db:main", "aws", "rds", "eu-west-1", "1", "db:main", "main"},
    {"arn:aws:iam::1:root", "aws", "iam", "", "1", "root", "root"},
    {"arn:aws:iam::1:user/", "aws", "iam", "", "1", "user/", ""},
};

static void test_an_arn_has_six_parts(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(arn_cases); i++) {
        const struct arn_case *row = &arn_cases[i];
        testing_row(row->text);
        struct arn arn;
        assert_true(arn_parse(text_of(row->text), &arn));
        assert_text_equal(arn.partition, row->partition);
        assert_text_equal(arn.service, row->service);
        assert_text_equal(arn.region, row->region);
        assert_text_equal(arn.account, row->account);
        assert_text_equal(arn.resource, row->resource);
        assert_text_equal(arn_name(&arn), row->name);
    }
}

static void test_anything_else_is_no_arn(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "arn",
        "arn:",
        "arn:aws",
        "arn:aws:iam",
        "arn:aws:iam:",
        "arn:aws:iam::1",
        "arn:aws:iam::1:",
        "arn::iam::1:root",
        "arn:aws:::1:root",
        "ARN:aws:iam::1:root",
        " arn:aws:iam::1:root",
        "xarn:aws:iam::1:root",
    };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        struct arn arn = {0};
        if (arn_parse(text_of(texts[i]), &arn)) {
            fail_msg("taken for an ARN: %s", texts[i]);
        }
        assert_null(arn.partition.data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_arn_has_six_parts),
        cmocka_unit_test(test_anything_else_is_no_arn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
