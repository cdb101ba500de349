/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring between a worker and its gate: a shared memfd, one writer, one reader, one ring per
 * worker lifetime.
 *
 * The worker is not trusted: the gate copies an entry once and checks it before use. Entries are 64
 * bytes. If an entry gives the gate something to do, the worker wakes the gate through an eventfd
 * before the worker itself waits. It also does so after many entries, and when the ring is full.
 * Otherwise, entries that only inform the gate are read when the gate's timer wakes it. The
 * heartbeat moves with every turn of the worker's loop. Counters are free-running u32; index =
 * counter % RING_ENTRIES.
 */
#ifndef SEKISHO_WIRE_RING_H
#define SEKISHO_WIRE_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/mark.h"

#define RING_ENTRIES 4096u

enum outcome {
	OUTCOME_DROP = 1,
	OUTCOME_ACCEPT = 2,    /* judged good */
	OUTCOME_CONFIRMED = 3, /* accepted, and the promised protocol is known */
	/* judged good, and acknowledgements without data of this session need not come to the
	 * worker until it says otherwise */
	OUTCOME_QUIET = 4,
};

enum ring_kind { RING_VERDICT = 1, RING_RESET = 2 };

/* One end of a session to be reset: the segment that this end will accept. */
struct reset_side {
	uint32_t seq; /* exactly what this end expects next */
	uint32_t ack; /* used when `with_ack` */
	uint8_t with_ack;
	uint8_t valid; /* 0: no numbers are known that this end would accept */
	uint8_t pad[2];
};

struct ring_entry {
	uint8_t kind;	 /* enum ring_kind */
	uint8_t outcome; /* RING_VERDICT: enum outcome */
	/* NFQUEUE number; RING_RESET: a queue of the lane that the reset belongs to */
	uint16_t queue;
	uint32_t id;	 /* RING_VERDICT: packet id */
	uint32_t permit; /* RING_VERDICT: permit judged */
	uint8_t family;	 /* RING_RESET: 4 or 6 */
	uint8_t stray;	 /* RING_RESET: 1 when tracking knew no session for the segment */
	/* RING_VERDICT: 1 when the worker itself has sent the verdict to the kernel */
	uint8_t said;
	uint8_t pad[1];
	union {
		struct {
			uint8_t client[16];
			uint8_t server[16];
		} a;
	} u;
	uint16_t client_port; /* host order */
	uint16_t server_port;
	uint8_t tail[12]; /* rounds the entry up to 64 bytes */
};

/* A reset takes two entries: the first with addresses, the second (RING_RESET_SIDES) with
 * both sides. */
#define RING_RESET_SIDES 3

struct ring_sides {
	uint8_t kind; /* RING_RESET_SIDES */
	uint8_t pad[3];
	struct reset_side to_client;
	struct reset_side to_server;
	uint8_t tail[36];
};

_Static_assert(sizeof(struct ring_entry) == 64, "ring entry");
_Static_assert(sizeof(struct ring_sides) == 64, "ring sides");

struct ring {
	_Alignas(64) _Atomic uint32_t head; /* written by the worker */
	_Alignas(64) _Atomic uint32_t tail; /* written by the gate */
	/* 1 while the gate sleeps and wants the eventfd written */
	_Atomic uint32_t waiting;
	/* 1 while the gate reads this ring and `decided` is filled in. Otherwise the worker may
	 * neither take packets nor send verdicts: it has not begun, or the gate has given it up */
	_Atomic uint32_t open;
	_Alignas(64) _Atomic uint32_t heartbeat; /* moves with every turn of the worker's loop */
	/* 1 while the worker is blocked waiting for packets */
	_Atomic uint32_t sleeping;
	/* For each queue, by lane and slot: the gate decided packets up to this id before the
	 * worker started (valid when decided_set). */
	_Alignas(64) _Atomic uint32_t decided[LANE_COUNT][LANE_SLOTS];
	_Atomic uint8_t decided_set[LANE_COUNT][LANE_SLOTS];
	_Alignas(64) uint8_t entries[RING_ENTRIES][64];
};

/* Supervisor: creates a memfd with one empty ring. It can neither shrink nor grow, because
 * otherwise the worker could crash the gate with a bus error. Owned by the caller; negative errno
 * on failure. */
int ring_create(struct err *e);
/* Both ends: NULL unless `fd` is such a memfd. `fd` stays the caller's; the mapping ends
 * with ring_unmap. */
struct ring *ring_map(int fd, struct err *e);
void ring_unmap(struct ring *r); /* accepts NULL */

/* Worker: false when full (the worker then waits for the gate; it never overwrites). */
bool ring_push(struct ring *r, const void *entry64);
/* Worker: room for n entries. */
bool ring_room(struct ring *r, uint32_t n);

enum ring_got { RING_EMPTY, RING_GOT, RING_LIE };

/*
 * Gate: copies the next entry out. *tail is the gate's own cursor (starts at 0), because the one in
 * the ring is in memory that the worker can write. RING_LIE: the worker's counter is impossible;
 * the ring cannot be used any more.
 */
enum ring_got ring_pop(struct ring *r, uint32_t *tail, void *entry64);
/* Gate: tells the worker how far it has read. */
void ring_consumed(struct ring *r, uint32_t tail);
/* Gate: true when there is something to read at `tail`. */
bool ring_pending(struct ring *r, uint32_t tail);

/*
 * Memory that two processes share: a memfd whose size is sealed, because a mapping that loses its
 * pages crashes its reader with a bus error. Used by ring and pulse.
 */

/* A memfd of zeros, owned by the caller; negative errno on failure. */
int shared_create(const char *name, size_t size, struct err *e);
/* NULL unless `fd` is such a memfd of this size. `fd` stays the caller's; the mapping ends
 * with munmap. */
void *shared_map(const char *name, int fd, size_t size, struct err *e);

/*
 * A pulse: a number in shared memory that a process increments with every turn of its loop, so that
 * another process can see that it runs. The gate writes it, the supervisor reads it. A second
 * number counts the packets that successive gates of this pair have decided in their worker's
 * place. Both processes map a sealed memfd with nothing else in it.
 */

struct pulse {
	_Alignas(64) _Atomic uint32_t turns;
	_Alignas(64) _Atomic uint64_t decided[LANE_COUNT];
};

/* A memfd for a pulse, which can neither shrink nor grow. Owned by the caller; negative errno
 * on failure. */
int pulse_create(struct err *e);
/* NULL unless `fd` is such a memfd. `fd` stays the caller's; the mapping stays for the life of
 * the process. */
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
