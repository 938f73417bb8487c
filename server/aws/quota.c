#include "riposte/aws/quota.h"

#include <string.h>

/* Of a document: of all inline policies together at most this many characters, so of one too. */
#define USER_INLINE  2048
#define GROUP_INLINE 5120
#define ROLE_INLINE  10240
#define MANAGED      6144
#define TRUST        4096 /* with the quota raised as far as it goes */
#define NAME         128

enum content { CONTENT_NAME, CONTENT_DOCUMENT };

static const struct quota {
    const char *operation, *parameter;
    enum content content;
    size_t characters;
} quotas[] = {
    {"PutUserPolicy", "PolicyDocument", CONTENT_DOCUMENT, USER_INLINE},
    {"PutGroupPolicy", "PolicyDocument", CONTENT_DOCUMENT, GROUP_INLINE},
    {"PutRolePolicy", "PolicyDocument", CONTENT_DOCUMENT, ROLE_INLINE},
    {"UpdateAssumeRolePolicy", "PolicyDocument", CONTENT_DOCUMENT, TRUST},
    {"CreatePolicy", "PolicyDocument", CONTENT_DOCUMENT, MANAGED},
    {"CreatePolicyVersion", "PolicyDocument", CONTENT_DOCUMENT, MANAGED},
    {"", "PolicyName", CONTENT_NAME, NAME},
    {"", "GroupName", CONTENT_NAME, NAME},
    {"", "UserName", CONTENT_NAME, NAME},
    {"", "RoleName", CONTENT_NAME, NAME},
};

/* A name takes [\w+=,.@-], a document U+0009, U+000A, U+000D and U+0020 to U+00FF. */
static bool is_allowed(enum content content, struct text character) {
    unsigned char first = (unsigned char)character.data[0];
    if (content == CONTENT_DOCUMENT) {
        bool is_latin = character.bytes == 2 && (first == 0xC2 || first == 0xC3);
        return is_latin || (character.bytes == 1 &&
                            (first >= 0x20 || first == '\t' || first == '\n' || first == '\r'));
    }
    return character.bytes == 1 &&
           ((first >= '0' && first <= '9') || (first >= 'A' && first <= 'Z') ||
            (first >= 'a' && first <= 'z') || (first != '\0' && strchr("_+=,.@-", first) != NULL));
}

static bool is_counted(enum content content, char first) {
    return content == CONTENT_NAME ||
           (first != ' ' && first != '\t' && first != '\n' && first != '\r');
}

static bool check_value(const struct quota *quota, struct text value, struct error *error) {
    size_t count = 0;
    size_t step = 0;
    for (size_t at = 0; at < value.bytes; at += step) {
        step = text_utf8_bytes_at(value, at);
        if (step == 0 || !is_allowed(quota->content, text_slice(value, at, at + step))) {
            return error_set(error, ERROR_INVALID,
                             "%s: byte %zu is a character that IAM does not take there",
                             quota->parameter, at);
        }
        count += is_counted(quota->content, value.data[at]) ? 1 : 0;
    }
    return count <= quota->characters ||
           error_set(error, ERROR_LIMIT, "%s: %zu characters, IAM takes at most %zu",
                     quota->parameter, count, quota->characters);
}

bool aws_quota_check(struct text service, struct text operation, const struct json *parameters,
                     struct error *error) {
    if (!text_equal(service, TEXT("iam"))) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_COUNT(quotas); i++) {
        const struct quota *quota = &quotas[i];
        if (quota->operation[0] != '\0' && !text_equal_string(operation, quota->operation)) {
            continue;
        }
        const struct json *value = json_member(parameters, quota->parameter);
        if (json_is_string(value) && !check_value(quota, json_text(value), error)) {
            return false;
        }
    }
    return true;
}
