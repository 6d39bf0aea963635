# SPDX-License-Identifier: MIT
"""Devices of the board given to VMs: QEMU virt's second PL011, its PL031 and its virtio transports,
to a bare-metal guest (tests/guests/pass) that tries what may go wrong, and to Linux, which uses
them. The configs that Linux gets are those that are shipped.
"""

import hashlib
import os
import random
import re
import socket
import tempfile
import time

import pytest
from lib import vms
from lib.machine import ROOT, stretch

UART2 = "pass loc 0x09040000,0x1000,rwn intr gic:40\n"
SECOND = ["-serial", "null"]
SLOT = 0x200
TRANSPORT = 0x0A003E00  # the last of the board's, INTID 79: the first -device that needs one is there


def vm(name, words, extra):
    return (
        f"system {name}\nram 0x40000000,32M\ncpu\nload pass.img\n"
        f'cmdline "{words}"\nvdev pl011\n{extra}'
    )


@pytest.fixture
def start(machine, bundle, built):
    def go(configs, **options):
        files = {f"{name}.qvmconf": text for name, text in configs.items()}
        files["pass.img"] = built("guests/pass.img")
        return machine(bundle=bundle(files), smp=2, mem=512, **options)

    return go


def verdict(m, count=1):
    for _ in range(count):
        done = m.expect(r"@@ pass DONE passed=(\d+) failed=(\d+)")
        faults = re.findall(r"@@ pass .*(?:FAIL|failed check|PANIC|BAD).*", m.text)
        assert not faults, "\n".join(faults)
        assert int(done.group(1)) > 0 and done.group(2) == "0", done.group(0)


# QEMU 10.0 with GICv2: a virtual EOI deactivates the physical interrupt, but its line is not looked
# at again.
@pytest.mark.parametrize("gic, skip", [(2, "level,registers"), (3, "")])
def test_interrupt_and_restart(start, gic, skip):
    """Each case, the last one across a restart of the VM; INTID 40 of the board is 72 here."""
    words = f"uart=0x09040000 uartirq=72 skip={skip}"
    m = start({"a": vm("a", words, UART2.replace("gic:40", "gic:72=40"))}, gic=gic, extra=SECOND)
    m.expect(r"^(muntin: )?a: restarts")
    verdict(m)
    assert m.seen("@@ pass restarted: PASS [1-9]") and m.seen("@@ pass restart: PASS"), m.tail()
    m.expect_exit()


def transport(number):
    return TRANSPORT - number * SLOT, 79 - number


def test_neighbours_in_a_page(start):
    """Two VMs with a transport each of the same page: one tries to reach the other's, which stays
    as it is. What else the page holds can't be seen; accesses that the board answers with an abort
    hurt nobody.
    """
    configs = {}
    hole = 0x0A004E00
    for name, number, words in (("keeper", 1, "hold"), ("intruder", 0, f"hole={hole:#x}")):
        loc, intid = transport(number)
        line = f"pass loc {loc:#x},{SLOT:#x} loc {hole:#x},{SLOT:#x} shared intr gic:{intid}\n"
        configs[name] = vm(name, f"{words} virtio={loc:#x}", line)
    m = start(configs, extra=["-device", "virtio-rng-device", "-device", "virtio-rng-device"])
    verdict(m, 2)
    m.expect_exit()


def test_claims_of_two_are_refused(start):
    """Whoever claims what another VM claims, or Muntin has, is not started; others are."""
    m = start(
        {
            "a": vm("a", "", UART2),
            "b": vm("b", "", "pass loc 0x0b040000,4K=0x09040000\n"),
            "c": vm("c", "", "pass intr gic:72=40\n"),
            "d": vm("d", "", "pass loc 0x19000000,4K=0x09000000\n"),
            "e": vm("e", "", "pass loc 0x0b000000,1M,rwc=0x40000000\n"),
            "f": vm("f", "virtio=0x0a003e00 only=window", "pass loc 0x0a003e00,0x200\n"),
        },
        extra=[*SECOND, "-device", "virtio-rng-device"],
    )
    verdict(m)
    for name, where, what in (
        ("a", r"7:\d+", r"0x9040000 of the board is also passed at b.qvmconf:7"),
        ("b", r"7:\d+", r"0x9040000 of the board is also passed at a.qvmconf:7"),
        ("a", r"7:\d+", r"INTID 40 of the board is also passed at c.qvmconf:7"),
        ("c", r"7:\d+", r"INTID 40 of the board is also passed at a.qvmconf:7"),
        ("d", r"7:\d+", r".* there's Muntin's UART"),
        ("e", r"7:\d+", r".* it's RAM that Muntin gives out"),
    ):
        assert m.seen(rf"{name}.qvmconf:{where}: error: {what}"), m.tail()
    for name in "abcde":
        assert m.seen(rf"{name}: not started: its config has \d errors"), m.tail()
    m.expect_exit()


# --- Linux -------------------------------------------------------------------------------------------


