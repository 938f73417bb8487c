/* Brings the events of a dead-letter queue to a running server. A message is deleted after the
 * server has answered 2xx, that is after its commit: killed between the two, the event comes again
 * and the server knows it.
 *
 * Threads:    main alone.
 * Source:     SQS API, ReceiveMessage and DeleteMessage; EventBridge user guide, dead-letter
 *             queues: a message's body is the event. */
#ifndef RIPOSTE_CLI_REDRIVE_H
#define RIPOSTE_CLI_REDRIVE_H

/* A command_fn. */
int cli_redrive(int argc, char **argv);

#endif
