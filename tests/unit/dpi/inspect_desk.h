/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A desk for the inspector's tests: packets that are built byte by byte, functions of the outside
 * that record their calls in arrays, a clock that the test sets, and a toy protocol in place of
 * Modbus. Its PDUs have a mark byte, a length byte (of the whole PDU) and a function byte.
 * No permit allows the function TOY_FORBIDDEN, and P_TOY_READS none above TOY_READ_MAX. To be
 * included in one file of a program.
 */
#ifndef SEKISHO_TESTS_INSPECT_DESK_H
#define SEKISHO_TESTS_INSPECT_DESK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "dpi/enforcers.h"
#include "dpi/inspect/inspect.h"
#include "dpi/judge.h"
#include "dpi/lasting.h"
#include "dpi/pending.h"
#include "tests/unit/dpi/exact.h"

#define DESK_MAY_IDLE __attribute__((unused))

/* A test of another protocol defines these before it includes this file: the protocol of the rows,
 * and their codes. */
#ifndef DESK_PROTOCOL
#define DESK_PROTOCOL PROTO_MODBUS
/* The codes of all permits, as two ranges, and the codes of P_TOY_READS. */
#define DESK_CODES                                                                                                     \
	{ 0, TOY_FORBIDDEN - 1 }, { TOY_FORBIDDEN + 1, 255 },                                                          \
	{                                                                                                              \
		0, TOY_READ_MAX                                                                                        \
	}
#endif

/* ---- the clock ---- */

static uint64_t desk_now = 1000000000u;

struct mono clock_mono(void)
{
	return (struct mono){ desk_now };
}

uint64_t clock_wall_ns(void)
{
	return desk_now;
}

/* ---- the toy protocol ---- */

#define TOY_MARK 0xa5
#define TOY_MIN 4u
#define TOY_MAX 64u
#define TOY_FORBIDDEN 0xee
#define TOY_READ_MAX 9
#define TOY_FEW 4u /* open requests, under P_TOY_FEW */

static bool toy_reads_only(uint32_t permit);
static bool toy_few(uint32_t permit);
/* The enforcer that is used in place of Modbus; a test may set its own. */
static const struct enforcer *desk_enforcer;

static enum frame_result toy_frame(const void *state, enum direction dir, struct bytes head, size_t *ret_len)
{
	uint8_t mark, len;

	(void)state;
	(void)dir;
	if (!bytes_u8(&head, &mark))
		return FRAME_NEED_MORE;
	if (mark != TOY_MARK)
		return FRAME_BAD;
	if (!bytes_u8(&head, &len))
		return FRAME_NEED_MORE;
	if (len < TOY_MIN || len > TOY_MAX)
		return FRAME_BAD;
	if (head.left < len - 2u)
		return FRAME_NEED_MORE;
	*ret_len = len;
	return FRAME_WHOLE;
}

static void toy_parse(const void *state, enum direction dir, struct bytes pdu, struct parsed *ret)
{
	uint8_t function;

	(void)state;
	ret->asks = dir == DIR_C2S;
	ret->wrong = R_ALLOWED;
	bytes_skip(&pdu, 2);
	bytes_u8(&pdu, &function);
	ret->operations[ret->n++] = (struct operation){ .service = function, .space = SPACE_NONE };
}

/* The state: the requests without an answer. */
struct toy {
	struct pending wait;
	struct pending_entry open[TOY_FEW];
};

static void toy_asked(void *state, const struct parsed *p, const struct ruling *r, struct pdu *ret)
{
	struct toy *s = state;

	(void)p;
	if (r->grant == NULL || !toy_few(r->grant->conduit))
		return;
	if (pending_room(desk_enforcer, s, ret))
		s->open[s->wait.n++] = (struct pending_entry){ r->choice, (uint8_t)ret->reason, 0, 0 };
}

