/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/rule.h"

#include <errno.h>
#include <netinet/in.h> /* before linux/, whose headers then omit their own copies */
#include <stdio.h>	/* libnftnl's headers need it */

#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "appliance/kernel/expr.h"
#include "appliance/kernel/expr_act.h"
#include "appliance/wire/mark.h"

/* Loads the port with which a cell's port is compared, 2 bytes. ICMP has type and code there. */
static void port_field(struct build *b, bool source, uint32_t word)
{
	switch (b->l4proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		expr_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, source ? 0 : 2, 2, word);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		expr_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, word);
		break;
	default:
		/*
		 * The protocol is not known here, so the value comes from connection tracking,
		 * whose tuple has the destination port, or type and code, always in the same place.
		 * For a packet that opens a session, this is the packet's own tuple.
		 */
		if (source)
			b->bad = true;
		expr_ct_original(b, NFT_CT_PROTO_DST, word);
	}
}

/* Loads the key of a cell map: source . destination . protocol . port . iif . oif. `other`: with
 * the port of the packet's other end (skeleton/lasting.c). */
static void cell_key(struct build *b, bool v6, enum ir_key k, bool other)
{
	bool back = k == KEY_PACKET_BACK || k == KEY_ORIGINAL_BACK,
	     original = k == KEY_ORIGINAL || k == KEY_ORIGINAL_BACK;
	uint32_t len = v6 ? 16 : 4, words = len / 4, src_at = v6 ? 8 : 12, dst_at = src_at + len;

	if (original) {
		expr_ct_original(b, v6 ? NFT_CT_SRC_IP6 : NFT_CT_SRC_IP, 0);
		expr_ct_original(b, v6 ? NFT_CT_DST_IP6 : NFT_CT_DST_IP, words);
	} else {
		expr_payload(b, NFT_PAYLOAD_NETWORK_HEADER, back ? dst_at : src_at, len, 0);
		expr_payload(b, NFT_PAYLOAD_NETWORK_HEADER, back ? src_at : dst_at, len, words);
	}
	expr_meta(b, NFT_META_L4PROTO, 2 * words);
	if (original)
		expr_ct_original(b, NFT_CT_PROTO_DST, 2 * words + 1);
	else
		port_field(b, (k == KEY_PACKET_BACK) != other, 2 * words + 1);
	expr_meta(b, back ? NFT_META_OIF : NFT_META_IIF, 2 * words + 2);
	expr_meta(b, back ? NFT_META_IIF : NFT_META_OIF, 2 * words + 3);
}

/* Loads the addresses, from word `at` on. */
static uint32_t load_pair(struct build *b, bool v6, uint32_t at)
{
	uint32_t len = v6 ? 32 : 8;

	expr_payload(b, NFT_PAYLOAD_NETWORK_HEADER, v6 ? 8 : 12, len, at);
	return len / 4;
}

static void load_lane(struct build *b, uint32_t word)
{
	expr_ct(b, NFT_CT_MARK, word);
	expr_bits32(b, word, MARK_LANE_MASK, 0);
}

/* A word of a key: read from the packet (NFT_META_*) or from its session (NFT_CT_*), with a mask
 * (0: the whole word). */
struct key_word {
	enum { OF_NOTHING, OF_PACKET, OF_SESSION } of;
	uint32_t key, mask;
};

#define PACKET_MARK(mask)                                                                                              \
	{                                                                                                              \
		OF_PACKET, NFT_META_MARK, (mask)                                                                       \
	}
#define SESSION_MARK(mask)                                                                                             \
	{                                                                                                              \
		OF_SESSION, NFT_CT_MARK, (mask)                                                                        \
	}
#define CAME_BY                                                                                                        \
	{                                                                                                              \
		OF_PACKET, NFT_META_IIF, 0                                                                             \
	}

