/* What a fuzz target is made of. tests/fuzz/NAME_fuzz.c has one LLVMFuzzerTestOneInput() that
 * states a property of a parser with fuzz_check(). riposte_fuzz() builds it with libFuzzer when
 * RIPOSTE_FUZZ is on, else with replay.c, which runs the files of tests/fuzz/corpus/NAME as a test.
 */
#ifndef RIPOSTE_TESTS_FUZZ_H
#define RIPOSTE_TESTS_FUZZ_H

#include "riposte/base/text.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's entry. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static inline struct text fuzz_text(const uint8_t *data, size_t bytes) {
    return (struct text){(const char *)data, bytes};
}

/* Says what isn't so, and ends the process in a way that libFuzzer and ctest take for a failure. */
#define fuzz_check(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))

static inline void fuzz_fail(const char *file, int line, const char *condition) {
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

#endif
