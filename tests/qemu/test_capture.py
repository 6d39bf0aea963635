# SPDX-License-Identifier: MIT
"""A capture of a NIC's frames, from the guests' rings to a pcap file: over the console, and in a VM
that reads it from a port of its virtio-console.
"""

import re
import struct
import subprocess

from lib import vms
from test_guests import start, vm  # noqa: F401 (start is a fixture)

VICTIM, ECHO, ALL = b"\2\0\0\0\0\2", b"\2\0\0\0\0\1", b"\xff" * 6
REQUEST, REPLY = 1, 2


def ping(frame):
    """(destination, source, kind, number) of a frame of tests/guests/lib/ping.h, which is whole."""
    to, source, ethertype, magic, kind, number, size = struct.unpack("<6s6sH4s2xIII", frame[:32])
    assert ethertype == 0xB588 and magic == b"munt"
    assert len(frame) == max(32 + size, 60)
    payload = bytes(((number + i) * 0x9E3779B1 & 0xFFFFFFFF) >> 24 for i in range(size))
    assert frame[32 : 32 + size] == payload
    return to, source, kind, number


def frames_of(data):
    """A pcap file's (time, frame)s; the last one may be cut off."""
    at, frames = 24, []
    assert struct.unpack("<IHHiIII", data[:24]) == (0xA1B23C4D, 2, 4, 0, 0, 65535, 1)
    while at + 16 <= len(data):
        seconds, ns, kept, length = struct.unpack("<IIII", data[at : at + 16])
        assert kept == length and ns < 10**9
        frames.append((seconds * 10**9 + ns, data[at + 16 : at + 16 + kept]))
        at += 16 + kept
    return frames


def read_pcap(path):
    data = path.read_bytes()
    frames = frames_of(data)
    assert len(data) == 24 + sum(16 + len(frame) for _, frame in frames)
    return frames


def more_rounds(m, count):
    """Waits until the victim has sent so many pings more."""
    end = None
    while end is None or done < end:
        done = int(m.expect(r"@@ victim ok (\d+), ")[1])
        end = done + count if end is None else end


def dump(m, nic, tool, path):
    """The frames that the prompt prints of a NIC's capture, through the host tool."""
    before = len(m.text)
    m.line(f"net capture {nic} dump")
    m.expect(rf"^{nic}: capture is off; ")
    m.expect(r"MPCAP1 e [0-9a-f]{8} \S+ [0-9a-f]{8}")
    path.mkdir()
    (path / "log").write_text(m.text[before:])
    done = subprocess.run(
        [tool, "pcap", "-o", "x.pcap", "log"], cwd=path, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(rf"x.pcap: \d+ frames of {nic}\n", done.stdout)
    return read_pcap(path / "x.pcap")


def test_capture(start, built, tmp_path):  # noqa: F811
    words = "rounds=0 tick-ms=20 late-ms=60000 lost=1000000 size-mib=1"
    configs = {
        "victim": vm("victim", [0], words, nic="02:00:00:00:00:02", extra="capture 256K\n"),
        "echo": vm("echo", [1], "idle-s=3600", nic="02:00:00:00:00:01", extra="capture 16K\n"),
    }
    m = start(configs, configs, smp=2)
    m.expect(r"@@ victim ok 2, ")
    vms.focus(m, 0)
    m.line("net capture nobody on")
    m.expect(r"^no NIC 'nobody' has a capture; these have: \S+/eth \S+/eth$")
    m.line("net capture victim/eth on")
    m.expect(r"^victim/eth: capture is on; ")
    m.line("net capture echo/eth on")
    m.expect(r"^echo/eth: capture is on; ")
    more_rounds(m, 60)
    victim = dump(m, "victim/eth", built("muntin"), tmp_path / "victim")
    echo = dump(m, "echo/eth", built("muntin"), tmp_path / "echo")

    times = [t for t, _ in victim]
    assert times == sorted(times)
    pings = [ping(f) for _, f in victim]
    requests = {n for to, source, kind, n in pings if (to, source, kind) == (ALL, VICTIM, REQUEST)}
    replies = {n for to, source, kind, n in pings if (to, source, kind) == (VICTIM, ECHO, REPLY)}
    assert len(requests) + len(replies) == len(pings) and len(requests) >= 50
    assert requests == set(range(min(requests), max(requests) + 1))
    assert len(requests & replies) * 2 > len(requests)

    # The other end has a small ring: the last frames are there, and they are the same.
    assert 16384 - 16 - 1432 < sum(16 + len(f) for _, f in echo) <= 16384
    last = [ping(f) for _, f in echo]
    assert all(p in pings for p in last if p[3] <= max(replies))
    assert {p[2] for p in last} == {REQUEST, REPLY}


def test_capture_by_a_port(machine, bundle, built):
    """Linux has another VM's frames as a file; while nobody reads, they are lost, and counted."""
    words = "rounds=0 tick-ms=20 late-ms=60000 lost=1000000 size-mib=1"
    port = ["vdev virtio-console hostdev /dev/log hostdev </dev/tap"]
    b = bundle(
        {
            "linux.qvmconf": vms.linux("linux", None, extra=port),
            "victim.qvmconf": vm(
                "victim", [1], words, nic="02:00:00:00:00:02", extra="capture 16K\n"
            ),
            "echo.qvmconf": vm("echo", [1], "idle-s=3600", nic="02:00:00:00:00:01"),
            **vms.files(built, "d12c", "victim.img", "echo.img"),
        }
    )
    m = machine(bundle=b, smp=2, mem=512)
    m.expect(vms.any_vm("@@ SHELL"), timeout=vms.BOOT_TIMEOUT)
    vms.focus(m, 0)
    m.line("net capture victim/eth linux/tap")
    m.expect(r"^victim/eth: capture is on; 0 frames .*; it goes to linux/tap, 0 lost$")
    more_rounds(m, 60)  # 16 KiB are full by then
    vms.focus(m, 1, "linux")
    m.line("")
    tap = "p=$(grep -lx tap /sys/class/virtio-ports/*/name); cat /dev/$(basename ${p%/name})"
    enough = "test $(wc -c < x.pcap) -gt $((24 + 16384))"
    read = f"{tap} > x.pcap & until {enough}; do usleep 100000; done; kill $!"
    assert m.run(read) == 0, m.output
    vms.focus(m, 0)
    m.line("net capture victim/eth off")
    assert int(m.expect(r"it goes to linux/tap, (\d+) lost$").group(1)) > 0
    for name in ("victim", "echo"):  # so that nobody writes between the lines below
        m.line(f"vm kill {name}")
        m.expect(rf"{name}: stopped: ")
    assert not m.seen("@@ victim .*(FAIL|LOST)")
    vms.focus(m, 1, "linux")
    assert m.run("head -c 12000 x.pcap | hexdump -v -e '40/1 \"%02x\" \"\\n\"'") == 0
    data = bytes.fromhex("".join(re.findall("^[0-9a-f]{80}", m.output, re.M)))
    assert len(data) == 12000
    frames = frames_of(data)[:-1]
    times, pings = [t for t, _ in frames], [ping(f) for _, f in frames]
    assert len(pings) > 4 and times == sorted(times)
    assert {p[2] for p in pings} == {REQUEST, REPLY}
    requests = [n for to, source, kind, n in pings if (to, source, kind) == (ALL, VICTIM, REQUEST)]
    assert requests == list(range(requests[0], requests[0] + len(requests)))
