/* Random rule sets and events that nearly match, each decided by the rule set and, rule by rule, by
 * the plain evaluator. They must agree. Most faults of a matcher like this are between rules, so a
 * set has 1 to 200.
 *
 *   fuzz_differ [--seconds N] [--pairs N] [--seed N]
 *
 * Prints how many (pattern, event) pairs it tried and how many differed; a difference is first
 * reduced to as few rules and as short an event as still show it. Exit status 1 when there was one.
 */
#include "riposte/base/arena.h"
#include "riposte/base/buffer.h"
#include "riposte/base/memory.h"
#include "riposte/detect/pattern.h"
#include "riposte/detect/ruleset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RULES_MOST     200
#define EVENTS_A_SET   24
#define DEPTH_MOST     3
#define SHOWN_FINDINGS 5

/* ---- chance ---- */

static uint64_t chance_state;

static uint64_t chance(uint64_t below) {
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (chance_state * 0x2545F4914F6CDD1Du >> 16) % below;
}

static bool one_in(uint64_t n) {
    return chance(n) == 0;
}

#define PICK(list) ((list)[chance(ARRAY_COUNT(list))])

/* ---- what patterns and events are made of: few enough things that they often meet ---- */

static const char *const names[] = {"a", "b", "c", "a", "b", "d.e", "d", "e", "\\u0061"};

/* As JSON string contents. */
static const char *const strings[] = {
    "",
    "a",
    "ab",
    "abc",
    "ABC",
    "aBc",
    "b",
    "ba",
    "bab",
    "aab",
    "abab",
    "abcabc",
    "aaaa",
    "10.0.0.1",
    "k",
    "K",
    "ss",
    "SS",
    "\xc3\x9f",
    "\xc3\xa9",
    "\xc3\x89",
    "\\u00e9",
    "5",
    "true",
    "*",
    "a*b",
    "\\\\",
    "\\\"",
    "null",
    "010.0.0.01",
    "::1",
    "0:0::1",
    "i",
    "I",
    "x y",
    "10.0.0.2",
    "10.1.0.1",
    "::ffff:a00:1",
    "\\n",
    "2001:db8::1",
    "\xc4\xb0",
    "i\xcc\x87",
    "\xe2\x84\xaa",
    "\xf0\x9f\x98\x80",
    "\\ud83d\\ude00",
    "\\ud83d",
    "abcdefghijklmnopqrs",
    "abcdefghijklmnopqrt",
    "\xef\xac\x80",
    "FF",
};

static const char *const numbers[] = {
    "5",
    "5.0",
    "50e-1",
    "0",
    "-0",
    "-0.0",
    "1",
    "1.5",
    "-3",
    "100",
    "1e2",
    "1E400",
    "1e400",
    "0.1",
    "99.99",
    "300",
    "3.0e2",
    "9007199254740993",
    "9007199254740992",
    "-122.41600944012424",
    "-122.42916360922355",
    "5e-324",
    "1.7976931348623157e308",
    "123456789012345678",
};

static const char *const comparable_numbers[] = {
    "5", "5.0", "0", "1", "1.5", "-3", "100", "1e2", "0.1", "300", "-122.41600944012424",
};

static const char *const literals[] = {"true", "false", "null"};

static const char *const wildcards[] = {
    "*",     "a*",    "*a",     "*b*", "a*b",        "ab*",     "*ab*ab",
    "a*b*c", "*a*b*", "",       "abc", "*c",         "a*a",     "*aa*",
    "*bab",  "\\\\*", "*\\\\*", "x*",  "*\xc3\xa9*", "1*.0.*1", "abcdefgh*rs",
};

static const char *const cidrs[] = {"10.0.0.0/8",    "10.0.0.0/31",    "0.0.0.0/0",
                                    "::/0",          "::1/127",        "10.1.0.0/16",
                                    "2001:db8::/32", "::ffff:a00:0/24"};

/* ---- patterns ---- */

static void put(struct buffer *out, const char *text) {
    buffer_append_string(out, text);
}

static void put_string(struct buffer *out) {
    buffer_append_format(out, "\"%s\"", PICK(strings));
}

