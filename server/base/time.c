#include "riposte/base/time.h"

#include <stdio.h>
#include <time.h>

#define MS_PER_DAY      (INT64_C(24) * 3600 * 1000)
#define DURATION_MAX_MS (INT64_C(100) * 366 * MS_PER_DAY)

/* Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible
 * low-level date algorithms"): the year starts in March, so that leap days come last. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2 ? 1 : 0;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int64_t days_in_month(int64_t year, int64_t month) {
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

/* Takes exactly `digits` digits off the front. */
static bool take_number(struct text *rest, size_t digits, int64_t *value_out) {
    uint64_t value = 0;
    if (rest->bytes < digits || !text_parse_unsigned(text_slice(*rest, 0, digits), &value)) {
        return false;
    }
    *value_out = (int64_t)value;
    *rest = text_slice(*rest, digits, rest->bytes);
    return true;
}

static bool take_char(struct text *rest, char c) {
    if (rest->bytes == 0 || rest->data[0] != c) {
        return false;
    }
    *rest = text_slice(*rest, 1, rest->bytes);
    return true;
}

static bool take_date(struct text *rest, int64_t *days_out) {
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    if (!take_number(rest, 4, &year) || !take_char(rest, '-') || !take_number(rest, 2, &month) ||
        !take_char(rest, '-') || !take_number(rest, 2, &day)) {
        return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    *days_out = days_from_civil(year, month, day);
    return true;
}

/* "HH:MM:SS"; second 60 is a leap second and counts as the next minute's first. */
static bool take_time_of_day(struct text *rest, int64_t *ms_out) {
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    if (!take_number(rest, 2, &hour) || !take_char(rest, ':') || !take_number(rest, 2, &minute) ||
        !take_char(rest, ':') || !take_number(rest, 2, &second)) {
        return false;
    }
    if (hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    *ms_out = ((hour * 60 + minute) * 60 + second) * 1000;
    return true;
}

/* ".678901": at least one digit; what is finer than a millisecond is cut off. */
static bool take_fraction(struct text *rest, int64_t *ms_out) {
    *ms_out = 0;
    if (!take_char(rest, '.')) {
        return true;
    }
    int64_t weight_ms = 100;
    size_t digits = 0;
    for (; digits < rest->bytes && rest->data[digits] >= '0' && rest->data[digits] <= '9';
         digits++) {
        *ms_out += (rest->data[digits] - '0') * weight_ms;
        weight_ms /= 10;
    }
    *rest = text_slice(*rest, digits, rest->bytes);
    return digits > 0;
}

static bool take_offset(struct text *rest, int64_t *ms_out) {
    *ms_out = 0;
    if (take_char(rest, 'Z') || take_char(rest, 'z')) {
        return true;
    }
    bool is_behind = take_char(rest, '-');
    int64_t hours = 0;
    int64_t minutes = 0;
    if ((!is_behind && !take_char(rest, '+')) || !take_number(rest, 2, &hours) ||
        !take_char(rest, ':') || !take_number(rest, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *ms_out = (hours * 60 + minutes) * 60000 * (is_behind ? -1 : 1);
    return true;
}

bool time_parse(struct text text, int64_t *unix_ms_out) {
    int64_t days = 0;
    int64_t ms = 0;
    int64_t fraction_ms = 0;
    int64_t offset_ms = 0;
    if (!take_date(&text, &days) || (!take_char(&text, 'T') && !take_char(&text, 't')) ||
        !take_time_of_day(&text, &ms) || !take_fraction(&text, &fraction_ms) ||
        !take_offset(&text, &offset_ms) || text.bytes > 0) {
        return false;
    }
    *unix_ms_out = days * MS_PER_DAY + ms + fraction_ms - offset_ms;
    return true;
}

/* Splits into calendar fields and the millisecond; false outside the years 0 to 9999. */
static bool split(int64_t unix_ms, struct tm *fields_out, int *ms_out) {
    bool is_early = unix_ms % 1000 < 0;
    time_t seconds = (time_t)(unix_ms / 1000 - (is_early ? 1 : 0));
    *ms_out = (int)(unix_ms % 1000) + (is_early ? 1000 : 0);
    return gmtime_r(&seconds, fields_out) != NULL && fields_out->tm_year >= -1900 &&
           fields_out->tm_year <= 9999 - 1900;
}

/* The format takes year, month, day, hour, minute, second. */
static const char extended_form[] = "%04d-%02d-%02dT%02d:%02d:%02d";
static const char basic_form[] = "%04d%02d%02dT%02d%02d%02d";

static void write_fields(const struct tm *fields, bool is_basic, char out[TIME_TEXT_BYTES]) {
    snprintf(out, TIME_TEXT_BYTES, is_basic ? basic_form : extended_form, fields->tm_year + 1900,
             fields->tm_mon + 1, fields->tm_mday, fields->tm_hour, fields->tm_min, fields->tm_sec);
}

static void format_time(int64_t unix_ms, bool is_basic, bool with_ms, char out[TIME_TEXT_BYTES]) {
    struct tm fields;
    int ms = 0;
    if (!split(unix_ms, &fields, &ms)) {
        snprintf(out, TIME_TEXT_BYTES, "out of range");
        return;
    }
    char whole[TIME_TEXT_BYTES];
    write_fields(&fields, is_basic, whole);
    if (with_ms) {
        snprintf(out, TIME_TEXT_BYTES, "%.26s.%03dZ", whole, ms);
    } else {
        snprintf(out, TIME_TEXT_BYTES, "%.30sZ", whole);
    }
}

void time_format_ms(int64_t unix_ms, char out[TIME_TEXT_BYTES]) {
    format_time(unix_ms, false, true, out);
}

void time_format_s(int64_t unix_ms, char out[TIME_TEXT_BYTES]) {
    format_time(unix_ms, false, false, out);
}

void time_format_basic(int64_t unix_ms, char out[TIME_TEXT_BYTES]) {
    format_time(unix_ms, true, false, out);
}

/* From the largest on, for duration_format(). */
static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"d", MS_PER_DAY}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

bool duration_parse(struct text text, int64_t *ms_out) {
    size_t digits = 0;
    while (digits < text.bytes && text.data[digits] >= '0' && text.data[digits] <= '9') {
        digits++;
    }
    uint64_t count = 0;
    if (!text_parse_unsigned(text_slice(text, 0, digits), &count)) {
        return false;
    }
    struct text name = text_slice(text, digits, text.bytes);
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        if (text_equal_string(name, units[i].name)) {
            if (count > (uint64_t)(DURATION_MAX_MS / units[i].ms)) {
                return false;
            }
            *ms_out = (int64_t)count * units[i].ms;
            return true;
        }
    }
    return false;
}

void duration_format(int64_t ms, char out[TIME_TEXT_BYTES]) {
    size_t i = 0;
    if (ms == 0) {
        i = ARRAY_COUNT(units) - 2; /* "0s", not "0d" */
    }
    while (ms % units[i].ms != 0) {
        i++;
    }
    snprintf(out, TIME_TEXT_BYTES, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
}

void duration_describe(int64_t ms, char out[TIME_TEXT_BYTES]) {
    const long long s = ms / 1000, m = s / 60, h = m / 60;
    if (h >= 24) {
        snprintf(out, TIME_TEXT_BYTES, "%lldd %lldh", h / 24, h % 24);
    } else if (h > 0) {
        snprintf(out, TIME_TEXT_BYTES, "%lldh %lldm %llds", h, m % 60, s % 60);
    } else if (m > 0) {
        snprintf(out, TIME_TEXT_BYTES, "%lldm %llds", m, s % 60);
    } else {
        snprintf(out, TIME_TEXT_BYTES, s > 0 ? "%llds" : "%lldms", s > 0 ? s : (long long)ms);
    }
}
