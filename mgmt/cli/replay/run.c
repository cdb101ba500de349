/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/replay/run.h"
#include "dpi/inspect/command.h"
#include "mgmt/cli/replay/book.h"
#include "mgmt/cli/replay/clock.h"
#include "mgmt/cli/replay/defrag.h"
#include "mgmt/cli/replay/order.h"
#include "mgmt/cli/replay/tracker.h"
#include "policy/ir/ir.h"

#include <errno.h>
#include <stdlib.h>

#include "appliance/wire/lasting.h"
#include "appliance/wire/mark.h"

/*
 * Around the inspector this does what the kernel does on the box: reassembles fragments, tracks
 * sessions, decides permit and lane by the first packet of a session, assigns ICMP errors to the
 * session that they quote, and lets naming lanes release a session once its protocol is confirmed.
 */

/* packet ids that are distinguished; the inspector holds a packet for seconds at most */
#define WAITING (1u << 20)
#define FLOWS 16384u
#define POOL_BYTES (64u << 20)
#define TICK_NS 100000u

static struct book_flow *flow_of(struct replay *r, const struct session *s)
{
	return book_flow(&r->book, &s->client, s->client_port, &s->server, s->server_port, s->l4proto, s->n);
}

static struct book_flow *flow_of_info(struct replay *r, const struct flow_info *f)
{
	return book_flow(&r->book, &f->client, f->client_port, &f->server, f->server_port, f->l4proto, f->n);
}

/* Whether a packet that was refused for this reason would be refused again if it were repeated. It
 * is then decided at once, so the verdict is about the present frame. */
static bool never_passes(enum reason r)
{
	return r == R_SYN_DATA || r == R_URGENT || r == R_MULTIPATH;
}

static bool enforces(const struct replay *r, uint32_t permit)
{
	return !r->ir->permits[permit - 1].observe;
}

/*
 * Nothing in a capture is stopped, because it has happened: all permits only observe during the
 * replay (image_of). A packet that is observed under an enforcing permit counts as refused, unless
 * the replay itself lacked room.
 */
static enum event_verdict verdict_of_policy(const struct replay *r, uint32_t permit, enum event_verdict v,
					    enum reason why)
{
	return v == EV_OBSERVE && why != R_POOL_FULL && enforces(r, permit) ? EV_DENY : v;
}

/* Whether the policy refuses the packet, although nothing is stopped. */
static bool is_refused(const struct replay *r, uint32_t permit, enum outcome o, enum reason why)
{
	return o == OUTCOME_DROP || (reason_kind(why) != REASON_PASS && why != R_MIDSTREAM_WAIT && enforces(r, permit));
}

static void hear_decision(void *ctx, uint16_t queue, uint32_t id, enum outcome o, uint32_t permit, enum reason why)
{
	struct replay *r = ctx;
	struct session *s = tracker_at(r->tracker, r->waiting[id % WAITING]);
	struct book_flow *f;
	bool refused;
	struct lane lane;

	if (permit == PERMIT_TWIN) {
		r->again = true;
		r->told = o == OUTCOME_QUIET;
		return;
	}
	refused = is_refused(r, permit, o, why);
	if ((refused && reason_kind(why) != REASON_PASS) || why == R_MIDSTREAM_WAIT)
		r->refused[why]++;
	if (!refused) {
		s->passed++;
	} else {
		if (s->dropped++ == 0)
			s->dropped_for = why;
		/* Each datagram counts by itself: its session continues although not everything
		 * passes. */
		f = !never_passes(why) && (s->l4proto != IP_UDP || reason_kind(why) == REASON_PASS) ? NULL
		    : permit == s->permit							    ? flow_of(r, s)
					  : flow_of_info(r, &r->judged);
		if (f != NULL)
			book_judge(f, EV_DENY, why, r->frame);
	}
	if (o == OUTCOME_CONFIRMED && !refused && lane_of(s->lane, &lane) && lane.kind == LANE_NAMING)
		s->released = true;
}

static void hear_pdu(void *ctx, const struct flow_info *f, const struct pdu *p, bool observe, uint32_t frame)
{
	struct replay *r = ctx;
	enum event_verdict v = p->allowed ? EV_ALLOW : observe ? EV_OBSERVE : EV_DENY;

	r->judged = *f;
	v = p->shadow ? EV_OBSERVE : verdict_of_policy(r, f->permit, v, p->reason);
	book_pdu(&r->book, f, p, v, frame);
	if (r->pdu != NULL)
		r->pdu(r->ctx, f, p, v, frame);
}

