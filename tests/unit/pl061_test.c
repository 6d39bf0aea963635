/* SPDX-License-Identifier: MIT */
/* The PL061 GPIO and its power button, through mmio_access. */
#include "vdev/pl061.h"

#include "arch/host/arch.h"
#include "tests/host/driver.h"
#include "tests/host/run.h"
#include "tests/host/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BASE   0x09030000
#define INTID  39
#define MS     1000000ull
#define BUTTON 0x08u /* line 3 */

enum {
    DATA = 0x3fc, /* all lines */
    DIR = 0x400,
    IS = 0x404,
    IBE = 0x408,
    IEV = 0x40c,
    IE = 0x410,
    RIS = 0x414,
    MIS = 0x418,
    IC = 0x41c,
    AFSEL = 0x420,
};

static struct guest g;
static struct vdev *gpio;

static u32 get(u32 offset)
{
    return (u32)guest_read(&g, BASE + offset, 4);
}

static void set(u32 offset, u32 value)
{
    guest_write(&g, BASE + offset, 4, value);
}

static void make(u32 button)
{
    struct pl061_opts opts = {.button = button};

    guest_init(&g, "a");
    sched_init(1);
    pcpus[0].remote.timers = NULL;
    host_now_ns = 1000 * MS;
    gpio = guest_add(&g, &pl061_type, BASE, INTID, NULL, button > PL061_LINES ? NULL : &opts);
    assert_non_null(gpio);
    mmio_freeze(&g.vm.mmio);
}

static int setup(void **state)
{
    (void)state;
    make(PL061_LINES + 1); /* the default */
    return 0;
}

static int setup_none(void **state)
{
    (void)state;
    make(PL061_LINES);
    return 0;
}

static int setup_seven(void **state)
{
    (void)state;
    make(7);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    guest_free(&g);
    return 0;
}

static void identifies_itself(void **state)
{
    static const u8 want[] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

    (void)state;
    for (u32 i = 0; i < 8; i++) {
        assert_int_equal(get(0xfe0 + 4 * i), want[i]);
    }
}

static void registers_keep_eight_bits(void **state)
{
    static const u16 regs[] = {DIR, IS, IBE, IEV, IE, AFSEL};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(regs); i++) {
        set(regs[i], 0x1a5);
        assert_int_equal(get(regs[i]), 0xa5);
    }
    set(RIS, 0xff);
    set(MIS, 0xff);
    set(0x424, 0xff);
    assert_int_equal(get(0x424), 0);
    gpio->ops->reset(gpio);
    for (u32 i = 0; i < ARRAY_SIZE(regs); i++) {
        assert_int_equal(get(regs[i]), 0);
    }
    assert_int_equal(get(RIS), 0);
    assert_int_equal(g.level[INTID], 0);
}

static void data_is_masked_by_the_address(void **state)
{
    (void)state;
    set(DIR, 0xff);
    set(DATA, 0x55);
    assert_int_equal(get(DATA), 0x55);
    set(0x0f << 2, 0xaa); /* the low four */
    assert_int_equal(get(DATA), 0x5a);
    assert_int_equal(get(0xf0 << 2), 0x50);
    assert_int_equal(get(0), 0);
    set(0, 0xff);
    assert_int_equal(get(DATA), 0x5a);
    guest_write(&g, BASE + DATA, 1, 0x11);
    assert_int_equal(guest_read(&g, BASE + DATA, 1), 0x11);
}

static void inputs_are_not_written(void **state)
{
    (void)state;
    set(DIR, 0x0f);
    set(DATA, 0xff);
    assert_int_equal(get(DATA), 0x0f);
    set(DIR, 0xff);
    assert_int_equal(get(DATA), 0x0f); /* what was set before the direction is lost */
    set(DIR, 0);
    assert_int_equal(get(DATA), 0); /* nothing drives them */
}

static void button_goes_down_and_up(void **state)
{
    (void)state;
    assert_int_equal(gpio->ops->press(gpio), BUTTON_UNHEARD);
    assert_int_equal(get(DATA), BUTTON);
    run_for(199 * MS);
    assert_int_equal(get(DATA), BUTTON);
    run_for(1 * MS);
    assert_int_equal(get(DATA), 0);
    assert_int_equal(g.raises[INTID], 0);
}

static void pressed_again_it_stays_down_longer(void **state)
{
    (void)state;
    (void)gpio->ops->press(gpio);
    run_for(150 * MS);
    (void)gpio->ops->press(gpio);
    run_for(150 * MS);
    assert_int_equal(get(DATA), BUTTON);
    run_for(50 * MS);
    assert_int_equal(get(DATA), 0);
}

