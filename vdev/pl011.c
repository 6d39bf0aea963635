/* SPDX-License-Identifier: MIT */
/*
 * The PrimeCell UART (PL011 TRM, DDI 0183), r1p1: FIFOs of 16 bytes between the guest and a channel
 * of the console mux. Its line has no speed: bytes move to the channel as soon as it has room, and
 * from it as soon as the FIFO has, as if both ends did hardware flow control. So nothing is
 * overrun, but in loopback, and "idle for 32 bits" is as soon as the channel is empty.
 *
 * Kinder than hardware where guests made for emulators count on it: it sends whether CR enables
 * that or not, ignores UARTEN, and words always have 8 bits.
 * Knows nothing of the UART that Muntin itself has. Lock: the device's own, LOCK_DEVICE.
 */
#include "vdev/pl011.h"

#include "core/log.h"
#include "core/page.h"
#include "core/vm.h"
#include "vdev/chan.h"
#include "vdev/primecell.h"

#define FIFO_DEPTH  16
#define DEFAULT_LOC 0x09000000
#define DEFAULT_INT 33
#define CLOCK_HZ    24000000u /* of the guest's tree */

/* Register offsets, TRM §3.2. */
enum {
    UARTDR = 0x00,
    UARTRSR = 0x04, /* write: UARTECR */
    UARTFR = 0x18,
    UARTILPR = 0x20,
    UARTIBRD = 0x24,
    UARTFBRD = 0x28,
    UARTLCR_H = 0x2c,
    UARTCR = 0x30,
    UARTIFLS = 0x34,
    UARTIMSC = 0x38,
    UARTRIS = 0x3c,
    UARTMIS = 0x40,
    UARTICR = 0x44,
    UARTDMACR = 0x48,
};

enum { /* UARTFR; CTS, DSR, DCD and RI are also the modem() bits */
       FR_CTS = BIT(0),
       FR_DSR = BIT(1),
       FR_DCD = BIT(2),
       FR_BUSY = BIT(3),
       FR_RXFE = BIT(4),
       FR_TXFF = BIT(5),
       FR_RXFF = BIT(6),
       FR_TXFE = BIT(7),
       FR_RI = BIT(8),
};

enum { /* UARTCR */
       CR_LBE = BIT(7),
       CR_TXE = BIT(8),
       CR_RXE = BIT(9),
       CR_DTR = BIT(10),
       CR_RTS = BIT(11),
       CR_OUT1 = BIT(12),
       CR_OUT2 = BIT(13),
};

enum { /* UARTIMSC, RIS, MIS, ICR */
       INT_RI = BIT(0),
       INT_CTS = BIT(1),
       INT_DCD = BIT(2),
       INT_DSR = BIT(3),
       INT_RX = BIT(4),
       INT_TX = BIT(5),
       INT_RT = BIT(6),
       INT_BE = BIT(9),
       INT_OE = BIT(10),
       INT_ALL = 0x7ff,
};

enum { LCR_BRK = BIT(0), LCR_FEN = BIT(4) };
enum { RSR_BE = BIT(2), RSR_OE = BIT(3), DR_ERRORS = 8 }; /* in UARTDR, these bits from here on */

/* Bits of the plain registers that keep what is written. */
enum {
    ILPR_BITS = 0xff,
    IBRD_BITS = 0xffff,
    FBRD_BITS = 0x3f,
    LCR_BITS = 0xff,
    CR_BITS = 0xff87,
    IFLS_BITS = 0x3f,
    DMACR_BITS = 7,
};

struct fifo {
    u16 buf[FIFO_DEPTH]; /* as UARTDR gives them: with their errors */
    u32 first, count;
};

struct pl011 {
    struct primecell cell; /* its lock covers the fields below, but for chan */
    struct chan *chan;
    struct fifo rx, tx;
    u32 ilpr, ibrd, fbrd, lcr, cr, ifls, imsc, ris, dmacr, rsr;
    u32 divisor;  /* IBRD and FBRD as one number: they count from a write of LCR_H on */
    bool overrun; /* a byte was lost behind those in rx */
    u64 rx_bytes, tx_bytes;
};

struct pl011_opts {
    u32 batch; /* without effect */
};

static void fifo_put(struct fifo *f, u16 b)
{
    f->buf[(f->first + f->count) % FIFO_DEPTH] = b;
    f->count++;
}

static u16 fifo_get(struct fifo *f)
{
    u16 b = f->buf[f->first];

    f->first = (f->first + 1) % FIFO_DEPTH;
    f->count--;
    return b;
}

/* --- levels and flags, TRM §3.3.9 and §2.8 ------------------------------------------------------
 */

static u32 depth(const struct pl011 *u)
{
    return u->lcr & LCR_FEN ? FIFO_DEPTH : 1;
}

