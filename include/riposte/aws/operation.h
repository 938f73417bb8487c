/* What a playbook calls "service:Operation": whether this build can send it, whether it writes, and
 * in which lane it queues.
 *
 * Threads:    pure. */
#ifndef RIPOSTE_AWS_OPERATION_H
#define RIPOSTE_AWS_OPERATION_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"

#include <stdbool.h>

#define AWS_OPERATION_BYTES 64

/* ERROR_INVALID names what is wrong: an unknown service, or an operation that isn't a name
 * ("PutUserPolicy"). That the operation exists is not checked. */
MUST_CHECK bool aws_operation_check(struct text service, struct text operation,
                                    struct error *error);
/* The lane of a call: "<account>/<service>", into `arena`. */
struct text aws_lane(struct text account, struct text service, struct arena *arena);

#endif
