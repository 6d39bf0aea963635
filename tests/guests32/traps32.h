/* SPDX-License-Identifier: MIT */
/* What main.c and code.S of traps32 know of each other. */
#ifndef TESTS_GUESTS32_TRAPS32_H
#define TESTS_GUESTS32_TRAPS32_H

#define UART 0x09000000

/* struct probe */
#define PROBE_HIT  0
#define PROBE_LR   4
#define PROBE_CPSR 8
#define PROBE_SP   12
#define PROBE_SPSR 16

/* SPSR_svc, and SPSR_abt and SPSR_und, before a probe: neither is what CPSR is like. */
#define SPSR_SVC_MARK   0x500f001f
#define SPSR_OTHER_MARK 0x40060010

#ifndef __ASSEMBLER__

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the exception that ended probe() was like: its vector's offset (0: there was none), and in
 * its handler LR, CPSR and SPSR. */
struct probe {
    uint32_t hit, lr, cpsr, sp, spsr;
};
extern struct probe probe;

_Static_assert(offsetof(struct probe, hit) == PROBE_HIT && offsetof(struct probe, lr) == PROBE_LR &&
                   offsetof(struct probe, cpsr) == PROBE_CPSR &&
                   offsetof(struct probe, sp) == PROBE_SP &&
                   offsetof(struct probe, spsr) == PROBE_SPSR,
               "code.S");

/* Runs code, which gets a and b in r0 and r1 and may change r2 to r12; its r0, or 0xdead. */
uint32_t probe_run(const void *code, uint32_t a, uint32_t b);
uint32_t smccc_hvc(uint32_t id, uint32_t a, uint32_t b, uint32_t c);
uint32_t smccc_smc(uint32_t id, uint32_t a, uint32_t b, uint32_t c);

/* Code for probe_run. The instruction in question is behind NAME_at, where it can fail. */
extern const char arm_undef[], arm_undef_at[], thumb_undef[], thumb_undef_at[];
extern const char arm_ldm_user[], arm_ldm_user_at[], arm_stm_user[], arm_stm_user_at[];
extern const char thumb_ldrex[], thumb_ldrex_at[];
extern const char arm_skipped[], arm_executed[], arm_smc_skipped[], arm_flags[];
extern const char thumb_skipped[], thumb_executed[], thumb_block[], thumb_load_block[];
extern const char arm_load[], arm_cntpct[], arm_cntp[], arm_set_way[], arm_ids[], arm_mvfr[];
extern const char arm_read_pmcr[], arm_read_l2ctlr[], arm_read_dbgbcr[], arm_write_id[];
extern const char arm_read_dbgdidr[], arm_read_sre[], arm_write_oslar[];

/* Code for probe_run that does what its name says to the address in r0, and stores r0 to r8 where
 * r1 points to. Before it r1 to r8 are 0x11 to 0x18. */
extern const char a_ldr_post[], a_ldr_pre[], a_ldr_reg[], a_ldrb[], a_ldrh[], a_ldrsb[], a_ldrd[],
    a_ldrd_post[], a_ldmia[], a_ldmib[], a_ldmda[], a_ldmdb[], a_str_post[], a_strh[], a_strb[],
    a_strd[], a_stmia[], a_stmdb[], a_stmib[], t_ldr_post[], t_ldr_pre[], t_ldrsh[], t_ldrd[],
    t_ldm16[], t_ldm32[], t_ldmdb[], t_str_pre[], t_strb[], t_strd[], t_stm16[], t_stmdb[];
extern const char t_in_block[], in_user_mode[];

/* Loads the word at a into lr and r8 of this mode (bits of CPSR); their sum, and whether SVC's own
 * lr and r8 stayed: bit 31 set if not. */
uint32_t mode_load(uint32_t a, uint32_t mode);

/* Fills every banked register with values made of `seed`; then checks them: how many are wrong. */
void banked_fill(uint32_t seed);
uint32_t banked_wrong(uint32_t seed);

extern const char vectors_arm[], vectors_thumb[], vectors_end[];
extern const char second_thumb[];
extern volatile uint32_t second_context, second_cpsr;

void guest_main(void);

#endif
#endif
