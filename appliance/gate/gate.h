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

#include "appliance/base/alarm.h"
#include "appliance/base/clock.h"
#include "appliance/role/outstanding.h"
#include "appliance/role/vigil.h"
#include "appliance/wire/event.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/msg.h"
#include "appliance/wire/pairs.h"
#include "appliance/wire/ring.h"

/*
 * Finds packets of a queue that a worker leaves without a verdict although its loop runs. Packet
 * ids increase by one, and a worker reads packets in order. So a worker that has decided a packet
 * has read all earlier ones; it may hold each of them for 10 ms. Pure. The gate has one struct
 * overdue for each queue, and zeroes it for every new worker.
 */

#define OVERDUE_NS 100000000u
/* A worker with fewer heartbeats than this had no core for part of the time. */
#define OVERDUE_BEATS 8u

/* The queues of one socket, which share one order of arrival. */
struct overdue_lane {
	uint64_t verdicts; /* all verdicts so far, on packets of all these queues */
	uint64_t waiting;  /* packets that wait in all these queues now */
};

struct overdue {
	/* `mark` is set, because packets waited at the last look */
	bool marked;
	uint32_t mark;	    /* the newest id when the mark was set */
	uint32_t lost;	    /* ids that had no packet by then */
	uint32_t behind;    /* verdicts since then on packets newer than the mark */
	uint32_t verdicts;  /* verdicts since the last look */
	uint64_t quiet_ns;  /* time without a verdict on this queue */
	uint64_t behind_ns; /* time since `behind` is not 0 */
	uint32_t quiet_beats, behind_beats;
	/* number of verdicts of the lane after which this queue's turn has come: by then all
	 * packets that waited before `quiet_ns` began could have been decided */
	uint64_t turn;
	uint64_t seen;	     /* verdicts of the lane at the last look */
	uint64_t stalled_ns; /* time without a verdict in the whole lane */
	uint32_t stalled_beats;
};

/* Notes that the worker has decided this packet. */
void overdue_verdict(struct overdue *o, uint32_t id);
/* Takes the present state of the queue and of the lane, and the time and the worker's heartbeats
 * since the last look. True: the worker has left packets without a verdict for OVERDUE_NS. Packets
 * that only wait behind many others of the lane do not count. */
bool overdue_look(struct overdue *o, const struct queue_state *q, const struct overdue_lane *lane, uint64_t passed_ns,
		  uint32_t beats);

/*
 * Limits the resets that a worker may ask for as answers to segments without a session (strays).
 * The kernel lets the gate's other resets pass only for tracked sessions. For strays it cannot
 * check this, so a compromised worker could send any reset to any host. Therefore each reset for a
 * stray needs a real packet that was dropped, is sent only between pairs that the policy knows
 * (wire/pairs.h), and is deducted from a budget. Pure; used by the gate.
 */

/* resets for one packet: the receiver may expect the sequence number of the packet's beginning or
 * of its end */
#define STRAY_EACH 2u
#define STRAY_UNUSED 64u  /* unused resets that may be saved for later */
#define STRAY_SECOND 500u /* resets a second; the same number may be sent at once */

struct stray_budget {
	/* for each queue of the cut lane, the newest id that was counted. Only higher ids are
	 * counted, so each packet counts once */
	uint32_t last_id[LANE_SLOTS];
	uint32_t credit, tokens;
	uint64_t filled_ns;
};

/* To be called when a worker begins. */
void stray_begin(struct stray_budget *s);
/* Packets of this slot up to `id` were not read by this worker. */
void stray_decided(struct stray_budget *s, uint32_t slot, uint32_t id);
/* The worker had packet `id` of the cut lane dropped; `newest` is the last one that the kernel put
 * into the queue. */
void stray_dropped(struct stray_budget *s, uint32_t slot, uint32_t id, uint32_t newest);
/* Whether a reset may be sent now (to one end or to both). If so, it is deducted from the
 * budget. */
bool stray_pay(struct stray_budget *s, uint64_t now_ns);

/*
 * Builds verdicts as netlink messages: several in one send, or one message that decides every
 * packet of a queue up to an id.
 *
 * Runs in the gate. Owns only the buffer inside a pack; descriptors are borrowed. It writes
 * messages and never reads one: if the kernel refuses a verdict, the worker reads that error,
 * because it reads the socket. Never sees a packet.
 */

#define VERDICT_ONE 40u /* bytes of the longest verdict message */
/* verdicts in one send; they fit in a page, because the kernel allocates larger sends
 * more slowly */
#define VERDICT_MAX 64u

/* Verdicts of one queue that wait to be sent. Starts zeroed. */
struct verdict_pack {
	uint32_t n;
	size_t len;
	_Alignas(8) uint8_t buf[VERDICT_MAX * VERDICT_ONE];
};

static inline bool verdict_full(const struct verdict_pack *p)
{
	return p->n == VERDICT_MAX;
}

/* Adds a verdict: the packet goes on with this mark. The pack must not be full. */
void verdict_accept(struct verdict_pack *p, uint16_t queue, uint32_t id, uint32_t mark);
void verdict_drop(struct verdict_pack *p, uint16_t queue, uint32_t id);
/* Sends the pack's verdicts on the queue's socket. Empties the pack even if that fails. 0 or
 * negative errno. */
int verdict_flush(struct verdict_pack *p, int fd);

/* Writes the message that decides all packets of `queue` up to `id`. Accepted packets keep their
 * marks. Returns its length, at most VERDICT_ONE. */
size_t verdict_upto_message(uint8_t out[VERDICT_ONE], uint16_t queue, uint32_t id, bool accept);
int verdict_upto(int fd, uint16_t queue, uint32_t id, bool accept);

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
	struct alarm alarm;  /* wakes the loop for the next tick, so that epoll needs no time-out */
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
enum { WATCH_CONTROL, WATCH_WAKE, WATCH_PIDFD, WATCH_ALARM };
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