/* For sets whose keys begin with fixed words: the first and the last such set, and the words. */
static const struct {
	enum ir_set first, last;
	struct key_word words[2];
} keys[] = {
	[KEY_AGREE] = { SET_AGREE, SET_TOGETHER, { PACKET_MARK(MARK_PERMIT_MASK), SESSION_MARK(MARK_PERMIT_MASK) } },
	[KEY_CT_PERMIT] = { SET_AGREE,
			    SET_TOGETHER,
			    { SESSION_MARK(MARK_PERMIT_MASK), SESSION_MARK(MARK_PERMIT_MASK) } },
	[KEY_RESET] = { SET_RESETS, SET_RESETS, { PACKET_MARK(MARK_LANE_MASK), SESSION_MARK(MARK_LANE_MASK) } },
	[KEY_HOME] = { SET_HOME, SET_HOME, { { OF_PACKET, NFT_META_OIF, 0 }, PACKET_MARK(0) } },
	[KEY_FAMILY] = { SET_PARTED, SET_SWITCH, { { OF_PACKET, NFT_META_NFPROTO, 0 } } },
	[KEY_PACE_ZONE] = { SET_PACE_FEW, SET_PACE_MANY, { CAME_BY, SESSION_MARK(MARK_LANE_MASK) } },
	[KEY_PACE_LINK] = { SET_PACE_LINK, SET_PACE_LINK, { CAME_BY, PACKET_MARK(0) } },
	[KEY_SHARE_ZONE] = { SET_SHARE_ZONE, SET_SHARE_ZONE, { CAME_BY, SESSION_MARK(MARK_LANE_MASK) } },
	[KEY_LIMITED] = { SET_LIMITED, SET_LIMITED, { SESSION_MARK(MARK_PERMIT_MASK) } },
	[KEY_SESSION] = { SET_AGES, SET_IDLES, { { OF_SESSION, NFT_CT_ID, 0 } } },
};

static void fixed_key(struct build *b, const struct ir_stmt *s)
{
	uint32_t key = s->a & ~KEY_TWIN;
	bool twin = (s->a & KEY_TWIN) != 0; /* the permit is in the packet mark */

	b->bad |= twin && key != KEY_LIMITED;
	if (key >= sizeof(keys) / sizeof(keys[0]) || keys[key].words[0].of == OF_NOTHING || s->set < keys[key].first ||
	    s->set > keys[key].last) {
		b->bad = true;
		return;
	}
	for (uint32_t word = 0; word < 2; word++) {
		const struct key_word *w = &keys[key].words[word];

		if (twin && w->of == OF_SESSION)
			expr_meta(b, NFT_META_MARK, word);
		else if (w->of == OF_PACKET)
			expr_meta(b, w->key, word);
		else if (w->of == OF_SESSION)
			expr_ct(b, w->key, word);
		if (w->mask != 0)
			expr_bits32(b, word, w->mask, 0);
	}
	if (key == KEY_LIMITED)
		expr_value(b, s->b, 1);
	if (key == KEY_SHARE_ZONE)
		expr_draw(b, IR_ZONE_PARTS, 2);
}

/* Loads the key of a pair of hosts and their lane. The rule must have matched the address family
 * before. */
static void pair_key(struct build *b, const struct ir_stmt *s)
{
	bool six = b->family == 6, share = s->a == KEY_SHARE_PAIR;
	enum ir_set set = share ? (six ? SET_SHARE6 : SET_SHARE4) : (six ? SET_PACE6 : SET_PACE4);
	uint32_t words = load_pair(b, six, 0);

	b->bad |= b->family == 0 || s->set != set;
	load_lane(b, words);
	if (share)
		expr_draw(b, IR_PAIR_PARTS, words + 1);
}

/* Loads the key of isolated traffic: the ends of the session and, for sets whose key has it, the
 * permit. */
