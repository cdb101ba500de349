/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker: reads packets from its lanes, has the inspector judge them, and answers the kernel by
 * forms of verdicts.
 *
 * Runs in the dpi role, alone with what hostile bytes can do to it: no files, no network, no word
 * to the kernel but the forms (worker/form.h), which say no more than a gate would say for it. It
 * owns the inspector, the ring mapping, its queue descriptors and the event port. It never holds a
 * packet longer than the inspector's 10 ms.
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
#include "appliance/worker/queue.h"
#include "appliance/worker/verdicts.h"
#include "dpi/inspect/inspect.h"

/* Memory of a worker, all of it taken before the sandbox closes. nDPI's comes on top of it, in one for naming. */
#define WORKER_FLOWS 16384u
#define WORKER_POOL_BYTES (8u * 1024u * 1024u)
#define WORKER_TABLE_BYTES (2u * COMMANDS_TABLE_MAX)

#define WORKER_BATCH 64u /* packets per receive */

struct worker_port {
	int fd; /* of all its slots here */
	uint32_t lane;
	bool commands; /* served before the cut lane, which a worker for commands has too */
	unsigned class;
	uint32_t share;		      /* LANE_SHARES of the cut lane */
	unsigned credit;	      /* of others: packets that this round still gives it */
	bool ready;		      /* something may be there */
	bool hot;		      /* it had packets in the last turn */
	bool skipping[LANE_SLOTS];    /* ids up to skip_to were decided before this worker began */
	uint32_t skip_to[LANE_SLOTS]; /* by slot: each queue counts for itself */
};

struct worker {
	struct alarm alarm; /* for what the inspector has due: no sleep between packets has a time-out */
	enum lane_kind kind;
	struct inspector *inspector;
	struct queue_reader *reader;
	struct event_port events;
	struct ring *ring; /* NULL until MSG_DPI_START */
	int wake;
	uint32_t unannounced; /* entries since the gate was last woken, for which it is wanted */
	uint32_t told;	      /* ... and those that it ought only to know */
	unsigned turns;	      /* since other lanes and messages were last looked at */
	unsigned taken;	      /* packets, since then */
	bool table, serving, ended;
	bool trying; /* `tried` is what MSG_IMPACT brought last */
	struct command_table tried;
	uint8_t digest[32];
	struct verdicts verdicts;
	struct latency latency;
	int sockets[LANE_COUNT];	      /* of ports, by lane */
	struct worker_port ports[LANE_COUNT]; /* in order of service */
	unsigned n_ports;
	uint64_t errors, others, skipped, ring_full;
};

/* True for a lane with commands: what waits there is never behind more than one batch of the cut lane. */
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

/* Which part of the worker it has; LANE_SHARES of the cut lane. */
static inline uint32_t worker_share(uint32_t lane)
{
	struct lane l;

	return lane_of(lane, &l) ? (uint32_t)l.kind * CRITICALITIES + (uint32_t)l.criticality : LANE_SHARES;
}

/* Packets that one turn takes from a lane with commands, or one round from another: a flood in one never starves another
 * of its kind. */
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

/* ---- worker/ring.c ---------------------------------------------------------------------------------------------- */

/* Puts an entry into the ring, waiting for room. `told`: the gate need not wake for it. */
void worker_push(struct worker *w, const void *entry64, bool told);
/* Two that belong together, for which it is to wake. */
void worker_push_two(struct worker *w, const void *entry64, const void *behind64);
/* Wakes the gate when there is something that it is wanted for. */
void worker_wake_gate(struct worker *w);
void worker_beat(struct worker *w);

/* ---- worker/messages.c ------------------------------------------------------------------------------------------ */

/* Reads the control channel until it is empty. False: it is closed or broken, the worker must end. */
bool worker_messages(struct worker *w);

/* ---- worker/impact.c -------------------------------------------------------------------------------------------- */

struct msg;
/* Answers MSG_IMPACT. False: the control channel is broken. */
bool worker_impact(void *w, struct msg *m);

#endif
