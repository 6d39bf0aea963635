/* SPDX-License-Identifier: MIT */
/*
 * SMMUv3: a linear stream table that is just long enough, one stage-2 table for each VM with
 * devices, a command queue that is waited for, an event queue that is read at its interrupt. See
 * smmuv3.h. References are to IHI 0070.
 */
#include "arch/arm-common/smmuv3.h"

#include "arch/arm-common/boot.h"
#include "arch/arm-common/gic.h"
#include "arch/arm-common/io.h"
#include "arch/arm-common/irqs.h"
#include "arch/arm-common/pgtable.h"
#include "arch/arm-common/stage2.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/board.h"
#include "core/dma.h"
#include "core/log.h"
#include "core/page.h"
#include "core/spinlock.h"
#include "core/vm.h"
#include "sysreg.h"

/* Registers (§6.3) */
#define IDR0             0x00
#define IDR0_S2P         BIT(0)
#define IDR0_TTF_AARCH64 BIT(3)
#define IDR0_COHACC      BIT(4)
#define IDR0_HYP         BIT(9)
#define IDR1             0x04
#define IDR1_PRESET      (BIT(29) | BIT(30)) /* tables or queues are where they are */
#define IDR1_SIDSIZE     0x3f
#define IDR5             0x14
#define IDR5_OAS         7
#define IDR5_GRAN4K      BIT(4)
#define CR0              0x20
#define CR0ACK           0x24
#define CR0_SMMUEN       BIT(0)
#define CR0_EVENTQEN     BIT(2)
#define CR0_CMDQEN       BIT(3)
#define CR1              0x28
#define CR1_WRITE_BACK   0xd75 /* tables and queues: inner and outer write-back, inner shareable */
#define CR1_UNCACHED     0
#define CR2              0x2c
#define CR2_PTM          BIT(2)
#define GBPA             0x44
#define GBPA_ABORT       BIT(20)
#define GBPA_UPDATE      BIT(31)
#define IRQ_CTRL         0x50
#define IRQ_CTRLACK      0x54
#define IRQ_EVENTQ       BIT(2)
#define GERROR           0x60
#define GERRORN          0x64
#define STRTAB_BASE      0x80
#define STRTAB_BASE_CFG  0x88
#define CMDQ_BASE        0x90
#define CMDQ_PROD        0x98
#define CMDQ_CONS        0x9c
#define CMDQ_ERROR       (0x7fu << 24)
#define EVENTQ_BASE      0xa0
#define EVENTQ_IRQ_CFG0  0xb0
#define EVENTQ_PROD      0x100a8
#define EVENTQ_CONS      0x100ac
#define EVENTQ_OVERFLOW  BIT(31)
#define BASE_ALLOCATE    BIT64(62) /* RA, WA: hints for the caches */

/* Stream table entry (§5.2), in 64-bit words */
#define STE_WORDS     8
#define STE_V         1u
#define STE_ABORT     (STE_V | 0u << 1) /* and no event about it */
#define STE_STAGE2    (STE_V | 6u << 1)
#define STE1_INCOMING (1ull << 44) /* shareability as the device says */
#define STE2_T0SZ     32           /* shifts; the layout is VTCR_EL2's */
#define STE2_SL0      38
#define STE2_WALKS    (1ull << 40 | 1ull << 42) /* of tables: write-back; else not cacheable */
#define STE2_SHARE    (3ull << 44)              /* inner shareable */
#define STE2_PS       48
#define STE2_AA64     BIT64(51)
#define STE2_AFFD     BIT64(53) /* no faults for the Access flag */
#define STE2_R        BIT64(58) /* faults are recorded, and abort: no stall */

/* Commands (§4) */
#define CMD_CFGI_STE       0x03
#define CMD_CFGI_ALL       0x04
#define CFGI_ALL_RANGE     31
#define CFGI_LEAF          1
#define CMD_TLBI_EL2_ALL   0x20
#define CMD_TLBI_S12_VMALL 0x28
#define CMD_TLBI_NSNH_ALL  0x30
#define CMD_SYNC           0x46

