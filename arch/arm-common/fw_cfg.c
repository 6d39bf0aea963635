/* SPDX-License-Identifier: MIT */
/* The DMA interface of fw_cfg: all of its numbers are big-endian. */
#include "arch/arm-common/fw_cfg.h"

#include "arch/arm-common/io.h"
#include "core/atomic.h"
#include "core/board.h"
#include "sysreg.h"

#include <string.h>

#define REG_DMA       0x10
#define DMA_SIGNATURE 0x51454d5520434647ull /* "QEMU CFG", read from REG_DMA */

#define KEY_DIRECTORY 0x19
#define FILES_MAX     4096 /* the directory of a sane QEMU is far shorter */
#define PATIENCE      100000000

#define CONTROL_ERROR  BIT(0)
#define CONTROL_READ   BIT(1)
#define CONTROL_SELECT BIT(3)

struct dma {
    u32 control, length;
    u64 address;
};

struct entry {
    u32 size;
    u16 key;
    u16 reserved;
    char name[56];
};

static bool present(const struct board *board)
{
    uintptr_t reg = (uintptr_t)board->fw_cfg.base + REG_DMA;

    return board->fw_cfg.size >= REG_DMA + 8 &&
           __builtin_bswap64(io_read64_halves(reg)) == DMA_SIGNATURE;
}

/* One transfer: selects `key` first unless it's 0, else goes on where the last one ended. */
static bool transfer(const struct board *board, u16 key, void *to, u32 size)
{
    static struct dma dma __attribute__((aligned(64)));
    uintptr_t reg = (uintptr_t)board->fw_cfg.base + REG_DMA;
    u32 control = CONTROL_READ | (key == 0 ? 0 : CONTROL_SELECT | (u32)key << 16);
    u32 left;

    dma.length = __builtin_bswap32(size);
    dma.address = __builtin_bswap64((uintptr_t)to);
    atomic_store(&dma.control, __builtin_bswap32(control));
    /*
     * The device reads the structure when the lower half of its address is written, and writes the
     * data: the former is in memory before, the latter is read after. QEMU is coherent with caches;
     * the barriers order, they don't clean.
     */
    dsb_sy();
    io_write32(reg, __builtin_bswap32((u32)((u64)(uintptr_t)&dma >> 32)));
    io_write32(reg + 4, __builtin_bswap32((u32)(uintptr_t)&dma));
    for (u32 i = 0; i < PATIENCE; i++) {
        left = __builtin_bswap32(atomic_load_acquire(&dma.control));
        if ((left & ~CONTROL_ERROR) == 0) {
            dsb_sy();
            return left == 0;
        }
        cpu_relax();
    }
    return false;
}

bool fw_cfg_find(const struct board *board, const char *name, struct fw_cfg_file *out)
{
    static struct entry entry;
    u32 count;

    if (!present(board) || !transfer(board, KEY_DIRECTORY, &count, sizeof(count))) {
        return false;
    }
    count = MIN(__builtin_bswap32(count), (u32)FILES_MAX);
    for (u32 i = 0; i < count; i++) {
        if (!transfer(board, 0, &entry, sizeof(entry))) {
            return false;
        }
        entry.name[sizeof(entry.name) - 1] = '\0';
        if (strcmp(entry.name, name) == 0) {
            out->size = __builtin_bswap32(entry.size);
            out->key = __builtin_bswap16(entry.key);
            return true;
        }
    }
    return false;
}

bool fw_cfg_read(const struct board *board, const struct fw_cfg_file *f, void *to)
{
    return transfer(board, f->key, to, f->size);
}
