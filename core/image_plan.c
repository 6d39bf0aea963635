/* SPDX-License-Identifier: MIT */
/*
 * Where a VM's images, initrd and device tree go in guest memory. First what has an address of its
 * own, then the kernel, then the rest into free places; everything is checked against RAM, ROM and
 * each other. Files are untrusted: sizes and addresses in them are bounded before they're added.
 */
#include "core/image_piece.h"
#include "core/log.h"
#include "core/str.h"

#define LINUX_ALIGN                                                                                \
    (2ull * MIB)                  /* Documentation/arch/arm64/booting: base = 2 MiB + text_offset  \
                                   */
#define LINUX_OLD_OFFSET 0x80000u /* text_offset of kernels that don't tell their size */
#define TREE_ROOM        (64u * KIB)

/* Documentation/arch/arm/booting: from here on a zImage need not move before it unpacks itself. */
#define ZIMAGE_OFFSET (32ull * MIB)
#define ZIMAGE_ALIGN  (64ull * KIB)
#define ZIMAGE_WORK   (1ull * MIB) /* its .bss, stack and heap */

struct planner {
    struct vm_config *vm;
    struct image_plan *plan;
    struct diag *diag;
    u32 placed; /* bit per load */
    bool has_tree;
    u64 floor; /* below it a zImage unpacks itself: not for what may go anywhere */
    u64 limit; /* end of what the guest can address before its MMU is on */
};

#define LL(x) ((unsigned long long)(x))

static u64 get_le64(const u8 *p)
{
    u64 v = 0;

    for (u32 i = 8; i > 0; i--) {
        v = v << 8 | p[i - 1];
    }
    return v;
}

static const struct cfg_mem *lowest_ram(const struct vm_config *vm)
{
    const struct cfg_mem *low = NULL;

    for (u32 i = 0; i < vm->nmems; i++) {
        if (vm->mem[i].kind == MEM_RAM && (low == NULL || vm->mem[i].base < low->base)) {
            low = &vm->mem[i];
        }
    }
    return low;
}

/* A kernel that takes more memory than its file has bytes. */
static bool is_linux(const struct cfg_load *l)
{
    return image_kind(l) == KIND_LINUX || image_kind(l) == KIND_ZIMAGE;
}

/* What shares a byte with a range. */
struct taken {
    u64 end;                   /* where it ends; 0: nothing does */
    const struct cfg_load *by; /* NULL: the device tree */
};

static struct taken taken(const struct planner *p, u64 base, u64 size)
{
    struct image_piece piece;

    if (p->has_tree && range_overlap(base, size, p->plan->dtb, p->plan->dtb_size)) {
        return (struct taken){p->plan->dtb + p->plan->dtb_size, NULL};
    }
    for (u32 i = 0; i < p->vm->nloads; i++) {
        if ((p->placed & BIT(i)) == 0) {
            continue;
        }
        for (u32 k = 0; image_piece(&p->vm->load[i], p->plan->addr[i], &k, &piece); k++) {
            u64 len = is_linux(&p->vm->load[i]) ? p->plan->mem_size[i] : piece.size;

            if (range_overlap(base, size, piece.base, len)) {
                return (struct taken){piece.base + len, &p->vm->load[i]};
            }
        }
    }
    return (struct taken){0, NULL};
}

/* The lowest free place of `size` bytes in RAM at or above `from`. False: there's none. */
static bool find_free(const struct planner *p, u64 from, u64 size, u64 align, u64 *out)
{
    bool found = false;

    for (u32 i = 0; i < p->vm->nmems; i++) {
        const struct cfg_mem *m = &p->vm->mem[i];
        u64 at = ALIGN_UP(MAX(m->base, MAX(from, p->floor)), align), end;

        if (m->kind != MEM_RAM || (found && m->base > *out)) {
            continue;
        }
        while (range_within(at, size, m->base, m->size) && at + size <= p->limit) {
            end = taken(p, at, size).end;
            if (end == 0) {
                *out = at;
                found = true;
                break;
            }
            at = ALIGN_UP(end, align);
        }
    }
    return found;
}

/* RAM or, unless it has to be RAM, ROM that holds the whole range. */
static bool in_memory(const struct planner *p, u64 base, u64 size, bool ram)
{
    for (u32 i = 0; i < p->vm->nmems; i++) {
        const struct cfg_mem *m = &p->vm->mem[i];

        if ((m->kind == MEM_RAM || !ram) && range_within(base, size, m->base, m->size)) {
            return true;
        }
    }
    return false;
}

