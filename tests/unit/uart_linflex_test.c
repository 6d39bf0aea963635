/* SPDX-License-Identifier: MIT */
/* arch/arm-common/uart_linflex.c on a model of LINFlexD's registers. */
#include "tests/host/uart_model.h"

enum { LINCR1, LINIER = 4, LINSR = 8, UARTCR = 0x10, UARTSR = 0x14, BDRL = 0x38, BDRM = 0x3c };

#define INIT BIT(0) /* of LINCR1 */
#define UART BIT(0) /* of UARTCR */
#define ON   (BIT(4) | BIT(5) | UART)
#define DTF  BIT(1) /* of UARTSR and, as enables, LINIER */
#define DRF  BIT(2)
#define RMB  BIT(9)

static const bool model_edges = false;
static u32 control, mode, enabled, flags, boot_mode;
static bool unlocked;

static void model_reset(void)
{
    tx.depth = rx.depth = 1;
    control = 0x80;
    mode = boot_mode;
    enabled = 0x6;
    flags = 0;
    unlocked = false;
}

static void model_sent(void)
{
    flags |= DTF;
}

static void model_received(void)
{
    flags |= DRF | RMB;
}

static void model_overrun(void)
{
    flags |= BIT(7);
}

static bool model_line(void)
{
    return ((enabled & DTF) && (flags & DTF)) || ((enabled & DRF) && (flags & DRF));
}

static u32 model_read(u32 reg, u32 width)
{
    assert_int_equal(width, reg == BDRM ? 1 : 4);
    switch (reg) {
    case LINSR:
        return (control & INIT) ? 0x1000 : 0x2000;
    case UARTCR:
        return mode;
    case UARTSR:
        return flags;
    case BDRM:
        return rx_take();
    default:
        fail_msg("read of 0x%x", reg);
        return 0;
    }
}

static void model_write(u32 reg, u32 v, u32 width)
{
    assert_int_equal(width, reg == BDRL ? 1 : 4);
    switch (reg) {
    case LINCR1:
        control = v;
        unlocked = false;
        break;
    case LINIER:
        enabled = v;
        break;
    case UARTCR:
        assert_true(control & INIT);
        mode = unlocked ? v : v & UART;
        unlocked = v & UART;
        break;
    case UARTSR:
        flags &= ~v;
        break;
    case BDRL:
        assert_int_equal(mode & ON, ON);
        assert_int_equal(control & INIT, 0);
        tx_give(v);
        break;
    default:
        fail_msg("write of 0x%x", reg);
    }
}

static void linflex(void **state)
{
    static const u32 modes[] = {0x33, 0, 0x333, 0x433, 0x13};

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
        boot_mode = modes[i];
        check_driver(&uart_linflex, 0, 0);
        assert_int_equal(mode, 0x33);
        assert_int_equal(control, i == 0 ? 0x80 : 0x90);
    }
    assert_true(uart_linflex.put(&port, 'a'));
    send_one();
    receive('b');
    assert_int_equal(uart_linflex.get(&port), 'b');
    assert_true(uart_linflex.put(&port, 'c')); /* it's still known that a has left */
    boot_mode = 0x37;                          /* even parity: the boot loader wants it so */
    begin(&uart_linflex, 0, 0);
    assert_int_equal(mode, 0x37);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linflex),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
