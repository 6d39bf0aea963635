# SPDX-License-Identifier: MIT
"""Stock Debian Linux VMs on Muntin: they boot, see their NIC as configured, reach each other, are
switched off and on one by one, and share CPUs.
"""

import re
import subprocess

import pytest
from lib import vms
from lib.machine import BUILD, ROOT, stretch

BOOT = vms.BOOT_TIMEOUT


def shells(m, names):
    """Waits until each of these VMs, numbered from 1 in bundle order, has a shell."""
    vms.expect_all(m, [vms.any_vm("@@ SHELL")], timeout=BOOT)
    for number, name in enumerate(names, 1):
        vms.focus(m, number, name)
        m.line("")
        m.expect(rf"^{name}:/root# ", timeout=BOOT)
        assert m.run("test $(hostname) = " + name) == 0
    assert not m.seen("@@ .*FAILED|Oops|BUG:|Call trace|PANIC"), m.tail()


def ping(m, address, count=10):
    assert m.run(f"ping -c {count} -i 0.2 -w 60 {address}", timeout=90) == 0, m.output
    assert re.search(rf"\b{count} packets received, 0% packet loss", m.output), m.output


def check_nic(m, number, loc, intid):
    assert m.run("cat /sys/class/net/eth0/address") == 0, m.output
    assert m.output.strip() == vms.mac_of(number)
    assert m.run("readlink -f /sys/class/net/eth0/device/..") == 0
    assert f"{loc:x}." in m.output, m.output
    assert m.run("ls -d /sys/firmware/devicetree/base/vdevs/*") == 0, m.output
    assert f"@{loc:x}" in m.output
    assert m.run("cat /proc/interrupts") == 0
    # Linux shows the INTID in the column of the hardware's number; virtio names its line.
    match = re.search(rf"^ *\d+:([ \d]+?) +GIC\S* +{intid} +Level +virtio", m.output, re.M)
    assert match, m.output
    assert sum(int(n) for n in match[1].split()) > 0, m.output
    assert m.run("cat /sys/class/net/eth0/carrier") == 0 and m.output.strip() == "1"


def send_tcp(m, here, there, address, size, port):
    """From the VM `here` to the VM `there` (number and name), every byte compared."""
    vms.focus(m, *there)
    m.line(f"gtool sink {port} &")
    m.expect("@@ SINK-READY")
    vms.focus(m, *here)
    assert m.run(f"gtool send {address} {port} {size}", timeout=180) == 0, m.output


def cycle(cpu):
    """Takes a CPU off and on. Linux gives one a tenth of a second to go; then it's refused a while."""
    file = f"/sys/devices/system/cpu/cpu{cpu}/online"
    on = f"until echo 1 > {file}; do usleep 200000; done 2> /dev/null"
    return f"echo 0 > {file} && {on} && grep -q 1 {file}"


def pair(built, bundle, cpus=2, kernels=("d12c", "d12c")):
    return bundle(
        {
            "left.qvmconf": vms.linux("left", 1, cpus=cpus, kernel=kernels[0]),
            "right.qvmconf": vms.linux("right", 2, cpus=cpus, kernel=kernels[1]),
            **vms.files(built, *dict.fromkeys(kernels)),
        }
    )


@pytest.mark.parametrize(
    "gic, how, kernels",
    [(3, "bios", ("d12c", "d12c")), (2, "kernel", ("d12c", "d13c"))],
)
def test_two_vms_ping_and_send(machine, bundle, built, gic, how, kernels):
    m = machine(how=how, bundle=pair(built, bundle, kernels=kernels), gic=gic, smp=4, mem=1024)
    shells(m, ["left", "right"])
    ping(m, "10.0.0.1")
    check_nic(m, 2, 0x1B018000, 45)
    assert m.run("grep -c ^processor /proc/cpuinfo") == 0 and m.output.strip() == "2"
    vms.focus(m, 1, "left")
    ping(m, "10.0.0.2")
    check_nic(m, 1, 0x1B018000, 45)
    assert m.run("gtool clock 2", timeout=60) == 0, m.output
    send_tcp(m, (1, "left"), (2, "right"), "10.0.0.2", 8_000_000, 99)
    send_tcp(m, (2, "right"), (1, "left"), "10.0.0.1", 8_000_000, 99)
    for number, name in ((1, "left"), (2, "right")):
        vms.focus(m, number, name)
        assert m.run("dmesg | grep -iE 'error|warn|fail|oops' | grep -vi 'taint'") in (0, 1)
        m.line("poweroff")
        m.expect(rf"^muntin: {name}: stopped: powered off")
    m.expect_exit()


