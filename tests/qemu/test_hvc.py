# SPDX-License-Identifier: MIT
"""virtio-console on the target: a shell and a login on hvc0, every byte of much output by several
VMs and ports at once, ports that programs open and close, drivers and VMs that start anew.
"""

import hashlib
import re
import time

import pytest
from lib import vms
from lib.machine import ROOT, stretch

BOOT = vms.BOOT_TIMEOUT


def hvc(name, *hostdevs, words="", extra=(), kernel="d12c"):
    """A VM whose only console is hvc0; hostdevs are further ports."""
    ports = " ".join(f"hostdev {h}" for h in (">-", *hostdevs))
    return vms.system(
        name,
        "cpu",
        "ram 96M",
        f"load {kernel}.Image",
        f"initrd load {kernel}.cpio",
        f'cmdline "console=hvc0 {vms.LINUX_WORDS} name={name} {words}"',
        f"vdev virtio-console {ports}",
        *extra,
    )


def shell(m, name):
    m.line("")
    m.expect(rf"^{name}:/root# ", timeout=BOOT)


def by_name(m, channel):
    """The focus to a channel that has no key."""
    vms.focus(m, 0)
    m.line(f"focus {channel}")
    m.expect(f"muntin: console of {channel}")


def test_shipped_hvc(machine, bundle, built):
    """The folder's two VMs: one with a shell on hvc0 and nothing else, one with a login there."""
    folder = ROOT / "guest-configs/hvc"
    configs = {p.name: p.read_text() for p in sorted(folder.glob("*.qvmconf"))}
    m = machine(bundle=bundle({**configs, **vms.files(built, "d12c")}), smp=2, mem=512)
    vms.expect_all(m, [r"^(\[both\] )?@@ SHELL", r"^(\[hvc\] )?@@ SHELL"], timeout=BOOT)
    vms.focus(m, 2, "both.hvc0")
    m.line("")
    m.expect("^both login: ")
    m.line("root")
    m.expect("built-in shell")
    assert m.run("tty") == 0 and m.output.strip() == "/dev/hvc0"
    m.line("exit")
    m.expect("^both login: ", timeout=30)  # again and again
    vms.focus(m, 3, "hvc")
    shell(m, "hvc")
    assert m.run("tty; cat /sys/class/tty/console/active") == 0
    assert m.output.split() == ["/dev/hvc0", "hvc0"]
    # By a program of its own, that ash has made the terminal's foreground before it writes a word.
    m.line('sh -c "echo @\'\'@ SLEEPS; exec sleep 1000"')
    m.expect("@@ SLEEPS")
    m.send("\x03")  # a console that Ctrl-C works on
    shell(m, "hvc")
    assert not m.seen("@@ .*FAILED|Oops|BUG:|Call trace"), m.tail()
    for number, name in ((3, "hvc"), (1, "both")):
        vms.power_off(m, number, name)
    m.expect_exit()


def wait_for_all(m, start, texts, timeout):
    """As expect_all, for consoles so long that searching them each time they grow takes longer."""
    end = time.monotonic() + timeout * stretch()
    while not all(text in m.text[start:] for text in texts):
        assert time.monotonic() < end, m.tail()
        time.sleep(0.5)
    m.rewind(len(m.text))


