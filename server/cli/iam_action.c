#include "riposte/cli/iam_action.h"

#include "riposte/event/operation.h"

#include <string.h>

#define ACTIONS_MOST 8

/* Services whose prefix in policies is another than their name here. */
static const struct prefix {
    const char *service, *prefix;
} prefixes[] = {{"sso-admin", "sso"}, {"s3control", "s3"}, {"sesv2", "ses"}};

/* Operations whose actions have other names, or need others beside their own. */
static const struct exception {
    const char *service, *operation, *actions; /* separated by spaces */
} exceptions[] = {
    {"s3", "CompleteMultipartUpload", "s3:PutObject"},
    {"s3", "CopyObject", "s3:GetObject s3:PutObject"},
    {"s3", "CreateMultipartUpload", "s3:PutObject"},
    {"s3", "DeleteBucketAnalyticsConfiguration", "s3:PutAnalyticsConfiguration"},
    {"s3", "DeleteBucketCors", "s3:PutBucketCORS"},
    {"s3", "DeleteBucketEncryption", "s3:PutEncryptionConfiguration"},
    {"s3", "DeleteBucketIntelligentTieringConfiguration", "s3:PutIntelligentTieringConfiguration"},
    {"s3", "DeleteBucketInventoryConfiguration", "s3:PutInventoryConfiguration"},
    {"s3", "DeleteBucketLifecycle", "s3:PutLifecycleConfiguration"},
    {"s3", "DeleteBucketMetricsConfiguration", "s3:PutMetricsConfiguration"},
    {"s3", "DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls"},
    {"s3", "DeleteBucketReplication", "s3:PutReplicationConfiguration"},
    {"s3", "DeleteBucketTagging", "s3:PutBucketTagging"},
    {"s3", "DeleteObjects", "s3:DeleteObject"},
    {"s3", "DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock"},
    {"s3", "GetBucketAccelerateConfiguration", "s3:GetAccelerateConfiguration"},
    {"s3", "GetBucketAnalyticsConfiguration", "s3:GetAnalyticsConfiguration"},
    {"s3", "GetBucketCors", "s3:GetBucketCORS"},
    {"s3", "GetBucketEncryption", "s3:GetEncryptionConfiguration"},
    {"s3", "GetBucketIntelligentTieringConfiguration", "s3:GetIntelligentTieringConfiguration"},
    {"s3", "GetBucketInventoryConfiguration", "s3:GetInventoryConfiguration"},
    {"s3", "GetBucketLifecycle", "s3:GetLifecycleConfiguration"},
    {"s3", "GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"},
    {"s3", "GetBucketMetricsConfiguration", "s3:GetMetricsConfiguration"},
    {"s3", "GetBucketNotificationConfiguration", "s3:GetBucketNotification"},
    {"s3", "GetBucketReplication", "s3:GetReplicationConfiguration"},
    {"s3", "GetObjectLockConfiguration", "s3:GetBucketObjectLockConfiguration"},
    {"s3", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock"},
    {"s3", "HeadBucket", "s3:ListBucket"},
    {"s3", "HeadObject", "s3:GetObject"},
    {"s3", "ListBucketAnalyticsConfigurations", "s3:GetAnalyticsConfiguration"},
    {"s3", "ListBucketIntelligentTieringConfigurations", "s3:GetIntelligentTieringConfiguration"},
    {"s3", "ListBucketInventoryConfigurations", "s3:GetInventoryConfiguration"},
    {"s3", "ListBucketMetricsConfigurations", "s3:GetMetricsConfiguration"},
    {"s3", "ListBuckets", "s3:ListAllMyBuckets"},
    {"s3", "ListMultipartUploads", "s3:ListBucketMultipartUploads"},
    {"s3", "ListObjectVersions", "s3:ListBucketVersions"},
    {"s3", "ListObjects", "s3:ListBucket"},
    {"s3", "ListObjectsV2", "s3:ListBucket"},
    {"s3", "ListParts", "s3:ListMultipartUploadParts"},
    {"s3", "PutBucketAccelerateConfiguration", "s3:PutAccelerateConfiguration"},
    {"s3", "PutBucketAnalyticsConfiguration", "s3:PutAnalyticsConfiguration"},
    {"s3", "PutBucketCors", "s3:PutBucketCORS"},
    {"s3", "PutBucketEncryption", "s3:PutEncryptionConfiguration"},
    {"s3", "PutBucketIntelligentTieringConfiguration", "s3:PutIntelligentTieringConfiguration"},
    {"s3", "PutBucketInventoryConfiguration", "s3:PutInventoryConfiguration"},
    {"s3", "PutBucketLifecycle", "s3:PutLifecycleConfiguration"},
    {"s3", "PutBucketLifecycleConfiguration", "s3:PutLifecycleConfiguration"},
    {"s3", "PutBucketMetricsConfiguration", "s3:PutMetricsConfiguration"},
    {"s3", "PutBucketNotificationConfiguration", "s3:PutBucketNotification"},
    {"s3", "PutBucketReplication", "s3:PutReplicationConfiguration"},
    {"s3", "PutObjectLockConfiguration", "s3:PutBucketObjectLockConfiguration"},
    {"s3", "PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock"},
    {"s3", "SelectObjectContent", "s3:GetObject"},
    {"s3", "UploadPart", "s3:PutObject"},
    {"s3", "UploadPartCopy", "s3:GetObject s3:PutObject"},
    {"s3control", "DeletePublicAccessBlock", "s3:PutAccountPublicAccessBlock"},
    {"s3control", "GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock"},
    {"s3control", "PutPublicAccessBlock", "s3:PutAccountPublicAccessBlock"},
    {"lambda", "GetLayerVersionByArn", "lambda:GetLayerVersion"},
    {"lambda", "Invoke", "lambda:InvokeFunction"},
    {"lambda", "InvokeWithResponseStream", "lambda:InvokeFunction"},
    {"kms", "ReEncrypt", "kms:ReEncryptFrom kms:ReEncryptTo"},
    {"sns", "PublishBatch", "sns:Publish"},
    {"sqs", "ChangeMessageVisibilityBatch", "sqs:ChangeMessageVisibility"},
    {"sqs", "DeleteMessageBatch", "sqs:DeleteMessage"},
    {"sqs", "SendMessageBatch", "sqs:SendMessage"},
    {"dynamodb", "TransactGetItems", "dynamodb:GetItem"},
    {"dynamodb", "TransactWriteItems",
     "dynamodb:ConditionCheckItem dynamodb:DeleteItem dynamodb:PutItem dynamodb:UpdateItem"},
    {"access-analyzer", "GetFindingV2", "access-analyzer:GetFinding"},
    {"access-analyzer", "ListFindingsV2", "access-analyzer:ListFindings"},
    {"bedrock", "Converse", "bedrock:InvokeModel"},
    {"cloudfront", "CreateDistributionWithTags",
     "cloudfront:CreateDistribution cloudfront:TagResource"},
    {"ec2", "CreateFlowLogs", "ec2:CreateFlowLogs logs:CreateLogDelivery logs:DeleteLogDelivery"},
    {"ec2", "DeleteFlowLogs", "ec2:DeleteFlowLogs logs:DeleteLogDelivery"},
    {"backup", "CreateBackupVault", "backup:CreateBackupVault backup-storage:MountCapsule"},
    {"guardduty", "CreateDetector", "guardduty:CreateDetector iam:CreateServiceLinkedRole"},
    {"macie2", "EnableMacie", "macie2:EnableMacie iam:CreateServiceLinkedRole"},
    {"securityhub", "EnableSecurityHub",
     "securityhub:EnableSecurityHub iam:CreateServiceLinkedRole"},
};

/* API Gateway's actions are methods. */
static const struct verb {
    struct text verb;
    const char *action;
} api_gateway_verbs[] = {
    {TEXT_INIT("Get"), "apigateway:GET"},
    {TEXT_INIT("Test"), "apigateway:POST"},
    {TEXT_INIT("Create"), "apigateway:POST"},
    {TEXT_INIT("Generate"), "apigateway:POST"},
    {TEXT_INIT("Update"), "apigateway:PATCH"},
    {TEXT_INIT("Put"), "apigateway:PUT"},
    {TEXT_INIT("Import"), "apigateway:POST"},
    {TEXT_INIT("Tag"), "apigateway:PUT"},
    {TEXT_INIT("Delete"), "apigateway:DELETE"},
    {TEXT_INIT("Flush"), "apigateway:DELETE"},
    {TEXT_INIT("Untag"), "apigateway:DELETE"},
    {TEXT_INIT("Reject"), "apigateway:RejectAccessAssociation"},
};

static void add(struct text *actions, size_t *count, struct text action) {
    for (size_t i = 0; i < *count; i++) {
        if (text_equal(actions[i], action)) {
            return;
        }
    }
    if (*count < ACTIONS_MOST) {
        actions[(*count)++] = action;
    }
}

static const char *api_gateway_action(struct text operation) {
    for (size_t i = 0; i < ARRAY_COUNT(api_gateway_verbs); i++) {
        if (text_starts_with(operation, api_gateway_verbs[i].verb)) {
            return api_gateway_verbs[i].action;
        }
    }
    return "apigateway:POST";
}

static struct text default_action(const struct call_template *call, struct arena *arena) {
    struct text prefix = call->service;
    for (size_t i = 0; i < ARRAY_COUNT(prefixes); i++) {
        if (text_equal_string(call->service, prefixes[i].service)) {
            prefix = text_of(prefixes[i].prefix);
        }
    }
    return arena_format(arena, "%.*s:%.*s", TEXT_ARG(prefix), TEXT_ARG(call->operation));
}

static void add_own(const struct call_template *call, struct arena *arena, struct text *actions,
                    size_t *count) {
    struct text rest = TEXT(""), action;
    for (size_t i = 0; i < ARRAY_COUNT(exceptions); i++) {
        if (text_equal_string(call->service, exceptions[i].service) &&
            text_equal_string(call->operation, exceptions[i].operation)) {
            rest = text_of(exceptions[i].actions);
        }
    }
    if (text_equal(call->service, TEXT("apigateway"))) {
        rest = text_of(api_gateway_action(call->operation));
    }
    while (text_next_part(&rest, ' ', &action)) {
        add(actions, count, action);
    }
    if (*count == 0) {
        add(actions, count, default_action(call, arena));
    }
}

/* Is there a parameter, at any depth, that names a role for AWS to take? */
static bool hands_over_role(const struct json *node) {
    static const struct text ends[] = {TEXT_INIT("RoleArn"), TEXT_INIT("RoleARN"),
                                       TEXT_INIT("IamInstanceProfile"),
                                       TEXT_INIT("DeliverLogsPermissionArn")};
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        struct text key = json_key(node);
        bool is_lower = text_equal(key, TEXT("roleArn")) || text_equal(key, TEXT("roleARN"));
        if (is_lower || text_ends_with(key, ends[i]) ||
            (text_starts_with(key, ends[i]) && key.data[ends[i].bytes] == '.')) {
            return true;
        }
    }
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        if (hands_over_role(child)) {
            return true;
        }
    }
    return false;
}

static bool has_tags(const struct call_template *call) {
    for (const struct json *child = json_first(call->with); child != NULL;
         child = json_next(child)) {
        if (text_starts_with(json_key(child), TEXT("TagSpecification"))) {
            return true;
        }
    }
    return false;
}

struct texts iam_actions(const struct call_template *call, struct arena *arena) {
    struct text *actions = arena_alloc_array(arena, ACTIONS_MOST, sizeof(*actions));
    size_t count = 0;
    add_own(call, arena, actions, &count);
    bool is_about_roles = text_equal(call->service, TEXT("iam")) ||
                          text_equal(call->service, TEXT("sts"));
    if (!operation_is_read(call->operation) && !is_about_roles && hands_over_role(call->with)) {
        add(actions, &count, TEXT("iam:PassRole"));
    }
    if (text_equal(call->service, TEXT("ec2")) && has_tags(call)) {
        add(actions, &count, TEXT("ec2:CreateTags"));
    }
    return (struct texts){actions, count};
}
