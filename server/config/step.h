/* One step of a playbook. */
#ifndef RIPOSTE_SERVER_CONFIG_STEP_H
#define RIPOSTE_SERVER_CONFIG_STEP_H

#include "form.h"

/* The steps read so far, and what their playbook acts on. */
struct step_reading {
    struct reading reading;
    enum acts_on acts_on;
    struct text *names; /* with room for all steps and links */
    size_t name_count;
};

/* Reads a step or a first_of with its links into *step_out. */
void step_read(struct step_reading *steps, const struct json *node, struct step *step_out);
/* How many names the steps of `array` can have. */
size_t step_count_names(const struct json *array);
/* Frees its patterns, those of its links too. */
void step_done(struct step *step);

#endif