#define EVENT_READ BIT64(35) /* of an event's word 1 (§7.3) */

#define CMDS_LOG2   8
#define EVENTS_LOG2 7
#define CMDS        BIT(CMDS_LOG2)
#define EVENTS      BIT(EVENTS_LOG2)

_Static_assert(CMDS * 16 <= PAGE_SIZE && EVENTS * 32 <= PAGE_SIZE, "a page each");

#define TABLES 32 /* pages of one VM's stage 2 */

struct stream {
    u32 sid;
    struct vm *vm;
    hpa_t root; /* stage 2 of its VM's devices */
};

static struct {
    uintptr_t base; /* 0: no SMMU that can be used */
    bool coherent;
    u32 oas; /* IDR5's code */
    u32 ipa_bits, level;
    u32 sid_bits;
    u64 *ste;
    u64 *cmd, *event;
    struct stream stream[DMA_STREAMS];
    u32 streams;
    struct spinlock lock;
    u32 prod;  /* of the command queue */
    bool dead; /* it doesn't answer commands: it's off, and aborts all */
} smmu = {.lock = SPINLOCK_INIT(LOCK_SMMU)};

static const u8 oas_bits[] = {32, 36, 40, 42, 44, 48, 52, 56};

static u32 reg(u32 offset)
{
    return io_read32(smmu.base + offset);
}

static void set_reg(u32 offset, u32 value)
{
    io_write32(smmu.base + offset, value);
}

static bool wait_for(u32 offset, u32 mask, u32 value)
{
    if (io_wait32(smmu.base + offset, mask, value)) {
        return true;
    }
    log_err("SMMU: register 0x%x does not become 0x%x", offset, value);
    return false;
}

/* What the SMMU is about to read: for one that doesn't look into the caches, out of them. */
static void publish(const void *p, size_t len)
{
    if (!smmu.coherent) {
        arch_clean_dcache(p, len);
    }
    dsb_sy(); /* before the register write or the entry that lets the SMMU look (§3.15) */
}

/* --- the command queue ------------------------------------------------------------------------ */

static void push(u64 word0, u64 word1)
{
    u64 *at = &smmu.cmd[2 * (smmu.prod % CMDS)];

    at[0] = word0;
    at[1] = word1;
    publish(at, 16);
    smmu.prod = (smmu.prod + 1) % (2 * CMDS); /* the bit above the index is the wrap flag */
}

/*
 * Hands over what was pushed, and waits for it: once CONS is behind a CMD_SYNC, that has completed
 * (§4.7.3). An error of the SMMU's stops the queue, and can't come from a guest.
 */
static bool sync(void)
{
    push(CMD_SYNC, 0);
    set_reg(CMDQ_PROD, smmu.prod);
    return wait_for(CMDQ_CONS, (2 * CMDS - 1) | CMDQ_ERROR, smmu.prod);
}

/* --- start ------------------------------------------------------------------------------------ */

/* Everything that passes while the SMMU is off is aborted (§6.3.15). */
static bool abort_all(void)
{
    if (!wait_for(GBPA, GBPA_UPDATE, 0)) {
        return false;
    }
    set_reg(GBPA, (reg(GBPA) & ~GBPA_UPDATE) | GBPA_ABORT | GBPA_UPDATE);
    if (!wait_for(GBPA, GBPA_UPDATE, 0)) {
        return false;
    }
    set_reg(IRQ_CTRL, 0);
    set_reg(CR0, 0);
    return wait_for(CR0ACK, CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN, 0);
}

