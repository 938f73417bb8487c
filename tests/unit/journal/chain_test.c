#include "testing.h"

#include "riposte/base/buffer.h"
#include "riposte/journal/chain.h"

#include <inttypes.h>
#include <stdio.h>

#define LINES  60
#define CUT    20 /* lines that are gone, named by line CHECKPOINT */
#define LATEST 40 /* the last checkpoint; line 30 is one that names line 10 */
#define ROUNDS 20000

/* A chain as a journal writes it; texts are of the fixture. */
struct fixture {
    struct journal_audit_line lines[LINES + 1]; /* by sequence; 0 is none */
    char texts[LINES + 1][120];
    size_t from; /* the first that is there */
};

static void seal(struct fixture *fixture, size_t sequence) {
    static const uint8_t none[JOURNAL_HASH_BYTES] = {0};
    struct journal_audit_line *line = &fixture->lines[sequence];
    journal_audit_hash(sequence == 1 ? none : fixture->lines[sequence - 1].hash, line, line->hash);
}

static void write_checkpoint(struct fixture *fixture, size_t sequence, size_t cut) {
    struct journal_anchor anchor = {.sequence = (int64_t)cut};
    char text[JOURNAL_ANCHOR_BYTES];
    memcpy(anchor.hash, fixture->lines[cut].hash, sizeof(anchor.hash));
    journal_anchor_format(&anchor, text);
    snprintf(fixture->texts[sequence], sizeof(fixture->texts[sequence]), "{\"cut\":\"%s\"}", text);
    fixture->lines[sequence].event = TEXT(JOURNAL_CHECKPOINT);
}

static void fixture_write(struct fixture *fixture, bool is_cut) {
    *fixture = (struct fixture){.from = is_cut ? CUT + 1 : 1};
    for (size_t i = 1; i <= LINES; i++) {
        struct journal_audit_line *line = &fixture->lines[i];
        line->sequence = (int64_t)i;
        line->unix_ms = 1767323045000 + (int64_t)i;
        line->event = TEXT("held");
        line->incident = TEXT("01ARZ3NDEKTSV4RRFFQ69G5FAV");
        line->actor = TEXT("oncall");
        snprintf(fixture->texts[i], sizeof(fixture->texts[i]), "{\"n\":%zu}", i);
        if (is_cut && i == 30) {
            write_checkpoint(fixture, i, 10);
        } else if (is_cut && i == LATEST) {
            write_checkpoint(fixture, i, CUT);
        }
        line->text = text_of(fixture->texts[i]);
        seal(fixture, i);
    }
}

static struct journal_anchor anchor_of(const struct fixture *fixture, size_t sequence) {
    struct journal_anchor anchor = {.sequence = (int64_t)sequence};
    memcpy(anchor.hash, fixture->lines[sequence].hash, sizeof(anchor.hash));
    return anchor;
}

/* "" when it is whole. */
static const char *judge(const struct fixture *fixture, size_t until, size_t missing,
                         const struct journal_anchor *anchor, struct journal_chain_end *end_out) {
    static struct error error;
    scoped(journal_chain_free) struct journal_chain *chain = journal_chain_new();
    error = (struct error){0};
    if (anchor != NULL) {
        journal_chain_expect(chain, anchor);
    }
    for (size_t i = fixture->from; i <= until; i++) {
        if (i != missing) {
            journal_chain_take(chain, &fixture->lines[i]);
        }
    }
    return journal_chain_conclude(chain, end_out, &error) ? "" : error.text;
}

static void what_was_written_is_whole(void **state) {
    struct fixture fixture;
    struct journal_chain_end end;
    (void)state;
    for (int is_cut = 0; is_cut < 2; is_cut++) {
        fixture_write(&fixture, is_cut != 0);
        assert_string_equal(judge(&fixture, LINES, 0, NULL, &end), "");
        assert_int_equal(end.lines, is_cut ? LINES - CUT : LINES);
        assert_int_equal(end.cut, is_cut ? CUT : 0);
        assert_int_equal(end.last.sequence, LINES);
        assert_memory_equal(end.last.hash, fixture.lines[LINES].hash, JOURNAL_HASH_BYTES);
    }
    scoped(journal_chain_free) struct journal_chain *empty = journal_chain_new();
    struct error error = {0};
    assert_ok(journal_chain_conclude(empty, &end, &error), &error);
    assert_int_equal(end.last.sequence, 0);
}

/* The same every time. */
struct random {
    uint64_t state;
};

static size_t random_below_of(struct random *random, size_t bound) {
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random->state >> 33) % bound;
}

/* One change, of a kind and at a place by chance; the line that must be named. */
static size_t tamper(struct fixture *fixture, struct random *random, size_t *missing_out,
                     const char **what_out) {
    size_t count = LINES - fixture->from + 1;
    size_t place = fixture->from + random_below_of(random, count);
    struct journal_audit_line *line = &fixture->lines[place];
    *missing_out = 0;
    *what_out = "is not what was written";
    switch (random_below_of(random, 7)) {
    case 0:
        line->unix_ms ^= INT64_C(1) << random_below_of(random, 60);
        return place;
    case 1:
        line->hash[random_below_of(random, JOURNAL_HASH_BYTES)] ^=
            (uint8_t)(1u << random_below_of(random, 8));
        return place;
    case 2: /* one bit of the text */
        fixture->texts[place][random_below_of(random, line->text.bytes)] ^=
            (char)(1u << random_below_of(random, 7));
        return place;
    case 3:
        line->event = TEXT("done");
        return place;
    case 4:
        line->actor = TEXT("");
        return place;
    case 5:
        place = place == LINES ? LINES - 1 : place; /* what is behind it is there */
        *missing_out = place;
        *what_out = "is missing";
        return place;
    default: {
        place = place == LINES ? LINES - 1 : place;
        struct journal_audit_line swapped = fixture->lines[place];
        fixture->lines[place] = fixture->lines[place + 1];
        fixture->lines[place + 1] = swapped;
        fixture->lines[place].sequence = (int64_t)place;
        fixture->lines[place + 1].sequence = (int64_t)place + 1;
        return place;
    }
    }
}

