#include "riposte/base/hex.h"
#include "riposte/base/memory.h"
#include "riposte/crypto/equal.h"
#include "riposte/crypto/hmac.h"
#include "riposte/crypto/random.h"
#include "riposte/crypto/sha256.h"

#include "testing.h"

/* FIPS 180-4 examples, and the empty message. */
static const struct hash_case {
    const char *name;
    struct text message;
    const char *digest;
} hash_cases[] = {
    {"nothing", TEXT_INIT(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"one block", TEXT_INIT("abc"),
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"two blocks", TEXT_INIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void test_sha256(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(hash_cases); i++) {
        const struct hash_case *row = &hash_cases[i];
        testing_row(row->name);
        char digits[SHA256_HEX_BYTES];
        sha256_hex(row->message, digits);
        assert_text_equal(text_of(digits), row->digest);

        /* In two parts, cut in the middle, with an empty one between. */
        struct text parts[] = {text_slice(row->message, 0, row->message.bytes / 2),
                               {NULL, 0},
                               text_slice(row->message, row->message.bytes / 2, SIZE_MAX)};
        uint8_t digest[SHA256_BYTES];
        sha256_parts(parts, 3, digest);
        hex_encode(digest, sizeof(digest), digits);
        assert_text_equal(text_of(digits), row->digest);
    }
}

/* RFC 4231, and a key that isn't there. */
static const struct hmac_case {
    const char *name, *key_hex;
    struct text message;
    const char *digest;
} hmac_cases[] = {
    {"test case 1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", TEXT_INIT("Hi There"),
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"test case 2", "4a656665", TEXT_INIT("what do ya want for nothing?"),
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"test case 6: a key of 131 bytes",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     TEXT_INIT("Test Using Larger Than Block-Size Key - Hash Key First"),
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"no key, no message", "", TEXT_INIT(""),
     "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
};

static void test_hmac_sha256(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(hmac_cases); i++) {
        const struct hmac_case *row = &hmac_cases[i];
        testing_row(row->name);
        char key[256];
        struct text key_text = {key, strlen(row->key_hex) / 2};
        assert_true(hex_decode(text_of(row->key_hex), key, key_text.bytes));
        uint8_t digest[HMAC_SHA256_BYTES];
        hmac_sha256(key_text, row->message, digest);
        char digits[2 * HMAC_SHA256_BYTES + 1];
        hex_encode(digest, sizeof(digest), digits);
        assert_text_equal(text_of(digits), row->digest);
    }
}

static void test_hmac_may_replace_its_own_key(void **state) {
    (void)state;
    uint8_t chained[HMAC_SHA256_BYTES] = {1, 2, 3};
    uint8_t key[HMAC_SHA256_BYTES] = {1, 2, 3};
    uint8_t expected[HMAC_SHA256_BYTES];
    hmac_sha256((struct text){(const char *)key, sizeof(key)}, TEXT("20260101"), expected);
    hmac_sha256((struct text){(const char *)chained, sizeof(chained)}, TEXT("20260101"), chained);
    assert_memory_equal(chained, expected, sizeof(expected));
}

static const struct equal_case {
    const char *name;
    struct text a, b;
    bool is_equal;
} equal_cases[] = {
    {"the same", TEXT_INIT("secret"), TEXT_INIT("secret"), true},
    {"first byte", TEXT_INIT("Secret"), TEXT_INIT("secret"), false},
    {"last byte", TEXT_INIT("secreT"), TEXT_INIT("secret"), false},
    {"a prefix", TEXT_INIT("secre"), TEXT_INIT("secret"), false},
    {"longer by a NUL", TEXT_INIT("secret\0"), TEXT_INIT("secret"), false},
    {"different behind a NUL", TEXT_INIT("se\0ret"), TEXT_INIT("se\0reT"), false},
    {"nothing and something", TEXT_INIT(""), TEXT_INIT("secret"), false},
    {"nothing twice", TEXT_INIT(""), {NULL, 0}, true},
};

static void test_crypto_equal(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(equal_cases); i++) {
        const struct equal_case *row = &equal_cases[i];
        testing_row(row->name);
        assert_int_equal(crypto_equal(row->a, row->b), row->is_equal);
        assert_int_equal(crypto_equal(row->b, row->a), row->is_equal);
    }
}

static void test_crypto_equal_bytes(void **state) {
    (void)state;
    assert_true(crypto_equal_bytes("a\0b", "a\0b", 3));
    assert_false(crypto_equal_bytes("a\0b", "a\0c", 3));
    assert_true(crypto_equal_bytes("a\0b", "a\0c", 2));
}

static void test_random_bytes_fill_everything_and_differ(void **state) {
    (void)state;
    uint8_t one[64] = {0};
    uint8_t other[64] = {0};
    random_bytes(one, sizeof(one));
    random_bytes(other, sizeof(other));
    assert_memory_not_equal(one, other, sizeof(one));
    assert_memory_not_equal(one, other, 16);
    assert_memory_not_equal(one + 48, other + 48, 16);
}

static void test_random_below_reaches_every_value_and_no_other(void **state) {
    (void)state;
    bool seen[3] = {false};
    for (size_t i = 0; i < 200; i++) {
        uint64_t value = random_below(3);
        assert_true(value < 3);
        seen[value] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2]);
    assert_int_equal(random_below(1), 0);
}

static void test_random_ulids_carry_the_time_and_differ(void **state) {
    (void)state;
    struct ulid one = random_ulid(1767225600000);
    struct ulid other = random_ulid(1767225600000);
    assert_int_equal(ulid_unix_ms(&one), 1767225600000);
    assert_memory_equal(one.text, other.text, 10);
    assert_string_not_equal(one.text, other.text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_hmac_sha256),
        cmocka_unit_test(test_hmac_may_replace_its_own_key),
        cmocka_unit_test(test_crypto_equal),
        cmocka_unit_test(test_crypto_equal_bytes),
        cmocka_unit_test(test_random_bytes_fill_everything_and_differ),
        cmocka_unit_test(test_random_below_reaches_every_value_and_no_other),
        cmocka_unit_test(test_random_ulids_carry_the_time_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
