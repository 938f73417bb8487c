/* Which earlier answers a step uses: if one of them failed, so does the step; if one is only
 * assumed, its calls are known only when asked.
 *
 * Threads:    pure. */
#ifndef RIPOSTE_SERVER_RESPOND_DEPENDENCE_H
#define RIPOSTE_SERVER_RESPOND_DEPENDENCE_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"
#include "riposte/config/playbook.h"
#include "riposte/detect/pattern.h"

#include <stdbool.h>
#include <stddef.h>

/* Of steps. */
struct names {
    struct text *items;
    size_t count;
};

bool names_contain(const struct names *names, struct text name);

/* The first of `names` whose answer the step uses anywhere (but in `verify`), or the empty text. */
struct text dependence_on_answer(const struct step *step, const struct names *names,
                                 struct arena *arena);
/* Does a `when` look at the answer of one of them? */
bool dependence_of_when(const struct pattern *when, const struct names *names);
/* Does the step's `undo` use ${prior}? */
bool dependence_on_prior(const struct step *step);

#endif
