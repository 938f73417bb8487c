#include "settings_keys.h"

#include "riposte/base/memory.h"
#include "riposte/base/time.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

/* ---- strings ---- */

static bool is_non_empty(const struct json *node) {
    return json_is_string(node) && json_text(node).bytes > 0;
}

/* Can it be passed on as a C string? */
static bool is_c_string(const struct json *node) {
    struct text text = json_text(node);
    return is_non_empty(node) && text_find_byte(text, '\0', 0) == text.bytes;
}

static struct json *print_text(const struct settings *settings, const struct key *key,
                               struct arena *arena) {
    const struct text *text = value_of(settings, key);
    return text->bytes > 0 ? json_new_string(arena, *text) : json_new_literal(arena, JSON_NULL);
}

/* ---- scalars ---- */

static void read_mode(const struct value_place *place, const struct json *node) {
    static const char *const names[] = {"observe", "approve", "enforce", NULL};
    static const enum mode modes[] = {MODE_OBSERVE, MODE_APPROVE, MODE_ENFORCE};
    size_t index = 0;
    if (!form_choice(place->reading, node, place->label, names, &index)) {
        return;
    }
    place->settings->mode = modes[index];
}

static struct json *print_mode(const struct settings *settings, const struct key *key,
                               struct arena *arena) {
    (void)key;
    return json_new_string(arena, text_of(mode_name(settings->mode)));
}

static void read_level(const struct value_place *place, const struct json *node) {
    static const char *const names[] = {"debug", "info", "warn", "error", NULL};
    size_t index = 0;
    if (form_choice(place->reading, node, place->label, names, &index)) {
        *(struct text *)value_target(place) = text_of(names[index]);
    }
}

/* A whole number within the key's bounds. */
static bool read_whole(const struct value_place *place, const struct json *node,
                       int64_t *value_out) {
    const struct key *key = place->key;
    int64_t value = 0;
    if (json_integer(node, &value) && value >= key->least && value <= key->most) {
        *value_out = value;
        return true;
    }
    char needs[80];
    snprintf(needs, sizeof(needs), "a whole number from %" PRId64 " to %" PRId64, key->least,
             key->most);
    value_refuse(place, node, needs);
    return false;
}

static void read_number(const struct value_place *place, const struct json *node) {
    int64_t value = 0;
    if (read_whole(place, node, &value)) {
        *(uint32_t *)value_target(place) = (uint32_t)value;
    }
}

static struct json *print_number(const struct settings *settings, const struct key *key,
                                 struct arena *arena) {
    return json_new_integer(arena, *(const uint32_t *)value_of(settings, key));
}

static void read_port(const struct value_place *place, const struct json *node) {
    int64_t value = 0;
    if (read_whole(place, node, &value)) {
        *(uint16_t *)value_target(place) = (uint16_t)value;
    }
}

static struct json *print_port(const struct settings *settings, const struct key *key,
                               struct arena *arena) {
    return json_new_integer(arena, *(const uint16_t *)value_of(settings, key));
}

static void read_duration(const struct value_place *place, const struct json *node) {
    const struct key *key = place->key;
    int64_t ms = 0;
    if (json_is_string(node) && duration_parse(json_text(node), &ms) && ms >= key->least &&
        ms <= key->most) {
        *(int64_t *)value_target(place) = ms;
        return;
    }
    char least[TIME_TEXT_BYTES];
    char most[TIME_TEXT_BYTES];
    char needs[2 * TIME_TEXT_BYTES + 40];
    duration_format(key->least, least);
    duration_format(key->most, most);
    snprintf(needs, sizeof(needs), "a duration from \"%s\" to \"%s\"", least, most);
    value_refuse(place, node, needs);
}

static struct json *print_duration(const struct settings *settings, const struct key *key,
                                   struct arena *arena) {
    char text[TIME_TEXT_BYTES];
    duration_format(*(const int64_t *)value_of(settings, key), text);
    return json_new_string(arena, text_of(text));
}

static void read_address(const struct value_place *place, const struct json *node) {
    unsigned char binary[sizeof(struct in6_addr)];
    scoped(memory_free_at) char *text = text_copy(json_text(node));
    if (!is_c_string(node) ||
        (inet_pton(AF_INET, text, binary) != 1 && inet_pton(AF_INET6, text, binary) != 1)) {
        value_refuse(place, node, "an IP address of this host, like \"0.0.0.0\" or \"::\"");
        return;
    }
    *(struct text *)value_target(place) = json_text(node);
}

