/* SPDX-License-Identifier: MIT */
/*
 * Random bytes: the library's HMAC_DRBG against vectors of NIST, and what is promised about who
 * gets which bytes. The board's entropy is played by host_entropy.
 */
#include "core/random.h"

#include "arch/host/arch.h"
#include "tests/host/driver.h"

#include <bearssl_rand.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SEED "\x13\x57\x9b\xdf\x02\x46\x8a\xce\x31\x75\xb9\xfd\x20\x64\xa8\xec"

static u32 asked;   /* calls of host_entropy */
static u8 hardware; /* what it gives */
static bool run_dry;

static bool entropy(void *buf, size_t len)
{
    asked++;
    memset(buf, hardware, len);
    return !run_dry;
}

static int setup(void **state)
{
    (void)state;
    host_init();
    host_entropy = NULL;
    host_now_ns = 1000;
    asked = 0;
    hardware = 0x5a;
    run_dry = false;
    return 0;
}

/* --- the library ------------------------------------------------------------------------------ */

static void unhex(u8 *out, const char *hex, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        u32 byte;

        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (u8)byte;
    }
}

/*
 * The first vectors for SHA-256 of CAVP's HMAC_DRBG.rsp, drbgvectors_no_reseed and _pr_false: what
 * the second request gives.
 */
static void known_answers(void **state)
{
    static const struct {
        const char *entropy_and_nonce, *reseed, *answer;
    } vectors[] = {
        {"ca851911349384bffe89de1cbdc46e6831e44d34a4fb935ee285dd14b71a7488"
         "659ba96c601dc69fc902940805ec0ca8",
         NULL,
         "e528e9abf2dece54d47c7e75e5fe302149f817ea9fb4bee6f4199697d04d5b89"
         "d54fbb978a15b5c443c9ec21036d2460b6f73ebad0dc2aba6e624abf07745bc1"
         "07694bb7547bb0995f70de25d6b29e2d3011bb19d27676c07162c8b5ccde0668"
         "961df86803482cb37ed6d5c0bb8d50cf1f50d476aa0458bdaba806f48be9dcb8"},
        {"06032cd5eed33f39265f49ecb142c511da9aff2af71203bffaf34a9ca5bd9c0d"
         "0e66f71edc43e42a45ad3c6fc6cdc4df",
         "01920a4e669ed3a85ae8a33b35a74ad7fb2a6bb4cf395ce00334a9c9a5a5d552",
         "76fc79fe9b50beccc991a11b5635783a83536add03c157fb30645e611c2898bb"
         "2b1bc215000209208cd506cb28da2a51bdb03826aaf2bd2335d576d519160842"
         "e7158ad0949d1a9ec3e66ea1b1a064b005de914eac2e9d4f2d72a8616a802254"
         "22918250ff66a41bd2f864a6a38cc5b6499dc43f7f2bd09e1e0f8f5885935124"},
    };

    (void)state;
    for (u32 i = 0; i < ARRAY_SIZE(vectors); i++) {
        u8 seed[48], reseed[32], answer[128], got[128];
        br_hmac_drbg_context drbg;

        unhex(seed, vectors[i].entropy_and_nonce, sizeof(seed));
        unhex(answer, vectors[i].answer, sizeof(answer));
        br_hmac_drbg_init(&drbg, &br_sha256_vtable, seed, sizeof(seed));
        if (vectors[i].reseed != NULL) {
            unhex(reseed, vectors[i].reseed, sizeof(reseed));
            br_hmac_drbg_update(&drbg, reseed, sizeof(reseed));
        }
        br_hmac_drbg_generate(&drbg, got, sizeof(got));
        br_hmac_drbg_generate(&drbg, got, sizeof(got));
        assert_memory_equal(got, answer, sizeof(got));
    }
}

/* --- sources ---------------------------------------------------------------------------------- */

