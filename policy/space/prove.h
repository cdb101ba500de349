/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a model means: which conduits allow a packet, and which statements (`never`) do not hold.
 * Pure; all memory in the caller's arena.
 */
#ifndef SEKISHO_POLICY_SPACE_PROVE_H
#define SEKISHO_POLICY_SPACE_PROVE_H

#include "appliance/base/arena.h"
#include "appliance/base/messages.h"
#include "policy/check/model.h"
#include "policy/ir/evaluate.h"

/* What lets a forbidden packet pass although the rows refuse it: that nobody judges it. */
enum unattended {
	ATTENDED,	 /* none of these: the statement does not hold */
	UNATTENDED_OPEN, /* the inspector is down or overloaded, and the conduit is `open` */
	UNATTENDED_HOLD, /* the same, in live sessions */
	/* the session was met half-way and is picked up: what began before was seen by nobody */
	UNATTENDED_PICK_UP,
};

/* One broken `never`: the chain of conduits, hop by hop. */
struct counterexample {
	const struct model_never *never;
	const struct model_conduit **hops;
	size_t n_hops;
	const struct model_service *service; /* that carries the command on the last hop */
	struct addr source, destination;     /* a concrete packet of the last hop */
	uint8_t l4proto;
	uint16_t port;
	int64_t function; /* a forbidden function code, or -1: anything goes there */
	/* the rows do not allow it, but the last hop's conduit only observes */
	bool observed;
	enum unattended unattended; /* not ATTENDED: the statement holds but for this */
};

/* Without memory what is returned means nothing, and the arena has failed. */
/* For each statement, in their order: one counterexample when it does not hold; else one for each
 * way in which it holds only as long as somebody inspects. In the arena. */
size_t prove_nevers(const struct model *m, struct arena *a, struct counterexample **ret);
/* The breaks without which a statement that holds would not: an array of pointers in the arena, and
 * how many. */
size_t prove_rests_on(const struct model *m, const struct model_never *never, struct arena *a,
		      const struct model_chain_break ***ret);
/* The same of the services of its answer_only, with all breaks in force. */
size_t prove_rests_on_answers(const struct model *m, const struct model_never *never, struct arena *a,
			      const struct model_service ***ret);
/* It holds whatever the conduits say: none can lead there, or start there. */
bool prove_is_vacuous(const struct model_never *never);

/* "crane", "crane (rtg01.plc)", "crane (rtg01.plc +47)": an end of a statement, as it is told. */
void never_end_text(const struct model_zone *zone, const struct model_hosts *h, char *out, size_t size);
#define NEVER_END_TEXT 160u

/* When a conduit holds: "fri 09:00-17:00 JST, 2026-12-04 - 2027-03-26 08:00 UTC, door nagoya";
 * "": always. */
void conduit_when_text(const struct model *m, const struct model_conduit *c, char *out, size_t size);
#define WHEN_TEXT 160u

/* "10.10.0.5 -> 10.30.1.10 tcp/502, modbus write_single_register (6)" */
void counterexample_text(const struct counterexample *x, enum lang l, char *out, size_t size);
#define COUNTEREXAMPLE_TEXT 256u

#endif
