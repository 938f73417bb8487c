#include "riposte/detect/version.h"

const char *riposte_detect_version(void) {
    return RIPOSTE_VERSION;
}
