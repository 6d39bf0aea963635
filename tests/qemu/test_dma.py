# SPDX-License-Identifier: MIT
"""PCIe functions of the board in VMs, behind the board's SMMU and ITS: QEMU's edu, which does what a
guest says, to a hostile guest (tests/guests/dma), and a virtio NIC to Linux.
"""

import re

import pytest
from lib import vms

SMMU = "iommu=smmuv3"
EDU = ["-device", "edu,dma_mask=0xffffffffff,addr=2"]
FUNCTION = "pass loc pci:0:2.0"
OUTSIDE = 0x50000000  # the guest has no memory there


def hostile(name="dma", words="", line=FUNCTION):
    return vms.bare(name, "dma.img", ram="32M", words=f"outside={OUTSIDE:#x} {words}", extra=[line])


def verdict(m, guest):
    done = m.expect(rf"@@ {guest} DONE passed=(\d+) failed=(\d+)", timeout=120)
    faults = re.findall(rf"@@ {guest} .*(?:FAIL|failed check|PANIC|BAD).*", m.text)
    assert not faults, "\n".join(faults)
    assert int(done.group(1)) > 0 and done.group(2) == "0", done.group(0)


def test_hostile_driver(machine, bundle, built):
    """All that it may do works, nothing else does; a VM beside it keeps its RAM, its clock and its
    CPU, which takes the SMMU's interrupts. The device's VM restarts, after which it works again.
    """
    b = bundle(
        {
            "victim.qvmconf": vms.bare("victim", "victim.img", words="rounds=0 size-mib=4"),
            "dma.qvmconf": hostile(),
            **vms.files(built, "dma.img", "victim.img"),
        }
    )
    m = machine(bundle=b, smp=2, mem=512, machine=SMMU, extra=EDU)
    m.expect(r"a device \(stream 0x10\) writes to 0x50000000, not its VM's memory$")
    m.expect(r"a device \(stream 0x10\) reads 0x50000000, not its VM's memory$")
    m.expect("not its VM's memory: it's cut off")
    m.expect("dma: restarts")
    verdict(m, "dma")
    assert m.seen("@@ dma restarted: PASS [1-9]"), m.tail()
    m.expect("@@ victim ok")
    assert not m.seen("@@ victim BAD"), m.tail()


@pytest.mark.parametrize(
    "machine_options, extra, line, error",
    [
        ("", EDU, FUNCTION, "the board has no SMMUv3, so that they would reach all of its memory"),
        (SMMU + ",its=off", [], FUNCTION, "the board has no GICv3 ITS"),
        (SMMU, EDU, "pass loc pci:1:0.0", "only functions of the root bus, 0, can be passed"),
        (SMMU, EDU, f"{FUNCTION} loc pci:00:02.0", "this PCIe function is passed by line"),
        (SMMU, EDU, "pass loc pci:0:3.0", "there's no device at pci:0:3.0"),
        (SMMU, EDU, "pass loc 0x1c000000,1M=0x4010000000", "there's the PCIe host bridge"),
        (SMMU, EDU, "pass loc 0x1c000000,64K=0x09050000", "there's the SMMU"),
    ],
)
def test_refused(machine, bundle, built, machine_options, extra, line, error):
    b = bundle({"dma.qvmconf": hostile(line=line), **vms.files(built, "dma.img")})
    m = machine(bundle=b, smp=1, mem=512, machine=machine_options, extra=extra)
    m.expect(error)
    m.expect("dma: not started")


def test_two_claims(machine, bundle, built):
    b = bundle(
        {
            "one.qvmconf": hostile("one"),
            "two.qvmconf": hostile("two"),
            **vms.files(built, "dma.img"),
        }
    )
    m = machine(bundle=b, smp=1, mem=512, machine=SMMU, extra=EDU)
    m.expect(r"one.qvmconf:\d+:\d+: error: a function of this PCIe device is also passed at two.qvmconf")
    m.expect(r"two.qvmconf:\d+:\d+: error: a function of this PCIe device is also passed at one.qvmconf")


# --- Linux -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel, cpu", [("d12c", "cortex-a53"), ("d13c", "max")])
def test_linux_has_a_nic(machine, bundle, built, outside, kernel, cpu):
    """A virtio NIC on the board's PCIe, whose DMA goes through the SMMU and whose interrupts come by
    the ITS: a download is whole, before and after a reboot.
    """
    config = vms.linux("host", None, cpus=2, kernel=kernel, extra=[FUNCTION])
    b = bundle({"host.qvmconf": config, **vms.files(built, kernel)})
    extra = ["-netdev", "user,id=n", "-device"]
    extra += ["virtio-net-pci,netdev=n,iommu_platform=on,disable-legacy=on,addr=2,romfile="]
    m = machine(bundle=b, smp=2, mem=1024, cpu=cpu, machine=SMMU, extra=extra)
    for _ in range(2):
        m.expect("@@ SHELL", timeout=vms.BOOT_TIMEOUT)
        m.line("")
        assert m.run("ifconfig eth0 10.0.2.15 up && ping -c 2 10.0.2.2", timeout=60) == 0, m.output
        assert m.run(f"wget -q -O - {outside.url} | md5sum", timeout=120) == 0
        assert m.output.startswith(outside.hash), m.output
        assert m.run("grep -c virtio0-input /proc/interrupts") == 0, m.output
        m.line("reboot -f")
    assert not m.seen("not its VM's memory"), m.tail()
