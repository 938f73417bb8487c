/* One incident, told: what was done and when, why, by which event, how it stands. */
#include "console.h"

#include "riposte/base/memory.h"
#include "riposte/config/playbook.h"
#include "riposte/json/writer.h"
#include "riposte/respond/rehearsal.h"

#include <stdlib.h>

#define AUDIT_PAGE  500
#define AUDIT_PAGES 8
#define AUDIT_SHOWN 100
#define AUDIT_EARLY 2000 /* ms: a line's time may be a little before the incident's */

struct story {
    struct journal_dossier dossier;
    struct blob *event;
    const struct json *plan; /* NULL: none */
    struct texts why;        /* by the rule as it is now */
    bool has_rule;           /* there still is one of that name */
    const struct journal_audit_line *lines[AUDIT_SHOWN];
    size_t line_count;
};

/* ---- its lines in the audit chain ---------------------------------------------------------------
 */

/* The chain has no index by incident, but times: halves what is between until the line is found
 * before which all are older. */
static bool find_begin(struct journal *journal, int64_t unix_ms, int64_t last, int64_t *after_out,
                       struct error *error) {
    int64_t low = 0, high = last;
    while (low < high) {
        scoped(arena_free) struct arena *arena = arena_new();
        int64_t middle = low + (high - low) / 2;
        struct journal_audit_line *line = NULL;
        size_t count = 0;
        if (!journal_read_audit(journal, middle, 1, arena, &line, &count, error)) {
            return false;
        }
        if (count > 0 && line->unix_ms < unix_ms) {
            low = line->sequence;
        } else {
            high = middle;
        }
    }
    *after_out = low;
    return true;
}

static void keep_lines(struct story *story, const struct journal_audit_line *lines, size_t count) {
    int64_t told = story->line_count > 0 ? story->lines[story->line_count - 1]->sequence : 0;
    for (size_t i = 0; i < count && story->line_count < AUDIT_SHOWN; i++) {
        if (lines[i].sequence > told &&
            text_equal(lines[i].incident, ulid_text(&story->dossier.incident.id))) {
            story->lines[story->line_count++] = &lines[i];
        }
    }
}

/* From this time on, some pages. */
static bool read_lines(struct page *page, struct story *story, int64_t from_unix_ms,
                       struct error *error) {
    struct journal *journal = page->admin->options.journal;
    struct journal_numbers numbers = {0};
    int64_t after = 0;
    journal_numbers(journal, &numbers);
    if (!find_begin(journal, from_unix_ms - AUDIT_EARLY, numbers.sequence, &after, error)) {
        return false;
    }
    for (int i = 0; i < AUDIT_PAGES; i++) {
        struct journal_audit_line *lines = NULL;
        size_t count = 0;
        if (!journal_read_audit(journal, after, AUDIT_PAGE, page->arena, &lines, &count, error)) {
            return false;
        }
        keep_lines(story, lines, count);
        if (count < AUDIT_PAGE) {
            break;
        }
        after = lines[count - 1].sequence;
    }
    return true;
}

/* ---- reading it ---------------------------------------------------------------------------------
 */

/* What the rule says of the event today; it may have been another when it fired. */
static void read_why(struct page *page, struct story *story) {
    struct rehearsal *rehearsals = NULL;
    size_t count = 0;
    struct error error = {0};
    story->has_rule = story->event != NULL &&
                      rehearse(access_snapshot(page->access), blob_text(story->event),
                               story->dossier.incident.rule, page->arena, &rehearsals, &count,
                               &error) &&
                      count > 0;
    if (story->has_rule) {
        story->why = rehearsals[0].why;
    }
}

static bool read_story(struct page *page, const struct ulid *id, struct story *story,
                       struct error *error) {
    struct journal *journal = page->admin->options.journal;
    struct error unread = {0};
    if (!journal_read_dossier(journal, id, page->arena, &story->dossier, error)) {
        return false;
    }
    const struct journal_incident *incident = &story->dossier.incident;
    if (!journal_read_event(journal, incident->event_key, &story->event, &unread)) {
        story->event = NULL;
    }
    if (incident->plan.bytes > 0 &&
        !json_parse(incident->plan, 0, page->arena, &story->plan, NULL, &unread)) {
        story->plan = NULL;
    }
    read_why(page, story);
    return read_lines(page, story, incident->created_unix_ms, error) &&
           read_lines(page, story, incident->updated_unix_ms, error);
}

