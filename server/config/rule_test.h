/* The tests that a rule brings along: read here, run elsewhere. */
#ifndef RIPOSTE_SERVER_CONFIG_RULE_TEST_H
#define RIPOSTE_SERVER_CONFIG_RULE_TEST_H

#include "form.h"

#include "riposte/config/rule.h"

/* Reads `array` (may be NULL) and the event files it names, which start from `folder`. */
void rule_tests_read(const struct reading *reading, const struct json *array, const char *folder,
                     struct rule *rule);

#endif
