/* SPDX-License-Identifier: MIT */
/*
 * The composition root: boot, on one page, from the board's device tree to the first guest. The
 * only file of core that knows arch, vdev and fdt.
 */
#include "core/main.h"

#include "arch/arm-common/boot.h"
#include "arch/arm-common/fw_cfg.h"
#include "arch/arm-common/gic.h"
#include "arch/arm-common/pass.h"
#include "arch/arm-common/probe.h"
#include "arch/arm-common/psci.h"
#include "arch/arm-common/rtc.h"
#include "arch/arm-common/clock.h"
#include "arch/arm-common/uart.h"
#include "core/arch.h"
#include "core/board.h"
#include "core/bundle.h"
#include "core/check.h"
#include "core/check_cluster.h"
#include "core/check_pass.h"
#include "core/config.h"
#include "core/console.h"
#include "core/gcore.h"
#include "core/log.h"
#include "core/page.h"
#include "core/panic.h"
#include "core/pci.h"
#include "core/pci_bus.h"
#include "core/random.h"
#include "core/sched.h"
#include "core/vm.h"
#include "core/wall.h"
#include "fdt/gen_pass.h"
#include "fdt/guest.h"
#include "fdt/host.h"
#include "fdt/names.h"
#include "fdt/pass.h"
#include "vdev/chan.h"
#include "vdev/gic/vgic.h"
#include "vdev/net/capture.h"
#include "vdev/net/port.h"
#include "vdev/net/switch.h"
#include "vdev/table.h"

#include <string.h>

#define ARENA_SIZE     (32 * KIB) /* of one VM's config */
#define ESCAPE_DEFAULT 0x1d       /* Ctrl-] */
#define SEED_SIZE      32u

static struct board board;
static struct bundle bundle;
static struct vm_config *configs[VM_MAX];
static struct image_plan *plans[VM_MAX];
static u32 nconfigs;

static void halt(void) NORETURN;
static void halt(void)
{
    log_err("nothing can be started: halted");
    chan_drain();
    arch_stop(STOP_HALT);
}

/* --- boot arguments ----------------------------------------------------------------------------
 */

/* Finds `word` or `word=value` among the boot arguments; *value is what follows '=', or "". */
static bool boot_argument(const char *word, const char **value)
{
    size_t len = strlen(word);

    for (const char *p = board.bootargs; *p != '\0';) {
        size_t n = 0;

        while (p[n] != '\0' && p[n] != ' ') {
            n++;
        }
        if (n >= len && strncmp(p, word, len) == 0 && (n == len || p[len] == '=')) {
            *value = n == len ? "" : p + len + 1;
            return true;
        }
        p += n;
        while (*p == ' ') {
            p++;
        }
    }
    return false;
}

/* --- the board ---------------------------------------------------------------------------------
 */

static void read_memory(void)
{
    u64 total = board_memory(&board);

    page_reserve(image_base(), image_size());
    log_info("%s, %u CPU%s, %llu MiB RAM, GICv%u", board.model, board.ncpus,
             board.ncpus == 1 ? "" : "s", (unsigned long long)(total / MIB), board.gic_version);
}

/* The time of day: as the loader says, else from the board's clock; else nobody knows it. */
static void read_clock(void)
{
    const char *value;
    u64 seconds = 0;

    if (boot_argument("time", &value)) {
        while (*value >= '0' && *value <= '9' && seconds <= UINT32_MAX) {
            seconds = seconds * 10 + (u64)(*value++ - '0');
        }
        wall_set(seconds);
    } else if (board.rtc.size != 0 && boot_map_device(board.rtc.base, board.rtc.size)) {
        wall_set(rtc_read(board.rtc.base));
    }
}

/* Everything that is known of the board before anything of it is used. */
static void show_board(void)
{
    static bool shown;

    if (!shown) {
        shown = true;
        probe_cpu();
        board_show(&board);
    }
}

static void refuse_board(void) NORETURN;
static void refuse_board(void)
{
    show_board();
    halt();
}

static void refuse_level(u32 el)
{
    if (el == 2) {
        return;
    }
    if (el == 1) {
        log_err("started at EL1 (SVC mode), but a hypervisor needs EL2 (Hyp mode): with QEMU say "
                "-M virt,virtualization=on; on a board, let the boot loader enter at EL2");
    } else {
        log_err("started at EL3, but a hypervisor needs EL2: let TF-A start me as BL33, or with "
                "QEMU leave out secure=on");
    }
    refuse_board();
}