static void put_list(struct buffer *out, const char *const *list, size_t count, bool is_quoted) {
    size_t length = 1 + chance(3);
    put(out, "[");
    for (size_t i = 0; i < length; i++) {
        buffer_append_format(out, is_quoted ? "%s\"%s\"" : "%s%s", i == 0 ? "" : ",",
                             list[chance(count)]);
    }
    put(out, "]");
}

static void put_range(struct buffer *out) {
    static const char *const forms[] = {
        "[\"<\",%s]",
        "[\"<=\",%s]",
        "[\">\",%s]",
        "[\">=\",%s]",
        "[\"=\",%s]",
        "[\">\",-5,\"<=\",%s]",
        "[\">=\",%s,\"<\",1000]",
    };
    char text[96];
    put(out, "{\"numeric\":");
    (void)snprintf(text, sizeof(text), "%s", PICK(forms));
    char *hole = strstr(text, "%s");
    buffer_append(out, text, (size_t)(hole - text));
    put(out, PICK(comparable_numbers));
    put(out, hole + 2);
    put(out, "}");
}

static void put_anything_but(struct buffer *out) {
    static const char *const inner[] = {"prefix", "suffix", "equals-ignore-case"};
    put(out, "{\"anything-but\":");
    switch (chance(5)) {
    case 0:
        put_list(out, comparable_numbers, ARRAY_COUNT(comparable_numbers), false);
        break;
    case 1:
    case 2:
        put_list(out, strings, ARRAY_COUNT(strings), true);
        break;
    case 3:
        put(out, "{\"wildcard\":");
        put_list(out, wildcards, ARRAY_COUNT(wildcards), true);
        put(out, "}");
        break;
    default:
        buffer_append_format(out, "{\"%s\":", PICK(inner));
        put_list(out, strings + 1, ARRAY_COUNT(strings) - 1, true);
        put(out, "}");
    }
    put(out, "}");
}

static void put_test(struct buffer *out) {
    static const char *const affixes[] = {"prefix", "suffix"};
    switch (chance(13)) {
    case 0:
        buffer_append_format(out, "{\"%s\":\"%s\"}", PICK(affixes), PICK(strings));
        break;
    case 1:
        buffer_append_format(out, "{\"%s\":{\"equals-ignore-case\":\"%s\"}}", PICK(affixes),
                             PICK(strings));
        break;
    case 2:
        buffer_append_format(out, "{\"equals-ignore-case\":\"%s\"}", PICK(strings));
        break;
    case 3:
    case 4:
        buffer_append_format(out, "{\"wildcard\":\"%s\"}", PICK(wildcards));
        break;
    case 5:
        put_range(out);
        break;
    case 6:
        put_anything_but(out);
        break;
    case 7:
        buffer_append_format(out, "{\"exists\":%s}", one_in(3) ? "true" : "false");
        break;
    case 8:
        buffer_append_format(out, "{\"cidr\":\"%s\"}", PICK(cidrs));
        break;
    case 9:
        put(out, PICK(literals));
        break;
    case 10:
        put(out, PICK(numbers));
        break;
    case 11:
        buffer_append_format(out, "{\"exactly\":\"%s\"}", PICK(strings));
        break;
    default:
        put_string(out);
    }
}

static void put_tests(struct buffer *out) {
    size_t count = one_in(40) ? 12 : 1 + chance(2) * chance(3);
    put(out, "[");
    for (size_t i = 0; i < count; i++) {
        put(out, i == 0 ? "" : ",");
        put_test(out);
    }
    put(out, "]");
}

static void put_fields(struct buffer *out, unsigned depth);

static void put_or(struct buffer *out, unsigned depth) {
    size_t count = 2 + chance(2);
    put(out, "\"$or\":[");
    for (size_t i = 0; i < count; i++) {
        put(out, i == 0 ? "" : ",");
        put_fields(out, depth + 1);
    }
    put(out, "]");
}

static void put_fields(struct buffer *out, unsigned depth) {
    size_t count = 1 + chance(3);
    put(out, "{");
    for (size_t i = 0; i < count; i++) {
        put(out, i == 0 ? "" : ",");
        if (depth < DEPTH_MOST && one_in(8)) {
            put_or(out, depth);
            continue;
        }
        buffer_append_format(out, "\"%s\":", PICK(names));
        if (depth < DEPTH_MOST && one_in(3)) {
            put_fields(out, depth + 1);
        } else {
            put_tests(out);
        }
    }
    put(out, "}");
}