static void ends_key(struct build *b, const struct ir_stmt *s)
{
	bool six = ir_set_six(s->set), twin = (s->a & KEY_TWIN) != 0;
	uint32_t key = s->a & ~KEY_TWIN, first = 0, second = six ? 4 : 1, third = six ? 8 : 2;

	b->bad |= key == KEY_ENDS ? !ir_set_apart(s->set) : !ir_set_kept(s->set);
	expr_ct_original(b, six ? NFT_CT_SRC_IP6 : NFT_CT_SRC_IP, twin ? second : first);
	expr_ct_original(b, six ? NFT_CT_DST_IP6 : NFT_CT_DST_IP, twin ? first : second);
	if (key == KEY_ENDS)
		return;
	if (twin)
		expr_meta(b, NFT_META_MARK, third);
	else
		expr_ct(b, NFT_CT_MARK, third);
	expr_bits32(b, third, key == KEY_ENDS_PERMIT ? MARK_PERMIT_MASK : 0, 0);
}

static void load_key(struct build *b, const struct ir_stmt *s)
{
	switch (s->a & ~KEY_TWIN) {
	case KEY_PACKET:
	case KEY_PACKET_BACK:
	case KEY_ORIGINAL:
	case KEY_ORIGINAL_BACK:
		b->bad |= !ir_set_cells(s->set) && !ir_set_bridge(s->set);
		cell_key(b, ir_set_six(s->set), (enum ir_key)(s->a & ~KEY_TWIN), (s->a & KEY_TWIN) != 0);
		break;
	case KEY_PACE_PAIR:
	case KEY_SHARE_PAIR:
		pair_key(b, s);
		break;
	case KEY_ENDS:
	case KEY_ENDS_PERMIT:
	case KEY_ENDS_ANY:
		ends_key(b, s);
		break;
	default:
		fixed_key(b, s);
	}
}

static uint32_t state_bits(uint32_t states)
{
	uint32_t bits = 0;

	if (states & CT_INVALID)
		bits |= 1u;
	if (states & CT_ESTABLISHED)
		bits |= 2u;
	if (states & CT_RELATED)
		bits |= 4u;
	if (states & CT_NEW)
		bits |= 8u;
	return bits;
}

/* The conditions of IR_IP_OPTIONS. For IPv6: the protocol numbers of extension headers, one of
 * which begins every chain of such headers. */
#define OPTION_VARIANTS 6u
static void ip_options(struct build *b, unsigned variant)
{
	static const uint8_t headers[OPTION_VARIANTS] = {
		0, IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_FRAGMENT, IPPROTO_AH, IPPROTO_DSTOPTS
	};

	expr_meta(b, NFT_META_NFPROTO, 0);
	expr_cmp8(b, NFT_CMP_EQ, variant == 0 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	if (variant == 0) {
		expr_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 0, 1, 0);
		expr_bits8(b, 0x0f);
		expr_cmp8(b, NFT_CMP_NEQ, 5);
		return;
	}
	expr_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 6, 1, 0);
	expr_cmp8(b, NFT_CMP_EQ, headers[variant]);
}

/* Matches a header without options and its protocol. Loads from the header itself are the fastest
 * in the kernel. The first byte of IPv4 has version and length. The kernel refuses a packet whose
 * version does not fit its family before it reaches any rule. */
static void match_plain(struct build *b, uint32_t family, uint8_t l4proto)
{
	b->l4proto = l4proto;
	if (family == 4) {
		expr_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 0, 1, 0);
		expr_cmp8(b, NFT_CMP_EQ, 0x45);
	} else {
		expr_meta(b, NFT_META_NFPROTO, 0);
		expr_cmp8(b, NFT_CMP_EQ, NFPROTO_IPV6);
	}
	expr_payload(b, NFT_PAYLOAD_NETWORK_HEADER, family == 4 ? 9 : 6, 1, 0);
	expr_cmp8(b, NFT_CMP_EQ, l4proto);
}

/* Matches a TCP segment without data: compares the length of the TCP header in words, and the
 * length of the packet (IPv4) or of what follows the header (IPv6). */
