#include "riposte/aws/client.h"
#include "riposte/event/operation.h"

#include "riposte/aws/answer.h"
#include "riposte/aws/endpoint.h"
#include "riposte/aws/failure.h"
#include "riposte/aws/keyring.h"
#include "riposte/aws/request.h"
#include "riposte/aws/role.h"
#include "riposte/aws/service.h"
#include "riposte/aws/sigv4.h"
#include "riposte/base/latch.h"
#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/crypto/random.h"
#include "riposte/observe/log.h"
#include "riposte/outbound/date.h"

#include <stdlib.h>

#define DEFAULT_TIMEOUT_MS 10000
/* AWS accepts signatures for five minutes. */
#define SKEW_MS      (60 * 1000)
#define ANSWER_BYTES (4 * 1024 * 1024)
/* For what has to be known before a call. */
#define STS_TIMEOUT_MS 5000

struct aws_client {
    struct http_client *http;
    const struct clock *clock;
    struct aws_environment environment;
    char *endpoint;
    const char *ca_file;         /* the environment's */
    struct aws_keyring *keyring; /* our own credentials */
    struct aws_roles *roles;     /* those of the roles that we become */
    struct arena *arena;         /* of role_options */
    struct aws_role_options role_options;
    struct sigv4_cache *cache;
    struct aws_identities *identities;
    _Atomic int64_t skew_ms; /* what to add to our clock to get that of AWS */

    struct mutex lock; /* of what follows */
    struct condition has_ended;
    size_t calls_under_way;
    struct allowed {
        bool is_limited, is_known;
        const struct text *accounts;
        size_t count;
        struct arena *arena; /* of the accounts */
    } allowed;
};

/* A call on its way. It lives in the arena of its answer. */
struct pending {
    struct aws_client *client;
    struct permit permit;
    struct trace trace;
    struct aws_request request;
    struct text account, role;   /* whose, as whom; empty: our own, as ourselves */
    struct aws_keyring *keyring; /* where its credentials come from */
    int64_t started_mono_us, deadline_mono_ms;
    struct aws_credentials *credentials; /* signed with */
    bool is_refreshed, is_skew_corrected;
    bool is_answer_kept; /* done_fn takes the answer over */
    aws_done_fn *done_fn;
    void *arg;
    struct aws_answer *answer;
};

static void send_signed(struct pending *pending, struct aws_credentials *credentials);

/* --- the end of a call --- */

const char *aws_outcome_name(enum aws_outcome outcome) {
    static const char *const names[] = {
        [AWS_OK] = "ok",
        [AWS_REFUSED] = "refused",
        [AWS_RETRY] = "retry",
        [AWS_NO_ANSWER] = "no-answer",
        [AWS_NOT_SENT] = "not-sent",
    };
    return names[outcome];
}

void aws_answer_free(struct aws_answer **answer) {
    if (*answer != NULL) {
        struct arena *arena = (*answer)->arena;
        arena_free(&arena);
        *answer = NULL;
    }
}

/* Says it and forgets it: `pending` is gone afterwards. */
static void conclude(struct pending *pending) {
    struct aws_client *client = pending->client;
    struct aws_answer *answer = pending->answer;
    bool is_answer_kept = pending->is_answer_kept;
    answer->took_us = clock_mono_us(client->clock) - pending->started_mono_us;
    if (answer->body == NULL) {
        answer->body = json_new_object(answer->arena);
    }
    aws_credentials_unref(&pending->credentials);
    pending->done_fn(pending->arg, answer);
    if (!is_answer_kept) {
        aws_answer_free(&answer);
    }
    mutex_lock(&client->lock);
    client->calls_under_way--;
    condition_broadcast(&client->has_ended);
    mutex_unlock(&client->lock);
}

static void conclude_with(struct pending *pending, enum aws_outcome outcome,
                          const struct error *error) {
    struct aws_answer *answer = pending->answer;
    answer->outcome = outcome;
    answer->error_code = text_of(error_code_name(error->code));
    answer->message = arena_copy_text(answer->arena, text_of(error->text));
    conclude(pending);
}

