/* What a browser sends: cookies and forms. Private to the folder.
 *
 * Ownership:  values are views of the header, or appended to the caller's buffer.
 * Threads:    pure.
 * Source:     RFC 6265 (Cookie); WHATWG URL, application/x-www-form-urlencoded. */
#ifndef RIPOSTE_SERVER_OPERATE_FORM_H
#define RIPOSTE_SERVER_OPERATE_FORM_H

#include "riposte/base/arena.h"
#include "riposte/base/attributes.h"
#include "riposte/base/text.h"

/* Of a Cookie header; empty when absent, or there more than once: whose it is can't be told. */
struct text cookie_value(struct text header, struct text name);
/* A form's field, decoded, into `arena`; empty when absent, or with a "%" that isn't followed by
 * two digits. Of several of one name the first. */
struct text form_value(struct text body, struct text name, struct arena *arena);

#endif
