/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a model means: which conduits allow a packet, and which statements (`never`, `always`) do
 * not hold.
 * Pure; all memory in the caller's arena.
 */
#ifndef SEKISHO_POLICY_SPACE_PROVE_H
#define SEKISHO_POLICY_SPACE_PROVE_H

#include "appliance/base/arena.h"
#include "appliance/base/messages.h"
#include "policy/check/model.h"
#include "policy/check/model_claims.h"
#include "policy/check/port.h"
#include "policy/ir/ir.h"

/* A way by which a forbidden packet passes although the rows refuse it, because no inspector judges
 * it. */
enum unattended {
	/* not such a way: the rows allow the packet, so the statement does not hold */
	ATTENDED,
	UNATTENDED_OPEN, /* the inspector is down or overloaded, and the conduit is `open` */
	UNATTENDED_HOLD, /* the same, but only in live sessions of a conduit with `hold` */
	/* the session is picked up half-way, so nobody saw how it began */
	UNATTENDED_PICK_UP,
};

/* One broken `never`: the chain of conduits, hop by hop. */
struct counterexample {
	const struct model_never *never;
	const struct model_conduit **hops;
	size_t n_hops;
	/* the service that carries the command on the last hop */
	const struct model_service *service;
	struct addr source, destination; /* a concrete packet of the last hop */
	uint8_t l4proto;
	uint16_t port;
	int64_t function; /* a forbidden function code, or -1: any function passes */
	/* the rows refuse the packet, but the last hop's conduit only observes */
	bool observed;
	enum unattended unattended; /* not ATTENDED: the statement holds except by this way */
};

/* For each statement, in order: one counterexample if it does not hold; otherwise one for each way
 * by which it fails when nobody inspects. The array is in the arena. When memory is out the arena
 * has failed, and the results of all functions here mean nothing. */
size_t prove_nevers(const struct model *m, struct arena *a, struct counterexample **ret);
/* For a statement that holds: a set of chain_breaks that is enough for it, and of which none can be
 * left out. The set is empty if the statement holds without chain_breaks. Returns how many; the
 * array of pointers is in the arena. */
size_t prove_rests_on(const struct model *m, const struct model_never *never, struct arena *a,
		      const struct model_chain_break ***ret);
/* The same for the services of its answer_only, with all chain_breaks in force. */
size_t prove_rests_on_answers(const struct model *m, const struct model_never *never, struct arena *a,
			      const struct model_service ***ret);
/* Whether the statement holds for every set of conduits, because no conduit can lead to one of its
 * ends or start there. */
bool prove_is_vacuous(const struct model_never *never);

/*
 * Proofs of `always` (always.c): each host of one end has to reach each host of the other end by
 * each of the services, at every moment from now on. It is enough to check the time when all
 * conduits with an end are over and every door is shut: what is possible then is possible always.
 */

/* One `always` that does not hold: a packet that it asks for and that is, or will be, refused. */
struct lapse {
	const struct model_always *always;
	const struct model_service *service;
	struct addr source, destination; /* their families differ if the ends have none in common */
	uint8_t l4proto;
	uint16_t port;
	/* lets the packet pass until this conduit ends; NULL: no conduit does */
	const struct model_conduit *ends;
};

/* One for each statement that does not hold, in their order. Without memory, or where too much
 * overlaps, the arena has failed and nothing is proved. */
size_t prove_always(const struct model *m, struct arena *a, struct lapse **ret);

/* Whether the conduit allows some of what the statement asks for, at the times when it is open. */
bool always_carried(const struct model *m, const struct model_conduit *c, const struct model_always *w);
/* The addresses of the statement's ends: its hosts, or those of its zones. */
struct always_ends {
	struct addr_range *src, *dst;
	size_t n_src, n_dst;
};
struct always_ends always_ends(const struct model_always *w);

/* The text of a statement's end: "crane", "crane (rtg01.plc)", "crane (rtg01.plc +47)". */
void never_end_text(const struct model_zone *zone, const struct model_hosts *h, char *out, size_t size);
#define NEVER_END_TEXT 160u

/* The hours of a window: "fri 09:00-17:00 Asia/Tokyo"; and its days, if it has some:
 * ", first 2026-12-04, last 2027-03-26, except 2027-01-01 +3", where 3 more days than `most`
 * are excepted. */
void window_print(FILE *to, const struct window *w, const char *zone);
void window_dates_print(FILE *to, const struct window *w, uint32_t most);

/* When a conduit holds: "fri 09:00-17:00 JST, 2026-12-04 - 2027-03-26 08:00 UTC, door nagoya";
 * "": always. */
void conduit_when_text(const struct model *m, const struct model_conduit *c, char *out, size_t size);
#define WHEN_TEXT 160u

/* "10.10.0.5 -> 10.30.1.10 tcp/502, modbus write_single_register (6)" */
void counterexample_text(const struct counterexample *x, enum lang l, char *out, size_t size);
#define COUNTEREXAMPLE_TEXT 256u

/* "10.10.0.5 -> 10.30.1.10 tcp/502, plc_read" */
void lapse_text(const struct lapse *x, char *out, size_t size);
#define LAPSE_TEXT 224u

#endif
