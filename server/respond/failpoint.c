#include "riposte/respond/failpoint.h"

#ifdef RIPOSTE_FAILPOINTS

#include "riposte/base/text.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KILLED_STATUS 137 /* what a shell says of a process ended by kill -9 */

void failpoint(const char *name) {
    static _Atomic unsigned long reached;
    const char *wanted = getenv("RIPOSTE_FAILPOINT");
    const char *colon = wanted != NULL ? strchr(wanted, ':') : NULL;
    if (colon == NULL) {
        return;
    }
    struct text place = {wanted, (size_t)(colon - wanted)};
    if (!text_equal_string(place, name) && !text_equal_string(place, "any")) {
        return;
    }
    if (atomic_fetch_add(&reached, 1) + 1 == strtoul(colon + 1, NULL, 10)) {
        _exit(KILLED_STATUS);
    }
}

#else

void failpoint(const char *name) {
    (void)name;
}

#endif
