/* SPDX-License-Identifier: MIT */
/* arch/arm-common/uart_scif.c on a model of SCIF's registers, at both of their distances. */
#include "tests/host/uart_model.h"

/* Register numbers, and bits of FSR, LSR and SCR */
enum { SMR, SCR = 2, FTDR, FSR, FRDR, FCR, FDR, LSR = 9, RTRGR = 21 };

#define DR   BIT(0)
#define RDF  BIT(1)
#define BRK  BIT(4)
#define TDFE BIT(5)
#define TEND BIT(6)
#define ER   BIT(7)
#define ORER BIT(0)
#define ON   (BIT(4) | BIT(5))
#define RIE  BIT(6)
#define TIE  BIT(7)

static const bool model_edges = false;
static u32 scr, fsr, seen, fcr, lsr, lsr_seen, trigger;
static bool high_speed;

static void model_reset(void)
{
    tx.depth = rx.depth = 16;
    scr = 0x32; /* on, with an external clock */
    fsr = TDFE | TEND;
    seen = lsr = lsr_seen = 0;
    fcr = 0xb0;
    trigger = 40;
}

/* TDFE can't be cleared as long as it holds; that RDF can't either, no driver should rely on. */
static void settle(void)
{
    if (tx.count <= 8) {
        fsr |= TDFE;
    }
}

static void model_received(void)
{
    if (rx.count >= (high_speed ? trigger : (fcr & 0xc0) == 0 ? 1u : 8u)) {
        fsr |= RDF;
    }
}

static void model_sent(void)
{
    fsr |= tx.count == 0 ? TEND : 0;
    settle();
}

static void model_overrun(void)
{
    lsr |= ORER;
    deaf = true;
}

static bool model_line(void)
{
    return ((scr & TIE) && (fsr & TDFE)) || ((scr & RIE) && (fsr & (DR | RDF | BRK | ER))) ||
           ((scr & RIE) && (lsr & ORER));
}

static u32 model_read(u32 reg, u32 width)
{
    u32 n = reg >> port.shift;

    assert_int_equal(reg & (BIT(port.shift) - 1), 0);
    assert_int_equal(width, n == FRDR ? 1 : 2);
    switch (n) {
    case SCR:
        return scr;
    case FSR:
        seen |= fsr;
        return fsr;
    case FRDR:
        return rx_take();
    case FCR:
        return fcr;
    case FDR:
        return tx.count << 8 | rx.count;
    case LSR:
        lsr_seen |= lsr;
        return lsr;
    default:
        fail_msg("read of register %u", n);
        return 0;
    }
}

/* Only what was read as 1 is cleared by a 0. */
static void model_write(u32 reg, u32 v, u32 width)
{
    u32 n = reg >> port.shift;

    assert_int_equal(width, n == FTDR ? 1 : 2);
    switch (n) {
    case SMR:
        assert_int_equal(v, 0);
        assert_int_equal(scr & ON, 0);
        break;
    case SCR:
        scr = v;
        break;
    case FTDR:
        tx_give(v);
        fsr &= ~TEND;
        break;
    case FSR:
        fsr &= v | ~seen;
        seen &= fsr;
        settle();
        break;
    case FCR:
        fcr = v;
        break;
    case LSR:
        lsr &= v | ~lsr_seen;
        lsr_seen &= lsr;
        deaf = lsr & ORER;
        break;
    case RTRGR:
        assert_true(high_speed);
        trigger = v;
        break;
    default:
        fail_msg("write of register %u", n);
    }
}

static void scif(void **state)
{
    (void)state;
    high_speed = false;
    check_driver(&uart_scif, 2, 0);
    check_driver(&uart_scif, 1, 0);
    begin(&uart_scif, 2, 0);
    assert_int_equal(scr, 0x32);
    assert_int_equal(fcr, 0);
}

static void hscif(void **state)
{
    (void)state;
    high_speed = true;
    check_driver(&uart_hscif, 2, 0);
    high_speed = false;
}

/* A break, and whatever else interrupts along with what is received, is over once it was seen. */
static void errors_pass(void **state)
{
    (void)state;
    begin(&uart_scif, 2, 0);
    uart_scif.irqs(&port, true, false);
    fsr |= BRK | ER | DR;
    assert_true(model_line());
    assert_int_equal(uart_scif.get(&port), -1);
    assert_false(model_line());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scif),
        cmocka_unit_test(hscif),
        cmocka_unit_test(errors_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
