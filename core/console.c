/* SPDX-License-Identifier: MIT */
/*
 * Muntin's prompt: a line editor and a table of commands. Each command prints a bounded amount,
 * into the mux's ring, and never waits: what takes time is started and reported by a message later.
 * Knows neither mux nor network, but for the hooks. No lock: one caller at a time.
 */
#include "core/console.h"

#include "core/arch.h"
#include "core/atomic.h"
#include "core/log.h"
#include "core/page.h"
#include "core/regs.h"
#include "core/vdev.h"
#include "core/vm.h"

#include <string.h>

#define PROMPT    "muntin> "
#define LINE_MAX  120
#define WORDS_MAX 5 /* one more than any command takes */
#define LOG_LINES 20
#define NS_PER_MS 1000000u

enum key {
    CTRL_C = 3,
    BACKSPACE = 8,
    FORM_FEED = 12,
    CTRL_U = 21,
    ESC = 27,
    DEL = 127,
};

struct command {
    const char *name; /* one word or two */
    const char *arg;  /* as help shows it: "", or one, in brackets if it may be left out, or two */
    const char *help;
    void (*run)(const char *arg);                           /* arg is NULL if it was left out */
    void (*run_vm)(struct vm *vm);                          /* instead of run: arg is a VM's name */
    void (*run_two)(const char *first, const char *second); /* instead of run: both are there */
};

static const struct console_hooks *hooks;
static char line[LINE_MAX + 1];
static u32 line_len;
static char last_key;    /* of an end of line: \r\n counts once */
static u8 escape_state;  /* 1: behind ESC, 2: behind ESC [ */
static bool left_prompt; /* the command gave the focus to a VM */

/* --- output ----------------------------------------------------------------------------------- */

static void put(const char *s)
{
    hooks->write(s, strlen(s));
}

/* Newlines become what a terminal wants. */
static void PRINTF(1, 2) print(const char *fmt, ...)
{
    char text[512];
    const char *p = text, *nl;
    va_list ap;

    va_start(ap, fmt);
    (void)fmt_vprint(text, sizeof(text), fmt, ap);
    va_end(ap);
    while ((nl = strchr(p, '\n')) != NULL) {
        hooks->write(p, (size_t)(nl - p));
        put("\r\n");
        p = nl + 1;
    }
    put(p);
}

void console_key_name(char key, char *buf, size_t size)
{
    bool control = key > 0 && key < 0x20;

    fmt_print(buf, size, control ? "Ctrl-%c" : "%c", control ? key + 0x40 : key);
}

/* --- VMs -------------------------------------------------------------------------------------- */

static void print_names(void)
{
    for (u32 i = 0; i < vm_count; i++) {
        print("%s%s", i == 0 ? "" : ", ", vms[i]->name);
    }
    print(vm_count == 0 ? "there are no VMs\n" : "\n");
}

/* The VM of this name, or NULL after saying which there are. */
static struct vm *find_vm(const char *name)
{
    for (u32 i = 0; i < vm_count; i++) {
        if (strcmp(vms[i]->name, name) == 0) {
            return vms[i];
        }
    }
    print("no VM is called '%s': ", name);
    print_names();
    return NULL;
}

static u64 ram_size(const struct vm *vm)
{
    u64 size = 0;

    for (u32 i = 0; i < vm->mem.count; i++) {
        size += vm->mem.region[i].size;
    }
    return size;
}

static const char *state_name(struct vm *vm)
{
    return vm_state_name(atomic_load(&vm->state));
}

static const char *vcpu_state(struct vcpu *v)
{
    switch (atomic_load(&v->state)) {
    case VCPU_OFF:
        return "off";
    case VCPU_BLOCKED:
        return "waits for an interrupt";
    case VCPU_PAUSED:
        return "stands still";
    default:
        return atomic_load(&v->pcpu->current) == v ? "runs" : "waits for its CPU";
    }
}

