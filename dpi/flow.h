/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flow table: a fixed number of flows, found by transport, addresses and ports in either
 * direction.
 *
 * The client of a flow is the end that opened it. A flow has references to everything that it owns
 * elsewhere (kept bytes, name state, command state, waiting packets), and the inspector frees all
 * this before flow_remove. There is a list of flows for each share (dpi/share.h) and class, oldest
 * first, so that time-outs and eviction look only at its head. An ended flow stays in the table,
 * without anything that it owned, so that the next connection on the same ports gets the next
 * number; ended flows are the first to be removed for new ones. A share that has used up its part
 * of the slots removes one of its own flows for a new one.
 */
#ifndef SEKISHO_DPI_FLOW_H
#define SEKISHO_DPI_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/wire/reason.h"
#include "dpi/decode.h"
#include "dpi/hello.h"
#include "dpi/protocol.h"
#include "dpi/recognise.h"
#include "dpi/share.h"
#include "dpi/stream.h"

#define FLOW_NONE UINT32_MAX
#define SLOT_NONE UINT32_MAX

enum flow_class {
	CLASS_ENDED,	 /* nothing more is expected */
	CLASS_HALF_OPEN, /* TCP before its handshake is complete */
	CLASS_SILENT,	 /* TCP whose handshake is complete, and neither end has said anything */
	CLASS_DATAGRAM,	 /* UDP, ICMP */
	/* its protocol is confirmed and its packets do not come any more; they may come again under
	 * another permit */
	CLASS_NAMED,
	CLASS_LIVE,
	FLOW_CLASSES
};

enum flow_kind {
	/* its bytes are inspected: to name its protocol, or by an enforcer when `commands`
	 * is set */
	KIND_FOLLOWED,
	KIND_NAMED, /* its protocol is confirmed, and in `protocol` */
	/* it is not inspected: its permit allows any protocol, or it was refused under observe */
	KIND_FREE,
	/* it is refused (a session for good, a datagram flow until the rules change); every further
	 * packet is dropped, and the ends are reset again */
	KIND_REFUSED,
};

/* Bytes of a direction were missed, so it is not known where the next PDU starts. */
enum adrift {
	ADRIFT_NOT,
	ADRIFT_AWAITS,	 /* waits for a segment that consists of whole PDUs */
	ADRIFT_SEARCHED, /* in a capture: every further byte may be where the next PDU starts */
};

struct command_state; /* dpi/inspect/state.h */

/* The packets of a flow that wait for earlier bytes: dpi/inspect/wait.c. */
struct flow_waits {
	uint32_t first; /* SLOT_NONE = none */
	uint32_t bytes;
	uint8_t n;
};

/* When the ends of a flow were last reset: dpi/inspect/reset.c. */
struct flow_reset {
	uint64_t ns;	 /* 0 = never */
	uint32_t seq[2]; /* by direction: the sequence number of the last reset to its sender */
};

/* What is needed to name the protocol of a flow: dpi/inspect/name.c. */
struct flow_name {
	uint32_t slot;	    /* slot of the nDPI state, SLOT_NONE = none */
	uint8_t packets;    /* packets that nDPI has seen so far */
	uint32_t undecided; /* bytes that passed unrecognised */
	/* all bytes that passed before the protocol was known, including `undecided` */
	uint32_t passed;
	uint8_t prefix_len[2];
	uint8_t prefix[2][RECOGNISE_MAX];
	/* by direction, enum protocol: the header of this protocol is longer than `prefix`, and is
	 * read in `head` */
	uint8_t spoken[2];
	struct head head[2]; /* by direction: how far that header has been read */
};

/* What is known of the TLS that a session speaks. */
enum seen_tls { SEEN_TLS_NOT, SEEN_TLS_GOOD, SEEN_TLS_WEAK };

