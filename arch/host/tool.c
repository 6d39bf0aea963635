/* SPDX-License-Identifier: MIT */
/*
 * build/muntin, the host tool: checks configs with the very code that reads them on the target,
 * packs them into a bundle, shows the device tree that a guest will get, prints the manual.
 * A composition root like core/main.c: may know every layer.
 */
#include "arch/host/tool_board.h"
#include "arch/host/tool_files.h"
#include "arch/host/tool_gcore.h"
#include "arch/host/tool_pcap.h"
#include "arch/host/tool_probe.h"
#include "arch/host/tool_show.h"
#include "arch/host/tool_subst.h"
#include "arch/host/tool_usage.h"
#include "core/check.h"
#include "core/config.h"
#include "core/log.h"
#include "core/str.h"
#include "core/vm.h"
#include "fdt/guest.h"
#include "vdev/table.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_SIZE (1u << 20)
#define LL(x)      ((unsigned long long)(x))
#define S(n)       ((n) == 1 ? "" : "s")

static struct {
    struct files files;
    struct diag diag;
    struct cfg_arena arena;
    struct vm_config vm[VM_MAX];
    struct vm_config *vms[VM_MAX];
    u32 count;
    struct bundle bundle;
    const struct board *board;

    const char *out, *append; /* -o, --append */
    u32 gic, cpus;            /* --gic, --cpus */
    bool force;               /* -f */
    int words;                /* index of the first argument behind `--` */
    bool single;              /* one VM is looked at: where its peers are doesn't matter */
} tool;

static void emit(struct diag *d, int level, const char *text)
{
    (void)d;
    (void)level;
    fprintf(stderr, "%s\n", text);
}

/* Writes a result. What was read to make it is never overwritten: an OUT was forgotten then. */
static void write_out(const char *path, const void *data, size_t size)
{
    if (files_has(&tool.files, path) || (tool.append != NULL && files_same(path, tool.append))) {
        fprintf(stderr, "muntin: %s was read: it's not overwritten\n", path);
        exit(EXIT_WRITE);
    }
    files_write(path, data, size);
}

/* --- reading --------------------------------------------------------------------------------- */

static struct vm_config *next_vm(void)
{
    if (tool.count == VM_MAX) {
        fprintf(stderr, "muntin: more than %d VMs\n", VM_MAX);
        exit(EXIT_CONFIG);
    }
    tool.vms[tool.count] = &tool.vm[tool.count];
    return tool.vms[tool.count++];
}

static void parse(struct str name, struct str text, struct cfg_source *source)
{
    config_parse(next_vm(), name, text, source, vdev_types, &tool.arena, &tool.diag);
}

/* The text of a config file with the words behind it, @FILE and options, as its last lines. */
static struct str config_text(const char *path, char *const *more, int count)
{
    size_t size, len;
    char *text = (char *)files_read(path, &size);

    for (int i = 0; i < count; i++) {
        len = size + strlen(more[i]) + 5;
        text = realloc(text, len);
        if (text == NULL) {
            abort();
        }
        size +=
            (size_t)snprintf(text + size, len - size, "%s\"%s\"\n", i == 0 ? "\n" : "", more[i]);
    }
    return (struct str){text, (u32)size};
}

static u8 *replace_names(struct str name, u8 *data, size_t *size)
{
    return subst_text(name, data, size, &tool.diag);
}

/* One VM: a config file and what stands behind it as @FILE, or behind `--`. */
static void read_config(const char *path, char *const *more, int count)
{
    u32 before = tool.diag.errors, wrong;
    struct file_ref file;
    struct str text;
    size_t size;

    path += path[0] == '@';
    text = config_text(path, more, count);
    size = text.len;
    text.p = (char *)replace_names(str_of(path), (u8 *)(uintptr_t)text.p, &size);
    text.len = (u32)size;
    wrong = tool.diag.errors - before;
    files_folder(&tool.files, path);
    if (files_add(&tool.files, str_basename(str_of(path)), path, (u8 *)(uintptr_t)text.p,
                  text.len) == NULL) {
        return;
    }
    parse(str_of(path), text, &tool.files.source);
    tool.vms[tool.count - 1]->errors += wrong;
    for (u32 i = 0; config_file(tool.vms[tool.count - 1], i, &file); i++) {
        (void)files_find(&tool.files, file.path); /* check_vm says what is missing */
    }
}

static void open_bundle(const u8 *data, size_t size, const char *name)
{
    const char *why;

    if (!bundle_open(&tool.bundle, data, size, NULL, &why)) {
        fprintf(stderr, "muntin: %s: %s\n", name, why);
        exit(EXIT_CONFIG);
    }
}

