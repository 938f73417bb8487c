/* Hostile rules and hostile events end in a verdict or in an error after counted work, and matching
 * allocates nothing once it is warm. */
#include "testing.h"

#include "riposte/base/arena.h"
#include "riposte/base/thread.h"
#include "riposte/detect/pattern.h"
#include "riposte/detect/ruleset.h"

#include <stdatomic.h>
#include <stdlib.h>

/* ---- counted allocations: the linker sends the tree's calls here ---- */

static atomic_size_t allocations;

void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

void *__wrap_calloc(size_t count, size_t bytes) {
    atomic_fetch_add(&allocations, 1);
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes) {
    atomic_fetch_add(&allocations, 1);
    return __real_realloc(memory, bytes);
}

/* ---- a set ---- */

struct fixture {
    struct arena *arena;
    struct ruleset_builder *builder;
    struct ruleset *set;
    struct match_scratch *scratch;
    struct buffer text;
    struct error error;
};

static void setup(struct fixture *f) {
    *f = (struct fixture){
        .arena = arena_new(), .builder = ruleset_builder_new(), .scratch = match_scratch_new()};
}

static void teardown(struct fixture *f) {
    ruleset_builder_free(&f->builder);
    ruleset_free(&f->set);
    match_scratch_free(&f->scratch);
    arena_free(&f->arena);
    buffer_done(&f->text);
}

static bool try_add(struct fixture *f, const char *pattern) {
    const struct json *root = NULL, *culprit = NULL;
    assert_ok(json_parse(text_of(pattern), 0, f->arena, &root, NULL, &f->error), &f->error);
    return ruleset_add_rule(f->builder, root, NULL, &culprit, &f->error);
}

static void add(struct fixture *f, const char *pattern) {
    assert_ok(try_add(f, pattern), &f->error);
}

static void build(struct fixture *f) {
    assert_ok(ruleset_build(&f->builder, &f->set, &f->error), &f->error);
}

static bool try_match(struct fixture *f, struct text event, size_t *count_out) {
    struct ruleset_matches matches = {0};
    bool is_good = ruleset_match(f->set, f->scratch, event, NULL, NULL, &matches, &f->error);
    *count_out = matches.count;
    return is_good;
}

static void assert_matches(struct fixture *f, size_t expected) {
    size_t count = 0;
    assert_ok(try_match(f, buffer_text(&f->text), &count), &f->error);
    assert_int_equal(count, expected);
}

static void assert_refused(struct fixture *f, enum error_code code, const char *fragment) {
    size_t count = 0;
    assert_fails(try_match(f, buffer_text(&f->text), &count), &f->error, code, fragment);
}

static void say(struct fixture *f, const char *text, size_t times) {
    for (size_t i = 0; i < times; i++) {
        buffer_append_string(&f->text, text);
    }
}

/* ---- rules ---- */

static void test_rules_that_take_too_much_memory(void **state) {
    struct fixture f;
    struct buffer pattern = BUFFER_INIT;
    size_t count = 0;
    (void)state;
    setup(&f);
    ruleset_builder_limit(f.builder, &(struct ruleset_limits){256 * 1024, SIZE_MAX, SIZE_MAX});
    for (bool is_good = true; is_good; count++) {
        assert_true(count < 10000);
        buffer_clear(&pattern);
        buffer_append_format(&pattern, "{\"a\":[{\"wildcard\":\"*%zu*\"},\"%zu\"]}", count, count);
        is_good = try_add(&f, buffer_string(&pattern));
    }
    assert_fails(false, &f.error, ERROR_LIMIT, "over the limit of 256 KiB");
    assert_true(count > 100);
    buffer_done(&pattern);
    teardown(&f);
}

/* 2^11 sub-rules from a few hundred bytes. */
static void test_rules_that_take_too_long_to_compile(void **state) {
    static const char two_to_the_eleventh[] =
        "{\"$or\":[{\"a\":[1]},{\"b\":[1]}],\"$or\":[{\"c\":[1]},{\"d\":[1]}],"
        "\"$or\":[{\"e\":[1]},{\"f\":[1]}],\"$or\":[{\"g\":[1]},{\"h\":[1]}],"
        "\"$or\":[{\"i\":[1]},{\"j\":[1]}],\"$or\":[{\"k\":[1]},{\"l\":[1]}],"
        "\"$or\":[{\"m\":[1]},{\"n\":[1]}],\"$or\":[{\"o\":[1]},{\"p\":[1]}],"
        "\"$or\":[{\"q\":[1]},{\"r\":[1]}],\"$or\":[{\"s\":[1]},{\"t\":[1]}],"
        "\"$or\":[{\"u\":[1]},{\"v\":[1]}]}";
    struct fixture f;
    (void)state;
    setup(&f);
    ruleset_builder_limit(f.builder, &(struct ruleset_limits){SIZE_MAX, 40000, SIZE_MAX});
    add(&f, two_to_the_eleventh); /* 2048 of 11 conditions */
    assert_fails(try_add(&f, two_to_the_eleventh), &f.error, ERROR_LIMIT, "over 40000 steps");
    teardown(&f);
}

