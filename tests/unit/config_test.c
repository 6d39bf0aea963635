/* SPDX-License-Identifier: MIT */
/* The config language: texts to structs, and texts to messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/str.h"
#include "tests/host/configs.h"
#include "tests/host/fake_types.h"

#define S "system a\n"
#define BARE                                                                                       \
    "cpu mask=0 prio=10\ncmdline ''\npolicy 121 halt=0 counter=ffffffffffffffff log=1f debug=0 "   \
    "dryrun=0 dump='' gic=0\n"
#define HEAD    "system a group= errors=0\n"
#define ONE_CPU "cpu mask=0 prio=10\n"
#define TAIL    "policy 121 halt=0 counter=ffffffffffffffff log=1f debug=0 dryrun=0 dump='' gic=0\n"
#define NIC     " mtu=1500 bind=660 spoof=0 rate=0 feats=0 hairpin=0 legacy=0"
#define NIC0    NIC "\n"

/* What a text without errors becomes. */
static const struct {
    const char *text, *dump;
} meanings[] = {
    {S, HEAD BARE},
    {"# a comment\n\n\t system\ta # another\n", HEAD BARE},
    {"\xef\xbb\xbfsystem a", HEAD BARE},
    {"system \"a\"", HEAD BARE},
    {"system a\r\ncpu\r\n\tcpu sched 20f runmask 3\r\n",
     HEAD ONE_CPU "cpu mask=8 prio=20\ncmdline ''\n" TAIL},
    {S "cpu runmask 4,5,0x6,0d7 sched 1r cpu partition x sched 255 cpu sched 9o",
     HEAD "cpu mask=f0 prio=1\ncpu mask=0 prio=255\ncpu mask=0 prio=9\ncmdline ''\n" TAIL},
    /* sizes and addresses: every suffix and prefix, beyond 4 GiB */
    {S "ram 0d16384 ram 512m ram 0x80000000,128M rom 0x0,64K ram 0x100000000,1G rom 1k,2T ram 1t",
     HEAD ONE_CPU "mem 0 0/0+4000\nmem 0 0/0+20000000\nmem 0 80000000/1+8000000\nmem 1 "
                  "0/1+10000\nmem 0 100000000/1+40000000\nmem 1 400/1+20000000000\nmem 0 "
                  "0/0+10000000000\ncmdline ''\n" TAIL},
    {S "reserve loc 0x1000,4K intr gic:40 loc mem:1M,1M", HEAD ONE_CPU
     "reserve 1000+1000 0\nreserve 0+0 40\nreserve 100000+100000 0\ncmdline ''\n" TAIL},
    {S "load Image load 0x80080000,images/Image data load 1M,x,y initrd load rd fdt load t.dtb "
       "guest load k.elf fdt load 0x44000000 fdt load 0x1000,o.dtbo",
     HEAD ONE_CPU "load 0 0/0 'Image'\nload 0 80080000/1 'images/Image'\nload 2 100000/1 'x,y'\n"
                  "load 4 0/0 'rd'\nload 3 0/0 't.dtb'\nload 1 0/0 'k.elf'\nload 3 44000000/1 ''\n"
                  "load 3 1000/1 'o.dtbo'\ncmdline ''\n" TAIL},
    {S "load a,b load 12", HEAD ONE_CPU "load 0 0/0 'a,b'\nload 0 0/0 '12'\ncmdline ''\n" TAIL},
    {S "cmdline one", HEAD ONE_CPU "cmdline 'one'\n" TAIL},
    {S "cmdline \"a # b\\\n c\\\r\n d\\e\"", HEAD ONE_CPU "cmdline 'a # b c d\\e'\n" TAIL},
    {S "cmdline \"a\nb\"", HEAD ONE_CPU "cmdline 'a\nb'\n" TAIL},
    {S "cmdline \"\"", HEAD ONE_CPU "cmdline ''\n" TAIL},
    {S "group lab debug dryrun", "system a group=lab errors=0\n" ONE_CPU
                                 "cmdline ''\npolicy 121 halt=0 counter=ffffffffffffffff log=1f "
                                 "debug=1 dryrun=1 dump='' gic=0\n"},
    {S "unsupported instruction abort unsupported reference fail unsupported register ignore",
     HEAD ONE_CPU "cmdline ''\npolicy 012 halt=0 counter=ffffffffffffffff log=1f debug=0 dryrun=0 "
                  "dump='' gic=0\n"},
    {S "set exit-on-halt yes set counter-offset 0 set fdt-dump-file /tmp/x.dtb set gic-hwassist 1",
     HEAD ONE_CPU
     "cmdline ''\npolicy 121 halt=1 counter=0 log=1f debug=0 dryrun=0 dump='/tmp/x.dtb' gic=0\n"},
    {S "set exit-on-halt off set counter-offset 0xffffffffffffffff vdev gic version 2",
     HEAD ONE_CPU "cmdline ''\npolicy 121 halt=2 counter=ffffffffffffffff log=1f debug=0 dryrun=0 "
                  "dump='' gic=2\n"},
    {S "entry 0x40200000 autostart off", HEAD BARE "entry=40200000\nno autostart\n"},
    {S "autostart off autostart yes", HEAD BARE},
    {S "cpu cluster _cpu-1 cpu cluster cortex-a72 sched 5",
     HEAD "cpu mask=0 prio=10 cluster=_cpu-1\ncpu mask=0 prio=5 cluster=cortex-a72\ncmdline "
          "''\n" TAIL},
    /* loggers are a set; the first replaces the default; internal is always on; none is nowhere */
    {S "logger error,fatal slog logger debug stdout logger verbose none",
     HEAD ONE_CPU "cmdline ''\npolicy 121 halt=0 counter=ffffffffffffffff log=20 debug=0 dryrun=0 "
                  "dump='' gic=0\nslog=7\n"},
    /* devices: all spellings of a type */
    {S "vdev pl011 vdev vdev-pl011 vdev vdev-pl011.so vdev vdev-pl011-safety.so vdev pl011-safety "
       "vdev pl011.so vdev serial vdev vdev-serial.so",
     HEAD ONE_CPU
     "cmdline ''\nvdev pl011 '' loc=0/0 intr=0/0 batch=0\nvdev pl011 '' loc=0/0 intr=0/0 "
     "batch=0\nvdev pl011 '' loc=0/0 intr=0/0 batch=0\nvdev pl011 '' loc=0/0 intr=0/0 "
     "batch=0\nvdev pl011 '' loc=0/0 intr=0/0 batch=0\nvdev pl011 '' loc=0/0 intr=0/0 "
     "batch=0\nvdev pl011 '' loc=0/0 intr=0/0 batch=0\nvdev pl011 '' loc=0/0 intr=0/0 "
     "batch=0\n" TAIL},
    {S "vdev pl011 loc mem:0x1c090000 intr gic:37 hostdev >\"|a b\" hostdev <in name com:1",
     HEAD ONE_CPU "cmdline ''\nvdev pl011 'com:1' loc=1c090000/1 intr=37/1 hostdev=>|a b "
                  "hostdev=<in batch=0\n" TAIL},
    {S "vdev virtio-net boot </a/b vdev virtio-net boot \"c d\"", HEAD ONE_CPU
     "cmdline ''\nvdev virtio-net '' loc=0/0 intr=0/0 peer= mac=000000000000/0" NIC
     " boot=<'/a/b'@22\n"
     "vdev virtio-net '' loc=0/0 intr=0/0 peer= mac=000000000000/0" NIC " boot=-'c d'@49\n" TAIL},
    /* the line of the founding document, verbatim */
    {S "vdev vdev-virtio-net.so loc 0x1b018000 intr gic:45 peer /dev/vdevpeer/vp_lv mac "
       "aa:aa:aa:aa:aa:b1 bind-mode 0660 name agl_to_host",
     HEAD ONE_CPU "cmdline ''\nvdev virtio-net 'agl_to_host' loc=1b018000/1 intr=45/1 "
                  "peer=/dev/vdevpeer/vp_lv mac=aaaaaaaaaab1/1" NIC0 TAIL},
    {S "vdev virtio-net mac a0b0C0d0E0f0 mtu 68 bind-mode 0o777 mac-spoof allow rate 10M peerfeats "
       "0x7fc3 hairpin yes legacy sched 5 delayed forever",
     HEAD ONE_CPU "cmdline ''\nvdev virtio-net '' loc=0/0 intr=0/0 peer= mac=a0b0c0d0e0f0/1 mtu=68 "
                  "bind=777 spoof=1 rate=10485760 feats=7fc3 hairpin=1 legacy=1\n" TAIL},
    /* VLANs and lists of addresses */
    {S "vdev virtio-net vlan access:4094 static 02:00:00:00:00:02 static 020000000001",
     HEAD ONE_CPU "cmdline ''\nvdev virtio-net '' loc=0/0 intr=0/0 peer= mac=000000000000/0" NIC
                  " static=020000000002 static=020000000001 access 4094\n" TAIL},
    {S "vdev virtio-net vlan trunk:1-4094,native:7 vdev virtio-net vlan trunk:0x3f-65,9,5",
     HEAD ONE_CPU "cmdline ''\nvdev virtio-net '' loc=0/0 intr=0/0 peer= mac=000000000000/0" NIC
                  " trunk native 7 tagged 1-6 8-4094\n"
                  "vdev virtio-net '' loc=0/0 intr=0/0 peer= mac=000000000000/0" NIC
                  " trunk native 0 tagged 5-5 9-9 63-65\n" TAIL},
    /* a context stays open over options that open none; another device ends it */
    {S "vdev virtio-net ram 1M mtu 100 vdev pl011 intr gic:40",
     HEAD ONE_CPU "mem 0 0/0+100000\ncmdline ''\nvdev virtio-net '' loc=0/0 intr=0/0 peer= "
                  "mac=000000000000/0 mtu=100 bind=660 spoof=0 rate=0 feats=0 hairpin=0 "
                  "legacy=0\nvdev pl011 '' loc=0/0 intr=40/1 batch=0\n" TAIL},
    /* an argument may look like an option */
    {S "vdev pl011 name cpu load data", HEAD ONE_CPU
     "load 0 0/0 'data'\ncmdline ''\nvdev pl011 'cpu' loc=0/0 intr=0/0 batch=0\n" TAIL},
};