/* Says that a range is not in memory (or RAM), and by how much it misses the area it starts in. */
static void complain_memory(struct planner *p, const struct cfg_load *l, u64 base, u64 size,
                            bool ram)
{
    for (u32 i = 0; i < p->vm->nmems; i++) {
        const struct cfg_mem *m = &p->vm->mem[i];

        if ((m->kind == MEM_RAM || !ram) && range_within(base, 1, m->base, m->size)) {
            diag_error(p->diag, l->place,
                       "'%.*s' needs %llu KiB at 0x%llx, but %s ends at 0x%llx: %llu KiB too small",
                       STR_ARG(l->path), LL((size + 1023) / 1024), LL(base),
                       m->kind == MEM_RAM ? "ram" : "rom", LL(m->base + m->size),
                       LL((base - m->base + size - m->size + 1023) / 1024));
            return;
        }
    }
    diag_error(p->diag, l->place, "'%.*s' goes to 0x%llx (%llu KiB), where there is no %s",
               STR_ARG(l->path), LL(base), LL((size + 1023) / 1024), ram ? "RAM" : "memory");
}

static void complain_taken(struct planner *p, const struct cfg_load *l,
                           const struct image_piece *piece, const struct cfg_load *by)
{
    char what[160] = "the device tree";

    if (by != NULL) {
        fmt_print(what, sizeof(what), "'%.*s' of line %u", STR_ARG(by->path), by->place.line);
    }
    diag_error(p->diag, l->place, "'%.*s' at 0x%llx (%llu KiB) overlaps %s", STR_ARG(l->path),
               LL(piece->base), LL((piece->size + 1023) / 1024), what);
}

/* Checks all pieces of load i, whose address is set, and takes their place. */
static void take(struct planner *p, u32 i)
{
    const struct cfg_load *l = &p->vm->load[i];
    bool linux_kernel = is_linux(l);
    struct image_piece piece;
    struct taken other;

    for (u32 k = 0; image_piece(l, p->plan->addr[i], &k, &piece); k++) {
        u64 size = linux_kernel ? p->plan->mem_size[i] : piece.size;
        bool ram = linux_kernel || l->type == LOAD_INITRD;

        if (piece.base >= CFG_IPA_LIMIT || size > CFG_IPA_LIMIT ||
            !in_memory(p, piece.base, size, ram)) {
            complain_memory(p, l, piece.base, size, ram);
            return;
        }
        other = taken(p, piece.base, size);
        if (other.end != 0) {
            complain_taken(p, l, &(struct image_piece){.base = piece.base, .size = size}, other.by);
            return;
        }
    }
    p->placed |= BIT(i);
}

/* What a file is that can't be started; NULL: nothing known. */
static const char *foreign_kind(const struct bundle_file *f)
{
    static const struct {
        u32 at, len;
        const char *magic, *what;
    } known[] = {
        {0, 2, "\x1f\x8b", "is compressed with gzip: unpack it first (gunzip)"},
        {0, 6,
         "\xfd"
         "7zXZ",
         "is compressed with xz: unpack it first (unxz)"},
        {0, 4, "\x28\xb5\x2f\xfd", "is compressed with zstd: unpack it first (unzstd)"},
        {0, 3, "BZh", "is compressed with bzip2: unpack it first (bunzip2)"},
        {0, 4, "\x02\x21\x4c\x18", "is compressed with lz4: unpack it first (unlz4)"},
        {4, 4, "zimg", "is an EFI zboot kernel, which is compressed: unpack it first"},
        {0, 4, "\x27\x05\x19\x56", "is a U-Boot uImage: take its payload out first (dumpimage)"},
        {0, 4, "\xd0\x0d\xfe\xed", "is a device tree or FIT image, no kernel (fdt load?)"},
        {0, 2, "MZ", "is a PE (EFI) program, no kernel"},
        {0, 6, "070701", "is a cpio archive, no kernel (initrd load?)"},
    };

    for (u32 i = 0; i < ARRAY_SIZE(known); i++) {
        if (f->size >= known[i].at + known[i].len &&
            memcmp(f->data + known[i].at, known[i].magic, known[i].len) == 0) {
            return known[i].what;
        }
    }
    return NULL;
}

