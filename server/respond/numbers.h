/* What respond counts, for /metrics.
 *
 * Threads:    any. */
#ifndef RIPOSTE_SERVER_RESPOND_NUMBERS_H
#define RIPOSTE_SERVER_RESPOND_NUMBERS_H

#include "riposte/aws/client.h"
#include "riposte/base/text.h"
#include "riposte/journal/journal.h"

#include <stdint.h>

void numbers_register(void);
/* Receipt of the event to the end of the first containing call. */
void numbers_reaction(int64_t us);
void numbers_call(struct text service, struct text operation, enum aws_outcome outcome,
                  int64_t took_us);
void numbers_incident(enum incident_state state);
void numbers_page(const char *state);
void numbers_escape(void);
void numbers_reapplied(void);
void numbers_retry(const char *task);
void numbers_task(const char *task);
/* Its counters stand at 0 from now on. */
void numbers_expect_notices(struct text playbook);
/* "sent", "put-off", "lost", "skipped". */
void numbers_notice(struct text playbook, const char *outcome);

#endif
