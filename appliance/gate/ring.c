/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns ring entries into verdicts. The worker that wrote them has read hostile bytes. So an entry
 * can do no more than pass or drop a packet, or reset its session, and only in lanes whose queues
 * this gate holds. The gate makes the marks, and the chain behind the queue compares the judged
 * permit with the session's own.
 */
#include "appliance/gate/gate.h"
#include "appliance/gate/overdue.h"
#include "appliance/gate/stray.h"
#include "appliance/gate/verdict.h"

#include <string.h>

#include "appliance/gate/reset.h"
#include "appliance/kernel/conntrack.h"
#include "appliance/wire/mark.h"

enum entry_action gate_verdict(const struct ring_entry *e, uint32_t lane, uint32_t *ret_mark)
{
	enum mark_outcome o;

	*ret_mark = 0;
	switch (e->outcome) {
	case OUTCOME_DROP:
		return ENTRY_DROP;
	case OUTCOME_ACCEPT:
		o = MARK_GOOD;
		break;
	case OUTCOME_QUIET:
		o = MARK_QUIET;
		break;
	case OUTCOME_CONFIRMED:
		o = MARK_CONFIRMED;
		break;
	default:
		return ENTRY_LIE;
	}
	/* Packets of the cut lane belong to no permit: none may pass, whatever the entry says. */
	if (e->permit == 0 || e->permit > PERMIT_TWIN || lane == LANE_CUT)
		return ENTRY_REFUSED;
	*ret_mark = mark_make(e->permit, lane, o);
	return ENTRY_ACCEPT;
}

static void lane_flush(struct gate *g, struct gate_lane *l)
{
	uint32_t n = l->pack.n;

	g->dirty &= ~((uint64_t)1 << l->lane);
	if (n == 0)
		return;
	if (verdict_flush(&l->pack, l->fd) == 0)
		g->counts.verdicts += n;
	else
		g->counts.unsent += n;
}

/* The queue's lane. If the gate does not know the queue, its announcement may wait unread, because
 * the supervisor tells the gate before it tells the worker. So the messages are read first. */
static struct gate_lane *find_lane(struct gate *g, uint16_t queue)
{
	struct gate_lane *l = gate_lane_of(g, queue);

	if (l != NULL)
		return l;
	return gate_messages(g) ? gate_lane_of(g, queue) : NULL;
}

/* Adds a dropped packet to the budget for resets. The kernel is asked for the queue's newest id
 * only if the packet is newer than the id that is known. */
static void cut_dropped(struct gate *g, struct gate_lane *l, uint16_t queue, uint32_t id)
{
	const struct queue_state *q = &gate_queue_of(l, queue)->seen;

	if ((int32_t)(q->last_id - id) < 0)
		gate_look(g);
	stray_dropped(&g->strays, queue_slot(queue), id, q->last_id);
}

/* Whether a reset without a session may be sent. If there is a session between the two ends,
 * nothing is sent: connection tracking would take the reset for a part of that session, and end the
 * session. */
static bool stray_allowed(struct gate *g, const struct gate_lane *l, const struct ring_entry *e,
			  const struct addr *client, const struct addr *server)
{
	if (l == NULL || l->lane != LANE_CUT || !stray_pay(&g->strays, clock_mono().ns) ||
	    !pairs_know(g->pairs, g->n_pairs, client, e->client_port, server, e->server_port)) {
		g->counts.resets_refused++;
		return false;
	}
	if (session_probe(g->sessions, client, e->client_port, server, e->server_port) != 0) {
		g->counts.resets_unsent++;
		return false;
	}
	return true;
}

/* Whether the worker may send verdicts of this lane itself: workers for naming have no forms, and
 * no worker has one for the cut lane (worker/form.h). */
static bool may_say(uint32_t lane)
{
	return lane != LANE_CUT && lane_kind_of(lane) == LANE_COMMANDS;
}

static bool do_verdict(struct gate *g, const struct ring_entry *e)
{
	struct gate_lane *l = find_lane(g, e->queue);
	uint32_t mark;

	if (l == NULL)
		return false;
	if (e->said && !may_say(l->lane))
		return false;
	overdue_verdict(&gate_queue_of(l, e->queue)->overdue, e->id);
	l->verdicts++;
	if (e->said) {
		g->counts.verdicts++;
		return true;
	}
	switch (gate_verdict(e, l->lane, &mark)) {
	case ENTRY_ACCEPT:
		verdict_accept(&l->pack, e->queue, e->id, mark);
		break;
	case ENTRY_REFUSED:
		g->counts.refused++;
		verdict_drop(&l->pack, e->queue, e->id);
		break;
	case ENTRY_DROP:
		verdict_drop(&l->pack, e->queue, e->id);
		if (l->lane == LANE_CUT)
			cut_dropped(g, l, e->queue, e->id);
		break;
	case ENTRY_LIE:
		return false;
	}
	g->dirty |= (uint64_t)1 << l->lane;
	if (verdict_full(&l->pack))
		lane_flush(g, l);
	return true;
}

