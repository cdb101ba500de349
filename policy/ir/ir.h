/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule IR: the compiled policy as plain data, and the fixed rule skeleton as symbolic rules.
 *
 * A generation holds: box facts, zones, conduits (for names and lines), permits, cells, the command
 * table in permit *index* order, the source texts, and a SHA-256 over all of it. Permit ids belong
 * to the box and are not part of it: where the kernel or a worker needs ids, a map (u32 per permit
 * index) comes with the generation. The same policy gives the same bytes everywhere.
 *
 * Readers: the supervisor (devices, workers), enforce (netlink batch, read-back), control, the
 * journal (names), replay, the renderers, evaluate_ir, and policy_raise for questions.
 */
#ifndef SEKISHO_POLICY_IR_IR_H
#define SEKISHO_POLICY_IR_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/arena.h"
#include "appliance/base/bytes.h"
#include "appliance/base/diag.h"
#include "appliance/base/err.h"
#include "appliance/wire/attack.h"
#include "appliance/wire/commands.h"
#include "appliance/wire/duty.h"
#include "appliance/wire/hours.h"
#include "appliance/wire/lane.h"
#include "appliance/wire/protocols.h"
#include "appliance/wire/reason.h"
#include "appliance/wire/settings.h"
#include "appliance/wire/vocabulary.h"

/*
 * The most different ends that can apply to one packet. For them, cells are in layers. Cells that
 * hold without end are in layer 0. A permit of conduits with n different ends is in layer n, and
 * ends with the earliest of them. Below it, layer n - 1 has what the other conduits allow together.
 * So even a kernel that can only let elements expire gives the right answer at every moment: the
 * highest layer that is left decides.
 */
#define IR_LAYERS 8u

/*
 * The maps over which the ranges of layer 0 are divided when there are many, because the kernel's
 * time to fill a map grows with the square of its elements. The bytes of a range decide its part,
 * so a change of policy moves no other range.
 */
#define IR_PARTS 16u
#define IR_PARTS_FROM 4096u /* ranges of a family, from which on they are divided */

/* The structures of a generation: objects.def has a row for each member, with its meaning and all
 * that is made of it. */
/* clang-format off */
#define OBJECT(tag) struct tag {
#define END(tag) };
#define TEXT(tag, member, ...) const char *member;
#define SOURCE_TEXT(tag, member, n, ...) const char *member; uint32_t n;
#define FLAG(tag, member, ...) bool member;
#define CHOICE(tag, type, member, ...) type member;
#define NUMBER(tag, type, member, ...) type member;
#define TIME(tag, member, ...) uint64_t member;
#define INDEX(tag, member, ...) uint32_t member;
#define INDEX_OR_NONE(tag, member, ...) uint32_t member;
#define INDEXES(tag, member, ...) uint32_t *member, n_##member;
#define ADDRESS_OR_NONE(tag, member, ...) struct addr member;
#define RANGE(tag, member, ...) struct addr_range member;
#define RANGES(tag, member, ...) struct addr_range *member; uint32_t n_##member;
#define HOSTS(tag, member, lengths, ...) struct addr *member; uint8_t *lengths; uint32_t n_##member;
#define TRANSPORT(tag, member, ...) uint8_t member;
#define PORTS(tag, least, most, ...) uint16_t least, most;
#define LANE(tag, member, ...) uint32_t member;
#define PROTOCOLS(tag, member, ...) struct protocol_set member;
#define DIGEST(tag, member, ...) uint8_t member[32];
#define LIST(tag, member, key, since, element) struct element *member; uint32_t n_##member;
#define BESIDE(declaration) declaration
/* clang-format on */
#include "policy/ir/objects.def"

/* The card that an interface needs. The box takes cards, and not VLANs, from the machine's network
 * namespace, and gives them back. */
static inline const char *ir_card(const struct ir_interface *i)
{
	return i->vlan != 0 ? i->card : i->device;
}

/* Whether an address is an IPv6 next hop of the box's routes. Hosts treat a next hop as a router
 * only while every neighbour advertisement for it has the router flag (RFC 4861, 7.2.5). So the box
 * sets the flag when it answers for a next hop. */
static inline bool ir_is_router(const struct ir *ir, const struct addr *a)
{
	for (uint32_t i = 0; a->family == 6 && i < ir->n_routes; i++)
		if (addr_cmp(&ir->routes[i].via, a) == 0)
			return true;
	return false;
}

