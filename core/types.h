/* SPDX-License-Identifier: MIT */
/*
 * Types and small helpers that every file of Muntin may use.
 * Knows no other header of the project.
 */
#ifndef CORE_TYPES_H
#define CORE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef unsigned int u32; /* not uint32_t, which is long with some compilers: for %u and %x */
typedef uint64_t u64;
typedef int s32;
typedef int64_t s64;

/* Host-physical address: what the CPU puts on the bus. 64 bits on AArch32 too (LPAE has 40). */
typedef u64 hpa_t;

/*
 * Guest-physical address (IPA). A struct, so that it can't be used as a pointer or mixed with a
 * host address by accident: only core/gmem.c turns one into memory.
 */
typedef struct {
    u64 v;
} gpa_t;

static inline gpa_t gpa(u64 v)
{
    return (gpa_t){v};
}

/* Text that is not NUL-terminated: a slice of a config file or of a bundle's name. */
struct str {
    const char *p;
    u32 len;
};

#define KIB        1024u
#define MIB        (1024u * KIB)
#define GIB        (1024ull * MIB)
#define PAGE_SIZE  4096u
#define PAGE_SHIFT 12

#define ARRAY_SIZE(a)    (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)        ((a) < (b) ? (a) : (b))
#define MAX(a, b)        ((a) > (b) ? (a) : (b))
#define ALIGN_UP(x, a)   (((x) + ((a)-1)) & ~((a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((a)-1))
#define BIT(n)           (1u << (n))
#define BIT64(n)         (1ull << (n))

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK        __attribute__((warn_unused_result))
#define NORETURN          __attribute__((noreturn))
/* Rarely called: kept out of its caller, which stays short. */
#define RARE        __attribute__((noinline, cold))
#define NOINLINE    __attribute__((noinline)) /* rare: keeps the usual path short */
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* True if [a, a + len) lies within [base, base + size); no sum can overflow. */
static inline bool range_within(u64 a, u64 len, u64 base, u64 size)
{
    u64 off = a - base; /* wraps, and so is too large, if a is below base */

    return off <= size && len <= size - off;
}

/* True if [a, a + alen) and [b, b + blen) share a byte. Neither range may wrap around. */
static inline bool range_overlap(u64 a, u64 alen, u64 b, u64 blen)
{
    return alen != 0 && blen != 0 && a < b + blen && b < a + alen;
}

static inline bool is_pow2(u64 x)
{
    return x != 0 && (x & (x - 1)) == 0;
}

/*
 * index if index < count, else 0, with no branch to mispredict: put it between the bound check and
 * the use of every index that a guest controls (Spectre v1). The empty asm keeps the compiler from
 * folding the mask into the check that precedes it.
 */
static inline u32 index_nospec(u32 index, u32 count)
{
    u32 i = index;

    __asm__("" : "+r"(i));
    return index & (u32)((s64)((u64)i - count) >> 63);
}

#endif