static bool usable(void)
{
    u32 idr0 = reg(IDR0), idr5 = reg(IDR5);
    const char *lacks = NULL;

    if ((idr0 & IDR0_S2P) == 0 || (idr0 & IDR0_TTF_AARCH64) == 0) {
        lacks = "stage 2 with VMSAv8-64 tables";
    } else if ((idr5 & IDR5_GRAN4K) == 0) {
        lacks = "pages of 4 KiB";
    } else if ((reg(IDR1) & IDR1_PRESET) != 0) {
        lacks = "tables and queues of ours";
    }
    if (lacks != NULL) {
        log_warn("SMMU: it has no %s: what is behind it stays blocked", lacks);
    }
    return lacks == NULL;
}

void smmu_init(const struct board *board)
{
    if (board->smmu.reg.size == 0 || !boot_map_device(board->smmu.reg.base, board->smmu.reg.size)) {
        return;
    }
    smmu.base = (uintptr_t)board->smmu.reg.base;
    if (!abort_all() || !usable()) {
        smmu.base = 0;
        return;
    }
    smmu.coherent = (reg(IDR0) & IDR0_COHACC) != 0;
    smmu.oas = MIN(reg(IDR5) & IDR5_OAS, 5u); /* 52 bits and more need other granules */
    smmu.sid_bits = reg(IDR1) & IDR1_SIDSIZE;
    smmu.ipa_bits = MIN((u32)oas_bits[smmu.oas], stage2_ipa_bits());
    smmu.level = pgtable_at(0, PGTABLE_STAGE2, smmu.ipa_bits, NULL).level;
}

/* --- a VM's table ----------------------------------------------------------------------------- */

/* The pages of the table that is being made, to be published when it's done. */
static struct {
    void *page;
    size_t size;
} made[TABLES];
static u32 nmade;

static void *make_page(u64 size)
{
    void *p = nmade < TABLES ? page_alloc(size) : NULL;

    if (p != NULL) {
        made[nmade].page = p;
        made[nmade++].size = (size_t)size;
    }
    return p;
}

static bool map_all(struct pgtable *pt, const struct vm *vm, u64 frame, hpa_t doorbell)
{
    for (u32 i = 0; i < vm->mem.count; i++) {
        const struct gmem_region *r = &vm->mem.region[i];

        if (!pgtable_map(pt, r->base, r->host, r->size, r->writable ? PGTABLE_RW : PGTABLE_RO)) {
            return false;
        }
    }
    return frame == 0 || pgtable_map(pt, frame, doorbell, PAGE_SIZE, PGTABLE_DEVICE);
}

/*
 * Not the CPU's table: what the CPU may do there with devices, and with HCR_EL2.FWB, isn't this.
 * Its root; 0, after a message: no memory.
 */
static hpa_t make_table(const struct vm *vm, u64 frame, hpa_t doorbell)
{
    struct pgtable pt;

    nmade = 0;
    if (!pgtable_create(&pt, PGTABLE_STAGE2, smmu.ipa_bits, make_page) ||
        !map_all(&pt, vm, frame, doorbell)) {
        log_err("%s: no memory for the tables of its devices", vm->name);
        return 0;
    }
    for (u32 i = 0; i < nmade; i++) {
        publish(made[i].page, made[i].size);
    }
    return (uintptr_t)pt.root;
}

/* By who it is, not by its index: that of a VM which could not be created is the next one's. */
static hpa_t table_of(const struct vm *vm)
{
    for (u32 i = 0; i < smmu.streams; i++) {
        if (smmu.stream[i].vm == vm) {
            return smmu.stream[i].root;
        }
    }
    return 0;
}

static const struct stream *find(u32 sid)
{
    for (u32 i = 0; i < smmu.streams; i++) {
        if (smmu.stream[i].sid == sid) {
            return &smmu.stream[i];
        }
    }
    return NULL;
}

bool smmu_attach(struct vm *vm, u32 sid, u64 frame, hpa_t doorbell)
{
    hpa_t root;

    if (smmu.base == 0) {
        log_err("%s: the board has no SMMU that Muntin can use", vm->name);
        return false;
    }
    if (smmu.sid_bits < 32 && sid >> smmu.sid_bits != 0) {
        log_err("%s: the SMMU has no stream 0x%x", vm->name, sid);
        return false;
    }
    root = table_of(vm);
    if (root == 0) {
        root = make_table(vm, frame, doorbell);
    }
    if (root == 0) {
        return false;
    }
    smmu.stream[smmu.streams++] = (struct stream){sid, vm, root};
    return true;
}

