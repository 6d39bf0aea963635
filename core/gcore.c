/* SPDX-License-Identifier: MIT */
/*
 * Writes cores of guests as text to the console. Work on the CPU of the VM's first vCPU, which has
 * nothing to run for it; a record at a time is made in `out` and sent line by line, while the
 * console has room and some more for what is typed at the prompt. Lock: out.lock for who is next;
 * the rest belongs to the work.
 */
#include "core/gcore.h"

#include "core/arch.h"
#include "core/gcore_text.h"
#include "core/gmem.h"
#include "core/log.h"
#include "core/sched.h"
#include "core/textline.h"
#include "core/vm.h"
#include "core/vm_end.h"
#include "core/wall.h"

#include <string.h>

#define LINES   2    /* in one go */
#define ZEROS   8    /* pages of zeros skipped in one go */
#define KEPT    8192 /* bytes of the console's room that are left to others */
#define WAIT_NS 5000000ull
#define NS      1000000000u

enum step { STEP_BEGIN, STEP_VCPUS, STEP_REGIONS, STEP_PAGES, STEP_END, STEP_DONE };

static struct {
    struct spinlock lock; /* LOCK_DEVICE; covers waiting, vm and cancelled */
    u32 waiting;          /* bit n: vms[n] wants its core written */
    struct vm *vm;        /* whose is being written; NULL: none */
    bool cancelled;

    void (*write)(const char *s, size_t len);
    size_t (*room)(void);
    struct work work;
    struct timer timer;

    u32 step, index; /* of a vCPU or region */
    u64 pos;         /* in the region */
    u32 pages, seq;
    u8 kind;
    u32 len, sent; /* of the record */
    u8 record[GCORE_LENGTH + GCORE_RECORD];
    u32 page[GCORE_WORDS];
} out;

static bool write_piece(struct work *w);

void gcore_init(void (*write)(const char *s, size_t len), size_t (*room)(void))
{
    memset(&out, 0, sizeof(out));
    spin_init(&out.lock, LOCK_DEVICE);
    out.write = write;
    out.room = room;
    out.work.fn = write_piece;
}

/* --- records --------------------------------------------------------------------------------- */

static void record_begin(u8 kind)
{
    out.kind = kind;
    out.len = GCORE_LENGTH;
    out.sent = 0;
}

static void put32(u32 v)
{
    textline_put32(out.record + out.len, v);
    out.len += 4;
}

static void put64(u64 v)
{
    textline_put64(out.record + out.len, v);
    out.len += 8;
}

static void put_begin(void)
{
    u32 name = (u32)strlen(out.vm->name);

    record_begin(GCORE_BEGIN);
    put32(out.vm->aarch32 ? 32 : 64);
    put32(out.vm->nvcpus);
    put32(out.vm->mem.count);
    put64(wall_is_set() ? wall_ns() / NS : 0);
    memcpy(out.record + out.len, out.vm->name, name);
    out.len += name;
}

static void put_vcpu(struct vcpu *v)
{
    struct vcpu_regs regs;

    record_begin(GCORE_VCPU);
    put32(v->id);
    arch_vcpu_regs(v, &regs);
    memcpy(out.record + out.len, &regs, sizeof(regs));
    out.len += sizeof(regs);
}

static void put_region(const struct gmem_region *r)
{
    record_begin(GCORE_REGION);
    put64(r->base);
    put64(r->size);
    put64(r->host);
}

static bool is_zero(void)
{
    u32 any = 0;

    for (u32 i = 0; i < GCORE_WORDS; i++) {
        any |= out.page[i];
    }
    return any == 0;
}

/* The next page that isn't all zeros; false: it hasn't come yet. A page is copied once: devices
 * that the VM was given may still write to it. */
static bool put_page(void)
{
    for (u32 i = 0; i < ZEROS && out.index < out.vm->mem.count; i++) {
        const struct gmem_region *r = &out.vm->mem.region[out.index];
        u64 at = out.pos;

        gmem_read(out.page, gmem_at(r->ptr, (size_t)at), PAGE_SIZE);
        out.pos += PAGE_SIZE;
        if (out.pos == r->size) {
            out.pos = 0;
            out.index++;
        }
        if (!is_zero()) {
            record_begin(GCORE_PAGE);
            put64(r->base + at);
            out.len += gcore_pack(out.page, out.record + out.len);
            out.pages++;
            return true;
        }
    }
    return false;
}

static void put_end(bool whole)
{
    record_begin(GCORE_END);
    put32(out.pages);
    put32(whole);
}

static void next_step(void)
{
    out.step++;
    out.index = 0;
}

static bool is_cancelled(void)
{
    bool cancelled;

    spin_lock(&out.lock);
    cancelled = out.cancelled;
    spin_unlock(&out.lock);
    return cancelled;
}

