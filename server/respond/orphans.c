#include "riposte/respond/orphans.h"

#include "job.h"

#include "riposte/base/buffer.h"
#include "riposte/base/latch.h"
#include "riposte/crypto/random.h"
#include "riposte/crypto/sha256.h"
#include "riposte/journal/adopt.h"
#include "riposte/json/writer.h"

#include <string.h>

#define PAGES_MAX 1000

struct orphan {
    struct text account, kind; /* "User" or "Role" */
    struct text name, holder_id, policy, document;
    struct ulid incident;
};

struct search {
    struct respond *respond;
    struct arena *arena;
    struct snapshot *snapshot;
    const atomic_bool *is_called_off;
    struct text only;
    struct journal_effect *effects;
    const struct json **inverses; /* of effects */
    size_t effect_count;
    struct orphan *found;
    size_t found_count;
};

static void search_done(struct search *search) {
    snapshot_unref(&search->snapshot);
    arena_free(&search->arena);
}

/* ---- asking AWS ---------------------------------------------------------------------------------
 */

struct asked {
    struct arena *arena;
    struct latch done;
    const struct json *body; /* NULL: it didn't work */
    struct text why;
};

static void take_answer(void *arg, const struct aws_answer *answer) {
    struct asked *asked = arg;
    if (answer->outcome == AWS_OK) {
        asked->body = json_copy(asked->arena, answer->body);
    }
    asked->why = arena_format(asked->arena, "%.*s: %.*s", TEXT_ARG(answer->error_code),
                              TEXT_ARG(answer->message));
    latch_open(&asked->done);
}

static bool ask(const struct search *search, struct text account, const struct json *parameters,
                const struct json **body_out, struct error *error) {
    const struct respond_aws *aws = &search->respond->options.aws;
    const struct permit permit = {.class = PERMIT_READ,
                                  .mode = search->snapshot->settings->mode,
                                  .authority = AUTHORITY_RELEASE};
    const struct aws_call call = {.service = TEXT("iam"),
                                  .operation = TEXT("GetAccountAuthorizationDetails"),
                                  .account = account,
                                  .parameters = parameters};
    struct asked asked = {.arena = search->arena};
    latch_init(&asked.done);
    aws->send_fn(aws->arg, &permit, &call, take_answer, &asked);
    latch_wait(&asked.done);
    latch_done(&asked.done);
    *body_out = asked.body;
    return asked.body != NULL || error_set(error, ERROR_SYSTEM, "%.*s", TEXT_ARG(asked.why));
}

/* ---- what is found ------------------------------------------------------------------------------
 */

/* As IAM encodes its documents; empty when it is encoded otherwise, and so no deny of ours. */
static struct text decode(struct text text, struct arena *arena) {
    scoped(buffer_done) struct buffer decoded = BUFFER_INIT;
    return buffer_append_percent_decoded(&decoded, text)
               ? arena_copy_text(arena, buffer_text(&decoded))
               : TEXT("");
}

static bool read_sid(const struct json *statement, struct ulid *incident_out) {
    struct text sid = json_text(json_member(statement, "Sid"));
    return text_starts_with(sid, TEXT("Riposte")) &&
           ulid_parse(text_slice(sid, sizeof("Riposte") - 1, sid.bytes), incident_out);
}

/* Whose deny is it? */
static bool read_incident(struct text document, struct arena *arena, struct ulid *incident_out) {
    const struct json *root = NULL;
    struct error error = {0};
    if (!json_parse(document, 0, arena, &root, NULL, &error)) {
        return false;
    }
    const struct json *statements = json_member(root, "Statement");
    if (json_type(statements) == JSON_OBJECT) {
        return read_sid(statements, incident_out);
    }
    for (const struct json *one = json_first(statements); one != NULL; one = json_next(one)) {
        if (read_sid(one, incident_out)) {
            return true;
        }
    }
    return false;
}

