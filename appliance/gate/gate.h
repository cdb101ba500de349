/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate: sends the resets that its worker asks for and the verdicts that it may not say itself,
 * and answers for the worker when it cannot.
 *
 * One gate beside each worker. It never sees a packet: what comes in are ring entries of fixed
 * size, each copied once and checked before use, and what goes out are verdicts with marks that it
 * makes itself. It owns the queue descriptors it was given, the mapping of the ring, and the watch
 * over its worker.
 *
 * gate/role.c is the loop, gate/ring.c the entries, gate/messages.c what the supervisor says,
 * gate/watch.c life, death and failure decisions; each calls only those behind it.
 */
#ifndef SEKISHO_GATE_GATE_H
#define SEKISHO_GATE_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/alarm.h"
#include "appliance/base/clock.h"
#include "appliance/gate/outstanding.h"
#include "appliance/gate/overdue.h"
#include "appliance/gate/stray.h"
#include "appliance/gate/verdict.h"
#include "appliance/role/vigil.h"
#include "appliance/wire/event.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/pairs.h"
#include "appliance/wire/pulse.h"
#include "appliance/wire/ring.h"

#define GATE_TICK_NS 5000000u	    /* watch over a running worker for which packets wait */
#define GATE_TICK_REST_NS 10000000u /* ... for which none did */
#define GATE_LOOK_NS 20000000u	    /* between looks at what waits while the worker beats */
#define GATE_TICK_DOWN_NS 2000000u  /* failure decisions while there is none */
#define GATE_HUNG_NS 50000000u	    /* packets waiting and no heartbeat for this much of the worker's own time */
#define GATE_GAP_NS 20000000u	    /* a longer time between two looks counts as this */
#define GATE_REPORT_NS 100000000u   /* decided packets are reported at most this often, and when a worker takes over */

/* Takes the lowest lane out of a bit set; false when it is empty. `for (uint64_t rest = set; gate_each(&rest, &n);)` */
static inline bool gate_each(uint64_t *rest, uint32_t *ret)
{
	if (*rest == 0)
		return false;
	*ret = (uint32_t)__builtin_ctzll(*rest);
	*rest &= *rest - 1u;
	return true;
}

struct gate_queue {
	struct queue_state seen; /* as last read */
	struct overdue overdue;
};

struct gate_lane {
	int fd; /* of all its slots here */
	uint32_t lane;
	uint8_t slots; /* bit n = slot n is this pair's */
	struct verdict_pack pack;
	struct gate_queue queues[LANE_SLOTS]; /* by slot */
	uint64_t unreported;		      /* packets decided and not yet in an event */
	uint64_t verdicts;		      /* its worker's, ever */
};

struct gate_counts {
	uint64_t verdicts;
	uint64_t resets;
	uint64_t resets_unsent;	 /* nothing known that an end would believe, or the kernel refused */
	uint64_t resets_refused; /* for strays: not paid for by a packet, or not between pairs of the policy */
	uint64_t decided;	 /* for a worker that was dead or hung, not by it */
	uint64_t hung;
	uint64_t overdue; /* of these: it beat and left packets without a verdict */
	uint64_t died;
	uint64_t refused; /* entries that asked for what they may not, answered with a drop */
	uint64_t lies;	  /* rings given up because an entry was no entry */
	uint64_t unsent;  /* verdicts that the kernel did not take */
};

struct gate {
	int control, raw4, raw6, proc, sessions, epoll;
	struct alarm alarm;  /* for the next tick: no sleep has a time-out */
	struct pulse *pulse; /* by it the supervisor sees that this loop turns */
	struct event_port events;
	struct gate_lane lanes[LANE_COUNT]; /* by lane number */
	uint64_t used, dirty;		    /* bit n = lane n exists; has verdicts waiting in its pack */
	enum gate_state state; /* without a running worker every packet is decided by its lane's failure decision */
	uint32_t worker, pid;  /* of the last one announced */
	int wake, pidfd, stat; /* -1 = none */
	struct ring *ring;     /* NULL = none */
	uint32_t tail;
	bool half; /* the first part of a reset was read, `first` holds it */
	struct ring_entry first;
	uint32_t heartbeat; /* as last seen */
	struct vigil vigil;
	int64_t waiting;      /* packets, as last read */
	uint64_t unlooked_ns; /* since then */
	uint32_t unlooked_beats;
	struct mono last_tick, last_report;
	struct stray_budget strays;
	struct known_pair *pairs; /* NULL: none is known */
	size_t n_pairs;
	struct gate_counts counts;
};

/* The lane that a queue of this gate belongs to, or NULL. */
static inline struct gate_lane *gate_lane_of(struct gate *g, uint16_t queue)
{
	uint32_t lane = queue_lane(queue);

	if (lane == LANE_COUNT || ((g->used >> lane) & 1u) == 0 ||
	    (((uint32_t)g->lanes[lane].slots >> queue_slot(queue)) & 1u) == 0)
		return NULL;
	return &g->lanes[lane];
}

/* What is known of that queue. */
static inline struct gate_queue *gate_queue_of(struct gate_lane *l, uint16_t queue)
{
	return &l->queues[queue_slot(queue)];
}

/* ---- gate/ring.c -------------------------------------------------------------------------------------------------- */

enum drain_result {
	DRAIN_EMPTY, /* everything was read */
	DRAIN_MORE,  /* `most` entries were read */
	DRAIN_LIE,   /* the worker is not to be believed any more */
};

/* Handles at most `most` entries and sends every verdict they ask for. */
enum drain_result gate_drain(struct gate *g, unsigned most);
/* What one verdict entry comes to. */
enum entry_action { ENTRY_LIE, ENTRY_DROP, ENTRY_REFUSED, ENTRY_ACCEPT };
enum entry_action gate_verdict(const struct ring_entry *e, uint32_t lane, uint32_t *ret_mark);
/* ---- gate/messages.c ---------------------------------------------------------------------------------------------- */

/* What the loop waits for. */
enum { WATCH_CONTROL, WATCH_WAKE, WATCH_PIDFD, WATCH_ALARM };
int gate_watch_fd(const struct gate *g, int fd, uint32_t what, uint32_t events);
/* Reads the control channel until it is empty. False: the channel is closed or broken, the gate must end. */
bool gate_messages(struct gate *g);

/* ---- gate/watch.c ------------------------------------------------------------------------------------------------- */

/* A worker with this ring and these descriptors (wake, pidfd, stat; all taken over) begins. Decides what is outstanding and opens the ring. */
void gate_begin(struct gate *g, struct ring *ring, const int fds[3], uint32_t worker, uint32_t pid, struct mono now);
/* The worker is no more: its ring is given up and everything that waits is decided. */
void gate_worker_dead(struct gate *g, struct mono now);
/* The same for one that lied; the supervisor is told to kill it. */
void gate_worker_lied(struct gate *g, struct mono now);
/* Refreshes `seen` of every lane; returns how many packets of ours wait, -1 when it cannot be known. */
int64_t gate_look(struct gate *g);
/* To be called when due: heartbeat, hung worker, failure decisions, reports. */
void gate_tick(struct gate *g, struct mono now);
/* Nanoseconds from `now` until the next tick is due. */
uint64_t gate_due(const struct gate *g, struct mono now);

#endif
