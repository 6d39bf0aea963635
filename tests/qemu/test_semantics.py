# SPDX-License-Identifier: MIT
"""What options of a config mean to a running VM: `unsupported` in all its forms, `rom`, `reserve`,
`logger`, `entry`, `autostart`, `cluster`, `set`, `$asinfo`.
"""

import re

import pytest
from lib import trees, vms

HOLE = 0x0B000000
SEEN = {
    "reference": f"peek {HOLE} 1;peek {HOLE} 2;peek {HOLE} 4;peek {HOLE} 8;poke {HOLE} 4 1",
    "register": "sysreg",
    "instruction": "insn",
}
# What each probe answers under `fail`, and under `ignore`; class 25 is a data abort, 0 undefined.
FAIL = {
    "reference": ["peek class=25 fault=10"] * 4 + ["poke class=25 fault=10"],
    "register": ["mrs class=0 .*", "msr class=0 .*"],
    "instruction": ["insn class=0 .*"],
}
IGNORE = {
    "reference": ["peek value=ff", "peek value=ffff", "peek value=ffffffff",
                  "peek value=ffffffffffffffff", "poke value=.*"],
    "register": ["mrs value=ffffffffffffffff", "msr value=55"],
    "instruction": ["insn value=55"],
}  # fmt: skip
STOPPED = {
    "reference": "read of 1 bytes at 0xb000000, where nothing is: stopped, as configured",
    "register": r"read of system register S3_0_C15_C15_7: stopped, as configured",
    "instruction": r"instruction with syndrome 0x[0-9a-f]+ at pc 0x[0-9a-f]+: stopped, as configured",
}
@pytest.fixture
def start(machine, bundle, built):
    """start({"a": config, ...}, more files) boots these puppets."""

    def go(configs, files=(), **options):
        texts = {f"{name}.qvmconf": text for name, text in configs.items()}
        contents = {**texts, **vms.files(built, "puppet.img"), **dict(files)}
        return machine(bundle=bundle(contents), mem=1024, **options)

    return go


def probes(m, number):
    return re.findall(rf"@@ {number} PROBE (.*)$", m.text, re.M)


@pytest.mark.parametrize("what", SEEN)
@pytest.mark.parametrize("policy, answers", [("fail", FAIL), ("ignore", IGNORE)])
def test_unsupported(start, what, policy, answers):
    extra = [f"unsupported {what} {policy}"]
    m = start({"a": vms.puppet("a", 1, f"{SEEN[what]};off", extra=extra)}, cpu="max", smp=1)
    m.expect_exit()
    got = probes(m, 1)
    assert len(got) == len(answers[what]), got
    assert all(re.fullmatch(p, line) for p, line in zip(answers[what], got)), got


def test_unsupported_aborts(start):
    """Three VMs; each is stopped for one kind, before it has an answer, and says why once."""
    configs = {
        what: vms.puppet(what, n, f"{run};off", extra=[f"unsupported {what} abort"])
        for n, (what, run) in enumerate(SEEN.items(), 1)
    }
    m = start(configs, cpu="max", smp=2)
    m.expect_exit()
    assert "PROBE" not in m.text
    for what in SEEN:
        assert len(re.findall(rf"^{what}: error: {STOPPED[what]}$", m.text, re.M)) == 1, m.tail()
        assert m.seen(rf"^muntin: {what}: stopped: it did what its config forbids")


def test_unsupported_by_default(start):
    run = ";".join([*SEEN.values(), "off"])
    m = start({"a": vms.puppet("a", 1, run)}, cpu="max", smp=1)
    m.expect_exit()
    expected = IGNORE["reference"] + FAIL["register"] + FAIL["instruction"]
    got = probes(m, 1)
    assert len(got) == len(expected), got
    assert all(re.fullmatch(p, line) for p, line in zip(expected, got)), got


ROM = ["rom 0x0,64K", "data load 0x1000,words"]
WORDS = bytes(range(1, 9)) * 512


