/* The finder's verdict without trying everything: the same search, in the same order, for events
 * whose arrays are large.
 *
 * Leaves of a path come in the order of the text, so those in one array lie side by side and its
 * elements ascend: what an earlier choice rules out is jumped over. And what failed once is not
 * tried again: the rest of a search depends only on the elements pinned in arrays that a later
 * field has leaves in.
 *
 * Ownership:  joiner_init/joiner_done; a scratch for one search at a time.
 * Bounds:     JOINER_STEPS choices and comparisons an event, then ERROR_LIMIT; allocates only to
 *             grow. For fields that share their arrays the steps grow with the leaves times the
 *             logarithm of the largest array. */
#ifndef RIPOSTE_DETECT_JOINER_H
#define RIPOSTE_DETECT_JOINER_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/detect/leaves.h"
#include "riposte/detect/subrule.h"

#include <stdbool.h>

#define JOINER_STEPS 10000000

struct joiner;

struct joiner *joiner_new(void);
void joiner_free(struct joiner **joiner);
/* Another event. */
void joiner_start(struct joiner *joiner);
/* Does the sub-rule, whose paths are those of `leaves`, match? */
MUST_CHECK bool joiner_search(struct joiner *joiner, const struct subrule *subrule,
                              const struct leaves *leaves, bool *is_match_out, struct error *error);

#endif
