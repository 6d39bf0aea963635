/* SPDX-License-Identifier: MIT */
/* arch/arm-common/uart_mvebu.c on a model of the registers of Armada 3700's UART. */
#include "tests/host/uart_model.h"

enum { RBR, TSH = 4, CTRL = 8, STAT = 0xc };

#define LINE_SETTINGS 0x0600u

static const bool model_edges = false;
static u32 ctrl;

static void model_reset(void)
{
    tx.depth = 32;
    rx.depth = 64;
    ctrl = LINE_SETTINGS | 0x1ff;
}

static void model_sent(void)
{
}

static void model_received(void)
{
}

static void model_overrun(void)
{
}

static bool model_line(void)
{
    return ((ctrl & BIT(5)) && tx.count < tx.depth) || ((ctrl & BIT(4)) && rx.count > 0) ||
           (ctrl & 0x1cf) != 0;
}

static u32 model_read(u32 reg, u32 width)
{
    assert_int_equal(width, 4);
    switch (reg) {
    case RBR:
        return rx_take() | 0x8000;
    case CTRL:
        return ctrl;
    case STAT:
        return (rx.count > 0 ? BIT(4) : 0) | (tx.count == tx.depth ? BIT(11) : 0);
    default:
        fail_msg("read of 0x%x", reg);
        return 0;
    }
}

static void model_write(u32 reg, u32 v, u32 width)
{
    assert_int_equal(width, 4);
    switch (reg) {
    case TSH:
        tx_give(v);
        break;
    case CTRL:
        ctrl = v;
        break;
    default:
        fail_msg("write of 0x%x", reg);
    }
}

static void mvebu(void **state)
{
    (void)state;
    check_driver(&uart_mvebu, 0, 0);
    begin(&uart_mvebu, 0, 0);
    assert_int_equal(ctrl, LINE_SETTINGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mvebu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
