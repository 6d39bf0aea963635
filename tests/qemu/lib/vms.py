# SPDX-License-Identifier: MIT
"""Config texts of the VMs that most cases use, and how to talk to them.

puppet() is tests/guests/puppet, hello() tests/guests/hello, linux() Debian's kernel with our
initramfs. Files are named in configs as in FILES, which bundles take.
"""

import re

from .machine import own_lines

# The self-tests of the kernel's ciphers are most of its boot under emulation. What then takes longest,
# tracing's tables and a random generator's self-test, is of no use to a test either.
LINUX_WORDS = (
    "quiet cryptomgr.notests initcall_blacklist=trace_eval_init,tracer_init_tracefs,jent_mod_init"
)

BOOT_TIMEOUT = 120


def system(name, *lines):
    return "\n".join([f"system {name}", *lines]) + "\n"


def _cpus(cpus, sched):
    one = "cpu" + (f" sched {sched}" if sched is not None else "")
    if isinstance(cpus, int):
        return [one] * cpus
    return [f"{one} runmask {cpu}" for cpu in cpus]


def bare(name, image, cpus=1, ram="16M", words="", sched=None, extra=()):
    """cpus is a count, or a list with the physical CPU of each vCPU."""
    return system(
        name,
        *_cpus(cpus, sched),
        f"ram {ram}",
        f"load {image}",
        f'cmdline "{words}"',
        "vdev pl011",
        *extra,
    )


def hello(name="hello", **options):
    return bare(name, "hello.img", **options)


def puppet(name, number=1, run="", **options):
    """run: commands that it obeys at once, separated by ';'."""
    return bare(name, "puppet.img", words=f"id={number} -- {run}", **options)


def mac_of(number):
    return f"02:00:00:00:10:{number:02x}"


def nic(number, peer="/dev/vdevpeer/lan", loc=0x1B018000, intid=45):
    return (
        f"vdev virtio-net loc {loc:#x} intr gic:{intid} peer {peer} "
        f"mac {mac_of(number)} name eth"
    )


def linux(
    name, number, cpus=1, ram="128M", kernel="d12c", words="", sched=None, extra=None, initrd=None
):
    """A VM with the address 10.0.0.NUMBER on the switch `lan`; number None: without a NIC."""
    address = "" if number is None else f"net0=10.0.0.{number}/24"
    if extra is None:
        extra = [] if number is None else [nic(number)]
    return system(
        name,
        *_cpus(cpus, sched),
        f"ram {ram}",
        f"load {kernel}.Image",
        f"initrd load {initrd or kernel + '.cpio'}",
        f'cmdline "{LINUX_WORDS} name={name} {address} {words}"',
        "vdev pl011",
        *extra,
    )


def files(built, *names):
    """The files of a bundle that configs name: files(built, "puppet.img", "d12c")."""
    found = {}
    for name in names:
        parts = [name] if "." in name else [f"{name}.Image", f"{name}.cpio"]
        found.update({part: built(f"guests/{part}") for part in parts})
    return found


def any_vm(pattern):
    """The pattern at the start of a line, of the VM in focus or of another."""
    return rf"^(?:\[[^\]\s]+\] )?{pattern}"


def expect_puppet(m, number, answer, timeout=60):
    """Waits for a line of this puppet, such as "DIRT .*dirty_words=0$"."""
    return m.expect(any_vm(rf"@@ {number} {answer}"), timeout)


def focus(m, number, name=None):
    """Moves the focus, and waits until it is there."""
    m.escape(str(number))
    m.expect(rf"muntin: console of {name or ''}" if number else r"muntin: .*prompt")


def power_off(m, number, name, timeout=BOOT_TIMEOUT):
    """From its shell."""
    focus(m, number, name)
    m.line("poweroff")
    m.expect(rf"^muntin: {name}: stopped: powered off", timeout)


def expect_all(m, patterns, timeout=60):
    """Waits until each pattern was seen, in whatever order, and as often as it's there; later
    expects go on behind the last."""
    start = m.mark()
    ends = {}
    for pattern in patterns:
        m.rewind(ends.get(pattern, start))
        ends[pattern] = m.expect(pattern, timeout).end()
    m.rewind(max(ends.values()))


def split_lines(text, name):
    """What the VM `name`, out of focus, printed, and what the one in focus did: lists of lines."""
    prefix = f"[{name}] "
    other = [x.removeprefix(prefix) for x in text.split("\n") if x.startswith(prefix)]
    return other, own_lines(text)


def distinct(matches):
    """These lines, without the beginnings of any: what was interrupted and shown again is one."""
    found = set(matches)
    return {x for x in found if not any(y != x and y.startswith(x) for y in found)}


def flood_line(puppet_number, line):
    """What the puppet's `flood` prints as this line."""
    length = 60 - line % 37
    text = "".join(chr(ord("a") + (line + i) % 26) for i in range(length))
    return f"flood {puppet_number} {line:05d} {text}"


def fnv(data):
    """The hash of the puppet's `sink`."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return f"{value:016x}"


def all_matches(text, pattern):
    return re.findall(pattern, text, re.MULTILINE)
