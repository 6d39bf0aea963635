# SPDX-License-Identifier: MIT
"""A switch that a CPU polls: Linux VMs send through it without telling it."""

import re

from lib import vms
from test_linux import ping, send_tcp, shells


def nics(built, bundle, options, extra=(), cpus=None):
    """A bundle of Linux VMs vm1, vm2 … with these options of their NICs."""
    configs = {}
    for number, words in enumerate(options, 1):
        lines = [f"{vms.nic(number)} {words}", *(extra if number == 1 else ())]
        configs[f"vm{number}.qvmconf"] = vms.linux(
            f"vm{number}", number, cpus=cpus or 1, extra=lines
        )
    return bundle({**configs, **vms.files(built, "d12c")})


def show(m):
    """What `net show` says of each port: name to text."""
    vms.focus(m, 0)
    start = m.mark()
    m.line("net show")
    m.expect(r"^switch lan: \d+ ports")
    m.line("help")
    m.expect(r"^  help ")
    parts = re.split(r"^  (\w+)/eth +", m.text[start:], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def test_a_polled_switch(machine, bundle, built):
    extra = ["switch lan {", "poll 2", "}"]
    m = machine(bundle=nics(built, bundle, ["", ""], extra), smp=3, mem=1024)
    shells(m, ["vm1", "vm2"])
    ping(m, "10.0.0.1")
    send_tcp(m, (1, "vm1"), (2, "vm2"), "10.0.0.2", 8_000_000, 99)
    send_tcp(m, (2, "vm2"), (1, "vm1"), "10.0.0.1", 8_000_000, 99)
    ports = show(m)
    assert "polled by CPU 2" in m.text
    for text in ports.values():
        sent = re.search(r"sent +(\d+) frames .* (\d+) notifications", text)
        assert int(sent[1]) > 100 and int(sent[2]) <= 2, text
    for number, name in ((1, "vm1"), (2, "vm2")):
        vms.power_off(m, number, name)
    m.expect_exit()
