/* SPDX-License-Identifier: MIT */
/*
 * SMMUv3: a linear stream table that is just long enough, one stage-2 table for each VM with
 * devices, a command queue that is waited for, an event queue that is read at its interrupt and
 * when a stream is closed. Once it fails it's off for good, which aborts everything. See smmuv3.h.
 * References are to IHI 0070.
 */
#include "arch/arm-common/smmuv3.h"

#include "arch/arm-common/boot.h"
#include "arch/arm-common/gic.h"
#include "arch/arm-common/io.h"
#include "arch/arm-common/irqs.h"
#include "arch/arm-common/pgtable.h"
#include "arch/arm-common/smmuv3_regs.h"
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

#define CMDS_LOG2   5 /* at most four are under way */
#define EVENTS_LOG2 7
#define CMDS        BIT(CMDS_LOG2)
#define EVENTS      BIT(EVENTS_LOG2)

_Static_assert(CMDS * 16 <= PAGE_SIZE && EVENTS * 32 <= PAGE_SIZE, "a page each");

#define TABLES    32 /* pages of one VM's stage 2 */
#define SIDS_LOG2 22 /* of the longest stream table: 256 MiB */

/*
 * How often a register is read until it has changed, with interrupts masked: 10 instructions each
 * at most, and 100 ns at least in silicon, where a CMD_SYNC takes microseconds.
 */
#define SYNC_READS 4500
#define OFF_READS  400

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
    struct spinlock lock;     /* LOCK_SMMU, covers what follows */
    u32 prod;                 /* of the command queue */
    u32 told;                 /* of GERROR's bits: those that there was a message about */
    bool dead;                /* it has failed: it's off, and aborts all */
    struct spinlock events;   /* LOCK_EVENTS: the consumer's side of the event queue */
    const struct pcpu *taker; /* who has it */
} smmu = {.lock = SPINLOCK_INIT(LOCK_SMMU), .events = SPINLOCK_INIT(LOCK_EVENTS)};

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
 * (§4.7.3). An error stops the queue in front of it (§7.1), and can't come from a guest.
 */
static bool sync(void)
{
    u32 cons = 0;

    push(CMD_SYNC, 0);
    set_reg(CMDQ_PROD, smmu.prod);
    for (u32 i = 0; i < SYNC_READS && (cons & CMDQ_ERROR) == 0; i++) {
        cons = reg(CMDQ_CONS);
        if ((cons & (2 * CMDS - 1)) == smmu.prod) {
            dmb_sy(); /* memory that a device can't change any more is looked at after that */
            return true;
        }
        cpu_relax();
    }
    return false;
}

/* --- errors ----------------------------------------------------------------------------------- */

#define UNFINISHED "it doesn't do what it's told"

/* Bits that differ are active errors, until they're made the same (§7.5). */
static u32 errors(void)
{
    return reg(GERROR) ^ reg(GERRORN);
}

static void acknowledge(u32 active)
{
    set_reg(GERRORN, reg(GERRORN) ^ active);
}

/*
 * Off: GBPA aborts all that comes (§6.3.9.6). What is under way may still arrive, in memory of its
 * own VM. Acknowledged when it's off: else it would go on behind the command that it refuses.
 */
static void give_up(const char *why)
{
    u32 active = errors(), cons = reg(CMDQ_CONS);
    bool on = true;

    if ((active & GERROR_SFM) != 0) {
        why = "it has failed (service failure mode)";
    } else if ((active & GERROR_CMDQ) != 0) {
        why = "it refuses a command";
    }
    smmu.dead = true;
    set_reg(CR0, 0);
    for (u32 i = 0; i < OFF_READS && on; i++) {
        on = (reg(CR0ACK) & CR0_SMMUEN) != 0;
        cpu_relax();
    }
    acknowledge(active);
    log_err("SMMU: %s (GERROR 0x%x, CMDQ_CONS 0x%x): %s", why, active, cons,
            on ? "nor can it be turned off" : "it's off, and passed devices reach no memory");
}

