/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed rules around the maps. They are the same for every policy; only the queue chains depend on which lanes are in
 * use. Read from top to bottom: this is all that the box does with a packet that it forwards, receives or sends.
 *
 *   guard     before tracking: what could only harm the sessions that tracking knows, errors about them included
 *   forward   what tracking says of the packet decides where it goes; live sessions first, by one lookup
 *   post      the same hook, later: nothing leaves but what was let by (FAST) or judged by the policy now in force; what
 *             was judged by one that has changed since goes to its worker once more
 *   last      the same hook, after that: what was judged a second time
 *   input     packets for the box itself, where nothing listens
 *   output    packets of the box itself: neighbour discovery, errors, echo answers, resets
 *
 * Every chain ends in a counted drop; the base chains' policy is drop besides. Every path from `forward` to `post` sets
 * the packet mark, so a mark that a packet brings along never counts.
 */
#include <netinet/in.h>
#include <string.h>

#include "policy/ir/ir.h"

#define TCP_FIN 1u
#define TCP_SYN 2u
#define TCP_RST 4u
#define TCP_PSH 8u
#define TCP_ACK 16u
#define TCP_URG 32u

#define OPTION_MULTIPATH 30u

#define LOG_RATE 50u	/* records per second and rule; counters are exact */
#define STRAY_RATE 500u /* segments of no session that are answered, per second and way of lookup */
#define ECHO_RATE 10u	/* echo requests per second that the box answers */

struct writer {
	struct arena *a;
	uint32_t layers; /* of those that end */
	struct ir_rule *rules;
	size_t n, room;
	struct ir_rule scratch; /* where statements go when memory is out */
	struct ir_rule *rule;
};

static void rule(struct writer *w, enum ir_chain chain)
{
	w->rule = arena_grow(w->a, (void **)&w->rules, &w->n, &w->room, sizeof(*w->rule));
	if (w->rule == NULL) {
		w->rule = &w->scratch;
		memset(w->rule, 0, sizeof(*w->rule));
	}
	w->rule->chain = chain;
}

static void paced(struct writer *w, enum ir_set set, enum ir_key key, uint32_t rate, uint32_t burst)
{
	if (w->rule->n < IR_STMTS)
		w->rule->stmts[w->rule->n++] =
			(struct ir_stmt){ .kind = IR_PACE, .set = set, .a = key, .b = rate, .c = burst };
}

static void in_set(struct writer *w, enum ir_stmt_kind kind, enum ir_set set, enum ir_key key)
{
	uint32_t b = kind == IR_CROWD ? IR_PART_SESSIONS : kind == IR_REMEMBER ? IR_FULL_MS : 0;

	if (w->rule->n < IR_STMTS)
		w->rule->stmts[w->rule->n++] = (struct ir_stmt){ .kind = kind, .set = set, .a = key, .b = b };
}

static void say(struct writer *w, enum ir_stmt_kind kind, uint32_t a, uint32_t b)
{
	if (w->rule->n < IR_STMTS)
		w->rule->stmts[w->rule->n++] = (struct ir_stmt){ .kind = kind, .a = a, .b = b };
}

static void drop(struct writer *w, enum reason r)
{
	say(w, IR_COUNT, r, 0);
	say(w, IR_LOG, r, LOG_RATE);
	say(w, IR_DROP, 0, 0);
}

static void go(struct writer *w, enum ir_chain to)
{
	say(w, IR_GOTO, to, 0);
}

/* Decided: the chain that comes after lets it by without asking again. */
static void pass(struct writer *w)
{
	say(w, IR_SET_MARK, MARK_FAST, 0);
	say(w, IR_ACCEPT, 0, 0);
}

static void family_proto(struct writer *w, uint32_t family, uint32_t l4proto)
{
	say(w, IR_FAMILY, family, 0);
	say(w, IR_L4PROTO, l4proto, 0);
}

/* The ICMP errors that live sessions need, and no others: a redirect or a quench is nobody's need. */
static const struct {
	uint8_t family, l4proto, type;
} errors[] = {
	{ 4, IPPROTO_ICMP, 3 },	  { 4, IPPROTO_ICMP, 11 },  { 4, IPPROTO_ICMP, 12 },  { 6, IPPROTO_ICMPV6, 1 },
	{ 6, IPPROTO_ICMPV6, 2 }, { 6, IPPROTO_ICMPV6, 3 }, { 6, IPPROTO_ICMPV6, 4 },
};
#define N_ERRORS (sizeof(errors) / sizeof(errors[0]))

