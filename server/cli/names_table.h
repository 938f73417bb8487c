/* Texts by number, each kept once.
 *
 * Ownership:  names_table_init/done; texts live in the table.
 * Threads:    one at a time. */
#ifndef RIPOSTE_SERVER_CLI_NAMES_TABLE_H
#define RIPOSTE_SERVER_CLI_NAMES_TABLE_H

#include "riposte/base/arena.h"
#include "riposte/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names_table {
    struct arena *arena;
    struct text *items;
    size_t count, capacity;
    uint32_t *slots; /* number + 1; 0: free */
    size_t slot_count;
};

void names_table_init(struct names_table *table);
void names_table_done(struct names_table *table);
/* The number of `text`, which is new when it is the count from before. */
uint32_t names_table_add(struct names_table *table, struct text text);

#endif
