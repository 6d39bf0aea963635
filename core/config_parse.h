/* SPDX-License-Identifier: MIT */
/* The parser's state and what its files call of each other. Private to core/config*.c. */
#ifndef CORE_CONFIG_PARSE_H
#define CORE_CONFIG_PARSE_H

#include "core/config.h"
#include "core/config_lex.h"

#define CFG_DEPTH    8  /* files open at once through @FILE */
#define CFG_INCLUDES 32 /* @FILE words of one VM in all */

enum ctx { CTX_NONE, CTX_CPU, CTX_VDEV, CTX_GIC, CTX_RESERVE, CTX_PASS, CTX_SWITCH, CTX_UNKNOWN };

struct parser {
    struct vm_config *vm;
    struct cfg_source *src;
    const struct vdev_type *const *types;
    struct cfg_arena *arena;
    struct diag *diag;

    struct lexer lex[CFG_DEPTH];
    u32 depth, includes;

    enum ctx ctx;
    struct cfg_cpu *cpu;    /* CTX_CPU */
    struct vdev_conf *vdev; /* CTX_VDEV */
    struct switch_conf *sw; /* CTX_SWITCH */
    struct place sw_brace;  /* its '{' */
    u32 pass_first;         /* CTX_PASS: its first window */
    bool pass_shared;       /* … it said `shared` */
    bool pass_unknown;      /* … it's of a kind that isn't supported, as was said */
    u64 seen;               /* options given in this context, a bit each */

    bool has_system, order_told, has_logger;
};

/* A word that may stand where an option is expected. */
struct keyword {
    const char *name;
    void (*parse)(struct parser *p, const struct keyword *k, const struct token *t);
    u32 value;        /* for parse */
    const char *arg;  /* how the manual writes the arguments; NULL: none */
    const char *help; /* for the manual; NULL: not in it, but said with another word */
    enum { WORKS, IGNORED, LATER } state;
};

extern const struct keyword config_words[]; /* top level; each ends with name == NULL */
extern const struct keyword config_cpu_words[];
extern const struct keyword config_reserve_words[];
extern const struct keyword config_pass_words[];
extern const struct keyword config_gic_words[];
extern const struct keyword config_switch_words[];

/* A variable of `set`. */
struct cfg_var {
    const char *name;
    enum { VAR_BOOL, VAR_NUMBER, VAR_SIZE, VAR_STR } type;
    u64 min, max;
    bool ignored;
    void (*apply)(struct parser *p, const struct token *value, u64 v);
    const char *help;
};
extern const struct cfg_var config_vars[];

const struct keyword *config_find(const struct keyword *words, struct str name);
const struct keyword *config_ctx_words(const struct parser *p);

/* The argument of t, which must follow it in the same file; what: for the error. */
bool config_arg(struct parser *p, const struct token *t, const char *what,
                struct token *arg) MUST_CHECK;
/* As above, and a number within min..max. `what` starts the error's text: "a priority". */
bool config_number(struct parser *p, const struct token *arg, const char *what, const u64 bounds[2],
                   u64 *v) MUST_CHECK;
/* An address or size: K M G T may follow. */
bool config_address(struct parser *p, struct place place, struct str s, u64 *v) MUST_CHECK;
/* Names of VMs, devices and groups: letters, digits and some of "._-:+". */
bool config_name(struct parser *p, const struct token *arg, u32 max_len) MUST_CHECK;
/* [mem:|io:|pci:]ADDR of `loc`; *rest is what follows the address's comma. */
bool config_loc(struct parser *p, const struct token *arg, struct str *rest, u64 *addr) MUST_CHECK;
/* gic:N of `intr`; *rest is what follows the number's comma or '='. */
bool config_intr(struct parser *p, const struct token *arg, struct str *rest, u32 *id) MUST_CHECK;
/* The index of a word in a NULL-terminated list; -1, with an error that lists what is allowed. */
int config_word(struct parser *p, struct str s, struct place place,
                const char *const *words) MUST_CHECK;