/* Nothing left. What is wrong with the call stays wrong; what is busy or broken may pass. */
static void conclude_unsent(struct pending *pending, const struct error *error) {
    bool may_work_later = error->code == ERROR_SYSTEM || error->code == ERROR_BUSY ||
                          error->code == ERROR_LIMIT;
    conclude_with(pending, may_work_later ? AWS_RETRY : AWS_NOT_SENT, error);
}

/* --- answers --- */

static void on_credentials(void *arg, struct aws_credentials *credentials,
                           const struct error *error) {
    struct pending *pending = arg;
    /* Others were asked for and the same ones came: they would be refused again. */
    bool is_refused_before = credentials != NULL && pending->credentials != NULL &&
                             text_equal(credentials->access_key_id,
                                        pending->credentials->access_key_id);
    if (pending->is_refreshed && (credentials == NULL || is_refused_before)) {
        conclude(pending); /* with what AWS said about the old ones */
    } else if (credentials == NULL) {
        conclude_unsent(pending, error);
    } else {
        send_signed(pending, credentials);
    }
}

/* Goes by the time that AWS says; false when it says none, or one that no signature fails for. */
static bool correct_skew(struct aws_client *client, const struct http_response *response) {
    int64_t their_unix_ms;
    if (!http_date_parse(http_response_header(response, "Date"), &their_unix_ms)) {
        return false;
    }
    int64_t skew_ms = their_unix_ms - clock_unix_ms(client->clock);
    int64_t change_ms = skew_ms - client->skew_ms;
    client->skew_ms = skew_ms;
    return change_ms > SKEW_MS || change_ms < -SKEW_MS;
}

/* Sends again what may work now; false when that was tried, or wouldn't help. */
static bool send_again(struct pending *pending, enum aws_failure failure,
                       const struct http_response *response) {
    if (failure == AWS_FAILURE_SKEW && !pending->is_skew_corrected &&
        correct_skew(pending->client, response)) {
        pending->is_skew_corrected = true;
        struct aws_credentials *credentials = pending->credentials;
        pending->credentials = NULL;
        send_signed(pending, credentials);
        aws_credentials_unref(&credentials);
        return true;
    }
    if (failure == AWS_FAILURE_REFRESH && !pending->is_refreshed) {
        pending->is_refreshed = true;
        aws_keyring_wait(pending->keyring, &pending->permit, pending->credentials, on_credentials,
                         pending);
        return true;
    }
    return false;
}

static void take_error(struct pending *pending, const struct http_response *response) {
    struct aws_answer *answer = pending->answer;
    struct aws_answer_error said = aws_answer_error(response, answer->arena);
    enum aws_failure failure = aws_failure_of(response->status, said.code, said.message);
    answer->outcome = failure == AWS_FAILURE_FINAL ? AWS_REFUSED : AWS_RETRY;
    answer->error_code = said.code;
    answer->message = said.message;
    if (said.request_id.bytes > 0) {
        answer->request_id = said.request_id;
    }
    if (!send_again(pending, failure, response)) {
        conclude(pending);
    }
}

static void take_success(struct pending *pending, const struct http_response *response) {
    struct aws_answer *answer = pending->answer;
    struct text request_id;
    struct error error = {0};
    if (!aws_answer_read(pending->request.service->protocol, response->body, answer->arena,
                         &answer->body, &request_id, &error)) {
        error_wrap(&error, "status %d", response->status);
        conclude_with(pending, AWS_NO_ANSWER, &error);
        return;
    }
    answer->outcome = AWS_OK;
    answer->error_code = answer->message = TEXT(""); /* of a first attempt */
    if (request_id.bytes > 0) {
        answer->request_id = request_id;
    }
    conclude(pending);
}

static void on_response(void *arg, const struct http_response *response, bool may_have_arrived,
                        const struct error *error) {
    struct pending *pending = arg;
    struct aws_answer *answer = pending->answer;
    (void)may_have_arrived; /* both ways the same call may be made again */
    if (response == NULL) {
        conclude_with(pending, AWS_NO_ANSWER, error);
        return;
    }
    answer->status = response->status;
    struct text request_id = http_response_header(response, "x-amzn-RequestId");
    if (request_id.bytes == 0) {
        request_id = http_response_header(response, "x-amz-request-id");
    }
    answer->request_id = arena_copy_text(answer->arena, request_id);
    if (response->status >= 200 && response->status < 300) {
        take_success(pending, response);
    } else {
        take_error(pending, response);
    }
}

