/* SPDX-License-Identifier: MIT */
/*
 * Commands that do what may end in an exception, or in the VM's end: accesses to any address, to a
 * system register that no VM has, an instruction that no VM may use. The answer is PROBE with the
 * value, or with the exception's class and fault status.
 */
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/lib/sysreg.h"
#include "tests/guests/puppet/puppet.h"

#define CPACR_ALL (3u << 20 | 3u << 16) /* FPEN, ZEN: or EL1 traps itself first */
#define RDVL_X0   0x04bf5020u           /* SVE, which is hidden from VMs */

static void answer(const char *what, bool done, const struct probe *p)
{
    if (done) {
        puppet_say("PROBE %s value=%lx", what, p->value);
    } else {
        puppet_say("PROBE %s class=%x fault=%lx", what, probe_class(p), p->esr & FSC_MASK);
    }
}

void probes_peek(const uint64_t *args, const char *rest)
{
    struct probe p;

    (void)rest;
    answer("peek", probe_read(&p, args[0], (uint32_t)args[1]), &p);
}

void probes_poke(const uint64_t *args, const char *rest)
{
    struct probe p;

    (void)rest;
    answer("poke", probe_write(&p, args[0], (uint32_t)args[1], args[2]), &p);
}

void probes_sysreg(const uint64_t *args, const char *rest)
{
    struct probe p;

    (void)args;
    (void)rest;
    answer("mrs", insn_run1(&p, INSN_MRS(SYSREG(3, 0, 15, 15, 7)), 0x55), &p);
    answer("msr", insn_run1(&p, INSN_MSR(SYSREG(3, 0, 15, 15, 7)), 0x55), &p);
}

void probes_insn(const uint64_t *args, const char *rest)
{
    struct probe p;

    (void)args;
    (void)rest;
    sysreg_write("cpacr_el1", sysreg_read("cpacr_el1") | CPACR_ALL);
    isb();
    answer("insn", insn_run1(&p, RDVL_X0, 0x55), &p);
}
