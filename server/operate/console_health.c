#include "console.h"
#include "process.h"

#include "riposte/crypto/served_certificate.h"

#define LANES_SHOWN 50

/* ---- parts --------------------------------------------------------------------------------------
 */

enum light { LIGHT_LOOK, LIGHT_GOOD, LIGHT_UNKNOWN };

/* In words and colour. */
static void write_light(struct html *html, const char *label, enum light light, struct text says) {
    static const char *const colours[] = {"no", "yes", "unknown"};
    static const char *const words[] = {"look", "good", "not known"};
    html_open_class(html, "li", "light");
    html_attribute(html, "data-good", text_of(colours[light]));
    html_element(html, "span", "name", text_of(label));
    html_element(html, "strong", NULL, text_of(words[light]));
    html_element(html, "span", "says", says);
    html_close(html);
}

static enum light light_of(bool is_good) {
    return is_good ? LIGHT_GOOD : LIGHT_LOOK;
}

static struct text until(struct page *page, int64_t unix_ms, const char *what) {
    int64_t left_ms = unix_ms - clock_unix_ms(&clock_system);
    if (unix_ms == 0) {
        return arena_format(page->arena, "%s: not known", what);
    }
    struct text left = page_duration(page->arena, left_ms < 0 ? -left_ms : left_ms);
    return arena_format(page->arena, left_ms < 0 ? "%s: over for %.*s" : "%s: %.*s left", what,
                        TEXT_ARG(left));
}

static enum light light_until(int64_t unix_ms, int64_t least_ms) {
    return unix_ms == 0                                        ? LIGHT_UNKNOWN
           : unix_ms - clock_unix_ms(&clock_system) > least_ms ? LIGHT_GOOD
                                                               : LIGHT_LOOK;
}

#define DAY_MS    (24 * 3600 * INT64_C(1000))
#define MINUTE_MS INT64_C(60000)

static void write_lights(struct page *page, const struct journal_numbers *numbers) {
    struct html *html = &page->html;
    struct admin *admin = page->admin;
    const struct settings *settings = access_snapshot(page->access)->settings;
    bool is_ready = journal_is_ready(admin->options.journal);
    int64_t certificate_ms = served_certificate_expiry();
    int64_t credentials_ms = admin->options.credentials_fn == NULL
                                 ? 0
                                 : admin->options.credentials_fn(admin->options.credentials_arg);
    html_open_class(html, "ul", "lights");
    write_light(html, "Journal", light_of(is_ready),
                numbers->is_damaged ? TEXT("damaged: see \"riposte journal renew\"")
                : is_ready          ? TEXT("commits")
                                    : TEXT("can't commit"));
    write_light(html, "Queue", light_of(numbers->not_admitted * 2 < settings->queue_limit),
                arena_format(page->arena, "%llu of %u wait for a verdict",
                             (unsigned long long)numbers->not_admitted, settings->queue_limit));
    write_light(html, "Tasks", light_of(numbers->oldest_due_ms < MINUTE_MS),
                arena_format(page->arena, "%llu open, %llu due, the oldest %lld s late",
                             (unsigned long long)numbers->open_tasks,
                             (unsigned long long)numbers->due_tasks,
                             (long long)numbers->oldest_due_ms / 1000));
    write_light(html, "Endpoints", light_of(numbers->failing_lanes == 0),
                arena_format(page->arena, "%zu give no answer", numbers->failing_lanes));
    write_light(html, "Certificate", light_until(certificate_ms, 14 * DAY_MS),
                until(page, certificate_ms,
                      settings->listen.certificate.bytes == 0 ? "self-made" : "from the file"));
    write_light(html, "Credentials", light_until(credentials_ms, 5 * MINUTE_MS),
                until(page, credentials_ms, "for AWS"));
    html_close(html);
}

/* Of the width, a bar of `part` in `whole`: an SVG, since style attributes are not allowed. */
static void write_bar(struct html *html, uint64_t part, uint64_t whole, const char *class) {
    double width = whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
    html_open_class(html, "svg", "bar");
    html_attribute(html, "viewBox", TEXT("0 0 100 6"));
    html_attribute(html, "preserveAspectRatio", TEXT("none"));
    html_attribute(html, "aria-hidden", TEXT("true"));
    html_open_class(html, "rect", class);
    html_attribute(html, "height", TEXT("6"));
    html_attribute_format(html, "width", "%.2f", width > 100 ? 100 : width);
    html_close(html);
    html_close(html);
}

static void write_states(struct page *page) {
    struct html *html = &page->html;
    const struct journal_census *census = NULL;
    struct error error = {0};
    page_section(html, "Incidents");
    if (!census_recent(&page->admin->census, page->admin->options.journal, &census, &error)) {
        html_element(html, "p", "problem", text_of(error.text));
        html_close(html);
        return;
    }
    html_open_class(html, "ul", "bars");
    for (int i = 0; i < INCIDENT_STATES; i++) {
        if (census->by_state[i] > 0) {
            html_open(html, "li");
            page_state(html, (enum incident_state)i);
            html_element_format(html, "span", "number", "%llu",
                                (unsigned long long)census->by_state[i]);
            write_bar(html, census->by_state[i], census->incidents, "fill");
            html_close(html);
        }
    }
    html_close(html);
    html_element_format(html, "p", "hint", "%llu are kept.", (unsigned long long)census->incidents);
    html_close(html);
}