/* Errors that tracking would relate to a session: RFC 792 knows two more, RFC 4443 (2.1) gives all types below 128 to them. */
#define ICMP_QUENCH 4u
#define ICMP_REDIRECT 5u
#define ICMP6_INFORMS 128u

/* The maps of a family in the order in which they are asked: what ends first, what ends later, what stays. */
static uint32_t map_count(const struct writer *w)
{
	return w->layers + 2;
}

static enum ir_set map_at(const struct writer *w, bool six, uint32_t i)
{
	if (i < w->layers)
		return (enum ir_set)((six ? SET_UNTIL6 : SET_UNTIL4) + w->layers - 1 - i);
	return (enum ir_set)((six ? SET_EXACT6 : SET_EXACT4) + i - w->layers);
}

/* What a map of cells says of the packet; while cells change, what stands in for it says so first. */
static void admitted(struct writer *w, enum ir_chain chain, bool six, enum ir_set map, enum ir_key key,
		     enum ir_chain then)
{
	unsigned maps[] = { ir_set_bridge_of(map), map };

	for (size_t k = maps[0] == SET_COUNT ? 1 : 0; k < 2; k++) {
		rule(w, chain);
		say(w, IR_FAMILY, six ? 6 : 4, 0);
		if (key != KEY_PACKET)
			say(w, IR_CT_DIRECTION, key == KEY_ORIGINAL_BACK, 0);
		if (k == 0)
			in_set(w, IR_IN_SET, SET_SWITCH, KEY_FAMILY);
		in_set(w, IR_ADMIT, (enum ir_set)maps[k], key);
		go(w, then);
	}
}

/* Of all that can speak for a session of others, an error is the easiest to forge: only listed types, only from where the
 * source is. Echo requests and other messages of their own pass on. */
static void error_rules(struct writer *w)
{
	static const uint8_t unlisted[] = { ICMP_QUENCH, ICMP_REDIRECT };

	for (size_t i = 0; i < sizeof(unlisted); i++) {
		rule(w, CHAIN_GUARD);
		family_proto(w, 4, IPPROTO_ICMP);
		say(w, IR_ICMP_TYPE, unlisted[i], 0);
		drop(w, R_RELATED);
	}
	rule(w, CHAIN_GUARD);
	family_proto(w, 4, IPPROTO_ICMP);
	say(w, IR_UNROUTED, 0, 0);
	drop(w, R_SPOOFED);
	rule(w, CHAIN_GUARD);
	family_proto(w, 6, IPPROTO_ICMPV6);
	say(w, IR_ICMP_BELOW, ICMP6_INFORMS, 0);
	say(w, IR_UNROUTED, 0, 0);
	drop(w, R_SPOOFED);
	for (size_t i = 0; i < N_ERRORS; i++)
		if (errors[i].family == 6) {
			rule(w, CHAIN_GUARD);
			family_proto(w, 6, IPPROTO_ICMPV6);
			say(w, IR_ICMP_TYPE, errors[i].type, 0);
			say(w, IR_ACCEPT, 0, 0);
		}
	rule(w, CHAIN_GUARD);
	family_proto(w, 6, IPPROTO_ICMPV6);
	say(w, IR_ICMP_BELOW, ICMP6_INFORMS, 0);
	drop(w, R_RELATED);
}

/*
 * Tracking believes a SYN and its answer whatever interface they come in at, and would follow them away from the session
 * that is alive: a blind stranger could cut it with two packets. So what opens or ends a TCP session is taken only from
 * where its source is. The many segments in between need no such question: they would have to lie in both windows, and
 * the map `live` names their interface. Headers that no rule names come no further for any session, old or new.
 */
