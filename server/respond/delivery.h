/* What became of one try to tell somebody. */
#ifndef RIPOSTE_SERVER_RESPOND_DELIVERY_H
#define RIPOSTE_SERVER_RESPOND_DELIVERY_H

#include "riposte/base/text.h"

#include <stdint.h>

enum delivery_end {
    DELIVERED,
    DELIVERY_LATER,    /* no answer, 429, 5xx: to be tried again */
    DELIVERY_REFUSED,  /* for good */
    DELIVERY_NEEDLESS, /* its condition doesn't hold, or its place is not set */
};

struct delivery {
    enum delivery_end end;
    struct text reason;
    int64_t took_us;
};

#endif
