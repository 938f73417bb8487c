#include "console.h"

#include "riposte/base/hex.h"
#include "riposte/base/mode.h"
#include "riposte/base/time.h"
#include "riposte/crypto/sha256.h"
#include "riposte/json/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nothing from elsewhere, nothing that stands in the page itself, in no frame. */
#define POLICY                                                                              \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src " \
    "'self'; "                                                                              \
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
#define HTML_TYPE "text/html; charset=utf-8"

/* ---- answers ------------------------------------------------------------------------------------
 */

/* same-origin: with no-referrer a browser would hide the Origin of our own forms. */
#define PAGE_HEADERS                                                                         \
    {"Content-Security-Policy", POLICY}, {"Cache-Control", "no-store"},                      \
        {"Referrer-Policy", "same-origin"}, {"X-Frame-Options", "DENY"},                     \
        {"Cross-Origin-Opener-Policy", "same-origin"},                                       \
        {"Cross-Origin-Resource-Policy", "same-origin"}, {                                   \
        "Permissions-Policy", "camera=(), geolocation=(), microphone=(), interest-cohort=()" \
    }

static void answer_page(struct request *request, const struct answer *answer,
                        const char *set_cookie) {
    const struct answer_header headers[] = {PAGE_HEADERS, {"Set-Cookie", set_cookie}};
    struct answer whole = *answer;
    whole.content_type = HTML_TYPE;
    whole.headers = headers;
    whole.header_count = ARRAY_COUNT(headers) - (set_cookie == NULL);
    request_answer(request, &whole);
}

void console_answer(struct request *request, unsigned status, struct text body,
                    const char *set_cookie) {
    answer_page(
        request,
        &(struct answer){.status = status,
                         .body = body,
                         .retry_after_s = status == 503 || status == 429 ? RETRY_AFTER_S : 0},
        set_cookie);
}

void console_redirect(struct request *request, struct text location, const char *set_cookie) {
    answer_page(request, &(struct answer){.status = 303, .location = location}, set_cookie);
}

void page_go(struct page *page, const char *path) {
    console_redirect(page->request, text_of(path), NULL);
}

/* ---- what comes along: named by its content, so it may be kept ----------------------------------
 */

/* The files of the folder console. */
extern const unsigned char embedded_style[], embedded_script[], embedded_icon[];
extern const size_t embedded_style_bytes, embedded_script_bytes, embedded_icon_bytes;

void console_name_version(char out[CONSOLE_VERSION_BYTES]) {
    const struct text files[] = {{(const char *)embedded_style, embedded_style_bytes},
                                 {(const char *)embedded_script, embedded_script_bytes},
                                 {(const char *)embedded_icon, embedded_icon_bytes}};
    uint8_t digest[SHA256_BYTES];
    sha256_parts(files, ARRAY_COUNT(files), digest);
    hex_encode(digest, (CONSOLE_VERSION_BYTES - 1) / 2, out);
}

static void answer_asset(struct request *request, const char *type, struct text body) {
    static const struct answer_header headers[] = {
        {"Cache-Control", "public, max-age=31536000, immutable"},
        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
        {"Cross-Origin-Resource-Policy", "same-origin"}};
    request_answer(request, &(struct answer){.status = 200,
                                             .content_type = type,
                                             .body = body,
                                             .headers = headers,
                                             .header_count = ARRAY_COUNT(headers)});
}

void console_style(void *arg, struct request *request) {
    (void)arg;
    answer_asset(request, "text/css; charset=utf-8",
                 (struct text){(const char *)embedded_style, embedded_style_bytes});
}

void console_script(void *arg, struct request *request) {
    (void)arg;
    answer_asset(request, "text/javascript; charset=utf-8",
                 (struct text){(const char *)embedded_script, embedded_script_bytes});
}

void console_icon(void *arg, struct request *request) {
    (void)arg;
    answer_asset(request, "image/svg+xml",
                 (struct text){(const char *)embedded_icon, embedded_icon_bytes});
}

/* ---- head, navigation, foot ---------------------------------------------------------------------
 */

static void write_head(struct html *html, struct text version, const char *title,
                       struct text live) {
    html_open(html, "head");
    html_open(html, "meta");
    html_attribute(html, "charset", TEXT("utf-8"));
    html_close(html);
    html_open(html, "meta");
    html_attribute(html, "name", TEXT("viewport"));
    html_attribute(html, "content", TEXT("width=device-width, initial-scale=1"));
    html_close(html);
    html_open(html, "meta");
    html_attribute(html, "name", TEXT("color-scheme"));
    html_attribute(html, "content", TEXT("light dark"));
    html_close(html);
    html_open(html, "title");
    html_text(html, text_of(title));
    html_text(html, TEXT(" \xC2\xB7 Riposte"));
    html_close(html);
    html_open(html, "link");
    html_attribute(html, "rel", TEXT("stylesheet"));
    html_link(html, "href", "/console.css?v=", version, NULL);
    html_close(html);
    html_open(html, "link");
    html_attribute(html, "rel", TEXT("icon"));
    html_link(html, "href", "/console.svg?v=", version, NULL);
    html_close(html);
    html_open(html, "script");
    html_link(html, "src", "/console.js?v=", version, NULL);
    html_flag(html, "defer");
    html_close(html);
    if (live.bytes > 0) { /* without a script the page looks again by itself */
        html_open(html, "noscript");
        html_open(html, "meta");
        html_attribute(html, "http-equiv", TEXT("refresh"));
        html_attribute(html, "content", TEXT("30"));
        html_close(html);
        html_close(html);
    }
    html_close(html);
}

