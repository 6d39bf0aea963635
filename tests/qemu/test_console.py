# SPDX-License-Identifier: MIT
"""The console that Muntin and its VMs share: who is shown how, who gets what is typed, what
Muntin's own prompt does. The guests are puppets (tests/guests/puppet).
"""

import random
import re
import time

import pytest
from lib import vms


@pytest.fixture
def two(machine, bundle, built):
    """Two puppets, "one" and "two", the first in focus."""

    def start(run="", **options):
        b = bundle(
            {
                "one.qvmconf": vms.puppet("one", 1, run),
                "two.qvmconf": vms.puppet("two", 2, run),
                **vms.files(built, "puppet.img"),
            }
        )
        m = machine(bundle=b, **{"smp": 2, "mem": 512, **options})
        vms.expect_all(m, [vms.any_vm("@@ 1 UP"), vms.any_vm("@@ 2 UP")])
        vms.focus(m, 1, "one")
        return m

    return start


def prompt(m, command, answer, timeout=20):
    """A command at Muntin's prompt, which has the focus; gives the match of its answer."""
    m.line(command)
    return m.expect(answer, timeout)


def starts(m, number):
    """How often this puppet has come up."""
    return len(vms.distinct(vms.all_matches(m.text, rf"@@ {number} UP .*counter=\d+$")))


def out_of_focus(m, number, lines=()):
    """The puppet in focus obeys these lines when the other one has the focus.

    Before that it sleeps, which may be too short on a busy machine: then all is done anew. What it
    says of its lines comes behind m.mark().
    """
    name, other = ("one", 2) if number == 1 else ("two", 1)
    for ms in (700, 3000, 12000, 48000):
        start = m.mark()
        for line in (f"sleep {ms}000 1", *lines):
            m.line(line)
        vms.focus(m, other)
        moved = m.mark()
        m.rewind(start)
        if m.expect(rf"@@ {number} SLEPT .*$").start() > moved:
            assert m.text[moved : m.mark()].split("\n")[-1].startswith(f"[{name}] @@ "), m.tail()
            return
        vms.focus(m, number)
    raise AssertionError("the focus never moves in time")


def test_focus_decides_prefix_and_input(two):
    m = two()
    m.line("echo first")
    m.expect(r"^@@ 1 ECHO first$")
    vms.focus(m, 2, "two")
    m.line("echo second")
    m.expect(r"^@@ 2 ECHO second$")
    out_of_focus(m, 2)
    m.line("echo third")
    m.expect(r"^@@ 1 ECHO third$")
    for name, number, words in (("one", 1, ["first", "third"]), ("two", 2, ["second"])):
        got = re.findall(rf"^(?:\[{name}\] )?@@ {number} ECHO (.*)$", m.text, re.M)
        assert got == words


def test_keys_move_the_focus(two):
    m = two()
    m.escape("n")
    m.expect("muntin: console of two")
    m.escape("p")
    m.expect("muntin: console of one")
    m.escape("0")
    m.expect("muntin: .*prompt")
    m.escape("n")
    m.expect("muntin: console of one")
    m.escape("9")
    m.expect("muntin: .*no VM 9")
    m.escape("?")
    m.expect("muntin: .*keys")
    m.expect("muntin: .*one.*here you are")
    m.expect("muntin: .*two")
    m.line("echo still here")
    m.expect(r"^@@ 1 ECHO still here$")


def test_escape_twice_goes_through(two):
    m = two()
    m.line("sink 3")
    m.expect("@@ 1 SINK-READY")
    m.send("a\x1d\x1db")
    assert m.expect(r"@@ 1 SUNK bytes=3 hash=(\w{16})$")[1] == vms.fnv(b"a\x1db")


def test_paste_of_4_kib_arrives(two):
    m = two()
    data = bytes(random.Random(1).choices(b"abcdefghijklmnopqrstuvwxyz 0123456789", k=4096))
    m.line("sink 4096")
    m.expect("@@ 1 SINK-READY")
    m.send(data.decode())
    match = m.expect(r"@@ 1 SUNK bytes=4096 hash=(\w{16})$", timeout=120)
    assert match[1] == vms.fnv(data)
    assert not m.seen("dropped"), m.tail()


def test_paste_while_the_guest_is_busy(two):
    """The guest takes nothing for a while; what was typed meanwhile waits for it. (Not for 2 s:
    then Muntin drops it.)"""
    m = two()
    data = bytes(range(32, 127)) * 30
    m.line("spin 300")
    m.expect("@@ 1 SPIN ")
    m.line("sink 2850")
    m.send(data.decode())
    match = m.expect(r"@@ 1 SUNK bytes=2850 hash=(\w{16})$", timeout=120)
    assert match[1] == vms.fnv(data)


