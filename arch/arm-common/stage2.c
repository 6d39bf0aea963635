/* SPDX-License-Identifier: MIT */
/*
 * From struct vm to stage-2 tables and the registers that point to them. VM creation runs on the
 * boot CPU alone, and who changes leaves later has a lock for them: none here.
 */
#include "arch/arm-common/stage2.h"

#include "arch/arm-common/pgtable.h"
#include "core/arch.h"
#include "core/page.h"
#include "core/vm.h"
#include "sysreg.h"

/*
 * 40 bits are walked from level 1, one level less than 44 and 48 need, and hold all of the layout
 * that guests get. The CPU's own limit may be lower.
 */
#define IPA_BITS_MAX 40u

static struct {
    u32 bits;
    bool fwb;
    u64 vtcr;
} stage2;

bool stage2_fwb(const struct vm *vm)
{
    return stage2.fwb && !vm->incoherent;
}

static enum pgtable_stage stage_of(const struct vm *vm)
{
    return stage2_fwb(vm) ? PGTABLE_STAGE2_FWB : PGTABLE_STAGE2;
}

static struct pgtable table_of(const struct vm *vm)
{
    return pgtable_at(vm->s2_root, stage_of(vm), stage2.bits, page_alloc);
}

void stage2_init(void)
{
    stage2.bits = MIN(cpu_pa_bits(), IPA_BITS_MAX);
    stage2.fwb = cpu_has_s2fwb();
    stage2.vtcr = cpu_vtcr(stage2.bits, pgtable_at(0, PGTABLE_STAGE2, stage2.bits, NULL).level);
}

void stage2_cpu_init(void)
{
    dsb_nsh();
    tlbi_guests();
    dsb_nsh();
    isb();
}

u32 stage2_ipa_bits(void)
{
    return stage2.bits;
}

u64 stage2_vtcr(void)
{
    return stage2.vtcr;
}

u64 stage2_vttbr(const struct vm *vm)
{
    return (u64)(vm->index + 1) << 48 | vm->s2_root;
}

bool arch_s2_create(struct vm *vm)
{
    struct pgtable pt;

    if (!pgtable_create(&pt, stage_of(vm), stage2.bits, page_alloc)) {
        return false;
    }
    vm->s2_root = (uintptr_t)pt.root;
    return true;
}

/* Drops everything that any CPU has cached of the VM whose stage 2 is in VTTBR here. */
static void flush_current(void)
{
    tlbi_vmid_is();
    dsb_ish();
    /*
     * Once more: on a number of Cortex and Neoverse cores the first DSB may return before another
     * CPU has finished with an old translation (CVE-2025-10263).
     */
    tlbi_vmid_is();
    dsb_ish();
}

bool arch_s2_map(struct vm *vm, gpa_t ipa, hpa_t pa, u64 size, enum s2_perm perm)
{
    static const u8 perms[] = {
        [S2_NONE] = PGTABLE_NONE,
        [S2_RWX] = PGTABLE_RWX,
        [S2_RX] = PGTABLE_RX,
        [S2_RW] = PGTABLE_RW,
        [S2_RO] = PGTABLE_RO,
        [S2_DEVICE] = PGTABLE_DEVICE,
        [S2_DEVICE_RO] = PGTABLE_DEVICE_RO,
    };
    struct pgtable pt = table_of(vm);
    bool done;

    if (perm == S2_NONE) {
        done = pgtable_unmap(&pt, ipa.v, size);
        dsb_ishst(); /* stores to the tables come before the TLB is told to forget */
        if (sysreg_read(VTTBR) == stage2_vttbr(vm)) {
            flush_current();
        } /* else it doesn't run, and its start flushes: arch_vcpu_reset */
        return done;
    }
    done = pgtable_map(&pt, ipa.v, pa, size, perms[perm]);
    /*
     * Walkers of all CPUs see the entries before any of them is told to run the VM, or what the
     * guest asked for is done. No TLB holds an entry that was invalid (Arm ARM D8.16).
     */
    dsb_ishst();
    return done;
}

void stage2_vcpu_loaded(const struct vcpu *v)
{
    static u8 last[PCPU_MAX][VM_MAX]; /* vCPU id + 1; each CPU its own row */
    u8 *here = &last[v->pcpu->id][v->vm->index];

    if (*here != 0 && *here != v->id + 1) {
        tlbi_vmid_stage1();
        dsb_nsh();
        isb();
    }
    *here = (u8)(v->id + 1);
}

void stage2_flush(const struct vm *vm)
{
    u64 loaded = sysreg_read(VTTBR);

    dsb_ishst(); /* stores to the tables come before the TLB is told to forget */
    sysreg_write(VTTBR, stage2_vttbr(vm));
    isb(); /* the TLBI takes its VMID from VTTBR */
    flush_current();
    sysreg_write(VTTBR, loaded);
    isb();
}