/* --- sending --- */

static void send_signed(struct pending *pending, struct aws_credentials *credentials) {
    struct aws_client *client = pending->client;
    struct error error = {0};
    int64_t left_ms = pending->deadline_mono_ms - clock_mono_ms(client->clock);
    if (left_ms <= 0) {
        error_set(&error, ERROR_LIMIT, "the time was over before the call could be sent");
        conclude_unsent(pending, &error);
        return;
    }
    int64_t signed_unix_ms = clock_unix_ms(client->clock) + client->skew_ms;
    char parent[TRACE_PARENT_BYTES];
    struct http_header headers[AWS_REQUEST_HEADERS + 1];
    size_t count = aws_request_sign(&pending->request, credentials, signed_unix_ms, client->cache,
                                    pending->answer->arena, headers);
    if (pending->trace.text[0] != '\0') {
        uint64_t span = 0;
        random_bytes(&span, sizeof(span));
        trace_parent(&pending->trace, span, parent);
        headers[count++] = (struct http_header){TEXT("traceparent"), text_of(parent)};
    }
    aws_credentials_unref(&pending->credentials);
    pending->credentials = aws_credentials_ref(credentials);
    struct http_request request = {
        .method = pending->request.method,
        .url = pending->request.url,
        .headers = headers,
        .header_count = count,
        .body = pending->request.body,
        .timeout_ms = left_ms,
        .response_limit_bytes = ANSWER_BYTES,
        .ca_file = client->ca_file,
        .is_urgent = pending->permit.class == PERMIT_WRITE,
        .allow_plain_http = pending->request.is_endpoint_configured,
    };
    if (!http_send(client->http, &pending->permit, &request, on_response, pending, &error)) {
        conclude_unsent(pending, &error);
    }
}

/* Credentials may be fetched on a permit to fetch credentials. */
static bool becomes_role(const struct permit *permit, const struct aws_call *call) {
    bool may_become = permit->class == PERMIT_CREDENTIAL || permit->class == PERMIT_OWN ||
                      permit->class == PERMIT_NOTIFY;
    return may_become && text_equal_string(call->service, "sts") &&
           text_equal_string(call->operation, "AssumeRole");
}

/* What the settings ask for, and no event, may be written as our own: where the audit chain ends.
 */
static bool is_anchor(const struct permit *permit, const struct aws_call *call) {
    return permit->class == PERMIT_OWN && text_equal_string(call->service, "s3") &&
           text_equal_string(call->operation, "PutObject");
}

/* What the operation's name demands of a permit beyond the gate's own table. */
static bool check_permit(const struct permit *permit, const struct aws_call *call,
                         struct error *error) {
    if (!permit_check(permit, error)) {
        return false;
    }
    bool is_harmless = operation_is_read(call->operation) || becomes_role(permit, call) ||
                       is_anchor(permit, call) ||
                       (permit->class == PERMIT_NOTIFY &&
                        operation_is_notice(call->service, call->operation));
    if (!is_harmless && permit->class != PERMIT_WRITE) {
        return error_set(error, ERROR_DENIED, "%.*s writes, and its permit is to %s",
                         TEXT_ARG(call->operation), permit_class_name(permit->class));
    }
    return true;
}

static bool check_role(const struct aws_call *call, struct error *error) {
    struct text account = aws_role_account(call->role);
    if (call->role.bytes > 0 && account.bytes == 0) {
        return error_set(error, ERROR_INVALID, "\"%.*s\" is not the ARN of a role",
                         TEXT_ARG(call->role));
    }
    if (call->role.bytes > 0 && call->account.bytes > 0 && !text_equal(account, call->account)) {
        return error_set(error, ERROR_INVALID, "%.*s is not a role in account %.*s",
                         TEXT_ARG(call->role), TEXT_ARG(call->account));
    }
    return true;
}