/* ---- head and deeds -----------------------------------------------------------------------------
 */

static void write_deed(struct page *page, const char *name, const char *label, const char *key) {
    struct html *html = &page->html;
    struct text id = text_slice(request_path(page->request), sizeof(CONSOLE_INCIDENTS) - 1,
                                sizeof(CONSOLE_INCIDENTS) - 1 + ULID_TEXT_BYTES);
    html_open_class(html, "a", "deed");
    html_link(html, "href", CONSOLE_INCIDENTS, id, name);
    html_attribute(html, "data-key", text_of(key));
    html_text(html, text_of(label));
    html_close(html);
}

/* What the state allows, for who may. */
static void write_deeds(struct page *page, const struct story *story) {
    enum incident_state state = story->dossier.incident.state;
    bool is_held = state == INCIDENT_HELD;
    bool may_undo = state == INCIDENT_DONE || state == INCIDENT_FAILED ||
                    state == INCIDENT_RESPONDING || (is_held && story->dossier.effect_count > 0) ||
                    ((state == INCIDENT_RELEASED || state == INCIDENT_DISMISSED) &&
                     story->dossier.effect_count > 0);
    if (!page->may_act || (!is_held && !may_undo)) {
        return;
    }
    html_open_class(&page->html, "nav", "deeds");
    html_attribute(&page->html, "aria-label", TEXT("Actions"));
    if (is_held) {
        write_deed(page, "/approve", "Approve\xE2\x80\xA6", "a");
        write_deed(page, "/dismiss", "Dismiss\xE2\x80\xA6", "d");
    }
    if (may_undo) {
        write_deed(page, "/undo", "Undo\xE2\x80\xA6", "u");
    }
    html_close(&page->html);
}

static void write_summary(struct page *page, const struct story *story) {
    struct html *html = &page->html;
    const struct journal_incident *incident = &story->dossier.incident;
    html_open_class(html, "div", "summary");
    html_attribute(html, "data-state", text_of(incident_state_name(incident->state)));
    html_open_class(html, "p", "marks");
    page_state(html, incident->state);
    page_severity(html, incident->severity);
    html_close(html);
    if (incident->contained_unix_ms != 0) {
        struct text took = page_duration(page->arena,
                                         incident->contained_unix_ms - incident->received_unix_ms);
        html_open_class(html, "p", "took");
        html_text(html, TEXT("Contained "));
        html_element(html, "strong", NULL, took);
        html_text(html, TEXT(" after the event was received."));
        html_close(html);
    }
    if (incident->reason.bytes > 0) {
        html_open_class(html, "p", "reason");
        html_value(html, incident->reason);
        html_close(html);
    }
    if (!ulid_is_none(&incident->joined_to)) {
        html_open(html, "p");
        html_text(html, TEXT("It joined "));
        html_open(html, "a");
        html_link(html, "href", CONSOLE_INCIDENTS, ulid_text(&incident->joined_to), NULL);
        html_text(html, ulid_text(&incident->joined_to));
        html_close(html);
        html_close(html);
    }
    write_deeds(page, story);
    html_close(html);
}

static void write_who(struct page *page, const struct journal_incident *incident) {
    struct html *html = &page->html;
    page_section(html, "Who, where, when");
    html_open_class(html, "dl", "facts");
    page_fact(html, "Principal", incident->principal_id);
    page_fact(html, "Name", incident->principal_name);
    page_fact(html, "Account", incident->account);
    page_fact(html, "Region", incident->region);
    page_fact(html, "Subject", incident->subject);
    page_fact(html, "Mode", text_of(mode_name(incident->mode)));
    page_fact(html, "Incident", ulid_text(&incident->id));
    page_fact(html, "Event", incident->event_key);
    page_fact_time(html, "Happened", incident->event_unix_ms);
    page_fact_time(html, "Received", incident->received_unix_ms);
    page_fact_time(html, "Contained", incident->contained_unix_ms);
    page_fact_time(html, "Changed", incident->updated_unix_ms);
    html_close(html);
    html_close(html);
}

