/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed rules around the maps, as symbols: chains, statements, keys. They depend only on the
 * lanes in use, the maps of cells in use and the session limits; enforce writes them to the
 * kernel and reads them back, the renderer makes text of them.
 */
#ifndef SEKISHO_POLICY_IR_RULES_H
#define SEKISHO_POLICY_IR_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/wire/lane.h"
#include "appliance/wire/reason.h"
#include "policy/ir/sets.h"

struct arena;
struct ir_limits;
struct ir;
struct ir_permit;

enum ir_chain {
#define CHAIN(id, ...) id,
#include "policy/ir/chains.def"
	CHAIN_LANE_FIRST, /* + lane number: queues of that lane */
	CHAIN_COUNT = CHAIN_LANE_FIRST + LANE_COUNT
};
enum ir_stmt_kind {
	/* matches: the rule goes on when they hold */
	IR_CT_STATE,   /* a: bit set of CT_* below; any */
	IR_FAMILY,     /* a: 4 or 6 */
	IR_L4PROTO,    /* a: protocol number */
	IR_ICMP_TYPE,  /* a: type (of the family's ICMP; the rule has IR_L4PROTO before it) */
	IR_ICMP_BELOW, /* a: the type is less than this; otherwise as IR_ICMP_TYPE */
	IR_HOPLIMIT,   /* a: value (IPv6) */
	/* IPv4 header longer than 20 bytes, or an IPv6 extension header of any kind */
	IR_IP_OPTIONS,
	/* a: family, b: protocol: the packet has no options or extensions, and this protocol's
	 * header directly follows the IP header */
	IR_PLAIN,
	/* the source address is not routed through the interface where the packet came in, or is
	 * one of the box's own */
	IR_UNROUTED,
	IR_TCP_FLAGS,	 /* (flags & a) == b */
	IR_TCP_OPTION,	 /* a TCP header with option a */
	IR_CT_DIRECTION, /* a: 0 original, 1 reply */
	IR_MARK,	 /* (packet mark & a) == b */
	IR_MARK_NOT,	 /* (packet mark & a) != b */
	IR_CTMARK,	 /* (conntrack mark & a) == b */
	IR_CTMARK_NOT,	 /* (conntrack mark & a) != b */
	/* a: family, b: words of the TCP header: the segment carries no data; only after
	 * IR_PLAIN */
	IR_TCP_BARE,
	/*
	 * a: enum lane_kind. The verdict cache (appliance/wire/once.h) knows the packet: it opens a
	 * session. In a lane with commands, it may also repeat, in its turn, a request that a
	 * worker judged in this session under this permit, or answer such a request
	 */
	IR_ONCE,
	IR_LIMIT, /* a: packets per second, b: burst */
	/* set, key a: one rate per element, b a second with a burst of c; holds while the rate is
	 * not exceeded */
	IR_PACE,
	/* set, key a: counts tracked sessions per element; holds when there are more than b */
	IR_CROWD,
	IR_IN_SET, /* set: IR key of that set is a member. a: enum ir_key */
	IR_NOT_IN_SET,
	/* lookups: the rule ends when nothing is found */
	/* packet mark = live[iif . direction . ct mark without outcome]; a: continues only when the
	 * found mark equals it, 0 = any */
	IR_LIVE,
	IR_ADMIT, /* conntrack mark = set[key a], outcome 0 */
	IR_TWIN,  /* packet mark = set[key a] without limits */
	/* the permits of set[key a] and of the packet mark agree: a member of SET_AGREE */
	IR_TWIN_AGREES,
	IR_KNOWN, /* set[key a] exists; result unused */
	/* actions */
	IR_TCP_STRIP,	/* the first TCP option of kind a becomes padding */
	IR_SET_MARK,	/* packet mark = a */
	IR_ADD_MARK,	/* packet mark |= a */
	IR_ARRIVED,	/* packet mark = mark_arrived() of the interface that it came in at */
	IR_COPY_MARK,	/* packet mark = conntrack mark & ~a */
	IR_SET_OUTCOME, /* conntrack mark = (conntrack mark & ~outcome) | a */
	IR_FORGET,	/* conntrack mark &= ~a */
	/* adds key a to the set with the timeout of limit b (IR_LIMIT). An existing element keeps
	 * its timeout, except in SET_IDLES, where it is renewed. */
	IR_KEEP,
	IR_COUNT, /* named counter of reason a */
	IR_LOG,	  /* NFLOG, prefix = reason a's word, limited to b records per second */
	/* verdicts */
	IR_ACCEPT,
	IR_DROP,
	IR_GOTO, /* a: enum ir_chain */
	/* by lane of the packet mark: FAST -> accept, lane n -> the chain of lane n, for lanes in
	 * use; also with TWIN */
	IR_GOTO_LANE,
	/* by outcome bits of the packet mark: good, quiet, confirmed and unjudged each go to a
	 * chain */
	IR_GOTO_OUTCOME,
	/* by lane of the packet mark: the chain of its failure setting, hold or open; closed lanes
	 * continue with the next rule */
	IR_GOTO_UNANSWERED,
	/* a: lane, b: 1 = bypass; c: 0 = the queues of all slots of the lane, chosen by address
	 * hash, 1 = the queue of one slot (lane.h) */
	IR_QUEUE,

};