static bool is_bundle(const char *path)
{
    size_t size;
    u8 *data = files_read(path, &size);
    bool yes = str_ends(str_of(path), ".cpio") || (size > 6 && memcmp(data, "07070", 5) == 0);

    free(data);
    return yes;
}

static void read_bundle(const char *path)
{
    static struct bundle_file found[VM_MAX];
    struct cfg_bundle_source source = {{config_bundle_open}, &tool.bundle};
    size_t size;
    u8 *data = files_read(path, &size);
    u32 n;

    open_bundle(data, size, path);
    n = config_list(&tool.bundle, found, VM_MAX);
    if (n == 0 || n > VM_MAX) {
        fprintf(stderr, "muntin: %s: %u VMs (files *.qvmconf), 1 to %d are possible\n", path, n,
                VM_MAX);
        exit(EXIT_CONFIG);
    }
    for (u32 i = 0; i < n; i++) {
        parse(found[i].name, (struct str){(const char *)found[i].data, (u32)found[i].size},
              &source.source);
    }
}

/* Configs first, then the files they load, as they are in a bundle. */
static void order_files(void)
{
    struct host_file sorted[FILES_MAX];
    u32 n = 0;

    for (u32 pass = 0; pass < 2; pass++) {
        for (u32 i = 0; i < tool.files.count; i++) {
            if (str_ends(tool.files.file[i].name, ".qvmconf") == (pass == 0)) {
                sorted[n++] = tool.files.file[i];
            }
        }
    }
    memcpy(tool.files.file, sorted, n * sizeof(sorted[0]));
}

/* Reads and checks what the command line names; true if there were no errors. */
static bool read_all(char *const *args, int count)
{
    size_t size;
    u8 *data;

    if (count == 1 && is_bundle(args[0])) {
        read_bundle(args[0]);
    } else {
        for (int i = 0; i < count;) {
            int more = 0;

            while (i + 1 + more < count &&
                   (args[i + 1 + more][0] == '@' || i + 1 + more >= tool.words)) {
                more++;
            }
            read_config(args[i], args + i + 1, more);
            i += 1 + more;
        }
        order_files();
        data = files_pack(&tool.files, &size);
        open_bundle(data, size, "bundle");
    }
    for (u32 i = 0; i < tool.count; i++) {
        tool_board_check(tool.vms[i], &tool.bundle, &tool.diag);
    }
    if (tool.count > 1 || !tool.single) {
        check_all(tool.vms, tool.count, tool.board->ncpus, &tool.diag);
    }
    tool_board_room(tool.vms, tool.count, &tool.diag);
    return tool.diag.errors == 0 && !tool.files.failed;
}

/* --- trees ----------------------------------------------------------------------------------- */

/* The guest's tree; its size, 0 with an error told. To be freed. */
static u32 build_tree(struct vm_config *vm, u8 **tree)
{
    struct image_plan plan;
    u32 size = 0;

    if (!image_plan(vm, &plan, &tool.diag)) {
        return 0;
    }
    *tree = calloc(1, (size_t)plan.dtb_size);
    if (*tree != NULL) {
        size =
            fdt_guest_build(vm, &plan, tool.board, NULL, 0, *tree, (u32)plan.dtb_size, &tool.diag);
    }
    vm->errors += size == 0;
    return size;
}

/* --- commands -------------------------------------------------------------------------------- */

/* Builds every tree, to find what is wrong with it, and writes it where the config wants it. */
static void check_tree(struct vm_config *vm)
{
    char path[PATH_LEN_MAX];
    u8 *tree = NULL;
    u32 size = build_tree(vm, &tree);

    if (size != 0 && vm->fdt_dump_file.len > 0) {
        snprintf(path, sizeof(path), "%.*s", STR_ARG(vm->fdt_dump_file));
        write_out(path, tree, size);
    }
    free(tree);
}

static int finish(void)
{
    if (tool.diag.errors > 0) {
        fprintf(stderr, "muntin: %u error%s\n", tool.diag.errors, S(tool.diag.errors));
    }
    return tool.diag.errors > 0 || tool.files.failed ? EXIT_CONFIG : 0;
}

static int cmd_check(char *const *args, int count)
{
    (void)read_all(args, count);
    for (u32 i = 0; i < tool.count; i++) {
        if (tool.vms[i]->errors == 0) {
            check_tree(tool.vms[i]);
        }
        if (tool.vms[i]->errors == 0) {
            show_vm(tool.vms[i], tool.single ? 0 : tool.board->ncpus, &tool.diag);
        } else {
            struct str name = tool.vms[i]->name;

            name = name.len > 0 ? name : tool.diag.file_name[tool.vms[i]->place.file];
            printf("%.*s: not started: %u error%s\n", STR_ARG(name), tool.vms[i]->errors,
                   S(tool.vms[i]->errors));
        }
    }
    show_switches(tool.vms, tool.count);
    return finish();
}

