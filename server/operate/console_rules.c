#include "console.h"

#include "riposte/base/time.h"
#include "riposte/json/writer.h"
#include "riposte/respond/rule_test.h"

/* Of the incidents that are kept. */
static struct journal_rule_count count_of(const struct journal_census *census, struct text rule) {
    for (size_t i = 0; i < census->rule_count; i++) {
        if (text_equal(census->rules[i].rule, rule)) {
            return census->rules[i];
        }
    }
    return (struct journal_rule_count){.incidents = 0};
}

static void write_mode(struct html *html, const struct snapshot *snapshot,
                       const struct rule *rule) {
    enum mode mode = snapshot_rule_mode(snapshot, rule);
    html_open_class(html, "span", "mode");
    html_attribute(html, "data-mode", text_of(mode_name(mode)));
    html_text(html, text_of(mode_name(mode)));
    html_close(html);
}

/* ---- all of them --------------------------------------------------------------------------------
 */

static void write_row(struct page *page, const struct rule *rule,
                      const struct journal_census *census) {
    struct html *html = &page->html;
    struct journal_rule_count count = count_of(census, rule->name);
    html_open(html, "tr");
    html_open(html, "th");
    html_attribute(html, "scope", TEXT("row"));
    html_open(html, "a");
    html_link(html, "href", CONSOLE_RULES "/", rule->name, NULL);
    html_value(html, rule->name);
    html_close(html);
    html_close(html);
    html_open(html, "td");
    page_severity(html, rule->severity);
    html_close(html);
    html_open(html, "td");
    write_mode(html, access_snapshot(page->access), rule);
    html_close(html);
    html_element_format(html, "td", "number", "%llu", (unsigned long long)count.incidents);
    html_open(html, "td");
    page_time(html, count.latest_unix_ms);
    html_close(html);
    html_element_format(html, "td", "number", "%zu", rule->test_count);
    html_close(html);
}

static void write_column(struct html *html, const char *name, const char *class) {
    html_open_class(html, "th", class);
    html_attribute(html, "scope", TEXT("col"));
    html_text(html, text_of(name));
    html_close(html);
}

static void show_rules(struct page *page, const struct journal_census *census) {
    const struct snapshot *snapshot = access_snapshot(page->access);
    struct html *html = &page->html;
    page_begin(page, CONSOLE_AT_RULES, "Rules", TEXT(""));
    html_element_format(html, "p", NULL, "%zu rules are in force.", snapshot->rule_count);
    html_open_class(html, "div", "scroll");
    html_attribute(html, "tabindex", TEXT("0"));
    html_attribute(html, "role", TEXT("region"));
    html_attribute(html, "aria-label", TEXT("Rules"));
    html_open(html, "table");
    html_open(html, "thead");
    html_open(html, "tr");
    write_column(html, "Rule", NULL);
    write_column(html, "Severity", NULL);
    write_column(html, "Mode", NULL);
    write_column(html, "Incidents", "number");
    write_column(html, "Latest", NULL);
    write_column(html, "Tests", "number");
    html_close(html);
    html_close(html);
    html_open(html, "tbody");
    for (size_t i = 0; i < snapshot->rule_count; i++) {
        write_row(page, snapshot->definitions[i]->rule, census);
    }
    html_close(html);
    html_close(html);
    html_close(html);
    page_end(page, 200);
}

/* ---- one of them --------------------------------------------------------------------------------
 */

static void write_texts(struct html *html, const char *label, const struct texts *texts) {
    if (texts->count > 0) {
        html_element(html, "dt", NULL, text_of(label));
        html_open(html, "dd");
        for (size_t i = 0; i < texts->count; i++) {
            html_text(html, i > 0 ? TEXT(", ") : TEXT(""));
            html_value(html, texts->items[i]);
        }
        html_close(html);
    }
}

