#include "riposte/cli/iam_policy.h"

#include "riposte/base/memory.h"
#include "riposte/cli/iam_action.h"
#include "riposte/cli/loaded.h"
#include "riposte/event/operation.h"
#include "riposte/respond/parameters.h"

#include <stdlib.h>
#include <string.h>

/* Where an action may be used; what one call needs less narrowly wins. */
enum scope { ONLY_POLICIES, IN_REGIONS, ANYWHERE, IN_ORGANIZATION };

struct grant {
    struct text action;
    bool is_write;
    enum scope scope;
};

struct policy {
    const struct snapshot *snapshot;
    const struct iam_policy_role *role;
    struct arena *arena;
    struct grant *grants;
    size_t grant_count, grant_capacity;
    struct text *arns; /* policies that are attached and detached */
    size_t arn_count, arn_capacity;
    struct text *roles; /* to become: what is done as they is theirs to be allowed */
    size_t role_count, role_capacity;
    struct text *secrets; /* that settings and notifications refer to */
    size_t secret_count, secret_capacity;
    struct text organization_role; /* to become in its accounts; empty: none */
};

static bool is_one_of(struct text text, const struct text *texts, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (text_equal(text, texts[i])) {
            return true;
        }
    }
    return false;
}

/* ---- patterns of ARNs ---- */

