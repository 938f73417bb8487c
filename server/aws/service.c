#include "riposte/aws/service.h"

#include "riposte/base/attributes.h"

static const struct aws_service services[] = {
    {"iam", AWS_PROTOCOL_QUERY, "2010-05-08", "iam", "iam", "IAM", true},
    {"sts", AWS_PROTOCOL_QUERY, "2011-06-15", "sts", "sts", "STS", false},
    {"ec2", AWS_PROTOCOL_EC2, "2016-11-15", "ec2", "ec2", "EC2", false},
    {"rds", AWS_PROTOCOL_QUERY, "2014-10-31", "rds", "rds", "RDS", false},
    {"sns", AWS_PROTOCOL_QUERY, "2010-03-31", "sns", "sns", "SNS", false},
    {"autoscaling", AWS_PROTOCOL_QUERY, "2011-01-01", "autoscaling", "autoscaling", "AUTO_SCALING",
     false},
    /* The prefix serves two APIs; this is the one of application, network and gateway balancers. */
    {"elasticloadbalancing", AWS_PROTOCOL_QUERY, "2015-12-01", "elasticloadbalancing",
     "elasticloadbalancing", "ELASTIC_LOAD_BALANCING_V2", false},
    {"cloudformation", AWS_PROTOCOL_QUERY, "2010-05-15", "cloudformation", "cloudformation",
     "CLOUDFORMATION", false},
    {"redshift", AWS_PROTOCOL_QUERY, "2012-12-01", "redshift", "redshift", "REDSHIFT", false},
    {"elasticache", AWS_PROTOCOL_QUERY, "2015-02-02", "elasticache", "elasticache", "ELASTICACHE",
     false},

    {"access-analyzer", .protocol = AWS_PROTOCOL_REST_JSON},
    {"account", .protocol = AWS_PROTOCOL_REST_JSON},
    {"cloudtrail", .protocol = AWS_PROTOCOL_JSON},
    {"cloudwatch", .protocol = AWS_PROTOCOL_JSON},
    {"config", .protocol = AWS_PROTOCOL_JSON},
    {"dynamodb", .protocol = AWS_PROTOCOL_JSON},
    {"ecr", .protocol = AWS_PROTOCOL_JSON},
    {"ecs", .protocol = AWS_PROTOCOL_JSON},
    {"eks", .protocol = AWS_PROTOCOL_REST_JSON},
    {"events", .protocol = AWS_PROTOCOL_JSON},
    {"firehose", .protocol = AWS_PROTOCOL_JSON},
    {"guardduty", .protocol = AWS_PROTOCOL_REST_JSON},
    {"identitystore", .protocol = AWS_PROTOCOL_JSON},
    {"kms", .protocol = AWS_PROTOCOL_JSON},
    {"lambda", .protocol = AWS_PROTOCOL_REST_JSON},
    {"logs", .protocol = AWS_PROTOCOL_JSON},
    {"organizations", .protocol = AWS_PROTOCOL_JSON},
    {"route53", .protocol = AWS_PROTOCOL_REST_XML},
    {"s3", .protocol = AWS_PROTOCOL_REST_XML},
    {"secretsmanager", .protocol = AWS_PROTOCOL_JSON},
    {"securityhub", .protocol = AWS_PROTOCOL_REST_JSON},
    {"sqs", .protocol = AWS_PROTOCOL_JSON},
    {"ssm", .protocol = AWS_PROTOCOL_JSON},
    {"sso-admin", .protocol = AWS_PROTOCOL_JSON},
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

bool aws_service_is_supported(const struct aws_service *service) {
    return service->version != NULL;
}