/* What is no failure costs events, at most; each is told of once. */
static void check_errors(void)
{
    u32 active = errors();

    if ((active & (GERROR_SFM | GERROR_CMDQ)) != 0) {
        give_up(NULL);
    } else if (active != 0) {
        acknowledge(active);
        if ((active & ~smmu.told) != 0) {
            log_warn("SMMU: GERROR 0x%x: it may not tell of all that it blocks", active);
        }
        smmu.told |= active;
    }
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
    set_reg(CR0, 0);
    set_reg(IRQ_CTRL, 0);
    return wait_for(CR0ACK, CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN, 0) &&
           wait_for(IRQ_CTRLACK, IRQ_EVENTQ | IRQ_GERROR, 0);
}

static bool usable(void)
{
    u32 idr0 = reg(IDR0), idr1 = reg(IDR1);
    const char *lacks = NULL;

    if ((idr0 & IDR0_S2P) == 0 || (idr0 & IDR0_TTF_AARCH64) == 0) {
        lacks = "stage 2 with VMSAv8-64 tables";
    } else if ((idr0 & IDR0_BIG_ENDIAN) == IDR0_BIG_ENDIAN) {
        lacks = "little-endian tables";
    } else if ((idr0 & IDR0_STALLS) == IDR0_STALL_ONLY) {
        lacks = "faults without a stall";
    } else if ((reg(IDR5) & IDR5_GRAN4K) == 0) {
        lacks = "pages of 4 KiB";
    } else if ((idr1 & IDR1_PRESET) != 0) {
        lacks = "tables and queues of ours";
    } else if (IDR1_CMDQS(idr1) < CMDS_LOG2 || IDR1_EVENTQS(idr1) < EVENTS_LOG2) {
        lacks = "queues that are long enough";
    }
    if (lacks != NULL) {
        log_warn("SMMU: it has no %s: what is behind it stays blocked", lacks);
    }
    return lacks == NULL;
}

