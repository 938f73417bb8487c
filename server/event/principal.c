#include "riposte/event/principal.h"

#include "riposte/event/arn.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* IAM: names have at most 128 characters, session names 64. */
#define NAME_BYTES    128
#define UNIQUE_BYTES  128
#define SESSION_BYTES 256

struct reading {
    const struct json_capture *captures;
    struct text event_account;
    struct arena *arena;
    struct principal *principal;
    bool is_doubtful; /* contradicts itself, or lacks what says who it is */
};

/* The string at a capture; empty when there is none or it is something else. */
static struct text string_at(const struct reading *reading, enum event_capture which) {
    const struct json_capture *capture = &reading->captures[which];
    bool is_string = capture->is_present && capture->type == JSON_STRING;
    return is_string ? capture->text : (struct text){NULL, 0};
}

static struct text first_of(struct text a, struct text b) {
    return a.bytes > 0 ? a : b;
}

/* Empty texts contradict nothing. */
static bool contradicts(struct text a, struct text b) {
    return a.bytes > 0 && b.bytes > 0 && !text_equal(a, b);
}

static void doubt_if(struct reading *reading, bool is_wrong) {
    reading->is_doubtful |= is_wrong;
}

/* ---- what IAM allows ---- */

static bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* IAM's [\w+=,.@-], and `also` ('\0': nothing else). */
static bool is_name(struct text text, size_t limit_bytes, char also) {
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if (!is_alphanumeric(c) && text_find_byte(TEXT("_+=,.@-"), c, 0) == 7 &&
            (also == '\0' || c != also)) {
            return false;
        }
    }
    return text.bytes > 0 && text.bytes <= limit_bytes;
}

static bool is_unique_id(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        if (!is_alphanumeric(text.data[i])) {
            return false;
        }
    }
    return text.bytes > 0 && text.bytes <= UNIQUE_BYTES;
}

/* The accounts of 2016's samples had six digits. */
static bool is_account(struct text text) {
    uint64_t number = 0;
    return text.bytes <= 12 && text_parse_unsigned(text, &number);
}

static bool is_partition(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        char c = text.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-') {
            return false;
        }
    }
    return text.bytes > 0;
}

static bool is_printable_ascii(struct text text) {
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] < 0x21 || text.data[i] > 0x7E) {
            return false;
        }
    }
    return true;
}

/* ---- accounts and ARNs ---- */

/* Every account that the identity names must be the same. */
static void note_account(struct reading *reading, struct text account) {
    doubt_if(reading, account.bytes > 0 && !is_account(account));
    doubt_if(reading, contradicts(reading->principal->account, account));
    reading->principal->account = first_of(reading->principal->account, account);
}

static void note_arn(struct reading *reading, const struct arn *arn) {
    note_account(reading, arn->account);
    doubt_if(reading, !is_partition(arn->partition) || arn->region.bytes > 0);
    doubt_if(reading, contradicts(reading->principal->partition, arn->partition));
    reading->principal->partition = first_of(reading->principal->partition, arn->partition);
}

/* True when `text` is an ARN of `service` whose resource begins with `prefix` ("user/"); it is
 * noted then. */
static bool read_arn(struct reading *reading, struct text text, struct text service,
                     struct text prefix, struct arn *arn_out) {
    struct arn arn;
    if (!arn_parse(text, &arn) || !text_equal(arn.service, service) ||
        !text_starts_with(arn.resource, prefix)) {
        return false;
    }
    doubt_if(reading, arn.account.bytes == 0 || !is_printable_ascii(text));
    note_arn(reading, &arn);
    *arn_out = arn;
    return true;
}

/* "name" of "user/a/b/name": not arn_name(), for which a colon separates, too. */
static struct text name_of(const struct arn *arn) {
    size_t from = arn->resource.bytes;
    while (from > 0 && arn->resource.data[from - 1] != '/') {
        from--;
    }
    return text_slice(arn->resource, from, arn->resource.bytes);
}

