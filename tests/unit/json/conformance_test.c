/* What is JSON and what isn't, for the scanner and the tree alike. */
#include "riposte/json/scanner.h"
#include "riposte/json/tree.h"

#include "testing.h"

#define TEXT_ROW(literal) literal, sizeof(literal) - 1

static const struct text_case {
    bool is_valid;
    const char *name;
    const char *data;
    size_t bytes;
} text_cases[] = {
    {true, "an empty array", TEXT_ROW("[]")},
    {true, "an empty object", TEXT_ROW("{}")},
    {true, "white space of all four kinds", TEXT_ROW(" \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2]\n")},
    {true, "a lone string", TEXT_ROW("\"x\"")},
    {true, "a lone literal", TEXT_ROW("null")},
    {true, "all literals", TEXT_ROW("[true,false,null]")},
    {true, "duplicate keys", TEXT_ROW("{\"a\":1,\"a\":1}")},
    {true, "an empty key", TEXT_ROW("{\"\":0}")},
    {true, "an escaped NUL in a key", TEXT_ROW("{\"a\\u0000b\":0}")},
    {true, "zero", TEXT_ROW("0")},
    {true, "minus zero", TEXT_ROW("-0")},
    {true, "a fraction", TEXT_ROW("-0.10")},
    {true, "exponents", TEXT_ROW("[1e5,1E5,1e+5,1e-5,1.5e05,0e1,0E+0]")},
    {true, "a huge exponent", TEXT_ROW("1e999999999999999999999")},
    {true, "a long integer", TEXT_ROW("123456789012345678901234567890")},
    {true, "every short escape", TEXT_ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"")},
    {true, "hexadecimal digits in both cases", TEXT_ROW("\"\\u00aF\\uAbCd\"")},
    {true, "an escaped pair", TEXT_ROW("\"\\uD834\\uDd1e\"")},
    {true, "two escaped pairs", TEXT_ROW("\"\\ud83d\\ude00\\ud83d\\ude00\"")},
    {true, "escaped noncharacters", TEXT_ROW("\"\\uFFFF\\uFDD0\\uDBFF\\uDFFF\"")},
    {true, "DEL is no control character", TEXT_ROW("\"\x7F\"")},
    {true, "UTF-8 of two, three, four bytes", TEXT_ROW("\"\xC2\x80\xE2\x82\xAC\xF4\x8F\xBF\xBF\"")},
    {true, "the line separators", TEXT_ROW("\"\xE2\x80\xA8\xE2\x80\xA9\"")},
    {true, "a byte order mark in a string", TEXT_ROW("\"\xEF\xBB\xBF\"")},
    {true, "around surrogates", TEXT_ROW("\"\xED\x9F\xBF\xEE\x80\x80\"")},
    {true, "an escaped backslash at the end", TEXT_ROW("\"\\\\\"")},
    {true, "a long plain string", TEXT_ROW("\"0123456789abcdef0123456789abcdef\"")},
    {true, "comment signs in a string", TEXT_ROW("\"/* // */\"")},

    {false, "nothing", TEXT_ROW("")},
    {false, "white space", TEXT_ROW(" ")},
    {false, "a NUL", TEXT_ROW("\0")},
    {false, "a NUL behind the value", TEXT_ROW("1\0")},
    {false, "a NUL between tokens", TEXT_ROW("[1,\0 2]")},
    {false, "other white space: form feed", TEXT_ROW("[\f]")},
    {false, "other white space: vertical tab", TEXT_ROW("[\v1]")},
    {false, "other white space: no-break space", TEXT_ROW("[\xC2\xA0]")},
    {false, "other white space: U+2060", TEXT_ROW("[\xE2\x81\xA0]")},
    {false, "a byte order mark", TEXT_ROW("\xEF\xBB\xBF{}")},
    {false, "UTF-16", TEXT_ROW("\xFF\xFE{\0}\0")},
    {false, "a number behind a value", TEXT_ROW("1 2")},
    {false, "a bracket behind a value", TEXT_ROW("[]]")},
    {false, "a brace behind a value", TEXT_ROW("{}}")},
    {false, "a comma behind a value", TEXT_ROW("[],")},
    {false, "rubbish behind a value", TEXT_ROW("{}#")},
    {false, "an open array", TEXT_ROW("[")},
    {false, "an open object", TEXT_ROW("{")},
    {false, "a key alone", TEXT_ROW("{\"a\"")},
    {false, "a key and a colon", TEXT_ROW("{\"a\":")},
    {false, "a member without end", TEXT_ROW("{\"a\":1")},
    {false, "a member and a comma", TEXT_ROW("{\"a\":1,")},
    {false, "a wrong bracket", TEXT_ROW("[1}")},
    {false, "a wrong brace", TEXT_ROW("{\"a\":1]")},
    {false, "a bracket alone", TEXT_ROW("]")},
    {false, "a trailing comma in an array", TEXT_ROW("[1,]")},
    {false, "a trailing comma in an object", TEXT_ROW("{\"a\":1,}")},
    {false, "a leading comma", TEXT_ROW("[,1]")},
    {false, "a lone comma", TEXT_ROW("[,]")},
    {false, "two commas", TEXT_ROW("[1,,2]")},
    {false, "two commas in an object", TEXT_ROW("{\"a\":1,,\"b\":2}")},
    {false, "no comma", TEXT_ROW("[1 2]")},
    {false, "no comma in an object", TEXT_ROW("{\"a\":1 \"b\":2}")},
    {false, "no colon", TEXT_ROW("{\"a\" 1}")},
    {false, "two colons", TEXT_ROW("{\"a\"::1}")},
    {false, "a comma for a colon", TEXT_ROW("{\"a\",1}")},
    {false, "a colon in an array", TEXT_ROW("[\"a\":1]")},
    {false, "a number as key", TEXT_ROW("{1:1}")},
    {false, "a word as key", TEXT_ROW("{a:1}")},
    {false, "an object as key", TEXT_ROW("{{}:1}")},
    {false, "single quotes", TEXT_ROW("{'a':1}")},
    {false, "a value without key", TEXT_ROW("{\"a\":1,2}")},
    {false, "a comment", TEXT_ROW("[1/*x*/]")},
    {false, "a line comment", TEXT_ROW("[1] // x")},

    {false, "a capital literal", TEXT_ROW("True")},
    {false, "a cut literal", TEXT_ROW("nul")},
    {false, "a literal and a letter", TEXT_ROW("[nullx]")},
    {false, "literals run together", TEXT_ROW("[truefalse]")},
    {false, "undefined", TEXT_ROW("undefined")},
    {false, "NaN", TEXT_ROW("NaN")},
    {false, "Infinity", TEXT_ROW("Infinity")},
    {false, "-Infinity", TEXT_ROW("-Infinity")},

    {false, "a leading plus", TEXT_ROW("+1")},
    {false, "a leading point", TEXT_ROW(".5")},
    {false, "a minus alone", TEXT_ROW("-")},
    {false, "a minus and a space", TEXT_ROW("- 1")},
    {false, "two minuses", TEXT_ROW("--1")},
    {false, "minus point", TEXT_ROW("-.5")},
    {false, "leading zeros", TEXT_ROW("01")},
    {false, "leading zeros behind a minus", TEXT_ROW("-012")},
    {false, "two zeros", TEXT_ROW("00")},
    {false, "a point at the end", TEXT_ROW("1.")},
    {false, "a point before the exponent", TEXT_ROW("1.e5")},
    {false, "two points", TEXT_ROW("1.2.3")},
    {false, "an exponent without digits", TEXT_ROW("1e")},
    {false, "an exponent with a sign only", TEXT_ROW("1e+")},
    {false, "two exponents", TEXT_ROW("1e5e5")},
    {false, "a fraction in the exponent", TEXT_ROW("1e5.5")},
    {false, "hexadecimal", TEXT_ROW("0x1F")},
    {false, "a digit and a letter", TEXT_ROW("1a")},
    {false, "a full-width digit", TEXT_ROW("\xEF\xBC\x91")},

    {false, "a quote alone", TEXT_ROW("\"")},
    {false, "a string without end", TEXT_ROW("\"abc")},
    {false, "a backslash at the end", TEXT_ROW("\"\\")},
    {false, "an escaped quote at the end", TEXT_ROW("\"\\\"")},
    {false, "an unknown escape", TEXT_ROW("\"\\a\"")},
    {false, "a capital escape", TEXT_ROW("\"\\N\"")},
    {false, "an escaped single quote", TEXT_ROW("\"\\'\"")},
    {false, "\\x", TEXT_ROW("\"\\x41\"")},
    {false, "\\u alone", TEXT_ROW("\"\\u\"")},
    {false, "\\u with three digits", TEXT_ROW("\"\\u004\"")},
    {false, "\\u with a letter", TEXT_ROW("\"\\u00g0\"")},
    {false, "\\u with a sign", TEXT_ROW("\"\\u+041\"")},
    {false, "\\u cut off", TEXT_ROW("\"\\u00")},
    {false, "\\U", TEXT_ROW("\"\\U0041\"")},
    {true, "a lone high surrogate", TEXT_ROW("\"\\ud83d\"")},
    {true, "a lone low surrogate", TEXT_ROW("\"\\ude00\"")},
    {true, "surrogates the wrong way round", TEXT_ROW("\"\\ude00\\ud83d\"")},
    {true, "two high surrogates", TEXT_ROW("\"\\ud83d\\ud83d\"")},
    {true, "two high and a low", TEXT_ROW("\"\\ud83d\\ud83d\\ude00\"")},
    {true, "a high surrogate and a character", TEXT_ROW("\"\\ud83d\\u0041\"")},
    {true, "a high surrogate and a short escape", TEXT_ROW("\"\\ud83d\\n\"")},
    {false, "a high surrogate and half an escape", TEXT_ROW("\"\\ud83d\\u\"")},
    {true, "a lone surrogate in a key", TEXT_ROW("{\"\\ud800\":1}")},
    {false, "a line break in a string", TEXT_ROW("\"a\nb\"")},
    {false, "a tab in a string", TEXT_ROW("\"a\tb\"")},
    {false, "a NUL in a string", TEXT_ROW("\"a\0b\"")},
    {false, "U+001F in a string", TEXT_ROW("\"\x1F\"")},
    {false, "a control character far into a string", TEXT_ROW("\"0123456789abcde\x01\"")},
    {false, "a control character in a key", TEXT_ROW("{\"a\x01\":1}")},
    {true, "an escape far into a string", TEXT_ROW("\"0123456789abcde\\n\"")},
    {false, "an unknown escape far into a string", TEXT_ROW("\"0123456789abcde\\a\"")},
    {false, "a quote far into a string", TEXT_ROW("\"0123456789a\"cdef\"")},
    {false, "a lone continuation byte", TEXT_ROW("\"\x80\"")},
    {false, "a cut character", TEXT_ROW("\"\xC3\"")},
    {false, "a cut character of three bytes", TEXT_ROW("\"\xE2\x82\"")},
    {false, "a cut character of four bytes", TEXT_ROW("\"\xF0\x9F\x98\"")},
    {false, "a cut character at the end of the text", TEXT_ROW("\"\xF0\x9F")},
    {false, "overlong in two bytes", TEXT_ROW("\"\xC0\xAF\"")},
    {false, "overlong in three bytes", TEXT_ROW("\"\xE0\x80\xAF\"")},
    {false, "overlong in four bytes", TEXT_ROW("\"\xF0\x80\x80\xAF\"")},
    {false, "a surrogate in UTF-8", TEXT_ROW("\"\xED\xA0\x80\"")},
    {false, "a pair of surrogates in UTF-8", TEXT_ROW("\"\xED\xA0\xBD\xED\xB8\x80\"")},
    {false, "above U+10FFFF", TEXT_ROW("\"\xF4\x90\x80\x80\"")},
    {false, "a byte that UTF-8 never has", TEXT_ROW("\"\xFF\"")},
    {false, "Latin-1", TEXT_ROW("\"caf\xE9\"")},
    {false, "not UTF-8 in a key", TEXT_ROW("{\"\xE9\":1}")},
    {false, "not UTF-8 far into a string", TEXT_ROW("\"0123456789abcde\xE9\"")},
};

