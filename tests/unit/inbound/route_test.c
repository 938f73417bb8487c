#include "riposte/inbound/route.h"

#include "testing.h"

static const struct route routes[] = {
    {.method = "GET", .path = "/v1/incidents"},
    {.method = "GET", .path = "/v1/incidents/*"},
    {.method = "POST", .path = "/v1/incidents/*"},
    {.method = "POST", .path = "/v1/incidents/special"},
    {.method = "POST", .path = "/events"},
};

static void test_the_route_that_fits(void **state) {
    (void)state;
    static const struct {
        const char *method, *path;
        int index; /* -1: none */
        bool is_known;
        const char *allow;
    } rows[] = {
        {"GET", "/v1/incidents", 0, true, "GET, HEAD"},
        {"HEAD", "/v1/incidents", 0, true, "GET, HEAD"},
        {"GET", "/v1/incidents/1", 1, true, "GET, HEAD, POST"},
        {"POST", "/v1/incidents/1/undo", 2, true, "GET, HEAD, POST"},
        {"POST", "/v1/incidents/special", 3, true, "POST"},
        {"GET", "/v1/incidents/special", -1, true, "POST"},
        {"POST", "/events", 4, true, "POST"},
        {"HEAD", "/events", -1, true, "POST"},
        {"post", "/events", -1, true, "POST"},
        {"POST", "/events/", -1, false, ""},
        {"POST", "/Events", -1, false, ""},
        {"GET", "", -1, false, ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        testing_row(rows[i].path);
        bool is_known = !rows[i].is_known;
        const struct route *found = route_find(routes, ARRAY_COUNT(routes), text_of(rows[i].method),
                                               text_of(rows[i].path), &is_known);
        assert_int_equal(found == NULL ? -1 : (int)(found - routes), rows[i].index);
        assert_int_equal(is_known, rows[i].is_known);
        struct buffer allow = BUFFER_INIT;
        route_allow(routes, ARRAY_COUNT(routes), text_of(rows[i].path), &allow);
        assert_text_equal(buffer_text(&allow), rows[i].allow);
        buffer_done(&allow);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_route_that_fits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
