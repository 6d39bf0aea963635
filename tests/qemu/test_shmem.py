# SPDX-License-Identifier: MIT
"""Memory that VMs share: two bare-metal VMs, a bare-metal one and Linux, two Linux VMs. Each end
checks every word that it gets and answers by doorbell; see tests/guests/shm and
guest-configs/linux/shm.c.
"""

import re
import subprocess

import pytest
from lib import vms
from lib.machine import BUILD, ROOT


def bare(name, words, shmem, cpu=0):
    return vms.bare(name, "shm.img", cpus=[cpu], words=words, extra=[f"vdev shmem {shmem}"])


def ended(m, times=2, timeout=60):
    """So many guests have ended, and nothing was wrong in any."""
    for _ in range(times):
        done = m.expect(r"@@ shm DONE passed=(\d+) failed=(\d+)", timeout)
        assert done.group(2) == "0", m.tail()
    assert not re.search(r"@@ shm .*(FAIL|PANIC)", m.text), m.tail()


@pytest.mark.parametrize("gic, cpu", [(2, "cortex-a72"), (3, "max")])
def test_two_bare_metal_vms(machine, bundle, built, gic, cpu):
    """With a third VM's region beside it, which one of them may not have."""
    b = bundle(
        {
            "a.qvmconf": bare("a", "lead cached", "create chan,1M create secret,64K deny secret"),
            "b.qvmconf": bare("b", "cached denied", "loc 0x1c050000 intr gic:44 allow chan", 1),
            "shm.img": built("guests/shm.img"),
        }
    )
    m = machine(bundle=b, gic=gic, cpu=cpu, smp=2, mem=512)
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
        m.expect(r"^(muntin: )?b: restarts")
    ended(m)
    assert len(re.findall("@@ shm LEFT client=1", m.text)) == 4, m.tail()
    m.expect_exit()
