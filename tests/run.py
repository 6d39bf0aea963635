#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What `make run` starts: QEMU with Muntin and a bundle, on this terminal.

Says what happens and which keys to press, then hands the terminal over. Every key but Ctrl-A goes
to the board's console, Ctrl-C too.
"""

import argparse
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import termios

sys.path.insert(0, str(pathlib.Path(__file__).parent / "qemu"))

from lib import qemu  # noqa: E402

KEYS = """
  Ctrl-] 1 ... 9   talk to the first ... ninth VM        Ctrl-] 0   Muntin's own prompt
  Ctrl-] n, p      the next, the previous VM             Ctrl-] ?   all keys of Muntin
  Ctrl-A x         leave QEMU at once                    Ctrl-C     goes to the VM

  `poweroff` in each VM ends it; after the last one the board is switched off."""


def arguments():
    p = argparse.ArgumentParser(description="Boot Muntin on an emulated board.")
    p.add_argument("--arch", default="arm64", choices=("arm64", "arm"))
    p.add_argument("--bin", help="Muntin's image (build/ARCH/muntin.bin)")
    p.add_argument("--bundle", default="build/bundle.cpio", help="the configs and their files")
    p.add_argument("--name", default="", help="what the bundle is, for the first screen")
    p.add_argument("--board", default="virt", choices=qemu.BOARDS)
    p.add_argument("--how", choices=("bios", "kernel"), help="way into the board")
    p.add_argument("--cpu", help="QEMU's name of the CPU model")
    p.add_argument("--smp", type=int, help="CPUs")
    p.add_argument("--mem", type=int, help="RAM in MiB")
    p.add_argument("--gic", choices=("2", "3"))
    p.add_argument("--show", action="store_true", help="print the command and start nothing")
    p.add_argument("extra", nargs="*", help="more options for QEMU (after --)")
    args = p.parse_args()
    args.bin = args.bin or f"{os.environ.get('B', 'build')}/{args.arch}/muntin.bin"
    return args


def build_command(args):
    console = ["-chardev", "stdio,id=console,mux=on,signal=off"]
    console += ["-serial", "chardev:console", "-mon", "chardev=console"]
    return qemu.command(
        console,
        arch=args.arch,
        board=args.board,
        how=args.how,
        image=args.bin,
        bundle=args.bundle,
        cpu=args.cpu,
        smp=args.smp,
        mem=args.mem,
        gic=args.gic,
        extra=args.extra,
    )


def check_files(args):
    for path, hint in ((args.bin, "make"), (args.bundle, "make run, or build/muntin pack")):
        if not os.path.isfile(path):
            sys.exit(f"muntin: there is no {path}; it is made by `{hint}`")
    if not shutil.which(qemu.QEMU):
        sys.exit(f"muntin: {qemu.QEMU} is not installed; tests/setup.sh qemu installs it")


def first_screen(args, command):
    what = args.name or args.bundle
    print(f"\nMuntin on QEMU's board '{args.board}', with the VMs of {what}:\n")
    print(f"  {shlex.join(command)}\n{KEYS}\n", flush=True)


def main():
    args = arguments()
    try:
        command = build_command(args)
    except qemu.Choice as e:
        sys.exit(f"muntin: {e}")
    if args.show:
        print(shlex.join(command))
        return 0
    check_files(args)
    first_screen(args, command)
    tty = sys.stdin.isatty()
    saved = termios.tcgetattr(sys.stdin) if tty else None
    # Signals are QEMU's to handle; this process stays to put the terminal right whatever happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = subprocess.call(command)
    finally:
        if tty:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)
    print(f"\nQEMU has ended{'' if code == 0 else f' with code {code}'}.")
    return code


if __name__ == "__main__":
    sys.exit(main())