static void refuse_cpu(const char *why)
{
    if (why != NULL) {
        log_err("%s", why);
        refuse_board();
    }
}

/* --- the bundle --------------------------------------------------------------------------------
 */

static bool open_bundle(const char *where, hpa_t base, u64 size)
{
    const char *why;

    if (!bundle_open(&bundle, (const void *)(uintptr_t)base, size, NULL, &why)) {
        log_err("the bundle %s is no good: %s", where, why);
        return false;
    }
    log_info("bundle: %s, %llu KiB", where, (unsigned long long)(bundle.size / KIB));
    return true;
}

static bool load_fw_cfg_bundle(void)
{
    struct fw_cfg_file file;
    hpa_t base;

    if (!boot_map_device(board.fw_cfg.base, board.fw_cfg.size) ||
        !fw_cfg_find(&board, "opt/muntin/bundle", &file)) {
        return false;
    }
    if (!page_alloc_guest(ALIGN_UP((u64)file.size, (u64)PAGE_SIZE), PAGE_SIZE, &base)) {
        log_err("the bundle has %u KiB, but the largest free piece of RAM only %llu",
                file.size / KIB, (unsigned long long)(page_largest(PAGE_SIZE) / KIB));
        halt();
    }
    if (!fw_cfg_read(&board, &file, (void *)(uintptr_t)base)) {
        log_err("the bundle could not be read from fw_cfg");
        halt();
    }
    if (!open_bundle("from fw_cfg", base, file.size)) {
        halt();
    }
    return true;
}

/* In this order: behind the image, the boot loader's initrd, QEMU's fw_cfg. */
static void find_bundle(void)
{
    u64 linked = ALIGN_UP(image_linked_size(), (u64)PAGE_SIZE);

    if (image_size() > linked) {
        if (!open_bundle("behind the image", image_base() + linked, image_size() - linked)) {
            halt();
        }
        return;
    }
    if (board.initrd.size != 0) {
        if (!open_bundle("from the boot loader (initrd)", board.initrd.base, board.initrd.size)) {
            halt();
        }
        return;
    }
    if (board.fw_cfg.size != 0 && load_fw_cfg_bundle()) {
        return;
    }
    log_err("no bundle: there's none behind the image, no initrd, and no fw_cfg file "
            "opt/muntin/bundle; make one with `muntin pack`");
    halt();
}

/* --- configs -----------------------------------------------------------------------------------
 */

static void emit_diag(struct diag *d, int level, const char *text)
{
    (void)d;
    (void)level; /* the text says itself whether it's an error */
    log_info("%s", text);
}

static struct cfg_bundle_source source = {{config_bundle_open}, &bundle};
static struct diag diag = {.emit = emit_diag};

static void parse_config(const struct bundle_file *f)
{
    struct cfg_arena arena = {page_alloc(ARENA_SIZE), ARENA_SIZE, 0};
    struct vm_config *vm;
    struct image_plan *plan;

    if (arena.base == NULL) {
        log_err("%.*s: no room for another VM", STR_ARG(f->name));
        return;
    }
    vm = cfg_alloc(&arena, sizeof(*vm));
    plan = cfg_alloc(&arena, sizeof(*plan));
    assert(vm != NULL && plan != NULL);
    config_parse(vm, f->name, (struct str){(const char *)f->data, (u32)f->size}, &source.source,
                 vdev_types, &arena, &diag);
    configs[nconfigs] = vm;
    plans[nconfigs++] = plan;
}

static void list_clusters(cluster_each *each, void *ctx)
{
    fdt_cluster_names(&board, each, ctx);
}

static void list_areas(config_area *each, void *ctx)
{
    fdt_reserved_names(&board, each, ctx);
}

/* What the board's tree says of passed devices; the guest's copies of their nodes, made here. */
static void look_up_passed(struct vm_config *vm)
{
    u32 size = vm->pass.nwindows * (u32)PASS_TREE_ROOM;
    void *room;

    check_pass_board(vm, &board, &diag);
    fdt_pass_check(vm, &board, &diag);
    if (vm->errors != 0 || size == 0) {
        return;
    }
    room = page_alloc(size);
    if (room == NULL || !gen_pass_keep(vm, &board, room, size)) {
        diag_error(&diag, vm->place, "no room for the nodes of passed devices");
        vm->errors++;
    }
}

