# SPDX-License-Identifier: MIT
"""The command line of QEMU, for `make run` and for the tests alike: one place that knows how each
board is started and the ways in which Muntin and its bundle get into it. Starts nothing itself.
"""

import os
import pathlib
from typing import Callable, NamedTuple, Optional, Union

ROOT = pathlib.Path(__file__).resolve().parents[3]
GUESTS = pathlib.Path(os.environ.get("B", ROOT / "build")).resolve() / "guests"
QEMU = os.environ.get("QEMU", "qemu-system-aarch64")

# Where U-Boot finds Muntin and the bundle in RAM, as if it had loaded them from a disk.
UBOOT_IMAGE = 0x42000000
UBOOT_BUNDLE = 0x48000000

# For how="loader": 4 KiB-aligned and no more, with nothing set up but the tree at the start of RAM.
LOADER_IMAGE = 0x47123000

# The exception level at which QEMU's virt board starts the first program.
EL_OPTIONS = {1: "", 2: ",virtualization=on", 3: ",virtualization=on,secure=on"}


class Choice(ValueError):
    """The asked-for combination does not exist."""


def _virt(o):
    return (
        f"virt,gic-version={o['gic']}{EL_OPTIONS[o['el']]}"
        + (",dtb-randomness=off" if o["icount"] else "")
        + (f",{o['machine']}" if o["machine"] else "")
    )


def _sleep(address, cpus):
    """Each of the CPUs from 1 on sleeps in a loop in memory at this address, instead of running
    into exceptions for ever, at the expense of the others. On hardware firmware sees to that."""
    wfi_loop = 0x17FFFFFFD503207F
    loop = ["-device", f"loader,addr={address:#x},data={wfi_loop:#x},data-len=8"]
    for cpu in range(1, cpus + 1):
        loop += ["-device", f"loader,addr={address:#x},cpu-num={cpu}"]
    return tuple(loop)


class Board(NamedTuple):
    """Where the machine's option leaves no choice, the fields are None."""

    machine: Union[str, Callable]
    smp: Optional[int]
    mem: int  # MiB
    cpu: Optional[str] = None
    arch: Optional[str] = "arm64"  # whose muntin.bin it takes; None: either, by the CPU
    dtb: Optional[str] = None  # under build/guests; None: QEMU makes one
    serial: int = 0  # which of its UARTs is the console
    how: str = "kernel"  # the way in, where nothing else is asked for
    extra: tuple = ()


BOARDS = {
    "virt": Board(_virt, cpu="cortex-a72", smp=4, mem=2048, arch=None, how="bios"),
    "vexpress-a15": Board(
        "vexpress-a15,secure=off,virtualization=on",
        smp=2,
        mem=1024,
        arch="arm",
        dtb="vexpress-v2p-ca15-tc1.dtb",
        extra=("-audio", "none"),
    ),
    # Without LPAE, and so without Hyp mode
    "vexpress-a9": Board(
        "vexpress-a9", smp=1, mem=256, cpu="cortex-a9", arch="arm", extra=("-audio", "none")
    ),
    "orangepi-pc": Board(
        "orangepi-pc", smp=4, mem=1024, arch="arm", dtb="sun8i-h3-orangepi-pc.dtb"
    ),
    # RAM of more than 2 GiB is in two places, but QEMU writes one into the tree that it is given.
    "xlnx-zcu102": Board(
        "xlnx-zcu102,virtualization=on",
        smp=4,
        mem=2048,
        dtb="zynqmp-zcu102-rev1.0.dtb",
        extra=("-audio", "none"),
    ),
    "xlnx-versal-virt": Board("xlnx-versal-virt", smp=None, mem=2048),
    "raspi4b": Board("raspi4b", smp=4, mem=2048, dtb="bcm2711-rpi-4-b.dtb", serial=1),
    "imx8mp-evk": Board("imx8mp-evk", smp=4, mem=2048, dtb="imx8mp-evk.dtb", serial=1),
    "ast2700a1-evb": Board(
        "ast2700a1-evb", smp=None, mem=1024, dtb="ast2700.dtb", extra=_sleep(0x10000000, 3)
    ),
    "npcm845-evb": Board("npcm845-evb", smp=None, mem=1024, dtb="npcm845.dtb"),
}

DEFAULTS = {
    "arch": "arm64",
    "board": "virt",
    # None: what the board's row says; or bios | kernel | uboot | loader | card (an SD card's image)
    # | parts | none (nothing of Muntin: a guest alone)
    "how": None,
    "parts": (),  # for how="parts": (address, file) in RAM, as an earlier stage leaves them
    "uart": None,  # which of the board's is the console; None: the one of its row
    "image": None,  # muntin.bin
    "bundle": None,
    "uboot": None,  # u-boot.bin, for how="uboot"
    "append": None,  # command line; only how="kernel" and "none" carry one
    "kernel": None,  # a Linux kernel and its initramfs, for how="none"
    "initrd": None,
    "cpu": None,
    "smp": None,
    "mem": None,
    "gic": 3,
    "el": 2,
    "dtb": None,
    "machine": "",  # more options of it, as -M has them
    "icount": False,  # True: virtual time is the count of instructions, runs repeat exactly
    "extra": (),
}

