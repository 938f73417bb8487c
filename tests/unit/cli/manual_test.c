#include "riposte/cli/manual.h"

#include "testing.h"

#include "riposte/cli/completion.h"

static const struct troff_case {
    const char *name, *text, *filled, *kept;
} troff_cases[] = {
    {"words", "a b\nc", "a b c\n", "a b\nc\n"},
    {"nothing", "", "\n", ""},
    {"options", "--yes", "\\-\\-yes\n", "\\-\\-yes\n"},
    {"escapes and quotes", "it's \\n ^~", "it\\(aqs \\en \\(ha\\(ti\n",
     "it\\(aqs \\en \\(ha\\(ti\n"},
    {"a request that is none", ".TH x\n.SH", "\\&.TH x .SH\n", "\\&.TH x\n\\&.SH\n"},
    {"a quote as request", "'br", "\\(aqbr\n", "\\(aqbr\n"},
};

static void test_nothing_in_a_text_is_a_command_of_troff(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(troff_cases); i++) {
        testing_row(troff_cases[i].name);
        scoped(buffer_done) struct buffer filled = BUFFER_INIT, kept = BUFFER_INIT;
        manual_fill(&filled, troff_cases[i].text);
        manual_append(&kept, troff_cases[i].text);
        assert_text_equal(buffer_text(&filled), troff_cases[i].filled);
        assert_text_equal(buffer_text(&kept), troff_cases[i].kept);
    }
    testing_row(NULL);
}

static void test_long_lines_are_broken_where_words_end(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer text = BUFFER_INIT, filled = BUFFER_INIT;
    for (int i = 0; i < 40; i++) {
        buffer_append_string(&text, ".word ");
    }
    manual_fill(&filled, buffer_string(&text));
    struct text rest = buffer_text(&filled);
    struct text line;
    size_t lines = 0;
    for (; text_next_part(&rest, '\n', &line); lines++) {
        assert_true(line.bytes <= 78);
        assert_true(text_starts_with(line, TEXT("\\&.word")));
    }
    assert_int_equal(lines, 4);
}

static int run_nothing(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return 0;
}

static const struct command commands[] = {
    {"do", run_nothing, "[this [--all] | that ID|--all] [--to FILE | nobody]", "it's done: a\\b",
     NULL},
    {"help", run_nothing, "[COMMAND]", "says more", NULL},
};

static void test_completion_offers_each_word_once_where_it_may_stand(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer script = BUFFER_INIT;
    completion_bash(commands, ARRAY_COUNT(commands), &script);
    static const char *const parts[] = {
        "words=\" do help\"\n",
        " do:--to) words=\" nobody\" ;;\n",
        " do:*) words=\" this --all that --to\" ;;\n",
        " help:*) words=\" do help\" ;;\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        testing_row(parts[i]);
        assert_true(text_contains(buffer_text(&script), text_of(parts[i])));
    }
    testing_row(NULL);
}

static void test_completion_for_zsh_quotes_what_zsh_reads(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer script = BUFFER_INIT;
    completion_zsh(commands, ARRAY_COUNT(commands), &script);
    static const char *const parts[] = {
        "'do:it'\\''s done: a\\\\b'\n",
        " do) _arguments '--all' '--to:FILE:_files' '*:operand: _riposte_operand this that' ;;\n",
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        testing_row(parts[i]);
        assert_true(text_contains(buffer_text(&script), text_of(parts[i])));
    }
    testing_row(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_in_a_text_is_a_command_of_troff),
        cmocka_unit_test(test_long_lines_are_broken_where_words_end),
        cmocka_unit_test(test_completion_offers_each_word_once_where_it_may_stand),
        cmocka_unit_test(test_completion_for_zsh_quotes_what_zsh_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