static void test_patterns_that_are_too_large(void **state) {
    struct fixture f;
    struct pattern *pattern = NULL;
    (void)state;
    setup(&f);
    say(&f, "{\"$or\":[{\"a\":[1]},{\"b\":[2]}],", 1);
    for (int i = 0; i < 12; i++) {
        buffer_append_format(&f.text, "\"$or\":[{\"a%d\":[1]},{\"b%d\":[2]}]%s", i, i,
                             i < 11 ? "," : "}");
    }
    assert_fails(pattern_compile(buffer_text(&f.text), &pattern, &f.error), &f.error, ERROR_LIMIT,
                 "4096");
    buffer_clear(&f.text);
    say(&f, "{\"a\":[\"", 1);
    say(&f, "x", PATTERN_BYTES);
    say(&f, "\"]}", 1);
    assert_fails(pattern_compile(buffer_text(&f.text), &pattern, &f.error), &f.error, ERROR_LIMIT,
                 "");
    teardown(&f);
}

/* ---- events ---- */

static void test_deep_events(void **state) {
    struct fixture f;
    (void)state;
    setup(&f);
    add(&f, "{\"a\":[{\"exists\":true}]}");
    add(&f, "{\"b\":[1]}");
    build(&f);
    for (size_t depth = 999; depth <= 1000; depth++) {
        for (int is_skipped = 0; is_skipped < 2; is_skipped++) {
            buffer_clear(&f.text);
            say(&f, is_skipped ? "{\"b\":1,\"c\":" : "{\"b\":1,\"a\":", 1);
            say(&f, "[", depth);
            say(&f, "7", 1);
            say(&f, "]", depth);
            say(&f, "}", 1);
            if (depth == 999) {
                assert_matches(&f, is_skipped ? 1 : 2);
            } else {
                assert_refused(&f, ERROR_LIMIT, "1000");
            }
        }
    }
    teardown(&f);
}

static void test_huge_numbers(void **state) {
    struct fixture f;
    (void)state;
    setup(&f);
    add(&f, "{\"a\":[{\"numeric\":[\">\",0]}]}");
    add(&f, "{\"a\":[{\"anything-but\":5}]}");
    add(&f, "{\"a\":[1e999]}");
    build(&f);
    for (size_t digits = 1000; digits <= 1001; digits++) {
        buffer_clear(&f.text);
        say(&f, "{\"a\":", 1);
        say(&f, "9", digits);
        say(&f, "}", 1);
        if (digits == 1000) {
            assert_matches(&f, 1); /* not comparable: only what it isn't */
        } else {
            assert_refused(&f, ERROR_LIMIT, "");
        }
    }
    buffer_clear(&f.text);
    say(&f, "{\"a\":1e-999999999999999999999}", 1);
    assert_matches(&f, 1);
    buffer_clear(&f.text);
    say(&f, "{\"a\":1e999}", 1);
    assert_matches(&f, 2);
    teardown(&f);
}

/* Each byte of the value finds as many beginnings anew as the rules have: over a megabyte of them
 * the work would be 10^10 looks. */
static void test_long_runs_of_wildcards(void **state) {
    struct fixture f;
    size_t count = 0;
    (void)state;
    setup(&f);
    ruleset_builder_limit(f.builder, &(struct ruleset_limits){SIZE_MAX, SIZE_MAX, 2000000});
    say(&f, "{\"a\":[{\"wildcard\":\"*", 1);
    say(&f, "a", 10000);
    say(&f, "b\"}]}", 1);
    add(&f, buffer_string(&f.text));
    build(&f);
    buffer_clear(&f.text);
    say(&f, "{\"a\":\"", 1);
    say(&f, "a", 1024 * 1024);
    say(&f, "b\"}", 1);
    assert_refused(&f, ERROR_LIMIT, "over 2000000 steps to compare");
    buffer_clear(&f.text);
    say(&f, "{\"a\":\"aab\"}", 1);
    assert_ok(try_match(&f, buffer_text(&f.text), &count), &f.error); /* the next is as any */
    assert_int_equal(count, 0);
    teardown(&f);
}

