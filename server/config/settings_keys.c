#include "settings_keys.h"

#include "riposte/base/file.h"
#include "riposte/base/memory.h"
#include "riposte/base/time.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

/* ---- helpers ---- */

static void refuse(const struct value_place *place, const struct json *node, const char *needs) {
    form_refuse(place->reading, node, place->label, needs);
}

static void refuse_later(const struct value_place *place, const struct json *node, const char *what,
                         const char *instead) {
    findings_add(place->reading->findings, place->reading->source, node,
                 "%s: %s is not supported yet: %s", place->label, what, instead);
}

static void *target(const struct value_place *place) {
    return (char *)place->settings + place->key->offset;
}

static const void *target_of(const struct settings *settings, const struct key *key) {
    return (const char *)settings + key->offset;
}

static bool is_non_empty(const struct json *node) {
    return json_is_string(node) && json_text(node).bytes > 0;
}

static struct json *print_text(const struct settings *settings, const struct key *key,
                               struct arena *arena) {
    const struct text *text = target_of(settings, key);
    return text->bytes > 0 ? json_new_string(arena, *text) : json_new_literal(arena, JSON_NULL);
}

/* Relative to the folder of the settings. */
static struct text resolve(const struct value_place *place, struct text name) {
    scoped(memory_free_at) char *relative = text_copy(name);
    scoped(memory_free_at) char *joined = file_join(place->folder, relative);
    return arena_copy_text(place->reading->arena, text_of(joined));
}

/* Can it be passed on as a C string? */
static bool is_c_string(const struct json *node) {
    struct text text = json_text(node);
    return is_non_empty(node) && text_find_byte(text, '\0', 0) == text.bytes;
}

/* ---- scalars ---- */

static void read_mode(const struct value_place *place, const struct json *node) {
    static const char *const names[] = {"observe", "approve", "enforce", NULL};
    static const enum mode modes[] = {MODE_OBSERVE, MODE_APPROVE, MODE_ENFORCE};
    size_t index = 0;
    if (!form_choice(place->reading, node, place->label, names, &index)) {
        return;
    }
    if (modes[index] == MODE_APPROVE) {
        refuse_later(place, node, "\"approve\"", "choose observe or enforce");
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
        *(struct text *)target(place) = text_of(names[index]);
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
    refuse(place, node, needs);
    return false;
}

static void read_number(const struct value_place *place, const struct json *node) {
    int64_t value = 0;
    if (read_whole(place, node, &value)) {
        *(uint32_t *)target(place) = (uint32_t)value;
    }
}

static struct json *print_number(const struct settings *settings, const struct key *key,
                                 struct arena *arena) {
    return json_new_integer(arena, *(const uint32_t *)target_of(settings, key));
}

static void read_port(const struct value_place *place, const struct json *node) {
    int64_t value = 0;
    if (read_whole(place, node, &value)) {
        *(uint16_t *)target(place) = (uint16_t)value;
    }
}

static struct json *print_port(const struct settings *settings, const struct key *key,
                               struct arena *arena) {
    return json_new_integer(arena, *(const uint16_t *)target_of(settings, key));
}

static void read_duration(const struct value_place *place, const struct json *node) {
    const struct key *key = place->key;
    int64_t ms = 0;
    if (json_is_string(node) && duration_parse(json_text(node), &ms) && ms >= key->least &&
        ms <= key->most) {
        *(int64_t *)target(place) = ms;
        return;
    }
    char least[TIME_TEXT_BYTES];
    char most[TIME_TEXT_BYTES];
    char needs[2 * TIME_TEXT_BYTES + 40];
    duration_format(key->least, least);
    duration_format(key->most, most);
    snprintf(needs, sizeof(needs), "a duration from \"%s\" to \"%s\"", least, most);
    refuse(place, node, needs);
}

static struct json *print_duration(const struct settings *settings, const struct key *key,
                                   struct arena *arena) {
    char text[TIME_TEXT_BYTES];
    duration_format(*(const int64_t *)target_of(settings, key), text);
    return json_new_string(arena, text_of(text));
}

static void read_address(const struct value_place *place, const struct json *node) {
    unsigned char binary[sizeof(struct in6_addr)];
    scoped(memory_free_at) char *text = text_copy(json_text(node));
    if (!is_c_string(node) ||
        (inet_pton(AF_INET, text, binary) != 1 && inet_pton(AF_INET6, text, binary) != 1)) {
        refuse(place, node, "an IP address of this host, like \"0.0.0.0\" or \"::\"");
        return;
    }
    *(struct text *)target(place) = json_text(node);
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
        refuse(place, node, "the name of an HTTP header");
        return;
    }
    *(struct text *)target(place) = json_text(node);
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
        refuse(place, node, "a path like \"/events\", of letters, digits and / - . _ ~");
    } else if (text_equal(text, TEXT("/healthz")) || text_equal(text, TEXT("/readyz"))) {
        refuse(place, node, "another path than those of the health checks");
    } else {
        *(struct text *)target(place) = text;
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
        *(struct text *)target(place) = TEXT("");
    } else if (json_is_string(node) && is_url(json_text(node))) {
        *(struct text *)target(place) = json_text(node);
    } else {
        refuse(place, node, "null or a URL that begins with https:// or http://");
    }
}