/* Is there an effect whose inverse deletes it? */
static bool is_known(const struct search *search, const struct orphan *orphan) {
    struct text operation = arena_format(search->arena, "Delete%.*sPolicy", TEXT_ARG(orphan->kind));
    struct text holder = arena_format(search->arena, "%.*sName", TEXT_ARG(orphan->kind));
    for (size_t i = 0; i < search->effect_count; i++) {
        const struct json *inverse = search->inverses[i];
        const struct json *parameters = json_member(inverse, "parameters");
        if (text_equal(json_text(json_member(inverse, "operation")), operation) &&
            text_equal(json_text(json_member(inverse, "account")), orphan->account) &&
            text_equal(json_text(json_member(parameters, holder.data)), orphan->name) &&
            text_equal(json_text(json_member(parameters, "PolicyName")), orphan->policy)) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(const struct search *search, const struct ulid *incident) {
    struct text rest = search->only;
    struct text id = {NULL, 0};
    while (text_next_part(&rest, ',', &id)) {
        if (text_equal(id, ulid_text(incident))) {
            return true;
        }
    }
    return search->only.bytes == 0;
}

static void look_at_policy(struct search *search, struct orphan orphan, const struct json *policy) {
    orphan.policy = json_text(json_member(policy, "PolicyName"));
    orphan.document = decode(json_text(json_member(policy, "PolicyDocument")), search->arena);
    if (search->found_count < ORPHANS_MAX && text_starts_with(orphan.policy, TEXT("riposte-")) &&
        read_incident(orphan.document, search->arena, &orphan.incident) &&
        is_wanted(search, &orphan.incident) && !is_known(search, &orphan)) {
        search->found[search->found_count++] = orphan;
    }
}

static void look_at_page(struct search *search, struct text account, const struct json *page,
                         const char *kind) {
    struct arena *arena = search->arena;
    struct text list = arena_format(arena, "%sDetailList", kind);
    struct text policies = arena_format(arena, "%sPolicyList", kind);
    struct text name = arena_format(arena, "%sName", kind);
    struct text id = arena_format(arena, "%sId", kind);
    const struct json *holder = json_first(json_member(page, list.data));
    for (; holder != NULL; holder = json_next(holder)) {
        const struct orphan of = {.account = account,
                                  .kind = text_of(kind),
                                  .name = json_text(json_member(holder, name.data)),
                                  .holder_id = json_text(json_member(holder, id.data))};
        const struct json *policy = json_first(json_member(holder, policies.data));
        for (; policy != NULL; policy = json_next(policy)) {
            look_at_policy(search, of, policy);
        }
    }
}

static bool look_at_account(struct search *search, struct text account, struct error *error) {
    struct arena *arena = search->arena;
    struct json *filter = json_new_array(arena);
    json_add_element(filter, json_new_string(arena, TEXT("User")));
    json_add_element(filter, json_new_string(arena, TEXT("Role")));
    struct text marker = {NULL, 0};
    for (unsigned i = 0; i < PAGES_MAX; i++) {
        struct json *parameters = json_new_object(arena);
        const struct json *page = NULL;
        json_add_member(arena, parameters, TEXT("Filter"), json_share(arena, filter));
        if (marker.bytes > 0) {
            json_add_text(arena, parameters, "Marker", marker);
        }
        if (atomic_load(search->is_called_off)) {
            return error_set(error, ERROR_BUSY, "called off: the server stops");
        }
        if (!ask(search, account, parameters, &page, error)) {
            return false;
        }
        look_at_page(search, account, page, "User");
        look_at_page(search, account, page, "Role");
        marker = json_text(json_member(page, "Marker"));
        if (!text_equal(json_text(json_member(page, "IsTruncated")), TEXT("true")) ||
            marker.bytes == 0) {
            return true;
        }
    }
    return error_set(error, ERROR_LIMIT, "more than %d pages", PAGES_MAX);
}

/* ---- what is done about it ----------------------------------------------------------------------
 */

/* Whom the deny is about: a session that its condition names, or the holder. */
static struct text denied_id(const struct orphan *orphan, struct arena *arena) {
    const struct json *root = NULL;
    struct error error = {0};
    struct text session = {NULL, 0};
    if (json_parse(orphan->document, 0, arena, &root, NULL, &error)) {
        const struct json *statements = json_member(root, "Statement");
        const struct json *first = json_type(statements) == JSON_OBJECT ? statements
                                                                        : json_first(statements);
        const struct json *equals = json_member(json_member(first, "Condition"), "StringEquals");
        session = json_text(json_member(equals, "aws:userid"));
    }
    return session.bytes > 0 ? session : orphan->holder_id;
}

/* The step of contain-principal that makes such a deny, so that a new event finds the effect. */
static struct text step_name(const struct orphan *orphan, bool is_session) {
    if (text_starts_with(orphan->policy, TEXT("riposte-contained"))) {
        bool is_user = text_equal(orphan->kind, TEXT("User"));
        return !is_user     ? TEXT("deny-session")
               : is_session ? TEXT("deny-federated")
                            : TEXT("deny-user");
    }
    return text_starts_with(orphan->policy, TEXT("riposte-revoked-"))
               ? text_slice(orphan->policy, sizeof("riposte-") - 1, orphan->policy.bytes)
               : orphan->policy;
}

static struct text parameters_text(const struct orphan *orphan, bool with_document,
                                   struct arena *arena) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    struct json_writer writer;
    struct text holder = arena_format(arena, "%.*sName", TEXT_ARG(orphan->kind));
    json_writer_init(&writer, &out);
    json_open_object(&writer, NULL);
    json_put_text(&writer, holder.data, orphan->name);
    json_put_text(&writer, "PolicyName", orphan->policy);
    if (with_document) {
        json_put_text(&writer, "PolicyDocument", orphan->document);
    }
    json_close_object(&writer);
    return arena_copy_text(arena, buffer_text(&out));
}

static struct text inverse_text(const struct orphan *orphan, struct arena *arena) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    struct json_writer writer;
    struct text operation = arena_format(arena, "Delete%.*sPolicy", TEXT_ARG(orphan->kind));
    json_writer_init(&writer, &out);
    json_open_object(&writer, NULL);
    json_put_string(&writer, "service", "iam");
    json_put_text(&writer, "operation", operation);
    json_put_text(&writer, "account", orphan->account);
    json_put_string(&writer, "region", "us-east-1");
    json_put_raw(&writer, "parameters", parameters_text(orphan, false, arena));
    json_put_raw(&writer, "tolerate", TEXT("[\"NoSuchEntity\"]"));
    json_close_object(&writer);
    return arena_copy_text(arena, buffer_text(&out));
}