@pytest.mark.parametrize("kernel, count", [("d12c", 60000), ("d13c", 20000)])
def test_much_output_is_complete(machine, bundle, built, kernel, count):
    """Up to 700 KB: hvc0 of one VM, beside what a port of the same VM and another VM write."""
    b = bundle(
        {
            "a.qvmconf": hvc("a", ">/dev/log", kernel=kernel),
            "b.qvmconf": hvc("b", "/dev/go", kernel=kernel),
            **vms.files(built, kernel),
        }
    )
    m = machine(bundle=b, smp=2, mem=512)
    vms.expect_all(m, [r"^(\[a\] )?@@ SHELL", r"^(\[b\] )?@@ SHELL"], timeout=BOOT)
    vms.focus(m, 2, "b")
    shell(m, "b")
    m.line(f"head -n 1 /dev/vport0p1; seq 5000000 {5000000 + count // 4}; echo 'b '$?' end'")
    vms.focus(m, 1, "a")
    shell(m, "a")
    start = m.mark()
    by_name(m, "b/go")  # b begins without having the focus
    m.send("go\n")
    vms.focus(m, 1, "a")
    to_port = f"seq 3000000 {3000000 + count // 4} > /dev/vport0p1"
    m.line(f"{to_port} & seq 1000000 {1000000 + count}; wait; echo 'a '$?' end'")
    ends = ["\na 0 end\n", "\n[b] b 0 end\n", f"\n[a/log] {3000000 + count // 4}\n"]
    wait_for_all(m, start, ends, timeout=180)
    lines = m.text[start:].split("\n")
    # A line that others interrupt is begun anew below them: what was there of it isn't whole.
    for prefix, first, last in (
        ("", 1000000, 1000000 + count),
        ("[b] ", 5000000, 5000000 + count // 4),
        ("[a/log] ", 3000000, 3000000 + count // 4),
    ):
        pattern = re.compile(re.escape(prefix) + r"(\d{7})$")
        got = [int(x[1]) for x in map(pattern.match, lines) if x]
        deduplicated = [n for n, before in zip(got, [None, *got]) if n != before]
        assert deduplicated == list(range(first, last + 1)), prefix
    assert not m.seen("were lost|dropped|nobody cared"), m.tail()
    assert m.run("grep virtio /proc/interrupts") == 0
    interrupts = int(re.search(r": +(\d+) ", m.output)[1])
    assert interrupts < count / 4, m.output  # hvc sees by itself what it got back


def ports_of(m):
    """{name: node} of the ports that have a name. Their driver asks for it a moment after it has
    come, and ports are there before they have one."""
    find = "cd /sys/class/virtio-ports; for p in *; do echo $p $(cat $p/name); done; cd"
    named = "grep -qx ctl /sys/class/virtio-ports/*/name && grep -qx out /sys/class/virtio-ports/*/name"
    assert m.run(f"until {named}; do usleep 100000; done 2> /dev/null; {find}") == 0, m.output
    return {x[1]: x[0] for x in map(str.split, m.output.splitlines()) if len(x) == 2}


def check_ports(m, text):
    """What is typed at a port waits until somebody opens it; its answers come out by its name."""
    nodes = ports_of(m)
    assert set(nodes) == {"ctl", "out"}, m.output
    ctl, out = nodes["ctl"], nodes["out"]
    by_name(m, "a/ctl")
    m.send(f"{text}\n")
    vms.focus(m, 1, "a")
    shell(m, "a")
    assert m.run(f"head -n 1 /dev/{ctl}") == 0 and m.output.strip() == text, m.output
    m.line(f"while read x; do echo got $x; done < /dev/{ctl} > /dev/{out} & true")
    by_name(m, "a/ctl")
    for word in ("one", "two"):
        m.send(f"{word}\n")
        m.expect(rf"^\[a/out\] got {word}$")
    vms.focus(m, 1, "a")
    assert m.run("kill %1; wait; true") == 0, m.output
    m.line(f"echo closed > /dev/{out}")  # opened anew
    m.expect(r"^\[a/out\] closed$")


def test_ports(machine, bundle, built):
    """Beside a PL011: ports by name, a driver that is unloaded and loaded, a VM that restarts."""
    ports = "vdev virtio-console hostdev /dev/ctl hostdev >/dev/out"
    b = bundle(
        {"a.qvmconf": vms.linux("a", None, ram="96M", extra=[ports]), **vms.files(built, "d12c")}
    )
    m = machine(bundle=b, smp=1, mem=512)
    m.expect("@@ SHELL", timeout=BOOT)
    shell(m, "a")
    check_ports(m, "first")
    for _ in range(3):
        reload = "rmmod virtio_console && insmod /modules/virtio_console.ko"
        assert m.run(reload) == 0, m.output
    check_ports(m, "second")
    by_name(m, "a/ctl")
    m.send("for nobody\n")  # what is typed does not outlive the VM
    vms.focus(m, 1, "a")
    m.line("reboot")
    m.expect("@@ SHELL", timeout=BOOT)
    shell(m, "a")
    check_ports(m, "third")
    vms.focus(m, 0)
    m.line("vm status a")
    m.expect(r"port 0: console `a/ctl`, closed, 0 bytes out, \d+ in$")


def test_large_paste(machine, bundle, built):
    """Input of many kilobytes, typed faster than the guest reads it: all of it, in order."""
    b = bundle({"a.qvmconf": hvc("a", "/dev/ctl"), **vms.files(built, "d12c")})
    m = machine(bundle=b, smp=1, mem=512)
    m.expect("@@ SHELL", timeout=BOOT)
    shell(m, "a")
    lines = "".join(f"{n:07d} a line that is one of many\n" for n in range(1000))
    m.line(f"head -c {len(lines)} /dev/vport0p1 | md5sum | cut -c 1-32 &")
    by_name(m, "a/ctl")
    m.send(lines)
    m.expect(rf"^\[a\] (?:a:\S+ )?{hashlib.md5(lines.encode()).hexdigest()}$", timeout=60)
    assert not m.seen("dropped"), m.tail()
