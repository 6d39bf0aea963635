/* SPDX-License-Identifier: MIT */
/* arch/arm-common/uart_meson.c on a model of the registers of Amlogic's UART, whose interrupt is an
 * edge: latched here as the GIC does, with the one that uart.c makes when the driver is asked. */
#include "tests/host/uart_model.h"

enum { WFIFO, RFIFO = 4, CONTROL = 8, STATUS = 0xc, MISC = 0x10 };

#define RX_INT BIT(27)
#define TX_INT BIT(28)

#define LINE_SETTINGS 0x00008000u

static const bool model_edges = true;
static u32 control, misc;
static bool latched;

static void model_reset(void)
{
    tx.depth = rx.depth = 64;
    control = LINE_SETTINGS | RX_INT;
    misc = 0;
    latched = false;
}

static void model_sent(void)
{
    latched |= (control & TX_INT) && tx.count + 1 == (misc >> 8 & 0xff);
}

static void model_received(void)
{
    latched |= (control & RX_INT) && rx.count >= (misc & 0xff);
}

static void model_overrun(void)
{
}

static bool model_line(void)
{
    bool was = latched;

    latched = false;
    return was;
}

static u32 model_read(u32 reg, u32 width)
{
    assert_int_equal(width, 4);
    switch (reg) {
    case RFIFO:
        return rx_take();
    case CONTROL:
        return control;
    case STATUS:
        return (rx.count == 0 ? BIT(20) : 0) | (tx.count == tx.depth ? BIT(21) : 0);
    default:
        fail_msg("read of 0x%x", reg);
        return 0;
    }
}

static void model_write(u32 reg, u32 v, u32 width)
{
    assert_int_equal(width, 4);
    switch (reg) {
    case WFIFO:
        assert_true(control & BIT(12));
        tx_give(v);
        break;
    case CONTROL:
        control = v;
        break;
    case MISC:
        misc = v;
        break;
    default:
        fail_msg("write of 0x%x", reg);
    }
}

static void meson(void **state)
{
    (void)state;
    check_driver(&uart_meson, 0, 0);
    begin(&uart_meson, 0, 0);
    assert_int_equal(control, LINE_SETTINGS | BIT(12) | BIT(13));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meson),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
