/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule IR: the compiled policy as plain data, and the fixed rule skeleton as symbolic rules.
 *
 * A generation holds: box facts, zones, conduits (for names and lines), permits, cells, the command
 * table in permit *index* order, the source texts, and a SHA-256 over all of it. Permit ids belong
 * to the box and are not part of it: where the kernel or a worker needs ids, a map (u32 per permit
 * index) comes with the generation. The same policy gives the same bytes everywhere.
 *
 * Consumers: enforce (netlink batch, read-back), render_nft, render_json, evaluate_ir, prove,
 * journal (names).
 */
#ifndef SEKISHO_POLICY_IR_IR_H
#define SEKISHO_POLICY_IR_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "appliance/base/addr.h"
#include "appliance/base/arena.h"
#include "appliance/base/bytes.h"
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
 * Ends that can overlap on one packet. What holds without end is layer 0. A permit of conduits with
 * n different ends stands in layer n and goes with the earliest of them; under it, in layer n - 1,
 * lies what the others allow together. So a kernel that can do nothing but let elements end still
 * gives the right answer at every moment: the highest layer speaks that is left.
 */
#define IR_LAYERS 8u

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

/* The card that an interface needs: what is taken from the machine, and given back. */
static inline const char *ir_card(const struct ir_interface *i)
{
	return i->vlan != 0 ? i->card : i->device;
}

/* Who takes him for a router goes on with it only while all that is said of him over IPv6 says so,
 * too (RFC 4861, 7.2.5). */
static inline bool ir_is_router(const struct ir *ir, const struct addr *a)
{
	for (uint32_t i = 0; a->family == 6 && i < ir->n_routes; i++)
		if (addr_cmp(&ir->routes[i].via, a) == 0)
			return true;
	return false;
}

/* One pair of hosts at one port: of layer 0 it is asked before the range that it may lie over. */
static inline bool ir_cell_exact(const struct ir_cell *c)
{
	return c->layer == 0 && c->lo == c->hi && addr_cmp(&c->src.lo, &c->src.hi) == 0 &&
	       addr_cmp(&c->dst.lo, &c->dst.hi) == 0;
}

/* Of a permit that opens by hours, as it is sealed: over for whoever does not work out its
 * end (moment.h). */
#define IR_SHUT 1u
/* 2200-01-01: of one that has opened, and does not end. */
#define IR_NO_END 7258118400u

#define IR_SEALED_MAX (256u << 20)

/* They begin as sealed bytes do. */
bool ir_is_sealed(struct bytes b);
/* Seals in the present version: bytes owned by the caller (malloc). Sets ir->digest
 * and ir->version. */
int ir_seal(struct ir *ir, uint8_t **ret, size_t *ret_n, struct err *e);
/* Reads sealed bytes into the arena, checking digest, every index, every count, every order.
 * -ENOTSUP: they are of a form that is not read here. */
int ir_unseal(struct bytes b, struct arena *a, struct ir *ret, struct err *e);
/* What a permit's settings mean, as bytes: its rows but the identity, as they are sealed. */
void ir_put_settings(struct outbuf *o, const struct ir_permit *p);
#define IR_SETTINGS_MAX 128u /* enough for them */

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
	CHAIN_FORGED,
	CHAIN_AGED,
	CHAIN_IDLED,
	CHAIN_LANE_FIRST, /* + lane number: queues of that lane */
	CHAIN_COUNT = CHAIN_LANE_FIRST + LANE_COUNT
};

