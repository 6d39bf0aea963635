# SPDX-License-Identifier: MIT
"""What a hostile VM can do to the network of its neighbours: tests/guests/load keeps requests to
tests/guests/echo under way while tests/guests/flood attacks.

By counted instructions. Time is what all CPUs execute together, in turns: before it attacks, the
attacker's CPUs spin, so that they take as much of it as they do later. A turn lasts until the next
timer of the board; one that nobody sees (TURNS) makes turns short, as if CPUs ran side by side.
"""

import re

import pytest
from lib import vms

FROM, AT = 100, 150  # ms: the first phase, without the attack, and the second, with it
TURNS = (
    "-netdev", "hubport,id=turns,hubid=0",
    "-object", "filter-buffer,id=turn,netdev=turns,interval=20",
)  # fmt: skip
LOAD, ECHO, FLOOD = "0x020000000001", "0x020000000002", "0x020000000003"


def mac(number):
    return ":".join(number[2 + i : 4 + i] for i in range(0, 12, 2))


def vm(name, cpus, number, words, nic=""):
    extra = [
        "set counter-offset 0",
        f"vdev virtio-net peer /dev/vdevpeer/lan mac {mac(number)} name eth {nic}",
    ]
    return vms.bare(name, f"{name}.img", cpus=cpus, words=words, extra=extra)


@pytest.fixture
def attacked(machine, bundle, built):
    """attacked("unicast", ...) runs such an attack and gives what load and flood say of it."""

    def run(
        attack, *, places=([0], [1], [2, 3]), ms=50, words="", load="", nic="", own="",
        base=AT - FROM, victim=LOAD,
    ):  # fmt: skip
        at, end = FROM + base, FROM + base + ms
        times = f"from-ms={FROM} at-ms={at} end-ms={end}"
        configs = {
            "load": vm("load", places[0], LOAD, f"{times} peer={ECHO} {load}", nic),
            "echo": vm("echo", places[1], ECHO, "idle-s=1", nic),
            "flood": vm(
                "flood", places[2], FLOOD,
                f"{times} attack={attack} victim={victim} other={LOAD if victim == ECHO else ECHO} "
                + words, own,
            ),
        }  # fmt: skip
        files = {f"{n}.qvmconf": c for n, c in configs.items()}
        b = bundle(files | vms.files(built, *(f"{n}.img" for n in configs)))
        m = machine(
            bundle=b, smp=1 + max(sum(places, [])), mem=512, icount=True,
            serial_file=True, extra=TURNS,
        )  # fmt: skip
        m.expect_exit(timeout=120)
        return m, *results(m)

    return run


def results(m):
    """What both phases of load brought, and what flood did; all guests must have passed."""
    for guest in ("load", "echo", "flood"):
        assert m.seen(rf"@@ {guest} DONE passed=1 failed=0$"), m.tail()
    assert not m.seen(r"(?i)panic|error: "), m.tail()

    def numbers(pattern):
        found = m.seen(vms.any_vm(f"@@ {pattern}.*$"))
        assert found, m.tail()
        return {k: int(v) for k, v in re.findall(r"([\w-]+)=(\d+)", found[0])}

    return [numbers(f"load phase={i} ") for i in (0, 1)], numbers("flood did ")


def stretch(machine, bundle, built, attack, words=""):
    """One CPU, one VM that sends to itself: time is its own, so what it misses, Muntin took."""
    nic = f"vdev virtio-net peer /dev/vdevpeer/lan mac {mac(LOAD)}"
    text = vm("flood", [0], FLOOD, f"alone attack={attack} at-ms=50 end-ms=80 victim={LOAD} {words}")
    files = {"flood.qvmconf": text + nic + "\n"} | vms.files(built, "flood.img")
    m = machine(bundle=bundle(files), smp=1, mem=512, icount=True, serial_file=True)
    m.expect_exit(timeout=120)
    found = m.seen(vms.any_vm(r"@@ flood did frames=(\d+) .* longest_ns=(\d+)"))
    assert found and m.seen("@@ flood DONE passed=1 failed=0$"), m.tail()
    return int(found[1]), int(found[2])


KEPT, LATER = 0.8, 2  # of the goodput, and of the round trip that 99 of 100 do not exceed


