/* SPDX-License-Identifier: MIT */
/* Cores of guests out of a console's log, as files. Pages of zeros are holes in them. */
#include "arch/host/tool_gcore.h"

#include "arch/host/gcore.h"
#include "arch/host/tool_files.h"
#include "core/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_WRITE = 73 };

#define LL(x) ((unsigned long long)(x))

struct result {
    const char *out;
    u32 cores;
    bool whole;
};

/* A new file NAME-YYYYMMDD-hhmmss.gcore, or with -1 to -9 if that's there already. */
static int open_named(const struct gcore *g, char path[PATH_LEN_MAX])
{
    time_t when = g->seconds != 0 ? (time_t)g->seconds : time(NULL);
    struct tm tm;
    char stamp[32] = "0", nth[3] = "";
    int fd = -1;

    if (gmtime_r(&when, &tm) != NULL) {
        strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
    }
    for (u32 i = 0; i < 10 && fd < 0; i++) {
        snprintf(nth, sizeof(nth), i > 0 ? "-%u" : "", i);
        snprintf(path, PATH_LEN_MAX, "%s-%s%s.gcore", g->name, stamp, nth);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    }
    return fd;
}

static int open_out(const struct result *r, char path[PATH_LEN_MAX])
{
    snprintf(path, PATH_LEN_MAX, r->cores == 1 ? "%s" : "%s-%u", r->out, r->cores);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
}

static bool write_at(int fd, const u8 *p, size_t len, off_t at)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, p, len, at);

        if (n <= 0) {
            return false;
        }
        p += n;
        len -= (size_t)n;
        at += n;
    }
    return true;
}

static bool write_core(int fd, const struct gcore *g)
{
    size_t size;
    u8 *head = gcore_elf(g, &size);
    bool good = write_at(fd, head, size, 0);
    off_t end = (off_t)size;

    for (u32 i = 0; i < g->nregions && good; i++) {
        const struct gcore_region *r = &g->region[i];

        for (u64 at = 0; gcore_has(g, r) && at < r->size && good; at += PAGE_SIZE) {
            good = !r->present[at / PAGE_SIZE] ||
                   write_at(fd, r->ram + at, PAGE_SIZE, end + (off_t)at);
        }
        end += gcore_has(g, r) ? (off_t)r->size : 0;
    }
    free(head);
    return good && ftruncate(fd, end) == 0;
}

static void show(const struct gcore *g)
{
    for (u32 i = 0; i < g->nregions; i++) {
        const struct gcore_region *r = &g->region[i];

        printf("  RAM 0x%llx, %llu KiB, at 0x%llx of the board%s\n", LL(r->base), LL(r->size / KIB),
               LL(r->host), gcore_has(g, r) ? "" : ": beyond an ELF32, left out");
    }
    for (u32 i = 0; i < g->nvcpus; i++) {
        const struct vcpu_regs *v = &g->vcpu[i];

        printf("  vCPU %u: ", i);
        if (g->has_vcpu[i]) {
            printf("pc 0x%llx sp 0x%llx pstate 0x%llx; sctlr 0x%llx tcr 0x%llx ttbr0 0x%llx ttbr1 "
                   "0x%llx esr 0x%llx far 0x%llx\n",
                   LL(v->pc), LL(regs_sp(v)), LL(v->pstate), LL(v->sctlr), LL(v->tcr), LL(v->ttbr0),
                   LL(v->ttbr1), LL(v->esr), LL(v->far));
        } else {
            printf("its registers are missing\n");
        }
    }
}

static void found(const struct gcore *g, void *ctx)
{
    struct result *r = ctx;
    char path[PATH_LEN_MAX];
    int fd;

    r->cores++;
    fd = r->out != NULL ? open_out(r, path) : open_named(g, path);
    if (fd < 0 || !write_core(fd, g) || close(fd) != 0) {
        perror(path);
        exit(EXIT_WRITE);
    }
    printf("%s: core of %s, %u vCPUs, %u pages", path, g->name, g->nvcpus, g->pages);
    if (g->want == UINT32_MAX) {
        printf("; its end is missing");
    } else if (!gcore_whole(g)) {
        printf("; there were %u%s", g->want, g->complete ? "" : ", and it was ended early");
    }
    printf("\n");
    show(g);
    r->whole &= gcore_whole(g);
}

bool gcore_extract(const char *log, const char *out)
{
    struct result r = {.out = out, .whole = true};
    size_t size;
    u8 *data = files_read(log != NULL ? log : "/dev/stdin", &size);
    u32 torn =
        gcore_read((struct str){(const char *)data, (u32)MIN(size, (size_t)UINT32_MAX)}, found, &r);

    if (r.cores == 0) {
        fprintf(stderr, "muntin: no core in %s\n", log != NULL ? log : "what came in");
    } else if (!r.whole) {
        fprintf(stderr, "muntin: parts are missing; %u lines are torn\n", torn);
    }
    free(data);
    return r.cores > 0 && r.whole;
}