/* Whether the cell is one pair of hosts at one port. In layer 0, exact cells are looked up before
 * ranges. */
static inline bool ir_cell_exact(const struct ir_cell *c)
{
	return c->layer == 0 && c->lo == c->hi && addr_cmp(&c->src.lo, &c->src.hi) == 0 &&
	       addr_cmp(&c->dst.lo, &c->dst.hi) == 0;
}

/* The end of every permit with hours in a sealed generation. It is long ago, so that a reader that
 * does not compute the real ends (moment.h) treats these permits as shut. */
#define IR_SHUT 1u
/* 2200-01-01: the end of a permit with hours that is open and has no end */
#define IR_NO_END 7258118400u

#define IR_SEALED_MAX (256u << 20)

/* Whether the bytes begin like a sealed generation. */
bool ir_is_sealed(struct bytes b);
/* Seals in the present version; the caller frees the bytes. Sets ir->digest and ir->version. */
int ir_seal(struct ir *ir, uint8_t **ret, size_t *ret_n, struct err *e);
/* Reads sealed bytes into the arena, and checks the digest and every index, count and order.
 * -ENOTSUP: another version of Sekisho sealed them, in a form that this one does not read. */
int ir_unseal(struct bytes b, struct arena *a, struct ir *ret, struct err *e);
/* Writes a permit's settings as bytes: its rows of objects.def except the identity, in sealed
 * form. */
void ir_put_settings(struct outbuf *o, const struct ir_permit *p);
#define IR_SETTINGS_MAX 128u /* room for the settings, in bytes */

/* ---- the skeleton: the rules around the maps, as symbols ------------------------------------- */

enum ir_chain {
	/* base chains, policy drop, never re-created */
	CHAIN_GUARD,
	CHAIN_INPUT,
	CHAIN_FORWARD,
	CHAIN_POST,
	CHAIN_LAST,
	CHAIN_OUTPUT,
	CHAIN_BEGUN,
	CHAIN_TAKEN,
	CHAIN_RELATED,
	CHAIN_BARE,
	CHAIN_NEW,
	CHAIN_LAPSED,
	CHAIN_RENEW,
	CHAIN_LOOKUP,
	CHAIN_RELABEL,
	CHAIN_INVALID,
	CHAIN_ADMIT,
	CHAIN_CUT,
	CHAIN_JUDGED_GOOD,
	CHAIN_JUDGED_QUIET,
	CHAIN_JUDGED_CONFIRMED,
	CHAIN_UNANSWERED,
	CHAIN_HOLD,
	CHAIN_OPEN,
	CHAIN_ANSWER,
	CHAIN_PACE,
	CHAIN_AGAIN,
	CHAIN_SHARE,
	CHAIN_FULL_PAIR,
	CHAIN_FULL_ZONE,
	CHAIN_APART,
	CHAIN_PARTED,
	CHAIN_FORGED,
	CHAIN_TWIN,
	CHAIN_TWIN_FOUND,
	CHAIN_TWIN_NONE,
	CHAIN_TWIN_POST,
	CHAIN_TWIN_LAST,
	CHAIN_TWIN_GOOD,
	CHAIN_AGED,
	CHAIN_IDLED,
	CHAIN_LANE_FIRST, /* + lane number: queues of that lane */
	CHAIN_COUNT = CHAIN_LANE_FIRST + LANE_COUNT
};

