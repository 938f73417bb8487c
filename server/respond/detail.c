#include "detail.h"

#include "riposte/base/buffer.h"
#include "riposte/json/tree.h"
#include "riposte/json/writer.h"

#include <string.h>

static int64_t integer_of(const struct json *node, int64_t least, int64_t most) {
    int64_t value = 0;
    return node != NULL && json_integer(node, &value) && value >= least && value <= most ? value
                                                                                         : least;
}

static bool is_true(const struct json *node) {
    return node != NULL && json_type(node) == JSON_TRUE;
}

void detail_read(struct text json, struct arena *arena, struct detail *detail_out) {
    const struct json *root = NULL;
    struct error error = {0};
    *detail_out = (struct detail){.arena = arena};
    if (json.bytes == 0 || !json_parse(json, 0, arena, &root, NULL, &error)) {
        return;
    }
    detail_out->approver = json_text(json_member(root, "approver"));
    detail_out->approved_unix_ms = integer_of(json_member(root, "approved"), 0, INT64_MAX);
    detail_out->overrides_protection = is_true(json_member(root, "override"));
    detail_out->is_escape = is_true(json_member(root, "escape"));
    detail_out->with_resources = is_true(json_member(root, "resources"));
    detail_out->stands = is_true(json_member(root, "stands"));
    detail_out->is_now = is_true(json_member(root, "now"));
    detail_out->state = json_text(json_member(root, "state"));
    detail_out->key = json_text(json_member(root, "key"));
    detail_out->from_unix_ms = integer_of(json_member(root, "from"), 0, INT64_MAX);
    detail_out->index = (unsigned)integer_of(json_member(root, "index"), 0, INT32_MAX);
    detail_out->applied = (unsigned)integer_of(json_member(root, "applied"), 0, INT32_MAX);
    const struct json *tries = json_member(root, "tries");
    detail_out->tries = arena_alloc_array(arena, json_count(tries), sizeof(struct tries));
    for (const struct json *each = json_first(tries); each != NULL; each = json_next(each)) {
        detail_out->tries[detail_out->tries_count++] = (struct tries){
            json_key(each), (unsigned)integer_of(each, 0, INT32_MAX)};
    }
}

static void put_true(struct json_writer *writer, const char *key, bool value) {
    if (value) {
        json_put_bool(writer, key, true);
    }
}

struct text detail_text(const struct detail *detail) {
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    struct json_writer writer;
    json_writer_init(&writer, &text);
    json_open_object(&writer, NULL);
    if (detail->approver.bytes > 0) {
        json_put_text(&writer, "approver", detail->approver);
        json_put_integer(&writer, "approved", detail->approved_unix_ms);
        put_true(&writer, "override", detail->overrides_protection);
    }
    if (detail->state.bytes > 0) {
        json_put_text(&writer, "state", detail->state);
    }
    put_true(&writer, "escape", detail->is_escape);
    put_true(&writer, "resources", detail->with_resources);
    put_true(&writer, "stands", detail->stands);
    put_true(&writer, "now", detail->is_now);
    if (detail->key.bytes > 0) {
        json_put_text(&writer, "key", detail->key);
        json_put_integer(&writer, "from", detail->from_unix_ms);
        json_put_integer(&writer, "index", detail->index);
        json_put_integer(&writer, "applied", detail->applied);
    }
    if (detail->tries_count > 0) {
        json_open_object(&writer, "tries");
        for (size_t i = 0; i < detail->tries_count; i++) {
            struct text key = arena_copy_text(detail->arena, detail->tries[i].key);
            json_put_integer(&writer, key.data, detail->tries[i].count);
        }
        json_close_object(&writer);
    }
    json_close_object(&writer);
    return arena_copy_text(detail->arena, buffer_text(&text));
}

unsigned detail_try(struct detail *detail, struct text key) {
    for (size_t i = 0; i < detail->tries_count; i++) {
        if (text_equal(detail->tries[i].key, key)) {
            return ++detail->tries[i].count;
        }
    }
    struct tries *grown = arena_alloc_array(detail->arena, detail->tries_count + 1, sizeof(*grown));
    if (detail->tries_count > 0) {
        memcpy(grown, detail->tries, detail->tries_count * sizeof(*grown));
    }
    grown[detail->tries_count++] = (struct tries){arena_copy_text(detail->arena, key), 1};
    detail->tries = grown;
    return 1;
}

bool detail_has_tried(const struct detail *detail, struct text key) {
    for (size_t i = 0; i < detail->tries_count; i++) {
        if (text_equal(detail->tries[i].key, key)) {
            return true;
        }
    }
    return false;
}

void detail_forget_tries(struct detail *detail) {
    detail->tries_count = 0;
}
