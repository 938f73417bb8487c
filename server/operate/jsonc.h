/* json-c beside our own json layer: both name something json_type, so json-c's is renamed here.
 * Private to the folder; the only place that includes json-c. */
#ifndef RIPOSTE_SERVER_OPERATE_JSONC_H
#define RIPOSTE_SERVER_OPERATE_JSONC_H

#define json_type jsonc_type
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>
#include <json-c/printbuf.h>
#undef json_type

#endif