/* False with an error at t if this context has had this option already. */
bool config_once(struct parser *p, u32 bit, const struct token *t) MUST_CHECK;
/* Notes, once for each word, that it has no effect. */
void config_ignored(struct parser *p, const struct token *t, const char *name);
void config_ctx(struct parser *p, enum ctx ctx);

/* What the manual says of an option beside its help; the tables are in core/config_docs.c. */
struct cfg_doc {
    const char *name;    /* of a keyword or variable; NULL ends a table */
    const char *unit;    /* of a number: "bytes", "seconds"; NULL: it's none */
    const char *range;   /* "1 to 255", or what a text may be: "a name"; NULL: takes no argument */
    const char *dflt;    /* what holds without it */
    const char *example; /* as it may stand in a config; its first word needn't be the option */
};
extern const struct cfg_doc config_docs[], config_cpu_docs[], config_reserve_docs[],
    config_pass_docs[], config_gic_docs[], config_switch_docs[], config_var_docs[];
/* What a device's option takes, for the manual: its own words, or by its kind; NULL: nothing. */
const char *config_opt_range(const struct opt *o, char *buf, size_t size);
/* NULL: none. */
const struct cfg_doc *config_doc(const struct cfg_doc *docs, const char *name);

/* An option with one argument that Muntin has no use for. */
void config_unused(struct parser *p, const struct keyword *k, const struct token *t);

/* core/config_cpu.c */
void config_cpu(struct parser *p, const struct keyword *k, const struct token *t);

/* core/config_nic.c: values of options of network devices */
void config_mac_option(struct parser *p, const struct token *arg, struct opt_mac *mac);
void config_macs_option(struct parser *p, const struct token *arg, struct opt_macs *macs);
void config_vlan_option(struct parser *p, const struct token *arg, struct opt_vlan *vlan);

/* core/config_switch.c */
void config_switch(struct parser *p, const struct keyword *k, const struct token *t);
/* The word `switch`, just read, begins a description: '{' stands behind its name. */
bool config_switch_opens(const struct parser *p) MUST_CHECK;
/* A word between braces that ends the description; true if that was all: it's taken. */
bool config_switch_closes(struct parser *p, const struct token *t) MUST_CHECK;
/* The file ended between braces. */
void config_switch_open_end(struct parser *p);

/* core/config_pass.c */
void config_pass(struct parser *p, const struct keyword *k, const struct token *t);
/*
 * After `ram` or `rom`: if *arg is `identity`, that is noted in *m, and *arg becomes what follows.
 * False after an error.
 */
bool config_ram_identity(struct parser *p, const struct token *t, struct cfg_mem *m,
                         struct token *arg) MUST_CHECK;

/* core/config_end.c */
enum { END_RESET, END_CRASH, END_WATCHDOG }; /* keyword's value */
void config_end(struct parser *p, const struct keyword *k, const struct token *t);
void config_max_restarts(struct parser *p, const struct keyword *k, const struct token *t);
void config_dump(struct parser *p, const struct keyword *k, const struct token *t);

/* core/config_set.c */
void config_set(struct parser *p, const struct keyword *k, const struct token *t);

/* core/config_vdev.c */
struct idle_option {
    const char *name;
    const char *types; /* how the names of the types begin that it's for */
    enum { IDLE_TEXT, IDLE_NUMBER, IDLE_PRIORITY, IDLE_SECONDS, IDLE_BOOL } kind;
    u64 min, max; /* of a number; max 0: it's none */
    const char *arg, *help, *example;
};
extern const struct idle_option config_idle_options[]; /* ends with name == NULL */
/* The type takes it, and hasn't an option of that name itself. */
bool config_is_idle(const struct vdev_type *type, const struct idle_option *o) MUST_CHECK;
void config_vdev(struct parser *p, const struct keyword *k, const struct token *t);
bool config_vdev_option(struct parser *p, const struct token *t) MUST_CHECK;
void config_vdev_skip(struct parser *p, const struct token *t);
void config_vdev_names(const struct vdev_type *type, void (*add)(void *to, const char *name),
                       void *to);

#endif