static void hear_flow(void *ctx, const struct flow_info *f, enum event_verdict v, enum reason why, uint32_t frame)
{
	struct replay *r = ctx;
	struct book_flow *flow = flow_of_info(r, f);

	if (flow == NULL)
		return;
	flow->permit = f->permit;
	flow->protocol = f->protocol;
	flow->undecided = f->undecided;
	flow->midstream |= f->midstream;
	flow->unread = f->unread;
	flow->unjudged = f->lost_place;
	book_judge(flow, verdict_of_policy(r, f->permit, v, why), why, frame);
}

static void tick(struct replay *r)
{
	uint64_t wait = inspector_tick(r->inspector);

	r->due_ns = wait == UINT64_MAX ? UINT64_MAX : clock_mono().ns + (wait > TICK_NS ? wait : TICK_NS);
}

/* Whether the server sent the packet, as far as that is known from another source than the packets
 * (`told`). */
static bool is_from_server(const struct session *s, struct bytes ip)
{
	struct decoded d = { 0 };

	if (!s->told)
		return false;
	decode_packet(ip, CHECKSUM_FLAG, &d);
	return d.sport == s->server_port && addr_cmp(&d.src, &s->server) == 0;
}

/* Does what the rules do with a datagram that its session's permit does not allow
 * (policy/ir/skeleton/twin.c). */
static void look_again(struct replay *r, uint32_t index, struct packet *p, bool from_server)
{
	struct session *s = tracker_at(r->tracker, index);
	uint32_t twin = s->answered ? tracker_twin(r->tracker, s) : 0, reply = from_server ? 0 : MARK_REPLY;

	if (twin == 0 && r->told)
		twin = tracker_notice(r->tracker, s);
	r->again = false;
	if (twin != 0 && mark_lane(twin) == LANE_NONE && from_server) {
		s->passed++;
		return;
	}
	if (mark_lane(twin) != LANE_NONE)
		p->mark = twin | reply;
	p->mark |= MARK_TWIN;
	p->queue = lane_queue(mark_lane(p->mark), 0);
	p->id = ++r->next_id;
	r->waiting[p->id % WAITING] = index;
	inspector_packet(r->inspector, p);
}

static void inspect(struct replay *r, uint32_t index, struct bytes ip, bool cut, uint32_t frame)
{
	struct session *s = tracker_at(r->tracker, index);
	bool from_server = is_from_server(s, ip);
	struct packet p = {
		.queue = lane_queue(s->lane, 0),
		.id = ++r->next_id,
		.mark = mark_make(s->permit, s->lane, MARK_UNJUDGED) | (from_server ? MARK_REPLY : 0),
		.directed = s->told,
		.ip = ip,
		.truncated = cut,
		.checksums = r->as_captured ? CHECKSUM_FLAG : CHECKSUM_STRICT,
		.frame = frame,
		.connection = s->n,
	};

	if (s->notice != 0)
		p.mark = s->notice | MARK_TWIN | (from_server ? 0 : MARK_REPLY) | (s->answered ? 0 : MARK_NOTICE);
	if (s->twin != 0)
		p.mark = s->twin | MARK_TWIN | (from_server ? 0 : MARK_REPLY);
	r->frame = frame;
	r->waiting[p.id % WAITING] = index;
	inspector_packet(r->inspector, &p);
	if (r->again)
		look_again(r, index, &p, from_server);
	tick(r);
}

/* Inspects the next packet in order of its session. */
static void hand_on(void *ctx, uint32_t session, struct bytes ip, uint32_t frame)
{
	struct replay *r = ctx;
	struct session *s = tracker_at(r->tracker, session);

	if (s->released)
		s->passed++;
	else
		inspect(r, session, ip, false, frame);
}

/* The command table with permit ids from 1 on; `observe`: all permits observe. */
static uint8_t *image_of(const struct ir *ir, bool observe, size_t *ret_n)
{
	uint32_t *ids = calloc((size_t)ir->n_permits + 1, sizeof(*ids));
	struct command_permit *permits = calloc((size_t)ir->n_permits + 1, sizeof(*permits));
	struct ir judged = *ir;
	uint8_t *image = NULL;

	judged.table.permits = permits;
	for (uint32_t i = 0; ids != NULL && permits != NULL && i < ir->n_permits; i++) {
		ids[i] = i + 1;
		permits[i] = ir->table.permits[i];
		permits[i].observe |= observe;
	}
	if (ids != NULL && permits != NULL)
		image = ir_table_image(&judged, ids, ret_n);
	free(permits);
	free(ids);
	return image;
}

