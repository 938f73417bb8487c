/* What /metrics says of the process and of the journal, beside what every folder counts itself.
 * Private to the folder.
 *
 * Threads:    process_measure(): one at a time. */
#ifndef RIPOSTE_SERVER_OPERATE_PROCESS_H
#define RIPOSTE_SERVER_OPERATE_PROCESS_H

#include "riposte/journal/journal.h"
#include "riposte/journal/search.h"

#include <stdint.h>

/* Makes the metrics known; the process's age counts from the first call. */
void process_register(void);
/* Brings what is not asked at rendering up to date. */
void process_measure(struct journal *journal);
void process_measure_incidents(const struct journal_census *census);

int64_t process_started_unix_ms(void);
int64_t process_uptime_s(void);
int64_t process_resident_bytes(void);

#endif
