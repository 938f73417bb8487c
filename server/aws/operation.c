#include "riposte/aws/operation.h"

#include "riposte/aws/service.h"

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

static bool is_letter_or_digit(char c) {
    return is_upper(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_name(struct text operation) {
    if (operation.bytes == 0 || operation.bytes > AWS_OPERATION_BYTES ||
        !is_upper(operation.data[0])) {
        return false;
    }
    for (size_t i = 1; i < operation.bytes; i++) {
        if (!is_letter_or_digit(operation.data[i])) {
            return false;
        }
    }
    return true;
}

bool aws_operation_check(struct text service, struct text operation, struct error *error) {
    const struct aws_service *found = aws_service_find(service);
    if (found == NULL) {
        return error_set(error, ERROR_INVALID, "no AWS service is named \"%.*s\"",
                         TEXT_ARG(service));
    }
    if (!is_name(operation)) {
        return error_set(error, ERROR_INVALID, "\"%.*s\" is not the name of an operation",
                         TEXT_ARG(operation));
    }
    return true;
}

struct text aws_lane(struct text account, struct text service, struct arena *arena) {
    return arena_format(arena, "%.*s/%.*s", TEXT_ARG(account), TEXT_ARG(service));
}
