/* The stage for stories about respond: the shipped rule, a journal, an AWS of a few lines, and a
 * clock that moves only when told. Everything happens on the test's own thread (stage_run()),
 * unless the stage is opened with workers.
 *
 * Ownership:  stage_open() opens, stage_close() closes and frees.
 * Threads:    the AWS may be called by several; the rest is the test's. */
#ifndef RIPOSTE_TESTS_RESPOND_STAGE_H
#define RIPOSTE_TESTS_RESPOND_STAGE_H

#include "riposte/base/clock.h"
#include "riposte/base/mutex.h"
#include "riposte/config/snapshot.h"
#include "riposte/journal/journal.h"
#include "riposte/respond/respond.h"

#include "testing.h"

#include <stdatomic.h>

#define STAGE_ACCOUNT  "123456789012"
#define STAGE_USER     "mallory"
#define STAGE_USER_ID  "AIDAMALLORY"
#define STAGE_KEY      "AKIAMALLORY"
#define STAGE_ROLE_ID  "AROADEPLOY"
#define STAGE_POLICIES 8
#define STAGE_START_MS INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */
#define STAGE_CALLS    512
#define STAGE_FORCED   64

/* What AWS holds and has seen. Plain bytes, so that it may lie in memory that processes share. */
struct stage_aws {
    pthread_mutex_t lock;
    char user_id[32];
    char document[2048]; /* of the inline deny; empty: none */
    struct {
        char name[64], document[1024]; /* name empty: none */
    } role_policies[STAGE_POLICIES];   /* of the role "deploy" */
    bool is_attached;                  /* the managed deny */
    bool is_key_inactive;              /* STAGE_KEY */
    bool is_protected;                 /* the instance */
    bool has_identity;
    unsigned identity_failures;  /* of the next questions who we are */
    char calls[STAGE_CALLS][48]; /* "iam:PutUserPolicy" */
    unsigned call_count;
    char posts[8][768]; /* "<url>|<header>=<value>...|<body>" */
    unsigned post_count;
    unsigned post_refusals; /* posts that posts_fail made vain, not among them */
    bool posts_fail;        /* answered 503 */
    int post_status[8];     /* of the next posts, 0: no answer; when they are used up: 200 */
    unsigned post_status_count, post_status_next;
    struct {
        char name[48];
        enum aws_outcome outcome;
        char code[48];
        unsigned times;
    } forced[STAGE_FORCED]; /* what the next calls of a name get instead */
};

struct stage {
    struct journal *journal;
    struct respond *respond;
    struct snapshot *snapshot;
    struct snapshot *next; /* a reload: the snapshot from the next_at-th call on; NULL: none */
    unsigned next_at;
    struct fake_clock clock;
    struct stage_aws *aws;
    unsigned events;
    size_t rule; /* which of the snapshot's fires: termination-protection-disabled, or what a test
                    says */
};

struct stage_options {
    const char *journal;  /* NULL: "memory:" */
    const char *mode;     /* NULL: "enforce" */
    const char *settings; /* NULL: the shipped ones */
    unsigned workers;
    struct stage_aws *aws; /* NULL: a new one, which stage_close() frees */
    int64_t now_unix_ms;   /* 0: STAGE_START_MS */
};

struct stage_aws *stage_aws_new(void);
void stage_aws_free(struct stage_aws **aws);

void stage_open(struct stage *stage, const struct stage_options *options);
void stage_close(struct stage *stage);

/* A reload when `calls` calls were made: other rules and playbooks, those of `settings`. */
void stage_reload(struct stage *stage, const char *settings, unsigned calls);

/* Switches protection off for `instance` by the user, now plus `later_ms`; returns the incident. */
struct ulid stage_event(struct stage *stage, const char *instance, int64_t later_ms);
/* The same by the session `name` of the role "deploy". */
struct ulid stage_session_event(struct stage *stage, const char *name, int64_t later_ms);
/* The same by the session that an instance has of that role: the instance is its name. */
struct ulid stage_instance_session_event(struct stage *stage, const char *instance,
                                         int64_t later_ms);
/* The same of any event text; the key is made unique by the caller. */
struct ulid stage_event_text(struct stage *stage, const char *text);
/* Works on all that is due. */
void stage_run(struct stage *stage);
/* Moves the clock in steps of a second and works on what comes due. */
void stage_pass(struct stage *stage, int64_t ms);

/* The next `times` calls of "service:Operation" end so. */
void stage_force(struct stage *stage, const char *name, enum aws_outcome outcome, const char *code,
                 unsigned times);
/* The calls since the last time this was asked, with spaces between; in the test's own buffer. */
const char *stage_calls(struct stage *stage);
unsigned stage_count(struct stage *stage, const char *name);

struct stage_incident {
    enum incident_state state;
    char reason[256], severity[16], plan[512];
    size_t effects;
};
struct stage_incident stage_incident(struct stage *stage, const struct ulid *id);
/* The state of the call whose key ends so, or -1. */
int stage_call_state(struct stage *stage, const struct ulid *id, const char *key_end);

#endif
