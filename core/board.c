/* SPDX-License-Identifier: MIT */
/*
 * What a board's description comes to: which of its CPUs and of its memory can be used, and whether
 * that is enough. Plain data and messages: no hardware. Boot only, one CPU: no lock.
 */
#include "core/board.h"

#include "core/irq.h"
#include "core/log.h"
#include "core/page.h"

void board_boot_cpu(struct board *b, u64 mpidr)
{
    for (u32 i = 0; i < b->ncpus; i++) {
        if (b->cpu_mpidr[i] == mpidr) {
            b->cpu_mpidr[i] = b->cpu_mpidr[0];
            b->cpu_release[i] = b->cpu_release[0];
            break;
        }
    }
    b->cpu_mpidr[0] = mpidr; /* a tree without CPU nodes still has this one */
    b->ncpus = MAX(b->ncpus, 1u);
}

/* Forgets CPUs that nothing can start. */
static void drop_cpus(struct board *b)
{
    u32 kept = 1;

    for (u32 i = 1; i < b->ncpus; i++) {
        if (b->psci == CONDUIT_SMC || b->cpu_release[i] != 0) {
            b->cpu_mpidr[kept] = b->cpu_mpidr[i];
            b->cpu_release[kept++] = b->cpu_release[i];
        }
    }
    if (kept < b->ncpus) {
        log_warn("the board's device tree has neither PSCI by SMC nor a spin-table for %u CPUs: "
                 "they stay off",
                 b->ncpus - kept);
    }
    b->ncpus = kept;
    if (b->more_cpus > 0) {
        log_warn("the board has %u CPUs more than the %u that Muntin uses: they stay off",
                 b->more_cpus, PCPU_MAX);
    }
}

/* One range of RAM instead of those that overlap: boot loaders add what is there already. */
static void add_ram(struct range *ram, u32 *n, struct range r)
{
    for (u32 i = 0; i < *n; i++) {
        hpa_t start = MIN(r.base, ram[i].base);

        if (range_overlap(r.base, r.size, ram[i].base, ram[i].size)) {
            r.size = MAX(r.base + r.size, ram[i].base + ram[i].size) - start;
            r.base = start;
            ram[i] = ram[--*n];
            i = UINT32_MAX; /* it may now overlap one that was passed */
        }
    }
    ram[(*n)++] = r;
}

/* False, after a message: some of it can't be mapped. */
static bool settle_ram(struct board *b, u64 reach)
{
    u32 n = 0;

    for (u32 i = 0; i < b->nram; i++) {
        struct range r = b->ram[i];

        if (r.base >= reach || r.size > reach - r.base) {
            log_err("RAM at 0x%llx + 0x%llx can't be mapped: addresses end at 0x%llx here; name "
                    "less in the board's device tree",
                    (unsigned long long)r.base, (unsigned long long)r.size,
                    (unsigned long long)reach);
            return false;
        }
        add_ram(b->ram, &n, r);
    }
    b->nram = n;
    if (b->ram_left != 0) {
        log_warn("the board's device tree has memory in more than %d pieces: %llu MiB are not used",
                 BOARD_RANGES, (unsigned long long)(b->ram_left / MIB));
    }
    return true;
}

/* False, after a message: the tree doesn't say where the parts of the GIC are. */
static bool check_gic(const struct board *b)
{
    if (b->gic_version == 0) {
        log_err("the board's device tree has no GICv2 or GICv3");
        return false;
    }
    if (b->gic_version == 2 && (b->gich.size == 0 || b->gicv.size == 0)) {
        log_err("the board's GICv2 has no virtualization frames (GICH, GICV) in the device tree");
        return false;
    }
    if (b->gicd.size == 0 || (b->gic_version == 2 ? b->gicc.size : b->ngicr) == 0) {
        log_err("the board's device tree does not say where the distributor and the %s of its "
                "GICv%u are",
                b->gic_version == 2 ? "CPU interface" : "redistributors", b->gic_version);
        return false;
    }
    return true;
}