static void toy_answered(void *state, struct bytes pdu, const struct allowance *by, struct pdu *ret)
{
	struct toy *s = state;
	uint8_t function;

	if (s->wait.n > 0)
		pending_answered(&s->wait, s->open, sizeof(s->open[0]), 0);
	bytes_skip(&pdu, 2);
	bytes_u8(&pdu, &function);
	ret->function = function;
	ret->allowed =
		ret->function != TOY_FORBIDDEN && !(toy_reads_only(by->permit->permit) && ret->function > TOY_READ_MAX);
	ret->reason = ret->allowed ? R_ALLOWED : R_MODBUS_FUNCTION;
	ret->conduit = by->table->grants[by->permit->first_grant].conduit;
	ret->line = by->table->grants[by->permit->first_grant].line;
}

static const struct enforcer toy = { .protocol = DESK_PROTOCOL,
				     .pdu_max = TOY_MAX,
				     .state_size = sizeof(struct toy),
				     .datagrams = 2,
				     .open = PENDING_IN(struct toy, TOY_FEW),
				     .frame = toy_frame,
				     .malformed = R_MODBUS_FRAME,
				     .pending = R_MODBUS_PENDING,
				     .parse = toy_parse,
				     .asked = toy_asked,
				     .answered = toy_answered };

static const struct enforcer *desk_enforcer = &toy;

const struct enforcer *enforcer_of(enum protocol p)
{
	return p == desk_enforcer->protocol ? desk_enforcer : NULL;
}

/* What reads lasting subscriptions; a test may set it. */
static const struct lasting_reader *desk_lasting;

const struct lasting_reader *lasting_reader_of(enum protocol p)
{
	return p == desk_enforcer->protocol ? desk_lasting : NULL;
}

enum reason enforcer_malformed(enum protocol p)
{
	(void)p;
	return desk_enforcer->malformed;
}

/* ---- the outside ---- */

#define DESK_IDS 8192u
#define DESK_LOG 4096u

static struct {
	uint8_t outcome[DESK_IDS]; /* outcome by packet id; 0 = not decided */
	bool again;		   /* the packet has to be shown again (PERMIT_TWIN) */
	uint32_t judged_as;	   /* the permit of the last verdict */
	uint32_t twice;		   /* number of decisions for an id that was already decided */
	uint16_t why[DESK_IDS];	   /* by packet id: the reason that the outside was told */
	/* the bare acknowledgements of the flow of the last accepted packet need not come to the
	 * inspector */
	bool quiet;
	struct reset_record resets[DESK_LOG];
	size_t n_resets;
	struct event events[DESK_LOG];
	size_t n_events;
	struct pdu pdus[DESK_LOG];
	size_t n_pdus;
	struct {
		struct flow_info info;
		enum event_verdict v;
		enum reason r;
		uint32_t frame;
	} flows[DESK_LOG];
	size_t n_flows;
} desk;

static void desk_hear_decision(void *ctx, uint16_t queue, uint32_t id, enum outcome o, uint32_t permit, enum reason r)
{
	(void)ctx;
	(void)queue;
	if (permit == PERMIT_TWIN) {
		if (desk.outcome[id % DESK_IDS] != 0)
			abort(); /* it was decided already */
		desk.again = true;
		return;
	}
	desk.judged_as = permit;
	desk.why[id % DESK_IDS] = (uint16_t)r;
	if (desk.outcome[id % DESK_IDS] != 0)
		desk.twice++;
	desk.quiet = o == OUTCOME_QUIET;
	desk.outcome[id % DESK_IDS] = (uint8_t)(o == OUTCOME_QUIET ? OUTCOME_ACCEPT : o);
}

static void desk_hear_reset(void *ctx, const struct reset_record *r)
{
	(void)ctx;
	if (desk.n_resets < DESK_LOG)
		desk.resets[desk.n_resets++] = *r;
}

static void desk_hear_event(void *ctx, const struct event *e)
{
	(void)ctx;
	if (desk.n_events < DESK_LOG)
		desk.events[desk.n_events++] = *e;
}

static void desk_hear_pdu(void *ctx, const struct flow_info *f, const struct pdu *p, bool observe, uint32_t frame)
{
	(void)ctx;
	(void)f;
	(void)observe;
	(void)frame;
	if (desk.n_pdus < DESK_LOG)
		desk.pdus[desk.n_pdus++] = *p;
}

