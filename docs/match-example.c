/* Which of two rules does the event (the first argument) match?
 *   cc match-example.c $(pkg-config --cflags --libs riposte-detect) && ./a.out '{"port":22}' */
#include <riposte/detect/ruleset.h>
#include <stdio.h>

static const struct text rules[] = {
    TEXT_INIT("{\"source\":[\"aws.ec2\"],\"detail\":{\"eventName\":[{\"prefix\":\"Stop\"}]}}"),
    TEXT_INIT("{\"port\":[{\"numeric\":[\"<\",1024]}]}"),
};

static int fail(const struct error *error) {
    (void)fprintf(stderr, "%s\n", error->text);
    return 2;
}

int main(int argc, char **argv) {
    struct error error;
    struct arena *arena = arena_new(); /* holds the patterns while the set is built */
    struct ruleset_builder *builder = ruleset_builder_new();
    struct ruleset *set = NULL;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct json *pattern = NULL;
        if (!json_parse(rules[i], 0, arena, &pattern, NULL, &error) ||
            !ruleset_add_rule(builder, pattern, NULL, NULL, &error)) return fail(&error);
    }
    if (!ruleset_build(&builder, &set, &error)) return fail(&error);
    arena_free(&arena);
    struct match_scratch *scratch = match_scratch_new(); /* one a thread; the set is for all */
    struct ruleset_matches matches = {0};
    struct text event = text_of(argc > 1 ? argv[1] : "{}");
    if (!ruleset_match(set, scratch, event, NULL, NULL, &matches, &error)) return fail(&error);
    for (size_t i = 0; i < matches.count; i++) (void)printf("rule %u matches\n", matches.rules[i]);
    match_scratch_free(&scratch);
    ruleset_free(&set);
    return 0;
}
