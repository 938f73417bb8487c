#include "console.h"

#include "riposte/base/time.h"
#include "riposte/journal/search.h"

#define ROWS         50
#define FILTER_BYTES 512
#define DAY_MS       (24 * 3600 * INT64_C(1000))
#define BIT(state)   ((uint32_t)1 << (state))

/* What waits for somebody. */
#define ATTENTION (BIT(INCIDENT_HELD) | BIT(INCIDENT_FAILED))

/* What is asked for; the texts are the query's. */
struct asked {
    struct text state, severity, rule, principal, account, since, until;
    struct journal_filter filter;
    struct ulid before;
};

static const char *const severities[] = {"critical", "high", "medium", "low"};

/* ---- the question -------------------------------------------------------------------------------
 */

static bool read_state(struct asked *asked, struct error *error) {
    enum incident_state state = INCIDENT_DETECTED;
    if (text_equal(asked->state, TEXT("attention"))) {
        asked->filter.states = ATTENTION;
    } else if (asked->state.bytes > 0) {
        if (!incident_state_parse(asked->state, &state)) {
            return error_set(error, ERROR_INVALID, "state: there is no such");
        }
        asked->filter.states = BIT(state);
    }
    return true;
}

/* "2026-03-02": from its beginning on. */
static bool read_day(struct text day, const char *name, int64_t *unix_ms_out, struct arena *arena,
                     struct error *error) {
    return day.bytes == 0 ||
           (day.bytes == 10 &&
            time_parse(arena_format(arena, "%.*sT00:00:00Z", TEXT_ARG(day)), unix_ms_out)) ||
           error_set(error, ERROR_INVALID, "%s: a day as 2026-03-02", name);
}

static bool read_asked(struct page *page, struct asked *asked, struct error *error) {
    const struct {
        const char *name;
        struct text *value;
    } fields[] = {{"state", &asked->state},     {"severity", &asked->severity},
                  {"rule", &asked->rule},       {"principal", &asked->principal},
                  {"account", &asked->account}, {"since", &asked->since},
                  {"until", &asked->until}};
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        *fields[i].value = text_trim(request_query(page->request, fields[i].name));
        if (fields[i].value->bytes > FILTER_BYTES) {
            return error_set(error, ERROR_INVALID, "%s: longer than %d bytes", fields[i].name,
                             FILTER_BYTES);
        }
    }
    struct text before = request_query(page->request, "before");
    struct journal_filter *filter = &asked->filter;
    filter->severity = asked->severity;
    filter->rule = asked->rule;
    filter->principal = asked->principal;
    filter->account = asked->account;
    if (!read_state(asked, error) ||
        !read_day(asked->since, "since", &filter->since_unix_ms, page->arena, error) ||
        !read_day(asked->until, "until", &filter->until_unix_ms, page->arena, error)) {
        return false;
    }
    filter->until_unix_ms += filter->until_unix_ms > 0 ? DAY_MS : 0; /* that day too */
    return before.bytes == 0 || ulid_parse(before, &asked->before) ||
           error_set(error, ERROR_INVALID, "before: not an incident's id");
}

/* ---- the form -----------------------------------------------------------------------------------
 */

static void write_label(struct html *html, const char *id, const char *label) {
    html_open(html, "label");
    html_attribute(html, "for", text_of(id));
    html_text(html, text_of(label));
    html_close(html);
}

static void write_option(struct html *html, const char *value, const char *label,
                         struct text chosen) {
    html_open(html, "option");
    html_attribute(html, "value", text_of(value));
    if (text_equal_string(chosen, value)) {
        html_flag(html, "selected");
    }
    html_text(html, text_of(label));
    html_close(html);
}

static void write_input(struct html *html, const char *name, const char *label, const char *type,
                        struct text value) {
    html_open(html, "div");
    write_label(html, name, label);
    html_open(html, "input");
    html_attribute(html, "id", text_of(name));
    html_attribute(html, "name", text_of(name));
    html_attribute(html, "type", text_of(type));
    html_attribute(html, "value", value);
    html_attribute(html, "autocomplete", TEXT("off"));
    html_close(html);
    html_close(html);
}

static void write_select(struct html *html, const char *name, const char *label) {
    html_open(html, "div");
    write_label(html, name, label);
    html_open(html, "select");
    html_attribute(html, "id", text_of(name));
    html_attribute(html, "name", text_of(name));
}

static void close_select(struct html *html) {
    html_close(html);
    html_close(html);
}

static void write_filters(struct html *html, const struct asked *asked) {
    html_open_class(html, "form", "filters");
    html_attribute(html, "method", TEXT("get"));
    html_path(html, "action", "/");
    html_attribute(html, "role", TEXT("search"));
    html_attribute(html, "aria-label", TEXT("Filter incidents"));
    write_select(html, "state", "State");
    write_option(html, "", "any", asked->state);
    write_option(html, "attention", "needs attention", asked->state);
    for (int i = 0; i < INCIDENT_STATES; i++) {
        const char *name = incident_state_name((enum incident_state)i);
        write_option(html, name, name, asked->state);
    }
    close_select(html);
    write_select(html, "severity", "Severity");
    write_option(html, "", "any", asked->severity);
    for (size_t i = 0; i < ARRAY_COUNT(severities); i++) {
        write_option(html, severities[i], severities[i], asked->severity);
    }
    close_select(html);
    write_input(html, "rule", "Rule", "text", asked->rule);
    write_input(html, "principal", "Principal", "text", asked->principal);
    write_input(html, "account", "Account", "text", asked->account);
    write_input(html, "since", "From day", "date", asked->since);
    write_input(html, "until", "To day", "date", asked->until);
    html_open_class(html, "div", "buttons");
    html_element(html, "button", "primary", TEXT("Filter"));
    html_open(html, "a");
    html_path(html, "href", "/");
    html_text(html, TEXT("Clear"));
    html_close(html);
    html_close(html);
    html_close(html);
}