def test_deaf_guest_does_not_lock_the_user_in(two):
    """A guest that never takes its input: the escape key works even so, after a while."""
    m = two()
    m.line("spin 0")
    m.expect("@@ 1 SPIN ")
    m.send("x" * 4000)
    m.expect("muntin: warning: one takes no input", timeout=60)
    vms.focus(m, 2, "two")
    m.line("echo out again")
    m.expect(r"^@@ 2 ECHO out again$")


FLOOD_LINES = 400


def check_flood(lines, number):
    """All lines of the puppet's flood are there, whole, once, in order, and nothing like them.

    A line of a VM out of focus that is silent for a second in its middle is shown as far as it is.
    On a busy machine that may happen to a flood; its bytes are all there even so.
    """
    expected = [vms.flood_line(number, i) for i in range(FLOOD_LINES)]
    got = []
    torn = 0
    for line in lines:
        if got and got[-1] not in expected and expected[len(got) - 1].startswith(got[-1] + line):
            got[-1] += line
            torn += 1
        elif re.match(r"fl?o?o?d?$|flood |[a-z\d]{20}", line):
            got.append(line)
    assert got == expected
    assert torn <= 2


def test_flood_of_two_vms_loses_and_mixes_nothing(two):
    """The focus changes in the middle, maybe of a line: its end is shown with the prefix."""
    m = two()
    m.line(f"flood {FLOOD_LINES}")
    m.expect(r"^flood 1 00003 ")
    vms.focus(m, 2, "two")
    m.line(f"flood {FLOOD_LINES}")
    vms.expect_all(m, [vms.any_vm("@@ 1 FLOODED"), vms.any_vm("@@ 2 FLOODED")], timeout=120)
    time.sleep(0.5)  # the rest of what is shown again
    before, after = m.text.split("muntin: console of two", 1)
    _, first = vms.split_lines(before.rstrip("\n"), "two")
    rest, second = vms.split_lines(after, "one")
    check_flood(second, 2)
    if not any(first[-1] == vms.flood_line(1, i) for i in range(FLOOD_LINES)):
        rest[0] = first.pop() + rest[0]
    check_flood(first + rest, 1)


def test_flood_with_fixed_focus(machine, bundle, built):
    """Both flood from their first instructions on; "one" has the focus then."""
    b = bundle(
        {
            "one.qvmconf": vms.puppet("one", 1, f"sleep 500000 1; flood {FLOOD_LINES}"),
            "two.qvmconf": vms.puppet("two", 2, f"sleep 500000 1; flood {FLOOD_LINES}"),
            **vms.files(built, "puppet.img"),
        }
    )
    m = machine(bundle=b, smp=2, mem=512)
    vms.expect_all(m, [vms.any_vm("@@ 1 UP"), vms.any_vm("@@ 2 UP")])
    vms.focus(m, 2, "two")
    start = m.mark()
    vms.expect_all(m, [r"^\[one\] @@ 1 FLOODED", "^@@ 2 FLOODED"], timeout=120)
    time.sleep(0.5)  # the rest of what is shown again
    other, focused = vms.split_lines(m.text[start:], "one")
    check_flood(other, 1)
    check_flood(focused, 2)


def test_unfocused_control_bytes_are_harmless(two):
    """A VM out of focus can neither clear the screen nor pretend to be Muntin or another VM."""
    m = two()
    m.line(r"raw ^[[2J^mmuntin: fake^j[two] fake^j")
    vms.focus(m, 2, "two")
    m.line("sleep 1000 1")
    vms.focus(m, 1, "one")
    forge = r"raw ^[[2Jgone^mmuntin: forged^j[two] forged^j^G^H^K^L^N.^j"
    out_of_focus(m, 1, [forge, "echo end"])
    start = m.mark()
    m.expect(r"^\[one\] @@ 1 ECHO end")
    text = m.text[start:]
    forged = [line for line in text.splitlines() if "forged" in line]
    assert forged and all(line.startswith("[one] ") for line in forged), forged
    shown = text[text.index("forged") :]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", shown.replace("\n", "")), repr(shown)


def test_unfinished_line_shows_up(two):
    """A prompt without newline, of a VM out of focus, is shown all the same."""
    m = two()
    out_of_focus(m, 1, ["raw login: "])
    m.expect(r"^\[one\] login: ?$", timeout=30)


def test_prompt_help_and_errors(two):
    m = two()
    vms.focus(m, 0)
    m.line("help")
    commands = [f"vm {verb}" for verb in ("list", "status", "start", "stop", "kill", "reset")]
    vms.expect_all(m, [rf"^  {c} .*\w" for c in [*commands, "help", "focus", "net show", "log"]])
    prompt(m, "nonsense", r"^'nonsense' is no command; `help`")
    prompt(m, "vm status nobody", r"^no VM is called 'nobody': one, two$")
    prompt(m, "vm", r"^'vm' is no command; there are: vm list, ")
    prompt(m, "vm reset", r"^usage: vm reset NAME$")
    prompt(m, "focus nobody", r"'nobody'.*one, two$")