static void whatever_is_changed_is_named(void **state) {
    struct fixture fixture;
    struct random random = {20160114};
    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct journal_chain_end end;
        size_t missing = 0;
        const char *what = NULL;
        char expected[80];
        fixture_write(&fixture, round % 2 == 0);
        size_t place = tamper(&fixture, &random, &missing, &what);
        snprintf(expected, sizeof(expected), "line %zu %s", place, what);
        assert_string_equal(judge(&fixture, LINES, missing, NULL, &end), expected);
    }
}

static void more_than_what_was_cut_is_missing(void **state) {
    struct fixture fixture;
    struct journal_chain_end end;
    (void)state;
    fixture_write(&fixture, true);
    fixture.from = CUT + 5;
    assert_string_equal(judge(&fixture, LINES, 0, NULL, &end), "line 21 is missing");
    fixture.from = CUT - 5; /* with what was cut put back */
    assert_string_equal(judge(&fixture, LINES, 0, NULL, &end), "line 15 is not what was written");
    fixture.from = CUT + 1;
    assert_string_equal(judge(&fixture, LATEST - 1, 0, NULL, &end), "line 11 is missing");
    assert_string_equal(judge(&fixture, 29, 0, NULL, &end), "line 1 is missing");
}

static void an_anchor_finds_the_end_that_is_gone(void **state) {
    struct fixture fixture;
    struct journal_chain_end end;
    (void)state;
    fixture_write(&fixture, true);
    struct journal_anchor anchor = anchor_of(&fixture, 55);
    assert_string_equal(judge(&fixture, LINES, 0, &anchor, &end), "");
    assert_int_equal(end.anchors_cut, 0);
    assert_string_equal(judge(&fixture, 54, 0, &anchor, &end),
                        "it ends at line 54, the anchor is line 55");
    fixture.lines[50].actor = TEXT("nobody"); /* and all that follows written anew */
    for (size_t i = 50; i <= LINES; i++) {
        seal(&fixture, i);
    }
    assert_string_equal(judge(&fixture, LINES, 0, NULL, &end), "");
    assert_string_equal(judge(&fixture, LINES, 0, &anchor, &end),
                        "line 55 is not the anchor's: it was written anew");
}

static void an_anchor_of_what_was_cut_speaks_for_the_checkpoint_alone(void **state) {
    struct fixture fixture;
    struct journal_chain_end end;
    (void)state;
    fixture_write(&fixture, true);
    struct journal_anchor anchor = anchor_of(&fixture, 12);
    assert_string_equal(judge(&fixture, LINES, 0, &anchor, &end), "");
    assert_int_equal(end.anchors_cut, 1);
    anchor = anchor_of(&fixture, CUT);
    assert_string_equal(judge(&fixture, LINES, 0, &anchor, &end), "");
    assert_int_equal(end.anchors_cut, 0);
    anchor.hash[0] ^= 1;
    assert_string_equal(judge(&fixture, LINES, 0, &anchor, &end),
                        "line 20 is not the anchor's: it was written anew");
}

static void anchors_are_found_in_any_text(void **state) {
    struct fixture fixture;
    struct journal_anchor found = {0};
    scoped(buffer_done) struct buffer log = BUFFER_INIT;
    char text[JOURNAL_ANCHOR_BYTES];
    (void)state;
    fixture_write(&fixture, false);
    buffer_append_string(&log, "12:30:59 :: 7: ");
    for (size_t i = 1; i <= 3; i++) {
        struct journal_anchor anchor = anchor_of(&fixture, i);
        journal_anchor_format(&anchor, text);
        buffer_append_format(&log, "{\"message\":\"audit anchor %s\"}\n", text);
    }
    struct text rest = buffer_text(&log);
    for (int64_t i = 1; i <= 3; i++) {
        assert_true(journal_anchor_find(&rest, &found));
        assert_int_equal(found.sequence, i);
        assert_memory_equal(found.hash, fixture.lines[i].hash, JOURNAL_HASH_BYTES);
    }
    assert_false(journal_anchor_find(&rest, &found));
    assert_false(journal_anchor_parse(TEXT("7"), &found));
    assert_false(journal_anchor_parse(TEXT("0:00"), &found));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_whole),
        cmocka_unit_test(whatever_is_changed_is_named),
        cmocka_unit_test(more_than_what_was_cut_is_missing),
        cmocka_unit_test(an_anchor_finds_the_end_that_is_gone),
        cmocka_unit_test(an_anchor_of_what_was_cut_speaks_for_the_checkpoint_alone),
        cmocka_unit_test(anchors_are_found_in_any_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