static void tcp_bare(struct build *b, uint32_t family, uint32_t words)
{
	expr_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 12, 1, 0);
	expr_bits8(b, 0xf0);
	expr_cmp8(b, NFT_CMP_EQ, (uint8_t)(words << 4));
	expr_payload(b, NFT_PAYLOAD_NETWORK_HEADER, family == 4 ? 2 : 4, 2, 0);
	expr_cmp16(b, NFT_CMP_EQ, (uint16_t)((family == 4 ? 20u : 0u) + 4u * words));
}

static void stmt(struct build *b, const struct ir_stmt *s, unsigned variant, unsigned lacks)
{
	char chain[16];

	switch (s->kind) {
	case IR_CT_STATE:
		expr_ct(b, NFT_CT_STATE, 0);
		expr_bits32(b, 0, state_bits(s->a), 0);
		expr_cmp32(b, NFT_CMP_NEQ, 0);
		break;
	case IR_FAMILY:
		b->family = (uint8_t)s->a;
		expr_meta(b, NFT_META_NFPROTO, 0);
		expr_cmp8(b, NFT_CMP_EQ, s->a == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
		break;
	case IR_L4PROTO:
		b->l4proto = (uint8_t)s->a;
		expr_meta(b, NFT_META_L4PROTO, 0);
		expr_cmp8(b, NFT_CMP_EQ, (uint8_t)s->a);
		break;
	case IR_ICMP_TYPE:
		expr_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
		expr_cmp8(b, NFT_CMP_EQ, (uint8_t)s->a);
		break;
	case IR_ICMP_BELOW:
		expr_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
		expr_cmp8(b, NFT_CMP_LT, (uint8_t)s->a);
		break;
	case IR_HOPLIMIT:
		expr_payload(b, NFT_PAYLOAD_NETWORK_HEADER, 7, 1, 0);
		expr_cmp8(b, NFT_CMP_EQ, (uint8_t)s->a);
		break;
	case IR_IP_OPTIONS:
		ip_options(b, variant);
		break;
	case IR_PLAIN:
		match_plain(b, s->a, (uint8_t)s->b);
		break;
	case IR_UNROUTED:
		expr_unrouted(b);
		break;
	case IR_TCP_FLAGS:
		expr_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, 0);
		expr_bits8(b, (uint8_t)s->a);
		expr_cmp8(b, NFT_CMP_EQ, (uint8_t)s->b);
		break;
	case IR_TCP_OPTION:
		expr_tcp_option(b, (uint8_t)s->a);
		break;
	case IR_TCP_STRIP:
		expr_tcp_strip(b, (uint8_t)s->a);
		break;
	case IR_CT_DIRECTION:
		expr_ct(b, NFT_CT_DIRECTION, 0);
		expr_cmp8(b, NFT_CMP_EQ, (uint8_t)s->a);
		break;
	case IR_MARK:
	case IR_MARK_NOT:
		expr_meta(b, NFT_META_MARK, 0);
		if (s->a != UINT32_MAX)
			expr_bits32(b, 0, s->a, 0);
		expr_cmp32(b, s->kind == IR_MARK ? NFT_CMP_EQ : NFT_CMP_NEQ, s->b);
		break;
	case IR_CTMARK:
	case IR_CTMARK_NOT:
		expr_ct(b, NFT_CT_MARK, 0);
		expr_bits32(b, 0, s->a, 0);
		expr_cmp32(b, s->kind == IR_CTMARK ? NFT_CMP_EQ : NFT_CMP_NEQ, s->b);
		break;
	case IR_TCP_BARE:
		tcp_bare(b, s->a, s->b);
		break;
	case IR_ONCE:
		expr_once(b, s->a);
		break;
	case IR_LIMIT:
		expr_limit(b, s->a, s->b);
		break;
	case IR_PACE:
		load_key(b, s);
		expr_pace(b, s->set, s->b, s->c);
		break;
	case IR_CROWD:
		load_key(b, s);
		expr_crowd(b, s->set, s->b);
		break;
	case IR_IN_SET:
	case IR_NOT_IN_SET:
		load_key(b, s);
		expr_lookup(b, s->set, LOOKUP_MEMBER, s->kind == IR_NOT_IN_SET);
		break;
	case IR_LIVE:
		expr_meta(b, NFT_META_IIF, 0);
		expr_ct(b, NFT_CT_DIRECTION, 1);
		expr_ct(b, NFT_CT_MARK, 2);
		expr_bits32(b, 2, ~MARK_OUTCOME_MASK, 0);
		expr_lookup(b, SET_LIVE, LOOKUP_MARK, false);
		expr_meta_set(b, NFT_META_MARK, 0);
		if (s->a != 0)
			expr_cmp32(b, NFT_CMP_EQ, s->a);
		break;
	case IR_ADMIT:
		load_key(b, s);
		expr_lookup(b, s->set, LOOKUP_MARK, false);
		expr_ct_mark_set(b, 0);
		break;
	case IR_TWIN:
		load_key(b, s);
		expr_lookup(b, s->set, LOOKUP_MARK, false);
		expr_meta_set(b, NFT_META_MARK, 0);
		expr_meta(b, NFT_META_MARK, 0);
		expr_bits32(b, 0, ~MARK_LIMITS, 0);
		expr_meta_set(b, NFT_META_MARK, 0);
		break;
	case IR_TWIN_AGREES:
		load_key(b, s);
		/* The program nft cannot list a key that contains a lookup's result. So this result
		 * is put into the packet's priority, which is not used otherwise. */
		expr_lookup(b, s->set, LOOKUP_MARK, false);
		expr_meta_set(b, NFT_META_PRIORITY, 0);
		expr_meta(b, NFT_META_PRIORITY, 0);
		expr_bits32(b, 0, MARK_PERMIT_MASK, 0);
		expr_meta(b, NFT_META_MARK, 1);
		expr_bits32(b, 1, MARK_PERMIT_MASK, 0);
		expr_lookup(b, SET_AGREE, LOOKUP_MEMBER, false);
		expr_value(b, 0, 0);
		expr_meta_set(b, NFT_META_PRIORITY, 0);
		break;
	case IR_KNOWN:
		load_key(b, s);
		expr_lookup(b, s->set, LOOKUP_MARK, false);
		break;
	case IR_KEEP:
		load_key(b, s);
		expr_keep(b, s->set, s->b & IR_LIMIT_S, s->set == SET_IDLES);
		break;
	case IR_SET_MARK:
		expr_value(b, s->a, 0);
		expr_meta_set(b, NFT_META_MARK, 0);
		break;
	case IR_ADD_MARK:
		expr_meta(b, NFT_META_MARK, 0);
		expr_bits32(b, 0, ~s->a, s->a);
		expr_meta_set(b, NFT_META_MARK, 0);
		break;
	case IR_ARRIVED:
		expr_meta(b, NFT_META_IIF, 0);
		expr_meta_set(b, NFT_META_MARK, 0);
		break;
	case IR_COPY_MARK:
		expr_ct(b, NFT_CT_MARK, 0);
		if (s->a != 0)
			expr_bits32(b, 0, ~s->a, 0);
		expr_meta_set(b, NFT_META_MARK, 0);
		break;
	case IR_SET_OUTCOME:
		expr_ct(b, NFT_CT_MARK, 0);
		expr_bits32(b, 0, ~MARK_OUTCOME_MASK, s->a);
		expr_ct_mark_set(b, 0);
		break;
	case IR_FORGET:
		expr_ct(b, NFT_CT_MARK, 0);
		expr_bits32(b, 0, ~s->a, 0);
		expr_ct_mark_set(b, 0);
		break;
	case IR_COUNT:
		expr_count(b, s->a);
		break;
	case IR_LOG:
		expr_limit(b, s->b, s->b);
		expr_log_record(b, s->a);
		break;
	case IR_ACCEPT:
		expr_verdict(b, NF_ACCEPT, NULL);
		break;
	case IR_DROP:
		expr_verdict(b, NF_DROP, NULL);
		break;
	case IR_GOTO:
		expr_verdict(b, NFT_GOTO, ir_chain_name((enum ir_chain)s->a, chain));
		break;
	case IR_GOTO_LANE:
		expr_meta(b, NFT_META_MARK, 0);
		expr_bits32(b, 0, MARK_FAST | MARK_LANE_MASK, 0);
		expr_lookup(b, TABLE_LANES, LOOKUP_VERDICT, false);
		break;
	case IR_GOTO_OUTCOME:
		expr_meta(b, NFT_META_MARK, 0);
		expr_bits32(b, 0, MARK_OUTCOME_MASK, 0);
		expr_lookup(b, TABLE_OUTCOMES, LOOKUP_VERDICT, false);
		break;
	case IR_GOTO_UNANSWERED:
		expr_meta(b, NFT_META_MARK, 0);
		expr_bits32(b, 0, MARK_LANE_MASK, 0);
		expr_lookup(b, TABLE_UNANSWERED, LOOKUP_VERDICT, false);
		break;
	case IR_QUEUE:
		expr_queue(b, s->a, s->c == 1, s->b == 1, lacks);
		break;
	default:
		b->bad = true;
	}
}