/* Prints what differs, so that one run shows all. */
static u32 differs(const char *text, const char *got, const char *expected)
{
    if (strcmp(got, expected) == 0) {
        return 0;
    }
    printf("of: %s\nexpected:\n%s\ngot:\n%s\n", text, expected, got);
    return 1;
}

static void test_meaning(void **state)
{
    u32 wrong = 0;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(meanings); i++) {
        struct configs *c = configs_new();
        struct vm_config *vm = configs_parse(c, "f", meanings[i].text);
        char dump[4096];

        configs_dump(vm, dump, sizeof(dump));
        wrong += differs(meanings[i].text, dump, meanings[i].dump);
        assert_int_equal(c->diag.errors, 0);
        free(c);
    }
    assert_int_equal(wrong, 0);
}

/* Every message of a text, in order. */
static const struct {
    const char *text, *log;
} messages[] = {
    {"", "f:1:1: error: no `system NAME`: there's no VM in this file\n"},
    {"ram 1M\nsystem a", "f:1:1: error: 'ram' before 'system': `system NAME` must be the first "
                         "option of a VM\n"},
    {"system", "f:1:1: error: 'system' needs a NAME behind it\n"},
    {"system\ncpu", "f:1:1: error: 'system' needs a NAME behind it\n"},
    {"system a\nsystem b",
     "f:2:1: error: a second 'system': each VM has its own file, this is 'a'\n"},
    {"system a/b",
     "f:1:8: error: 'a/b' is not a name: letters, digits and . _ - : + are allowed\n"},
    {"system \"\"", "f:1:8: error: a name has 1 to 31 characters, '' has 0\n"},
    {"system abcdefghijklmnopqrstuvwxyz123456",
     "f:1:8: error: a name has 1 to 31 characters, 'abcdefghijklmnopqrstuvwxyz123456' has 32\n"},
    /* unknown words: neighbours in the alphabet of options, and the context */
    {S "rma 1M", "f:2:1: error: unknown word 'rma' (no context is open); did you mean 'ram'?\n"},
    {S "xyzzyplugh", "f:2:1: error: unknown word 'xyzzyplugh' (no context is open)\n"},
    {S "cpu runmsk 1 shced 5",
     "f:2:5: error: unknown option 'runmsk' in the context of 'cpu'; did you mean 'runmask'? (it "
     "has: runmask cluster sched partition)\n"
     "f:2:14: error: unknown option 'shced' in the context of 'cpu'; did you mean 'sched'? (it "
     "has: runmask cluster sched partition)\n"},
    {S "vdev virtio-net\n  interrupt gic:45\n  per /x\n",
     "f:3:3: error: unknown option 'interrupt' in the context of 'vdev virtio-net'; did you mean "
     "'intr'? (it has: loc intr name peer switch storm mac mtu bind-mode mac-spoof rate peerfeats "
     "hairpin isolate vlan "
     "static "
     "legacy boot)\n"
     "f:4:3: error: unknown option 'per' in the context of 'vdev virtio-net'; did you mean 'peer'? "
     "(it has: loc intr name peer switch storm mac mtu bind-mode mac-spoof rate peerfeats hairpin "
     "isolate "
     "vlan static "
     "legacy boot)\n"},

    {S "vdev pl011 mac 1",
     "f:2:12: error: unknown option 'mac' in the context of 'vdev pl011' (it has: loc intr name "
     "hostdev batch)\n"},
    {S "vdev", "f:2:1: error: 'vdev' needs a TYPE behind it\n"},
    {S "vdev virto-net loc 0x5 intr gic:4 name data\nram 1M",
     "f:2:6: error: unknown vdev 'virto-net'; did you mean 'virtio-net', 'virtio-input' or "
     "'virtio-snd'?\n"},
    {S "vdev 8259", "f:2:6: error: vdev '8259' exists on x86 only\n"},
    {S "vdev vdev-ser8250.so loc io:0x3f8 intr apic:4",
     "f:2:6: error: vdev 'ser8250' exists on x86 only\n"},
    {S "vdev virtio-sound hostdev <a serial data legacy threads 4 dio enable",
     "f:2:6: error: vdev 'virtio-sound' is not supported: give it a sound card of the board's with "
     "`pass`\n"},
    {S "vdev virtio-net boot < vdev virtio-net boot >",
     "f:2:22: error: 'boot' needs a file's PATH\n"
     "f:2:45: error: 'boot' needs a file's PATH\n"},
    {S "vdev virtio-net boot", "f:2:17: error: 'boot' needs [<]PATH behind it\n"},
    {S "vdev wdt-sp805 loc 0x1c0f0000 intr gic:32 frequency 1 action dump,terminate vdev smmu "
       "create frames,0x200000 allow frames",
     "f:2:6: error: unknown vdev 'wdt-sp805'\n"
     "f:2:82: error: vdev 'smmu' is not supported: a guest needs none: leave this device out\n"},
    {S "vdev smmu loc 0x1000 vdev vdev-virtio-gpu.so loc 0x1000 vdev virtio-input",
     "f:2:6: error: vdev 'smmu' is not supported: a guest needs none: leave this device out\n"
     "f:2:27: error: vdev 'virtio-gpu' is not supported: give it a display of the board's with "
     "`pass`\n"
     "f:2:62: error: vdev 'virtio-input' is not supported: a keyboard is the VM's console: "
     "pl011\n"},
    /* numbers */
    {S "ram", "f:2:1: error: 'ram' needs [START,]LENGTH behind it\n"},
    {S "ram\ncpu", "f:2:1: error: 'ram' needs [START,]LENGTH behind it\n"},
    {S "ram 12Q", "f:2:5: error: '12Q' is not an address or size: decimal, 0x or 0d, with K, M, G "
                  "or T\n"},
    {S "ram 0x,1M", "f:2:5: error: '0x' is not an address or size: decimal, 0x or 0d, with K, M, G "
                    "or T\n"},
    {S "ram 1M,", "f:2:5: error: '' is not an address or size: decimal, 0x or 0d, with K, M, G or "
                  "T\n"},
    {S "ram 0xffffffffffffffff ram 0x10000000000000000 ram 18446744073709551616 ram 16777216T",
     "f:2:28: error: '0x10000000000000000' does not fit in 64 bits\n"
     "f:2:52: error: '18446744073709551616' does not fit in 64 bits\n"
     "f:2:77: error: '16777216T' does not fit in 64 bits\n"},
    {S "cpu runmask 16 cpu runmask 1,,2 cpu sched 0 cpu sched 256 cpu sched x",
     "f:2:13: error: a CPU number must be 0..15, not 16\n"
     "f:2:28: error: '' is not a number: a CPU number must be 0..15\n"
     "f:2:43: error: a priority must be 1..255, not 0\n"
     "f:2:55: error: a priority must be 1..255, not 256\n"
     "f:2:69: error: 'x' is not a number: a priority must be 1..255\n"},
    {S "cpu cpu cpu cpu cpu cpu cpu cpu cpu runmask 1",
     "f:2:33: error: more than 8 vCPUs: a VM has at most 8\n"},
    {S "cpu sched 1 sched 2", "f:2:13: error: 'sched' is given twice\n"},
    {S "cpu sched 63,10,40,100,50s",
     "f:2:11: note: no sporadic scheduling in Muntin: the vCPU always has priority 63\n"},
    {S "cpu sched 63,10,40,100,50 cpu sched 63,10,40,100s cpu sched 63,10,40,100,50s,1 cpu sched "
       "10,63,1,100,50s cpu sched 63,10,1,50,51s cpu sched 256,1,1,1,1s cpu sched 9,1,1,x,1s",
     "f:2:11: error: '63,10,40,100,50' is not PRIORITY or HIGH,LOW,MAX,PERIOD,BUDGETs\n"
     "f:2:37: error: '63,10,40,100s' is not PRIORITY or HIGH,LOW,MAX,PERIOD,BUDGETs\n"
     "f:2:61: error: '63,10,40,100,50s,1' is not PRIORITY or HIGH,LOW,MAX,PERIOD,BUDGETs\n"
     "f:2:90: error: '10,63,1,100,50s': the low priority is above the high one\n"
     "f:2:116: error: '63,10,1,50,51s': the budget is longer than the period\n"
     "f:2:141: error: the high priority must be 1..255, not 256\n"
     "f:2:164: error: 'x' is not a number: the period in ns must be 1..18446744073709551615\n"},
    {S "cpu cluster a/b cpu runmask 1 cluster big cpu cluster x runmask 1 cluster y",
     "f:2:13: error: 'a/b' is not a name: letters, digits and . _ - : + are allowed\n"
     "f:2:31: error: a vCPU has a `runmask` or a `cluster`, not both\n"
     "f:2:57: error: a vCPU has a `runmask` or a `cluster`, not both\n"
     "f:2:67: error: 'cluster' is given twice\n"},
    {S "ram 1 ram 1 ram 1 ram 1 rom 1 rom 1 rom 1 rom 1 rom 1",
     "f:2:49: error: more than 8 ram and rom areas\n"},
    {S "load a load a load a load a load a load a load a load a load a",
     "f:2:57: error: more than 8 files to load\n"},
    {S "reserve loc 1M reserve loc 1M,0 intr gic:4,t reserve loc pci:1,2",
     "f:2:13: error: '1M' lacks a length: START,LENGTH\n"
     "f:2:28: error: a reserved area of length 0\n"
     "f:2:38: error: 'gic:4,t': gic:N is all that may stand here\n"
     "f:2:58: error: 'pci:1,2': only memory addresses (mem:) are supported\n"},
    /* files */
    {S "load \"\" initrd ram 1M acpi load x fdt",
     "f:2:6: error: 'load' with an empty file name\n"
     "f:2:9: error: 'initrd' needs 'load' behind it, not 'ram'\n"
     "f:2:20: error: unknown word '1M' (no context is open)\n"
     "f:2:23: error: 'acpi load' is for x86 guests\n"
     "f:2:35: error: 'fdt' needs 'load' behind it\n"},
    {S "cmdline a\ncmdline b", "f:3:1: warning: this 'cmdline' replaces the one of line 2\n"},
    {S "cmdline \"a b", "f:2:9: error: this word opens a quote that is never closed\n"},
    {S "cmdline $env{HOME} load $asinfo_start{ram} group $x cmdline \"${a}\"",
     "f:2:9: error: '$env{HOME}': only `muntin check` and `muntin pack` replace $env{NAME}: pack "
     "the bundle with it\n"
     "f:2:25: error: $asinfo_...{ram} needs the board's device tree: --board BOARD.dtb, or write "
     "the number\n"
     "f:2:50: error: '$x' is not a name: letters, digits and . _ - : + are allowed\n"
     "f:2:53: warning: this 'cmdline' replaces the one of line 2\n"},
    {S "group a\x01", "f:2:7: error: control byte 0x01 in a word\n"
                      "f:2:7: error: 'a\x01' is not a name: letters, digits and . _ - : + are "
                      "allowed\n"},
    /* words from a list */
    {S "logger err,info stdout logger info file",
     "f:2:8: error: 'err' is not one of: fatal, internal, error, warn, info, debug, verbose\n"
     "f:2:36: error: 'file' is not one of: stdout, stderr, slog, none\n"},
    {S "unsupported foo fail unsupported register crash",
     "f:2:13: error: 'foo' is not one of: instruction, reference, register\n"
     "f:2:43: error: 'crash' is not one of: abort, fail, ignore\n"},
    {S "set exit-on-hat off set exit-on-halt perhaps set counter-offset x set gic-hwassist off set "
       "grow-heap 1Q set message-block-timeout 99999 set",
     "f:2:5: error: unknown variable 'exit-on-hat'; did you mean 'exit-on-halt'?\n"
     "f:2:38: error: 'perhaps' is not on or off\n"
     "f:2:65: error: 'x' is not a number: counter-offset must be 0..18446744073709551615\n"
     "f:2:84: error: gic-hwassist off is not supported: Muntin needs the GIC's virtualization\n"
     "f:2:102: error: '1Q' is not an address or size: decimal, 0x or 0d, with K, M, G or T\n"
     "f:2:131: error: message-block-timeout must be 0..10000, not 99999\n"
     "f:2:137: error: 'set' needs VARIABLE VALUE behind it\n"},
    /* what has no effect is said once */
    {S "safety none safety warn user x user y cpu partition p cpu partition q set grow-heap 1M set "
       "host-paddr-gicd 0x8000000 vdev pl011 batch 5 sched 3 vdev pl011 batch 6 sched 4",
     "f:2:1: note: 'safety' is accepted, but has no effect in Muntin\n"
     "f:2:25: note: 'user' is accepted, but has no effect in Muntin\n"
     "f:2:43: note: 'partition' is accepted, but has no effect in Muntin\n"
     "f:2:75: note: 'grow-heap' is accepted, but has no effect in Muntin\n"
     "f:2:92: note: 'host-paddr-gicd' is accepted, but has no effect in Muntin\n"
     "f:2:129: note: 'batch' is accepted, but has no effect in Muntin\n"
     "f:2:137: note: 'sched' is accepted, but has no effect in Muntin\n"},
    {S "safety high", "f:2:8: error: 'high' is not one of: none, warn, required\n"},
    /* the rest of the grammar */
    {S "dump /x memtag x",
     "f:2:9: error: 'memtag' is not supported: for memory that the board's tree "
     "reserves as 'x', write pass loc ADDRESS,$asinfo_length{x},rwcm="
     "$asinfo_start{x}\n"},
    {S "entry 12Q entry 0x1002 entry 4 entry 8 autostart perhaps",
     "f:2:7: error: '12Q' is not an address or size: decimal, 0x or 0d, with K, M, G or T\n"
     "f:2:17: error: '0x1002' is no address of an instruction: a multiple of 4\n"
     "f:2:32: error: 'entry' is given twice\n"
     "f:2:50: error: 'perhaps' is not on or off\n"},
    {S "on-reset dump,halt on-crash stop on-watchdog dump,reset on-crash\nmax-restarts x "
       "max-restarts 1000001",
     "f:2:10: error: 'dump,halt' is not one of: halt, restart\n"
     "f:2:29: error: 'stop' is not one of: halt, restart\n"
     "f:2:46: error: 'reset' is not one of: halt, restart\n"
     "f:2:57: error: 'on-crash' needs [dump,]halt|restart behind it\n"
     "f:3:14: error: 'x' is not a number: restarts a minute must be 0..1000000\n"
     "f:3:29: error: restarts a minute must be 0..1000000, not 1000001\n"},
    {S "vdev gic version 4 loc 12Q", "f:2:18: error: the GIC's version must be 2..3, not 4\n"
                                     "f:2:24: error: '12Q' is not an address or size: decimal, 0x "
                                     "or 0d, with K, M, G or T\n"},
    /* a device's options */
    {S "vdev pl011 loc 0x1000,0x1000 intr gic:5,t name \"a b\"",
     "f:2:16: error: '0x1000,0x1000': a device's loc is one address\n"
     "f:2:35: error: 'gic:5,t': gic:N is all that may stand here\n"
     "f:2:48: error: 'a b' is not a name: letters, digits and . _ - : + are allowed\n"},
    {S "vdev pl011 intr gic:1020 intr 5\nvdev pl011 intr apic vdev pl011 intr gic: loc 1M loc 2M",
     "f:2:17: error: an INTID must be 0..1019, not 1020\n"
     "f:2:26: error: 'intr' is given twice\n"
     "f:3:17: error: 'apic' exists on x86 only\n"
     "f:3:38: error: 'gic:': an interrupt is gic:N with N the GIC's INTID (an SPI's number + 32)\n"
     "f:3:50: error: 'loc' is given twice\n"},
    {S "vdev virtio-net mtu 67 vdev virtio-net mtu 65536 vdev virtio-net mtu x mtu 5 vdev "
       "virtio-net bind-mode 01000 vdev virtio-net bind-mode 9 vdev virtio-net rate x peer \"\"",
     "f:2:21: error: 'mtu' must be 68..65535, not 67\n"
     "f:2:44: error: 'mtu' must be 68..65535, not 65536\n"
     "f:2:70: error: 'x' is not a number, which 'mtu' needs\n"
     "f:2:72: error: 'mtu' is given twice\n"
     "f:2:104: error: 'bind-mode' must be 0..777 (octal), not 01000\n"
     "f:2:136: error: '9' is not an octal number, which 'bind-mode' needs\n"
     "f:2:159: error: 'x' is not a size, which 'rate' needs\n"
     "f:2:166: error: 'peer' needs a text that is not empty\n"},
    {S
     "vdev virtio-net mac 01:00:00:00:00:01 vdev virtio-net mac 00:00:00:00:00:00 vdev virtio-net "
     "mac 0:0:0:0:0:1 vdev virtio-net mac aa-aa-aa-aa-aa-aa mac-spoof perhaps hairpin maybe",
     "f:2:21: error: '01:00:00:00:00:01' is a group address or zero: no device's MAC\n"
     "f:2:59: error: '00:00:00:00:00:00' is a group address or zero: no device's MAC\n"
     "f:2:97: error: '0:0:0:0:0:1' is not a MAC address: aa:bb:cc:dd:ee:ff\n"
     "f:2:129: error: 'aa-aa-aa-aa-aa-aa' is not a MAC address: aa:bb:cc:dd:ee:ff\n"
     "f:2:157: error: 'perhaps' is not one of: deny, allow\n"
     "f:2:173: error: 'maybe' is not on or off, which 'hairpin' needs\n"},
    {S "vdev pl011 hostdev a hostdev b hostdev c", "f:2:40: error: 'hostdev c': two are enough\n"},
    {S "vdev virtio-net legacy legacy", "f:2:24: error: 'legacy' is given twice\n"},
    {S "vdev virtio-net vlan 5 vdev virtio-net vlan access:0 vdev virtio-net vlan access:4095 vdev "
       "virtio-net vlan access:",
     "f:2:22: error: '5' is not access:N or trunk:N,N-M...[,native:N], which 'vlan' needs\n"
     "f:2:45: error: a VLAN must be 1..4094, not 0\n"
     "f:2:75: error: a VLAN must be 1..4094, not 4095\n"
     "f:2:108: error: 'access:' is not access:N or trunk:N,N-M...[,native:N], which 'vlan' "
     "needs\n"},
    {S "vdev virtio-net vlan trunk:5-4 vdev virtio-net vlan trunk:1,x vdev virtio-net vlan "
       "trunk:native:4 vdev virtio-net vlan trunk:1,native:1,native:2 vdev virtio-net vlan "
       "trunk:1-",
     "f:2:22: error: '5-4' is an empty range of VLANs\n"
     "f:2:53: error: 'x' is not a number: a VLAN must be 1..4094\n"
     "f:2:84: error: 'trunk:native:4': a trunk without tagged VLANs is access:4\n"
     "f:2:120: error: 'trunk:1,native:1,native:2': two native VLANs\n"
     "f:2:167: error: '' is not a number: a VLAN must be 1..4094\n"},
    {S "vdev virtio-net vlan access:5 vlan access:6 vlan",
     "f:2:31: error: 'vlan' is given twice\nf:2:45: error: 'vlan' is given twice\n"
     "f:2:45: error: 'vlan' needs an argument behind it\n"},
    {S "vdev virtio-net static 01:00:00:00:00:01 static x static 02:00:00:00:00:01 static "
       "020000000001 static",
     "f:2:24: error: '01:00:00:00:00:01' is a group address or zero: no device's MAC\n"
     "f:2:49: error: 'x' is not a MAC address: aa:bb:cc:dd:ee:ff\n"
     "f:2:83: error: '020000000001' is given twice\n"
     "f:2:96: error: 'static' needs MAC behind it\n"},
    {S "vdev virtio-net static 020000000001 static 020000000002 static 020000000003 static "
       "020000000004 static 020000000005 static 020000000006 static 020000000007 static "
       "020000000008 static 020000000009",
     "f:2:184: error: more than 8 addresses\n"},
    {S "@", "f:2:1: error: '@' needs a file name right behind it\n"},
    {S "@x", "f:2:1: error: file 'x' not found\n"},
};

