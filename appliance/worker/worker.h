/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker reads packets from its lanes, has the inspector judge them, and sends verdicts to the
 * kernel by forms.
 *
 * It runs in the role dpi, and is isolated because hostile bytes may compromise it: it has no files
 * and no network, and can send only forms to the kernel (worker/form.h), which allow no more than
 * its gate would do for it. It owns the inspector, the ring mapping, its queue descriptors and the
 * event port. It never holds a packet longer than the inspector's 10 ms.
 *
 * The role itself is role_dpi of appliance/role/roles.h; worker/role.c is its loop, worker/ring.c
 * its end of the ring, worker/messages.c its control channel, worker/impact.c the answer to what a
 * change would do.
 */
#ifndef SEKISHO_WORKER_WORKER_H
#define SEKISHO_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/alarm.h"
#include "appliance/wire/event.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/ring.h"
#include "appliance/worker/latency.h"
#include "appliance/worker/lend.h"
#include "appliance/worker/queue.h"
#include "appliance/worker/verdicts.h"
#include "dpi/inspect/inspect.h"

/* Memory of a worker, all of it taken before the sandbox closes. A worker for naming also has
 * nDPI's memory. */
#define WORKER_FLOWS 16384u
#define WORKER_POOL_BYTES (8u * 1024u * 1024u)
#define WORKER_TABLE_BYTES (2u * COMMANDS_TABLE_MAX)

#define WORKER_BATCH 64u /* packets per receive */

struct worker_port {
	int fd; /* one socket for all slots of the lane that are this worker's */
	uint32_t lane;
	bool commands; /* a lane with commands, which is served before the cut lane */
	unsigned class;
	uint32_t share; /* LANE_SHARES for the cut lane */
	/* lanes without commands: packets left for it in this round */
	unsigned credit;
	bool ready;		      /* packets may be waiting */
	bool hot;		      /* the port had packets in the last turn */
	bool skipping[LANE_SLOTS];    /* ids up to skip_to were decided before this worker began */
	uint32_t skip_to[LANE_SLOTS]; /* by slot, because each queue has its own ids */
};

struct worker {
	/* for the inspector's timers, so that poll between packets needs no time-out */
	struct alarm alarm;
	enum lane_kind kind;
	struct inspector *inspector;
	struct queue_reader *reader;
	struct event_port events;
	struct ring *ring; /* NULL until MSG_DPI_START */
	int wake;
	uint32_t unannounced; /* entries since the last wake-up on which the gate has to act */
	uint32_t told;	      /* entries since then that only inform it */
	unsigned turns;	      /* turns since other lanes and messages were last looked at */
	unsigned taken;	      /* packets since then */
	bool table, serving, ended;
	bool trying; /* `tried` holds the table of the last MSG_IMPACT */
	struct command_table tried;
	uint8_t digest[32];
	struct verdicts verdicts;
	struct lends lends;
	struct latency latency;
	int sockets[LANE_COUNT];	      /* the sockets of `ports`, by lane */
	struct worker_port ports[LANE_COUNT]; /* in order of service */
	unsigned n_ports;
	uint64_t errors, others, skipped, ring_full;
};

/* True for a lane with commands. Its packets never wait for more than one batch of the cut lane. */
static inline bool worker_commands(uint32_t lane)
{
	struct lane l;

	return lane_of(lane, &l) && l.kind == LANE_COMMANDS;
}

/* Order of service within a kind: 0 (safety) first, the cut lane last. */
static inline unsigned worker_class(uint32_t lane)
{
	struct lane l;

	return lane_of(lane, &l) ? (unsigned)l.criticality : (unsigned)CRIT_SUPPORT + 1u;
}

/* The lane's share of the worker; LANE_SHARES for the cut lane. */
static inline uint32_t worker_share(uint32_t lane)
{
	struct lane l;

	return lane_of(lane, &l) ? (uint32_t)l.kind * CRITICALITIES + (uint32_t)l.criticality : LANE_SHARES;
}

/* Packets that one turn takes from a lane with commands, or one round from another: a flood in one
 * never starves another of its kind. */
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

/* ---- worker/ring.c --------------------------------------------------------------------------- */

/* Puts an entry into the ring, waiting for room. `told`: the gate need not wake for it. */
void worker_push(struct worker *w, const void *entry64, bool told);
/* Puts two entries that belong together, and on which the gate has to act. */
void worker_push_two(struct worker *w, const void *entry64, const void *behind64);
/* Wakes the gate if there are entries that it has to act on. */
void worker_wake_gate(struct worker *w);
void worker_beat(struct worker *w);

/* ---- worker/messages.c ----------------------------------------------------------------------- */

/* Reads the control channel until it is empty. False: it is closed or broken, the worker
 * must end. */
bool worker_messages(struct worker *w);

/* ---- worker/impact.c ------------------------------------------------------------------------- */

struct msg;
/* Answers MSG_IMPACT. False: the control channel is broken. */
bool worker_impact(void *w, struct msg *m);

#endif