static void show_vcpu(struct vcpu *v)
{
    u64 ms = atomic_load(&v->run_ns) / NS_PER_MS;

    print("  vCPU %u on CPU %u: %s, %llu exits", v->id, v->pcpu->id, vcpu_state(v),
          (unsigned long long)atomic_load(&v->exits));
    if (ms != 0) {
        print(", %llu.%03llu s run", (unsigned long long)(ms / 1000),
              (unsigned long long)(ms % 1000));
    }
    print("\n");
}

static void list_vm(struct vm *vm)
{
    u32 number = hooks->find(vm->name);

    print("  %-16s %-9s %u vCPU%s, %llu MiB", vm->name, state_name(vm), vm->nvcpus,
          vm->nvcpus == 1 ? "" : "s", (unsigned long long)(ram_size(vm) / MIB));
    if (number != 0) {
        print(", console %u", hooks->key(number));
    }
    if (atomic_load(&vm->state) == VM_STOPPED && vm->starts > 0) {
        print(", %s (exit code %d)", vm_reason_name(vm->reason), vm->reason);
    }
    if (atomic_load(&vm->frozen)) {
        print(", its core is written");
    }
    if (vm->refused[0] != '\0') {
        print(", refused: %s", vm->refused);
    }
    print("\n");
}

static void run_vm_list(const char *arg)
{
    (void)arg;
    for (u32 i = 0; i < vm_count; i++) {
        list_vm(vms[i]);
    }
    if (vm_count == 0) {
        print("there are no VMs\n");
    }
}

/* Of a VM that runs again, too: why it ended the last time. */
static void show_end(struct vm *vm)
{
    enum vm_reason reason;
    char why[VM_WHY];
    u32 ends;

    spin_lock(&vm->lock);
    ends = vm->ends;
    reason = vm->last_reason;
    memcpy(why, vm->why, sizeof(why));
    spin_unlock(&vm->lock);
    if (ends > 0) {
        print("  ended %u time%s, the last: exit code %d, %s%s%s\n", ends, ends == 1 ? "" : "s",
              reason, vm_reason_name(reason), why[0] != '\0' ? ": " : "", why);
    }
}

static void show_vm(struct vm *vm)
{
    list_vm(vm);
    show_end(vm);
    print("  %u start%s; accesses to nothing: %llu memory, %llu system registers; %llu unknown "
          "calls\n",
          vm->starts, vm->starts == 1 ? "" : "s",
          (unsigned long long)atomic_load(&vm->mmio_unknown),
          (unsigned long long)atomic_load(&vm->sysreg_unknown),
          (unsigned long long)atomic_load(&vm->smc_unknown));
    for (u32 i = 0; i < vm->nvcpus; i++) {
        show_vcpu(vm->vcpu[i]);
    }
    for (struct vdev *d = vm->devs; d != NULL; d = d->next) {
        if (d->ops->show != NULL) {
            d->ops->show(d, print);
        }
    }
}

static void run_vm_status(const char *arg)
{
    struct vm *vm = arg != NULL ? find_vm(arg) : NULL;

    if (vm != NULL) {
        show_vm(vm);
    }
    for (u32 i = 0; arg == NULL && i < vm_count; i++) {
        show_vm(vms[i]);
    }
}

/* False, after saying so, if the VM may never start. */
static bool is_startable(struct vm *vm)
{
    if (vm->refused[0] == '\0') {
        return true;
    }
    print("%s can't be started: %s\n", vm->name, vm->refused);
    return false;
}

static void start_vm(struct vm *vm)
{
    if (vm_start(vm)) {
        print("%s: starts\n", vm->name);
    } else if (atomic_load(&vm->frozen)) {
        print("%s can't be started: its core is written first\n", vm->name);
    } else if (is_startable(vm)) {
        print("%s can't be started: it's %s; `vm reset %s` restarts it\n", vm->name, state_name(vm),
              vm->name);
    }
}

