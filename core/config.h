/* SPDX-License-Identifier: MIT */
/*
 * The config language (QNX's qvmconf): text to struct vm_config. The same code runs on the target
 * at boot and on the host in build/muntin. No heap: everything is carved from the arena that the
 * caller passes; strings are slices of the text, which has to stay, or copies in the arena.
 */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "core/bundle.h"
#include "core/pass.h"
#include "core/types.h"
#include "core/vcpu.h"
#include "core/vdev.h"

#define CFG_MEMS     8
#define CFG_LOADS    8
#define CFG_VDEVS    40
#define CFG_RESERVES 16
#define CFG_FILES    64
#define CFG_NOTES    32
#define CFG_SWITCHES 8
#define CFG_AGE      300 /* seconds */
#define CFG_PRIO     10  /* of a vCPU without `sched` */
#define CFG_RESTARTS 60  /* in a minute */

/* Guest-physical addresses end here: what every Armv8 CPU and stage 2 can do. */
#define CFG_IPA_LIMIT (1ull << 40)

/* Messages about configs: collected by whoever parses or checks, printed as they come. */
struct diag {
    /* One finished message "file:line:col: error: text"; LOG_ERR, LOG_WARN or LOG_INFO (a note). */
    void (*emit)(struct diag *d, int level, const char *text);
    struct str file_name[CFG_FILES]; /* indexed by struct place.file */
    u32 files;
    u32 errors, warnings;
    const char *noted[CFG_NOTES]; /* options without effect that have been mentioned: once each */
    u32 notes;
};

/* A place with line 0 is left out of the message. */
void diag_error(struct diag *d, struct place p, const char *fmt, ...) PRINTF(3, 4);
void diag_warn(struct diag *d, struct place p, const char *fmt, ...) PRINTF(3, 4);
void diag_note(struct diag *d, struct place p, const char *fmt, ...) PRINTF(3, 4);

/* The index of a file name for struct place, entered if it's new. The name has to stay. */
u16 diag_file(struct diag *d, struct str name);

/*
 * The board's reserved memory: calls `each` with every name of an area and its place. Whoever knows
 * the board sets it, once, before a config is parsed; NULL: nobody does.
 */
struct range;
typedef void config_area(void *ctx, struct str name, struct range area);
extern void (*config_areas)(config_area *each, void *ctx);

struct cfg_arena {
    u8 *base; /* aligned for every type */
    size_t size, used;
};
/* Zeroed, aligned for every type; NULL when full. */
void *cfg_alloc(struct cfg_arena *a, size_t size) MUST_CHECK;

enum cfg_mem_kind { MEM_RAM, MEM_ROM };
struct cfg_mem {
    enum cfg_mem_kind kind;
    u64 base, size; /* base is filled in if !has_base: by place_mems, or by check_identity */
    bool has_base;
    bool identity; /* base is the address in the board, too */
    struct place place;
};

struct cfg_reserve {
    u64 base, size; /* guest-physical hole; size 0: this entry reserves an interrupt */
    u32 intid;
    struct place place;
};

enum cfg_load_type { LOAD_AUTO, LOAD_GUEST, LOAD_DATA, LOAD_FDT, LOAD_INITRD };
struct cfg_load {
    enum cfg_load_type type;
    u64 addr;
    bool has_addr;
    struct str path; /* empty for `fdt load ADDR` */
    struct place place;
    struct bundle_file file; /* resolved by check_files */
};

struct cfg_cpu {
    u32 runmask; /* bit per physical CPU; 0: none given; of `cluster`, after check_clusters */
    struct str cluster; /* empty: none given */
    u32 prio;           /* `sched`; default 10 */
    u32 pcpu;           /* the physical CPU that it is pinned to; check_all decides */
    struct place place, cluster_place;
};

enum cfg_policy { POLICY_ABORT, POLICY_FAIL, POLICY_IGNORE };
enum cfg_halt { HALT_AUTO, HALT_ON, HALT_OFF };

/* What follows when a VM ends in some way. */
struct cfg_end {
    bool restart; /* else it stays stopped */
    bool dump;    /* its vCPUs' registers go to the log first, and its core out if it has `dump` */
};

/*
 * `switch NAME { ... }`: of a switch, not of the VM in whose file it stands; it holds even if that
 * VM is not started. A switch without one has the defaults.
 */