/* Whether the statement is a condition. Both kernel rules of a record get the conditions: the one
 * that logs, and the one that decides. */
static bool is_match(enum ir_stmt_kind k)
{
	return k <= IR_KNOWN;
}

/* Makes one kernel rule: either the conditions and the log, or all the rest. */
static struct nftnl_rule *kernel_rule(const struct ir_rule *r, unsigned variant, bool record, unsigned lacks, int *err)
{
	char chain[16];
	struct build b = rule_begin(NFPROTO_INET, TABLE_NAME, ir_chain_name(r->chain, chain));

	*err = b.rule == NULL ? -ENOMEM : -EINVAL;
	for (uint32_t n = 0; n < r->n; n++)
		if (record ? is_match(r->stmts[n].kind) || r->stmts[n].kind == IR_LOG : r->stmts[n].kind != IR_LOG)
			stmt(&b, &r->stmts[n], variant, lacks);
	return rule_end(&b);
}

int rule_build(const struct ir_rule *r, unsigned lacks, struct nftnl_rule *ret[RULE_FAN])
{
	unsigned variants = 1;
	bool record = false;
	int n = 0, err = 0;

	if (r->n > IR_STMTS || r->chain >= CHAIN_COUNT)
		return -EINVAL;
	for (uint32_t k = 0; k < r->n; k++) {
		if (r->stmts[k].kind == IR_IP_OPTIONS)
			variants = OPTION_VARIANTS;
		if (r->stmts[k].kind == IR_LOG)
			record = true;
		if ((lacks & LACKS_ONCE) != 0 && r->stmts[k].kind == IR_ONCE)
			return 0;
		if ((lacks & LACKS_STRIP) != 0 &&
		    (r->stmts[k].kind == IR_TCP_OPTION || r->stmts[k].kind == IR_TCP_STRIP))
			return 0;
	}
	for (unsigned v = 0; v < variants; v++) {
		for (int rest = record ? 0 : 1; rest < 2; rest++) {
			ret[n] = kernel_rule(r, v, rest == 0, lacks, &err);
			if (ret[n] == NULL) {
				while (n > 0)
					nftnl_rule_free(ret[--n]);
				return err;
			}
			n++;
		}
	}
	return n;
}

