#include "riposte/config/threshold.h"

#include "call.h"
#include "forms.h"
#include "scope.h"
#include "threshold.h"

#include "riposte/base/buffer.h"
#include "riposte/config/template.h"
#include "riposte/json/writer.h"

#define COUNT_MOST 1000
#define PER_MOST   (INT64_C(24) * 60 * 60 * 1000)

/* ---- reading ---- */

static const struct scope scope_of_threshold = {NAME_EVENT | NAME_PRINCIPAL | NAME_RULE, NULL, 0};

static const struct member threshold_members[] = {
    {"count", MEMBER_ANY, MEMBER_REQUIRED},
    {"of", MEMBER_STRING, MEMBER_REQUIRED},
    {"per", MEMBER_DURATION, MEMBER_REQUIRED},
};
static const struct member_detail threshold_details[] = {
    {.name = "count", .schema = "{\"type\": \"integer\", \"minimum\": 1, \"maximum\": 1000}"},
};
const struct form threshold_form = {.name = "threshold",
                                    .members = threshold_members,
                                    .count = ARRAY_COUNT(threshold_members),
                                    .details = threshold_details,
                                    .detail_count = ARRAY_COUNT(threshold_details)};

static void read_count(const struct reading *reading, const struct json *node, struct rule *rule) {
    int64_t count = 0;
    if (node == NULL) {
        return;
    }
    if (!json_integer(node, &count) || count < 1 || count > COUNT_MOST) {
        form_refuse(reading, node, "\"count\"", "a whole number from 1 to 1000");
        return;
    }
    rule->threshold_count = (uint32_t)count;
}

static void read_per(const struct reading *reading, const struct json *object, struct rule *rule) {
    const struct json *node = json_member(object, "per");
    rule->threshold_per_ms = form_duration(object, "per", -1);
    if (rule->threshold_per_ms == 0 || rule->threshold_per_ms > PER_MOST) {
        form_refuse(reading, node, "\"per\"", "longer than nothing and at most \"24h\"");
    }
}

void threshold_read(const struct reading *reading, const struct json *root, struct rule *rule) {
    const struct json *node = json_member(root, "threshold");
    if (!json_is_object(node)) {
        return;
    }
    form_check(reading, node, "\"threshold\"", threshold_members, ARRAY_COUNT(threshold_members));
    read_count(reading, json_member(node, "count"), rule);
    rule->threshold_of = call_read_template(reading, &scope_of_threshold, node, "of");
    read_per(reading, node, rule);
}

/* ---- counting ---- */

static struct text value_text(const struct json *value, struct arena *arena) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    if (json_is_string(value)) {
        return json_text(value);
    }
    json_write(&text, value);
    return arena_copy_text(arena, buffer_text(&text));
}

static bool is_among(const struct text *values, size_t count, struct text value) {
    for (size_t i = 0; i < count; i++) {
        if (text_equal(values[i], value)) {
            return true;
        }
    }
    return false;
}

bool threshold_values(const struct rule *rule, const struct json *context, struct arena *arena,
                      const struct text **values_out, size_t *count_out, struct error *error) {
    const struct json *all = NULL;
    size_t count = 0;
    if (!template_render_each(rule->threshold_of, context, arena, &all, error)) {
        return error_wrap(error, "threshold");
    }
    struct text *values = arena_alloc_array(arena, rule->threshold_count, sizeof(*values));
    for (const struct json *each = json_first(all); each != NULL && count < rule->threshold_count;
         each = json_next(each)) {
        struct text value = value_text(each, arena);
        if (!is_among(values, count, value)) {
            values[count++] = value;
        }
    }
    *values_out = values;
    *count_out = count;
    return true;
}

bool threshold_reached_alone(const struct rule *rule, const struct json *context,
                             struct arena *arena, size_t *count_out) {
    const struct text *values = NULL;
    size_t count = 0;
    struct error error = {0};
    if (rule->threshold_count > 0 &&
        !threshold_values(rule, context, arena, &values, &count, &error)) {
        count = 0; /* it has none */
    }
    if (count_out != NULL) {
        *count_out = count;
    }
    return count >= rule->threshold_count;
}
