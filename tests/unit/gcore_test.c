/* SPDX-License-Identifier: MIT */
/*
 * Cores of guests: a VM's core from its RAM over the console's text to what the host tool reads;
 * what is torn or forged on the way; and when VMs stand still for it.
 */
#include "core/gcore.h"

#include "arch/host/arch.h"
#include "arch/host/gcore.h"
#include "core/arch.h"
#include "core/config.h"
#include "core/gcore_text.h"
#include "core/str.h"
#include "core/textline.h"
#include "core/vm.h"
#include "core/vm_end.h"
#include "tests/host/cpus.h"
#include "tests/host/said.h"
#include "tests/host/two.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RAM      TWO_RAM
#define RAM_SIZE TWO_RAM_SIZE
#define HIGH     0x100000000ull
#define MS       1000000ull

static char text[1u << 20];
static size_t text_len, room;

/* --- VMs -------------------------------------------------------------------------------------- */

static void write_text(const char *s, size_t len)
{
    assert_true(text_len + len < sizeof(text) && room >= len);
    memcpy(text + text_len, s, len);
    text_len += len;
    room -= room != SIZE_MAX ? len : 0;
}

static size_t text_room(void)
{
    return room;
}

static void set_regs(struct vcpu *v, struct vcpu_regs *r)
{
    for (u32 i = 0; i < 31; i++) {
        r->x[i] = 0x1111111100000000ull * (v->id + 1) + i;
    }
    r->sp_el1 = 0xffff800008123450;
    r->pc = 0xffff800008010000 + v->id * 4;
    r->pstate = 0x600003c5;
    r->v[31][1] = 0xabcdef;
    r->fpsr = 0x10;
    r->fpcr = 0x3000000;
}

/* VM i has two vCPUs on physical CPU i, RAM in two pieces, and `dump`. */
static struct vm *make_vm(void)
{
    struct vm_config *c = two_next(2, (const u32[]){vm_count, vm_count});

    c->nmems = 2;
    c->mem[1] = (struct cfg_mem){.kind = MEM_RAM, .base = HIGH, .size = PAGE_SIZE};
    c->core = true;
    c->max_restarts = 9;
    return two_make();
}

static int setup(void **state)
{
    (void)state;
    two_begin(2);
    text_len = 0;
    room = SIZE_MAX;
    host_regs = set_regs;
    gcore_init(write_text, text_room);
    return 0;
}

/* Runs CPU `id` for a while of work; what it would enter at the end. */
static struct vcpu *settle(u32 id)
{
    struct vcpu *v = NULL;

    for (u32 i = 0; i < 2000; i++) {
        v = cpu_enter_after(id, MS);
    }
    return v;
}

static int teardown(void **state)
{
    (void)state;
    room = SIZE_MAX;
    for (u32 i = 0; i < vm_count; i++) {
        vm_stop(vms[i], VM_EXIT_KILLED);
    }
    for (u32 i = 0; i < 2 * vm_count; i++) {
        (void)settle(i % 2);
    }
    host_regs = NULL;
    for (u32 i = 0; i < vm_count; i++) {
        if (vms[i]->state != VM_STOPPED || vms[i]->frozen) {
            return -1;
        }
    }
    return 0;
}

static struct vm *running_vm(void)
{
    struct vm *vm = make_vm();

    assert_true(vm_start(vm));
    assert_ptr_equal(settle(vm->index), vm->vcpu[0]);
    return vm;
}

static u8 *ram(const struct vm *vm, u32 region)
{
    return (u8 *)vm->mem.region[region].ptr;
}

/* What the last core in the text is. */
static struct {
    struct gcore core;
    u8 *ram[2];
    u32 count, torn;
} got;

static void keep(const struct gcore *g, void *ctx)
{
    (void)ctx;
    got.count++;
    got.core = *g;
    for (u32 i = 0; i < 2; i++) {
        free(got.ram[i]);
        got.ram[i] = NULL;
        if (i < g->nregions) {
            size_t size = (size_t)g->region[i].size;

            got.ram[i] = malloc(size);
            memcpy(got.ram[i], g->region[i].ram, size);
        }
    }
}

