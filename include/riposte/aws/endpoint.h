/* Where a service is in a Region, and with which Region its requests are signed.
 *
 *     settings' endpoint ▸ AWS_ENDPOINT_URL_<SERVICE> ▸ AWS_ENDPOINT_URL ▸ the partition's own
 *
 * Regions come from events: their names are checked before one becomes part of a host name.
 *
 * Ownership:  results are in the caller's arena.
 * Threads:    pure, but for the environment.
 * Source:     FACTS.md 4.2. */
#ifndef RIPOSTE_AWS_ENDPOINT_H
#define RIPOSTE_AWS_ENDPOINT_H

#include "riposte/aws/environment.h"
#include "riposte/aws/service.h"
#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>

struct aws_endpoint {
    struct text url;       /* with the path */
    struct text authority; /* the Host header's value */
    struct text path;
    struct text signing_region;
    bool is_configured; /* by settings or environment: then it may be http:// */
};

/* `region` may be empty: AWS_REGION, then AWS_DEFAULT_REGION; global services and sts then do
 * without. ERROR_INVALID: no Region, not a Region, a partition or variant not supported yet, or a
 * configured URL that is none. */
MUST_CHECK bool aws_endpoint_resolve(const struct aws_environment *environment,
                                     struct text configured, const struct aws_service *service,
                                     struct text region, struct arena *arena,
                                     struct aws_endpoint *endpoint_out, struct error *error);

/* "aws", "aws-cn", "aws-us-gov", "aws-eusc"; NULL: not supported yet or not a Region. */
const char *aws_partition_of_region(struct text region);

#endif