static void guard_rules(struct writer *w)
{
	/* For what the box itself may have to answer. */
	rule(w, CHAIN_GUARD);
	say(w, IR_ARRIVED, 0, 0);
	/* Most packets first, by as few questions as will do; the rules behind would say the same of them. */
	for (uint32_t family = 4; family <= 6; family += 2) {
		rule(w, CHAIN_GUARD);
		say(w, IR_PLAIN, family, IPPROTO_UDP);
		say(w, IR_ACCEPT, 0, 0);
		rule(w, CHAIN_GUARD);
		say(w, IR_PLAIN, family, IPPROTO_TCP);
		say(w, IR_TCP_FLAGS, TCP_SYN | TCP_RST | TCP_FIN, 0);
		say(w, IR_ACCEPT, 0, 0);
	}
	rule(w, CHAIN_GUARD);
	say(w, IR_IP_OPTIONS, 0, 0);
	drop(w, R_IP_OPTIONS);
	rule(w, CHAIN_GUARD);
	say(w, IR_L4PROTO, IPPROTO_TCP, 0);
	say(w, IR_UNROUTED, 0, 0);
	drop(w, R_SPOOFED);
	error_rules(w);
	rule(w, CHAIN_GUARD);
	say(w, IR_ACCEPT, 0, 0);
}

/* A source that does not belong where it came in; IPv6 has no reverse-path check of its own. */
static void home_only(struct writer *w, enum ir_chain chain)
{
	rule(w, chain);
	say(w, IR_UNROUTED, 0, 0);
	drop(w, R_SPOOFED);
}

static void forward_rules(struct writer *w)
{
	/* The hot path. A new packet carries conntrack mark 0 and an invalid one none at all: both miss. An error about
	 * such a session passes here too; the guard has left none but those that may. Whoever is live goes on with a mark that names
	 * its lane, others with none: it is not asked twice. */
	rule(w, CHAIN_FORWARD);
	say(w, IR_LIVE, MARK_FAST, 0);
	say(w, IR_ACCEPT, 0, 0);
	/* No worker sees errors. */
	rule(w, CHAIN_FORWARD);
	say(w, IR_CT_STATE, CT_RELATED, 0);
	go(w, CHAIN_RELATED);
	rule(w, CHAIN_FORWARD);
	say(w, IR_L4PROTO, IPPROTO_TCP, 0);
	say(w, IR_TCP_FLAGS, TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK | TCP_URG, TCP_ACK);
	say(w, IR_CTMARK, MARK_OUTCOME_MASK, MARK_QUIET << MARK_OUTCOME_SHIFT);
	go(w, CHAIN_BARE);
	/* What a queue takes can afford a second look. A SYN said again is as good for a flood as a new one. */
	rule(w, CHAIN_FORWARD);
	say(w, IR_L4PROTO, IPPROTO_TCP, 0);
	say(w, IR_TCP_FLAGS, TCP_SYN, TCP_SYN);
	say(w, IR_MARK_NOT, MARK_LANE_MASK, 0);
	go(w, CHAIN_AGAIN);
	rule(w, CHAIN_FORWARD);
	say(w, IR_GOTO_LANE, 0, 0);
	rule(w, CHAIN_FORWARD);
	say(w, IR_CT_STATE, CT_INVALID, 0);
	go(w, CHAIN_INVALID);
	rule(w, CHAIN_FORWARD);
	say(w, IR_CT_STATE, CT_ESTABLISHED, 0);
	go(w, CHAIN_LAPSED);
	rule(w, CHAIN_FORWARD);
	say(w, IR_CT_STATE, CT_NEW, 0);
	go(w, CHAIN_NEW);
	rule(w, CHAIN_FORWARD);
	drop(w, R_NO_CONDUIT);
}

/*
 * An acknowledgement that carries nothing, of a session whose worker has said that it can do without: a visit costs as much as
 * that of a command. Without options, with time stamps, and with those and one block of selective acknowledgement.
 */
static void bare_rules(struct writer *w)
{
	static const uint32_t words[] = { 5, 8, 11 };

	rule(w, CHAIN_BARE);
	say(w, IR_MARK, MARK_LANE_MASK, 0);
	go(w, CHAIN_LAPSED);
	for (uint32_t family = 4; family <= 6; family += 2)
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			rule(w, CHAIN_BARE);
			say(w, IR_PLAIN, family, IPPROTO_TCP);
			say(w, IR_TCP_BARE, family, words[i]);
			pass(w);
		}
	rule(w, CHAIN_BARE);
	say(w, IR_GOTO_LANE, 0, 0);
	rule(w, CHAIN_BARE);
	go(w, CHAIN_LAPSED);
}

/* An error passes when the session that it speaks of is live and the error comes from that session's side: its direction
 * and mark are those of the session. The guard saw to its type and source. */