/* ---- the rows -----------------------------------------------------------------------------------
 */

static void write_contained(struct page *page, const struct journal_incident *incident) {
    if (incident->contained_unix_ms != 0) {
        struct text took = page_duration(page->arena,
                                         incident->contained_unix_ms - incident->received_unix_ms);
        html_element_format(&page->html, "span", "took", "contained in %.*s", TEXT_ARG(took));
    }
}

static void write_row(struct page *page, const struct journal_incident *incident) {
    struct html *html = &page->html;
    html_open_class(html, "li", "incident");
    html_attribute(html, "data-state", text_of(incident_state_name(incident->state)));
    html_open_class(html, "div", "when");
    page_time(html, incident->created_unix_ms);
    html_close(html);
    html_open_class(html, "div", "marks");
    page_state(html, incident->state);
    page_severity(html, incident->severity);
    html_close(html);
    html_open_class(html, "div", "what");
    html_open(html, "a");
    html_link(html, "href", CONSOLE_INCIDENTS, ulid_text(&incident->id), NULL);
    html_attribute(html, "id", ulid_text(&incident->id));
    html_value(html, incident->rule);
    html_close(html);
    if (incident->reason.bytes > 0) {
        html_open_class(html, "p", "reason");
        html_value(html, incident->reason);
        html_close(html);
    }
    html_close(html);
    html_open_class(html, "div", "whom");
    html_value(html, incident->principal_name.bytes > 0 ? incident->principal_name
                                                        : incident->principal_id);
    html_open_class(html, "span", "place");
    html_value(html, incident->account);
    html_text(html, TEXT(" "));
    html_value(html, incident->region);
    html_close(html);
    write_contained(page, incident);
    html_close(html);
    html_close(html);
}

/* The filters again, and from where on. */
static void write_next(struct page *page, const struct asked *asked, const struct ulid *next) {
    const struct {
        const char *name;
        struct text value;
    } fields[] = {{"state", asked->state},     {"severity", asked->severity},
                  {"rule", asked->rule},       {"principal", asked->principal},
                  {"account", asked->account}, {"since", asked->since},
                  {"until", asked->until},     {"before", ulid_text(next)}};
    struct html *html = &page->html;
    html_open_class(html, "form", "next");
    html_attribute(html, "method", TEXT("get"));
    html_path(html, "action", "/");
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        if (fields[i].value.bytes > 0) {
            html_open(html, "input");
            html_attribute(html, "type", TEXT("hidden"));
            html_attribute(html, "name", text_of(fields[i].name));
            html_attribute(html, "value", fields[i].value);
            html_close(html);
        }
    }
    html_element(html, "button", "more", TEXT("Older incidents"));
    html_close(html);
}

static void write_rows(struct page *page, const struct asked *asked, int64_t sequence,
                       const struct journal_incident *incidents, size_t count,
                       const struct ulid *next) {
    struct html *html = &page->html;
    html_open(html, "div");
    html_attribute(html, "id", TEXT("live"));
    html_attribute(html, "data-live", TEXT("list"));
    html_attribute_format(html, "data-after", "%lld", (long long)sequence);
    if (count == 0) {
        html_element(html, "p", "empty",
                     ulid_is_none(next) ? TEXT("No incidents that fit.")
                                        : TEXT("None so far: there is more to look at."));
    } else {
        html_open_class(html, "ol", "incidents");
        html_attribute(html, "aria-label", TEXT("Incidents, the newest first"));
        for (size_t i = 0; i < count; i++) {
            write_row(page, &incidents[i]);
        }
        html_close(html);
    }
    if (!ulid_is_none(next)) {
        write_next(page, asked, next);
    }
    html_close(html);
}

static void show_list(struct page *page) {
    struct journal_numbers numbers = {0};
    struct asked asked = {.filter = {0}};
    struct error error = {0};
    struct journal_incident *incidents = NULL;
    struct ulid next = {0};
    size_t count = 0;
    journal_numbers(page->admin->options.journal, &numbers); /* before: the stream misses nothing */
    if (!read_asked(page, &asked, &error)) {
        page_fail(page, 400, "Not a question", error.text);
        return;
    }
    if (!journal_find_incidents(page->admin->options.journal, &asked.before, &asked.filter, ROWS,
                                page->arena, &incidents, &count, &next, &error)) {
        page_fail_error(page, &error);
        return;
    }
    page_begin(page, CONSOLE_AT_INCIDENTS, "Incidents", TEXT("list"));
    write_filters(&page->html, &asked);
    write_rows(page, &asked, numbers.sequence, incidents, count, &next);
    page_end(page, 200);
}

void console_list(void *arg, struct request *request) {
    page_serve(arg, request, show_list);
}
