#include "riposte/aws/failure.h"

#include "testing.h"

static const struct failure_case {
    int status;
    const char *code, *message;
    enum aws_failure failure;
} failure_cases[] = {
    {404, "NoSuchEntity", "", AWS_FAILURE_FINAL},
    {403, "AccessDenied", "", AWS_FAILURE_FINAL},
    {409, "LimitExceeded", "a quota", AWS_FAILURE_FINAL},
    {400, "LimitExceededException", "", AWS_FAILURE_RETRY},
    {400, "Throttling", "Rate exceeded", AWS_FAILURE_RETRY},
    {503, "RequestLimitExceeded", "", AWS_FAILURE_RETRY},
    {409, "ConcurrentModification", "", AWS_FAILURE_RETRY},
    {409, "EntityTemporarilyUnmodifiable", "", AWS_FAILURE_RETRY},
    {500, "ServiceFailure", "", AWS_FAILURE_RETRY},
    {500, "SomethingNew", "", AWS_FAILURE_RETRY},
    {503, "503", "", AWS_FAILURE_RETRY},
    {429, "429", "", AWS_FAILURE_RETRY},
    {302, "302", "", AWS_FAILURE_FINAL},
    {403, "403", "", AWS_FAILURE_FINAL},
    {403, "ExpiredToken", "", AWS_FAILURE_REFRESH},
    {400, "RequestExpired", "", AWS_FAILURE_REFRESH},
    {403, "InvalidClientTokenId", "", AWS_FAILURE_REFRESH},
    {401, "AuthFailure", "", AWS_FAILURE_REFRESH},
    {403, "InvalidAccessKeyId", "", AWS_FAILURE_REFRESH},
    {409, "OperationAborted", "", AWS_FAILURE_RETRY},
    {403, "RequestTimeTooSkewed", "", AWS_FAILURE_SKEW},
    {403, "SignatureDoesNotMatch", "Signature expired: 2026 is now earlier", AWS_FAILURE_SKEW},
    {403, "SignatureDoesNotMatch", "Signature not yet current: 2026", AWS_FAILURE_SKEW},
    {403, "SignatureDoesNotMatch", "does not match the signature you provided", AWS_FAILURE_FINAL},
    {403, "InvalidSignatureException", "Signature expired: 2026", AWS_FAILURE_SKEW},
};

static void test_what_codes_mean(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(failure_cases); i++) {
        const struct failure_case *c = &failure_cases[i];
        testing_row(c->code);
        assert_int_equal(aws_failure_of(c->status, text_of(c->code), text_of(c->message)),
                         c->failure);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_codes_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