static bool take_leaf(void *arg, const struct json_leaf *leaf, struct error *error) {
    (void)arg;
    (void)leaf;
    (void)error;
    return true;
}

static void check(const struct text_case *row, bool is_ok, const struct error *error) {
    testing_row(row->name);
    if (row->is_valid) {
        assert_ok(is_ok, error);
    } else {
        assert_fails(is_ok, error, ERROR_INVALID, "");
    }
}

static void test_the_tree_takes_json_only(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(text_cases); i++) {
        const struct text_case *row = &text_cases[i];
        scoped(arena_free) struct arena *arena = arena_new();
        struct error error = {0};
        const struct json *root = NULL;
        bool is_ok = json_parse((struct text){row->data, row->bytes}, 0, arena, &root, NULL,
                                &error);
        check(row, is_ok, &error);
    }
}

/* As a member that was asked for, and as one that was not. */
static void test_the_scanner_takes_json_only(void **state) {
    (void)state;
    static const char *const keys[] = {"{\"a\":", "{\"b\":"};
    scoped(json_paths_free) struct json_paths *paths = json_paths_new();
    scoped(json_scratch_free) struct json_scratch *scratch = json_scratch_new();
    json_paths_add(paths, TEXT("a"), JSON_PATH_CONTAINERS);
    for (size_t i = 0; i < ARRAY_COUNT(text_cases) * ARRAY_COUNT(keys); i++) {
        const struct text_case *row = &text_cases[i / ARRAY_COUNT(keys)];
        scoped(buffer_done) struct buffer text = BUFFER_INIT;
        buffer_append_string(&text, keys[i % ARRAY_COUNT(keys)]);
        buffer_append(&text, row->data, row->bytes);
        buffer_append_char(&text, '}');
        struct error error = {0};
        check(row, json_scan(paths, scratch, buffer_text(&text), take_leaf, NULL, &error), &error);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_tree_takes_json_only),
        cmocka_unit_test(test_the_scanner_takes_json_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