static void test_messages(void **state)
{
    u32 wrong = 0;

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(messages); i++) {
        struct configs *c = configs_new();
        struct vm_config *vm = configs_parse(c, "f", messages[i].text);
        u32 errors = 0;

        wrong += differs(messages[i].text, c->log, messages[i].log);
        for (const char *p = c->log; (p = strstr(p, ": error: ")) != NULL; p++) {
            errors++;
        }
        assert_int_equal(vm->errors, errors);
        free(c);
    }
    assert_int_equal(wrong, 0);
}

/* A kernel, or a text in UTF-16: told once, not for each of its words. */
static void test_no_text(void **state)
{
    static const char text[] = "system a ram 1M\0frob frob";
    struct configs *c = configs_new();

    (void)state;
    (void)configs_parse_str(c, "f", (struct str){text, sizeof(text) - 1});
    assert_string_equal(c->log,
                        "f:1:1: error: this is no text: byte 15 is 0 (a kernel, or UTF-16?)\n"
                        "f:1:1: error: no `system NAME`: there's no VM in this file\n");
    free(c);
}

/* Every file of a config can be written as one line: the same meaning. */
static void test_one_line(void **state)
{
    static const char text[] = "system left # the left one\n"
                               "ram 0x40000000,256M\n"
                               "cpu\n  runmask 1\n  sched 20\n"
                               "load images/Image\n"
                               "vdev virtio-net\n    loc 0x1c0c0000\n    intr gic:40\n"
                               "    mac 02:00:00:00:10:01\n    name eth\n"
                               "    peer /dev/qvm/right/eth\n";
    static const char line[] = "system left ram 0x40000000,256M cpu runmask 1 sched 20 load "
                               "images/Image vdev virtio-net loc 0x1c0c0000 intr gic:40 mac "
                               "02:00:00:00:10:01 name eth peer /dev/qvm/right/eth";
    struct configs *c = configs_new();
    char a[2048], b[2048];

    (void)state;
    configs_dump(configs_parse(c, "text", text), a, sizeof(a));
    configs_dump(configs_parse(c, "line", line), b, sizeof(b));
    assert_string_equal(a, b);
    assert_non_null(strstr(a, "loc=1c0c0000/1 intr=40/1 peer=/dev/qvm/right/eth"));
    assert_string_equal(c->log, "");
    free(c);
}