/* ---- calls --------------------------------------------------------------------------------------
 */

static bool is_notice(struct page *page, const struct journal_call *call) {
    const struct playbook *playbook = snapshot_playbook(access_snapshot(page->access),
                                                        call->playbook);
    return playbook != NULL && playbook->acts_on == ACTS_ON_NOBODY;
}

static void write_details(struct page *page, const char *label, struct text json) {
    if (json.bytes > 0) {
        html_open(&page->html, "details");
        html_element(&page->html, "summary", NULL, text_of(label));
        page_json(page, json);
        html_close(&page->html);
    }
}

static void write_call(struct page *page, const struct journal_call *call) {
    struct html *html = &page->html;
    html_open_class(html, "li", "call");
    html_attribute(html, "data-call", text_of(call_state_name(call->state)));
    html_open_class(html, "div", "line");
    html_open_class(html, "span", "callstate");
    html_attribute(html, "data-call", text_of(call_state_name(call->state)));
    html_text(html, text_of(call_state_name(call->state)));
    html_close(html);
    html_open(html, "code");
    html_text(html, call->service);
    html_text(html, TEXT(":"));
    html_text(html, call->operation);
    html_close(html);
    html_element(html, "span", "kind",
                 call->is_containing ? TEXT("contains")
                 : call->is_write    ? TEXT("writes")
                                     : TEXT("reads"));
    if (call->took_us > 0) {
        html_element_format(html, "span", "took", "%.1f ms", (double)call->took_us / 1000);
    }
    page_time(html, call->ended_unix_ms != 0 ? call->ended_unix_ms : call->intended_unix_ms);
    html_close(html);
    html_open_class(html, "p", "hint");
    html_value(html, call->playbook);
    html_text(html, TEXT(" \xC2\xB7 "));
    html_value(html, call->step);
    html_text(html, TEXT(" \xC2\xB7 "));
    html_value(html, call->account);
    html_text(html, TEXT(" "));
    html_value(html, call->region);
    if (call->attempts > 1) {
        html_format(html, " \xC2\xB7 %u tries", call->attempts);
    }
    html_close(html);
    if (call->error_code.bytes > 0 || call->reason.bytes > 0) {
        html_open_class(html, "p", "reason");
        html_value(html, call->error_code);
        html_text(html, TEXT(" "));
        html_value(html, call->reason);
        html_close(html);
    }
    write_details(page, "Request", call->request);
    write_details(page, "Answer", call->answer);
    write_details(page, "What takes it back", call->inverse);
    html_close(html);
}

/* As they ended; what has not ended comes last, and a question before the write that waited. */
static int compare_calls(const void *a, const void *b) {
    const struct journal_call *left = *(const struct journal_call *const *)a;
    const struct journal_call *right = *(const struct journal_call *const *)b;
    int64_t left_ms = left->ended_unix_ms == 0 ? INT64_MAX : left->ended_unix_ms;
    int64_t right_ms = right->ended_unix_ms == 0 ? INT64_MAX : right->ended_unix_ms;
    if (left_ms != right_ms) {
        return left_ms < right_ms ? -1 : 1;
    }
    if (left->is_write != right->is_write) {
        return left->is_write ? 1 : -1;
    }
    return (left->id > right->id) - (left->id < right->id);
}

static const struct journal_call **sort_calls(struct page *page, const struct story *story) {
    size_t count = story->dossier.call_count;
    const struct journal_call **sorted = arena_alloc_array(page->arena, count + 1, sizeof(*sorted));
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &story->dossier.calls[i];
    }
    qsort(sorted, count, sizeof(struct journal_call *), compare_calls);
    return sorted;
}

/* Those that notify, or the others. */
static void write_calls(struct page *page, const struct story *story, bool notices,
                        const char *heading, const char *none) {
    struct html *html = &page->html;
    const struct journal_call **sorted = sort_calls(page, story);
    size_t count = 0;
    page_section(html, heading);
    html_open_class(html, "ol", "calls");
    for (size_t i = 0; i < story->dossier.call_count; i++) {
        if (is_notice(page, sorted[i]) == notices) {
            write_call(page, sorted[i]);
            count++;
        }
    }
    html_close(html);
    if (count == 0) {
        html_element(html, "p", "empty", text_of(none));
    }
    html_close(html);
}

