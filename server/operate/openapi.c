#include "admin_parts.h"
#include "routes.h"

/* openapi.json, as it is in this folder. */
extern const unsigned char embedded_openapi[];
extern const size_t embedded_openapi_bytes;

void handle_openapi(void *arg, struct request *request) {
    (void)arg;
    struct text document = {(const char *)embedded_openapi, embedded_openapi_bytes};
    request_answer(request, &(struct answer){.status = 200, .body = document});
}
