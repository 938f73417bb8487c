#include "act.h"
#include "console.h"

static const struct verb {
    const char *name, *title, *says, *button;
} verbs[] = {
    {"approve", "Approve", "The playbooks of the rule run now, as far as the guard lets them.",
     "Approve and respond"},
    {"dismiss", "Dismiss",
     "The incident is over: nothing is done about it, and what waits for it is dropped.",
     "Dismiss, do nothing"},
    {"undo", "Undo", "What was done to the principal is taken back. The principal can act again.",
     "Undo the containment"},
};

static const struct verb *find_verb(struct text name) {
    for (size_t i = 0; i < ARRAY_COUNT(verbs); i++) {
        if (text_equal_string(name, verbs[i].name)) {
            return &verbs[i];
        }
    }
    return NULL;
}

/* ---- is that what you want? ---------------------------------------------------------------------
 */

static void write_checkbox(struct html *html, const char *name, const char *label) {
    html_open_class(html, "p", "check");
    html_open(html, "input");
    html_attribute(html, "type", TEXT("checkbox"));
    html_attribute(html, "id", text_of(name));
    html_attribute(html, "name", text_of(name));
    html_attribute(html, "value", TEXT("yes"));
    html_close(html);
    html_open(html, "label");
    html_attribute(html, "for", text_of(name));
    html_text(html, text_of(label));
    html_close(html);
    html_close(html);
}

/* What an undo would take back. */
static void write_effects(struct page *page, const struct journal_dossier *dossier) {
    struct html *html = &page->html;
    if (dossier->effect_count == 0) {
        html_element(html, "p", NULL, TEXT("Nothing stands that this incident owns."));
        return;
    }
    html_open(html, "ul");
    for (size_t i = 0; i < dossier->effect_count; i++) {
        const struct journal_effect *effect = &dossier->effects[i];
        html_open(html, "li");
        html_value(html, effect->name.name);
        html_text(html, TEXT(" on "));
        html_value(html, effect->name.target);
        html_text(html, effect->acts_on_principal ? TEXT(" (the principal)")
                                                  : TEXT(" (a resource: stays unless asked for)"));
        html_close(html);
    }
    html_close(html);
}

static void write_question(struct page *page, const struct verb *verb,
                           const struct journal_dossier *dossier) {
    struct html *html = &page->html;
    const struct journal_incident *incident = &dossier->incident;
    html_open_class(html, "dl", "facts");
    page_fact(html, "Rule", incident->rule);
    page_fact(html, "Principal",
              incident->principal_name.bytes > 0 ? incident->principal_name
                                                 : incident->principal_id);
    page_fact(html, "Account", incident->account);
    html_element(html, "dt", NULL, TEXT("State"));
    html_open(html, "dd");
    page_state(html, incident->state);
    html_close(html);
    page_fact(html, "Reason", incident->reason);
    html_close(html);
    html_element(html, "p", "says", text_of(verb->says));
    if (text_equal_string(TEXT("undo"), verb->name)) {
        write_effects(page, dossier);
    }
}

static void write_answers(struct page *page, const struct verb *verb, struct text id) {
    struct html *html = &page->html;
    html_open_class(html, "form", "confirm");
    html_attribute(html, "method", TEXT("post"));
    html_link(html, "action", CONSOLE_INCIDENTS, id,
              text_equal_string(TEXT("approve"), verb->name)   ? "/approve"
              : text_equal_string(TEXT("dismiss"), verb->name) ? "/dismiss"
                                                               : "/undo");
    page_form_key(page);
    if (text_equal_string(TEXT("approve"), verb->name)) {
        write_checkbox(html, "override", "Although the principal is protected (guard.protected)");
    } else if (text_equal_string(TEXT("undo"), verb->name)) {
        write_checkbox(html, "resources",
                       "Also what was done to resources: they are as the "
                       "attacker left them");
    }
    html_open_class(html, "div", "buttons");
    html_open_class(html, "button", "primary");
    html_attribute(html, "data-verb", text_of(verb->name));
    html_text(html, text_of(verb->button));
    html_close(html);
    html_open(html, "a");
    html_link(html, "href", CONSOLE_INCIDENTS, id, NULL);
    html_text(html, TEXT("Cancel"));
    html_close(html);
    html_close(html);
    html_close(html);
}

void console_ask(struct page *page, const struct ulid *id, struct text name) {
    const struct verb *verb = find_verb(name);
    struct journal_dossier dossier = {0};
    struct error error = {0};
    if (verb == NULL) {
        page_fail(page, 404, "Not found", "There is no such page.");
    } else if (!page->may_act) {
        page_fail(page, 403, "Not allowed", "Your token's role may look, not act.");
    } else if (!journal_read_dossier(page->admin->options.journal, id, page->arena, &dossier,
                                     &error)) {
        page_fail_error(page, &error);
    } else {
        struct text title = arena_format(page->arena, "%s this incident?", verb->title);
        page_begin(page, CONSOLE_AT_INCIDENTS, title.data, TEXT(""));
        write_question(page, verb, &dossier);
        write_answers(page, verb, ulid_text(id));
        page_end(page, 200);
    }
}

/* ---- then it is done ----------------------------------------------------------------------------
 */

static bool is_checked(struct page *page, struct text name) {
    return text_equal(page_field(page, name), TEXT("yes"));
}

static void do_verb(struct page *page) {
    struct text rest = request_path(page->request);
    rest = text_slice(rest, sizeof(CONSOLE_INCIDENTS) - 1, rest.bytes);
    size_t slash = text_find_byte(rest, '/', 0);
    const struct act *act = act_find(text_slice(rest, slash + 1, rest.bytes));
    struct act_options options = {.with_resources = is_checked(page, TEXT("resources")),
                                  .overrides_protection = is_checked(page, TEXT("override"))};
    struct journal_incident incident = {0};
    struct error error = {0};
    struct ulid id = {0};
    bool is_new = false;
    if (act == NULL || !ulid_parse(text_slice(rest, 0, slash), &id)) {
        page_fail(page, 404, "Not found", "There is no such incident.");
    } else if (!act_do(page->admin, act, &id, page->actor, &options, page->arena, &incident,
                       &is_new, &error)) {
        page_fail_error(page, &error);
    } else {
        page_go(page, arena_format(page->arena, CONSOLE_INCIDENTS "%s", id.text).data);
    }
}

void console_act(void *arg, struct request *request) {
    page_take_form(arg, request, true, do_verb);
}