@pytest.mark.parametrize("policy, answer", [("ignore", "value=.*"), ("fail", "class=25 fault=10")])
def test_rom_is_read_only(start, policy, answer):
    """Also behind a write and a restart; what is not loaded is zero."""
    run = "peek 4096 8;poke 4096 8 0;poke 4100 1 7;peek 4096 8;peek 65528 8"
    extra = [*ROM, f"unsupported reference {policy}"]
    m = start({"a": vms.puppet("a", 1, run, extra=extra)}, {"words": WORDS}, smp=1)
    for _ in range(2):
        for pattern in (
            "peek value=807060504030201",
            f"poke {answer}",
            f"poke {answer}",
            "peek value=807060504030201",
            "peek value=0",
        ):
            m.expect(rf"@@ 1 PROBE {pattern}$")
        m.line("reset")


def test_write_to_rom_stops_the_vm(start):
    extra = [*ROM, "unsupported reference abort"]
    m = start({"a": vms.puppet("a", 1, "poke 4096 4 1", extra=extra)}, {"words": WORDS}, smp=1)
    m.expect(r"^a: error: write of 4 bytes at 0x1000, which is ROM: stopped, as configured$")
    m.expect_exit()


def test_reserve_keeps_places_free(start):
    """No device goes where the config reserves: there is a hole, and the NIC lies behind it."""
    extra = ["reserve loc 0x0a000000,0x2000 intr gic:48", "vdev virtio-net switch lan"]
    run = f"peek {0x0A000000} 4;peek {0x0A001000} 4;peek {0x0A002000} 4;off"
    m = start({"a": vms.puppet("a", 1, run, extra=extra)}, smp=1)
    m.expect_exit()
    assert probes(m, 1) == ["peek value=ffffffff", "peek value=ffffffff", "peek value=74726976"]


def test_logger(start):
    """A set for each destination: shown, kept for the prompt's `log` only, or nowhere."""
    loggers = {
        "shown": [],
        "fatal": ["logger fatal stderr"],
        "kept": ["logger error slog", "logger info stdout"],
        "none": ["logger fatal,error,warn,info,debug none"],
        "infos": ["logger info,warn stdout"],
    }
    configs = {
        name: vms.puppet(name, n, f"peek {HOLE} 4", extra=["unsupported reference abort", *lines])
        for n, (name, lines) in enumerate(loggers.items(), 1)
    }
    configs["last"] = vms.puppet("last", 9)
    m = start(configs, smp=2)
    vms.expect_all(m, [f"^muntin: {name}: stopped: it did" for name in loggers])
    vms.focus(m, 0)
    stopped = ": error: read of 4 bytes at 0xb000000"
    for name in loggers:
        assert bool(m.seen(f"^{name}{stopped}")) == (name in ("shown", "fatal")), (name, m.tail())
    mark = len(m.text)
    m.line("log")
    m.expect(f"^kept{stopped}")
    m.line("help")
    m.expect("vm list")
    log = m.text[mark:]
    assert f"fatal{stopped}" in log and f"none{stopped}" not in log and f"infos{stopped}" not in log


def test_entry(start):
    """A program of four instructions in data, behind which the puppet lies untouched."""
    # x0 is the tree's address at entry: the puppet would miss it, so it is kept in x1 and put back
    code = (0xAA0003E1, 0x58000082, 0xAA0103E0, 0xD61F0040, 0xD503201F, 0x40200000, 0)
    words = b"".join(w.to_bytes(4, "little") for w in code[:5])
    words += (0x40200000).to_bytes(8, "little")
    text = vms.puppet("a", 1, "hello;off").replace(
        "load puppet.img", "data load 0x40800000,trampoline\nload puppet.img\nentry 0x40800000"
    )
    m = start({"a": text}, {"trampoline": words}, smp=1)
    m.expect(r"@@ 1 HELLO")
    m.expect_exit()


def test_autostart_off_waits_for_the_prompt(start):
    m = start({"a": vms.puppet("a", 1), "b": vms.puppet("b", 2, extra=["autostart off"])}, smp=1)
    m.expect(r"^muntin: b: waits for `vm start b`$")
    vms.expect_puppet(m, 1, "UP")
    vms.focus(m, 0)
    m.line("vm list")
    m.expect(r"^ *b +stopped")
    assert not m.seen("@@ 2 UP")
    m.line("vm start b")
    vms.expect_puppet(m, 2, "UP")


