/* SPDX-License-Identifier: MIT */
/* A vCPU's registers for people, the same on all architectures. Pure functions. */
#include "core/regs.h"

#define LL(x) ((unsigned long long)(x))

u64 regs_sp(const struct vcpu_regs *r)
{
    if (regs_is32(r)) {
        return (u32)r->x[regs_index32(13, r->pstate)];
    }
    return (r->pstate & REGS_EL) != 0 && (r->pstate & 1) != 0 ? r->sp_el1 : r->sp_el0;
}

static void print64(const struct vcpu_regs *r, void (*print)(const char *fmt, ...))
{
    for (u32 i = 0; i < 30; i += 3) {
        print("  x%-2u 0x%016llx  x%-2u 0x%016llx  x%-2u 0x%016llx", i, LL(r->x[i]), i + 1,
              LL(r->x[i + 1]), i + 2, LL(r->x[i + 2]));
    }
    print("  x30 0x%016llx  sp_el0 0x%llx  sp_el1 0x%llx", LL(r->x[30]), LL(r->sp_el0),
          LL(r->sp_el1));
}

static void print32(const struct vcpu_regs *r, void (*print)(const char *fmt, ...))
{
    u32 v[15];

    for (u32 i = 0; i < ARRAY_SIZE(v); i++) {
        v[i] = (u32)r->x[regs_index32(i, r->pstate)];
    }
    for (u32 i = 0; i < 12; i += 4) {
        print("  r%-2u 0x%08x  r%-2u 0x%08x  r%-2u 0x%08x  r%-2u 0x%08x", i, v[i], i + 1, v[i + 1],
              i + 2, v[i + 2], i + 3, v[i + 3]);
    }
    print("  r12 0x%08x  sp  0x%08x  lr  0x%08x", v[12], v[13], v[14]);
}

void regs_print(const struct vcpu_regs *r, void (*print)(const char *fmt, ...))
{
    const u64 *s = r->syndrome;

    print("  pc 0x%llx  pstate 0x%llx  exits %llu", LL(r->pc), LL(r->pstate), LL(r->exits));
    print("  syndromes of the last exits, newest first: 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx 0x%llx",
          LL(s[0]), LL(s[1]), LL(s[2]), LL(s[3]), LL(s[4]), LL(s[5]));
    if (regs_is32(r)) {
        print32(r, print);
    } else {
        print64(r, print);
    }
    print("  its last exception: elr 0x%llx  spsr 0x%llx  esr 0x%llx  far 0x%llx", LL(r->elr),
          LL(r->spsr), LL(r->esr), LL(r->far));
}
