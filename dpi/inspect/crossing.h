/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One packet on its way through the stages, and the inspector as the stages see it. What a stage
 * keeps has a type that only the file of that stage defines. The flow and stream tables have
 * interfaces of their own (dpi/flow.h, dpi/pool.h).
 */
#ifndef SEKISHO_DPI_INSPECT_CROSSING_H
#define SEKISHO_DPI_INSPECT_CROSSING_H

#include "appliance/wire/mark.h"
#include "dpi/decode.h"
#include "dpi/flow.h"
#include "dpi/inspect/inspect.h"
#include "dpi/inspect/verdict.h"
#include "dpi/pool.h"

#define PACKET_MAX 65575u /* IPv6 header and largest payload length */
#define PDUS_MAX (ENFORCER_PDU_MAX + PACKET_MAX)

struct judge_room; /* dpi/judge.h */

/* Buffers in which bytes are made contiguous. Their contents are valid during one call of a
 * stage only. */
struct rooms {
	uint8_t *packet; /* owned; PACKET_MAX bytes: a packet that waited */
	/* owned; PACKET_MAX and RUNS_BYTES: new bytes, and bytes after them that passed ahead of
	 * a gap */
	uint8_t *segment;
	uint8_t *pdu; /* owned; PDUS_MAX bytes: the beginning of a PDU, and what a packet adds */
	uint8_t *
		/* owned; ENFORCER_STATE_MAX bytes: a saved enforcer state. On the stack it would be
		 * zeroed at each call */
		before;
	struct judge_room *judge; /* owned: where a PDU is taken apart */
};

struct inspector {
	struct inspector_limits limits;
	uint64_t now_ns;
	struct rules *rules;	       /* rules.h: the command tables */
	struct flow_table flows;       /* life.h decides which flows get a place */
	struct pool pool;	       /* shared by the streams and by what waits */
	struct namer *namer;	       /* name.h */
	struct commands *commands;     /* command.h: states of enforcers */
	struct companions *companions; /* companion.h: what flows opened for others */
	struct counts *counts;	       /* count.h: accepted commands */
	struct weaks *weaks;	       /* weak.h: sessions that are protected badly */
	struct waits *waits;	       /* wait.h: packets that wait */
	struct resets *resets;	       /* reset.h: resets that are repeated */
	struct records *records;       /* event.h: budgets of records */
	struct outcomes *outcomes;     /* life.h: what was decided */
	struct rooms rooms;
	uint32_t lives; /* offer.c: sessions that were offered */
	bool releasing; /* inspect.c: waiting packets are being taken out */
	/* life.h: a full share made this worker forget a TCP session that its server may
	 * still have */
	bool forgot[SHARES];
};

/* One packet, and the results of the stages that it has passed. */
struct crossing {
	struct inspector *i;
	const struct packet *p;
	struct decoded d;
	uint32_t lane;
	const struct command_table *table; /* by which it is judged */
	/* NULL in the cut lane, and until it has been looked up */
	const struct command_permit *permit;
	uint32_t fi; /* FLOW_NONE before the flow is known */
	struct flow *f;
	enum direction dir;
	/* the reason for which the packet would be refused if its conduits did not only observe;
	 * else R_NONE */
	enum reason spared;
};

static inline enum direction other_end(enum direction dir)
{
	return dir == DIR_C2S ? DIR_S2C : DIR_C2S;
}

/* Whether the conduits only observe: packets that cannot be followed are then let pass. */
static inline bool crossing_is_observed(const struct crossing *x)
{
	return x->permit != NULL && x->permit->observe;
}

static inline bool permit_commands_lane(const struct command_permit *permit)
{
	struct lane lane;

	return lane_of(permit->lane, &lane) && lane.kind == LANE_COMMANDS;
}

static inline bool crossing_has_commands_lane(const struct crossing *x)
{
	return x->permit != NULL && permit_commands_lane(x->permit);
}

/* Notes that the flow had a packet now. */
void crossing_touch(struct crossing *x);
/* Frees what the flow owns. Its sequence numbers stay. */
void crossing_release(struct inspector *i, uint32_t fi);
/* New bytes pass. The last `unjudged` of them begin a PDU, and are kept. */
MUST_SEND struct verdict crossing_take(struct crossing *x, const struct stream_result *s, size_t unjudged,
				       enum reason r);

#endif
