/* The client of AWS from a command line, for tests in Python. Parameters are a JSON object on
 * standard input.
 *
 *     aws_driver forms                              for each {"service", "operation", "parameters"}
 *                                                   of an array: the request's body, a line each
 *     aws_driver call SERVICE OPERATION REGION      prints the answer as a JSON object
 *     aws_driver bench SERVICE OPERATION REGION N   makes the call N times, prints times in us
 *     aws_driver identity                           prints who we are */
#include "riposte/aws/client.h"
#include "riposte/aws/protocol.h"
#include "riposte/aws/service.h"
#include "riposte/base/file.h"
#include "riposte/json/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct permit permit = {.class = PERMIT_WRITE, .mode = MODE_ENFORCE};

static int fail(const struct error *error) {
    fprintf(stderr, "%s: %s\n", error_code_name(error->code), error->text);
    return 1;
}

static void print(struct buffer *text) {
    fwrite(text->data, 1, text->bytes, stdout);
    fputc('\n', stdout);
}

static bool print_form(const struct json *call, struct error *error) {
    scoped(buffer_done) struct buffer body = BUFFER_INIT;
    struct text service = json_text(json_member(call, "service"));
    struct text operation = json_text(json_member(call, "operation"));
    if (!aws_operation_check(service, operation, error) ||
        !aws_protocol_form(aws_service_find(service), operation, json_member(call, "parameters"),
                           &body, error)) {
        return false;
    }
    print(&body);
    return true;
}

static int print_forms(const struct json *calls) {
    struct error error = {0};
    for (const struct json *call = json_first(calls); call != NULL; call = json_next(call)) {
        if (!print_form(call, &error)) {
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
    struct aws_options options = {.clock = &clock_system};
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
    struct aws_call call = {.service = text_of(words[2]),
                            .operation = text_of(words[3]),
                            .region = text_of(words[4]),
                            .parameters = parameters};
    if (strcmp(words[1], "bench") == 0 && count == 6) {
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
    bool is_forms = count == 2 && strcmp(words[1], "forms") == 0;
    if (!is_identity && !is_forms && count < 5) {
        fprintf(stderr, "usage: aws_driver forms|identity|call|bench SERVICE OPERATION REGION N\n");
        return 2;
    }
    if (!is_identity && (!file_read("-", 1 << 24, &input, &error) ||
                         !json_parse(buffer_text(&input), 0, arena, &parameters, NULL, &error))) {
        return fail(&error);
    }
    return is_forms ? print_forms(parameters) : with_client(count, words, parameters);
}
