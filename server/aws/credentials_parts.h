/* What the sources of credentials share. Private to the folder.
 *
 * Threads:    any; asking may block. */
#ifndef RIPOSTE_SERVER_AWS_CREDENTIALS_PARTS_H
#define RIPOSTE_SERVER_AWS_CREDENTIALS_PARTS_H

#include "riposte/aws/credentials.h"

/* A set from what a source said. `token` and `expiration` may be empty. ERROR_INVALID: malformed.
 */
MUST_CHECK bool credentials_make(struct text key_id, struct text secret, struct text token,
                                 struct text expiration, struct aws_credentials **credentials_out,
                                 struct error *error);
/* From {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}, as agents of containers and
 * instances answer. ERROR_DENIED, ERROR_SYSTEM: they refused, with what they said. */
MUST_CHECK bool credentials_read_agent(const struct http_response *response,
                                       struct aws_credentials **credentials_out,
                                       struct error *error);
/* Up to `attempts` times when nobody answers, or with 5xx. */
MUST_CHECK bool credentials_ask(const struct aws_provider *provider, const struct permit *permit,
                                const struct http_request *request, int attempts,
                                struct http_reply **reply_out, struct error *error);
void credentials_wipe_reply(struct http_reply *reply);

/* The profile AWS_PROFILE ("default") of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials).
 * ERROR_NOT_FOUND: there is no such file or profile. */
MUST_CHECK bool credentials_from_file(const struct aws_provider *provider,
                                      struct aws_credentials **credentials_out,
                                      struct error *error);
/* The role of the EC2 instance that we run on (IMDSv2). ERROR_NOT_FOUND: it has none, or this is no
 * instance. */
MUST_CHECK bool credentials_from_instance(const struct aws_provider *provider,
                                          const struct permit *permit,
                                          struct aws_credentials **credentials_out,
                                          struct error *error);

#endif
