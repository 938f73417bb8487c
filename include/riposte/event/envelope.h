/* The EventBridge envelope: an object with strings source, detail-type, account, region, time and
 * an object detail. Formats are not checked (the events of 2016 had six-digit accounts).
 *
 * Ownership:  texts point where the captures do.
 * Threads:    a value.
 * Source:     EventBridge user guide, "AWS service event metadata". */
#ifndef RIPOSTE_EVENT_ENVELOPE_H
#define RIPOSTE_EVENT_ENVELOPE_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/event/captures.h"

#include <stdbool.h>
#include <stdint.h>

#define ENVELOPE_KEY_BYTES 256

struct envelope {
    struct text key; /* detail.eventID, else id: an event with the same key is the same event */
    struct text id, source, detail_type, account, region, time;
    struct text event_name; /* detail.eventName; may be empty */
    bool has_time;          /* `time` could be read as RFC 3339 */
    int64_t time_unix_ms;
};

/* ERROR_INVALID names the member: "detail: missing", "account: must be a string, is a number",
 * "neither detail.eventID nor id" (null and "" are none; ERROR_INVALID, too, for a key of more than
 * ENVELOPE_KEY_BYTES). `captures` holds EVENT_CAPTURE_COUNT. */
MUST_CHECK bool envelope_read(const struct json_capture *captures, struct envelope *envelope_out,
                              struct error *error);

#endif
