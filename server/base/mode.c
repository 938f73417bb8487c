#include "riposte/base/mode.h"

#include <assert.h>
#include <stddef.h>

static const char *const names[] = {
    [MODE_OBSERVE] = "observe", [MODE_APPROVE] = "approve", [MODE_ENFORCE] = "enforce"};

const char *mode_name(enum mode mode) {
    assert((size_t)mode < ARRAY_COUNT(names));
    return names[mode];
}

bool mode_parse(struct text text, enum mode *mode_out) {
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (text_equal_string(text, names[i])) {
            *mode_out = (enum mode)i;
            return true;
        }
    }
    return false;
}

enum mode mode_milder(enum mode a, enum mode b) {
    return a < b ? a : b;
}
