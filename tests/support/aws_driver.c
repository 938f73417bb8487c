/* The client of AWS from a command line, for tests in Python. Parameters are a JSON object on
 * standard input.
 *
 *     aws_driver requests                           for each {"service", "operation", "region",
 *                                                   "parameters", "request"} of an array: what
 *                                                   would be sent, a JSON object on a line each
 *     aws_driver call SERVICE OPERATION REGION [ACCOUNT [ROLE]]
 *                                                   prints the answer as a JSON object; standard
 *                                                   input: parameters, or {"request": ...}
 *     aws_driver bench SERVICE OPERATION REGION N   makes the call N times, prints times in us
 *     aws_driver identity                           prints who we are */
#include "riposte/aws/client.h"
#include "riposte/aws/request.h"
#include "riposte/base/file.h"
#include "riposte/json/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIGNED_UNIX_MS INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */

static const struct permit permit = {.class = PERMIT_WRITE, .mode = MODE_ENFORCE};

static int fail(const struct error *error) {
    fprintf(stderr, "%s: %s\n", error_code_name(error->code), error->text);
    return 1;
}

static void print(struct buffer *text) {
    fwrite(text->data, 1, text->bytes, stdout);
    fputc('\n', stdout);
}

/* Nothing of this process: the endpoints are those of AWS. */
static const char *no_variable(void *arg, const char *name) {
    (void)arg;
    (void)name;
    return NULL;
}

static void write_request(const struct aws_request *request, struct buffer *out) {
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(aws_credentials_unref) struct aws_credentials *credentials = aws_credentials_new(
        TEXT("AKIDEXAMPLE"), TEXT("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), TEXT("a/token+=="),
        0);
    struct http_header headers[AWS_REQUEST_HEADERS];
    size_t count = aws_request_sign(request, credentials, SIGNED_UNIX_MS, NULL, arena, headers);
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_open_object(&writer, NULL);
    json_put_text(&writer, "method", request->method);
    json_put_text(&writer, "url", request->url);
    json_open_array(&writer, "headers");
    for (size_t i = 0; i < count; i++) {
        json_open_array(&writer, NULL);
        json_put_text(&writer, NULL, headers[i].name);
        json_put_text(&writer, NULL, headers[i].value);
        json_close_array(&writer);
    }
    json_close_array(&writer);
    json_put_text(&writer, "body", request->body);
    json_close_object(&writer);
}

static bool print_request(const struct json *said, struct error *error) {
    static const struct aws_environment nowhere = {no_variable, NULL};
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    struct aws_request request;
    struct aws_call call = {.service = json_text(json_member(said, "service")),
                            .operation = json_text(json_member(said, "operation")),
                            .region = json_text(json_member(said, "region")),
                            .parameters = json_member(said, "parameters"),
                            .request = json_member(said, "request")};
    if (!aws_request_make(&nowhere, TEXT(""), &call, arena, &request, error)) {
        return error_wrap(error, "%.*s:%.*s", TEXT_ARG(call.service), TEXT_ARG(call.operation));
    }
    write_request(&request, &out);
    print(&out);
    return true;
}

static int print_requests(const struct json *calls) {
    struct error error = {0};
    for (const struct json *call = json_first(calls); call != NULL; call = json_next(call)) {
        if (!print_request(call, &error)) {
            return fail(&error);
        }
    }
    return 0;
}

static void print_answer(const struct aws_answer *answer) {
    scoped(buffer_done) struct buffer out = BUFFER_INIT;
    struct json_writer writer;
    json_writer_init(&writer, &out);
    json_open_object(&writer, NULL);
    json_put_string(&writer, "outcome", aws_outcome_name(answer->outcome));
    json_put_integer(&writer, "status", answer->status);
    json_put_text(&writer, "code", answer->error_code);
    json_put_text(&writer, "message", answer->message);
    json_put_text(&writer, "request_id", answer->request_id);
    json_put_tree(&writer, "body", answer->body);
    json_close_object(&writer);
    print(&out);
}

static int64_t cpu_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void bench(struct aws_client *client, const struct aws_call *call, int times) {
    int64_t took_us = 0;
    int64_t cpu_from_us = 0;
    for (int i = -1; i < times; i++) { /* the first one opens the connection */
        scoped(aws_answer_free) struct aws_answer *answer = aws_call(client, &permit, call);
        took_us += i < 0 ? 0 : answer->took_us;
        cpu_from_us = i < 0 ? cpu_us() : cpu_from_us;
    }
    printf("{\"took_us\":%lld,\"cpu_us\":%lld}\n", (long long)took_us / times,
           (long long)(cpu_us() - cpu_from_us) / times);
}

static int print_identity(struct aws_client *client) {
    struct error error = {0};
    struct aws_identity identity;
    if (!aws_identity(client, &permit, &identity, &error)) {
        return fail(&error);
    }
    printf("%s %s %s %s\n", identity.partition, identity.account, identity.arn, identity.unique_id);
    return 0;
}

static int with_client(int count, char **words, const struct json *parameters) {
    struct error error = {0};
    scoped(http_client_free) struct http_client *http = NULL;
    scoped(aws_client_free) struct aws_client *client = NULL;
    static const struct aws_tag tags[] = {{TEXT_INIT("tool"), TEXT_INIT("riposte")}};
    bool is_bench = strcmp(words[1], "bench") == 0;
    struct aws_options options = {
        .clock = &clock_system,
        .roles = {.role = TEXT("arn:${partition}:iam::${account}:role/riposte-responder"),
                  .external_id = TEXT("an external id"),
                  .tags = tags,
                  .tag_count = 1}};
    if (!http_client_new(&(struct http_options){0}, &http, &error)) {
        return fail(&error);
    }
    options.http = http;
    if (!aws_client_new(&options, &client, &error)) {
        return fail(&error);
    }
    if (strcmp(words[1], "identity") == 0) {
        return print_identity(client);
    }
    struct aws_call call = {
        .service = text_of(words[2]), .operation = text_of(words[3]), .region = text_of(words[4])};
    call.account = text_of(count > 5 && !is_bench ? words[5] : NULL);
    call.role = text_of(count > 6 ? words[6] : NULL);
    call.request = json_member(parameters, "request");
    call.parameters = call.request == NULL ? parameters : NULL;
    if (is_bench && count == 6) {
        bench(client, &call, (int)strtol(words[5], NULL, 10));
        return 0;
    }
    scoped(aws_answer_free) struct aws_answer *answer = aws_call(client, &permit, &call);
    print_answer(answer);
    return 0;
}

int main(int count, char **words) {
    struct error error = {0};
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(buffer_done) struct buffer input = BUFFER_INIT;
    const struct json *parameters = NULL;
    bool is_identity = count == 2 && strcmp(words[1], "identity") == 0;
    bool is_requests = count == 2 && strcmp(words[1], "requests") == 0;
    if (!is_identity && !is_requests && count < 5) {
        fprintf(stderr,
                "usage: aws_driver requests|identity|call|bench SERVICE OPERATION REGION N\n");
        return 2;
    }
    if (!is_identity && (!file_read("-", 1 << 24, &input, &error) ||
                         !json_parse(buffer_text(&input), 0, arena, &parameters, NULL, &error))) {
        return fail(&error);
    }
    return is_requests ? print_requests(parameters) : with_client(count, words, parameters);
}