/* Everything that may be wrong with a call itself, into `pending`. */
static bool prepare(struct pending *pending, const struct permit *permit,
                    const struct aws_call *call, struct error *error) {
    struct aws_client *client = pending->client;
    struct arena *arena = pending->answer->arena;
    if (!check_permit(permit, call, error) ||
        !aws_operation_check(call->service, call->operation, error) || !check_role(call, error)) {
        return false;
    }
    pending->permit = *permit;
    pending->trace = call->trace;
    pending->account = arena_copy_text(arena, call->account);
    pending->role = arena_copy_text(arena, call->role);
    return aws_request_make(&client->environment, text_of(client->endpoint), call, arena,
                            &pending->request, error);
}

static struct pending *pending_new(struct aws_client *client, const struct aws_call *call,
                                   aws_done_fn *done_fn, void *arg) {
    struct arena *arena = arena_new();
    struct pending *pending = arena_alloc(arena, sizeof(*pending));
    pending->answer = arena_alloc(arena, sizeof(*pending->answer));
    pending->answer->arena = arena;
    pending->client = client;
    pending->started_mono_us = clock_mono_us(client->clock);
    pending->deadline_mono_ms = clock_mono_ms(client->clock) +
                                (call->timeout_ms > 0 ? call->timeout_ms : DEFAULT_TIMEOUT_MS);
    pending->done_fn = done_fn;
    pending->arg = arg;
    mutex_lock(&client->lock);
    client->calls_under_way++;
    mutex_unlock(&client->lock);
    return pending;
}

/* --- as whom --- */

static void get_credentials(struct pending *pending) {
    struct aws_credentials *credentials = aws_keyring_current(pending->keyring, &pending->permit);
    if (credentials == NULL) {
        aws_keyring_wait(pending->keyring, &pending->permit, NULL, on_credentials, pending);
        return;
    }
    send_signed(pending, credentials);
    aws_credentials_unref(&credentials);
}

void aws_allow_accounts(struct aws_client *client, const struct text *accounts,
                        size_t account_count, bool is_known) {
    struct arena *arena = arena_new();
    struct text *copies = arena_alloc_array(arena, account_count, sizeof(*copies));
    for (size_t i = 0; i < account_count; i++) {
        copies[i] = arena_copy_text(arena, accounts[i]);
    }
    mutex_lock(&client->lock);
    struct arena *before = client->allowed.arena;
    client->allowed = (struct allowed){true, is_known, copies, account_count, arena};
    mutex_unlock(&client->lock);
    arena_free(&before);
}

/* ERROR_BUSY: it may be one of ours, once they are known. */
static bool check_allowed(struct aws_client *client, struct text account, struct error *error) {
    mutex_lock(&client->lock);
    bool is_known = client->allowed.is_known, is_allowed = !client->allowed.is_limited;
    for (size_t i = 0; i < client->allowed.count && !is_allowed; i++) {
        is_allowed = text_equal(client->allowed.accounts[i], account);
    }
    mutex_unlock(&client->lock);
    return is_allowed ||
           (is_known ? error_set(error, ERROR_DENIED, "account %.*s is not one of aws.accounts",
                                 TEXT_ARG(account))
                     : error_set(error, ERROR_BUSY,
                                 "whether account %.*s is one of ours is not known yet",
                                 TEXT_ARG(account)));
}

/* Whose it is: the role's, where the call names one. Empty: ours. */
static struct text account_of(const struct pending *pending) {
    return pending->role.bytes > 0 ? aws_role_account(pending->role) : pending->account;
}

/* The keyring to use; `identity` is that of our own credentials, NULL where it doesn't matter. */
static bool choose_keyring(struct pending *pending, const struct aws_identity *identity,
                           struct error *error) {
    struct aws_client *client = pending->client;
    bool is_other = identity != NULL && !text_equal_string(account_of(pending), identity->account);
    if (is_other && !check_allowed(client, account_of(pending), error)) {
        return false;
    }
    bool needs_role = is_other && pending->role.bytes == 0;
    if (needs_role && client->role_options.role.bytes == 0) {
        return error_set(error, ERROR_INVALID, "no role is configured for account %.*s",
                         TEXT_ARG(pending->account));
    }
    if (needs_role &&
        !aws_role_arn(client->role_options.role, text_of(identity->partition), pending->account,
                      pending->answer->arena, &pending->role, error)) {
        return false;
    }
    if (pending->role.bytes > 0) {
        return aws_roles_find(client->roles, pending->role, &pending->keyring, error);
    }
    pending->keyring = client->keyring;
    return true;
}

