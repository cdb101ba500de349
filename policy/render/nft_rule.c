/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/ir/limits.h"
#include "policy/ir/rules.h"
#include "policy/render/nft.h"

#include <netinet/in.h>

/* Some symbolic rules are several in nft, one for each kind of header. */
enum variant { ONE, TCP_UDP, ICMP, OPTIONS4, HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION };

struct line {
	FILE *to;
	const struct ir_rule *rule;
	uint64_t lanes;
	enum variant variant;
	uint32_t family, l4proto; /* the protocols that were matched so far, 0 = any */
};

static void put_state(const struct line *l, uint32_t states)
{
	static const struct {
		uint32_t bit;
		const char *word;
	} words[] = {
		{ CT_NEW, "new" },
		{ CT_ESTABLISHED, "established" },
		{ CT_RELATED, "related" },
		{ CT_INVALID, "invalid" },
	};
	bool first = true;

	fputs("ct state ", l->to);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (states & words[i].bit) {
			fprintf(l->to, "%s%s", first ? "" : ",", words[i].word);
			first = false;
		}
}

static bool is_icmp(const struct line *l)
{
	return l->variant == ICMP || l->l4proto == IPPROTO_ICMP || l->l4proto == IPPROTO_ICMPV6;
}

/* The key as an nft concatenation. nft knows no size for the original tuple's port. */
static void put_key(const struct line *l, enum ir_set set, uint32_t key)
{
	const char *ip = ir_set_six(set) ? "ip6" : "ip";
	bool icmp = is_icmp(l);

	switch ((enum ir_key)(key & ~KEY_TWIN)) {
	case KEY_PACKET:
		fprintf(l->to, "iif . oif . %s saddr . %s daddr . meta l4proto . %s", ip, ip,
			icmp		 ? "@th,0,16"
			: key & KEY_TWIN ? "th sport"
					 : "th dport");
		break;
	case KEY_PACKET_BACK:
		fprintf(l->to, "oif . iif . %s daddr . %s saddr . meta l4proto . %s", ip, ip,
			icmp		 ? "@th,0,16"
			: key & KEY_TWIN ? "th dport"
					 : "th sport");
		break;
	case KEY_ORIGINAL:
	case KEY_ORIGINAL_BACK:
		fprintf(l->to,
			"%s . ct original %s saddr . ct original %s daddr . meta l4proto . ct original proto-dst",
			key == KEY_ORIGINAL ? "iif . oif" : "oif . iif", ip, ip);
		break;
	case KEY_AGREE:
		fprintf(l->to, "(meta mark & 0x%08x) . (ct mark & 0x%08x)", MARK_PERMIT_MASK, MARK_PERMIT_MASK);
		break;
	case KEY_CT_PERMIT:
		fprintf(l->to, "(ct mark & 0x%08x) . (ct mark & 0x%08x)", MARK_PERMIT_MASK, MARK_PERMIT_MASK);
		break;
	case KEY_PACE_PAIR:
	case KEY_SHARE_PAIR:
		ip = set == SET_PACE6 || set == SET_SHARE6 ? "ip6" : "ip";
		fprintf(l->to, "%s saddr . %s daddr . (ct mark & 0x%08x)", ip, ip, MARK_LANE_MASK);
		if (key == KEY_SHARE_PAIR)
			fprintf(l->to, " . numgen random mod %u", IR_PAIR_PARTS);
		break;
	case KEY_PACE_ZONE:
		fprintf(l->to, "iif . (ct mark & 0x%08x)", MARK_LANE_MASK);
		break;
	case KEY_PACE_LINK:
		fputs("iif . meta mark", l->to);
		break;
	case KEY_SHARE_ZONE:
		fprintf(l->to, "iif . (ct mark & 0x%08x) . numgen random mod %u", MARK_LANE_MASK, IR_ZONE_PARTS);
		break;
	case KEY_LIMITED:
		fprintf(l->to, "(%s mark & 0x%08x) . ", key & KEY_TWIN ? "meta" : "ct", MARK_PERMIT_MASK);
		break;
	case KEY_SESSION:
		fputs("ct id", l->to);
		break;
	case KEY_FAMILY:
		fputs("meta nfproto", l->to);
		break;
	case KEY_ENDS:
	case KEY_ENDS_PERMIT:
	case KEY_ENDS_ANY:
		fprintf(l->to, "ct original %s %s . ct original %s %s", ip, key & KEY_TWIN ? "daddr" : "saddr", ip,
			key & KEY_TWIN ? "saddr" : "daddr");
		if ((key & ~KEY_TWIN) != KEY_ENDS)
			fprintf(l->to, " . (%s mark & 0x%08x)", key & KEY_TWIN ? "meta" : "ct",
				(key & ~KEY_TWIN) == KEY_ENDS_PERMIT ? MARK_PERMIT_MASK : 0);
		break;
	case KEY_HOME:
		fputs("oif . meta mark", l->to);
		break;
	case KEY_RESET:
		fprintf(l->to, "(meta mark & 0x%08x) . (ct mark & 0x%08x)", MARK_LANE_MASK, MARK_LANE_MASK);
		break;
	}
}