static void read_file_name(const struct value_place *place, const struct json *node) {
    if (json_type(node) == JSON_NULL) {
        *(struct text *)target(place) = TEXT("");
    } else if (is_c_string(node)) {
        *(struct text *)target(place) = resolve(place, json_text(node));
    } else {
        refuse(place, node, "null or the name of a PEM file");
    }
}

static void read_folder(const struct value_place *place, const struct json *node) {
    if (!is_c_string(node)) {
        refuse(place, node, "the name of a folder");
        return;
    }
    *(struct text *)target(place) = resolve(place, json_text(node));
}

static void read_journal(const struct value_place *place, const struct json *node) {
    static const struct text sqlite = TEXT_INIT("sqlite:");
    struct text text = json_text(node);
    if (text_starts_with(text, TEXT("postgresql://")) ||
        text_starts_with(text, TEXT("postgres://"))) {
        refuse_later(place, node, "\"postgresql://\"", "use sqlite:FILE");
    } else if (!is_c_string(node) || !text_starts_with(text, sqlite) ||
               text.bytes == sqlite.bytes) {
        refuse(place, node, "sqlite:FILE");
    } else {
        struct text file = resolve(place, text_slice(text, sqlite.bytes, text.bytes));
        *(struct text *)target(place) = arena_format(place->reading->arena, "sqlite:%.*s",
                                                     TEXT_ARG(file));
    }
}

/* ---- what may not be set yet ---- */

static void read_acknowledge(const struct value_place *place, const struct json *node) {
    static const char *const names[] = {"journaled", "responded", NULL};
    size_t index = 0;
    if (form_choice(place->reading, node, place->label, names, &index) && index == 1) {
        refuse_later(place, node, "\"responded\"", "use journaled");
    }
}

static void read_only_empty(const struct value_place *place, const struct json *node) {
    if (!json_is_array(node)) {
        refuse(place, node, "an array");
    } else if (json_count(node) > 0) {
        refuse_later(place, node, "an entry", "leave it []");
    }
}

static void read_only_null(const struct value_place *place, const struct json *node) {
    if (json_type(node) != JSON_NULL) {
        refuse_later(place, node, "a value", "leave it null");
    }
}

#define RESPONDER_ROLE "arn:${partition}:iam::${account}:role/riposte-responder"

static void read_role(const struct value_place *place, const struct json *node) {
    if (!json_is_string(node) || !text_equal(json_text(node), TEXT(RESPONDER_ROLE))) {
        refuse_later(place, node, "another role", "leave it out");
    }
}

/* ---- secrets ---- */