/* --- translation on --------------------------------------------------------------------------- */

static u64 vmid(const struct vm *vm)
{
    return vm->index + 1;
}

static void fill_entry(const struct stream *s)
{
    u64 *ste = &smmu.ste[(size_t)s->sid * STE_WORDS];
    u64 sl0 = smmu.level == 0 ? 2 : 1;

    ste[1] = STE1_INCOMING;
    ste[2] = vmid(s->vm) | (u64)(64 - smmu.ipa_bits) << STE2_T0SZ | sl0 << STE2_SL0 | STE2_SHARE |
             (smmu.coherent ? STE2_WALKS : 0) | (u64)smmu.oas << STE2_PS | STE2_AA64 | STE2_AFFD |
             STE2_R;
    ste[3] = s->root;
}

/* Long enough for the highest stream; those beyond it are aborted as well (§3.4.3). */
static u32 table_bits(void)
{
    u32 bits = 0;

    for (u32 i = 0; i < smmu.streams; i++) {
        while (smmu.stream[i].sid >> bits != 0) {
            bits++;
        }
    }
    return bits;
}

/* Bases are aligned to what they're the base of (§6.3.24); the queues have a page each. */
static bool make_tables(u32 bits)
{
    size_t len = (size_t)STE_WORDS * 8 << bits;

    smmu.ste = page_alloc_aligned(len, MAX(len, (size_t)PAGE_SIZE));
    smmu.cmd = page_alloc(CMDS * 16);
    smmu.event = page_alloc(EVENTS * 32);
    if (smmu.ste == NULL || smmu.cmd == NULL || smmu.event == NULL) {
        log_err("SMMU: no memory for its tables");
        return false;
    }
    for (size_t i = 0; i < len / 8; i += STE_WORDS) {
        smmu.ste[i] = STE_ABORT;
    }
    for (u32 i = 0; i < smmu.streams; i++) {
        fill_entry(&smmu.stream[i]);
    }
    publish(smmu.ste, len);
    publish(smmu.event, EVENTS * 32);
    return true;
}

static void set_base(u32 offset, const void *p, u32 log2)
{
    io_write64_halves(smmu.base + offset, (u64)(uintptr_t)p | BASE_ALLOCATE | log2);
}

/* Nothing that it may have cached from before Muntin survives. */
static bool forget_all(void)
{
    bool done;

    spin_lock(&smmu.lock);
    push(CMD_CFGI_ALL, CFGI_ALL_RANGE);
    if ((reg(IDR0) & IDR0_HYP) != 0) {
        push(CMD_TLBI_EL2_ALL, 0);
    }
    push(CMD_TLBI_NSNH_ALL, 0);
    done = sync();
    spin_unlock(&smmu.lock);
    return done;
}

