#include "riposte/aws/identity.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"

#include <stdlib.h>
#include <string.h>

struct aws_identities {
    struct mutex lock; /* of `shared` */
    struct condition has_changed;
    struct {
        bool is_asking;
        char *key_id; /* whose identity it is; NULL: not asked yet */
        struct aws_identity identity;
    } shared;
};

/* --- the answer of STS --- */

static bool copy_text(struct text value, char *out, size_t out_bytes) {
    if (value.bytes == 0 || value.bytes >= out_bytes) {
        return false;
    }
    memcpy(out, value.data, value.bytes);
    out[value.bytes] = '\0';
    return true;
}

bool aws_identity_read(const struct json *body, struct aws_identity *identity_out,
                       struct error *error) {
    struct aws_identity identity = {0};
    struct text arn = json_text(json_member(body, "Arn"));
    if (!copy_text(json_text(json_member(body, "Account")), identity.account,
                   sizeof(identity.account)) ||
        !copy_text(arn, identity.arn, sizeof(identity.arn)) ||
        !copy_text(json_text(json_member(body, "UserId")), identity.unique_id,
                   sizeof(identity.unique_id))) {
        return error_set(error, ERROR_INVALID, "sts:GetCallerIdentity says too little");
    }
    struct text prefix = TEXT("");
    struct text partition = TEXT("");
    if (!text_next_part(&arn, ':', &prefix) || !text_next_part(&arn, ':', &partition) ||
        !copy_text(partition, identity.partition, sizeof(identity.partition))) {
        return error_set(error, ERROR_INVALID, "sts:GetCallerIdentity says no ARN");
    }
    *identity_out = identity;
    return true;
}

/* --- memory --- */

struct aws_identities *aws_identities_new(void) {
    struct aws_identities *identities = memory_new(sizeof(*identities));
    mutex_init(&identities->lock);
    condition_init(&identities->has_changed);
    return identities;
}

void aws_identities_free(struct aws_identities **identities_at) {
    struct aws_identities *identities = *identities_at;
    if (identities == NULL) {
        return;
    }
    free(identities->shared.key_id);
    condition_done(&identities->has_changed);
    mutex_done(&identities->lock);
    free(identities);
    *identities_at = NULL;
}

bool aws_identities_recall(struct aws_identities *identities, struct text key_id,
                           struct aws_identity *identity_out) {
    mutex_lock(&identities->lock);
    while (identities->shared.is_asking) {
        condition_wait(&identities->has_changed, &identities->lock);
    }
    const char *known = identities->shared.key_id;
    bool is_known = known != NULL && key_id.bytes > 0 && text_equal_string(key_id, known);
    if (is_known) {
        *identity_out = identities->shared.identity;
    } else {
        identities->shared.is_asking = true;
    }
    mutex_unlock(&identities->lock);
    return is_known;
}

static void store(struct aws_identities *identities, struct text key_id,
                  const struct aws_identity *identity) REQUIRES(&identities->lock);

static void store(struct aws_identities *identities, struct text key_id,
                  const struct aws_identity *identity) {
    free(identities->shared.key_id);
    identities->shared.key_id = text_copy(key_id);
    identities->shared.identity = *identity;
}

void aws_identities_remember(struct aws_identities *identities, struct text key_id,
                             const struct aws_identity *identity) {
    mutex_lock(&identities->lock);
    if (identity != NULL) {
        store(identities, key_id, identity);
    }
    identities->shared.is_asking = false;
    condition_broadcast(&identities->has_changed);
    mutex_unlock(&identities->lock);
}

void aws_identities_learn(struct aws_identities *identities, struct text key_id,
                          const struct aws_identity *identity) {
    mutex_lock(&identities->lock);
    store(identities, key_id, identity);
    mutex_unlock(&identities->lock);
}

bool aws_identities_latest(struct aws_identities *identities, struct aws_identity *identity_out) {
    mutex_lock(&identities->lock);
    bool is_known = identities->shared.key_id != NULL;
    if (is_known) {
        *identity_out = identities->shared.identity;
    }
    mutex_unlock(&identities->lock);
    return is_known;
}
