/* What a task of ours carries from one attempt to the next: JSON in its detail.
 *
 *     {"approver":"<name>","approved":<unix ms>,"override":true}    any: a person approved it
 *     {"escape":true,"tries":{"<call key>":2}}                      playbook
 *     {"tries":{"confirm":1}}                                       respond
 *     {"key":"<call key>","from":<unix ms>,"index":0,"applied":1,
 *      "stands":true,"now":true,"tries":{"verify":1}}               verify
 *     {"resources":false,"tries":{"<effect id>":1}}                 undo
 *     {"state":"held","tries":{"<call key>":1}}                     notify
 *
 * Ownership:  lives in the arena it was read into.
 * Threads:    pure. */
#ifndef RIPOSTE_SERVER_RESPOND_DETAIL_H
#define RIPOSTE_SERVER_RESPOND_DETAIL_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How often something was tried in vain. */
struct tries {
    struct text key;
    unsigned count;
};

struct detail {
    struct text approver; /* who approved the incident; empty: nobody */
    int64_t approved_unix_ms;
    bool overrides_protection; /* a protected principal's too */
    bool is_escape, with_resources;
    struct text state;    /* notify: of what it tells: an incident's, or "escaped" */
    struct text key;      /* verify: of the call to look after */
    int64_t from_unix_ms; /* verify: when it was (last) made */
    unsigned index;       /* verify: which of `after` comes next */
    unsigned applied;     /* verify: how often it was applied again */
    bool stands;          /* verify: it stood already when this incident asked for it */
    bool is_now;          /* verify: a look before the first of `after` */
    struct tries *tries;
    size_t tries_count;
    struct arena *arena;
};

/* What can't be read is as if it weren't there. */
void detail_read(struct text json, struct arena *arena, struct detail *detail_out);
struct text detail_text(const struct detail *detail);
/* Counts one more vain try of `key` and returns how many there were. */
unsigned detail_try(struct detail *detail, struct text key);
bool detail_has_tried(const struct detail *detail, struct text key);
void detail_forget_tries(struct detail *detail);

#endif