/* Where the header of each architecture's image has the bytes that it takes in memory. */
static const struct header {
    u32 magic_at, magic_len;
    const char *magic;
    u32 size_at, size_len;
} headers[] = {
    {56, 4, "ARM\x64", 16, 8},                      /* arm64's Image: image_size */
    {0x24, 8, "\x18\x28\x6f\x01\0\0\0\0", 0x2c, 4}, /* zImage: from address 0 to which */
};

static const struct header *find_header(const u8 *image, size_t len)
{
    for (u32 i = 0; len >= 64 && i < ARRAY_SIZE(headers); i++) {
        if (memcmp(image + headers[i].magic_at, headers[i].magic, headers[i].magic_len) == 0) {
            return &headers[i];
        }
    }
    fprintf(stderr, "muntin: %s has neither an arm64 Image's header nor a zImage's\n", tool.append);
    exit(EXIT_CONFIG);
}

/*
 * The bundle behind an image, at ALIGN_UP(image_size, 4 KiB) from its start, where image_size is
 * what the header said, .bss included (there are zeros in the file for it); then that field is
 * rewritten to cover the bundle, so that boot loaders keep off it.
 */
static u8 *append_bundle(const u8 *bundle, size_t bundle_size, size_t *size)
{
    size_t len, at;
    u64 memory = 0;
    u8 *image = files_read(tool.append, &len);
    const struct header *h = find_header(image, len);

    for (u32 i = h->size_len; i > 0; i--) {
        memory = memory << 8 | image[h->size_at + i - 1];
    }
    if (memory <= len || memory > GIB) {
        fprintf(stderr,
                "muntin: %s: header says %llu bytes, file has %zu: a bundle is appended to "
                "it already?\n",
                tool.append, LL(memory), len);
        exit(EXIT_CONFIG);
    }
    at = (size_t)ALIGN_UP(memory, 4096ull);
    *size = ALIGN_UP(at + bundle_size, (size_t)4096);
    image = realloc(image, *size);
    if (image == NULL) {
        abort();
    }
    memset(image + len, 0, *size - len);
    memcpy(image + at, bundle, bundle_size);
    for (u32 i = 0; i < h->size_len; i++) {
        image[h->size_at + i] = (u8)((u64)*size >> (8 * i));
    }
    return image;
}

/* On the board a VM is a file of the bundle that is called so. */
static bool names_are_vms(char *const *args, int count)
{
    bool all = true;

    for (int i = 0; i < MIN(count, tool.words); i++) {
        if (args[i][0] != '@' && !str_ends(str_of(args[i]), ".qvmconf") && !is_bundle(args[i])) {
            fprintf(stderr,
                    "muntin: %s: the VMs of a bundle are its files called *.qvmconf: rename it\n",
                    args[i]);
            all = false;
        }
    }
    return all;
}

static int cmd_pack(char *const *args, int count)
{
    const u8 *data;
    size_t size;

    if (tool.out == NULL) {
        return usage("pack needs -o OUT", "");
    }
    if (!names_are_vms(args, count)) {
        return EXIT_CONFIG;
    }
    if (!read_all(args, count) && (!tool.force || tool.files.failed)) {
        return finish();
    }
    data = tool.bundle.data;
    size = (size_t)tool.bundle.size;
    if (tool.append != NULL) {
        data = append_bundle(data, size, &size);
    }
    write_out(tool.out, data, size);
    printf("%s: %zu bytes, %u VM%s, %u file%s\n", tool.out, size, tool.count, S(tool.count),
           tool.files.count, S(tool.files.count));
    return 0;
}

static int cmd_dtb(char *const *args, int count)
{
    u8 *tree = NULL;
    u32 size;

    if (tool.out == NULL) {
        return usage("dtb needs -o OUT.dtb", "");
    }
    tool.single = true;
    if (!read_all(args, count)) {
        return finish();
    }
    if (tool.count != 1) {
        return usage("dtb is for one VM", "");
    }
    size = build_tree(tool.vms[0], &tree);
    if (size != 0) {
        write_out(tool.out, tree, size);
    }
    return finish();
}

static int cmd_board(char *const *args, int count)
{
    int code = 0;

    if (count == 0) {
        return usage("board needs a BOARD.dtb", "");
    }
    for (int i = 0; i < count; i++) {
        if (count > 1) {
            printf("%s:\n", args[i]);
        }
        code = probe_board(tool_board_read(args[i])) ? code : EXIT_CONFIG;
    }
    return code;
}

