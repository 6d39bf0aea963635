# SPDX-License-Identifier: MIT
"""Unmodified guests that are no arm64 kernel started by Muntin: 32-bit Linux, the Debian installer,
and U-Boot, which loads a kernel itself. Each is a folder of guest-configs.
"""

import pytest
from lib import vms
from test_linux import cycle, ping, shells, shipped

BOOT = vms.BOOT_TIMEOUT


def switch_off(m, *names):
    for number, name in enumerate(names, 1):
        vms.power_off(m, number, name)
    m.expect_exit()


def check_linux32(m):
    """In its shell: two CPUs, one of which goes off and on; nothing went wrong; it restarts."""
    assert m.run("uname -m") == 0 and m.output.strip() == "armv7l", m.output
    assert m.run("grep -c ^processor /proc/cpuinfo") == 0 and m.output.strip() == "2"
    assert m.run(cycle(1)) == 0, m.output
    assert m.run("dmesg | grep -iE 'oops|bug:|undefined instr|unhandled'") == 1, m.output
    m.line("reboot")
    m.expect("@@ SHELL", BOOT)
    m.line("")
    ping(m, "10.0.0.1", 3)


def mixed(machine, bundle, built, **options):
    files = vms.files(built, "d12c", "d12v7.zImage", "d12v7.cpio")
    return machine(bundle=bundle({**shipped("mixed-linux"), **files}), smp=2, mem=1024, **options)


@pytest.mark.parametrize("gic, cpu", [(2, "cortex-a53"), (3, "cortex-a72")])
def test_linux32_beside_linux64(machine, bundle, built, gic, cpu):
    """They ping each other; the 32-bit one has two CPUs, sleeps, takes one off and on, restarts."""
    m = mixed(machine, bundle, built, gic=gic, cpu=cpu)
    shells(m, ["arm", "arm64"])
    ping(m, "10.0.0.2")
    vms.focus(m, 1, "arm")
    ping(m, "10.0.0.1")
    check_linux32(m)
    switch_off(m, "arm", "arm64")


def test_linux32_needs_aarch32(machine, bundle, built):
    """A CPU whose EL1 has no AArch32: that VM is refused, the other one runs."""
    m = mixed(machine, bundle, built, cpu="neoverse-n1")
    m.expect(r"arm: not started: its kernel has 32 bits, but this CPU's EL1 can't run such")
    m.expect(vms.any_vm("@@ SHELL"), BOOT)
    vms.focus(m, 2, "arm64")
    m.line("poweroff")
    m.expect_exit()


def test_installer(machine, bundle, built):
    """Debian's installer gets to its first screen, in a VM whose config is the shipped one."""
    names = ["installer.Image", "installer.initrd", "netsvc.img"]
    files = {name: built(f"guests/{name}") for name in names}
    m = machine(bundle=bundle({**shipped("installer"), **files}), smp=2, mem=1024)
    m.expect("Select a language", timeout=240)
    m.expect("English")


def test_uboot_loads_linux(machine, bundle, built):
    """Untouched, one U-Boot boots from its disk, the other from the network: DHCP, TFTP."""
    files = vms.files(built, "u-boot.bin", "netsvc.img", "boot.img", "boot.cpio")
    m = machine(bundle=bundle({**shipped("uboot-linux"), **files}), smp=2, mem=1024)
    for _ in range(2):
        m.expect(vms.any_vm("@@ SHELL"), BOOT)
    for found in (
        r"Found /extlinux/extlinux\.conf",
        r"\[net\] DHCP client bound to address 10\.0\.0\.128",
        r"\[net\] Bytes transferred = \d{7,} ",
    ):
        assert m.seen(found), found
    vms.focus(m, 2, "net")
    m.line("")
    show = "ip addr show eth0 | grep -c 10.0.0.128"  # maybe a while after the shell
    assert m.run(f"until {show} > /dev/null; do usleep 100000; done; hostname; {show}") == 0
    assert m.output.split() == ["net", "1"], m.output
    switch_off(m, "disk", "net", "netsvc")


def test_uboot32_loads_linux(machine, bundle, built):
    """Bytes of 32 bits, which the config says they are: they boot a kernel from their disk."""
    files = vms.files(built, "u-boot32.bin", "boot32.img")
    m = machine(bundle=bundle({**shipped("uboot32"), **files}), mem=512, gic=2, cpu="cortex-a53")
    m.expect("Hit any key to stop autoboot", BOOT)
    m.expect(r"Found /extlinux/extlinux\.conf", BOOT)
    m.expect("@@ SHELL", BOOT)
    m.line("")
    assert m.run("uname -m") == 0 and m.output.strip() == "armv7l", m.output
    switch_off(m, "disk")


@pytest.mark.parametrize("arch, told", [("arm64", "set aarch32 on"), ("arm", "")])
def test_uboot32_has_a_prompt(machine, bundle, built, arch, told):
    """Its console is read: a key stops the countdown, and a command is obeyed. Where all VMs have
    32 bits the config needn't say so."""
    config = f"ram 0x40000000,64M\nrom 0,1M\nload 0,u-boot32.bin\n{told}\nvdev pl011\n"
    files = vms.files(built, "u-boot32.bin")
    cpu = {"arm64": "cortex-a72", "arm": "cortex-a15"}[arch]
    b = bundle({"a.qvmconf": f"system a\n{config}", **files})
    m = machine(bundle=b, arch=arch, mem=256, cpu=cpu)
    m.expect("Hit any key to stop autoboot", BOOT)
    m.line("")
    m.expect(r"=> ")
    m.line("md.l 0x09000fe0 2")
    m.expect(r"09000fe0: 00000011 00000010")
    m.expect(r"=> ")
    m.line("poweroff")
    m.expect_exit()


def test_uboot32_needs_aarch32(machine, bundle, built):
    """The config says 32 bits, the CPU has none at EL1: that VM is refused, the other one runs."""
    files = {**vms.files(built, "u-boot32.bin", "boot32.img"), "hello.img": built("guests/hello.img")}
    files["b.qvmconf"] = vms.hello("b")
    m = machine(bundle=bundle({**shipped("uboot32"), **files}), mem=512, cpu="neoverse-n1")
    m.expect(r"disk: not started: its kernel has 32 bits, but this CPU's EL1 can't run such")
    m.expect(vms.any_vm("@@ hello DONE"))
    m.expect_exit()