/* ---- the verdict, and what was planned ----------------------------------------------------------
 */

static struct text member(const struct json *node, const char *name) {
    return json_text(json_member(node, name));
}

static void write_tree(struct page *page, const char *label, const struct json *node) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    if (json_count(node) > 0) {
        json_write(&text, node);
        write_details(page, label, buffer_text(&text));
    }
}

static void write_confirm(struct page *page, const struct json *asked) {
    struct html *html = &page->html;
    struct text result = member(asked, "result");
    html_open(html, "li");
    html_element(html, "code", NULL, member(asked, "call"));
    html_text(html, TEXT(" "));
    html_element(html, "strong", NULL, result.bytes > 0 ? result : TEXT("unconfirmed"));
    html_text(html, TEXT(" "));
    html_value(html, member(asked, "reason"));
    write_tree(page, "Answer", json_member(asked, "answer"));
    html_close(html);
}

void page_plan(struct page *page, const struct json *plan) {
    struct html *html = &page->html;
    const struct json *playbook = json_first(json_member(plan, "playbooks"));
    for (; playbook != NULL; playbook = json_next(playbook)) {
        html_open_class(html, "h3", NULL);
        html_text(html, TEXT("Playbook "));
        html_value(html, member(playbook, "name"));
        html_close(html);
        html_open_class(html, "ol", "calls");
        const struct json *call = json_first(json_member(playbook, "calls"));
        for (; call != NULL; call = json_next(call)) {
            html_open_class(html, "li", "call");
            html_open_class(html, "div", "line");
            html_element(html, "span", "kind", member(call, "kind"));
            html_element(html, "code", NULL, member(call, "call"));
            html_element(html, "span", "hint", member(call, "step"));
            html_close(html);
            write_tree(page, "Parameters", json_member(call, "parameters"));
            write_tree(page, "What takes it back", json_member(call, "inverse"));
            html_close(html);
        }
        html_close(html);
    }
}

static void write_verdict(struct page *page, const struct story *story) {
    struct html *html = &page->html;
    const struct journal_incident *incident = &story->dossier.incident;
    page_section(html, "Verdict");
    html_open_class(html, "dl", "facts");
    page_fact(html, "State", text_of(incident_state_name(incident->state)));
    page_fact(html, "Reason",
              incident->reason.bytes > 0 ? incident->reason : TEXT("the guard let it pass"));
    html_close(html);
    const struct json *asked = json_first(json_member(story->plan, "confirm"));
    if (asked != NULL) {
        html_element(html, "h3", NULL, TEXT("What AWS was asked before"));
        html_open(html, "ul");
        for (; asked != NULL; asked = json_next(asked)) {
            write_confirm(page, asked);
        }
        html_close(html);
    }
    page_plan(page, story->plan);
    html_close(html);
}

/* ---- how it stands ------------------------------------------------------------------------------
 */

static void write_effects(struct page *page, const struct story *story) {
    struct html *html = &page->html;
    page_section(html, "What stands, and can be undone");
    if (story->dossier.effect_count == 0) {
        html_element(html, "p", "empty",
                     story->dossier.incident.state == INCIDENT_RELEASED
                         ? TEXT("Nothing: it was taken back.")
                         : TEXT("Nothing."));
    }
    html_open_class(html, "ul", "effects");
    for (size_t i = 0; i < story->dossier.effect_count; i++) {
        const struct journal_effect *effect = &story->dossier.effects[i];
        html_open(html, "li");
        html_element(html, "strong", NULL, effect->name.name);
        html_text(html, TEXT(" on "));
        html_value(html, effect->name.target);
        html_text(html, effect->is_releasing ? TEXT(", being taken back") : TEXT(", since "));
        if (!effect->is_releasing) {
            page_time(html, effect->made_unix_ms);
        }
        if (effect->owner_count > 1) {
            html_format(html, ", shared by %zu incidents", effect->owner_count);
        }
        write_details(page, "What takes it back", effect->inverse);
        html_close(html);
    }
    html_close(html);
    for (size_t i = 0; i < story->dossier.task_count; i++) {
        const struct journal_task_row *task = &story->dossier.tasks[i];
        html_open_class(html, "p", "task");
        html_text(html, TEXT("Open task: "));
        html_text(html, text_of(task_kind_name(task->kind)));
        html_text(html, TEXT(" "));
        html_value(html, task->playbook);
        html_text(html, task->is_leased ? TEXT(", at work") : TEXT(", due "));
        if (!task->is_leased) {
            page_time(html, task->due_unix_ms);
        }
        html_close(html);
    }
    html_close(html);
}

