/* SPDX-License-Identifier: MIT */
/*
 * Cores of guests in a console's log, as the host tool reads them. The first byte chooses: the rest
 * is the log itself; or records, each a kind, how long it says it is (16 bits), how many bytes of
 * it follow (8 bits) and these, which become sound lines; or pages, which have to come back. Each
 * core found becomes ELF.
 */
#include "arch/host/gcore.h"
#include "core/gcore_text.h"
#include "core/panic.h"
#include "core/textline.h"
#include "tests/fuzz/input.h"

#include <stdlib.h>
#include <string.h>

#define LINES 200

static void found(const struct gcore *g, void *ctx)
{
    size_t size;
    u8 *e = gcore_elf(g, &size);

    (void)ctx;
    assert(size % PAGE_SIZE == 0 && g->nvcpus <= VCPU_MAX && g->nregions <= GMEM_REGIONS);
    assert(strchr(g->name, '/') == NULL && g->name[0] != '.');
    for (u32 i = 0; i < g->nregions; i++) {
        const struct gcore_region *r = &g->region[i];

        assert(r->ram[0] + r->ram[r->size - 1] >= 0 && r->base + r->size > r->base);
    }
    (void)gcore_whole(g);
    free(e);
}

static void read_records(struct input *in)
{
    char *text = malloc(LINES * (TEXTLINE_ROOM + 1));
    u32 len = 0, seq = 0;

    for (u32 i = 0; i < LINES && in->p < in->end; i++) {
        struct textline l = {.kind = (u8)take(in, 1), .seq = seq++};
        u32 says = take(in, 2), n = take(in, 1) % (TEXTLINE_PIECE - 4) + 1, at = 0;

        if (l.kind == GCORE_BEGIN) {
            l.seq = 0;
            seq = 1;
        }
        if (l.kind != GCORE_MORE) {
            textline_put32(l.data, says);
            at = 4;
        }
        for (l.len = at + n; at < l.len; at++) {
            l.data[at] = (u8)take(in, 1);
        }
        len += textline_write(GCORE_MARK, &l, text + len);
        text[len++] = '\n';
    }
    (void)gcore_read((struct str){text, len}, found, NULL);
    free(text);
}

static void pack_pages(struct input *in)
{
    u32 page[GCORE_WORDS], back[GCORE_WORDS];
    u8 *packed = malloc(GCORE_PACKED);

    while (in->p < in->end) {
        u32 step = take(in, 1) % 64 + 1, word = take(in, 4), every = take(in, 1) + 1, len;

        for (u32 i = 0; i < GCORE_WORDS; i++) {
            page[i] = i % every == 0 ? word : i * step;
        }
        len = gcore_pack(page, packed);
        assert(len <= GCORE_PACKED && gcore_unpack(packed, len, back));
        assert(memcmp(page, back, sizeof(page)) == 0);
        len = MIN((u32)(in->end - in->p), GCORE_PACKED);
        memcpy(packed, in->p, len);
        (void)gcore_unpack(packed, len, back);
    }
    free(packed);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct input in = {data, data + size};

    switch (take(&in, 1) % 3) {
    case 0:
        (void)gcore_read((struct str){(const char *)in.p, (u32)(in.end - in.p)}, found, NULL);
        break;
    case 1:
        read_records(&in);
        break;
    default:
        pack_pages(&in);
        break;
    }
    return 0;
}