enum ir_set {
	/* map  iif . ct direction . ct mark without outcome -> mark (FAST, or permit and lane) */
	SET_LIVE,
	SET_AGREE, /* set  permit . permit of every live permit */
	/* set  permit . permit, for permits all of whose sessions must reach one worker:
	 * PROTO_COMPANIONS */
	SET_TOGETHER,
	/* set  permit . IR_LIMIT: how long sessions of the permit may last or be idle */
	SET_LIMITED,
	SET_UNTIL4, /* layer 1; layers up to IR_LAYERS follow */
	SET_EXACT4 = SET_UNTIL4 + IR_LAYERS,
	/* maps  source . destination . protocol . port . iif . oif -> mark; other parts follow */
	SET_RANGE4,
	SET_UNTIL6 = SET_RANGE4 + IR_PARTS,
	SET_EXACT6 = SET_UNTIL6 + IR_LAYERS,
	SET_RANGE6,
	SET_CELLS_END = SET_RANGE6 + IR_PARTS,
	/* set  packet mark (lane) . conntrack mark (lane): resets that the gate may send */
	SET_RESETS = SET_CELLS_END,
	SET_HOME, /* set  interface . the mark of packets that came in there */
	/* The following sets are filled by packets, to limit how fast sessions open and how many
	 * there are: see skeleton/sessions.c. */
	SET_PACE4, /* set  source . destination . lane: new sessions of a pair of hosts */
	SET_PACE6,
	SET_PACE_FEW,  /* set  iif . lane: new sessions of pairs that open few */
	SET_PACE_MANY, /* set  iif . lane: new sessions of all other pairs */
	SET_PACE_LINK, /* set  iif . packet mark: neighbour solicitations for the box itself */
	/* set  source . destination . lane . part: tracked sessions of a pair of hosts */
	SET_SHARE4,
	SET_SHARE6,
	SET_SHARE_ZONE, /* set  iif . lane . part: tracked sessions of an interface */
	/* set  id of a session that is not older than its conduit allows */
	SET_AGES,
	SET_IDLES, /* ... of a session that was not idle for longer than its conduit allows */
	/* Isolated traffic: sets  source . destination of a session's original direction; empty
	 * without isolations */
	SET_APART4,
	SET_APART6,
	/* the next contents of these sets, during a change only: see enforce/isolate.c */
	SET_APART4_NEXT,
	SET_APART6_NEXT,
	/* Traffic that continues during an isolation: sets  source . destination . permit, of a
	 * session's original direction */
	SET_KEPT4,
	SET_KEPT6,
	SET_KEPT4_NEXT,
	SET_KEPT6_NEXT,
	/* Used only while the maps of cells change: see enforce/sync.c. Empty at all other
	 * times. */
	SET_SWITCH, /* set  family: when it is a member, the bridge maps are looked up first */
	/* maps like the parts of SET_RANGE4 and the layers: the cells of the next generation */
	SET_BRIDGE4,
	SET_BRIDGE6 = SET_BRIDGE4 + IR_PARTS + IR_LAYERS,
	SET_COUNT = SET_BRIDGE6 + IR_PARTS + IR_LAYERS
};

/* Sets that decide whether a permit is live. Only enforce's transactions fill them. */
static inline bool ir_set_label(unsigned s)
{
	return s <= SET_LIMITED; /* SET_LIVE is the first */
}

/* A map of cells, of either family. */
static inline bool ir_set_cells(unsigned s)
{
	return s >= SET_UNTIL4 && s < SET_CELLS_END;
}

/* One of the parts of the ranges of layer 0. */
static inline bool ir_set_range(unsigned s)
{
	return (s >= SET_RANGE4 && s < SET_UNTIL6) || (s >= SET_RANGE6 && s < SET_CELLS_END);
}

static inline bool ir_set_bridge(unsigned s)
{
	return s >= SET_BRIDGE4 && s < SET_COUNT;
}

static inline bool ir_set_six(unsigned s)
{
	return (s >= SET_UNTIL6 && s < SET_CELLS_END) || s == SET_APART6 || s == SET_APART6_NEXT || s == SET_KEPT6 ||
	       s == SET_KEPT6_NEXT || (s >= SET_BRIDGE6 && s < SET_COUNT);
}

static inline bool ir_set_apart(unsigned s)
{
	return s >= SET_APART4 && s <= SET_APART6_NEXT;
}

static inline bool ir_set_kept(unsigned s)
{
	return s >= SET_KEPT4 && s <= SET_KEPT6_NEXT;
}

/* The bridge map of an interval map of cells, used while that map changes. SET_COUNT for any other
 * set: it needs none, because it changes at once. */
static inline unsigned ir_set_bridge_of(unsigned s)
{
	if (s >= SET_UNTIL4 && s < SET_EXACT4)
		return SET_BRIDGE4 + IR_PARTS + s - SET_UNTIL4;
	if (s >= SET_UNTIL6 && s < SET_EXACT6)
		return SET_BRIDGE6 + IR_PARTS + s - SET_UNTIL6;
	if (s >= SET_RANGE4 && s < SET_UNTIL6)
		return SET_BRIDGE4 + s - SET_RANGE4;
	return s >= SET_RANGE6 && s < SET_CELLS_END ? SET_BRIDGE6 + s - SET_RANGE6 : SET_COUNT;
}

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
	KEY_FAMILY,    /* 4 or 6 as the kernel has it (set SET_SWITCH) */
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

