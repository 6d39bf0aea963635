# SPDX-License-Identifier: MIT
"""The network between stock Linux VMs, for bench.py: throughput, round trips, and what they take of
exits and interrupts, by commands that anybody would type. Under icount, where 1 Gbit/s is 8
instructions a byte, of all guests and Muntin together; and once in wall time, beside two plain
guests of QEMU that are joined by a stream.
"""

import re
import sys
import time

from lib.bundle import write_bundle
from lib.machine import BUILD, ConsoleError, Machine

CONFIG = """system {name}
cpu runmask {cpu}
ram {ram}M
load d12c.Image
initrd load d12c-test.cpio
cmdline "{words}"
vdev pl011
vdev virtio-net peer /dev/vdevpeer/lan name eth
"""
WORDS = "console=ttyAMA0 quiet cryptomgr.notests name={name} net0=10.0.0.{host}/24"

KIB64 = 65536
TCP_AT_LEAST = 5000  # Mbit/s
UDP_AT_LEAST = 60.0  # kpps
PING_AT_MOST = 0.120  # ms
PER_64K_AT_MOST = 2
PER_PACKET_AT_MOST = 0.2
WALL_AT_LEAST = 2.0
OTHERS_AT_LEAST = 80.0  # per cent

UDP_COUNT = 20000
UDP_RATES = (0, 100000, 80000, 60000, 50000, 40000, 30000, 20000, 10000)  # 0: as fast as it can
RECEIVER = r"([\d.]+) Mbits/sec +receiver"


def name_of(number):
    return f"vm{number + 1}"


class Lan:
    """Linux VMs of one CPU each on one switch, with servers in all but the first."""

    def __init__(self, name, image, count=2, icount=True, ram=256):
        self.count = count
        files = {"d12c.Image": BUILD / "guests/d12c.Image",
                 "d12c-test.cpio": BUILD / "guests/d12c-test.cpio"}  # fmt: skip
        for i in range(count):
            words = WORDS.format(name=name_of(i), host=i + 1)
            files[f"{i}.qvmconf"] = CONFIG.format(name=name_of(i), cpu=i, ram=ram, words=words)
        bundle = write_bundle(BUILD / f"bench/{name}.cpio", files)
        self.m = Machine(f"bench-{name}", icount=icount, cpu="max", image=image, how="kernel",
                         bundle=bundle, smp=count, mem=384 + count * (ram + 16))  # fmt: skip
        try:
            for _ in range(count):
                self.m.expect("@@ SHELL", 300)
            for i in range(1, count):
                self.run(i, "(gtool echo 5000 >/dev/null &); (iperf3 -s >/dev/null &); "
                            "(netcheck count 7 >/dev/null &)")  # fmt: skip
            self.run(0, "sleep 1")
        except ConsoleError:
            self.m.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.m.close()

    def start(self, vm, command):
        """Types it in the VM's shell, and gives nothing."""
        self.m.escape(str(vm + 1))
        self.m.expect("muntin: console of")
        self.m.line(command)

    def run(self, vm, command, timeout=300):
        self.m.escape(str(vm + 1))
        self.m.expect("muntin: console of")
        self.m.run(command, timeout)
        return self.m.output

    def number(self, vm, command, pattern):
        """The sum of what the pattern finds in what the command prints; None: nothing."""
        found = re.findall(pattern, self.run(vm, command))
        return round(sum(float(x) for x in found), 3) if found else None

    def counters(self):
        """Exits of all vCPUs, and interrupts of all NICs, so far."""
        self.m.escape("0")
        self.m.expect("muntin: .*prompt")
        start = len(self.m.text)
        self.m.line("net show")
        for _ in range(self.count):
            self.m.expect(r"got .*interrupts$")
        self.m.line("vm status")
        for _ in range(self.count):
            self.m.expect(r"\d+ exits.*$")
        self.m.expect("^muntin> ")
        text = self.m.text[start:]
        interrupts = sum(int(x) for x in re.findall(r"(\d+) interrupts", text))
        return interrupts, sum(int(x) for x in re.findall(r"(\d+) exits", text))

    def costs(self, vm, command, pattern):
        """(figure, interrupts, exits) of the command; what it takes to ask is taken off."""
        before, again = self.counters(), None
        self.run(vm, "true")
        again = self.counters()
        figure = self.number(vm, command, pattern)
        after = self.counters()
        return (figure, *(c - b - (b - a) for a, b, c in zip(before, again, after)))


def tcp(bench, lan):
    size = 256
    for row, options in (("1 stream", ""), ("1 stream, the other way", "-R"), ("4 streams", "-P 4"),
                         ("4 streams, the other way", "-P 4 -R")):  # fmt: skip
        command = f"iperf3 -f m {options} -c 10.0.0.2 -n {size}M"
        figure, interrupts, exits = lan.costs(0, command, RECEIVER)
        bench.put(f"TCP, {row}", at_least=TCP_AT_LEAST, unit="Mbit/s", muntin=figure)
        if not options:
            blocks = size * (1 << 20) / KIB64
            bench.put("TCP, exits per 64 KiB", PER_64K_AT_MOST, "", muntin=round(exits / blocks, 2))
            bench.put("TCP, interrupts per 64 KiB", PER_64K_AT_MOST, "",
                      muntin=round(interrupts / blocks, 2))  # fmt: skip
    both = lan.number(0, f"iperf3 -f m --bidir -c 10.0.0.2 -n {size}M", RECEIVER)
    bench.put("TCP, both ways at once, sum", unit="Mbit/s", muntin=both)
    lan.run(0, "(iperf3 -s >/dev/null &); sleep 1")
    loop = lan.number(0, f"iperf3 -f m -c 127.0.0.1 -n {size}M", RECEIVER)
    bench.put("TCP, loopback inside a VM", unit="Mbit/s", muntin=loop)


