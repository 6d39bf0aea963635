# SPDX-License-Identifier: MIT
"""What docs/ tell people to type, held against what is really there. Nothing is started."""

import os
import re
import shlex
import subprocess

import pytest
from lib import qemu
from lib.machine import ROOT

BOARDS = (ROOT / "docs/boards.md").read_text()
COMMANDS = re.findall(r"^```\n(qemu-system-aarch64 .*?)^```", BOARDS, re.M | re.S)


def options(words):
    """Those of QEMU's that say what the board is and what runs on it."""
    told = {"-M", "-smp", "-m", "-kernel", "-initrd", "-dtb"}
    pairs = zip(words, words[1:])
    return {option: value.removesuffix("M") for option, value in pairs if option in told}


def board_of(command):
    return re.search(r"-M ([^ ,]+)", command).group(1)


@pytest.mark.parametrize("command", COMMANDS, ids=board_of)
def test_commands_of_boards_are_those_of_make_run(command):
    words = shlex.split(command.replace("\\\n", " "))
    name = board_of(command)
    arch = qemu.BOARDS[name].arch
    real = qemu.command(
        ["-serial", "stdio"],
        board=name,
        image=f"build/{arch}/muntin.bin",
        bundle=f"build/{arch}/two-linux.cpio",  # $(BUNDLE) of the Makefile
    )
    wanted = {k: v.replace(f"{qemu.GUESTS}", "build/guests") for k, v in options(real).items()}
    told = options(words)
    told["-m"] = str(int(told["-m"][:-1]) * 1024) if told["-m"].endswith("G") else told["-m"]
    assert told == wanted
    serials = [value for option, value in zip(words, words[1:]) if option == "-serial"]
    assert len(serials or ["stdio"]) == qemu.BOARDS[name].serial + 1


def test_every_board_has_its_command():
    assert {board_of(c) for c in COMMANDS} == set(qemu.BOARDS) - {
        "virt",  # `make run`
        "vexpress-a9",  # has no Hyp mode
        "npcm845-evb",  # is refused
    }


SYSTEMS = sorted(p.name for p in (ROOT / "guest-configs").iterdir() if [*p.glob("**/*.qvmconf")])
DOCUMENTS = [ROOT / "README.md", ROOT / "guest-configs/README.md", *sorted(ROOT.glob("docs/*.md"))]
# What stands for a name of the reader's has a part in capitals: NAME, BOARD, FOLDER.
OPTIONAL = ["tests/hardware.txt"]
FOLDERS = "core|arch|vdev|fdt|tests|guest-configs|docs"


def test_every_system_is_in_the_list():
    """guest-configs/README.md: what is there, and how to start it."""
    text = (ROOT / "guest-configs/README.md").read_text()
    told = re.findall(r"^\| \[`([\w-]+)`\]", text, re.M)
    assert told == SYSTEMS


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_what_documents_name_is_there(path):
    text = path.read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (path.parent / target).exists(), target
    for system in re.findall(r"SYSTEM=([a-z][\w-]*)", text):
        assert system in SYSTEMS, system
    for name in re.findall(rf"`((?:{FOLDERS})/[\w./-]+\.\w+)`", text):
        unnamed = re.search("[A-Z]{4}", name) or name in OPTIONAL
        assert unnamed or (ROOT / name).exists(), name
    for test in re.findall(r"`(?:tests/qemu/)?(test_\w+\.py)`", text):
        assert (ROOT / "tests/qemu" / test).exists(), test


@pytest.mark.parametrize(
    "words, message",
    [
        (["SYSTEM=frob"], "there is no SYSTEM=frob, but: " + " ".join(SYSTEMS)),
        (["SYSTEM=linux"], "there is no SYSTEM=linux, but: "),  # a folder, but no system
        (["SYSTEM=gateway", "BOARD=raspi4b"], "SYSTEM=gateway is for BOARD=virt xlnx-versal-virt"),
        (["ARCH=riscv"], "there is no ARCH=riscv: arm64 or arm"),
    ],
)
def test_make_says_what_there_is(words, message):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    done = subprocess.run(
        ["make", "-n", "run", *words], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 2 and message in done.stderr
