/* The playground: an event, and a pattern or the rules in force. Asks nobody. The answer is made on
 * a thread of its own: a pattern may cost a second. */
#include "console.h"

#include "riposte/respond/rehearsal.h"

#include <stdlib.h>

struct pasted {
    struct text event, pattern, rule;
};

static void write_area(struct html *html, const char *name, const char *label, struct text value) {
    html_open(html, "label");
    html_attribute(html, "for", text_of(name));
    html_text(html, text_of(label));
    html_close(html);
    html_open(html, "textarea");
    html_attribute(html, "id", text_of(name));
    html_attribute(html, "name", text_of(name));
    html_attribute(html, "rows", TEXT("12"));
    html_attribute(html, "spellcheck", TEXT("false"));
    html_attribute(html, "autocomplete", TEXT("off"));
    html_text(html, value);
    html_close(html);
}

static void write_form(struct page *page, const struct pasted *pasted) {
    struct html *html = &page->html;
    html_element(html, "p", NULL,
                 TEXT("Paste an event, and a pattern or a rule's name; with neither, all rules in "
                      "force are tried. Nothing is sent, nothing is kept."));
    html_open_class(html, "form", "try");
    html_attribute(html, "method", TEXT("post"));
    html_path(html, "action", "/playground");
    page_form_key(page);
    html_open_class(html, "div", "columns");
    html_open(html, "div");
    write_area(html, "event", "Event", pasted->event);
    html_close(html);
    html_open(html, "div");
    write_area(html, "pattern", "Pattern (EventBridge)", pasted->pattern);
    html_open(html, "label");
    html_attribute(html, "for", TEXT("rule"));
    html_text(html, TEXT("or a rule"));
    html_close(html);
    html_open(html, "input");
    html_attribute(html, "id", TEXT("rule"));
    html_attribute(html, "name", TEXT("rule"));
    html_attribute(html, "autocomplete", TEXT("off"));
    html_attribute(html, "value", pasted->rule);
    html_close(html);
    html_close(html);
    html_close(html);
    html_element(html, "button", "primary", TEXT("Try"));
    html_close(html);
}

static void write_why(struct html *html, const struct texts *why) {
    html_open_class(html, "ul", "why");
    for (size_t i = 0; i < why->count; i++) {
        html_open(html, "li");
        html_value(html, why->items[i]);
        html_close(html);
    }
    html_close(html);
}

static void write_verdict(struct html *html, bool is_match, const char *yes, const char *no) {
    html_open_class(html, "p", "verdict");
    html_attribute(html, "data-match", is_match ? TEXT("yes") : TEXT("no"));
    html_text(html, text_of(is_match ? yes : no));
    html_close(html);
}

/* ---- what comes of it ---------------------------------------------------------------------------
 */

static bool try_pattern(struct page *page, const struct pasted *pasted, struct error *error) {
    const struct json *event = NULL, *pattern = NULL;
    struct texts why = {0};
    bool is_match = false;
    if (!json_parse(pasted->event, 0, page->arena, &event, NULL, error)) {
        return error_wrap(error, "event");
    }
    if (!json_parse(pasted->pattern, 0, page->arena, &pattern, NULL, error)) {
        return error_wrap(error, "pattern");
    }
    if (!json_is_object(event) || !json_is_object(pattern)) {
        return error_set(error, ERROR_INVALID, "event and pattern must be objects");
    }
    if (!rehearse_pattern(pattern, event, page->arena, &is_match, &why, error)) {
        return false;
    }
    write_verdict(&page->html, is_match, "The pattern matches.", "The pattern does not match.");
    write_why(&page->html, &why);
    page_event(page, pasted->event, &why);
    return true;
}

static void write_rehearsal(struct page *page, const struct rehearsal *rehearsal) {
    struct html *html = &page->html;
    page_section(html, "Rule");
    html_open(html, "p");
    html_open(html, "a");
    html_link(html, "href", CONSOLE_RULES "/", rehearsal->rule->name, NULL);
    html_value(html, rehearsal->rule->name);
    html_close(html);
    html_text(html, TEXT(" "));
    page_severity(html, rehearsal->rule->severity);
    html_close(html);
    write_verdict(html, rehearsal->end == REHEARSAL_FIRES, "It fires.", "It does not fire.");
    if (rehearsal->reason.bytes > 0) {
        html_open_class(html, "p", "reason");
        html_value(html, rehearsal->reason);
        html_close(html);
    }
    write_why(html, &rehearsal->why);
    if (rehearsal->end == REHEARSAL_FIRES) {
        html_element(html, "h3", NULL, TEXT("Plan"));
        page_plan(page, dry_to_json(&rehearsal->run, page->arena));
    }
    html_close(html);
}

static bool try_rules(struct page *page, const struct pasted *pasted, struct error *error) {
    struct rehearsal *rehearsals = NULL;
    size_t count = 0;
    if (!rehearse(access_snapshot(page->access), pasted->event, pasted->rule, page->arena,
                  &rehearsals, &count, error)) {
        return error_wrap(error, "event");
    }
    if (count == 0) {
        write_verdict(&page->html, false, "", "No rule in force matches.");
    }
    for (size_t i = 0; i < count; i++) {
        write_rehearsal(page, &rehearsals[i]);
    }
    return true;
}

static void answer(void *arg) {
    struct page *page = arg;
    struct error error = {0};
    struct pasted pasted = {.event = text_trim(page_field(page, TEXT("event"))),
                            .pattern = text_trim(page_field(page, TEXT("pattern"))),
                            .rule = text_trim(page_field(page, TEXT("rule")))};
    page_begin(page, CONSOLE_AT_TRY, "Playground", TEXT(""));
    html_open_class(&page->html, "div", "result");
    html_attribute(&page->html, "role", TEXT("status"));
    bool is_good = false;
    if (pasted.event.bytes == 0) {
        error_set(&error, ERROR_INVALID, "event: missing");
    } else if (pasted.pattern.bytes > 0 && pasted.rule.bytes > 0) {
        error_set(&error, ERROR_INVALID, "a pattern or a rule, not both");
    } else {
        is_good = pasted.pattern.bytes > 0 ? try_pattern(page, &pasted, &error)
                                           : try_rules(page, &pasted, &error);
    }
    if (!is_good) {
        html_element(&page->html, "p", "problem", text_of(error.text));
    }
    html_close(&page->html);
    write_form(page, &pasted);
    page_end(page, is_good ? 200 : 400);
    page_close_kept(&page);
}

static void take(struct page *page) {
    struct error error = {0};
    struct page *kept = page_keep(page);
    if (!errand_start(&kept->admin->rehearsals, answer, kept, &error)) {
        page_fail_error(kept, &error);
        page_close_kept(&kept);
    }
}

void console_try(void *arg, struct request *request) {
    page_take_form(arg, request, false, take);
}

static void show_form(struct page *page) {
    page_begin(page, CONSOLE_AT_TRY, "Playground", TEXT(""));
    write_form(page, &(struct pasted){.rule = TEXT("")});
    page_end(page, 200);
}

void console_try_page(void *arg, struct request *request) {
    page_serve(arg, request, show_form);
}