static void desk_hear_flow(void *ctx, const struct flow_info *f, enum event_verdict v, enum reason r, uint32_t frame)
{
	(void)ctx;
	if (desk.n_flows >= DESK_LOG)
		return;
	desk.flows[desk.n_flows].info = *f;
	desk.flows[desk.n_flows].v = v;
	desk.flows[desk.n_flows].r = r;
	desk.flows[desk.n_flows++].frame = frame;
}

static const struct outside desk_outside = { .decide = desk_hear_decision,
					     .reset = desk_hear_reset,
					     .event = desk_hear_event,
					     .pdu = desk_hear_pdu,
					     .flow = desk_hear_flow };

/* ---- permits ---- */

enum desk_permit {
	P_TOY = 1, /* commands, enforce, reset */
	P_TOY_OBSERVE,
	P_TOY_PICK_UP,
	P_TOY_DROP, /* midstream: drop */
	P_TLS,
	P_SSH,
	P_HTTP,
	P_POSTGRESQL,
	P_DNS,
	P_MIXED, /* toy and HTTP on one lane for commands */
	P_TCP,	 /* transport only */
	P_TLS_OBSERVE,
	P_TLS_LATE, /* TLS with undecided_bytes 8 */
	P_TLS_OR_SSH,
	P_TOY_2,	    /* as P_TOY, with another id */
	P_TOY_HOLD,	    /* when the queue is full, live flows pass */
	P_TOY_HOLD_PICK_UP, /* ... and midstream: pick up */
	P_TOY_SAFETY,	    /* as P_TOY, with criticality safety */
	P_TOY_READS,	    /* fewer functions than P_TOY */
	P_TOY_FEW,	    /* allows only few open requests */
	P_MIXED_LATE,	    /* as P_MIXED, with undecided_bytes 64 */
	P_MIXED_HOLD,	    /* as P_MIXED, and live flows pass when the queue is full */
	P_TLS_DENY,	    /* weak TLS is denied */
	P_TLS_DENY_OBSERVE, /* ... or would be */
	P_TLS_DENY_MIXED,   /* ... on a lane for commands */
	P_TLS_DENY_HOLD,    /* ... and live flows pass when the queue is full; undecided_bytes 8 */
	/* midstream: pick up, on a conduit for which no flow can be picked up */
	P_TLS_PICK_UP,
	P_ONE, /* desk_one */
	P_COUNT
};

static bool denies_weak_tls(uint32_t permit)
{
	return permit >= P_TLS_DENY && permit <= P_TLS_DENY_HOLD;
}

static bool toy_few(uint32_t permit)
{
	return permit == P_TOY_FEW;
}

static bool toy_reads_only(uint32_t permit)
{
	return permit == P_TOY_READS;
}

struct desk_row {
	enum lane_kind kind;
	bool observe;
	enum midstream midstream;
	uint16_t port;
	enum protocol protocols[2];
	uint32_t undecided;
};

