#include "riposte/cli/usage.h"

#include "testing.h"

#include "riposte/base/buffer.h"

static void print_words(const char *arguments, struct buffer *out) {
    static const char *const kinds[] = {"option", "value", "word", "operand"};
    struct usage usage = usage_of(arguments);
    struct usage_word word;
    while (usage_next(&usage, &word)) {
        buffer_append_format(out, "%s %.*s%s%.*s|", kinds[word.kind], TEXT_ARG(word.text),
                             word.option.bytes > 0 ? " of " : "", TEXT_ARG(word.option));
    }
}

static const struct usage_case {
    const char *name, *arguments, *expected;
} usage_cases[] = {
    {"nothing", "", ""},
    {"brackets alone", "[ ]", ""},
    {"a flag", "[--yes]", "option --yes|"},
    {"a value", "[-c FILE]", "option -c|value FILE of -c|"},
    {"a value that is a word", "[--override protected]",
     "option --override|value protected of --override|"},
    {"values side by side", "[--account ID | member] [-c FILE]",
     "option --account|value ID of --account|value member of --account|option -c|value FILE of "
     "-c|"},
    {"what follows a value behind a space is none", "--rules FILE NAME",
     "option --rules|value FILE of --rules|operand NAME|"},
    {"a bracket ends what an option may take", "[list [--all] | show ID]",
     "word list|option --all|word show|operand ID|"},
    {"a bar behind a flag", "--all | ID", "option --all|operand ID|"},
    {"a flag behind a bar", "undo ID|--all [--yes]",
     "word undo|operand ID|option --all|option --yes|"},
    {"lines", "check [FILE] | backup FILE\n[-c FILE]",
     "word check|operand FILE|word backup|operand FILE|option -c|value FILE of -c|"},
    {"an optional value", "[--wait [TIME]]", "option --wait|operand TIME|"},
    {"several", "EVENT... [--url URL]", "operand EVENT...|option --url|value URL of --url|"},
};

static void test_arguments_are_words_of_four_kinds(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(usage_cases); i++) {
        testing_row(usage_cases[i].name);
        scoped(buffer_done) struct buffer words = BUFFER_INIT;
        print_words(usage_cases[i].arguments, &words);
        assert_text_equal(buffer_text(&words), usage_cases[i].expected);
    }
    testing_row(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments_are_words_of_four_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
