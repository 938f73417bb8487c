#include "riposte/crypto/served_certificate.h"

#include "riposte/base/memory.h"
#include "riposte/base/mutex.h"
#include "riposte/crypto/certificate.h"
#include "riposte/crypto/equal.h"
#include "riposte/crypto/sha256.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdint.h>
#include <stdlib.h>

struct pair {
    struct pair *before; /* what it replaced */
    uint8_t hash[SHA256_BYTES];
    gnutls_pcert_st chain[SERVED_CERTIFICATE_CHAIN];
    unsigned chain_count;
    gnutls_privkey_t key;
    int64_t not_after_unix_ms;
};

static struct mutex lock = MUTEX_INIT;
static struct pair *current GUARDED_BY(lock);

static gnutls_datum_t datum_of(struct text text) {
    /* Only read from, whatever the type says. */
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text.data, (unsigned)text.bytes};
}

static void pair_free(struct pair **pair) {
    if (*pair == NULL) {
        return;
    }
    for (unsigned i = 0; i < (*pair)->chain_count; i++) {
        gnutls_pcert_deinit(&(*pair)->chain[i]);
    }
    if ((*pair)->key != NULL) {
        gnutls_privkey_deinit((*pair)->key);
    }
    free(*pair);
    *pair = NULL;
}

static bool import_pair(struct pair *pair, struct text certificate_pem, struct text key_pem,
                        struct error *error) {
    gnutls_datum_t chain = datum_of(certificate_pem);
    gnutls_datum_t key = datum_of(key_pem);
    unsigned count = SERVED_CERTIFICATE_CHAIN;
    int code = gnutls_pcert_list_import_x509_raw(pair->chain, &count, &chain, GNUTLS_X509_FMT_PEM,
                                                 0);
    if (code == GNUTLS_E_SUCCESS) {
        pair->chain_count = count;
        code = gnutls_privkey_init(&pair->key);
    }
    if (code == GNUTLS_E_SUCCESS) {
        code = gnutls_privkey_import_x509_raw(pair->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    }
    return code == GNUTLS_E_SUCCESS ||
           error_set(error, ERROR_INVALID, "certificate: %s", gnutls_strerror(code));
}

static void hash_pair(struct text certificate_pem, struct text key_pem,
                      uint8_t hash[static SHA256_BYTES]) {
    const struct text parts[] = {certificate_pem, key_pem};
    sha256_parts(parts, ARRAY_COUNT(parts), hash);
}

bool served_certificate_set(struct text certificate_pem, struct text key_pem, struct error *error) {
    struct certificate_facts facts = {0};
    if (!certificate_check_pair(certificate_pem, key_pem, error) ||
        !certificate_inspect(certificate_pem, &facts, error)) {
        return false;
    }
    scoped(pair_free) struct pair *pair = memory_new(sizeof(*pair));
    pair->not_after_unix_ms = facts.not_after_unix_ms;
    hash_pair(certificate_pem, key_pem, pair->hash);
    if (!import_pair(pair, certificate_pem, key_pem, error)) {
        return false;
    }
    mutex_lock(&lock);
    if (current == NULL || !crypto_equal_bytes(current->hash, pair->hash, sizeof(pair->hash))) {
        pair->before = current;
        current = pair;
        pair = NULL;
    }
    mutex_unlock(&lock);
    return true;
}

int64_t served_certificate_expiry(void) {
    mutex_lock(&lock);
    int64_t not_after_unix_ms = current != NULL ? current->not_after_unix_ms : 0;
    mutex_unlock(&lock);
    return not_after_unix_ms;
}

static int retrieve(gnutls_session_t session, const gnutls_datum_t *authorities,
                    int authority_count, const gnutls_pk_algorithm_t *algorithms,
                    int algorithm_count, gnutls_pcert_st **chain_out, unsigned *chain_count_out,
                    gnutls_privkey_t *key_out) {
    (void)session;
    (void)authorities;
    (void)authority_count;
    (void)algorithms;
    (void)algorithm_count;
    mutex_lock(&lock);
    struct pair *pair = current;
    mutex_unlock(&lock);
    if (pair == NULL) {
        return -1; /* the handshake fails */
    }
    *chain_out = pair->chain;
    *chain_count_out = pair->chain_count;
    *key_out = pair->key;
    return 0;
}

served_certificate_fn *served_certificate_callback(void) {
    return (served_certificate_fn *)retrieve;
}
