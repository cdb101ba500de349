/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the worker lends to the kernel: a session whose last request was answered goes on without it
 * as long as requests repeat (wire/once.h). At each moment either this worker or the kernel has the
 * session; only the session's lease says which. The templates of a session stay when it comes back,
 * so a session that repeats a few requests in turn is lent again with all of them.
 *
 * The kernel lets the handshake of a session pass by itself. The inspector catches up with it
 * before it gets any other packet of the session.
 */
#ifndef SEKISHO_WORKER_LEND_H
#define SEKISHO_WORKER_LEND_H

#include "appliance/wire/once.h"
#include "dpi/inspect/inspect.h"

/* What the worker knows of a place for leases, beside what the kernel reads. */
struct lent {
	bool given;	/* the kernel has the session */
	bool noted;	/* the lease is a note for a successor, or was one */
	uint8_t n_uses; /* templates of the session to which the lease belongs */
	uint8_t oldest; /* the template that is replaced next */
	uint32_t life;	/* `life` of that session (struct offer) */
	uint16_t uses[ONCE_USES];
	struct count_again again[ONCE_USES];
};

struct lends {
	/* shared with the kernel; NULL: the kernel gets no sessions, or no handshakes */
	struct once_lease *leases;
	struct once_template *templates;
	struct once_handshakes *handshakes;
	struct offer offer;
	struct lent of[ONCE_LEASES];
	uint16_t given[ONCE_LEASES]; /* places whose session the kernel has */
	uint32_t n_given;
	uint16_t free[ONCE_TEMPLATES];
	/* `hand`: the place from which templates are taken next, if none is free */
	uint32_t n_free, hand;
	uint64_t look_ns;  /* monotonic: when to look at all leases again */
	uint64_t requests; /* requests that passed without the worker */
};

/* Maps the shared memory of these descriptors, and takes them over. False: it cannot be mapped. */
bool lends_open(struct lends *l, int leases, int templates);
bool lends_follow(struct lends *l, int handshakes);
/* To be called when the worker begins to serve: the kernel gives back what a former worker lent,
 * and the inspector goes on with these sessions. */
void lends_begin(struct lends *l, struct inspector *i);
/* To be called before the inspector gets this packet: takes the packet's session back, and lets the
 * inspector catch up with its handshake. */
void lends_before(struct lends *l, struct inspector *i, const struct packet *p);
/* To be called after the inspector got it: lends the session if the inspector offers it, or leaves
 * a note for a successor. */
void lends_after(struct lends *l, struct inspector *i);
/* Once a second: counts what passed, keeps the sessions alive, and catches up with handshakes.
 * Returns ns until it is due again, UINT64_MAX: there is no memory to look at. */
uint64_t lends_look(struct lends *l, struct inspector *i, uint64_t now_ns);
/* To be called before somebody asks what the inspector knows of sessions. */
void lends_catch_up(const struct lends *l, struct inspector *i);
/* To be called before tables change or sessions are cut: takes back handshakes, too. */
void lends_take_all_back(struct lends *l, struct inspector *i);
/* Counts what passed since the last look. */
void lends_count(struct lends *l, struct inspector *i);
/* To be called when the worker ends: counts what passed, but the last requests only where no
 * successor can. The kernel keeps the sessions. */
void lends_leave(struct lends *l, struct inspector *i);

#endif