static void assert_none(void)
{
    struct random r;
    u8 buf[8] = "nothing";

    random_create(&r);
    random_seed(&r, "vm", 0);
    assert_int_equal(random_source(), RANDOM_NONE);
    assert_false(random_bytes(NULL, buf, sizeof(buf)));
    assert_false(random_bytes(&r, buf, sizeof(buf)));
    assert_string_equal((const char *)buf, "nothing");
}

static void no_entropy_no_bytes(void **state)
{
    static const u8 zeros[64];

    (void)state;
    random_init(NULL, 0);
    assert_none();
    random_init(SEED, RANDOM_SEED_MIN - 1); /* too short */
    assert_none();
    random_init(zeros, sizeof(zeros)); /* wiped */
    assert_none();
    host_entropy = entropy;
    run_dry = true;
    random_init(NULL, 0);
    assert_none();
}

static void sources_are_told_apart(void **state)
{
    (void)state;
    random_init(SEED, RANDOM_SEED_MIN);
    assert_int_equal(random_source(), RANDOM_SEED);
    host_entropy = entropy;
    random_init(NULL, 0);
    assert_int_equal(random_source(), RANDOM_HARDWARE);
    random_init(SEED, RANDOM_SEED_MIN);
    assert_int_equal(random_source(), RANDOM_HARDWARE);
}

static void unseeded_gives_nothing(void **state)
{
    struct random r;
    u8 buf[4];

    (void)state;
    random_init(SEED, RANDOM_SEED_MIN);
    random_create(&r);
    assert_false(random_bytes(&r, buf, sizeof(buf)));
    random_seed(&r, "vm", 0);
    assert_true(random_bytes(&r, buf, sizeof(buf)));
}

/* The first bytes of a VM's generator, and of Muntin's own, from this seed. */
struct first {
    u8 vm[32], own[32];
};

static struct first first_bytes(const void *seed, const char *name, u32 number)
{
    struct random r;
    struct first f;

    random_init(seed, RANDOM_SEED_MIN);
    random_create(&r);
    random_seed(&r, name, number);
    assert_true(random_bytes(&r, f.vm, sizeof(f.vm)));
    assert_true(random_bytes(NULL, f.own, sizeof(f.own)));
    return f;
}

static void assert_differ(struct first a, struct first b, bool own_too)
{
    assert_memory_not_equal(a.vm, b.vm, sizeof(a.vm));
    if (own_too) {
        assert_memory_not_equal(a.own, b.own, sizeof(a.own));
    }
}

/* All that goes in shows: seed, hardware, time, the VM's name, the number of the start. */
static void all_input_counts(void **state)
{
    static const char other[] = "\x13\x57\x9b\xdf\x02\x46\x8a\xce\x31\x75\xb9\xfd\x20\x64\xa8\xed";
    struct first f = first_bytes(SEED, "vm", 0), again = first_bytes(SEED, "vm", 0), hard;

    (void)state;
    assert_memory_equal(&f, &again, sizeof(f));
    assert_differ(f, first_bytes(other, "vm", 0), true);
    assert_differ(f, first_bytes(SEED, "vn", 0), false);
    assert_differ(f, first_bytes(SEED, "vm", 1), false);
    host_now_ns++;
    assert_differ(f, first_bytes(SEED, "vm", 0), true);
    host_now_ns--;
    host_entropy = entropy;
    hard = first_bytes(SEED, "vm", 0);
    assert_differ(f, hard, true);
    hardware = 0x5b;
    assert_differ(hard, first_bytes(SEED, "vm", 0), true);
}

/* --- who gets what ---------------------------------------------------------------------------- */

