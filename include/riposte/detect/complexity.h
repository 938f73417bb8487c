/* How complex the wildcards of a pattern are: the most beginnings of its wildcards that one value
 * can be at once, counted over one field's array. What EventBridge measures and refuses rules for
 * (PATTERNS.md 7, Complexity): "abc*" is 2 (the value "abc" fits "abc" and "abc*"), "*abc*" 3,
 * "*a*b*c*" 5.
 *
 * Threads:    pure.
 * Bounds:     follows COMPLEXITY_STEPS beginnings a field by a byte each; of a field that needs
 * more only that it is at least as complex as what was found. */
#ifndef RIPOSTE_DETECT_COMPLEXITY_H
#define RIPOSTE_DETECT_COMPLEXITY_H

#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stdint.h>

/* EventBridge accepts 9 and refuses 12; where between them it draws the line isn't documented. */
#define COMPLEXITY_DEFAULT 11
#define COMPLEXITY_STEPS   4000000

struct complexity {
    uint32_t most;            /* 0: no wildcard */
    bool is_exact;            /* else at least that */
    const struct json *field; /* the array whose wildcards these are, or NULL */
};

/* `pattern` compiles. The most complex field's. */
void complexity_measure(const struct json *pattern, struct complexity *complexity_out);

#endif
