#include "riposte/aws/endpoint.h"

#include "riposte/base/buffer.h"
#include "riposte/outbound/url.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define REGION_MAX_BYTES 32

/* The last one takes all other Regions. */
static const struct partition {
    const char *name, *region_prefix, *suffix;
    const char *first_region; /* for whom any Region will do */
} partitions[] = {
    {"aws-cn", "cn-", "amazonaws.com.cn", "cn-north-1"},
    {"aws-us-gov", "us-gov-", "amazonaws.com", "us-gov-west-1"},
    {"aws-eusc", "eusc-", "amazonaws.eu", "eusc-de-east-1"},
    {NULL, "us-iso", NULL, NULL},
    {NULL, "eu-iso", NULL, NULL},
    {"aws", "", "amazonaws.com", "us-east-1"},
};

/* Services with one endpoint a partition, signed with a Region of its own. */
static const struct place {
    const char *service, *partition, *host, *region;
} places[] = {
    {"iam", "aws", "iam.amazonaws.com", "us-east-1"},
    {"iam", "aws-cn", "iam.cn-north-1.amazonaws.com.cn", "cn-north-1"},
    {"iam", "aws-us-gov", "iam.us-gov.amazonaws.com", "us-gov-west-1"},
    {"iam", "aws-eusc", "iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
    {"organizations", "aws", "organizations.us-east-1.amazonaws.com", "us-east-1"},
    {"organizations", "aws-cn", "organizations.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
    {"organizations", "aws-us-gov", "organizations.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"organizations", "aws-eusc", "organizations.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
    {"account", "aws", "account.us-east-1.amazonaws.com", "us-east-1"},
    {"account", "aws-cn", "account.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
    {"account", "aws-us-gov", "account.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
    {"account", "aws-eusc", "account.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"},
    {"route53", "aws", "route53.amazonaws.com", "us-east-1"},
    {"route53", "aws-cn", "route53.amazonaws.com.cn", "cn-northwest-1"},
    {"route53", "aws-us-gov", "route53.us-gov.amazonaws.com", "us-gov-west-1"},
    {"route53", "aws-eusc", "route53.amazonaws.eu", "eusc-de-east-1"},
    {"cloudfront", "aws", "cloudfront.amazonaws.com", "us-east-1"},
    {"cloudfront", "aws-cn", "cloudfront.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"},
    {"cloudfront", "aws-us-gov", "cloudfront.amazonaws.com", "us-gov-west-1"},
    {"cloudfront", "aws-eusc", "cloudfront.amazonaws.eu", "eusc-de-east-1"},
    {"shield", "aws", "shield.us-east-1.amazonaws.com", "us-east-1"},
};

static const struct place *find_place(const struct aws_service *service,
                                      const struct partition *partition) {
    for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
        if (strcmp(places[i].service, service->name) == 0 &&
            strcmp(places[i].partition, partition->name) == 0) {
            return &places[i];
        }
    }
    return NULL;
}

/* Letters, digits and inner hyphens: nothing that could end a label of a host name. */
static bool is_region(struct text region) {
    for (size_t i = 0; i < region.bytes; i++) {
        char c = region.data[i];
        bool is_hyphen = c == '-' && i > 0 && i + 1 < region.bytes;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || is_hyphen)) {
            return false;
        }
    }
    return region.bytes > 0 && region.bytes <= REGION_MAX_BYTES;
}

static const struct partition *find_partition(struct text region) {
    const struct partition *partition = partitions;
    while (!text_starts_with(region, text_of(partition->region_prefix))) {
        partition++;
    }
    return partition;
}

const char *aws_partition_of_region(struct text region) {
    return is_region(region) ? find_partition(region)->name : NULL;
}

/* The Region to ask, which may come out empty. */
static bool choose_region(const struct aws_environment *environment, struct text *region,
                          struct error *error) {
    if (region->bytes == 0) {
        *region = aws_environment_get(environment, "AWS_REGION");
    }
    if (region->bytes == 0) {
        *region = aws_environment_get(environment, "AWS_DEFAULT_REGION");
    }
    if (region->bytes > 0 && !is_region(*region)) {
        return error_set(error, ERROR_INVALID, "\"%.*s\" is not the name of a Region",
                         TEXT_ARG(*region));
    }
    return true;
}

static bool find_configured(const struct aws_environment *environment, struct text configured,
                            const struct aws_service *service, struct text *url_out) {
    *url_out = configured;
    if (url_out->bytes == 0 &&
        !aws_environment_is_true(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) {
        char name[64];
        snprintf(name, sizeof(name), "AWS_ENDPOINT_URL_%s", service->environment_name);
        *url_out = aws_environment_get(environment, name);
        if (url_out->bytes == 0) {
            *url_out = aws_environment_get(environment, "AWS_ENDPOINT_URL");
        }
    }
    return url_out->bytes > 0;
}

static bool use_configured(struct text configured, struct arena *arena,
                           struct aws_endpoint *endpoint, struct error *error) {
    struct url url;
    if (!url_parse(configured, &url, error)) {
        return error_wrap(error, "the configured endpoint");
    }
    if (text_find_byte(url.target, '?', 0) < url.target.bytes) {
        return error_set(error, ERROR_INVALID, "the configured endpoint must not hold a query");
    }
    scoped(buffer_done) struct buffer text = BUFFER_INIT;
    url_append_origin(&url, &text);
    struct text origin = arena_copy_text(arena, buffer_text(&text));
    buffer_clear(&text);
    url_append_authority(&url, &text);
    endpoint->authority = arena_copy_text(arena, buffer_text(&text));
    endpoint->path = url.target.bytes > 0 ? arena_copy_text(arena, url.target) : TEXT("/");
    endpoint->url = arena_format(arena, "%.*s%.*s", TEXT_ARG(origin), TEXT_ARG(endpoint->path));
    endpoint->is_configured = true;
    return true;
}

/* A client that must use other endpoints may not silently get these. */
static bool check_variants(const struct aws_environment *environment, struct error *error) {
    static const char *const variants[] = {"AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"};
    for (size_t i = 0; i < ARRAY_COUNT(variants); i++) {
        if (aws_environment_is_true(environment, variants[i])) {
            return error_set(error, ERROR_INVALID,
                             "%s is not supported yet: name the endpoints by AWS_ENDPOINT_URL_...",
                             variants[i]);
        }
    }
    return true;
}

bool aws_endpoint_resolve(const struct aws_environment *environment, struct text configured,
                          const struct aws_service *service, struct text region,
                          struct arena *arena, struct aws_endpoint *endpoint_out,
                          struct error *error) {
    if (!choose_region(environment, &region, error)) {
        return false;
    }
    const struct partition *partition = find_partition(region);
    if (partition->name == NULL) {
        return error_set(error, ERROR_INVALID, "the partition of %.*s is not supported yet",
                         TEXT_ARG(region));
    }
    /* Any Region of the partition can say who we are. */
    const struct place *place = find_place(service, partition);
    bool is_anywhere = place != NULL || strcmp(service->name, "sts") == 0;
    if (region.bytes == 0 && !is_anywhere) {
        return error_set(error, ERROR_INVALID, "no Region: the event names none, nor AWS_REGION");
    }
    struct aws_endpoint endpoint = {
        .signing_region = place != NULL      ? text_of(place->region)
                          : region.bytes > 0 ? arena_copy_text(arena, region)
                                             : text_of(partition->first_region),
        .path = TEXT("/"),
    };
    struct text url;
    if (find_configured(environment, configured, service, &url)) {
        if (!use_configured(url, arena, &endpoint, error)) {
            return false;
        }
    } else if (!check_variants(environment, error)) {
        return false;
    } else {
        endpoint.authority = place != NULL ? text_of(place->host)
                                           : arena_format(arena, "%s.%.*s.%s", service->host,
                                                          TEXT_ARG(endpoint.signing_region),
                                                          partition->suffix);
        endpoint.url = arena_format(arena, "https://%.*s/", TEXT_ARG(endpoint.authority));
    }
    *endpoint_out = endpoint;
    return true;
}
