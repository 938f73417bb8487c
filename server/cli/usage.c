#include "riposte/cli/usage.h"

struct usage usage_of(const char *arguments) {
    return (struct usage){.rest = text_of(arguments)};
}

bool usage_is_placeholder(struct text word) {
    return word.bytes > 0 && word.data[0] >= 'A' && word.data[0] <= 'Z';
}

static bool is_between(char c) {
    return c == ' ' || c == '\n' || c == '[' || c == ']' || c == '|';
}

/* What stands right behind an option is its value; what follows it behind a bar, another. */
static void skip_between(struct usage *usage) {
    bool has_bar = false;
    while (usage->rest.bytes > 0 && is_between(usage->rest.data[0])) {
        char c = usage->rest.data[0];
        if (c == '[' || c == ']') {
            usage->option = TEXT("");
        }
        has_bar = has_bar || c == '|';
        usage->rest = text_slice(usage->rest, 1, usage->rest.bytes);
    }
    if (has_bar != usage->has_value) {
        usage->option = TEXT("");
    }
}

static struct text take_word(struct usage *usage) {
    size_t bytes = 0;
    while (bytes < usage->rest.bytes && !is_between(usage->rest.data[bytes])) {
        bytes++;
    }
    struct text word = text_slice(usage->rest, 0, bytes);
    usage->rest = text_slice(usage->rest, bytes, usage->rest.bytes);
    return word;
}

bool usage_next(struct usage *usage, struct usage_word *word_out) {
    skip_between(usage);
    if (usage->rest.bytes == 0) {
        return false;
    }
    struct text word = take_word(usage);
    if (text_starts_with(word, TEXT("-"))) {
        *usage = (struct usage){.rest = usage->rest, .option = word};
        *word_out = (struct usage_word){.kind = USAGE_OPTION, .text = word};
        return true;
    }
    usage->has_value = usage->option.bytes > 0;
    enum usage_kind kind = usage->has_value             ? USAGE_VALUE
                           : usage_is_placeholder(word) ? USAGE_OPERAND
                                                        : USAGE_WORD;
    *word_out = (struct usage_word){kind, word, usage->option};
    return true;
}