static const struct desk_row desk_rows[P_COUNT] = {
	[P_TOY] = { LANE_COMMANDS, false, MID_RESET, 502, { DESK_PROTOCOL }, 0 },
	[P_TOY_OBSERVE] = { LANE_COMMANDS, true, MID_RESET, 502, { DESK_PROTOCOL }, 0 },
	[P_TOY_PICK_UP] = { LANE_COMMANDS, false, MID_PICK_UP, 502, { DESK_PROTOCOL }, 0 },
	[P_TOY_DROP] = { LANE_COMMANDS, false, MID_DROP, 502, { DESK_PROTOCOL }, 0 },
	[P_TLS] = { LANE_NAMING, false, MID_RESET, 443, { PROTO_TLS }, 0 },
	[P_SSH] = { LANE_NAMING, false, MID_RESET, 22, { PROTO_SSH }, 0 },
	[P_HTTP] = { LANE_NAMING, false, MID_RESET, 80, { PROTO_HTTP }, 0 },
	[P_POSTGRESQL] = { LANE_NAMING, false, MID_RESET, 5432, { PROTO_POSTGRESQL }, 0 },
	[P_DNS] = { LANE_NAMING, false, MID_RESET, 53, { PROTO_DNS }, 0 },
	[P_MIXED] = { LANE_COMMANDS, false, MID_RESET, 502, { DESK_PROTOCOL, PROTO_HTTP }, 0 },
	[P_TCP] = { LANE_COMMANDS, false, MID_RESET, 9000, { PROTO_TCP }, 0 },
	[P_TLS_OBSERVE] = { LANE_NAMING, true, MID_RESET, 443, { PROTO_TLS }, 0 },
	[P_TLS_LATE] = { LANE_NAMING, false, MID_RESET, 443, { PROTO_TLS }, 8 },
	[P_TLS_OR_SSH] = { LANE_NAMING, false, MID_RESET, 443, { PROTO_TLS, PROTO_SSH }, 0 },
	[P_TOY_2] = { LANE_COMMANDS, false, MID_RESET, 502, { DESK_PROTOCOL }, 0 },
	[P_TOY_HOLD] = { LANE_COMMANDS, false, MID_RESET, 502, { DESK_PROTOCOL }, 0 },
	[P_TOY_SAFETY] = { LANE_COMMANDS, false, MID_RESET, 502, { DESK_PROTOCOL }, 0 },
	[P_TOY_HOLD_PICK_UP] = { LANE_COMMANDS, false, MID_PICK_UP, 502, { DESK_PROTOCOL }, 0 },
	[P_MIXED_LATE] = { LANE_COMMANDS, false, MID_RESET, 502, { DESK_PROTOCOL, PROTO_HTTP }, 64 },
	[P_MIXED_HOLD] = { LANE_COMMANDS, false, MID_RESET, 502, { DESK_PROTOCOL, PROTO_HTTP }, 0 },
	[P_TOY_FEW] = { LANE_COMMANDS, false, MID_RESET, 502, { DESK_PROTOCOL }, 0 },
	[P_TOY_READS] = { LANE_COMMANDS, false, MID_RESET, 502, { DESK_PROTOCOL }, 0 },
	[P_TLS_DENY] = { LANE_NAMING, false, MID_RESET, 443, { PROTO_TLS }, 0 },
	[P_TLS_DENY_OBSERVE] = { LANE_NAMING, true, MID_RESET, 443, { PROTO_TLS }, 0 },
	[P_TLS_DENY_MIXED] = { LANE_COMMANDS, false, MID_RESET, 443, { DESK_PROTOCOL, PROTO_TLS }, 0 },
	[P_TLS_DENY_HOLD] = { LANE_NAMING, false, MID_RESET, 443, { PROTO_TLS }, 8 },
	[P_TLS_PICK_UP] = { LANE_NAMING, false, MID_PICK_UP, 443, { PROTO_TLS }, 0 },
	[P_ONE] = { LANE_NAMING, false, MID_RESET, 7000, { PROTO_SSH }, 0 },
};

static enum protocol desk_one = PROTO_SSH; /* what P_ONE promises */

static struct lane desk_lane(uint32_t permit)
{
	bool hold = permit == P_TOY_HOLD || permit == P_TOY_HOLD_PICK_UP || permit == P_MIXED_HOLD ||
		    permit == P_TLS_DENY_HOLD;

	return (struct lane){ desk_rows[permit].kind, permit == P_TOY_SAFETY ? CRIT_SAFETY : CRIT_CARGO,
			      hold ? FAIL_HOLD : FAIL_CLOSED, hold ? FAIL_HOLD : FAIL_CLOSED };
}

static bool desk_observes; /* every permit only observes, as for a capture */
/* in front of each permit's grants there is the grant of a shadow */
static bool desk_shadows;
/* the TLS names that the conduits declare, in the form of the table */
static const char *desk_names = "";

