/* The scanner token by token, as json_scan() means it: for what it says about texts that are
 * refused (the fast one only finds that they are), and the reference for that one.
 *
 * Ownership:  plain_scratch_new/free.
 * Threads:    one at a time.
 * Bounds:     as scanner.h. */
#ifndef RIPOSTE_SERVER_JSON_SCANNER_PLAIN_H
#define RIPOSTE_SERVER_JSON_SCANNER_PLAIN_H

#include "riposte/json/scanner.h"

struct plain_scratch;

struct plain_scratch *plain_scratch_new(void);
void plain_scratch_free(struct plain_scratch **scratch);
MUST_CHECK bool json_scan_plain(const struct json_paths *paths, struct plain_scratch *scratch,
                                struct text text, json_leaf_fn *leaf_fn, void *arg,
                                struct error *error);

#endif
