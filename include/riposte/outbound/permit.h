/* What every call out must carry: why it may leave. outbound refuses anything without one: there is
 * no path around it, so observe is a fact about the process and not a promise of each caller.
 *
 *     class       observe   approve                      enforce
 *     own         yes       yes                          yes        to this server, secret
 *                                                                    references, anchors
 *     credential  no        yes                          yes        incl. GetCallerIdentity
 *     read        no        yes                          yes
 *     write       no        with an operator's approval  yes
 *     notify      as listed yes                          yes
 *
 * An operator's undo and due releases may write in every mode: the panic switch must not block
 * them.
 *
 * Threads:    a value.
 * Source:     RULES.md, Guard. */
#ifndef RIPOSTE_OUTBOUND_PERMIT_H
#define RIPOSTE_OUTBOUND_PERMIT_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/mode.h"
#include "riposte/base/ulid.h"

#include <stdbool.h>

enum permit_class {
    PERMIT_NONE, /* of a zeroed permit: never passes */
    PERMIT_OWN,
    PERMIT_CREDENTIAL,
    PERMIT_READ,
    PERMIT_WRITE,
    PERMIT_NOTIFY,
};

/* On whose word beyond the mode's. */
enum permit_authority {
    AUTHORITY_MODE,     /* the mode alone */
    AUTHORITY_OPERATOR, /* a person approved this incident */
    AUTHORITY_RELEASE,  /* a person's undo, or a due release: writes (and the reads and credentials
                           they need)  pass in every mode */
};

struct permit {
    enum permit_class class;
    enum mode mode; /* the milder of global and rule */
    enum permit_authority authority;
    struct ulid incident; /* for the log; none for own and credential */
};

const char *permit_class_name(enum permit_class class);

/* ERROR_DENIED with the reason ("mode observe: no read leaves"). */
MUST_CHECK bool permit_check(const struct permit *permit, struct error *error);

#endif
