/* One element of a field's array: a test that a leaf passes or not (PATTERNS.md 5 to 10).
 *
 * Ownership:  tests live in the arena that test_compile() was given.
 * Threads:    immutable once compiled. */
#ifndef RIPOSTE_DETECT_TEST_H
#define RIPOSTE_DETECT_TEST_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/text.h"
#include "riposte/detect/casemap.h"
#include "riposte/detect/ip.h"
#include "riposte/detect/wildcard.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>

enum test_kind {
    TEST_LITERAL,     /* true, false, null */
    TEST_STRING,      /* equal strings */
    TEST_EXACTLY,     /* {"exactly":S}: the same, never an IP literal */
    TEST_IP,          /* a string that is the same IP address */
    TEST_NUMBER,      /* a comparable number of that value */
    TEST_NUMBER_TEXT, /* a number spelled like that */
    TEST_RANGE,       /* numeric */
    TEST_PREFIX,
    TEST_SUFFIX,
    TEST_IGNORE_CASE,
    TEST_PREFIX_IGNORE_CASE,
    TEST_SUFFIX_IGNORE_CASE,
    TEST_WILDCARD,
    TEST_CIDR,
    TEST_ANYTHING_BUT, /* none of `list` passes */
    TEST_EXISTS,       /* any leaf */
    TEST_ABSENT,       /* {"exists":false}: no leaf; asked of the field, never of a leaf */
};

/* Values from `low` to `high`; open where the end itself doesn't count. */
struct number_range {
    double low, high; /* may be infinite */
    bool is_low_open, is_high_open;
    struct text low_text, high_text; /* as spelled; empty when infinite */
};

struct test {
    enum test_kind kind;
    enum json_type type; /* TEST_LITERAL */
    struct text text;    /* the operand: a string unescaped, a number as spelled */
    union {
        double number;
        struct number_range range;
        struct ip ip;
        struct ip_range ip_range;
        struct wildcard wildcard;
        struct {
            const struct case_step *steps;
            size_t step_count;
        };
        struct {
            const struct test *list;
            size_t list_count;
        };
    };
};

/* What a compile leaves when it refuses. */
struct test_problem {
    const struct json *culprit;
    char reason[160];
};

enum test_dialect {
    TEST_DIALECT_FULL,
    /* The older compiler that a pattern falls back to (PATTERNS.md 1): no wildcard and no lists of
     * prefixes or suffixes inside anything-but. */
    TEST_DIALECT_OLD,
};

/* Compiles one array element. */
MUST_CHECK bool test_compile(struct arena *arena, const struct json *element,
                             enum test_dialect dialect, struct test *test_out,
                             struct test_problem *problem);
/* `text`: a string unescaped, a number as spelled. */
bool test_passes(const struct test *test, enum json_type type, struct text text);
/* A deep copy of tests in `arena`. */
const struct test *test_copy(struct arena *arena, const struct test *tests, size_t count);
/* Appends the element as JSON. */
void test_print(const struct test *test, struct buffer *out);
/* Appends a JSON string; unlike buffer_append_json_string() a lone surrogate stays one. */
void test_print_string(struct buffer *out, struct text text);

#endif
