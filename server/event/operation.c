#include "riposte/event/operation.h"

#include "riposte/base/memory.h"

static bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

bool operation_is_read(struct text operation) {
    static const struct text verbs[] = {
        TEXT_INIT("Get"),    TEXT_INIT("List"), TEXT_INIT("Describe"),
        TEXT_INIT("Lookup"), TEXT_INIT("Head"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
        /* A whole word: an operation that only begins like one counts as a write. */
        if (text_starts_with(operation, verbs[i]) &&
            (operation.bytes == verbs[i].bytes || is_upper(operation.data[verbs[i].bytes]))) {
            return true;
        }
    }
    return false;
}

bool operation_is_notice(struct text service, struct text operation) {
    static const struct {
        struct text service, operation;
    } notices[] = {{TEXT_INIT("sns"), TEXT_INIT("Publish")},
                   {TEXT_INIT("sqs"), TEXT_INIT("SendMessage")},
                   {TEXT_INIT("events"), TEXT_INIT("PutEvents")},
                   {TEXT_INIT("firehose"), TEXT_INIT("PutRecord")},
                   {TEXT_INIT("securityhub"), TEXT_INIT("BatchImportFindings")}};
    for (size_t i = 0; i < ARRAY_COUNT(notices); i++) {
        if (text_equal(service, notices[i].service) &&
            text_equal(operation, notices[i].operation)) {
            return true;
        }
    }
    return false;
}