class Port:
    """The far end of the board's second serial port."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "second")
        self.options = ["-chardev", f"socket,id=second,path={self.path},server=on,wait=off"]
        self.options += ["-serial", "chardev:second"]

    def open(self):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60 * stretch())
        self._socket.connect(self.path)

    def send(self, text):
        self._socket.sendall(text.encode())

    def expect(self, text):
        got = b""
        while text.encode() not in got:
            data = self._socket.recv(4096)
            assert data, got
            got += data


@pytest.fixture
def port():
    with tempfile.TemporaryDirectory(prefix="muntin-") as folder:
        yield Port(folder)


def shipped(extra=""):
    text = (ROOT / "guest-configs/passthrough/devices.qvmconf").read_text() + extra
    return text.replace("console=ttyAMA0", "console=ttyAMA0 then=sh")


def shell(m):
    m.expect("@@ SHELL", timeout=vms.BOOT_TIMEOUT)
    m.line("")
    m.expect("^devices:/root# ")


def run(m, command, **options):
    assert m.run(command, **options) == 0, m.output
    return m.output


def interrupts(m, intid):
    """{CPU: count} of the board's interrupt `intid`, which is the guest's as well."""
    row = re.search(rf"^ *\d+:([ \d]+?) +GIC\S* +{intid} .*$", run(m, "cat /proc/interrupts"), re.M)
    assert row, m.output
    return [int(n) for n in row[1].split()]


def check_port(m, port):
    # It stays open: what comes while nobody has it open is lost.
    run(m, "exec 3<> /dev/ttyAMA1; stty -F /dev/ttyAMA1 raw -echo; echo to the board >&3")
    port.expect("to the board")
    m.line("head -n 1 <&3; echo '@''@' READ")
    port.send("from the board\n")
    m.expect(r"^from the board\n@@ READ")
    assert sum(interrupts(m, 40)) > 0, m.output


def check_clock(m, cpu):
    assert run(m, "cat /sys/class/rtc/rtc0/name").startswith("rtc-pl031 9010000")
    assert abs(int(run(m, "cat /sys/class/rtc/rtc0/since_epoch")) - time.time()) < 300
    run(m, f"echo {1 << cpu:x} > /proc/irq/$(grep rtc /proc/interrupts | cut -d: -f1 | tr -d ' ')/smp_affinity")
    before = interrupts(m, 34)
    alarm = "/sys/class/rtc/rtc0/wakealarm"
    run(m, f"until echo +2 > {alarm}; do true; done")  # refused where it's over by then
    run(m, f'until test -z "$(cat {alarm})"; do usleep 100000; done')
    after = interrupts(m, 34)
    assert [b - a for a, b in zip(before, after)] == [int(i == cpu) for i in range(2)]


def check_random(m):
    before = sum(interrupts(m, 79))
    text = run(m, "dd if=/dev/hwrng bs=64 count=16 2>/dev/null | xxd -p | sort -u | wc -l")
    assert int(text) > 30, text
    assert sum(interrupts(m, 79)) > before


@pytest.mark.parametrize("gic, reboots", [(2, 0), (3, 1)])
def test_linux_uses_the_devices(machine, bundle, built, port, gic, reboots):
    """The shipped system: serial port both ways, alarms of the clock on the CPU that Linux chooses,
    random numbers; and again after a reboot in the middle of it.
    """
    b = bundle({"devices.qvmconf": shipped(), **vms.files(built, "d12c")})
    extra = [*port.options, "-device", "virtio-rng-device"]
    m = machine(bundle=b, smp=2, mem=1024, gic=gic, extra=extra)
    m.expect("warning: ram identity: devices passed to 'devices' can read and write all")
    shell(m)
    port.open()
    for _ in range(reboots):
        check_clock(m, 0)
        run(m, "cat /dev/hwrng > /dev/null & cat /dev/ttyAMA1 > /dev/null & true")
        m.line("reboot -f")
        shell(m)
    check_port(m, port)
    check_clock(m, 1)
    check_random(m)
    m.line("poweroff")
    m.expect_exit()


def test_linux_reads_a_disk(machine, bundle, built, tmp_path):
    """A virtio-blk transport beside the one with the random numbers, in the same page: the disk's
    bytes come to the VM's memory, and go back.
    """
    disk = tmp_path / "disk"
    data = random.Random(1).randbytes(4 << 20)
    disk.write_bytes(data)
    loc, intid = transport(1)
    config = shipped(f"pass loc {loc:#x},{SLOT:#x} intr gic:{intid}\n")
    b = bundle({"devices.qvmconf": config, **vms.files(built, "d12c")})
    extra = ["-device", "virtio-rng-device", "-drive", f"file={disk},format=raw,if=none,id=disk"]
    extra += ["-device", "virtio-blk-device,drive=disk", *SECOND]
    m = machine(bundle=b, smp=2, mem=1024, extra=extra)
    shell(m)
    assert hashlib.md5(data).hexdigest() in run(m, "md5sum /dev/vda")
    run(m, "dd if=/dev/vda of=/dev/vda bs=1M count=1 seek=3 conv=fsync")
    assert interrupts(m, intid) != [0, 0]
    check_random(m)
    m.line("poweroff")
    m.expect_exit()
    assert disk.read_bytes() == data[: 3 << 20] + data[: 1 << 20]
