/* SPDX-License-Identifier: MIT */
/* One `vdev` line; see line.h. */
#include "tests/host/line.h"

#include "core/panic.h"
#include "core/str.h"
#include "vdev/table.h"

#include <stdio.h>

static void emit(struct diag *d, int level, const char *text)
{
    struct line *l = container_of(d, struct line, diag);
    size_t len = strlen(l->log);

    (void)level;
    snprintf(l->log + len, sizeof(l->log) - len, "%s\n", text);
}

struct vdev_conf *line_parse(struct line *l, const char *words)
{
    memset(l, 0, sizeof(*l));
    l->diag.emit = emit;
    l->arena = (struct cfg_arena){l->memory, sizeof(l->memory), 0};
    snprintf(l->text, sizeof(l->text), "system a vdev %s", words);
    config_parse(&l->vm, str_of("f"), str_of(l->text), NULL, vdev_types, &l->arena, &l->diag);
    assert(l->vm.nvdevs == 1);
    return &l->vm.vdev[0];
}

void line_check(struct line *l)
{
    struct vdev_conf *conf = &l->vm.vdev[0];
    bool ok;

    if (l->diag.errors == 0) {
        ok = conf->type->check(&l->vm, conf, &l->diag);
        assert(ok == (l->diag.errors == 0));
    }
}
