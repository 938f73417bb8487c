/* Every kernel finds the same tokens and the same faults as the portable one. */
#include "testing.h"

#include "../../../server/json/index.h"

#define LONG_BYTES (3 * INDEX_PIECE_BYTES + 17)

/* All tokens of a text, by the chosen kernel, taken `step` at a time. */
static bool read_tokens(struct text text, size_t step, struct buffer *out) {
    struct json_index index;
    json_index_init(&index);
    json_index_start(&index, text);
    buffer_clear(out);
    for (json_index_more(&index, step); index.at < index.count; json_index_more(&index, step)) {
        for (size_t i = 0; i < step && index.at < index.count; i++) {
            assert_int_equal(index.firsts[index.at], (uint8_t)text.data[index.tokens[index.at]]);
            buffer_append(out, &index.tokens[index.at++], sizeof(uint32_t));
        }
    }
    bool is_good = !index.carry.has_error;
    json_index_done(&index);
    return is_good;
}

static size_t kernel_count(void) {
    size_t count = 0;
    while (json_index_kernel_name(count) != NULL) {
        count++;
    }
    return count;
}

static void check_kernels(struct text text) {
    struct buffer expected = BUFFER_INIT, tokens = BUFFER_INIT;
    size_t portable = kernel_count() - 1;
    json_index_choose_kernel(portable);
    bool is_good = read_tokens(text, 1, &expected);
    for (size_t kernel = 0; kernel < portable; kernel++) {
        json_index_choose_kernel(kernel);
        testing_row(json_index_kernel_name(kernel));
        bool is_as_good = read_tokens(text, 4, &tokens);
        if (is_good != is_as_good ||
            (is_good && !text_equal(buffer_text(&expected), buffer_text(&tokens)))) {
            testing_say_row();
            print_error("%.*s\n", TEXT_ARG(text));
            fail();
        }
    }
    json_index_choose_kernel(0);
    buffer_done(&expected);
    buffer_done(&tokens);
}

static void test_tokens(void **state) {
    static const uint32_t expected[] = {0, 1, 4, 6, 10, 11, 12, 16, 17};
    struct buffer tokens = BUFFER_INIT;
    (void)state;
    assert_true(read_tokens(TEXT("{\"a\": \"\\\"\",[true]} "), 4, &tokens));
    assert_int_equal(tokens.bytes, sizeof(expected));
    assert_memory_equal(tokens.data, expected, sizeof(expected));
    buffer_done(&tokens);
}

/* From a small alphabet, so that quotes, backslashes and pieces of UTF-8 meet in every way. */
static void test_kernels_agree(void **state) {
    static const char *const parts[] = {
        "\"",
        "\"",
        "\\",
        "\\\\",
        "\\\"",
        "\\u00e9",
        "\\ud8",
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        " ",
        "\n",
        "1.5e3",
        "true",
        "abc def",
        "\x01",
        "\x7f",
        "\xc3\xa9",
        "\xe2\x82\xac",
        "\xf0\x9f\x98\x80",
        "\xed\xa0\x80",
        "\xc0\x80",
        "\xe2",
        "\x82",
        "\xf4\x90",
        "\xf4\x8f\xbf\xbf",
        "\x0c",
        "\x1a",
        "/",
    };
    uint64_t seed = 88172645463325252u;
    struct buffer text = BUFFER_INIT;
    (void)state;
    for (int round = 0; round < 6000; round++) {
        buffer_clear(&text);
        size_t bytes = round % 3 == 0 ? 300 : round % 3 == 1 ? 70 : 129;
        size_t choice = round % 2 == 0 ? 18 : ARRAY_COUNT(parts); /* half of them mostly good */
        while (text.bytes < bytes) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            buffer_append_string(&text, parts[seed % choice]);
        }
        check_kernels(buffer_text(&text));
    }
    buffer_done(&text);
}

/* Of 64 bytes so many are tokens, up to all of them. */
static void test_dense_tokens(void **state) {
    struct buffer text = BUFFER_INIT;
    (void)state;
    for (size_t dense = 0; dense <= 64; dense++) {
        buffer_clear(&text);
        for (size_t i = 0; i < 200; i++) {
            buffer_append_char(&text, i % 64 < dense ? "[]:,{}"[i % 6] : ' ');
        }
        check_kernels(buffer_text(&text));
    }
    buffer_done(&text);
}

static void test_pieces(void **state) {
    struct buffer text = BUFFER_INIT, tokens = BUFFER_INIT;
    (void)state;
    for (size_t shift = 0; shift < 70; shift++) {
        buffer_clear(&text);
        for (size_t i = 0; i < shift; i++) {
            buffer_append_char(&text, ' ');
        }
        while (text.bytes < LONG_BYTES) {
            buffer_append_string(&text, "{\"k\\\\\":[\"\xe2\x82\xac\\u20ac\",1,true]},");
        }
        check_kernels(buffer_text(&text));
    }
    buffer_clear(&text);
    buffer_append_char(&text, '"');
    while (text.bytes < LONG_BYTES) {
        buffer_append_string(&text, "long ");
    }
    assert_false(read_tokens(buffer_text(&text), 1, &tokens)); /* without an end */
    buffer_append_char(&text, '"');
    check_kernels(buffer_text(&text));
    assert_true(read_tokens(buffer_text(&text), 1, &tokens));
    assert_int_equal(tokens.bytes, sizeof(uint32_t));
    buffer_done(&text);
    buffer_done(&tokens);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_kernels_agree),
        cmocka_unit_test(test_dense_tokens),
        cmocka_unit_test(test_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
