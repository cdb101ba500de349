/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams where both ends may ask. */

#include "appliance/wire/lasting.h"
#include "policy/ir/skeleton/chains.h"
#include "policy/ir/skeleton/writer.h"

/*
 * The twin of a UDP session is the session that the other end would have opened. Where both ends
 * use the protocol's port, one session of connection tracking carries what two conduits allow, one
 * for each direction. Its label names only the conduit of the end that spoke first.
 *
 * A worker that gets a datagram which the session's permit does not allow gives it the permit of
 * the twin if it knows that one, else PERMIT_TWIN. The rules look for the twin's cell: by the
 * packet's own addresses and ports if it came from the session's server, else by the reversed ones.
 * What was judged under the twin's permit passes only if that is the permit of the twin's cell now.
 */
static const enum ir_key by_packet[] = { KEY_PACKET_BACK, KEY_PACKET };

/* Shows a datagram to a worker again, under the twin's permit or, without a twin, its session's. A
 * twin without a lane lets everything pass that its client sends; whether it sent something to be
 * answered is not known. A session that nothing allows any more comes here too, for its twin. */
static void second_look_rules(struct writer *w)
{
	/* While the other end has sent nothing, it has asked nothing that could be answered, but it
	 * may have subscribed: if a worker says so, or the session has no label, and so was opened
	 * for a subscription whose permit has changed. */
	if (w->lasting) {
		RULE(w, CHAIN_TWIN, DO(IR_CT_STATE, CT_NEW, 0), DO(IR_CTMARK_NOT, MARK_PERMIT_MASK, 0),
		     DO(IR_MARK_NOT, MARK_OUTCOME_MASK, MARK_TOLD), DO_GO(CHAIN_TWIN_NONE));
	}
	put_notices(w, CHAIN_TWIN);
	RULE(w, CHAIN_TWIN, DO(IR_CT_STATE, CT_NEW, 0), DO_GO(CHAIN_TWIN_NONE));
	put_cells(w, CHAIN_TWIN, IR_TWIN, by_packet, CHAIN_TWIN_FOUND);
	put_noticed(w, CHAIN_TWIN, IR_TWIN, CHAIN_TWIN_FOUND);
	RULE(w, CHAIN_TWIN, DO_GO(CHAIN_TWIN_NONE));

	put_apart(w, CHAIN_TWIN_FOUND, true, CHAIN_TWIN_FOUND);
	RULE(w, CHAIN_TWIN_FOUND, DO(IR_MARK, MARK_LANE_MASK, 0), DO(IR_CT_DIRECTION, 1, 0), DO_PASS);
	RULE(w, CHAIN_TWIN_FOUND, DO(IR_MARK, MARK_LANE_MASK, 0), DO_GO(CHAIN_TWIN_NONE));
	RULE(w, CHAIN_TWIN_FOUND, DO(IR_CT_DIRECTION, 0, 0), DO(IR_ADD_MARK, MARK_REPLY, 0));
	RULE(w, CHAIN_TWIN_FOUND, DO(IR_ADD_MARK, MARK_TWIN, 0), DO(IR_GOTO_LANE, 0, 0));
	RULE(w, CHAIN_TWIN_FOUND, DO_DROP(R_STALE));

	put_apart(w, CHAIN_TWIN_NONE, false, CHAIN_PARTED);
	RULE(w, CHAIN_TWIN_NONE, DO_SET(IR_NOT_IN_SET, SET_AGREE, KEY_CT_PERMIT), DO_GO(CHAIN_CUT));
	/* the session may have lost its lane meanwhile */
	RULE(w, CHAIN_TWIN_NONE, DO(IR_CTMARK, MARK_LANE_MASK, 0), DO_GO(CHAIN_ADMIT));
	RULE(w, CHAIN_TWIN_NONE, DO(IR_COPY_MARK, MARK_OUTCOME_MASK | MARK_LIMITS, 0));
	RULE(w, CHAIN_TWIN_NONE, DO(IR_CT_DIRECTION, 1, 0), DO(IR_ADD_MARK, MARK_REPLY, 0));
	RULE(w, CHAIN_TWIN_NONE, DO(IR_ADD_MARK, MARK_TWIN, 0), DO(IR_GOTO_LANE, 0, 0));
	RULE(w, CHAIN_TWIN_NONE, DO_DROP(R_STALE));
}

/*
 * Behind the queues. A lower map holds only what remains of a cell when its conduits end, so the
 * permit judged may be that of any map. The outcome of the session stays: it is about its
 * own permit.
 */
void twin_rules(struct writer *w)
{
	second_look_rules(w);
	/* nothing was judged */
	RULE(w, CHAIN_TWIN_POST, DO(IR_MARK, MARK_PERMIT_MASK, PERMIT_TWIN), DO_GO(CHAIN_RENEW));
	put_cells(w, CHAIN_TWIN_POST, IR_TWIN_AGREES, by_packet, CHAIN_TWIN_GOOD);
	put_noticed(w, CHAIN_TWIN_POST, IR_TWIN_AGREES, CHAIN_TWIN_GOOD);
	RULE(w, CHAIN_TWIN_POST, DO_GO(CHAIN_RENEW));
	put_cells(w, CHAIN_TWIN_LAST, IR_TWIN_AGREES, by_packet, CHAIN_TWIN_GOOD);
	put_noticed(w, CHAIN_TWIN_LAST, IR_TWIN_AGREES, CHAIN_TWIN_GOOD);
	RULE(w, CHAIN_TWIN_LAST, DO_DROP(R_STALE));
	put_apart(w, CHAIN_TWIN_GOOD, true, CHAIN_TWIN_GOOD);
	/* nobody answered for a datagram that opens a session */
	if (w->lasting)
		RULE(w, CHAIN_TWIN_GOOD, DO(IR_MARK, MARK_OUTCOME_MASK, MARK_NOTICE), DO_DROP(R_DOWN_CLOSED));
	RULE(w, CHAIN_TWIN_GOOD, DO(IR_MARK, MARK_OUTCOME_MASK, MARK_UNJUDGED << MARK_OUTCOME_SHIFT),
	     DO_GO(CHAIN_UNANSWERED));
	RULE(w, CHAIN_TWIN_GOOD, DO_PASS);
}