static void related_rules(struct writer *w)
{
	rule(w, CHAIN_RELATED);
	say(w, IR_LIVE, 0, 0);
	say(w, IR_SET_MARK, MARK_FAST, 0);
	say(w, IR_ACCEPT, 0, 0);
	rule(w, CHAIN_RELATED);
	drop(w, R_RELATED);
}

static void new_rules(struct writer *w)
{
	/* A session is opened by a SYN without FIN, RST or ACK; there is no "is not equal" of several bits. */
	static const struct {
		uint8_t mask, value;
	} wrong[] = {
		{ TCP_SYN, 0 },
		{ TCP_ACK, TCP_ACK },
		{ TCP_RST, TCP_RST },
		{ TCP_FIN, TCP_FIN },
	};

	home_only(w, CHAIN_NEW);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		rule(w, CHAIN_NEW);
		say(w, IR_L4PROTO, IPPROTO_TCP, 0);
		say(w, IR_TCP_FLAGS, wrong[i].mask, wrong[i].value);
		drop(w, R_TCP_FLAGS);
	}
	for (size_t f = 0; f < 2; f++)
		for (uint32_t i = 0; i < map_count(w); i++)
			admitted(w, CHAIN_NEW, f == 1, map_at(w, f == 1, i), KEY_PACKET, CHAIN_PACE);
	rule(w, CHAIN_NEW);
	drop(w, R_NO_CONDUIT);
}

/*
 * How fast sessions open, by interface and lane, before any queue: a flood of new ones must not push live ones out of their
 * lane's queue. Pairs of hosts that open few have a pace of their own, so that a flood of others leaves them theirs.
 */
static void in_pace(struct writer *w, enum ir_chain chain, enum ir_stmt_kind then, uint32_t where)
{
	for (uint32_t family = 4; family <= 6; family += 2) {
		rule(w, chain);
		say(w, IR_FAMILY, family, 0);
		paced(w, family == 4 ? SET_PACE4 : SET_PACE6, KEY_PACE_PAIR, IR_PAIR_RATE, IR_PAIR_BURST);
		paced(w, SET_PACE_FEW, KEY_PACE_ZONE, IR_FEW_RATE, IR_FEW_BURST);
		say(w, then, where, 0);
	}
	rule(w, chain);
	paced(w, SET_PACE_MANY, KEY_PACE_ZONE, IR_MANY_RATE, IR_MANY_BURST);
	say(w, then, where, 0);
	rule(w, chain);
	drop(w, R_PACE);
}

/*
 * What is inspected goes over one path: Multipath TCP spreads one stream over connections of which each is seen alone. Without the
 * option in the SYN neither end hears of an offer, and both go on as plain TCP without losing time; a SYN that would have
 * joined becomes one of its own, which its sender gives up. The kernel takes out one option; a second one is no accident.
 */
static void one_path(struct writer *w, enum ir_chain chain)
{
	rule(w, chain);
	say(w, IR_L4PROTO, IPPROTO_TCP, 0);
	say(w, IR_TCP_FLAGS, TCP_SYN, TCP_SYN);
	say(w, IR_TCP_STRIP, OPTION_MULTIPATH, 0);
	rule(w, chain);
	say(w, IR_L4PROTO, IPPROTO_TCP, 0);
	say(w, IR_TCP_FLAGS, TCP_SYN, TCP_SYN);
	say(w, IR_TCP_OPTION, OPTION_MULTIPATH, 0);
	drop(w, R_MULTIPATH);
}

/*
 * How many sessions there are, by pair of hosts and by interface, in each lane: whoever may ask a name server must not fill
 * connection tracking for all zones. The parts of a pair are asked first, so that a greedy pair is stopped before its side is
 * full. What was found full is not counted again for a moment: counting is what costs.
 */
