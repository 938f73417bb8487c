#include "riposte/aws/listing.h"

#include "riposte/base/arena.h"
#include "riposte/base/memory.h"

#include <stdlib.h>

struct aws_listing {
    aws_call_fn *call_fn;
    void *arg;
    struct arena *arena; /* of the texts */
    struct text *accounts;
    size_t count, capacity;
    size_t pages;
    struct text token; /* of the next page; empty: the first, or, when complete, none */
    bool is_complete;
};

struct aws_listing *aws_listing_new(aws_call_fn *call_fn, void *arg) {
    struct aws_listing *listing = memory_new(sizeof(*listing));
    listing->call_fn = call_fn;
    listing->arg = arg;
    listing->arena = arena_new();
    return listing;
}

void aws_listing_free(struct aws_listing **listing) {
    if (*listing != NULL) {
        arena_free(&(*listing)->arena);
        free((*listing)->accounts);
        memory_free_at(listing);
    }
}

/* The last page may spell that there is no other with null. */
static struct text next_token(const struct json *body) {
    const struct json *token = json_member(body, "NextToken");
    return json_is_string(token) ? json_text(token) : TEXT("");
}

static bool is_active(const struct json *account) {
    const struct json *state = json_member(account, "State");
    state = state != NULL ? state : json_member(account, "Status");
    return text_equal(json_text(state), TEXT("ACTIVE"));
}

static bool add_account(struct aws_listing *listing, const struct json *account,
                        struct error *error) {
    struct text id = json_text(json_member(account, "Id"));
    if (!is_active(account)) {
        return true;
    }
    if (id.bytes == 0) {
        return error_set(error, ERROR_INVALID, "an account without an id");
    }
    if (listing->count == AWS_LISTING_ACCOUNTS) {
        return error_set(error, ERROR_LIMIT, "more than %d accounts", AWS_LISTING_ACCOUNTS);
    }
    listing->accounts = memory_grow_array(listing->accounts, &listing->capacity, listing->count + 1,
                                          sizeof(*listing->accounts));
    listing->accounts[listing->count++] = arena_copy_text(listing->arena, id);
    return true;
}

static int compare_texts(const void *a, const void *b) {
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

/* Accounts that move while they are listed may come twice. */
static void sort(struct aws_listing *listing) {
    size_t kept = 0;
    if (listing->count > 0) {
        qsort(listing->accounts, listing->count, sizeof(*listing->accounts), compare_texts);
    }
    for (size_t i = 0; i < listing->count; i++) {
        if (kept == 0 || !text_equal(listing->accounts[kept - 1], listing->accounts[i])) {
            listing->accounts[kept++] = listing->accounts[i];
        }
    }
    listing->count = kept;
}

static bool read_page(struct aws_listing *listing, const struct json *body, struct error *error) {
    const struct json *accounts = json_member(body, "Accounts");
    struct text token = next_token(body);
    if (!json_is_array(accounts)) {
        return error_set(error, ERROR_INVALID, "an answer without accounts");
    }
    for (const struct json *account = json_first(accounts); account != NULL;
         account = json_next(account)) {
        if (!add_account(listing, account, error)) {
            return false;
        }
    }
    if (token.bytes > 0 &&
        (text_equal(token, listing->token) || ++listing->pages > AWS_LISTING_ACCOUNTS)) {
        return error_set(error, ERROR_INVALID, "pages without end");
    }
    listing->token = arena_copy_text(listing->arena, token);
    listing->is_complete = token.bytes == 0;
    if (listing->is_complete) {
        sort(listing);
    }
    /* Our own account is active, or nobody could ask. */
    return !listing->is_complete || listing->count > 0 ||
           error_set(error, ERROR_INVALID, "no active account is listed");
}

static bool has_failed(const struct aws_answer *answer, struct error *error) {
    bool may_work_later = answer->outcome == AWS_RETRY || answer->outcome == AWS_NO_ANSWER;
    return error_set(error, may_work_later ? ERROR_SYSTEM : ERROR_DENIED, "%.*s: %.*s",
                     TEXT_ARG(answer->error_code), TEXT_ARG(answer->message));
}

bool aws_listing_next(struct aws_listing *listing, const struct permit *permit,
                      struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    struct json *parameters = json_new_object(arena);
    if (listing->token.bytes > 0) {
        json_add_text(arena, parameters, "NextToken", listing->token);
    }
    struct aws_call call = {.service = TEXT("organizations"),
                            .operation = TEXT("ListAccounts"),
                            .parameters = parameters};
    scoped(aws_answer_free) struct aws_answer *answer = listing->call_fn(listing->arg, permit,
                                                                         &call);
    return (answer->outcome == AWS_OK ? read_page(listing, answer->body, error)
                                      : has_failed(answer, error)) ||
           error_wrap(error, "organizations:ListAccounts");
}

bool aws_listing_is_complete(const struct aws_listing *listing) {
    return listing->is_complete;
}

const struct text *aws_listing_accounts(struct aws_listing *listing, size_t *count_out) {
    *count_out = listing->count;
    return listing->accounts;
}
