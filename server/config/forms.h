/* The forms that files of ours have, each beside the code that reads it.
 *
 * Threads:    constants. */
#ifndef RIPOSTE_SERVER_CONFIG_FORMS_H
#define RIPOSTE_SERVER_CONFIG_FORMS_H

#include "form.h"

extern const struct form rule_form;      /* rule.c */
extern const struct form request_form;   /* call.c: of a REST call */
extern const struct form edit_form;      /* call.c */
extern const struct form where_form;     /* where.c: of its elements */
extern const struct form threshold_form; /* threshold.c */
extern const struct form rule_test_form; /* rule_test.c */
extern const struct form playbook_form;  /* playbook.c */
extern const struct form first_of_form;  /* step.c: a step of either form */

#endif
