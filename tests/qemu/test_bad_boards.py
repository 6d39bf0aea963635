# SPDX-License-Identifier: MIT
"""Boards on which Muntin can't run VMs, or not with all that they have: trees that lack something
or lie. Whatever it is, a line says so; then a halt, if nothing can be done about it.
"""

import re

import pytest
from lib import trees, vms
from test_bad_input import GOOD

HALTED = "halted"  # else the VM runs


def gic(what):
    """Puts something else in the place of the interrupt controller's reg."""
    return lambda s: re.sub(r"(intc@8000000 \{.*?)reg = <[^>]*>;", rf"\1{what}", s, flags=re.S)


def cpu(number, what):
    return lambda s: re.sub(rf"(cpu@{number} \{{.*?)reg = <[^>]*>;", rf"\1{what}", s, flags=re.S)


def memory(name, base, size):
    """More memory, beside what QEMU writes into every tree: by another name, or it is taken out."""
    high, low = base >> 32, base & 0xFFFFFFFF
    node = f'{name} {{ device_type = "memory"; reg = <{high:#x} {low:#x} 0x0 {size:#x}>; }};'
    return lambda s: re.sub(r"\};\s*\Z", node + "};", s)


def drop(pattern):
    return lambda s: re.sub(pattern, "", s, flags=re.S)


GICD = "0x0 0x8000000 0x0 0x10000"
GICC = "0x0 0x8010000 0x0 0x10000"
GICH = "0x0 0x8030000 0x0 0x10000"
NOWHERE = "0x0 0xe000000 0x0 0x10000"

