# SPDX-License-Identifier: MIT
"""Muntin boots on each kind of GIC, CPU model, number of CPUs and size of RAM, by each way in, and
runs a guest there on all CPUs. A covering set, not the product: each value meets different others.
"""

import re
import struct
import subprocess
import time

import pytest
from lib import gdb, qemu, vms
from lib.machine import BUILD

# Where the header says how large the image is
IMAGE_SIZE = {"arm64": ("<Q", 16), "arm": ("<I", 0x2C)}


def append_bundle(bundle, out, arch="arm64"):
    """The user's way: `muntin pack --append`. Takes the bundle apart for it."""
    image = BUILD / arch / "muntin.bin"
    folder = out.parent / "unpacked"
    folder.mkdir()
    with open(bundle, "rb") as archive:
        subprocess.run(["cpio", "-id", "--quiet"], stdin=archive, cwd=folder, check=True)
    configs = sorted(str(p.relative_to(folder)) for p in folder.glob("*.qvmconf"))
    command = [BUILD / "muntin", "pack", "--append", image, "-o", out, *configs]
    subprocess.run(command, cwd=folder, check=True)
    width, at = IMAGE_SIZE[arch]
    size = struct.unpack_from(width, out.read_bytes(), at)[0]
    assert size >= out.stat().st_size > image.stat().st_size
    return out


def start(machine, how, bundle, tmp_path, **options):
    """how as in lib/qemu.py; with "+appended" the bundle is behind the image instead."""
    how, _, appended = how.partition("+")
    if appended:
        arch = options.get("arch", "arm64")
        options["image"] = append_bundle(bundle, tmp_path / "firmware.bin", arch)
        bundle = None
    m = machine(how=how, bundle=bundle, **options)
    if how == "uboot":
        m.boot_from_uboot()
    return m


@pytest.mark.parametrize(
    "gic, cpu, smp, mem, how",
    [
        (3, "cortex-a53", 1, 512, "bios"),
        (2, "cortex-a57", 2, 512, "kernel"),
        (3, "cortex-a72", 4, 2048, "kernel+appended"),
        (2, "cortex-a76", 8, 3072, "bios"),
        (3, "neoverse-n1", 8, 8192, "kernel"),
        (2, "max", 3, 4096, "bios+appended"),
        (3, "max", 5, 6144, "uboot"),
        (2, "cortex-a53", 8, 8192, "uboot"),
        (3, "cortex-a57", 6, 1024, "loader"),
        (2, "neoverse-n1", 1, 1024, "kernel"),
        (3, "cortex-a76", 7, 2048, "bios"),
        (2, "cortex-a72", 1, 8192, "bios"),
    ],
)
def test_matrix(machine, bundle, built, tmp_path, gic, cpu, smp, mem, how):
    b = bundle({"hello.qvmconf": vms.hello(cpus=smp), **vms.files(built, "hello.img")})
    m = start(machine, how, b, tmp_path, gic=gic, cpu=cpu, smp=smp, mem=mem)
    m.expect(r"^muntin: Muntin \d")
    m.expect(rf"^muntin: .*\b{smp} CPUs?, {mem} MiB RAM, GICv{gic}$")
    m.expect(rf"@@ hello GICv{gic}, ")
    m.expect(rf"@@ hello {smp} CPUs$")
    m.expect(r"@@ hello DONE passed=5 failed=0$")
    m.expect(r"^muntin: hello: stopped: powered off")
    m.expect(r"^muntin: no VM runs any more: powering off")
    m.expect_exit()
    assert not m.seen("error: |warning: |PANIC"), m.tail()
    up = set(re.findall(r"@@ hello CPU (\d+), mpidr", m.text))
    assert up == {str(i) for i in range(1, smp)}


def test_ram_above_4_gib_is_used(machine, bundle, built):
    """4 GiB in one VM: guest and host addresses both go beyond 32 bits."""
    b = bundle(
        {
            "big.qvmconf": vms.puppet("big", ram="0x40000000,4G", run="touch 1024; cpus; off"),
            **vms.files(built, "puppet.img"),
        }
    )
    m = machine(bundle=b, smp=2, mem=8192)
    match = vms.expect_puppet(m, 1, r"TOUCHED words=(\d+) wrong=(\d+)$", timeout=180)
    assert int(match[1]) >= 4 * 1024 - 8 and match[2] == "0"
    m.expect_exit()


def test_ram_is_2_mib_aligned_and_zero(machine, bundle, built):
    """The RAM of a VM that ran before is not visible to the same VM when it starts again."""
    b = bundle(
        {"a.qvmconf": vms.puppet("a", run="dirty; dirty"), **vms.files(built, "puppet.img")}
    )
    m = machine(bundle=b, smp=1, mem=512)
    for _ in range(3):
        vms.expect_puppet(m, 1, "UP ")
        vms.expect_puppet(m, 1, r"DIRT bytes=1048576 dirty_words=0$")
        vms.expect_puppet(m, 1, r"DIRT bytes=1048576 dirty_words=131072$")
        vms.focus(m, 1, "a")
        m.line("reset")
    vms.expect_puppet(m, 1, "UP ")


def test_guest_counter_starts_at_zero(machine, bundle, built):
    b = bundle({"a.qvmconf": vms.puppet("a", run="off"), **vms.files(built, "puppet.img")})
    m = machine(bundle=b, smp=1, mem=512, icount=True, serial_file=True)
    match = vms.expect_puppet(m, 1, r"UP .*counter=(\d+)$")
    assert int(match[1]) < 62_500 * 10  # 10 ms
    m.expect_exit()


