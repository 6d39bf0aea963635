# SPDX-License-Identifier: MIT
"""The Linux guest without any hypervisor: when this fails, the fault is in the guest's image (or in
the harness), not in Muntin.
"""

KERNEL_WORDS = "quiet cryptomgr.notests nokaslr"


def start_linux(machine, built, words, extra=()):
    return machine(
        how="none",
        el=1,
        cpu="cortex-a72",
        smp=1,
        mem=256,
        kernel=built("guests/d12c.Image"),
        initrd=built("guests/d12c.cpio"),
        append=f"{KERNEL_WORDS} {words}",
        extra=extra,
    )


def test_two_guests_ping_each_other(machine, built, tmp_path):
    def nic(mac, role):
        link = f"stream,id=n0,addr.type=unix,addr.path={tmp_path}/link,{role}"
        return ["-netdev", link, "-device", f"virtio-net-device,netdev=n0,mac={mac}"]

    left = start_linux(
        machine, built, "name=left net0=10.0.0.1/24", nic("52:54:00:00:00:01", "server=on")
    )
    left.expect("@@ INIT")
    right = start_linux(
        machine,
        built,
        "name=right net0=10.0.0.2/24 then=sh",
        nic("52:54:00:00:00:02", "server=off,reconnect-ms=500"),
    )
    for guest in (left, right):
        guest.expect("@@ SHELL")
        guest.expect(r":/root# ")
        assert not guest.seen("@@ .*FAILED"), guest.tail()
    assert left.run("ping -c 3 -w 20 10.0.0.2") == 0, left.output
    assert "0% packet loss" in left.output or "3 packets received" in left.output
    assert right.run("ping -c 1 -w 20 10.0.0.1") == 0, right.output

    # Real bytes in both directions, compared by the receiver, and a shell that survives its end.
    left.line("gtool sink 99 &")
    left.expect("@@ SINK-READY")
    assert right.run("gtool send 10.0.0.1 99 200000 1448") == 0, right.output
    right.line("exit")
    right.expect("@@ SHELL-END rc=0")
    assert right.run("test $(hostname) = right") == 0
    for guest in (left, right):
        guest.line("poweroff")
        guest.expect_exit()