/*
 * Limits of tracked sessions per lane, for each interface and for each pair of hosts. The kernel
 * counts the sessions of an element by walking a list. So each limit is divided into parts, and a
 * new session is counted in a random part: its cost does not grow with the number of sessions.
 * Parts fill unevenly, because they are chosen at random. So a few sessions are refused before the
 * limit is reached; the comments below say how few.
 */
/* An interface: 40,960 sessions in a lane. At 24,000, as many as SYNs can fill
 * (docs/decisions/shares.md), one part in 20,000 is full. */
#define IR_ZONE_PART 64u
#define IR_ZONE_PARTS 640u
/* A pair of hosts: 8,192 sessions. At 3,300 one part in a thousand is full, at 4,096 one in a
 * hundred. */
#define IR_PAIR_PART 16u
#define IR_PAIR_PARTS 512u
#define IR_ZONE_SESSIONS (IR_ZONE_PART * IR_ZONE_PARTS)
#define IR_PAIR_SESSIONS (IR_PAIR_PART * IR_PAIR_PARTS)
/* New sessions per second of one pair of hosts. Up to this rate a pair does not compete with pairs
 * that open more. */
#define IR_PAIR_RATE 50u
#define IR_PAIR_BURST 100u
#define IR_FEW_RATE 4000u /* new sessions per second of all such pairs of an interface, in a lane */
#define IR_FEW_BURST 500u
#define IR_MANY_RATE 8000u /* of all other pairs */
#define IR_MANY_BURST 1000u
/* Neighbour solicitations per second for the box, of one interface. Each may create an entry in the
 * kernel's only neighbour table, which stays for at least five seconds. */
#define IR_LINK_RATE 1000u
#define IR_LINK_BURST 4000u

#define IR_STMTS 10

struct ir_rule {
	enum ir_chain chain;
	uint32_t n;
	struct ir_stmt stmts[IR_STMTS];
	uint32_t line; /* policy line, 0 = belongs to every policy */
};

/* A session limit: bit 31 says whether it limits idle time or duration; the other bits are
 * seconds. */
#define IR_LIMIT_IDLE 0x80000000u
#define IR_LIMIT_S 0x7fffffffu
/* Different session limits of a generation, at most. For each one there is a rule against which
 * packets of limited conduits are tested. */
#define IR_LIMITS 16u
struct ir_limits {
	uint32_t list[IR_LIMITS]; /* ascending */
	uint32_t n;
	bool full; /* there were more */
};
void ir_limits_add(struct ir_limits *l, uint32_t limit); /* a limit of 0 seconds is not added */
void ir_limits_add_all(struct ir_limits *l, const struct ir *ir);
/* The conntrack mark of a session of this permit. */
uint32_t ir_label(const struct ir_permit *p, uint32_t id);

const char *ir_chain_name(enum ir_chain c, char buf[16]); /* "forward", "lane_17" */
const char *ir_set_name(enum ir_set s);
/* The maps of cells in use: the highest layer, and the number of parts of layer 0 (1 or
 * IR_PARTS). */
struct ir_maps {
	uint32_t layers, parts;
};
struct ir_maps ir_maps(const struct ir *ir);
/*
 * All rules of all chains, in order. They depend only on the lanes in use (bit n = lane n), the
 * maps of cells in use and the session limits. Returns the count; rules in the arena.
 */
size_t ir_skeleton(uint64_t lanes, struct ir_maps maps, const struct ir_limits *limits, struct arena *a,
		   struct ir_rule **ret);
/* Whether at least one of these rules counts this reason, and all that count it also log it. */
bool ir_logged(const struct ir_rule *rules, size_t n, uint32_t reason);
/* Whether one worker has to see all sessions of the permit: its protocol has companions and is
 * inspected. */
bool ir_together(const struct ir_permit *p);
/* Inspected lanes in use. LANE_CUT always exists and is not among them. */
uint64_t ir_lanes(const struct ir *ir);
bool ir_time_sources(const struct ir *ir); /* whether box.cfg names sources of time */

/* ---- elements of the sets for this generation and id map ------------------------------------- */

/* One set element in the kernel's own byte layout: every field of a concatenation padded to 4
 * bytes. Interface indexes are given as positions (iif/oif) because only enforce knows the
 * kernel's numbers. */
