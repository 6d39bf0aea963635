#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What Muntin costs, counted in instructions: the benchmark guest (tests/bench) and a Linux guest,
each without a hypervisor and under Muntin, on the same emulated machine.

`-icount shift=0,sleep=off` makes a nanosecond an instruction, of all CPUs together, so figures
repeat. They are path lengths, not silicon time. Prints a table, writes build/bench.json; with
--check it exits 1 if a target is missed or could not be measured.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "qemu"))

import net_bench  # noqa: E402
from lib.bundle import write_bundle  # noqa: E402
from lib.machine import BUILD, ConsoleError, Machine  # noqa: E402

# Row of the guest: at most so many instructions under Muntin (None: shown only).
GUEST_ROWS = {
    "alu_2000": None,
    "psci_version": 150,
    "smccc_version": 150,
    "idreg_read": 150,
    "gicd_ctlr_read": 200,
    "gicd_isen_read": 250,
    "gicd_isen_write": 300,
    "gicr_isen_read": 250,
    "sgi_send": 350,
    "sgi_self_entry": 450,
    "sgi_self_rt": 500,
    "ipi_rt_wfi": 1500,
    "ipi_rt_poll": 1500,
    "timer_spin": 200,
    "timer_wfi_50us": 205,
    "timer_wfi_2ms": 205,
    "walk_first_touch": 6,
    "walk_after_tlbi": None,
    "virtio_reg_read": 200,
    "virtio_notify": 250,
    "virtio_tx_64": 1000,
}
# Requests of a disk in RAM, each of a doorbell of its own; "burst": of one for 16.
DISK_ROWS = {
    "disk_write_first_4k": "write of 4 KiB never written before",
    "disk_read_4k": "read of 4 KiB",
    "disk_write_4k": "write of 4 KiB",
    "disk_read_burst": "read of 4 KiB, one of 16",
    "disk_write_burst": "write of 4 KiB, one of 16",
}
DISK_64K_ROWS = {"disk_read_64k": "read", "disk_write_64k": "write"}
DISK_1M_ROWS = {"disk_read_1m": "read", "disk_write_1m": "write"}
SWITCH_AT_MOST = {"switch_alone": 600, "switch_burst": 250}
SWITCH_BURST = 32  # of tests/bench/virtio.c
ROUNDING = 1.0  # a loop's share of the timing around it
BOOT_AT_MOST = 1_000_000
IMAGE_AT_MOST = 160 * 1024
RAM_KIB = 1024  # beside stage-2 tables, and
RAM_KIB_PER_VM = 64
LINUX_AT_MOST = 0.2  # per cent
TLB_FLUSHES_AT_MOST = 64  # of the machine's start and the guest's own; a trap must add none

CPU = {"arm64": "max", "arm": "cortex-a15"}
CPUS = 2
MEM = 1024
GUEST_MEM = 256
BOOT_MEMS = (32, 64)
BOOT_CPUS = (1, 4)  # all of them run, and so count, while one boots

GUEST_CONFIG = """\
system bench
ram 0x40000000,{mem}M
{cpus}load bench.img
cmdline "{words}"
set counter-offset 0
vdev pl011 loc 0x09000000 intr gic:33
vdev virtio-net loc 0x0a000000 intr gic:48 peer /dev/vdevpeer/bench mac 02:00:00:00:00:01 name eth
vdev virtio-net loc 0x0a001000 intr gic:49 peer /dev/vdevpeer/bench mac 02:00:00:00:00:02 name other
vdev virtio-blk loc 0x0a002000 intr gic:50 ramdisk 8M
"""

LINUX_CONFIG = """\
system linux
ram 0x40000000,512M
cpu runmask 0
cpu runmask 1
load d12c.Image
initrd load d12c.cpio
cmdline "{words}"
vdev pl011 loc 0x09000000 intr gic:33
"""
# A disk in RAM, at random places, one access at a time past the guest's caches.
LINUX_DISK = "vdev virtio-blk ramdisk 32M\n"
LINUX_ACCESSES = {"read": 4096, "write": 4096, "read of a MiB": 1 << 20, "write of a MiB": 1 << 20}
LINUX_WORDS = "console=ttyAMA0 quiet cryptomgr.notests nokaslr mods=none then=poweroff"

