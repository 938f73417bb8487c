/* An undo task: lets go of the incident's effects, the newest first. Whoever lets go last sends the
 * stored inverse, in every mode: the panic switch must not keep anybody locked out.
 *
 * What an intent without outcome names was perhaps done: its inverse goes out too.
 *
 * Threads:    a worker's. */
#ifndef RIPOSTE_SERVER_RESPOND_UNDO_H
#define RIPOSTE_SERVER_RESPOND_UNDO_H

#include "job.h"

void undo(struct job *job);

#endif
