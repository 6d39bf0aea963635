/* SPDX-License-Identifier: MIT */
/*
 * The registers that exist for a guest although accesses trap, as a table sorted by encoding. The
 * traps that bring accesses here are listed in traps.h.
 */
#include "arch/arm-common/vsysreg.h"

#include "arch/arm-common/idspace.h"
#include "core/arch.h"
#include "core/atomic.h"
#include "core/config.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/vcpu.h"
#include "core/vm.h"

/* An encoding as ISS has it, without register number and direction (Arm ARM D19.2, ESR_EL2). */
#define KEY(op0, op1, crn, crm, op2)                                                               \
    ((u32)(op0) << 20 | (u32)(op2) << 17 | (u32)(op1) << 14 | (u32)(crn) << 10 | (u32)(crm) << 1)
#define KEY_MASK   KEY(3, 7, 15, 15, 7)
#define KEY_BLOCK  KEY(3, 7, 15, 0, 0)       /* op0, op1 and CRn */
#define ID_MASK    (KEY(3, 7, 15, 8, 0) | 1) /* a read of S3_0_C0_C0_0 to S3_0_C0_C7_7 */
#define ID_READ    (KEY(3, 0, 0, 0, 0) | 1)
#define ISS_CRM(i) ((i) >> 1 & 0xf)
#define ISS_OP2(i) ((i) >> 17 & 7)

/* MDSCR_EL1: what a guest may set and EL2 carries to the hardware */
#define MDSCR_SS   BIT64(0)
#define MDSCR_TDCC BIT64(12)
#define MDSCR_KDE  BIT64(13)
#define MDSCR_MDE  BIT64(15)

/* DBGBCR, DBGWCR */
#define DBGCR_E   BIT64(0)
#define DBGCR_HMC BIT64(13) /* would reach EL2 */

#define OSLSR_OSLM BIT64(3) /* the OS lock is implemented */
#define OSLSR_OSLK BIT64(1)
#define SRE_VALUE  7 /* system registers, no bypass: read-only ones */

#define SETWAY_PIECE  (256 * KIB) /* cleaned in one go: bounds the time in EL2 */
#define SETWAY_GAP_NS 1000000     /* operations further apart belong to different sweeps */

static struct {
    struct vsysreg_ids ids;
    u32 breakpoints, watchpoints;
    bool gicv3, fwb;
} cpu;

/* A register. `arg` is the handler's own. */
typedef enum vsysreg_result access_fn(struct vsysreg *s, u32 arg, u64 *value, bool write);

struct sysreg {
    u32 key;
    access_fn *access;
    u32 arg;
};

u64 vsysreg_id(u32 index)
{
    return cpu.ids.id[index];
}

/* --- handlers --- */

/* Reads 0 (or `arg`), ignores writes. */
static enum vsysreg_result fixed(struct vsysreg *s, u32 arg, u64 *value, bool write)
{
    (void)s;
    if (!write) {
        *value = arg;
    }
    return SYSREG_DONE;
}

static enum vsysreg_result read_only(struct vsysreg *s, u32 arg, u64 *value, bool write)
{
    return write ? SYSREG_UNDEF : fixed(s, arg, value, write);
}

static enum vsysreg_result revision(struct vsysreg *s, u32 aidr, u64 *value, bool write)
{
    (void)s;
    if (write) {
        return SYSREG_UNDEF;
    }
    *value = aidr != 0 ? cpu.ids.aidr : cpu.ids.revidr;
    return SYSREG_DONE;
}

static enum vsysreg_result ptimer(struct vsysreg *s, u32 reg, u64 *value, bool write)
{
    if (write) {
        vtimer_write(&s->ptimer, reg, *value);
    } else {
        *value = vtimer_read(&s->ptimer, reg);
    }
    return SYSREG_DONE;
}

static enum vsysreg_result counter(struct vsysreg *s, u32 arg, u64 *value, bool write)
{
    (void)arg;
    if (write) {
        return SYSREG_UNDEF;
    }
    *value = vtimer_count(s->vcpu->vm);
    return SYSREG_DONE;
}