static bool plan_linux(struct planner *p, u32 i)
{
    const struct cfg_load *l = &p->vm->load[i];
    u64 offset = get_le64(l->file.data + 8), size = get_le64(l->file.data + 16);
    const struct cfg_mem *ram = lowest_ram(p->vm);

    if (size == 0) {
        offset = LINUX_OLD_OFFSET;
    }
    size = MAX(size, l->file.size);
    if (offset >= LINUX_ALIGN || size > CFG_IPA_LIMIT) {
        diag_error(p->diag, l->place,
                   "'%.*s' is a malformed kernel: text_offset 0x%llx, image_size 0x%llx",
                   STR_ARG(l->path), LL(offset), LL(size));
        return false;
    }
    p->plan->mem_size[i] = size;
    p->plan->addr[i] = l->addr;
    if (!l->has_addr && !find_free(p, ALIGN_UP(ram->base, LINUX_ALIGN) + LINUX_ALIGN, size + offset,
                                   LINUX_ALIGN, &p->plan->addr[i])) {
        diag_error(p->diag, l->place,
                   "'%.*s' needs %llu KiB, 2 MiB above the start of RAM at 0x%llx: there's no room",
                   STR_ARG(l->path), LL((size + 1023) / 1024), LL(ram->base));
        return false;
    }
    p->plan->addr[i] += l->has_addr ? 0 : offset;
    if ((p->plan->addr[i] - offset) % LINUX_ALIGN != 0) {
        diag_error(p->diag, l->place,
                   "'%.*s' is a Linux kernel that has to lie at a multiple of 2 MiB + 0x%llx, not "
                   "at 0x%llx: 0x%llx would do",
                   STR_ARG(l->path), LL(offset), LL(l->addr),
                   LL(ALIGN_DOWN(l->addr, LINUX_ALIGN) + offset));
        return false;
    }
    return true;
}

/*
 * A zImage finds the start of RAM by itself and unpacks the kernel there. From an address below the
 * kernel's end it first moves behind that; so all else goes behind the place that's high enough.
 */
static bool plan_zimage(struct planner *p, u32 i)
{
    const struct cfg_load *l = &p->vm->load[i];
    const struct cfg_mem *ram = lowest_ram(p->vm);
    u64 size = MIN(l->file.size, CFG_IPA_LIMIT) + ZIMAGE_WORK;
    u64 high = ram->base + MIN(ZIMAGE_OFFSET, ram->size / 2);

    p->plan->mem_size[i] = size;
    p->plan->addr[i] = l->addr;
    if (!l->has_addr) {
        p->limit = 4ull * GIB; /* else check_width says so */
    }
    if (!l->has_addr && !find_free(p, high, size, ZIMAGE_ALIGN, &p->plan->addr[i])) {
        diag_error(p->diag, l->place,
                   "'%.*s' needs %llu KiB, %llu KiB above the start of RAM at 0x%llx: there's no "
                   "room",
                   STR_ARG(l->path), LL((size + 1023) / 1024), LL((high - ram->base) / 1024),
                   LL(ram->base));
        return false;
    }
    p->floor = MAX(p->plan->addr[i], high) + size;
    return true;
}

/* Where an ELF file goes; its entry point if `entry`. */
static bool plan_elf(struct planner *p, u32 i, bool entry)
{
    const struct cfg_load *l = &p->vm->load[i];
    const char *why;
    struct elf e;
    u64 lowest, at = 0;

    if (!elf_open(&e, l->file.data, l->file.size, &why)) {
        diag_error(p->diag, l->place, "'%.*s' %s", STR_ARG(l->path), why);
        return false;
    }
    elf_extent(&e, &lowest, &p->plan->mem_size[i]);
    p->plan->addr[i] = l->has_addr ? l->addr : lowest;
    if (!e.dynamic && p->plan->addr[i] != lowest) {
        diag_error(p->diag, l->place, "'%.*s' is linked to 0x%llx and can't be moved to 0x%llx",
                   STR_ARG(l->path), LL(lowest), LL(l->addr));
        return false;
    }
    if (p->plan->addr[i] >= CFG_IPA_LIMIT || p->plan->mem_size[i] > CFG_IPA_LIMIT) {
        complain_memory(p, l, p->plan->addr[i], p->plan->mem_size[i], false);
        return false;
    }
    if (!entry) {
        return true;
    }
    if (!elf_entry(&e, &at)) {
        diag_error(p->diag, l->place, "'%.*s' has its entry point, 0x%llx, in none of its segments",
                   STR_ARG(l->path), LL(e.entry));
        return false;
    }
    p->plan->entry = at - lowest + p->plan->addr[i];
    p->plan->is64 = e.is64;
    return true;
}

