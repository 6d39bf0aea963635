# SPDX-License-Identifier: MIT
"""A VM that has the board's Ethernet controller joins it to the switch; two others, which know nothing
of that, reach QEMU's user network through it. The configs are those that are shipped.
"""

import collections
import re
import shlex
import socket
import threading
import time

import pytest
from lib import vms
from lib.machine import ROOT
from lib.outside import SIZE

FOLDER = ROOT / "guest-configs/gateway"

# quiet: the register, and its bits, that are clear when the controller neither sends nor receives.
Board = collections.namedtuple("Board", "name options quiet driver")
BOARDS = (
    Board("virt", {"smp": 3, "mem": 1024}, (0x0A003E70, 0xFF), "virtio_net"),  # Status
    Board("xlnx-versal-virt", {}, (0xFF0C0000, 0xC), "macb"),  # NCR: receiver, transmitter
)


class Flood:
    """Datagrams from outside to client1 for a second and a half, whether it can have them or not.
    Not more: once its ring has been full, QEMU's GEM takes no frame until it's switched on anew.
    """

    def __init__(self, port):
        self._port = port
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for _ in range(300):
                s.sendto(b"\xa5" * 1400, ("127.0.0.1", self._port))
                time.sleep(0.005)

    def wait(self):
        self._thread.join()


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def configs(board):
    files = {"gateway.qvmconf": FOLDER / board.name / "gateway.qvmconf"}
    files["../gateway.conf"] = FOLDER / "gateway.conf"
    for name in ("client1.qvmconf", "client2.qvmconf", "client.conf"):
        files[name] = FOLDER / name
    return files


def start(machine, bundle, built, board):
    images = vms.files(built, "d12.Image", "d12-gateway.cpio", "d12c.Image", "d12c-net.cpio")
    extra = shlex.split((FOLDER / board.name / "qemu.args").read_text())
    files = bundle({**configs(board), **images})
    return machine(board=board.name, bundle=files, extra=extra, **board.options)


NAMES = ("gateway", "client1", "client2")


def shell(m, number):
    name = NAMES[number - 1]
    vms.focus(m, number, name)
    m.line("")
    m.expect(rf"^{name}:/root# ", timeout=vms.BOOT_TIMEOUT)


def run(m, command, **options):
    assert m.run(command, **options) == 0, m.output
    return m.output


def address(m, nic):
    """Of the VM in focus, as soon as it has one: where that takes long, udhcpc is silent by then."""
    show = f"ip -4 addr show {nic}"
    text = run(m, f"until {show} | grep -q inet; do usleep 100000; done; {show}", timeout=90)
    return re.search(r"inet (10\.0\.2\.\d+)/", text)[1]


def download(m, outside):
    assert outside.hash in run(m, f"wget -q -O- {outside.url} | md5sum", timeout=90)


def upload(m, outside):
    """As text: busybox's wget takes the file for one."""
    make = f"head -c {SIZE // 2} /dev/urandom | xxd -p > /tmp/up; md5sum < /tmp/up"
    text = run(m, f"{make}; wget -q -O- --post-file /tmp/up {outside.url}; echo", timeout=90)
    hashes = re.findall(r"[0-9a-f]{32}", text)
    assert len(hashes) == 2 and hashes[0] == hashes[1], text


def is_quiet(m, board):
    register, bits = board.quiet
    return int(m.monitor(f"xp /1wx {register:#x}").split(":")[1], 16) & bits == 0


@pytest.mark.parametrize("board", BOARDS, ids=lambda b: b.name)
def test_gateway(machine, bundle, built, outside, board):
    """Files go in and out whole; the gateway restarts while frames come in, and all is as before;
    when it's stopped, so is the controller.
    """
    m = start(machine, bundle, built, board)
    vms.expect_all(m, [vms.any_vm("@@ SHELL")] * 3 + ["@@ BRIDGE br0"], timeout=vms.BOOT_TIMEOUT)
    shell(m, 2)
    client1 = address(m, "eth0")
    run(m, "ping -c 2 10.0.2.2")
    download(m, outside)
    upload(m, outside)
    shell(m, 3)
    address(m, "eth0")
    run(m, f"ping -c 2 {client1}")
    download(m, outside)

    shell(m, 1)
    address(m, "br0")
    assert f"DRIVER={board.driver}\n" in run(m, "cat /sys/class/net/eth*/device/uevent")
    assert not is_quiet(m, board)
    port = free_port()
    m.monitor(f"hostfwd_add outside udp:127.0.0.1:{port}-{client1}:9")
    flood = Flood(port)
    m.line("reboot -f")
    m.expect("@@ BRIDGE br0", timeout=vms.BOOT_TIMEOUT)
    flood.wait()
    shell(m, 3)
    run(m, "until ping -c 1 -W 1 10.0.2.2; do true; done", timeout=90)
    upload(m, outside)
    download(m, outside)

    vms.focus(m, 0)
    m.line("vm kill gateway")
    m.expect("gateway: ")
    assert is_quiet(m, board)
