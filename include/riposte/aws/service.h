/* The AWS services by the name that rules use, which is also their prefix in IAM policies: a table.
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

struct aws_service {
    const char *name;
    enum aws_protocol protocol;
    const char *version;          /* of the API; NULL where the protocol isn't supported yet */
    const char *host;             /* first label of its host name */
    const char *signing_name;     /* in the credential scope */
    const char *environment_name; /* the end of AWS_ENDPOINT_URL_... */
    bool is_global;               /* one endpoint a partition, signed with a Region of its own */
};

/* NULL when there is none of that name. */
const struct aws_service *aws_service_find(struct text name);
/* Can this build speak its protocol? */
bool aws_service_is_supported(const struct aws_service *service);

#endif
