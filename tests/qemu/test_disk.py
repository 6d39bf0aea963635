# SPDX-License-Identifier: MIT
"""Disks: Debian's kernel with an ext4 root file system on a virtio-blk, worked on by several
processes at a time, checked by e2fsck; RAM disks, read-only ones and old drivers.
"""

from lib import vms
from lib.machine import ROOT

BOOT = vms.BOOT_TIMEOUT
CONFIG = ROOT / "guest-configs/disk/disk.qvmconf"

# Four at a time write files of random bytes in blocks of odd sizes, note their sums, and check each
# other's while new ones come; the last round is read back from the disk.
STRESS = r"""
set -e
work() {
    for round in 1 2 3; do
        f=$dir/$1.$round
        dd if=/dev/urandom of=$f bs=$((3000 * $1 + 17)) count=$((200 / $1)) 2> /dev/null
        sha256sum $f > $f.sum
        [ $round = 1 ] || sha256sum -c --quiet $dir/$1.$((round - 1)).sum
        dd if=$f of=$f.copy bs=4k conv=fsync 2> /dev/null
        cmp $f $f.copy
        rm $f.copy
    done
}
for n in 1 2 3 4; do work $n & jobs="$jobs $!"; done
for job in $jobs; do wait $job; done
sync
echo 3 > /proc/sys/vm/drop_caches
cat $dir/*.sum | sha256sum -c --quiet
"""


def disk_files(built):
    """guest-configs/disk with one more disk: the script above, read-only."""
    script = STRESS + "\n" * (-len(STRESS) % 512)
    return {
        "disk.qvmconf": CONFIG.read_text() + "vdev virtio-blk hostdev <stress.sh\n",
        "d12c.Image": built("guests/d12c.Image"),
        "d12c-disk.cpio": built("guests/d12c-disk.cpio"),
        "debian.ext4": built("guests/debian.ext4"),
        "stress.sh": script,
    }


def shell(m, prompt=r"disk:~# "):
    m.expect(r"@@ SHELL", timeout=BOOT)
    m.expect(prompt, timeout=BOOT)
    assert not m.seen("@@ .*FAILED|Oops|BUG:|Call trace|PANIC"), m.tail()


def test_debian_root_on_a_disk(machine, bundle, built):
    m = machine(bundle=bundle(disk_files(built)), smp=2, mem=1024)
    shell(m)
    assert m.run("cat /etc/debian_version; grep ' / ' /proc/mounts") == 0
    assert m.output.startswith("12.") and "/dev/vda / ext4 rw" in m.output, m.output
    assert m.run("cat /sys/block/vda/serial; echo; cat /sys/block/vdb/serial") == 0
    assert m.output == "root\nscratch", m.output
    assert m.run("dir=/root sh /dev/vdc", timeout=120) == 0, m.output
    # A reboot: what was written is still there, and the file system is in order.
    m.line("reboot")
    shell(m)
    assert m.run("cat /root/*.sum | sha256sum -c --quiet && cat /root/*.sum | wc -l") == 0, m.output
    assert m.output.strip() == "12"
    assert m.run("mount -o remount,ro / && e2fsck -f -n /dev/vda") == 0, m.output
    # What is discarded is zero, in whole pages; what is zeroed is zero to the byte.
    assert m.run(
        "dd if=/dev/urandom of=/dev/vdb bs=64k 2> /dev/null; blkdiscard -o 4M -l 4M /dev/vdb && "
        "blkdiscard -z -o 512 -l 2M /dev/vdb && "
        "cmp -n 4194304 -i 4194304:0 /dev/vdb /dev/zero && cmp -n 2M -i 512:0 /dev/vdb /dev/zero"
    ) == 0, m.output  # fmt: skip
    assert m.run("cmp -n 512 /dev/vdb /dev/zero") == 1
    m.line("poweroff")
    m.expect_exit()


def test_old_packed_and_readonly_disks(machine, bundle, built):
    config = vms.linux(
        "disk", None, initrd="d12c-disk.cpio", ram="128M",
        extra=[
            "vdev virtio-blk hostdev debian.ext4 cow 32M legacy",
            "vdev virtio-blk ramdisk 4M packed qsize 60",
            "vdev virtio-blk hostdev <debian.ext4",
        ],
    )  # fmt: skip
    files = {**disk_files(built), "disk.qvmconf": config}
    m = machine(bundle=bundle(files), smp=1, mem=512, how="kernel")
    shell(m, r"disk:/root# ")
    assert m.run("mkdir /vda /vdc && mount /dev/vda /vda && mount -o ro /dev/vdc /vdc") == 0, m.output
    assert m.run("cmp /vda/bin/bash /vdc/bin/bash && cat /sys/block/vdc/ro") == 0, m.output
    assert m.output.strip() == "1"
    assert m.run("dd if=/dev/urandom of=/tmp/x bs=100k count=30 && cp /tmp/x /vda/root/x") == 0
    assert m.run("dd if=/tmp/x of=/dev/vdb && echo 3 > /proc/sys/vm/drop_caches") == 0, m.output
    assert m.run("cmp /tmp/x /vda/root/x && cmp -n 3072000 /tmp/x /dev/vdb") == 0, m.output
    assert m.run("umount /vda && e2fsck -f /dev/vda") == 0, m.output
    assert m.run("dd if=/tmp/x of=/dev/vdc bs=4k count=1") != 0
    m.line("poweroff")
    m.expect_exit()