/* True, after saying so, if the VM is stopped. */
static bool is_stopped(struct vm *vm)
{
    if (atomic_load(&vm->state) != VM_STOPPED) {
        return false;
    }
    print("%s is stopped already; `vm start %s` starts it\n", vm->name, vm->name);
    return true;
}

/* What became of pressing its power button. */
static enum vdev_button press_button(struct vm *vm)
{
    enum vdev_button best = BUTTON_NONE;

    for (struct vdev *d = vm->devs; d != NULL; d = d->next) {
        if (d->ops->press != NULL) {
            enum vdev_button result = d->ops->press(d);

            best = MAX(best, result);
        }
    }
    return best;
}

static void stop_vm(struct vm *vm)
{
    static const char *const text[] = {
        [BUTTON_NONE] = "can't be asked to stop: its machine has no power button (`vdev pl061`). "
                        "Run `poweroff` in it",
        [BUTTON_UNHEARD] = "has its power button pressed, but doesn't listen to it. Run `poweroff` "
                           "in it",
        [BUTTON_PRESSED] = "has its power button pressed. If it doesn't stop, run `poweroff` in it",
    };

    if (!is_stopped(vm)) {
        print("%s %s, or stop it at once with `vm kill %s`\n", vm->name, text[press_button(vm)],
              vm->name);
    }
}

static void kill_vm(struct vm *vm)
{
    if (!is_stopped(vm)) {
        vm_stop(vm, VM_EXIT_KILLED);
    }
}

static void reset_vm(struct vm *vm)
{
    if (is_startable(vm) && !vm_start(vm)) {
        vm_restart(vm);
    }
}

/* regs_print gives lines. */
static void PRINTF(1, 2) print_line(const char *fmt, ...)
{
    char text[200];
    va_list ap;

    va_start(ap, fmt);
    (void)fmt_vprint(text, sizeof(text), fmt, ap);
    va_end(ap);
    print("%s\n", text);
}

static void dump_vm(struct vm *vm)
{
    struct vcpu_regs regs;

    for (u32 i = 0; i < vm->nvcpus; i++) {
        show_vcpu(vm->vcpu[i]);
        arch_vcpu_regs(vm->vcpu[i], &regs);
        regs_print(&regs, print_line);
    }
}

static void core_vm(struct vm *vm)
{
    if (!vm_core(vm)) {
        print("%s has no core to write now: it's %s%s\n", vm->name, state_name(vm),
              atomic_load(&vm->frozen) ? ", and its core is written already" : "");
    }
}

/* --- the rest --------------------------------------------------------------------------------- */

/* A decimal number up to 9999; false if it's none. */
static bool read_number(const char *s, u32 *value)
{
    *value = 0;
    for (u32 i = 0; s[i] != '\0'; i++) {
        if (s[i] < '0' || s[i] > '9' || i == 4) {
            return false;
        }
        *value = *value * 10 + (u32)(s[i] - '0');
    }
    return s[0] != '\0';
}

static void run_focus(const char *arg)
{
    u32 number = hooks->find(arg);

    if (number == 0) {
        print("no console is called '%s'; there are those of: ", arg);
        print_names();
        return;
    }
    left_prompt = true;
    hooks->focus(number);
}

static void run_net_show(const char *arg)
{
    (void)arg;
    hooks->net_show(print);
}

static void run_log(const char *arg)
{
    u32 lines = LOG_LINES;
    char text[400];
    u64 pos;

    if (arg != NULL && (!read_number(arg, &lines) || lines == 0)) {
        print("log: '%s' is not a number of lines, 1 to 9999\n", arg);
        return;
    }
    pos = log_last(lines);
    for (u32 i = 0; i < lines && log_read(&pos, text, sizeof(text)); i++) {
        print("%s\n", text);
    }
}

