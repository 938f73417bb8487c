/* How far the server may go: the one word that everything which acts asks first. */
#ifndef RIPOSTE_BASE_MODE_H
#define RIPOSTE_BASE_MODE_H

#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

#include <stdbool.h>

/* From the mildest on, so that the milder of two is the smaller. */
enum mode {
    MODE_OBSERVE, /* plans and journals; sends nothing */
    MODE_APPROVE, /* asks a person before each write */
    MODE_ENFORCE, /* acts */
};

const char *mode_name(enum mode mode);
MUST_CHECK bool mode_parse(struct text text, enum mode *mode_out);
enum mode mode_milder(enum mode a, enum mode b);

#endif
