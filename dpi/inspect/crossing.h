/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One packet on its way through the stages, and the inspector as they see it: what each stage keeps is a type of its own that
 * only its file can look into. The flow and stream tables have interfaces of their own (dpi/flow.h, dpi/pool.h).
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

struct judge_room; /* dpi/judge.h */

/* Where bytes are made contiguous; nothing lives longer there than one call of a stage. */
struct rooms {
	uint8_t *packet;  /* owned; PACKET_MAX: a packet that waited */
	uint8_t *segment; /* owned; PACKET_MAX and RUNS_BYTES: new bytes with what passed ahead of them */
	uint8_t *pdu;	  /* owned; PACKET_MAX: a PDU, or several */
	uint8_t *
		before; /* owned; ENFORCER_STATE_MAX: a state to come back to. On the stack it would be zeroed each time */
	struct judge_room *judge; /* owned: where a PDU is taken apart */
};

struct inspector {
	struct inspector_limits limits;
	uint64_t now_ns;
	struct rules *rules;	       /* rules.h: the command tables */
	struct flow_table flows;       /* life.h decides who gets a place */
	struct pool pool;	       /* shared by the streams and by what waits */
	struct namer *namer;	       /* name.h */
	struct commands *commands;     /* command.h: states of enforcers */
	struct companions *companions; /* companion.h: what flows opened for others */
	struct counts *counts;	       /* count.h: accepted commands */
	struct weaks *weaks;	       /* weak.h: sessions that are protected badly */
	struct waits *waits;	       /* wait.h: packets that wait */
	struct resets *resets;	       /* reset.h: what is said again */
	struct records *records;       /* event.h: budgets of records */
	struct outcomes *outcomes;     /* life.h: what was decided */
	struct rooms rooms;
	bool releasing; /* inspect.c: packets that waited */
	bool forgot
		[SHARES]; /* life.h: a full share made this worker forget a TCP session that its server may still have */
};

/* One packet, and what the stages have found out about it so far. */
struct crossing {
	struct inspector *i;
	const struct packet *p;
	struct decoded d;
	uint32_t lane;
	const struct command_table *table;   /* by which it is judged */
	const struct command_permit *permit; /* NULL only in the cut lane, and before it is looked up */
	uint32_t fi;			     /* FLOW_NONE before the flow is known */
	struct flow *f;
	enum direction dir;
	enum reason spared; /* R_NONE, or why it would be refused if its conduits did not only observe */
};

static inline enum direction other_end(enum direction dir)
{
	return dir == DIR_C2S ? DIR_S2C : DIR_C2S;
}

/* Nothing is stopped: what cannot be followed is skipped instead of dropped. */
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

/* The flow's last packet was now. */
void crossing_touch(struct crossing *x);
/* Gives back what the flow owns; its numbers stay. */
void crossing_release(struct inspector *i, uint32_t fi);
/* New bytes pass (or go by, where nothing is stopped); `unjudged` of them are kept as the beginning of a PDU. */
MUST_SEND struct verdict crossing_take(struct crossing *x, const struct stream_result *s, size_t unjudged,
				       enum reason r);

#endif