static bool adopt(const struct search *search, const struct orphan *orphan, struct text actor,
                  struct error *error) {
    struct arena *arena = search->arena;
    struct text denied = denied_id(orphan, arena);
    struct text subject = arena_format(arena, "%.*s/%.*s", TEXT_ARG(orphan->account),
                                       TEXT_ARG(denied));
    struct text found = arena_format(arena, "{\"orphan\":%.*s}",
                                     TEXT_ARG(parameters_text(orphan, true, arena)));
    scoped(blob_unref) struct blob *event = blob_new(found);
    struct journal_definition definition = {.text = blob_new(TEXT("{}"))};
    sha256(blob_text(definition.text), definition.hash);
    const struct journal_adoption adoption = {
        .id = orphan->incident,
        .event_key = arena_format(arena, "orphan/%s",
                                  random_ulid(clock_unix_ms(search->respond->options.clock)).text),
        .event = event,
        .definition = &definition,
        .rule = TEXT("orphan"),
        .subject = subject,
        .principal_name = orphan->name,
        .account = orphan->account,
        .region = TEXT("us-east-1"),
        .effect = {orphan->account, subject,
                   step_name(orphan, !text_equal(denied, orphan->holder_id))},
        .playbook = TEXT("contain-principal"),
        .step = step_name(orphan, !text_equal(denied, orphan->holder_id)),
        .request = parameters_text(orphan, true, arena),
        .inverse = inverse_text(orphan, arena),
        .actor = actor,
    };
    bool is_adopted = journal_adopt(search->respond->options.journal, &adoption, error);
    blob_unref(&definition.text);
    return is_adopted;
}