static void read_text(void)
{
    got.count = 0;
    got.torn = gcore_read((struct str){text, (u32)text_len}, keep, NULL);
}

static void assert_core_of(const struct vm *vm)
{
    const struct gcore *g = &got.core;

    assert_string_equal(g->name, vm->name);
    assert_true(gcore_whole(g));
    assert_false(g->is32);
    assert_int_equal(g->nvcpus, 2);
    assert_int_equal(g->vcpu[1].x[30], 0x2222222200000000ull + 30);
    assert_int_equal(g->vcpu[1].pc, 0xffff800008010004);
    assert_int_equal(g->vcpu[0].v[31][1], 0xabcdef);
    assert_int_equal(g->nregions, 2);
    assert_int_equal(g->region[0].base, RAM);
    assert_int_equal(g->region[1].base, HIGH);
    assert_int_equal(g->region[1].host, vm->mem.region[1].host);
    assert_memory_equal(got.ram[0], ram(vm, 0), RAM_SIZE);
    assert_memory_equal(got.ram[1], ram(vm, 1), PAGE_SIZE);
}

static void mark_ram(struct vm *vm)
{
    memcpy(ram(vm, 0) + 0x5008, "pattern of alpha", 16);
    for (u32 i = 0; i < PAGE_SIZE; i += 4) { /* no two alike: as large as a page can get */
        u32 word = (i + 1) * 0x9e3779b1u;

        memcpy(ram(vm, 0) + 0x20000 + i, &word, 4);
    }
    ram(vm, 0)[RAM_SIZE - 1] = 1;
    ram(vm, 1)[0] = 2;
}

/* --- when --------------------------------------------------------------------------------------
 */

/* The VM stands still, no time goes by for it, and it runs on. */
static void of_a_running_vm(void **state)
{
    struct vm *vm = running_vm();
    u64 offset = vm->counter_offset, before;

    (void)state;
    mark_ram(vm);
    before = arch_ticks();
    room = 0;
    assert_true(vm_core(vm));
    assert_true(vm->frozen);
    assert_false(vm_core(vm));
    assert_null(cpu_enter(0));
    assert_int_equal(vm->vcpu[0]->state, VCPU_PAUSED);
    assert_int_equal(vm->state, VM_PAUSED);
    irq_attention(vm->vcpu[0]); /* whatever comes for it waits */
    sched_wake(vm->vcpu[0]);
    assert_null(cpu_enter_after(0, MS));
    room = SIZE_MAX;
    assert_ptr_equal(settle(0), vm->vcpu[0]);
    assert_int_equal(vm->state, VM_RUNNING);
    assert_false(vm->frozen);
    assert_true(vm->counter_offset > offset);
    assert_true(vm->counter_offset - offset < arch_ticks() - before);
    assert_non_null(strstr(said, "alpha:   0x40000000, 512 KiB: at 0x"));
    assert_non_null(strstr(said, "alpha: its core is out: 5 pages, "));
    read_text();
    assert_int_equal(got.count, 1);
    assert_int_equal(got.torn, 0);
    assert_int_equal(got.core.pages, 5); /* the tree's, too */
    assert_core_of(vm);
}

/* A counter that is the board's can't be held. */
static void board_counter_goes_on(void **state)
{
    struct vm *vm = make_vm();

    (void)state;
    two.cfg[0].counter_offset = 0;
    assert_true(vm_start(vm));
    assert_ptr_equal(settle(0), vm->vcpu[0]);
    assert_true(vm_core(vm));
    assert_ptr_equal(settle(0), vm->vcpu[0]);
    assert_int_equal(vm->counter_offset, 0);
}

