# SPDX-License-Identifier: MIT
"""The small emulated devices under Debian's own drivers: the clock, the watchdog, the GPIO with the
power button; and what Muntin says of a VM that ended.
"""

import re
import time

import pytest
from lib import vms

BOOT = vms.BOOT_TIMEOUT
BASE = "2024-02-29T12:34:56"  # what the board's clock says
EPOCH = 1709210096


def linux(built, bundle, *extra, kernel="d12c", words="", initrd=None):
    config = vms.linux(
        "linux", None, ram="192M", kernel=kernel, words=words, initrd=initrd, extra=list(extra)
    )
    files = vms.files(built, f"{kernel}.Image", initrd or f"{kernel}.cpio")
    return bundle({"linux.qvmconf": config, **files})


def shell(m):
    m.expect("@@ SHELL", timeout=BOOT)
    m.line("")
    m.expect(r"^linux:/root# ", timeout=BOOT)
    assert not m.seen("@@ .*FAILED|Oops|BUG:|Call trace|PANIC"), m.tail()


def prompt(m, line, answer):
    vms.focus(m, 0)
    m.line(line)
    return m.expect(answer)


def test_clock(machine, bundle, built):
    """Linux takes its time from the PL031, which has it from the board's; an alarm comes; what it
    sets the clock to is still there after a reset. A break on its serial port reaches the kernel.
    """
    start = time.monotonic()
    m = machine(
        bundle=linux(built, bundle, "vdev pl031"),
        smp=1,
        mem=512,
        extra=["-rtc", f"base={BASE},clock=vm"],
    )
    shell(m)
    assert m.run("date -u +%s") == 0
    assert EPOCH <= int(m.output) <= EPOCH + time.monotonic() - start + 1, m.output
    rtc = "/sys/class/rtc/rtc0"
    assert m.run(f"cat {rtc}/name {rtc}/since_epoch") == 0, m.output
    assert "pl031" in m.output
    set_alarm = f"until echo +2 > {rtc}/wakealarm; do true; done"  # refused where it's over by then
    gone = f'until test -z "$(cat {rtc}/wakealarm)"; do usleep 100000; done'
    assert m.run(f"{set_alarm}; {gone}", timeout=60) == 0, m.output
    assert m.run("grep rtc-pl031 /proc/interrupts") == 0, m.output
    assert re.search(r" [1-9]\d* +GIC\S* +34 +Level", m.output), m.output
    m.escape("b")  # a break, and a key: the kernel's own prompt
    m.send("h")
    m.expect("sysrq: HELP : ")
    assert m.run("date -u -s 2030-01-01 && busybox hwclock -u -w") == 0, m.output
    m.line("reboot")
    m.expect("linux: restarts")
    shell(m)
    assert m.run("date -u +%Y") == 0 and m.output.strip() == "2030", m.output
    prompt(m, "vm status linux", r"pl031 at 0x9010000: \d+ s since 1970, set off .* by 18\d+ s$")


def test_watchdog(machine, bundle, built):
    """A watchdog that is refreshed lets the VM live; one that isn't bites after twice its period.
    By counted instructions: it bites nobody who had no time to refresh it."""
    b = linux(
        built,
        bundle,
        "vdev wdt-sp805 frequency 1000000 action dump,terminate",
        "on-watchdog restart",
        "max-restarts 1",
        kernel="d12c",
        initrd="d12c-test.cpio",
    )
    m = machine(bundle=b, smp=1, mem=512, icount=True)
    bite = r"sp805 at 0xa000000 not refreshed for 2\.000 s"
    feed = "modprobe sp805_wdt; busybox watchdog -F -T 2 -t 1 /dev/watchdog & sleep "
    shell(m)
    assert m.run(feed + "4") == 0
    m.line("kill -STOP $!")
    m.expect(r"^muntin: linux: registers of vCPU 0:$", timeout=60)
    m.expect(r"^muntin:   pc 0x[0-9a-f]+ ")
    m.expect(rf"linux: restarts: {bite}$")
    shell(m)
    m.line(feed + "1; kill -STOP $!")
    m.expect(
        rf"linux: stopped: its watchdog bit \(exit code 4\): {bite}; restarted too often$",
        timeout=60,
    )
    m.expect_exit()


@pytest.mark.parametrize("kernel", ["d12c", "d12"])
def test_power_button(machine, bundle, built, kernel):
    """`vm stop` presses the button: an orderly shutdown; by gpio_keys where the kernel has it."""
    m = machine(bundle=linux(built, bundle, "vdev pl061", kernel=kernel), smp=1, mem=512)
    m.expect("^muntin: console of linux")
    prompt(m, "vm stop linux", "linux has its power button pressed, but doesn't listen to it")
    vms.focus(m, 1)
    shell(m)
    prompt(m, "vm status linux", r"power button on line 3, heard; ")
    prompt(m, "vm stop linux", "linux has its power button pressed\\.")
    stopped = r"linux: stopped: powered off \(exit code 0\)$"
    vms.expect_all(m, [r"@@ BUTTON", stopped])
    m.expect_exit()