@pytest.mark.parametrize("how", ["kernel", "bios"])
def test_el1_is_refused_in_one_line(machine, bundle, built, how):
    b = bundle({"hello.qvmconf": vms.hello(), **vms.files(built, "hello.img")})
    m = machine(how=how, bundle=b, el=1, smp=2, mem=512)
    line = m.expect(r"^muntin: error: .*EL1.*$").group(0)
    assert "virtualization=on" in line
    check_halted(m)


@pytest.mark.parametrize("smp", [1, 4])
def test_el3_is_refused_in_one_line(machine, bundle, built, smp):
    """As firmware with secure=on all CPUs start at once, at EL3."""
    b = bundle({"hello.qvmconf": vms.hello(), **vms.files(built, "hello.img")})
    m = machine(how="bios", bundle=b, el=3, smp=smp, mem=512)
    line = m.expect(r"^muntin: error: .*EL3.*$").group(0)
    assert "TF-A" in line and "secure=on" in line
    check_halted(m)


# mrs x0, REGISTER
MRS_MMFR4 = 0xD5380780
MRS_HCR = 0xD53C1100


@pytest.mark.parametrize(
    "insn, value",
    [(MRS_MMFR4, 0xE << 24), (MRS_HCR, 1 << 34)],
    ids=["no-FEAT_E2H0", "E2H-sticks"],
)
def test_el2_with_host_extensions_only(machine, bundle, built, tmp_path, insn, value):
    """QEMU has no such CPU. In the first case Muntin itself sets E2H, and goes on with it."""
    b = bundle({"hello.qvmconf": vms.hello(), **vms.files(built, "hello.img")})
    stub = tmp_path / "gdb"
    options = ["-S", "-gdb", f"unix:{stub},server=on,wait=off"]
    m = machine(how="loader", bundle=b, cpu="max", smp=1, mem=512, extra=options)
    debugger = gdb.Gdb(str(stub))
    address, register = behind(m.options["image"], insn)
    debugger.run_to(address)
    debugger.write(register, value)
    debugger.go()
    m.expect(r"^muntin: error: .*E2H.*FEAT_E2H0.*$")
    check_halted(m, "this CPU")


def behind(image, insn):
    """Where the first such instruction of boot_tables is done, and its register's number."""
    symbols = subprocess.run(
        ["aarch64-linux-gnu-nm", image.with_suffix(".elf")],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    at = int(re.search(r"^(\w+) \w boot_tables$", symbols, re.M)[1], 16)
    code = image.read_bytes()
    while (word := struct.unpack_from("<I", code, at)[0]) & ~31 != insn:
        at += 4
    return qemu.LOADER_IMAGE + at + 4, word & 31


def check_halted(m, words="started at"):
    """The message stands there once, no guest runs, and no CPU keeps the host busy."""
    m.expect("halted$")
    time.sleep(2)
    assert not m.seen("@@|PANIC"), m.tail()
    assert m.text.count(f"muntin: error: {words}") == 1, m.text
    assert m.process.poll() is None
    states = m.monitor("info cpus")
    assert states.count("CPU #") == m.options["smp"], states
    before = cpu_seconds(m.process.pid)
    m.quiet(1, ".")
    assert cpu_seconds(m.process.pid) - before < 0.5


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_bundle_behind_the_image_comes_first(machine, bundle, built, tmp_path):
    """The order is: appended, initrd, fw_cfg."""

    def with_name(name):
        return bundle(
            {f"{name}.qvmconf": vms.puppet(name, run="off"), **vms.files(built, "puppet.img")}
        )

    image = append_bundle(with_name("appended"), tmp_path / "firmware.bin")
    fw_cfg = ["-fw_cfg", f"name=opt/muntin/bundle,file={with_name('fwcfg')}"]
    m = machine(how="kernel", image=image, bundle=with_name("initrd"), extra=fw_cfg, mem=512)
    m.expect_exit()
    assert m.seen(r"\bappended\b") and not m.seen(r"\binitrd: |\[initrd\]|fwcfg"), m.tail()
    m = machine(how="kernel", bundle=with_name("initrd"), extra=fw_cfg, mem=512)
    m.expect_exit()
    assert m.seen(r"\binitrd\b") and not m.seen(r"fwcfg"), m.tail()


def test_first_screen_tells_the_keys(machine, bundle, built):
    b = bundle({"one.qvmconf": vms.puppet("one"), **vms.files(built, "puppet.img")})
    m = machine(bundle=b, smp=1, mem=512)
    vms.expect_puppet(m, 1, "UP ")
    assert m.seen(r"Ctrl-\]"), m.tail()
    assert m.seen(r"^muntin: .*one"), m.tail()


def test_traps_flush_no_tlb(machine, bundle, built):
    """Tens of thousands of traps that return to the same vCPU: QEMU counts not one more flush."""
    b = bundle({"one.qvmconf": vms.puppet("one"), **vms.files(built, "puppet.img")})
    m = machine(bundle=b, smp=1, mem=512)

    def flushes():
        counts = re.findall(r"^TLB (?:full|partial) flushes +(\d+)", m.monitor("info jit"), re.M)
        assert len(counts) == 2
        return [int(n) for n in counts]

    vms.expect_puppet(m, 1, "UP ")
    m.line("sleep 1000 1")
    vms.expect_puppet(m, 1, "SLEPT")
    before = flushes()
    m.line("flood 300")  # two traps for each byte
    vms.expect_puppet(m, 1, "FLOODED")
    m.line("sleep 500 200")
    vms.expect_puppet(m, 1, "SLEPT")
    assert flushes() == before
