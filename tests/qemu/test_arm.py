# SPDX-License-Identifier: MIT
"""The AArch32 image on emulated boards: ways in, CPU models, both GICs, stock 32-bit Linux, and
what it says where it can't run.
"""

import subprocess

import pytest
from lib import vms
from test_boot import check_halted, start
from test_guests import vm32
from test_linux import ping, shells, two_linux
from test_unmodified import check_linux32, switch_off

BOOT = vms.BOOT_TIMEOUT
NO_LPAE = """/dts-v1/;
/ {
    #address-cells = <1>;
    #size-cells = <1>;
    chosen { stdout-path = "/serial@10009000"; };
    memory@60000000 { device_type = "memory"; reg = <0x60000000 0x10000000>; };
    serial@10009000 { compatible = "arm,pl011", "arm,primecell"; reg = <0x10009000 0x1000>; };
};
"""


@pytest.mark.parametrize(
    "cpu, gic, smp, how",
    [("cortex-a15", 2, 2, "kernel"), ("cortex-a7", 3, 4, "bios")],
)
def test_two_linux(machine, bundle, built, cpu, gic, smp, how):
    """The shipped system, two CPUs each: they ping each other, one restarts, all power off."""
    b = two_linux(bundle, built, "arm")
    m = machine(arch="arm", bundle=b, cpu=cpu, gic=gic, smp=smp, mem=1024, how=how)
    m.expect(rf"^muntin: .*\b{smp} CPUs?, 1024 MiB RAM, GICv{gic}$")
    shells(m, ["alpha", "beta"])
    ping(m, "10.0.0.1", 5)
    check_linux32(m)
    switch_off(m, "alpha", "beta")
    assert not m.seen("error: |PANIC"), m.tail()


@pytest.mark.parametrize(
    "cpu, gic, smp, mem, how",
    [
        ("cortex-a7", 2, 4, 256, "kernel+appended"),
        ("cortex-a15", 3, 2, 3072, "bios+appended"),
        ("cortex-a15", 3, 1, 512, "loader"),
        ("cortex-a7", 3, 2, 1024, "uboot"),
        ("cortex-a15", 2, 4, 2048, "uboot+appended"),
    ],
)
def test_ways_in(machine, bundle, built, tmp_path, cpu, gic, smp, mem, how):
    b = bundle({"a.qvmconf": vm32("a"), **vms.files(built, "traps32.elf")})
    m = start(machine, how, b, tmp_path, arch="arm", gic=gic, cpu=cpu, smp=smp, mem=mem)
    m.expect(rf"^muntin: .*\b{smp} CPUs?, {mem} MiB RAM, GICv{gic}$")
    m.expect(r"@@ traps32 DONE ")
    m.expect_exit()
    assert not m.seen("error: |warning: |PANIC"), m.tail()


def test_float_registers_are_each_guests_own(machine, bundle, built):
    """Two guests on one CPU, both computing with VFP, for as long as many switches take."""
    m = machine(arch="arm", bundle=two_linux(bundle, built, "arm"), cpu="cortex-a7", smp=1, mem=1024)
    shells(m, ["alpha", "beta"])
    work = "awk 'BEGIN { for (i = 1; i < 20000; i++) s += 1 / (i * i); printf \"%.12f\\n\", s }'"
    vms.focus(m, 1, "alpha")
    m.line(f"(while :; do {work}; done) > /tmp/all &")
    vms.focus(m, 2, "beta")
    sums = []
    for _ in range(6):
        assert m.run(work) == 0
        sums.append(m.output.strip())
    vms.focus(m, 1, "alpha")
    # What was being written when it was killed is no sum.
    assert m.run("kill %1; wc -l < /tmp/all; sed '$d' /tmp/all | sort -u") == 0
    count, *different = m.output.split()
    assert int(count) >= 3, m.output
    right = f"{sum(1 / (i * i) for i in range(1, 20000)):.12f}"
    assert set(sums + different) == {right}, (sums, different)


@pytest.mark.parametrize("how, el, smp", [("kernel", 1, 2), ("bios", 1, 1), ("bios", 3, 4)])
def test_svc_mode_is_refused_in_one_line(machine, bundle, how, el, smp):
    """With el=3 all CPUs start at once, in secure SVC mode, as there's no monitor."""
    m = machine(arch="arm", bundle=bundle({}), how=how, el=el, smp=smp, mem=512)
    line = m.expect(r"^muntin: error: started at EL1 \(SVC mode\).*$").group(0)
    assert "Hyp mode" in line and "virtualization=on" in line
    check_halted(m)


def test_cpu_without_lpae_is_refused_in_one_line(machine, tmp_path):
    """A Cortex-A9, which has no divide instructions either."""
    tree = tmp_path / "board.dtb"
    command = ["dtc", "-q", "-o", tree]
    subprocess.run(command, input=NO_LPAE, text=True, capture_output=True, check=True)
    m = machine(arch="arm", board="vexpress-a9", dtb=tree, smp=1)
    m.expect(r"^muntin: error: this CPU has no long descriptors \(LPAE\).*$")
    check_halted(m, "this CPU")


@pytest.mark.parametrize("mem", [3073, 6144])
def test_more_ram_than_32_bits_reach(machine, bundle, mem):
    m = machine(arch="arm", bundle=bundle({}), smp=1, mem=mem)
    m.expect(rf"^muntin: error: RAM at 0x40000000 \+ {mem << 20:#x} can't be mapped.*$")
    check_halted(m, "RAM at")


def test_guest_of_64_bits_is_refused(machine, bundle, built):
    b = bundle({"a.qvmconf": vms.linux("a", None), **vms.files(built, "d12c")})
    m = machine(arch="arm", bundle=b, smp=1, mem=512)
    m.expect(r"^muntin: error: a: not started: its kernel has 64 bits, but this CPU's EL1 can't")
    check_halted(m, "a: not started")


def test_on_crash_is_obeyed(machine, bundle, built):
    """Of a VM that did what its config forbids."""
    extra = ["unsupported register abort", "on-crash restart", "max-restarts 1"]
    b = bundle(
        {
            "a.qvmconf": vms.puppet("a", run="sysreg;off", extra=extra),
            "puppet.img": built("guests/arm/puppet.img"),
        }
    )
    m = machine(arch="arm", bundle=b, smp=1, mem=512)
    why = "read of a coprocessor's register, syndrome 0x[0-9a-f]+"
    m.expect(rf"a: restarts: {why}$")
    m.expect(rf"a: stopped: .* \(exit code 5\): {why}; restarted too often$")
    m.expect_exit()
    assert not m.seen("PROBE"), m.tail()