def test_shipped_two_linux(machine, built, tmp_path):
    """What `make run` boots, on the board that it uses."""
    configs = sorted((ROOT / "guest-configs/two-linux").glob("*.qvmconf"))
    assert len(configs) == 2
    out = tmp_path / "two-linux.cpio"
    command = [BUILD / "muntin", "pack", "-o", out, *configs]
    subprocess.run(command, cwd=built("guests/d12c.Image").parent, check=True)
    m = machine(bundle=out)
    names = [re.search(r"^\s*system\s+(\S+)", c.read_text(), re.M)[1] for c in configs]
    shells(m, names)
    address = {}
    for number, name in enumerate(names, 1):
        vms.focus(m, number, name)
        assert m.run("ifconfig eth0") == 0, m.output
        address[name] = re.search(r"inet addr:(\S+)", m.output)[1]
        mac = re.search(r"HWaddr (\S+)", m.output)[1]
        assert mac.lower() in configs[number - 1].read_text().lower()
        assert m.run("grep -c ^processor /proc/cpuinfo") == 0 and m.output.strip() == "2"
    for here, there in ((0, 1), (1, 0)):
        vms.focus(m, here + 1, names[here])
        ping(m, address[names[there]])
    for number, name in enumerate(names, 1):
        vms.power_off(m, number, name)
    m.expect_exit()


def test_founding_line(machine, bundle, built):
    """The vdev line of the founding document, word for word; its switch has no other port."""
    line = (
        "vdev vdev-virtio-net.so loc 0x1b018000 intr gic:45 peer /dev/vdevpeer/vp_lv "
        "mac aa:aa:aa:aa:aa:b1 bind-mode 0660 name agl_to_host"
    )
    b = bundle(
        {"agl.qvmconf": vms.linux("agl", 1, extra=[line]), **vms.files(built, "d12c")}
    )
    m = machine(bundle=b, smp=1, mem=512)
    shells(m, ["agl"])
    assert m.run("cat /sys/class/net/eth0/address") == 0
    assert m.output.strip() == "aa:aa:aa:aa:aa:b1"
    assert m.run("grep virtio /proc/interrupts") == 0
    assert re.search(r"GIC\S* +45 +Level", m.output), m.output
    m.line("poweroff")
    m.expect_exit()


def shipped(system):
    """The configs of a ready-made system, with words that make the kernel boot faster."""
    folder = ROOT / "guest-configs" / system
    texts = {p.name: p.read_text() for p in sorted(folder.glob("*.*conf"))}
    return {
        name: text.replace("console=ttyAMA0", f"console=ttyAMA0 {vms.LINUX_WORDS}")
        for name, text in texts.items()
    }


def two_linux(bundle, built, arch="arm64"):
    """The shipped pair; for arm as `make run ARCH=arm` has it: only the files' names differ."""
    configs = shipped("two-linux")
    if arch == "arm64":
        return bundle({**configs, **vms.files(built, "d12c", "d12c-net.cpio")})
    for name, text in configs.items():
        command = ["sed", "-Ef", ROOT / "guest-configs/linux/armhf.sed"]
        sed = subprocess.run(command, input=text, text=True, capture_output=True, check=True)
        configs[name] = sed.stdout
    return bundle({**configs, **vms.files(built, "d12v7.zImage", "d12v7.cpio")})


def test_private_link(machine, bundle, built):
    """`peer /dev/qvm/SYSTEM/NAME` of two that name each other: no third one reaches them."""
    third = vms.linux("third", 3, extra=[vms.nic(3, peer="/dev/vdevpeer/eth")])
    b = bundle(
        {
            **shipped("private-link"),
            "third.qvmconf": third,
            **vms.files(built, "d12c", "d12c-net.cpio"),
        }
    )
    m = machine(bundle=b, smp=4, mem=1024)
    shells(m, ["left", "right", "third"])
    assert m.run("ping -c 2 -W 1 10.0.0.1", timeout=30) != 0, m.output
    vms.focus(m, 2, "right")
    ping(m, "10.0.0.1")
    vms.focus(m, 1, "left")
    ping(m, "10.0.0.2")
    assert m.run("ping -c 2 -W 1 10.0.0.3", timeout=30) != 0, m.output

    # The cable is unplugged while the far end is off.
    vms.focus(m, 0)
    m.line("vm kill right")
    m.expect(r"^muntin: right: stopped: killed")
    vms.focus(m, 1, "left")
    carrier = "until grep -q {} /sys/class/net/eth0/carrier; do usleep 100000; done"
    assert m.run(carrier.format(0)) == 0, m.output
    vms.focus(m, 0)
    m.line("vm start right")
    m.expect("@@ SHELL", timeout=BOOT)
    vms.focus(m, 1, "left")
    assert m.run(carrier.format(1)) == 0, m.output
    ping(m, "10.0.0.2")