/* There may be none yet: it's called again. */
static void make_record(void)
{
    const struct vm *vm = out.vm;
    bool made = true, whole = !is_cancelled();

    if (!whole) {
        out.step = STEP_END;
    }
    switch (out.step) {
    case STEP_BEGIN:
        put_begin();
        next_step();
        break;
    case STEP_VCPUS:
        put_vcpu(vm->vcpu[out.index++]);
        if (out.index == vm->nvcpus) {
            next_step();
        }
        break;
    case STEP_REGIONS:
        put_region(&vm->mem.region[out.index++]);
        if (out.index == vm->mem.count) {
            next_step();
        }
        break;
    case STEP_PAGES:
        made = put_page();
        if (out.index == vm->mem.count) {
            next_step();
        }
        break;
    default:
        put_end(whole);
        next_step();
        break;
    }
    if (made) {
        textline_put32(out.record, out.len - GCORE_LENGTH);
    }
}

/* --- lines ----------------------------------------------------------------------------------- */

static void send_line(void)
{
    struct textline l = {.kind = out.sent == 0 ? out.kind : (u8)GCORE_MORE, .seq = out.seq++};
    char text[TEXTLINE_ROOM + 2];
    u32 n;

    l.len = MIN(out.len - out.sent, TEXTLINE_PIECE);
    memcpy(l.data, out.record + out.sent, l.len);
    out.sent += l.len;
    n = textline_write(GCORE_MARK, &l, text);
    memcpy(text + n, "\r\n", 2);
    out.write(text, n + 2);
}

static void wait_over(struct timer *t)
{
    work_queue(t->pcpu, &out.work);
}

/* With out.lock: begins with the next VM, if there is one. */
static struct pcpu *take_next(void)
{
    struct pcpu *p;

    out.vm = NULL;
    if (out.waiting == 0) {
        return NULL;
    }
    out.vm = vms[__builtin_ctz(out.waiting)];
    out.waiting &= out.waiting - 1;
    out.cancelled = false;
    out.step = STEP_BEGIN;
    out.pos = 0;
    out.pages = 0;
    out.seq = 0;
    out.len = 0;
    out.sent = 0;
    p = out.vm->vcpu[0]->pcpu;
    timer_init(&out.timer, p, wait_over);
    return p;
}

static void finish(void)
{
    struct vm *vm = out.vm;
    u32 pages = out.pages, lines = out.seq;
    bool cancelled;
    struct pcpu *p;

    spin_lock(&out.lock);
    cancelled = out.cancelled;
    p = take_next();
    spin_unlock(&out.lock);
    log_info("%s: its core is out%s: %u pages, %u lines", vm->name,
             cancelled ? ", but not whole" : "", pages, lines);
    if (!cancelled) {
        vm_core_done(vm);
    }
    if (p != NULL) {
        work_queue(p, &out.work); /* maybe another CPU: last of all */
    }
}

static bool write_piece(struct work *w)
{
    (void)w;
    for (u32 i = 0; i < LINES; i++) {
        if (out.sent == out.len && out.step == STEP_DONE) {
            finish();
            return false;
        }
        if (out.sent == out.len) {
            make_record();
            return true;
        }
        if (out.room() < KEPT) {
            timer_set(&out.timer, arch_now_ns() + WAIT_NS);
            return false;
        }
        send_line();
    }
    return true;
}

/* --- who is next ------------------------------------------------------------------------------ */

bool gcore_start(struct vm *vm)
{
    struct pcpu *p = NULL;

    if (out.write == NULL) {
        return false;
    }
    spin_lock(&out.lock);
    out.waiting |= BIT(vm->index);
    if (out.vm == NULL) {
        p = take_next();
    }
    spin_unlock(&out.lock);
    log_info("%s: its core comes out here, for `muntin gcore`; its RAM stays as it is until then:",
             vm->name);
    for (u32 i = 0; i < vm->mem.count; i++) {
        const struct gmem_region *r = &vm->mem.region[i];

        log_info("%s:   0x%llx, %llu KiB: at 0x%llx of the board", vm->name,
                 (unsigned long long)r->base, (unsigned long long)(r->size / KIB),
                 (unsigned long long)r->host);
    }
    if (p != NULL) {
        work_queue(p, &out.work);
    }
    return true;
}

bool gcore_cancel(const struct vm *vm)
{
    bool found;

    spin_lock(&out.lock);
    found = (out.waiting & BIT(vm->index)) != 0 || (out.vm == vm && !out.cancelled);
    out.waiting &= ~BIT(vm->index);
    if (out.vm == vm) {
        out.cancelled = true;
    }
    spin_unlock(&out.lock);
    return found;
}
