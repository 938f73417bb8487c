#include "riposte/observe/trace.h"

#include "testing.h"

#define ID   "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static const struct {
    const char *name, *header, *id; /* id NULL: none */
} parents[] = {
    {"the specification's example", "00-" ID "-" SPAN "-01", ID},
    {"not sampled", "00-" ID "-" SPAN "-00", ID},
    {"a later version with more", "cc-" ID "-" SPAN "-01-what-comes", ID},
    {"a later version without", "01-" ID "-" SPAN "-09", ID},
    {"nothing", "", NULL},
    {"more in version 00", "00-" ID "-" SPAN "-01-x", NULL},
    {"more without a dash", "cc-" ID "-" SPAN "-01x", NULL},
    {"the version that is none", "ff-" ID "-" SPAN "-01", NULL},
    {"an id of zeros", "00-00000000000000000000000000000000-" SPAN "-01", NULL},
    {"a parent of zeros", "00-" ID "-0000000000000000-01", NULL},
    {"upper case", "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", NULL},
    {"no digit", "00-4bf92f3577b34da6a3ce929d0e0e473g-" SPAN "-01", NULL},
    {"too short", "00-" ID "-" SPAN "-0", NULL},
    {"other separators", "00_" ID "_" SPAN "_01", NULL},
    {"a quote in the flags", "00-" ID "-" SPAN "-\"}", NULL},
    {"two in one", "00-" ID "-" SPAN "-01,00-" ID "-" SPAN "-01", NULL},
};

static const struct {
    const char *name, *header, *id;
} amazons[] = {
    {"a root alone", "Root=1-67891233-abcdef012345678912345678",
     "67891233abcdef012345678912345678"},
    {"with parent and sampling",
     "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
     "5759e988bd862e3fe1be46a994272793"},
    {"a load balancer's, in between",
     "Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678",
     "67891233abcdef012345678912345678"},
    {"blanks around", "Sampled=0; Root=1-67891233-abcdef012345678912345678 ",
     "67891233abcdef012345678912345678"},
    {"nothing", "", NULL},
    {"no root", "Parent=53995c3f42cd8ad8;Sampled=1", NULL},
    {"another version", "Root=2-67891233-abcdef012345678912345678", NULL},
    {"too short", "Root=1-67891233-abcdef01234567891234567", NULL},
    {"too long", "Root=1-67891233-abcdef0123456789123456789", NULL},
    {"no digits", "Root=1-67891233-abcdef0123456789\n234567\"", NULL},
    {"zeros", "Root=1-00000000-000000000000000000000000", NULL},
    {"the first root counts", "Root=x;Root=1-67891233-abcdef012345678912345678", NULL},
};

static void check(const char *name, bool is_one, const struct trace *trace, const char *expected) {
    if (is_one != (expected != NULL) ||
        (is_one && !text_equal_string(trace_text(trace), expected))) {
        fail_msg("%s: got '%s'", name, is_one ? trace->text : "none");
    }
}

static void test_a_traceparent(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(parents); i++) {
        struct trace trace = {{0}};
        bool is_one = trace_from_parent(text_of(parents[i].header), &trace);
        check(parents[i].name, is_one, &trace, parents[i].id);
    }
}

static void test_amazons_header(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(amazons); i++) {
        struct trace trace = {{0}};
        bool is_one = trace_from_amazon(text_of(amazons[i].header), &trace);
        check(amazons[i].name, is_one, &trace, amazons[i].id);
    }
}

static void test_what_is_made_can_be_read(void **state) {
    (void)state;
    static const uint8_t random[TRACE_ID_BYTES] = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6,
                                                   0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36};
    struct trace made = trace_make(random);
    assert_string_equal(made.text, ID);
    char parent[TRACE_PARENT_BYTES];
    trace_parent(&made, 0, parent);
    assert_string_equal(parent, "00-" ID "-0000000000000001-01");
    trace_parent(&made, UINT64_MAX, parent);
    assert_string_equal(parent, "00-" ID "-ffffffffffffffff-01");
    struct trace read = {{0}};
    assert_true(trace_from_parent(text_of(parent), &read));
    assert_string_equal(read.text, made.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_traceparent),
        cmocka_unit_test(test_amazons_header),
        cmocka_unit_test(test_what_is_made_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