struct ir_element {
	enum ir_set set;
	uint32_t iif, oif; /* interface index of the generation; UINT32_MAX = field not used */
	uint8_t direction; /* SET_LIVE */
	/* SET_LIVE: conntrack mark; SET_AGREE, SET_LIMITED: permit; SET_RESETS: packet mark */
	uint32_t mark_key;
	uint32_t mark_key2; /* SET_RESETS: conntrack mark; SET_LIMITED: the limit */
	struct addr_range src, dst;
	uint8_t l4proto;
	uint16_t lo, hi;
	uint32_t data;	/* mark, for maps */
	uint64_t until; /* seconds since 1970 at which it ends; 0 = it stays */
	uint32_t line;
};

/* All elements for `ids` (one permit id per permit index). Elements in the arena, in a
 * canonical order. */
size_t ir_elements(const struct ir *ir, const uint32_t *ids, struct arena *a, struct ir_element **ret);

/* The kernel map that holds this cell, where layer 0 has so many parts. */
enum ir_set ir_set_of_cell(const struct ir_cell *c, uint32_t parts);
/* Identifies the part of packet space that a permit covers: SHA-256 of its cells with the names of
 * their interfaces. */
struct ir_place {
	uint8_t digest[32];
};

/* *ret: the place of each permit, by index. Taken from ir_places_keep if that was called, otherwise
 * computed in the arena. False when memory is out. */
bool ir_places(const struct ir *ir, struct arena *a, const struct ir_place **ret);
/* Computes the places and keeps them for later calls of ir_places. `a` must live as long as
 * `ir`. */
bool ir_places_keep(struct ir *ir, struct arena *a);
/*
 * For each permit of `next` the permit of `now` that it continues, or UINT32_MAX. The two have the
 * same meaning, and `next` allows at least as much everywhere in the part of packet space that the
 * old permit covers. So sessions may keep the permit's id. At most one permit continues each old
 * one. False when memory is out.
 */
bool ir_carry_on(const struct ir *now, const struct ir *next, struct arena *a, uint32_t *ret);

/* Whether sets and rows of two tables are the same. */
bool ir_same_numbers(const struct command_table *ta, const struct number_set *a, const struct command_table *tb,
		     const struct number_set *b);
bool ir_same_row(const struct command_table *ta, const struct command_row *a, const struct command_table *tb,
		 const struct command_row *b);

/* The workers' image for this id map (sorted by permit id). malloc'd, owned by the caller; NULL
 * when memory is out. */
uint8_t *ir_table_image(const struct ir *ir, const uint32_t *ids, size_t *ret_n);

/* ---- a question about one packet, and the answer as the kernel's maps give it ---------------- */

struct question {
	/* interface roles; NULL = any (replay: zones from addresses alone) */
	const char *iif, *oif;
	struct addr source, destination;
	uint8_t l4proto; /* 1 and 58 for ICMP */
	uint16_t port;	 /* destination port, or ICMP type << 8 | code */
	uint64_t now;	 /* seconds since 1970 */
};

/* The IR's answer: the cell that decides, or NULL = denied. */
const struct ir_cell *evaluate_ir(const struct ir *ir, const struct question *q);

/* ---- whose address is it (book.c) ------------------------------------------------------------ */

/*
 * Whose address is it? Zones and assets of a generation by their addresses, to show records and
 * sessions to people: "RTG 4号機" says more than 10.30.1.13. An address book in the caller's arena;
 * it does not need the generation afterwards.
 */
struct ir_book_line {
	struct addr_range range;
	uint32_t index; /* of the zone or asset */
};

/* Sorted by their first addresses. */
struct ir_book {
	struct ir_book_line *zones, *assets;
	uint32_t n_zones, n_assets;
};

/* False when memory is out. */
bool ir_book_make(const struct ir *ir, struct arena *a, struct ir_book *ret);
/* UINT32_MAX: nobody's. */
uint32_t ir_book_zone(const struct ir_book *p, const struct addr *a);
uint32_t ir_book_asset(const struct ir_book *p, const struct addr *a);

/* A digest of what a conduit allows: the same hosts, ports and rows give the same digest in every
 * generation, however they are written. */
void ir_conduit_meaning(const struct ir *ir, const struct ir_conduit *c, uint8_t ret[32]);
/* A digest of the door of this name: its own settings, and each conduit behind it with its name,
 * its zones and their interfaces, its times, and what it allows. False, and *ret all zero: there is
 * no such door. */
bool ir_door_meaning(const struct ir *ir, const char *name, uint8_t ret[32]);

#endif
