/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the inspector tells its user: decisions, resets and records for the worker (ring, event
 * socket), PDUs and verdicts for replay (lines). The user passes these functions to inspector_new;
 * one that is NULL is not called. Whatever a pointer shows is borrowed for the call.
 */
#ifndef SEKISHO_DPI_INSPECT_OUTSIDE_H
#define SEKISHO_DPI_INSPECT_OUTSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/wire/event.h"
#include "appliance/wire/event_codes.h"
#include "appliance/wire/ring.h"
#include "dpi/protocol.h"

/* What is known of the flow that a call is about. */
struct flow_info {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint8_t l4proto;
	uint32_t n; /* number of the connection between these ends, from 1 */
	uint32_t permit, lane;
	enum protocol protocol; /* as recognised so far */
	uint32_t undecided;	/* bytes that passed before the protocol was recognised */
	bool midstream;		/* the session was met half-way */
	bool lost_place;	/* in a capture: the unread bytes may hold whole PDUs */
	uint64_t unread;	/* in a capture: number of bytes that could not be judged */
};

struct reset_record {
	struct addr client, server;
	uint16_t client_port, server_port;
	uint32_t lane; /* the packet's lane; LANE_CUT for flows that no permit allows */
	/* connection tracking called the segment invalid: send a reset only if there is
	 * no session */
	bool stray;
	uint16_t queue; /* the queue on which the packet came */
	struct reset_side to_client, to_server;
};

struct outside {
	void *ctx; /* the first argument of each function */
	/* `r`: the reason. For a packet that passes only because its conduits observe, the reason
	 * for which it would be refused. */
	void (*decide)(void *ctx, uint16_t queue, uint32_t id, enum outcome o, uint32_t permit, enum reason r);
	void (*reset)(void *ctx, const struct reset_record *r);
	void (*event)(void *ctx, const struct event *e);
	/* Each PDU, allowed or not. `frame`: the frame that completed it. */
	void (*pdu)(void *ctx, const struct flow_info *f, const struct pdu *p, bool observe, uint32_t frame);
	/* When the verdict of a flow changes (confirmed, refused), and at the end of the flow.
	 * `frame`: the frame from which on the flow was refused, or 0. */
	void (*flow)(void *ctx, const struct flow_info *f, enum event_verdict v, enum reason r, uint32_t frame);
};

static inline void outside_decide(const struct outside *to, uint16_t queue, uint32_t id, enum outcome o,
				  uint32_t permit, enum reason r)
{
	if (to->decide != NULL)
		to->decide(to->ctx, queue, id, o, permit, r);
}

static inline void outside_reset(const struct outside *to, const struct reset_record *r)
{
	if (to->reset != NULL)
		to->reset(to->ctx, r);
}

static inline void outside_event(const struct outside *to, const struct event *e)
{
	if (to->event != NULL)
		to->event(to->ctx, e);
}

static inline void outside_pdu(const struct outside *to, const struct flow_info *f, const struct pdu *p, bool observe,
			       uint32_t frame)
{
	if (to->pdu != NULL)
		to->pdu(to->ctx, f, p, observe, frame);
}

static inline void outside_flow(const struct outside *to, const struct flow_info *f, enum event_verdict v,
				enum reason r, uint32_t frame)
{
	if (to->flow != NULL)
		to->flow(to->ctx, f, v, r, frame);
}

#endif