static void rising_edge(void **state)
{
    (void)state;
    set(IEV, BUTTON);
    set(IE, BUTTON);
    assert_int_equal(gpio->ops->press(gpio), BUTTON_PRESSED);
    assert_int_equal(g.level[INTID], 1);
    assert_int_equal(get(RIS), BUTTON);
    assert_int_equal(get(MIS), BUTTON);
    set(IC, (u8)~BUTTON); /* of others */
    assert_int_equal(g.level[INTID], 1);
    set(IC, BUTTON);
    assert_int_equal(g.level[INTID], 0);
    run_for(1000 * MS);
    assert_int_equal(g.raises[INTID], 1); /* not the falling one */
}

static void falling_edge(void **state)
{
    (void)state;
    set(IE, BUTTON);
    (void)gpio->ops->press(gpio);
    assert_int_equal(g.level[INTID], 0);
    run_for(200 * MS);
    assert_int_equal(g.level[INTID], 1);
}

static void both_edges(void **state)
{
    (void)state;
    set(IBE, BUTTON);
    set(IE, BUTTON);
    (void)gpio->ops->press(gpio);
    assert_int_equal(get(MIS), BUTTON);
    set(IC, 0xff);
    run_for(200 * MS);
    assert_int_equal(get(MIS), BUTTON);
    assert_int_equal(g.raises[INTID], 2);
}

static void levels(void **state)
{
    (void)state;
    set(IS, BUTTON);
    set(IEV, BUTTON);
    set(IE, 0xff);
    assert_int_equal(get(RIS), 0);
    (void)gpio->ops->press(gpio);
    assert_int_equal(g.level[INTID], 1);
    set(IC, 0xff); /* the level is still there */
    assert_int_equal(g.level[INTID], 1);
    run_for(200 * MS);
    assert_int_equal(g.level[INTID], 0);
    set(IEV, 0); /* low */
    assert_int_equal(get(MIS), BUTTON);
    assert_int_equal(g.level[INTID], 1);
    set(DIR, BUTTON); /* an output has none */
    assert_int_equal(g.level[INTID], 0);
}

static void masked_edge_is_kept(void **state)
{
    (void)state;
    set(IEV, BUTTON);
    (void)gpio->ops->press(gpio);
    assert_int_equal(get(RIS), BUTTON);
    assert_int_equal(get(MIS), 0);
    set(IE, BUTTON);
    assert_int_equal(g.level[INTID], 1);
}

static void no_edge_on_an_output(void **state)
{
    (void)state;
    set(DIR, BUTTON);
    set(IBE, BUTTON);
    set(IE, BUTTON);
    (void)gpio->ops->press(gpio);
    set(DATA, 0);
    set(DATA, BUTTON);
    assert_int_equal(get(RIS), 0);
    set(DIR, 0);
    assert_int_equal(get(RIS), 0);
    assert_int_equal(get(DATA), BUTTON);
}

static void reset_lets_go_of_the_button(void **state)
{
    struct timer *t;

    (void)state;
    (void)gpio->ops->press(gpio);
    t = pcpus[0].remote.timers;
    gpio->ops->reset(gpio);
    assert_int_equal(get(DATA), 0);
    assert_null(pcpus[0].remote.timers);
    set(IE, BUTTON);
    (void)gpio->ops->press(gpio);
    t->fn(t); /* late: it's of the press before */
    assert_int_equal(get(DATA), BUTTON);
}

static void without_a_button(void **state)
{
    (void)state;
    assert_int_equal(gpio->ops->press(gpio), BUTTON_NONE);
    assert_int_equal(get(DATA), 0);
    assert_false(pl061_type.companion->wanted(gpio->conf->opts));
}

static void button_on_another_line(void **state)
{
    (void)state;
    set(IE, 0x80);
    set(IEV, 0x80);
    assert_int_equal(gpio->ops->press(gpio), BUTTON_PRESSED);
    assert_int_equal(get(MIS), 0x80);
    assert_true(pl061_type.companion->wanted(gpio->conf->opts));
}

static void shows_who_listens(void **state)
{
    (void)state;
    set(DIR, 0x30);
    set(DATA, 0x10);
    assert_string_equal(said_show(gpio),
                        "  pl061 at 0x9030000: power button on line 3, not heard by the "
                        "guest; inputs 0x00, outputs 0x10 of 0x30\n");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        T(identifies_itself),
        T(registers_keep_eight_bits),
        T(data_is_masked_by_the_address),
        T(inputs_are_not_written),
        T(button_goes_down_and_up),
        T(pressed_again_it_stays_down_longer),
        T(rising_edge),
        T(falling_edge),
        T(both_edges),
        T(levels),
        T(masked_edge_is_kept),
        T(no_edge_on_an_output),
        T(reset_lets_go_of_the_button),
        cmocka_unit_test_setup_teardown(without_a_button, setup_none, teardown),
        cmocka_unit_test_setup_teardown(button_on_another_line, setup_seven, teardown),
        T(shows_who_listens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
