#include "riposte/respond/guard.h"

#include "riposte/base/time.h"
#include "riposte/json/tree.h"

/* `*` is any characters. Linear: after a star the last one alone is ever gone back to. */
static bool glob_matches(struct text glob, struct text text) {
    size_t g = 0, t = 0, star = glob.bytes, resume = 0;
    while (t < text.bytes) {
        if (g < glob.bytes && glob.data[g] == '*') {
            star = g++;
            resume = t;
        } else if (g < glob.bytes && glob.data[g] == text.data[t]) {
            g++;
            t++;
        } else if (star < glob.bytes) {
            g = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (g < glob.bytes && glob.data[g] == '*') {
        g++;
    }
    return g == glob.bytes;
}

/* The ARN as the event spells it: for a session, with its name. */
static struct text identity_arn(const struct subject_event *event) {
    const struct json *identity = json_member(json_member(event->root, "detail"), "userIdentity");
    return json_text(json_member(identity, "arn"));
}

static struct text behind_last_slash(struct text text) {
    size_t from = text.bytes;
    while (from > 0 && text.data[from - 1] != '/') {
        from--;
    }
    return text_slice(text, from, text.bytes);
}

/* Calls name a user by `userName`. Where that is not the name in the ARN (a user just renamed, an
 * event made up), an entry that ends in this name means it too, whatever path it has. */
static bool is_protected_by_name(struct text entry, const struct principal *principal) {
    return principal->kind == PRINCIPAL_USER && text_contains(entry, TEXT(":user/")) &&
           !text_equal(principal->name, behind_last_slash(principal->arn)) &&
           glob_matches(behind_last_slash(entry), principal->name);
}

/* Who opened the session: a role, or the user that a federated one may do as much as. */
static struct text issuer_arn(const struct subject_event *event) {
    const struct json *identity = json_member(json_member(event->root, "detail"), "userIdentity");
    const struct json *session = json_member(identity, "sessionContext");
    return json_text(json_member(json_member(session, "sessionIssuer"), "arn"));
}

bool guard_is_protected(struct text entry, const struct subject_event *event) {
    const struct principal *principal = &event->principal;
    const struct text spellings[] = {principal->arn,       identity_arn(event),
                                     issuer_arn(event),    principal->unique_id,
                                     principal->issuer_id, principal->session};
    for (size_t i = 0; i < ARRAY_COUNT(spellings); i++) {
        if (spellings[i].bytes > 0 && glob_matches(entry, spellings[i])) {
            return true;
        }
    }
    return is_protected_by_name(entry, principal);
}

static bool decide(struct guard_verdict *verdict, enum guard_decision decision, bool must_page,
                   struct text reason) {
    *verdict = (struct guard_verdict){decision, must_page, reason};
    return true;
}

/* Each question returns true when it has decided. */

static struct text before_colon(struct text text) {
    return text_slice(text, 0, text_find_byte(text, ':', 0));
}

static bool is_ours(const struct guard_facts *facts, struct arena *arena,
                    struct guard_verdict *verdict) {
    const struct principal *principal = &facts->event->principal;
    if (facts->is_own_key) {
        return decide(
            verdict, GUARD_SUPPRESS, false,
            arena_format(arena, "our own access key %.*s", TEXT_ARG(principal->access_key_id)));
    }
    struct text self = before_colon(facts->identity->unique_id);
    bool is_self = facts->identity->is_known && self.bytes > 0 &&
                   (text_equal(before_colon(principal->unique_id), self) ||
                    text_equal(principal->issuer_id, self));
    bool is_role = facts->own_role.bytes > 0 && text_equal(principal->arn, facts->own_role);
    if (is_self || is_role) {
        return decide(verdict, GUARD_HOLD, true,
                      arena_format(arena, "our own %s, with an access key that is not ours: %.*s",
                                   principal->kind == PRINCIPAL_USER ? "user" : "role",
                                   TEXT_ARG(principal->access_key_id)));
    }
    return false;
}

static bool contains(const struct texts *texts, struct text text) {
    for (size_t i = 0; i < texts->count; i++) {
        if (text_equal(texts->items[i], text)) {
            return true;
        }
    }
    return false;
}

static bool is_elsewhere(const struct guard_facts *facts, struct arena *arena,
                         struct guard_verdict *verdict) {
    const struct envelope *envelope = &facts->event->envelope;
    const struct guard_identity *identity = facts->identity;
    if (!identity->is_known && facts->needs_identity) {
        return decide(verdict, GUARD_HOLD, true,
                      arena_format(arena, "whose account %.*s is can't be asked: %.*s",
                                   TEXT_ARG(envelope->account), TEXT_ARG(identity->why)));
    }
    if (identity->is_known && !text_equal(identity->account, envelope->account) &&
        !contains(&facts->accounts, envelope->account)) {
        return decide(verdict, GUARD_HOLD, false,
                      arena_format(arena, "account %.*s is not ours", TEXT_ARG(envelope->account)));
    }
    if (facts->regions.count > 0 && !contains(&facts->regions, envelope->region)) {
        return decide(verdict, GUARD_HOLD, false,
                      arena_format(arena, "region %.*s is not one of aws.regions",
                                   TEXT_ARG(envelope->region)));
    }
    return false;
}

static bool is_out_of_time(const struct guard_facts *facts, struct arena *arena,
                           struct guard_verdict *verdict) {
    const struct envelope *envelope = &facts->event->envelope;
    char age[TIME_TEXT_BYTES], limit[TIME_TEXT_BYTES];
    if (!envelope->has_time) {
        return decide(verdict, GUARD_HOLD, false,
                      arena_format(arena, "the event's time can't be read: \"%.*s\"",
                                   TEXT_ARG(text_slice(envelope->time, 0, 64))));
    }
    if (facts->overrides_age) {
        return false;
    }
    int64_t age_ms = facts->received_unix_ms - envelope->time_unix_ms;
    if (age_ms < -GUARD_AHEAD_MS) {
        duration_describe(-age_ms, age);
        return decide(verdict, GUARD_HOLD, false,
                      arena_format(arena, "the event is dated %s ahead", age));
    }
    if (facts->max_event_age_ms > 0 && age_ms > facts->max_event_age_ms) {
        duration_describe(age_ms, age);
        duration_format(facts->max_event_age_ms, limit);
        return decide(verdict, GUARD_HOLD, false,
                      arena_format(arena, "the event was %s old at receipt, max_event_age is %s",
                                   age, limit));
    }
    return false;
}

static bool is_untouchable(const struct guard_facts *facts, struct arena *arena,
                           struct guard_verdict *verdict) {
    const struct principal *principal = &facts->event->principal;
    size_t protected_count = facts->overrides_protection ? 0 : facts->protected_principals.count;
    for (size_t i = 0; i < protected_count; i++) {
        struct text entry = facts->protected_principals.items[i];
        if (guard_is_protected(entry, facts->event)) {
            return decide(
                verdict, GUARD_HOLD, true,
                arena_format(arena, "the principal is protected by \"%.*s\"", TEXT_ARG(entry)));
        }
    }
    if (principal->kind != PRINCIPAL_UNKNOWN) {
        return false;
    }
    const struct json *identity = json_member(json_member(facts->event->root, "detail"),
                                              "userIdentity");
    struct text type = text_slice(json_text(json_member(identity, "type")), 0, 64);
    return decide(verdict, GUARD_HOLD, true,
                  identity == NULL
                      ? TEXT("the principal is unknown: the event has no userIdentity")
                      : arena_format(arena,
                                     "the principal is unknown: userIdentity of type \"%.*s\"",
                                     TEXT_ARG(type)));
}

void guard_judge(const struct guard_facts *facts, struct arena *arena,
                 struct guard_verdict *verdict_out) {
    if (is_ours(facts, arena, verdict_out) || is_elsewhere(facts, arena, verdict_out) ||
        is_out_of_time(facts, arena, verdict_out) || is_untouchable(facts, arena, verdict_out)) {
        return;
    }
    struct text open = facts->identity->is_known ? TEXT("") : TEXT("ownership unknown");
    decide(verdict_out, GUARD_PASS, false, open);
}