/* The default limit of complexity lets through what stays cheap: no steps are counted for it. */
static void test_allowed_wildcards_on_long_values(void **state) {
    struct fixture f;
    (void)state;
    setup(&f);
    ruleset_builder_limit(f.builder, &(struct ruleset_limits){SIZE_MAX, SIZE_MAX, 10000});
    add(&f, "{\"a\":[{\"wildcard\":\"*a*a*a*a*b\"}]}");
    add(&f, "{\"a\":[{\"wildcard\":\"*aaaaaaaa*\"}]}");
    add(&f, "{\"a\":[{\"anything-but\":{\"wildcard\":\"*:*:*:*:c\"}}]}");
    build(&f);
    say(&f, "{\"a\":\"", 1);
    say(&f, "aaaaaaa:", 64 * 1024);
    say(&f, "aaaaaaaab\"}", 1);
    assert_matches(&f, 3);
    teardown(&f);
}

/* Every rule is true of every leaf. */
static void test_many_leaves_and_many_tests(void **state) {
    struct fixture f;
    struct buffer pattern = BUFFER_INIT;
    (void)state;
    setup(&f);
    ruleset_builder_limit(f.builder, &(struct ruleset_limits){SIZE_MAX, SIZE_MAX, 1000000});
    for (int i = 1; i <= 500; i++) {
        buffer_clear(&pattern);
        buffer_append_format(&pattern, "{\"a\":[{\"numeric\":[\">\",-%d]}]}", i);
        add(&f, buffer_string(&pattern));
    }
    build(&f);
    say(&f, "{\"a\":[1", 1);
    say(&f, ",1", 1500);
    say(&f, "]}", 1);
    assert_matches(&f, 500);
    f.text.bytes -= 2;
    say(&f, ",1", 10000);
    say(&f, "]}", 1);
    assert_refused(&f, ERROR_LIMIT, "over 1000000 steps");
    buffer_done(&pattern);
    teardown(&f);
}

/* Three arrays that say different things of a field each: nothing but trying decides. */
static void test_array_consistency_gives_up(void **state) {
    struct fixture f;
    size_t count = 0;
    (void)state;
    setup(&f);
    add(&f, "{\"k\":{\"a\":[1],\"b\":[1],\"c\":[1]}}");
    build(&f);
    say(&f, "{\"k\":[", 1);
    for (int i = 0; i < 10000; i++) {
        say(&f,
            i % 3 == 0   ? "{\"a\":1,\"b\":1},"
            : i % 3 == 1 ? "{\"b\":1,\"c\":1},"
                         : "{\"c\":1},",
            1);
    }
    say(&f, "{}]}", 1);
    bool is_good = try_match(&f, buffer_text(&f.text), &count);
    assert_true(is_good ? count == 0 : f.error.code == ERROR_LIMIT);
    teardown(&f);
}

/* ---- allocations ---- */

static const char *const warm_events[] = {
    "{\"a\":\"abcabc\",\"n\":1,\"k\":[{\"a\":1,\"b\":2},{\"a\":2,\"b\":1}]}",
    "{\"a\":\"x\\u0041y\",\"n\":[1,2.5e3,-7],\"k\":[{\"a\":1},{\"b\":1}],\"p\":\"10.1.2.3\"}",
    "{\"a\":[\"bab\",\"abba\"],\"n\":12345678901234567890,\"k\":[[{\"a\":1,\"b\":1}]],\"z\":{}}",
    "{\"a\":tru}",
};

static void match_warm_events(struct fixture *f) {
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_COUNT(warm_events); i++) {
        bool is_good = try_match(f, text_of(warm_events[i]), &count);
        assert_int_equal(is_good, i + 1 < ARRAY_COUNT(warm_events));
    }
}

static void test_nothing_is_allocated_once_warm(void **state) {
    struct fixture f;
    (void)state;
    setup(&f);
    ruleset_add_capture(f.builder, TEXT("a"), 0);
    add(&f,
        "{\"a\":[{\"wildcard\":\"*ab*c\"},{\"suffix\":\"a\"}],\"n\":[{\"numeric\":[\">\",0]}]}");
    add(&f, "{\"a\":[{\"equals-ignore-case\":\"XAY\"},{\"anything-but\":[\"bab\"]}]}");
    add(&f, "{\"k\":{\"a\":[1],\"b\":[1]}}");
    add(&f, "{\"k\":{\"a\":[2],\"b\":[1],\"c\":[{\"exists\":false}]}}");
    add(&f, "{\"p\":[{\"cidr\":\"10.0.0.0/8\"}],\"$or\":[{\"n\":[1]},{\"n\":[2]}]}");
    build(&f);
    match_warm_events(&f);
    match_warm_events(&f);
    size_t before = atomic_load(&allocations);
    assert_true(before > 0); /* the counting works */
    for (int i = 0; i < 100; i++) {
        match_warm_events(&f);
    }
    assert_int_equal(atomic_load(&allocations), before);
    teardown(&f);
}