static void never_the_same_twice(void **state)
{
    struct random r[2];
    u8 got[6][32];

    (void)state;
    random_init(SEED, RANDOM_SEED_MIN);
    for (u32 i = 0; i < 2; i++) { /* the same name and number: Muntin's generator has gone on */
        random_create(&r[i]);
        random_seed(&r[i], "vm", 7);
        assert_true(random_bytes(&r[i], got[i], 32));
    }
    random_seed(&r[0], "vm", 7); /* it starts once more */
    assert_true(random_bytes(&r[0], got[2], 32));
    assert_true(random_bytes(&r[0], got[3], 32));
    assert_true(random_bytes(&r[1], got[4], 32));
    assert_true(random_bytes(NULL, got[5], 32));
    for (u32 i = 0; i < 6; i++) {
        for (u32 k = 0; k < i; k++) {
            assert_memory_not_equal(got[i], got[k], 32);
        }
    }
}

/* What a VM takes changes nothing for others. */
static void streams_are_apart(void **state)
{
    struct random r[2];
    u8 alone[32], beside[32];

    (void)state;
    for (u32 round = 0; round < 2; round++) {
        random_init(SEED, RANDOM_SEED_MIN);
        random_create(&r[0]);
        random_create(&r[1]);
        random_seed(&r[0], "a", 0);
        random_seed(&r[1], "b", 0);
        for (u32 i = 0; i < 10 * round; i++) {
            assert_true(random_bytes(&r[0], beside, 17));
        }
        assert_true(random_bytes(&r[1], round == 0 ? alone : beside, 32));
    }
    assert_memory_equal(alone, beside, 32);
}

/* Nothing of the state that gave bytes is left behind them (backtracking resistance). */
static void state_is_replaced(void **state)
{
    struct random r;
    br_hmac_drbg_context before, after;
    u8 buf[RANDOM_MAX];

    (void)state;
    random_init(SEED, RANDOM_SEED_MIN);
    random_create(&r);
    random_seed(&r, "vm", 0);
    memcpy(&before, r.state, sizeof(before));
    assert_true(random_bytes(&r, buf, sizeof(buf)));
    memcpy(&after, r.state, sizeof(after));
    assert_memory_not_equal(before.K, after.K, 32);
    assert_memory_not_equal(before.V, after.V, 32);
    assert_memory_not_equal(buf + 32, after.V, 32); /* V was the last of what went out */
}

static void fresh_entropy_comes_in(void **state)
{
    struct random r, twin;
    u8 buf[32], other[32];
    u32 calls = 0;

    (void)state;
    host_entropy = entropy;
    random_init(NULL, 0);
    random_create(&r);
    random_seed(&r, "vm", 0);
    twin = r; /* whoever knows its state … */
    asked = 0;
    while (asked == 0) {
        assert_true(random_bytes(&r, buf, sizeof(buf)));
        assert_true(calls++ < 256);
    }
    hardware++;
    for (u32 i = 0; i < calls; i++) {
        assert_true(random_bytes(&twin, other, sizeof(other)));
    }
    assert_memory_equal(buf, other, sizeof(buf));
    assert_true(random_bytes(&r, buf, sizeof(buf)));
    assert_true(random_bytes(&twin, other, sizeof(other)));
    assert_memory_not_equal(buf, other, sizeof(buf)); /* … knows it no longer */

    run_dry = true; /* then it goes on without, and doesn't ask each time */
    asked = 0;
    for (u32 i = 0; i < 1000; i++) {
        assert_true(random_bytes(&r, buf, sizeof(buf)));
    }
    assert_in_range(asked, 1, 5);
}

static void wipe_overwrites(void **state)
{
    char secret[] = "secret";

    (void)state;
    random_wipe(secret, sizeof(secret));
    assert_memory_equal(secret, "\0\0\0\0\0\0", sizeof(secret));
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(known_answers),          TEST(no_entropy_no_bytes), TEST(sources_are_told_apart),
        TEST(unseeded_gives_nothing), TEST(all_input_counts),    TEST(never_the_same_twice),
        TEST(streams_are_apart),      TEST(state_is_replaced),   TEST(fresh_entropy_comes_in),
        TEST(wipe_overwrites),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
