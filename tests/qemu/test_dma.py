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


def port(number, device, options=""):
    """A root port, 00:0N.0, and a device behind it."""
    root = f"pcie-root-port,id=p{number},chassis={number},addr={number}{options}"
    return ["-device", root, "-device", f"{device},bus=p{number}"]


def switch(number, *devices):
    """The same with a switch in between; QEMU's has no ACS."""
    extra = port(number, "x3130-upstream,id=up")
    for i, device in enumerate(devices):
        extra += ["-device", f"xio3130-downstream,id=d{i},bus=up,chassis={number + 8 + i}"]
        extra += ["-device", f"{device},bus=d{i}"]
    return extra


NIC = "virtio-net-pci,iommu_platform=on,disable-legacy=on,romfile="
BEHIND = port(1, EDU[1].replace(",addr=2", ""))
BEHIND_PCI = [*port(1, "pcie-pci-bridge,id=c"), "-device", "edu,bus=c,addr=1"]
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
            "dma.qvmconf": hostile(line="pass loc pci:1:0.0"),
            **vms.files(built, "dma.img", "victim.img"),
        }
    )
    m = machine(bundle=b, smp=2, mem=512, machine=SMMU, extra=BEHIND)
    m.expect(r"a device \(stream 0x100\) writes to 0x50000000, not its VM's memory$")
    m.expect(r"a device \(stream 0x100\) reads 0x50000000, not its VM's memory$")
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
        (SMMU, EDU, "pass loc pci:1:0.0", "there's no device at pci:1:0.0"),
        (SMMU, BEHIND_PCI, "pass loc pci:2:1.0", "pci:2:1.0 can't be passed: it's behind a PCIe-to-PCI bridge"),
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


def test_forgets(machine, bundle, built):
    """A device is reset when its VM starts anew: by FLR, by its link. One that can't be is told of."""
    lines = {"flr": "pci:1:0.0", "link": "pci:2:0.0", "none": "pci:0:3.0"}
    files = {
        f"{name}.qvmconf": hostile(name, "status=1", f"pass loc {where}") for name, where in lines.items()
    }
    extra = port(1, NIC) + port(2, f"{NIC},x-pcie-flr-init=off,x-pcie-pm-init=off")
    extra += ["-device", f"{NIC},addr=3"]
    b = bundle({**files, **vms.files(built, "dma.img")})
    m = machine(bundle=b, smp=1, mem=512, machine=SMMU, extra=extra)
    m.expect(r"none.qvmconf:\d+:\d+: warning: pci:0:3.0 can't be reset: when its VM starts anew")
    for _ in lines:
        m.expect(vms.any_vm("@@ dma status=0 then=3"))
    m.escape("0")
    for name, status in {"flr": 0, "link": 0, "none": 3}.items():
        m.line(f"vm reset {name}")
        m.expect(f"{name}: restarts")
        m.expect(rf"\[{name}\] @@ dma status={status} then=3")
    assert m.text.count("can't be reset") == 1


def test_no_acs(machine, bundle, built):
    """What is behind one switch without ACS is for one VM."""
    b = bundle(
        {
            "one.qvmconf": hostile("one", "status=1", "pass loc pci:3:0.0"),
            "two.qvmconf": hostile("two", "status=1", "pass loc pci:4:0.0"),
            "both.qvmconf": hostile("both", "status=1", "pass loc pci:6:0.0"),
            **vms.files(built, "dma.img"),
        }
    )
    extra = switch(1, NIC, NIC) + port(2, NIC)
    m = machine(bundle=b, smp=1, mem=512, machine=SMMU, extra=extra)
    why = "one VM can have both, as at pci:1:0.0 there's no ACS"
    m.expect(rf"one.qvmconf:\d+:\d+: error: pci:4:0.0 is also passed at two.qvmconf:\S+: {why}")
    m.expect(rf"two.qvmconf:\d+:\d+: error: pci:3:0.0 is also passed at one.qvmconf:\S+: {why}")


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


@pytest.mark.parametrize("kernel, cpu, where", [("d12c", "cortex-a53", "0:2.0"), ("d13c", "max", "3:0.0")])
def test_linux_has_a_nic(machine, bundle, built, outside, kernel, cpu, where):
    """A virtio NIC on the board's PCIe, at the root or behind a switch, whose DMA goes through the
    SMMU and whose interrupts come by the ITS: a download is whole, before and after a reboot.
    """
    config = vms.linux("host", None, cpus=2, kernel=kernel, extra=[f"pass loc pci:{where}"])
    b = bundle({"host.qvmconf": config, **vms.files(built, kernel)})
    nic = f"{NIC},netdev=n"
    extra = ["-device", f"{nic},addr=2"] if where == "0:2.0" else switch(1, nic)
    extra = ["-netdev", "user,id=n", *extra]
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
