/* All rules at once: one scan of an event decides every rule.
 *
 * A rule is two patterns: `pattern` over the event and `when` over the event with computed members;
 * it matches when both do (no shared array membership between the two). Computed members
 * (principal, self, vars, ...) live in a namespace that no event can spell: in a `when`, a path
 * whose first name is one of RULESET_COMPUTED is the computed member, and the event's own member of
 * that name is invisible; in a `pattern` it is the event's.
 *
 * The set also names captures: members that the caller itself reads, from the same scan.
 *
 * Ownership:  ruleset_build() turns a builder into a set; a set is immutable. A scratch serves
 *             one match at a time; what a match hands out points into it or into the event, until
 *             the next.
 * Threads:    any number of threads may match against a set, each with its own scratch.
 * Bounds:     a rule costs what pattern.h says. A set takes limits.build_steps to build (a
 * condition of a sub-rule, a test, a byte of its text) and limits.bytes to hold, checked rule by
 *             rule: ERROR_LIMIT before either is much exceeded.
 *
 *             Matching allocates nothing once a scratch has grown. It scans the event once, and a
 *             second time when array consistency must be decided; a byte of a value at a path that
 *             some rule names costs one look, whatever the rules, and each sub-rule is looked at
 *             once at most. What may cost more is counted and ends in ERROR_LIMIT:
 *             limits.match_steps places in texts looked at anew, finds of tests, and conditions
 *             brought up; ten million choices among array elements; four million places of
 *             values in arrays; JSON_DEPTH_LIMIT and JSON_NUMBER_BYTES of the event's text. */
#ifndef RIPOSTE_DETECT_RULESET_H
#define RIPOSTE_DETECT_RULESET_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/scanner.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First names of computed members. */
#define RULESET_COMPUTED "principal", "rule", "incident", "self", "vars", "steps", "item"

struct ruleset_limits {
    size_t bytes;       /* that the compiled set may take */
    size_t build_steps; /* work to compile it */
    size_t match_steps; /* work for an event that isn't a matter of its bytes alone */
};
#define RULESET_LIMITS                                                            \
    ((struct ruleset_limits){(size_t)512 * 1024 * 1024, (size_t)50 * 1000 * 1000, \
                             (size_t)100 * 1000 * 1000})

struct ruleset_builder;
struct ruleset;
struct match_scratch;

struct ruleset_builder *ruleset_builder_new(void);
void ruleset_builder_free(struct ruleset_builder **builder);
/* Instead of RULESET_LIMITS. */
void ruleset_builder_limit(struct ruleset_builder *builder, const struct ruleset_limits *limits);
/* Captures are indexed in the order they are added, from 0. flags: json_path_flags. */
void ruleset_add_capture(struct ruleset_builder *builder, struct text path, unsigned flags);
/* Computed members that leaf_sink_put() gives by index, in the order they are added, from 0. */
void ruleset_add_computed(struct ruleset_builder *builder, struct text path);
/* Rules are indexed in the order they are added, from 0. `when` may be NULL. Errors as
 * pattern_compile_tree(), and ERROR_LIMIT when the rules so far are too much together. After an
 * error that isn't about the pattern (no culprit) the builder can only be freed. */
MUST_CHECK bool ruleset_add_rule(struct ruleset_builder *builder, const struct json *pattern,
                                 const struct json *when, const struct json **culprit_out,
                                 struct error *error);
/* Frees the builder and sets it to NULL, also when it fails (ERROR_LIMIT). */
MUST_CHECK bool ruleset_build(struct ruleset_builder **builder, struct ruleset **set_out,
                              struct error *error);
void ruleset_free(struct ruleset **set);
size_t ruleset_rule_count(const struct ruleset *set);
/* Bytes that the set holds. */
size_t ruleset_memory_bytes(const struct ruleset *set);

struct match_scratch *match_scratch_new(void);
void match_scratch_free(struct match_scratch **scratch);

/* Takes computed members while leaves_fn runs. */
struct leaf_sink;
/* `path` with its first name ("principal.kind"); the text must live until the match ends. A path
 * that no `when` names is ignored. */
void leaf_sink_add(struct leaf_sink *sink, struct text path, enum json_type type, struct text text);
/* The same, by the index of ruleset_add_computed(). */
void leaf_sink_put(struct leaf_sink *sink, size_t computed, enum json_type type, struct text text);

/* Turns captures (in the order added) into computed members. Called once, after the whole text was
 * found valid and before any verdict. False (with `error` set) ends the match with that error. */
typedef bool leaves_fn(void *arg, const struct json_capture *captures, struct leaf_sink *sink,
                       struct error *error);

struct ruleset_matches {
    const uint32_t *rules; /* ascending */
    size_t count;
};

/* ERROR_INVALID: not a JSON object ("byte N: what"), or a unique path twice; ERROR_LIMIT: too deep,
 * or a bound above is reached. computed_fn may be NULL. */
MUST_CHECK bool ruleset_match(const struct ruleset *set, struct match_scratch *scratch,
                              struct text event, leaves_fn *computed_fn, void *arg,
                              struct ruleset_matches *matches_out, struct error *error);

#endif