static void write_why(struct page *page, const struct story *story) {
    struct html *html = &page->html;
    page_section(html, "Why the rule matched");
    html_open(html, "p");
    html_open(html, "a");
    html_link(html, "href", CONSOLE_RULES "/", story->dossier.incident.rule, NULL);
    html_value(html, story->dossier.incident.rule);
    html_close(html);
    html_text(html, story->has_rule ? TEXT(", as it is now, says of the event:")
                                    : TEXT(" is no longer in force, or the event is gone."));
    html_close(html);
    html_open_class(html, "ul", "why");
    for (size_t i = 0; i < story->why.count; i++) {
        html_open(html, "li");
        html_value(html, story->why.items[i]);
        html_close(html);
    }
    html_close(html);
    if (story->event != NULL) {
        page_event(page, blob_text(story->event), &story->why);
    }
    html_close(html);
}

static void write_audit(struct page *page, const struct story *story) {
    struct html *html = &page->html;
    page_section(html, "Audit");
    html_open_class(html, "ol", "audit");
    for (size_t i = 0; i < story->line_count; i++) {
        const struct journal_audit_line *line = story->lines[i];
        html_open(html, "li");
        html_open_class(html, "div", "line");
        html_element_format(html, "span", "sequence", "%lld", (long long)line->sequence);
        page_time(html, line->unix_ms);
        html_element(html, "strong", NULL, line->event);
        if (line->actor.bytes > 0) {
            html_text(html, TEXT(" by "));
            html_value(html, line->actor);
        }
        html_close(html);
        write_details(page, "Text", line->text);
        html_close(html);
    }
    html_close(html);
    html_element(html, "p", "hint",
                 TEXT("Lines of the hash chain around its making and its last change; "
                      "\"riposte audit export\" has all."));
    html_close(html);
}

static void write_story(struct page *page, const struct story *story) {
    struct html *html = &page->html;
    struct journal_numbers numbers = {0};
    journal_numbers(page->admin->options.journal, &numbers);
    html_open(html, "div");
    html_attribute(html, "id", TEXT("live"));
    html_attribute(html, "data-live", ulid_text(&story->dossier.incident.id));
    html_attribute_format(html, "data-after", "%lld", (long long)numbers.sequence);
    write_summary(page, story);
    html_open_class(html, "div", "columns");
    write_who(page, &story->dossier.incident);
    write_effects(page, story);
    html_close(html);
    write_calls(page, story, false, "Calls", "No call was made.");
    write_verdict(page, story);
    write_why(page, story);
    write_calls(page, story, true, "Notifications", "Nobody was told.");
    write_audit(page, story);
    html_close(html);
}

static void show_story(struct page *page) {
    struct story *story = memory_new(sizeof(*story));
    struct error error = {0};
    struct ulid id = {0};
    struct text rest = request_path(page->request);
    rest = text_slice(rest, sizeof(CONSOLE_INCIDENTS) - 1, rest.bytes);
    size_t slash = text_find_byte(rest, '/', 0);
    if (!ulid_parse(text_slice(rest, 0, slash), &id)) {
        page_fail(page, 404, "Not found", "There is no such incident.");
    } else if (slash < rest.bytes) {
        console_ask(page, &id, text_slice(rest, slash + 1, rest.bytes));
    } else if (!read_story(page, &id, story, &error)) {
        page_fail_error(page, &error);
    } else {
        const struct journal_incident *incident = &story->dossier.incident;
        page_begin(page, CONSOLE_AT_INCIDENTS, arena_copy_text(page->arena, incident->rule).data,
                   ulid_text(&incident->id));
        write_story(page, story);
        page_end(page, 200);
    }
    blob_unref(&story->event);
    free(story);
}

void console_incident(void *arg, struct request *request) {
    page_serve(arg, request, show_story);
}
