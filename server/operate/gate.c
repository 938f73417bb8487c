#include "gate.h"

#include "riposte/base/clock.h"
#include "riposte/observe/metrics.h"

#define SCHEME "https://"

static struct metric refusals = {.name = "riposte_admin_refused_total",
                                 .help = "Admin requests refused: unauthenticated, forbidden.",
                                 .type = METRIC_COUNTER,
                                 .labels = {"reason"}};

void gate_register(void) {
    metrics_register(&refusals, 1);
}

static bool refuse(struct request *request, unsigned status, const char *reason, struct text body,
                   const char *challenge) {
    metric_add(&refusals, 1, METRIC_LABELS(text_of(reason)));
    request_answer(request,
                   &(struct answer){.status = status, .body = body, .challenge = challenge});
    return false;
}

/* A page of somebody else may have a browser send whatever this server's own pages may: but it
 * says whose page it was. What comes from no page has no Origin. */
static bool is_foreign(const struct request *request) {
    struct text origin = request_header(request, "Origin");
    struct text host = request_header(request, "Host");
    if (request_header_count(request, "Origin") == 0) {
        return false;
    }
    struct text at = text_starts_with(origin, TEXT(SCHEME))
                         ? text_slice(origin, sizeof(SCHEME) - 1, origin.bytes)
                         : (struct text){NULL, 0};
    return host.bytes == 0 || !text_equal_ignoring_ascii_case(at, host);
}

static bool refuse_stranger(struct admin *admin, struct request *request) {
    if (strikes_add(admin->strikes, request_peer(request), clock_mono_ms(&clock_system))) {
        metric_add(&refusals, 1, METRIC_LABELS(TEXT("too many")));
        request_answer_busy(request, 429, "too many requests without a token that is known",
                            STRIKES_REFILL_MS / 1000);
        return false;
    }
    return refuse(request, 401, "unauthenticated",
                  TEXT("{\"error\":\"Authorization: Bearer TOKEN is missing or wrong\"}\n"),
                  "Bearer realm=\"riposte\"");
}

static bool gate(struct admin *admin, struct request *request, enum admin_role needed) {
    scoped(access_unref) struct access *access = admin_access(admin);
    struct text name = {NULL, 0};
    enum admin_role role = ADMIN_VIEW;
    if (text_equal(request_method(request), TEXT("POST")) && is_foreign(request)) {
        return refuse(request, 403, "origin",
                      TEXT("{\"error\":\"Origin: that page is not of this server\"}\n"), NULL);
    }
    if (access == NULL || !access_find(access, request, &name, &role)) {
        return refuse_stranger(admin, request);
    }
    if (role < needed) {
        return refuse(request, 403, "forbidden",
                      TEXT("{\"error\":\"this token's role may look, not act\"}\n"), NULL);
    }
    return true;
}

bool gate_view(void *arg, struct request *request) {
    return gate(arg, request, ADMIN_VIEW);
}

bool gate_operate(void *arg, struct request *request) {
    return gate(arg, request, ADMIN_OPERATE);
}

bool gate_who(struct admin *admin, const struct request *request, struct arena *arena,
              struct text *name_out, enum admin_role *role_out) {
    scoped(access_unref) struct access *access = admin_access(admin);
    struct text name = {NULL, 0};
    if (access == NULL || !access_find(access, request, &name, role_out)) {
        return false;
    }
    *name_out = arena_copy_text(arena, name);
    return true;
}

bool gate_actor(struct admin *admin, struct request *request, struct arena *arena,
                struct text *actor_out) {
    enum admin_role role = ADMIN_VIEW;
    if (!gate_who(admin, request, arena, actor_out, &role) || role < ADMIN_OPERATE) {
        request_answer_error(request, 401, "the token is no longer accepted");
        return false;
    }
    return true;
}