/* "/a/b/" of "user/a/b/name". */
static struct text path_of(const struct arn *arn) {
    size_t from = text_find_byte(arn->resource, '/', 0);
    return text_slice(arn->resource, from, arn->resource.bytes - name_of(arn).bytes);
}

/* ---- multi-factor authentication ---- */

/* CloudTrail writes it as a string. */
static enum principal_mfa mfa_flag(const struct reading *reading) {
    const struct json_capture *flag = &reading->captures[EVENT_SESSION_MFA];
    struct text text = string_at(reading, EVENT_SESSION_MFA);
    if (text_equal(text, TEXT("true")) || (flag->is_present && flag->type == JSON_TRUE)) {
        return MFA_YES;
    }
    if (text_equal(text, TEXT("false")) || (flag->is_present && flag->type == JSON_FALSE)) {
        return MFA_NO;
    }
    return MFA_UNKNOWN;
}

static bool has_session_context(const struct reading *reading) {
    for (int which = EVENT_SESSION_SOURCE_IDENTITY; which <= EVENT_ISSUER_USER_NAME; which++) {
        if (reading->captures[which].is_present) {
            return true;
        }
    }
    return false;
}

/* Sessions that no person opened with a password, or whose sign-in IAM did not see. */
static bool is_flag_meaningless(const struct reading *reading) {
    return string_at(reading, EVENT_IDENTITY_ACCESS_KEY_ID).bytes == 0 ||
           reading->captures[EVENT_SESSION_ROLE_DELIVERY].is_present ||
           reading->captures[EVENT_SESSION_WEB_PROVIDER].is_present;
}

/* ---- the shapes ---- */

static void read_root(struct reading *reading) {
    struct principal *principal = reading->principal;
    struct arn arn;
    principal->kind = PRINCIPAL_ROOT;
    principal->mfa = mfa_flag(reading);
    principal->name = first_of(principal->name, TEXT("root"));
    doubt_if(reading, principal->arn.bytes > 0 &&
                          (!read_arn(reading, principal->arn, TEXT("iam"), TEXT("root"), &arn) ||
                           !text_equal(arn.resource, TEXT("root"))));
}

static void read_user(struct reading *reading) {
    struct principal *principal = reading->principal;
    struct arn arn;
    principal->kind = PRINCIPAL_USER;
    principal->mfa = has_session_context(reading) ? mfa_flag(reading) : MFA_NO;
    principal->unique_id = string_at(reading, EVENT_IDENTITY_PRINCIPAL_ID);
    doubt_if(reading, principal->unique_id.bytes > 0 && !is_unique_id(principal->unique_id));
    if (!read_arn(reading, principal->arn, TEXT("iam"), TEXT("user/"), &arn)) {
        reading->is_doubtful = true;
        return;
    }
    principal->path = path_of(&arn);
    principal->name = first_of(principal->name, name_of(&arn));
    doubt_if(reading, !is_name(principal->name, NAME_BYTES, '\0') ||
                          !is_name(name_of(&arn), NAME_BYTES, '\0'));
}

/* The role from the ARN that has its path: the issuer's, or its own. */
static bool read_role_arn(struct reading *reading, struct text text) {
    struct principal *principal = reading->principal;
    struct arn arn;
    if (!read_arn(reading, text, TEXT("iam"), TEXT("role/"), &arn)) {
        return false;
    }
    doubt_if(reading, contradicts(principal->name, name_of(&arn)));
    principal->name = first_of(principal->name, name_of(&arn));
    principal->path = path_of(&arn);
    principal->arn = text;
    return true;
}