/* ICC_SGI1R. The other two are for groups that a single-security guest's GIC hasn't: ignored. */
static enum vsysreg_result sgi(struct vsysreg *s, u32 ours, u64 *value, bool write)
{
    const struct irqchip *chip = s->vcpu->vm->irqchip;

    if (!cpu.gicv3 || !write) {
        return SYSREG_UNDEF;
    }
    if (ours != 0) {
        chip->sgi(s->vcpu, *value);
    }
    return SYSREG_DONE;
}

static enum vsysreg_result icc_sre(struct vsysreg *s, u32 arg, u64 *value, bool write)
{
    return cpu.gicv3 ? fixed(s, arg, value, write) : SYSREG_UNDEF;
}

static enum vsysreg_result mdscr(struct vsysreg *s, u32 arg, u64 *value, bool write)
{
    (void)arg;
    if (write) {
        s->mdscr = *value & (MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_MDE);
        s->debug_dirty = true;
    } else {
        *value = s->mdscr;
    }
    return SYSREG_DONE;
}

static enum vsysreg_result oslar(struct vsysreg *s, u32 arg, u64 *value, bool write)
{
    (void)arg;
    if (!write) {
        return SYSREG_UNDEF;
    }
    s->os_lock = (*value & 1) != 0;
    s->debug_dirty = true;
    return SYSREG_DONE;
}

static enum vsysreg_result oslsr(struct vsysreg *s, u32 arg, u64 *value, bool write)
{
    (void)arg;
    if (write) {
        return SYSREG_UNDEF;
    }
    *value = OSLSR_OSLM | (s->os_lock ? OSLSR_OSLK : 0);
    return SYSREG_DONE;
}

/* DBGBVR, DBGBCR, DBGWVR, DBGWCR <n>: op2 4 to 7. */
static enum vsysreg_result debug_register(struct vsysreg *s, u32 iss, u64 *value, bool write)
{
    u32 n = ISS_CRM(iss), op2 = ISS_OP2(iss);
    bool watch = op2 >= 6, control = (op2 & 1) != 0;
    u32 count = watch ? cpu.watchpoints : cpu.breakpoints;
    struct vsysreg_debug *d = watch ? s->watchpoint : s->breakpoint;
    u64 *reg;

    if (n >= count) {
        return SYSREG_UNDEF;
    }
    d += index_nospec(n, VSYSREG_DEBUG_MAX);
    reg = control ? &d->control : &d->value;
    if (!write) {
        *value = *reg;
        return SYSREG_DONE;
    }
    *reg = control ? (u32)(*value & ~DBGCR_HMC) : *value;
    s->debug_used |= control && (*value & DBGCR_E) != 0;
    s->debug_dirty |= s->debug_used;
    return SYSREG_DONE;
}

/* --- maintenance by set and way --- */

/* Cleans one piece of the VM's RAM. False: all of it is done. */
static bool clean_piece(struct vsysreg *s)
{
    const struct gmem *mem = &s->vcpu->vm->mem;
    const struct gmem_region *r = &mem->region[s->setway.region];
    u64 size;

    if (s->setway.region >= mem->count) {
        return false;
    }
    size = MIN(r->size - s->setway.pos, (u64)SETWAY_PIECE);
    arch_clean_dcache((const char *)r->ptr + s->setway.pos, (size_t)size);
    s->setway.pos += size;
    if (s->setway.pos == r->size) {
        s->setway.region++;
        s->setway.pos = 0;
    }
    return true;
}

/*
 * Set/way operations can't be done for a guest: they reach caches of this CPU only, and all VMs'
 * lines. What a guest wants with a sweep of them is its RAM in memory. So the first operation of a
 * sweep cleans and invalidates all of it by address, a piece each time that the instruction is
 * executed again, and the rest of the sweep does nothing. Where stage 2 forces RAM to be cacheable
 * (FWB) there's nothing to do.
 */
static enum vsysreg_result set_way(struct vsysreg *s, u32 arg, u64 *value, bool write)
{
    u64 now = arch_now_ns();

