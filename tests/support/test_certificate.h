/* A certificate of its own for the listeners of a test's process.
 *
 * Threads:    the test's, before the first listener. */
#ifndef RIPOSTE_TESTS_TEST_CERTIFICATE_H
#define RIPOSTE_TESTS_TEST_CERTIFICATE_H

#include "riposte/base/buffer.h"
#include "riposte/base/memory.h"
#include "riposte/crypto/certificate.h"
#include "riposte/crypto/served_certificate.h"

/* For localhost and 127.0.0.1. As a group's setup wants it: 0, or 1. */
static inline int test_certificate_serve(void) {
    struct error error = {0};
    const char *const names[] = {"localhost", "127.0.0.1"};
    scoped(buffer_done) struct buffer certificate_pem = BUFFER_INIT;
    scoped(buffer_done) struct buffer key_pem = BUFFER_INIT;
    bool is_served =
        certificate_make(&clock_system, names, 2, &certificate_pem, &key_pem, &error) &&
        served_certificate_set(buffer_text(&certificate_pem), buffer_text(&key_pem), &error);
    return is_served ? 0 : 1;
}

#endif
