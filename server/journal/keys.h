/* The access keys that were issued to us, for a quick look.
 *
 * Threads:    any. */
#ifndef RIPOSTE_SERVER_JOURNAL_KEYS_H
#define RIPOSTE_SERVER_JOURNAL_KEYS_H

#include "riposte/base/text.h"

#include <stdbool.h>

struct journal_keys;

struct journal_keys *journal_keys_new(void);
void journal_keys_free(struct journal_keys **keys);
void journal_keys_add(struct journal_keys *keys, struct text access_key_id);
bool journal_keys_has(struct journal_keys *keys, struct text access_key_id);

#endif
