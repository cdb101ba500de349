/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker: reads packets from its lanes, has the inspector judge them, and puts outcomes into the ring.
 *
 * Runs in the dpi role, alone with what hostile bytes can do to it: no privilege, no files, no network, no way to answer
 * the kernel. It owns the inspector, the ring mapping, its queue descriptors (received from, never written) and the
 * event port. It never sends a verdict and never holds a packet longer than the inspector's 10 ms.
 *
 * The role itself is role_dpi of appliance/roles.h; this header is what its parts and tests share.
 */
#ifndef SEKISHO_DPI_WORKER_H
#define SEKISHO_DPI_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/lane.h"

/* Memory of a worker, all of it taken before the sandbox closes. */
#define WORKER_FLOWS 16384u
#define WORKER_POOL_BYTES (8u * 1024u * 1024u)
#define WORKER_TABLE_BYTES (4u * 1024u * 1024u)

#define WORKER_BATCH 32u /* packets per receive */

/* Order of service: 0 (safety) first, the cut lane last. */
static inline unsigned worker_class(uint32_t lane)
{
	struct lane l;

	return lane_of(lane, &l) ? (unsigned)l.criticality : (unsigned)CRIT_SUPPORT + 1u;
}

/* Packets that one turn takes from a lane of this class, so that a flood in one never starves another. */
static inline unsigned worker_budget(unsigned class)
{
	static const unsigned budgets[] = { 256, 128, 64, 32 };

	return budgets[class < 4u ? class : 3u];
}

/* True when the gate decided packet `id` before this worker began; ids are serial numbers. */
static inline bool worker_decided(uint32_t id, uint32_t decided)
{
	return (int32_t)(id - decided) <= 0;
}

#endif