/* False, after a message: the tree doesn't say which interrupts of each CPU are Muntin's. */
static bool check_interrupts(const struct board *b)
{
    u32 needed[] = {b->gic_maint_intid, b->timer_intid[3], b->timer_intid[2]};

    for (u32 i = 0; i < ARRAY_SIZE(needed); i++) {
        if (needed[i] < IRQ_SGIS || needed[i] >= IRQ_PRIVATE) {
            log_err("the board's device tree lacks the interrupt of the %s",
                    i == 0 ? "GIC's virtual interface (maintenance)"
                           : (i == 1 ? "hypervisor timer" : "virtual timer"));
            return false;
        }
    }
    return true;
}

bool board_usable(struct board *b, u64 reach)
{
    if (!settle_ram(b, reach)) {
        return false;
    }
    drop_cpus(b);
    if (b->nram == 0) {
        log_err("the board's device tree names no memory that can be used");
        return false;
    }
    return check_gic(b) && check_interrupts(b);
}

u64 board_memory(const struct board *b)
{
    u64 total = 0;

    for (u32 i = 0; i < b->nram; i++) {
        page_add(b->ram[i].base, b->ram[i].size);
        total += b->ram[i].size;
    }
    for (u32 i = 0; i < b->nreserved; i++) {
        page_reserve(b->reserved[i].base, b->reserved[i].size);
    }
    for (u32 i = 0; i < b->ncpus; i++) {
        if (b->cpu_release[i] != 0) {
            page_reserve(b->cpu_release[i], sizeof(b->cpu_release[i]));
        }
    }
    page_reserve((hpa_t)(uintptr_t)b->dtb, b->dtb_size);
    if (b->initrd.size != 0) {
        page_reserve(b->initrd.base, b->initrd.size);
    }
    return total;
}

static void show_range(const char *what, struct range r)
{
    if (r.size != 0) {
        log_info("  %-8s 0x%llx to 0x%llx", what, (unsigned long long)r.base,
                 (unsigned long long)(r.base + r.size - 1));
    }
}

static void show_ranges(const char *what, const struct range *r, u32 n)
{
    for (u32 i = 0; i < n; i++) {
        show_range(what, r[i]);
    }
}

static void show_cpus(const struct board *b)
{
    static const char *const conduits[] = {"no PSCI", "PSCI by SMC", "PSCI by HVC: not for EL2"};

    log_info("  firmware: %s", conduits[b->psci]);
    for (u32 i = 0; i < b->ncpus; i++) {
        log_info("  CPU      0x%llx", (unsigned long long)b->cpu_mpidr[i]);
        show_range("  waits at", (struct range){b->cpu_release[i], b->cpu_release[i] != 0});
    }
}

void board_show(const struct board *b)
{
    static const char *const uarts[] = {"none known",   "PL011",       "16550",   "DesignWare",
                                        "BCM2835 mini", "OMAP",        "Cadence", "i.MX",
                                        "LPUART",       "SCIF",        "HSCIF",   "Meson",
                                        "LINFlexD",     "Armada 3700", "STM32"};

    log_info("device tree: %s", b->model);
    show_cpus(b);
    show_ranges("RAM", b->ram, b->nram);
    show_ranges("reserved", b->reserved, b->nreserved);
    show_ranges("no-map", b->nomap, b->nnomap);
    show_range("tree", (struct range){(hpa_t)(uintptr_t)b->dtb, b->dtb_size});
    show_range("initrd", b->initrd);
    log_info("  UART     %s, interrupt %u", uarts[b->uart], b->uart_intid);
    show_range("UART", b->uart_reg);
    log_info("  GICv%u    maintenance interrupt %u, timers' %u %u %u %u", b->gic_version,
             b->gic_maint_intid, b->timer_intid[0], b->timer_intid[1], b->timer_intid[2],
             b->timer_intid[3]);
    show_range("GICD", b->gicd);
    show_ranges("GICR", b->gicr, b->ngicr);
    show_range("GICC", b->gicc);
    show_range("GICH", b->gich);
    show_range("GICV", b->gicv);
    show_range("PCIe", b->pci.ecam);
    show_range("SMMUv3", b->smmu.reg);
    show_range("ITS", b->its);
    show_range("fw_cfg", b->fw_cfg);
    show_range("PL031", b->rtc);
}
