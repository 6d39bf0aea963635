/* SPDX-License-Identifier: MIT */
/*
 * /init of the Linux guests, static. The kernel hands it the unknown NAME=VALUE words of its
 * command line as environment:
 *
 *   name=linux1            the host name, seen in the prompt
 *   mods=a,b | mods=none   modules to load; without it all of /modules/order, in that order
 *   disk=/dev/vda          goes on in the ext4 file system there
 *   net0=10.0.0.1/24       address of eth0 (net1= of eth1, ... net7=)
 *   net0=dhcp              the same from a DHCP server, which is told the host name
 *   run="cmd; cmd"         commands for the shell once all is set up
 *   login=hvc0             a login on that terminal, beside the shell on the console
 *   then=poweroff|reboot|sh  what follows; without it poweroff after run=, else sh
 *
 * It prints "@@ INIT", "@@ MODS", "@@ SHELL" with the virtual counter, and "@@ RUN-END rc=N", and
 * ends in a shell on the console that is started anew whenever it exits. As process 1 it knows the
 * signals by which busybox's poweroff, reboot and halt ask for their deed. The machine's power
 * button, if it has one, is obeyed from "@@ SHELL" on.
 */
#define _GNU_SOURCE
#include "button.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MODULE_DIR "/modules"
#define MAX_NICS   8

/* Prints "@@ NAME cnt=TICKS frq=HZ ns=N": N are the nanoseconds of the virtual counter. */
static void mark(const char *name)
{
    uint64_t ticks;
    uint64_t hz;

    __asm__ volatile("isb; mrs %0, cntvct_el0; mrs %1, cntfrq_el0" : "=r"(ticks), "=r"(hz));
    if (hz == 0) {
        hz = 1;
    }
    uint64_t ns = ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
    printf("@@ %s cnt=%llu frq=%llu ns=%llu\n", name, (unsigned long long)ticks,
           (unsigned long long)hz, (unsigned long long)ns);
}

static void mount_all(void)
{
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    mkdir("/dev/pts", 0755);
    mount("devpts", "/dev/pts", "devpts", 0, NULL);
    mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
}

/* Is the word in the comma-separated list? */
static bool list_has(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list; p != NULL; p = strchr(p, ',')) {
        p += *p == ',';
        if (strncmp(p, word, len) == 0 && (p[len] == '\0' || p[len] == ',')) {
            return true;
        }
    }
    return false;
}

