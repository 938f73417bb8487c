#include "names_table.h"

#include "riposte/base/memory.h"

#include <stdlib.h>

void names_table_init(struct names_table *table) {
    *table = (struct names_table){.arena = arena_new()};
}

void names_table_done(struct names_table *table) {
    arena_free(&table->arena);
    free(table->items);
    free(table->slots);
    *table = (struct names_table){0};
}

/* Its slot, or the free one where it belongs. */
static size_t find_slot(const struct names_table *table, struct text text) {
    size_t slot = text_hash(text) % table->slot_count;
    while (table->slots[slot] != 0 && !text_equal(table->items[table->slots[slot] - 1], text)) {
        slot = (slot + 1) % table->slot_count;
    }
    return slot;
}

static void grow_slots(struct names_table *table) {
    if (2 * (table->count + 1) <= table->slot_count) {
        return;
    }
    table->slot_count = table->slot_count == 0 ? 64 : 2 * table->slot_count;
    free(table->slots);
    table->slots = memory_new_array(table->slot_count, sizeof(*table->slots));
    for (size_t i = 0; i < table->count; i++) {
        table->slots[find_slot(table, table->items[i])] = (uint32_t)i + 1;
    }
}

uint32_t names_table_add(struct names_table *table, struct text text) {
    grow_slots(table);
    size_t slot = find_slot(table, text);
    if (table->slots[slot] == 0) {
        table->items = memory_grow_array(table->items, &table->capacity, table->count + 1,
                                         sizeof(*table->items));
        table->items[table->count++] = arena_copy_text(table->arena, text);
        table->slots[slot] = (uint32_t)table->count;
    }
    return table->slots[slot] - 1;
}
