#include "riposte/crypto/certificate.h"

#include "riposte/base/file.h"
#include "riposte/base/hex.h"
#include "riposte/base/memory.h"
#include "riposte/crypto/equal.h"
#include "riposte/crypto/random.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>

#define SERIAL_BYTES 16
#define BACKDATED_S  3600
#define LIFETIME_S   (INT64_C(731) * 24 * 3600)

static void certificate_done(gnutls_x509_crt_t *certificate) {
    if (*certificate != NULL) {
        gnutls_x509_crt_deinit(*certificate);
    }
}

static void key_done(gnutls_x509_privkey_t *key) {
    if (*key != NULL) {
        gnutls_x509_privkey_deinit(*key);
    }
}

static void datum_done(gnutls_datum_t *datum) {
    if (datum->data != NULL) {
        memory_wipe(datum->data, datum->size);
        gnutls_free(datum->data);
    }
}

static gnutls_datum_t datum_of(struct text text) {
    /* Only read from, whatever the type says. */
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text.data, (unsigned)text.bytes};
}

/* What every step of making one ends in. */
static bool worked(int code, struct error *error) {
    return code == GNUTLS_E_SUCCESS ||
           error_set(error, ERROR_SYSTEM, "certificates: %s", gnutls_strerror(code));
}

static bool generate_key(gnutls_x509_privkey_t *key, struct error *error) {
    unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    return worked(gnutls_x509_privkey_init(key), error) &&
           worked(gnutls_x509_privkey_generate(*key, GNUTLS_PK_ECDSA, bits, 0), error);
}

static bool set_serial(gnutls_x509_crt_t certificate, struct error *error) {
    uint8_t serial[SERIAL_BYTES];
    random_bytes(serial, sizeof(serial));
    serial[0] = (uint8_t)((serial[0] & 0x3F) | 0x40); /* positive and without leading zeros */
    return worked(gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial)), error);
}

static bool set_lifetime(gnutls_x509_crt_t certificate, int64_t now_s, struct error *error) {
    time_t from = (time_t)(now_s - BACKDATED_S);
    time_t until = (time_t)(now_s + LIFETIME_S);
    return worked(gnutls_x509_crt_set_activation_time(certificate, from), error) &&
           worked(gnutls_x509_crt_set_expiration_time(certificate, until), error);
}

static bool set_subject(gnutls_x509_crt_t certificate, struct error *error) {
    static const char name[] = "riposte";
    return worked(gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                                sizeof(name) - 1),
                  error);
}

static bool set_usage(gnutls_x509_crt_t certificate, struct error *error) {
    return worked(gnutls_x509_crt_set_basic_constraints(certificate, 0, -1), error) &&
           worked(gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE),
                  error) &&
           worked(gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0),
                  error);
}

static bool add_name(gnutls_x509_crt_t certificate, const char *name, struct error *error) {
    uint8_t address[sizeof(struct in6_addr)];
    gnutls_x509_subject_alt_name_t kind = GNUTLS_SAN_IPADDRESS;
    const void *data = address;
    size_t bytes = 0;
    if (inet_pton(AF_INET, name, address) == 1) {
        bytes = sizeof(struct in_addr);
    } else if (inet_pton(AF_INET6, name, address) == 1) {
        bytes = sizeof(struct in6_addr);
    } else {
        kind = GNUTLS_SAN_DNSNAME;
        data = name;
        bytes = strlen(name);
    }
    return worked(gnutls_x509_crt_set_subject_alt_name(certificate, kind, data, (unsigned)bytes,
                                                       GNUTLS_FSAN_APPEND),
                  error);
}

static bool add_names(gnutls_x509_crt_t certificate, const char *const *names, size_t count,
                      struct error *error) {
    for (size_t i = 0; i < count; i++) {
        if (!add_name(certificate, names[i], error)) {
            return false;
        }
    }
    return true;
}

static bool fill_and_sign(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key, int64_t now_s,
                          struct error *error) {
    return worked(gnutls_x509_crt_set_version(certificate, 3), error) &&
           set_serial(certificate, error) && set_lifetime(certificate, now_s, error) &&
           set_subject(certificate, error) && set_usage(certificate, error) &&
           worked(gnutls_x509_crt_set_key(certificate, key), error) &&
           worked(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0),
                  error);
}

static bool export_pair(gnutls_x509_crt_t certificate, gnutls_x509_privkey_t key,
                        struct buffer *certificate_pem, struct buffer *key_pem,
                        struct error *error) {
    scoped(datum_done) gnutls_datum_t certificate_text = {0};
    scoped(datum_done) gnutls_datum_t key_text = {0};
    if (!worked(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &certificate_text),
                error) ||
        !worked(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                                  &key_text),
                error)) {
        return false;
    }
    buffer_append(certificate_pem, certificate_text.data, certificate_text.size);
    buffer_append(key_pem, key_text.data, key_text.size);
    return true;
}

