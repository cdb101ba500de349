/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which permits carry traffic; and of the conduits from which the policy expects some
 * (`heard_within`), which are silent, and since when. The kernel's sessions and their counters are
 * read every few seconds; no packet waits for this. Only watched time counts, by the monotonic
 * clock, so neither a change of the clock nor a gap in watching makes a conduit silent. Enforce
 * role only; allocates, outside of the packet path. heard.c is pure but for its memory; session.c
 * reads the sessions.
 */
#ifndef SEKISHO_ENFORCE_HEARD_H
#define SEKISHO_ENFORCE_HEARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/clock.h"
#include "appliance/enforce/machines.h"
#include "appliance/kernel/conntrack.h"
#include "appliance/wire/event_codes.h"

/* Time between two looks. The kernel lists an ended session for at least ten seconds, so none is
 * missed. */
#define HEARD_POLL_NS 5000000000ull
/* the same when the policy expects traffic from nobody */
#define HEARD_IDLE_NS 30000000000ull
#define HEARD_GAP_NS 10000000000ull /* watched time that one look adds at most */
/* this many failed looks in a row cause an alarm about watching itself */
#define HEARD_MISSED 6u
/* largest number of sessions; a look that finds more counts as failed */
#define HEARD_SESSIONS (1u << 20)

/* One conduit of the generation in force. */
struct heard_conduit {
	uint32_t conduit;  /* index in the generation's list of conduits */
	uint64_t quiet_ns; /* watched time without traffic */
	struct mono since; /* when traffic was last seen, or the watch began */
	uint64_t since_wall_ns;
	bool heard;  /* traffic was seen since the watch began */
	bool silent; /* it was silent for heard_within, which was reported */
	/* it can have no traffic now: its permits have ended or wait for the clock, or it has no
	 * link */
	bool held;
	bool based; /* its counters were read before, so an increase shows traffic */
	bool fresh; /* the present look has seen traffic */
};

/* The packet counts of a session at the last look. */
struct heard_session {
	uint64_t key;
	uint64_t packets;
	uint64_t sent, answered; /* by the client, by the server */
	/* index of the permit whose conduits its packets prove to be alive; UINT32_MAX = none */
	uint32_t permit;
};

struct heard_sessions {
	struct heard_session *list; /* owned */
	size_t n, room;
};

struct generation_held;

/* Start from zero bytes. */
struct heard {
	const struct generation_held *g; /* borrowed: the generation in force */
	struct heard_conduit *list;	 /* owned; in the order of conduits */
	size_t n;
	/* owned; the conduits of permit i are watched[first[i]] up to first[i + 1] - 1, as indexes
	 * in `list` */
	uint32_t *first, *watched;
	/* owned; for each permit, the packets of sessions that the look before knew: of the present
	 * look, and of all looks since the journal was last told (used.c) */
	uint64_t *carried, *untold;
	struct heard_sessions before, now;
	/* owned; for each permit, what its packets prove to be heard; and what was heard since this
	 * generation came into force (policy/ir/needs.h) */
	uint64_t *proves, proven;
	struct machines machines;
	struct mono looked; /* 0 = never */
	bool anew;	    /* `before` has permits of an earlier generation */
	uint64_t moment_s;  /* moment of the present look */
	unsigned missed;    /* number of failed looks in a row */
};

/* Reports a change of state of conduit number `conduit` of `g`; `seconds`: how long it was
 * silent. */
typedef void heard_tell(void *ctx, const struct generation_held *g, uint32_t conduit, enum silence_event what,
			uint64_t seconds);

/*
 * `next` is in force now; its predecessor, if any, is still in memory. A conduit with the same name
 * and heard_within keeps its state. If a silent conduit is no longer expected to carry traffic,
 * this is reported. False when memory is out: then nothing is watched.
 */
bool heard_adopt(struct heard *h, const struct generation_held *next, struct mono now, uint64_t wall_ns,
		 heard_tell *tell, void *ctx);
/* A look consists of heard_begin, heard_note for every session, and heard_end. `moment_s`: what has
 * an end up to this time is not in force. */
void heard_begin(struct heard *h, uint64_t moment_s);
void heard_restart(void *heard);
int heard_note(const struct session *s, void *heard); /* 0 or -ENOMEM */
/* `up`: for each interface of the generation, whether it has a link. */
void heard_end(struct heard *h, const bool *up, struct mono now, uint64_t wall_ns, heard_tell *tell, void *ctx);
/* To be called when the clock was set: times that are shown to people are moved accordingly. */
void heard_clock(struct heard *h, struct mono now, uint64_t wall_ns);
/* The state of a conduit; NULL if it has no heard_within. */
const struct heard_conduit *heard_of(const struct heard *h, uint32_t conduit);
void heard_free(struct heard *h);

#endif
