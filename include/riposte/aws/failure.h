/* What an error code of AWS means for the call that got it: a table.
 *
 * Threads:    pure.
 * Source:     FACTS.md 5, Retryable. */
#ifndef RIPOSTE_AWS_FAILURE_H
#define RIPOSTE_AWS_FAILURE_H

#include "riposte/base/text.h"

enum aws_failure {
    AWS_FAILURE_FINAL,   /* the same call would fail again */
    AWS_FAILURE_RETRY,   /* throttling, conflict, trouble on their side */
    AWS_FAILURE_REFRESH, /* of the credentials; may work with newer ones */
    AWS_FAILURE_SKEW,    /* our clock, or theirs: may work with the time they say */
};

/* `message` tells a signature that is too old from one that is wrong. */
enum aws_failure aws_failure_of(int status, struct text code, struct text message);

#endif
