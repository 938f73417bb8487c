#include "operate/form.h"

#include "testing.h"

static const struct value_case {
    const char *name, *given, *value;
} cookie_cases[] = {
    {"alone", "key=abc", "abc"},
    {"among others", "a=1; key=abc; b=2", "abc"},
    {"with spaces around", "a=1;  key = abc ;b", "abc"},
    {"with an equals sign in it", "key=a=b", "a=b"},
    {"absent", "a=1", ""},
    {"no header", "", ""},
    {"another's end", "mykey=abc", ""},
    {"another's beginning", "key2=abc", ""},
    {"without a value", "key", ""},
    {"empty", "key=", ""},
    {"twice: nobody knows which is ours", "key=abc; key=def", ""},
    {"in another case", "KEY=abc", ""},
};

static const struct value_case form_cases[] = {
    {"alone", "key=abc", "abc"},
    {"among others", "a=1&key=abc&b=2", "abc"},
    {"the first of two", "key=abc&key=def", "abc"},
    {"spaces", "key=a+b%20c", "a b c"},
    {"a plus", "key=a%2Bb", "a+b"},
    {"any bytes", "key=%00%ff%3C", NULL},
    {"an encoded name", "%6Bey=abc", "abc"},
    {"empty", "key=", ""},
    {"without a value", "key&a=1", ""},
    {"absent", "a=key", ""},
    {"nothing", "", ""},
    {"a broken escape", "key=%2", ""},
    {"another escape", "key=%zz", ""},
    {"a broken one before it", "%=1&key=abc", "abc"},
    {"separators in a value", "key=a%26b%3Dc", "a&b=c"},
};

static void cookies_are_found_by_name(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cookie_cases); i++) {
        testing_row(cookie_cases[i].name);
        assert_text_equal(cookie_value(text_of(cookie_cases[i].given), TEXT("key")),
                          cookie_cases[i].value);
    }
}

static void fields_are_found_and_decoded(void **state) {
    (void)state;
    scoped(arena_free) struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_COUNT(form_cases); i++) {
        struct text value = form_value(text_of(form_cases[i].given), TEXT("key"), arena);
        testing_row(form_cases[i].name);
        if (form_cases[i].value == NULL) {
            assert_true(text_equal(value, TEXT("\0\xff<")));
        } else {
            assert_text_equal(value, form_cases[i].value);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cookies_are_found_by_name),
        cmocka_unit_test(fields_are_found_and_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
