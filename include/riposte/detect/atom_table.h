/* Atoms: the distinct elementary tests of a rule set, each "a value at this path is so", shared by
 * all rules that name it. This table gives each its number while a set is built, and finds those
 * that are decided by looking up the value (equal strings, numbers, addresses) while it matches.
 *
 * Ownership:  atom_table_new/free; keys are copied.
 * Threads:    immutable once built.
 * Bounds:     a find costs one hash of the key and, as the table is at most half full of keys
 * chosen by the rules, a short probe, whatever the key. */
#ifndef RIPOSTE_DETECT_ATOM_TABLE_H
#define RIPOSTE_DETECT_ATOM_TABLE_H

#include "riposte/base/text.h"

#include <stddef.h>
#include <stdint.h>

#define ATOM_NONE UINT32_MAX

/* What the key of an atom means. The first ones are found by a value's key. */
enum atom_kind {
    ATOM_STRING,
    ATOM_NUMBER, /* key: struct number */
    ATOM_NUMBER_TEXT,
    ATOM_IP,      /* key: the address */
    ATOM_CIDR,    /* key: a byte of mask bits, then the masked address */
    ATOM_LITERAL, /* key: a byte of enum json_type */
    ATOM_RANGE,
    ATOM_PREFIX,
    ATOM_SUFFIX,
    ATOM_IGNORE_CASE,
    ATOM_PREFIX_IGNORE_CASE,
    ATOM_SUFFIX_IGNORE_CASE,
    ATOM_WILDCARD,
};

struct atom_table;

struct atom_table *atom_table_new(void);
void atom_table_free(struct atom_table **table);
/* The atom's number: a new one (the next from 0), or the one it has. */
uint32_t atom_table_add(struct atom_table *table, enum atom_kind kind, uint32_t path,
                        struct text key);
/* ATOM_NONE when no rule asks. */
uint32_t atom_table_find(const struct atom_table *table, enum atom_kind kind, uint32_t path,
                         struct text key);
size_t atom_table_count(const struct atom_table *table);
size_t atom_table_bytes(const struct atom_table *table);

#endif
