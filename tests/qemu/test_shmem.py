# SPDX-License-Identifier: MIT
"""Memory that VMs share: two bare-metal VMs, a bare-metal one and Linux, two Linux VMs. Each end
checks every word that it gets and answers by doorbell; see tests/guests/shm and
guest-configs/linux/shm.c.
"""

import re

import pytest
from lib import trees, vms
from lib.machine import ROOT
from test_guests import arch_of, guests_of

BOOT = vms.BOOT_TIMEOUT


def bare(name, words, shmem, cpu=0):
    return vms.bare(name, "shm.img", cpus=[cpu], words=words, extra=[f"vdev shmem {shmem}"])


def ended(m, times=2, timeout=60):
    """So many guests have ended, and nothing was wrong in any."""
    for _ in range(times):
        done = m.expect(r"@@ shm DONE passed=(\d+) failed=(\d+)", timeout)
        assert done.group(2) == "0", m.tail()
    assert not re.search(r"@@ shm .*(FAIL|PANIC)", m.text), m.tail()


@pytest.mark.parametrize("gic, cpu", [(2, "cortex-a72"), (3, "max"), (2, "cortex-a15")])
def test_two_bare_metal_vms(machine, bundle, built, gic, cpu):
    """With a third VM's region beside it, which one of them may not have."""
    b = bundle(
        {
            "a.qvmconf": bare("a", "lead cached", "create chan,1M create secret,64K deny secret"),
            "b.qvmconf": bare("b", "cached denied", "loc 0x1c050000 intr gic:44 allow chan", 1),
            "shm.img": built(f"{guests_of(cpu)}/shm.img"),
        }
    )
    m = machine(arch=arch_of(cpu), bundle=b, gic=gic, cpu=cpu, smp=2, mem=512)
    ended(m)
    assert m.seen("@@ shm LED rounds=200 wrong=0") and m.seen("@@ shm FOLLOWED rounds=200 wrong=0")
    m.expect_exit()


def test_kept_over_restarts(machine, bundle, built):
    """The follower is reset while attached: the leader sees it go, the region keeps what it has."""
    b = bundle(
        {
            "a.qvmconf": bare("a", "lead sessions=4 rounds=20", "create chan,4M spare 1,8K"),
            "b.qvmconf": bare("b", "resets=3", "", 0),
            "shm.img": built("guests/shm.img"),
        }
    )
    m = machine(bundle=b, smp=1, mem=512)
    for n in (1, 2, 3):
        m.expect(rf"@@ shm RESET {n}")
    ended(m)
    assert len(re.findall("^b: restarts", m.text, re.M)) == 3, m.tail()
    assert len(re.findall("@@ shm LEFT client=[01]", m.text)) == 4, m.tail()
    m.expect_exit()


def test_two_linux_vms(machine, bundle, built):
    """The ready-made system, on stock kernels; the region is used through /dev/mem."""
    folder = ROOT / "guest-configs/shmem"
    b = bundle(
        {**{p.name: p for p in folder.glob("*.qvmconf")}, **vms.files(built, "d12c")}
    )
    m = machine(bundle=b, smp=2, mem=1024)
    vms.expect_all(m, [r"^@@ SHELL", r"^\[right\] @@ SHELL"], timeout=BOOT)
    vms.focus(m, 1, "left")
    m.line("")
    assert m.run("shm put board 'how are you?'") == 0, m.output
    assert m.run("shm probe board") == 0, m.output
    m.line("shm lead board 300")
    m.expect("@@ SHM-READY")
    vms.focus(m, 2, "right")
    m.line("")
    assert m.run("shm get board") == 0 and m.output.strip() == "how are you?", m.output
    assert m.run("shm status other") == 1 and "SHM-REFUSED status=5" in m.output
    assert m.run("shm follow board", timeout=120) == 0, m.output
    assert "@@ SHM-FOLLOWED rounds=300 wrong=0" in m.output
    m.rewind(0)
    m.expect(r"^\[left\] @@ SHM-LED rounds=300 wrong=0")
    # a doorbell stays in the status until it is looked at, once
    assert m.run("shm wait board 0") == 1, m.output
    vms.focus(m, 1, "left")
    assert m.run("shm put board moin") == 0
    vms.focus(m, 2, "right")
    assert m.run("shm wait board 10") == 0 and m.run("shm get board") == 0
    assert m.output.strip() == "moin"
    assert m.run("shm detach board") == 0
    vms.focus(m, 1, "left")
    assert m.run("shm status board") == 0
    assert re.search(r"me=0 pages=256 clients=0x1 ", m.output), m.output
    m.escape("0")
    m.line("vm status left")
    m.expect(r"region board, 1024 KiB at 0x10001000: clients 0x1, of which this is 0")
    for number, name in ((1, "left"), (2, "right")):
        vms.power_off(m, number, name)
    m.expect_exit()


@pytest.mark.parametrize("leader", ["linux", "bare"])
def test_linux_and_bare_metal(machine, bundle, built, tmp_path, leader):
    """Both take the doorbell by interrupt: in the bare-metal VM its level, in Linux the edge that
    Debian's gpio_keys makes of it. Without that node it looks at the status.
    """
    words = "lead" if leader == "bare" else ""
    kernel = "d12" if leader == "linux" else "d13c"
    extra = ["vdev shmem allow chan intr gic:44"]
    loads = {}
    if leader == "linux":
        extra.append("fdt load doorbell.dtbo")
        loads["doorbell.dtbo"] = trees.overlay(ROOT / "guest-configs/shmem/doorbell.dts", tmp_path)
    b = bundle(
        {
            "one.qvmconf": bare("one", words, "create chan,128K"),
            "two.qvmconf": vms.linux("two", None, ram="192M", kernel=kernel, extra=extra),
            **vms.files(built, "shm.img", kernel),
            **loads,
        }
    )
    m = machine(bundle=b, smp=2, mem=512)
    m.expect(vms.any_vm("@@ SHELL"), timeout=BOOT)
    vms.focus(m, 2, "two")
    m.line("")
    command = "shm follow chan" if leader == "bare" else "shm lead chan 200"
    assert m.run(command, timeout=40) == 0, m.output
    assert re.search(r"@@ SHM-(LED|FOLLOWED) rounds=200 wrong=0", m.output), m.output
    assert m.run("shm detach chan") == 0
    if leader == "linux":
        assert m.run("grep ring /proc/interrupts") == 0, m.output
        rings = re.search(r": +(\d+) +GICv\S+ +44 +Edge", m.output)
        assert rings and int(rings.group(1)) > 200, m.output
    m.rewind(0)
    ended(m, 1)
    vms.power_off(m, 2, "two")
    m.expect_exit()
