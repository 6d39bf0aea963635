/* SPDX-License-Identifier: MIT */
/* See smmuvms.h. */
#include "tests/host/smmuvms.h"

#include "arch/arm-common/boot.h"
#include "arch/arm-common/irqs.h"
#include "arch/arm-common/smmuv3.h"
#include "arch/arm-common/stage2.h"
#include "core/board.h"
#include "core/dma.h"
#include "core/pass.h"
#include "core/vm.h"
#include "tests/host/boots.h"
#include "tests/host/said.h"
#include "tests/host/smmu.h"

/* --- what drivers need of others --- */

struct host_irqs host_irqs = {.smmu = SMMU_INTID};
u32 smmuvms_ipa_bits = 40, smmuvms_pended;
bool smmuvms_edge, smmuvms_enabled;

bool boot_map_device(hpa_t base, u64 size)
{
    return base != 0 && size != 0;
}

u32 stage2_ipa_bits(void)
{
    return smmuvms_ipa_bits;
}

void gic_setup_spi(u32 intid, bool edge)
{
    assert_int_equal(intid, SMMU_INTID);
    smmuvms_edge = edge;
}

void gic_enable(u32 intid, bool on)
{
    assert_int_equal(intid, SMMU_INTID);
    smmuvms_enabled = on;
}

void gic_spi_pend(u32 intid)
{
    assert_int_equal(intid, SMMU_INTID);
    smmuvms_pended++;
}

static bool attach(struct vm *vm, u32 stream, u64 frame)
{
    return smmu_attach(vm, stream, frame, VMS_DOORBELL);
}

static const struct pass_hw hw = {.dma_attach = attach, .dma_open = smmu_open};

/* --- a board with two VMs --- */

struct board smmuvms_board = {.smmu = {.reg = {SMMU_BASE, SMMU_SIZE}, .intid = SMMU_INTID}};
struct vm smmuvms_one = {
    .name = "one",
    .index = 3,
    .mem = {.count = 2,
            .region = {{.base = VMS_RAM, .size = 6 * MIB, .host = 0x80200000u, .writable = true},
                       {.base = VMS_ROM, .size = 64 * KIB, .host = 0x90003000u}}}};
struct vm smmuvms_two = {
    .name = "two",
    .index = 4,
    .mem = {.count = 1,
            .region = {{.base = VMS_RAM, .size = 2 * MIB, .host = 0xa0200000u, .writable = true}}}};

bool smmuvms_can(u32 sid, u64 address, bool write)
{
    u64 pa;

    return smmu_dma(sid, address, write, &pa);
}

u64 smmuvms_to(u32 sid, u64 address)
{
    u64 pa;

    assert_true(smmu_dma(sid, address, true, &pa));
    return pa;
}

void smmuvms_take_irqs(void)
{
    while (smmu.irqs != 0 || smmuvms_pended != 0) {
        smmu.irqs = smmuvms_pended = 0;
        smmu_irq();
    }
}

void smmuvms_power_on(bool coherent)
{
    smmu_power_on(coherent);
    pass_hw = &hw;
}

void smmuvms_start(bool coherent)
{
    smmuvms_power_on(coherent);
    smmu_init(&smmuvms_board);
    assert_true(dma_add(&smmuvms_one, VMS_A, VMS_FRAME));
    assert_true(dma_add(&smmuvms_one, VMS_B, VMS_FRAME));
    assert_true(dma_add(&smmuvms_two, VMS_OTHER, 0));
    assert_true(smmu_start());
    assert_int_equal(said_count("SMMU"), 0);
    smmu.cmds = 0;
}
