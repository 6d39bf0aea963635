# SPDX-License-Identifier: MIT
"""vCPUs that share a physical CPU: fixed priorities, equal shares within one, timers in time. All
under icount, where time is instructions: what is measured does not depend on the host's load.
"""

import pytest
from lib import vms
from test_guests import arch_of, guests_of

SLEPT = r"SLEPT count=\d+ early=0 late_mean_ns=(\d+) late_max_ns=(\d+)$"


def run(machine, bundle, built, configs, smp=1, gic=3, cpu=None, timeout=180):
    """Runs VMs that do what their boot arguments say and then power off."""
    files = {f"{n}.qvmconf": c for n, c in configs.items()}
    files["puppet.img"] = built(f"{guests_of(cpu)}/puppet.img")
    options = {"arch": arch_of(cpu), "cpu": cpu, "smp": smp, "mem": 512, "gic": gic}
    m = machine(bundle=bundle(files), icount=True, serial_file=True, **options)
    m.expect_exit(timeout=timeout)
    assert not m.seen("PANIC|error: |UNEXPECTED"), m.tail()
    return m


def answer(m, number, pattern):
    found = m.seen(vms.any_vm(rf"@@ {number} {pattern}"))
    assert found, m.tail()
    return found


@pytest.mark.parametrize("gic, cpu", [(3, None), (2, "cortex-a15")])
def test_equal_priorities_share_evenly(machine, bundle, built, gic, cpu):
    configs = {
        name: vms.puppet(name, number, "sleep 50000 1; spin 200; off", cpus=[0])
        for number, name in enumerate(("a", "b", "c"), 1)
    }
    m = run(machine, bundle, built, configs, gic=gic, cpu=cpu)
    rounds = [int(answer(m, n, r"SPUN rounds=(\d+)$")[1]) for n in (1, 2, 3)]
    assert min(rounds) > 0.85 * max(rounds), rounds


def test_alone_it_gets_the_whole_cpu(machine, bundle, built):
    """Without a neighbour there is no tick: as many rounds as instructions allow."""
    configs = {"a": vms.puppet("a", 1, "spin 100; off", cpus=[0])}
    alone = run(machine, bundle, built, configs)
    shared = {
        **configs,
        "b": vms.puppet("b", 2, "sleep 1000000 1; off", cpus=[0]),  # asleep all the while
    }
    beside = run(machine, bundle, built, shared)
    a, b = (int(answer(m, 1, r"SPUN rounds=(\d+)$")[1]) for m in (alone, beside))
    assert b > 0.98 * a, (a, b)


@pytest.mark.parametrize("gic, cpu", [(2, None), (3, None), (2, "cortex-a7")])
def test_timers_fire_in_time_beside_a_busy_vcpu(machine, bundle, built, gic, cpu):
    """The one that sleeps has the higher priority: its neighbour never delays it."""
    configs = {
        "low": vms.puppet("low", 1, "spin 400; off", cpus=[0], sched=5),
        "high": vms.puppet("high", 2, "sleep 1000 150; sleep 50 100; off", cpus=[0], sched=20),
    }
    m = run(machine, bundle, built, configs, gic=gic, cpu=cpu)
    slept = vms.all_matches(m.text, rf"@@ 2 {SLEPT}")
    assert len(slept) == 2, m.tail()
    assert all(int(mean) < 30_000 and int(worst) < 200_000 for mean, worst in slept), slept


def test_timers_of_equals_fire_within_a_slice(machine, bundle, built):
    configs = {
        "busy": vms.puppet("busy", 1, "spin 300; off", cpus=[0]),
        "sleeper": vms.puppet("sleeper", 2, "sleep 2000 30; off", cpus=[0]),
    }
    m = run(machine, bundle, built, configs)
    found = answer(m, 2, SLEPT)
    assert int(found[2]) < 6_000_000, found.group(0)  # one slice of 5 ms and a bit


def test_timers_of_a_lone_vcpu_are_prompt(machine, bundle, built):
    configs = {"one": vms.puppet("one", 1, "sleep 100 100; sleep 7 100; off", cpus=[0])}
    m = run(machine, bundle, built, configs)
    slept = vms.all_matches(m.text, rf"@@ 1 {SLEPT}")
    assert len(slept) == 2, m.tail()
    assert all(int(mean) < 20_000 and int(worst) < 100_000 for mean, worst in slept), slept


def test_higher_priority_runs_first(machine, bundle, built):
    """While the higher one is busy the lower one gets nothing; then it gets everything."""
    configs = {
        "low": vms.puppet("low", 1, "sleep 100000 1; sleep 1000 1; off", cpus=[0], sched=5),
        "high": vms.puppet("high", 2, "sleep 50000 1; spin 300; off", cpus=[0], sched=20),
    }
    m = run(machine, bundle, built, configs)
    late = [int(mean) for mean, _ in vms.all_matches(m.text, rf"@@ 1 {SLEPT}")]
    assert len(late) == 2, m.tail()
    assert late[0] > 150_000_000  # it was due in the middle of the other's 300 ms
    assert late[1] < 1_000_000


def test_low_priority_vm_boots_beside_an_idle_higher_one(machine, bundle, built):
    """The higher one sleeps most of the time, as real ones do: the lower one gets on."""
    configs = {
        "low": vms.puppet("low", 1, "cpus; spin 50; off", cpus=[0, 0], sched=1),
        "high": vms.puppet("high", 2, "sleep 2000 50; off", cpus=[0], sched=50),
    }
    m = run(machine, bundle, built, configs)
    answer(m, 1, r"CPUS up=2 of=2$")
    answer(m, 1, r"SPUN rounds=[1-9]")
    answer(m, 2, r"SLEPT count=50 early=0")


def test_vms_are_spread_over_cpus(machine, bundle, built):
    """Without runmask each vCPU has a CPU of its own as long as there are CPUs; runmask decides."""
    configs = {
        "a": vms.puppet("a", 1, cpus=2),
        "b": vms.puppet("b", 2, cpus=[3, 0]),
        "c": vms.puppet("c", 3, cpus=2),
    }
    b = bundle({f"{n}.qvmconf": c for n, c in configs.items()} | vms.files(built, "puppet.img"))
    m = machine(bundle=b, smp=4, mem=512)
    vms.expect_all(m, [vms.any_vm(f"@@ {n} UP") for n in (1, 2, 3)])
    vms.focus(m, 0)
    homes = {}
    for name in configs:
        m.line(f"vm status {name}")
        homes[name] = [int(m.expect(rf"^ *vCPU {i} on CPU (\d): ")[1]) for i in range(2)]
    assert homes["b"] == [3, 0]
    assert sorted(homes["a"] + homes["b"] + homes["c"]) == [0, 0, 1, 1, 2, 3] or len(
        set(homes["a"] + homes["c"])
    ) == 4, homes