/* A vCPU that is turned on meanwhile joins; one that goes off doesn't count. */
static void vcpus_come_and_go(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    room = 0;
    assert_true(vm_core(vm));
    assert_int_equal(vm_cpu_on(vm, 1, RAM, 0), 0);
    assert_null(cpu_enter(0));
    assert_int_equal(vm->vcpu[1]->state, VCPU_PAUSED);
    room = SIZE_MAX;
    assert_non_null(settle(0));
    assert_int_equal(vm->state, VM_RUNNING);
    assert_int_equal(vm->vcpu[1]->state, VCPU_READY);

    assert_true(vm_core(vm));
    vm_cpu_off(vm->vcpu[1]);
    assert_ptr_equal(settle(0), vm->vcpu[0]);
    assert_int_equal(vm->vcpu[1]->state, VCPU_OFF);
    read_text();
    assert_int_equal(got.count, 2);
    assert_core_of(vm);

    assert_true(vm_core(vm));
    vm_cpu_off(vm->vcpu[0]); /* its last: that is its end */
    assert_null(settle(0));
    assert_int_equal(vm->state, VM_STOPPED);
    assert_false(vm->frozen);
}

/* While it's paused, or still about to: it's stopped, or restarts, and the core is left. */
static void stopped_meanwhile(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    assert_true(vm_core(vm));
    vm_restart(vm);
    assert_int_equal(vm->state, VM_STOPPING);
    assert_ptr_equal(settle(0), vm->vcpu[0]);
    assert_int_equal(vm->starts, 2);

    room = 0;
    assert_true(vm_core(vm));
    assert_null(settle(0));
    vm_stop(vm, VM_EXIT_KILLED);
    assert_null(settle(0));
    assert_int_equal(vm->state, VM_STOPPED);
    assert_false(vm->frozen);
    room = SIZE_MAX;
    assert_null(settle(0));
    assert_non_null(strstr(said, "alpha: its core is out, but not whole: "));
    read_text();
    assert_int_equal(got.count, 1);
    assert_false(got.core.complete);
    assert_false(gcore_whole(&got.core));
}

/* Its core was just out, and it's stopped before it could run on: it ends once, and not before its
 * vCPUs have left. */
static void stopped_as_it_is_done(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    room = 0;
    assert_true(vm_core(vm));
    assert_null(settle(0));
    assert_true(gcore_cancel(vm)); /* nobody writes it any more, but that wasn't told yet */
    vm_stop(vm, VM_EXIT_KILLED);
    vm_core_done(vm);
    assert_int_equal(vm->state, VM_STOPPING);
    assert_int_equal(two.stops, 0);
    assert_null(settle(0));
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(two.stops, 1);
}

/* Before it starts anew; its RAM is as it was left until then, and its reason stays. */
static void at_its_end(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    two.cfg[0].on_crash = (struct cfg_end){.restart = true, .dump = true};
    mark_ram(vm);
    room = 0;
    vm_end(vm, VM_EXIT_UNEXPECTED, false, "boom");
    assert_null(settle(0));
    assert_int_equal(vm->state, VM_STOPPING);
    assert_true(vm->frozen);
    assert_int_equal(ram(vm, 0)[RAM_SIZE - 1], 1);
    vm_end(vm, VM_EXIT_WATCHDOG, false, "late"); /* changes nothing */
    assert_true(vm->restart);
    room = SIZE_MAX;
    assert_ptr_equal(settle(0), vm->vcpu[0]);
    assert_int_equal(vm->starts, 2);
    assert_non_null(strstr(said, "alpha: registers of vCPU 0:"));
    assert_non_null(strstr(said, "alpha: restarts: boom"));
    assert_int_equal(ram(vm, 0)[RAM_SIZE - 1], 0);
    read_text();
    assert_int_equal(got.count, 1);
    assert_true(gcore_whole(&got.core));
    assert_memory_equal(got.ram[0] + 0x5008, "pattern of alpha", 16);

    two.cfg[0].core = false; /* without `dump DIR`: registers only */
    text_len = 0;
    vm_end(vm, VM_EXIT_UNEXPECTED, false, "boom");
    assert_ptr_equal(settle(0), vm->vcpu[0]);
    assert_int_equal(vm->starts, 3);
    assert_int_equal(text_len, 0);
}

