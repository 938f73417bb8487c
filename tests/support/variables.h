/* An environment for tests of what reads one: names and values that the test may change.
 *
 *     struct variables variables = {{{"AWS_REGION", "eu-west-1"}}};
 *     struct aws_environment environment = {variables_get, &variables}; */
#ifndef RIPOSTE_TESTS_VARIABLES_H
#define RIPOSTE_TESTS_VARIABLES_H

#include <stddef.h>
#include <string.h>

#define VARIABLES_MAX 16

struct variables {
    struct {
        const char *name, *value;
    } variable[VARIABLES_MAX];
};

static inline const char *variables_get(void *arg, const char *name) {
    const struct variables *variables = arg;
    for (size_t i = 0; i < VARIABLES_MAX && variables->variable[i].name != NULL; i++) {
        if (strcmp(variables->variable[i].name, name) == 0) {
            return variables->variable[i].value;
        }
    }
    return NULL;
}

#endif