/* "assumed-role/ROLE/SESSION". */
static bool read_session_arn(struct reading *reading, struct text text) {
    struct principal *principal = reading->principal;
    struct arn arn;
    if (!read_arn(reading, text, TEXT("sts"), TEXT("assumed-role/"), &arn)) {
        return false;
    }
    struct text role = text_slice(arn.resource, sizeof("assumed-role/") - 1, arn.resource.bytes);
    role = text_slice(role, 0, text_find_byte(role, '/', 0));
    doubt_if(reading, contradicts(principal->name, role));
    principal->name = first_of(principal->name, role);
    if (principal->arn.bytes == 0) {
        principal->arn = arena_format(reading->arena, "arn:%.*s:iam::%.*s:role/%.*s",
                                      TEXT_ARG(arn.partition), TEXT_ARG(arn.account),
                                      TEXT_ARG(role));
    }
    return true;
}

static void read_role_arns(struct reading *reading) {
    struct text issuer_arn = string_at(reading, EVENT_ISSUER_ARN);
    struct text own_arn = string_at(reading, EVENT_IDENTITY_ARN);
    reading->principal->name = string_at(reading, EVENT_ISSUER_USER_NAME);
    reading->principal->arn = (struct text){NULL, 0};
    doubt_if(reading, issuer_arn.bytes > 0 && !read_role_arn(reading, issuer_arn));
    doubt_if(reading, own_arn.bytes > 0 && !read_session_arn(reading, own_arn) &&
                          !read_role_arn(reading, own_arn));
    doubt_if(reading, reading->principal->arn.bytes == 0);
    doubt_if(reading, !is_name(reading->principal->name, NAME_BYTES, '\0'));
}

/* "AROA...:session"; the part before the colon is the role's. */
static void read_session_id(struct reading *reading) {
    struct principal *principal = reading->principal;
    struct text id = string_at(reading, EVENT_IDENTITY_PRINCIPAL_ID);
    struct text issuer_id = string_at(reading, EVENT_ISSUER_PRINCIPAL_ID);
    size_t colon = text_find_byte(id, ':', 0);
    struct text role_id = text_slice(id, 0, colon);
    if (colon < id.bytes) {
        principal->session = id;
        struct text session_name = text_slice(id, colon + 1, id.bytes);
        doubt_if(reading, !is_name(session_name, SESSION_BYTES, '\0'));
    }
    principal->issuer_id = first_of(issuer_id, role_id);
    principal->unique_id = principal->issuer_id;
    doubt_if(reading, contradicts(issuer_id, role_id));
    doubt_if(reading, principal->unique_id.bytes > 0 && !is_unique_id(principal->unique_id));
}

/* Both paths are AWS's own: nobody else can make a role there. The names are not. */
static enum principal_kind session_kind(const struct principal *principal) {
    if (text_starts_with(principal->path, TEXT("/aws-service-role/"))) {
        return PRINCIPAL_SERVICE_LINKED;
    }
    bool is_sso = principal->path.bytes > 0
                      ? text_starts_with(principal->path, TEXT("/aws-reserved/sso.amazonaws.com/"))
                      : text_starts_with(principal->name, TEXT("AWSReservedSSO_"));
    return is_sso ? PRINCIPAL_SSO_SESSION : PRINCIPAL_ROLE_SESSION;
}

static void read_role(struct reading *reading) {
    struct principal *principal = reading->principal;
    read_role_arns(reading);
    read_session_id(reading);
    note_account(reading, string_at(reading, EVENT_ISSUER_ACCOUNT_ID));
    struct text issuer_type = string_at(reading, EVENT_ISSUER_TYPE);
    doubt_if(reading, contradicts(issuer_type, TEXT("Role")));
    principal->kind = session_kind(principal);
    if (principal->kind == PRINCIPAL_ROLE_SESSION && !is_flag_meaningless(reading)) {
        principal->mfa = mfa_flag(reading);
    }
    principal->is_temporary = true;
}