static void run_memory(const char *arg)
{
    (void)arg;
    for (u32 i = 0; i < vm_count; i++) {
        print("  %-16s %8llu KiB\n", vms[i]->name, (unsigned long long)(ram_size(vms[i]) / KIB));
    }
    print("  %-16s %8llu KiB, and its image\n", "Muntin", (unsigned long long)(page_taken() / KIB));
    print("  %-16s %8llu KiB, the largest piece %llu KiB\n", "free",
          (unsigned long long)(page_free() / KIB),
          (unsigned long long)(page_largest(PAGE_SIZE) / KIB));
}

static void run_help(const char *arg);

static void run_net_capture(const char *nic, const char *verb)
{
    hooks->net_capture(nic, verb, print);
}

static const struct command commands[] = {
    {"help", "", "this list", .run = run_help},
    {"vm list", "", "all VMs, a line each", .run = run_vm_list},
    {"vm status", "[NAME]", "what the vCPUs and devices do", .run = run_vm_status},
    {"vm start", "NAME", "starts a stopped VM from its images", .run_vm = start_vm},
    {"vm stop", "NAME", "presses its power button", .run_vm = stop_vm},
    {"vm kill", "NAME", "stops it at once, as if its power failed", .run_vm = kill_vm},
    {"vm reset", "NAME", "starts it anew, whatever it does", .run_vm = reset_vm},
    {"vm dump", "NAME", "registers of its vCPUs", .run_vm = dump_vm},
    {"vm core", "NAME", "its registers and RAM, as text for `muntin gcore`", .run_vm = core_vm},
    {"focus", "NAME", "gives the console to a VM", .run = run_focus},
    {"net show", "", "switches, their ports and counters", .run = run_net_show},
    {"net capture", "NIC on|off|dump|PORT",
     "keeps a NIC's frames, prints them for `muntin pcap`, or gives them to a VM",
     .run_two = run_net_capture},
    {"log", "[N]", "the last N messages of Muntin (20)", .run = run_log},
    {"memory", "", "who has how much of the machine's memory", .run = run_memory},
};

static void run_help(const char *arg)
{
    char key[8];

    (void)arg;
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
        char head[40];

        fmt_print(head, sizeof(head), "%s %s", commands[i].name, commands[i].arg);
        print("  %-27s %s\n", head, commands[i].help);
    }
    console_key_name(hooks->escape, key, sizeof(key));
    print("  Keys: %s and then 1-9: the console of a VM, n, p: the next, the previous, 0: here\n",
          key);
}

/* --- a line ----------------------------------------------------------------------------------- */

/* Splits at spaces, in place; returns the number of words. What follows WORDS_MAX of them is cut.
 */
static u32 split(char *text, char **word)
{
    u32 n = 0;

    for (char *p = text; *p != '\0' && n < WORDS_MAX;) {
        if (*p == ' ') {
            *p++ = '\0';
            continue;
        }
        word[n++] = p;
        while (*p != ' ' && *p != '\0') {
            p++;
        }
    }
    return n;
}

/* How many words of the line make the command's name: 0 if it's another command. */
static u32 match(const struct command *c, char **word, u32 count)
{
    size_t first = strlen(word[0]);

    if (strncmp(c->name, word[0], first) != 0) {
        return 0;
    }
    if (c->name[first] == '\0') {
        return 1;
    }
    return c->name[first] == ' ' && count >= 2 && strcmp(c->name + first + 1, word[1]) == 0 ? 2 : 0;
}

/* No such command; but maybe some begin with the same word. */
static void unknown(char **word, u32 count)
{
    size_t first = strlen(word[0]);
    const char *lead = "there are: ";

    print("'%s%s%s' is no command; ", word[0], count > 1 ? " " : "", count > 1 ? word[1] : "");
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
        const char *name = commands[i].name;

        if (strncmp(name, word[0], first) == 0 && name[first] == ' ') {
            print("%s%s", lead, name);
            lead = ", ";
        }
    }
    print(*lead == ',' ? "\n" : "`help` lists them\n");
}