static void test_include(void **state)
{
    struct configs *c = configs_new();
    struct vm_config *vm;

    (void)state;
    configs_file(c, "common.qvmconf", "cpu runmask 1 @deep/more", 24);
    configs_file(c, "deep/more", "ram 1M", 6);
    configs_end(c);
    vm = configs_parse(c, "a", "system a vdev pl011 @common.qvmconf cpu @./more");
    assert_string_equal(c->log, "");
    assert_int_equal(vm->ncpus, 2);
    assert_int_equal(vm->nmems, 2);
    free(c);
}

/* A file's end closes its context, and so does pulling one in. */
static void test_include_closes_context(void **state)
{
    struct configs *c = configs_new();

    (void)state;
    configs_file(c, "uart", "intr gic:40 vdev pl011", 22);
    configs_end(c);
    configs_parse(c, "a", "system a vdev pl011 @uart intr gic:41");
    assert_string_equal(c->log,
                        "uart:1:1: error: unknown word 'intr' (no context is open); did you mean "
                        "'initrd' or 'entry'?\n"
                        "a:1:27: error: unknown word 'intr' (no context is open); did you mean "
                        "'initrd' or 'entry'?\n");
    free(c);
}

static void test_include_cycle(void **state)
{
    struct configs *c = configs_new();

    (void)state;
    configs_file(c, "x", "@y", 2);
    configs_file(c, "y", "cpu @x", 6);
    configs_file(c, "0", "@1", 2);
    configs_file(c, "1", "@2", 2);
    configs_file(c, "2", "@3", 2);
    configs_file(c, "3", "@4", 2);
    configs_file(c, "4", "@5", 2);
    configs_file(c, "5", "@6", 2);
    configs_file(c, "6", "@7", 2);
    configs_file(c, "7", "cpu", 3);
    configs_end(c);
    configs_parse(c, "a", "system a @x @0");
    assert_string_equal(c->log, "y:1:5: error: file 'x' pulls itself in\n"
                                "6:1:1: error: files are nested deeper than 8\n");
    free(c);
}

