/* SPDX-License-Identifier: MIT */
/*
 * The vGIC under arbitrary guests, devices and physical interrupts (tests/host/gicplay.h). The
 * first byte chooses: actions whose outcome is compared with a reference, or anything at all, where
 * what hardware forbids must not come out.
 */
#include "core/panic.h"
#include "tests/host/gicplay.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    const char *fault;

    if (size < 2 || size > 4096) {
        return -1;
    }
    if ((data[0] & 1) != 0) {
        gicplay_chaos(data + 1, size - 1);
        return 0;
    }
    fault = gicplay_compare(data + 1, size - 1);
    if (fault != NULL) {
        panic("%s", fault);
    }
    return 0;
}