/* An image of rows first .. P_COUNT-1 (malloc'd). */
static uint8_t *desk_image(unsigned first, size_t *ret_n)
{
	struct command_permit permits[P_COUNT];
	struct command_grant grants[3 * P_COUNT];
	struct number_range ranges[P_COUNT + 4] = { DESK_CODES, { 0, 0 } };
	struct command_row rows[2] = { { .services = { .first = 0, .n = 2 }, .spaces_any = true, .values.any = true },
				       { .services = { .first = 2, .n = 1 }, .spaces_any = true, .values.any = true } };
	struct command_table t = {
		.permits = permits, .grants = grants, .rows = rows, .n_rows = 2, .ranges = ranges, .n_ranges = 4
	};
	uint8_t names[256];
	struct outbuf o;
	uint8_t *p;

	t.n_names = (uint32_t)strlen(desk_names);
	memcpy(names, desk_names, t.n_names);
	t.names = names;
	for (unsigned k = 0; k < TARGET_MAX; k++)
		rows[0].targets[k].any = rows[1].targets[k].any = true;
	memset(permits, 0, sizeof(permits));
	memset(grants, 0, sizeof(grants));
	for (unsigned i = first; i < P_COUNT; i++) {
		const struct desk_row *row = &desk_rows[i];
		struct command_permit *permit = &permits[t.n_permits++];

		*permit = (struct command_permit){ .permit = i,
						   .lane = lane_number(desk_lane(i)),
						   .observe = row->observe || desk_observes,
						   .midstream = (uint8_t)row->midstream,
						   .deny_weak_tls = denies_weak_tls(i),
						   .ports = { .first = t.n_ranges, .n = 1 },
						   .first_grant = t.n_grants };
		ranges[t.n_ranges++] = (struct number_range){ row->port, row->port };
		if (desk_shadows) {
			grants[t.n_grants++] = (struct command_grant){ .conduit = P_COUNT,
								       .protocol = DESK_PROTOCOL,
								       /* as P_TOY_READS */
								       .first_row = 1,
								       .n_rows = 1,
								       .shadow = true };
			permit->n_grants++;
		}
		for (unsigned k = 0; k < 2 && row->protocols[k] != PROTO_NONE; k++, permit->n_grants++)
			grants[t.n_grants++] = (struct command_grant){
				.conduit = i,
				.line = 100 + i,
				.protocol = (uint16_t)(i == P_ONE ? desk_one : row->protocols[k]),
				.whole = row->protocols[k] != DESK_PROTOCOL,
				.first_row = row->protocols[k] == DESK_PROTOCOL && toy_reads_only(i),
				.n_rows = row->protocols[k] == DESK_PROTOCOL,
				.n_names = row->protocols[k] == PROTO_TLS ? (uint32_t)strlen(desk_names) : 0,
				.undecided_bytes = row->undecided
			};
	}
	*ret_n = commands_size(&t);
	p = malloc(*ret_n);
	o = outbuf_of(p, *ret_n);
	if (p == NULL || !commands_encode(&t, &o))
		abort();
	*ret_n = o.len;
	return p;
}

/* ---- the inspector under test ---- */

static struct inspector *desk_i;
static uint32_t desk_id;

/* What stands before the inspector (lent.h), if anything. */
static struct {
	/* the packet goes on, and the inspector never sees it */
	bool (*passes)(const struct packet *p);
	void (*after)(void); /* the inspector has seen the packet */
	void (*begin)(void); /* a session begins; earlier ones do not go on */
	void (*speak)(void); /* it is open, and its protocol has begun */
	void (*look)(void);  /* time has passed */
	struct offer *offer;
} desk_front;

/* Forgets what was decided. A fuzz target may then count ids from 0 again, and little has to be
 * cleared. */
static void desk_clear(void)
{
	memset(desk.outcome, 0, desk_id < DESK_IDS ? desk_id + 1 : DESK_IDS);
	desk.twice = 0;
	desk.n_resets = desk.n_events = desk.n_pdus = desk.n_flows = 0;
}

DESK_MAY_IDLE static void desk_open(struct inspector_limits l)
{
	uint8_t digest[32];
	size_t n;
	uint8_t *image = desk_image(1, &n);

	l.offer = desk_front.offer;
	l.outside = desk_outside;
	desk_i = inspector_new(&l);
	if (desk_i == NULL || !inspector_table(desk_i, bytes_of(image, n), digest))
		abort();
	free(image);
	desk_clear();
}

DESK_MAY_IDLE static void desk_close(void)
{
	inspector_free(desk_i);
	desk_i = NULL;
}

/* ---- packets ---- */

struct conn {
	uint8_t family;
	uint16_t client_port, server_port;
	uint32_t permit;
	uint32_t c, s; /* next sequence numbers of client and server */
	uint8_t host;  /* the client's host number; 0: the first client */
};

