#include "dependence.h"

#include "riposte/config/template.h"
#include "riposte/json/tree.h"

struct dependence {
    const struct names *names;
    struct text used; /* the first of them that is used */
};

static bool is_answer_of(struct text path, struct text name) {
    struct text rest = text_slice(path, sizeof("steps.") - 1, path.bytes);
    return text_starts_with(path, TEXT("steps.")) && text_starts_with(rest, name) &&
           (rest.bytes == name.bytes || rest.data[name.bytes] == '.' ||
            rest.data[name.bytes] == '[');
}

static void look_at_path(void *arg, struct text path) {
    struct dependence *dependence = arg;
    for (size_t i = 0; i < dependence->names->count && dependence->used.bytes == 0; i++) {
        if (is_answer_of(path, dependence->names->items[i])) {
            dependence->used = dependence->names->items[i];
        }
    }
}

static void look_at_text(struct dependence *dependence, struct text text, struct arena *arena) {
    if (text.bytes > 0) {
        template_each_path(json_new_string(arena, text), look_at_path, dependence);
    }
}

static void look_at(struct dependence *dependence, const struct json *node) {
    if (node != NULL) {
        template_each_path(node, look_at_path, dependence);
    }
}

struct text dependence_on_answer(const struct step *step, const struct names *names,
                                 struct arena *arena) {
    if (names->count == 0) {
        return (struct text){NULL, 0};
    }
    struct dependence dependence = {.names = names};
    look_at(&dependence, step->call.with);
    look_at(&dependence, step->matches);
    look_at(&dependence, step->before != NULL ? step->before->call.with : NULL);
    look_at(&dependence, step->before != NULL ? step->before->matches : NULL);
    look_at(&dependence, step->undo != NULL ? step->undo->call.with : NULL);
    look_at_text(&dependence, step->account, arena);
    look_at_text(&dependence, step->region, arena);
    look_at_text(&dependence, step->each, arena);
    look_at_text(&dependence, step->effect_target, arena);
    look_at_text(&dependence, step->effect_name, arena);
    return dependence.used;
}

static void note_prior(void *arg, struct text path) {
    bool *is_used = arg;
    *is_used |= text_starts_with(path, TEXT("prior")) &&
                (path.bytes == 5 || path.data[5] == '.' || path.data[5] == '[');
}

bool dependence_on_prior(const struct step *step) {
    bool is_used = false;
    if (step->undo != NULL && step->undo->call.with != NULL) {
        template_each_path(step->undo->call.with, note_prior, &is_used);
    }
    return is_used;
}

bool names_contain(const struct names *names, struct text name) {
    for (size_t i = 0; i < names->count; i++) {
        if (text_equal(names->items[i], name)) {
            return true;
        }
    }
    return false;
}

bool dependence_of_when(const struct pattern *when, const struct names *names) {
    struct dependence dependence = {.names = names};
    pattern_each_path(when, look_at_path, &dependence);
    return dependence.used.bytes > 0;
}
