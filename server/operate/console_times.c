/* Reactions as a plot: when an incident was contained, and how long after its event was received.
 * The same as a table below it. */
#include "console.h"

#include "riposte/base/time.h"
#include "riposte/journal/search.h"

#include <math.h>
#include <stdlib.h>

#define LOOKED_AT 500 /* incidents */
#define ROWS      50
#define WIDTH     720
#define HEIGHT    260
#define LEFT      56
#define BOTTOM    28
#define TOP       12
#define RIGHT     12
#define DECADES   5 /* 1 ms to 100 s */

struct reactions {
    const struct journal_incident **rows; /* the newest first */
    int64_t *sorted_ms;
    size_t count;
    int64_t first_unix_ms, last_unix_ms;
};

static int64_t took_ms(const struct journal_incident *incident) {
    return incident->contained_unix_ms - incident->received_unix_ms;
}

static int compare(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool read_reactions(struct page *page, struct reactions *reactions, struct error *error) {
    struct journal_incident *incidents = NULL;
    struct journal_filter filter = {0};
    size_t count = 0;
    if (!journal_find_incidents(page->admin->options.journal, &(struct ulid){{0}}, &filter,
                                LOOKED_AT, page->arena, &incidents, &count, NULL, error)) {
        return false;
    }
    reactions->rows = arena_alloc_array(page->arena, count + 1, sizeof(*reactions->rows));
    reactions->sorted_ms = arena_alloc_array(page->arena, count + 1, sizeof(int64_t));
    for (size_t i = 0; i < count; i++) {
        if (incidents[i].contained_unix_ms != 0) {
            reactions->sorted_ms[reactions->count] = took_ms(&incidents[i]);
            reactions->rows[reactions->count++] = &incidents[i];
        }
    }
    qsort(reactions->sorted_ms, reactions->count, sizeof(int64_t), compare);
    if (reactions->count > 0) {
        reactions->last_unix_ms = reactions->rows[0]->received_unix_ms;
        reactions->first_unix_ms = reactions->rows[reactions->count - 1]->received_unix_ms;
    }
    return true;
}

/* The value that `percent` of them don't exceed. */
static int64_t quantile(const struct reactions *reactions, unsigned percent) {
    size_t rank = (reactions->count * percent + 99) / 100;
    return reactions->sorted_ms[rank == 0 ? 0 : rank - 1];
}

/* ---- the plot -----------------------------------------------------------------------------------
 */

static double place_x(const struct reactions *reactions, int64_t unix_ms) {
    int64_t span_ms = reactions->last_unix_ms - reactions->first_unix_ms;
    double part = span_ms <= 0 ? 0.5
                               : (double)(unix_ms - reactions->first_unix_ms) / (double)span_ms;
    return LEFT + part * (WIDTH - LEFT - RIGHT);
}

static double place_y(int64_t ms) {
    double decade = log10(ms < 1 ? 1 : (double)ms);
    decade = decade > DECADES ? DECADES : decade;
    return HEIGHT - BOTTOM - decade / DECADES * (HEIGHT - BOTTOM - TOP);
}

static void write_label(struct html *html, double x, double y, const char *anchor,
                        struct text text) {
    html_open(html, "text");
    html_attribute_format(html, "x", "%.1f", x);
    html_attribute_format(html, "y", "%.1f", y);
    html_attribute(html, "text-anchor", text_of(anchor));
    html_text(html, text);
    html_close(html);
}

static void write_grid(struct html *html) {
    static const char *const names[] = {"1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s"};
    int64_t ms = 1;
    for (int i = 0; i <= DECADES; i++, ms *= 10) {
        html_open_class(html, "line", "grid");
        html_attribute_format(html, "x1", "%d", LEFT);
        html_attribute_format(html, "x2", "%d", WIDTH - RIGHT);
        html_attribute_format(html, "y1", "%.1f", place_y(ms));
        html_attribute_format(html, "y2", "%.1f", place_y(ms));
        html_close(html);
        write_label(html, LEFT - 8, place_y(ms) + 4, "end", text_of(names[i]));
    }
}

static void write_ends(struct html *html, const struct reactions *reactions) {
    char text[TIME_TEXT_BYTES];
    time_format_s(reactions->first_unix_ms, text);
    write_label(html, LEFT, HEIGHT - 8, "start", text_slice(text_of(text), 0, 16));
    time_format_s(reactions->last_unix_ms, text);
    write_label(html, WIDTH - RIGHT, HEIGHT - 8, "end", text_slice(text_of(text), 0, 16));
}

static void write_plot(struct page *page, const struct reactions *reactions) {
    struct html *html = &page->html;
    html_open_class(html, "svg", "plot");
    html_attribute_format(html, "viewBox", "0 0 %d %d", WIDTH, HEIGHT);
    html_attribute(html, "role", TEXT("img"));
    html_attribute(html, "aria-labelledby", TEXT("plot-title"));
    html_open(html, "title");
    html_attribute(html, "id", TEXT("plot-title"));
    html_text(html, TEXT("Time from receiving an event to its containment, on a logarithmic scale, "
                         "by when it was received. The table below says the same."));
    html_close(html);
    write_grid(html);
    write_ends(html, reactions);
    for (size_t i = 0; i < reactions->count; i++) {
        const struct journal_incident *incident = reactions->rows[i];
        html_open_class(html, "circle", "point");
        html_attribute(html, "r", TEXT("4"));
        html_attribute_format(html, "cx", "%.1f", place_x(reactions, incident->received_unix_ms));
        html_attribute_format(html, "cy", "%.1f", place_y(took_ms(incident)));
        html_close(html);
    }
    html_close(html);
}

/* ---- the table ----------------------------------------------------------------------------------
 */

static void write_table_head(struct html *html) {
    static const char *const columns[] = {"Received", "Rule", "State", "Contained after"};
    html_open(html, "thead");
    html_open(html, "tr");
    for (size_t i = 0; i < ARRAY_COUNT(columns); i++) {
        html_open(html, "th");
        html_attribute(html, "scope", TEXT("col"));
        html_text(html, text_of(columns[i]));
        html_close(html);
    }
    html_close(html);
    html_close(html);
}

static void write_table(struct page *page, const struct reactions *reactions) {
    struct html *html = &page->html;
    html_open_class(html, "div", "scroll");
    html_attribute(html, "tabindex", TEXT("0"));
    html_attribute(html, "role", TEXT("region"));
    html_attribute(html, "aria-label", TEXT("Reactions"));
    html_open(html, "table");
    write_table_head(html);
    html_open(html, "tbody");
    for (size_t i = 0; i < reactions->count && i < ROWS; i++) {
        const struct journal_incident *incident = reactions->rows[i];
        html_open(html, "tr");
        html_open(html, "td");
        page_time(html, incident->received_unix_ms);
        html_close(html);
        html_open(html, "td");
        html_open(html, "a");
        html_link(html, "href", CONSOLE_INCIDENTS, ulid_text(&incident->id), NULL);
        html_value(html, incident->rule);
        html_close(html);
        html_close(html);
        html_open(html, "td");
        page_state(html, incident->state);
        html_close(html);
        html_element(html, "td", "number", page_duration(page->arena, took_ms(incident)));
        html_close(html);
    }
    html_close(html);
    html_close(html);
    html_close(html);
}

static void show(struct page *page) {
    struct reactions reactions = {0};
    struct error error = {0};
    struct html *html = &page->html;
    if (!read_reactions(page, &reactions, &error)) {
        page_fail_error(page, &error);
        return;
    }
    page_begin(page, CONSOLE_AT_TIMES, "Reactions", TEXT(""));
    if (reactions.count == 0) {
        html_element(html, "p", "empty", TEXT("None of the latest 500 incidents was contained."));
    } else {
        struct text median = page_duration(page->arena, quantile(&reactions, 50));
        struct text most = page_duration(page->arena, quantile(&reactions, 95));
        struct text longest = page_duration(page->arena, quantile(&reactions, 100));
        html_element_format(html, "p", NULL,
                            "%zu of the latest 500 incidents were contained: half of them within "
                            "%.*s, 95 of 100 within %.*s, the slowest in %.*s.",
                            reactions.count, TEXT_ARG(median), TEXT_ARG(most), TEXT_ARG(longest));
        write_plot(page, &reactions);
        write_table(page, &reactions);
    }
    page_end(page, 200);
}

void console_times(void *arg, struct request *request) {
    page_serve(arg, request, show);
}
