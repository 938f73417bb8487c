/* libmicrohttpd and GnuTLS alone, set up as our listener is: whatever is posted is read, thrown
 * away, and answered 200 with the same few bytes. What is left to say about a request costs this.
 *
 * usage: bare PORT CERTIFICATE KEY    (PEM files) Ends with its standard input. */
#include <microhttpd.h>

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PEM_BYTES    (64 * 1024)
#define MEMORY_BYTES ((size_t)24 * 1024)
#define THREADS      2u
#define PRIORITIES                                                                               \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM:+CHACHA20-POLY1305:" \
    "+AES-256-GCM:%SERVER_PRECEDENCE"

static char answer_text[] = "{}\n";
static char certificate[PEM_BYTES], key[PEM_BYTES];

static void read_file(const char *path, char out[PEM_BYTES]) {
    FILE *file = fopen(path, "r");
    if (file == NULL || fread(out, 1, PEM_BYTES - 1, file) == 0) {
        perror(path);
        exit(1);
    }
    fclose(file);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data,
                              size_t *bytes, void **context) {
    (void)url, (void)method, (void)version, (void)data;
    if (*context == NULL) {
        *context = arg; /* the headers are there; the body comes */
        return MHD_YES;
    }
    if (*bytes > 0) {
        *bytes = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, arg);
}

int main(int count, char **arguments) {
    if (count != 4) {
        fputs("usage: bare PORT CERTIFICATE KEY\n", stderr);
        return 2;
    }
    read_file(arguments[2], certificate);
    read_file(arguments[3], key);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        sizeof(answer_text) - 1, answer_text, MHD_RESPMEM_PERSISTENT);
    uint16_t port = (uint16_t)strtoul(arguments[1], NULL, 10);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME, port, NULL, NULL,
        answer, response, MHD_OPTION_HTTPS_MEM_CERT, certificate, MHD_OPTION_HTTPS_MEM_KEY, key,
        MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES, MHD_OPTION_THREAD_POOL_SIZE, THREADS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_BYTES, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_END);
    if (daemon == NULL) {
        fputs("bare: can't start\n", stderr);
        return 1;
    }
    while (getchar() != EOF) {}
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    return 0;
}
