/* SPDX-License-Identifier: MIT */
/*
 * A bundle as a boot loader hands it over: opened, walked, its VMs found, parsed and checked.
 * Besides sanitizers: every file lies within the bundle, and a VM without errors is sound.
 */
#include "core/panic.h"
#include "tests/host/configs.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void walk(const struct bundle *b)
{
    struct bundle_file f;
    u64 pos = 0, last = 0;

    while (bundle_next(b, &pos, &f)) {
        assert(pos > last && pos <= b->size);
        assert(f.data >= b->data && f.size <= b->size - (u64)(f.data - b->data));
        last = pos;
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bundle_file vms[CONFIGS_VMS];
    struct configs *c = configs_new();
    const char *why;
    u64 end;
    u32 n;

    if (bundle_open(&c->bundle, data, size, &end, &why)) {
        assert(end <= size);
        walk(&c->bundle);
    }
    if (bundle_open(&c->bundle, data, size, NULL, &why)) {
        walk(&c->bundle);
        c->source.bundle = &c->bundle;
        n = config_list(&c->bundle, vms, CONFIGS_VMS);
        for (u32 i = 0; i < MIN(n, (u32)CONFIGS_VMS); i++) {
            configs_parse_str(c, "vm", (struct str){(const char *)vms[i].data, (u32)vms[i].size});
        }
        configs_check(c, 2, 2);
        configs_sound(c);
    }
    free(c);
    return 0;
}