/* An id that is taken, or not the first of several denies of one incident: a new one. */
static struct text act_on(const struct search *search, enum orphans_action action,
                          struct orphan *orphan, struct text actor) {
    struct journal *journal = search->respond->options.journal;
    struct error error = {0};
    struct journal_incident there = {0};
    if (action == ORPHANS_LIST) {
        return TEXT("");
    }
    if (journal_read_incident(journal, &orphan->incident, search->arena, &there, &error)) {
        orphan->incident = random_ulid(clock_unix_ms(search->respond->options.clock));
    }
    if (!adopt(search, orphan, actor, &error) ||
        (action == ORPHANS_RELEASE &&
         !journal_undo(journal, &orphan->incident, actor, false, NULL, &error))) {
        return arena_copy_text(search->arena, text_of(error.text));
    }
    return action == ORPHANS_ADOPT ? TEXT("adopted") : TEXT("to be released");
}

/* ---- all of it ----------------------------------------------------------------------------------
 */

static void put_orphan(struct json_writer *writer, const struct orphan *orphan,
                       struct text result) {
    json_open_object(writer, NULL);
    json_put_text(writer, "account", orphan->account);
    json_put_text(writer, "kind", orphan->kind);
    json_put_text(writer, "name", orphan->name);
    json_put_text(writer, "policy", orphan->policy);
    json_put_text(writer, "incident", ulid_text(&orphan->incident));
    if (result.bytes > 0) {
        json_put_text(writer, "result", result);
    }
    json_close_object(writer);
}

static bool begin(struct search *search, struct error *error) {
    struct journal *journal = search->respond->options.journal;
    search->found = arena_alloc_array(search->arena, ORPHANS_MAX, sizeof(*search->found));
    if (!journal_list_effects(journal, search->arena, &search->effects, &search->effect_count,
                              error)) {
        return false;
    }
    search->inverses = arena_alloc_array(search->arena, search->effect_count,
                                         sizeof(struct json *));
    for (size_t i = 0; i < search->effect_count; i++) {
        struct error ignored = {0};
        search->inverses[i] = NULL;
        (void)!json_parse(search->effects[i].inverse, 0, search->arena, &search->inverses[i], NULL,
                          &ignored);
    }
    return true;
}

static void put_failure(struct json_writer *writer, struct text account,
                        const struct error *error) {
    json_open_object(writer, NULL);
    json_put_text(writer, "account", account);
    json_put_string(writer, "error", error->text);
    json_close_object(writer);
}

/* Our own, and those of the settings; returns how many could be asked. */
static size_t look_everywhere(struct search *search, struct text own, struct json_writer *writer) {
    const struct settings *settings = search->snapshot->settings;
    size_t asked = 0;
    json_open_array(writer, "failed");
    for (size_t i = 0; i <= settings->aws.accounts.count; i++) {
        struct text account = i == 0 ? own : settings->aws.accounts.items[i - 1];
        struct error error = {0};
        if (i > 0 && text_equal(account, own)) {
            continue;
        }
        if (look_at_account(search, account, &error)) {
            asked++;
        } else {
            put_failure(writer, account, &error);
        }
    }
    json_close_array(writer);
    return asked;
}

bool respond_orphans(struct respond *respond, enum orphans_action action, struct text only,
                     struct text actor, const atomic_bool *is_called_off, struct buffer *answer,
                     struct error *error) {
    scoped(search_done) struct search search = {
        .respond = respond, .arena = arena_new(), .is_called_off = is_called_off, .only = only};
    search.snapshot = respond->options.snapshot_fn(respond->options.snapshot_arg);
    const struct permit permit = {.class = PERMIT_CREDENTIAL,
                                  .mode = search.snapshot->settings->mode,
                                  .authority = AUTHORITY_RELEASE};
    struct aws_identity identity;
    struct json_writer writer;
    if (!respond->options.aws.identity_fn(respond->options.aws.arg, &permit, &identity, error) ||
        !begin(&search, error)) {
        return false;
    }
    json_writer_init(&writer, answer);
    json_open_object(&writer, NULL);
    size_t asked = look_everywhere(&search, text_of(identity.account), &writer);
    json_put_integer(&writer, "accounts", (int64_t)asked);
    json_open_array(&writer, "orphans");
    for (size_t i = 0; i < search.found_count; i++) {
        struct text result = act_on(&search, action, &search.found[i], actor);
        put_orphan(&writer, &search.found[i], result);
    }
    json_close_array(&writer);
    json_close_object(&writer);
    return true;
}