# QEMU's own NIC for the guest alone: to nowhere.
NATIVE_NIC = (
    "-global", "virtio-mmio.force-legacy=false", "-netdev", "hubport,id=n,hubid=0",
    "-device", "virtio-net-device,netdev=n,mac=02:00:00:00:00:01",
)  # fmt: skip


def run_machine(name, until, each=None, timeout=300, arch="arm64", **options):
    """Runs a machine until its console shows the pattern; gives the console's text. each: a list
    of (pattern, function) called in this order when they appear."""
    m = Machine(f"bench-{name}", serial_file=True, icount=True, arch=arch, cpu=CPU[arch], **options)
    try:
        for pattern, function in each or ():
            m.expect(pattern, timeout)
            function(m)
        m.expect(until, timeout)
        return m.text
    finally:
        m.close()


def guest_rows(text):
    """{row: median in instructions} of the guest's lines, wherever the console puts them."""
    rows = re.findall(r"@@ bench row (\w+) \d+ \d+ (\d+) \d+ \d+", text)
    return {name: int(median) / 10 for name, median in rows}


def tlb_flushes(m):
    found = re.search(r"TLB full flushes\s+(\d+)", m.monitor("info jit"))
    return int(found.group(1)) if found else None


class Bench:
    def __init__(self, options):
        self.o = options
        self.results = {}  # row: {"native":, "muntin":, "at_most":, "unit":}
        self.faults = []
        self.work = BUILD / "bench"
        self.work.mkdir(parents=True, exist_ok=True)

    def put(self, row, at_most=None, unit="insn", at_least=None, **figures):
        entry = self.results.setdefault(row, {"unit": unit})
        if at_most is not None and self.o.arch == "arm64":
            entry["at_most"] = at_most
        if at_least is not None and self.o.arch == "arm64":
            entry["at_least"] = at_least
        entry.update(figures)

    def attempt(self, what, function):
        """One machine that does not come up must not cost the other rows."""
        try:
            return function()
        except (ConsoleError, OSError, subprocess.CalledProcessError) as fault:
            self.faults.append(f"{what}: {fault}")
            return None

    # --- the machines -----------------------------------------------------------------------

    def native_guest(self, gic):
        return run_machine(
            f"native-v{gic}", r"@@ bench DONE", how="none", el=2, gic=gic, smp=CPUS, mem=GUEST_MEM,
            kernel=self.o.guest, extra=NATIVE_NIC, arch=self.o.arch,
        )  # fmt: skip

    def under_muntin(self, name, files, until, each=None, smp=CPUS, gic=3):
        bundle = write_bundle(self.work / f"{name}.cpio", files)
        return run_machine(
            name, until, each, image=self.o.muntin, how="kernel", bundle=bundle, gic=gic, smp=smp,
            mem=MEM, arch=self.o.arch,
        )  # fmt: skip

    def muntin_guest(self, gic, mem=GUEST_MEM, words="", smp=CPUS, each=None):
        config = GUEST_CONFIG.format(
            mem=mem, words=words, cpus="".join(f"cpu runmask {i}\n" for i in range(smp))
        )
        files = {"bench.qvmconf": config, "bench.img": self.o.guest}
        name = f"muntin-v{gic}-{mem}M-{smp}"
        return self.under_muntin(name, files, r"@@ bench DONE", each, smp, gic)

    # --- the rows ---------------------------------------------------------------------------

    def measure_guest(self, gic):
        suffix = "" if gic == 3 else f" (GICv{gic})"
        native = self.attempt(f"native, GICv{gic}", lambda: self.native_guest(gic))
        flushes = []
        each = [
            (r"@@ bench row alu_2000", lambda m: flushes.append(tlb_flushes(m))),
            (r"@@ bench row timer_wfi_2ms", lambda m: flushes.append(tlb_flushes(m))),
        ]
        muntin = self.o.muntin and self.attempt(
            f"Muntin, GICv{gic}", lambda: self.muntin_guest(gic, each=each)
        )
        native_rows = guest_rows(native or "")
        muntin_rows = guest_rows(muntin or "")
        self.put_switch(suffix, muntin_rows)
        if not suffix:
            self.put_disk(muntin_rows)
        for row, at_most in GUEST_ROWS.items():
            if row == "gicr_isen_read" and gic == 2:
                continue
            self.put(
                row + suffix, at_most, native=native_rows.get(row), muntin=muntin_rows.get(row)
            )
        if None not in flushes and len(flushes) == 2:
            row = "TLB flushes while trapping" + suffix
            self.put(row, TLB_FLUSHES_AT_MOST, "", muntin=flushes[1] - flushes[0])
        return muntin

    def put_switch(self, suffix, rows):
        """What a frame takes beyond the doorbell, in a trap of its own and among others."""
        bell = rows.get("virtio_notify")
        for row, frames in (("switch_alone", 1), ("switch_burst", SWITCH_BURST)):
            figure = rows.get(row)
            if bell is not None and figure is not None:
                figure = round(figure - bell / frames, 1)
            self.put(f"{row}, a frame{suffix}", SWITCH_AT_MOST[row], muntin=figure)

    def put_disk(self, rows):
        """A MiB in requests of 64 KiB is Muntin's work alone; one of 1 MiB is done in pieces, between
        which the guest gets as much time."""
        for row, what in DISK_ROWS.items():
            self.put(f"disk, {what}", muntin=rows.get(row))
        for row, what in DISK_64K_ROWS.items():
            figure = rows.get(row)
            self.put(f"disk, {what} of a MiB by 64 KiB", muntin=figure and round(16 * figure))
        for row, what in DISK_1M_ROWS.items():
            self.put(f"disk, {what} of a MiB at once, till done", muntin=rows.get(row))

    def measure_boot(self):
        """Reset to the guest's first instruction, scrubbing apart. RAM is scrubbed in proportion to its
        size: measured with two sizes, that share is taken off."""

        def first_instruction(mem, smp):
            text = self.muntin_guest(3, mem, "only-boot", smp=smp)
            return int(re.search(r"@@ bench boot (\d+) ns", text).group(1))

        def under_muntin(smp):
            """Scrubbing apart, and the scrubbing of a MiB."""
            (small, large), (low, high) = BOOT_MEMS, [first_instruction(m, smp) for m in BOOT_MEMS]
            per_mib = (high - low) / (large - small)
            return round(low - small * per_mib), round(per_mib)

        native = self.attempt(
            "native boot",
            lambda: run_machine(
                "native-boot", r"@@ bench DONE", how="none", el=2, smp=1, mem=GUEST_MEM,
                kernel=self.o.guest, append="only-boot", arch=self.o.arch,
            ),
        )  # fmt: skip
        row = "reset to first guest instruction"
        found = re.search(r"@@ bench boot (\d+) ns", native or "")
        self.put(row, BOOT_AT_MOST, native=int(found.group(1)) if found else None)
        for smp in BOOT_CPUS if self.o.muntin else ():
            times = self.attempt(f"boot on {smp} CPUs", lambda smp=smp: under_muntin(smp))
            if times:
                self.put(row if smp == 1 else f"{row}, {smp} CPUs", muntin=times[0])
                self.put("scrubbing, a MiB", muntin=times[1])

    def measure_size(self, text):
        images = {"image": self.o.muntin, "image of arm": BUILD / "arm/muntin.bin"}
        for row, path in images.items():
            if path.exists() and (row == "image" or path != self.o.muntin):
                self.put(row, IMAGE_AT_MOST, "bytes", muntin=path.stat().st_size)
        taken = re.search(r"memory: (\d+) KiB taken by Muntin", text or "")
        tables = re.search(r"(\d+) KiB of (?:them )?stage-2 tables", text or "")
        if taken:
            at_most = RAM_KIB + RAM_KIB_PER_VM + (int(tables.group(1)) if tables else 0)
            self.put("RAM taken, 1 VM", at_most, "KiB", muntin=int(taken.group(1)))
        else:
            self.put("RAM taken, 1 VM", RAM_KIB + RAM_KIB_PER_VM, "KiB")

    def measure_linux(self):
        """To the shell, in instructions since the guest's first. Alone it runs on the very device
        tree that Muntin gives it, so that it probes the same devices."""
        config = LINUX_CONFIG.format(words=LINUX_WORDS)
        files = {"linux.qvmconf": config, "d12c.Image": self.o.linux,
                 "d12c.cpio": self.o.linux.with_suffix(".cpio")}  # fmt: skip

        def shell_ns(text):
            return int(re.search(r"@@ SHELL .*?\bns=(\d+)", text).group(1))

        def native():
            return shell_ns(run_machine(
                "linux-native", r"@@ SHELL .*\n", how="none", el=1, smp=CPUS, mem=512,
                kernel=self.o.linux, initrd=files["d12c.cpio"], append=LINUX_WORDS,
                dtb=self.guest_tree(config),
            ))  # fmt: skip

        def muntin():
            return shell_ns(self.under_muntin("linux-muntin", files, r"@@ SHELL .*\n"))

        alone = self.attempt("Linux, native", native)
        under = self.o.muntin and self.attempt("Linux under Muntin", muntin)
        self.put("Linux 6.1 to its shell", native=alone, muntin=under or None)
        beyond = round(100 * (under / alone - 1), 3) if alone and under else None
        self.put("Linux 6.1 to its shell, beyond native", LINUX_AT_MOST, "%", muntin=beyond)

    def measure_linux_disk(self):
        """As a program in a Linux VM of one CPU sees its disk: per second of 10^9 instructions."""

        def command(what, size):
            return f"gtool disk /dev/vda {what.split()[0]} {size} {2000 if size == 4096 else 100}"

        def run():
            work = "; ".join(command(*access) for access in LINUX_ACCESSES.items())
            config = LINUX_CONFIG.format(words="console=ttyAMA0 quiet cryptomgr.notests nokaslr")
            config = config.replace("512M", "128M").replace("cpu runmask 1\n", "") + LINUX_DISK
            files = {"linux.qvmconf": config, "d12c.Image": self.o.linux,
                     "d12c.cpio": self.o.linux.with_suffix(".cpio")}  # fmt: skip
            bundle = write_bundle(self.work / "disk.cpio", files)
            m = Machine("bench-disk", icount=True, cpu=CPU["arm64"], image=self.o.muntin, how="kernel",
                        bundle=bundle, smp=1, mem=MEM)  # fmt: skip
            try:
                m.expect(r":/root# ", 300)
                m.run(command("write", 1 << 20), 300)  # all of it has RAM now
                m.run(work, 300)
                return re.findall(r"@@ DISK \w+ bytes=\d+ count=(\d+) ns=(\d+)", m.output)
            finally:
                m.close()

        found = self.attempt("Linux, disk", run) or []
        for (what, size), (count, ns) in zip(LINUX_ACCESSES.items(), found):
            if size == 4096:
                rate = round(int(count) * 1e9 / int(ns))
                self.put(f"Linux, 4 KiB random {what}s", unit="per s", muntin=rate)
            else:
                self.put(f"Linux, {what}", muntin=round(int(ns) / int(count)))

    def guest_tree(self, config):
        """The device tree of the config, by `muntin dtb`; None without the tool."""
        if not self.o.tool:
            return None
        source, tree = self.work / "linux.qvmconf", self.work / "linux.dtb"
        source.write_text(config)
        for name in (self.o.linux, self.o.linux.with_suffix(".cpio")):
            link = self.work / name.name
            link.unlink(missing_ok=True)
            link.symlink_to(name)
        subprocess.run(
            [self.o.tool, "dtb", "-o", tree, source.name], check=True, cwd=self.work,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return tree

    # --- what comes of it -------------------------------------------------------------------

    @staticmethod
    def verdict(entry):
        if "at_most" not in entry and "at_least" not in entry:
            return ""
        if entry.get("muntin") is None:
            return "not measured"
        if "at_least" in entry:
            return "ok" if entry["muntin"] >= entry["at_least"] else "MISSED"
        slack = ROUNDING if entry["unit"] == "insn" else 0
        return "ok" if entry["muntin"] <= entry["at_most"] + slack else "MISSED"

    def print_table(self):
        def cell(value):
            return "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value}"

        print(f"{'row':50} {'native':>13} {'Muntin':>13} {'target':>11}")
        for row, entry in self.results.items():
            figures = [cell(entry.get(k)) for k in ("native", "muntin", "at_most")]
            if "at_least" in entry:
                figures[2] = f">= {cell(entry['at_least'])}"
            unit = entry["unit"] if entry["unit"] != "insn" else ""
            print(f"{row:50} {figures[0]:>13} {figures[1]:>13} {figures[2]:>11} {unit:5} "
                  f"{self.verdict(entry)}".rstrip())  # fmt: skip

    def write(self, path):
        rows = {r: {**e, "verdict": self.verdict(e)} for r, e in self.results.items()}
        path.write_text(json.dumps({"rows": rows, "faults": self.faults}, indent=1) + "\n")

    def missed(self):
        return [r for r, e in self.results.items() if self.verdict(e) not in ("", "ok")]


def parse_options():
    p = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    p.add_argument("--arch", default="arm64", choices=CPU, help="arm: shown only, without Linux")
    p.add_argument("--muntin", type=pathlib.Path)
    p.add_argument("--tool", type=pathlib.Path, default=BUILD / "muntin")
    p.add_argument("--guest", type=pathlib.Path)
    p.add_argument("--linux", type=pathlib.Path, default=BUILD / "guests/d12c.Image")
    p.add_argument("--gic", help="versions (3,2; arm: 2), the first for the targets")
    p.add_argument("--no-linux", action="store_true", help="without the Linux guest (a minute)")
    p.add_argument("--only-net", action="store_true", help="the network between Linux VMs alone")
    p.add_argument("--json", type=pathlib.Path, default=BUILD / "bench.json")
    p.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    o = p.parse_args()
    arm = o.arch == "arm"
    o.muntin = o.muntin or BUILD / o.arch / "muntin.bin"
    o.guest = o.guest or BUILD / ("guests/arm" if arm else "guests") / "bench.img"
    o.gic = o.gic or ("2" if arm else "3,2")
    o.no_linux = o.no_linux or arm
    for name in ("muntin", "tool", "linux"):
        path = getattr(o, name)
        if not path.exists():
            print(f"bench: {path} is missing: its rows are not measured", file=sys.stderr)
            setattr(o, name, None)
    if not o.guest.exists():
        sys.exit(f"bench: {o.guest} is missing: `make guests` builds it")
    return o


def main():
    o = parse_options()
    bench = Bench(o)
    if not o.only_net:
        texts = [bench.measure_guest(int(version)) for version in o.gic.split(",")]
        bench.measure_boot()
        if o.muntin:
            bench.measure_size(texts[0])
        if o.linux and not o.no_linux:
            bench.measure_linux()
            bench.measure_linux_disk()
    if o.linux and o.muntin and not o.no_linux:
        net_bench.measure(bench)
    bench.print_table()
    for fault in bench.faults:
        print(f"\nbench: {fault}", file=sys.stderr)
    bench.write(o.json)
    missed = bench.missed()
    print(f"\n{len(missed)} of {sum(bench.verdict(e) != '' for e in bench.results.values())} targets "
          f"missed or not measured; all figures in {o.json}")  # fmt: skip
    sys.exit(1 if o.check and missed else 0)


if __name__ == "__main__":
    main()
