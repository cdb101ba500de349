/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate sends the resets that its worker asks for, and the verdicts that the worker may not send
 * itself. It decides packets when the worker cannot.
 *
 * Each worker has one gate. A gate never sees a packet: it reads ring entries of fixed size, each
 * copied once and checked before use, and sends verdicts with marks that it makes itself. It owns
 * the queue descriptors it was given, the mapping of the ring, and the watch over its worker.
 *
 * gate/role.c has the loop, gate/ring.c the ring entries, gate/messages.c the messages of the
 * supervisor, gate/watch.c start and death of workers and the failure decisions. Each file calls
 * only files that come later in this list.
 */
#ifndef SEKISHO_GATE_GATE_H
#define SEKISHO_GATE_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/clock.h"
#include "appliance/base/wake.h"
#include "appliance/gate/overdue.h"
#include "appliance/gate/stray.h"
#include "appliance/gate/verdict.h"
#include "appliance/role/outstanding.h"
#include "appliance/role/vigil.h"
#include "appliance/wire/event.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/pairs.h"
#include "appliance/wire/ring.h"
#include "appliance/wire/said.h"

#define GATE_TICK_NS 5000000u	    /* interval of checks while packets wait for a running worker */
#define GATE_TICK_REST_NS 10000000u /* interval of checks while no packets wait */
/* interval of reading the queues while the worker has a heartbeat */
#define GATE_LOOK_NS 20000000u
#define GATE_TICK_DOWN_NS 2000000u /* interval of failure decisions while there is no worker */
/* ns of its own time (role/vigil.h): a worker without a heartbeat for so long, while packets wait,
 * hangs */
#define GATE_HUNG_NS 50000000u
#define GATE_GAP_NS 20000000u /* time that one look counts at most */
/* shortest interval between reports of packets that the gate decided; when a worker takes over,
 * that is reported at once */
#define GATE_REPORT_NS 100000000u

/* Takes the lowest lane out of a bit set; false when the set is empty. `for (uint64_t rest = set;
 * gate_each(&rest, &n);)` */
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
	int fd; /* the socket for all slots of the lane that belong to this gate */
	uint32_t lane;
	uint8_t slots; /* bit n = slot n belongs to this gate */
	struct verdict_pack pack;
	struct gate_queue queues[LANE_SLOTS]; /* by slot */
	uint64_t unreported;		      /* packets decided but not yet reported in an event */
	uint64_t verdicts;		      /* verdicts of this gate's workers so far */
};

struct gate {
	int control, raw4, raw6, proc, sessions, epoll;
	struct wake tick;    /* wakes the loop for the next tick, so that epoll needs no time-out */
	struct pulse *pulse; /* shows the supervisor that this loop turns */
	struct event_port events;
	struct gate_lane lanes[LANE_COUNT]; /* by lane number */
	/* `used`: bit n = lane n exists; `dirty`: bit n = lane n has unsent verdicts */
	uint64_t used, dirty;
	/* unless this is GATE_RUNNING, the gate decides packets by the failure decisions of their
	 * lanes */
	enum gate_state state;
	uint32_t worker, pid;  /* of the last worker that was announced */
	int wake, pidfd, stat; /* -1 = none */
	struct ring *ring;     /* NULL = none */
	uint32_t tail;
	bool half; /* the first of the two entries of a reset was read, and is in `first` */
	struct ring_entry first;
	uint32_t heartbeat; /* as last seen */
	struct vigil vigil;
	int64_t waiting;      /* number of waiting packets, as last read */
	uint64_t unlooked_ns; /* since then */
	uint32_t unlooked_beats;
	struct mono last_tick, last_report;
	struct stray_budget strays;
	struct known_pair *pairs; /* NULL: there are no pairs */
	size_t n_pairs;
	/*
	 * What MSG_GATE_STATUS says of this gate. `decided`: packets that the gate decided because
	 * the worker was dead or hung; `overdue`: workers that beat but left packets without a
	 * verdict; `lies`: workers given up because of an invalid ring entry; `refused`: entries
	 * that asked for something not allowed, whose packets were dropped; `unsent`: verdicts that
	 * the kernel refused; `resets_unsent`: resets for which no acceptable sequence number was
	 * known, or which the kernel refused; `resets_refused`: resets for strays that had no
	 * dropped packet to pay for them, or were not between pairs of the policy.
	 */
	struct msg_gate_status counts;
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

/* The state of that queue in its lane. */
static inline struct gate_queue *gate_queue_of(struct gate_lane *l, uint16_t queue)
{
	return &l->queues[queue_slot(queue)];
}

/* ---- gate/ring.c ----------------------------------------------------------------------------- */

enum drain_result {
	DRAIN_EMPTY, /* the ring is empty */
	DRAIN_MORE,  /* `most` entries were read; there may be more */
	DRAIN_LIE,   /* an entry was invalid, so the worker is not trusted any more */
};

/* Handles at most `most` entries, and sends their verdicts. */
enum drain_result gate_drain(struct gate *g, unsigned most);
/* The result of checking one verdict entry. */
enum entry_action { ENTRY_LIE, ENTRY_DROP, ENTRY_REFUSED, ENTRY_ACCEPT };
enum entry_action gate_verdict(const struct ring_entry *e, uint32_t lane, uint32_t *ret_mark);
/* ---- gate/messages.c ------------------------------------------------------------------------- */

/* The descriptors for which the loop waits. */
enum { WATCH_CONTROL, WATCH_WAKE, WATCH_PIDFD, WATCH_TICK };
int gate_watch_fd(const struct gate *g, int fd, uint32_t what, uint32_t events);
/* Reads the control channel until it is empty. False: the channel is closed or broken, the gate
 * must end. */
bool gate_messages(struct gate *g);

/* ---- gate/watch.c ---------------------------------------------------------------------------- */

/* To be called when a worker begins. Takes over its ring and descriptors (wake, pidfd, stat),
 * decides the packets that wait already, and opens the ring. */
void gate_begin(struct gate *g, struct ring *ring, const int fds[3], uint32_t worker, uint32_t pid, struct mono now);
/* To be called when the worker has died: gives up its ring, and decides all waiting packets. */
void gate_worker_dead(struct gate *g, struct mono now);
/* As gate_worker_dead, for a worker that wrote an invalid entry; tells the supervisor to kill
 * it. */
void gate_worker_lied(struct gate *g, struct mono now);
/* Reads the queues into `seen` of every lane. Returns how many packets of this gate wait, -1 when
 * that is not known. */
int64_t gate_look(struct gate *g);
/* To be called when gate_due says so: looks at the worker's heartbeat, gives up a hung worker,
 * makes failure decisions, and reports. */
void gate_tick(struct gate *g, struct mono now);
/* Nanoseconds from `now` until the next tick is due. */
uint64_t gate_due(const struct gate *g, struct mono now);

#endif