static void test_include_many(void **state)
{
    struct configs *c = configs_new();

    (void)state;
    configs_file(c, "x", "# ", 2);
    configs_end(c);
    configs_parse(c, "a",
                  "system a @x @x @x @x @x @x @x @x @x @x @x @x @x @x @x @x @x @x @x @x "
                  "@x @x @x @x @x @x @x @x @x @x @x @x @x @x");
    assert_string_equal(c->log, "a:1:106: error: more than 32 files are pulled in with @\n"
                                "a:1:109: error: more than 32 files are pulled in with @\n");
    free(c);
}

static void test_limits(void **state)
{
    struct configs *c = configs_new();
    char text[2048] = "system a\n";

    (void)state;
    for (u32 i = 0; i < CFG_VDEVS + 1; i++) {
        strcat(text, "vdev pl011\n");
    }
    for (u32 i = 0; i < CFG_RESERVES + 1; i++) {
        strcat(text, "reserve intr gic:50\n");
    }
    configs_parse(c, "a", text);
    assert_string_equal(c->log, "a:42:1: error: more than 40 devices\n"
                                "a:59:9: error: more than 16 reserved areas and interrupts\n");
    free(c);
}

static void test_long_cmdline(void **state)
{
    struct configs *c = configs_new();
    char text[3000] = "system a cmdline ";

    (void)state;
    memset(text + strlen(text), 'x', 2048);
    configs_parse(c, "a", text);
    assert_string_equal(c->log, "a:1:18: warning: 2048 bytes of command line: Linux takes 2047\n");
    free(c);
}