/* ---- events ---- */

static void put_object(struct buffer *out, unsigned depth);

static void put_scalar(struct buffer *out) {
    switch (chance(5)) {
    case 0:
        put(out, PICK(numbers));
        break;
    case 1:
        put(out, PICK(literals));
        break;
    default:
        put_string(out);
    }
}

static void put_value(struct buffer *out, unsigned depth) {
    uint64_t kind = depth > DEPTH_MOST + 1 ? 0 : chance(10);
    if (kind < 5) {
        put_scalar(out);
    } else if (kind < 7) {
        put_object(out, depth + 1);
    } else {
        size_t count = chance(4);
        put(out, "[");
        for (size_t i = 0; i < count; i++) {
            put(out, i == 0 ? "" : ",");
            if (one_in(3)) {
                put_value(out, depth + 1);
            } else {
                put_object(out, depth + 1);
            }
        }
        put(out, "]");
    }
}

static void put_object(struct buffer *out, unsigned depth) {
    size_t count = chance(4) + (depth == 0);
    put(out, "{");
    for (size_t i = 0; i < count; i++) {
        buffer_append_format(out, "%s\"%s\":", i == 0 ? "" : ",", PICK(names));
        put_value(out, depth);
    }
    put(out, "}");
}

/* ---- both ways ---- */

struct rule {
    struct buffer text;
    struct pattern *pattern;
};

struct differ {
    struct rule rules[RULES_MOST];
    size_t rule_count;
    struct ruleset *set;
    struct match_scratch *scratch;
    uint64_t pairs, undecided, differing;
};

/* The set of those rules that are marked. */
static struct ruleset *build_set(const struct differ *differ, const bool *is_in) {
    struct ruleset_builder *builder = ruleset_builder_new();
    scoped(arena_free) struct arena *arena = arena_new();
    struct ruleset *set = NULL;
    for (size_t i = 0; i < differ->rule_count; i++) {
        const struct json *root = NULL;
        struct error error = {0};
        if (is_in[i] &&
            (!json_parse(buffer_text(&differ->rules[i].text), 0, arena, &root, NULL, &error) ||
             !ruleset_add_rule(builder, root, NULL, NULL, &error))) {
            fprintf(stderr, "no rule: %s\n", error.text);
            abort();
        }
    }
    struct error error = {0};
    if (!ruleset_build(&builder, &set, &error)) {
        abort();
    }
    return set;
}

/* Does the set say of rule `which` (counted among those in it) the same as the plain evaluator? */
static bool agrees(const struct differ *differ, const struct ruleset *set, size_t position,
                   size_t which, struct text event) {
    scoped(match_scratch_free) struct match_scratch *scratch = match_scratch_new();
    struct ruleset_matches matches = {0};
    struct error error = {0};
    bool is_match = false, is_listed = false;
    if (!pattern_match(differ->rules[which].pattern, event, &is_match, &error) ||
        !ruleset_match(set, scratch, event, NULL, NULL, &matches, &error)) {
        return true;
    }
    for (size_t i = 0; i < matches.count; i++) {
        is_listed |= matches.rules[i] == position;
    }
    return is_match == is_listed;
}

static bool still_differs(const struct differ *differ, const bool *is_in, size_t which,
                          struct text event) {
    size_t position = 0;
    for (size_t i = 0; i < which; i++) {
        position += is_in[i];
    }
    struct ruleset *set = build_set(differ, is_in);
    bool is_same = agrees(differ, set, position, which, event);
    ruleset_free(&set);
    return !is_same;
}

/* Leaves out other rules, one by one, and then parts of the event, as long as the difference stays.
 */