static void write_facts(struct page *page, const struct rule *rule,
                        const struct journal_census *census) {
    struct html *html = &page->html;
    struct journal_rule_count count = count_of(census, rule->name);
    char cooldown[TIME_TEXT_BYTES];
    duration_format(rule->cooldown_ms, cooldown);
    html_open_class(html, "p", "marks");
    page_severity(html, rule->severity);
    write_mode(html, access_snapshot(page->access), rule);
    html_close(html);
    html_open(html, "p");
    html_value(html, rule->description);
    html_close(html);
    html_open_class(html, "dl", "facts");
    page_fact(html, "Incidents",
              arena_format(page->arena, "%llu", (unsigned long long)count.incidents));
    page_fact_time(html, "Latest", count.latest_unix_ms);
    page_fact(html, "Subject", rule->subject);
    page_fact(html, "Cooldown", text_of(cooldown));
    write_texts(html, "Responds with", &rule->respond);
    write_texts(html, "ATT&CK", &rule->attack);
    page_fact(html, "False positives", rule->false_positives);
    html_close(html);
    html_open(html, "form");
    html_attribute(html, "method", TEXT("get"));
    html_path(html, "action", "/");
    html_open(html, "input");
    html_attribute(html, "type", TEXT("hidden"));
    html_attribute(html, "name", TEXT("rule"));
    html_attribute(html, "value", rule->name);
    html_close(html);
    html_element(html, "button", NULL, TEXT("Its incidents"));
    html_close(html);
}

static void write_tests(struct page *page, const struct snapshot *snapshot, size_t index) {
    struct html *html = &page->html;
    const struct rule *rule = snapshot->definitions[index]->rule;
    struct rule_test_result *results = rule_test_results(snapshot, index, page->arena);
    page_section(html, "Tests");
    if (rule->test_count == 0) {
        html_element(html, "p", "empty", TEXT("It has none."));
    }
    html_open_class(html, "ul", "tests");
    for (size_t i = 0; i < rule->test_count; i++) {
        bool is_good = results[i].what.bytes == 0;
        html_open(html, "li");
        html_open_class(html, "span", "callstate");
        html_attribute(html, "data-call", is_good ? TEXT("done") : TEXT("failed"));
        html_text(html, is_good ? TEXT("passes") : TEXT("fails"));
        html_close(html);
        html_text(html, TEXT(" "));
        html_value(html, rule->tests[i].name);
        html_element(html, "span", "hint",
                     rule->tests[i].is_match ? TEXT(" \xC2\xB7 must match")
                                             : TEXT(" \xC2\xB7 must not match"));
        if (!is_good) {
            html_open_class(html, "p", "reason");
            html_value(html, results[i].what);
            html_close(html);
        }
        html_open(html, "details");
        html_element(html, "summary", NULL, TEXT("Event"));
        page_json(page, rule->tests[i].event_text);
        html_close(html);
        html_close(html);
    }
    html_close(html);
    html_close(html);
}

static void show_rule(struct page *page, size_t index, const struct journal_census *census) {
    scoped(buffer_done) struct buffer source = BUFFER_INIT;
    const struct snapshot *snapshot = access_snapshot(page->access);
    const struct rule *rule = snapshot->definitions[index]->rule;
    page_begin(page, CONSOLE_AT_RULES, arena_copy_text(page->arena, rule->name).data, TEXT(""));
    write_facts(page, rule, census);
    write_tests(page, snapshot, index);
    page_section(&page->html, "Text");
    json_write(&source, rule->source);
    page_json(page, buffer_text(&source));
    html_close(&page->html);
    page_end(page, 200);
}

static void show(struct page *page) {
    const struct snapshot *snapshot = access_snapshot(page->access);
    const struct journal_census *census = NULL;
    struct error error = {0};
    struct text path = request_path(page->request);
    struct text name = text_slice(path, sizeof(CONSOLE_RULES "/") - 1, path.bytes);
    size_t index = snapshot_find_rule(snapshot, name);
    bool is_list = text_equal(path, TEXT(CONSOLE_RULES));
    if (!is_list && index == snapshot->rule_count) {
        page_fail(page, 404, "Not found", "There is no such rule.");
    } else if (!census_recent(&page->admin->census, page->admin->options.journal, &census,
                              &error)) {
        page_fail_error(page, &error);
    } else if (is_list) {
        show_rules(page, census);
    } else {
        show_rule(page, index, census);
    }
}

void console_rules(void *arg, struct request *request) {
    page_serve(arg, request, show);
}
