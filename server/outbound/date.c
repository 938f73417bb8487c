#include "riposte/outbound/date.h"

#include "riposte/base/time.h"

#include <stdio.h>

/* Where the parts of "Sun, 06 Nov 1994 08:49:37 GMT" stand. */
enum { DAY = 5, MONTH = 8, YEAR = 12, TIME = 17, ZONE = 25, ALL = 29 };

bool http_date_parse(struct text text, int64_t *unix_ms_out) {
    static const struct text months = TEXT_INIT("JanFebMarAprMayJunJulAugSepOctNovDec");
    if (text.bytes != ALL || !text_equal_string(text_slice(text, ZONE, ALL), " GMT")) {
        return false;
    }
    size_t month = text_find(months, text_slice(text, MONTH, MONTH + 3));
    if (month % 3 != 0 || month == months.bytes) {
        return false;
    }
    char time[TIME_TEXT_BYTES];
    int bytes = snprintf(time, sizeof(time), "%.4s-%02zu-%.2sT%.8sZ", text.data + YEAR,
                         month / 3 + 1, text.data + DAY, text.data + TIME);
    return time_parse((struct text){time, (size_t)bytes}, unix_ms_out);
}