static struct addr addr_from(uint8_t family, const uint8_t b[16])
{
	struct addr a = { .family = family };

	memcpy(a.b, b, addr_len(family));
	return a;
}

/* Whether the address is of a host: no multicast, no unspecified address, no loopback. */
static bool is_host(const struct addr *a)
{
	static const uint8_t zero[16];

	if (a->family == 4)
		return a->b[0] != 0 && a->b[0] != 127 && a->b[0] < 224;
	return a->b[0] != 0xff && memcmp(a->b, zero, 15) != 0;
}

static void send_side(struct gate *g, struct reset r, const struct reset_side *s, uint32_t mark)
{
	r.seq = s->seq;
	r.ack = s->ack;
	r.with_ack = s->with_ack != 0;
	if (s->valid != 0 && reset_send(r.destination.family == 4 ? g->raw4 : g->raw6, &r, mark) == 0)
		g->counts.resets++;
	else
		g->counts.resets_unsent++;
}

static bool do_reset(struct gate *g, const struct ring_entry *e, const struct ring_sides *s)
{
	/* Any worker may report a session that has ended: the entry then has a queue of the cut
	 * lane, which may belong to another gate. */
	bool cut = queue_lane(e->queue) == LANE_CUT;
	struct gate_lane *l = cut ? gate_lane_of(g, e->queue) : find_lane(g, e->queue);
	struct addr client = addr_from(e->family, e->u.a.client), server = addr_from(e->family, e->u.a.server);
	const struct reset to_client = { .source = server,
					 .destination = client,
					 .source_port = e->server_port,
					 .destination_port = e->client_port };
	const struct reset to_server = { .source = client,
					 .destination = server,
					 .source_port = e->client_port,
					 .destination_port = e->server_port };
	uint32_t mark;

	if (l == NULL && !cut)
		return false;
	mark = mark_make(0, queue_lane(e->queue), MARK_UNJUDGED);
	if (!is_host(&client) || !is_host(&server)) {
		g->counts.refused++;
		return true;
	}
	/* The verdict on an earlier packet of the session may still wait in the pack. It is sent
	 * first, so that the ends see the packet before the reset. */
	if (l != NULL)
		lane_flush(g, l);
	if (e->stray != 0) {
		if (!stray_allowed(g, l, e, &client, &server))
			return true;
		mark = MARK_STRAY;
	}
	send_side(g, to_server, &s->to_server, mark);
	send_side(g, to_client, &s->to_client, mark);
	return true;
}

static bool do_entry(struct gate *g, const uint8_t entry[64])
{
	struct ring_sides sides;
	struct ring_entry e;

	memcpy(&e, entry, sizeof(e));
	if (g->half) {
		g->half = false;
		memcpy(&sides, entry, sizeof(sides));
		return sides.kind == RING_RESET_SIDES && do_reset(g, &g->first, &sides);
	}
	if (e.kind == RING_VERDICT)
		return do_verdict(g, &e);
	if (e.kind != RING_RESET || addr_len(e.family) == 0)
		return false;
	g->first = e;
	g->half = true;
	return true;
}

enum drain_result gate_drain(struct gate *g, unsigned most)
{
	enum drain_result r = DRAIN_MORE;
	uint8_t entry[64];
	uint32_t n;

	for (unsigned i = 0; i < most; i++) {
		enum ring_got got = ring_pop(g->ring, &g->tail, entry);

		if (got == RING_EMPTY) {
			r = DRAIN_EMPTY;
			break;
		}
		if (got == RING_LIE || !do_entry(g, entry)) {
			r = DRAIN_LIE;
			break;
		}
	}
	ring_consumed(g->ring, g->tail);
	/* Within a kind the lanes of the highest criticality have the lowest numbers. Each lane has
	 * its own socket. */
	for (uint64_t rest = g->dirty; gate_each(&rest, &n);)
		lane_flush(g, &g->lanes[n]);
	return r;
}