/* Behind the "}" that ends the placeholder at `from`. */
static size_t placeholder_end(struct text text, size_t from) {
    size_t depth = 0;
    for (size_t i = from; i < text.bytes; i++) {
        depth += text.data[i] == '{' ? 1 : 0;
        if (text.data[i] == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return text.bytes;
}

/* What a placeholder that ends in a default stands for while nothing else is there. */
static struct text without_default(struct text path, struct text *default_out) {
    size_t at = text_find(path, TEXT(":-"));
    *default_out = text_slice(path, at < path.bytes ? at + 2 : at, path.bytes);
    return text_slice(path, 0, at);
}

static struct text value_of(const struct policy *policy, struct text placeholder) {
    struct text path = text_slice(placeholder, 2, placeholder.bytes - 1);
    struct text fallback = {NULL, 0};
    bool has_default = text_contains(path, TEXT(":-"));
    path = without_default(path, &fallback);
    if (text_starts_with(path, TEXT("vars."))) {
        const struct json *value = json_find_one(policy->snapshot->settings->vars,
                                                 text_slice(path, 5, path.bytes), NULL);
        bool is_plain = has_default && !text_contains(fallback, TEXT("${"));
        return json_is_string(value)       ? json_text(value)
               : value == NULL && is_plain ? fallback
                                           : TEXT("*");
    }
    return TEXT("*");
}

/* A template as IAM's wildcards: what only an event knows is "*". */
static struct text glob_of(const struct policy *policy, struct text text) {
    scoped(buffer_done) struct buffer glob = BUFFER_INIT;
    while (text.bytes > 0) {
        size_t start = text_find(text, TEXT("${"));
        size_t end = placeholder_end(text, start);
        buffer_append_text(&glob, text_slice(text, 0, start));
        if (start < text.bytes) {
            buffer_append_text(&glob, value_of(policy, text_slice(text, start, end)));
        }
        text = text_slice(text, end, text.bytes);
    }
    return arena_copy_text(policy->arena, buffer_text(&glob));
}

/* ---- grants ---- */

static void add_grant(struct policy *policy, struct text action, bool is_write, enum scope scope) {
    for (size_t i = 0; i < policy->grant_count; i++) {
        struct grant *grant = &policy->grants[i];
        if (text_equal(grant->action, action)) {
            grant->scope = scope > grant->scope ? scope : grant->scope;
            grant->is_write |= is_write;
            return;
        }
    }
    policy->grants = memory_grow_array(policy->grants, &policy->grant_capacity,
                                       policy->grant_count + 1, sizeof(*policy->grants));
    policy->grants[policy->grant_count++] = (struct grant){action, is_write, scope};
}

static void add_arn(struct policy *policy, struct text arn) {
    if (!is_one_of(arn, policy->arns, policy->arn_count)) {
        policy->arns = memory_grow_array(policy->arns, &policy->arn_capacity, policy->arn_count + 1,
                                         sizeof(*policy->arns));
        policy->arns[policy->arn_count++] = arn;
    }
}

/* Attaching any policy makes an administrator: only those that a playbook names. */
static enum scope scope_of_attachment(struct policy *policy, const struct call_template *call) {
    const struct json *named = json_member(call->with, "PolicyArn");
    struct text glob = json_is_string(named) ? glob_of(policy, json_text(named)) : TEXT("*");
    if (!text_starts_with(glob, TEXT("arn:"))) {
        return ANYWHERE;
    }
    add_arn(policy, glob);
    return ONLY_POLICIES;
}

static bool is_attachment(const struct call_template *call) {
    static const struct text operations[] = {
        TEXT_INIT("AttachUserPolicy"),  TEXT_INIT("AttachRolePolicy"),
        TEXT_INIT("AttachGroupPolicy"), TEXT_INIT("DetachUserPolicy"),
        TEXT_INIT("DetachRolePolicy"),  TEXT_INIT("DetachGroupPolicy")};
    return text_equal(call->service, TEXT("iam")) &&
           is_one_of(call->operation, operations, ARRAY_COUNT(operations));
}

static bool is_global(struct text service) {
    static const struct text services[] = {TEXT_INIT("iam"),        TEXT_INIT("organizations"),
                                           TEXT_INIT("cloudfront"), TEXT_INIT("route53"),
                                           TEXT_INIT("account"),    TEXT_INIT("shield")};
    return is_one_of(service, services, ARRAY_COUNT(services));
}

/* Whose resources are another account's. */
static bool is_of_organization(struct text service) {
    static const struct text services[] = {TEXT_INIT("organizations"), TEXT_INIT("sso-admin"),
                                           TEXT_INIT("identitystore")};
    return is_one_of(service, services, ARRAY_COUNT(services));
}

static enum scope scope_of(struct policy *policy, const struct loaded_call *call) {
    if (policy->role->is_member && is_of_organization(call->call->service)) {
        return IN_ORGANIZATION;
    }
    if (is_attachment(call->call)) {
        return scope_of_attachment(policy, call->call);
    }
    bool is_limited = policy->snapshot->settings->aws.regions.count > 0 &&
                      !is_global(call->call->service) && call->region.bytes == 0;
    return is_limited ? IN_REGIONS : ANYWHERE;
}

static void add_role(struct policy *policy, struct text role) {
    if (!is_one_of(role, policy->roles, policy->role_count)) {
        policy->roles = memory_grow_array(policy->roles, &policy->role_capacity,
                                          policy->role_count + 1, sizeof(*policy->roles));
        policy->roles[policy->role_count++] = role;
    }
}

static bool has_account(const struct settings *settings, struct text account) {
    return is_one_of(account, settings->aws.accounts.items, settings->aws.accounts.count);
}

/* Is a call with this account (a template) made as this role? */
static bool is_made_here(const struct policy *policy, struct text template) {
    const struct iam_policy_role *role = policy->role;
    struct text account = template.bytes > 0 ? glob_of(policy, template) : TEXT("*");
    if (account.bytes == 0) {
        return false; /* a variable that is not set: the step is skipped */
    }
    if (text_equal(template, TEXT("${self.account}"))) {
        return !role->is_member;
    }
    bool is_any = text_find_byte(account, '*', 0) < account.bytes;
    return is_any || (role->is_member ? text_equal(account, role->account)
                                      : !has_account(policy->snapshot->settings, account));
}

/* The settings' role, in each of the accounts. */
static void add_account_roles(struct policy *policy) {
    const struct settings *settings = policy->snapshot->settings;
    for (size_t i = 0; i < settings->aws.accounts.count; i++) {
        struct text role = settings->aws.role;
        size_t at = text_find(role, TEXT("${account}"));
        role = arena_format(policy->arena, "%.*s%.*s%.*s", TEXT_ARG(text_slice(role, 0, at)),
                            TEXT_ARG(settings->aws.accounts.items[i]),
                            TEXT_ARG(text_slice(role, at + strlen("${account}"), role.bytes)));
        add_role(policy, glob_of(policy, role));
    }
}

/* In any account; that it is one of the organization is a condition. */
static void add_organization(struct policy *policy) {
    const struct settings *settings = policy->snapshot->settings;
    if (settings->aws.is_organization) {
        add_grant(policy, TEXT("organizations:ListAccounts"), false, ANYWHERE);
        policy->organization_role = glob_of(policy, settings->aws.role);
    }
}

static void add_call(void *arg, const struct loaded_call *loaded) {
    struct policy *policy = arg;
    struct text role = {NULL, 0};
    struct call_template template = *loaded->call;
    struct loaded_call bare = *loaded, *call = &bare;
    template.with = plan_as(template.with, &role);
    bare.call = &template;
    if (role.bytes > 0) {
        add_role(policy, glob_of(policy, role));
        return;
    }
    if (!is_made_here(policy, loaded->account)) {
        return;
    }
    const struct texts actions = iam_actions(call->call, policy->arena);
    enum scope scope = scope_of(policy, call);
    for (size_t i = 0; i < actions.count; i++) {
        /* What comes beside the call's own action is of other services. */
        add_grant(policy, actions.items[i], i > 0 || !operation_is_read(call->call->operation),
                  i > 0 ? ANYWHERE : scope);
    }
}

/* ---- secrets ---- */

static void add_secret(struct policy *policy, struct text spelled) {
    struct secret_reference reference = {0};
    struct error error = {0};
    if (!secret_reference_parse(spelled, &reference, &error) || reference.kind != SECRET_MANAGER) {
        return;
    }
    struct text arn = text_slice(reference.place, 0, text_find_byte(reference.place, '#', 0));
    if (!is_one_of(arn, policy->secrets, policy->secret_count)) {
        policy->secrets = memory_grow_array(policy->secrets, &policy->secret_capacity,
                                            policy->secret_count + 1, sizeof(*policy->secrets));
        policy->secrets[policy->secret_count++] = arn;
    }
}

static void add_references(struct policy *policy, const struct secret_references *references) {
    for (size_t i = 0; i < references->count; i++) {
        add_secret(policy, references->items[i].spelled);
    }
}

static void add_secrets_of_posts(struct policy *policy, const struct step *steps, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct post *post = steps[i].post;
        add_secrets_of_posts(policy, steps[i].links, steps[i].link_count);
        for (size_t h = 0; post != NULL && h < post->header_count; h++) {
            add_secret(policy, post->headers[h].text);
        }
        for (size_t k = 0; post != NULL && k < post->secret_count; k++) {
            add_secret(policy, post->secrets[k].text);
        }
        if (post != NULL) {
            add_secret(policy, post->sign.text);
            add_secret(policy, post->url.text);
        }
    }
}

static void add_secrets(struct policy *policy) {
    const struct snapshot *snapshot = policy->snapshot;
    add_references(policy, &snapshot->settings->authenticate.secrets);
    for (size_t i = 0; i < snapshot->settings->admin.token_count; i++) {
        add_references(policy, &snapshot->settings->admin.tokens[i].secrets);
    }
    for (size_t i = 0; i < snapshot->playbook_count; i++) {
        add_secrets_of_posts(policy, snapshot->playbooks[i]->steps,
                             snapshot->playbooks[i]->step_count);
    }
}

/* ---- the document ---- */

static int compare_grants(const void *a, const void *b) {
    return text_compare(((const struct grant *)a)->action, ((const struct grant *)b)->action);
}

static int compare_texts(const void *a, const void *b) {
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static struct json *list(struct arena *arena, const struct text *texts, size_t count) {
    struct json *array = json_new_array(arena);
    for (size_t i = 0; i < count; i++) {
        json_add_element(array, json_new_string(arena, texts[i]));
    }
    return array;
}

/* {operator: {key: values}} */
static struct json *condition(struct arena *arena, const char *operator, const char * key,
                              struct json *values) {
    struct json *keys = json_new_object(arena);
    struct json *made = json_new_object(arena);
    json_add_member(arena, keys, text_of(key), values);
    json_add_member(arena, made, text_of(operator), keys);
    return made;
}

struct statement_kind {
    const char *sid;
    bool is_write;
    enum scope scope;
};

static void add_own_resources(const struct policy *policy, struct json *condition) {
    /* Not every service says whose a resource is. */
    struct json *keys = json_new_object(policy->arena);
    struct text account = policy->role->account;
    json_add_text(policy->arena, keys, "aws:ResourceAccount",
                  account.bytes > 0 ? account : TEXT("${aws:PrincipalAccount}"));
    json_add_member(policy->arena, condition, TEXT("StringEqualsIfExists"), keys);
}

static struct json *condition_of(const struct policy *policy, const struct statement_kind *kind) {
    const struct texts *regions = &policy->snapshot->settings->aws.regions;
    struct json *made = json_new_object(policy->arena);
    if (kind->scope == IN_REGIONS) {
        made = condition(policy->arena, "StringEquals", "aws:RequestedRegion",
                         list(policy->arena, regions->items, regions->count));
    } else if (kind->scope == ONLY_POLICIES) {
        made = condition(policy->arena, "ArnLike", "iam:PolicyARN",
                         list(policy->arena, policy->arns, policy->arn_count));
    }
    if (policy->role->is_member && kind->is_write && kind->scope != IN_ORGANIZATION) {
        add_own_resources(policy, made);
    }
    return made;
}

static void add_statement(const struct policy *policy, const struct statement_kind *kind,
                          struct json *statements) {
    struct arena *arena = policy->arena;
    struct json *actions = json_new_array(arena);
    for (size_t i = 0; i < policy->grant_count; i++) {
        const struct grant *grant = &policy->grants[i];
        if (grant->scope == kind->scope && grant->is_write == kind->is_write) {
            json_add_element(actions, json_new_string(arena, grant->action));
        }
    }
    if (json_count(actions) == 0) {
        return;
    }
    struct json *statement = json_new_object(arena);
    json_add_text(arena, statement, "Sid", text_of(kind->sid));
    json_add_text(arena, statement, "Effect", TEXT("Allow"));
    json_add_member(arena, statement, TEXT("Action"), actions);
    json_add_text(arena, statement, "Resource", TEXT("*"));
    struct json *conditions = condition_of(policy, kind);
    if (json_count(conditions) > 0) {
        json_add_member(arena, statement, TEXT("Condition"), conditions);
    }
    json_add_element(statements, statement);
}

/* `conditions` may be NULL. */
static void add_exact_statement(const struct policy *policy, const char *sid, struct json *actions,
                                const struct text *arns, size_t arn_count, struct json *conditions,
                                struct json *statements) {
    struct arena *arena = policy->arena;
    if (arn_count == 0) {
        return;
    }
    struct json *statement = json_new_object(arena);
    json_add_text(arena, statement, "Sid", text_of(sid));
    json_add_text(arena, statement, "Effect", TEXT("Allow"));
    json_add_member(arena, statement, TEXT("Action"), actions);
    json_add_member(arena, statement, TEXT("Resource"), list(arena, arns, arn_count));
    if (conditions != NULL) {
        json_add_member(arena, statement, TEXT("Condition"), conditions);
    }
    json_add_element(statements, statement);
}

/* What our own credentials alone are for. */
static void add_exact_statements(const struct policy *policy, struct json *statements) {
    static const struct text become[] = {TEXT_INIT("sts:AssumeRole"), TEXT_INIT("sts:TagSession")};
    static const struct text read[] = {TEXT_INIT("secretsmanager:GetSecretValue")};
    static const struct text own[] = {TEXT_INIT("${aws:PrincipalOrgID}")};
    struct arena *arena = policy->arena;
    if (policy->role->is_member) {
        return;
    }
    add_exact_statement(policy, "BecomeRoles", list(arena, become, ARRAY_COUNT(become)),
                        policy->roles, policy->role_count, NULL, statements);
    add_exact_statement(
        policy, "BecomeRolesInOrganization", list(arena, become, ARRAY_COUNT(become)),
        &policy->organization_role, policy->organization_role.bytes > 0 ? 1 : 0,
        condition(arena, "StringEqualsIfExists", "aws:ResourceOrgID", list(arena, own, 1)),
        statements);
    add_exact_statement(policy, "ReadSecrets", list(arena, read, ARRAY_COUNT(read)),
                        policy->secrets, policy->secret_count, NULL, statements);
}

/* Where the end of the audit chain is noted. */
static void add_anchors(const struct policy *policy, struct json *statements) {
    static const struct text write[] = {TEXT_INIT("s3:PutObject"),
                                        TEXT_INIT("s3:PutObjectRetention")};
    const struct settings *settings = policy->snapshot->settings;
    struct text bucket = settings->audit.anchor.s3.bucket;
    struct text arn = arena_format(policy->arena, "arn:*:s3:::%.*s/%.*s*", TEXT_ARG(bucket),
                                   TEXT_ARG(settings->audit.anchor.s3.prefix));
    if (!policy->role->is_member && bucket.bytes > 0) {
        add_exact_statement(
            policy, "NoteAuditAnchors",
            list(policy->arena, write, settings->audit.anchor.s3.retain_ms > 0 ? 2 : 1), &arn, 1,
            NULL, statements);
    }
}

const struct json *iam_policy_make(const struct snapshot *snapshot,
                                   const struct iam_policy_role *role, struct arena *arena) {
    static const struct statement_kind kinds[] = {
        {"Ask", false, ANYWHERE},
        {"AskInRegions", false, IN_REGIONS},
        {"Act", true, ANYWHERE},
        {"ActInRegions", true, IN_REGIONS},
        {"AskOrganization", false, IN_ORGANIZATION},
        {"ActInOrganization", true, IN_ORGANIZATION},
        {"ManagePolicies", true, ONLY_POLICIES},
    };
    struct policy policy = {.snapshot = snapshot, .role = role, .arena = arena};
    loaded_each_call(snapshot, add_call, &policy);
    if (!role->is_member) {
        add_account_roles(&policy);
        add_organization(&policy);
        add_secrets(&policy);
    }
    if (policy.grant_count > 0) {
        qsort(policy.grants, policy.grant_count, sizeof(*policy.grants), compare_grants);
    }
    if (policy.role_count > 0) {
        qsort(policy.roles, policy.role_count, sizeof(*policy.roles), compare_texts);
    }
    if (policy.arn_count > 0) {
        qsort(policy.arns, policy.arn_count, sizeof(*policy.arns), compare_texts);
    }
    if (policy.secret_count > 0) {
        qsort(policy.secrets, policy.secret_count, sizeof(*policy.secrets), compare_texts);
    }
    struct json *statements = json_new_array(arena);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        add_statement(&policy, &kinds[i], statements);
    }
    add_exact_statements(&policy, statements);
    add_anchors(&policy, statements);
    struct json *document = json_new_object(arena);
    json_add_text(arena, document, "Version", TEXT("2012-10-17"));
    json_add_member(arena, document, TEXT("Statement"), statements);
    free(policy.grants);
    free(policy.arns);
    free(policy.roles);
    free(policy.secrets);
    return document;
}
