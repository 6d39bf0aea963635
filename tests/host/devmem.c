/* SPDX-License-Identifier: MIT */
/* See devmem.h. Three copies: the CPU's, the devices', and what both had when they last met. */
#include "tests/host/devmem.h"

#include "arch/host/arch.h"
#include "core/page.h"
#include "tests/host/boots.h"
#include "tests/host/said.h"

#include <string.h>
#include <sys/mman.h>

#define WORDS (DEVMEM_SIZE / 8)
#define LINE  64 /* bytes of a cache line */

static u64 *cpu; /* at DEVMEM_BASE */
static u64 dev[WORDS], met[WORDS];
static bool coherent;
static const struct devmem_regs *devices[24];
static u32 ndevices;

u32 devmem_accesses;

/* Who has changed it since; the CPU wins, as when it writes back a whole line. */
static void meet(size_t word)
{
    if (cpu[word] != met[word]) {
        dev[word] = met[word] = cpu[word];
    } else if (dev[word] != met[word]) {
        cpu[word] = met[word] = dev[word];
    }
}

static void meet_all(void)
{
    for (size_t page = 0; page < WORDS; page += 512) {
        if (memcmp(cpu + page, met + page, PAGE_SIZE) != 0 ||
            memcmp(dev + page, met + page, PAGE_SIZE) != 0) {
            for (size_t i = 0; i < 512; i++) {
                meet(page + i);
            }
        }
    }
}

static void barrier(bool dsb)
{
    (void)dsb;
    if (coherent) {
        meet_all();
    }
}

/* Cleaned if the CPU has changed it, as a whole; then invalidated. */
static void clean_line(size_t first)
{
    bool dirty = memcmp(cpu + first, met + first, LINE) != 0;

    for (size_t i = first; i < first + LINE / 8; i++) {
        met[i] = dirty ? cpu[i] : dev[i];
        dev[i] = cpu[i] = met[i];
    }
}

static void clean(const void *p, size_t len)
{
    uintptr_t a = ALIGN_DOWN((uintptr_t)p, (uintptr_t)LINE);

    for (; a < (uintptr_t)p + len; a += LINE) {
        assert_true(a - DEVMEM_BASE < DEVMEM_SIZE);
        clean_line((a - DEVMEM_BASE) / 8);
    }
}

static const struct devmem_regs *device_of(uintptr_t a)
{
    for (u32 i = 0; i < ndevices; i++) {
        if (a - devices[i]->base < devices[i]->size) {
            return devices[i];
        }
    }
    fail_msg("there's no register at 0x%lx", (unsigned long)a);
    return NULL;
}

static u64 io_read(uintptr_t a, size_t size)
{
    const struct devmem_regs *d = device_of(a);

    assert_int_equal(size, 4);
    devmem_accesses++;
    return d->read((u32)(a - d->base));
}

static void io_write(uintptr_t a, size_t size, u64 v)
{
    const struct devmem_regs *d = device_of(a);

    assert_int_equal(size, 4);
    devmem_accesses++;
    d->write((u32)(a - d->base), (u32)v);
}

static const struct host_io io = {.read = io_read, .write = io_write, .barrier = barrier};

void devmem_start(bool is_coherent)
{
    cpu = mmap((void *)(uintptr_t)DEVMEM_BASE, DEVMEM_SIZE, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    assert_ptr_equal(cpu, (void *)(uintptr_t)DEVMEM_BASE);
    memset(cpu, 0xa5, DEVMEM_SIZE);
    memset(dev, 0x5a, sizeof(dev)); /* what nobody sees to is garbage to a device */
    memset(met, 0xa5, sizeof(met));
    coherent = is_coherent;
    if (coherent) {
        memset(dev, 0xa5, sizeof(dev));
    }
    page_add(DEVMEM_BASE, DEVMEM_SIZE);
    said_log();
    host_io = &io;
    host_clean_dcache = clean;
}

void devmem_add(const struct devmem_regs *regs)
{
    assert_true(ndevices < ARRAY_SIZE(devices));
    devices[ndevices++] = regs;
}

static bool there(u64 a)
{
    assert_int_equal(a % 8, 0);
    return a - DEVMEM_BASE < DEVMEM_SIZE;
}

bool devmem_read(u64 a, u64 *v)
{
    if (!there(a)) {
        return false;
    }
    *v = dev[(a - DEVMEM_BASE) / 8];
    return true;
}

bool devmem_write(u64 a, u64 v)
{
    if (!there(a)) {
        return false;
    }
    dev[(a - DEVMEM_BASE) / 8] = v;
    return true;
}