static void load_module(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), MODULE_DIR "/%s.ko", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) != 0 && errno != EEXIST)) {
        printf("@@ MODULE-FAILED %s: %s\n", name, strerror(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* MODULE_DIR/order has one module a line, each after those that it needs. */
static void load_modules(const char *wanted)
{
    char line[64];

    if (wanted != NULL && strcmp(wanted, "none") == 0) {
        return;
    }
    FILE *order = fopen(MODULE_DIR "/order", "re");
    if (order == NULL) {
        return;
    }
    while (fgets(line, sizeof(line), order) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (wanted == NULL || list_has(wanted, line)) {
            load_module(line);
        }
    }
    fclose(order);
}

static bool on_disk;

/* Makes the file system on a disk the root, with what is mounted here. */
static void enter_disk(const char *device)
{
    static const char *const mounts[] = {"/proc", "/sys", "/dev", "/tmp"};
    char path[32];

    mkdir("/disk", 0755);
    if (mount(device, "/disk", "ext4", 0, NULL) != 0) {
        printf("@@ DISK-FAILED %s: %s\n", device, strerror(errno));
        return;
    }
    for (unsigned i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
        snprintf(path, sizeof(path), "/disk%s", mounts[i]);
        mount(mounts[i], path, NULL, MS_MOVE, NULL);
    }
    if (chdir("/disk") != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 ||
        chdir("/root") != 0) {
        printf("@@ DISK-FAILED %s: %s\n", device, strerror(errno));
        return;
    }
    on_disk = true;
}

/* Gives the interface an address such as "10.0.0.1/24" and brings it up. */
static bool set_address(int sock, const char *ifname, const char *cidr)
{
    struct ifreq req = {0};
    struct sockaddr_in *sin = (struct sockaddr_in *)&req.ifr_addr;
    char addr[32];
    unsigned prefix = 24;

    snprintf(req.ifr_name, sizeof(req.ifr_name), "%s", ifname);
    snprintf(addr, sizeof(addr), "%s", cidr);
    char *slash = strchr(addr, '/');
    if (slash != NULL) {
        *slash = '\0';
        prefix = (unsigned)strtoul(slash + 1, NULL, 10);
    }
    sin->sin_family = AF_INET;
    if (prefix > 32 || inet_pton(AF_INET, addr, &sin->sin_addr) != 1) {
        errno = EINVAL;
        return false;
    }
    if (ioctl(sock, SIOCSIFADDR, &req) != 0) {
        return false;
    }
    sin->sin_addr.s_addr = htonl(prefix == 0 ? 0 : ~0U << (32 - prefix));
    if (ioctl(sock, SIOCSIFNETMASK, &req) != 0 || ioctl(sock, SIOCGIFFLAGS, &req) != 0) {
        return false;
    }
    req.ifr_flags |= IFF_UP;
    return ioctl(sock, SIOCSIFFLAGS, &req) == 0;
}

static void power(int how)
{
    if (on_disk) { /* nobody writes any more, so it can be put in order */
        kill(-1, SIGKILL);
        mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
    }
    sync();
    reboot(how);
}

/* The signals that process 1 waits for: they stay blocked but inside wait_for(). */
static sigset_t init_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGTERM);
    return set;
}

/* Waits until the child has ended, gives its exit code; buries orphans and obeys meanwhile. */
static int wait_for(pid_t child)
{
    sigset_t set = init_signals();

    for (;;) {
        int status;
        pid_t pid;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
            if (pid == child) {
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            }
        }
        switch (sigwaitinfo(&set, NULL)) {
        case SIGUSR1:
            power(RB_HALT_SYSTEM);
            break;
        case SIGUSR2:
            power(RB_POWER_OFF);
            break;
        case SIGTERM:
            power(RB_AUTOBOOT);
            break;
        default:
            break;
        }
    }
}

/* A process that asks for power-off when the machine's button is pressed. */
static void watch_button(void)
{
    int fd = button_open();

    if (fd < 0) {
        return;
    }
    if (fork() == 0) {
        button_wait(fd);
        printf("@@ BUTTON\n");
        kill(1, SIGUSR2);
        _exit(0);
    }
    close(fd);
}

/* Takes a lease, or leaves udhcpc trying in the background; either way it stays to renew it. */
static bool ask_dhcp(const char *ifname)
{
    char host[80];
    const char *name = getenv("name");

    snprintf(host, sizeof(host), "hostname:%s", name != NULL ? name : "linux");
    pid_t pid = fork();
    if (pid == 0) {
        sigset_t set = init_signals();
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        execl("/bin/busybox", "udhcpc", "-i", ifname, "-s", "/etc/udhcpc.sh", "-x", host, "-b",
              "-t", "8", "-T", "1", "-A", "1", (char *)NULL);
        _exit(127);
    }
    return pid > 0 && wait_for(pid) == 0;
}

static bool set_interface(int sock, const char *ifname, const char *how)
{
    if (strcmp(how, "dhcp") == 0) {
        return ask_dhcp(ifname);
    }
    return set_address(sock, ifname, how);
}

static void set_addresses(void)
{
    int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    set_address(sock, "lo", "127.0.0.1/8");
    for (unsigned i = 0; i < MAX_NICS; i++) {
        char word[8];
        char ifname[8];
        snprintf(word, sizeof(word), "net%u", i);
        snprintf(ifname, sizeof(ifname), "eth%u", i);
        const char *how = getenv(word);
        if (how != NULL && !set_interface(sock, ifname, how)) {
            printf("@@ NET-FAILED %s %s: %s\n", ifname, how, strerror(errno));
        }
    }
    close(sock);
}

/*
 * The kernel starts /init without a console where that comes with a module, as hvc0 does. Then
 * nothing is said until it's there: a moment after the module, as the ports of a virtio-console
 * are.
 */
static bool has_console(void)
{
    return fcntl(STDOUT_FILENO, F_GETFD) >= 0;
}