static void share_rules(struct writer *w)
{
	in_pace(w, CHAIN_PACE, IR_GOTO, CHAIN_SHARE);
	one_path(w, CHAIN_AGAIN);
	in_pace(w, CHAIN_AGAIN, IR_GOTO_LANE, 0);
	for (uint32_t family = 4; family <= 6; family += 2) {
		rule(w, CHAIN_SHARE);
		say(w, IR_FAMILY, family, 0);
		in_set(w, IR_IN_SET, SET_FULL_ZONE, KEY_SHARE_ZONE);
		go(w, CHAIN_FULL_ZONE);
		rule(w, CHAIN_SHARE);
		say(w, IR_FAMILY, family, 0);
		in_set(w, IR_CROWD, family == 4 ? SET_SHARE4 : SET_SHARE6, KEY_SHARE_PAIR);
		go(w, CHAIN_FULL_PAIR);
		rule(w, CHAIN_SHARE);
		say(w, IR_FAMILY, family, 0);
		in_set(w, IR_CROWD, SET_SHARE_ZONE, KEY_SHARE_ZONE);
		go(w, CHAIN_FULL_ZONE);
		rule(w, CHAIN_FULL_ZONE);
		say(w, IR_FAMILY, family, 0);
		in_set(w, IR_REMEMBER, SET_FULL_ZONE, KEY_SHARE_ZONE);
	}
	rule(w, CHAIN_SHARE);
	go(w, CHAIN_ADMIT);
	rule(w, CHAIN_FULL_PAIR);
	drop(w, R_SHARE_PAIR);
	rule(w, CHAIN_FULL_ZONE);
	drop(w, R_SHARE_ZONE);
}

/* The flow has its label; the packet goes where the label says. */
static void admit_rules(struct writer *w)
{
	rule(w, CHAIN_ADMIT);
	say(w, IR_COPY_MARK, MARK_OUTCOME_MASK, 0);
	rule(w, CHAIN_ADMIT);
	say(w, IR_MARK, MARK_LANE_MASK, 0);
	say(w, IR_SET_MARK, MARK_FAST, 0);
	say(w, IR_ACCEPT, 0, 0);
	one_path(w, CHAIN_ADMIT);
	/* A session that was looked up again may be met on its way back. */
	rule(w, CHAIN_ADMIT);
	say(w, IR_CT_DIRECTION, 1, 0);
	say(w, IR_ADD_MARK, MARK_REPLY, 0);
	rule(w, CHAIN_ADMIT);
	say(w, IR_GOTO_LANE, 0, 0);
	/* A lane without queues: no policy in force uses it. */
	rule(w, CHAIN_ADMIT);
	drop(w, R_STALE);
}

/*
 * A tracked session that the map `live` does not know for this interface and direction. If its permit is live all the
 * same, the packet came in at a wrong interface. That is asked first, and nothing is written to the session before: a
 * spoofed packet can neither relabel nor cut a session that is allowed. Else its permit has ended or was narrowed, and it is
 * looked up again; but only for a packet that comes from where its source is, so that between a change of policy and a
 * session's next own packet no stranger speaks for it.
 */
static void lapsed_rules(struct writer *w)
{
	home_only(w, CHAIN_LAPSED);
	rule(w, CHAIN_LAPSED);
	in_set(w, IR_IN_SET, SET_AGREE, KEY_CT_PERMIT);
	drop(w, R_SPOOFED);
	rule(w, CHAIN_LAPSED);
	go(w, CHAIN_LOOKUP);
}

/*
 * A packet that was with a worker while its session's permit changed or ended. It did nothing wrong and must not be lost: it
 * goes to the worker again, to be judged by what holds now. Whatever comes out of the cut queue has permit 0 and ends here.
 */
static void renew_rules(struct writer *w)
{
	rule(w, CHAIN_RENEW);
	say(w, IR_MARK, MARK_PERMIT_MASK, 0);
	drop(w, R_STALE);
	rule(w, CHAIN_RENEW);
	in_set(w, IR_IN_SET, SET_AGREE, KEY_CT_PERMIT);
	go(w, CHAIN_ADMIT);
	rule(w, CHAIN_RENEW);
	go(w, CHAIN_LOOKUP);
}

/* A session is looked up again as it was opened, and cut when nothing allows it now. The packet mark keeps what was known of
 * it over the map, which writes a whole mark. */
static void lookup_rules(struct writer *w)
{
	rule(w, CHAIN_LOOKUP);
	say(w, IR_COPY_MARK, 0, 0);
	for (size_t f = 0; f < 2; f++)
		for (uint32_t i = 0; i < map_count(w); i++)
			for (uint32_t direction = 0; direction < 2; direction++)
				admitted(w, CHAIN_LOOKUP, f == 1, map_at(w, f == 1, i),
					 direction ? KEY_ORIGINAL_BACK : KEY_ORIGINAL, CHAIN_RELABEL);
	rule(w, CHAIN_LOOKUP);
	go(w, CHAIN_CUT);
}

/* A live session stays one: `hold` lets it go on. That its protocol was confirmed is another permit's word, and its worker
 * says it again when the new one promises the same. */