#define DESK_FIN 1u
#define DESK_SYN 2u
#define DESK_RST 4u
#define DESK_PSH 8u
#define DESK_ACK 16u
#define DESK_URG 32u

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* Writes an IP header at p, in front of `n` bytes of transport, and fills in both checksums. The
 * transport's checksum is `at` bytes behind the IP header. */
static size_t desk_ip(uint8_t *p, const struct conn *k, enum direction dir, uint8_t proto, size_t n, size_t at)
{
	size_t h = k->family == 4 ? 20 : 40;
	uint8_t tail[4] = { 0, proto, (uint8_t)(n >> 8), (uint8_t)n };
	uint32_t sum;

	memset(p, 0, h);
	if (k->family == 4) {
		uint8_t client[4] = { 10, 20, 0, 10 }, server[4] = { 10, 30, 1, 10 };

		p[0] = 0x45;
		put16(p + 2, (uint32_t)(h + n));
		p[8] = 64;
		p[9] = proto;
		client[3] = (uint8_t)(client[3] + k->host);
		memcpy(p + 12, dir == DIR_C2S ? client : server, 4);
		memcpy(p + 16, dir == DIR_C2S ? server : client, 4);
		put16(p + 10, ~sum16(0, p, 20) & 0xffff);
		sum = sum16(0, p + 12, 8);
	} else {
		uint8_t client[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 }, server[16] = { 0x20, 1, 0xd, 0xb8, [15] = 2 };

		p[0] = 0x60;
		put16(p + 4, (uint32_t)n);
		p[6] = proto;
		p[7] = 64;
		memcpy(p + 8, dir == DIR_C2S ? client : server, 16);
		memcpy(p + 24, dir == DIR_C2S ? server : client, 16);
		sum = sum16(0, p + 8, 32);
	}
	sum = sum16(sum, tail, 4);
	put16(p + h + at, 0);
	put16(p + h + at, ~sum16(sum, p + h, n) & 0xffff);
	return h + n;
}

static uint8_t desk_packet[70000];

/* Whether the packet mark names the direction, as on a box. */
static bool desk_directed;

/* The mark of a datagram's twin, from its own. NULL: nothing allows a twin. */
static uint32_t (*desk_twin)(uint32_t mark);

/* Hands a packet in and returns its id. */
static uint32_t desk_hand_as(size_t n, uint32_t mark, bool unready)
{
	uint32_t id = ++desk_id;
	struct packet p = { .queue = 1000,
			    .id = id,
			    .mark = mark,
			    .directed = desk_directed,
			    .checksums = unready ? CHECKSUM_UNREADY : CHECKSUM_STRICT,
			    .frame = id };
	const uint8_t *exact = exact_copy(desk_packet, n);

	p.ip = bytes_of(exact, n);
	desk.outcome[p.id % DESK_IDS] = 0;
	if (desk_front.passes != NULL && desk_front.passes(&p)) {
		desk.outcome[p.id % DESK_IDS] = OUTCOME_ACCEPT;
	} else {
		desk.again = false;
		inspector_packet(desk_i, &p);
		if (desk.again) { /* the rules show it again, as its twin's or as it was */
			p.mark = (desk_twin != NULL ? desk_twin(mark) : mark) | MARK_TWIN;
			inspector_packet(desk_i, &p);
		}
		if (desk_front.after != NULL)
			desk_front.after();
	}
	exact_done(exact, n);
	return p.id;
}

DESK_MAY_IDLE static uint32_t desk_hand(size_t n, uint32_t permit, uint32_t lane, bool unready)
{
	return desk_hand_as(n, mark_make(permit, lane, MARK_UNJUDGED), unready) % DESK_IDS;
}

/* number of 32-bit words at the beginning of the payload that are TCP options */
static unsigned desk_option_words;

static size_t desk_tcp(const struct conn *k, enum direction dir, uint32_t seq, uint32_t ack, unsigned flags,
		       const void *payload, size_t n)
{
	uint8_t *t = desk_packet + (k->family == 4 ? 20 : 40);

	memset(t, 0, 20);
	put16(t, dir == DIR_C2S ? k->client_port : k->server_port);
	put16(t + 2, dir == DIR_C2S ? k->server_port : k->client_port);
	put32(t + 4, seq);
	put32(t + 8, flags & DESK_ACK ? ack : 0);
	t[12] = (uint8_t)((5 + desk_option_words) << 4);
	t[13] = (uint8_t)flags;
	put16(t + 14, 65535);
	if (n > 0)
		memcpy(t + 20, payload, n);
	return desk_ip(desk_packet, k, dir, 6, 20 + n, 16);
}

