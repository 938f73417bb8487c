#include "riposte/outbound/permit.h"

/* Does a class pass in a mode, and on whose word? */
enum rule { NEVER, ALWAYS, RELEASING, APPROVED };

static const struct {
    const char *name;
    enum rule by_mode[MODE_ENFORCE + 1];
} classes[] = {
    [PERMIT_NONE] = {"none", {NEVER, NEVER, NEVER}},
    [PERMIT_OWN] = {"own", {ALWAYS, ALWAYS, ALWAYS}},
    [PERMIT_CREDENTIAL] = {"credential", {RELEASING, ALWAYS, ALWAYS}},
    [PERMIT_READ] = {"read", {RELEASING, ALWAYS, ALWAYS}},
    [PERMIT_WRITE] = {"write", {RELEASING, APPROVED, ALWAYS}},
    /* In observe only what `notify` names: who sends nothing else asks for this class. */
    [PERMIT_NOTIFY] = {"notify", {ALWAYS, ALWAYS, ALWAYS}},
};

const char *permit_class_name(enum permit_class class) {
    return (size_t) class < ARRAY_COUNT(classes) ? classes[class].name : "unknown";
}

bool permit_check(const struct permit *permit, struct error *error) {
    if (permit == NULL || permit->class == PERMIT_NONE ||
        (size_t)permit->class >= ARRAY_COUNT(classes) || (size_t)permit->mode > MODE_ENFORCE) {
        return error_set(error, ERROR_DENIED, "no permit: nothing leaves without one");
    }
    enum rule rule = classes[permit->class].by_mode[permit->mode];
    if (rule == ALWAYS || (rule != NEVER && permit->authority == AUTHORITY_RELEASE) ||
        (rule == APPROVED && permit->authority == AUTHORITY_OPERATOR)) {
        return true;
    }
    if (rule == APPROVED) {
        return error_set(error, ERROR_DENIED, "mode %s: no %s leaves that nobody approved",
                         mode_name(permit->mode), permit_class_name(permit->class));
    }
    return error_set(error, ERROR_DENIED, "mode %s: no %s leaves", mode_name(permit->mode),
                     permit_class_name(permit->class));
}
