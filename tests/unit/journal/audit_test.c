#include "testing.h"

#include "riposte/base/hex.h"
#include "riposte/journal/journal.h"

/* Computed from the words of the contract with Python's hashlib and struct. */
static const struct line_case {
    struct journal_audit_line line;
    const char *hash;
} line_cases[] = {
    {{.sequence = 1,
      .unix_ms = 1767323045000,
      .event = TEXT_INIT("detected"),
      .incident = TEXT_INIT("01ARZ3NDEKTSV4RRFFQ69G5FAV"),
      .text = TEXT_INIT("{\"rule\":\"a\"}")},
     "0d18a945b9887598198f3df69f0fab82d1abd216438857c850886e525eaa4e45"},
    {{.sequence = 2,
      .unix_ms = -1,
      .event = TEXT_INIT("stop"),
      .actor = TEXT_INIT("oncall"),
      .text = TEXT_INIT("{}")},
     "53bdeded70f0eefefdcad573bad3c7445e5c6520dc5dcba17b12eb338d6d8c94"},
};

static void the_chain_is_as_the_contract_says(void **state) {
    uint8_t previous[JOURNAL_HASH_BYTES] = {0};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(line_cases); i++) {
        char digits[2 * JOURNAL_HASH_BYTES + 1];
        journal_audit_hash(previous, &line_cases[i].line, previous);
        hex_encode(previous, sizeof(previous), digits);
        assert_string_equal(digits, line_cases[i].hash);
    }
}

static void states_are_named_and_parsed(void **state) {
    (void)state;
    for (int i = INCIDENT_DETECTED; i <= INCIDENT_DISMISSED; i++) {
        enum incident_state parsed = INCIDENT_DETECTED;
        struct text name = text_of(incident_state_name((enum incident_state)i));
        assert_true(name.bytes > 0);
        assert_true(incident_state_parse(name, &parsed));
        assert_int_equal(parsed, i);
    }
    enum incident_state parsed = INCIDENT_HELD;
    assert_false(incident_state_parse(TEXT("Held"), &parsed));
    assert_false(incident_state_parse(TEXT(""), &parsed));
    assert_int_equal(parsed, INCIDENT_HELD);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_chain_is_as_the_contract_says),
        cmocka_unit_test(states_are_named_and_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
