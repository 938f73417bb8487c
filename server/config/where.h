/* Reading the `where` of a rule. */
#ifndef RIPOSTE_SERVER_CONFIG_WHERE_H
#define RIPOSTE_SERVER_CONFIG_WHERE_H

#include "form.h"

#include "riposte/config/rule.h"

/* Reads `array` (may be NULL) into the rule. */
void where_read(const struct reading *reading, const struct json *array, struct rule *rule);

#endif