static void write_navigation(struct html *html, enum console_place here) {
    static const struct {
        enum console_place place;
        const char *path, *name, *key;
    } places[] = {
        {CONSOLE_AT_INCIDENTS, "/", "Incidents", "i"},
        {CONSOLE_AT_TIMES, "/timeline", "Reactions", "t"},
        {CONSOLE_AT_RULES, CONSOLE_RULES, "Rules", "r"},
        {CONSOLE_AT_TRY, "/playground", "Playground", "p"},
        {CONSOLE_AT_HEALTH, "/health", "Health", "h"},
    };
    html_open(html, "nav");
    html_attribute(html, "aria-label", TEXT("Main"));
    html_open(html, "ul");
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        html_open(html, "li");
        html_open(html, "a");
        html_path(html, "href", places[i].path);
        html_attribute(html, "data-key", text_of(places[i].key));
        if (places[i].place == here) {
            html_attribute(html, "aria-current", TEXT("page"));
        }
        html_text(html, text_of(places[i].name));
        html_close(html);
        html_close(html);
    }
    html_close(html);
    html_close(html);
}

static void write_who(struct page *page) {
    struct html *html = &page->html;
    enum mode mode = access_snapshot(page->access)->settings->mode;
    html_open_class(html, "div", "who");
    html_open_class(html, "span", "mode");
    html_attribute(html, "data-mode", text_of(mode_name(mode)));
    html_attribute(html, "title", TEXT("the mode that the settings say"));
    html_text(html, text_of(mode_name(mode)));
    html_close(html);
    html_open_class(html, "span", "actor");
    html_value(html, page->actor);
    html_text(html, page->may_act ? TEXT(" \xC2\xB7 operate") : TEXT(" \xC2\xB7 view"));
    html_close(html);
    html_open(html, "form");
    html_attribute(html, "method", TEXT("post"));
    html_path(html, "action", "/logout");
    page_form_key(page);
    html_element(html, "button", "quiet", TEXT("Log out"));
    html_close(html);
    html_close(html);
}

static void write_top(struct page *page, enum console_place place) {
    struct html *html = &page->html;
    html_open_class(html, "a", "skip");
    html_path(html, "href", "#main");
    html_text(html, TEXT("Skip to content"));
    html_close(html);
    html_open_class(html, "header", "top");
    html_open_class(html, "a", "brand");
    html_path(html, "href", "/");
    html_text(html, TEXT("Riposte"));
    html_close(html);
    if (page->actor.bytes > 0) {
        write_navigation(html, place);
        write_who(page);
    }
    html_close(html);
}

void page_begin(struct page *page, enum console_place place, const char *title, struct text live) {
    struct html *html = &page->html;
    html_init(html, &page->out);
    html_open(html, "html");
    html_attribute(html, "lang", TEXT("en"));
    write_head(html, text_of(page->admin->console_version), title, live);
    html_open(html, "body");
    write_top(page, place);
    html_open(html, "main");
    html_attribute(html, "id", TEXT("main"));
    html_attribute(html, "tabindex", TEXT("-1"));
    html_open_class(html, "div", "heading");
    html_element(html, "h1", NULL, text_of(title));
    if (live.bytes > 0) {
        html_open_class(html, "p", "listening");
        html_attribute(html, "role", TEXT("status"));
        html_close(html);
    }
    html_close(html);
}

void page_end(struct page *page, unsigned status) {
    struct html *html = &page->html;
    html_close(html); /* main */
    html_open(html, "footer");
    html_element(html, "span", NULL, TEXT("Riposte " RIPOSTE_VERSION " \xC2\xB7 times are UTC"));
    html_open_class(html, "button", "quiet keys");
    html_attribute(html, "type", TEXT("button"));
    html_flag(html, "hidden");
    html_text(html, TEXT("Keyboard shortcuts (?)"));
    html_close(html);
    html_close(html);
    html_close(html); /* body */
    html_close(html); /* html */
    html_done(html);
    console_answer(page->request, status, buffer_text(&page->out), NULL);
}