static void test_no_memory(void **state)
{
    struct configs *c = configs_new();

    (void)state;
    c->arena.size = 8;
    configs_parse(c, "a", "system a cmdline \"a b c d e f\" cmdline abcdefghi vdev virtio-net");
    assert_string_equal(c->log, "a:1:18: error: no memory left for configs\n"
                                "a:1:32: warning: this 'cmdline' replaces the one of line 1\n"
                                "a:1:32: error: no memory left for configs\n"
                                "a:1:50: error: no memory left for configs\n");
    free(c);
}

/* More files than places can name: the rest share one name. */
static void test_many_files(void **state)
{
    struct diag d = {.files = 0};
    static char name[CFG_FILES + 2][8];

    (void)state;
    for (u32 i = 0; i < CFG_FILES + 2; i++) {
        snprintf(name[i], sizeof(name[i]), "f%u", i);
        assert_int_equal(diag_file(&d, str_of(name[i])), MIN(i, CFG_FILES - 1u));
    }
    assert_int_equal(diag_file(&d, str_of("f3")), 3);
}

static void check_list(const char *const *files, const char *expected)
{
    struct configs *c = configs_new();
    struct bundle_file found[4];
    char text[256] = "";
    u32 n;

    for (; files[0] != NULL; files += 2) {
        configs_file(c, files[0], files[1], (u32)strlen(files[1]));
    }
    configs_end(c);
    n = config_list(&c->bundle, found, 4);
    for (u32 i = 0; i < MIN(n, 4u); i++) {
        strncat(text, found[i].name.p, found[i].name.len);
        strcat(text, " ");
    }
    sprintf(text + strlen(text), "%u", n);
    assert_string_equal(text, expected);
    free(c);
}

