# SPDX-License-Identifier: MIT
"""The bare-metal guests of tests/guests under Muntin. Each judges for itself what it sees and says
so in lines "@@ GUEST CASE: PASS|FAIL detail"; here they are given their VMs, and their verdicts
are collected. tests/guests/run-native runs one without Muntin.
"""

import re

import pytest

# Cases that the emulated board spoils, not Muntin: {GIC version or arch: {guest: cases}}.
EMULATOR_FAULTS = {
    # QEMU 10.0: a virtual EOI deactivates the physical PPI, but its line is not looked at again.
    2: {"gic": "level-again"},
    3: {},
    # QEMU 10.0: HCR.TID3 traps nothing on a CPU of ARMv7.
    "arm": {"traps": "id-registers"},
}

MUNTIN_LINES = 200


def arch_of(cpu):
    """Muntin and guests are the 32-bit ones where the CPU is."""
    return "arm" if cpu in ("cortex-a7", "cortex-a15") else "arm64"


def guests_of(cpu):
    return "guests/arm" if arch_of(cpu) == "arm" else "guests"


UART = "vdev pl011 loc 0x09000000 intr gic:33\n"
NIC = "vdev virtio-net loc 0x0a000000 intr gic:48 name eth peer /dev/vdevpeer/lan mac {mac}\n"


def vm(name, cpus, words="", ram=32, nic=None, extra="", image=None):
    """The config of a VM with one vCPU on each of the physical CPUs."""
    places = "".join(f"cpu runmask {c}\n" for c in cpus)
    mac = NIC.format(mac=nic) if nic else ""
    return (
        f"system {name}\nram 0x40000000,{ram}M\n{places}load {image or name}.img\n"
        f'cmdline "{words}"\n{UART}{mac}{extra}'
    )


@pytest.fixture
def start(machine, bundle, built):
    """start({"a": config, ...}, images, ...) starts a machine with these VMs."""

    def go(configs, images, **options):
        arch, folder = arch_of(options.get("cpu")), guests_of(options.get("cpu"))
        files = {f"{name}.qvmconf": text for name, text in configs.items()}
        files.update({f"{i}.img": built(f"{folder}/{i}.img") for i in images})
        return machine(bundle=bundle(files), mem=1024, arch=arch, **options)

    return go


def verdict(m, guest, timeout=120):
    """Waits for the guest's end; it must have passed whatever it ran."""
    done = m.expect(rf"@@ {guest} DONE passed=(\d+) failed=(\d+)", timeout)
    faults = re.findall(rf"@@ {guest} .*(?:FAIL|failed check|PANIC|BAD).*", m.text)
    assert not faults, "\n".join(faults)
    assert int(done.group(1)) > 0 and done.group(2) == "0", done.group(0)


def alone(start, guest, gic, cpu, vcpus, words="", timeout=120, **options):
    """One VM that runs one guest to its end, on as many CPUs as it has vCPUs."""
    spoilt = {**EMULATOR_FAULTS[gic], **EMULATOR_FAULTS.get(arch_of(cpu), {})}.get(guest)
    words += f" skip={spoilt}" if spoilt else ""
    extra = options.pop("extra_config", "")
    ram = options.pop("ram", 32)
    config = vm(guest, range(vcpus), words, ram=ram, nic="02:00:00:00:00:01", extra=extra)
    m = start({guest: config}, [guest], gic=gic, cpu=cpu, smp=vcpus, **options)
    verdict(m, guest, timeout)
    return m


MACHINES = [
    (2, "cortex-a53", 1),
    (3, "cortex-a53", 4),
    (2, "cortex-a72", 8),
    (3, "cortex-a72", 8),
    (3, "cortex-a76", 2),
    (3, "neoverse-n1", 1),
    (2, "max", 4),
    (3, "max", 2),
    (2, "cortex-a7", 1),
    (3, "cortex-a15", 4),
]
FEW = [
    (2, "cortex-a72", 2),
    (3, "cortex-a72", 4),
    (3, "max", 2),
    (2, "cortex-a15", 2),
    (3, "cortex-a7", 4),
]
BOTH_GICS = [(2, "cortex-a72", 2), (3, "max", 2), (2, "cortex-a15", 2)]


