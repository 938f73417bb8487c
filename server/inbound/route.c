#include "riposte/inbound/route.h"

enum fit { FIT_NOT, FIT_PREFIX, FIT_EXACT };

static enum fit path_fit(const struct route *route, struct text path) {
    struct text pattern = text_of(route->path);
    if (text_equal(pattern, path)) {
        return FIT_EXACT;
    }
    if (!text_ends_with(pattern, TEXT("*"))) {
        return FIT_NOT;
    }
    return text_starts_with(path, text_slice(pattern, 0, pattern.bytes - 1)) ? FIT_PREFIX : FIT_NOT;
}

static bool method_fits(const struct route *route, struct text method) {
    return text_equal_string(method, route->method) ||
           (text_equal(method, TEXT("HEAD")) && text_equal(text_of(route->method), TEXT("GET")));
}

/* An exact path hides prefixes also when its methods don't fit: they are other resources. */
static enum fit best_fit(const struct route *routes, size_t count, struct text path) {
    enum fit best = FIT_NOT;
    for (size_t i = 0; i < count; i++) {
        enum fit fit = path_fit(&routes[i], path);
        best = fit > best ? fit : best;
    }
    return best;
}

const struct route *route_find(const struct route *routes, size_t count, struct text method,
                               struct text path, bool *is_path_known_out) {
    enum fit best = best_fit(routes, count, path);
    *is_path_known_out = best != FIT_NOT;
    for (size_t i = 0; best != FIT_NOT && i < count; i++) {
        if (path_fit(&routes[i], path) == best && method_fits(&routes[i], method)) {
            return &routes[i];
        }
    }
    return NULL;
}

static void append_method(struct buffer *out, const char *method) {
    if (out->bytes > 0) {
        buffer_append_string(out, ", ");
    }
    buffer_append_string(out, method);
}

void route_allow(const struct route *routes, size_t count, struct text path, struct buffer *out) {
    enum fit best = best_fit(routes, count, path);
    for (size_t i = 0; best != FIT_NOT && i < count; i++) {
        if (path_fit(&routes[i], path) == best) {
            append_method(out, routes[i].method);
            if (text_equal(text_of(routes[i].method), TEXT("GET"))) {
                append_method(out, "HEAD");
            }
        }
    }
}
