/* Posts events to a running server with the secret, as EventBridge does.
 *
 * Threads:    main alone. */
#ifndef RIPOSTE_CLI_SEND_H
#define RIPOSTE_CLI_SEND_H

/* A command_fn. */
int cli_send(int argc, char **argv);

#endif