static void reduce_and_show(const struct differ *differ, size_t which, struct text event) {
    bool is_in[RULES_MOST];
    scoped(buffer_done) struct buffer shorter = BUFFER_INIT;
    scoped(buffer_done) struct buffer kept = BUFFER_INIT;
    memset(is_in, true, sizeof(is_in));
    for (size_t i = 0; i < differ->rule_count; i++) {
        is_in[i] = i == which;
        is_in[i] |= !still_differs(differ, is_in, which, event);
    }
    buffer_append_text(&kept, event);
    for (size_t bytes = event.bytes / 2; bytes > 0; bytes--) {
        for (size_t at = 0; at + bytes <= kept.bytes; at++) {
            buffer_clear(&shorter);
            buffer_append(&shorter, kept.data, at);
            buffer_append(&shorter, kept.data + at + bytes, kept.bytes - at - bytes);
            if (still_differs(differ, is_in, which, buffer_text(&shorter))) {
                buffer_clear(&kept);
                buffer_append_text(&kept, buffer_text(&shorter));
            }
        }
    }
    printf("differ on rule %s\n", buffer_string(&differ->rules[which].text));
    for (size_t i = 0; i < differ->rule_count; i++) {
        if (is_in[i] && i != which) {
            printf("  beside %s\n", buffer_string(&differ->rules[i].text));
        }
    }
    printf("  event %s\n", buffer_string(&kept));
}

static void check_event(struct differ *differ, struct text event) {
    struct ruleset_matches matches = {0};
    struct error error = {0};
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *root = NULL;
    bool is_scanned = ruleset_match(differ->set, differ->scratch, event, NULL, NULL, &matches,
                                    &error);
    if (!json_parse(event, 0, arena, &root, NULL, &error) || !is_scanned) {
        differ->undecided += differ->rule_count;
        return;
    }
    size_t next = 0;
    for (size_t i = 0; i < differ->rule_count; i++) {
        bool is_match = false;
        bool is_listed = next < matches.count && matches.rules[next] == i;
        next += is_listed;
        differ->pairs++;
        if (!pattern_match_tree(differ->rules[i].pattern, root, &is_match, &error)) {
            differ->undecided++;
        } else if (is_match != is_listed && differ->differing++ < SHOWN_FINDINGS) {
            reduce_and_show(differ, i, event);
        }
    }
}

static void make_rules(struct differ *differ) {
    size_t wanted = one_in(4) ? 1 : one_in(3) ? 1 + chance(RULES_MOST) : 1 + chance(12);
    differ->rule_count = 0;
    while (differ->rule_count < wanted) {
        struct rule *rule = &differ->rules[differ->rule_count];
        struct error error = {0};
        buffer_clear(&rule->text);
        put_fields(&rule->text, 0);
        differ->rule_count += pattern_compile(buffer_text(&rule->text), &rule->pattern, &error);
    }
}

static void run_set(struct differ *differ) {
    bool is_in[RULES_MOST];
    scoped(buffer_done) struct buffer event = BUFFER_INIT;
    memset(is_in, true, sizeof(is_in));
    make_rules(differ);
    differ->set = build_set(differ, is_in);
    for (size_t i = 0; i < EVENTS_A_SET; i++) {
        buffer_clear(&event);
        put_object(&event, 0);
        check_event(differ, buffer_text(&event));
    }
    ruleset_free(&differ->set);
    for (size_t i = 0; i < differ->rule_count; i++) {
        pattern_free(&differ->rules[i].pattern);
    }
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
    static struct differ differ;
    double seconds = 5;
    uint64_t pairs = UINT64_MAX, seed = (uint64_t)time(NULL);
    for (int i = 1; i + 1 < count; i += 2) {
        uint64_t value = strtoull(arguments[i + 1], NULL, 10);
        seconds = strcmp(arguments[i], "--seconds") == 0 ? (double)value : seconds;
        pairs = strcmp(arguments[i], "--pairs") == 0 ? value : pairs;
        seed = strcmp(arguments[i], "--seed") == 0 ? value : seed;
    }
    chance_state = seed * 0x9E3779B97F4A7C15u | 1;
    differ.scratch = match_scratch_new();
    for (double end = now() + seconds; now() < end && differ.pairs < pairs;) {
        run_set(&differ);
    }
    printf("seed %" PRIu64 ": %" PRIu64 " pairs, %" PRIu64 " undecided, %" PRIu64 " differ\n", seed,
           differ.pairs, differ.undecided, differ.differing);
    match_scratch_free(&differ.scratch);
    for (size_t i = 0; i < RULES_MOST; i++) {
        buffer_done(&differ.rules[i].text);
    }
    return differ.differing == 0 ? 0 : 1;
}
