/* Comparing what was found wrong, whole, as `riposte check` would print it. */
#ifndef RIPOSTE_TESTS_CONFIG_TESTING_H
#define RIPOSTE_TESTS_CONFIG_TESTING_H

#include "riposte/config/findings.h"

#include "testing.h"

/* The findings as printed; `expected` may be "" for none. */
static inline void assert_findings(const struct findings *findings, const char *expected) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    findings_print(findings, &out);
    assert_text_equal(buffer_text(&out), expected);
}

static inline const struct json *parse_with_comments(struct arena *arena, const char *text) {
    const struct json *root = NULL;
    struct error error = {0};
    assert_ok(json_parse(text_of(text), JSON_COMMENTS, arena, &root, NULL, &error), &error);
    return root;
}

#endif
