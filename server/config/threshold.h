/* Reading the `threshold` of a rule. */
#ifndef RIPOSTE_SERVER_CONFIG_THRESHOLD_H
#define RIPOSTE_SERVER_CONFIG_THRESHOLD_H

#include "form.h"

#include "riposte/config/rule.h"

/* Reads the member of `root`, if it is there, into the rule. */
void threshold_read(const struct reading *reading, const struct json *root, struct rule *rule);

#endif