static void write_lanes(struct page *page) {
    struct html *html = &page->html;
    struct journal_lane *lanes = NULL;
    size_t count = 0;
    journal_read_lanes(page->admin->options.journal, LANES_SHOWN, page->arena, &lanes, &count);
    page_section(html, "Lanes: where open tasks lead");
    if (count == 0) {
        html_element(html, "p", "empty", TEXT("No task is open."));
    }
    html_open_class(html, "ul", "bars");
    for (size_t i = 0; i < count; i++) {
        html_open(html, "li");
        html_value(html, lanes[i].name.bytes > 0 ? lanes[i].name : TEXT("nowhere in particular"));
        html_element_format(html, "span", "number", "%zu open, %zu due, %u at work", lanes[i].tasks,
                            lanes[i].due, lanes[i].busy);
        write_bar(html, lanes[i].due, lanes[i].tasks, "fill");
        html_close(html);
    }
    html_close(html);
    html_close(html);
}

static void write_legs(struct page *page, const struct drill_report *report) {
    struct html *html = &page->html;
    int64_t longest_us = 1;
    for (int i = 0; i < DRILL_LEGS; i++) {
        int64_t took_us = drill_leg_us(report, (enum drill_leg)i);
        longest_us = took_us > longest_us ? took_us : longest_us;
    }
    html_open_class(html, "ul", "bars");
    for (int i = 0; i < DRILL_LEGS; i++) {
        const struct drill_step *step = &report->legs[i];
        int64_t took_us = drill_leg_us(report, (enum drill_leg)i);
        html_open(html, "li");
        html_element(html, "span", NULL, text_of(drill_leg_name((enum drill_leg)i)));
        if (took_us >= 0) {
            html_element_format(html, "span", "number", "%.1f ms", (double)took_us / 1000);
        } else {
            html_element(html, "span", "number", text_of(drill_state_name(step->state)));
        }
        write_bar(html, took_us > 0 ? (uint64_t)took_us : 0, (uint64_t)longest_us,
                  step->state == DRILL_BROKEN ? "broken" : "fill");
        if (step->note[0] != '\0') {
            html_element(html, "span", "hint", text_of(step->note));
        }
        html_close(html);
    }
    html_close(html);
}

static void write_drill(struct page *page) {
    struct html *html = &page->html;
    struct drill_report report;
    drill_read(page->admin->options.drill, &report);
    page_section(html, "The last drill");
    if (ulid_is_none(&report.id)) {
        html_element(html, "p", "empty",
                     TEXT("None since the start. \"riposte drill\" makes one."));
    } else {
        page_time(html, report.started_unix_ms);
        const char *how = report.state == DRILL_BROKEN ? "broke at "
                          : report.state == DRILL_DONE ? "the chain works"
                                                       : "under way";
        html_format(html, " by %s: %s%s", report.actor, how,
                    report.state == DRILL_BROKEN ? drill_leg_name(report.broke_at) : "");
        write_legs(page, &report);
    }
    html_close(html);
}

static void write_process(struct page *page, const struct journal_numbers *numbers) {
    struct html *html = &page->html;
    const struct snapshot *snapshot = access_snapshot(page->access);
    page_section(html, "Server");
    html_open_class(html, "dl", "facts");
    page_fact(html, "Version", TEXT(RIPOSTE_VERSION));
    page_fact(html, "Mode", text_of(mode_name(snapshot->settings->mode)));
    page_fact(html, "Rules", arena_format(page->arena, "%zu", snapshot->rule_count));
    page_fact_time(html, "Started", process_started_unix_ms());
    page_fact(
        html, "Memory",
        arena_format(page->arena, "%.1f MiB", (double)process_resident_bytes() / (1024 * 1024)));
    page_fact(html, "Workers", arena_format(page->arena, "%u", snapshot->settings->workers));
    page_fact(
        html, "Streams",
        arena_format(page->arena, "%zu of %d", feed_listeners(page->admin->feed), FEED_LISTENERS));
    page_fact(html, "Commits",
              arena_format(page->arena, "%llu, %llu failed", (unsigned long long)numbers->commits,
                           (unsigned long long)numbers->failed_commits));
    page_fact(html, "Audit lines", arena_format(page->arena, "%lld", (long long)numbers->sequence));
    html_close(html);
    html_close(html);
}

static void show(struct page *page) {
    struct journal_numbers numbers = {0};
    journal_numbers(page->admin->options.journal, &numbers);
    page_begin(page, CONSOLE_AT_HEALTH, "Health", TEXT(""));
    write_lights(page, &numbers);
    html_open_class(&page->html, "div", "columns");
    write_process(page, &numbers);
    write_states(page);
    html_close(&page->html);
    html_open_class(&page->html, "div", "columns");
    write_drill(page);
    write_lanes(page);
    html_close(&page->html);
    page_end(page, 200);
}

void console_health(void *arg, struct request *request) {
    page_serve(arg, request, show);
}