enum ir_set {
	/* map  iif . ct direction . ct mark but its outcome -> mark (FAST, or permit and lane) */
	SET_LIVE,
	SET_AGREE, /* set  permit . permit of every live permit */
	/* set  permit . permit of those whose sessions one worker has to see: PROTO_COMPANIONS */
	SET_TOGETHER,
	/* set  permit . IR_LIMIT of it: how long its sessions may last, and be silent */
	SET_LIMITED,
	SET_UNTIL4, /* layer 1; the others follow up to IR_LAYERS */
	SET_EXACT4 = SET_UNTIL4 + IR_LAYERS,
	SET_RANGE4, /* maps iif . oif . source . destination . protocol . port -> mark */
	SET_UNTIL6,
	SET_EXACT6 = SET_UNTIL6 + IR_LAYERS,
	SET_RANGE6,
	/* set  packet mark (lane) . conntrack mark (lane): resets that the gate may send */
	SET_RESETS,
	SET_HOME, /* set  interface . the mark of what came in there */
	/* Filled by packets: how fast sessions open and how many there are, see skeleton/new.c. */
	SET_PACE4, /* set  source . destination . lane: what a pair of hosts opens */
	SET_PACE6,
	SET_PACE_FEW,  /* set  iif . lane: what pairs open that open little */
	SET_PACE_MANY, /* set  iif . lane: what the others open */
	SET_PACE_LINK, /* set  iif . packet mark: questions of neighbours to the box itself */
	SET_SHARE4,    /* set  source . destination . lane . part: sessions of a pair */
	SET_SHARE6,
	SET_SHARE_ZONE, /* set  iif . lane . part: sessions of a side */
	/* set  number of a session that began no longer ago than its conduit says */
	SET_AGES,
	SET_IDLES, /* ... that carried something */
	/* What people isolated: sets  source . destination of a session as it was opened; empty
	 *                             while nothing is. */
	SET_APART4,
	SET_APART6,
	/* for the moment in which these change, see enforce/isolate.c: empty at all other times */
	SET_APART4_NEXT,
	SET_APART6_NEXT,
	/* What goes on all the same: sets  source . destination . permit, of a session as it was
	 *                                  opened. */
	SET_KEPT4,
	SET_KEPT6,
	SET_KEPT4_NEXT,
	SET_KEPT6_NEXT,
	/* For the moment in which cells change, see enforce/sync.h: empty at all other times. */
	SET_SWITCH,  /* set  family: the bridges are asked */
	SET_BRIDGE4, /* maps like SET_RANGE4 and the layers behind it: the cells that come */
	SET_BRIDGE6 = SET_BRIDGE4 + 1 + IR_LAYERS,
	SET_COUNT = SET_BRIDGE6 + 1 + IR_LAYERS
};

/* What makes a permit live: nothing but a transaction of ours fills it. */
static inline bool ir_set_label(unsigned s)
{
	return s <= SET_LIMITED; /* SET_LIVE is the first */
}

/* A map of cells, of either family. */
static inline bool ir_set_cells(unsigned s)
{
	return s >= SET_UNTIL4 && s <= SET_RANGE6;
}

static inline bool ir_set_bridge(unsigned s)
{
	return s >= SET_BRIDGE4 && s < SET_COUNT;
}

