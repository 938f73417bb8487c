/* Who started us and wants to know how it goes: systemd, or whatever speaks its protocol.
 *
 *     NOTIFY_SOCKET   is told READY=1, RELOADING=1, STOPPING=1 (Type=notify or notify-reload), and
 *                     WATCHDOG=1 as often as WATCHDOG_USEC asks
 *     LISTEN_FDS      sockets that were opened for us, named "intake" and "admin"; a single one
 *                     that has neither name is intake's
 *
 * Without these variables nothing is told and no socket is there.
 *
 * Ownership:  the sockets are the supervisor's; whoever listens makes a copy.
 * Threads:    started by main before other threads, which may all notify.
 * Source:     sd_notify(3), sd_listen_fds(3). */
#ifndef RIPOSTE_DAEMON_SUPERVISOR_H
#define RIPOSTE_DAEMON_SUPERVISOR_H

#include "riposte/base/attributes.h"
#include "riposte/base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct supervisor;

/* Takes the variables out of the environment. ERROR_INVALID: a socket that is none we can use, or
 * that has a name we don't know. */
MUST_CHECK bool supervisor_new(struct supervisor **supervisor_out, struct error *error);
void supervisor_free(struct supervisor **supervisor);
/* The listening socket of that name; -1: none. */
int supervisor_socket(const struct supervisor *supervisor, const char *name);
/* Lines of NAME=VALUE. That nobody listens is not our problem. */
void supervisor_notify(const struct supervisor *supervisor, const char *lines);
/* RELOADING=1 with the time that goes with it; READY=1 follows. */
void supervisor_notify_reloading(const struct supervisor *supervisor);
/* How often WATCHDOG=1 is due: half of what is asked. 0: never. */
int64_t supervisor_watchdog_ms(const struct supervisor *supervisor);

#endif
