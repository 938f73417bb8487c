#include "riposte/aws/failure.h"

#include "riposte/base/attributes.h"

#include <stdbool.h>
#include <stddef.h>

static const struct {
    const char *code;
    enum aws_failure failure;
} failures[] = {
    /* throttling */
    {"Throttling", AWS_FAILURE_RETRY},
    {"ThrottlingException", AWS_FAILURE_RETRY},
    {"ThrottledException", AWS_FAILURE_RETRY},
    {"RequestThrottled", AWS_FAILURE_RETRY},
    {"RequestThrottledException", AWS_FAILURE_RETRY},
    {"TooManyRequestsException", AWS_FAILURE_RETRY},
    {"ProvisionedThroughputExceededException", AWS_FAILURE_RETRY},
    {"TransactionInProgressException", AWS_FAILURE_RETRY},
    {"RequestLimitExceeded", AWS_FAILURE_RETRY},
    {"BandwidthLimitExceeded", AWS_FAILURE_RETRY},
    {"LimitExceededException", AWS_FAILURE_RETRY},
    {"LimitExceeded", AWS_FAILURE_FINAL}, /* of IAM: a quota, in spite of the name */
    {"SlowDown", AWS_FAILURE_RETRY},
    {"EC2ThrottledException", AWS_FAILURE_RETRY},
    {"PriorRequestNotComplete", AWS_FAILURE_RETRY},
    /* trouble on their side */
    {"RequestTimeout", AWS_FAILURE_RETRY},
    {"RequestTimeoutException", AWS_FAILURE_RETRY},
    {"ServiceFailure", AWS_FAILURE_RETRY},
    {"ServiceUnavailable", AWS_FAILURE_RETRY},
    {"InternalError", AWS_FAILURE_RETRY},
    {"InternalFailure", AWS_FAILURE_RETRY},
    {"Unavailable", AWS_FAILURE_RETRY},
    {"DependencyTimeoutException", AWS_FAILURE_RETRY},
    {"KMSInternalException", AWS_FAILURE_RETRY},
    {"InternalServerException", AWS_FAILURE_RETRY},
    {"ServiceException", AWS_FAILURE_RETRY},
    {"IDPCommunicationError", AWS_FAILURE_RETRY},
    /* somebody else changes the same thing */
    {"EntityTemporarilyUnmodifiable", AWS_FAILURE_RETRY},
    {"ConcurrentModification", AWS_FAILURE_RETRY},
    {"ConcurrentModificationException", AWS_FAILURE_RETRY},
    {"PolicyChangesInProgressException", AWS_FAILURE_RETRY},
    {"ConflictException", AWS_FAILURE_RETRY},
    {"OperationAborted", AWS_FAILURE_RETRY},
    /* credentials */
    {"ExpiredToken", AWS_FAILURE_REFRESH},
    {"ExpiredTokenException", AWS_FAILURE_REFRESH},
    {"RequestExpired", AWS_FAILURE_REFRESH},
    {"InvalidClientTokenId", AWS_FAILURE_REFRESH},
    {"UnrecognizedClientException", AWS_FAILURE_REFRESH},
    {"AuthFailure", AWS_FAILURE_REFRESH},
    {"InvalidAccessKeyId", AWS_FAILURE_REFRESH},
    /* time */
    {"RequestTimeTooSkewed", AWS_FAILURE_SKEW},
};

/* "Signature expired: 20260102T030405Z is now earlier than ...", "Signature not yet current: ...".
 */
static bool is_about_time(struct text message) {
    return text_contains(message, TEXT("Signature expired")) ||
           text_contains(message, TEXT("not yet current"));
}

enum aws_failure aws_failure_of(int status, struct text code, struct text message) {
    for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
        if (text_equal_string(code, failures[i].code)) {
            return failures[i].failure;
        }
    }
    if (text_equal_string(code, "SignatureDoesNotMatch") ||
        text_equal_string(code, "InvalidSignatureException")) {
        return is_about_time(message) ? AWS_FAILURE_SKEW : AWS_FAILURE_FINAL;
    }
    return status >= 500 || status == 429 || status == 408 ? AWS_FAILURE_RETRY : AWS_FAILURE_FINAL;
}