static void put_options(const struct line *l)
{
	switch (l->variant) {
	case OPTIONS4:
		fputs("meta nfproto ipv4 ip hdrlength != 5", l->to);
		break;
	case HOP_BY_HOP:
		fprintf(l->to, "ip6 nexthdr %d", IPPROTO_HOPOPTS);
		break;
	case ROUTING:
		fprintf(l->to, "ip6 nexthdr %d", IPPROTO_ROUTING);
		break;
	case FRAGMENT:
		fprintf(l->to, "ip6 nexthdr %d", IPPROTO_FRAGMENT);
		break;
	case AUTHENTICATION:
		fprintf(l->to, "ip6 nexthdr %d", IPPROTO_AH);
		break;
	case DESTINATION:
		fprintf(l->to, "ip6 nexthdr %d", IPPROTO_DSTOPTS);
		break;
	case ONE:
	case TCP_UDP:
	case ICMP:
		break;
	}
}

static void put_lanes(const struct line *l)
{
	char name[16];

	fprintf(l->to, "meta mark & 0x%08x vmap { 0x%08x : accept", MARK_FAST | MARK_LANE_MASK, MARK_FAST);
	for (uint32_t n = 1; n < LANE_CUT; n++)
		if (l->lanes >> n & 1)
			fprintf(l->to, ", 0x%08x : goto %s, 0x%08x : goto %s", n << MARK_LANE_SHIFT,
				ir_chain_name((enum ir_chain)(CHAIN_LANE_FIRST + n), name),
				n << MARK_LANE_SHIFT | MARK_TWIN, name);
	fputs(" }", l->to);
}

static bool leaves_open(uint64_t lanes, uint32_t n, enum failure *ret)
{
	struct lane lane;

	if ((lanes >> n & 1) == 0 || !lane_of(n, &lane))
		return false;
	*ret = lane_unanswered(lane);
	return *ret != FAIL_CLOSED;
}

static void put_unanswered(const struct line *l)
{
	bool first = true;
	enum failure f;

	for (uint32_t n = 1; n < LANE_CUT; n++) {
		char name[16];

		if (!leaves_open(l->lanes, n, &f))
			continue;
		if (first)
			fprintf(l->to, "meta mark & 0x%08x vmap {", MARK_LANE_MASK);
		fprintf(l->to, "%s 0x%08x : goto %s", first ? "" : ",", n << MARK_LANE_SHIFT,
			ir_chain_name(f == FAIL_HOLD ? CHAIN_HOLD : CHAIN_OPEN, name));
		first = false;
	}
	fputs(first ? "# every lane in use is closed when nobody answers" : " }", l->to);
}

static void put_outcomes(const struct line *l)
{
	char a[16], b[16], c[16], d[16];

	fprintf(l->to,
		"meta mark & 0x%08x vmap { 0x%08x : goto %s, 0x%08x : goto %s, 0x%08x : goto %s, 0x%08x : goto %s }",
		MARK_OUTCOME_MASK, MARK_GOOD << MARK_OUTCOME_SHIFT, ir_chain_name(CHAIN_JUDGED_GOOD, a),
		MARK_QUIET << MARK_OUTCOME_SHIFT, ir_chain_name(CHAIN_JUDGED_QUIET, d),
		MARK_CONFIRMED << MARK_OUTCOME_SHIFT, ir_chain_name(CHAIN_JUDGED_CONFIRMED, b),
		MARK_UNJUDGED << MARK_OUTCOME_SHIFT, ir_chain_name(CHAIN_UNANSWERED, c));
}

static void put_masked(const struct line *l, const char *which, const struct ir_stmt *s, const char *op)
{
	fprintf(l->to, "%s mark ", which);
	if (s->a != UINT32_MAX)
		fprintf(l->to, "& 0x%08x ", s->a);
	fprintf(l->to, "%s 0x%08x", op, s->b);
}

static void put_queue(const struct line *l, uint32_t lane, bool together, bool bypass)
{
	fprintf(l->to, "queue%s to %u", bypass ? " flags bypass" : "",
		lane_queue(lane, together ? LANE_SLOT_TOGETHER : 0));
	if (!together)
		fprintf(l->to, "-%u", lane_queue(lane, LANE_SLOTS - 1));
}

