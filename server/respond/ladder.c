#include "riposte/respond/ladder.h"

#include "riposte/config/template.h"
#include "riposte/detect/pattern.h"

static bool applies(const struct step *link, const struct json *context) {
    bool is_match = link->when == NULL;
    struct error error = {0};
    return is_match || (pattern_match_tree(link->when, context, &is_match, &error) && is_match);
}

bool ladder_holder(const struct playbook *playbook, const struct json *context, struct arena *arena,
                   struct text *holder_out) {
    const struct step *chain = playbook->ladder;
    struct error error = {0};
    for (size_t i = 0; chain != NULL && i < chain->link_count; i++) {
        if (applies(&chain->links[i], context)) {
            return template_render_text(chain->ladder, context, arena, holder_out, &error);
        }
    }
    return false;
}

static size_t index_of(const struct step *chain, struct text name) {
    for (size_t i = 0; i < chain->link_count; i++) {
        if (text_equal(chain->links[i].name, name)) {
            return i;
        }
    }
    return 0; /* another playbook's */
}

size_t ladder_link(const struct step *chain, struct text principal_id,
                   const struct journal_effect *effects, size_t count, int64_t event_unix_ms) {
    size_t link = 0;
    for (size_t i = 0; i < count; i++) {
        if (text_equal(effects[i].name.target, principal_id)) {
            continue;
        }
        size_t index = index_of(chain, effects[i].step);
        bool got_past = event_unix_ms > effects[i].made_unix_ms + JOURNAL_ESCAPE_MS;
        size_t wanted = got_past ? index + 1 : index > 0 ? index : 1;
        link = wanted > link ? wanted : link;
    }
    return link < chain->link_count ? link : chain->link_count - 1;
}