static void wait_for_console(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        int fd = open("/dev/console", O_RDWR | O_NOCTTY);
        if (fd >= 0) {
            dup2(fd, STDIN_FILENO);
            dup2(fd, STDOUT_FILENO);
            dup2(fd, STDERR_FILENO);
            if (fd > STDERR_FILENO) {
                close(fd);
            }
            return;
        }
        usleep(10000);
    }
}

/*
 * A terminal that Ctrl-C works on: /dev/console cannot be a controlling terminal, the device behind
 * it can. The kernel names it last in the list of active consoles.
 */
static int open_console(void)
{
    char line[128] = "";
    char path[160];
    FILE *active = fopen("/sys/class/tty/console/active", "re");

    if (active != NULL) {
        if (fgets(line, sizeof(line), active) == NULL) {
            line[0] = '\0';
        }
        fclose(active);
    }
    line[strcspn(line, "\n")] = '\0';
    const char *space = strrchr(line, ' ');
    snprintf(path, sizeof(path), "/dev/%s", space != NULL ? space + 1 : line);
    int fd = open(path, O_RDWR);
    return fd >= 0 ? fd : open("/dev/console", O_RDWR);
}

/* Starts a shell on the console: interactive, or for one command line. */
static pid_t start_shell(const char *command)
{
    pid_t pid = fork();

    if (pid != 0) {
        return pid;
    }
    sigset_t set = init_signals();
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    setsid();
    int fd = open_console();
    if (fd >= 0) {
        ioctl(fd, TIOCSCTTY, 1);
        dup2(fd, STDIN_FILENO);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        if (fd > STDERR_FILENO) {
            close(fd);
        }
    }
    if (on_disk) {
        execl("/bin/bash", "bash", command != NULL ? "-c" : NULL, command, (char *)NULL);
    }
    execl("/bin/busybox", "sh", command != NULL ? "-c" : NULL, command, (char *)NULL);
    _exit(127);
}

/* A login on a terminal, again and again, by a process of its own. */
static void offer_login(const char *tty)
{
    sigset_t set = init_signals();

    if (fork() != 0) {
        return;
    }
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    for (;;) {
        pid_t pid = fork();
        if (pid == 0) {
            setsid();
            execl("/bin/busybox", "getty", "0", tty, "linux", (char *)NULL);
            _exit(127);
        }
        waitpid(pid, NULL, 0);
        sleep(1);
    }
}

static void shell_forever(void)
{
    for (;;) {
        time_t start = time(NULL);
        int rc = wait_for(start_shell(NULL));
        printf("@@ SHELL-END rc=%d\n", rc);
        if (time(NULL) - start < 1) {
            sleep(1);
        }
    }
}

static void set_environment(void)
{
    const char *name = getenv("name");

    if (name == NULL) {
        name = "linux";
    }
    sethostname(name, strlen(name));
    setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
    setenv("HOME", "/root", 1);
    setenv("PS1", "\\h:\\w# ", 1);
    chdir("/root");
}

int main(void)
{
    sigset_t set = init_signals();
    const char *run;
    const char *then;
    bool console = has_console();

    sigprocmask(SIG_BLOCK, &set, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    mount_all();
    for (int fd = console ? -1 : open("/dev/null", O_RDWR); fd >= 0 && fd < STDERR_FILENO;) {
        fd = dup(fd);
    }
    mark("INIT");
    set_environment();
    load_modules(getenv("mods"));
    if (!console) {
        wait_for_console();
    }
    mark("MODS");
    if (getenv("disk") != NULL) {
        enter_disk(getenv("disk"));
    }
    set_addresses();
    if (getenv("login") != NULL) {
        offer_login(getenv("login"));
    }
    watch_button();
    mark("SHELL");

    run = getenv("run");
    then = getenv("then");
    if (run != NULL) {
        int rc = wait_for(start_shell(run));
        printf("@@ RUN-END rc=%d\n", rc);
        if (then == NULL) {
            then = "poweroff";
        }
    }
    if (then != NULL && strcmp(then, "poweroff") == 0) {
        power(RB_POWER_OFF);
    }
    if (then != NULL && strcmp(then, "reboot") == 0) {
        power(RB_AUTOBOOT);
    }
    shell_forever();
}
