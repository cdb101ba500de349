/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow table: a fixed number of flows, found by transport, addresses and ports in either direction.
 *
 * A flow's client is who opened it. Everything a flow owns elsewhere (kept bytes, name state, command state, waiting
 * packets) is named by it and given back by the inspector before flow_remove. Flows stand in one list per share (see
 * dpi/share.h) and class, oldest first: time-outs and eviction only look at the heads. A finished flow stays in the table,
 * without anything that it owned, so that the next connection on the same ports gets the next number; it is the first to
 * make room. A share that has its part of the slots makes room within itself.
 */
#ifndef SEKISHO_DPI_FLOW_H
#define SEKISHO_DPI_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/reason.h"
#include "dpi/decode.h"
#include "dpi/hello.h"
#include "dpi/protocol.h"
#include "dpi/share.h"
#include "dpi/stream.h"

#define FLOW_NONE UINT32_MAX
#define SLOT_NONE UINT32_MAX

enum flow_class {
	CLASS_ENDED,	 /* nothing more is expected */
	CLASS_HALF_OPEN, /* TCP before its handshake is complete */
	CLASS_SILENT,	 /* TCP whose handshake is complete, and neither end has said anything */
	CLASS_DATAGRAM,	 /* UDP, ICMP */
	CLASS_NAMED,	 /* its lane let go of it; it may come back with another permit */
	CLASS_LIVE,
	FLOW_CLASSES
};

enum flow_kind {
	KIND_FOLLOWED, /* its bytes are looked at: for its name, or by its enforcer when it has `commands` */
	KIND_NAMED,    /* `protocol` is what was promised */
	KIND_FREE,     /* nothing to be found out: transport only, or observed and found wrong */
	KIND_REFUSED,  /* as long as these rules hold, a session for good; whatever comes is dropped and reset again */
};

/* Bytes of a direction were missed, and where the next PDU starts is not known. */
enum adrift {
	ADRIFT_NOT,
	ADRIFT_AWAITS,	 /* until a segment of exactly whole PDUs */
	ADRIFT_SEARCHED, /* a capture: the next PDU is looked for in whatever comes */
};

struct command_state; /* dpi/inspect/state.h */

/* Its packets that wait: dpi/inspect/wait.c. */
struct flow_waits {
	uint32_t first; /* SLOT_NONE = none */
	uint32_t bytes;
	uint8_t n;
};

/* When its ends were last reset: dpi/inspect/reset.c. */
struct flow_reset {
	uint64_t ns;	 /* 0 = never */
	uint32_t seq[2]; /* the number that the sender of this direction was last given */
};

/* What it has said so far: dpi/inspect/name.c. */
struct flow_name {
	uint32_t slot;	    /* of the library's state, SLOT_NONE = none */
	uint8_t packets;    /* given to the library so far */
	uint32_t undecided; /* bytes that passed unrecognised */
	uint32_t passed;    /* all that passed without a name, those included */
	uint8_t prefix_len[2];
	uint8_t prefix[2][RECOGNISE_MAX];
	uint8_t spoken[2];   /* enum protocol whose header is read in a direction, which is not over with those bytes */
	struct head head[2]; /* as far as it was read */
};

/* What is known of the TLS that a session speaks. */
enum seen_tls { SEEN_TLS_NOT, SEEN_TLS_GOOD, SEEN_TLS_WEAK };

struct flow {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint8_t l4proto;
	uint8_t class;	      /* enum flow_class */
	uint8_t kind;	      /* enum flow_kind */
	bool waiting_pick_up; /* met half-way, or bytes are missing: nothing is judged until the pick-up */
	bool midstream;	      /* was met half-way at some time */
	bool no_claim;	      /* this worker lost its place: no later permit picks it up */
	bool let_by; /* its conduits observed, and its place is not sure: bytes passed unkept, or servers misread them */
	uint8_t turn;	       /* a capture: enum direction of the last bytes that were looked at */
	uint8_t adrift[2];     /* enum adrift, by direction */
	bool lacking;	       /* a capture: bytes of it are missing for good */
	bool missed;	       /* ... because a full queue let them by */
	bool one_path;	       /* its server wants Multipath TCP: its client may not offer it any more */
	bool told_end;	       /* outside_flow was told the end */
	bool greets;	       /* TLS, whose hellos are read before it is let go of: dpi/inspect/weak.c */
	bool named;	       /* ... its client's hello was read, with the name in it */
	bool undeclared;       /* ... which its permit's conduits do not declare, and that was told */
	uint32_t asked_at;     /* ... the client's number behind that hello */
	uint8_t seen_tls;      /* enum seen_tls: what its hellos said, for a permit that comes later */
	bool judge_again;      /* its permit or the table has changed since its last packet */
	bool stale;	       /* for a time no worker saw it, and nothing in the order of its numbers came since */
	uint32_t hash_next;    /* FLOW_NONE ends the chain */
	uint32_t older, newer; /* in the list of its share and class */
	uint32_t holder;       /* whose flow it is, see dpi/share.h */
	uint32_t before, next; /* the other flows of its holder, FLOW_NONE at the ends */
	uint8_t share;
	uint64_t seen_ns;
	uint32_t n; /* which connection on these ports, from 1; 0 = not in the table */
	uint32_t permit, lane;
	uint32_t table_turn;  /* the table under which it was last looked at */
	uint16_t queue;	      /* of its last packet */
	uint16_t protocol;    /* enum protocol, as known so far */
	uint16_t reason;      /* enum reason of the verdict */
	uint8_t verdict;      /* enum event_verdict */
	uint8_t blind;	      /* repetitions from before the pick-up that were dropped */
	uint8_t astray;	      /* segments in a row that acknowledge what was never seen, and were dropped */
	bool lost_place;      /* a capture: bytes of whole PDUs, or what may be some, are among the unread */
	uint64_t unread;      /* a capture: bytes in it that nobody could judge */
	uint8_t unjudged;     /* segments with data that passed while it waited for its pick-up */
	uint64_t unjudged_ns; /* since when */
	uint32_t refused_frame;
	struct command_state *commands; /* of its enforcer, owned; NULL = its commands are not judged */
	uint8_t gave_up[2];		/* how often a segment ahead of a gap was dropped, and its number */
	uint32_t gave_up_seq[2];
	struct flow_waits wait;
	struct flow_reset reset;
	struct flow_name name;
	struct hello hello; /* while it `greets`; its name for a list that comes later */
	struct stream stream;
};