#define CT_NEW 1u
#define CT_ESTABLISHED 2u
#define CT_RELATED 4u
#define CT_INVALID 8u

/* How a key is taken from a packet. */
enum ir_key {
	/* saddr . daddr . l4proto . destination port (or ICMP type, code) . iif . oif */
	KEY_PACKET,
	/* daddr . saddr . l4proto . source port . oif . iif: a reply without a session */
	KEY_PACKET_BACK,
	/* original tuple of the session . iif . oif: a packet of the original direction */
	KEY_ORIGINAL,
	KEY_ORIGINAL_BACK, /* original tuple . oif . iif: a packet of the reply direction */
	KEY_AGREE,	   /* packet mark & permit . conntrack mark & permit */
	/* conntrack mark & permit, twice: whether the session's own permit is live (sets SET_AGREE,
	 * SET_TOGETHER) */
	KEY_CT_PERMIT,
	KEY_RESET,     /* packet mark & lane . conntrack mark & lane (set SET_RESETS) */
	KEY_HOME,      /* oif . packet mark (set SET_HOME) */
	KEY_FAMILY,    /* 4 or 6 as the kernel has it (sets SET_PARTED, SET_SWITCH) */
	KEY_PACE_PAIR, /* saddr . daddr . conntrack mark & lane */
	KEY_PACE_ZONE, /* iif . conntrack mark & lane */
	/* iif . packet mark that the guard has set for this interface (set SET_PACE_LINK) */
	KEY_PACE_LINK,
	/* saddr . daddr . conntrack mark & lane . random part below IR_PAIR_PARTS */
	KEY_SHARE_PAIR,
	KEY_SHARE_ZONE, /* iif . conntrack mark & lane . random part below IR_ZONE_PARTS */
	/* source and destination of the session's original direction (sets SET_APART4 and so on) */
	KEY_ENDS,
	KEY_LIMITED, /* conntrack mark & permit . statement's b (set SET_LIMITED) */
	KEY_SESSION, /* the kernel's number of the session (sets SET_AGES, SET_IDLES) */
	/* source and destination of the session's original direction, and its permit (sets
	 * SET_KEPT4 and so on) */
	KEY_ENDS_PERMIT,
	/* source and destination of the session's original direction, and permit 0: whether some
	 * permit is kept between them (sets SET_KEPT4 and so on) */
	KEY_ENDS_ANY,
};
/* Added to KEY_ENDS, KEY_ENDS_PERMIT or KEY_ENDS_ANY: the same of the session's twin, whose
 * original direction is the other one, and whose permit is in the packet mark. */
#define KEY_TWIN 0x100u

struct ir_stmt {
	enum ir_stmt_kind kind;
	enum ir_set set;
	uint32_t a, b, c;
};

#define IR_STMTS 10

struct ir_rule {
	enum ir_chain chain;
	uint32_t n;
	struct ir_stmt stmts[IR_STMTS];
	uint32_t line; /* policy line, 0 = belongs to every policy */
};

const char *ir_chain_name(enum ir_chain c, char buf[16]); /* "forward", "lane_17" */
/*
 * All rules of all chains, in order. They depend only on the lanes in use (bit n = lane n), the
 * maps of cells in use and the session limits. Returns the count; rules in the arena.
 */
size_t ir_skeleton(uint64_t lanes, struct ir_maps maps, const struct ir_limits *limits, struct arena *a,
		   struct ir_rule **ret);
/* Whether at least one of these rules counts this reason, and all that count it also log it. */
bool ir_logged(const struct ir_rule *rules, size_t n, uint32_t reason);

#endif