struct flow {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint8_t l4proto;
	uint8_t class; /* enum flow_class */
	uint8_t kind;  /* enum flow_kind */
	/* the session was met half-way, or bytes are missing: it is not judged until it is
	 * picked up */
	bool waiting_pick_up;
	bool midstream; /* the session was met half-way at least once */
	/* this worker lost its position in the stream, so no later permit may pick the
	 * session up */
	bool no_claim;
	/* its conduits only observed, and its position in the stream is uncertain: bytes passed
	 * that were not kept, or that servers may misread */
	bool let_by;
	uint8_t turn;	   /* in a capture: enum direction of the bytes that were read last */
	uint8_t adrift[2]; /* enum adrift, by direction */
	bool lacking;	   /* in a capture: bytes of the session are missing for good */
	bool missed;	   /* bytes are missing because a full queue let packets pass */
	/* the server offered Multipath TCP, so the client must not use it */
	bool one_path;
	bool told_end; /* outside_flow has been called for the end of this flow */
	/* TLS: its hello messages are still being read, see dpi/inspect/weak.c */
	bool greets;
	bool named; /* TLS: the client's hello was read, with the server name */
	/* TLS: the conduits do not declare that server name, and this was recorded */
	bool undeclared;
	uint32_t asked_at; /* TLS: the client's sequence number after its hello */
	/* enum seen_tls: how good its hellos were, for later permits */
	uint8_t seen_tls;
	bool judge_again; /* its permit or the table has changed since its last packet */
	/* its packets did not come to a worker for a time, and none in sequence has come since */
	bool stale;
	uint32_t hash_next;    /* FLOW_NONE ends the chain */
	uint32_t older, newer; /* in the list of its share and class */
	uint32_t holder;       /* the pair of hosts on which the flow is booked, see dpi/share.h */
	uint32_t before, next; /* the other flows of its holder, FLOW_NONE at the ends */
	uint8_t share;
	uint64_t seen_ns;
	/* number of the connection on these ports, from 1; 0 = the slot is not in use */
	uint32_t n;
	uint32_t permit, lane;
	uint32_t table_turn; /* rules_turn of the command table under which it was last judged */
	uint16_t queue;	     /* of its last packet */
	uint16_t protocol;   /* enum protocol, as known so far */
	uint16_t reason;     /* enum reason of the verdict */
	uint8_t verdict;     /* enum event_verdict */
	uint8_t blind;	     /* number of dropped retransmissions from before the pick-up */
	/* number of dropped segments in a row that acknowledge bytes never seen */
	uint8_t astray;
	/* in a capture: the unread bytes may include whole PDUs */
	bool lost_place;
	uint64_t unread; /* in a capture: number of bytes that could not be judged */
	/* segments with data that passed while the session waited for its pick-up */
	uint8_t unjudged;
	uint64_t unjudged_ns; /* when the first of them passed */
	uint32_t refused_frame;
	/* state of its enforcer, owned; NULL = its commands are not judged */
	struct command_state *commands;
	/* by direction: how often a segment ahead of a gap was dropped, and its sequence number */
	uint8_t gave_up[2];
	uint32_t gave_up_seq[2];
	struct flow_waits wait;
	struct flow_reset reset;
	struct flow_name name;
	/* valid while it `greets`; the server name is kept for later policies */
	struct hello hello;
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
	uint32_t fresh; /* first slot that was never used */
	uint64_t seed[2];
	struct flow_list lists[SHARES][FLOW_CLASSES];
	uint32_t in_share[SHARES]; /* flows, ended ones included */
	uint32_t part[SHARES];	   /* slots of each share */
	struct share_table holders;
};

/* False when memory is out. Until flow_divide is called, every share may use all slots. */
bool flow_init(struct flow_table *t, uint32_t slots);
void flow_done(struct flow_table *t);
/* The flow of a packet, or FLOW_NONE. *ret_dir: the direction of the packet. */
uint32_t flow_find(const struct flow_table *t, const struct decoded *d, enum direction *ret_dir);
/* The flow of a datagram whose opener is known, or FLOW_NONE. `dir`: the packet's direction in it.
 * A flow that the other end opened is another flow. */
uint32_t flow_find_of(const struct flow_table *t, const struct decoded *d, enum direction dir);
/* Divides the slots among the shares in use (bit n of `used`: share n). `whole`: every share may
 * use all slots. */
void flow_divide(struct flow_table *t, uint32_t used, bool whole);
/* Whether a share has used up its part, or no slot is free at all. Then a flow must be removed
 * first (see flow_victim). */
bool flow_full(const struct flow_table *t, uint32_t share);
/* A new flow, zero except for its tuple, in class ENDED; FLOW_NONE when there is no slot. */
uint32_t flow_add(struct flow_table *t, const struct decoded *d, enum direction dir, uint32_t share, uint64_t now_ns);
/* Moves the flow to another share, even if that share is full. */
void flow_move(struct flow_table *t, uint32_t f, uint32_t share);
/* Removes the flow from the table. Everything that it owned must have been given back before. */
void flow_remove(struct flow_table *t, uint32_t f);
struct flow *flow_at(const struct flow_table *t, uint32_t f);
/* Notes that the flow had a packet now, and moves it to the newest end of the list of its class (at
 * most once a second). */
void flow_touch(struct flow_table *t, uint32_t f, enum flow_class class, uint64_t now_ns);
/*
 * The flow that a full share removes for a new one. The first that exists is taken, in this order:
 * an ended flow; a flow of a holder that has more than an eighth of the share; the oldest flow of
 * the largest class, except live flows and, in small classes, recent flows; a flow of a holder that
 * has more than a sixteenth of the share; a live flow that was idle for FLOW_EVICT_IDLE. FLOW_NONE:
 * the new flow is refused. A share that has not used up its part takes a slot from the share that
 * exceeds its own part most.
 */
uint32_t flow_victim(struct flow_table *t, uint32_t share, uint64_t now_ns);
/* Compares the next few flows of a holder, and returns the one with the largest `weight`; FLOW_NONE
 * when the holder has none. The compared flows go to the end of the holder's list. */
uint32_t flow_heaviest(struct flow_table *t, uint32_t holder, uint32_t (*weight)(const struct flow *f));
/* The oldest flow of any class that has timed out, or FLOW_NONE. Ended flows never time out. */
uint32_t flow_due(const struct flow_table *t, uint64_t now_ns);
/* When the next flow times out, or UINT64_MAX. */
uint64_t flow_next_due(const struct flow_table *t);
uint32_t flow_live(const struct flow_table *t); /* flows that have not ended */

#define SECOND_NS 1000000000ull
#define FLOW_EVICT_IDLE (600u * SECOND_NS)

#endif
