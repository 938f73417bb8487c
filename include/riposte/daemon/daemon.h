/* The server: what it is made of, in the order in which it starts; it ends in the reverse order.
 *
 *     settings ─▶ secrets ─▶ certificate ─▶ journal ─▶ outbound ─▶ aws
 *              ─▶ respond ─▶ intake ─▶ admin
 *
 * Stopping (SIGTERM, SIGINT): readiness off; accept and commit for `drain`; then 503 and quiesce;
 * the journal answers all that wait; intake stops; workers finish their call and give their leases
 * back; admin; checkpoint, close.
 *
 * Threads:    runs on main, which alone takes signals. */
#ifndef RIPOSTE_DAEMON_DAEMON_H
#define RIPOSTE_DAEMON_DAEMON_H

/* `riposte serve [-c FILE]`: a command_fn. 0 after a clean stop, 1 when it could not start (said on
 * stderr), 2 for a bad command line. */
int daemon_serve(int argc, char **argv);

#endif
