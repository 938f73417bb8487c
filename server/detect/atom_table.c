#include "riposte/detect/atom_table.h"

#include "riposte/base/buffer.h"
#include "riposte/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

struct atom_key {
    uint64_t hash;
    uint32_t key_at, key_bytes; /* in `keys` */
    uint32_t path;
    enum atom_kind kind;
};

struct atom_table {
    struct atom_key *atoms;
    size_t count, capacity;
    /* Open addressing: the upper half of the hash beside the atom's number + 1. */
    uint64_t *slots;
    size_t slot_count;
    struct buffer keys;
};

struct atom_table *atom_table_new(void) {
    struct atom_table *table = memory_new(sizeof(*table));
    table->slot_count = FIRST_SLOTS;
    table->slots = memory_new_array(table->slot_count, sizeof(*table->slots));
    return table;
}

void atom_table_free(struct atom_table **table) {
    if (*table == NULL) {
        return;
    }
    free((*table)->atoms);
    free((*table)->slots);
    buffer_done(&(*table)->keys);
    free(*table);
    *table = NULL;
}

static uint64_t mix(uint64_t a, uint64_t b) {
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const char *data, size_t bytes) {
    uint64_t word = 0;
    memcpy(&word, data, bytes);
    return word;
}

/* Up to 8 bytes as one or two overlapping loads, without a call. */
static uint64_t load_short(const char *data, size_t bytes) {
    if (bytes >= 4) {
        return load(data, 4) << 32 | load(data + bytes - 4, 4);
    }
    if (bytes == 0) {
        return 0;
    }
    return (uint64_t)(unsigned char)data[0] << 16 | (uint64_t)(unsigned char)data[bytes / 2] << 8 |
           (unsigned char)data[bytes - 1];
}

static uint64_t hash_key(enum atom_kind kind, uint32_t path, struct text key) {
    uint64_t hash = ((uint64_t)path << 8 | (uint64_t)kind) ^ 0x9E3779B97F4A7C15u;
    const char *data = key.data;
    size_t rest = key.bytes;
    hash = mix(hash ^ key.bytes, 0xA0761D6478BD642Fu);
    while (rest > 16) {
        hash = mix(load(data, 8) ^ hash, load(data + 8, 8) ^ 0xE7037ED1A0B428DBu);
        data += 16;
        rest -= 16;
    }
    uint64_t low = rest >= 8 ? load(data, 8) : load_short(data, rest);
    uint64_t high = rest >= 8 ? load(data + rest - 8, 8) : 0;
    return mix(low ^ hash, high ^ 0x8EBC6AF09C88C6E3u);
}

#define TAG_MASK 0xFFFFFFFF00000000u

static size_t probe(const struct atom_table *table, enum atom_kind kind, uint32_t path,
                    struct text key, uint64_t hash) {
    size_t mask = table->slot_count - 1;
    for (size_t slot = (size_t)hash & mask;; slot = (slot + 1) & mask) {
        uint64_t entry = table->slots[slot];
        if (entry == 0) {
            return slot;
        }
        if (((entry ^ hash) & TAG_MASK) != 0) {
            continue;
        }
        const struct atom_key *atom = &table->atoms[(uint32_t)entry - 1];
        if (atom->path == path && atom->kind == kind && atom->key_bytes == key.bytes &&
            (key.bytes == 0 || memcmp(table->keys.data + atom->key_at, key.data, key.bytes) == 0)) {
            return slot;
        }
    }
}

static void insert(struct atom_table *table, uint64_t hash, uint32_t atom) {
    size_t mask = table->slot_count - 1, slot = (size_t)hash & mask;
    while (table->slots[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    table->slots[slot] = (hash & TAG_MASK) | (atom + 1);
}

static void grow(struct atom_table *table) {
    table->slot_count *= 2;
    free(table->slots);
    table->slots = memory_new_array(table->slot_count, sizeof(*table->slots));
    for (size_t i = 0; i < table->count; i++) {
        insert(table, table->atoms[i].hash, (uint32_t)i);
    }
}

uint32_t atom_table_add(struct atom_table *table, enum atom_kind kind, uint32_t path,
                        struct text key) {
    uint64_t hash = hash_key(kind, path, key);
    size_t slot = probe(table, kind, path, key, hash);
    if (table->slots[slot] != 0) {
        return (uint32_t)table->slots[slot] - 1;
    }
    assert(table->count < ATOM_NONE - 1 && table->keys.bytes + key.bytes < UINT32_MAX);
    table->atoms = memory_grow_array(table->atoms, &table->capacity, table->count + 1,
                                     sizeof(*table->atoms));
    uint32_t atom = (uint32_t)table->count++;
    table->atoms[atom] = (struct atom_key){hash, (uint32_t)table->keys.bytes, (uint32_t)key.bytes,
                                           path, kind};
    buffer_append_text(&table->keys, key);
    if (table->count * 2 > table->slot_count) {
        grow(table);
    } else {
        insert(table, hash, atom);
    }
    return atom;
}

uint32_t atom_table_find(const struct atom_table *table, enum atom_kind kind, uint32_t path,
                         struct text key) {
    size_t slot = probe(table, kind, path, key, hash_key(kind, path, key));
    return (uint32_t)table->slots[slot] - 1; /* an empty slot gives ATOM_NONE */
}

size_t atom_table_count(const struct atom_table *table) {
    return table->count;
}

size_t atom_table_bytes(const struct atom_table *table) {
    return sizeof(*table) + table->capacity * sizeof(*table->atoms) +
           table->slot_count * sizeof(*table->slots) + table->keys.capacity;
}
