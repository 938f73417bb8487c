/* What the server is made of, in the order in which it starts. Private to the folder.
 *
 * Threads:    main starts and stops them; `shared` is everybody's, with its lock. */
#ifndef RIPOSTE_SERVER_DAEMON_PARTS_H
#define RIPOSTE_SERVER_DAEMON_PARTS_H

#include "riposte/aws/secrets.h"
#include "riposte/base/attributes.h"
#include "riposte/base/buffer.h"
#include "riposte/base/error.h"
#include "riposte/base/mutex.h"
#include "riposte/base/thread.h"
#include "riposte/config/snapshot.h"
#include "riposte/daemon/anchor.h"
#include "riposte/daemon/lookout.h"
#include "riposte/daemon/membership.h"
#include "riposte/daemon/supervisor.h"
#include "riposte/inbound/listener.h"
#include "riposte/intake/intake.h"
#include "riposte/operate/admin.h"
#include "riposte/respond/respond.h"

#include <signal.h>
#include <stdbool.h>

struct daemon {
    const char *settings_path;
    bool has_sandbox;
    struct supervisor *supervisor;
    struct journal *journal;
    struct recent *recent;
    struct drill *drill;
    struct canaries *canaries;
    struct lookout *lookout;
    struct http_client *http;
    struct aws_client *aws;
    struct aws_secrets *secrets;
    struct respond *respond;
    struct intake *intake;
    struct listener *events;
    struct admin *admin;
    bool has_admin; /* an admin token was set at the start; set before its listener starts */
    struct listener *admin_listener;
    struct membership *membership;
    struct anchorer *anchorer;

    struct thread secrets_thread;
    struct condition secrets_wake; /* with `lock` */

    struct mutex reloading; /* one at a time */
    struct mutex lock;
    struct {
        struct snapshot *snapshot;
        bool is_secret_unknown, is_ending; /* what secrets_thread waits for */
    } shared;                              /* with `lock` */
};

/* The present one; the caller unrefs it. A respond_snapshot_fn. */
struct snapshot *daemon_snapshot(void *daemon);
/* Takes over the caller's reference (sets NULL). Roles are assumed in its accounts only. */
void daemon_adopt_snapshot(struct daemon *daemon, struct snapshot **snapshot);

/* Reads what `settings_path` names. What was found is appended to `findings`, a line each, and
 * logged. */
MUST_CHECK bool daemon_load(const struct daemon *daemon, struct snapshot **snapshot_out,
                            struct buffer *findings, struct error *error);

/* The certificate that the settings name, to be served from now on. */
MUST_CHECK bool daemon_serve_certificate(const struct settings *settings, struct error *error);
/* One made now, when they name none. */
MUST_CHECK bool daemon_serve_own_certificate(const struct settings *settings, struct error *error);

/* Becomes the role of each of the settings' accounts, of many of the first, before that is needed;
 * not in observe, which opens no connection. */
void daemon_warm_accounts(struct daemon *daemon, const struct settings *settings);

/* Opens it. While another server holds it, which on a network file system may be one that is gone,
 * waits as long as the settings say: /readyz and POSTs are answered 503 meanwhile, /healthz 200.
 * Ends early on a signal of `signals` that ends. */
MUST_CHECK bool daemon_open_journal(const struct settings *settings,
                                    const struct supervisor *supervisor,
                                    const struct journal_options *options, const sigset_t *signals,
                                    struct journal **journal_out, struct error *error);

/* A new list of the organization's accounts: in force from now on, roles of new ones are taken
 * before that is needed. */
void daemon_adopt_accounts(void *daemon, struct texts accounts);
/* What was listed before a reload still holds after it. */
void daemon_keep_accounts(struct daemon *daemon, struct snapshot **next);

/* A line of the audit chain about the server itself. */
MUST_CHECK bool daemon_note(struct daemon *daemon, struct text actor, const char *event,
                            struct error *error);

/* Settings, rules, playbooks, secrets and certificate anew, all or nothing: what can fail is done
 * before anything changes, and requests and incidents under way keep what they began with.
 * ERROR_INVALID: the files are wrong, or change what only a restart can. An admin_reload_fn. */
MUST_CHECK bool daemon_reload(void *daemon, struct text actor, struct buffer *findings,
                              struct error *error);
void daemon_reload_register(void);
/* Secrets anew, all else as it is. */
MUST_CHECK bool daemon_renew_secrets(struct daemon *daemon, struct error *error);

/* Has Secrets Manager asked anew every five minutes, and soon after a secret came that nobody
 * knows; what was in force stays so when that fails. */
MUST_CHECK bool daemon_start_secrets(struct daemon *daemon, struct error *error);
void daemon_stop_secrets(struct daemon *daemon);
/* An intake_options.unknown_secret_fn. */
void daemon_unknown_secret(void *daemon);

#endif
