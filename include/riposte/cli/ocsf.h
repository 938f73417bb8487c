/* A line of the audit chain as an event of the Open Cybersecurity Schema Framework, for a SIEM.
 *
 *     intent, outcome, shared    API Activity 6003             a call to AWS: asked for, answered
 *     start, stop, reload        Application Lifecycle 6002    the server
 *     all others                 Entity Management 3004        what was decided about an incident,
 * or done to the journal
 *
 * All of the line is kept: `unmapped` has event, text and hash, metadata.sequence and time the
 * rest, so that the chain can be verified from it.
 *
 * Threads:    pure.
 * Source:     FACTS.md, OCSF. */
#ifndef RIPOSTE_CLI_OCSF_H
#define RIPOSTE_CLI_OCSF_H

#include "riposte/base/buffer.h"
#include "riposte/journal/journal.h"

#define OCSF_VERSION "1.3.0"

/* Appends one JSON object, without a line break. */
void ocsf_write_line(const struct journal_audit_line *line, struct buffer *out);

#endif
