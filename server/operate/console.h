/* The console: the admin API as pages, for a browser. Private to the folder.
 *
 *     console_door.c     who is logged in: login, logout, the gate of every page
 *     console_page.c     what every page has: head, navigation, foot, its headers; parts of pages
 *     console_list.c     incidents                   console_story.c    one of them
 *     console_event.c    an event, with what decided marked
 *     console_act.c      approve, dismiss, undo: asked first, then done
 *     console_rules.c    rules and their tests       console_try.c      the playground
 *     console_health.c   the server, the last drill  console_times.c    reactions as a plot
 *
 * Pages are whole without a script; it replaces the part of a page that is marked "data-live" by
 * the same part of the page as it is now, when the stream tells of a change.
 *
 * A page is seen by who has a session (session.h); its cookie goes to this host alone, over TLS,
 * to no script, and with no request that another site causes. What changes anything is a POST of a
 * form of that very session, from a page of this origin, by somebody whose role may act.
 *
 * Ownership:  a struct page lives for one request.
 * Threads:    the admin listener's; the playground's answer is an errand's. */
#ifndef RIPOSTE_SERVER_OPERATE_CONSOLE_H
#define RIPOSTE_SERVER_OPERATE_CONSOLE_H

#include "admin_parts.h"
#include "html.h"
#include "session.h"

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/blob.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/text.h"
#include "riposte/json/tree.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONSOLE_FORM_BYTES 4096
#define CONSOLE_TRY_BYTES  (3u * 1024 * 1024) /* an event of 1 MiB, percent-encoded */
#define CONSOLE_INCIDENTS  "/incidents/"
#define CONSOLE_RULES      "/rules"

struct page {
    struct admin *admin;
    struct request *request;
    struct access *access; /* with the snapshot in force */
    struct arena *arena;
    struct session session;
    struct text actor; /* whose token it was */
    bool may_act;
    struct buffer out;
    struct html html;
};

/* A place in the navigation. */
enum console_place {
    CONSOLE_NOWHERE,
    CONSOLE_AT_INCIDENTS,
    CONSOLE_AT_TIMES,
    CONSOLE_AT_RULES,
    CONSOLE_AT_TRY,
    CONSOLE_AT_HEALTH,
};

/* ---- console_door.c ---- */

/* For a page: without a session it answers with the way to the login. */
route_gate_fn gate_console;
/* For a form: also refuses what comes from a page of another origin, or none. */
route_gate_fn gate_console_form;

/* Fills the page for whoever asks, and has show_fn answer it; or answers itself, when the session
 * is over. */
typedef void page_fn(struct page *page);
void page_serve(struct admin *admin, struct request *request, page_fn *show_fn);
/* The same for a posted form: without the session's key 403; without a role that may act too when
 * `needs_operate`. */
void page_take_form(struct admin *admin, struct request *request, bool needs_operate,
                    page_fn *take_fn);
/* The page goes on on another thread (an errand's): whoever keeps it answers and closes it. */
struct page *page_keep(struct page *page);
void page_close_kept(struct page **page);
/* A field of the posted form, into the page's arena. */
struct text page_field(struct page *page, struct text name);

/* ---- console_page.c ---- */

/* What the addresses of style, script and icon end in: changes with what they hold. */
void console_name_version(char out[CONSOLE_VERSION_BYTES]);

/* Head and navigation, up to the heading. `live`: what the stream must tell of for the page to be
 * looked at again: "list", an incident's id, or empty. */
void page_begin(struct page *page, enum console_place place, const char *title, struct text live);
/* Closes all and answers. */
void page_end(struct page *page, unsigned status);
/* A page that says what went wrong. */
void page_fail(struct page *page, unsigned status, const char *title, const char *what);
void page_fail_error(struct page *page, const struct error *error);
/* 303: look there. A path of ours. */
void page_go(struct page *page, const char *path);
/* Answers with the headers that all pages have; set_cookie NULL: none. */
void console_answer(struct request *request, unsigned status, struct text body,
                    const char *set_cookie);
void console_redirect(struct request *request, struct text location, const char *set_cookie);

/* The session's key, in a form. */
void page_form_key(struct page *page);
/* <time>: "2026-03-02 09:33:20.123"; a dash when it isn't known. */
void page_time(struct html *html, int64_t unix_ms);
void page_state(struct html *html, enum incident_state state);
void page_severity(struct html *html, struct text severity);
/* <dt>, <dd>; nothing for an empty value. */
void page_fact(struct html *html, const char *label, struct text value);
void page_fact_time(struct html *html, const char *label, int64_t unix_ms);
/* A number with its unit, for people: "59 ms", "1.2 s". */
struct text page_duration(struct arena *arena, int64_t ms);
/* JSON text as <pre>, indented; as it is when it is none. Nothing for an empty one. */
void page_json(struct page *page, struct text text);
/* <section> with a heading. */
void page_section(struct html *html, const char *heading);

/* ---- console_story.c ---- */

/* A plan's calls, as observe keeps them. */
void page_plan(struct page *page, const struct json *plan);

/* ---- console_event.c ---- */

/* The event's members, those that `why` names marked, into the page. */
void page_event(struct page *page, struct text event, const struct texts *why);

/* ---- handlers ---- */

route_fn console_login_page, console_login, console_logout, console_stream; /* console_door.c */
route_fn console_style, console_script, console_icon;                       /* console_page.c */
route_fn console_list;
route_fn console_incident; /* GET /incidents/ID: console_story.c */
route_fn console_act;      /* POST /incidents/ID/VERB */
route_fn console_rules;    /* GET /rules, /rules/NAME */
route_fn console_try_page, console_try;
route_fn console_health;
route_fn console_times;

/* GET /incidents/ID/VERB: is that what you want? */
void console_ask(struct page *page, const struct ulid *id, struct text verb);

#endif