def goodput(phase):
    return phase["answered"] / phase["ms"]


OWN_CPU = {
    # attack and its words: what it must have done at least. No NIC has a rate or another limit.
    "unicast": {"frames": 5000},
    "unicast len=1514": {"frames": 5000},
    "broadcast": {"frames": 10000},
    "unknown": {"frames": 10000},
    "malformed": {"frames": 10000},
    "splinters": {"frames": 500},
    "headers": {"frames": 5000},
    "super": {"frames": 1000},
    "super mss=100": {"frames": 1000},
    "super-broadcast": {"frames": 5000},
    "flips": {"flips": 50000, "resets": 50},
    "deaf": {},
}


def check_did(did, least):
    assert did["foreign"] == 0, did
    assert all(did[name] >= number for name, number in least.items()), did


@pytest.mark.parametrize("attack", OWN_CPU)
def test_attacker_on_its_own_cpus(attacked, attack):
    name, _, words = attack.partition(" ")
    # Where it never reads, there must be something for it to read.
    load = f"also={FLOOD}" if name == "deaf" else ""
    _, (before, during), did = attacked(name, words=words, load=load)
    check_did(did, OWN_CPU[attack])
    assert goodput(during) >= KEPT * goodput(before), (before, during)
    assert during["p99_us"] <= LATER * before["p99_us"], (before, during)


def test_a_thousand_resets_under_load(attacked):
    """One of its CPUs resets and starts the device, the other kicks all the while."""
    _, (before, during), did = attacked("resets", ms=110, words="least=1000")
    check_did(did, {"resets": 1000, "kicks": 10000})
    assert goodput(during) >= KEPT * goodput(before), (before, during)
    assert during["p99_us"] <= LATER * before["p99_us"], (before, during)


@pytest.mark.parametrize("attack", ["unicast", "super"])
def test_attacked_as_a_sender(attacked, attack):
    """The attack is on whom the victim sends to."""
    _, (before, during), did = attacked(attack, victim=ECHO)
    check_did(did, {"frames": 1000})
    assert goodput(during) >= KEPT * goodput(before), (before, during)
    assert during["p99_us"] <= LATER * before["p99_us"], (before, during)


SHARED = [
    "unicast", "broadcast", "malformed", "splinters", "headers", "super", "super-broadcast", "flips",
]  # fmt: skip


@pytest.mark.parametrize("attack", SHARED)
def test_attacker_on_the_victims_cpus(attacked, attack):
    """Before it attacks it spins, and the victims have their fair share."""
    _, (before, during), did = attacked(
        attack, places=([0], [1], [0, 1]), base=100, ms=150
    )
    check_did(did, {"kicks": 1000})
    assert goodput(during) >= KEPT * goodput(before), (before, during)


def test_work_that_never_ends(attacked):
    """On the victim's CPU it kicks, from another one it fills its ring again all the time."""
    _, (before, during), did = attacked("refill", places=([0], [1], [0, 2]), base=100, ms=150)
    check_did(did, {"frames": 5000})
    assert goodput(during) >= KEPT * goodput(before), (before, during)


@pytest.mark.parametrize("attack", ["malformed", "broadcast"])
def test_nothing_crosses_vlans(attacked, attack):
    m, (before, during), did = attacked(attack, nic="vlan access:10", own="vlan access:20")
    check_did(did, {"frames": 10000})
    assert did["received"] == 0, did
    assert before["others"] == during["others"] == 0, (before, during)


STRETCH = 50_000  # instructions

STRETCHES = [
    "unicast",
    "unicast len=1514",
    "unicast rx-splinters",
    "broadcast",
    "malformed",
    "headers",
    "super",
    "super mss=100 len=5000",
    "super rx-splinters",
    "splinters",
    "splinters rx-splinters",
]


@pytest.mark.parametrize("what", STRETCHES)
def test_time_without_interrupts(machine, bundle, built, what):
    """A trap, and whatever Muntin does before the guest is back."""
    attack, _, words = what.partition(" ")
    frames, longest_ns = stretch(machine, bundle, built, attack, words)
    assert frames > 20
    assert 500 < longest_ns <= STRETCH
