#include "keys.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"

#include <stdlib.h>

#define KEY_BUCKETS 1024

struct key {
    struct key *next;
    char *id;
    size_t bytes;
};

struct journal_keys {
    struct mutex lock;
    struct key *buckets[KEY_BUCKETS]; /* under the lock */
};

struct journal_keys *journal_keys_new(void) {
    struct journal_keys *keys = memory_new(sizeof(*keys));
    mutex_init(&keys->lock);
    return keys;
}

void journal_keys_free(struct journal_keys **keys) {
    if (*keys == NULL) {
        return;
    }
    mutex_lock(&(*keys)->lock);
    for (size_t i = 0; i < KEY_BUCKETS; i++) {
        for (struct key *key = (*keys)->buckets[i], *next; key != NULL; key = next) {
            next = key->next;
            free(key->id);
            free(key);
        }
    }
    mutex_unlock(&(*keys)->lock);
    mutex_done(&(*keys)->lock);
    free(*keys);
    *keys = NULL;
}

static struct key **find(struct journal_keys *keys, struct text access_key_id)
    REQUIRES(&keys->lock) {
    struct key **link = &keys->buckets[text_hash(access_key_id) % KEY_BUCKETS];
    while (*link != NULL &&
           !text_equal((struct text){(*link)->id, (*link)->bytes}, access_key_id)) {
        link = &(*link)->next;
    }
    return link;
}

void journal_keys_add(struct journal_keys *keys, struct text access_key_id) {
    mutex_lock(&keys->lock);
    struct key **link = find(keys, access_key_id);
    if (*link == NULL) {
        *link = memory_new(sizeof(struct key));
        (*link)->id = text_copy(access_key_id);
        (*link)->bytes = access_key_id.bytes;
    }
    mutex_unlock(&keys->lock);
}

bool journal_keys_has(struct journal_keys *keys, struct text access_key_id) {
    mutex_lock(&keys->lock);
    bool has = *find(keys, access_key_id) != NULL;
    mutex_unlock(&keys->lock);
    return has;
}