CASES = {
    "gic-unknown": (3, lambda s: s.replace("arm,gic-v3", "arm,gic-v9"), "GICv2 or GICv3", HALTED),
    "gic-no-reg": (3, gic(""), "where the distributor and the redistributors", HALTED),
    "gic-short": (3, gic("reg = <0>;"), "where the distributor and the redistributors", HALTED),
    "gicd-nowhere": (
        3,
        gic(f"reg = <{NOWHERE} 0x0 0x80a0000 0x0 0xf60000>;"),
        r"0xe000004, .*\(GICD\)",
        HALTED,
    ),
    "gicr-nowhere": (3, gic(f"reg = <{GICD} {NOWHERE}>;"), r"0xe000008, .*\(GICR\)", HALTED),
    "gicr-of-others": (
        3,
        gic(f"reg = <{GICD} 0x0 0x80c0000 0x0 0x20000>;"),
        "no redistributor for the CPU with MPIDR 0x0",
        HALTED,
    ),
    "gicd-beyond-the-cpu": (
        3,
        gic("reg = <0x10000 0x0 0x0 0x10000 0x0 0x80a0000 0x0 0xf60000>;"),
        "the GIC out of reach, or where it has memory",
        HALTED,
    ),
    "gic-in-ram": (
        3,
        gic("reg = <0x0 0x50000000 0x0 0x10000 0x0 0x50100000 0x0 0x40000>;"),
        "the GIC out of reach, or where it has memory",
        HALTED,
    ),
    "gicv3-without-registers": (
        2,
        lambda s: s.replace("arm,cortex-a15-gic", "arm,gic-v3"),
        "GICv3, but this CPU no registers",
        HALTED,
    ),
    "gich-left-out": (
        2,
        gic(f"reg = <{GICD} {GICC}>;"),
        r"no virtualization frames \(GICH, GICV\)",
        HALTED,
    ),
    "gich-nowhere": (
        2,
        gic(f"reg = <{GICD} {GICC} {NOWHERE} 0x0 0x8040000 0x0 0x10000>;"),
        r"0xe000004, .*\(GICH\)",
        HALTED,
    ),
    "gich-of-zeroes": (
        2,
        gic(f"reg = <{GICD} {GICC} 0x0 0x0 0x0 0x1000 0x0 0x8040000 0x0 0x10000>;"),
        "no virtualization extensions",
        HALTED,
    ),
    "gicc-nowhere": (
        2,
        gic(f"reg = <{GICD} {NOWHERE} {GICH} 0x0 0x8040000 0x0 0x10000>;"),
        r"0xe0000fc, .*\(GICC\)",
        HALTED,
    ),
    "gicv-too-small": (
        2,
        gic(f"reg = <{GICD} {GICC} {GICH} 0x0 0x8040000 0x0 0x1000>;"),
        r"\(GICV\) has 0x1000 bytes",
        HALTED,
    ),
    "no-maintenance": (
        3,
        drop(r"(?<=intc@8000000 \{)\s*phandle = <0x8\d+>;\s*interrupts = <[^>]*>;"),
        r"\(maintenance\)",
        HALTED,
    ),
    "no-timer": (3, drop(r"timer \{.*?\};"), "interrupt of the hypervisor timer", HALTED),
    "ram-on-the-uart": (3, memory("more", 0x8F00000, 0x200000), "but a device there, too", HALTED),
    "ram-out-of-reach": (
        3,
        memory("more", 1 << 44, 0x40000000),
        r"RAM at 0x100000000000 \+ 0x40000000 can't be mapped: addresses end at 0x10000000000",
        HALTED,
    ),
    "ram-twice": (3, memory("more", 0x40000000, 0x10000000), None, None),
    "ram-without-end": (3, memory("more", (1 << 64) - 0x1000, 0x1000), None, None),
    "cpu-twice": (3, cpu(1, "reg = <0x0>;"), r"CPU 1 \(affinity 0x0\) did not start", None),
    "cpu-that-is-none": (
        3,
        cpu(1, "reg = <0x105>;"),
        r"CPU 1 \(affinity 0x105\) did not start",
        None,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_tree(machine, bundle, built, tmp_path, case):
    version, change, pattern, outcome = CASES[case]
    options = {"gic": version, "cpu": "cortex-a53", "smp": 2, "mem": 512}
    tree = trees.board(tmp_path, **options)
    trees.edit(tree, change)
    b = bundle({"good.qvmconf": GOOD, **vms.files(built, "puppet.img")})
    m = machine(how="kernel", dtb=tree, bundle=b, **options)
    if outcome == HALTED:
        m.expect(rf"^muntin: error: .*{pattern}.*$")
        m.expect(r"^muntin: device tree: linux,dummy-virt$")  # what there is, to send to somebody
        m.expect(r"^muntin: error: nothing can be started: halted$")
        assert m.process.poll() is None and not m.seen("@@")
    else:
        if pattern:
            m.expect(rf"^muntin: (?:warning|error): .*{pattern}")
        vms.expect_puppet(m, 1, "UP ")
        assert re.search(r" 512 MiB RAM, ", m.text), m.tail()
    assert not m.seen("PANIC"), m.tail()


def test_no_uart_that_is_known(machine, bundle, built, tmp_path):
    """Nothing can be said, but VMs run all the same: this one switches the board off."""
    tree = trees.board(tmp_path, smp=1, mem=512)
    trees.edit(tree, lambda s: s.replace("arm,pl011", "acme,uart"))
    b = bundle({"good.qvmconf": vms.puppet("good", run="off"), **vms.files(built, "puppet.img")})
    m = machine(how="kernel", dtb=tree, bundle=b, smp=1, mem=512)
    m.expect_exit()
    assert m.text == ""


def test_no_psci_and_no_spin_table(machine, bundle, built, tmp_path):
    """Their CPUs stay off, the first runs the VM, and the end is a halt: nobody can do more."""
    tree = tmp_path / "board.dtb"
    tree.write_bytes(built("guests/bcm2711-rpi-4-b.dtb").read_bytes())
    trees.edit(tree, lambda s: s.replace('"spin-table"', '"acme,magic"'))
    b = bundle({"good.qvmconf": vms.puppet("good", run="off"), **vms.files(built, "puppet.img")})
    m = machine(board="raspi4b", dtb=tree, bundle=b)
    m.expect("^muntin: warning: .*neither PSCI by SMC nor a spin-table for 3 CPUs: they stay off$")
    m.expect("^muntin: Raspberry Pi 4 Model B, 1 CPU, ")
    m.expect(r"^muntin: no VM runs any more: powering off$")
    m.expect(r"^muntin: error: the board can't be switched off: halted$")


def test_no_list_registers(machine, bundle, built):
    """npcm845-evb has a GIC without what guests need."""
    b = bundle({"good.qvmconf": GOOD, **vms.files(built, "puppet.img")})
    m = machine(board="npcm845-evb", bundle=b)
    m.expect(r"^muntin: error: the board's GICv2 has no virtualization extensions.*0xdfffc000.*$")
    m.expect(r"^muntin: error: nothing can be started: halted$")
    assert not m.seen("PANIC|@@"), m.tail()


def test_list_registers_that_interrupt_nobody(machine, bundle, built):
    """imx8mp-evk, as far as QEMU lets it: Muntin says so, and who needs no interrupt runs."""
    b = bundle({"hello.qvmconf": vms.hello(cpus=4), **vms.files(built, "hello.img")})
    m = machine(board="imx8mp-evk", bundle=b, append="probe")
    m.expect(r"^muntin: this CPU: 0x0, MIDR 0x410fd034, entered at EL2$")
    m.expect(r"^muntin:   UART     i\.MX, interrupt 59$")
    m.expect(r"^muntin: warning: the GIC's list registers interrupt nobody")
    m.expect(r"^muntin: GIC: .*do they interrupt: no$")
    m.expect(r"@@ hello 4 CPUs$")
    m.expect(r"^muntin: hello: stopped: powered off")
    m.expect_exit()


def test_probe_of_a_sound_board(machine, bundle, built):
    """All that it shows of virt is what QEMU says of it."""
    b = bundle({"good.qvmconf": GOOD, **vms.files(built, "puppet.img")})
    m = machine(how="kernel", bundle=b, gic=2, smp=2, mem=512, append="probe")
    vms.expect_puppet(m, 1, "UP ")
    for line in (
        "firmware: PSCI by SMC",
        "RAM      0x40000000 to 0x5fffffff",
        "UART     PL011, interrupt 33",
        "GICv2    maintenance interrupt 25, timers' 29 30 27 26",
        "GICV     0x8040000 to 0x804ffff",
    ):
        assert m.seen(rf"^muntin:   {re.escape(line)}$"), line
    assert len(vms.all_matches(m.text, r"^muntin:   CPU +0x\d$")) == 2
    assert m.seen(r"^muntin: GIC: .*, 4 list registers; do they interrupt: yes$")
    assert not m.seen("warning: |error: "), m.tail()


def test_probe_of_pcie(machine, bundle, built):
    """What devices behind it need to be given to a VM."""
    b = bundle({"good.qvmconf": GOOD, **vms.files(built, "puppet.img")})
    options = {"how": "kernel", "smp": 1, "mem": 512, "append": "probe"}
    m = machine(bundle=b, machine="iommu=smmuv3", **options)
    vms.expect_puppet(m, 1, "UP ")
    for line in (
        "SMMUv3   0x9050000 to 0x906ffff",
        "PCIe     0x4010000000 to 0x401fffffff",
        "ITS      0x8080000 to 0x809ffff",
        "GICD     0x8000000 to 0x800ffff",
    ):
        assert m.seen(rf"^muntin:   {re.escape(line)}$"), line


RESERVED = "reserved-memory {{ #address-cells = <2>; #size-cells = <2>; ranges; {} }};"
AREA = "a@{0:x} {{ reg = <0x0 {0:#x} 0x0 0x3000>; {1} }};"


def test_memory_of_other_worlds(machine, bundle, built, tmp_path):
    """What the tree says `no-map` of isn't in Muntin's own tables, and around it RAM is used: more
    such areas than there are tables to begin with."""
    areas = [0x44000000 + i * 0x401000 for i in range(14)]
    nodes = "".join(AREA.format(a, "no-map;") for a in areas) + AREA.format(0x4F000000, "")
    tree = trees.board(tmp_path, smp=2, mem=512)
    trees.edit(tree, lambda s: re.sub(r"\};\s*\Z", RESERVED.format(nodes) + "};", s))
    b = bundle({"good.qvmconf": vms.puppet("good", run="off"), **vms.files(built, "puppet.img")})
    m = machine(how="kernel", dtb=tree, bundle=b, smp=2, mem=512, append="stay")
    m.expect(r"^muntin: no VM runs any more; staying up")
    m.expect("prompt")

    def mapped(address):
        return "Unmapped" not in m.monitor(f"gva2gpa {address:#x}")

    for area in areas:
        assert not mapped(area) and not mapped(area + 0x2000), hex(area)
        assert mapped(area - 0x1000) and mapped(area + 0x3000), hex(area)
    assert mapped(0x4F000000)  # only reserved
