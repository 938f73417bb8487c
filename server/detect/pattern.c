#include "riposte/detect/pattern.h"

#include "riposte/detect/finder.h"
#include "riposte/detect/leaves.h"
#include "riposte/detect/subrule.h"

static void scan_scratch_done(struct json_scratch **scratch) {
    json_scratch_free(scratch);
}

bool pattern_match(const struct pattern *pattern, struct text event, bool *is_match_out,
                   struct error *error) {
    scoped(scan_scratch_done) struct json_scratch *scratch = json_scratch_new();
    scoped(leaves_done) struct leaves leaves;
    scoped(finder_done) struct finder finder;
    leaves_init(&leaves);
    finder_init(&finder);
    return leaves_of_text(&leaves, pattern->paths, scratch, event, error) &&
           finder_match(&finder, pattern, NULL, &leaves, is_match_out, error);
}

bool pattern_match_tree(const struct pattern *pattern, const struct json *root, bool *is_match_out,
                        struct error *error) {
    scoped(leaves_done) struct leaves leaves;
    scoped(finder_done) struct finder finder;
    leaves_init(&leaves);
    finder_init(&finder);
    return leaves_of_tree(&leaves, pattern->paths, root, error) &&
           finder_match(&finder, pattern, NULL, &leaves, is_match_out, error);
}

void pattern_each_path(const struct pattern *pattern, pattern_path_fn *path_fn, void *arg) {
    for (uint32_t i = 0; i < json_paths_count(pattern->paths); i++) {
        path_fn(arg, json_paths_text(pattern->paths, i));
    }
}