/* "federated-user/NAME", made by the issuing IAM user or root. */
static void read_federated_user(struct reading *reading) {
    struct principal *principal = reading->principal;
    struct arn arn;
    principal->kind = PRINCIPAL_FEDERATED;
    principal->mfa = mfa_flag(reading);
    principal->is_temporary = true;
    principal->session = string_at(reading, EVENT_IDENTITY_PRINCIPAL_ID);
    principal->issuer_id = string_at(reading, EVENT_ISSUER_PRINCIPAL_ID);
    doubt_if(reading,
             principal->session.bytes > 0 && !is_name(principal->session, SESSION_BYTES, ':'));
    doubt_if(reading, principal->issuer_id.bytes > 0 && !is_unique_id(principal->issuer_id));
    note_account(reading, string_at(reading, EVENT_ISSUER_ACCOUNT_ID));
    if (!read_arn(reading, principal->arn, TEXT("sts"), TEXT("federated-user/"), &arn)) {
        reading->is_doubtful = true;
        return;
    }
    principal->name = first_of(principal->name, name_of(&arn));
    doubt_if(reading, !is_name(principal->name, NAME_BYTES, '\0'));
    doubt_if(reading, principal->session.bytes > 0 &&
                          !text_equal(principal->session, arena_format(reading->arena, "%.*s:%.*s",
                                                                       TEXT_ARG(arn.account),
                                                                       TEXT_ARG(name_of(&arn)))));
}

/* SAML and web identities: seen only while they assume a role; no account, no ARN. */
static void read_outsider(struct reading *reading) {
    reading->principal->kind = PRINCIPAL_FEDERATED;
    reading->principal->is_temporary = true;
}

static void read_identity_center_user(struct reading *reading) {
    struct principal *principal = reading->principal;
    principal->kind = PRINCIPAL_SSO_SESSION;
    principal->is_temporary = true;
    principal->unique_id = string_at(reading, EVENT_IDENTITY_ON_BEHALF_OF);
}

static void read_service(struct reading *reading) {
    reading->principal->kind = PRINCIPAL_SERVICE;
    reading->principal->name = first_of(reading->principal->name, reading->principal->invoked_by);
}

static void read_other_account(struct reading *reading) {
    const struct principal *principal = reading->principal;
    doubt_if(reading, principal->account.bytes == 0 ||
                          text_equal(principal->account, reading->event_account));
    reading->principal->kind = PRINCIPAL_EXTERNAL;
}

/* Service events have no type and nobody. */
static void read_untyped(struct reading *reading) {
    const struct json_capture *type = &reading->captures[EVENT_IDENTITY_TYPE];
    bool has_type = type->is_present && type->type != JSON_NULL && type->text.bytes > 0;
    if (!has_type && string_at(reading, EVENT_IDENTITY_ARN).bytes == 0 &&
        string_at(reading, EVENT_IDENTITY_PRINCIPAL_ID).bytes == 0 &&
        reading->principal->name.bytes == 0 && reading->principal->invoked_by.bytes > 0) {
        read_service(reading);
    }
}

static const struct shape {
    const char *type;
    void (*read)(struct reading *reading);
} shapes[] = {
    {"Root", read_root},
    {"IAMUser", read_user},
    {"AssumedRole", read_role},
    {"Role", read_role},
    {"FederatedUser", read_federated_user},
    {"SAMLUser", read_outsider},
    {"WebIdentityUser", read_outsider},
    {"IdentityCenterUser", read_identity_center_user},
    {"AWSService", read_service},
    {"AWSAccount", read_other_account},
};

/* ---- the whole ---- */

static void read_common(struct reading *reading) {
    struct principal *principal = reading->principal;
    principal->arn = string_at(reading, EVENT_IDENTITY_ARN);
    principal->name = string_at(reading, EVENT_IDENTITY_USER_NAME);
    principal->access_key_id = string_at(reading, EVENT_IDENTITY_ACCESS_KEY_ID);
    principal->source_identity = string_at(reading, EVENT_SESSION_SOURCE_IDENTITY);
    principal->issued_at = string_at(reading, EVENT_SESSION_CREATION_DATE);
    principal->invoked_by = string_at(reading, EVENT_IDENTITY_INVOKED_BY);
    principal->is_temporary = principal->issued_at.bytes > 0 ||
                              text_starts_with(principal->access_key_id, TEXT("ASIA"));
    note_account(reading, string_at(reading, EVENT_IDENTITY_ACCOUNT_ID));
}

