/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One replay: frames of a capture through link, defragmentation, session tracking, the order of the ends and the inspector, the same code that
 * runs in the workers of the box. Implements the inspector's outside; one run at a time in a program. Results go to the
 * book, and each PDU to a caller's function as it is judged.
 */
#ifndef SEKISHO_MGMT_CLI_REPLAY_RUN_H
#define SEKISHO_MGMT_CLI_REPLAY_RUN_H

#include "appliance/base/err.h"
#include "dpi/inspect/inspect.h"
#include "mgmt/cli/replay/book.h"
#include "mgmt/cli/replay/capture.h"
#include "mgmt/cli/replay/defrag.h"
#include "mgmt/cli/replay/order.h"
#include "mgmt/cli/replay/track.h"

struct replay {
	const struct ir *ir; /* borrowed */
	bool as_captured;
	/* Called for each PDU, in order; `ctx` is the caller's. May be NULL. */
	void (*pdu)(void *ctx, const struct flow_info *f, const struct pdu *p, enum event_verdict v, uint32_t frame);
	void *ctx;
	/* results */
	struct book book;
	uint64_t frames, not_ip, truncated, related;
	uint64_t refused[REASON_COUNT]; /* packets that were refused or could not be judged, by reason */
	struct defrag_stats fragments;
	/* inside */
	struct tracker *tracker;
	struct inspector *inspector;
	struct defrag *defrag;
	struct order *order; /* as captured only */
	uint32_t *waiting;   /* session of each undecided packet, by packet id */
	uint32_t next_id;
	uint32_t frame;	       /* the one at hand */
	uint8_t packet[65535]; /* one whose length had to be filled in */
	uint64_t due_ns;       /* when the inspector wants to be called again */
};

/* Fills *e and returns a negative errno when there is not enough memory. replay_close in both cases. */
int replay_open(struct replay *r, struct ir *ir, bool as_captured, struct err *e);
void replay_frame(struct replay *r, const struct capture_frame *f);
/* The capture is over: every flow has its verdict in the book afterwards. */
void replay_finish(struct replay *r);
void replay_close(struct replay *r);
/* True when some session could not be judged, or not all of it. */
bool replay_unjudged(const struct replay *r);
/* True when the policy would have refused something. */
bool replay_denied(const struct replay *r);

#endif