static bool read_reference(const struct value_place *place, const struct json *node,
                           struct secret_reference *reference_out) {
    struct error error = {0};
    if (!json_is_string(node)) {
        findings_add(place->reading->findings, place->reading->source, node,
                     "%s: a secret reference is a string like \"env:NAME\" or \"file:PATH\"",
                     place->label);
        return false;
    }
    if (!secret_reference_parse(json_text(node), reference_out, &error)) {
        findings_add(place->reading->findings, place->reading->source, node, "%s: %s", place->label,
                     error.text);
        return false;
    }
    if (text_find_byte(reference_out->place, '\0', 0) < reference_out->place.bytes) {
        refuse(place, node, "without NUL characters");
        return false;
    }
    if (reference_out->kind == SECRET_FILE) {
        reference_out->place = resolve(place, reference_out->place);
        reference_out->spelled = arena_format(place->reading->arena, "file:%.*s",
                                              TEXT_ARG(reference_out->place));
    }
    return true;
}

/* One reference or an array of them. */
static struct secret_references read_references(const struct value_place *place,
                                                const struct json *node) {
    size_t count = json_is_array(node) ? json_count(node) : 1;
    struct secret_reference *items = arena_alloc_array(place->reading->arena, count,
                                                       sizeof(*items));
    const struct json *entry = json_is_array(node) ? json_first(node) : node;
    size_t good = 0;
    for (size_t i = 0; i < count; i++) {
        good += read_reference(place, entry, &items[good]) ? 1 : 0;
        entry = json_next(entry);
    }
    return (struct secret_references){items, good};
}

static struct json *print_references(const struct secret_references *references,
                                     struct arena *arena) {
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < references->count; i++) {
        json_add_element(array, json_new_string(arena, references->items[i].spelled));
    }
    return array;
}

static void read_secrets(const struct value_place *place, const struct json *node) {
    if (json_is_array(node) && json_count(node) == 0) {
        findings_add(place->reading->findings, place->reading->source, node,
                     "%s needs a reference like \"env:RIPOSTE_SECRET\"", place->label);
        return;
    }
    *(struct secret_references *)target(place) = read_references(place, node);
}

static struct json *print_secrets(const struct settings *settings, const struct key *key,
                                  struct arena *arena) {
    return print_references(target_of(settings, key), arena);
}

/* ---- admin tokens ---- */

static void add_token(const struct value_place *place, const struct admin_token *token) {
    struct settings *settings = place->settings;
    size_t count = settings->admin.token_count;
    struct admin_token *tokens = arena_alloc_array(place->reading->arena, count + 1,
                                                   sizeof(*tokens));
    for (size_t i = 0; i < count; i++) {
        tokens[i] = settings->admin.tokens[i];
    }
    tokens[count] = *token;
    settings->admin.tokens = tokens;
    settings->admin.token_count = count + 1;
}

static const struct text own_token_name = TEXT_INIT("admin");

static void read_token(const struct value_place *place, const struct json *node) {
    if (json_type(node) == JSON_NULL || (json_is_array(node) && json_count(node) == 0)) {
        return;
    }
    add_token(place, &(struct admin_token){.name = own_token_name,
                                           .role = ADMIN_OPERATE,
                                           .secrets = read_references(place, node)});
}

static bool is_own_token(const struct settings *settings, size_t index) {
    const struct admin_token *token = &settings->admin.tokens[index];
    return index == 0 && token->role == ADMIN_OPERATE && text_equal(token->name, own_token_name);
}

static struct json *print_token(const struct settings *settings, const struct key *key,
                                struct arena *arena) {
    (void)key;
    if (settings->admin.token_count == 0 || !is_own_token(settings, 0)) {
        return json_new_literal(arena, JSON_NULL);
    }
    return print_references(&settings->admin.tokens[0].secrets, arena);
}

static const char *const role_names[] = {"view", "operate", NULL};
static const enum admin_role roles[] = {ADMIN_VIEW, ADMIN_OPERATE};

static bool has_token(const struct settings *settings, struct text name) {
    for (size_t i = 0; i < settings->admin.token_count; i++) {
        if (text_equal(settings->admin.tokens[i].name, name)) {
            return true;
        }
    }
    return false;
}

