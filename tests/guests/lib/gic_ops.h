/* SPDX-License-Identifier: MIT */
/* What differs between the GIC versions; only for gic*.c.  Meanings as in gic.h. */
#ifndef TESTS_GUESTS_LIB_GIC_OPS_H
#define TESTS_GUESTS_LIB_GIC_OPS_H

#include <stdbool.h>
#include <stdint.h>

struct gic_ops {
    void (*distributor_init)(void);
    void (*cpu_init)(void);
    uint64_t (*banked_frame)(void);
    void (*wait_disabled)(uint32_t intid);
    void (*route)(uint32_t spi, uint32_t cpu);
    uint32_t (*ack)(void);
    void (*eoi)(uint32_t iar);
    void (*deactivate)(uint32_t iar);
    void (*set_mask)(uint8_t priority);
    uint32_t (*mask)(void);
    void (*set_binary_point)(uint32_t point);
    void (*set_eoi_mode)(bool split);
    void (*finish_all)(void);
    uint32_t (*running_priority)(void);
    uint32_t (*highest_pending)(void);
    void (*send_sgi)(uint32_t cpu, uint32_t sgi);
    void (*send_sgi_self)(uint32_t sgi);
    void (*send_sgi_others)(uint32_t sgi);
};

/* A version's table: its functions have the names of what they do. */
#define GIC_OPS                                                                                    \
    {                                                                                              \
        .distributor_init = distributor_init, .cpu_init = interface_init,                          \
        .banked_frame = banked_frame, .wait_disabled = wait_disabled, .route = route, .ack = ack,  \
        .eoi = eoi, .deactivate = deactivate, .set_mask = set_mask, .mask = mask,                  \
        .set_binary_point = set_binary_point, .set_eoi_mode = set_eoi_mode,                        \
        .finish_all = finish_all, .running_priority = running_priority,                            \
        .highest_pending = highest_pending, .send_sgi = send_sgi, .send_sgi_self = send_sgi_self,  \
        .send_sgi_others = send_sgi_others                                                         \
    }

extern const struct gic_ops gicv2_ops;
extern const struct gic_ops gicv3_ops;

#endif