/* The order of §6.3.9.6: queues, their registers, commands, then translation. */
bool smmu_start(void)
{
    u32 bits = table_bits();

    if (smmu.streams == 0) {
        return true;
    }
    if (!make_tables(bits)) {
        return false;
    }
    set_reg(CR1, smmu.coherent ? CR1_WRITE_BACK : CR1_UNCACHED);
    set_reg(CR2, CR2_PTM); /* the CPUs' TLB maintenance is none of its business */
    set_base(STRTAB_BASE, smmu.ste, 0);
    set_reg(STRTAB_BASE_CFG, bits); /* linear */
    set_base(CMDQ_BASE, smmu.cmd, CMDS_LOG2);
    set_reg(GERRORN, reg(GERROR)); /* an error of before would stop the command queue (§7.5) */
    set_reg(CMDQ_PROD, 0);
    set_reg(CMDQ_CONS, 0);
    set_base(EVENTQ_BASE, smmu.event, EVENTS_LOG2);
    set_reg(EVENTQ_PROD, 0);
    set_reg(EVENTQ_CONS, 0);
    io_write64_halves(smmu.base + EVENTQ_IRQ_CFG0, 0); /* by wire */
    dsb_sy();
    set_reg(CR0, CR0_CMDQEN | CR0_EVENTQEN);
    if (!wait_for(CR0ACK, CR0_CMDQEN | CR0_EVENTQEN, CR0_CMDQEN | CR0_EVENTQEN) || !forget_all()) {
        return false;
    }
    if (host_irqs.smmu != 0) {
        gic_setup_spi(host_irqs.smmu, true);
        gic_enable(host_irqs.smmu, true);
    }
    set_reg(IRQ_CTRL, IRQ_EVENTQ);
    set_reg(CR0, CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
    return wait_for(IRQ_CTRLACK, IRQ_EVENTQ, IRQ_EVENTQ) &&
           wait_for(CR0ACK, CR0_SMMUEN, CR0_SMMUEN);
}

/*
 * One 64-bit word decides, so the SMMU sees the old entry or the new one (§3.21.3.1). CMD_SYNC
 * after CFGI waits for what was translated by the old one, too.
 */
static void set_entry(const struct stream *s, bool open)
{
    u64 *ste = &smmu.ste[(size_t)s->sid * STE_WORDS];

    atomic_store(ste, (u64)(open ? STE_STAGE2 : STE_ABORT));
    publish(ste, 8);
    push((u64)s->sid << 32 | CMD_CFGI_STE, CFGI_LEAF);
    if (!open) {
        push(vmid(s->vm) << 32 | CMD_TLBI_S12_VMALL, 0);
    }
    if (!sync()) {
        log_err("SMMU: it's off: no passed device reaches memory any more");
        smmu.dead = true;
        set_reg(CR0, 0); /* GBPA aborts */
        (void)!wait_for(CR0ACK, CR0_SMMUEN, 0);
    }
}

void smmu_open(u32 sid, bool open)
{
    const struct stream *s = find(sid);

    if (s == NULL || smmu.ste == NULL) {
        return;
    }
    spin_lock(&smmu.lock);
    if (!smmu.dead) {
        set_entry(s, open);
    }
    spin_unlock(&smmu.lock);
}

/* --- events ----------------------------------------------------------------------------------- */

static void take_event(u32 index)
{
    const u64 *e = &smmu.event[4 * (index % EVENTS)];

    if (!smmu.coherent) {
        arch_clean_dcache(e, 32); /* nothing of it is dirty: dropped from the caches */
    }
    dma_blocked((u32)(e[0] >> 32), e[2], (e[1] & EVENT_READ) == 0);
}

static bool events_left(u32 cons, u32 prod)
{
    return (cons ^ prod) % (2 * EVENTS) != 0;
}

/*
 * It interrupts when the queue is no longer empty (§7.2.1), so what came meanwhile is taken as
 * well. Many streams together can bring more than is taken at once: then it interrupts again, made
 * to by its pending bit, as the queue doesn't while it isn't empty.
 */
void smmu_irq(void)
{
    u32 cons = reg(EVENTQ_CONS), prod = reg(EVENTQ_PROD);

    for (u32 i = 0; i < 2 * EVENTS && events_left(cons, prod); i++) {
        dmb_sy(); /* the record is read after the index that covers it */
        take_event(cons);
        cons = (cons + 1) % (2 * EVENTS);
        if (!events_left(cons, prod)) {
            dmb_sy(); /* … and before its place is given back */
            set_reg(EVENTQ_CONS, cons | (prod & EVENTQ_OVERFLOW));
            prod = reg(EVENTQ_PROD);
        }
    }
    if (events_left(cons, prod)) {
        dmb_sy();
        set_reg(EVENTQ_CONS, cons % (2 * EVENTS) | (prod & EVENTQ_OVERFLOW));
        gic_spi_pend(host_irqs.smmu);
    }
}