static void relabel_rules(struct writer *w)
{
	rule(w, CHAIN_RELABEL);
	say(w, IR_MARK_NOT, MARK_OUTCOME_MASK, MARK_UNJUDGED << MARK_OUTCOME_SHIFT);
	say(w, IR_SET_OUTCOME, MARK_GOOD << MARK_OUTCOME_SHIFT, 0);
	rule(w, CHAIN_RELABEL);
	go(w, CHAIN_ADMIT);
}

/* The packet's numbers serve to reset both ends; it goes no further itself. No bypass: unanswered it is dropped. */
static void cut_rules(struct writer *w)
{
	rule(w, CHAIN_CUT);
	say(w, IR_SET_MARK, mark_make(0, LANE_CUT, MARK_UNJUDGED), 0);
	rule(w, CHAIN_CUT);
	say(w, IR_CT_DIRECTION, 1, 0);
	say(w, IR_ADD_MARK, MARK_REPLY, 0);
	rule(w, CHAIN_CUT);
	say(w, IR_L4PROTO, IPPROTO_TCP, 0);
	say(w, IR_COUNT, R_ENDED, 0);
	say(w, IR_QUEUE, LANE_CUT, 0);
	rule(w, CHAIN_CUT);
	drop(w, R_ENDED);
}

/* TCP in the middle without a session is answered for pairs that some conduit allows, so that peers reconnect; anybody
 * else learns nothing. */
static void invalid_rules(struct writer *w)
{
	rule(w, CHAIN_INVALID);
	say(w, IR_L4PROTO, IPPROTO_TCP, 0);
	say(w, IR_TCP_FLAGS, TCP_RST, TCP_RST);
	drop(w, R_INVALID);
	for (size_t f = 0; f < 2; f++)
		for (uint32_t i = 0; i < map_count(w); i++)
			for (int back = 0; back < 2; back++) {
				rule(w, CHAIN_INVALID);
				family_proto(w, f ? 6 : 4, IPPROTO_TCP);
				in_set(w, IR_KNOWN, map_at(w, f == 1, i), back ? KEY_PACKET_BACK : KEY_PACKET);
				say(w, IR_LIMIT, STRAY_RATE, STRAY_RATE);
				say(w, IR_SET_MARK, MARK_STRAY, 0);
				say(w, IR_COUNT, R_NO_SESSION, 0);
				say(w, IR_QUEUE, LANE_CUT, 0);
			}
	rule(w, CHAIN_INVALID);
	drop(w, R_INVALID);
}

static void lane_rules(struct writer *w, uint64_t lanes)
{
	for (uint32_t n = 1; n < LANE_CUT; n++) {
		struct lane l;

		if ((lanes >> n & 1) == 0 || !lane_of(n, &l))
			continue;
		if (l.kind == LANE_COMMANDS) { /* the hash takes in the transport: opener and companion would part */
			rule(w, (enum ir_chain)(CHAIN_LANE_FIRST + n));
			in_set(w, IR_IN_SET, SET_TOGETHER, KEY_CT_PERMIT);
			say(w, IR_QUEUE, n, l.when_down != FAIL_CLOSED);
			w->rule->stmts[w->rule->n - 1].c = 1;
		}
		rule(w, (enum ir_chain)(CHAIN_LANE_FIRST + n));
		say(w, IR_QUEUE, n, l.when_down != FAIL_CLOSED);
	}
}

/* What a base chain behind the queues lets by. Judged under a permit that the flow no longer has, or that is no longer live:
 * the first time that is asked the worker gets it again, the second time it is dropped. */
static void judged_rules(struct writer *w, enum ir_chain chain)
{
	rule(w, chain);
	say(w, IR_MARK, UINT32_MAX, MARK_FAST);
	say(w, IR_ACCEPT, 0, 0);
	/* What was queued as a stray stays one, whatever mark it carries. */
	rule(w, chain);
	say(w, IR_CT_STATE, CT_INVALID, 0);
	drop(w, R_STALE);
	rule(w, chain);
	in_set(w, IR_NOT_IN_SET, SET_AGREE, KEY_AGREE);
	if (chain == CHAIN_LAST)
		drop(w, R_STALE);
	else
		go(w, CHAIN_RENEW);
	rule(w, chain);
	say(w, IR_GOTO_OUTCOME, 0, 0);
	rule(w, chain);
	drop(w, R_STALE);
}

