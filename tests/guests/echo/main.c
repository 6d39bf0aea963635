/* SPDX-License-Identifier: MIT */
/*
 * Answers the pings of other guests (lib/ping.h) until none has come for idle-s= seconds (60).
 */
#include "tests/guests/lib/bootargs.h"
#include "tests/guests/lib/net.h"
#include "tests/guests/lib/ping.h"
#include "tests/guests/lib/runtime.h"
#include "tests/guests/lib/test.h"
#include "tests/guests/lib/timer.h"

static void answer(void)
{
    static struct ping p;
    uint64_t idle = timer_hz() * bootargs_number("idle-s", 60);
    uint64_t give_up = timer_now() + idle;
    uint32_t answered = 0;
    bool intact;

    if (!test_check(net_open(), "no virtio-net device")) {
        return;
    }
    test_note("ready");
    while (timer_now() < give_up) {
        uint32_t kind = ping_receive(&p, &intact);

        if (kind == PING_REQUEST && intact) {
            test_check(ping_reply(&p), "the device takes no frames");
            answered++;
            give_up = timer_now() + idle;
        } else if (!kind) {
            net_sleep(give_up);
        }
    }
    test_note("answered %u", answered);
}

void guest_main(void)
{
    static const struct test_case cases[] = {{"answer", answer}};

    test_begin("echo");
    test_run(cases, 1);
    test_end();
}
