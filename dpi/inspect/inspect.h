/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inspector: everything a worker does with a packet between receiving it and putting an outcome into the ring.
 *
 * decode -> flow -> stream gate -> recogniser, nDPI -> enforcer -> outcome. It runs without privilege, allocates all its
 * memory in inspector_new, and reaches the outside only through the functions of "outside" below, which the worker
 * (ring, event socket), replay (lines) and the tests (arrays) implement and link in. Time comes from base/clock.h.
 */
#ifndef SEKISHO_DPI_INSPECT_INSPECT_H
#define SEKISHO_DPI_INSPECT_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/bytes.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/cuts.h"
#include "appliance/wire/event.h"
#include "appliance/wire/ring.h"
#include "dpi/decode.h"
#include "dpi/protocol.h"
#include "dpi/share.h"

struct inspector;

struct inspector_limits {
	uint32_t flows;	      /* flow table slots */
	uint32_t pool_bytes;  /* shared stream pool: retained and waiting bytes */
	uint32_t table_bytes; /* largest command table in memory */
	uint32_t kinds;	      /* bit n: lanes of enum lane_kind n come here, and divide what is scarce; 0: any */
	bool no_library;      /* without nDPI: what it alone could name stays without a name */
	bool undivided;	      /* any lane may have all of what is scarce */
	bool gaps_stay; /* a capture: what is missing will not come. See midstream.h, search.h; its permits should observe */
};

/* All memory of the worker's life, nDPI's included unless it does without. NULL when it cannot be had. */
struct inspector *inspector_new(const struct inspector_limits *l);
void inspector_free(struct inspector *i);

/* Takes a new table image (copied); the previous one is gone. Returns false and keeps the old one when it is malformed.
 * The digest of what is now in force goes to digest[32]. Live flows are judged by it from their next PDU on. */
bool inspector_table(struct inspector *i, struct bytes image, uint8_t digest[32]);
/*
 * Whose decisions these are, for the records: the generation in force, and per permit of the table just taken, in its order,
 * the one that it comes from (u32 number, u64 digest each). What is missing counts as `now`; without this call as none.
 */
void inspector_generations(struct inspector *i, struct event_generation now, struct bytes of_permits);

/*
 * The policy in force has ended this session: both ends are reset at once, by `queue` of the cut lane, when it is followed and
 * the numbers of both are known. Else they hear of it when one of them speaks.
 */
void inspector_cut(struct inspector *i, const struct cut_session *s, uint16_t queue);

struct packet {
	uint16_t queue;
	uint32_t id;
	uint32_t mark;	 /* permit and lane as the kernel copied them */
	bool directed;	 /* the mark says the direction too (MARK_REPLY): tracking knows who opened the session */
	struct bytes ip; /* from the IP header on; borrowed until inspector_packet returns */
	bool truncated;	 /* the kernel gave fewer bytes than the packet has */
	enum checksum_rule
		checksums;   /* offloaded frame: filled in later; a capture: wrong ones are read all the same */
	uint32_t frame;	     /* replay: number of the frame in the capture, from 1 */
	uint32_t connection; /* replay: which connection of its ends this is, from 1; 0 = the inspector counts */
};

/* Decides one packet, now or (out of order, at most 10 ms) later: outside_decide is called exactly once per packet. */
void inspector_packet(struct inspector *i, const struct packet *p);
/* Deadlines: drops what waited too long, writes due counts. Call when the loop turns; returns ns until the next call is
 * due, UINT64_MAX = nothing waits. */
uint64_t inspector_tick(struct inspector *i);
/* End of a capture or of the worker: writes outstanding counts and, for replay, flows. */
void inspector_finish(struct inspector *i);

/* ---- what a change of policy will do to the sessions that are live now ---- */

struct session_ends {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint8_t l4proto;
};

/* What becomes of one session when it comes under another permit. */
struct impact {
	bool known;		/* this inspector follows it */
	enum protocol protocol; /* as recognised so far */
	bool partly;		/* ... but not from its beginning */
	enum reason reason;	/* what its next packet is refused for; R_NONE when none is */
	uint64_t forgotten;	/* requests of it that are not remembered one by one, and may be refused */
};

/* Room for the table of the next generation, read and checked but not judged by. False when it is malformed or too large.
 * Valid until the next call of this or of inspector_table. */
bool inspector_try_table(struct inspector *i, struct bytes image, struct command_table *ret);
/*
 * The kernel has this session without a lane: what its ends say now no worker sees, so what is remembered of it, or of another that had its
 * ports before, says nothing of what comes later.
 */
void inspector_note_unseen(struct inspector *i, const struct session_ends *ends);
struct deed; /* deeds.h: a kind of operation that went by */
/*
 * What permit number `permit` of `t` will do to the session. `each` is called for every kind of request that went by since
 * the session began and would be refused: what it was, and what is said of it now.
 */
void inspector_foretell(struct inspector *i, const struct command_table *t, const struct session_ends *ends,
			uint32_t permit, void (*each)(void *ctx, const struct deed *d, const struct pdu *refused),
			void *ctx, struct impact *ret);

struct inspector_stats {
	uint64_t packets, accepted, confirmed, dropped, resets;
	uint64_t reasons[REASON_COUNT];
	uint32_t flows, flows_max;
	uint32_t pool_used, pool_bytes;
	struct {
		uint32_t flows, flows_part, pool, pool_part; /* pool in bytes */
	} shares[SHARES];
};

void inspector_stats(const struct inspector *i, struct inspector_stats *ret);

/* ---- outside: implemented by appliance/worker/role.c, mgmt/cli/replay/replay.c, tests ------------------------------------------------ */

/* What is known of the flow a callback is about; borrowed. */
struct flow_info {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint8_t l4proto;
	uint32_t n; /* which connection of this pair, from 1 */
	uint32_t permit, lane;
	enum protocol protocol; /* as recognised so far */
	uint32_t undecided;	/* bytes that passed before it was */
	bool midstream;		/* met half-way */
	bool lost_place;	/* a capture: what was not read may hold whole PDUs */
	uint64_t unread;	/* a capture: bytes that were there and could not be judged */
};

struct reset_record {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint32_t lane;	/* the packet's lane; LANE_CUT for flows no longer permitted */
	bool stray;	/* tracking called the segment invalid: reset only if there is no session at all */
	uint16_t queue; /* the queue on which the packet came */
	struct reset_side to_client, to_server;
};

/* `r`: why. Of a packet that passes because its conduits only observe, why it would not have. */
void outside_decide(uint16_t queue, uint32_t id, enum outcome o, uint32_t permit, enum reason r);
void outside_reset(const struct reset_record *r);
void outside_event(const struct event *e);
/* Every PDU, allowed or not; `frame` completed it. The worker ignores allowed ones (they are counted). */
void outside_pdu(const struct flow_info *f, const struct pdu *p, bool observe, uint32_t frame);
/* A flow's verdict changed (confirmed, refused) or, at the end, what it was. `frame`: from which it was refused, or 0. */
void outside_flow(const struct flow_info *f, enum event_verdict v, enum reason r, uint32_t frame);

#endif