int replay_open(struct replay *r, struct ir *ir, bool as_captured, struct err *e)
{
	/* On the box resets and records go to the gate and the journal; here the verdicts are the
	 * result. */
	struct inspector_limits limits = {
		.outside = { .ctx = r, .decide = hear_decision, .pdu = hear_pdu, .flow = hear_flow },
		.flows = FLOWS,
		.pool_bytes = POOL_BYTES,
		.undivided = as_captured,
		.gaps_stay = as_captured
	};
	size_t n = 0;
	uint8_t *image = image_of(ir, as_captured, &n), digest[32];
	bool ready = false;

	r->ir = ir;
	r->as_captured = as_captured;
	if (image != NULL && n < UINT32_MAX / 4) {
		/* The decoded arrays take at most a small multiple of the image. */
		limits.table_bytes = (uint32_t)n * 4u + (1u << 20);
		r->tracker = tracker_new(ir, as_captured);
		r->defrag = defrag_new();
		r->waiting = calloc(WAITING, sizeof(*r->waiting));
		r->order = order_new(hand_on, r);
		r->inspector = inspector_new(&limits);
		ready = r->tracker != NULL && r->defrag != NULL && r->waiting != NULL && r->order != NULL &&
			r->inspector != NULL && inspector_table(r->inspector, bytes_of(image, n), digest);
	}
	free(image);
	r->due_ns = UINT64_MAX;
	return ready ? 0 : err_set(e, -ENOMEM, "replay");
}

void replay_close(struct replay *r)
{
	inspector_free(r->inspector);
	tracker_free(r->tracker);
	defrag_free(r->defrag);
	order_free(r->order);
	free(r->waiting);
	book_free(&r->book);
	replay_clock_clear();
}

static uint64_t next_due(const struct replay *r)
{
	uint64_t due = order_next_due(r->order);

	return due < r->due_ns ? due : r->due_ns;
}

/* Advances the clock to this frame and wakes the inspector whenever it asked for it. */
static void pass_time(struct replay *r, uint64_t wall_ns)
{
	uint64_t due;

	while ((due = next_due(r)) < wall_ns) {
		replay_clock_set(due);
		order_expire(r->order, due);
		tick(r);
	}
	replay_clock_set(wall_ns);
}

/* Source, destination and ports of a cut packet; false when these are missing too. */
static bool peek_tuple(struct bytes ip, struct decoded *d)
{
	uint8_t first, ihl;
	struct bytes b = ip;

	if (d->src.family == 0 || (d->l4proto != IP_TCP && d->l4proto != IP_UDP) || !bytes_u8(&b, &first))
		return false;
	ihl = (uint8_t)((first & 15u) * 4u);
	bytes_skip(&b, (d->src.family == 4 ? ihl : 40u) - 1u);
	bytes_be16(&b, &d->sport);
	bytes_be16(&b, &d->dport);
	if (b.failed)
		return false;
	d->tcp_flags = TCP_ACK;
	if (d->l4proto == IP_TCP) {
		bytes_be32(&b, &d->seq);
		bytes_be32(&b, &d->ack);
		bytes_skip(&b, 1);
		bytes_u8(&b, &d->tcp_flags);
	}
	return true;
}

/* The length of the payload that the headers of a cut packet state. */
static uint64_t stated_payload(struct bytes ip, const struct decoded *d)
{
	bool v6 = d->src.family == 6;
	uint8_t first = 0, offset = 5u << 4;
	uint16_t stated = 0;
	struct bytes b = ip;
	uint64_t header;

	bytes_u8(&b, &first);
	header = v6 ? 40u : (first & 15u) * 4u;
	bytes_skip(&b, v6 ? 3 : 1);
	bytes_be16(&b, &stated);
	b = ip;
	if (d->l4proto == IP_TCP && bytes_skip(&b, header + 12u))
		bytes_u8(&b, &offset);
	header = (v6 ? 0 : header) + (d->l4proto == IP_TCP ? (offset >> 4) * 4u : 8u);
	return stated > header ? stated - header : 0;
}

