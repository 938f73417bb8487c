#include "riposte/detect/casemap.h"

#include <stdint.h>
#include <stdlib.h>

struct mapping {
    uint16_t unit;
    char lower[4], upper[7];
};

static const struct mapping mappings[] = {
#include "casemap.inc"
};

static int compare_unit(const void *key, const void *element) {
    uint16_t unit = *(const uint16_t *)key;
    const struct mapping *mapping = element;
    return (unit > mapping->unit) - (unit < mapping->unit);
}

/* Bytes of the UTF-8 character that starts with `lead`. */
static size_t character_bytes(unsigned char lead) {
    if (lead < 0xC0) {
        return 1;
    }
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

static const struct mapping *find_mapping(struct text character) {
    const unsigned char *byte = (const unsigned char *)character.data;
    unsigned unit = 0;
    if (character.bytes == 2) {
        unit = (byte[0] & 0x1Fu) << 6 | (byte[1] & 0x3Fu);
    } else if (character.bytes == 3) {
        unit = (byte[0] & 0x0Fu) << 12 | (byte[1] & 0x3Fu) << 6 | (byte[2] & 0x3Fu);
    } else {
        return NULL;
    }
    uint16_t key = (uint16_t)unit;
    return bsearch(&key, mappings, ARRAY_COUNT(mappings), sizeof(mappings[0]), compare_unit);
}

/* The letters A-Z and a-z, so that a step can point at one of them. */
static const char ascii_lower[] = "abcdefghijklmnopqrstuvwxyz";
static const char ascii_upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static struct case_step step_of(struct text character) {
    char c = character.data[0];
    if (character.bytes == 1 && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
        size_t letter = (size_t)((c | 0x20) - 'a');
        return (struct case_step){{ascii_lower + letter, 1}, {ascii_upper + letter, 1}};
    }
    const struct mapping *mapping = find_mapping(character);
    if (mapping == NULL) {
        return (struct case_step){character, character};
    }
    return (struct case_step){text_of(mapping->lower), text_of(mapping->upper)};
}

struct case_step *casemap_steps(struct arena *arena, struct text text, size_t *count_out) {
    struct text copy = arena_copy_text(arena, text);
    struct case_step *steps = arena_alloc_array(arena, copy.bytes + 1, sizeof(*steps));
    size_t count = 0;
    for (size_t at = 0; at < copy.bytes;) {
        size_t bytes = character_bytes((unsigned char)copy.data[at]);
        struct text character = text_slice(copy, at, at + bytes);
        steps[count++] = step_of(character);
        at += character.bytes;
    }
    *count_out = count;
    return steps;
}

bool casemap_begins(const struct case_step *steps, size_t count, struct text value,
                    struct text *rest_out) {
    struct text rest = value;
    for (size_t i = 0; i < count; i++) {
        struct text fits = text_starts_with(rest, steps[i].lower) ? steps[i].lower : steps[i].upper;
        if (!text_starts_with(rest, fits)) {
            return false;
        }
        rest = text_slice(rest, fits.bytes, rest.bytes);
    }
    if (rest_out != NULL) {
        *rest_out = rest;
    }
    return true;
}

bool casemap_ends(const struct case_step *steps, size_t count, struct text value) {
    struct text rest = value;
    for (size_t i = count; i > 0; i--) {
        const struct case_step *step = &steps[i - 1];
        struct text fits = text_ends_with(rest, step->lower) ? step->lower : step->upper;
        if (!text_ends_with(rest, fits)) {
            return false;
        }
        rest = text_slice(rest, 0, rest.bytes - fits.bytes);
    }
    return true;
}

bool casemap_equals(const struct case_step *steps, size_t count, struct text value) {
    struct text rest;
    return casemap_begins(steps, count, value, &rest) && rest.bytes == 0;
}
