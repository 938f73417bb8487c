/* An EventBridge event pattern, compiled, and its plain evaluator: slow, obviously right, and the
 * reference for whatever is faster. The language: PATTERNS.md.
 *
 * Ownership:  pattern_compile...() hands the caller a pattern to free with pattern_free(). Nothing
 *             of the source is kept.
 * Threads:    immutable once compiled; any number of threads may match against it.
 * Bounds:     source <= PATTERN_BYTES; $or expands to <= PATTERN_SUBRULES sub-rules of <= 256 paths
 *             each. Matching backtracks (PATTERNS.md 4) for at most PATTERN_STEPS choices, then
 *             fails with ERROR_LIMIT. */
#ifndef RIPOSTE_DETECT_PATTERN_H
#define RIPOSTE_DETECT_PATTERN_H

#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>

#define PATTERN_BYTES    (256 * 1024)
#define PATTERN_SUBRULES 4096
#define PATTERN_PATHS    256
#define PATTERN_STEPS    10000000

struct pattern;

/* ERROR_INVALID: "byte N: <path>: <reason>"; ERROR_LIMIT: too long, too many paths or sub-rules. */
MUST_CHECK bool pattern_compile(struct text source, struct pattern **pattern_out,
                                struct error *error);
/* From a tree, as a rule file holds it: the error text has no position, *culprit_out (may be NULL)
 * is the offending node. */
MUST_CHECK bool pattern_compile_tree(const struct json *source, struct pattern **pattern_out,
                                     const struct json **culprit_out, struct error *error);
void pattern_free(struct pattern **pattern);

/* Does the event (JSON text) match? ERROR_INVALID when it is no JSON object. */
MUST_CHECK bool pattern_match(const struct pattern *pattern, struct text event, bool *is_match_out,
                              struct error *error);
/* The same over a tree: contexts and AWS answers. */
MUST_CHECK bool pattern_match_tree(const struct pattern *pattern, const struct json *root,
                                   bool *is_match_out, struct error *error);

/* Appends why: for a match the leaf that satisfied each field; for none, per $or branch, the first
 * field in path order that failed, with its tests and the leaves seen. Lines for people, each
 * ending in '\n'; long values are cut, of many branches the first 100 are told. ERROR_LIMIT: all
 * branches together cost four times PATTERN_STEPS. */
MUST_CHECK bool pattern_explain(const struct pattern *pattern, const struct json *root,
                                struct buffer *out, bool *is_match_out, struct error *error);

/* Each path that it tests, as "a.b.c", once. */
typedef void pattern_path_fn(void *arg, struct text path);
void pattern_each_path(const struct pattern *pattern, pattern_path_fn *path_fn, void *arg);

/* Appends the pattern, its $or expanded, as JSON text that compiles to an equal pattern (when
 * within PATTERN_BYTES). Members are whole paths ("a.b.c"). */
void pattern_print(const struct pattern *pattern, struct buffer *out);

#endif
