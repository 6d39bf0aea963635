/* SPDX-License-Identifier: MIT */
/* Text made harmless: one line of a table per kind of byte or sequence. */
#include "vdev/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct sample {
    const char *in, *out;
};

/* Cleans `in`, in pieces of at most `step` bytes. */
static void check(const struct sample *s, size_t step)
{
    struct text_state state = {0};
    u8 out[128];
    size_t len = 0, n = strlen(s->in);

    for (size_t i = 0; i < n; i += step) {
        len += text_clean(&state, (const u8 *)s->in + i, MIN(step, n - i), out + len);
        assert_true(len <= n);
    }
    out[len] = '\0';
    assert_string_equal((char *)out, s->out);
}

static void plain_text_and_controls(void **state)
{
    static const struct sample samples[] = {
        {"plain ~ text", "plain ~ text"},
        {"tab\there", "tab\there"},
        {"a\rb\bc\ad\ve", "a.b.c.d.e"},
        {"del\x7f", "del."},
        {"\x01\x1f", ".."},
        {"\n", "."},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(samples); i++) {
        check(&samples[i], 128);
        check(&samples[i], 1);
    }
}

static void escape_sequences(void **state)
{
    static const struct sample samples[] = {
        {"\033[1;31mred\033[0m", "red"},
        {"\033[?25l\033[2J\033[10;20Hx", "x"},
        {"\033]0;title\ax", "x"},
        {"\033]8;;http://y\033\\link", "link"},
        {"\033P1$r\033\\x", "x"},
        {"\033(Bx\0337y\033cz", "xyz"},
        {"\033", ""},
        {"\033[12", ""},
        {"\033[12\bx", ".x"}, /* broken off by a control byte */
        {"\033\033[1mx", "x"},
        {"\033[\xc3\xa4", "\xc3\xa4"}, /* nor do characters belong to it */
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(samples); i++) {
        check(&samples[i], 128);
        if (strchr(samples[i].in, '\xc3') == NULL) {
            check(&samples[i], 1); /* a sequence in pieces */
        }
    }
}

static void utf8_is_kept_if_it_is_right(void **state)
{
    static const struct sample samples[] = {
        {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\xc2\x9b"
         "2J",
         ".2J"}, /* C1 CSI as UTF-8 */
        {"\x9b"
         "2J",
         ".2J"},                      /* and as a byte */
        {"\xc2\xa0", "\xc2\xa0"},     /* the first behind C1 */
        {"\xc0\x80\xc1\xbf", "...."}, /* overlong */
        {"\xe0\x80\x9b\xf0\x80\x80\x9b", "......."},
        {"\xed\xa0\x80", "..."}, /* surrogate */
        {"\xf4\x90\x80\x80\xf5\x80\x80\x80", "........"},
        {"\xc3", "."}, /* cut off */
        {"\xe2\x82", ".."},
        {"\xc3(", ".("},
        {"\xff\xfe\x80", "..."},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(samples); i++) {
        check(&samples[i], 128);
    }
}

static void replay_asks_the_terminal_nothing(void **state)
{
    static const struct sample samples[] = {
        {"\033[1mroot\033[0m# \033[6n", "\033[1mroot\033[0m# "},
        {"ls\b \b\033[J\033[K\033[3Dx", "ls\b \b\033[K\033[3Dx"},
        {"\033[c\033Z\0337a\0338\033(Bb", "ab"},
        {"\033]0;title\a\adone\a", "done"},
        {"\033]8;;u\033\\x", "x"},
        {"x\033[3", "x\033[3"}, /* the rest is still to come */
        {"x\033", "x\033"},
        {"\033[2\033[1mx", "\033[1mx"},
    };
    u8 out[128];

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(samples); i++) {
        size_t n = strlen(samples[i].in);

        out[text_replay((const u8 *)samples[i].in, n, out)] = '\0';
        assert_string_equal((char *)out, samples[i].out);
    }
}

/* Whatever comes in, nothing that a terminal obeys comes out. */
static void no_three_bytes_make_a_control(void **state)
{
    static const u8 set[] = {0x00, 0x07, 0x0d, 0x1b, 0x5b, 0x41, 0x7f, 0x80, 0x9b, 0x9f, 0xa0,
                             0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xff};
    u32 n = ARRAY_SIZE(set);

    (void)state;
    for (u32 i = 0; i < n * n * n; i++) {
        u8 in[3] = {set[i % n], set[i / n % n], set[i / n / n]}, out[3];
        struct text_state s = {0};
        size_t len = text_clean(&s, in, 3, out), seq;

        for (size_t k = 0; k < len; k += seq) {
            seq = text_utf8(out + k, len - k);
            assert_in_range(seq, 1, 3);
            assert_true(out[k] >= 0x20 && out[k] != 0x7f);
            assert_false(seq == 2 && out[k] == 0xc2 && out[k + 1] < 0xa0);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_and_controls),
        cmocka_unit_test(escape_sequences),
        cmocka_unit_test(utf8_is_kept_if_it_is_right),
        cmocka_unit_test(replay_asks_the_terminal_nothing),
        cmocka_unit_test(no_three_bytes_make_a_control),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
