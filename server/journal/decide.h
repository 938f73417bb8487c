/* What becomes of a request, decided and stored within the transaction that journal.c has begun. A
 * decision that fails leaves it to its caller to take back what it did.
 *
 * Threads:    the journal's. */
#ifndef RIPOSTE_SERVER_JOURNAL_DECIDE_H
#define RIPOSTE_SERVER_JOURNAL_DECIDE_H

#include "ledger.h"

MUST_CHECK bool decide_append(struct ledger *ledger, const struct journal_new_event *events,
                              size_t count, bool *is_known, struct error *error);

/* Counts what the event shows; does the incident come about? */
MUST_CHECK bool decide_threshold(struct ledger *ledger, const struct journal_new_event *event,
                                 const struct journal_new_incident *new, bool *fires_out,
                                 struct error *error);

MUST_CHECK bool decide_admit(struct ledger *ledger, const struct journal_task *task,
                             const struct journal_admission *admission,
                             struct journal_admitted *admitted_out, struct error *error);

MUST_CHECK bool decide_write(struct ledger *ledger, struct journal_write *write,
                             struct error *error);

MUST_CHECK bool decide_undo(struct ledger *ledger, const struct ulid *incident, struct text actor,
                            bool with_resources, bool *is_new_out, struct error *error);

MUST_CHECK bool decide_approve(struct ledger *ledger, const struct ulid *incident,
                               struct text actor, struct text detail, bool is_override,
                               bool *is_new_out, struct error *error);
MUST_CHECK bool decide_dismiss(struct ledger *ledger, const struct ulid *incident,
                               struct text actor, bool *is_new_out, struct error *error);

/* An incident that an operator names. ERROR_NOT_FOUND. */
MUST_CHECK bool decide_find(struct ledger *ledger, const struct ulid *id,
                            struct store_incident *incident_out, struct error *error);
/* Always false: it can't do that (`verb`), because of its state (`why`), or since it joined
 * another. ERROR_INVALID. */
bool decide_refuse(const struct journal_incident *incident, const char *verb, const char *why,
                   struct error *error);

/* What an incident has a hand in still. */
struct decide_owned {
    bool has_effects;
    bool contains; /* one of them acts on the principal */
};
MUST_CHECK bool decide_owned(struct ledger *ledger, const struct ulid *incident,
                             struct decide_owned *owned_out, struct error *error);
/* Its tasks that nobody holds are gone; the others end with whoever holds them. */
MUST_CHECK bool decide_call_off(struct ledger *ledger, const struct ulid *incident,
                                struct error *error);

/* Deletes at most a few incidents behind *cursor; *cursor is none when it has seen them all. */
MUST_CHECK bool decide_retention(struct ledger *ledger, int64_t retain_ms, struct ulid *cursor,
                                 struct error *error);

/* Cuts a piece off the beginning of the audit chain, if all of it is older than retain_ms and about
 * nothing that is still there, and has a checkpoint name it (chain.h). */
MUST_CHECK bool decide_cut(struct ledger *ledger, int64_t retain_ms, bool *has_cut_out,
                           struct error *error);

/* The pieces of a write, about an incident as it was read in this transaction. */
MUST_CHECK bool decide_intent(struct ledger *ledger, struct store_incident *incident,
                              const struct journal_intent *intent, enum intent_result *result_out,
                              struct error *error);
/* May set incident->shown.contained_unix_ms, stored already. */
MUST_CHECK bool decide_outcome(struct ledger *ledger, struct store_incident *incident,
                               struct text call_key, const struct journal_outcome *outcome,
                               struct error *error);
MUST_CHECK bool decide_let_go(struct ledger *ledger, const struct ulid *incident, int64_t effect_id,
                              bool *must_release_out, struct error *error);
MUST_CHECK bool decide_released(struct ledger *ledger, const struct ulid *incident,
                                int64_t effect_id, struct error *error);

/* *is_granted_out: the target has drawn lately, or draws now. */
MUST_CHECK bool decide_reservation(struct ledger *ledger,
                                   const struct journal_reservation *reservation,
                                   bool *is_granted_out, struct error *error);

#endif
