#include "riposte/respond/context.h"

#include "riposte/crypto/sha256.h"

static struct text fingerprint(struct text session, struct arena *arena) {
    char digits[SHA256_HEX_BYTES];
    sha256_hex(session, digits);
    return arena_copy_text(arena, (struct text){digits, FINGERPRINT_DIGITS});
}

struct json *incident_context(const struct subject_event *event, struct text rule_name,
                              struct text severity, struct text incident_id,
                              const struct context_self *self, const struct json *vars,
                              struct arena *arena) {
    struct json *context = context_new(event, rule_name, severity, incident_id, self, vars, arena);
    struct text session = event->principal.session;
    if (session.bytes == 0) {
        return context;
    }
    struct json *principal = principal_to_json(&event->principal, arena);
    json_add_text(arena, principal, PRINCIPAL_FINGERPRINT, fingerprint(session, arena));
    return context_with(context, "principal", principal, arena);
}
