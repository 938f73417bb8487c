#include "riposte/aws/service.h"

#include "riposte/base/attributes.h"

#include <stddef.h>

#define QUERY(version)   AWS_PROTOCOL_QUERY, version, NULL
#define EC2(version)     AWS_PROTOCOL_EC2, version, NULL
#define JSON_1_0(target) AWS_PROTOCOL_JSON, "1.0", target
#define JSON_1_1(target) AWS_PROTOCOL_JSON, "1.1", target
#define REST_JSON        AWS_PROTOCOL_REST_JSON, NULL, NULL
#define REST_XML         AWS_PROTOCOL_REST_XML, NULL, NULL

static const struct aws_service services[] = {
    {"iam", QUERY("2010-05-08"), "iam", "iam", "IAM", 0},
    {"sts", QUERY("2011-06-15"), "sts", "sts", "STS", 0},
    {"ec2", EC2("2016-11-15"), "ec2", "ec2", "EC2", 0},
    {"rds", QUERY("2014-10-31"), "rds", "rds", "RDS", 0},
    {"sns", QUERY("2010-03-31"), "sns", "sns", "SNS", 0},
    {"autoscaling", QUERY("2011-01-01"), "autoscaling", "autoscaling", "AUTO_SCALING", 0},
    /* The prefix serves two APIs; this is the one of application, network and gateway balancers. */
    {"elasticloadbalancing", QUERY("2015-12-01"), "elasticloadbalancing", "elasticloadbalancing",
     "ELASTIC_LOAD_BALANCING_V2", 0},
    {"cloudformation", QUERY("2010-05-15"), "cloudformation", "cloudformation", "CLOUDFORMATION",
     0},
    {"redshift", QUERY("2012-12-01"), "redshift", "redshift", "REDSHIFT", 0},
    {"elasticache", QUERY("2015-02-02"), "elasticache", "elasticache", "ELASTICACHE", 0},
    /* Of two APIs as well: the first. The second is "sesv2". */
    {"ses", QUERY("2010-12-01"), "email", "ses", "SES", 0},

    {"acm", JSON_1_1("CertificateManager"), "acm", "acm", "ACM", 0},
    {"athena", JSON_1_1("AmazonAthena"), "athena", "athena", "ATHENA", 0},
    {"cloudtrail", JSON_1_1("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101"), "cloudtrail",
     "cloudtrail", "CLOUDTRAIL", 0},
    {"cloudwatch", JSON_1_0("GraniteServiceVersion20100801"), "monitoring", "monitoring",
     "CLOUDWATCH", AWS_TRAIT_QUERY_MODE},
    {"codebuild", JSON_1_1("CodeBuild_20161006"), "codebuild", "codebuild", "CODEBUILD", 0},
    {"codecommit", JSON_1_1("CodeCommit_20150413"), "codecommit", "codecommit", "CODECOMMIT", 0},
    {"codepipeline", JSON_1_1("CodePipeline_20150709"), "codepipeline", "codepipeline",
     "CODEPIPELINE", 0},
    {"cognito-idp", JSON_1_1("AWSCognitoIdentityProviderService"), "cognito-idp", "cognito-idp",
     "COGNITO_IDENTITY_PROVIDER", 0},
    {"config", JSON_1_1("StarlingDoveService"), "config", "config", "CONFIG_SERVICE", 0},
    {"ds", JSON_1_1("DirectoryService_20150416"), "ds", "ds", "DIRECTORY_SERVICE", 0},
    {"dynamodb", JSON_1_0("DynamoDB_20120810"), "dynamodb", "dynamodb", "DYNAMODB", 0},
    {"ecr", JSON_1_1("AmazonEC2ContainerRegistry_V20150921"), "api.ecr", "ecr", "ECR", 0},
    {"ecs", JSON_1_1("AmazonEC2ContainerServiceV20141113"), "ecs", "ecs", "ECS", 0},
    {"events", JSON_1_1("AWSEvents"), "events", "events", "EVENTBRIDGE", 0},
    {"firehose", JSON_1_1("Firehose_20150804"), "firehose", "firehose", "FIREHOSE", 0},
    {"fms", JSON_1_1("AWSFMS_20180101"), "fms", "fms", "FMS", 0},
    {"glue", JSON_1_1("AWSGlue"), "glue", "glue", "GLUE", 0},
    {"identitystore", JSON_1_1("AWSIdentityStore"), "identitystore", "identitystore",
     "IDENTITYSTORE", 0},
    {"kinesis", JSON_1_1("Kinesis_20131202"), "kinesis", "kinesis", "KINESIS", 0},
    {"kms", JSON_1_1("TrentService"), "kms", "kms", "KMS", 0},
    {"logs", JSON_1_1("Logs_20140328"), "logs", "logs", "CLOUDWATCH_LOGS", 0},
    {"network-firewall", JSON_1_0("NetworkFirewall_20201112"), "network-firewall",
     "network-firewall", "NETWORK_FIREWALL", 0},
    {"organizations", JSON_1_1("AWSOrganizationsV20161128"), "organizations", "organizations",
     "ORGANIZATIONS", 0},
    {"route53resolver", JSON_1_1("Route53Resolver"), "route53resolver", "route53resolver",
     "ROUTE53RESOLVER", 0},
    {"sagemaker", JSON_1_1("SageMaker"), "api.sagemaker", "sagemaker", "SAGEMAKER", 0},
    {"secretsmanager", JSON_1_1("secretsmanager"), "secretsmanager", "secretsmanager",
     "SECRETS_MANAGER", 0},
    {"shield", JSON_1_1("AWSShield_20160616"), "shield", "shield", "SHIELD", 0},
    {"sqs", JSON_1_0("AmazonSQS"), "sqs", "sqs", "SQS", AWS_TRAIT_QUERY_MODE},
    {"ssm", JSON_1_1("AmazonSSM"), "ssm", "ssm", "SSM", 0},
    {"sso-admin", JSON_1_1("SWBExternalService"), "sso", "sso", "SSO_ADMIN", 0},
    {"states", JSON_1_0("AWSStepFunctions"), "states", "states", "SFN", 0},
    {"tag", JSON_1_1("ResourceGroupsTaggingAPI_20170126"), "tagging", "tagging",
     "RESOURCE_GROUPS_TAGGING_API", 0},
    {"transfer", JSON_1_1("TransferService"), "transfer", "transfer", "TRANSFER", 0},
    {"wafv2", JSON_1_1("AWSWAF_20190729"), "wafv2", "wafv2", "WAFV2", 0},

    {"access-analyzer", REST_JSON, "access-analyzer", "access-analyzer", "ACCESSANALYZER", 0},
    {"account", REST_JSON, "account", "account", "ACCOUNT", 0},
    {"apigateway", REST_JSON, "apigateway", "apigateway", "API_GATEWAY", 0},
    {"backup", REST_JSON, "backup", "backup", "BACKUP", 0},
    {"bedrock", REST_JSON, "bedrock", "bedrock", "BEDROCK", 0},
    {"detective", REST_JSON, "api.detective", "detective", "DETECTIVE", 0},
    {"eks", REST_JSON, "eks", "eks", "EKS", 0},
    {"elasticfilesystem", REST_JSON, "elasticfilesystem", "elasticfilesystem", "EFS", 0},
    {"es", REST_JSON, "es", "es", "OPENSEARCH", 0},
    {"guardduty", REST_JSON, "guardduty", "guardduty", "GUARDDUTY", 0},
    {"inspector2", REST_JSON, "inspector2", "inspector2", "INSPECTOR2", 0},
    {"lambda", REST_JSON, "lambda", "lambda", "LAMBDA", 0},
    {"macie2", REST_JSON, "macie2", "macie2", "MACIE2", 0},
    {"ram", REST_JSON, "ram", "ram", "RAM", 0},
    {"rolesanywhere", REST_JSON, "rolesanywhere", "rolesanywhere", "ROLESANYWHERE", 0},
    {"scheduler", REST_JSON, "scheduler", "scheduler", "SCHEDULER", 0},
    {"securityhub", REST_JSON, "securityhub", "securityhub", "SECURITYHUB", 0},
    {"sesv2", REST_JSON, "email", "ses", "SESV2", 0},

    {"cloudfront", REST_XML, "cloudfront", "cloudfront", "CLOUDFRONT", 0},
    {"route53", REST_XML, "route53", "route53", "ROUTE_53", 0},
    {"s3", REST_XML, "s3", "s3", "S3", AWS_TRAIT_S3 | AWS_TRAIT_BUCKETS},
    {"s3control", REST_XML, "s3-control", "s3", "S3_CONTROL", AWS_TRAIT_S3},
};

const char *aws_protocol_name(enum aws_protocol protocol) {
    static const char *const names[] = {
        [AWS_PROTOCOL_QUERY] = "query",       [AWS_PROTOCOL_EC2] = "ec2",
        [AWS_PROTOCOL_JSON] = "json",         [AWS_PROTOCOL_REST_JSON] = "rest-json",
        [AWS_PROTOCOL_REST_XML] = "rest-xml",
    };
    return names[protocol];
}

const struct aws_service *aws_service_find(struct text name) {
    for (size_t i = 0; i < ARRAY_COUNT(services); i++) {
        if (text_equal_string(name, services[i].name)) {
            return &services[i];
        }
    }
    return NULL;
}