static void read_one_token(const struct value_place *place, const struct json *node) {
    static const struct member members[] = {
        {"name", MEMBER_NAME, MEMBER_REQUIRED},
        {"role", MEMBER_ANY, MEMBER_REQUIRED},
        {"token", MEMBER_ANY, MEMBER_REQUIRED},
    };
    const struct findings *findings = place->reading->findings;
    size_t errors_before = findings_errors(findings);
    form_check(place->reading, node, "a token", members, ARRAY_COUNT(members));
    const struct json *role = json_member(node, "role");
    const struct json *secret = json_member(node, "token");
    size_t index = 0;
    if (findings_errors(findings) > errors_before ||
        !form_choice(place->reading, role, "\"role\"", role_names, &index)) {
        return;
    }
    struct admin_token token = {.name = form_text(node, "name"),
                                .role = roles[index],
                                .secrets = read_references(place, secret)};
    if (has_token(place->settings, token.name)) {
        findings_add(place->reading->findings, place->reading->source, json_member(node, "name"),
                     "\"%.*s\" is the name of another token already", TEXT_ARG(token.name));
        return;
    }
    add_token(place, &token);
}

static void read_tokens(const struct value_place *place, const struct json *node) {
    if (!json_is_array(node)) {
        refuse(place, node, "an array of {\"name\", \"role\", \"token\"}");
        return;
    }
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        read_one_token(place, child);
    }
}

static struct json *print_tokens(const struct settings *settings, const struct key *key,
                                 struct arena *arena) {
    (void)key;
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < settings->admin.token_count; i++) {
        const struct admin_token *token = &settings->admin.tokens[i];
        if (is_own_token(settings, i)) {
            continue;
        }
        struct json *object = json_new_object(arena);
        json_add_text(arena, object, "name", token->name);
        json_add_text(arena, object, "role", text_of(role_names[token->role]));
        json_add_member(arena, object, TEXT("token"), print_references(&token->secrets, arena));
        json_add_element(array, object);
    }
    return array;
}

/* ---- lists ---- */

static void read_list(const struct value_place *place, const struct json *node,
                      bool (*is_good_fn)(struct text entry), const char *needs) {
    size_t errors_before = findings_errors(place->reading->findings);
    if (!json_is_array(node)) {
        refuse(place, node, "an array of strings");
        return;
    }
    struct text *items = arena_alloc_array(place->reading->arena, json_count(node), sizeof(*items));
    size_t count = 0;
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        if (!json_is_string(child) || !is_good_fn(json_text(child))) {
            char label[100];
            snprintf(label, sizeof(label), "an entry of %s", place->label);
            form_refuse(place->reading, child, label, needs);
        }
        items[count++] = json_text(child);
    }
    if (findings_errors(place->reading->findings) == errors_before) {
        *(struct texts *)target(place) = (struct texts){items, count};
    }
}

static struct json *print_list(const struct settings *settings, const struct key *key,
                               struct arena *arena) {
    const struct texts *texts = target_of(settings, key);
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < texts->count; i++) {
        json_add_element(array, json_new_string(arena, texts->items[i]));
    }
    return array;
}

/* "eu-west-1", "us-gov-east-1". */
static bool is_region(struct text text) {
    size_t dashes = 0;
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        dashes += c == '-' ? 1 : 0;
        if (c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9')) {
            return false;
        }
    }
    return dashes >= 2 && text.bytes <= 32;
}

static void read_regions(const struct value_place *place, const struct json *node) {
    read_list(place, node, is_region, "a Region like \"eu-west-1\"");
}

/* An ARN of iam or sts, or a unique id: "AIDA...", "AROA...". */
static bool is_principal_entry(struct text text) {
    if (text_starts_with(text, TEXT("arn:"))) {
        return text_contains(text, TEXT(":iam::")) || text_contains(text, TEXT(":sts::"));
    }
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if ((c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '*') {
            return false;
        }
    }
    return text.bytes >= 5 && text.data[0] == 'A';
}

/* Where a name begins in an entry: behind the account of an ARN. */
static struct text name_part(struct text entry) {
    size_t colon = text_starts_with(entry, TEXT("arn:")) ? text_find(entry, TEXT("::")) : 0;
    size_t from = colon == 0 ? 0 : text_find_byte(entry, ':', colon + 2);
    return text_slice(entry, from, entry.bytes);
}

