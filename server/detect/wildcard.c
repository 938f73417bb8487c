#include "riposte/detect/wildcard.h"

/* What is parsed so far: the unescaped bytes, and where in them each part ends. */
struct draft {
    char *bytes;
    size_t byte_count;
    struct text *parts;
    size_t part_count, part_start;
};

static void end_part(struct draft *draft) {
    draft->parts[draft->part_count++] = (struct text){draft->bytes + draft->part_start,
                                                      draft->byte_count - draft->part_start};
    draft->part_start = draft->byte_count;
}

static const char *parse_at(struct draft *draft, struct text source, size_t *at) {
    char c = source.data[*at];
    if (c == '*') {
        if (*at + 1 < source.bytes && source.data[*at + 1] == '*') {
            (*at)++;
            return "consecutive wildcard characters";
        }
        end_part(draft);
        return NULL;
    }
    if (c == '\\') {
        if (*at + 1 == source.bytes ||
            (source.data[*at + 1] != '*' && source.data[*at + 1] != '\\')) {
            return "invalid escape character";
        }
        c = source.data[++*at];
    }
    draft->bytes[draft->byte_count++] = c;
    return NULL;
}

bool wildcard_parse(struct arena *arena, struct text source, struct wildcard *wildcard_out,
                    const char **reason_out, size_t *at_out) {
    struct draft draft = {
        .bytes = arena_alloc(arena, source.bytes + 1),
        .parts = arena_alloc_array(arena, source.bytes + 1, sizeof(struct text)),
    };
    for (size_t at = 0; at < source.bytes; at++) {
        const char *reason = parse_at(&draft, source, &at);
        if (reason != NULL) {
            *reason_out = reason;
            *at_out = at + 1;
            return false;
        }
    }
    end_part(&draft);
    *wildcard_out = (struct wildcard){draft.parts, draft.part_count};
    return true;
}

/* Leftmost is enough: whatever a later place would leave for the rest, this one leaves too. */
static bool parts_in_order(const struct text *parts, size_t count, struct text value) {
    for (size_t i = 0; i < count; i++) {
        size_t at = text_find(value, parts[i]);
        if (at + parts[i].bytes > value.bytes) {
            return false;
        }
        value = text_slice(value, at + parts[i].bytes, value.bytes);
    }
    return true;
}

bool wildcard_matches(const struct wildcard *wildcard, struct text value) {
    const struct text *first = &wildcard->parts[0], *last = &wildcard->parts[wildcard->count - 1];
    if (wildcard->count == 1) {
        return text_equal(*first, value);
    }
    if (first->bytes + last->bytes > value.bytes || !text_starts_with(value, *first) ||
        !text_ends_with(value, *last)) {
        return false;
    }
    struct text middle = text_slice(value, first->bytes, value.bytes - last->bytes);
    return parts_in_order(first + 1, wildcard->count - 2, middle);
}