struct switch_conf {
    struct str name;
    struct place place, poll_place;
    u32 age_s;         /* seconds after which a learned address is forgotten */
    bool drop_unknown; /* a frame to an address not known is dropped, not flooded */
    bool has_storm;
    u32 storm;    /* default of its NICs' `storm`, if has_storm */
    u32 poll_cpu; /* the physical CPU that polls its rings; UINT32_MAX: none */
    bool isolate; /* all its NICs are isolated */
};

struct vm_config {
    struct str name; /* `system` */
    struct place place;
    u32 errors;  /* of this VM, from parse to check: > 0 means it's not started */
    bool unsure; /* a line about memory or files had an error: what seems to lack may be in it */

    struct cfg_cpu cpu[VCPU_MAX];
    u32 ncpus;
    struct cfg_mem mem[CFG_MEMS];
    u32 nmems;
    struct cfg_reserve reserve[CFG_RESERVES];
    u32 nreserves;
    struct cfg_load load[CFG_LOADS];
    u32 nloads;
    struct str cmdline; /* NUL-terminated copy in the arena */
    struct place cmdline_place;
    struct vdev_conf vdev[CFG_VDEVS];
    u32 nvdevs;
    struct cfg_pass pass;
    struct switch_conf sw[CFG_SWITCHES];
    u32 nswitches;
    struct str group; /* `group NAME`; empty: the bundle's common group */

    enum cfg_policy on_instruction, on_reference, on_register;
    enum cfg_halt exit_on_halt;
    struct place exit_on_halt_place;
    u64 counter_offset; /* UINT64_MAX: counters start at 0; 0: same as host; else ticks */
    u32 log_set;        /* bits of enum cfg_log_sev: which of its messages go to the console */
    u32 slog_set;       /* and which are just kept for the prompt's `log` */
    bool debug, dryrun;
    bool no_autostart; /* `autostart off`: it waits for `vm start` */
    bool has_entry;
    u64 entry; /* `entry`: guest-physical, where it starts instead of at its image's entry point */
    struct place entry_place;
    bool has_aarch32, aarch32; /* `set aarch32`: for what doesn't tell how many bits it has */
    struct place aarch32_place;
    struct cfg_end on_reset, on_crash, on_watchdog;
    u32 max_restarts; /* in a minute, without anybody asking for it */
    bool core;        /* `dump DIR`: with its registers comes the whole core */
    struct str fdt_dump_file;

    /* The interrupt controller's place; the version follows the board (0: not yet known). */
    u32 gic_version;
    struct place gic_place; /* of the last option of `vdev gic`; line 0: none */
    bool gic_has_loc;
    u64 gicd, gicc, gicr; /* guest-physical */
};

enum cfg_log_sev {
    SEV_FATAL = 1,
    SEV_INTERNAL = 2,
    SEV_ERROR = 4,
    SEV_WARN = 8,
    SEV_INFO = 16,
    SEV_DEBUG = 32,
    SEV_VERBOSE = 64
};

/*
 * How @FILE finds its text. May replace *name by the one to show in messages, which has to stay.
 * False: there's no such file.
 */
struct cfg_source {
    bool (*open)(struct cfg_source *s, struct str *name, struct str *text);
};

/* Files of a bundle as a source. */
struct cfg_bundle_source {
    struct cfg_source source; /* first member; .open = config_bundle_open */
    const struct bundle *bundle;
};
bool config_bundle_open(struct cfg_source *s, struct str *name, struct str *text);

/*
 * The bundle's VMs, in archive order: each NAME.qvmconf that no other .qvmconf names with @FILE.
 * Returns how many there are, of which at most `max` are written to out.
 */
u32 config_list(const struct bundle *b, struct bundle_file *out, u32 max);

/*
 * Parses `text` (named `name`) and the files that it pulls in with @FILE into *vm, which is
 * initialised to defaults first. All errors are reported, not just the first; vm->errors counts.
 * `types` lists the device types, NULL-terminated.
 */
void config_parse(struct vm_config *vm, struct str name, struct str text, struct cfg_source *src,
                  const struct vdev_type *const *types, struct cfg_arena *arena, struct diag *diag);

/* Each option, in the words of the manual (Markdown), through print. */
void config_manual(const struct vdev_type *const *types, void (*print)(const char *fmt, ...));

#endif
