/* Objects and failures as answers. Private to the folder.
 *
 * Threads:    whoever holds the request. */
#ifndef RIPOSTE_SERVER_OPERATE_ANSWERS_H
#define RIPOSTE_SERVER_OPERATE_ANSWERS_H

#include "jsonc.h"

#include "riposte/base/error.h"
#include "riposte/inbound/request.h"

/* Takes `object` over. */
void answer_object(struct request *request, unsigned status, struct json_object *object);
/* 200 {key: list}; takes `list` over. */
void answer_list(struct request *request, const char *key, struct json_object *list);
/* 404 not found, 409 what its state doesn't allow, 503 what may work later (logged). */
void answer_failure(struct request *request, const struct error *error);

#endif