static bool plan_raw(struct planner *p, u32 i, bool guest)
{
    const struct cfg_load *l = &p->vm->load[i];
    const char *what = guest ? foreign_kind(&l->file) : NULL;

    if (what != NULL) {
        diag_error(p->diag, l->place, "'%.*s' %s", STR_ARG(l->path), what);
        return false;
    }
    if (guest && !l->has_addr) {
        diag_error(p->diag, l->place,
                   "'%.*s' is no kernel: neither an Image, a zImage nor an ELF file; bytes to be "
                   "started as they are need an address: load ADDRESS,PATH",
                   STR_ARG(l->path));
        return false;
    }
    if (l->file.size > CFG_IPA_LIMIT) {
        complain_memory(p, l, l->addr, l->file.size, false);
        return false;
    }
    p->plan->mem_size[i] = l->file.size;
    p->plan->addr[i] = l->addr;
    return true;
}

static bool is_guest(const struct cfg_load *l)
{
    return l->type == LOAD_AUTO || l->type == LOAD_GUEST;
}

/* Index of the image that is started, or nloads. */
static u32 boot_image(const struct vm_config *vm)
{
    u32 i = 0;

    while (i < vm->nloads && !is_guest(&vm->load[i])) {
        i++;
    }
    return i;
}

static bool goes_anywhere(const struct cfg_load *l)
{
    return !l->has_addr && image_kind(l) == KIND_RAW;
}

static bool plan_kernel(struct planner *p, u32 i)
{
    return image_kind(&p->vm->load[i]) == KIND_ZIMAGE ? plan_zimage(p, i) : plan_linux(p, i);
}

/* `entry`: where the first vCPU starts, whatever the images say; something must be loaded there. */
static void plan_entry(struct planner *p)
{
    const struct vm_config *vm = p->vm;

    if (!vm->has_entry) {
        return;
    }
    if (!p->plan->is64 && vm->entry >= p->limit) {
        diag_error(p->diag, vm->entry_place, "entry 0x%llx is above 4 GiB: not for 32 bits",
                   LL(vm->entry));
    } else if (!in_memory(p, vm->entry, 4, false)) {
        diag_error(p->diag, vm->entry_place, "entry 0x%llx is outside of RAM and ROM",
                   LL(vm->entry));
    } else if (taken(p, vm->entry, 4).by == NULL) {
        diag_error(p->diag, vm->entry_place, "nothing is loaded at entry 0x%llx", LL(vm->entry));
    }
    p->plan->entry = vm->entry;
}

/* Everything that has an address, then kernels without one. */
static void plan_images(struct planner *p, bool linux_anywhere)
{
    u32 boot = boot_image(p->vm);

    for (u32 i = 0; i < p->vm->nloads; i++) {
        const struct cfg_load *l = &p->vm->load[i];
        enum image_kind kind = image_kind(l);
        bool ok = false;

        if (linux_anywhere != (is_linux(l) && !l->has_addr)) {
            continue;
        }
        if (is_linux(l)) {
            ok = plan_kernel(p, i);
        } else if (kind == KIND_ELF) {
            ok = plan_elf(p, i, i == boot);
        } else if (kind == KIND_RAW) {
            ok = plan_raw(p, i, is_guest(l)) && !goes_anywhere(l);
        }
        if (ok) {
            take(p, i);
        }
        if (ok && i == boot && kind != KIND_ELF) {
            p->plan->entry = p->plan->addr[i];
            p->plan->is64 = kind == KIND_LINUX;
            p->plan->any_width = kind == KIND_RAW;
        }
    }
}

/* What nothing but the config can tell, it does; else it has to agree. */
static void settle_width(struct planner *p, u32 boot)
{
    const struct vm_config *vm = p->vm;

    if (p->plan->any_width) {
        p->plan->any_width = !vm->has_aarch32;
        p->plan->is64 = !vm->aarch32;
    } else if (vm->has_aarch32 && vm->aarch32 == p->plan->is64) {
        diag_error(p->diag, vm->aarch32_place, "aarch32 is %s, but '%.*s' of line %u has %u bits",
                   vm->aarch32 ? "on" : "off", STR_ARG(vm->load[boot].path),
                   vm->load[boot].place.line, p->plan->is64 ? 64 : 32);
    }
}

static void check_width(struct planner *p)
{
    u32 boot = boot_image(p->vm);

    settle_width(p, boot);
    if (p->plan->is64) {
        return;
    }
    if (boot == p->vm->nloads || p->plan->addr[boot] + p->plan->mem_size[boot] <= 4ull * GIB) {
        p->limit = 4ull * GIB;
    } else {
        diag_error(p->diag, p->vm->load[boot].place,
                   "'%.*s' is a 32-bit program and has to lie below 4 GiB, not at 0x%llx",
                   STR_ARG(p->vm->load[boot].path), LL(p->plan->addr[boot]));
    }
}