static void read_configs(void)
{
    static struct bundle_file files[VM_MAX];
    u32 count = config_list(&bundle, files, VM_MAX);

    pass_hw = &pass_arm;
    pci_board = &board;
    board.image = (struct range){image_base(), image_size()};
    config_areas = list_areas;
    if (count > VM_MAX) {
        log_err("the bundle has %u VMs: the first %u are taken", count, VM_MAX);
    }
    for (u32 i = 0; i < MIN(count, (u32)VM_MAX); i++) {
        parse_config(&files[i]);
    }
    for (u32 i = 0; i < nconfigs; i++) {
        check_clusters(configs[i], list_clusters, pcpu_count, &diag);
        check_identity(configs[i], &diag);
        check_vm(configs[i], &bundle, board.gic_version, pcpu_count, &diag);
        look_up_passed(configs[i]);
    }
    pci_scan(&board, configs, nconfigs, &diag);
    check_all(configs, nconfigs, pcpu_count, &diag);
    if (nconfigs == 0) {
        log_err("the bundle has no config: no file NAME.qvmconf in it");
        halt();
    }
}

/* --- VMs ---------------------------------------------------------------------------------------
 */

static bool make_irqchip(struct vm *vm)
{
    if (board.gic_version == 2 &&
        !arch_s2_map(vm, gpa(vm->cfg->gicc), gic.gicv, GIC_GICV_SIZE, S2_DEVICE)) {
        return false;
    }
    return vgic_create(vm, board.gic_version);
}

/* Each start has random bytes of its own. Without real entropy the guest's tree has no rng-seed. */
static u32 make_dtb(struct vm *vm, void *buf, u32 size)
{
    u8 seed[SEED_SIZE];
    u32 built;

    random_seed(&vm->random, vm->name, vm->starts);
    built = fdt_guest_build(vm->cfg, vm->plan, &board, seed,
                            random_bytes(&vm->random, seed, sizeof(seed)) ? SEED_SIZE : 0, buf,
                            size, &diag);
    random_wipe(seed, sizeof(seed));
    return built;
}

static void all_stopped(void)
{
    const char *value;

    if (boot_argument("stay", &value)) {
        log_info("no VM runs any more; staying up, as asked");
        chan_focus(0);
        return;
    }
    log_info("no VM runs any more: powering off");
    chan_drain();
    arch_stop(STOP_POWEROFF);
}

static const struct vm_hooks hooks = {make_irqchip, make_dtb, all_stopped};

/* A description holds even if the VM in whose file it stands is not started. */
static void configure_switches(void)
{
    for (u32 i = 0; i < nconfigs; i++) {
        for (u32 k = 0; k < configs[i]->nswitches; k++) {
            if (configs[i]->sw[k].name.len > 0) { /* else its name was no good */
                switch_configure(&configs[i]->sw[k]);
            }
        }
    }
}

static void create_vms(void)
{
    vm_hooks = &hooks;
    for (u32 i = 0; i < nconfigs; i++) {
        if (configs[i]->errors != 0) {
            log_err("%.*s: not started: its config has %u errors", STR_ARG(configs[i]->name),
                    configs[i]->errors);
        } else if (configs[i]->dryrun) {
            log_info("%.*s: not started: its config says dryrun", STR_ARG(configs[i]->name));
        } else if (!image_plan(configs[i], plans[i], &diag) ||
                   vm_create(configs[i], plans[i]) == NULL) {
            log_err("%.*s: not started", STR_ARG(configs[i]->name));
        }
    }
    if (vm_count == 0) {
        log_err("no VM can be started");
        halt();
    }
}

/*
 * A tree of the user's may not go with what is generated: built once for the errors, in the VM's
 * own RAM, which is cleared before it starts.
 */
static bool user_trees_fit(const struct vm *vm)
{
    const struct image_plan *plan = vm->plan;
    guest_t *p = gmem_span(&vm->mem, gpa(plan->dtb), plan->dtb_size, true);

    for (u32 i = 0; i < vm->cfg->nloads; i++) {
        if (vm->cfg->load[i].type == LOAD_FDT && vm->cfg->load[i].path.len > 0) {
            return p != NULL && fdt_guest_build(vm->cfg, plan, &board, NULL, 0, (void *)p,
                                                (u32)plan->dtb_size, &diag) != 0;
        }
    }
    return true;
}

