/* SPDX-License-Identifier: MIT */
/*
 * Commands that do what may end in an exception, or in the VM's end: accesses to any address, to a
 * system register that no VM has, an instruction that no VM may use. The answer is PROBE with the
 * value, or with the exception's class and fault status.
 */
#include "tests/guests/lib/insn.h"
#include "tests/guests/lib/probe.h"
#include "tests/guests/puppet/probes.h"
#include "tests/guests/puppet/puppet.h"

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
    answer("mrs", insn_run1(&p, probes_read_word, 0x55), &p);
    answer("msr", insn_run1(&p, probes_write_word, 0x55), &p);
}

void probes_insn(const uint64_t *args, const char *rest)
{
    struct probe p;

    (void)args;
    (void)rest;
    probes_allow();
    answer("insn", insn_run1(&p, probes_hidden_word, 0x55), &p);
}
