#include "riposte/outbound/url.h"

#include <arpa/inet.h>
#include <string.h>

static bool take_scheme(struct text *rest, struct url *url) {
    static const struct text https = TEXT_INIT("https://");
    static const struct text http = TEXT_INIT("http://");
    url->is_https = text_starts_with(*rest, https);
    if (!url->is_https && !text_starts_with(*rest, http)) {
        return false;
    }
    url->port = url->is_https ? 443 : 80;
    *rest = text_slice(*rest, url->is_https ? https.bytes : http.bytes, rest->bytes);
    return true;
}

/* Up to `bytes` of them, as a string for inet_pton(). */
static bool is_address(int family, struct text host, void *address_out) {
    char string[INET6_ADDRSTRLEN];
    if (host.bytes == 0 || host.bytes >= sizeof(string)) {
        return false;
    }
    memcpy(string, host.data, host.bytes);
    string[host.bytes] = '\0';
    return inet_pton(family, string, address_out) == 1;
}

static bool is_host_name(struct text host) {
    for (size_t i = 0; i < host.bytes; i++) {
        char c = host.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '.' || c == '_')) {
            return false;
        }
    }
    return host.bytes > 0 && host.bytes <= 253;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static bool take_authority(struct text authority, struct url *url) {
    size_t end;
    if (authority.bytes > 0 && authority.data[0] == '[') {
        end = text_find_byte(authority, ']', 0);
        unsigned char address[16];
        url->host = text_slice(authority, 1, end);
        url->is_ipv6 = true;
        if (end == authority.bytes || !is_address(AF_INET6, url->host, address)) {
            return false;
        }
        end++;
    } else {
        end = text_find_byte(authority, ':', 0);
        url->host = text_slice(authority, 0, end);
        if (!is_host_name(url->host)) {
            return false;
        }
    }
    struct text port = text_slice(authority, end, authority.bytes);
    if (port.bytes == 0) {
        return true;
    }
    uint64_t number;
    if (port.data[0] != ':' || !text_parse_unsigned(text_slice(port, 1, port.bytes), &number) ||
        number == 0 || number > UINT16_MAX) {
        return false;
    }
    url->port = (uint16_t)number;
    return true;
}

/* Printable ASCII without what a URL can't hold, and no fragment, which is never sent. */
static bool is_target(struct text target) {
    for (size_t i = 0; i < target.bytes; i++) {
        char c = target.data[i];
        if (c <= ' ' || c >= 0x7F || strchr("\"<>\\^`{|}#", c) != NULL) {
            return false;
        }
    }
    return true;
}

bool url_parse(struct text text, struct url *url_out, struct error *error) {
    struct url url = {0};
    if (text.bytes > URL_MAX_BYTES) {
        return error_set(error, ERROR_INVALID, "a URL of more than %d characters", URL_MAX_BYTES);
    }
    struct text rest = text;
    if (!take_scheme(&rest, &url)) {
        return error_set(error, ERROR_INVALID, "a URL must begin with https:// or http://");
    }
    size_t end = 0;
    while (end < rest.bytes && strchr("/?#", rest.data[end]) == NULL) {
        end++;
    }
    struct text authority = text_slice(rest, 0, end);
    if (text_find_byte(authority, '@', 0) < authority.bytes) {
        return error_set(error, ERROR_INVALID, "a URL must not hold a user or a password");
    }
    if (!take_authority(authority, &url)) {
        return error_set(error, ERROR_INVALID, "a URL must name a host, with or without a port");
    }
    url.target = text_slice(rest, end, rest.bytes);
    if (!is_target(url.target)) {
        return error_set(error, ERROR_INVALID,
                         "the URL at %.*s holds a fragment or a character that must be encoded",
                         TEXT_ARG(url.host));
    }
    *url_out = url;
    return true;
}

bool url_is_loopback(const struct url *url) {
    unsigned char address[16];
    if (url->is_ipv6) {
        static const unsigned char one[16] = {[15] = 1};
        return is_address(AF_INET6, url->host, address) && memcmp(address, one, sizeof(one)) == 0;
    }
    return text_equal_ignoring_ascii_case(url->host, TEXT("localhost")) ||
           (is_address(AF_INET, url->host, address) && address[0] == 127);
}

bool url_is_link_local(const struct url *url) {
    unsigned char address[16];
    if (url->is_ipv6) {
        static const unsigned char agents[4] = {0xFD, 0x00, 0x0E, 0xC2};
        return is_address(AF_INET6, url->host, address) &&
               ((address[0] == 0xFE && (address[1] & 0xC0) == 0x80) ||
                memcmp(address, agents, sizeof(agents)) == 0);
    }
    return is_address(AF_INET, url->host, address) && address[0] == 169 && address[1] == 254;
}

void url_append_authority(const struct url *url, struct buffer *out) {
    size_t from = out->bytes;
    buffer_append_string(out, url->is_ipv6 ? "[" : "");
    buffer_append_text(out, url->host);
    buffer_append_string(out, url->is_ipv6 ? "]" : "");
    for (size_t i = from; i < out->bytes; i++) {
        if (out->data[i] >= 'A' && out->data[i] <= 'Z') {
            out->data[i] = (char)(out->data[i] - 'A' + 'a');
        }
    }
    if (url->port != (url->is_https ? 443 : 80)) {
        buffer_append_format(out, ":%u", (unsigned)url->port);
    }
}

void url_append_origin(const struct url *url, struct buffer *out) {
    buffer_append_string(out, url->is_https ? "https://" : "http://");
    url_append_authority(url, out);
}
