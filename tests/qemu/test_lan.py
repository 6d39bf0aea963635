# SPDX-License-Identifier: MIT
"""guest-configs/lan: three Debian VMs beside netsvc, which is lwIP: a second network stack, written by
others, on our switch. They get addresses by DHCP, names by DNS, and talk to it by ICMP, UDP and TCP.
"""

import re
import subprocess
import time

from lib import vms
from lib.machine import BUILD, ROOT, stretch

BOOT = vms.BOOT_TIMEOUT
LINUX = ["lan1", "lan2", "lan3"]
NETSVC = "10.0.0.1"


def boot(m):
    for _ in LINUX:
        m.expect(vms.any_vm("@@ SHELL"), timeout=BOOT)
    return m


def lease_of(m, number, name):
    """The address that this VM says it has; its shell is in focus afterwards."""
    vms.focus(m, number, name)
    m.line("")
    m.expect(rf"^{name}:/root# ", timeout=BOOT)
    return has_address(m, r"10\.0\.0\.\d+")


def has_address(m, pattern):
    """The VM in focus gets such an address, maybe only when its shell has been there for a while."""
    wait = "until ifconfig eth0 | grep -q 'inet addr'; do usleep 100000; done; ifconfig eth0"
    assert m.run(wait) == 0, m.output
    address = re.search(rf"inet addr:({pattern}) ", m.output)
    assert address, m.output
    return address[1]


def counters(m):
    assert m.run("wget -q -O- http://netsvc/", timeout=60) == 0, m.output
    page = m.output
    values = dict(re.findall(r"^(\w+) (\d+)$", page, re.M))
    return page, {k: int(v) for k, v in values.items()}


def check_names(m, addresses):
    """Every VM by every form of its name, forwards and back; others do not exist."""
    assert m.run("cat /etc/resolv.conf") == 0 and f"nameserver {NETSVC}" in m.output
    for other, address in {**addresses, "netsvc": NETSVC}.items():
        assert m.run(f"ping -c 3 -i 0.2 -w 30 {other}", timeout=60) == 0, m.output
        assert f"({address})" in m.output and " 0% packet loss" in m.output, m.output
        assert m.run(f"nslookup {other}.lan", timeout=60) == 0, m.output
        assert re.search(rf"Name:\s+{other}\.lan\nAddress:\s+{re.escape(address)}", m.output)
        assert m.run(f"nslookup {address}", timeout=60) == 0, m.output
        assert f"{other}.lan" in m.output, m.output
    assert m.run("nslookup nobody.lan", timeout=60) != 0
    assert "NXDOMAIN" in m.output, m.output


def test_shipped_lan(machine, built, tmp_path):
    """What `make run SYSTEM=lan` boots: the number of a VM is its place in LINUX."""
    configs = sorted((ROOT / "guest-configs/lan").glob("*.qvmconf"))
    assert [c.stem for c in configs] == [*LINUX, "netsvc"]
    out = tmp_path / "lan.cpio"
    command = [BUILD / "muntin", "pack", "-o", out, *configs]
    built("guests/netsvc.img")
    subprocess.run(command, cwd=built("guests/d12c.Image").parent, check=True)
    m = boot(machine(bundle=out))
    addresses = {name: lease_of(m, n, name) for n, name in enumerate(LINUX, 1)}
    assert len(set(addresses.values())) == 3, addresses
    for number, name in enumerate(LINUX, 1):
        vms.focus(m, number, name)
        check_names(m, addresses)

    # Larger than a frame, so cut up and put together by both stacks.
    assert m.run(f"ping -c 3 -i 0.2 -s 20000 -w 30 {NETSVC}", timeout=60) == 0, m.output
    assert " 0% packet loss" in m.output

    page, first = counters(m)
    assert first["leases"] == 3 and first["dhcp_acks"] >= 3 and first["dhcp_naks"] == 0, page
    for name, address in addresses.items():
        assert re.search(rf"^lease {re.escape(address)} [\da-f:]+ \d+ s {name}$", page, re.M), page
    assert first["dns_unknown"] >= 3 and first["dns_dropped"] == 0, page
    _, second = counters(m)
    assert second["frames_received"] > first["frames_received"]
    assert second["dns_queries"] > first["dns_queries"]
    assert m.run("wget -q -O- http://netsvc/other") != 0

    # The lease is renewed, and the address stays.
    assert m.run("kill -USR1 $(pidof udhcpc)") == 0, m.output
    end = time.monotonic() + 30 * stretch()
    _, third = counters(m)
    while third["dhcp_acks"] == second["dhcp_acks"] and time.monotonic() < end:
        _, third = counters(m)
    assert third["dhcp_acks"] > second["dhcp_acks"] and third["dhcp_naks"] == 0
    has_address(m, re.escape(addresses["lan3"]))

    # A lease that is given back is somebody else's to take, or the same one's again.
    gone = "while ifconfig eth0 | grep -q 'inet addr'; do usleep 100000; done"
    assert m.run(f"kill -USR2 $(pidof udhcpc); {gone}") == 0, m.output
    assert m.run("ifconfig eth0 10.0.0.99") == 0
    _, fourth = counters(m)
    assert fourth["leases"] == 2
    again = f"until ifconfig eth0 | grep -q 'inet addr:{addresses['lan3']} '; do usleep 100000; done"
    assert m.run(f"kill -USR1 $(pidof udhcpc); {again}") == 0, m.output

    for number, name in enumerate(LINUX, 1):
        vms.power_off(m, number, name)
    vms.focus(m, 4, "netsvc")
    m.line("poweroo\x7fff")
    m.expect(r"^muntin: netsvc: stopped: powered off")
    m.expect_exit()


def test_iperf(machine, bundle, built):
    """Debian's iperf (version 2) to lwIP's, one stream and two at once, and back."""
    words = "net0=dhcp"
    nic = "vdev virtio-net peer /dev/vdevpeer/lan name eth"
    linux = vms.linux("lan1", None, ram="256M", words=words, extra=[nic])
    files = {
        "lan1.qvmconf": linux.replace("d12c.cpio", "d12c-test.cpio"),
        "netsvc.qvmconf": (ROOT / "guest-configs/lan/netsvc.qvmconf").read_text(),
        **vms.files(built, "d12c.Image", "d12c-test.cpio", "netsvc.img"),
    }
    m = machine(bundle=bundle(files), smp=2, mem=1024)
    m.expect("@@ SHELL", timeout=BOOT)
    m.line("")
    m.expect(r"^lan1:/root# ", timeout=BOOT)
    has_address(m, r"10\.0\.0\.\d+")
    assert m.run("iperf -c netsvc -n 4M -f k", timeout=180) == 0, m.output
    assert re.search(r" 4096 KBytes +[1-9]\d* Kbits/sec", m.output), m.output
    assert m.run("iperf -c netsvc -n 4M -f k -P 2", timeout=180) == 0, m.output
    assert len(re.findall(r" 4096 KBytes +[1-9]\d* Kbits/sec", m.output)) == 2, m.output
    assert m.run("iperf -c netsvc -t 1 -r -f k", timeout=180) == 0, m.output
    assert re.search(r"local \S+ port 5001 connected with 10\.0\.0\.1 ", m.output), m.output
    assert len(re.findall(r" [1-9]\d* KBytes +[1-9]\d* Kbits/sec", m.output)) == 2, m.output
    _, values = counters(m)
    assert values["bytes_received"] > 12 << 20 and values["frames_dropped"] == 0, values
