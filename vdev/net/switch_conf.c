/* SPDX-License-Identifier: MIT */
/*
 * The descriptions of switches, kept until the switches come to be. No lock: written at boot before
 * any port is there, read-only after that.
 */
#include "vdev/net/switch.h"

#include "core/log.h"
#include "core/str.h"

#define DESCRIPTIONS 64

static const struct switch_conf *descriptions[DESCRIPTIONS];
static u32 count;
static const struct switch_conf plain = {.age_s = CFG_AGE, .poll_cpu = UINT32_MAX};

const struct switch_conf *switch_description(struct str name)
{
    for (u32 i = 0; i < count; i++) {
        if (str_same(descriptions[i]->name, name)) {
            return descriptions[i];
        }
    }
    return &plain;
}

void switch_configure(const struct switch_conf *conf)
{
    if (switch_description(conf->name) != &plain) {
        return;
    }
    if (count == DESCRIPTIONS) {
        log_warn("switch %.*s: more than %u descriptions: it has the defaults", STR_ARG(conf->name),
                 DESCRIPTIONS);
        return;
    }
    descriptions[count++] = conf;
}

void switch_forget_descriptions(void)
{
    count = 0;
}
