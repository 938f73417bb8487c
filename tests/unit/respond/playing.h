/* What tests of respond share: a playbook, an event and a context from JSON texts. Single quotes
 * stand for double ones, so that JSON reads well in C.
 *
 * Ownership:  everything lives in the arena, but patterns: playing_done() frees those. */
#ifndef RIPOSTE_TESTS_RESPOND_PLAYING_H
#define RIPOSTE_TESTS_RESPOND_PLAYING_H

#include "riposte/base/arena.h"
#include "riposte/config/context.h"
#include "riposte/config/findings.h"
#include "riposte/config/playbook.h"
#include "riposte/json/tree.h"
#include "riposte/respond/plan.h"

#include "testing.h"

#define PLAYING_EVENT PLAYING_EVENT_WITH("'none':[]")
#define PLAYING_EVENT_WITH(parameter)                                                          \
    "{'id':'e-1','source':'aws.ec2','detail-type':'AWS API Call via CloudTrail',"              \
    "'account':'123456789012','region':'eu-west-1','time':'2026-01-02T03:04:05Z',"             \
    "'detail':{'eventID':'ev1','eventName':'ModifyInstanceAttribute',"                         \
    "'userIdentity':{'type':'IAMUser','principalId':'AIDAMALLORY','accountId':'123456789012'," \
    "'arn':'arn:aws:iam::123456789012:user/ops/mallory','userName':'mallory',"                 \
    "'accessKeyId':'AKIAMALLORY'},"                                                            \
    "'requestParameters':{'ids':['i-1','i-2','i-3']," parameter ",'one':'i-9'}}}"

struct playing {
    struct arena *arena;
    struct subject_event event;
    struct playbook *playbook;
    const struct json *context;
};

/* A copy with double quotes. */
static inline struct text playing_text(struct arena *arena, const char *text) {
    struct text copy = arena_copy_text(arena, text_of(text));
    char *bytes = (char *)(uintptr_t)copy.data;
    for (size_t i = 0; i < copy.bytes; i++) {
        bytes[i] = bytes[i] == '\'' ? '"' : bytes[i];
    }
    return copy;
}

static inline const struct json *playing_json(struct arena *arena, const char *text) {
    const struct json *root = NULL;
    struct error error = {0};
    assert_ok(json_parse(playing_text(arena, text), 0, arena, &root, NULL, &error), &error);
    return root;
}

static inline struct playbook *playing_playbook(struct arena *arena, const char *text) {
    struct findings *findings = findings_new();
    struct source source = {"playbook.json", playing_text(arena, text)};
    struct playbook *playbook = playbook_read(&source, playing_json(arena, text), arena, findings);
    if (playbook == NULL) {
        struct buffer lines = BUFFER_INIT;
        findings_print(findings, &lines);
        print_error("%s", buffer_string(&lines));
        buffer_done(&lines);
    }
    findings_free(&findings);
    assert_non_null(playbook);
    return playbook;
}

static inline void playing_start(struct playing *playing, const char *playbook, const char *event) {
    static const struct context_self self = {.account = TEXT_INIT("123456789012"),
                                             .role = TEXT_INIT("responder"),
                                             .partition = TEXT_INIT("aws")};
    struct error error = {0};
    *playing = (struct playing){.arena = arena_new()};
    playing->playbook = playing_playbook(playing->arena, playbook);
    assert_ok(subject_event_read(playing_text(playing->arena, event), playing->arena,
                                 &playing->event, &error),
              &error);
    playing->context = context_new(&playing->event, TEXT("rule"), TEXT("high"),
                                   TEXT("01J00000000000000000000000"), &self,
                                   playing_json(playing->arena, "{'scp':'p-1'}"), playing->arena);
}

static inline void playing_done(struct playing *playing) {
    playbook_done(playing->playbook);
    arena_free(&playing->arena);
}

static inline struct plan_input playing_input(const struct playing *playing) {
    return (struct plan_input){.playbook = playing->playbook,
                               .context = playing->context,
                               .event_key = playing->event.envelope.key,
                               .event_account = playing->event.envelope.account,
                               .event_region = playing->event.envelope.region,
                               .principal_account = playing->event.principal.account,
                               .principal_id = playing->event.principal.id};
}

#endif
