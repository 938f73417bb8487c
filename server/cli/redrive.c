#include "riposte/cli/redrive.h"

#include "riposte/aws/client.h"
#include "riposte/cli/command.h"
#include "riposte/cli/options.h"
#include "riposte/cli/target.h"
#include "riposte/json/tree.h"

#include <stdio.h>

#define BATCH_MESSAGES    10
#define WAIT_SECONDS      1
#define INVISIBLE_SECONDS 600 /* what the server refused doesn't come round again meanwhile */

/* An operator's word, on the operator's credentials. */
static const struct permit permit = {.class = PERMIT_WRITE, .mode = MODE_ENFORCE};

struct redrive {
    struct target target;
    struct secret secret;
    struct aws_client *client;
    struct text queue, region, url;
    size_t taken, refused;
};

static void redrive_done(struct redrive *redrive) {
    aws_client_free(&redrive->client);
    secret_done(&redrive->secret);
    target_done(&redrive->target);
}

/* Of https://sqs.REGION.amazonaws.com/...; elsewhere the environment says it. */
static struct text region_of(struct text queue) {
    size_t start = text_find(queue, TEXT("//sqs."));
    struct text rest = text_slice(queue, start + 6, queue.bytes);
    return text_contains(queue, TEXT(".amazonaws.com"))
               ? text_slice(rest, 0, text_find_byte(rest, '.', 0))
               : (struct text){NULL, 0};
}

static bool ask(const struct redrive *redrive, const char *operation, struct json *parameters,
                struct arena *arena, struct aws_answer **answer_out, struct error *error) {
    json_add_text(arena, parameters, "QueueUrl", redrive->queue);
    const struct aws_call call = {.service = TEXT("sqs"),
                                  .operation = text_of(operation),
                                  .region = redrive->region,
                                  .parameters = parameters,
                                  .timeout_ms = 30000};
    *answer_out = aws_call(redrive->client, &permit, &call);
    return (*answer_out)->outcome == AWS_OK ||
           error_set(error, ERROR_SYSTEM, "sqs:%s: %.*s %.*s", operation,
                     TEXT_ARG((*answer_out)->error_code), TEXT_ARG((*answer_out)->message));
}

static bool delete (const struct redrive *redrive, const struct json *message, struct arena *arena,
                    struct error *error) {
    scoped(aws_answer_free) struct aws_answer *answer = NULL;
    struct json *parameters = json_new_object(arena);
    json_add_text(arena, parameters, "ReceiptHandle",
                  json_text(json_member(message, "ReceiptHandle")));
    return ask(redrive, "DeleteMessage", parameters, arena, &answer, error);
}

static bool post(struct redrive *redrive, struct text event, int *status_out, struct error *error) {
    scoped(buffer_done) struct buffer answer = BUFFER_INIT;
    const struct http_header headers[] = {
        {redrive->target.settings.authenticate.header,
         {redrive->secret.text, redrive->secret.bytes}},
        {TEXT("Content-Type"), TEXT("application/json; charset=utf-8")},
    };
    return target_request(&redrive->target, TEXT("POST"), redrive->url, headers,
                          ARRAY_COUNT(headers), event, status_out, &answer, error);
}

/* What will never be taken (400, 413) stays in the queue; what may be taken later ends it all. */
static bool redrive_message(struct redrive *redrive, const struct json *message,
                            struct arena *arena, struct error *error) {
    int status = 0;
    struct text id = json_text(json_member(message, "MessageId"));
    if (!post(redrive, json_text(json_member(message, "Body")), &status, error)) {
        return false;
    }
    if (status == 400 || status == 413) {
        redrive->refused++;
        fprintf(stderr, "riposte redrive: message %.*s: %d, no event: it stays\n", TEXT_ARG(id),
                status);
        return true;
    }
    if (status < 200 || status >= 300) {
        return error_set(error, ERROR_BUSY, "the server answered %d", status);
    }
    redrive->taken++;
    return delete (redrive, message, arena, error);
}

static bool redrive_batch(struct redrive *redrive, size_t *count_out, struct error *error) {
    scoped(arena_free) struct arena *arena = arena_new();
    scoped(aws_answer_free) struct aws_answer *answer = NULL;
    struct json *parameters = json_new_object(arena);
    json_add_member(arena, parameters, TEXT("MaxNumberOfMessages"),
                    json_new_integer(arena, BATCH_MESSAGES));
    json_add_member(arena, parameters, TEXT("WaitTimeSeconds"),
                    json_new_integer(arena, WAIT_SECONDS));
    json_add_member(arena, parameters, TEXT("VisibilityTimeout"),
                    json_new_integer(arena, INVISIBLE_SECONDS));
    if (!ask(redrive, "ReceiveMessage", parameters, arena, &answer, error)) {
        return false;
    }
    const struct json *messages = json_member(answer->body, "Messages");
    *count_out = json_count(messages);
    for (const struct json *message = json_first(messages); message != NULL;
         message = json_next(message)) {
        if (!redrive_message(redrive, message, arena, error)) {
            return false;
        }
    }
    return true;
}

static bool redrive_all(struct redrive *redrive, struct error *error) {
    size_t count = 0;
    do {
        if (!redrive_batch(redrive, &count, error)) {
            return false;
        }
    } while (count > 0);
    return true;
}

static bool open_all(struct redrive *redrive, const char *settings, const char *url,
                     const char *ca_file, struct error *error) {
    struct target *target = &redrive->target;
    if (!target_open(target, settings, ca_file, error) ||
        !target_secret(target, &target->settings.authenticate.secrets, "secret", &redrive->secret,
                       error)) {
        return false;
    }
    struct text base = target_events_url(target);
    redrive->url = url ? text_of(url)
                       : arena_format(target->arena, "%.*s%.*s", TEXT_ARG(base),
                                      TEXT_ARG(target->settings.listen.path));
    const struct aws_options options = {
        .http = target->client, .clock = &clock_system, .endpoint = target->settings.aws.endpoint};
    return aws_client_new(&options, &redrive->client, error);
}

int cli_redrive(int argc, char **argv) {
    const char *settings = NULL, *url = NULL, *ca_file = NULL;
    const struct cli_option options[] = {
        {"config", 'c', &settings, NULL}, {"url", 0, &url, NULL}, {"ca-file", 0, &ca_file, NULL}};
    int first = cli_options(argc, argv, options, ARRAY_COUNT(options));
    if (first < 0) {
        return EXIT_INVALID;
    }
    if (first + 1 != argc) {
        return cli_fail(argv[0], "name the URL of one queue");
    }
    struct error error = {0};
    scoped(redrive_done) struct redrive redrive = {.queue = text_of(argv[first])};
    redrive.region = region_of(redrive.queue);
    if (!open_all(&redrive, settings, url, ca_file, &error)) {
        return cli_fail(argv[0], "%s", error.text);
    }
    bool is_done = redrive_all(&redrive, &error);
    printf("%zu taken, %zu refused\n", redrive.taken, redrive.refused);
    if (!is_done) {
        fprintf(stderr, "riposte redrive: stopped, the rest waits in the queue: %s\n", error.text);
    }
    return is_done && redrive.refused == 0 ? EXIT_GOOD : EXIT_NO;
}