# With arch="arm" virt is a board of 32 bits. (QEMU gives such a CPU a GICv3, too.)
ARM_VIRT = {"cpu": "cortex-a15", "gic": 2}


def _cpu(name):
    # Older machine types compute pointer authentication with a cipher that is slow to emulate.
    return "max,pauth-impdef=on" if name == "max" else name


def _how_bios(o):
    args = ["-bios", o["image"]]
    if o["bundle"]:
        args += ["-fw_cfg", f"name=opt/muntin/bundle,file={o['bundle']}"]
    return args


def _how_kernel(o):
    args = ["-kernel", o["image"]]
    if o["bundle"]:
        args += ["-initrd", o["bundle"]]
    return args


def _in_ram(path, addr):
    return ["-device", f"loader,file={path},addr={addr:#x},force-raw=on"]


def _how_uboot(o):
    args = ["-bios", o["uboot"]] + _in_ram(o["image"], UBOOT_IMAGE)
    if o["bundle"]:
        args += _in_ram(o["bundle"], UBOOT_BUNDLE)
    return args


def _how_parts(o):
    return [word for address, path in o["parts"] for word in _in_ram(path, address)]


def _how_loader(o):
    args = _in_ram(o["image"], LOADER_IMAGE)
    args += ["-device", f"loader,addr={LOADER_IMAGE:#x},cpu-num=0"]
    if o["bundle"]:
        args += ["-fw_cfg", f"name=opt/muntin/bundle,file={o['bundle']}"]
    return args


def _how_card(o):
    return ["-drive", f"if=sd,format=raw,file={o['image']}"]


def _how_none(o):
    args = ["-kernel", o["kernel"]]
    if o["initrd"]:
        args += ["-initrd", o["initrd"]]
    return args


HOW = {
    "bios": _how_bios,
    "kernel": _how_kernel,
    "uboot": _how_uboot,
    "loader": _how_loader,
    "card": _how_card,
    "parts": _how_parts,
    "none": _how_none,
}


def uboot_boot(arch, bundle_size):
    """The command to type at U-Boot's prompt for how="uboot"."""
    verb = "bootz" if arch == "arm" else "booti"
    initrd = f"{UBOOT_BUNDLE:#x}:{bundle_size:#x}" if bundle_size else "-"
    return f"{verb} {UBOOT_IMAGE:#x} {initrd} ${{fdtcontroladdr}}"


def command(serial, **options):
    """The whole command as a list of strings; serial are the options of the console."""
    unknown = set(options) - set(DEFAULTS)
    if unknown:
        raise Choice(f"unknown option(s) {', '.join(sorted(unknown))}")
    given = {k: v for k, v in options.items() if v is not None}
    name = given.get("board", DEFAULTS["board"])
    if name not in BOARDS:
        raise Choice(f"unknown board '{name}' (known: {', '.join(BOARDS)})")
    board = BOARDS[name]
    if board.arch and given.get("arch", board.arch) != board.arch:
        raise Choice(f"the board '{name}' takes ARCH={board.arch}")
    arm = given.get("arch") == "arm" and not board.arch
    o = {**DEFAULTS, "how": board.how, **(ARM_VIRT if arm else {}), **given}
    if o["how"] not in HOW:
        raise Choice(f"unknown way to start '{o['how']}' (known: {', '.join(HOW)})")
    args = [QEMU, "-M", board.machine(o) if callable(board.machine) else board.machine]
    if o["cpu"] or board.cpu:
        args += ["-cpu", _cpu(o["cpu"] or board.cpu)]
    if o["smp"] or board.smp:
        args += ["-smp", str(o["smp"] or board.smp)]
    args += ["-m", f"{o['mem'] or board.mem}M"]
    args += ["-display", "none", "-nodefaults", "-no-user-config"]
    uart = board.serial if o["uart"] is None else o["uart"]
    args += ["-serial", "null"] * uart + list(serial)
    args += HOW[o["how"]](o)
    if o["append"] is not None:
        if o["how"] not in ("kernel", "none"):
            raise Choice(f"how={o['how']} has no command line")
        args += ["-append", o["append"]]
    if o["how"] not in ("card", "parts") and (o["dtb"] or board.dtb):
        args += ["-dtb", o["dtb"] or GUESTS / board.dtb]
    if o["icount"]:
        # The seed is for what the guest sees of randomness, such as RNDR of -cpu max.
        args += ["-icount", "shift=0,sleep=off", "-rtc", "base=2024-01-01,clock=vm", "-seed", "1"]
    return [str(a) for a in (*args, *board.extra, *o["extra"])]