static void go_on_as(struct pending *pending, const struct aws_identity *identity) {
    struct error error = {0};
    if (!choose_keyring(pending, identity, &error)) {
        conclude_unsent(pending, &error);
        return;
    }
    get_credentials(pending);
}

/* Without knowing who we are nobody can say whether an account is ours. */
static void conclude_unknown(struct pending *pending, const struct aws_answer *asked) {
    struct aws_answer *answer = pending->answer;
    bool may_work_later = asked->outcome == AWS_RETRY || asked->outcome == AWS_NO_ANSWER;
    answer->outcome = may_work_later ? AWS_RETRY : AWS_NOT_SENT;
    answer->error_code = arena_copy_text(answer->arena, asked->error_code);
    answer->message = arena_format(answer->arena, "asking who we are: %.*s",
                                   TEXT_ARG(asked->message));
    conclude(pending);
}

static void on_identity(void *arg, const struct aws_answer *asked) {
    struct pending *pending = arg;
    struct aws_client *client = pending->client;
    struct aws_identity identity;
    struct error error = {0};
    if (asked->outcome != AWS_OK) {
        conclude_unknown(pending, asked);
        return;
    }
    if (!aws_identity_read(asked->body, &identity, &error)) {
        conclude_unsent(pending, &error);
        return;
    }
    scoped(aws_credentials_unref) struct aws_credentials *own = aws_keyring_current(
        client->keyring, &pending->permit);
    aws_identities_learn(client->identities, own != NULL ? own->access_key_id : TEXT(""),
                         &identity);
    go_on_as(pending, &identity);
}

static void find_credentials(struct pending *pending) {
    struct aws_client *client = pending->client;
    struct aws_identity identity;
    struct error error = {0};
    bool is_clear = account_of(pending).bytes == 0 ||
                    (pending->role.bytes > 0 && check_allowed(client, account_of(pending), &error));
    if (is_clear) {
        go_on_as(pending, NULL);
    } else if (aws_identities_latest(client->identities, &identity)) {
        go_on_as(pending, &identity);
    } else {
        static const struct aws_call who = {.service = TEXT_INIT("sts"),
                                            .operation = TEXT_INIT("GetCallerIdentity"),
                                            .timeout_ms = STS_TIMEOUT_MS};
        aws_send(client, &pending->permit, &who, on_identity, pending);
    }
}

static void start(struct pending *pending, const struct permit *permit,
                  const struct aws_call *call) {
    struct error error = {0};
    if (!prepare(pending, permit, call, &error)) {
        error_wrap(&error, "%.*s:%.*s", TEXT_ARG(call->service), TEXT_ARG(call->operation));
        conclude_unsent(pending, &error);
        return;
    }
    find_credentials(pending);
}

void aws_send(struct aws_client *client, const struct permit *permit, const struct aws_call *call,
              aws_done_fn *done_fn, void *arg) {
    start(pending_new(client, call, done_fn, arg), permit, call);
}

/* --- waiting --- */

struct waiter {
    struct latch has_ended;
    struct aws_answer *answer;
};

static void wake_waiter(void *arg, const struct aws_answer *answer) {
    struct waiter *waiter = arg;
    waiter->answer = (struct aws_answer *)(uintptr_t)answer; /* handed over: is_answer_kept */
    latch_open(&waiter->has_ended);                          /* the waiter may be gone now */
}

struct aws_answer *aws_call(struct aws_client *client, const struct permit *permit,
                            const struct aws_call *call) {
    struct waiter waiter = {0};
    latch_init(&waiter.has_ended);
    struct pending *pending = pending_new(client, call, wake_waiter, &waiter);
    pending->is_answer_kept = true;
    start(pending, permit, call);
    latch_wait(&waiter.has_ended);
    latch_done(&waiter.has_ended);
    return waiter.answer;
}

