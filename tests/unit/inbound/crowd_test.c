#include "../../../server/inbound/crowd.h"

#include "testing.h"

#include <sys/socket.h>
#include <unistd.h>

#define LIMIT 8
#define ROOM  6 /* three quarters */

struct guest {
    struct visitor visitor;
    int ends[2];
};

static void open_guest(struct guest *guest) {
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, guest->ends), 0);
}

static bool is_shut_down(const struct guest *guest) {
    char byte = 0;
    return recv(guest->ends[1], &byte, 1, 0) == 0;
}

static void leave(struct crowd *crowd, struct guest *guest) {
    crowd_leave(crowd, &guest->visitor);
    close(guest->ends[0]);
    close(guest->ends[1]);
}

static void the_oldest_unproven_makes_place(void **state) {
    (void)state;
    struct crowd *crowd = crowd_new(LIMIT);
    struct guest guests[LIMIT];
    for (size_t i = 0; i < LIMIT; i++) {
        open_guest(&guests[i]);
        assert_int_equal(crowd_enter(crowd, &guests[i].visitor, guests[i].ends[0]), i >= ROOM);
        if (i == 0) {
            crowd_prove(crowd, &guests[i].visitor);
        }
    }
    for (size_t i = 0; i < LIMIT; i++) {
        assert_int_equal(is_shut_down(&guests[i]), i == 1 || i == 2);
        leave(crowd, &guests[i]);
    }
    crowd_free(&crowd);
    assert_null(crowd);
}

static void who_is_proven_stays(void **state) {
    (void)state;
    struct crowd *crowd = crowd_new(LIMIT);
    struct guest guests[LIMIT];
    for (size_t i = 0; i < LIMIT; i++) {
        open_guest(&guests[i]);
        assert_false(crowd_enter(crowd, &guests[i].visitor, guests[i].ends[0]));
        crowd_prove(crowd, &guests[i].visitor);
        crowd_prove(crowd, &guests[i].visitor);
    }
    for (size_t i = 0; i < LIMIT; i++) {
        assert_false(is_shut_down(&guests[i]));
        leave(crowd, &guests[i]);
    }
    crowd_free(&crowd);
}

static void who_leaves_makes_place_too(void **state) {
    (void)state;
    struct crowd *crowd = crowd_new(LIMIT);
    struct guest first;
    struct guest next;
    for (size_t i = 0; i < (size_t)3 * LIMIT; i++) {
        open_guest(&first);
        open_guest(&next);
        assert_false(crowd_enter(crowd, &first.visitor, first.ends[0]));
        assert_false(crowd_enter(crowd, &next.visitor, next.ends[0]));
        leave(crowd, &first);
        leave(crowd, &next);
    }
    crowd_free(&crowd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_unproven_makes_place),
        cmocka_unit_test(who_is_proven_stays),
        cmocka_unit_test(who_leaves_makes_place_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
