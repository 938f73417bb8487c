/* As much of cmocka as the tests of the library's layers use: for a processor that cmocka isn't
 * installed for, where they run in an emulator. A failed assertion ends its test.
 *
 * Ownership:  nothing.
 * Threads:    one. */
#ifndef RIPOSTE_TESTS_CROSS_CMOCKA_H
#define RIPOSTE_TESTS_CROSS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test_fn)(void **state);
    int (*set_up_fn)(void **state), (*tear_down_fn)(void **state);
};

#define cmocka_unit_test(test_fn) \
    { #test_fn, test_fn, NULL, NULL }
#define cmocka_unit_test_setup_teardown(test_fn, set_up_fn, tear_down_fn) \
    { #test_fn, test_fn, set_up_fn, tear_down_fn }
#define cmocka_run_group_tests(tests, set_up_fn, tear_down_fn) \
    cross_run_tests((tests), sizeof(tests) / sizeof((tests)[0]), (set_up_fn), (tear_down_fn))

static jmp_buf cross_failed;

__attribute__((format(printf, 1, 2))) static inline void print_error(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
}

__attribute__((noreturn)) static inline void _fail(const char *file, int line) {
    print_error("%s:%d: failed\n", file, line);
    longjmp(cross_failed, 1);
}

static inline void cross_assert_equal(uintmax_t a, uintmax_t b, const char *file, int line) {
    if (a != b) {
        print_error("%#jx != %#jx\n", a, b);
        _fail(file, line);
    }
}

static inline void cross_assert(int is_so, const char *what, const char *file, int line) {
    if (!is_so) {
        print_error("not so: %s\n", what);
        _fail(file, line);
    }
}

#define fail()                 _fail(__FILE__, __LINE__)
#define fail_msg(...)          (print_error(__VA_ARGS__), print_error("\n"), fail())
#define assert_true(value)     cross_assert((value) ? 1 : 0, #value, __FILE__, __LINE__)
#define assert_false(value)    cross_assert((value) ? 0 : 1, "not " #value, __FILE__, __LINE__)
#define assert_null(value)     assert_true((value) == NULL)
#define assert_non_null(value) assert_true((value) != NULL)
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))
#define assert_int_equal(a, b) \
    cross_assert_equal((uintmax_t)(a), (uintmax_t)(b), __FILE__, __LINE__)
#define assert_string_equal(a, b)        assert_true(strcmp((a), (b)) == 0)
#define assert_memory_equal(a, b, bytes) assert_true(memcmp((a), (b), (bytes)) == 0)

/* False when it failed. */
static inline int cross_run_test(const struct CMUnitTest *test, void *state) {
    if (setjmp(cross_failed) != 0) {
        print_error("%s failed\n", test->name);
        return 0;
    }
    if (test->set_up_fn != NULL) {
        assert_int_equal(test->set_up_fn(&state), 0);
    }
    test->test_fn(&state);
    if (test->tear_down_fn != NULL) {
        assert_int_equal(test->tear_down_fn(&state), 0);
    }
    return 1;
}

static inline int cross_run_tests(const struct CMUnitTest *tests, size_t count,
                                  int (*set_up_fn)(void **state),
                                  int (*tear_down_fn)(void **state)) {
    void *state = NULL;
    int failed = 0;
    if (set_up_fn != NULL && set_up_fn(&state) != 0) {
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        failed += !cross_run_test(&tests[i], state);
    }
    if (tear_down_fn != NULL && tear_down_fn(&state) != 0) {
        failed++;
    }
    (void)printf("%zu tests, %d failed\n", count, failed);
    return failed;
}

#endif