static void read_protected(const struct value_place *place, const struct json *node) {
    read_list(place, node, is_principal_entry,
              "an ARN of a user, role or session, or a unique id like \"AIDA...\"");
    for (const struct json *child = json_is_array(node) ? json_first(node) : NULL; child != NULL;
         child = json_next(child)) {
        struct text name = name_part(json_text(child));
        if (text_find_byte(name, '*', 0) < name.bytes) {
            findings_warn(place->reading->findings, place->reading->source, child,
                          "whoever may create a name that fits the \"*\" is immune");
        }
    }
}

static void read_vars(const struct value_place *place, const struct json *node) {
    if (!json_is_object(node)) {
        refuse(place, node, "an object");
        return;
    }
    place->settings->vars = node;
}

static struct json *print_vars(const struct settings *settings, const struct key *key,
                               struct arena *arena) {
    (void)key;
    return json_copy(arena, settings->vars);
}

/* ---- the table ---- */

static const struct key_type type_mode = {"mode", true, read_mode, print_mode};
static const struct key_type type_level = {"level", true, read_level, print_text};
static const struct key_type type_number = {"number", true, read_number, print_number};
static const struct key_type type_port = {"port", true, read_port, print_port};
static const struct key_type type_duration = {"duration", true, read_duration, print_duration};
static const struct key_type type_address = {"address", true, read_address, print_text};
static const struct key_type type_header = {"header", true, read_header, print_text};
static const struct key_type type_url_path = {"path", true, read_url_path, print_text};
static const struct key_type type_endpoint = {"URL", true, read_endpoint, print_text};
static const struct key_type type_file = {"file", true, read_file_name, print_text};
static const struct key_type type_folder = {"folder", true, read_folder, print_text};
static const struct key_type type_journal = {"journal", true, read_journal, print_text};
static const struct key_type type_acknowledge = {"word", true, read_acknowledge, NULL};
static const struct key_type type_only_empty = {"list", false, read_only_empty, NULL};
static const struct key_type type_only_null = {"string", true, read_only_null, NULL};
static const struct key_type type_role = {"ARN", true, read_role, NULL};
static const struct key_type type_secrets = {"secrets", false, read_secrets, print_secrets};
static const struct key_type type_token = {"secrets", false, read_token, print_token};
static const struct key_type type_tokens = {"list", false, read_tokens, print_tokens};
static const struct key_type type_regions = {"list", false, read_regions, print_list};
static const struct key_type type_protected = {"list", false, read_protected, print_list};
static const struct key_type type_vars = {"object", false, read_vars, print_vars};

#define AT(member) offsetof(struct settings, member)
#define SECONDS    INT64_C(1000)
#define MINUTES    (60 * SECONDS)
#define HOURS      (60 * MINUTES)
#define DAYS       (24 * HOURS)

