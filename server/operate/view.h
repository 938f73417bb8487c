/* What the admin API shows, as json-c objects. Private to the folder.
 *
 * Times are RFC 3339 with milliseconds; a time that isn't known and an empty text are left out.
 * What is journaled as JSON text (event, plan, request, answer) is shown as it was written, number
 * spelling and duplicate members included.
 *
 * Ownership:  the caller json_object_put()s what it gets; adding hands over.
 * Threads:    one. */
#ifndef RIPOSTE_SERVER_OPERATE_VIEW_H
#define RIPOSTE_SERVER_OPERATE_VIEW_H

#include "jsonc.h"

#include "riposte/base/text.h"
#include "riposte/config/snapshot.h"
#include "riposte/journal/journal.h"
#include "riposte/observe/recent.h"

#define VIEW_CUT_BYTES 1000

/* json_object_put() as a cleanup handler. */
void view_put(struct json_object **object);

void view_add_text(struct json_object *object, const char *key, struct text value);
/* 0: not known. */
void view_add_time(struct json_object *object, const char *key, int64_t unix_ms);
/* `text` as JSON; as a string when it is none (cut, or broken). */
void view_add_json(struct json_object *object, const char *key, struct text text);

/* As lists and streams show it: texts that an event made long are cut at VIEW_CUT_BYTES. */
struct json_object *view_incident(const struct journal_incident *incident);
/* All of it. */
struct json_object *view_story(const struct journal_incident *incident);
struct json_object *view_calls(const struct journal_call *calls, size_t count);
struct json_object *view_effects(const struct journal_effect *effects, size_t count);
struct json_object *view_tasks(const struct journal_task_row *tasks, size_t count);
struct json_object *view_recent(const struct recent_event *events, size_t count);
struct json_object *view_audit(const struct journal_audit_line *lines, size_t count);
/* Of a line, what the stream says: sequence, time, change, actor, id. */
struct json_object *view_change(const struct journal_audit_line *line);
struct json_object *view_rule(const struct snapshot *snapshot, const struct rule *rule);
struct json_object *view_texts(const struct texts *texts);

#endif