bool certificate_make(const struct clock *clock, const char *const *names, size_t count,
                      struct buffer *certificate_pem, struct buffer *key_pem, struct error *error) {
    scoped(key_done) gnutls_x509_privkey_t key = NULL;
    scoped(certificate_done) gnutls_x509_crt_t certificate = NULL;
    int64_t now_s = clock_unix_ms(clock) / 1000;
    return generate_key(&key, error) && worked(gnutls_x509_crt_init(&certificate), error) &&
           add_names(certificate, names, count, error) &&
           fill_and_sign(certificate, key, now_s, error) &&
           export_pair(certificate, key, certificate_pem, key_pem, error);
}

/* The first certificate of the text. */
static bool import_certificate(struct text pem, gnutls_x509_crt_t *certificate_out,
                               struct error *error) {
    gnutls_datum_t datum = datum_of(pem);
    if (!worked(gnutls_x509_crt_init(certificate_out), error)) {
        return false;
    }
    int failed = gnutls_x509_crt_import(*certificate_out, &datum, GNUTLS_X509_FMT_PEM);
    return failed == 0 ||
           error_set(error, ERROR_INVALID, "not a PEM certificate: %s", gnutls_strerror(failed));
}

static bool import_key(struct text pem, gnutls_x509_privkey_t *key_out, struct error *error) {
    gnutls_datum_t datum = datum_of(pem);
    if (!worked(gnutls_x509_privkey_init(key_out), error)) {
        return false;
    }
    int failed = gnutls_x509_privkey_import2(*key_out, &datum, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (failed == GNUTLS_E_DECRYPTION_FAILED) {
        return error_set(error, ERROR_INVALID,
                         "the private key is encrypted: store it in the "
                         "clear in a file that only the server may read");
    }
    return failed == 0 ||
           error_set(error, ERROR_INVALID, "not a PEM private key: %s", gnutls_strerror(failed));
}

bool certificate_check_pair(struct text certificate_pem, struct text key_pem, struct error *error) {
    scoped(certificate_done) gnutls_x509_crt_t certificate = NULL;
    scoped(key_done) gnutls_x509_privkey_t key = NULL;
    if (!import_certificate(certificate_pem, &certificate, error) ||
        !import_key(key_pem, &key, error)) {
        return false;
    }
    uint8_t certificate_id[SHA256_BYTES];
    uint8_t key_id[SHA256_BYTES];
    size_t certificate_id_bytes = sizeof(certificate_id);
    size_t key_id_bytes = sizeof(key_id);
    if (gnutls_x509_crt_get_key_id(certificate, GNUTLS_KEYID_USE_SHA256, certificate_id,
                                   &certificate_id_bytes) != 0 ||
        gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, key_id, &key_id_bytes) != 0 ||
        !crypto_equal_bytes(certificate_id, key_id, sizeof(key_id))) {
        return error_set(error, ERROR_INVALID,
                         "the private key is not the one this certificate was made for");
    }
    return true;
}

static bool read_pair(const char *certificate_path, const char *key_path,
                      struct buffer *certificate_pem, struct buffer *key_pem, struct error *error) {
    if (!file_read(certificate_path, CERTIFICATE_FILE_MAX_BYTES, certificate_pem, error) ||
        !file_read(key_path, CERTIFICATE_FILE_MAX_BYTES, key_pem, error)) {
        return false;
    }
    if (!certificate_check_pair(buffer_text(certificate_pem), buffer_text(key_pem), error)) {
        return error_wrap(error, "certificate %s, key %s", certificate_path, key_path);
    }
    return true;
}

static void wiped_buffer_done(struct buffer *buffer) {
    memory_wipe(buffer->data, buffer->bytes);
    buffer_done(buffer);
}

bool certificate_read(const char *certificate_path, const char *key_path,
                      struct buffer *certificate_pem, struct buffer *key_pem, struct error *error) {
    scoped(buffer_done) struct buffer certificate = BUFFER_INIT;
    scoped(wiped_buffer_done) struct buffer key = BUFFER_INIT;
    if (!read_pair(certificate_path, key_path, &certificate, &key, error)) {
        return false;
    }
    buffer_append_text(certificate_pem, buffer_text(&certificate));
    buffer_append_text(key_pem, buffer_text(&key));
    return true;
}

bool certificate_inspect(struct text certificate_pem, struct certificate_facts *facts_out,
                         struct error *error) {
    scoped(certificate_done) gnutls_x509_crt_t certificate = NULL;
    if (!import_certificate(certificate_pem, &certificate, error)) {
        return false;
    }
    uint8_t digest[SHA256_BYTES];
    size_t digest_bytes = sizeof(digest);
    int failed = gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, digest,
                                                 &digest_bytes);
    if (failed != 0) {
        return error_set(error, ERROR_INVALID, "certificate: %s", gnutls_strerror(failed));
    }
    hex_encode(digest, digest_bytes, facts_out->fingerprint);
    facts_out->not_before_unix_ms = (int64_t)gnutls_x509_crt_get_activation_time(certificate) *
                                    1000;
    facts_out->not_after_unix_ms = (int64_t)gnutls_x509_crt_get_expiration_time(certificate) * 1000;
    return true;
}