static u32 trigger_level(u32 sel)
{
    static const u8 level[] = {2, 4, 8, 12, 14, 8, 8, 8}; /* the last three are reserved */

    return level[sel & 7];
}

/* The receive interrupt comes when this many bytes are there. */
static u32 rx_trigger(const struct pl011 *u)
{
    return u->lcr & LCR_FEN ? trigger_level(u->ifls >> 3) : 1;
}

/* The transmit interrupt comes when the FIFO has emptied to this many bytes. */
static u32 tx_trigger(const struct pl011 *u)
{
    return u->lcr & LCR_FEN ? trigger_level(u->ifls) : 0;
}

/* The modem's lines, as in UARTFR: all ready, but in loopback, where they are our own. */
static u32 modem(const struct pl011 *u)
{
    if (!(u->cr & CR_LBE)) {
        return FR_CTS | FR_DSR | FR_DCD;
    }
    return (u->cr & CR_RTS ? FR_CTS : 0u) | (u->cr & CR_DTR ? FR_DSR : 0u) |
           (u->cr & CR_OUT1 ? FR_DCD : 0u) | (u->cr & CR_OUT2 ? FR_RI : 0u);
}

static u32 flags(const struct pl011 *u)
{
    return modem(u) | (u->rx.count == 0 ? FR_RXFE : 0u) | (u->rx.count >= depth(u) ? FR_RXFF : 0u) |
           (u->tx.count == 0 ? FR_TXFE : (u32)FR_BUSY) | (u->tx.count >= depth(u) ? FR_TXFF : 0u);
}

static bool pl011_pending(struct primecell *p)
{
    const struct pl011 *u = container_of(p, struct pl011, cell);

    return (u->ris & u->imsc) != 0;
}

/* --- bytes in and out ---------------------------------------------------------------------------
 */

/*
 * The receiver is idle: no byte comes until rx changes. Above the trigger level that is the receive
 * interrupt, below it the receive timeout.
 */
static void rx_idle(struct pl011 *u)
{
    if (u->rx.count >= rx_trigger(u)) {
        u->ris |= INT_RX;
    } else if (u->rx.count > 0) {
        u->ris |= INT_RT;
    }
}

/* A break is received as one character, which is 0 (TRM §3.3.1). */
static void rx_break(struct pl011 *u)
{
    fifo_put(&u->rx, RSR_BE << DR_ERRORS);
    u->ris |= INT_BE;
}

/* The next thing from the line, if there's one, into the FIFO, where there's room. */
static bool rx_one(struct pl011 *u)
{
    int b = chan_getc(u->chan);

    if (b >= 0) {
        fifo_put(&u->rx, (u16)b);
        u->rx_bytes++;
    } else if (chan_break(u->chan)) {
        rx_break(u);
    } else {
        return false;
    }
    return true;
}

/* Takes input from the channel, as much as there is room for. */
static void rx_fill(struct pl011 *u)
{
    bool some = false;

    if (!(u->cr & CR_RXE) || (u->cr & CR_LBE)) {
        return;
    }
    while (u->rx.count < depth(u) && rx_one(u)) {
        some = true;
    }
    if (some) {
        rx_idle(u);
    }
}

/* Loopback: what is sent is received, and lost if there's no room. */
static bool loop_has_room(struct pl011 *u)
{
    if (u->rx.count < depth(u)) {
        return true;
    }
    u->overrun = true;
    u->rsr |= RSR_OE;
    u->ris |= INT_OE;
    return false;
}

static void loop_put(struct pl011 *u, u16 b)
{
    if (loop_has_room(u)) {
        fifo_put(&u->rx, b);
        rx_idle(u);
    }
}

static bool tx_byte(struct pl011 *u, u16 b)
{
    if (u->cr & CR_LBE) {
        loop_put(u, b);
        return true;
    }
    return chan_putc(u->chan, (u8)b);
}

/*
 * Sends what the channel takes. The interrupt is for the passage through the trigger level: it
 * comes when bytes leave and no more than that are left (TRM §2.8.3), not because few are there.
 */
static void tx_drain(struct pl011 *u)
{
    u32 before = u->tx.count;

    while (u->tx.count > 0 && tx_byte(u, u->tx.buf[u->tx.first])) {
        (void)fifo_get(&u->tx);
        u->tx_bytes++;
    }
    if (u->tx.count < before && u->tx.count <= tx_trigger(u)) {
        u->ris |= INT_TX;
    }
}

static void rx_ready(void *dev)
{
    struct pl011 *u = dev;

    spin_lock(&u->cell.lock);
    rx_fill(u);
    primecell_update(&u->cell);
    spin_unlock(&u->cell.lock);
}

static void tx_ready(void *dev)
{
    struct pl011 *u = dev;

    spin_lock(&u->cell.lock);
    tx_drain(u);
    primecell_update(&u->cell);
    spin_unlock(&u->cell.lock);
}