void smmu_init(const struct board *board)
{
    if (board->smmu.reg.size < REGISTERS_SIZE ||
        !boot_map_device(board->smmu.reg.base, board->smmu.reg.size)) {
        return;
    }
    smmu.base = (uintptr_t)board->smmu.reg.base;
    if (!abort_all() || !usable()) {
        smmu.base = 0;
        return;
    }
    smmu.coherent = (reg(IDR0) & IDR0_COHACC) != 0;
    smmu.oas = MIN(reg(IDR5) & IDR5_OAS, 5u); /* 52 bits and more need other granules */
    smmu.sid_bits = MIN(reg(IDR1) & IDR1_SIDSIZE, (u32)SIDS_LOG2);
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

/* The SMMU has fewer bits of addresses than the CPUs have, maybe. */
static bool reaches_all(const struct vm *vm)
{
    for (u32 i = 0; i < vm->mem.count; i++) {
        const struct gmem_region *r = &vm->mem.region[i];

        if ((r->host + r->size - 1) >> oas_bits[smmu.oas] != 0 ||
            (r->base + r->size - 1) >> smmu.ipa_bits != 0) {
            log_err(
                "%s: the SMMU doesn't reach its memory at 0x%llx, which the board has at 0x%llx",
                vm->name, (unsigned long long)r->base, (unsigned long long)r->host);
            return false;
        }
    }
    return true;
}

/*
 * Not the CPU's table: what the CPU may do there with devices, and with HCR_EL2.FWB, isn't this.
 * Its root; 0, after a message: no memory, or out of reach.
 */
static hpa_t make_table(const struct vm *vm, u64 frame, hpa_t doorbell)
{
    struct pgtable pt;

    nmade = 0;
    if (!reaches_all(vm)) {
        return 0;
    }
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
    if (sid >> smmu.sid_bits != 0) {
        log_err("%s: the SMMU has no stream 0x%x, or Muntin no table for it", vm->name, sid);
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

static void set_registers(u32 bits)
{
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
    io_write64_halves(smmu.base + GERROR_IRQ_CFG0, 0);
}

/* The order of §6.3.9.6: queues, their registers, commands, then translation. */
static bool enable(void)
{
    set_reg(CR0, CR0_CMDQEN | CR0_EVENTQEN);
    if (!wait_for(CR0ACK, CR0_CMDQEN | CR0_EVENTQEN, CR0_CMDQEN | CR0_EVENTQEN) || !forget_all()) {
        return false;
    }
    if (host_irqs.smmu != 0) {
        gic_setup_spi(host_irqs.smmu, true);
        gic_enable(host_irqs.smmu, true);
    }
    set_reg(IRQ_CTRL, IRQ_EVENTQ | IRQ_GERROR); /* both may be one wire */
    set_reg(CR0, CR0_CMDQEN | CR0_EVENTQEN | CR0_SMMUEN);
    return wait_for(IRQ_CTRLACK, IRQ_EVENTQ, IRQ_EVENTQ) &&
           wait_for(CR0ACK, CR0_SMMUEN, CR0_SMMUEN);
}

bool smmu_start(void)
{
    u32 bits = table_bits();

    if (smmu.streams == 0) {
        return true;
    }
    if (!make_tables(bits)) {
        smmu.ste = NULL;
        return false;
    }
    set_registers(bits);
    if (!enable()) {
        give_up(UNFINISHED);
    }
    return !smmu.dead;
}

/*
 * One 64-bit word decides, so the SMMU sees the old entry or the new one (§3.21.3). The CMD_SYNC
 * after CFGI waits for what was translated by the old one, and for events about it (§4.7.3). The
 * TLB may keep what it has: the VM's table never changes, and only open streams come to it.
 */
static bool set_entry(const struct stream *s, bool open)
{
    u64 *ste = &smmu.ste[(size_t)s->sid * STE_WORDS];

    atomic_store(ste, (u64)(open ? STE_STAGE2 : STE_ABORT));
    publish(ste, 8);
    push((u64)s->sid << 32 | CMD_CFGI_STE, CFGI_LEAF);
    return sync();
}

/* --- events ----------------------------------------------------------------------------------- */

static void take_event(u32 index)
{
    const u64 *e = &smmu.event[4 * (index % EVENTS)];
    const struct stream *s;
    u32 type, sid;

    if (!smmu.coherent) {
        arch_clean_dcache(e, 32); /* nothing of it is dirty: dropped from the caches */
    }
    type = e[0] & 0xff;
    sid = (u32)(e[0] >> 32);
    s = find(sid);
    if (s != NULL && (type < F_TRANSLATION || type > F_PERMISSION)) {
        vm_log(s->vm, LOG_WARN, "the SMMU's event 0x%02x about a device (stream 0x%x)", type, sid);
    }
    dma_blocked(sid, e[2], (e[1] & EVENT_READ) == 0);
}

static bool events_left(u32 cons, u32 prod)
{
    return (cons ^ prod) % (2 * EVENTS) != 0;
}

/*
 * The SMMU interrupts when the queue is no longer empty (§7.2.1), so what came meanwhile is taken
 * as well. Many streams together can bring more than is taken at once: then it interrupts again,
 * made to by its pending bit, as the queue doesn't while it isn't empty. An overflow is
 * acknowledged (§7.4): what is lost would be one more of many.
 */
static void take_all(void)
{
    u32 cons = reg(EVENTQ_CONS), prod = reg(EVENTQ_PROD);

    for (u32 i = 0; i < EVENTS && events_left(cons, prod); i++) {
        dmb_sy(); /* the record is read after the index that covers it (§3.5.2) */
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

/* Events that are taken may cut off a stream, by smmu_open: the same CPU comes here again. */
static void take_events(void)
{
    if (atomic_load(&smmu.taker) == arch_pcpu()) {
        return;
    }
    spin_lock(&smmu.events);
    atomic_store(&smmu.taker, arch_pcpu());
    take_all();
    atomic_store(&smmu.taker, NULL);
    spin_unlock(&smmu.events);
}

void smmu_irq(void)
{
    spin_lock(&smmu.lock);
    if (!smmu.dead) {
        check_errors();
    }
    spin_unlock(&smmu.lock);
    take_events();
}

/* --- streams ---------------------------------------------------------------------------------- */

void smmu_open(u32 sid, bool open)
{
    const struct stream *s = find(sid);

    if (s == NULL || smmu.ste == NULL) {
        return;
    }
    spin_lock(&smmu.lock);
    if (!smmu.dead && !set_entry(s, open)) {
        give_up(UNFINISHED);
    }
    spin_unlock(&smmu.lock);
    if (!open) {
        take_events();
    }
}