static void test_list(void **state)
{
    (void)state;
    check_list(
        (const char *const[]){"b.qvmconf", "system b", "Image", "x", "a.qvmconf", "system a", NULL},
        "b.qvmconf a.qvmconf 2");
    check_list((const char *const[]){"x/common.qvmconf", "cpu", "a.qvmconf",
                                     "system a @\"common.qvmconf\"", "b.qvmconf",
                                     "# @a.qvmconf\nsystem b", NULL},
               "a.qvmconf b.qvmconf 2");
    check_list((const char *const[]){"Image", "x", "empty.qvmconf", "", NULL}, "0");
    check_list((const char *const[]){"a.qvmconf", "x", "b.qvmconf", "x", "c.qvmconf", "x",
                                     "d.qvmconf", "x", "e.qvmconf", "x", NULL},
               "a.qvmconf b.qvmconf c.qvmconf d.qvmconf 5");
}

static char manual[1 << 16];
static size_t manual_len;

static void manual_print(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    manual_len += (size_t)vsnprintf(manual + manual_len, sizeof(manual) - manual_len, fmt, ap);
    va_end(ap);
}

/* Of each option: unit, range, default, example; of kinds of values, what they take. */
static void test_manual(void **state)
{
    static const char *const has[] = {
        "- **`ram [identity] [START,]LENGTH`** (bytes; multiples of 4K, below 1T; default: none, "
        "it must be "
        "given)  \n  ",
        "- **`cpu`** (up to 8 times; default: one vCPU)  \n",
        "### Of `cpu`\n\n- **`runmask N[,N...]`** (physical CPUs; ",
        "- **`counter-offset`** (ticks; 0 to 2^64 - 1; default: ",
        "Example: `set counter-offset 0`\n",
        "### vdev virtio-net",
        "- **`mtu`** (68 to 65535; default: 1500)  \n",
        "- **`bind-mode`** (0 to 0777)",
        "- **`mac-spoof`** (deny or allow)",
        "- **`hairpin`** (on or off)",
        "- **`isolate`** (default: off)",
        "- **`rate`** (bytes; 0 to 2^64 - 1)  \n  Example: `rate 10M`",
        "- **`batch`** (0 to 4294967295)  \n  No effect. ",
        "- Without effect: `sched PRIORITY[r|f|o]`, `delayed SECONDS|forever`, `log TEXT`, "
        "`threads N`, `hostdev [<|>]PATH`.\n",
        "Also written as: `serial`.",
        "- `cpu partition NAME`: QNX's",
        "- `acpi load PATH`: For x86",
        "- `set grow-heap 1M`"};

    (void)state;
    config_manual(test_types, manual_print);
    for (u32 i = 0; i < ARRAY_SIZE(has); i++) {
        if (strstr(manual, has[i]) == NULL) {
            fail_msg("not in the manual: %s\n%s", has[i], manual);
        }
    }
}