void page_fail(struct page *page, unsigned status, const char *title, const char *what) {
    buffer_clear(&page->out);
    page_begin(page, CONSOLE_NOWHERE, title, TEXT(""));
    html_element(&page->html, "p", "problem", text_of(what));
    html_open(&page->html, "p");
    html_open(&page->html, "a");
    html_path(&page->html, "href", "/");
    html_text(&page->html, TEXT("To the incidents"));
    html_close(&page->html);
    html_close(&page->html);
    page_end(page, status);
}

void page_fail_error(struct page *page, const struct error *error) {
    static const struct {
        unsigned status;
        const char *title;
    } kinds[] = {
        [ERROR_NONE] = {500, "Failed"},         [ERROR_INVALID] = {409, "Not possible"},
        [ERROR_NOT_FOUND] = {404, "Not found"}, [ERROR_DENIED] = {409, "Not possible"},
        [ERROR_LIMIT] = {503, "Try again"},     [ERROR_BUSY] = {503, "Try again"},
        [ERROR_SYSTEM] = {503, "Try again"},
    };
    page_fail(page, kinds[error->code].status, kinds[error->code].title, error->text);
}

/* ---- parts of pages -----------------------------------------------------------------------------
 */

void page_form_key(struct page *page) {
    struct html *html = &page->html;
    html_open(html, "input");
    html_attribute(html, "type", TEXT("hidden"));
    html_attribute(html, "name", TEXT("form_key"));
    html_attribute(html, "value", text_of(page->session.form_key));
    html_close(html);
}

void page_time(struct html *html, int64_t unix_ms) {
    char text[TIME_TEXT_BYTES];
    if (unix_ms == 0) {
        html_text(html, TEXT("\xE2\x80\x93"));
        return;
    }
    time_format_ms(unix_ms, text);
    html_open(html, "time");
    html_attribute(html, "datetime", text_of(text));
    struct text whole = text_of(text);
    html_text(html, text_slice(whole, 0, 10));
    html_text(html, TEXT(" "));
    html_text(html, text_slice(whole, 11, whole.bytes - 1));
    html_close(html);
}

void page_state(struct html *html, enum incident_state state) {
    html_open_class(html, "span", "state");
    html_attribute(html, "data-state", text_of(incident_state_name(state)));
    html_text(html, text_of(incident_state_name(state)));
    html_close(html);
}

void page_severity(struct html *html, struct text severity) {
    if (severity.bytes > 0) {
        html_open_class(html, "span", "severity");
        html_attribute(html, "data-severity", severity);
        html_text(html, severity);
        html_close(html);
    }
}

void page_fact(struct html *html, const char *label, struct text value) {
    if (value.bytes > 0) {
        html_element(html, "dt", NULL, text_of(label));
        html_open(html, "dd");
        html_value(html, value);
        html_close(html);
    }
}

void page_fact_time(struct html *html, const char *label, int64_t unix_ms) {
    if (unix_ms != 0) {
        html_element(html, "dt", NULL, text_of(label));
        html_open(html, "dd");
        page_time(html, unix_ms);
        html_close(html);
    }
}

struct text page_duration(struct arena *arena, int64_t ms) {
    char text[TIME_TEXT_BYTES];
    if (ms < 0) {
        return arena_format(arena, "\xE2\x88\x92%lld ms", (long long)-ms);
    }
    if (ms < 1000) {
        return arena_format(arena, "%lld ms", (long long)ms);
    }
    if (ms < 60000) {
        return arena_format(arena, "%.1f s", (double)ms / 1000);
    }
    duration_describe(ms, text);
    return arena_copy_text(arena, text_of(text));
}

#define JSON_SHOWN_BYTES 16384

/* Of a long one the beginning: texts are cut singly, this is the sum. */
static void write_pre(struct html *html, struct text text) {
    struct text rest = text_cut(text, JSON_SHOWN_BYTES), line = {NULL, 0};
    html_open(html, "pre");
    html_attribute(html, "tabindex", TEXT("0"));
    while (text_next_part(&rest, '\n', &line)) {
        html_text(html, line);
        html_text(html, TEXT("\n"));
    }
    if (text.bytes > JSON_SHOWN_BYTES) {
        html_format(html, "[cut: %zu bytes in all]", text.bytes);
    }
    html_close(html);
}

void page_json(struct page *page, struct text text) {
    scoped(buffer_done) struct buffer pretty = BUFFER_INIT;
    const struct json *root = NULL;
    struct error error = {0};
    if (text.bytes == 0) {
        return;
    }
    if (json_parse(text, 0, page->arena, &root, NULL, &error)) {
        json_write_pretty(&pretty, root);
        text = buffer_text(&pretty);
    }
    write_pre(&page->html, text);
}

void page_section(struct html *html, const char *heading) {
    html_open(html, "section");
    html_element(html, "h2", NULL, text_of(heading));
}