def test_cluster_and_dryrun(start):
    """vCPUs are pinned to CPUs of their cluster; a VM that says dryrun is not made."""
    configs = {
        "a": vms.puppet("a", 1, extra=["cpu cluster _cpu-3", "cpu cluster cortex-a72"], cpus=0),
        "b": vms.puppet("b", 2, extra=["dryrun"]),
        "c": vms.puppet("c", 3, extra=["cpu cluster big"], cpus=0),
    }
    m = start(configs, smp=4, cpu="cortex-a72")
    m.expect(r"^muntin: c\.qvmconf:6:13: error: this board has no cluster 'big', only .* cortex-a72")
    m.expect(r"^muntin: b: not started: its config says dryrun$")
    vms.expect_puppet(m, 1, "UP cpus=2")
    vms.focus(m, 0)
    m.line("vm status a")
    m.expect(r"vCPU 0 .*CPU 3")


def test_counter_offset(start):
    """0: the board's counter; N: N ticks behind it; all ones, as without: it starts with the VM."""

    def first_ticks(*lines):
        configs = {"a": vms.puppet("a", 1, "off", extra=lines)}
        m = start(configs, smp=1, icount=True, serial_file=True)
        m.expect_exit()
        return int(m.seen(r"@@ 1 UP .*counter=(\d+)").group(1))

    board = first_ticks("set counter-offset 0")
    assert abs(board - 100_000 - first_ticks("set counter-offset 100000")) < 10_000
    alone = first_ticks()
    assert alone < board / 4
    assert abs(alone - first_ticks("set counter-offset 0xffffffffffffffff")) < 1000


def test_exit_on_halt(start):
    """off: WFI waits in the guest, so it is back sooner; on: Muntin has the CPU meanwhile. Without
    the option, a VM that has its CPU alone waits in the guest. Measured by counted instructions."""

    def late(*lines):
        configs = {"a": vms.puppet("a", 1, "sleep 1000 20;off", extra=lines)}
        m = start(configs, smp=1, icount=True, serial_file=True)
        m.expect_exit()
        return int(m.seen(r"@@ 1 SLEPT .*late_mean_ns=(\d+)").group(1))

    inside, outside = late("set exit-on-halt off"), late("set exit-on-halt on")
    assert inside < outside
    assert abs(late() - inside) * 2 < outside - inside


RESERVED = """
	reserved-memory {
		#address-cells = <2>; #size-cells = <2>; ranges;
		frames@4c000000 { reg = <0 0x4c000000 0 0x10000>; };
		ring { reg = <0 0x4c010000 0 0x2000>; label = "mailbox"; };
	};
};
"""


def test_asinfo(start, tmp_path):
    """What the tree of the running board says, though the bundle was made without it: one VM gets
    the areas that it names; one that names another isn't started.
    """
    board = trees.board(tmp_path, smp=1, mem=1024)
    trees.edit(board, lambda s: s.rstrip().removesuffix("};") + RESERVED)
    window = 0x50000000
    passed = (
        f"pass loc mem:{window:#x},$asinfo_length{{frames}},rwc=$asinfo_start{{frames}} "
        f"loc {window + 0x10000:#x},$asinfo_length{{mailbox}},rwcm=$asinfo_start{{mailbox}}"
    )
    run = ";".join(
        f"poke {at} 8 {at};peek {at} 8" for at in (window + 0xFFF8, window + 0x11FF8)
    ) + f";peek {window + 0x12000} 8;off"
    m = start(
        {
            "a": vms.puppet("a", 1, run, extra=[passed]),
            "b": vms.puppet("b", 2, extra=["reserve loc $asinfo_start{dsp},4K"]),
        },
        how="kernel",
        dtb=board,
        smp=1,
    )
    m.expect_exit()
    assert probes(m, 1)[1::2] == ["peek value=5000fff8", "peek value=50011ff8"], m.tail()
    assert probes(m, 1)[4] == "peek value=ffffffffffffffff", m.tail()
    what = "the board's tree has no reserved memory 'dsp', but: frames, ring, mailbox"
    assert m.seen(rf"b.qvmconf:7:13: error: {what}$"), m.tail()
    assert m.seen("b: not started: its config has 2 errors"), m.tail()
