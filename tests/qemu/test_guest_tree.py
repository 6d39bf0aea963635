# SPDX-License-Identifier: MIT
"""The tree that `muntin dtb` prints for a config, given to Linux without Muntin: the machine that
it describes is QEMU's virt board, so a stock kernel must find everything but the vdevs there.
"""

import subprocess

import pytest

CONFIG = """
system solo
ram 256M
cpu
cpu
load d12c.Image
initrd load d12c.cpio
cmdline "quiet cryptomgr.notests nokaslr name=solo then=sh"
vdev pl011
vdev virtio-net name eth0 mac 02:00:00:00:00:01 peer /net/lan
fdt load x.dtbo
"""

OVERLAY = """
/dts-v1/;
/plugin/;
&{/} { sensor { compatible = "test,sensor"; interrupt-parent = <&gic>; uses = <&eth0>; }; };
"""


def board_tree(path, gic):
    """QEMU's own tree of the board that Muntin would be started on."""
    machine = f"virt,virtualization=on,gic-version={gic},dumpdtb={path}"
    command = ["qemu-system-aarch64", "-M", machine, "-cpu", "cortex-a72", "-smp", "2", "-m", "512"]
    subprocess.run(command + ["-nodefaults", "-display", "none"], check=True, capture_output=True)


def guest_tree(built, folder, gic):
    for name in ("d12c.Image", "d12c.cpio"):
        (folder / name).symlink_to(built(f"guests/{name}"))
    (folder / "x.dts").write_text(OVERLAY)
    run(folder, "dtc", "-q", "-@", "-O", "dtb", "-o", "x.dtbo", "x.dts")
    (folder / "solo.qvmconf").write_text(CONFIG)
    board_tree(folder / "board.dtb", gic)
    run(folder, built("muntin"), "dtb", "--board", "board.dtb", "-o", "out.dtb", "solo.qvmconf")
    return folder / "out.dtb"


def run(folder, *command):
    """Runs a command that has to succeed, without a word of complaint."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


@pytest.mark.parametrize("gic", [2, 3])
def test_linux_boots_with_the_tree_alone(machine, built, tmp_path, gic):
    tree = guest_tree(built, tmp_path, gic)
    run(tmp_path, "dtc", "-I", "dtb", "-O", "dts", "-o", "out.dts", tree)
    m = machine(
        how="none",
        el=1,
        gic=gic,
        smp=2,
        mem=256,
        dtb=tree,
        kernel=built("guests/d12c.Image"),
        initrd=built("guests/d12c.cpio"),
    )
    m.expect("@@ SHELL")
    for test in (
        "test $(nproc) = 2",
        "test -e /sys/bus/platform/devices/a000000.virtio_mmio",
        "test -d /proc/device-tree/vdevs/virtio_mmio@a000000",
        "test $(cat /proc/device-tree/sensor/compatible) = test,sensor",
        "grep -q arch_timer /proc/interrupts",
        "grep -q uart-pl011 /proc/interrupts",
    ):
        assert m.run(test) == 0, (test, m.output)
    m.line("poweroff")
    m.expect_exit()