static void put_stmt(struct line *l, const struct ir_stmt *s)
{
	char name[16];

	switch (s->kind) {
	case IR_CT_STATE:
		put_state(l, s->a);
		break;
	case IR_FAMILY:
		l->family = s->a;
		fprintf(l->to, "meta nfproto ipv%u", s->a);
		if (l->variant == TCP_UDP)
			fputs(" meta l4proto { tcp, udp }", l->to);
		else if (l->variant == ICMP)
			fprintf(l->to, " meta l4proto %s", s->a == 6 ? "ipv6-icmp" : "icmp");
		break;
	case IR_L4PROTO:
		l->l4proto = s->a;
		if (s->a == IPPROTO_ICMPV6)
			fputs("meta l4proto ipv6-icmp", l->to);
		else
			fprintf(l->to, "meta l4proto %s",
				s->a == IPPROTO_TCP   ? "tcp"
				: s->a == IPPROTO_UDP ? "udp"
						      : "icmp");
		break;
	case IR_ICMP_TYPE:
		fprintf(l->to, "%s type %u", l->l4proto == IPPROTO_ICMPV6 ? "icmpv6" : "icmp", s->a);
		break;
	case IR_ICMP_BELOW:
		fprintf(l->to, "%s type < %u", l->l4proto == IPPROTO_ICMPV6 ? "icmpv6" : "icmp", s->a);
		break;
	case IR_HOPLIMIT:
		fprintf(l->to, "ip6 hoplimit %u", s->a);
		break;
	case IR_IP_OPTIONS:
		put_options(l);
		break;
	case IR_PLAIN:
		l->l4proto = s->b;
		fprintf(l->to, s->a == 4 ? "ip hdrlength 5 meta l4proto %u" : "ip6 nexthdr %u", s->b);
		break;
	case IR_UNROUTED:
		fputs("fib saddr . iif oif missing", l->to);
		break;
	case IR_TCP_FLAGS:
		fprintf(l->to, "tcp flags & 0x%02x == 0x%02x", s->a, s->b);
		break;
	case IR_TCP_OPTION:
		fprintf(l->to, "tcp option %u exists", s->a);
		break;
	case IR_ONCE:
		fputs("(the verdict cache knows the packet)", l->to);
		break;
	case IR_TCP_STRIP:
		fprintf(l->to, "reset tcp option %u", s->a);
		break;
	case IR_CT_DIRECTION:
		fprintf(l->to, "ct direction %s", s->a ? "reply" : "original");
		break;
	case IR_MARK:
		put_masked(l, "meta", s, "==");
		break;
	case IR_MARK_NOT:
		put_masked(l, "meta", s, "!=");
		break;
	case IR_CTMARK:
		put_masked(l, "ct", s, "==");
		break;
	case IR_CTMARK_NOT:
		put_masked(l, "ct", s, "!=");
		break;
	case IR_TCP_BARE:
		fprintf(l->to, "%s length %u tcp doff %u", s->a == 4 ? "ip" : "ip6", (s->a == 4 ? 20 : 0) + 4 * s->b,
			s->b);
		break;
	case IR_LIMIT:
		fprintf(l->to, "limit rate %u/second burst %u packets", s->a, s->b);
		break;
	case IR_PACE:
		fprintf(l->to, "%s @%s { ", s->set <= SET_PACE6 ? "update" : "add", ir_set_name(s->set));
		put_key(l, s->set, s->a);
		fprintf(l->to, "%s limit rate %u/second burst %u packets }", s->set <= SET_PACE6 ? " timeout 10s" : "",
			s->b, s->c);
		break;
	case IR_CROWD:
		fprintf(l->to, "add @%s { ", ir_set_name(s->set));
		put_key(l, s->set, s->a);
		fprintf(l->to, " ct count over %u }", s->b);
		break;
	case IR_IN_SET:
	case IR_NOT_IN_SET:
	case IR_KNOWN:
		put_key(l, s->set, s->a);
		if ((s->a & ~KEY_TWIN) == KEY_LIMITED)
			fprintf(l->to, "0x%08x", s->b);
		fprintf(l->to, " %s@%s", s->kind == IR_NOT_IN_SET ? "!= " : "", ir_set_name(s->set));
		break;
	case IR_LIVE:
		fprintf(l->to, "meta mark set iif . ct direction . (ct mark & 0x%08x) map @%s", ~MARK_OUTCOME_MASK,
			ir_set_name(SET_LIVE));
		if (s->a != 0)
			fprintf(l->to, " meta mark == 0x%08x", s->a);
		break;
	case IR_TWIN_AGREES:
		fputs("meta priority set ", l->to);
		put_key(l, s->set, s->a);
		fprintf(l->to, " map @%s (meta priority & 0x%08x) . (meta mark & 0x%08x) @%s meta priority set 0",
			ir_set_name(s->set), MARK_PERMIT_MASK, MARK_PERMIT_MASK, ir_set_name(SET_AGREE));
		break;
	case IR_TWIN:
	case IR_ADMIT:
		fputs(s->kind == IR_TWIN ? "meta mark set " : "ct mark set ", l->to);
		put_key(l, s->set, s->a);
		fprintf(l->to, " map @%s", ir_set_name(s->set));
		if (s->kind == IR_TWIN)
			fprintf(l->to, " meta mark set meta mark & 0x%08x", ~MARK_LIMITS);
		break;
	case IR_KEEP:
		fprintf(l->to, "%s @%s { ", s->set == SET_IDLES ? "update" : "add", ir_set_name(s->set));
		put_key(l, s->set, s->a);
		fprintf(l->to, " timeout %us }", s->b & IR_LIMIT_S);
		break;
	case IR_SET_MARK:
		fprintf(l->to, "meta mark set 0x%08x", s->a);
		break;
	case IR_ADD_MARK:
		fprintf(l->to, "meta mark set meta mark | 0x%08x", s->a);
		break;
	case IR_ARRIVED:
		fputs("meta mark set iif", l->to);
		break;
	case IR_COPY_MARK:
		fputs("meta mark set ct mark", l->to);
		if (s->a != 0)
			fprintf(l->to, " & 0x%08x", ~s->a);
		break;
	case IR_SET_OUTCOME:
		fprintf(l->to, "ct mark set ct mark & 0x%08x | 0x%08x", ~MARK_OUTCOME_MASK, s->a);
		break;
	case IR_FORGET:
		fprintf(l->to, "ct mark set ct mark & 0x%08x", ~s->a);
		break;
	case IR_COUNT:
		fprintf(l->to, "counter name %s", reason_word((enum reason)s->a));
		break;
	case IR_LOG:
		fprintf(l->to, "limit rate %u/second burst %u packets log prefix \"%s\" group 1", s->b, s->b,
			reason_word((enum reason)s->a));
		break;
	case IR_ACCEPT:
		fputs("accept", l->to);
		break;
	case IR_DROP:
		fputs("drop", l->to);
		break;
	case IR_GOTO:
		fprintf(l->to, "goto %s", ir_chain_name((enum ir_chain)s->a, name));
		break;
	case IR_GOTO_LANE:
		put_lanes(l);
		break;
	case IR_GOTO_OUTCOME:
		put_outcomes(l);
		break;
	case IR_GOTO_UNANSWERED:
		put_unanswered(l);
		break;
	case IR_QUEUE:
		put_queue(l, s->a, s->c != 0, s->b != 0);
		break;
	}
}

