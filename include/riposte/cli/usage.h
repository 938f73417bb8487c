/* The words of a command's `arguments` ("[list [--all] | show ID] [-c FILE]"): what completion
 * offers.
 *
 *     option    -c, --all
 *     value     of the option before it: a placeholder (FILE), or a word as it is written; several
 *               stand side by side: "--account ID | member"
 *     word      to be written as it is: list, show
 *     operand   a placeholder: EVENT...
 *
 * Ownership:  words point into the arguments.
 * Threads:    pure. */
#ifndef RIPOSTE_CLI_USAGE_H
#define RIPOSTE_CLI_USAGE_H

#include "riposte/base/text.h"

#include <stdbool.h>

enum usage_kind { USAGE_OPTION, USAGE_VALUE, USAGE_WORD, USAGE_OPERAND };

struct usage_word {
    enum usage_kind kind;
    struct text text;
    struct text option; /* whose value it is, or empty */
};

struct usage {
    struct text rest;
    struct text option; /* the last one, until a bracket or a word of no option */
    bool has_value;     /* one was given */
};

struct usage usage_of(const char *arguments);
/* False at the end. */
bool usage_next(struct usage *usage, struct usage_word *word_out);
/* "FILE": upper-case letters first, to be replaced by the reader. */
bool usage_is_placeholder(struct text word);

#endif
