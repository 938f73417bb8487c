/* Tells a machine (a pipeline, a tool) from a person, by what an event says of its principal. */
#ifndef RIPOSTE_SERVER_CLI_AUTOMATION_H
#define RIPOSTE_SERVER_CLI_AUTOMATION_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"
#include "riposte/config/context.h"

/* Why it does, in words; empty when it doesn't. */
struct text automation_reason(const struct subject_event *event, struct arena *arena);

#endif