/* Whether the statement uses a session's id, a type for which nft has no word. */
static bool is_counted(const struct ir_stmt *s)
{
	return s->kind == IR_KEEP || (s->kind == IR_NOT_IN_SET && s->a == KEY_SESSION);
}

/* Writes one line: the rule that records matching packets, or the rest. */
static void put_line(struct line l, bool record)
{
	bool comment = false;

	for (uint32_t i = 0; i < l.rule->n; i++) {
		const struct ir_stmt *s = &l.rule->stmts[i];

		/* Where only a key of a map is looked up, kernels before 6.4 also need a place for
		 * the value (rule.c), which nft cannot express. */
		comment = comment || s->kind == IR_ARRIVED || s->kind == IR_CROWD || is_counted(s) ||
			  s->kind == IR_KNOWN || s->kind == IR_ONCE || s->kind == IR_TWIN_AGREES ||
			  (s->kind == IR_ADMIT && (s->a == KEY_ORIGINAL || s->a == KEY_ORIGINAL_BACK));
	}
	fputs(comment ? "\t\t# not nft:" : "\t\t", l.to);
	for (uint32_t i = 0, n = 0; i < l.rule->n; i++) {
		const struct ir_stmt *s = &l.rule->stmts[i];

		if (record ? s->kind > IR_KNOWN && s->kind != IR_LOG : s->kind == IR_LOG)
			continue;
		if (n++ > 0 || comment)
			fputc(' ', l.to);
		put_stmt(&l, s);
	}
	fputc('\n', l.to);
}

void render_nft_rule(FILE *to, const struct ir_rule *r, uint64_t lanes)
{
	struct line l = { .to = to, .rule = r, .lanes = lanes };
	enum variant first = ONE, last = ONE;
	bool record = false, transport = false;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct ir_stmt *s = &r->stmts[i];

		record = record || s->kind == IR_LOG;
		transport = transport || s->kind == IR_L4PROTO;
		if (s->kind == IR_IP_OPTIONS) {
			first = OPTIONS4;
			last = DESTINATION;
		} else if (s->kind == IR_ADMIT && s->a == KEY_PACKET && !transport) {
			first = TCP_UDP;
			last = ICMP;
		}
	}
	for (unsigned v = first; v <= last; v++) {
		l.variant = (enum variant)v;
		if (record)
			put_line(l, true);
		put_line(l, false);
	}
}