/* Who kills it, or wants it anew, doesn't wait. */
static void killed_while_written(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    two.cfg[0].on_crash = (struct cfg_end){.restart = true, .dump = true};
    room = 0;
    vm_end(vm, VM_EXIT_UNEXPECTED, false, "boom");
    assert_null(settle(0));
    vm_stop(vm, VM_EXIT_KILLED);
    assert_int_equal(vm->state, VM_STOPPED);
    assert_int_equal(vm->last_reason, VM_EXIT_KILLED);
    assert_int_equal(two.stops, 1);

    room = SIZE_MAX;
    assert_null(settle(0));
    room = 0;
    two.cfg[0].on_crash.restart = false;
    assert_true(vm_start(vm));
    assert_non_null(settle(0));
    vm_end(vm, VM_EXIT_UNEXPECTED, false, "boom");
    assert_null(settle(0));
    vm_restart(vm);
    assert_ptr_equal(settle(0), vm->vcpu[0]);
    assert_int_equal(vm->starts, 3);
}

/* Of what is left of a stopped one; it can't start meanwhile, nor the board go off. */
static void of_a_stopped_vm(void **state)
{
    struct vm *vm = make_vm();

    (void)state;
    assert_false(vm_core(vm)); /* it never ran */
    assert_true(vm_start(vm));
    assert_ptr_equal(settle(0), vm->vcpu[0]);
    mark_ram(vm);
    vm_stop(vm, VM_EXIT_KILLED);
    assert_null(settle(0));
    assert_int_equal(two.stops, 1);
    assert_true(vm_core(vm));
    assert_false(vm_core(vm));
    assert_false(vm_start(vm));
    assert_null(settle(0));
    assert_int_equal(two.stops, 2);
    assert_int_equal(vm->state, VM_STOPPED);
    read_text();
    assert_int_equal(got.count, 1);
    assert_core_of(vm);
    assert_true(vm_start(vm));
    assert_ptr_equal(settle(0), vm->vcpu[0]);
}

/* One after the other, each on its own CPU; as fast as the console takes it. */
static void two_and_a_slow_console(void **state)
{
    struct vm *a = running_vm(), *b = running_vm();

    (void)state;
    mark_ram(a);
    ram(b, 1)[5] = 7;
    room = 9000;
    assert_true(vm_core(a));
    assert_true(vm_core(b));
    for (u32 i = 0; i < 4000 && (a->frozen || b->frozen); i++) {
        (void)cpu_enter_after(0, 0);
        (void)cpu_enter_after(1, MS);
        assert_true(room > 8192 - TEXTLINE_ROOM);
        room = MIN(room + 1000, (size_t)9000);
        assert_true(!a->frozen || b->frozen);
    }
    assert_false(b->frozen);
    assert_ptr_equal(cpu_enter(0), a->vcpu[0]);
    assert_ptr_equal(cpu_enter(1), b->vcpu[0]);
    read_text();
    assert_int_equal(got.count, 2);
    assert_core_of(b);
}

/* Without a console nothing is lost but the core. */
static void no_console(void **state)
{
    struct vm *vm = running_vm();

    (void)state;
    gcore_init(NULL, NULL);
    assert_true(vm_core(vm));
    assert_ptr_equal(settle(0), vm->vcpu[0]);
    assert_int_equal(vm->state, VM_RUNNING);
    vm_end(vm, VM_EXIT_UNEXPECTED, true, "boom");
    assert_null(settle(0));
    assert_int_equal(vm->state, VM_STOPPED);
}

/* --- the text ----------------------------------------------------------------------------------
 */

/* A core's text among other things, line by line. */
static void with_core(void)
{
    struct vm *vm = running_vm();

    mark_ram(vm);
    assert_true(vm_core(vm));
    (void)settle(0);
}

/* The text without line `number`, or with it twice. */
static void edit_line(u32 number, bool twice)
{
    static char copy[sizeof(text)];
    struct str rest = {copy, (u32)text_len};
    size_t was = text_len;

    memcpy(copy, text, text_len);
    text_len = 0;
    for (u32 i = 0; rest.len > 0; i++) {
        struct str line = str_cut(rest, '\n', &rest);

        for (u32 k = i == number ? (twice ? 2 : 0) : 1; k > 0; k--) {
            memcpy(text + text_len, line.p, line.len);
            text_len += line.len;
            text[text_len++] = '\n';
        }
    }
    read_text();
    memcpy(text, copy, was);
    text_len = was;
}