void rule_free(struct nftnl_rule *r)
{
	nftnl_rule_free(r);
}

/* ---- text ------------------------------------------------------------------------------------ */

/*
 * Rules as canonical text. The same code writes expected rules and rules that were read back, so
 * rules with equal text are equal. The wording of expressions is that of libnftnl. For xtables
 * targets the text is made here, because libnftnl leaves out their bytes.
 */

static size_t target_text(const struct nftnl_expr *x, char *out, size_t size)
{
	uint32_t len = 0;
	const uint8_t *info = nftnl_expr_get(x, NFTNL_EXPR_TG_INFO, &len);
	size_t at;
	int n = snprintf(out, size, "name %s rev %u info ", nftnl_expr_get_str(x, NFTNL_EXPR_TG_NAME),
			 nftnl_expr_get_u32(x, NFTNL_EXPR_TG_REV));

	if (n < 0)
		return size;
	at = (size_t)n;
	for (uint32_t i = 0; i < len && at + 3 < size; i++, at += 2)
		snprintf(out + at, size - at, "%02x", info[i]);
	return at;
}

/* Removes the timeout of 0 that the kernel reports if there is none, because the text of an
 * expected rule has no timeout there. */
static size_t dynset_text(char *out, size_t n)
{
	static const char none[] = " timeout 0ms";
	char *at = strstr(out, none);

	if (at == NULL)
		return n;
	memmove(at, at + sizeof(none) - 1, strlen(at + sizeof(none) - 1) + 1);
	return n - (sizeof(none) - 1);
}

