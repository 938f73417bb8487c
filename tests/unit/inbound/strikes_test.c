#include "riposte/inbound/strikes.h"

#include "testing.h"

static void test_a_bucket_of_failures(void **state) {
    (void)state;
    struct strikes *strikes = strikes_new();
    for (int i = 0; i < STRIKES_BURST; i++) {
        assert_false(strikes_add(strikes, TEXT("192.0.2.1"), 1000));
    }
    assert_true(strikes_add(strikes, TEXT("192.0.2.1"), 1000));
    assert_false(strikes_add(strikes, TEXT("192.0.2.2"), 1000));
    assert_true(strikes_add(strikes, TEXT("192.0.2.1"), 1000 + STRIKES_REFILL_MS - 1));
    assert_false(strikes_add(strikes, TEXT("192.0.2.1"), 1000 + STRIKES_REFILL_MS));
    assert_true(strikes_add(strikes, TEXT("192.0.2.1"), 1000 + STRIKES_REFILL_MS));
    for (int i = 0; i < STRIKES_BURST; i++) {
        assert_false(strikes_add(strikes, TEXT("192.0.2.1"), 10000000));
    }
    strikes_free(&strikes);
    assert_null(strikes);
}

static void test_an_ipv6_customer_is_a_network(void **state) {
    (void)state;
    struct strikes *strikes = strikes_new();
    for (int i = 0; i < STRIKES_BURST; i++) {
        assert_false(
            strikes_add(strikes, i % 2 == 0 ? TEXT("2001:db8::1") : TEXT("2001:db8::2"), 1000));
    }
    assert_true(strikes_add(strikes, TEXT("2001:db8::3:4"), 1000));
    assert_false(strikes_add(strikes, TEXT("2001:db8:0:1::1"), 1000));
    strikes_free(&strikes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bucket_of_failures),
        cmocka_unit_test(test_an_ipv6_customer_is_a_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
