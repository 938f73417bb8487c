#include "riposte/aws/secrets.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/observe/log.h"

#include <stdlib.h>

static const struct log_context here = {.component = "aws"};

/* One version of one secret, as it was last heard. */
struct entry {
    char *arn;
    bool is_previous;
    char *value; /* NULL: there is no such version */
    size_t bytes;
    int64_t created_unix_ms, heard_mono_ms;
    bool is_stale;
};

struct aws_secrets {
    struct aws_client *client;
    const struct clock *clock;
    struct mutex lock;
    struct {
        struct entry entries[AWS_SECRETS_MAX];
        size_t count;
    } shared; /* with `lock` */
};

/* What is asked for, and what is heard of it. */
struct inquiry {
    struct text arn;
    bool is_previous, is_known, is_fresh;
    struct buffer value; /* data NULL: there is no such version */
    int64_t created_unix_ms;
};

static void wipe_buffer(struct buffer *buffer) {
    if (buffer->data != NULL) {
        memory_wipe(buffer->data, buffer->capacity);
    }
    buffer_done(buffer);
}

static void inquiry_done(struct inquiry *inquiry) {
    wipe_buffer(&inquiry->value);
}

struct aws_secrets *aws_secrets_new(struct aws_client *client, const struct clock *clock) {
    struct aws_secrets *secrets = memory_new(sizeof(*secrets));
    secrets->client = client;
    secrets->clock = clock;
    mutex_init(&secrets->lock);
    return secrets;
}

static void forget_value(struct entry *entry) {
    if (entry->value != NULL) {
        memory_wipe(entry->value, entry->bytes);
        free(entry->value);
        entry->value = NULL;
    }
}

void aws_secrets_free(struct aws_secrets **secrets) {
    struct aws_secrets *old = *secrets;
    *secrets = NULL;
    if (old == NULL) {
        return;
    }
    for (size_t i = 0; i < old->shared.count; i++) {
        forget_value(&old->shared.entries[i]);
        free(old->shared.entries[i].arn);
    }
    mutex_done(&old->lock);
    free(old);
}

void aws_secrets_expire(struct aws_secrets *secrets) {
    mutex_lock(&secrets->lock);
    for (size_t i = 0; i < secrets->shared.count; i++) {
        secrets->shared.entries[i].is_stale = true;
    }
    mutex_unlock(&secrets->lock);
}

/* ---- what is remembered ---- */

static struct entry *find(struct aws_secrets *secrets, const struct inquiry *inquiry)
    REQUIRES(&secrets->lock) {
    for (size_t i = 0; i < secrets->shared.count; i++) {
        struct entry *entry = &secrets->shared.entries[i];
        if (entry->is_previous == inquiry->is_previous &&
            text_equal_string(inquiry->arn, entry->arn)) {
            return entry;
        }
    }
    return NULL;
}

static void recall(struct aws_secrets *secrets, struct inquiry *inquiry) {
    int64_t now = clock_mono_ms(secrets->clock);
    mutex_lock(&secrets->lock);
    const struct entry *entry = find(secrets, inquiry);
    inquiry->is_known = entry != NULL;
    inquiry->is_fresh = entry != NULL && !entry->is_stale &&
                        now - entry->heard_mono_ms < AWS_SECRETS_FRESH_MS;
    if (entry != NULL && entry->value != NULL) {
        buffer_append(&inquiry->value, entry->value, entry->bytes);
        inquiry->created_unix_ms = entry->created_unix_ms;
    }
    mutex_unlock(&secrets->lock);
}

static void remember(struct aws_secrets *secrets, const struct inquiry *inquiry) {
    int64_t now = clock_mono_ms(secrets->clock);
    mutex_lock(&secrets->lock);
    struct entry *entry = find(secrets, inquiry);
    if (entry == NULL && secrets->shared.count < AWS_SECRETS_MAX) {
        entry = &secrets->shared.entries[secrets->shared.count++];
        *entry = (struct entry){.arn = text_copy(inquiry->arn),
                                .is_previous = inquiry->is_previous};
    }
    if (entry != NULL) {
        forget_value(entry);
        entry->value = inquiry->value.data ? text_copy(buffer_text(&inquiry->value)) : NULL;
        entry->bytes = inquiry->value.bytes;
        entry->created_unix_ms = inquiry->created_unix_ms;
        entry->heard_mono_ms = now;
        entry->is_stale = false;
    }
    mutex_unlock(&secrets->lock);
}

/* ---- asking ---- */

static struct text region_of(struct text arn) {
    struct text part = {NULL, 0};
    for (int i = 0; i < 4 && text_next_part(&arn, ':', &part); i++) {}
    return part;
}

