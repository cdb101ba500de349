/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays a capture: its frames pass through link layer, defragmentation, session tracking,
 * ordering and the inspector, which is the same code as in the workers of the box. A
 * program can do one replay at a time, because of the clock. The results are in the book, and the
 * caller's function gets each judged PDU.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_RUN_H
#define SEKISHO_MGMT_CLI_REPLAY_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "appliance/base/err.h"
#include "dpi/inspect/inspect.h"
#include "dpi/protocol.h"
#include "mgmt/cli/replay/book.h"
#include "mgmt/cli/replay/capture.h"
#include "mgmt/cli/replay/defrag.h"

struct replay {
	const struct ir *ir; /* borrowed */
	bool as_captured;
	/* Called for each PDU, in order; `ctx` is the caller's. May be NULL. */
	void (*pdu)(void *ctx, const struct flow_info *f, const struct pdu *p, enum event_verdict v, uint32_t frame);
	void *ctx;
	/* results */
	struct book book;
	uint64_t frames, not_ip, truncated, related;
	/* packets that were refused or could not be judged, by reason */
	uint64_t refused[REASON_COUNT];
	struct defrag_stats fragments;
	/* the members below are for the files of this header only */
	struct tracker *tracker;
	struct inspector *inspector;
	struct defrag *defrag;
	struct order *order; /* used only with as_captured */
	uint32_t *waiting;   /* by packet id: the session of each packet that is not decided yet */
	uint32_t next_id;
	struct flow_info judged; /* the flow of the last PDU */
	bool again;		 /* the inspector wants the packet as one of its session's twin */
	bool told;		 /* ... because the other end subscribed to it */
	uint32_t frame;		 /* number of the present frame */
	uint8_t packet[65535];	 /* the present packet, if its length had to be filled in */
	uint64_t due_ns;	 /* when the inspector wants to be called again */
};

/* Fills *e and returns a negative errno without memory. replay_close has to be called in both
 * cases. */
int replay_open(struct replay *r, struct ir *ir, bool as_captured, struct err *e);
void replay_frame(struct replay *r, const struct capture_frame *f);
/* The capture is over. Afterwards every flow has its verdict in the book. */
void replay_finish(struct replay *r);
void replay_close(struct replay *r);
/* Whether some session could not be judged completely. */
bool replay_unjudged(const struct replay *r);
/* Whether the policy would have refused something. */
bool replay_denied(const struct replay *r);

#endif