/* initrd and data without an address: behind the kernel, else wherever there's room. */
static void plan_rest(struct planner *p)
{
    u32 boot = boot_image(p->vm);
    u64 from = boot < p->vm->nloads ? p->plan->addr[boot] + p->plan->mem_size[boot] : 0;

    for (u32 i = 0; i < p->vm->nloads; i++) {
        const struct cfg_load *l = &p->vm->load[i];

        if (goes_anywhere(l) && !is_guest(l)) {
            if (find_free(p, from, l->file.size, PAGE_SIZE, &p->plan->addr[i]) ||
                find_free(p, 0, l->file.size, PAGE_SIZE, &p->plan->addr[i])) {
                p->placed |= BIT(i);
            } else {
                diag_error(p->diag, l->place,
                           "'%.*s' needs %llu KiB, which no place in RAM has left",
                           STR_ARG(l->path), LL((l->file.size + 1023) / 1024));
            }
        }
        if (l->type == LOAD_INITRD) {
            p->plan->initrd = p->plan->addr[i];
            p->plan->initrd_size = l->file.size;
        }
    }
}

/*
 * The user's trees three times: the merged ones, a copy of the next that is merged with them, and
 * the paths of its labels, which get longer.
 */
u32 image_tree_room(const struct vm_config *vm)
{
    u64 room = TREE_ROOM + vm->cmdline.len + vm->pass.nwindows * (u64)PASS_TREE_ROOM;

    for (u32 i = 0; i < vm->nloads; i++) {
        if (vm->load[i].type == LOAD_FDT) {
            room += 3 * vm->load[i].file.size;
        }
    }
    return (u32)MIN(ALIGN_UP(room, (u64)PAGE_SIZE), ALIGN_DOWN(UINT32_MAX, PAGE_SIZE));
}

static void plan_fixed_tree(struct planner *p)
{
    p->plan->dtb_size = image_tree_room(p->vm);
    for (u32 i = 0; i < p->vm->nloads; i++) {
        const struct cfg_load *l = &p->vm->load[i];

        if (l->type != LOAD_FDT || !l->has_addr) {
            continue;
        }
        if (l->addr % 8 != 0 || !in_memory(p, l->addr, p->plan->dtb_size, true)) {
            diag_error(p->diag, l->place,
                       "the device tree needs %llu KiB of RAM at 0x%llx, a multiple of 8: there's "
                       "none",
                       LL(p->plan->dtb_size / 1024), LL(l->addr));
            return;
        }
        p->plan->dtb = l->addr;
        p->has_tree = true;
    }
}

/* The start of RAM, where U-Boot and others look for the tree, if no image is there. */
static void plan_low_tree(struct planner *p)
{
    const struct cfg_mem *ram = lowest_ram(p->vm);

    if (!p->has_tree && p->plan->dtb_size <= ram->size && ram->base >= p->floor &&
        taken(p, ram->base, p->plan->dtb_size).end == 0) {
        p->plan->dtb = ram->base;
        p->has_tree = true;
    }
}

/* Else above everything else, where kernels expect it. */
static void plan_high_tree(struct planner *p)
{
    u64 size = p->plan->dtb_size, top = 0;

    for (u32 i = 0; i < p->vm->nloads; i++) {
        if ((p->placed & BIT(i)) != 0) {
            top = MAX(top, p->plan->addr[i] + p->plan->mem_size[i]);
        }
    }
    if (!p->has_tree && !find_free(p, top, size, LINUX_ALIGN, &p->plan->dtb) &&
        !find_free(p, 0, size, LINUX_ALIGN, &p->plan->dtb)) {
        diag_error(p->diag, p->vm->place, "no room in RAM for the device tree (%llu KiB)",
                   LL(size / 1024));
    }
}

bool image_plan(struct vm_config *vm, struct image_plan *plan, struct diag *diag)
{
    struct planner p = {.vm = vm, .plan = plan, .diag = diag, .limit = CFG_IPA_LIMIT};
    u32 before = diag->errors;

    *plan = (struct image_plan){0};
    if (lowest_ram(vm) == NULL) {
        diag_error(diag, vm->place, "no RAM: add `ram LENGTH`");
    } else if (boot_image(vm) == vm->nloads && !vm->has_entry) {
        diag_error(diag, vm->place, "nothing to start: add `load PATH` of a kernel");
    } else {
        plan->any_width = boot_image(vm) == vm->nloads; /* just `entry`; else the image tells */
        plan_fixed_tree(&p);
        plan_images(&p, false);
        plan_images(&p, true);
        if (diag->errors == before) {
            check_width(&p);
            plan_low_tree(&p);
            plan_rest(&p);
            plan_entry(&p);
            plan_high_tree(&p);
        }
    }
    vm->errors += diag->errors - before;
    return diag->errors == before;
}