/* RFC 9110, "token". */
static bool is_header_name(struct text text) {
    static const struct text marks = TEXT_INIT("!#$%&'*+-.^_`|~");
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                               (c >= 'a' && c <= 'z');
        if (!is_alphanumeric && text_find_byte(marks, c, 0) == marks.bytes) {
            return false;
        }
    }
    return text.bytes > 0 && text.bytes <= 128;
}

static void read_header(const struct value_place *place, const struct json *node) {
    if (!json_is_string(node) || !is_header_name(json_text(node))) {
        value_refuse(place, node, "the name of an HTTP header");
        return;
    }
    *(struct text *)value_target(place) = json_text(node);
}

static bool is_url_path(struct text text) {
    static const struct text marks = TEXT_INIT("/-._~");
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                               (c >= 'a' && c <= 'z');
        if (!is_alphanumeric && text_find_byte(marks, c, 0) == marks.bytes) {
            return false;
        }
    }
    return text.bytes > 1 && text.bytes <= 256 && text.data[0] == '/';
}

static void read_url_path(const struct value_place *place, const struct json *node) {
    struct text text = json_text(node);
    if (!json_is_string(node) || !is_url_path(text)) {
        value_refuse(place, node, "a path like \"/events\", of letters, digits and / - . _ ~");
    } else if (text_equal(text, TEXT("/healthz")) || text_equal(text, TEXT("/readyz"))) {
        value_refuse(place, node, "another path than those of the health checks");
    } else {
        *(struct text *)value_target(place) = text;
    }
}

static bool is_url(struct text text) {
    bool has_scheme = text_starts_with(text, TEXT("https://")) ||
                      text_starts_with(text, TEXT("http://"));
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if (c <= ' ' || c == 0x7F || c == '@' || c == '?' || c == '#') {
            return false;
        }
    }
    return has_scheme && !text_ends_with(text, TEXT("://"));
}

static void read_endpoint(const struct value_place *place, const struct json *node) {
    if (json_type(node) == JSON_NULL) {
        *(struct text *)value_target(place) = TEXT("");
    } else if (json_is_string(node) && is_url(json_text(node))) {
        *(struct text *)value_target(place) = json_text(node);
    } else {
        value_refuse(place, node, "null or a URL that begins with https:// or http://");
    }
}

static void read_file_name(const struct value_place *place, const struct json *node) {
    if (json_type(node) == JSON_NULL) {
        *(struct text *)value_target(place) = TEXT("");
    } else if (is_c_string(node)) {
        *(struct text *)value_target(place) = value_resolve(place, json_text(node));
    } else {
        value_refuse(place, node, "null or the name of a PEM file");
    }
}

static void read_folder(const struct value_place *place, const struct json *node) {
    if (!is_c_string(node)) {
        value_refuse(place, node, "the name of a folder");
        return;
    }
    *(struct text *)value_target(place) = value_resolve(place, json_text(node));
}

static void read_output(const struct value_place *place, const struct json *node) {
    if (json_type(node) == JSON_NULL) {
        *(struct text *)value_target(place) = TEXT("");
    } else if (is_c_string(node)) {
        *(struct text *)value_target(place) = value_resolve(place, json_text(node));
    } else {
        value_refuse(place, node, "null or the name of a folder");
    }
}

static void read_journal(const struct value_place *place, const struct json *node) {
    static const struct text sqlite = TEXT_INIT("sqlite:");
    struct text text = json_text(node);
    if (text_starts_with(text, TEXT("postgresql://")) ||
        text_starts_with(text, TEXT("postgres://"))) {
        value_refuse_later(place, node, "\"postgresql://\"", "use sqlite:FILE");
    } else if (!is_c_string(node) || !text_starts_with(text, sqlite) ||
               text.bytes == sqlite.bytes) {
        value_refuse(place, node, "sqlite:FILE");
    } else {
        struct text file = value_resolve(place, text_slice(text, sqlite.bytes, text.bytes));
        *(struct text *)value_target(place) = arena_format(place->reading->arena, "sqlite:%.*s",
                                                           TEXT_ARG(file));
    }
}

