#include "console.h"
#include "form.h"
#include "routes.h"

#include "riposte/base/clock.h"
#include "riposte/base/memory.h"
#include "riposte/observe/log.h"

#include <stdio.h>
#include <stdlib.h>

/* The browser takes a cookie of this prefix from this host alone, for all of it, over TLS. */
#define COOKIE      "__Host-riposte"
#define COOKIE_SAYS "; Path=/; Secure; HttpOnly; SameSite=Strict"
#define COOKIE_ENDS COOKIE "=" COOKIE_SAYS "; Max-Age=0"
#define SCHEME      "https://"
#define LOGIN       "/login"
#define NEXT_BYTES  256
#define STRANGE_FORM \
    "This form is not of your session, or the session is over. Load the page again."
#define TOKEN_MISSING "That is not a token that is known here."
#define TOO_MANY      "Too many wrong tokens came from your address. Wait a few seconds."

static int64_t now_mono_ms(void) {
    return clock_mono_ms(&clock_system);
}

static struct text session_id(const struct request *request) {
    return cookie_value(request_header(request, "Cookie"), TEXT(COOKIE));
}

/* Fills session, access, actor and role. False: nobody that may see anything. */
static bool let_in(struct page *page) {
    enum admin_role role = ADMIN_VIEW;
    struct text name = {NULL, 0};
    if (sessions_sweep(page->admin->sessions, now_mono_ms()) > 0) {
        feed_drop(page->admin->feed); /* theirs too */
    }
    page->access = admin_access(page->admin);
    if (page->access == NULL ||
        !sessions_find(page->admin->sessions, session_id(page->request), now_mono_ms(),
                       &page->session) ||
        !access_find_digest(page->access, page->session.token_digest, &name, &role)) {
        return false;
    }
    page->actor = arena_copy_text(page->arena, name);
    page->may_act = role == ADMIN_OPERATE;
    return true;
}

static struct page open_page(struct admin *admin, struct request *request) {
    return (struct page){.admin = admin, .request = request, .arena = arena_new()};
}

static void close_page(struct page *page) {
    access_unref(&page->access);
    buffer_done(&page->out);
    memory_wipe(&page->session, sizeof(page->session));
    arena_free(&page->arena);
}

struct page *page_keep(struct page *page) {
    struct page *kept = memory_new(sizeof(*kept));
    *kept = *page;
    *page = (struct page){.admin = kept->admin, .request = kept->request};
    return kept;
}

void page_close_kept(struct page **page) {
    close_page(*page);
    free(*page);
    *page = NULL;
}

/* ---- where to go after the login ----------------------------------------------------------------
 */

/* A path of ours, in plain letters: whoever sends somebody here can't choose another host. */
static bool is_own_path(struct text path) {
    bool is_ours = path.bytes > 0 && path.bytes <= NEXT_BYTES && path.data[0] == '/' &&
                   !text_starts_with(path, TEXT("//"));
    for (size_t i = 0; is_ours && i < path.bytes; i++) {
        char c = path.data[i];
        is_ours = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '/' || c == '-' || c == '_' || c == '.';
    }
    return is_ours;
}

static void go_to_login(struct request *request) {
    struct text path = request_path(request);
    scoped(buffer_done) struct buffer location = BUFFER_INIT;
    buffer_append_string(&location, LOGIN);
    if (is_own_path(path) && path.bytes > 1) {
        buffer_append_string(&location, "?next=");
        buffer_append_percent_encoded(&location, path, "/");
    }
    console_redirect(request, buffer_text(&location), NULL);
}

/* ---- gates --------------------------------------------------------------------------------------
 */

static void refuse_plainly(struct request *request, unsigned status, struct text what) {
    request_answer(request, &(struct answer){.status = status,
                                             .content_type = "text/plain; charset=utf-8",
                                             .body = what,
                                             .is_last = status == 403});
}

bool gate_console(void *arg, struct request *request) {
    struct page page = open_page(arg, request);
    bool is_in = let_in(&page);
    close_page(&page);
    if (!is_in) {
        go_to_login(request);
    }
    return is_in;
}

/* Browsers say with every POST whose page it came from. */
static bool is_of_own_page(const struct request *request) {
    struct text origin = request_header(request, "Origin");
    struct text host = request_header(request, "Host");
    return host.bytes > 0 && text_starts_with(origin, TEXT(SCHEME)) &&
           text_equal_ignoring_ascii_case(text_slice(origin, sizeof(SCHEME) - 1, origin.bytes),
                                          host);
}

static bool gate_origin(struct request *request) {
    bool is_own = is_of_own_page(request);
    if (!is_own) {
        refuse_plainly(request, 403, TEXT("Origin: that page is not of this server\n"));
    }
    return is_own;
}

bool gate_console_form(void *arg, struct request *request) {
    return gate_origin(request) && gate_console(arg, request);
}

void page_serve(struct admin *admin, struct request *request, page_fn *show_fn) {
    struct page page = open_page(admin, request);
    if (let_in(&page)) {
        show_fn(&page);
    } else {
        go_to_login(request);
    }
    close_page(&page);
}

struct text page_field(struct page *page, struct text name) {
    return form_value(blob_text(request_body(page->request)), name, page->arena);
}