/* ICMP errors: the box passes some types when they quote a known session. */
static bool is_error(const struct decoded *d, bool *ret_listed)
{
	uint8_t type = (uint8_t)(d->dport >> 8);

	if (d->l4proto == IP_ICMP) {
		*ret_listed = type == 3 || type == 11 || type == 12;
		return *ret_listed || type == 4 || type == 5;
	}
	if (d->l4proto == IP_ICMP6) {
		*ret_listed = type >= 1 && type <= 4;
		return type < 128;
	}
	return false;
}

static void icmp_error(struct replay *r, const struct decoded *d, bool listed)
{
	struct decoded quoted;
	enum reason why = decode_packet(d->payload, CHECKSUM_FLAG, &quoted);
	uint32_t i;

	/* The quoted packet is usually cut; its first bytes are enough to find the session. */
	if (listed && (why == R_NONE || peek_tuple(d->payload, &quoted))) {
		i = tracker_find(r->tracker, &quoted);
		if (i != UINT32_MAX && tracker_at(r->tracker, i)->refused == R_NONE) {
			r->related++;
			return;
		}
	}
	r->refused[R_RELATED]++;
}

/* With as_captured, puts the packets into the order in which the ends of the session processed
 * them. Without it, packets are taken as they come, as on a box. */
static void put_in_order(struct replay *r, uint32_t index, const struct decoded *d, struct bytes ip, bool cut,
			 uint32_t frame)
{
	const struct session *s = tracker_at(r->tracker, index);
	enum direction dir = s->client_port == d->sport && addr_cmp(&s->client, &d->src) == 0 ? DIR_C2S : DIR_S2C;

	if (r->as_captured && s->packets == 1 && s->older != UINT32_MAX)
		order_go_on_as(r->order, s->older, index, d->seq);
	if (!r->as_captured)
		inspect(r, index, ip, cut, frame);
	else if (!order_packet(r->order, index, d, dir, frame, clock_mono().ns))
		r->refused[R_OUT_OF_ORDER]++; /* a repetition of the same packet */
}

/*
 * A host may capture a frame before its card cuts it into segments, with a stated length of 0. That
 * is no error: the packet is as long as the frame. False: no such frame.
 */
static bool unsegmented(struct replay *r, struct bytes *ip)
{
	struct bytes peek = *ip;
	uint8_t first;
	uint16_t total;

	bytes_u8(&peek, &first);
	bytes_skip(&peek, 1);
	bytes_be16(&peek, &total);
	if (!r->as_captured || peek.failed || first >> 4 != 4 || total != 0 || ip->left > sizeof(r->packet))
		return false;
	peek = *ip;
	bytes_copy(&peek, r->packet, ip->left);
	r->packet[2] = (uint8_t)(ip->left >> 8);
	r->packet[3] = (uint8_t)ip->left;
	*ip = bytes_of(r->packet, ip->left);
	return true;
}

static void packet(struct replay *r, struct bytes ip, bool frame_cut, uint32_t frame, uint64_t wall_ns)
{
	struct decoded d;
	enum reason why = decode_packet(ip, CHECKSUM_FLAG, &d);
	bool cut = false, listed;
	struct session *s;
	uint32_t index;

	if (why == R_MALFORMED_IP && unsegmented(r, &ip))
		why = decode_packet(ip, CHECKSUM_FLAG, &d);
	if (why != R_NONE) {
		cut = frame_cut && why != R_IP_OPTIONS && why != R_FRAGMENT;
		r->truncated += cut;
		if (!cut || !peek_tuple(ip, &d)) {
			r->refused[cut ? R_TRUNCATED : why]++;
			return;
		}
	}
	if (is_error(&d, &listed)) {
		icmp_error(r, &d, listed);
		return;
	}
	if (!tracker_packet(r->tracker, &d, frame, wall_ns, &index)) {
		r->book.failed = true;
		return;
	}
	s = tracker_at(r->tracker, index);
	if (s->first_frame == frame && s->packets == 1 && s->notice == 0)
		flow_of(r, s);
	if (s->refused != R_NONE) {
		r->refused[s->refused]++;
	} else if (s->lane == LANE_NONE && d.bad_checksum && !r->as_captured) {
		r->refused[R_INVALID]++;
	} else if (s->lane != LANE_NONE && !s->released && cut && r->as_captured) {
		s->cut += stated_payload(ip, &d); /* on the wire it was complete */
		r->refused[R_TRUNCATED]++;
	} else if (s->lane != LANE_NONE && !s->released) {
		put_in_order(r, index, &d, ip, cut, frame);
	}
}

