/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pulse: one number in shared memory that a process moves with every turn of its loop, so that another sees it turn without
 * asking. The gate beats it, the supervisor feels it. Beside it stands how many packets the gates of this pair have decided in their worker's place, one gate after
 * the other. Its two ends map a sealed memfd; neither reads anything else there.
 */
#ifndef SEKISHO_WIRE_PULSE_H
#define SEKISHO_WIRE_PULSE_H

#include <stdatomic.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/wire/mark.h"

struct pulse {
	_Alignas(64) _Atomic uint32_t turns;
	_Alignas(64) _Atomic uint64_t decided[LANE_COUNT];
};

/* A memfd for one, which can neither shrink nor grow. Owned by the caller; negative errno on failure. */
int pulse_create(struct err *e);
/* NULL unless `fd` is such a memfd. `fd` stays the caller's; the mapping stays for the life of the process. */
struct pulse *pulse_map(int fd, struct err *e);

static inline void pulse_beat(struct pulse *p)
{
	atomic_store_explicit(&p->turns, atomic_load_explicit(&p->turns, memory_order_relaxed) + 1u,
			      memory_order_relaxed);
}

static inline void pulse_decided(struct pulse *p, uint32_t lane, uint32_t packets)
{
	atomic_fetch_add_explicit(&p->decided[lane], packets, memory_order_relaxed);
}

static inline uint32_t pulse_feel(struct pulse *p)
{
	return atomic_load_explicit(&p->turns, memory_order_relaxed);
}

#endif
