/* SPDX-License-Identifier: MIT */
/*
 * Values of network devices' options that are more than a number or a word: MAC addresses, lists
 * of them, VLANs. Knows no device.
 */
#include "core/config_parse.h"
#include "core/log.h"
#include "core/str.h"

#define VLAN_WORDS 64u /* of the map of all VLANs */

static u32 hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return (u32)(c - '0');
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10 : 16;
}

/* aa:bb:cc:dd:ee:ff or aabbccddeeff. */
static bool mac_read(struct str s, struct opt_mac *mac)
{
    u32 step = s.len == 17 ? 3 : 2;

    if (s.len != 12 && s.len != 17) {
        return false;
    }
    for (u32 i = 0; i < 6; i++) {
        u32 high = hex_digit(s.p[i * step]), low = hex_digit(s.p[i * step + 1]);

        if (high > 15 || low > 15 || (step == 3 && i < 5 && s.p[i * 3 + 2] != ':')) {
            return false;
        }
        mac->b[i] = (u8)(high << 4 | low);
    }
    mac->set = true;
    return true;
}

void config_mac_option(struct parser *p, const struct token *arg, struct opt_mac *mac)
{
    static const u8 zero[6];
    struct opt_mac m = {.set = false};

    if (!mac_read(arg->text, &m)) {
        diag_error(p->diag, arg->place, "'%.*s' is not a MAC address: aa:bb:cc:dd:ee:ff",
                   STR_ARG(arg->text));
    } else if ((m.b[0] & 1) != 0 || memcmp(m.b, zero, 6) == 0) {
        diag_error(p->diag, arg->place, "'%.*s' is a group address or zero: no device's MAC",
                   STR_ARG(arg->text));
    } else {
        *mac = m;
    }
}

void config_macs_option(struct parser *p, const struct token *arg, struct opt_macs *macs)
{
    struct opt_mac m = {.set = false};

    config_mac_option(p, arg, &m);
    if (!m.set) {
        return;
    }
    for (u32 i = 0; i < macs->n; i++) {
        if (memcmp(macs->mac[i], m.b, 6) == 0) {
            diag_error(p->diag, arg->place, "'%.*s' is given twice", STR_ARG(arg->text));
            return;
        }
    }
    if (macs->n == OPT_MACS_MAX) {
        diag_error(p->diag, arg->place, "more than %u addresses", OPT_MACS_MAX);
        return;
    }
    memcpy(macs->mac[macs->n++], m.b, 6);
}

static bool vid_read(struct parser *p, struct str s, struct place place, u64 *vid)
{
    const struct token t = {.text = s, .place = place};

    return config_number(p, &t, "a VLAN", (const u64[2]){1, VID_MAX}, vid);
}

/* N or N-M, into the map. */
static bool vlan_range(struct parser *p, struct str s, struct place place, u64 *map)
{
    struct str high, low = str_cut(s, '-', &high);
    u64 first, last;

    if (!vid_read(p, low, place, &first)) {
        return false;
    }
    last = first;
    if (low.len < s.len && !vid_read(p, high, place, &last)) {
        return false;
    }
    if (last < first) {
        diag_error(p->diag, place, "'%.*s' is an empty range of VLANs", STR_ARG(s));
        return false;
    }
    for (u64 i = first; i <= last; i++) {
        map[i / 64] |= BIT64(i % 64);
    }
    return true;
}

/* The list behind trunk: VLANs and ranges, and which one the frames without a tag are in. */
static bool vlan_list(struct parser *p, const struct token *arg, struct str list, u64 *map,
                      u64 *native)
{
    static const char word[] = "native:";
    u32 ranges = 0;

    *native = 0;
    do {
        struct str one = str_cut(list, ',', &list);

        if (!str_starts(one, word)) {
            ranges++;
            if (!vlan_range(p, one, arg->place, map)) {
                return false;
            }
        } else if (*native != 0) {
            diag_error(p->diag, arg->place, "'%.*s': two native VLANs", STR_ARG(arg->text));
            return false;
        } else if (!vid_read(p, str_after(one, sizeof(word) - 1), arg->place, native)) {
            return false;
        }
    } while (list.len > 0);
    if (ranges == 0) {
        diag_error(p->diag, arg->place, "'%.*s': a trunk without tagged VLANs is access:%llu",
                   STR_ARG(arg->text), (unsigned long long)*native);
        return false;
    }
    map[*native / 64] &= ~BIT64(*native % 64);
    return true;
}

static void vlan_trunk(struct parser *p, const struct token *arg, struct str list,
                       struct opt_vlan *vlan)
{
    u64 map[VLAN_WORDS] = {0}, native, *copy;

    if (!vlan_list(p, arg, list, map, &native)) {
        return;
    }
    copy = cfg_alloc(p->arena, sizeof(map));
    if (copy == NULL) {
        diag_error(p->diag, arg->place, "no memory left for configs");
        return;
    }
    memcpy(copy, map, sizeof(map));
    *vlan = (struct opt_vlan){.mode = VLAN_TRUNK, .vid = (u16)native, .tagged = copy};
}

void config_vlan_option(struct parser *p, const struct token *arg, struct opt_vlan *vlan)
{
    struct str value, kind = str_cut(arg->text, ':', &value);
    u64 vid;

    if (value.len > 0 && str_is(kind, "trunk")) {
        vlan_trunk(p, arg, value, vlan);
    } else if (value.len == 0 || !str_is(kind, "access")) {
        diag_error(p->diag, arg->place,
                   "'%.*s' is not access:N or trunk:N,N-M...[,native:N], which 'vlan' needs",
                   STR_ARG(arg->text));
    } else if (vid_read(p, value, arg->place, &vid)) {
        *vlan = (struct opt_vlan){.mode = VLAN_ACCESS, .vid = (u16)vid};
    }
}