/* What comes when a VM ends: said, and by default. */
static void test_ends(void **state)
{
    struct configs *c = configs_new();
    struct vm_config *vm = configs_parse(c, "a", "system a ram 1M");

    (void)state;
    assert_true(vm->on_reset.restart);
    assert_false(vm->on_crash.restart || vm->on_crash.dump);
    assert_false(vm->on_watchdog.restart || vm->on_watchdog.dump);
    assert_int_equal(vm->max_restarts, 60);
    vm = configs_parse(c, "b",
                       "system b ram 1M on-reset halt on-crash dump,restart on-watchdog dump,halt "
                       "max-restarts 0");
    assert_false(vm->on_reset.restart);
    assert_true(vm->on_crash.restart && vm->on_crash.dump);
    assert_false(vm->on_watchdog.restart);
    assert_true(vm->on_watchdog.dump);
    assert_int_equal(vm->max_restarts, 0);
    assert_int_equal(c->diag.errors, 0);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meaning),       cmocka_unit_test(test_messages),
        cmocka_unit_test(test_ends),          cmocka_unit_test(test_one_line),
        cmocka_unit_test(test_include),       cmocka_unit_test(test_include_closes_context),
        cmocka_unit_test(test_include_cycle), cmocka_unit_test(test_include_many),
        cmocka_unit_test(test_limits),        cmocka_unit_test(test_long_cmdline),
        cmocka_unit_test(test_no_memory),     cmocka_unit_test(test_many_files),
        cmocka_unit_test(test_no_text),       cmocka_unit_test(test_list),
        cmocka_unit_test(test_manual),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