def test_prompt_shows_vms(two):
    m = two()
    vms.focus(m, 0)
    m.line("vm list")
    m.expect(r"^ *one +running +1 vCPUs?, 16 MiB, console 1$")
    m.expect(r"^ *two +running +1 vCPUs?, 16 MiB, console 2$")
    m.line("vm status one")
    m.expect(r"^ *vCPU 0 on CPU \d: .*\d+ exits")
    m.line("log 200")
    m.expect(r"^muntin: Muntin \d")
    m.expect(r"^muntin: keys: ")
    prompt(m, "vm dump one", r"(?i)\bpc\b")


def test_prompt_edits_its_line(two):
    m = two()
    vms.focus(m, 0)
    m.send("vm lisx\x7ft\r")
    m.expect(r"^ *one +running")


def test_prompt_focus_by_name(two):
    m = two()
    vms.focus(m, 0)
    m.line("focus two")
    m.expect("muntin: console of two")
    m.line("echo by name")
    m.expect(r"^@@ 2 ECHO by name$")


def test_prompt_stops_and_starts_one_vm(two):
    m = two()
    vms.focus(m, 0)
    prompt(m, "vm stop one", r"^one can't be asked to stop: .*vm kill one")
    for _ in range(2):
        prompt(m, "vm kill one", r"^muntin: one: stopped: killed")
        prompt(m, "vm list", r"^ *one +stopped .*killed")
        m.expect(r"^ *two +running")
        prompt(m, "vm stop one", r"^one is stopped already")
        m.line("vm start one")
        vms.expect_puppet(m, 1, "UP ")
    prompt(m, "vm start one", r"^one can't be started: it's running")
    prompt(m, "vm list", r"^ *one +running")
    vms.focus(m, 2, "two")
    m.line("hello")
    ticks = int(m.expect(r"^@@ 2 HELLO ticks=(\d+)")[1])
    assert ticks > 0
    assert starts(m, 2) == 1


def test_prompt_resets_one_vm(two):
    m = two()
    m.line("sleep 1000 1")
    m.expect("@@ 1 SLEPT")
    vms.focus(m, 0)
    m.line("vm reset one")
    vms.expect_puppet(m, 1, "UP ")
    prompt(m, "vm list", r"^ *one +running")
    assert starts(m, 1) == 2
    assert starts(m, 2) == 1


def test_vm_that_spins_can_be_stopped(two):
    """Interrupts masked, no trap: only Muntin's own kick gets the CPU out of the guest."""
    m = two()
    m.line("spin 0")
    m.expect("@@ 1 SPIN ")
    vms.focus(m, 0)
    prompt(m, "vm kill one", r"^muntin: one: stopped: killed")
    m.line("vm start one")
    vms.expect_puppet(m, 1, "UP ")


def test_last_vm_off_ends_qemu(two):
    m = two()
    m.line("off")
    m.expect(r"^muntin: one: stopped: powered off")
    m.quiet(1, "powering off")
    assert m.process.poll() is None
    vms.focus(m, 2, "two")
    m.line("off")
    m.expect(r"^muntin: two: stopped: powered off")
    m.expect(r"muntin: no VM runs any more: powering off")
    m.expect_exit()


def test_boot_arguments_stay_and_escape(machine, bundle, built):
    b = bundle({"one.qvmconf": vms.puppet("one"), **vms.files(built, "puppet.img")})
    m = machine(how="kernel", append="stay escape=^A", bundle=b, smp=1, mem=512)
    vms.expect_puppet(m, 1, "UP ")
    assert m.seen("Ctrl-A"), m.tail()
    m.send("\x011")
    m.expect("muntin: console of one")
    m.line("off")
    m.expect(r"^muntin: one: stopped: powered off")
    m.quiet(1, "powering off")
    m.send("\x010")
    m.expect("muntin: .*prompt")
    m.line("vm start one")
    vms.expect_puppet(m, 1, "UP ")


@pytest.mark.parametrize("gic", [2, 3])
def test_100_restarts_in_a_row(machine, bundle, built, gic):
    """The other VM keeps running, nothing leaks: the 100th start finds what the first one did."""
    b = bundle(
        {
            "one.qvmconf": vms.puppet("one", 1, "dirty", cpus=2, extra=["max-restarts 1000"]),
            "two.qvmconf": vms.puppet("two", 2),
            **vms.files(built, "puppet.img"),
        }
    )
    m = machine(bundle=b, smp=2, mem=512, gic=gic)
    for _ in range(100):
        vms.expect_puppet(m, 1, r"DIRT .* dirty_words=0$")
        vms.focus(m, 1, "one")
        m.line("cpus")
        m.expect(r"^@@ 1 CPUS up=2 of=2$")
        m.line("reset")
    vms.expect_puppet(m, 1, r"DIRT .* dirty_words=0$")
    vms.focus(m, 2, "two")
    m.line("hello")
    m.expect("^@@ 2 HELLO")
    assert starts(m, 2) == 1
