#include "event_need.h"

#include "riposte/event/operation.h"

#include <string.h>

/* ---- sets ---- */

void value_set_add(struct value_set *set, const struct json *item, struct arena *arena) {
    for (size_t i = 0; i < set->count; i++) {
        if (json_equal(set->items[i], item)) {
            return;
        }
    }
    if (set->count == set->capacity) {
        size_t capacity = set->capacity == 0 ? 8 : 2 * set->capacity;
        const struct json **items = arena_alloc_array(arena, capacity, sizeof(*items));
        if (set->count > 0) {
            memcpy(items, set->items, set->count * sizeof(*items));
        }
        set->items = items;
        set->capacity = capacity;
    }
    set->items[set->count++] = item;
}

void value_set_join(struct value_set *set, const struct value_set *other, struct arena *arena) {
    set->is_any |= other->is_any;
    for (size_t i = 0; i < other->count; i++) {
        value_set_add(set, other->items[i], arena);
    }
}

/* ---- what a pattern allows at a path ---- */

static struct value_set values_at(const struct json *object, struct text path, struct arena *arena);

static struct value_set values_of_member(const struct json *object, struct text path,
                                         struct arena *arena) {
    struct text rest = path, name;
    struct value_set set = {.is_any = true};
    const struct json *member = text_next_part(&rest, '.', &name) ? json_member_text(object, name)
                                                                  : NULL;
    if (rest.bytes > 0) {
        return json_is_object(member) ? values_at(member, rest, arena) : set;
    }
    if (json_is_array(member)) {
        set.is_any = false;
        for (const struct json *item = json_first(member); item != NULL; item = json_next(item)) {
            value_set_add(&set, item, arena);
        }
    }
    return set;
}

/* A branch of $or may say more of a path than what stands beside the $or, and takes its place then:
 * both are allowed here. */
static struct value_set values_at(const struct json *object, struct text path,
                                  struct arena *arena) {
    struct value_set own = values_of_member(object, path, arena);
    const struct json *branches = json_member(object, "$or");
    if (!json_is_array(branches) || json_count(branches) == 0) {
        return own;
    }
    struct value_set all = {.is_any = false};
    for (const struct json *branch = json_first(branches); branch != NULL;
         branch = json_next(branch)) {
        struct value_set values = json_is_object(branch) ? values_at(branch, path, arena)
                                                         : (struct value_set){.is_any = true};
        value_set_join(&all, values.is_any ? &own : &values, arena);
    }
    if (!own.is_any) {
        value_set_join(&all, &own, arena);
    }
    return all;
}

/* ---- events that only read ---- */

/* CloudTrail counts these as reading, too, whatever their names say. */
static bool is_read_name(struct text name) {
    static const struct text begins[] = {
        TEXT_INIT("Assume"),   TEXT_INIT("BatchGet"), TEXT_INIT("Check"),     TEXT_INIT("Converse"),
        TEXT_INIT("Decode"),   TEXT_INIT("Decrypt"),  TEXT_INIT("Download"),  TEXT_INIT("Encrypt"),
        TEXT_INIT("Estimate"), TEXT_INIT("Filter"),   TEXT_INIT("Generate"),  TEXT_INIT("Invoke"),
        TEXT_INIT("Preview"),  TEXT_INIT("Query"),    TEXT_INIT("ReEncrypt"), TEXT_INIT("Scan"),
        TEXT_INIT("Search"),   TEXT_INIT("Select"),   TEXT_INIT("Sign"),      TEXT_INIT("Simulate"),
        TEXT_INIT("Start"),    TEXT_INIT("Test"),     TEXT_INIT("Validate"),  TEXT_INIT("Verify"),
        TEXT_INIT("View"),
    };
    for (size_t i = 0; i < ARRAY_COUNT(begins); i++) {
        /* "Start" alone stands for StartQuery and its like: most of what starts writes. */
        bool is_start = text_equal(begins[i], TEXT("Start"));
        if (text_starts_with(name, begins[i]) &&
            (!is_start || text_ends_with(name, TEXT("Query")))) {
            return true;
        }
    }
    return name.bytes == 0 || operation_is_read(name);
}

