/* The AWS services by the name that rules use: a table. Most are also the prefix in IAM
 * policies (not: sso-admin, s3control, sesv2).
 *
 * Threads:    constants.
 * Source:     FACTS.md 4.2 and 5. */
#ifndef RIPOSTE_AWS_SERVICE_H
#define RIPOSTE_AWS_SERVICE_H

#include "riposte/base/text.h"

#include <stdbool.h>

enum aws_protocol {
    AWS_PROTOCOL_QUERY,
    AWS_PROTOCOL_EC2,
    AWS_PROTOCOL_JSON,
    AWS_PROTOCOL_REST_JSON,
    AWS_PROTOCOL_REST_XML,
};

const char *aws_protocol_name(enum aws_protocol protocol);

enum aws_trait {
    AWS_TRAIT_QUERY_MODE = 1, /* spoke query once, and is asked for the error codes of then */
    AWS_TRAIT_S3 = 2,         /* signs paths as they are, with the body's hash in a header */
    AWS_TRAIT_BUCKETS = 4,    /* has them in its paths, and wants checksums */
};

struct aws_service {
    const char *name;
    enum aws_protocol protocol;
    const char *version;          /* query, EC2: of the API; JSON: of the protocol */
    const char *target;           /* JSON: what stands before the operation in X-Amz-Target */
    const char *host;             /* first labels of its host name */
    const char *signing_name;     /* in the credential scope */
    const char *environment_name; /* the end of AWS_ENDPOINT_URL_... */
    unsigned traits;
};

/* NULL when there is none of that name. */
const struct aws_service *aws_service_find(struct text name);

#endif