static void post_rules(struct writer *w)
{
	judged_rules(w, CHAIN_POST);
	judged_rules(w, CHAIN_LAST);
	/* A packet that waited while its flow was confirmed must not take that back. */
	rule(w, CHAIN_JUDGED_GOOD);
	say(w, IR_CTMARK_NOT, MARK_OUTCOME_MASK, MARK_CONFIRMED << MARK_OUTCOME_SHIFT);
	say(w, IR_SET_OUTCOME, MARK_GOOD << MARK_OUTCOME_SHIFT, 0);
	pass(w);
	rule(w, CHAIN_JUDGED_GOOD);
	pass(w);
	rule(w, CHAIN_JUDGED_QUIET);
	say(w, IR_CTMARK_NOT, MARK_OUTCOME_MASK, MARK_CONFIRMED << MARK_OUTCOME_SHIFT);
	say(w, IR_SET_OUTCOME, MARK_QUIET << MARK_OUTCOME_SHIFT, 0);
	pass(w);
	rule(w, CHAIN_JUDGED_QUIET);
	pass(w);
	rule(w, CHAIN_JUDGED_CONFIRMED);
	say(w, IR_SET_OUTCOME, MARK_CONFIRMED << MARK_OUTCOME_SHIFT, 0);
	pass(w);
}

/* Packets that passed a queue without an answer. */
static void failure_rules(struct writer *w)
{
	rule(w, CHAIN_UNANSWERED);
	say(w, IR_GOTO_UNANSWERED, 0, 0);
	rule(w, CHAIN_UNANSWERED);
	drop(w, R_DOWN_CLOSED);
	rule(w, CHAIN_HOLD);
	say(w, IR_CTMARK_NOT, MARK_OUTCOME_MASK, 0);
	say(w, IR_COUNT, R_DOWN_HELD, 0);
	pass(w);
	rule(w, CHAIN_HOLD);
	drop(w, R_DOWN_HOLD_NEW);
	rule(w, CHAIN_OPEN);
	say(w, IR_COUNT, R_DOWN_OPEN, 0);
	say(w, IR_LOG, R_DOWN_OPEN, LOG_RATE);
	pass(w);
}

static void neighbours(struct writer *w, enum ir_chain chain, uint32_t type)
{
	rule(w, chain);
	family_proto(w, 6, IPPROTO_ICMPV6);
	say(w, IR_ICMP_TYPE, type, 0);
	say(w, IR_HOPLIMIT, 255, 0);
	say(w, IR_ACCEPT, 0, 0);
}

