# SPDX-License-Identifier: MIT
"""`muntin board` on every device tree of Debian's kernels: what Muntin would make of these boards.

No QEMU is needed. All of them are read; a board of each family is looked at closely.
"""

import re
import subprocess
import tarfile

import pytest

PSCI, SPIN_TABLE, FLAGS, NOTHING = "PSCI by SMC", "spin-table", "flags", "no PSCI"

# The console with its interrupt, the GIC's version, CPUs, and what starts them
BOARDS = {
    "d12": {
        "allwinner/sun50i-h6-pine-h64": ("DesignWare, interrupt 32", 2, 4, PSCI),
        "amlogic/meson-g12b-odroid-n2": ("Meson, interrupt 225", 2, 6, PSCI),
        "amlogic/meson-gxl-s905x-libretech-cc": ("Meson, interrupt 225", 2, 4, PSCI),
        "arm/juno-r2": ("PL011, interrupt 115", 2, 6, PSCI),
        "broadcom/bcm2711-rpi-4-b": ("BCM2835 mini, interrupt 125", 2, 4, SPIN_TABLE),
        "freescale/fsl-ls1046a-rdb": ("16550, interrupt 86", 2, 4, NOTHING),
        "freescale/fsl-lx2160a-rdb": ("PL011, interrupt 64", 3, 16, PSCI),
        "freescale/imx8mm-evk": ("i.MX, interrupt 59", 3, 4, PSCI),
        "freescale/imx8mq-evk": ("i.MX, interrupt 0", 3, 4, PSCI),
        "freescale/imx8qxp-mek": ("LPUART, interrupt 257", 3, 4, PSCI),
        "freescale/imx8ulp-evk": ("LPUART, interrupt 132", 3, 2, PSCI),
        "freescale/imx93-11x11-evk": ("LPUART, interrupt 51", 3, 2, PSCI),
        "hisilicon/hi3660-hikey960": ("PL011, interrupt 111", 2, 8, PSCI),
        "marvell/armada-3720-espressobin": ("Armada 3700, interrupt 43", 3, 2, PSCI),
        "marvell/armada-8040-mcbin": ("DesignWare, interrupt 51", 2, 4, PSCI),
        "nvidia/tegra210-p2371-2180": ("16550, interrupt 0", 2, 4, PSCI),
        "renesas/r8a774a1-hihope-rzg2m": ("SCIF, interrupt 196", 2, 6, PSCI),
        "rockchip/rk3399-rockpro64": ("DesignWare, interrupt 132", 3, 6, PSCI),
        "rockchip/rk3568-evb1-v10": ("DesignWare, interrupt 150", 3, 4, PSCI),
        "ti/k3-am625-sk": ("OMAP, interrupt 210", 3, 4, PSCI),
        "ti/k3-am654-base-board": ("OMAP, interrupt 224", 3, 4, PSCI),
        "ti/k3-j721e-sk": ("OMAP, interrupt 224", 3, 2, PSCI),
        "xilinx/zynqmp-zcu102-rev1.0": ("Cadence, interrupt 53", 2, 4, PSCI),
    },
    "d12v7": {
        "imx7d-sdb": ("i.MX, interrupt 0", 2, 2, NOTHING),
        "omap5-uevm": ("OMAP, interrupt 0", 2, 2, NOTHING),
        "sun8i-h3-orangepi-pc": ("DesignWare, interrupt 32", 2, 4, NOTHING),
        "tegra124-jetson-tk1": ("16550, interrupt 0", 2, 4, NOTHING),
        "vexpress-v2p-ca15-tc1": ("PL011, interrupt 37", 2, 2, FLAGS),
    },
}
COUNTS = {"d12": (576, 536, 409), "d12v7": (898, 214, 193)}  # docs/boards.md has them, too


@pytest.fixture(scope="module")
def said(built, tmp_path_factory):
    """said("d12"): what is said of each tree of that kernel, by its name."""
    done = {}

    def run(kernel):
        folder = tmp_path_factory.mktemp(kernel)
        with tarfile.open(built(f"guests/{kernel}.trees.tar")) as archive:
            archive.extractall(folder)
        names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*.dtb"))
        ran = subprocess.run(
            [built("muntin"), "board", *names], cwd=folder, capture_output=True, text=True
        )
        assert ran.returncode == 65 and ran.stderr == ""  # some can't be used; nothing else is wrong
        parts = re.split(r"^(\S+)\.dtb:\n", ran.stdout, flags=re.M)
        assert parts[0] == "" and [f"{n}.dtb" for n in parts[1::2]] == names
        return dict(zip(parts[1::2], parts[2::2], strict=True))

    return lambda kernel: done[kernel] if kernel in done else done.setdefault(kernel, run(kernel))


@pytest.mark.parametrize("kernel", BOARDS)
def test_every_tree_is_understood(said, kernel):
    """Each ends in an answer, and a tree without one says why; as many as docs/boards.md counts."""
    usable = shown = 0
    for name, text in said(kernel).items():
        yes, no = "VMs can start on it" in text, "no VM can start on it" in text
        assert yes != no and text.rstrip().endswith("can start on it"), name
        assert ("error:" in text) == no, name
        usable += yes
        shown += yes and "no UART that has a driver" not in text
    assert (len(said(kernel)), usable, shown) == COUNTS[kernel]


@pytest.mark.parametrize("kernel, name", [(k, n) for k, names in BOARDS.items() for n in names])
def test_board(said, kernel, name):
    uart, gic, cpus, start = BOARDS[kernel][name]
    text = said(kernel)[name]
    assert f"  UART     {uart}\n" in text
    assert f"  GICv{gic}    maintenance interrupt 25, timers' 29 30 27 26\n" in text
    assert len(re.findall(r"^muntin:   CPU  ", text, re.M)) == cpus
    release = re.findall(r"waits at (0x\w+)", text)
    assert f"  firmware: {PSCI if start == PSCI else NOTHING}\n" in text
    assert len(set(release)) == {SPIN_TABLE: cpus, FLAGS: 1}.get(start, 0)
    assert "VMs can start on it" in text and "first that has one" not in text or start == FLAGS