static void settle_vms(void)
{
    bool dma = pass_hw->dma_start();

    for (u32 i = 0; i < vm_count; i++) {
        if (vms[i]->plan->any_width) {
            vms[i]->aarch32 = !boot_can_run(true);
        }
        if (!boot_can_run(!vms[i]->aarch32)) {
            vm_refuse(vms[i], "its kernel has %u bits, but this CPU's EL1 can't run such",
                      vms[i]->aarch32 ? 32 : 64);
        } else if (!dma && vms[i]->cfg->pass.npci + vms[i]->cfg->pass.nstreams != 0) {
            vm_refuse(vms[i], "the SMMU or the ITS, which its devices need, doesn't work");
        } else if (!user_trees_fit(vms[i])) {
            vm_refuse(vms[i], "its device tree can't be built");
        }
    }
    vm_settle();
}

/* Those that weren't refused; halts if none is there that runs or waits. */
static void start_vms(void)
{
    bool any = false;

    for (u32 i = 0; i < vm_count; i++) {
        if (vms[i]->cfg->no_autostart) {
            log_info("%s: waits for `vm start %s`", vms[i]->name, vms[i]->name);
            any = true;
        } else {
            any |= vm_start(vms[i]);
        }
    }
    if (!any) {
        log_err("no VM can be started");
        halt();
    }
}

static void start_console(void)
{
    static struct console_hooks console = {.escape = ESCAPE_DEFAULT,
                                           .write = chan_prompt_write,
                                           .focus = chan_focus,
                                           .find = chan_find,
                                           .key = chan_key,
                                           .net_show = net_show,
                                           .net_capture = capture_command};
    const char *value;

    if (boot_argument("escape", &value) && value[0] == '^' && value[1] != '\0') {
        console.escape = (char)(value[1] & 0x1f);
    }
    console_init(&console);
    chan_init(console.escape, console_input);
    log_sink = chan_log;
    arch_uart_irq = chan_uart_irq;
    uart_enable_irq();
    gcore_init(chan_prompt_write, chan_prompt_room);
}

/*
 * Takes in the board's entropy. Its seed is not left for anybody to read: if the tree is in RAM, it
 * is overwritten there.
 */
static void collect_entropy(void)
{
    static const char *const from[] = {
        [RANDOM_NONE] = "none: no rng-seed, TRNG or virtio-rng for VMs",
        [RANDOM_SEED] = "the board's rng-seed",
        [RANDOM_HARDWARE] = "hardware",
    };
    hpa_t at = (hpa_t)(uintptr_t)board.rng_seed;

    random_init(board.rng_seed, board.rng_seed_len);
    for (u32 i = 0; i < board.nram; i++) {
        if (at >= board.ram[i].base && at - board.ram[i].base < board.ram[i].size) {
            random_wipe((void *)(uintptr_t)at, board.rng_seed_len);
        }
    }
    log_info("entropy: %s", from[random_source()]);
}

static void set_up_cpus(void)
{
    sched_init(board.ncpus);
    for (u32 i = 0; i < board.ncpus; i++) {
        pcpus[i].mpidr = board.cpu_mpidr[i];
    }
    pcpus[0].online = true;
}

void muntin_main(const void *dtb, u64 boot_mpidr)
{
    const char *value;
    bool probe;

    if (!fdt_host_read(dtb, &board)) {
        arch_stop(STOP_HALT); /* no tree, no UART: nothing can be said */
    }
    if (boot_map_device(board.uart_reg.base, board.uart_reg.size)) {
        uart_init(&board);
    }
    log_info("Muntin " MUNTIN_VERSION);
    probe = boot_argument("probe", &value);
    if (probe) {
        show_board();
    }
    refuse_cpu(boot_refusal());
    refuse_level(boot_el());
    if (boot_argument("debug", &value)) {
        log_threshold = LOG_DEBUG;
    }
    board_boot_cpu(&board, boot_mpidr);
    if (!board_usable(&board, boot_reach())) {
        refuse_board();
    }
    read_memory();
    set_up_cpus();
    if (!boot_finish(&board)) {
        refuse_board();
    }
    if (probe) {
        probe_gic();
    }
    psci_init(&board);
    collect_entropy();
    read_clock();
    find_bundle();
    start_console();
    read_configs();
    configure_switches();
    create_vms();
    boot_start_cpus();
    settle_vms();
    log_info("memory: %llu KiB taken by Muntin, %llu MiB left",
             (unsigned long long)((page_taken() + image_linked_size()) / KIB),
             (unsigned long long)(page_free() / MIB));
    console_banner();
    start_vms();
    sched_run(&pcpus[0]);
}
