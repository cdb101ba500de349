/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker reads packets from its lanes, has the inspector judge them, and sends verdicts to the
 * kernel by forms.
 *
 * It runs in the role dpi. Because hostile bytes may compromise it, it is isolated: it has no files
 * and no network, and can send only forms to the kernel (worker/form.h), which allow no more than
 * its gate would do for it. It owns the inspector, the ring mapping, its queue descriptors and the
 * event port. It never holds a packet longer than the inspector's 10 ms.
 *
 * The role is role_dpi of appliance/role/roles.h. worker/role.c has its loop, worker/verdicts.c
 * sends its verdicts and writes the ring, worker/messages.c handles its control channel.
 */
#ifndef SEKISHO_WORKER_WORKER_H
#define SEKISHO_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/wake.h"
#include "appliance/wire/event.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/ring.h"
#include "appliance/worker/form.h"
#include "appliance/worker/lend.h"
#include "appliance/worker/queue.h"
#include "dpi/inspect/inspect.h"

/* Sizes of a worker's memory, which is all allocated before the sandbox closes. A worker that names
 * sessions also has nDPI's memory. */
#define WORKER_FLOWS 16384u
#define WORKER_POOL_BYTES (8u * 1024u * 1024u)
#define WORKER_TABLE_BYTES (2u * COMMANDS_TABLE_MAX)

#define WORKER_BATCH 64u /* packets per receive */

/* Verdicts on their way to the kernel. Starts zeroed. */
/* The largest number of packets that one verdict decides. Packets with different verdicts need
 * several sends. */
#define VERDICTS_MOST 64u

struct verdicts {
	/* this worker has forms; otherwise the gate sends all verdicts */
	bool forms;
	uint32_t open[LANE_COUNT][LANE_SLOTS]; /* packets taken and not decided yet */
	/* Verdicts that verdicts_flush will send. They are for n packets of one queue, in the order
	 * of their ids, which all go on; or for one packet that does not go on. */
	uint32_t n;
	struct form_entry entries[VERDICTS_MOST];
	struct form_entry all; /* one verdict for all of them */
	bool same;	       /* `all` can be used, because permit and outcome fit all of them */
	uint16_t queue;
	int fd;
};

/* steps of time: four for each doubling, from 1 us on; the last step has all times beyond 25 s */
#define LATENCY_STEPS 100u
#define LATENCY_WINDOW_NS 60000000000ull

struct latency {
	struct latency_share {
		uint64_t packets, sum_ns, steps[LATENCY_STEPS]; /* since the worker began */
		struct latency_window {
			uint64_t max_ns;
			uint64_t steps[LATENCY_STEPS];
		} windows[2]; /* by minute % 2: the present minute and the one before */
	} shares[LANE_SHARES];
	uint64_t minute; /* the present minute; its window is windows[minute % 2] */
	/* number of packets that latency_told has reported, and when it may report again */
	uint64_t told, told_at;
};

struct worker_port {
	int fd; /* one socket for all slots of the lane that belong to this worker */
	uint32_t lane;
	/* a lane with commands: its packets wait for at most one batch of the cut lane */
	bool commands;
	/* order of service among lanes with commands, and among the others: 0 (safety) first, the
	 * cut lane last */
	unsigned class;
	uint32_t share; /* LANE_SHARES for the cut lane */
	/* lanes without commands: number of packets that it may still get served in this round */
	unsigned credit;
	bool ready;		      /* packets may be waiting */
	bool hot;		      /* the port had packets in the last turn */
	bool skipping[LANE_SLOTS];    /* ids up to skip_to were decided before this worker began */
	uint32_t skip_to[LANE_SLOTS]; /* by slot, because each queue has its own ids */
};

struct worker {
	/* wakes the loop for the inspector's timers, so that poll needs no time-out */
	struct wake tick;
	enum lane_kind kind;
	struct inspector *inspector;
	struct queue_reader *reader;
	struct event_port events;
	struct ring *ring; /* NULL until MSG_DPI_START */
	int wake;
	uint32_t unannounced; /* entries since the last wake-up on which the gate has to act */
	uint32_t told;	      /* entries since then that only inform it */
	unsigned turns;	      /* turns since poll last looked at other lanes and at messages */
	unsigned taken;	      /* packets served since then */
	bool table, serving, ended;
	bool trying; /* `tried` holds the table of the last MSG_IMPACT */
	struct command_table tried;
	uint8_t digest[32];
	struct verdicts verdicts;
	struct lends lends;
	struct kept_counts *kept; /* outlives this process */
	struct latency latency;
	int sockets[LANE_COUNT];	      /* the sockets of `ports`, by lane */
	struct worker_port ports[LANE_COUNT]; /* in order of service */
	unsigned n_ports;
	uint64_t errors, others, skipped, ring_full;
};

/* How many packets one turn takes from a lane with commands, or one round from a lane without. So a
 * flood in one lane never starves another lane of its kind. */
static inline unsigned worker_budget(unsigned class)
{
	static const unsigned budgets[] = { 256, 128, 64, 32 };

	return budgets[class < 4u ? class : 3u];
}

/* ---- worker/verdicts.c ----------------------------------------------------------------------- */

/* Notes that a packet was read from this queue and will be decided. */
void verdicts_taken(struct verdicts *v, uint16_t queue);
/* To be called when the lane has got another socket: forgets packets that were read from the old
 * one. */
void verdicts_forget(struct verdicts *v, uint32_t lane);
/* Decides a packet of this queue; `fd` is its lane's socket. */
void verdicts_decide(struct worker *w, int fd, uint16_t queue, uint32_t id, enum outcome o, uint32_t permit);
/* Sends the verdicts that are not sent yet. */
void verdicts_flush(struct worker *w);

/* Puts two entries that belong together into the ring, and waits for room if it is full. The gate
 * has to act on them. */
void worker_push_two(struct worker *w, const void *entry64, const void *behind64);
/* Wakes the gate if there are entries that it has to act on. */
void worker_wake_gate(struct worker *w);
void worker_beat(struct worker *w);

/* ---- worker/messages.c ----------------------------------------------------------------------- */

/* Reads the control channel until it is empty. False: it is closed or broken, the worker
 * must end. */
bool worker_messages(struct worker *w);

/* ---- worker/latency.c ------------------------------------------------------------------------ */

/* The times of the last one to two minutes. Each is the upper end of a step, so it is at most a
 * quarter too large; 0 = there were no packets. */
struct latency_recent {
	uint64_t p50_ns, p99_ns, max_ns;
};

/* Notes that `n` packets of a lane with that share took `ns` each. `now`: monotonic ns. */
void latency_note(struct latency *l, uint32_t share, uint32_t n, uint64_t ns, uint64_t now);
struct latency_recent latency_recent(struct latency *l, uint32_t share, uint64_t now);
/* To be called often. Once a minute it returns how many packets there were, in all shares, since it
 * last returned a number; otherwise 0. *ret_p99_ns: the largest 99th percentile of any share. */
uint64_t latency_told(struct latency *l, uint64_t now, uint64_t *ret_p99_ns);
/* Nanoseconds until latency_told may return a number; UINT64_MAX = there are no new packets. */
uint64_t latency_due(const struct latency *l, uint64_t now);
/* How many packets took at most `us` microseconds, a power of two. */
uint64_t latency_within(const struct latency *l, uint32_t share, uint32_t us);

#endif