@pytest.mark.parametrize("gic, cpu, vcpus", MACHINES)
def test_hello(start, gic, cpu, vcpus):
    m = alone(start, "hello", gic, cpu, vcpus)
    assert m.seen(rf"@@ hello {vcpus} CPUs")
    m.expect_exit()


@pytest.mark.parametrize("gic, cpu, vcpus", [*FEW, (3, "cortex-a53", 1), (2, "cortex-a53", 8)])
def test_psci(start, gic, cpu, vcpus):
    alone(start, "psci", gic, cpu, vcpus).expect_exit()


@pytest.mark.parametrize("gic, cpu", [(3, "cortex-a72"), (2, "cortex-a15")])
def test_psci_off_from_another_cpu(start, gic, cpu):
    alone(start, "psci", gic, cpu, 2, "only=off-on off-cpu=1").expect_exit()


@pytest.mark.parametrize(
    "word, gic, cpu",
    [("reset", 3, "cortex-a72"), ("reset2", 3, "cortex-a72"), ("reset", 2, "cortex-a15")],
)
def test_psci_reset_a_hundred_times(start, word, gic, cpu):
    words, extra = f"only=off-on {word}", "max-restarts 1000\n"
    m = alone(start, "psci", gic, cpu, 2, words, ram=8, extra_config=extra)
    for _ in range(100):
        m.expect("@@ psci RESET", 60)
        m.expect("@@ psci START", 60)
    assert not m.seen("FAIL"), m.tail()


@pytest.mark.parametrize("gic, cpu, vcpus", [*FEW, (2, "cortex-a53", 1), (3, "cortex-a53", 8)])
def test_gic(start, gic, cpu, vcpus):
    alone(start, "gic", gic, cpu, vcpus).expect_exit()


# By counted instructions: how late an interrupt comes then does not depend on what else runs.
@pytest.mark.parametrize("gic, cpu, vcpus", [*FEW, (3, "cortex-a53", 1)])
def test_timer(start, gic, cpu, vcpus):
    alone(
        start, "timer", gic, cpu, vcpus, "late-us=20", icount=True, serial_file=True
    ).expect_exit()


@pytest.mark.parametrize("gic, cpu, vcpus", [*FEW, (2, "cortex-a53", 1), (3, "neoverse-n1", 2)])
def test_traps(start, gic, cpu, vcpus):
    alone(start, "traps", gic, cpu, vcpus).expect_exit()


@pytest.mark.parametrize("gic, cpu, vcpus", BOTH_GICS)
def test_traps_where_holes_abort(start, gic, cpu, vcpus):
    m = alone(
        start, "traps", gic, cpu, vcpus, "hole-policy=fail", extra_config="unsupported reference fail\n"
    )  # fmt: skip
    m.expect_exit()


@pytest.mark.parametrize("gic, cpu, vcpus", BOTH_GICS)
def test_bench_guest_runs(start, gic, cpu, vcpus):
    m = alone(
        start, "bench", gic, cpu, vcpus, ram=256, icount=True, serial_file=True,
        extra_config="set counter-offset 0\n",
    )  # fmt: skip
    assert m.seen("@@ bench row virtio_tx_64 ")
    m.expect_exit()


# By counted instructions, too: then no ping is late.
@pytest.mark.parametrize("gic, cpu", [(2, "cortex-a72"), (3, "max"), (2, "cortex-a15")])
def test_frames_between_vms(start, gic, cpu):
    words = "rounds=100 tick-ms=5 late-ms=1 size-mib=1"
    configs = {
        "echo": vm("echo", [0], "idle-s=1", nic="02:00:00:00:00:01"),
        "victim": vm("victim", [1], words, nic="02:00:00:00:00:02"),
    }
    m = start(configs, configs, gic=gic, cpu=cpu, smp=2, icount=True, serial_file=True)
    verdict(m, "victim")
    assert m.seen(r"@@ victim ok 100, .*ping 100 of 100")
    verdict(m, "echo")
    m.expect_exit()


def beside_victim(start, attacker_words, gic, cpu, smp, places):
    """An attacker with two vCPUs, a victim and its echo; places: their CPUs."""
    attacker, victim, echo = places
    configs = {
        "attack": vm("attack", attacker, attacker_words, nic="02:00:00:00:00:01"),
        "victim": vm("victim", victim, "rounds=0 late-ms=2000 lost=1000000",
                     nic="02:00:00:00:00:02"),
        "echo": vm("echo", echo, "idle-s=3600", nic="02:00:00:00:00:03"),
    }  # fmt: skip
    return start(configs, configs, gic=gic, cpu=cpu, smp=smp)


