#include "riposte/crypto/certificate.h"

#include "riposte/base/memory.h"
#include "riposte/crypto/served_certificate.h"

#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#define NOW_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

static const char *const names[] = {"localhost", "127.0.0.1", "::1"};

struct pair {
    struct buffer certificate, key;
};

static void make_pair(struct pair *pair) {
    struct fake_clock fake;
    fake_clock_init(&fake, NOW_MS);
    *pair = (struct pair){BUFFER_INIT, BUFFER_INIT};
    struct error error = {0};
    assert_ok(certificate_make(&fake.clock, names, 3, &pair->certificate, &pair->key, &error),
              &error);
}

static void pair_done(struct pair *pair) {
    buffer_done(&pair->certificate);
    buffer_done(&pair->key);
}

static void write_file(const char *path, struct text text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.data, 1, text.bytes, file), text.bytes);
    assert_int_equal(fclose(file), 0);
}

static void test_a_made_certificate_belongs_to_its_key_and_lasts(void **state) {
    (void)state;
    scoped(pair_done) struct pair pair;
    make_pair(&pair);
    assert_true(
        text_starts_with(buffer_text(&pair.certificate), TEXT("-----BEGIN CERTIFICATE-----\n")));
    assert_true(text_starts_with(buffer_text(&pair.key), TEXT("-----BEGIN PRIVATE KEY-----\n")));
    struct error error = {0};
    assert_ok(
        certificate_check_pair(buffer_text(&pair.certificate), buffer_text(&pair.key), &error),
        &error);
    struct certificate_facts facts = {0};
    assert_ok(certificate_inspect(buffer_text(&pair.certificate), &facts, &error), &error);
    assert_int_equal(facts.not_before_unix_ms, NOW_MS - 3600 * 1000);
    assert_true(facts.not_after_unix_ms > NOW_MS + INT64_C(730) * 24 * 3600 * 1000);
    assert_int_equal(strlen(facts.fingerprint), SHA256_HEX_BYTES - 1);
}

static void test_two_certificates_differ(void **state) {
    (void)state;
    scoped(pair_done) struct pair one;
    scoped(pair_done) struct pair other;
    make_pair(&one);
    make_pair(&other);
    struct certificate_facts facts = {0};
    struct certificate_facts other_facts = {0};
    struct error error = {0};
    assert_ok(certificate_inspect(buffer_text(&one.certificate), &facts, &error), &error);
    assert_ok(certificate_inspect(buffer_text(&other.certificate), &other_facts, &error), &error);
    assert_string_not_equal(facts.fingerprint, other_facts.fingerprint);
    assert_fails(
        certificate_check_pair(buffer_text(&one.certificate), buffer_text(&other.key), &error),
        &error, ERROR_INVALID, "not the one this certificate was made for");
}

/* Made with openssl: openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes. */
static void test_a_known_certificate_has_its_known_fingerprint(void **state) {
    (void)state;
    scoped(buffer_done) struct buffer pem = BUFFER_INIT;
    load_fixture("tests/unit/crypto/known-certificate.pem", &pem);
    struct certificate_facts facts = {0};
    struct error error = {0};
    assert_ok(certificate_inspect(buffer_text(&pem), &facts, &error), &error);
    assert_string_equal(facts.fingerprint,
                        "cd88c44fffcc1cc7506d3bbcbf738270ab024272379eb7fbcd05120a742c9f38");
    assert_int_equal(facts.not_after_unix_ms, INT64_C(2110866332000));
}

static void test_what_is_no_pem_is_refused(void **state) {
    (void)state;
    scoped(pair_done) struct pair pair;
    make_pair(&pair);
    struct text certificate = buffer_text(&pair.certificate);
    struct error error = {0};
    struct certificate_facts facts = {0};
    assert_fails(certificate_inspect(TEXT(""), &facts, &error), &error, ERROR_INVALID,
                 "not a PEM certificate");
    assert_fails(
        certificate_inspect(text_slice(certificate, 0, certificate.bytes / 2), &facts, &error),
        &error, ERROR_INVALID, "not a PEM certificate");
    assert_fails(certificate_check_pair(certificate, TEXT(""), &error), &error, ERROR_INVALID,
                 "not a PEM private key");
    assert_fails(certificate_check_pair(certificate, certificate, &error), &error, ERROR_INVALID,
                 "not a PEM private key");
}

static void test_an_encrypted_key_is_refused_with_what_to_do(void **state) {
    (void)state;
    scoped(pair_done) struct pair pair;
    make_pair(&pair);
    scoped(buffer_done) struct buffer key = BUFFER_INIT;
    load_fixture("tests/unit/crypto/encrypted-key.pem", &key);
    struct error error = {0};
    assert_fails(certificate_check_pair(buffer_text(&pair.certificate), buffer_text(&key), &error),
                 &error, ERROR_INVALID, "encrypted");
}

static void test_files_are_read_and_checked(void **state) {
    (void)state;
    char folder[] = "/tmp/riposte-certificate-XXXXXX";
    assert_non_null(mkdtemp(folder));
    scoped(memory_free_at) char *certificate_path = file_join(folder, "certificate.pem");
    scoped(memory_free_at) char *key_path = file_join(folder, "key.pem");
    scoped(pair_done) struct pair made;
    scoped(pair_done) struct pair read = {BUFFER_INIT, BUFFER_INIT};
    make_pair(&made);
    write_file(certificate_path, buffer_text(&made.certificate));

    struct error error = {0};
    assert_fails(certificate_read(certificate_path, key_path, &read.certificate, &read.key, &error),
                 &error, ERROR_NOT_FOUND, key_path);
    assert_int_equal(read.certificate.bytes, 0);

    write_file(key_path, buffer_text(&made.key));
    assert_ok(certificate_read(certificate_path, key_path, &read.certificate, &read.key, &error),
              &error);
    assert_text_equal(buffer_text(&read.key), buffer_string(&made.key));

    unlink(certificate_path);
    unlink(key_path);
    rmdir(folder);
}

static void test_when_the_served_one_ends(void **state) {
    (void)state;
    struct error error = {0};
    struct certificate_facts facts = {0};
    scoped(pair_done) struct pair pair;
    make_pair(&pair);
    assert_int_equal(served_certificate_expiry(), 0); /* none is served yet */
    assert_ok(certificate_inspect(buffer_text(&pair.certificate), &facts, &error), &error);
    assert_ok(
        served_certificate_set(buffer_text(&pair.certificate), buffer_text(&pair.key), &error),
        &error);
    assert_int_equal(served_certificate_expiry(), facts.not_after_unix_ms);
    assert_fails(served_certificate_set(TEXT("none"), buffer_text(&pair.key), &error), &error,
                 ERROR_INVALID, "");
    assert_int_equal(served_certificate_expiry(), facts.not_after_unix_ms);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_made_certificate_belongs_to_its_key_and_lasts),
        cmocka_unit_test(test_two_certificates_differ),
        cmocka_unit_test(test_a_known_certificate_has_its_known_fingerprint),
        cmocka_unit_test(test_what_is_no_pem_is_refused),
        cmocka_unit_test(test_an_encrypted_key_is_refused_with_what_to_do),
        cmocka_unit_test(test_files_are_read_and_checked),
        cmocka_unit_test(test_when_the_served_one_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