/* Seconds since 1970 with a fraction, often as 1.7E9. */
static int64_t unix_ms_of(const struct json *seconds) {
    scoped(memory_free_at) char *spelled = text_copy(json_text(seconds));
    double value = strtod(spelled, NULL);
    return value > 0 && value < 1e11 ? (int64_t)(value * 1000) : 0;
}

static bool take_answer(const struct aws_answer *answer, struct inquiry *inquiry,
                        struct error *error) {
    if (inquiry->is_previous && text_equal(answer->error_code, TEXT("ResourceNotFoundException"))) {
        wipe_buffer(&inquiry->value);
        return true;
    }
    if (answer->outcome != AWS_OK) {
        bool may_pass = answer->outcome == AWS_RETRY || answer->outcome == AWS_NO_ANSWER;
        return error_set(error, may_pass ? ERROR_BUSY : ERROR_SYSTEM, "%.*s%s%.*s",
                         TEXT_ARG(answer->error_code), answer->error_code.bytes > 0 ? ": " : "",
                         TEXT_ARG(answer->message));
    }
    const struct json *value = json_member(answer->body, "SecretString");
    if (!json_is_string(value)) {
        return error_set(error, ERROR_SYSTEM, "it is binary: only text can be used");
    }
    wipe_buffer(&inquiry->value);
    buffer_append_text(&inquiry->value, json_text(value));
    inquiry->created_unix_ms = unix_ms_of(json_member(answer->body, "CreatedDate"));
    return true;
}

static bool ask(struct aws_secrets *secrets, struct inquiry *inquiry, struct error *error) {
    const struct permit permit = {.class = PERMIT_OWN};
    scoped(arena_free) struct arena *arena = arena_new();
    struct json *parameters = json_new_object(arena);
    json_add_text(arena, parameters, "SecretId", inquiry->arn);
    json_add_text(arena, parameters, "VersionStage",
                  inquiry->is_previous ? TEXT("AWSPREVIOUS") : TEXT("AWSCURRENT"));
    const struct aws_call call = {.service = TEXT("secretsmanager"),
                                  .operation = TEXT("GetSecretValue"),
                                  .region = region_of(inquiry->arn),
                                  .parameters = parameters};
    scoped(aws_answer_free) struct aws_answer *answer = aws_call(secrets->client, &permit, &call);
    return take_answer(answer, inquiry, error);
}

/* What was heard before serves on when nothing can be heard now: a secret that is still in use must
 * not fall with Secrets Manager. */
static bool hear(struct aws_secrets *secrets, struct inquiry *inquiry, struct error *error) {
    recall(secrets, inquiry);
    if (inquiry->is_fresh) {
        return true;
    }
    if (ask(secrets, inquiry, error)) {
        remember(secrets, inquiry);
        return true;
    }
    if (inquiry->is_known) {
        log_warn(&here, "secret %.*s: the value heard before serves on: %s", TEXT_ARG(inquiry->arn),
                 error->text);
        return true;
    }
    return error_wrap(error, "secret %.*s", TEXT_ARG(inquiry->arn));
}

static bool append_key(const struct inquiry *inquiry, struct text key, struct buffer *value_out,
                       struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    const struct json *object = NULL;
    struct error ignored = {0}; /* it may quote the secret */
    const struct json *member = NULL;
    if (json_parse(buffer_text(&inquiry->value), 0, arena, &object, NULL, &ignored)) {
        member = json_member_text(object, key);
    }
    if (!json_is_string(member)) {
        return error_set(error, ERROR_SYSTEM,
                         "secret %.*s: is no JSON object with a string \"%.*s\"",
                         TEXT_ARG(inquiry->arn), TEXT_ARG(key));
    }
    buffer_append_text(value_out, json_text(member));
    return true;
}

bool aws_secrets_fetch(void *arg, struct text place, bool is_previous, struct buffer *value_out,
                       struct error *error) {
    struct aws_secrets *secrets = arg;
    size_t hash = text_find_byte(place, '#', 0);
    scoped(inquiry_done) struct inquiry current = {.arn = text_slice(place, 0, hash)};
    scoped(inquiry_done) struct inquiry previous = {.arn = current.arn, .is_previous = true};
    if (!hear(secrets, &current, error)) {
        return false;
    }
    int64_t age_ms = clock_unix_ms(secrets->clock) - current.created_unix_ms;
    if (is_previous && (age_ms >= AWS_SECRETS_PREVIOUS_MS || !hear(secrets, &previous, error))) {
        return age_ms >= AWS_SECRETS_PREVIOUS_MS;
    }
    const struct inquiry *wanted = is_previous ? &previous : &current;
    if (wanted->value.data == NULL) {
        return true;
    }
    if (hash < place.bytes) {
        return append_key(wanted, text_slice(place, hash + 1, place.bytes), value_out, error);
    }
    buffer_append_text(value_out, buffer_text(&wanted->value));
    return true;
}
