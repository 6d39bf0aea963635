/* SPDX-License-Identifier: MIT */
/* See command.h. The PL011 (Arm DDI 0183) was set up by whoever started us; print.h writes to it.
 */
#include "guest-configs/netsvc/command.h"

#include <stdbool.h>
#include <string.h>

#include "guest-configs/netsvc/idle.h"
#include "tests/guests/lib/io.h"
#include "tests/guests/lib/platform.h"
#include "tests/guests/lib/print.h"
#include "tests/guests/lib/psci.h"

enum { UARTDR = 0x00, UARTFR = 0x18, UARTIMSC = 0x38 };
enum { FR_RXFE = 1 << 4, INT_RX = 1 << 4, INT_TIMEOUT = 1 << 6 };
enum { LINE_MAX = 32, BURST = 64 };

static char line[LINE_MAX];
static uint32_t len;
static bool typed; /* something is there to be read, and the interrupt masked till then */

static void take_irq(void)
{
    io_write32(platform.uart + UARTIMSC, 0);
    typed = true;
}

static void obey(void)
{
    if (len == strlen("poweroff") && memcmp(line, "poweroff", len) == 0) {
        print("netsvc: off\n");
        psci_system_off();
    }
    if (len != 0) {
        print("netsvc: knows `poweroff`; for its counters: wget -O- http://netsvc/\n");
    }
}

static void take_char(char c)
{
    if (c == '\r' || c == '\n') {
        print("\n");
        obey();
        len = 0;
    } else if ((c == '\b' || c == 0x7f) && len > 0) {
        print("\b \b");
        len--;
    } else if (c >= ' ' && c < 0x7f && len < LINE_MAX) {
        print("%c", c);
        line[len++] = c;
    }
}

void command_open(void)
{
    if (platform.uart != 0) {
        idle_listen(platform.uart_irq, false, take_irq);
        io_write32(platform.uart + UARTIMSC, INT_RX | INT_TIMEOUT);
    }
}

void command_poll(void)
{
    if (!typed) {
        return;
    }
    typed = false;
    for (int i = 0; i < BURST && !(io_read32(platform.uart + UARTFR) & FR_RXFE); i++) {
        take_char((char)io_read32(platform.uart + UARTDR));
    }
    io_write32(platform.uart + UARTIMSC, INT_RX | INT_TIMEOUT);
}
