# SPDX-License-Identifier: MIT
"""The harness itself: what it counts, what it writes, and that a failure is reported as one."""

import os
import pathlib
import re
import subprocess
import sys
import threading

import pytest
from lib import qemu, vms
from lib.machine import ROOT, ConsoleError, Machine

sys.path.insert(0, str(ROOT / "tests"))
import summary  # noqa: E402

CMOCKA_MIXED = """[==========] Running 3 test(s).
[ RUN      ] first
[       OK ] first
[ RUN      ] second
[  FAILED  ] second
[ RUN      ] third
[  SKIPPED ] third
[==========] 3 test(s) run.
[  SKIPPED ] 1 test(s), listed below:
[  SKIPPED ] third
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] second
"""


@pytest.mark.parametrize(
    "code, text, passed, failed, skipped",
    [
        (1, CMOCKA_MIXED, 1, 1, ["third"]),
        (0, CMOCKA_MIXED, 1, 1, ["third"]),
        (-6, CMOCKA_MIXED[: CMOCKA_MIXED.index("[  FAILED")], 1, 2, []),
        (1, "[==========] Running 1 test(s).\n[ RUN      ] a\n[       OK ] a\n", 1, 1, []),
        (0, "", 0, 1, []),
    ],
)
def test_cmocka_output_is_counted(monkeypatch, code, text, passed, failed, skipped):
    monkeypatch.delenv("CI", raising=False)
    result = summary.count_cmocka(code, text)
    assert (result.passed, result.failed, result.skipped) == (passed, failed, skipped)


def test_a_skip_fails_in_ci(monkeypatch):
    monkeypatch.setenv("CI", "1")
    result = summary.count_cmocka(0, CMOCKA_MIXED)
    assert (result.passed, result.failed, result.skipped) == (1, 2, [])


def test_bundle_is_a_cpio_that_cpio_reads(bundle, tmp_path):
    path = bundle({"a.qvmconf": "system a\n", "dir/kernel": bytes(range(256)) * 33, "empty": b""})
    with path.open("rb") as archive:
        subprocess.run(["cpio", "-id", "--quiet"], stdin=archive, cwd=tmp_path, check=True)
    assert (tmp_path / "a.qvmconf").read_text() == "system a\n"
    assert (tmp_path / "dir/kernel").read_bytes() == bytes(range(256)) * 33
    assert (tmp_path / "empty").read_bytes() == b""


def test_uboot_console_and_what_a_failure_says(machine, built):
    m = machine(how="bios", image=built("guests/u-boot.bin"), smp=1, mem=256)
    m.expect("Hit any key")
    m.line("")
    m.expect("^=> ")
    m.line("echo it''works")
    m.expect("^itworks$")
    with pytest.raises(ConsoleError, match="(?s)passed without.*itworks.*PSTATE=.*EL2"):
        m.expect("this never comes", timeout=0.2)
    m.line("poweroff")
    with pytest.raises(ConsoleError, match=r"QEMU ended \(code 0\) while waiting for"):
        m.expect("nor does this")
    m.expect_exit()


def test_icount_run_repeats_to_the_byte(machine, built):
    texts = []
    for _ in range(2):
        m = machine(
            how="none",
            el=1,
            cpu="max",
            smp=1,
            mem=256,
            kernel=built("guests/d12c.Image"),
            initrd=built("guests/d12c.cpio"),
            append="quiet cryptomgr.notests nokaslr mods=none run=true",
            icount=True,
            serial_file=True,
        )
        m.expect("@@ SHELL cnt=")
        m.expect("@@ RUN-END rc=0")
        m.expect_exit()
        texts.append(m.text)
    assert texts[0] == texts[1]


def test_unknown_options_are_refused():
    with pytest.raises(qemu.Choice, match="smpp"):
        qemu.command([], smpp=2)
    with pytest.raises(qemu.Choice, match="no command line"):
        qemu.command([], how="bios", image="x", append="y")


def test_lines_of_two_vms_are_told_apart():
    """A line in focus that is interrupted and shown again counts once; a torn one is seen."""
    text = "first\nsec\n[b] one\nmuntin: hi\nsecond\n[b] two\nthird\nthird\n"
    assert vms.split_lines(text, "b") == (["one", "two"], ["first", "second", "third", "third", ""])
    assert vms.split_lines("ab\n[b] x\nab\n", "b") == (["x"], ["ab", ""])
    assert vms.split_lines("ab\n[b] x\nd\n", "b") == (["x"], ["ab", "d", ""])
    assert vms.split_lines("a\nab\n", "b") == ([], ["a", "ab", ""])


@pytest.mark.parametrize(
    "text, code, output",
    [
        ("@@ RUN.\none\n\n two\n@@ RC=0.\n", 0, "one\n\n two"),
        ("@@ RUN.\nno newline@@ RC=1.\n", 1, "no newline"),
        ("@@ RUN.\n@@ RC=0.\n", 0, ""),
        ("@@ RUN.\n[b] x\n@@ RUN.\non\n[b] y\none\n@@ RC=1\n[b] z\n@@ RC=127.\n", 127, "one"),
        ("@@ RU\nmuntin: x\n@@ RUN.\none\n[b] y\ntwo\n@@ R\n[b] z\n@@ RC=2.\n", 2, "one\ntwo"),
    ],
)
def test_output_of_a_command_that_others_interrupt(text, code, output):
    m = Machine.__new__(Machine)
    m._text, m._pos, m._grown = text, 0, threading.Condition()
    m._wait = lambda ready, *_: ready()
    m.send = lambda _: None
    assert (m.run("true"), m.output) == (code, output)


@pytest.mark.parametrize("words", [["FAST=-O1"], ["WARN=-w"], ["SMALL=-O1 -g0"]])
def test_objects_are_made_anew_when_their_flags_change(built, words):
    """And only then. What make would do is asked of it, not done."""
    built("arm64/muntin.elf")
    folder = pathlib.Path(os.environ.get("B", "build")) / "arm64"

    def compiled(*more):
        command = ["make", "-n", *more, folder / "muntin.elf"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        out = subprocess.run(
            command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
        ).stdout
        return set(re.findall(r" -c -o (\S+)", out))

    assert not compiled()
    assert compiled(*words) >= {f"{folder}/core/{name}.c.o" for name in ("main", "gmem", "lib/string")}