/* Hands in any segment; returns its outcome so far (0 = it waits). */
DESK_MAY_IDLE static unsigned desk_segment(const struct conn *k, enum direction dir, uint32_t seq, uint32_t ack,
					   unsigned flags, const void *payload, size_t n)
{
	size_t size = desk_tcp(k, dir, seq, ack, flags, payload, n);

	uint32_t mark = mark_make(k->permit, lane_number(desk_lane(k->permit)), MARK_UNJUDGED);

	return desk.outcome[desk_hand_as(size, dir == DIR_S2C ? mark | MARK_REPLY : mark, size > 9000) % DESK_IDS];
}

/* Hands in a datagram; returns its outcome. */
DESK_MAY_IDLE static unsigned desk_datagram(const struct conn *k, enum direction dir, const void *payload, size_t n)
{
	uint8_t *t = desk_packet + (k->family == 4 ? 20 : 40);
	uint32_t mark = mark_make(k->permit, lane_number(desk_lane(k->permit)), MARK_UNJUDGED);
	size_t size;

	put16(t, dir == DIR_C2S ? k->client_port : k->server_port);
	put16(t + 2, dir == DIR_C2S ? k->server_port : k->client_port);
	put16(t + 4, (uint32_t)(8 + n));
	if (n > 0)
		memcpy(t + 8, payload, n);
	size = desk_ip(desk_packet, k, dir, 17, 8 + n, 6);
	return desk.outcome[desk_hand_as(size, dir == DIR_S2C ? mark | MARK_REPLY : mark, false) % DESK_IDS];
}

/* Sends payload in order; the sequence numbers of the connection advance if it was accepted. */
DESK_MAY_IDLE static unsigned desk_send(struct conn *k, enum direction dir, const void *payload, size_t n)
{
	uint32_t *seq = dir == DIR_C2S ? &k->c : &k->s;
	unsigned o = desk_segment(k, dir, *seq, dir == DIR_C2S ? k->s : k->c, DESK_ACK | DESK_PSH, payload, n);

	if (o >= OUTCOME_ACCEPT)
		*seq += (uint32_t)n;
	return o;
}

DESK_MAY_IDLE static unsigned desk_text(struct conn *k, enum direction dir, const char *text)
{
	return desk_send(k, dir, text, strlen(text));
}

/* Plays a handshake: SYN, SYN|ACK, ACK. */
DESK_MAY_IDLE static unsigned desk_handshake(struct conn *k)
{
	unsigned o = desk_segment(k, DIR_C2S, k->c, 0, DESK_SYN, NULL, 0);

	o &= desk_segment(k, DIR_S2C, k->s, k->c + 1, DESK_SYN | DESK_ACK, NULL, 0);
	k->c++;
	k->s++;
	return o & desk_segment(k, DIR_C2S, k->c, k->s, DESK_ACK, NULL, 0);
}

DESK_MAY_IDLE static struct conn desk_conn(uint32_t permit)
{
	static uint16_t port = 40000;

	return (struct conn){ .family = 4,
			      .client_port = ++port,
			      .server_port = desk_rows[permit].port,
			      .permit = permit,
			      .c = 0xfffffff0u,
			      .s = 77000u };
}

/* Writes a toy PDU of `len` bytes to `out`. */
DESK_MAY_IDLE static size_t toy_pdu(uint8_t *out, uint8_t len, uint8_t function)
{
	memset(out, 0, len);
	out[0] = TOY_MARK;
	out[1] = len;
	out[2] = function;
	for (uint8_t i = 3; i < len; i++)
		out[i] = (uint8_t)(i * 7u + function);
	return len;
}

DESK_MAY_IDLE static size_t desk_count(enum event_kind kind, enum reason r)
{
	size_t n = 0;

	for (size_t i = 0; i < desk.n_events; i++)
		n += desk.events[i].kind == kind && desk.events[i].reason == r;
	return n;
}

#endif