struct flow_list {
	uint32_t oldest, newest;
	uint32_t n;
};

struct flow_table {
	struct flow *flows; /* owned */
	uint32_t *buckets;  /* owned; power of two */
	uint32_t mask;
	uint32_t size;	/* slots */
	uint32_t used;	/* in the table, ended ones included */
	uint32_t most;	/* most live flows ever */
	uint32_t free;	/* chain through hash_next */
	uint32_t fresh; /* slots from here on were never used */
	uint64_t seed[2];
	struct flow_list lists[SHARES][FLOW_CLASSES];
	uint32_t in_share[SHARES]; /* flows, ended ones included */
	uint32_t part[SHARES];	   /* slots of each share */
	struct share_table holders;
};

/* False when memory is out. Every share may have all slots until flow_divide. */
bool flow_init(struct flow_table *t, uint32_t slots);
void flow_done(struct flow_table *t);
/* The flow of a packet, or FLOW_NONE. *ret_dir says which way it goes. */
uint32_t flow_find(const struct flow_table *t, const struct decoded *d, enum direction *ret_dir);
/* The shares of which lanes are in use (bit n: share n); `whole`: everybody may have all slots. */
void flow_divide(struct flow_table *t, uint32_t used, bool whole);
/* Whether a share has its part, or there is no slot left at all: then somebody has to make room (see flow_victim). */
bool flow_full(const struct flow_table *t, uint32_t share);
/* A new flow, zeroed but for its tuple, in class ENDED; FLOW_NONE when there is no slot. */
uint32_t flow_add(struct flow_table *t, const struct decoded *d, enum direction dir, uint32_t share, uint64_t now_ns);
/* It belongs to another share from now on, whether there is room or not. */
void flow_move(struct flow_table *t, uint32_t f, uint32_t share);
/* Takes it out of the table; what it owned must have been given back. */
void flow_remove(struct flow_table *t, uint32_t f);
struct flow *flow_at(const struct flow_table *t, uint32_t f);
/* Its last packet was now; moves it to the young end of the class's list (lazily: once a second is enough). */
void flow_touch(struct flow_table *t, uint32_t f, enum flow_class class, uint64_t now_ns);
/*
 * Whom a full share forgets for a newcomer, in this order: what has ended; a flow of the holder that has more than an eighth
 * of the share; the oldest of the class that most flows are in, live ones apart and young handshakes spared; a live one of
 * a holder that has many; one that was idle for FLOW_EVICT_IDLE. FLOW_NONE: the newcomer is refused. A share that has not
 * its part yet takes it from the one that has most above its own.
 */
uint32_t flow_victim(struct flow_table *t, uint32_t share, uint64_t now_ns);
/* The flow of a holder for which `weight` is largest among the next few, FLOW_NONE when it has none. Those that were
 * compared come last next time. */
uint32_t flow_heaviest(struct flow_table *t, uint32_t holder, uint32_t (*weight)(const struct flow *f));
/* The oldest flow of any class whose time is over, or FLOW_NONE. Ended ones are never due. */
uint32_t flow_due(const struct flow_table *t, uint64_t now_ns);
/* When the next flow becomes due, or UINT64_MAX. */
uint64_t flow_next_due(const struct flow_table *t);
uint32_t flow_live(const struct flow_table *t); /* flows that have not ended */

#define SECOND_NS 1000000000ull
#define FLOW_EVICT_IDLE (600u * SECOND_NS)

#endif