    (void)arg;
    if (!write) {
        return SYSREG_UNDEF;
    }
    if (cpu.fwb && !s->vcpu->vm->incoherent) {
        return SYSREG_DONE;
    }
    if (s->setway.region < s->vcpu->vm->mem.count && s->setway.active) {
        s->setway.last_ns = now; /* the first operation again, with RAM left to clean */
        return clean_piece(s) ? SYSREG_AGAIN : SYSREG_DONE;
    }
    if (s->setway.active && now - s->setway.last_ns < SETWAY_GAP_NS &&
        (*value != s->setway.first || !s->setway.swept)) {
        s->setway.swept |= *value != s->setway.first;
        s->setway.last_ns = now;
        return SYSREG_DONE;
    }
    s->setway.active = true;
    s->setway.first = *value;
    s->setway.swept = false;
    s->setway.last_ns = now;
    s->setway.region = 0;
    s->setway.pos = 0;
    return SYSREG_AGAIN;
}

/* --- the table --- */

/* Sorted by key: op0, op2, op1, CRn, CRm (checked by vsysreg_init). */
static const struct sysreg sysregs[] = {
    {KEY(1, 0, 7, 6, 2), set_way, 0},  /* DC ISW */
    {KEY(1, 0, 7, 10, 2), set_way, 0}, /* DC CSW */
    {KEY(1, 0, 7, 14, 2), set_way, 0}, /* DC CISW */

    /* Debug, by MDCR_EL2.{TDA,TDOSA,TDRA}. No debug communication channel, no claim tags. */
    {KEY(2, 0, 0, 2, 0), fixed, 0},      /* MDCCINT_EL1 */
    {KEY(2, 0, 1, 0, 0), read_only, 0},  /* MDRAR_EL1 */
    {KEY(2, 3, 0, 1, 0), read_only, 0},  /* MDCCSR_EL0 */
    {KEY(2, 3, 0, 4, 0), fixed, 0},      /* DBGDTR_EL0 */
    {KEY(2, 3, 0, 5, 0), fixed, 0},      /* DBGDTRRX_EL0, DBGDTRTX_EL0 */
    {KEY(2, 0, 0, 0, 2), fixed, 0},      /* OSDTRRX_EL1 */
    {KEY(2, 0, 0, 2, 2), mdscr, 0},      /* MDSCR_EL1 */
    {KEY(2, 0, 0, 3, 2), fixed, 0},      /* OSDTRTX_EL1 */
    {KEY(2, 0, 0, 6, 2), fixed, 0},      /* OSECCR_EL1 */
    {KEY(2, 0, 1, 0, 4), oslar, 0},      /* OSLAR_EL1 */
    {KEY(2, 0, 1, 1, 4), oslsr, 0},      /* OSLSR_EL1 */
    {KEY(2, 0, 1, 3, 4), fixed, 0},      /* OSDLR_EL1: no double lock */
    {KEY(2, 0, 1, 4, 4), fixed, 0},      /* DBGPRCR_EL1 */
    {KEY(2, 0, 7, 8, 6), fixed, 0},      /* DBGCLAIMSET_EL1 */
    {KEY(2, 0, 7, 9, 6), fixed, 0},      /* DBGCLAIMCLR_EL1 */
    {KEY(2, 0, 7, 14, 6), read_only, 0}, /* DBGAUTHSTATUS_EL1 */

    {KEY(3, 3, 14, 2, 0), ptimer, VTIMER_TVAL}, /* CNTP_TVAL_EL0 */
    {KEY(3, 0, 1, 0, 1), fixed, 0},             /* ACTLR_EL1, by HCR_EL2.TACR */
    {KEY(3, 3, 14, 0, 1), counter, 0},          /* CNTPCT_EL0 */
    {KEY(3, 3, 14, 2, 1), ptimer, VTIMER_CTL},  /* CNTP_CTL_EL0 */
    {KEY(3, 3, 14, 2, 2), ptimer, VTIMER_CVAL}, /* CNTP_CVAL_EL0 */
    {KEY(3, 0, 12, 11, 5), sgi, 1},             /* ICC_SGI1R_EL1, by HCR_EL2.IMO */
    {KEY(3, 0, 12, 12, 5), icc_sre, SRE_VALUE}, /* ICC_SRE_EL1, by ICC_SRE_EL2.Enable */
    {KEY(3, 3, 14, 0, 5), counter, 0},          /* CNTPCTSS_EL0 */
    {KEY(3, 0, 0, 0, 6), revision, 0},          /* REVIDR_EL1, by HCR_EL2.TID1 */
    {KEY(3, 0, 12, 11, 6), sgi, 0},             /* ICC_ASGI1R_EL1 */
    {KEY(3, 0, 12, 11, 7), sgi, 0},             /* ICC_SGI0R_EL1 */
    {KEY(3, 1, 0, 0, 7), revision, 1},          /* AIDR_EL1 */
};