/* ---- sets are replaced ---- */

#define MATCHERS     3
#define REPLACEMENTS 200

/* What a reload does: the set that is shared is replaced, and freed by whoever lets go last. */
struct shared_set {
    struct ruleset *set;
    size_t number; /* of rules, all of which match */
    atomic_uint owners;
};

struct swap {
    pthread_mutex_t lock;
    struct shared_set *current;
    atomic_bool is_over;
    atomic_uint failures, matched;
};

static struct shared_set *shared_set_new(size_t number) {
    struct fixture f;
    struct shared_set *shared = calloc(1, sizeof(*shared));
    assert_non_null(shared);
    setup(&f);
    for (size_t i = 0; i < number; i++) {
        add(&f, "{\"a\":[{\"wildcard\":\"*b*\"}]}");
    }
    build(&f);
    shared->set = f.set;
    shared->number = number;
    atomic_init(&shared->owners, 1);
    f.set = NULL;
    teardown(&f);
    return shared;
}

static void shared_set_unref(struct shared_set *shared) {
    if (atomic_fetch_sub(&shared->owners, 1) == 1) {
        ruleset_free(&shared->set);
        free(shared);
    }
}

static struct shared_set *take_current(struct swap *swap) {
    (void)pthread_mutex_lock(&swap->lock);
    struct shared_set *current = swap->current;
    atomic_fetch_add(&current->owners, 1);
    (void)pthread_mutex_unlock(&swap->lock);
    return current;
}

static void run_matcher(void *arg) {
    struct swap *swap = arg;
    struct match_scratch *scratch = match_scratch_new();
    while (!atomic_load(&swap->is_over)) {
        struct shared_set *current = take_current(swap);
        struct ruleset_matches matches = {0};
        struct error error = {0};
        bool is_good = ruleset_match(current->set, scratch, TEXT("{\"a\":\"abc\"}"), NULL, NULL,
                                     &matches, &error);
        atomic_fetch_add(&swap->failures, is_good && matches.count == current->number ? 0 : 1);
        atomic_fetch_add(&swap->matched, 1);
        shared_set_unref(current);
    }
    match_scratch_free(&scratch);
}

static void test_a_set_is_replaced_while_others_match(void **state) {
    struct swap swap = {.lock = PTHREAD_MUTEX_INITIALIZER, .current = shared_set_new(1)};
    struct thread threads[MATCHERS] = {0};
    struct error error = {0};
    (void)state;
    for (size_t i = 0; i < MATCHERS; i++) {
        assert_ok(thread_start(&threads[i], "matcher", run_matcher, &swap, &error), &error);
    }
    for (size_t i = 0; i < REPLACEMENTS || atomic_load(&swap.matched) == 0; i++) {
        struct shared_set *next = shared_set_new(1 + i % 7);
        (void)pthread_mutex_lock(&swap.lock);
        struct shared_set *old = swap.current;
        swap.current = next;
        (void)pthread_mutex_unlock(&swap.lock);
        shared_set_unref(old);
    }
    atomic_store(&swap.is_over, true);
    for (size_t i = 0; i < MATCHERS; i++) {
        thread_join(&threads[i]);
    }
    assert_int_equal(atomic_load(&swap.failures), 0);
    shared_set_unref(swap.current);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_that_take_too_much_memory),
        cmocka_unit_test(test_rules_that_take_too_long_to_compile),
        cmocka_unit_test(test_patterns_that_are_too_large),
        cmocka_unit_test(test_deep_events),
        cmocka_unit_test(test_huge_numbers),
        cmocka_unit_test(test_long_runs_of_wildcards),
        cmocka_unit_test(test_allowed_wildcards_on_long_values),
        cmocka_unit_test(test_many_leaves_and_many_tests),
        cmocka_unit_test(test_array_consistency_gives_up),
        cmocka_unit_test(test_nothing_is_allocated_once_warm),
        cmocka_unit_test(test_a_set_is_replaced_while_others_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