static void read_shape(struct reading *reading) {
    struct text type = string_at(reading, EVENT_IDENTITY_TYPE);
    for (size_t i = 0; i < ARRAY_COUNT(shapes); i++) {
        if (text_equal_string(type, shapes[i].type)) {
            shapes[i].read(reading);
            return;
        }
    }
    read_untyped(reading);
}

/* What an ARN of any kind still says, for people to read. */
static void complete_from_arn(struct principal *principal) {
    struct arn arn;
    if (!arn_parse(principal->arn, &arn)) {
        return;
    }
    principal->name = first_of(principal->name, arn_name(&arn));
    principal->account = first_of(principal->account, arn.account);
    principal->partition = first_of(principal->partition, arn.partition);
}

static void settle_kind(struct reading *reading) {
    struct principal *principal = reading->principal;
    bool is_foreign = principal->account.bytes > 0 &&
                      !text_equal(principal->account, reading->event_account);
    if (reading->is_doubtful) {
        principal->kind = PRINCIPAL_UNKNOWN;
        principal->mfa = MFA_UNKNOWN;
    } else if (is_foreign && principal->kind != PRINCIPAL_SERVICE &&
               principal->kind != PRINCIPAL_UNKNOWN) {
        principal->kind = PRINCIPAL_EXTERNAL;
    }
}

/* "<account>/<unique>", byte by byte: a hostile id may hold a NUL. */
static struct text id_of(struct arena *arena, struct text account, struct text unique) {
    char *id = arena_alloc(arena, account.bytes + 1 + unique.bytes);
    if (account.bytes > 0) {
        memcpy(id, account.data, account.bytes);
    }
    id[account.bytes] = '/';
    memcpy(id + account.bytes + 1, unique.data, unique.bytes);
    return (struct text){id, account.bytes + 1 + unique.bytes};
}

static void settle_id(struct reading *reading) {
    struct principal *principal = reading->principal;
    struct text unique = first_of(string_at(reading, EVENT_IDENTITY_PRINCIPAL_ID),
                                  string_at(reading, EVENT_IDENTITY_ON_BEHALF_OF));
    struct text account = first_of(principal->account, reading->event_account);
    struct text arn = first_of(principal->arn, string_at(reading, EVENT_IDENTITY_ARN));
    principal->id = unique.bytes > 0
                        ? id_of(reading->arena, account, unique)
                        : first_of(arn, first_of(principal->invoked_by, TEXT("unknown")));
}

void principal_read(const struct json_capture *captures, struct text event_account,
                    struct arena *arena, struct principal *principal_out) {
    *principal_out = (struct principal){.kind = PRINCIPAL_UNKNOWN};
    struct reading reading = {.captures = captures,
                              .event_account = event_account,
                              .arena = arena,
                              .principal = principal_out};
    read_common(&reading);
    read_shape(&reading);
    complete_from_arn(principal_out);
    settle_kind(&reading);
    settle_id(&reading);
}

/* ---- by name ---- */

static const struct text kind_names[] = {
    [PRINCIPAL_UNKNOWN] = TEXT_INIT("unknown"),
    [PRINCIPAL_USER] = TEXT_INIT("user"),
    [PRINCIPAL_ROLE_SESSION] = TEXT_INIT("role-session"),
    [PRINCIPAL_SSO_SESSION] = TEXT_INIT("sso-session"),
    [PRINCIPAL_SERVICE_LINKED] = TEXT_INIT("service-linked"),
    [PRINCIPAL_FEDERATED] = TEXT_INIT("federated"),
    [PRINCIPAL_ROOT] = TEXT_INIT("root"),
    [PRINCIPAL_SERVICE] = TEXT_INIT("service"),
    [PRINCIPAL_EXTERNAL] = TEXT_INIT("external"),
};