/* An operator's element is a read unless it is a prefix that no read begins with. */
static bool may_read(const struct json *item) {
    const struct json *prefix = json_member(item, "prefix");
    if (json_is_string(item)) {
        return is_read_name(json_text(item));
    }
    if (!json_is_string(prefix)) {
        return true;
    }
    static const struct text writes[] = {
        TEXT_INIT("Create"), TEXT_INIT("Delete"), TEXT_INIT("Put"),      TEXT_INIT("Update"),
        TEXT_INIT("Modify"), TEXT_INIT("Attach"), TEXT_INIT("Detach"),   TEXT_INIT("Disable"),
        TEXT_INIT("Enable"), TEXT_INIT("Stop"),   TEXT_INIT("Remove"),   TEXT_INIT("Add"),
        TEXT_INIT("Set"),    TEXT_INIT("Revoke"), TEXT_INIT("Authorize")};
    for (size_t i = 0; i < ARRAY_COUNT(writes); i++) {
        if (text_starts_with(json_text(prefix), writes[i])) {
            return false;
        }
    }
    return true;
}

/* Only calls come with the flag; sign-ins, service events and insights always do. */
static bool may_be_call(const struct value_set *types) {
    bool may_be = types->is_any;
    for (size_t i = 0; i < types->count; i++) {
        may_be |= !json_is_string(types->items[i]) ||
                  text_equal(json_text(types->items[i]), TEXT("AWS API Call via CloudTrail"));
    }
    return may_be;
}

/* What its own tests bring along. */
static bool is_seen_reading(const struct rule *rule) {
    for (size_t i = 0; i < rule->test_count; i++) {
        const struct json *flag = json_find_one(rule->tests[i].event, TEXT("detail.readOnly"),
                                                NULL);
        if (rule->tests[i].is_match && flag != NULL && json_type(flag) == JSON_TRUE) {
            return true;
        }
    }
    return false;
}

static bool takes_reads(const struct event_need *need, struct arena *arena) {
    struct value_set flag = values_at(need->rule->pattern, TEXT("detail.readOnly"), arena);
    if (!may_be_call(&need->types)) {
        return false;
    }
    if (!flag.is_any && flag.count == 1 && json_type(flag.items[0]) == JSON_FALSE) {
        return false;
    }
    bool is_read = need->names.is_any || is_seen_reading(need->rule);
    for (size_t i = 0; i < need->names.count; i++) {
        is_read |= may_read(need->names.items[i]);
    }
    return is_read;
}

/* ---- a rule ---- */

/* Strings and their beginnings, not everything but something. */
static bool is_narrow(const struct value_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        bool is_word = json_is_string(set->items[i]) || json_member(set->items[i], "prefix") ||
                       json_member(set->items[i], "equals-ignore-case");
        if (!is_word) {
            return false;
        }
    }
    return !set->is_any;
}

static bool is_absent(const struct value_set *set) {
    const struct json *exists = set->count == 1 ? json_member(set->items[0], "exists") : NULL;
    return !set->is_any && exists != NULL && json_type(exists) == JSON_FALSE;
}

struct event_need event_need_of(const struct rule *rule, struct arena *arena) {
    const struct value_set errors = values_at(rule->pattern, TEXT("detail.errorCode"), arena);
    struct event_need need = {.rule = rule,
                              .sources = values_at(rule->pattern, TEXT("source"), arena),
                              .types = values_at(rule->pattern, TEXT("detail-type"), arena),
                              .names = values_at(rule->pattern, TEXT("detail.eventName"), arena),
                              .is_success_only = is_absent(&errors)};
    need.takes_reads = takes_reads(&need, arena);
    need.keeps_pattern = need.takes_reads || !is_narrow(&need.sources) || !is_narrow(&need.names);
    return need;
}