bool rule_text(const struct nftnl_rule *r, char *out, size_t size)
{
	/* libnftnl's iterator only reads, but takes a pointer that is not const. */
	union {
		const struct nftnl_rule *c;
		struct nftnl_rule *m;
	} cast = { .c = r };
	struct nftnl_expr_iter *it = nftnl_expr_iter_create(cast.m);
	struct nftnl_expr *x;
	size_t at = 0;
	bool ok = it != NULL;

	if (size == 0)
		ok = false;
	else
		out[0] = '\0';
	while (ok && (x = nftnl_expr_iter_next(it)) != NULL) {
		const char *name = nftnl_expr_get_str(x, NFTNL_EXPR_NAME);
		int n = snprintf(out + at, size - at, "%s[ %s ", at > 0 ? " " : "", name);

		if (n < 0 || (size_t)n >= size - at) {
			ok = false;
			break;
		}
		at += (size_t)n;
		if (strcmp(name, "target") == 0)
			at += target_text(x, out + at, size - at);
		else if ((n = nftnl_expr_snprintf(out + at, size - at, x, NFTNL_OUTPUT_DEFAULT, 0)) < 0)
			ok = false;
		else
			at += strcmp(name, "dynset") == 0 && (size_t)n < size - at ? dynset_text(out + at, (size_t)n)
										   : (size_t)n;
		if (!ok || at + 2 >= size) {
			ok = false;
			break;
		}
		while (at > 0 && out[at - 1] == ' ')
			at--;
		memcpy(out + at, " ]", 3);
		at += 2;
	}
	if (it != NULL)
		nftnl_expr_iter_destroy(it);
	return ok;
}

int netlink_rule_texts(struct image *i, const struct expectation *x, unsigned lacks, struct err *e)
{
	char text[RULE_TEXT];

	for (uint32_t c = 0; c < CHAIN_COUNT; c++) {
		for (size_t n = 0; n < x->n_rules; n++) {
			struct nftnl_rule *rules[RULE_FAN];
			int made, r = 0;

			if (x->rules[n].chain != c)
				continue;
			made = rule_build(&x->rules[n], lacks, rules);
			if (made < 0)
				return err_set(e, made, "rule %zu, line %u", n, x->rules[n].line);
			for (int k = 0; k < made; k++) {
				if (!rule_text(rules[k], text, sizeof(text)))
					r = -EMSGSIZE;
				else if (!image_add_rule(i, c, x->rules[n].line,
							 arena_strndup(i->arena, text, strlen(text))))
					r = -ENOMEM;
				nftnl_rule_free(rules[k]);
			}
			if (r != 0)
				return err_set(e, r, "text of rule %zu", n);
		}
	}
	return 0;
}
