# SPDX-License-Identifier: MIT
"""Boards other than virt: guest-configs/two-linux on each, from power-on to ping and off again.

A board is a row below and one in lib/qemu.py; what happens is the same for all.
"""

import re
import struct
import subprocess
from typing import NamedTuple

import pytest
from lib import qemu, vms
from lib.machine import BUILD
from test_linux import ping, shells, two_linux

BOOT = 2 * vms.BOOT_TIMEOUT  # most have slower CPUs than virt, and more of them


class Row(NamedTuple):
    board: str
    first: str  # the line of the first screen that names it
    cpus: int  # that Muntin starts
    powers_off: bool = True  # else a line says that it can't be, and it halts


ROWS = [
    Row("orangepi-pc", "Xunlong Orange Pi PC, 4 CPUs, 1024 MiB RAM, GICv2", 4),
    Row("vexpress-a15", "V2P-CA15, 2 CPUs, 1024 MiB RAM, GICv2", 2, powers_off=False),
    Row("xlnx-zcu102", "ZynqMP ZCU102 Rev1.0, 4 CPUs, 2048 MiB RAM, GICv2", 4),
    Row(
        "xlnx-versal-virt",
        "Xilinx Versal Virtual development board, 2 CPUs, 2048 MiB RAM, GICv3",
        2,
    ),
    Row("raspi4b", "Raspberry Pi 4 Model B, 4 CPUs, 960 MiB RAM, GICv2", 4, powers_off=False),
    Row("ast2700a1-evb", "AST2700 EVB, 1 CPU, 1024 MiB RAM, GICv3", 1, powers_off=False),
]


def switch_off(m, powers_off):
    for number, name in enumerate(["alpha", "beta"], 1):
        vms.power_off(m, number, name, BOOT)
    if powers_off:
        m.expect_exit()
    else:
        m.expect(r"^muntin: error: the board can't be switched off: halted$")
    assert not m.seen("PANIC"), m.tail()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.board)
def test_two_linux(machine, bundle, built, row):
    arch = qemu.BOARDS[row.board].arch
    m = machine(
        image=BUILD / arch / "muntin.bin",
        bundle=two_linux(bundle, built, arch),
        board=row.board,
    )
    m.expect(f"^muntin: {re.escape(row.first)}$")
    shells(m, ["alpha", "beta"])
    ping(m, "10.0.0.1", 5)
    m.escape("0")
    m.line("vm status")
    vms.expect_all(m, [rf"vCPU \d on CPU {cpu}: (runs|waits)" for cpu in range(row.cpus)])
    switch_off(m, row.powers_off)


def sd_card(path, parts):
    """A card with each of these files from a sector on; gives U-Boot's commands that read those
    that have an address."""
    commands = []
    with open(path, "wb") as card:
        card.truncate(64 << 20)  # QEMU wants a power of two
        for sector, address, file in parts:
            data = file.read_bytes()
            card.seek(sector * 512)
            card.write(data)
            if address:
                commands.append(f"mmc read {address:#x} {sector:#x} {-(-len(data) // 512):#x}")
    return commands


def test_sd_card(machine, bundle, built, tmp_path):
    """Orange Pi PC as one has it on the table: Debian's U-Boot, unchanged, on an SD card. It
    brings up the memory, stays resident as PSCI, and starts Muntin in Hyp mode by bootz."""
    configs = two_linux(bundle, built, "arm")
    commands = sd_card(
        tmp_path / "card.img",
        [
            (16, 0, built("guests/u-boot-sunxi.bin")),
            (0x2000, 0x42000000, BUILD / "arm/muntin.bin"),
            (0x4000, 0x43000000, built("guests/sun8i-h3-orangepi-pc.dtb")),
            (0x8000, 0x44000000, configs),
        ],
    )
    m = machine(image=tmp_path / "card.img", board="orangepi-pc", how="card")
    m.expect("Hit any key to stop autoboot")
    m.line("")
    for command in commands:
        m.expect("^=> ")
        m.line(command)
        m.expect("blocks read: OK$")
    m.expect("^=> ")
    m.line(f"bootz 0x42000000 0x44000000:{configs.stat().st_size:#x} 0x43000000")
    m.expect("^muntin: Xunlong Orange Pi PC, 4 CPUs, 1024 MiB RAM, GICv2$")
    shells(m, ["alpha", "beta"])
    ping(m, "10.0.0.1", 3)
    assert not m.seen("did not start"), m.tail()
    switch_off(m, powers_off=False)


def test_tfa(machine, bundle, built, tmp_path):
    """Raspberry Pi 4 with Debian's Trusted Firmware-A at EL3, unchanged: it is at 0, where CPUs
    start, with the words in which the board's own firmware tells it where tree and kernel are. It
    writes PSCI and its console into the tree, and enters Muntin with every interrupt in group 1."""
    configs = two_linux(bundle, built, "arm64")
    tree, kernel, ramdisk = 0x2EFF0000, 0x00200000, 0x08000000
    board = tmp_path / "board.dtb"
    board.write_bytes(built("guests/bcm2711-rpi-4-b.dtb").read_bytes())
    for node, name, *value in (
        ("/memory@0", "reg", 0, 0, 0x3B400000),
        ("/chosen", "linux,initrd-start", 0, ramdisk),
        ("/chosen", "linux,initrd-end", 0, ramdisk + configs.stat().st_size),
    ):
        subprocess.run(
            ["fdtput", "-t", "x", board, node, name, *(f"{v:x}" for v in value)], check=True
        )
    firmware = bytearray(built("guests/bl31-rpi4.bin").read_bytes())
    struct.pack_into("<4I", firmware, 0xF0, 0, 0, tree, kernel)
    (tmp_path / "bl31.bin").write_bytes(firmware)
    m = machine(
        board="raspi4b",
        how="parts",
        uart=0,  # what no pins are switched to the mini UART for
        parts=[
            (0, tmp_path / "bl31.bin"),
            (kernel, BUILD / "arm64/muntin.bin"),
            (tree, board),
            (ramdisk, configs),
        ],
    )
    m.expect("^NOTICE:  BL31: v2")
    m.expect("^muntin: Raspberry Pi 4 Model B, 4 CPUs, 948 MiB RAM, GICv2$")
    shells(m, ["alpha", "beta"])
    ping(m, "10.0.0.1", 3)
    assert not m.seen("did not start"), m.tail()
    switch_off(m, powers_off=True)
