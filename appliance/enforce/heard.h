/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conduits that the policy expects to carry something (`heard_within`): which of them are silent,
 * and since when. It reads the kernel's sessions and their counters every few seconds; no packet
 * waits for it. Only time that was watched counts, by the monotonic clock: neither setting the
 * clock nor a gap in watching makes a conduit silent. Enforce role only; allocates outside of any
 * packet's path. heard.c is pure but for its memory; listen.c reads the sessions.
 */
#ifndef SEKISHO_ENFORCE_HEARD_H
#define SEKISHO_ENFORCE_HEARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/clock.h"
#include "appliance/kernel/conntrack.h"
#include "appliance/wire/event.h"

/* a session that says nothing more is in the kernel's table for ten seconds at least */
#define HEARD_POLL_NS 5000000000ull
#define HEARD_GAP_NS 10000000000ull /* between two looks no more than this counts as silence */
/* so many looks in a row that came to no end are an alarm of their own */
#define HEARD_MISSED 6u
#define HEARD_SESSIONS (1u << 20) /* that are followed; a look at more is none */

/* One conduit of the generation in force. */
struct heard_conduit {
	uint32_t conduit;  /* index in its list */
	uint64_t quiet_ns; /* looked at without anything heard */
	struct mono since; /* when it was heard last, or the watch began */
	uint64_t since_wall_ns;
	bool heard;  /* since the watch began */
	bool silent; /* for so long that it was said */
	bool held;   /* it cannot be heard now: ended, waits for the clock, or without a link */
	bool based;  /* looked at before: what came since is told from what was there */
	bool fresh;  /* heard by the look that goes on */
};

/* What a session had carried at the last look. */
struct heard_session {
	uint64_t key;
	uint64_t packets;
	/* whose conduits it is heard by: index of the generation, UINT32_MAX = nobody's */
	uint32_t permit;
};

struct heard_sessions {
	struct heard_session *list; /* owned */
	size_t n, room;
};

struct generation_held;

/* Start from zero bytes. */
struct heard {
	const struct generation_held *g; /* borrowed: in force */
	struct heard_conduit *list;	 /* owned; in the order of conduits */
	size_t n;
	/* owned; of permit i: watched[first[i]] up to first[i + 1], places in `list` */
	uint32_t *first, *watched;
	struct heard_sessions before, now;
	struct mono looked; /* 0 = never */
	bool anew;	    /* `before` has permits of another generation */
	uint64_t moment_s;  /* of the look that goes on */
	unsigned missed;    /* looks in a row that came to no end */
};

/* What became of a conduit of `g`, by its index there; `seconds`: for how long it had
 * said nothing. */
typedef void heard_tell(void *ctx, const struct generation_held *g, uint32_t conduit, enum silence_event what,
			uint64_t seconds);

/*
 * `next` is in force now; what was before, if anything, still stands. A conduit of the same name
 * and span goes on as it is; of one that was silent and is no longer expected to be heard that is
 * told. False when memory is out: then nothing is watched.
 */
bool heard_adopt(struct heard *h, const struct generation_held *next, struct mono now, uint64_t wall_ns,
		 heard_tell *tell, void *ctx);
/* A look: begin (what ends by `moment_s` is not in force), note of every session, and end, when all
 * were noted. */
void heard_begin(struct heard *h, uint64_t moment_s);
void heard_restart(void *heard);
int heard_note(const struct session *s, void *heard); /* 0 or -ENOMEM */
/* `up`: by interface of the generation, whether it has a link. */
void heard_end(struct heard *h, const bool *up, struct mono now, uint64_t wall_ns, heard_tell *tell, void *ctx);
/* The clock was set: the moments that are shown are by the new one. */
void heard_clock(struct heard *h, struct mono now, uint64_t wall_ns);
/* Of a conduit; NULL when it may be silent. */
const struct heard_conduit *heard_of(const struct heard *h, uint32_t conduit);
void heard_free(struct heard *h);

#endif