def test_nic_options(machine, bundle, built):
    """Large frames by `mtu`, two switches apart from each other, no frames with a false sender,
    and a driver that is unloaded and loaded again.
    """

    def vm(name, number, second):
        nics = [
            vms.nic(number) + " mtu 9000",
            vms.nic(number + 0x10, f"/dev/vdevpeer/{second}", 0x1B019000, 46).replace(
                "name eth", "name eth1"
            ),
        ]
        words = f"net1=10.0.1.{number}/24"
        return vms.linux(name, number, words=words, extra=nics)

    b = bundle(
        {
            "left.qvmconf": vm("left", 1, "one"),
            "right.qvmconf": vm("right", 2, "other"),
            **vms.files(built, "d12c"),
        }
    )
    m = machine(bundle=b, smp=2, mem=512)
    shells(m, ["left", "right"])
    assert m.run("cat /sys/class/net/eth0/mtu /sys/class/net/eth1/mtu") == 0
    assert m.output.split() == ["9000", "1500"]
    assert m.run("cat /sys/class/net/eth1/address") == 0 and m.output.strip() == vms.mac_of(0x12)
    ping(m, "10.0.0.1")
    assert m.run("ping -c 3 -s 8900 -w 30 10.0.0.1", timeout=60) == 0, m.output
    assert " 0% packet loss" in m.output
    assert m.run("ping -c 2 -W 1 10.0.1.1", timeout=30) != 0, m.output

    change = "ifconfig eth0 down; ifconfig eth0 hw ether {}; ifconfig eth0 up"
    if m.run(change.format("02:00:00:00:99:99")) == 0:
        assert m.run("ping -c 2 -W 1 10.0.0.1", timeout=30) != 0, m.output
    m.run(change.format(vms.mac_of(2)))
    ping(m, "10.0.0.1")

    reload = (
        "rmmod virtio_net && insmod /modules/virtio_net.ko && "
        "ifconfig eth0 10.0.0.2 mtu 9000 up && cat /sys/class/net/eth0/address"
    )
    for _ in range(3):
        assert m.run(reload) == 0, m.output
        assert vms.mac_of(2) in m.output
        ping(m, "10.0.0.1", 3)


def test_uboot_is_a_guest(machine, bundle, built):
    """Debian's U-Boot in a VM finds its NIC and pings the Linux VM; `reset` restarts it."""
    files = vms.files(built, "d12c.Image", "d12c-net.cpio", "u-boot.bin")
    b = bundle({**shipped("uboot"), **files})
    m = machine(bundle=b, smp=2, mem=1024)
    m.expect("^muntin: console of linux")  # from here on it listens
    start = m.mark()
    vms.focus(m, 2, "uboot")
    m.expect("Hit any key")
    m.line("")  # else it looks for something to boot, for a minute
    m.rewind(start)  # Linux on its own CPU may have been there first
    shells(m, ["linux"])
    vms.focus(m, 2, "uboot")
    for _ in range(2):
        m.line("")
        m.expect(r"^=> ")
        m.line("setenv ipaddr 10.0.0.2; setenv netmask 255.255.255.0; ping 10.0.0.1")
        m.expect(r"^host 10\.0\.0\.1 is alive")
        m.line("reset")
        m.expect(r"^U-Boot 20")
        m.expect("Hit any key")


def test_reboot_and_poweroff_concern_one_vm(machine, bundle, built):
    m = machine(bundle=pair(built, bundle), smp=4, mem=1024)
    shells(m, ["left", "right"])
    vms.focus(m, 2, "right")
    m.line("ping -i 0.2 10.0.0.1 > /tmp/ping; true")  # for as long as left is rebooted
    vms.focus(m, 1, "left")
    for _ in range(3):
        m.expect(r"^left:/root# ", timeout=BOOT)
        m.line("")
        m.line("reboot")
        m.expect("@@ SHELL", timeout=BOOT)
        m.line("")
        m.expect(r"^left:/root# ", timeout=BOOT)
        assert m.run("cut -d. -f1 /proc/uptime") == 0
        assert int(m.output) < 60 * 4 * stretch(), m.output
        ping(m, "10.0.0.2", 3)
        m.line("")
    vms.focus(m, 2, "right")
    m.send("\x03")
    m.line("")
    assert m.run("tail -n 2 /tmp/ping") == 0
    assert re.search(r"[1-9]\d* packets received", m.output), m.output
    assert m.run("cut -d. -f1 /proc/uptime") == 0
    starts = vms.all_matches(m.text, r"@@ SHELL cnt=\d+ frq=\d+ ns=\d+$")
    assert len(vms.distinct(starts)) == 2 + 3

    vms.power_off(m, 1, "left")
    vms.focus(m, 2, "right")
    assert m.run("ping -c 2 -W 1 10.0.0.1", timeout=30) != 0  # nobody is there
    assert m.run("gtool clock 1") == 0, m.output
    assert m.process.poll() is None
    m.line("poweroff")
    m.expect_exit()


