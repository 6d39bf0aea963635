/* SPDX-License-Identifier: MIT */
/* What pass-through needs of the CPU and the GIC (core/pass.h), gathered for core/main.c. */
#include "arch/arm-common/pass.h"

#include "arch/arm-common/boot.h"
#include "arch/arm-common/gic.h"
#include "arch/arm-common/its.h"
#include "arch/arm-common/smmuv3.h"
#include "try.h"

static bool setup(u32 intid, bool edge)
{
    if (intid < IRQ_PRIVATE || intid >= gic.lines) {
        return false;
    }
    gic_setup_spi(intid, edge);
    return true;
}

static bool read(hpa_t a, u32 size, u64 *value)
{
    return try_read((uintptr_t)a, size, value);
}

static bool write(hpa_t a, u32 size, u64 value)
{
    return try_write((uintptr_t)a, size, value);
}

static bool dma_attach(struct vm *vm, u32 stream, u64 frame)
{
    return smmu_attach(vm, stream, frame, its_doorbell());
}

static bool dma_start(void)
{
    return its_start() && smmu_start();
}

const struct pass_hw pass_arm = {
    .map_device = boot_map_device,
    .map_memory = boot_map_memory,
    .irq_setup = setup,
    .read = read,
    .write = write,
    .irq_enable = gic_enable,
    .irq_route = gic_spi_route,
    .irq_pending = gic_spi_pending,
    .irq_clear = gic_spi_clear,
    .irq_quiet = gic_spi_quiet,
    .dma_attach = dma_attach,
    .message_attach = its_attach,
    .dma_start = dma_start,
    .dma_open = smmu_open,
};