/* --- roles --- */

/* The error that an answer stands for. */
static bool error_of_answer(const struct aws_answer *answer, struct error *error) {
    enum error_code code = answer->outcome == AWS_REFUSED ? ERROR_DENIED : ERROR_SYSTEM;
    for (enum error_code named = ERROR_INVALID; named <= ERROR_SYSTEM; named++) {
        if (answer->status == 0 && text_equal_string(answer->error_code, error_code_name(named))) {
            code = named;
        }
    }
    return error_set(error, code, "%.*s", TEXT_ARG(answer->message));
}

static bool assume(void *arg, struct text role, const struct permit *permit,
                   struct aws_credentials **credentials_out, struct error *error) {
    struct aws_client *client = arg;
    scoped(arena_free) struct arena *arena = arena_new();
    struct aws_call call = {.service = TEXT("sts"),
                            .operation = TEXT("AssumeRole"),
                            .parameters = aws_role_parameters(&client->role_options, role, arena),
                            .timeout_ms = STS_TIMEOUT_MS};
    scoped(aws_answer_free) struct aws_answer *answer = aws_call(client, permit, &call);
    return answer->outcome == AWS_OK ? aws_credentials_read(answer->body, credentials_out, error)
                                     : error_of_answer(answer, error);
}

static struct aws_role_options copy_role_options(const struct aws_role_options *options,
                                                 struct arena *arena) {
    struct aws_tag *tags = arena_alloc_array(arena, options->tag_count, sizeof(*tags));
    for (size_t i = 0; i < options->tag_count; i++) {
        tags[i].key = arena_copy_text(arena, options->tags[i].key);
        tags[i].value = arena_copy_text(arena, options->tags[i].value);
    }
    return (struct aws_role_options){
        .role = arena_copy_text(arena, options->role),
        .external_id = arena_copy_text(arena, options->external_id),
        .session_name = arena_copy_text(arena, options->session_name),
        .tags = tags,
        .tag_count = options->tag_count,
    };
}

static void start_roles(struct aws_client *client, const struct aws_options *options) {
    client->arena = arena_new();
    client->role_options = copy_role_options(&options->roles, client->arena);
    client->roles = aws_roles_new(&(struct aws_roles_options){
        .clock = client->clock,
        .assume_fn = assume,
        .assume_arg = client,
        .key_fn = options->key_fn,
        .key_arg = options->arg,
    });
}

/* --- start and end --- */

bool aws_client_new(const struct aws_options *options, struct aws_client **client_out,
                    struct error *error) {
    scoped(aws_client_free) struct aws_client *client = memory_new(sizeof(*client));
    client->http = options->http;
    client->clock = options->clock;
    client->environment = options->environment != NULL ? *options->environment
                                                       : aws_environment_process;
    client->endpoint = text_copy(options->endpoint);
    client->ca_file = aws_environment_get(&client->environment, "AWS_CA_BUNDLE").data;
    client->cache = sigv4_cache_new();
    client->identities = aws_identities_new();
    mutex_init(&client->lock);
    condition_init(&client->has_ended);
    start_roles(client, options);
    struct aws_keyring_options keyring = {
        .provider = {.environment = client->environment,
                     .http = client->http,
                     .endpoint = text_of(client->endpoint)},
        .clock = client->clock,
        .is_own = true,
        .key_fn = options->key_fn,
        .arg = options->arg,
    };
    if (!aws_keyring_new(&keyring, &client->keyring, error)) {
        return false;
    }
    *client_out = client;
    client = NULL;
    return true;
}

static void await_calls(struct aws_client *client) {
    mutex_lock(&client->lock);
    while (client->calls_under_way > 0) {
        condition_wait(&client->has_ended, &client->lock);
    }
    mutex_unlock(&client->lock);
}