def test_kernel_panic_restarts_its_vm(machine, bundle, built):
    """panic=1: a kernel that panics asks PSCI for a reset."""
    b = bundle(
        {
            "one.qvmconf": vms.linux("one", None, cpus=2, words="panic=1"),
            **vms.files(built, "d12c"),
        }
    )
    m = machine(bundle=b, smp=2, mem=512)
    shells(m, ["one"])
    m.line("echo c > /proc/sysrq-trigger")
    m.expect("Kernel panic|sysrq: Trigger a crash|@@ INIT", timeout=BOOT)
    m.expect("@@ SHELL", timeout=BOOT)
    m.line("")
    m.expect(r"^one:/root# ", timeout=BOOT)
    m.line("poweroff")
    m.expect_exit()


def test_cpu_off_and_on(machine, bundle, built):
    """CPU hotplug: PSCI CPU_OFF, AFFINITY_INFO, CPU_ON."""
    b = bundle(
        {
            "one.qvmconf": vms.linux("one", None, cpus=4),
            **vms.files(built, "d12c"),
        }
    )
    m = machine(bundle=b, smp=4, mem=512)
    shells(m, ["one"])
    loop = (
        f"for i in 1 2 3 4 5; do for c in 1 2 3; do {cycle('$c')} || exit 9; done; done; "
        "cat /sys/devices/system/cpu/online"
    )
    assert m.run(f"({loop})", timeout=120) == 0, m.output
    assert "0-3" in m.output
    assert m.run("gtool clock 1") == 0, m.output
    m.line("poweroff")
    m.expect_exit()


@pytest.mark.parametrize("gic", [3])
def test_8_vms_on_2_cpus(machine, bundle, built, gic):
    names = [f"linux{i}" for i in range(1, 9)]
    b = bundle({**shipped("eight-linux"), **vms.files(built, "d12c.Image", "d12c-net.cpio")})
    m = machine(bundle=b, gic=gic, smp=2, mem=1536)
    for _ in names:
        m.expect(vms.any_vm("@@ SHELL"), timeout=300)
    for number, name in enumerate(names, 1):
        vms.focus(m, number, name)
        m.line("")
        m.expect(rf"^{name}:/root# ", timeout=BOOT)
        # Lines that differ: two that are equal may be one that was interrupted and shown again.
        ping = "ping -c 2 -i 0.2 -w 30 10.0.0.$i | grep -q ' 0% packet loss' && echo to $i || exit 1"
        assert m.run(f"(for i in 1 2 3 4 5 6 7 8; do {ping}; done)", timeout=90) == 0, m.output
        assert m.output.splitlines() == [f"to {i}" for i in range(1, 9)]
    assert not m.seen("@@ .*FAILED|Oops|BUG:|rcu.*stall|PANIC"), m.tail()
    for number, name in enumerate(names, 1):
        vms.power_off(m, number, name)
    m.expect_exit()


def focus_by_name(m, name):
    """Muntin's prompt reaches also those that no key is left for."""
    vms.focus(m, 0)
    m.line(f"focus {name}")
    m.expect(rf"^muntin: console of {name}")
    m.line("")
    m.expect(rf"^{name}:/root# ", timeout=BOOT)


@pytest.mark.parametrize("gic", [2, 3])
def test_16_vms_of_a_small_kernel(machine, bundle, built, gic):
    names = [f"vm{i:02}" for i in range(1, 17)]
    b = bundle({**shipped("sixteen"), **vms.files(built, "small.Image", "d12c.cpio")})
    m = machine(bundle=b, gic=gic, smp=2, mem=1024)
    for _ in names:
        m.expect(vms.any_vm("@@ SHELL"), timeout=BOOT)
    for number, name in enumerate(names, 1):
        focus_by_name(m, name)
        assert m.run("hostname; uname -r; cat /sys/class/net/eth0/address") == 0
        assert re.fullmatch(rf"{name}\n6\.1\..*-small\n{vms.mac_of(number)}", m.output), m.output
        ping(m, f"10.0.0.{number % 16 + 1}", 2)
    assert not m.seen("@@ .*FAILED|Oops|BUG:|rcu.*stall|PANIC"), m.tail()
    for name in names:
        focus_by_name(m, name)
        m.line("poweroff")
        m.expect(rf"^muntin: {name}: stopped: powered off")
    m.expect_exit()