void page_take_form(struct admin *admin, struct request *request, bool needs_operate,
                    page_fn *take_fn) {
    struct page page = open_page(admin, request);
    if (!let_in(&page)) {
        go_to_login(request);
    } else if (!session_knows_form(&page.session, page_field(&page, TEXT("form_key")))) {
        page_fail(&page, 403, "Not accepted", STRANGE_FORM);
    } else if (needs_operate && !page.may_act) {
        page_fail(&page, 403, "Not allowed", "Your token's role may look, not act.");
    } else {
        take_fn(&page);
    }
    close_page(&page);
}

/* ---- login and logout ---------------------------------------------------------------------------
 */

/* `problem` NULL: none yet. */
static void show_login(struct page *page, unsigned status, struct text next, const char *problem) {
    page_begin(page, CONSOLE_NOWHERE, "Log in", TEXT(""));
    struct html *html = &page->html;
    html_open_class(html, "form", "login");
    html_path(html, "action", LOGIN);
    html_attribute(html, "method", TEXT("post"));
    if (problem != NULL) {
        html_open_class(html, "p", "problem");
        html_attribute(html, "role", TEXT("alert"));
        html_text(html, text_of(problem));
        html_close(html);
    }
    html_open(html, "label");
    html_attribute(html, "for", TEXT("token"));
    html_text(html, TEXT("Token"));
    html_close(html);
    html_open(html, "input");
    html_attribute(html, "id", TEXT("token"));
    html_attribute(html, "name", TEXT("token"));
    html_attribute(html, "type", TEXT("password"));
    html_attribute(html, "autocomplete", TEXT("current-password"));
    html_attribute(html, "aria-describedby", TEXT("token-hint"));
    html_flag(html, "required");
    html_flag(html, "autofocus");
    html_close(html);
    html_open(html, "input");
    html_attribute(html, "type", TEXT("hidden"));
    html_attribute(html, "name", TEXT("next"));
    html_attribute(html, "value", is_own_path(next) ? next : TEXT("/"));
    html_close(html);
    html_open_class(html, "p", "hint");
    html_attribute(html, "id", TEXT("token-hint"));
    html_text(html, TEXT("One of admin.token and admin.tokens. It is asked for once: the session "
                         "ends after 12 hours, or 2 without use."));
    html_close(html);
    html_element(html, "button", "primary", TEXT("Log in"));
    html_close(html);
    page_end(page, status);
}

void console_login_page(void *arg, struct request *request) {
    struct page page = open_page(arg, request);
    if (let_in(&page)) {
        console_redirect(request, TEXT("/"), NULL);
    } else {
        page.actor = TEXT("");
        show_login(&page, 200, request_query(request, "next"), NULL);
    }
    close_page(&page);
}

static void refuse_token(struct page *page, struct text next) {
    bool is_too_many = strikes_add(page->admin->strikes, request_peer(page->request),
                                   now_mono_ms());
    log_warn(&(struct log_context){.component = "operate",
                                   LOG_FIELDS(log_text("peer", request_peer(page->request)))},
             "console: a login with a wrong token");
    show_login(page, is_too_many ? 429 : 401, next, is_too_many ? TOO_MANY : TOKEN_MISSING);
}

void console_login(void *arg, struct request *request) {
    struct page page = open_page(arg, request);
    struct text next = page_field(&page, TEXT("next"));
    struct text token = text_trim(page_field(&page, TEXT("token")));
    enum admin_role role = ADMIN_VIEW;
    uint8_t digest[SHA256_BYTES];
    struct text name = {NULL, 0};
    page.access = admin_access(page.admin);
    if (!is_of_own_page(request)) {
        refuse_plainly(request, 403, TEXT("Origin: that page is not of this server\n"));
    } else if (page.access == NULL ||
               !access_find_token(page.access, token, digest, &name, &role)) {
        refuse_token(&page, next);
    } else {
        char id[SESSION_TEXT_BYTES], cookie[sizeof(COOKIE "=" COOKIE_SAYS) + sizeof(id)];
        sessions_close(page.admin->sessions, session_id(request));
        sessions_open(page.admin->sessions, digest, now_mono_ms(), id);
        (void)snprintf(cookie, sizeof(cookie), COOKIE "=%s" COOKIE_SAYS, id);
        log_info(&(struct log_context){.component = "operate", LOG_FIELDS(log_text("actor", name))},
                 "console: logged in");
        console_redirect(request, is_own_path(next) ? next : TEXT("/"), cookie);
        memory_wipe(id, sizeof(id));
        memory_wipe(cookie, sizeof(cookie));
    }
    memory_wipe((void *)(uintptr_t)token.data, token.bytes);
    close_page(&page);
}

static void end_session(struct page *page) {
    sessions_close(page->admin->sessions, session_id(page->request));
    feed_drop(page->admin->feed);
    console_redirect(page->request, TEXT(LOGIN), COOKIE_ENDS);
}

void console_logout(void *arg, struct request *request) {
    page_take_form(arg, request, false, end_session);
}

/* The stream of the API, for who has a session. */
void console_stream(void *arg, struct request *request) {
    handle_stream(arg, request);
}