const char *principal_kind_name(enum principal_kind kind) {
    return kind_names[kind].data;
}

static struct text mfa_name(enum principal_mfa mfa) {
    return mfa == MFA_YES ? TEXT("yes") : mfa == MFA_NO ? TEXT("no") : TEXT("unknown");
}

enum { MEMBER_KIND, MEMBER_FIRST_TEXT, MEMBER_TEMPORARY = PRINCIPAL_MEMBER_COUNT - 2, MEMBER_MFA };

static const struct member {
    struct text name;
    size_t offset; /* of those that are texts */
} members[PRINCIPAL_MEMBER_COUNT] = {
    [MEMBER_KIND] = {TEXT_INIT("kind"), 0},
    [MEMBER_FIRST_TEXT] = {TEXT_INIT("id"), offsetof(struct principal, id)},
    {TEXT_INIT("name"), offsetof(struct principal, name)},
    {TEXT_INIT("arn"), offsetof(struct principal, arn)},
    {TEXT_INIT("path"), offsetof(struct principal, path)},
    {TEXT_INIT("account"), offsetof(struct principal, account)},
    {TEXT_INIT("partition"), offsetof(struct principal, partition)},
    {TEXT_INIT("access_key_id"), offsetof(struct principal, access_key_id)},
    {TEXT_INIT("unique_id"), offsetof(struct principal, unique_id)},
    {TEXT_INIT("issuer_id"), offsetof(struct principal, issuer_id)},
    {TEXT_INIT("session"), offsetof(struct principal, session)},
    {TEXT_INIT("source_identity"), offsetof(struct principal, source_identity)},
    {TEXT_INIT("issued_at"), offsetof(struct principal, issued_at)},
    {TEXT_INIT("invoked_by"), offsetof(struct principal, invoked_by)},
    [MEMBER_TEMPORARY] = {TEXT_INIT("is_temporary"), 0},
    [MEMBER_MFA] = {TEXT_INIT("mfa"), 0},
};

struct text principal_member_name(size_t member) {
    assert(member < PRINCIPAL_MEMBER_COUNT);
    return members[member].name;
}

void principal_each_member(const struct principal *principal, principal_member_fn *member_fn,
                           void *arg) {
    member_fn(arg, MEMBER_KIND, JSON_STRING, kind_names[principal->kind]);
    for (size_t i = MEMBER_FIRST_TEXT; i < MEMBER_TEMPORARY; i++) {
        const char *member = (const char *)principal + members[i].offset;
        struct text text = *(const struct text *)(const void *)member;
        if (text.bytes > 0) {
            member_fn(arg, i, JSON_STRING, text);
        }
    }
    member_fn(arg, MEMBER_TEMPORARY, principal->is_temporary ? JSON_TRUE : JSON_FALSE,
              principal->is_temporary ? TEXT("true") : TEXT("false"));
    member_fn(arg, MEMBER_MFA, JSON_STRING, mfa_name(principal->mfa));
}

struct object_in_arena {
    struct arena *arena;
    struct json *object;
};

static void add_member(void *arg, size_t member, enum json_type type, struct text text) {
    const struct object_in_arena *to = arg;
    struct json *value = type == JSON_STRING ? json_new_string(to->arena, text)
                                             : json_new_literal(to->arena, type);
    json_add_member(to->arena, to->object, members[member].name, value);
}

struct json *principal_to_json(const struct principal *principal, struct arena *arena) {
    struct object_in_arena to = {arena, json_new_object(arena)};
    principal_each_member(principal, add_member, &to);
    return to.object;
}