static const struct chan_ops chan_ops = {
    .rx_ready = rx_ready, .tx_ready = tx_ready, .breaks = true};

/* --- registers ----------------------------------------------------------------------------------
 */

static u32 read_dr(struct pl011 *u)
{
    u32 value;

    if (u->rx.count == 0) {
        return 0;
    }
    value = fifo_get(&u->rx) | (u->overrun ? RSR_OE << DR_ERRORS : 0u);
    u->overrun = false;
    u->rsr = (u->rsr & RSR_OE) | value >> DR_ERRORS; /* of the character read last */
    if (u->rx.count < rx_trigger(u)) {
        u->ris &= ~INT_RX;
    }
    if (u->rx.count == 0) {
        u->ris &= ~INT_RT;
    }
    rx_fill(u);
    if (u->rx.count < rx_trigger(u)) {
        rx_idle(u);
    }
    return value;
}

static void write_dr(struct pl011 *u, u8 b)
{
    if (u->tx.count >= depth(u)) {
        return; /* TXFF said so: lost, as on hardware */
    }
    fifo_put(&u->tx, b);
    if (u->tx.count > tx_trigger(u)) {
        u->ris &= ~INT_TX;
    }
    tx_drain(u);
}

static void write_cr(struct pl011 *u, u32 value)
{
    u32 before = modem(u), changed;

    u->cr = value;
    changed = before ^ modem(u);
    u->ris |= (changed & FR_RI ? INT_RI : 0u) | (changed & FR_CTS ? INT_CTS : 0u) |
              (changed & FR_DCD ? INT_DCD : 0u) | (changed & FR_DSR ? INT_DSR : 0u);
    rx_fill(u);
    tx_drain(u);
}

/* The plain registers: where they are kept, and which bits. NULL: not one of them. */
static u32 *plain_reg(struct pl011 *u, u64 offset, u32 *bits)
{
    static const struct {
        u16 offset, field;
        u32 bits;
    } regs[] = {
        {UARTILPR, offsetof(struct pl011, ilpr), ILPR_BITS},
        {UARTIBRD, offsetof(struct pl011, ibrd), IBRD_BITS},
        {UARTFBRD, offsetof(struct pl011, fbrd), FBRD_BITS},
        {UARTLCR_H, offsetof(struct pl011, lcr), LCR_BITS},
        {UARTCR, offsetof(struct pl011, cr), CR_BITS},
        {UARTIFLS, offsetof(struct pl011, ifls), IFLS_BITS},
        {UARTIMSC, offsetof(struct pl011, imsc), INT_ALL},
        {UARTDMACR, offsetof(struct pl011, dmacr), DMACR_BITS},
    };

    for (u32 i = 0; i < ARRAY_SIZE(regs); i++) {
        if (regs[i].offset == offset) {
            *bits = regs[i].bits;
            return (u32 *)((char *)u + regs[i].field);
        }
    }
    return NULL;
}

static u32 pl011_read(struct primecell *p, u32 offset)
{
    struct pl011 *u = container_of(p, struct pl011, cell);
    const u32 *reg;
    u32 bits;

    switch (offset) {
    case UARTDR:
        return read_dr(u);
    case UARTRSR:
        return u->rsr;
    case UARTFR:
        return flags(u);
    case UARTRIS:
        return u->ris;
    case UARTMIS:
        return u->ris & u->imsc;
    default:
        reg = plain_reg(u, offset, &bits);
        return reg != NULL ? *reg : 0;
    }
}

/* The divisor counts from now on (TRM §3.3.7); in loopback the start of a break is received. */
static void write_lcr(struct pl011 *u, u32 value)
{
    bool starts = !(u->lcr & LCR_BRK) && (value & LCR_BRK);

    u->lcr = value;
    u->divisor = u->ibrd << 6 | u->fbrd;
    if (starts && (u->cr & CR_LBE) && loop_has_room(u)) {
        rx_break(u);
        rx_idle(u);
    }
    rx_fill(u); /* the FIFO may be deeper now */
}

static void pl011_write(struct primecell *p, u32 offset, u32 value)
{
    struct pl011 *u = container_of(p, struct pl011, cell);
    u32 *reg, bits;

    switch (offset) {
    case UARTDR:
        write_dr(u, (u8)value);
        break;
    case UARTRSR:
        u->rsr = 0;
        break;
    case UARTLCR_H:
        write_lcr(u, value & LCR_BITS);
        break;
    case UARTCR:
        write_cr(u, value & CR_BITS);
        break;
    case UARTICR:
        u->ris &= ~value;
        break;
    default:
        reg = plain_reg(u, offset, &bits);
        if (reg != NULL) {
            *reg = value & bits;
        }
        break;
    }
}

