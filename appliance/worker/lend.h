/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lends sessions to the kernel: when the last request of a session was answered, the session goes
 * on without the worker as long as its requests repeat (wire/once.h). At each moment either this
 * worker or the kernel has the session; only the session's lease says which. When the worker takes
 * a session back, the templates of its requests are kept, so a session that repeats a few requests
 * in turn is lent again with all of them.
 *
 * The kernel lets the handshake of a session pass by itself. Before the inspector gets any other
 * packet of the session, it is told of the handshake ("catches up").
 */
#ifndef SEKISHO_WORKER_LEND_H
#define SEKISHO_WORKER_LEND_H

#include "appliance/wire/once.h"
#include "appliance/worker/template.h"
#include "dpi/inspect/inspect.h"

/* What the worker knows of one place for a lease (an index in `leases`), beside what the kernel
 * reads. */
struct lent {
	bool given;	/* the kernel has the session */
	bool noted;	/* the lease is a note for the next worker process, or was one */
	uint8_t n_uses; /* templates of the session to which the lease belongs */
	uint8_t oldest; /* the template that is replaced next */
	uint16_t at;	/* its index in `given` */
	uint32_t life;	/* `life` of that session (struct offer) */
	uint16_t uses[ONCE_USES];
};

/* Where the requests of one place are counted, by template; a part of struct kept_counts. */
struct lent_counts {
	struct count_again of[ONCE_USES];
};

struct lends {
	/* shared with the kernel. `leases` NULL: the kernel gets no sessions; `handshakes` NULL: it
	 * gets no handshakes */
	struct once_lease *leases;
	struct once_handshakes *handshakes;
	struct templates templates;
	struct lent_counts *again; /* for each place; borrowed, and outlives this process */
	struct offer offer;
	struct lent of[ONCE_LEASES];
	uint16_t given[ONCE_LEASES]; /* places of sessions that the kernel has */
	uint32_t n_given;
	uint32_t hand;	   /* the place where the search for a template to free begins */
	uint64_t look_ns;  /* monotonic: when to look at all leases again */
	uint64_t requests; /* requests that passed without the worker */
	/* how often a session could not be lent because all room was in use */
	uint64_t without_room;
};

/* Maps the shared memory of these descriptors, and takes them over. `memory` is borrowed. False: it
 * cannot be mapped. */
bool lends_open(struct lends *l, struct kept_counts *memory, int leases, int templates);
bool lends_follow(struct lends *l, int handshakes);
/* To be called when the worker begins to serve: takes back the sessions that a former worker lent,
 * and the inspector goes on with them. */
void lends_begin(struct lends *l, struct inspector *i);
/* To be called before the inspector gets packet `p`: takes the packet's session back, and lets the
 * inspector catch up with its handshake. */
void lends_before(struct lends *l, struct inspector *i, const struct packet *p);
/* To be called after the inspector got a packet: lends its session if the inspector offers it, or
 * leaves a note by which the next worker process can go on with it. */
void lends_after(struct lends *l, struct inspector *i);
/* To be called once a second: counts what passed, keeps the sessions alive, and catches up with
 * handshakes. Returns ns until it is due again; UINT64_MAX: there is no shared memory. */
uint64_t lends_look(struct lends *l, struct inspector *i, uint64_t now_ns);
/* To be called before somebody asks what the inspector knows of sessions. */
void lends_catch_up(const struct lends *l, struct inspector *i);
/* To be called before the inspector foretells what becomes of this session: takes it back, because
 * the inspector does not know a request that passed in the kernel and has no answer yet. */
void lends_take_one_back(struct lends *l, struct inspector *i, const struct session_ends *ends);
/* To be called before tables change or sessions are cut: takes back handshakes, too. */
void lends_take_all_back(struct lends *l, struct inspector *i);
/* Counts what passed since the last look. */
void lends_count(struct lends *l, struct inspector *i);
/* To be called when the worker ends: counts what passed. The last request of a session is counted
 * only if the next worker process cannot count it. The kernel keeps the sessions. */
void lends_leave(struct lends *l, struct inspector *i);

#endif
