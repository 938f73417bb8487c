#include "riposte/aws/environment.h"

#include <stdlib.h>

static const char *get_of_process(void *arg, const char *name) {
    (void)arg;
    return getenv(name);
}

const struct aws_environment aws_environment_process = {get_of_process, NULL};

struct text aws_environment_get(const struct aws_environment *environment, const char *name) {
    return text_of(environment->get_fn(environment->arg, name));
}

bool aws_environment_is_true(const struct aws_environment *environment, const char *name) {
    return text_equal_ignoring_ascii_case(aws_environment_get(environment, name), TEXT("true"));
}