/* Whatever line is missing, it's noticed, and what is there is right. */
static void lost_lines(void **state)
{
    u32 lines = 0;

    (void)state;
    with_core();
    for (size_t i = 0; i < text_len; i++) {
        lines += text[i] == '\n';
    }
    assert_true(lines > 30);
    for (u32 i = 0; i < lines; i++) {
        edit_line(i, false);
        assert_int_equal(got.count, i == 0 ? 0 : 1);
        assert_false(got.count == 1 && gcore_whole(&got.core));
        if (i == lines - 1) {
            assert_int_equal(got.core.want, UINT32_MAX);
        }
        edit_line(i, true);
        assert_int_equal(got.count, 1);
        assert_true(gcore_whole(&got.core));
    }
}

/* --- forged ------------------------------------------------------------------------------------
 */

static u32 forged_seq;

static void forge(u8 kind, u32 len, const u8 *data, u32 n)
{
    struct textline l = {.kind = kind, .seq = forged_seq++, .len = n + 4};

    textline_put32(l.data, len);
    memcpy(l.data + 4, data, n);
    text_len += textline_write(GCORE_MARK, &l, text + text_len);
    text[text_len++] = '\n';
}

static void forge_begin(u32 bits, u32 vcpus, const char *name)
{
    u8 b[64] = {0};
    u32 n = (u32)strlen(name);

    forged_seq = 0;
    textline_put32(b, bits);
    textline_put32(b + 4, vcpus);
    textline_put32(b + 8, 1);
    memcpy(b + GCORE_HEAD, name, n);
    forge(GCORE_BEGIN, GCORE_HEAD + n, b, GCORE_HEAD + n);
}

static void forge_region(u64 base, u64 size)
{
    u8 b[24] = {0};

    textline_put64(b, base);
    textline_put64(b + 8, size);
    forge(GCORE_REGION, 24, b, 24);
}

static void forged_text(void **state)
{
    static const u8 page[] = {0, 0x30, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0xfc, 1};

    (void)state;
    forge_begin(64, 1000, "../../etc/passwd and a very long name indeed");
    forge_region(0x1001, 0x1000);
    forge_region(0x1000, 0x1001);
    forge_region(0x1000, 0);
    forge_region(0x1000, GCORE_RAM_MAX + 0x1000);
    forge_region(0xfffffffffffff000, 0x2000);
    forge_region(0x2000, 0x4000);
    forge_region(0x1000, 0x2000); /* over the one before */
    for (u32 i = 0; i < 20; i++) {
        forge_region(0x10000 + i * 0x1000, 0x1000);
    }
    forge(GCORE_PAGE, sizeof(page), page, sizeof(page)); /* no whole page */
    forge(GCORE_PAGE, UINT32_MAX, page, sizeof(page));
    forge(GCORE_MORE, 5, page, 5);
    forge(GCORE_VCPU, 8, page, 8);
    forge(GCORE_END, 7, page, 7);
    forge('?', 7, page, 7);
    read_text();
    assert_int_equal(got.count, 1);
    assert_string_equal(got.core.name, "_._.._etc_passwd_and_a_very_lon");
    assert_int_equal(got.core.nvcpus, VCPU_MAX);
    assert_int_equal(got.core.nregions, GMEM_REGIONS);
    assert_int_equal(got.core.region[0].base, 0x2000);
    assert_int_equal(got.core.pages, 0);
    assert_false(got.core.has_vcpu[0]);
    assert_false(gcore_whole(&got.core));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(of_a_running_vm),
        T(board_counter_goes_on),
        T(vcpus_come_and_go),
        T(stopped_meanwhile),
        T(stopped_as_it_is_done),
        T(at_its_end),
        T(killed_while_written),
        T(of_a_stopped_vm),
        T(two_and_a_slow_console),
        T(no_console),
        T(lost_lines),
        T(forged_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