static inline bool ir_set_six(unsigned s)
{
	return (s >= SET_UNTIL6 && s <= SET_RANGE6) || s == SET_APART6 || s == SET_APART6_NEXT || s == SET_KEPT6 ||
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

/* The map that stands in for an interval map of cells; SET_COUNT for all others, which change over
 * at once. */
static inline unsigned ir_set_bridge_of(unsigned s)
{
	if (s >= SET_UNTIL4 && s < SET_EXACT4)
		return SET_BRIDGE4 + 1 + s - SET_UNTIL4;
	if (s >= SET_UNTIL6 && s < SET_EXACT6)
		return SET_BRIDGE6 + 1 + s - SET_UNTIL6;
	return s == SET_RANGE4 ? SET_BRIDGE4 : s == SET_RANGE6 ? SET_BRIDGE6 : SET_COUNT;
}

enum ir_stmt_kind {
	/* matches: the rule goes on when they hold */
	IR_CT_STATE,   /* a: bit set of CT_* below; any */
	IR_FAMILY,     /* a: 4 or 6 */
	IR_L4PROTO,    /* a: protocol number */
	IR_ICMP_TYPE,  /* a: type (of the family's ICMP; the rule has IR_L4PROTO before it) */
	IR_ICMP_BELOW, /* a: the type is less than this; the same */
	IR_HOPLIMIT,   /* a: value (IPv6) */
	/* IPv4 header longer than 20 bytes, or an IPv6 extension header of any kind */
	IR_IP_OPTIONS,
	/* a: family, b: protocol: no options or extensions, that protocol right behind
	 * the header */
	IR_PLAIN,
	/* the source is not where the packet came in: no route back through that interface, or an
	 * address of the box itself */
	IR_UNROUTED,
	IR_TCP_FLAGS,	 /* (flags & a) == b */
	IR_TCP_OPTION,	 /* a TCP header with option a */
	IR_CT_DIRECTION, /* a: 0 original, 1 reply */
	IR_MARK,	 /* (packet mark & a) == b */
	IR_MARK_NOT,	 /* (packet mark & a) != b */
	IR_CTMARK,	 /* (conntrack mark & a) == b */
	IR_CTMARK_NOT,	 /* (conntrack mark & a) != b */
	/* a: family, b: words of its header: TCP that ends with its header; behind IR_PLAIN */
	IR_TCP_BARE,
	IR_LIMIT, /* a: packets per second, b: burst */
	/* set, key a: an element each, of at most b a second, c at once; holds while there
	 * are fewer */
	IR_PACE,
	/* set, key a: an element each, of tracked sessions; holds when there are more than b */
	IR_CROWD,
	IR_IN_SET, /* set: IR key of that set is a member. a: enum ir_key */
	IR_NOT_IN_SET,
	/* lookups: break the rule when nothing is found */
	/* packet mark = live[iif . direction . ct mark, outcome 0]; a: goes on only if that is
	 * this, 0 = any */
	IR_LIVE,
	IR_ADMIT, /* conntrack mark = set[key a], outcome 0 */
	IR_KNOWN, /* set[key a] exists; result unused */
	/* actions */
	IR_TCP_STRIP,	/* the first TCP option of kind a becomes padding */
	IR_SET_MARK,	/* packet mark = a */
	IR_ADD_MARK,	/* packet mark |= a */
	IR_ARRIVED,	/* packet mark = mark_arrived() of the interface that it came in at */
	IR_COPY_MARK,	/* packet mark = conntrack mark & ~a */
	IR_SET_OUTCOME, /* conntrack mark = (conntrack mark & ~outcome) | a */
	IR_FORGET,	/* conntrack mark &= ~a */
	/* set[key a] for the seconds of IR_LIMIT b; what is there already ends when it would, but
	 * SET_IDLES begins anew */
	IR_KEEP,
	IR_COUNT, /* named counter of reason a */
	IR_LOG,	  /* NFLOG, prefix = reason a's word, limited to b records per second */
	/* verdicts */
	IR_ACCEPT,
	IR_DROP,
	IR_GOTO, /* a: enum ir_chain */
	/* by lane of the packet mark: FAST -> accept, lane n -> its chain (those in use) */
	IR_GOTO_LANE,
	/* by outcome bits of the packet mark: good, quiet, confirmed, unjudged -> chains */
	IR_GOTO_OUTCOME,
	/* by lane of the packet mark: hold, open; closed lanes fall through to the next rule */
	IR_GOTO_UNANSWERED,
	/* a: lane, b: 1 = bypass; the queues of all its slots, by address hash; c: 1 = of one
	 * slot (lane.h) */
	IR_QUEUE,

};

#define CT_NEW 1u
#define CT_ESTABLISHED 2u
#define CT_RELATED 4u
#define CT_INVALID 8u

/* How a key is taken from a packet. */
enum ir_key {
	/* iif . oif . saddr . daddr . l4proto . destination port (or ICMP type, code) */
	KEY_PACKET,
	/* oif . iif . daddr . saddr . l4proto . source port: a reply without a session */
	KEY_PACKET_BACK,
	/* iif . oif . original tuple of the session: a packet of the original direction */
	KEY_ORIGINAL,
	KEY_ORIGINAL_BACK, /* oif . iif . original tuple: a packet of the reply direction */
	KEY_AGREE,	   /* packet mark & permit . conntrack mark & permit */
	/* conntrack mark & permit . the same: is the flow's own permit live? (sets
	 * SET_AGREE, SET_TOGETHER) */
	KEY_CT_PERMIT,
	KEY_RESET,     /* packet mark & lane . conntrack mark & lane (set SET_RESETS) */
	KEY_HOME,      /* oif . packet mark (set SET_HOME) */
	KEY_FAMILY,    /* 4 or 6 as the kernel has it (set SET_SWITCH) */
	KEY_PACE_PAIR, /* saddr . daddr . conntrack mark & lane */
	KEY_PACE_ZONE, /* iif . conntrack mark & lane */
	/* iif . packet mark, which the guard has set by the same (set SET_PACE_LINK) */
	KEY_PACE_LINK,
	KEY_SHARE_PAIR, /* saddr . daddr . conntrack mark & lane . one of IR_PAIR_PARTS, drawn */
	KEY_SHARE_ZONE, /* iif . conntrack mark & lane . one of IR_ZONE_PARTS, drawn */
	/* source and destination of the session as it was opened (sets SET_APART4 and so on) */
	KEY_ENDS,
	KEY_LIMITED,	 /* conntrack mark & permit . statement's b (set SET_LIMITED) */
	KEY_SESSION,	 /* the kernel's number of the session (sets SET_AGES, SET_IDLES) */
	KEY_ENDS_PERMIT, /* the same, and its permit (sets SET_KEPT4 and so on) */
};

struct ir_stmt {
	enum ir_stmt_kind kind;
	enum ir_set set;
	uint32_t a, b, c;
};

/*
 * Shares of connection tracking and of the queues, by interface and lane. The kernel counts
 * sessions by walking lists, so a share is cut into parts of which one is drawn and walked: each
 * new session costs the same, whatever is there already. Parts that are drawn are uneven, the more
 * so the smaller they are: up to the sessions named here next to nobody is refused.
 */
/* an interface: 40,960 sessions in a lane; at 24,000, which is what SYNs can
 * fill (box/sysctl.c), */
#define IR_ZONE_PART 64u
#define IR_ZONE_PARTS 640u /* one in 20,000 parts is full */
/* a pair of hosts: 8,192; at 3,300 one part in a thousand is full, at 4,096 one in a hundred */
#define IR_PAIR_PART 16u
#define IR_PAIR_PARTS 512u
#define IR_ZONE_SESSIONS (IR_ZONE_PART * IR_ZONE_PARTS)
#define IR_PAIR_SESSIONS (IR_PAIR_PART * IR_PAIR_PARTS)
/* new sessions a second, of a pair of hosts, that do not compete with the many of others */
#define IR_PAIR_RATE 50u
#define IR_PAIR_BURST 100u
#define IR_FEW_RATE 4000u /* all such pairs of an interface together, in a lane */
#define IR_FEW_BURST 500u
#define IR_MANY_RATE 8000u /* all that open more */
#define IR_MANY_BURST 1000u
/* Questions of neighbours to the box, of an interface. Each may cost an entry, which stays for five
 * seconds at least, in the kernel's one table for all. */
#define IR_LINK_RATE 1000u
#define IR_LINK_BURST 4000u

#define IR_STMTS 10

struct ir_rule {
	enum ir_chain chain;
	uint32_t n;
	struct ir_stmt stmts[IR_STMTS];
	uint32_t line; /* policy line, 0 = belongs to every policy */
};

/* A limit of sessions: seconds, and which of the two. */
#define IR_LIMIT_IDLE 0x80000000u
#define IR_LIMIT_S 0x7fffffffu
/* Different ones of a generation. Each costs a packet of a limited conduit a question. */
#define IR_LIMITS 16u
struct ir_limits {
	uint32_t list[IR_LIMITS]; /* ascending */
	uint32_t n;
	bool full; /* there were more */
};
void ir_limits_add(struct ir_limits *l, uint32_t limit); /* 0 seconds: none */
void ir_limits_add_all(struct ir_limits *l, const struct ir *ir);
/* What tracking remembers of a session of this permit. */
uint32_t ir_label(const struct ir_permit *p, uint32_t id);

const char *ir_chain_name(enum ir_chain c, char buf[16]); /* "forward", "lane_17" */
const char *ir_set_name(enum ir_set s);
/*
 * All rules of all chains for this set of lanes (bit n = lane n in use), so many layers and these
 * limits, in order; the same for every policy but for these. Returns the count; rules in the arena.
 */
size_t ir_skeleton(uint64_t lanes, uint32_t layers, const struct ir_limits *limits, struct arena *a,
		   struct ir_rule **ret);
/* Whether every one of those rules that counts this reason logs it as well, and there is one. */
bool ir_logged(const struct ir_rule *rules, size_t n, uint32_t reason);
uint32_t ir_layers(const struct ir *ir); /* the highest layer in use */
/* One worker has to see all its sessions: its protocol has companions, and is judged. */
bool ir_together(const struct ir_permit *p);
/* inspected lanes in use; LANE_CUT, always there besides, is not among them */
uint64_t ir_lanes(const struct ir *ir);

/* ---- elements: what stands in the sets for this generation and id map ------------------------ */

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
	uint64_t until; /* 0 = stays; else ends then (seconds since 1970) */
	uint32_t line;
};