static int cmd_pcap(char *const *args, int count)
{
    if (count > 1) {
        return usage("pcap takes one LOG", "");
    }
    return pcap_extract(count == 1 ? args[0] : NULL, tool.out) ? 0 : EXIT_CONFIG;
}

static int cmd_gcore(char *const *args, int count)
{
    if (count > 1) {
        return usage("gcore takes one LOG", "");
    }
    return gcore_extract(count == 1 ? args[0] : NULL, tool.out) ? 0 : EXIT_CONFIG;
}

static void print(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
}

static int cmd_manual(char *const *args, int count)
{
    (void)args;
    if (count != 0) {
        return usage("manual takes no arguments", "");
    }
    config_manual(vdev_types, print);
    return 0;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static u32 number(const char *option, const char *text, u32 min, u32 max)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || v < min || v > max) {
        fprintf(stderr, "muntin: %s needs a number from %u to %u, not %s\n", option, min, max,
                text);
        exit(usage(NULL, NULL));
    }
    return (u32)v;
}

static void take_out(const char *path)
{
    if (str_ends(str_of(path), ".qvmconf")) {
        exit(usage("-o needs the file to be written, which can't be a config: ", path));
    }
    tool.out = path;
}

/* Takes the option at arg; how many words it had, 0: it's none. */
static int take_option(char *const *arg, int count)
{
    const char *value = count > 1 ? arg[1] : NULL;

    if (is_help(arg[0])) {
        exit(usage_help());
    }
    if (strcmp(arg[0], "-f") == 0) {
        tool.force = true;
        return 1;
    }
    if (arg[0][0] != '-' || strcmp(arg[0], "--") == 0) {
        return 0;
    }
    if (value == NULL) {
        exit(usage("unknown option, or nothing behind it: ", arg[0]));
    }
    if (strcmp(arg[0], "-o") == 0) {
        take_out(value);
    } else if (strcmp(arg[0], "-I") == 0 && tool.files.paths < FILES_PATHS) {
        tool.files.path[tool.files.paths++] = arg[1];
    } else if (strcmp(arg[0], "--append") == 0) {
        tool.append = value;
    } else if (strcmp(arg[0], "--board") == 0) {
        tool.board = tool_board_read(value);
    } else if (strcmp(arg[0], "--gic") == 0) {
        tool.gic = number(arg[0], value, 2, 3);
    } else if (strcmp(arg[0], "--cpus") == 0) {
        tool.cpus = number(arg[0], value, 1, PCPU_MAX);
    } else {
        exit(usage("unknown option ", arg[0]));
    }
    return 2;
}

static const struct {
    const char *name;
    int (*run)(char *const *args, int count);
    bool files; /* at least one is needed */
} commands[] = {
    {"check", cmd_check, true},    {"pack", cmd_pack, true},  {"dtb", cmd_dtb, true},
    {"board", cmd_board, false},   {"pcap", cmd_pcap, false}, {"gcore", cmd_gcore, false},
    {"manual", cmd_manual, false},
};

/* Runs the command, whose options were taken already, with what else stood behind it. */
static int run(const char *command, char *const *args, int count)
{
    for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(command, commands[i].name) == 0) {
            if (commands[i].files && count == 0) {
                return usage(command, " needs the config of a VM");
            }
            return commands[i].run(args, count);
        }
    }
    return usage("unknown command ", command);
}

int main(int argc, char **argv)
{
    char **args = calloc((size_t)argc + 1, sizeof(*args));
    int count = 0;

    if (args == NULL || argc < 2) {
        return usage(NULL, NULL);
    }
    if (is_help(argv[1]) || strcmp(argv[1], "help") == 0) {
        return usage_help();
    }
    files_init(&tool.files);
    tool.files.text = replace_names;
    tool.diag.emit = emit;
    tool.arena = (struct cfg_arena){calloc(1, ARENA_SIZE), ARENA_SIZE, 0};
    tool.gic = 3;
    tool.words = argc;
    for (int i = 2; i < argc;) {
        bool words = tool.words < argc;
        int n = words ? 0 : take_option(argv + i, argc - i);

        if (!words && strcmp(argv[i], "--") == 0) {
            tool.words = count;
        } else if (n == 0) {
            args[count++] = argv[i];
        }
        i += MAX(n, 1);
    }
    if (tool.board == NULL) {
        tool.board = tool_board_assume(tool.gic, tool.cpus);
    }
    return run(argv[1], args, count);
}
