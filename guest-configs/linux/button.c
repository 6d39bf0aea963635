/* SPDX-License-Identifier: MIT */
/*
 * Waits for the machine's power button, for /init: the key KEY_POWER where the kernel has gpio_keys
 * (Debian's linux-image-arm64), else the line itself that the device tree wires to it (Debian's
 * cloud kernel has the driver of the GPIO, but not that one).
 */
#include "button.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <linux/input.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TREE "/sys/firmware/devicetree/base"

/* The big-endian cell `index` of a property; false: it is not there. */
static bool read_cell(const char *dir, const char *name, unsigned index, uint32_t *value)
{
    char path[600];
    uint8_t cell[4];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && pread(fd, cell, 4, (off_t)index * 4) == 4;
    if (fd >= 0) {
        close(fd);
    }
    if (good) {
        *value =
            (uint32_t)cell[0] << 24 | (uint32_t)cell[1] << 16 | (uint32_t)cell[2] << 8 | cell[3];
    }
    return good;
}

/* The GPIO line that a child of `dir` says to be the power key. */
static bool line_in(const char *dir, uint32_t *line)
{
    struct dirent *e;
    DIR *d = opendir(dir);
    bool found = false;

    while (d != NULL && !found && (e = readdir(d)) != NULL) {
        char child[512];
        uint32_t code;
        snprintf(child, sizeof(child), "%.200s/%.200s", dir, e->d_name);
        found = e->d_name[0] != '.' && read_cell(child, "linux,code", 0, &code) &&
                code == KEY_POWER && read_cell(child, "gpios", 1, line);
    }
    if (d != NULL) {
        closedir(d);
    }
    return found;
}

static bool find_line(uint32_t *line)
{
    struct dirent *e;
    DIR *d = opendir(TREE);
    bool found = false;

    while (d != NULL && !found && (e = readdir(d)) != NULL) {
        char dir[300];
        snprintf(dir, sizeof(dir), TREE "/%s", e->d_name);
        found = strncmp(e->d_name, "gpio-keys", 9) == 0 && line_in(dir, line);
    }
    if (d != NULL) {
        closedir(d);
    }
    return found;
}

/* An event device with the power key, or -1. */
static int open_key(void)
{
    for (unsigned i = 0; i < 8; i++) {
        uint8_t keys[KEY_MAX / 8 + 1] = {0};
        char path[32];

        snprintf(path, sizeof(path), "/dev/input/event%u", i);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) >= 0 &&
            (keys[KEY_POWER / 8] >> (KEY_POWER % 8) & 1) != 0) {
            return fd;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    return -1;
}

/* The line's own file, which gives an event for each rise, or -1. */
static int open_line(uint32_t line)
{
    struct gpio_v2_line_request request = {
        .num_lines = 1,
        .offsets = {line},
        .consumer = "power button",
        .config = {.flags = GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_EDGE_RISING},
    };
    int chip = open("/dev/gpiochip0", O_RDONLY | O_CLOEXEC);

    if (chip < 0) {
        return -1;
    }
    int result = ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request);
    close(chip);
    return result < 0 ? -1 : request.fd;
}

int button_open(void)
{
    uint32_t line;

    if (!find_line(&line)) {
        return -1;
    }
    int fd = open_key();
    return fd >= 0 ? fd : open_line(line);
}

void button_wait(int fd)
{
    union {
        struct input_event key;
        struct gpio_v2_line_event line;
    } event;

    for (;;) {
        ssize_t n = read(fd, &event, sizeof(event));
        if (n == sizeof(event.line) ||
            (n == sizeof(event.key) && event.key.type == EV_KEY && event.key.value == 1)) {
            return;
        }
        if (n <= 0) {
            pause();
        }
    }
}
