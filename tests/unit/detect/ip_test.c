#include "testing.h"

#include "riposte/detect/ip.h"

static const struct literal_case {
    const char *text;
    const char *same_as; /* NULL: no IP literal */
} literal_cases[] = {
    {"10.0.0.1", "010.0.0.01"},
    {"::ffff:a00:1", "10.0.0.1"},
    {"::1", "0:0:0:0:0:0:0:1"},
    {"2001:DB8::1", "2001:db8:0::1"},
    {"::", "0:0:0:0:0:0:0:0"},
    {"1::", "1:0:0:0:0:0:0:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"2001:00000db8::", "2001:db8::"},
    {"::ffff:10.0.0.1", NULL},
    {"999.1.2.3", NULL},
    {"1.2.3", NULL},
    {"1.2.3.4.5", NULL},
    {"1..3.4", NULL},
    {" 10.0.0.1", NULL},
    {"10.0.0.1/32", NULL},
    {"12:34", NULL},
    {":", NULL},
    {":::", NULL},
    {":1::", NULL},
    {"1::2::3", NULL},
    {"1:2:3:4:5:6:7:8:", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"::1:2:3:4:5:6:7:8", NULL},
    {"12345::", NULL},
    {"fe80::1%eth0", NULL},
    {"", NULL},
};

static void test_literals(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(literal_cases); i++) {
        const struct literal_case *each = &literal_cases[i];
        struct ip ip, other;
        testing_row(each->text);
        bool is_ip = ip_parse(text_of(each->text), &ip);
        bool is_as_expected = is_ip == (each->same_as != NULL) &&
                              (!is_ip ||
                               (ip_parse(text_of(each->same_as), &other) && ip_equal(&ip, &other)));
        if (!is_as_expected) {
            testing_say_row();
            fail();
        }
    }
}

static const struct range_case {
    const char *range, *ip;
    bool contains;
} range_cases[] = {
    {"10.0.0.0/8", "10.255.255.255", true},     {"10.1.2.3/8", "10.0.0.0", true},
    {"10.0.0.0/8", "11.0.0.0", false},          {"10.0.0.0/31", "10.0.0.1", true},
    {"10.0.0.0/31", "10.0.0.2", false},         {"0.0.0.0/0", "255.1.2.3", true},
    {"0.0.0.0/0", "2001:db8::1", false},        {"::/0", "10.0.0.1", false},
    {"2001:db8::/33", "2001:db8:7fff::", true}, {"2001:db8::/33", "2001:db8:8000::", false},
    {"10.0.0.0/08", "10.1.1.1", true},          {"10.0.0.0/+8", "10.1.1.1", true},
    {"10.0.0.0/8/", "10.1.1.1", true},          {"::ffff:a00:0/8", "10.1.1.1", true},
};

static void test_ranges(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(range_cases); i++) {
        const struct range_case *each = &range_cases[i];
        struct ip_range range;
        struct ip ip;
        const char *reason = NULL;
        testing_row(each->range);
        if (!ip_range_parse(text_of(each->range), &range, &reason) ||
            !ip_parse(text_of(each->ip), &ip) || ip_range_contains(&range, &ip) != each->contains) {
            testing_say_row();
            fail();
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_ranges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
