#include "settings_keys.h"

#include <stdio.h>

/* ---- when a POST is answered ---- */

static const char *const acknowledge_names[] = {
    [ACKNOWLEDGE_JOURNALED] = "journaled", [ACKNOWLEDGE_RESPONDED] = "responded", NULL};

static void read_acknowledge(const struct value_place *place, const struct json *node) {
    size_t index = 0;
    if (form_choice(place->reading, node, place->label, acknowledge_names, &index)) {
        place->settings->acknowledge = (enum acknowledge)index;
    }
}

static struct json *print_acknowledge(const struct settings *settings, const struct key *key,
                                      struct arena *arena) {
    (void)key;
    return json_new_string(arena, text_of(acknowledge_names[settings->acknowledge]));
}

/* ---- secrets ---- */

#define REFERENCE_SCHEMA "{\"type\": \"string\", \"pattern\": \"^(env|file|secretsmanager):.\"}"
/* One, or an array of them with more `keywords`. */
#define REFERENCES_SCHEMA(keywords)                                                         \
    "{\"anyOf\": [" REFERENCE_SCHEMA ", {\"type\": \"array\", \"items\": " REFERENCE_SCHEMA \
    "" keywords "}]}"
#define NULLABLE_REFERENCES_SCHEMA "{\"anyOf\": [{\"type\": \"null\"}, " REFERENCES_SCHEMA("") "]}"

