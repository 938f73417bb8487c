/* What went wrong, in words for a person and a code for the caller.
 *
 * Ownership:  a struct error is filled by a failing call and owned by the caller, usually on its
 *             stack. Functions that take one accept no NULL.
 * Threads:    none; an error belongs to one call.
 * Bounds:     the text is cut at ERROR_TEXT_BYTES, at a UTF-8 boundary; context added later is kept
 *             and the innermost text is cut. */
#ifndef RIPOSTE_BASE_ERROR_H
#define RIPOSTE_BASE_ERROR_H

#include "riposte/base/attributes.h"

#include <stdbool.h>

#define ERROR_TEXT_BYTES 512

/* Grouped by what the caller can do, not by what broke. */
enum error_code {
    ERROR_NONE = 0,
    ERROR_INVALID,   /* the input is wrong: say so to whoever sent it; a retry is useless */
    ERROR_NOT_FOUND, /* what was asked for by name isn't there */
    ERROR_DENIED,    /* not allowed: credentials, permit, fencing number */
    ERROR_LIMIT,     /* too many, too large, too deep */
    ERROR_BUSY,      /* try again later */
    ERROR_SYSTEM,    /* the machine: disk, network, memory */
};

struct error {
    enum error_code code;
    char text[ERROR_TEXT_BYTES]; /* outermost context first: "rule ec2-stop: line 4: ..." */
};

/* Sets code and text. Always returns false, so that a caller can `return error_set(...)`. */
bool error_set(struct error *error, enum error_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Puts "<context>: " before the text and keeps the code. Always returns false. */
bool error_wrap(struct error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* ERROR_SYSTEM with "<context>: <strerror(errno_value)>". Always returns false. */
bool error_set_errno(struct error *error, int errno_value, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* "invalid", "not-found", ...: for logs and metrics. */
const char *error_code_name(enum error_code code);

#endif
