#include "riposte/event/arn.h"

static struct text cut_part(struct text *rest) {
    size_t colon = text_find_byte(*rest, ':', 0);
    struct text part = text_slice(*rest, 0, colon);
    *rest = text_slice(*rest, colon + 1, rest->bytes);
    return part;
}

bool arn_parse(struct text text, struct arn *arn_out) {
    struct text rest = text;
    if (!text_equal(cut_part(&rest), TEXT("arn"))) {
        return false;
    }
    struct arn arn = {.partition = cut_part(&rest)};
    arn.service = cut_part(&rest);
    arn.region = cut_part(&rest);
    arn.account = cut_part(&rest);
    arn.resource = rest;
    if (arn.partition.bytes == 0 || arn.service.bytes == 0 || arn.resource.bytes == 0) {
        return false;
    }
    *arn_out = arn;
    return true;
}

struct text arn_name(const struct arn *arn) {
    struct text resource = arn->resource;
    size_t from = resource.bytes;
    while (from > 0 && resource.data[from - 1] != '/' && resource.data[from - 1] != ':') {
        from--;
    }
    return text_slice(resource, from, resource.bytes);
}
