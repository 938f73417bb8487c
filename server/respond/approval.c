#include "riposte/respond/approval.h"

#include "detail.h"

struct text approval_detail(struct text approver, int64_t unix_ms, bool overrides_protection,
                            struct arena *arena) {
    struct detail detail = {.approver = approver,
                            .approved_unix_ms = unix_ms,
                            .overrides_protection = overrides_protection,
                            .arena = arena};
    return detail_text(&detail);
}
