#include "riposte/config/playbook.h"

#include "forms.h"
#include "step.h"

#include <assert.h>

static const char *const acts_on_names[] = {
    [ACTS_ON_PRINCIPAL] = "principal",
    [ACTS_ON_RESOURCE] = "resource",
    [ACTS_ON_NOBODY] = "nobody",
    NULL,
};

const char *acts_on_name(enum acts_on acts_on) {
    assert((size_t)acts_on < ARRAY_COUNT(acts_on_names) - 1);
    return acts_on_names[acts_on];
}

static enum acts_on read_acts_on(const struct reading *reading, const struct json *root) {
    const struct json *node = json_member(root, "acts_on");
    size_t index = 0;
    if (node != NULL && !form_choice(reading, node, "\"acts_on\"", acts_on_names, &index)) {
        return ACTS_ON_PRINCIPAL;
    }
    return (enum acts_on)index;
}

static void read_steps(struct step_reading *steps, const struct json *array,
                       struct playbook *playbook) {
    const struct reading *reading = &steps->reading;
    size_t count = json_is_array(array) ? json_count(array) : 0;
    if (json_is_array(array) && count == 0) {
        findings_add(reading->findings, reading->source, array, "a playbook needs steps");
    }
    steps->names = arena_alloc_array(reading->arena, step_count_names(array), sizeof(struct text));
    struct step *read = arena_alloc_array(reading->arena, count, sizeof(*read));
    const struct json *child = json_first(array);
    for (size_t i = 0; i < count; i++, child = json_next(child)) {
        step_read(steps, child, &read[i]);
        if (read[i].ladder.bytes > 0 && playbook->ladder != NULL) {
            findings_add_at(reading->findings, reading->source,
                            json_key_offset(json_member(child, "ladder")),
                            "a playbook has one \"ladder\"");
        }
        playbook->ladder = read[i].ladder.bytes > 0 ? &read[i] : playbook->ladder;
    }
    playbook->steps = read;
    playbook->step_count = count;
}

static const struct member playbook_members[] = {
    {"name", MEMBER_NAME, MEMBER_REQUIRED},
    {"description", MEMBER_STRING, 0},
    {"acts_on", MEMBER_ANY, MEMBER_REQUIRED},
    {"steps", MEMBER_ARRAY, MEMBER_REQUIRED},
};
static const struct member_detail playbook_details[] = {
    {.name = "acts_on", .choices = acts_on_names},
    {.name = "steps", .form = &first_of_form, .schema = "{\"minItems\": 1}"},
};
const struct form playbook_form = {.name = "playbook",
                                   .members = playbook_members,
                                   .count = ARRAY_COUNT(playbook_members),
                                   .details = playbook_details,
                                   .detail_count = ARRAY_COUNT(playbook_details)};

struct playbook *playbook_read(const struct source *source, const struct json *root,
                               struct arena *arena, struct findings *findings) {
    size_t errors_before = findings_errors(findings);
    struct step_reading steps = {.reading = {source, arena, findings}};
    struct playbook *playbook = arena_alloc(arena, sizeof(*playbook));
    form_check(&steps.reading, root, "a playbook", playbook_members, ARRAY_COUNT(playbook_members));
    playbook->name = form_text(root, "name");
    playbook->source = root;
    playbook->acts_on = read_acts_on(&steps.reading, root);
    steps.acts_on = playbook->acts_on;
    read_steps(&steps, json_member(root, "steps"), playbook);
    if (findings_errors(findings) > errors_before) {
        playbook_done(playbook);
        return NULL;
    }
    return playbook;
}

void playbook_done(struct playbook *playbook) {
    for (size_t i = 0; i < playbook->step_count; i++) {
        /* Ours: read_steps() made them. */
        step_done((struct step *)&playbook->steps[i]);
    }
    playbook->step_count = 0;
}