void aws_client_free(struct aws_client **client_at) {
    struct aws_client *client = *client_at;
    if (client == NULL) {
        return;
    }
    if (client->keyring != NULL) {
        aws_keyring_stop(client->keyring);
    }
    aws_roles_stop(client->roles);
    await_calls(client);
    aws_roles_free(&client->roles);
    await_calls(client); /* a role's refresh may just have begun one */
    aws_keyring_free(&client->keyring);
    arena_free(&client->arena);
    arena_free(&client->allowed.arena);
    sigv4_cache_free(&client->cache);
    aws_identities_free(&client->identities);
    condition_done(&client->has_ended);
    mutex_done(&client->lock);
    free(client->endpoint);
    free(client);
    *client_at = NULL;
}

/* --- who we are --- */

static bool ask_identity(struct aws_client *client, const struct permit *permit,
                         struct aws_identity *identity_out, struct error *error) {
    struct aws_call call = {.service = TEXT("sts"), .operation = TEXT("GetCallerIdentity")};
    scoped(aws_answer_free) struct aws_answer *answer = aws_call(client, permit, &call);
    if (answer->outcome != AWS_OK) {
        return error_of_answer(answer, error);
    }
    return aws_identity_read(answer->body, identity_out, error);
}

/* "" while there are none. */
static struct text key_id_of(const struct aws_credentials *credentials) {
    return credentials != NULL ? credentials->access_key_id : TEXT("");
}

bool aws_identity(struct aws_client *client, const struct permit *permit,
                  struct aws_identity *identity_out, struct error *error) {
    if (!permit_check(permit, error)) {
        return false;
    }
    scoped(aws_credentials_unref) struct aws_credentials *before = aws_keyring_current(
        client->keyring, permit);
    if (aws_identities_recall(client->identities, key_id_of(before), identity_out)) {
        return true;
    }
    struct aws_identity identity;
    bool is_known = ask_identity(client, permit, &identity, error);
    /* Asking may have fetched the first credentials. */
    scoped(aws_credentials_unref) struct aws_credentials *after = aws_keyring_current(
        client->keyring, permit);
    aws_identities_remember(client->identities, key_id_of(after), is_known ? &identity : NULL);
    if (is_known) {
        *identity_out = identity;
    }
    return is_known;
}

/* --- warm --- */

static void ignore_credentials(void *arg, struct aws_credentials *credentials,
                               const struct error *error) {
    (void)arg;
    (void)credentials;
    (void)error; /* the first call asks again, and then it is somebody's */
}

static void warm_service(struct aws_client *client, const struct permit *permit,
                         struct text service, struct text region) {
    const struct aws_service *found = aws_service_find(service);
    scoped(arena_free) struct arena *arena = arena_new();
    struct aws_endpoint endpoint;
    struct error error;
    if (found == NULL ||
        !aws_endpoint_resolve(&client->environment, text_of(client->endpoint), found, region, arena,
                              &endpoint, &error) ||
        !http_warm(client->http, permit, endpoint.url, &error)) {
        return; /* the first call meets the same error and says so */
    }
}

void aws_warm(struct aws_client *client, const struct permit *permit, const struct text *services,
              size_t service_count, struct text region) {
    struct error error;
    if (!permit_check(permit, &error)) {
        return;
    }
    scoped(aws_credentials_unref) struct aws_credentials *current = aws_keyring_current(
        client->keyring, permit);
    if (current == NULL) {
        aws_keyring_wait(client->keyring, permit, NULL, ignore_credentials, NULL);
    }
    for (size_t i = 0; i < service_count; i++) {
        warm_service(client, permit, services[i], region);
    }
}

static void log_failed_warming(void *arg, const struct aws_answer *answer) {
    (void)arg;
    if (answer->outcome != AWS_OK) {
        log_warn(&(struct log_context){.component = "aws"}, "an account out of reach: %.*s",
                 TEXT_ARG(answer->message));
    }
}

void aws_warm_accounts(struct aws_client *client, const struct permit *permit,
                       const struct text *accounts, size_t account_count) {
    for (size_t i = 0; i < account_count; i++) {
        struct aws_call who = {
            .service = TEXT("sts"), .operation = TEXT("GetCallerIdentity"), .account = accounts[i]};
        aws_send(client, permit, &who, log_failed_warming, NULL);
    }
}

int64_t aws_credentials_expiry(struct aws_client *client) {
    return aws_keyring_expiry(client->keyring);
}