static void input_rules(struct writer *w)
{
	/* Router advertisements (134) and redirects (137) are refused: the box has its routes from box.cfg alone. */
	neighbours(w, CHAIN_INPUT, 133);
	neighbours(w, CHAIN_INPUT, 135);
	neighbours(w, CHAIN_INPUT, 136);
	home_only(w, CHAIN_INPUT);
	for (int six = 0; six < 2; six++) {
		rule(w, CHAIN_INPUT);
		family_proto(w, six ? 6 : 4, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
		say(w, IR_ICMP_TYPE, six ? 2 : 3, 0);
		say(w, IR_CT_STATE, CT_RELATED, 0);
		say(w, IR_ACCEPT, 0, 0);
		rule(w, CHAIN_INPUT);
		family_proto(w, six ? 6 : 4, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
		say(w, IR_ICMP_TYPE, six ? 128 : 8, 0);
		say(w, IR_LIMIT, ECHO_RATE, ECHO_RATE);
		say(w, IR_ACCEPT, 0, 0);
	}
	rule(w, CHAIN_INPUT);
	drop(w, R_SELF);
}

/*
 * What the box itself says carries bytes of what it answers, so it leaves only by the interface at which that came in:
 * whoever writes a source of another zone on a packet has nothing bounced there. The kernel answers some packets before
 * any rule has looked at their source (their hops are at an end, they are too long, a header is wrong, pieces are missing),
 * and what it answers before the guard has no mark. Strict reverse path does not help: where no route leads, the kernel says
 * so before it looks the source up. A packet that the rules let by came from where its source is.
 */
static void answer_rules(struct writer *w)
{
	rule(w, CHAIN_ANSWER);
	in_set(w, IR_IN_SET, SET_HOME, KEY_HOME);
	say(w, IR_ACCEPT, 0, 0);
	rule(w, CHAIN_ANSWER);
	say(w, IR_MARK, UINT32_MAX, MARK_FAST);
	say(w, IR_ACCEPT, 0, 0);
	rule(w, CHAIN_ANSWER);
	say(w, IR_MARK_NOT, MARK_OUTCOME_MASK, 0);
	say(w, IR_ACCEPT, 0, 0);
	rule(w, CHAIN_ANSWER);
	drop(w, R_SPOOFED);
}

static void output_rules(struct writer *w)
{
	neighbours(w, CHAIN_OUTPUT, 135);
	neighbours(w, CHAIN_OUTPUT, 136);
	for (int six = 0; six < 2; six++) {
		rule(w, CHAIN_OUTPUT);
		family_proto(w, six ? 6 : 4, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
		say(w, IR_ICMP_TYPE, six ? 129 : 0, 0);
		say(w, IR_CT_STATE, CT_ESTABLISHED, 0);
		go(w, CHAIN_ANSWER);
	}
	for (size_t i = 0; i < N_ERRORS; i++) {
		rule(w, CHAIN_OUTPUT);
		family_proto(w, errors[i].family, errors[i].l4proto);
		say(w, IR_ICMP_TYPE, errors[i].type, 0);
		say(w, IR_CT_STATE, CT_RELATED, 0);
		go(w, CHAIN_ANSWER);
	}
	/* A gate's reset: its socket carries the mark of the lane that the tracked flow is in. An end that expects another number
	 * answers with an acknowledgement that carries nothing, and the worker must hear it. */
	for (int quiet = 1; quiet >= 0; quiet--) {
		rule(w, CHAIN_OUTPUT);
		say(w, IR_L4PROTO, IPPROTO_TCP, 0);
		say(w, IR_TCP_FLAGS, TCP_RST | TCP_SYN | TCP_FIN, TCP_RST);
		in_set(w, IR_IN_SET, SET_RESETS, KEY_RESET);
		if (quiet) {
			say(w, IR_CTMARK, MARK_OUTCOME_MASK, MARK_QUIET << MARK_OUTCOME_SHIFT);
			say(w, IR_SET_OUTCOME, MARK_GOOD << MARK_OUTCOME_SHIFT, 0);
		}
		say(w, IR_ACCEPT, 0, 0);
	}
	/* A reset of the cut lane, only for a tracked flow whose own permit is not live. */
	rule(w, CHAIN_OUTPUT);
	say(w, IR_L4PROTO, IPPROTO_TCP, 0);
	say(w, IR_TCP_FLAGS, TCP_RST | TCP_SYN | TCP_FIN, TCP_RST);
	say(w, IR_MARK, UINT32_MAX, mark_make(0, LANE_CUT, MARK_UNJUDGED));
	in_set(w, IR_NOT_IN_SET, SET_AGREE, KEY_CT_PERMIT);
	say(w, IR_ACCEPT, 0, 0);
	/* A reset of an end of no session (chain invalid). */
	rule(w, CHAIN_OUTPUT);
	say(w, IR_L4PROTO, IPPROTO_TCP, 0);
	say(w, IR_TCP_FLAGS, TCP_RST | TCP_SYN | TCP_FIN, TCP_RST);
	say(w, IR_MARK, UINT32_MAX, MARK_STRAY);
	say(w, IR_CT_STATE, CT_INVALID, 0);
	say(w, IR_ACCEPT, 0, 0);
	rule(w, CHAIN_OUTPUT);
	drop(w, R_SELF_OUT);
}

size_t ir_skeleton(uint64_t lanes, uint32_t layers, struct arena *a, struct ir_rule **ret)
{
	struct writer w = { .a = a, .layers = layers < IR_LAYERS ? layers : IR_LAYERS };

	guard_rules(&w);
	forward_rules(&w);
	related_rules(&w);
	bare_rules(&w);
	new_rules(&w);
	share_rules(&w);
	admit_rules(&w);
	lapsed_rules(&w);
	renew_rules(&w);
	lookup_rules(&w);
	relabel_rules(&w);
	cut_rules(&w);
	invalid_rules(&w);
	lane_rules(&w, lanes);
	post_rules(&w);
	failure_rules(&w);
	input_rules(&w);
	output_rules(&w);
	answer_rules(&w);
	*ret = w.rules;
	return arena_failed(a) ? 0 : w.n;
}
