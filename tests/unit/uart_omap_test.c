/* SPDX-License-Identifier: MIT */
/*
 * uart_omap of arch/arm-common/uart_16550.c on a model of TI's registers. A byte that isn't there
 * may not be read, and the FIFO's timeout fires without reason (erratum i2310).
 */
#include "tests/host/uart_model.h"

enum { RHR, IER, FCR, LCR, MCR, LSR, MDR1 = 8, SCR = 16, EFR2 = 35, TIMEOUTL = 38, TIMEOUTH };

static const bool model_edges = false;
static u32 ier, fcr, scr, mdr1, mcr, efr2, timeout;
static bool stale;

static void model_reset(void)
{
    tx.depth = rx.depth = 64;
    ier = 0x0f;
    fcr = 0xc9;
    scr = 0;
    mdr1 = 0;
    efr2 = 0;
    timeout = 0x0203;
    stale = false;
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

static u32 interrupts(void)
{
    u32 room = (scr & BIT(3)) ? tx.depth : 8, level = (scr & BIT(7)) ? fcr >> 6 : 8;

    return (rx.count >= MAX(level, 1u) ? 1 : 0) | (tx.depth - tx.count >= room ? 2 : 0) |
           (stale ? 1 : 0);
}

static bool model_line(void)
{
    return (ier & interrupts()) != 0;
}

static u32 model_read(u32 reg, u32 width)
{
    assert_int_equal(width, 1);
    assert_int_equal(reg % 4, 0);
    switch (reg / 4) {
    case RHR:
        return rx_take();
    case FCR:
        if (stale && efr2 == BIT(6) && timeout == 0xffff) {
            stale = false;
        }
        return 0xc0 | (stale ? 0x0c : 1);
    case MCR:
        return mcr;
    case LSR:
        return (rx.count > 0 ? 1 : 0) | (tx.count == 0 ? 0x20 : 0);
    case MDR1:
        return mdr1;
    case TIMEOUTL:
        return timeout & 0xff;
    case TIMEOUTH:
        return timeout >> 8;
    default:
        fail_msg("read of 0x%x", reg);
        return 0;
    }
}

static void model_write(u32 reg, u32 v, u32 width)
{
    assert_int_equal(width, 1);
    assert_int_equal(reg % 4, 0);
    switch (reg / 4) {
    case RHR:
        tx_give(v);
        break;
    case IER:
        ier = v;
        break;
    case FCR:
        fcr = v;
        break;
    case MCR:
        mcr = v;
        break;
    case MDR1:
        mdr1 = v;
        break;
    case SCR:
        scr = v;
        break;
    case EFR2:
        efr2 = v;
        break;
    case TIMEOUTL:
        timeout = (timeout & 0xff00) | v;
        break;
    case TIMEOUTH:
        timeout = (timeout & 0xff) | v << 8;
        break;
    default:
        fail_msg("write of 0x%x", reg);
    }
}

static void omap(void **state)
{
    (void)state;
    check_driver(&uart_omap, 2, 1);
    assert_int_equal(mdr1, 0);
    begin(&uart_omap, 2, 1);
    mdr1 = 7; /* nobody switched it on */
    uart_omap.init(&port);
    assert_int_equal(mdr1, 0);
    mdr1 = 3; /* 13 samples a bit: the boot loader's choice */
    uart_omap.init(&port);
    assert_int_equal(mdr1, 3);
}

static void timeout_without_a_byte(void **state)
{
    (void)state;
    begin(&uart_omap, 2, 1);
    uart_omap.irqs(&port, true, false);
    stale = true;
    assert_true(model_line());
    assert_int_equal(uart_omap.get(&port), -1);
    assert_false(model_line());
    assert_int_equal(efr2, 0);
    assert_int_equal(timeout, 0x0203);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(omap),
        cmocka_unit_test(timeout_without_a_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
