/* SPDX-License-Identifier: MIT */
/* Asks the firmware; the only file from which an SMC leaves Muntin. */
#include "arch/arm-common/psci.h"

#include "arch/arm-common/vpsci.h"
#include "core/arch.h"
#include "core/board.h"
#include "sysreg.h"

#include <string.h>

enum {
    PSCI_VERSION = 0x84000000,
    PSCI_FEATURES = 0x8400000a,
    SMCCC_VERSION = 0x80000000,
    SMCCC_ARCH_FEATURES = 0x80000001,
    TRNG_VERSION = 0x84000050,
    TRNG_RND = 0x84000053,
};

#define NOT_SUPPORTED (-1)
#define SMCCC_1_1     0x10001
#define TRNG_1_0      0x10000
#define RND_BYTES     12 /* of the 32-bit call: x1 to x3 */
#define RND_TRIES     16 /* a TRNG may be out of entropy for a moment */

static const struct board *board;
static bool smccc, trng;

/* One call with the board's conduit; the firmware's first result. */
static s32 call(u64 x[4])
{
    if (board == NULL || board->psci != CONDUIT_SMC) {
        return NOT_SUPPORTED;
    }
    cpu_smc(x);
    return (s32)x[0];
}

static s32 call1(u32 function, u64 arg)
{
    u64 x[4] = {function, arg, 0, 0};

    return call(x);
}

static void forward(u32 function, u64 arg)
{
    (void)call1(function, arg);
}

/* What the firmware says of a workaround: 0 and above, or NOT_SUPPORTED. */
static s32 workaround(u32 function)
{
    return smccc ? call1(SMCCC_ARCH_FEATURES, function) : NOT_SUPPORTED;
}

void psci_init(const struct board *b)
{
    struct vpsci_host host = {.forward = forward};
    s32 version;

    board = b;
    /* 0.1 has only the functions that its tree names, and answers NOT_SUPPORTED */
    version = call1(PSCI_VERSION, 0);
    if (version >= 0x10000 && call1(PSCI_FEATURES, SMCCC_VERSION) >= 0) {
        smccc = call1(SMCCC_VERSION, 0) >= SMCCC_1_1;
    }
    trng = smccc && call1(TRNG_VERSION, 0) >= TRNG_1_0;
    host.workaround1 = workaround(VPSCI_WORKAROUND_1);
    host.workaround2 = workaround(VPSCI_WORKAROUND_2);
    host.workaround3 = workaround(VPSCI_WORKAROUND_3);
    vpsci_set_host(&host);
}

s32 psci_cpu_on(u64 mpidr, u64 entry, u64 context)
{
    u64 x[4] = {board->psci_cpu_on, mpidr, entry, context};

    return call(x);
}

void psci_poweroff(void)
{
    if (board != NULL && board->psci_off != 0) {
        (void)call1(board->psci_off, 0);
    }
}

void psci_reboot(void)
{
    if (board != NULL && board->psci_reset != 0) {
        (void)call1(board->psci_reset, 0);
    }
}

/* RND_BYTES from the firmware. */
static bool trng_read(u32 out[3])
{
    for (u32 i = 0; trng && i < RND_TRIES; i++) {
        u64 x[4] = {TRNG_RND, 8 * RND_BYTES, 0, 0};

        if (call(x) == 0) {
            out[0] = (u32)x[1];
            out[1] = (u32)x[2];
            out[2] = (u32)x[3];
            return true;
        }
    }
    return false;
}

static bool cpu_read(u64 *out)
{
    for (u32 i = 0; i < RND_TRIES; i++) {
        if (cpu_random(out)) {
            return true;
        }
    }
    return false;
}

bool arch_entropy(void *buf, size_t len)
{
    u8 *at = buf;

    while (len > 0) {
        union {
            u64 cpu;
            u32 firmware[3];
            u8 bytes[RND_BYTES];
        } random;
        size_t n = trng ? sizeof(random.firmware) : sizeof(random.cpu);

        if (trng ? !trng_read(random.firmware) : !cpu_read(&random.cpu)) {
            return false;
        }
        n = MIN(n, len);
        memcpy(at, random.bytes, n);
        at += n;
        len -= n;
    }
    return true;
}
