/* SPDX-License-Identifier: MIT */
/* arch/arm-common/uart_stm32.c on a model of the registers of ST's USART, with and without FIFO. */
#include "tests/host/uart_model.h"

enum { CR1, CR3 = 8, ISR = 0x1c, ICR = 0x20, RDR = 0x24, TDR = 0x28 };

#define LINE_SETTINGS 0x20000600u /* parity, the FIFO */
#define ORE           BIT(3)
#define RXNE          BIT(5)
#define TXE           BIT(7)

static const bool model_edges = false;
static u32 cr1, cr3, flags, depth;

static void model_reset(void)
{
    tx.depth = rx.depth = depth;
    cr1 = LINE_SETTINGS | 0xcc0041f0 | BIT(0);
    cr3 = 0x11c004c1 | BIT(9);
    flags = 0;
}

static void model_sent(void)
{
}

static void model_received(void)
{
}

static void model_overrun(void)
{
    flags |= ORE;
}

static u32 status(void)
{
    return flags | (rx.count > 0 ? RXNE : 0) | (tx.count < tx.depth ? TXE : 0);
}

/* The enables have the places of their flags; an overrun interrupts with what is received. */
static bool model_line(void)
{
    return (cr1 & status() & (RXNE | TXE)) || ((cr1 & RXNE) && (flags & ORE)) ||
           (cr1 & 0xcc004150) || (cr3 & 0x11c004c1);
}

static u32 model_read(u32 reg, u32 width)
{
    assert_int_equal(width, 4);
    switch (reg) {
    case CR1:
        return cr1;
    case CR3:
        return cr3;
    case ISR:
        return status();
    case RDR:
        return rx_take() | BIT(8);
    default:
        fail_msg("read of 0x%x", reg);
        return 0;
    }
}

static void model_write(u32 reg, u32 v, u32 width)
{
    assert_int_equal(width, 4);
    switch (reg) {
    case CR1:
        cr1 = v;
        break;
    case CR3:
        cr3 = v;
        break;
    case ICR:
        flags &= ~v;
        break;
    case TDR:
        assert_int_equal(cr1 & 0xd, 0xd);
        tx_give(v);
        break;
    default:
        fail_msg("write of 0x%x", reg);
    }
}

static void stm32(void **state)
{
    (void)state;
    for (depth = 1; depth <= 16; depth += 15) {
        check_driver(&uart_stm32, 0, 0);
    }
    depth = 16;
    begin(&uart_stm32, 0, 0);
    assert_int_equal(cr1, LINE_SETTINGS | 0xd);
    assert_int_equal(cr3, BIT(9));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stm32),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