static const struct sysreg *find(u32 key)
{
    u32 low = 0, high = ARRAY_SIZE(sysregs);

    while (low < high) {
        u32 mid = (low + high) / 2;

        if (sysregs[mid].key == key) {
            return &sysregs[mid];
        }
        if (sysregs[mid].key < key) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

/* What has no op0 is a coprocessor's (vcp15.c): fields of its syndrome mean other things. */
static RARE void end(struct vm *vm, u32 iss)
{
    const char *what = vsysreg_is_write(iss) ? "write" : "read";

    if ((iss >> 20 & 3) == 0) {
        vm_end(vm, VM_EXIT_UNSUPPORTED, false, "%s of a coprocessor's register, syndrome 0x%x",
               what, iss);
    } else {
        vm_end(vm, VM_EXIT_UNSUPPORTED, false, "%s of system register S%u_%u_C%u_C%u_%u", what,
               iss >> 20 & 3, iss >> 14 & 7, iss >> 10 & 15, ISS_CRM(iss), ISS_OP2(iss));
    }
}

/* The config's `unsupported register`. */
static enum vsysreg_result unknown(struct vsysreg *s, u32 iss, u64 *value)
{
    struct vm *vm = s->vcpu->vm;

    counter_inc(&vm->sysreg_unknown);
    switch (vm->cfg->on_register) {
    case POLICY_ABORT:
        end(vm, iss);
        return SYSREG_STOP;
    case POLICY_IGNORE:
        if (!vsysreg_is_write(iss)) {
            *value = UINT64_MAX;
        }
        return SYSREG_DONE;
    case POLICY_FAIL:
        break;
    }
    return SYSREG_UNDEF;
}

enum vsysreg_result vsysreg_access(struct vsysreg *s, u32 iss, u64 *value)
{
    bool write = vsysreg_is_write(iss);
    const struct sysreg *r;

    if ((iss & ID_MASK) == ID_READ && ISS_CRM(iss) != 0) {
        *value = cpu.ids.id[8 * (ISS_CRM(iss) & 7) + ISS_OP2(iss)];
        return SYSREG_DONE;
    }
    if ((iss & KEY_BLOCK) == KEY(2, 0, 0, 0, 0) && ISS_OP2(iss) >= 4) {
        return debug_register(s, iss, value, write);
    }
    r = find(iss & KEY_MASK);
    if (r == NULL) {
        return unknown(s, iss, value);
    }
    return r->access(s, r->arg, value, write);
}

/* --- set-up --- */

void vsysreg_init(const struct vsysreg_ids *host, u32 ipa_bits, bool gicv3, bool fwb)
{
    for (u32 i = 1; i < ARRAY_SIZE(sysregs); i++) {
        assert(sysregs[i - 1].key < sysregs[i].key);
    }
    idspace_mask(&cpu.ids, host, ipa_bits, gicv3);
    cpu.breakpoints = idspace_breakpoints(&cpu.ids);
    cpu.watchpoints = idspace_watchpoints(&cpu.ids);
    cpu.gicv3 = gicv3;
    cpu.fwb = fwb;
}

void vsysreg_create(struct vsysreg *s, struct vcpu *v)
{
    *s = (struct vsysreg){.vcpu = v};
    vtimer_init(&s->ptimer, v);
}

void vsysreg_reset(struct vsysreg *s)
{
    struct vsysreg fresh = {.vcpu = s->vcpu, .os_lock = true, .debug_dirty = true};

    vtimer_reset(&s->ptimer);
    fresh.ptimer = s->ptimer;
    *s = fresh;
}