/* Of these bytes alone. */
static bool is_of(struct text text, const char *marks) {
    struct text also = text_of(marks);
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
        if (!is_plain && text_find_byte(also, c, 0) == also.bytes) {
            return false;
        }
    }
    return true;
}

/* S3 user guide, "General purpose bucket naming rules". */
static bool is_bucket(struct text text) {
    return text.bytes >= 3 && text.bytes <= 63 && is_of(text, ".-") &&
           !text_contains(text, TEXT("..")) && is_of(text_slice(text, 0, 1), "") &&
           is_of(text_slice(text, text.bytes - 1, text.bytes), "");
}

static void read_bucket(const struct value_place *place, const struct json *node) {
    if (json_type(node) == JSON_NULL) {
        *(struct text *)value_target(place) = TEXT("");
    } else if (json_is_string(node) && is_bucket(json_text(node))) {
        *(struct text *)value_target(place) = json_text(node);
    } else {
        value_refuse(place, node, "null or the name of a bucket");
    }
}

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static void read_prefix(const struct value_place *place, const struct json *node) {
    struct text text = json_text(node);
    if (!json_is_string(node) || text.bytes > 256 || !is_of(text, UPPER "/-._") ||
        text_starts_with(text, TEXT("/")) || text_contains(text, TEXT("//")) ||
        text_contains(text, TEXT(".."))) {
        value_refuse(place, node, "letters, digits and / - . _, like \"riposte/\"");
        return;
    }
    *(struct text *)value_target(place) = text;
}

static struct json *print_prefix(const struct settings *settings, const struct key *key,
                                 struct arena *arena) {
    return json_new_string(arena, *(const struct text *)value_of(settings, key));
}

/* ---- the types ---- */

const struct key_type settings_mode_type = {
    "mode", "", read_mode, print_mode, "{\"enum\": [\"observe\", \"approve\", \"enforce\"]}", NULL};
const struct key_type settings_level_type = {
    "level", "", read_level, print_text, "{\"enum\": [\"debug\", \"info\", \"warn\", \"error\"]}",
    NULL};
const struct key_type settings_number_type = {
    "number", "", read_number, print_number, "{\"type\": \"integer\"}", NULL};
const struct key_type settings_port_type = {
    "port", "", read_port, print_port, "{\"type\": \"integer\"}", NULL};
const struct key_type settings_duration_type = {
    "duration", "", read_duration, print_duration, FORM_DURATION_SCHEMA, NULL};
const struct key_type settings_address_type = {
    "address", "", read_address, print_text, "{\"type\": \"string\", \"minLength\": 1}", NULL};
const struct key_type settings_header_type = {
    "header",
    "",
    read_header,
    print_text,
    "{\"type\": \"string\", \"pattern\": \"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$\"}",
    NULL};
const struct key_type settings_url_path_type = {
    "path",
    "",
    read_url_path,
    print_text,
    "{\"type\": \"string\", \"pattern\": \"^/[/._~0-9A-Za-z-]{1,255}$\"}",
    NULL};
const struct key_type settings_endpoint_type = {
    "URL",
    "",
    read_endpoint,
    print_text,
    "{\"type\": [\"string\", \"null\"], \"pattern\": \"^https?://[^@?# ]+$\"}",
    NULL};
const struct key_type settings_file_type = {
    "file", "", read_file_name, print_text, "{\"type\": [\"string\", \"null\"], \"minLength\": 1}",
    NULL};
const struct key_type settings_output_type = {
    "output", "", read_output, print_text, "{\"type\": [\"string\", \"null\"], \"minLength\": 1}",
    NULL};
const struct key_type settings_folder_type = {
    "folder", "", read_folder, print_text, "{\"type\": \"string\", \"minLength\": 1}", NULL};
const struct key_type settings_journal_type = {
    "journal", "", read_journal, print_text, "{\"type\": \"string\", \"pattern\": \"^sqlite:.\"}",
    NULL};
const struct key_type settings_bucket_type = {
    "bucket",
    "",
    read_bucket,
    print_text,
    "{\"type\": [\"string\", \"null\"], \"pattern\": \"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$\"}",
    NULL};
const struct key_type settings_prefix_type = {
    "prefix",
    "",
    read_prefix,
    print_prefix,
    "{\"type\": \"string\", \"pattern\": \"^([0-9A-Za-z._-][/0-9A-Za-z._-]{0,255})?$\"}",
    NULL};