/* All elements for `ids` (one permit id per permit index). Elements in the arena, in a
 * canonical order. */
size_t ir_elements(const struct ir *ir, const uint32_t *ids, struct arena *a, struct ir_element **ret);

/* The kernel's map that has an element for it. */
enum ir_set ir_set_of_cell(const struct ir_cell *c);
/*
 * The kernel takes time by the square of what is in a map of ranges: 12,000 elements 7 s of
 * processor, 20,000 19 s. The supervisor ends an enforce that takes 30. So this many are the most
 * of one map; several have the sum of their squares. Policies are held against it.
 */
#define IR_RANGES_MAX 12288u

/* Where a permit lies: SHA-256 of its cells with the names of their interfaces. */
struct ir_place {
	uint8_t digest[32];
};

/* One for each permit: those that are kept, else in the arena. False when memory is out. */
bool ir_places(const struct ir *ir, struct arena *a, const struct ir_place **ret);
/* Whoever asks next has them. `a` lives as long as `ir`. */
bool ir_places_keep(struct ir *ir, struct arena *a);
/*
 * For each permit of `next` the permit of `now` that it carries on, or UINT32_MAX: it means the
 * same, and wherever that one lies something allows at least as much now. A session that carries
 * its id may therefore keep it. A permit is carried on by one at most. False when memory is out.
 */
bool ir_carry_on(const struct ir *now, const struct ir *next, struct arena *a, uint32_t *ret);

/* The workers' image for this id map (sorted by permit id). malloc'd, owned by the caller; NULL
 * when memory is out. */
uint8_t *ir_table_image(const struct ir *ir, const uint32_t *ids, size_t *ret_n);

#endif