/* --- the device ---------------------------------------------------------------------------------
 */

static void pl011_reset(struct vdev *d)
{
    struct pl011 *u = container_of(d, struct pl011, cell.dev);

    spin_lock(&u->cell.lock);
    u->cr &= ~CR_LBE;
    tx_drain(u); /* what the guest sent last */
    u->rx.count = 0;
    u->tx.count = 0;
    u->ilpr = 0;
    u->ibrd = 0;
    u->fbrd = 0;
    u->lcr = 0;
    u->divisor = 0;
    u->cr = CR_RXE | CR_TXE;
    u->ifls = 2 << 3 | 2; /* both at half */
    u->imsc = 0;
    u->ris = 0;
    u->dmacr = 0;
    u->rsr = 0;
    u->overrun = false;
    primecell_update(&u->cell);
    chan_reset(u->chan);
    spin_unlock(&u->cell.lock);
}

static void pl011_show(struct vdev *d, void (*print)(const char *fmt, ...))
{
    struct pl011 *u = container_of(d, struct pl011, cell.dev);
    u32 ris, imsc, divisor;
    u64 in, out;

    spin_lock(&u->cell.lock);
    in = u->rx_bytes;
    out = u->tx_bytes;
    ris = u->ris;
    imsc = u->imsc;
    divisor = u->divisor;
    spin_unlock(&u->cell.lock);
    print("  pl011 at 0x%llx: console `%s`, %llu bytes out%s, %llu in, interrupts 0x%x of 0x%x",
          (unsigned long long)d->conf->loc, chan_name(u->chan), (unsigned long long)out,
          out == 0 ? " (the guest has printed nothing)" : "", (unsigned long long)in, ris & imsc,
          ris);
    if (divisor != 0) {
        print(", set to %u baud", 4 * CLOCK_HZ / divisor);
    }
    print("\n");
}

static const struct primecell_type cell_type = {
    .ops = {.read = primecell_read,
            .write = primecell_write,
            .reset = pl011_reset,
            .show = pl011_show},
    .id = 0x00141011, /* revision 1: FIFOs of 16 bytes */
    .read = pl011_read,
    .write = pl011_write,
    .pending = pl011_pending,
};

static struct vdev *pl011_create(struct vm *vm, const struct vdev_conf *conf)
{
    struct pl011 *u = page_alloc(sizeof(*u));

    if (u == NULL) {
        return NULL;
    }
    u->chan = chan_for_console(vm, conf, &chan_ops, u);
    if (u->chan == NULL || !primecell_init(&u->cell, &cell_type, vm, conf)) {
        return NULL;
    }
    pl011_reset(&u->cell.dev);
    return &u->cell.dev;
}

/* --- options ------------------------------------------------------------------------------------
 */

/* [<|>]PATH: only Muntin's console is there, written `-`. */
static bool parse_hostdev(void *opts, struct str arg, const char **why)
{
    (void)opts;
    if (arg.len > 0 && (arg.p[0] == '<' || arg.p[0] == '>')) {
        arg = (struct str){arg.p + 1, arg.len - 1};
    }
    if (arg.len == 1 && arg.p[0] == '-') {
        return true;
    }
    *why = "Muntin's console is all there is: write `>-`";
    return false;
}

static const struct opt pl011_options[] = {
    {.name = "hostdev",
     .type = OPT_CUSTOM,
     .arg = "[<|>]PATH",
     .range = MANUAL("`-`, the console"),
     .dflt = MANUAL(">-"),
     .help = MANUAL("Where its bytes come from and go to; `>-` is Muntin's console."),
     .example = MANUAL("hostdev >-"),
     .parse = parse_hostdev},
    {.name = "batch",
     .type = OPT_U32,
     .offset = offsetof(struct pl011_opts, batch),
     .arg = "USEC",
     .unit = MANUAL("microseconds"),
     .dflt = MANUAL("0"),
     .help = MANUAL("Accepted for compatibility: the console mux collects output by lines."),
     .example = MANUAL("batch 500"),
     .ignored = true},
    {.name = NULL},
};

static const struct vdev_prop pl011_props[] = {
    {.name = "clocks", .kind = PROP_CLOCKS},
    {.name = NULL},
};

const struct vdev_type pl011_type = {
    .name = "pl011",
    .help = MANUAL("The PrimeCell UART: a VM's serial port, on Muntin's console."),
    .opts = pl011_options,
    .opts_size = sizeof(struct pl011_opts),
    .node = "pl011",
    .compatible = "arm,pl011\0arm,primecell",
    .compatible_len = sizeof("arm,pl011\0arm,primecell"),
    .props = pl011_props,
    .mmio_size = PRIMECELL_SIZE,
    .level = true,
    .default_loc = DEFAULT_LOC,
    .default_intid = DEFAULT_INT,
    .create = pl011_create,
};