def check_victim(m):
    """It still lives, hears its echo, and has never seen anything wrong."""
    answered = [int(n) for n in re.findall(r"@@ victim ok .* ping (\d+) of", m.text)]
    # On a busy machine the echo may be the one that does not run for a while.
    for _ in range(100):
        found = m.expect(r"@@ victim ok \d+, .* ping (\d+) of (\d+)")
        if int(found.group(1)) > (answered[-1] if answered else 0):
            break
    else:
        raise AssertionError("no ping comes back any more")
    # The attacker floods the switch now and then; most pings must come through all the same.
    assert int(found.group(1)) * 2 > int(found.group(2)), found.group(0)
    assert not m.seen(r"@@ victim (BAD|.*PANIC|.*FAIL)"), m.tail()
    assert not m.seen(r"(?i)muntin: .*panic"), m.tail()
    # What the attacker can make Muntin print is limited.
    assert len(re.findall(r"^(?:muntin|attack|victim|echo): ", m.text, re.M)) < MUNTIN_LINES


@pytest.mark.parametrize(
    "gic, cpu, seed",
    [
        (2, "cortex-a72", 1),
        (3, "cortex-a53", 2),
        (3, "max", 3),
        (2, "cortex-a15", 6),
        (3, "cortex-a7", 7),
    ],
)
def test_attack_beside_victim(start, gic, cpu, seed):
    m = beside_victim(start, f"seed={seed}", gic, cpu, 4, ([0, 1], [2], [3]))
    m.expect(r"@@ victim ok ")
    verdict(m, "attack", 300)
    check_victim(m)


# One of the attacker's vCPUs shares the victim's CPU, the other that of the echo.
@pytest.mark.parametrize("gic, cpu, seed", [(2, "cortex-a72", 4), (3, "max", 5), (2, "cortex-a15", 8)])
def test_attack_on_the_victims_cpu(start, gic, cpu, seed):
    m = beside_victim(start, f"seed={seed}", gic, cpu, 2, ([0, 1], [0], [1]))
    m.expect(r"@@ victim ok ", 120)
    verdict(m, "attack", 600)
    check_victim(m)


# All of the attacker's CPUs ask for a reset of their VM at once, again and again.
@pytest.mark.parametrize("gic, cpu", [(2, "cortex-a72"), (3, "max"), (2, "cortex-a15")])
def test_attack_by_resets(start, gic, cpu):
    m = beside_victim(start, "only=calls,cpus reset", gic, cpu, 4, ([0, 1], [2], [3]))
    for _ in range(20):
        m.expect(r"@@ attack RESET", 120)
        m.expect(r"@@ attack START", 120)
    assert not m.seen(r"@@ attack .*(PANIC|FAIL)"), m.tail()
    check_victim(m)


def vm32(name, cpus=(0, 0)):
    """The config of a 32-bit VM: RAM where it's linked, and some for high vectors."""
    places = "".join(f"cpu runmask {c}\n" for c in cpus)
    return (
        f"system {name}\nram 0x40000000,16M\nram 0xffff0000,64K\n{places}load traps32.elf\n{UART}"
    )


@pytest.mark.parametrize(
    "arch, gic, cpu",
    [
        ("arm64", 2, "cortex-a72"),
        ("arm64", 3, "cortex-a53"),
        ("arm", 2, "cortex-a7"),
        ("arm", 2, "cortex-a15"),
    ],
)
def test_traps32(machine, bundle, built, arch, gic, cpu):
    """Two of them share a CPU, so each finds its banked registers as they were."""
    files = {"a.qvmconf": vm32("a"), "b.qvmconf": vm32("b")}
    files["traps32.elf"] = built("guests/traps32.elf")
    m = machine(bundle=bundle(files), arch=arch, gic=gic, cpu=cpu, smp=1, mem=256)
    for _ in range(2):
        m.expect(r"@@ traps32 DONE passed=11 failed=0$", 60)
    assert not m.seen("FAIL|failed check"), m.tail()
    m.expect_exit()
