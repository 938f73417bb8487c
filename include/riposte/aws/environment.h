/* The process's environment variables, passed in: so that tests bring their own.
 *
 * Threads:    any, as long as nobody changes the environment. */
#ifndef RIPOSTE_AWS_ENVIRONMENT_H
#define RIPOSTE_AWS_ENVIRONMENT_H

#include "riposte/base/text.h"

#include <stdbool.h>

struct aws_environment {
    const char *(*get_fn)(void *arg, const char *name); /* NULL: not set */
    void *arg;
};

extern const struct aws_environment aws_environment_process;

/* Empty when not set: AWS's own tools treat both alike. */
struct text aws_environment_get(const struct aws_environment *environment, const char *name);
/* "true" in any case. */
bool aws_environment_is_true(const struct aws_environment *environment, const char *name);

#endif