static void run(const struct command *c, char **arg, u32 args)
{
    struct vm *vm;

    if (c->run_two != NULL) {
        c->run_two(arg[0], arg[1]);
    } else if (c->run != NULL) {
        c->run(args > 0 ? arg[0] : NULL);
    } else {
        vm = find_vm(arg[0]);
        if (vm != NULL) {
            c->run_vm(vm);
        }
    }
}

/* As many arguments as c takes. */
static bool enough(const struct command *c, u32 args)
{
    u32 most = c->run_two != NULL ? 2 : c->arg[0] != '\0';

    return args <= most && (args == most || c->arg[0] == '[');
}

static void execute(char *text)
{
    char *word[WORDS_MAX];
    u32 count = split(text, word);

    if (count == 0) {
        return;
    }
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
        const struct command *c = &commands[i];
        u32 used = match(c, word, count), args = count - used;

        if (used == 0) {
            continue;
        }
        if (enough(c, args)) {
            run(c, word + used, args);
        } else {
            print("usage: %s%s%s\n", c->name, c->arg[0] != '\0' ? " " : "", c->arg);
        }
        return;
    }
    unknown(word, count);
}

/* --- keys ------------------------------------------------------------------------------------- */

static void end_of_line(void)
{
    put("\r\n");
    line[line_len] = '\0';
    line_len = 0;
    left_prompt = false;
    execute(line);
    if (!left_prompt) {
        put(PROMPT);
    }
}

static void erase(u32 count)
{
    for (; count > 0; count--) {
        put("\b \b");
        line_len--;
    }
}

static void type(char c)
{
    if (c >= ' ' && c < DEL && line_len < LINE_MAX) {
        line[line_len++] = c;
        hooks->write(&c, 1);
    }
}

/* Arrow keys and the like come as ESC [ … letter, and mean nothing here. */
static bool in_escape(char c)
{
    if (c == ESC) {
        escape_state = 1;
    } else if (escape_state == 1) {
        escape_state = c == '[' || c == 'O' ? 2 : 0;
    } else if (escape_state == 2) {
        escape_state = c >= '@' && c <= '~' ? 0 : 2;
    } else {
        return false;
    }
    return true;
}

void console_input(char c)
{
    char before = last_key;

    last_key = c;
    if (in_escape(c)) {
        return;
    }
    switch (c) {
    case '\n':
        if (before == '\r') {
            break;
        }
        end_of_line();
        break;
    case '\r':
        end_of_line();
        break;
    case BACKSPACE:
    case DEL:
        erase(MIN(line_len, 1u));
        break;
    case CTRL_U:
        erase(line_len);
        break;
    case CTRL_C:
        line_len = 0;
        put("^C\r\n" PROMPT);
        break;
    case FORM_FEED:
        put("\r" PROMPT);
        hooks->write(line, line_len);
        break;
    default:
        type(c);
        break;
    }
}

void console_init(const struct console_hooks *h)
{
    hooks = h;
    line_len = 0;
    last_key = 0;
    escape_state = 0;
}

void console_banner(void)
{
    char key[8];
    u32 first = 0;

    console_key_name(hooks->escape, key, sizeof(key));
    log_info("%u VM%s:", vm_count, vm_count == 1 ? "" : "s");
    for (u32 i = 0; i < vm_count; i++) {
        struct vm *vm = vms[i];
        u32 number = hooks->find(vm->name);
        char where[32] = "no console";

        if (number > 0 && hooks->key(number) <= 9) {
            fmt_print(where, sizeof(where), "%s %u", key, hooks->key(number));
        } else if (number > 0) {
            fmt_print(where, sizeof(where), "%s n, p", key);
        }
        if (first == 0) {
            first = number;
        }
        log_info("  %-10s %s: %u vCPU%s, %llu MiB", where, vm->name, vm->nvcpus,
                 vm->nvcpus == 1 ? "" : "s", (unsigned long long)(ram_size(vm) / MIB));
    }
    log_info("keys: %s and then 1-9: that console; n, p: the next, the previous; 0: Muntin's "
             "prompt; ?: these keys",
             key);
    hooks->focus(first);
}
