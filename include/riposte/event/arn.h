/* The parts of an Amazon Resource Name: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE.
 *
 * Ownership:  the parts are views of the text.
 * Threads:    pure.
 * Source:     IAM user guide, "Identify AWS resources with ARNs". Region and account are empty for
 *             services that have none. */
#ifndef RIPOSTE_EVENT_ARN_H
#define RIPOSTE_EVENT_ARN_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>

struct arn {
    struct text partition, service, region, account, resource;
};

/* False when `text` isn't "arn:" and five more parts, of which partition, service and resource must
 * hold something. The resource may hold colons. */
MUST_CHECK bool arn_parse(struct text text, struct arn *arn_out);

/* What stands behind the last '/' or ':' of the resource; all of it when there is none. */
struct text arn_name(const struct arn *arn);

#endif