static bool read_reference(const struct value_place *place, const struct json *node,
                           struct secret_reference *reference_out) {
    struct error error = {0};
    if (!json_is_string(node)) {
        findings_add(place->reading->findings, place->reading->source, node,
                     "%s: a secret reference is a string like \"env:NAME\", \"file:PATH\" or "
                     "\"secretsmanager:ARN\"",
                     place->label);
        return false;
    }
    if (!secret_reference_parse(json_text(node), reference_out, &error)) {
        findings_add(place->reading->findings, place->reading->source, node, "%s: %s", place->label,
                     error.text);
        return false;
    }
    if (text_find_byte(reference_out->place, '\0', 0) < reference_out->place.bytes) {
        value_refuse(place, node, "without NUL characters");
        return false;
    }
    if (reference_out->kind == SECRET_FILE) {
        reference_out->place = value_resolve(place, reference_out->place);
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
    *(struct secret_references *)value_target(place) = read_references(place, node);
}

static struct json *print_secrets(const struct settings *settings, const struct key *key,
                                  struct arena *arena) {
    return print_references(value_of(settings, key), arena);
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

/* Comes before "admin.tokens" in the table, and once more when a variable wins over the file. */
static void read_token(const struct value_place *place, const struct json *node) {
    place->settings->admin.token_count = 0;
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

static const struct member token_members[] = {
    {"name", MEMBER_NAME, MEMBER_REQUIRED},
    {"role", MEMBER_ANY, MEMBER_REQUIRED},
    {"token", MEMBER_ANY, MEMBER_REQUIRED},
};
static const struct member_detail token_details[] = {
    {.name = "role", .choices = role_names},
    {.name = "token", .schema = REFERENCES_SCHEMA("")},
};
static const struct form token_form = {.name = "token",
                                       .members = token_members,
                                       .count = ARRAY_COUNT(token_members),
                                       .details = token_details,
                                       .detail_count = ARRAY_COUNT(token_details)};

static void read_one_token(const struct value_place *place, const struct json *node) {
    const struct findings *findings = place->reading->findings;
    size_t errors_before = findings_errors(findings);
    form_check(place->reading, node, "a token", token_members, ARRAY_COUNT(token_members));
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
        value_refuse(place, node, "an array of {\"name\", \"role\", \"token\"}");
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
        value_refuse(place, node, "an array of strings");
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
        *(struct texts *)value_target(place) = (struct texts){items, count};
    }
}

static struct json *print_list(const struct settings *settings, const struct key *key,
                               struct arena *arena) {
    const struct texts *texts = value_of(settings, key);
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

/* What aws.accounts may be instead of a list. */
#define ORGANIZATION "organization"

static bool is_account(struct text text) {
    bool is_good = text.bytes == 12;
    for (size_t i = 0; is_good && i < text.bytes; i++) {
        is_good = text.data[i] >= '0' && text.data[i] <= '9';
    }
    return is_good;
}

static void read_accounts(const struct value_place *place, const struct json *node) {
    if (json_is_string(node) && text_equal(json_text(node), TEXT(ORGANIZATION))) {
        place->settings->aws.is_organization = true;
    } else if (json_is_array(node)) {
        read_list(place, node, is_account, "an account's id: 12 digits");
    } else {
        value_refuse(place, node, "a list of accounts' ids, or \"" ORGANIZATION "\"");
    }
}

static struct json *print_accounts(const struct settings *settings, const struct key *key,
                                   struct arena *arena) {
    return settings->aws.is_organization ? json_new_string(arena, TEXT(ORGANIZATION))
                                         : print_list(settings, key, arena);
}

/* Without the account in it, it would be the same role everywhere, and so wrong everywhere but in
 * one account. */
static bool is_role_template(struct text text) {
    return text_starts_with(text, TEXT("arn:")) &&
           text_contains(text, TEXT(":iam::${account}:role/"));
}

static void read_role(const struct value_place *place, const struct json *node) {
    if (!json_is_string(node) || !is_role_template(json_text(node))) {
        value_refuse(place, node,
                     "the ARN of a role with ${account} in it, like \"" RESPONDER_ROLE "\"");
        return;
    }
    *(struct text *)value_target(place) = json_text(node);
}

static struct json *print_role(const struct settings *settings, const struct key *key,
                               struct arena *arena) {
    return json_new_string(arena, *(const struct text *)value_of(settings, key));
}

/* What STS takes: 2 to 1,224 characters, of words and =,.@:/- */
static bool is_external_id(struct text text) {
    static const struct text marks = TEXT_INIT("_+=,.@:/-");
    bool is_good = text.bytes >= 2 && text.bytes <= 1224;
    for (size_t i = 0; is_good && i < text.bytes; i++) {
        char c = text.data[i];
        is_good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  text_find_byte(marks, c, 0) < marks.bytes;
    }
    return is_good;
}

static void read_external_id(const struct value_place *place, const struct json *node) {
    if (json_type(node) == JSON_NULL) {
        *(struct text *)value_target(place) = TEXT("");
    } else if (json_is_string(node) && is_external_id(json_text(node))) {
        *(struct text *)value_target(place) = json_text(node);
    } else {
        value_refuse(place, node, "null or 2 to 1224 letters, digits and _+=,.@:/-");
    }
}

static struct json *print_external_id(const struct settings *settings, const struct key *key,
                                      struct arena *arena) {
    struct text text = *(const struct text *)value_of(settings, key);
    return text.bytes > 0 ? json_new_string(arena, text) : json_new_literal(arena, JSON_NULL);
}

static bool is_named(struct text text) {
    return text.bytes > 0;
}

static void read_names(const struct value_place *place, const struct json *node) {
    read_list(place, node, is_named, "a name or an ARN");
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
        value_refuse(place, node, "an object");
        return;
    }
    place->settings->vars = node;
}

static struct json *print_vars(const struct settings *settings, const struct key *key,
                               struct arena *arena) {
    (void)key;
    return json_copy(arena, settings->vars);
}

/* ---- the types ---- */

const struct key_type settings_acknowledge_type = {
    "word", "", read_acknowledge, print_acknowledge, "{\"enum\": [\"journaled\", \"responded\"]}",
    NULL};
const struct key_type settings_accounts_type = {
    "list",
    NULL,
    read_accounts,
    print_accounts,
    "{\"anyOf\": [{\"const\": \"" ORGANIZATION "\"}, {\"type\": \"array\", \"items\": "
    "{\"type\": \"string\", \"pattern\": \"^[0-9]{12}$\"}}]}",
    NULL};
const struct key_type settings_role_type = {
    "ARN",
    "",
    read_role,
    print_role,
    "{\"type\": \"string\", \"pattern\": \"^arn:.*:iam::[$][{]account[}]:role/.\"}",
    NULL};
const struct key_type settings_external_id_type = {
    "string",
    "",
    read_external_id,
    print_external_id,
    "{\"type\": [\"string\", \"null\"], \"minLength\": 2, \"maxLength\": 1224}",
    NULL};
const struct key_type settings_secrets_type = {
    "secrets", "_FROM", read_secrets, print_secrets, REFERENCES_SCHEMA(", \"minItems\": 1"), NULL};
const struct key_type settings_token_type = {
    "secrets", "_FROM", read_token, print_token, NULLABLE_REFERENCES_SCHEMA, NULL};
const struct key_type settings_tokens_type = {
    "list", NULL, read_tokens, print_tokens, "{\"type\": \"array\"}", &token_form};
const struct key_type settings_regions_type = {
    "list",
    NULL,
    read_regions,
    print_list,
    "{\"type\": \"array\", \"items\": {\"type\": \"string\", \"pattern\": "
    "\"^[a-z0-9]+(-[a-z0-9]+){2,}$\"}}",
    NULL};
const struct key_type settings_names_type = {
    "list",
    NULL,
    read_names,
    print_list,
    "{\"type\": \"array\", \"items\": {\"type\": \"string\", \"minLength\": 1}}",
    NULL};
const struct key_type settings_protected_type = {
    "list",
    NULL,
    read_protected,
    print_list,
    "{\"type\": \"array\", \"items\": {\"type\": \"string\", \"pattern\": "
    "\"^(arn:.*:(iam|sts)::|A[A-Z0-9*]{4})\"}}",
    NULL};
const struct key_type settings_vars_type = {
    "object", NULL, read_vars, print_vars, "{\"type\": \"object\"}", NULL};