void replay_frame(struct replay *r, const struct capture_frame *f)
{
	struct bytes whole;

	r->frames++;
	pass_time(r, f->wall_ns);
	if (!f->has_ip) {
		r->not_ip++;
		return;
	}
	switch (defrag_packet(r->defrag, f->ip, clock_mono(), &whole)) {
	case DEFRAG_WHOLE:
	case DEFRAG_DONE:
		packet(r, whole, f->cut, f->number, f->wall_ns);
		break;
	case DEFRAG_WAITING:
		break;
	case DEFRAG_REFUSED:
		r->refused[R_FRAGMENT]++;
		break;
	}
}

/* PROTO_NONE: another protocol over IP, which no policy can name. */
static enum protocol transport_of(uint8_t l4proto)
{
	switch (l4proto) {
	case IP_TCP:
		return PROTO_TCP;
	case IP_UDP:
		return PROTO_UDP;
	case IP_ICMP:
	case IP_ICMP6:
		return PROTO_ICMP;
	default:
		return PROTO_NONE;
	}
}

/* Sessions without a verdict of the inspector: it never got them, or saw nothing that needs one. */
static void settle(struct replay *r, const struct session *s)
{
	/* what was subscribed to belongs to the flow of the subscriber */
	struct book_flow *f = s->notice != 0 && s->passed > 0 ? NULL : flow_of(r, s);
	struct lane lane;

	if (f == NULL)
		return;
	if (f->permit == 0)
		f->permit = s->permit;
	f->same_zone |= s->same_zone;
	f->midstream |= s->midstream;
	f->bad_checksum |= s->bad_checksum;
	if (f->protocol == PROTO_NONE && s->lane == LANE_NONE)
		f->protocol = transport_of(s->l4proto);
	if (s->refused != R_NONE)
		book_judge(f, EV_DENY, s->refused, s->refused_frame);
	else if (s->lane == LANE_NONE)
		book_judge(f, EV_ALLOW, R_ALLOWED, 0);
	else if (!f->judged && s->passed == 0 && s->dropped > 0)
		book_judge(f, EV_DENY, s->dropped_for, s->first_frame);
	else if (!f->judged)
		book_judge(f, EV_ALLOW, R_HANDSHAKE, 0);
	f->unread += s->cut;
	f->unjudged |= s->cut > 0 && lane_of(s->lane, &lane) && lane.kind == LANE_COMMANDS;
	/* the inspector reported nothing about the flow */
	if (f->unread > 0 && f->pdus == 0 && f->reason != R_CONFIRMED) {
		f->unjudged = true;
		f->protocol = PROTO_NONE;
	}
	f->unjudged = f->unjudged && f->verdict != EV_DENY;
	if (f->unjudged && f->verdict == EV_ALLOW)
		f->reason = R_UNREAD;
}

void replay_finish(struct replay *r)
{
	order_give_up_all(r->order);
	inspector_finish(r->inspector);
	for (uint32_t i = 0; i < tracker_count(r->tracker); i++)
		settle(r, tracker_at(r->tracker, i));
	defrag_stats(r->defrag, &r->fragments);
}

bool replay_unjudged(const struct replay *r)
{
	bool unjudged = false;

	for (uint32_t i = 0; i < r->book.n_flows; i++)
		unjudged |= r->book.flows[i].unjudged;
	return unjudged;
}

bool replay_denied(const struct replay *r)
{
	bool denied = r->book.denied_pdus > 0;

	for (uint32_t i = 0; i < r->book.n_flows; i++)
		denied |= r->book.flows[i].verdict == EV_DENY;
	for (unsigned i = 0; i < REASON_COUNT; i++) {
		enum reason_kind kind = reason_kind((enum reason)i);

		/* Frames that the capture cuts off, or that a sender repeats, are not refused by
		 * the policy. */
		if (i != R_TRUNCATED && i != R_OUT_OF_ORDER && (kind == REASON_DENY || kind == REASON_BAD))
			denied |= r->refused[i] > 0;
	}
	return denied;
}