/* clang-format off: a table of two lines an entry reads better than what it makes of it. */
const struct key settings_keys[] = {
    {"mode", &type_mode, "\"observe\"", AT(mode), 0, 0, "observe: plan and journal; enforce: act"},
    {"listen.address", &type_address, "\"0.0.0.0\"", AT(listen.address), 0, 0,
     "where events come in"},
    {"listen.port", &type_port, "8443", AT(listen.port), 0, 65535, "0: any free port"},
    {"listen.path", &type_url_path, "\"/events\"", AT(listen.path), 0, 0, "POST events here"},
    {"listen.certificate", &type_file, "null", AT(listen.certificate), 0, 0,
     "PEM, of both listeners; null: self-signed, made at start"},
    {"listen.key", &type_file, "null", AT(listen.key), 0, 0, "PEM; goes with the certificate"},
    {"authenticate.header", &type_header, "\"X-Api-Key\"", AT(authenticate.header), 0, 0,
     "the header that carries the secret"},
    {"authenticate.secrets", &type_secrets,
     "[\"env:RIPOSTE_SECRET\", \"env:RIPOSTE_SECRET_PREVIOUS\"]", AT(authenticate.secrets), 0, 0,
     "each is accepted; env:NAME or file:PATH"},
    {"admin.address", &type_address, "\"127.0.0.1\"", AT(admin.address), 0, 0,
     "where operators come in"},
    {"admin.port", &type_port, "9443", AT(admin.port), 0, 65535, "0: any free port"},
    {"admin.token", &type_token, "\"env:RIPOSTE_ADMIN_TOKEN\"", 0, 0, 0,
     "the operator \"admin\"; without any token there is no admin listener"},
    {"admin.tokens", &type_tokens, "[]", 0, 0, 0,
     "{\"name\", \"role\": \"view\" or \"operate\", \"token\"}: more operators"},
    {"journal", &type_journal, "\"sqlite:/var/lib/riposte/journal.db\"", AT(journal), 0, 0,
     "sqlite:FILE"},
    {"acknowledge", &type_acknowledge, "\"journaled\"", 0, 0, 0, "when a POST is answered"},
    {"queue_limit", &type_number, "10000", AT(queue_limit), 1, 10000000,
     "incidents not yet looked at; beyond, POSTs get 429"},
    {"workers", &type_number, "8", AT(workers), 1, 256, "threads that respond"},
    {"retain", &type_duration, "\"30d\"", AT(retain_ms), 1 * HOURS, 3650 * DAYS,
     "how long the journal keeps what is over"},
    {"drain", &type_duration, "\"5s\"", AT(drain_ms), 0, 5 * MINUTES,
     "how long a stopping server still accepts events"},
    {"rules", &type_folder, "\"rules/\"", AT(rules), 0, 0, "one JSON file a rule"},
    {"playbooks", &type_folder, "\"playbooks/\"", AT(playbooks), 0, 0, "one JSON file a playbook"},
    {"vars", &type_vars, "{}", 0, 0, 0, "${vars.x} in rules and playbooks"},
    {"aws.accounts", &type_only_empty, "[]", 0, 0, 0, "[]: our own only"},
    {"aws.role", &type_role, "\"" RESPONDER_ROLE "\"", 0, 0, 0, "taken in other accounts"},
    {"aws.external_id", &type_only_null, "null", 0, 0, 0, "goes with the role"},
    {"aws.regions", &type_regions, "[]", AT(aws.regions), 0, 0,
     "where we may act; []: all Regions"},
    {"aws.endpoint", &type_endpoint, "null", AT(aws.endpoint), 0, 0,
     "instead of AWS: an emulator, a proxy"},
    {"guard.protected", &type_protected, "[]", AT(guard.protected_principals), 0, 0,
     "ARNs and unique ids never acted on; \"*\" fits anything"},
    {"guard.limit.principals", &type_number, "10", AT(guard.limit_principals), 0, 1000000,
     "contained per period; more are held"},
    {"guard.limit.resources", &type_number, "200", AT(guard.limit_resources), 0, 1000000,
     "restored per period; more are held"},
    {"guard.limit.per", &type_duration, "\"1h\"", AT(guard.limit_per_ms), 1 * MINUTES, 30 * DAYS,
     "the period of the limits"},
    {"guard.max_event_age", &type_duration, "\"1h\"", AT(guard.max_event_age_ms), 1 * MINUTES,
     30 * DAYS, "older events are held"},
    {"notify.observed", &type_only_empty, "[]", 0, 0, 0, "playbooks that tell of it"},
    {"notify.held", &type_only_empty, "[]", 0, 0, 0, "playbooks that tell of it"},
    {"notify.failed", &type_only_empty, "[]", 0, 0, 0, "playbooks that tell of it"},
    {"notify.done", &type_only_empty, "[]", 0, 0, 0, "playbooks that tell of it"},
    {"notify.escaped", &type_only_empty, "[]", 0, 0, 0, "playbooks that tell of it"},
    {"notify.released", &type_only_empty, "[]", 0, 0, 0, "playbooks that tell of it"},
    {"log_level", &type_level, "\"info\"", AT(log_level), 0, 0, "debug, info, warn or error"},
};
/* clang-format on */
const size_t settings_key_count = ARRAY_COUNT(settings_keys);