def round_trips(bench, lan):
    ping = lan.number(0, "ping -q -c 50 -i 0.1 10.0.0.2", r"= [\d.]+/([\d.]+)/")
    bench.put("ping, average", PING_AT_MOST, "ms", muntin=ping)
    p50 = lan.number(0, "gtool rtt 10.0.0.2 5000 500", r"\bp50\S*?=([\d.]+)")
    bench.put("UDP request and response", unit="per s", muntin=p50 and round(1e9 / p50))


def udp(bench, lan):
    """The highest of the rates that loses nothing."""
    for rate in UDP_RATES:
        command = f"netcheck blast 10.0.0.2 7 {UDP_COUNT}" + (f" rate={rate}" if rate else "")
        pps, _, exits = lan.costs(0, command, r"lost=0 .*got-pps=(\d+)")
        if pps is not None:
            bench.put("UDP, 64 bytes, without loss", at_least=UDP_AT_LEAST, unit="kpps",
                      muntin=round(pps / 1000, 1))  # fmt: skip
            bench.put("UDP, exits per packet", PER_PACKET_AT_MOST, "",
                      muntin=round(exits / UDP_COUNT, 2))  # fmt: skip
            return
    bench.put("UDP, 64 bytes, without loss", at_least=UDP_AT_LEAST, unit="kpps", muntin=0)


def many(bench, image):
    """Eight VMs: one sends to seven; and what is left to two of them while a third does its worst,
    against what is left to them while it only computes."""
    with Lan("fan-out", image, 8, ram=144) as lan:
        each = "; ".join(f"iperf3 -f m -c 10.0.0.{host} -n 24M > /tmp/{host} &" for host in range(2, 9))
        each = each.replace("&;", "&")
        total = lan.number(0, f"{each} wait; cat /tmp/[2-8]", RECEIVER)
        bench.put("TCP, one to seven, sum", unit="Mbit/s", muntin=total)
        goodput = []
        for work in ("while :; do :; done", "netcheck send eth0 kind=udp4 data=18 count=100000000 "
                     f"dst=$(ping -c 1 10.0.0.2 >/dev/null; arp -n 10.0.0.2 | awk '{{print $4}}')"):
            lan.run(2, f"({work}) >/dev/null 2>&1 & sleep 0.5")
            goodput.append(lan.number(0, "iperf3 -f m -c 10.0.0.2 -n 64M", RECEIVER))
            lan.run(2, "kill $!; killall netcheck; sleep 0.5")
        if None not in goodput:
            bench.put("goodput beside a flood", at_least=OTHERS_AT_LEAST, unit="%",
                      muntin=round(100 * goodput[1] / goodput[0], 1))  # fmt: skip


def plain_pair(kernel):
    """Two guests without a hypervisor, joined by a stream; gives Mbit/s in wall time."""
    path = BUILD / "bench/stream.sock"
    path.unlink(missing_ok=True)
    initrd = kernel.with_name("d12c-test.cpio")
    machines = []
    try:
        for i, server in enumerate(("on", "off")):
            extra = ("-netdev", f"stream,id=n,server={server},addr.type=unix,addr.path={path}",
                     "-global", "virtio-mmio.force-legacy=false",
                     "-device", f"virtio-net-device,netdev=n,mac=02:00:00:00:00:0{i + 1}")  # fmt: skip
            machines.append(Machine(
                f"bench-plain{i}", how="none", el=1, cpu="max", smp=1, mem=256, kernel=kernel,
                initrd=initrd, append=WORDS.format(name=name_of(i), host=i + 1), extra=extra))  # fmt: skip
            time.sleep(1)
        for m in machines:
            m.expect("@@ SHELL", 300)
        machines[1].run("(iperf3 -s >/dev/null &)")
        machines[0].run("sleep 1; iperf3 -f m -c 10.0.0.2 -t 5", 120)
        found = re.search(RECEIVER, machines[0].output)
        return float(found.group(1)) if found else None
    finally:
        for m in machines:
            m.close()


def wall(bench, image, kernel):
    with Lan("wall", image, icount=False) as lan:
        ours = lan.number(0, "iperf3 -f m -c 10.0.0.2 -t 5", RECEIVER)
    plain = plain_pair(kernel)
    if ours and plain:
        bench.put("TCP in wall time, by two plain guests'", at_least=WALL_AT_LEAST, unit="x",
                  native=plain, muntin=round(ours / plain, 2))  # fmt: skip


def measure(bench):
    """All rows; a machine that fails costs only its own."""

    def pair():
        with Lan("network", bench.o.muntin) as lan:
            for part in (tcp, round_trips, udp):
                bench.attempt(f"network, {part.__name__}", lambda part=part: part(bench, lan))

    for what, function in (
        ("network", pair),
        ("network, many", lambda: many(bench, bench.o.muntin)),
        ("network, wall time", lambda: wall(bench, bench.o.muntin, bench.o.linux)),
    ):
        started = time.monotonic()
        bench.attempt(what, function)
        print(f"bench: {what}: {time.monotonic() - started:.0f} s", file=sys.stderr)
