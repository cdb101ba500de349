/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers: the kernel has sixteen of 32 bits; a key is built from the first one upwards, each field padded to four
 * bytes, exactly as enforce_expect.c lays out elements. Where a register starts a group of four the kernel reports it
 * by its old 128-bit name, and we write it so too, so that what is read back has the same text.
 */
#include "appliance/netlink_rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h> /* libnftnl forgets it */

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/base/mark.h"

/* One kernel rule under construction; `bad` is sticky. */
struct build {
	struct nftnl_rule *rule;
	uint8_t l4proto; /* matched so far, 0 = any */
	bool bad;
};

static uint32_t reg(uint32_t word)
{
	return word % 4 == 0 ? NFT_REG_1 + word / 4 : NFT_REG32_00 + word;
}

static struct nftnl_expr *expr(struct build *b, const char *name)
{
	struct nftnl_expr *x = nftnl_expr_alloc(name);

	if (x == NULL)
		b->bad = true;
	else
		nftnl_rule_add_expr(b->rule, x);
	return x;
}

/* Sets up to three 32-bit attributes; a NULL expression is skipped (memory was out, `bad` is set). */
static struct nftnl_expr *expr3(struct build *b, const char *name, uint16_t a1, uint32_t v1, uint16_t a2, uint32_t v2)
{
	struct nftnl_expr *x = expr(b, name);

	if (x == NULL)
		return NULL;
	nftnl_expr_set_u32(x, a1, v1);
	nftnl_expr_set_u32(x, a2, v2);
	return x;
}

static void meta(struct build *b, uint32_t key, uint32_t word)
{
	expr3(b, "meta", NFTNL_EXPR_META_KEY, key, NFTNL_EXPR_META_DREG, reg(word));
}

static void meta_set(struct build *b, uint32_t key, uint32_t word)
{
	expr3(b, "meta", NFTNL_EXPR_META_KEY, key, NFTNL_EXPR_META_SREG, reg(word));
}

static void ct(struct build *b, uint32_t key, uint32_t word)
{
	expr3(b, "ct", NFTNL_EXPR_CT_KEY, key, NFTNL_EXPR_CT_DREG, reg(word));
}

static void ct_original(struct build *b, uint32_t key, uint32_t word)
{
	struct nftnl_expr *x = expr3(b, "ct", NFTNL_EXPR_CT_KEY, key, NFTNL_EXPR_CT_DREG, reg(word));

	if (x != NULL)
		nftnl_expr_set_u8(x, NFTNL_EXPR_CT_DIR, 0);
}

static void ct_mark_set(struct build *b, uint32_t word)
{
	expr3(b, "ct", NFTNL_EXPR_CT_KEY, NFT_CT_MARK, NFTNL_EXPR_CT_SREG, reg(word));
}

static void payload(struct build *b, uint32_t base, uint32_t offset, uint32_t len, uint32_t word)
{
	struct nftnl_expr *x = expr3(b, "payload", NFTNL_EXPR_PAYLOAD_BASE, base, NFTNL_EXPR_PAYLOAD_OFFSET, offset);

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, len);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, reg(word));
}

static void cmp(struct build *b, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *x = expr3(b, "cmp", NFTNL_EXPR_CMP_SREG, reg(0), NFTNL_EXPR_CMP_OP, op);

	if (x != NULL)
		nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, data, len);
}

static void cmp8(struct build *b, uint32_t op, uint8_t v)
{
	cmp(b, op, &v, sizeof(v));
}

static void cmp32(struct build *b, uint32_t op, uint32_t host)
{
	cmp(b, op, &host, sizeof(host));
}

/* register = (register & mask) ^ flip */
static void bitwise(struct build *b, uint32_t word, const void *mask, const void *flip, uint32_t len)
{
	struct nftnl_expr *x = expr3(b, "bitwise", NFTNL_EXPR_BITWISE_SREG, reg(word), NFTNL_EXPR_BITWISE_DREG, reg(word));

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_XOR, flip, len);
}

static void bits32(struct build *b, uint32_t word, uint32_t mask, uint32_t flip)
{
	bitwise(b, word, &mask, &flip, sizeof(mask));
}

static void bits8(struct build *b, uint8_t mask)
{
	uint8_t none = 0;

	bitwise(b, 0, &mask, &none, sizeof(mask));
}

static void lookup(struct build *b, unsigned set, bool with_data, uint32_t dreg, bool inverted)
{
	struct nftnl_expr *x = expr(b, "lookup");

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, reg(0));
	nftnl_expr_set_str(x, NFTNL_EXPR_LOOKUP_SET, set_spec(set)->name);
	if (with_data)
		nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_DREG, dreg);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_FLAGS, inverted ? NFT_LOOKUP_F_INV : 0);
}

static void verdict(struct build *b, int v, const char *chain)
{
	struct nftnl_expr *x = expr(b, "immediate");

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_VERDICT, (uint32_t)v);
	if (chain != NULL)
		nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, chain);
}

/* The field of 2 bytes that a cell's ports are compared with. ICMP has type and code where TCP has its source port. */
static void port_field(struct build *b, bool source, uint32_t word)
{
	switch (b->l4proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
		payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, source ? 0 : 2, 2, word);
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2, word);
		break;
	default:
		/* Not known to this rule: the tracked tuple has port or type and code in one place. For a packet that opens
		 * a session the tuple is the packet. */
		if (source)
			b->bad = true;
		ct_original(b, NFT_CT_PROTO_DST, word);
	}
}

/* Loads the key of a cell map: iif . oif . source . destination . protocol . port. */
static void cell_key(struct build *b, bool v6, enum ir_key k)
{
	bool back = k == KEY_PACKET_BACK || k == KEY_ORIGINAL_BACK, original = k == KEY_ORIGINAL || k == KEY_ORIGINAL_BACK;
	uint32_t len = v6 ? 16 : 4, words = len / 4, src_at = v6 ? 8 : 12, dst_at = src_at + len;

	meta(b, back ? NFT_META_OIF : NFT_META_IIF, 0);
	meta(b, back ? NFT_META_IIF : NFT_META_OIF, 1);
	if (original) {
		ct_original(b, v6 ? NFT_CT_SRC_IP6 : NFT_CT_SRC_IP, 2);
		ct_original(b, v6 ? NFT_CT_DST_IP6 : NFT_CT_DST_IP, 2 + words);
	} else {
		payload(b, NFT_PAYLOAD_NETWORK_HEADER, back ? dst_at : src_at, len, 2);
		payload(b, NFT_PAYLOAD_NETWORK_HEADER, back ? src_at : dst_at, len, 2 + words);
	}
	meta(b, NFT_META_L4PROTO, 2 + 2 * words);
	if (original)
		ct_original(b, NFT_CT_PROTO_DST, 3 + 2 * words);
	else
		port_field(b, k == KEY_PACKET_BACK, 3 + 2 * words);
}

static void load_key(struct build *b, enum ir_set set, uint32_t key)
{
	bool cells = set >= SET_UNTIL4 && set <= SET_RANGE6;

	switch ((enum ir_key)key) {
	case KEY_PACKET:
	case KEY_PACKET_BACK:
	case KEY_ORIGINAL:
	case KEY_ORIGINAL_BACK:
		if (!cells)
			b->bad = true;
		cell_key(b, set >= SET_UNTIL6, (enum ir_key)key);
		return;
	case KEY_AGREE:
		meta(b, NFT_META_MARK, 0);
		bits32(b, 0, MARK_PERMIT_MASK, 0);
		ct(b, NFT_CT_MARK, 1);
		bits32(b, 1, MARK_PERMIT_MASK, 0);
		break;
	case KEY_CT_PERMIT:
		ct(b, NFT_CT_MARK, 0);
		bits32(b, 0, MARK_PERMIT_MASK, 0);
		ct(b, NFT_CT_MARK, 1);
		bits32(b, 1, MARK_PERMIT_MASK, 0);
		break;
	case KEY_RESET:
		meta(b, NFT_META_MARK, 0);
		bits32(b, 0, MARK_LANE_MASK, 0);
		ct(b, NFT_CT_MARK, 1);
		bits32(b, 1, MARK_LANE_MASK, 0);
		break;
	default:
		b->bad = true;
	}
	if (cells || set == SET_LIVE || (set == SET_RESETS) != (key == KEY_RESET))
		b->bad = true;
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

static void limit(struct build *b, uint32_t per_second, uint32_t burst)
{
	struct nftnl_expr *x = expr(b, "limit");

	if (x == NULL)
		return;
	nftnl_expr_set_u64(x, NFTNL_EXPR_LIMIT_RATE, per_second);
	nftnl_expr_set_u64(x, NFTNL_EXPR_LIMIT_UNIT, 1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LIMIT_BURST, burst);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LIMIT_FLAGS, 0);
}

static void log_record(struct build *b, uint32_t reason)
{
	struct nftnl_expr *x = expr(b, "log");

	if (x == NULL)
		return;
	nftnl_expr_set_str(x, NFTNL_EXPR_LOG_PREFIX, reason_word((enum reason)reason));
	nftnl_expr_set_u16(x, NFTNL_EXPR_LOG_GROUP, LOG_GROUP);
	nftnl_expr_set_u16(x, NFTNL_EXPR_LOG_QTHRESHOLD, 0);
}

static void count(struct build *b, uint32_t reason)
{
	struct nftnl_expr *x = expr(b, "objref");

	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
	nftnl_expr_set_str(x, NFTNL_EXPR_OBJREF_IMM_NAME, reason_word((enum reason)reason));
}

static void queue(struct build *b, uint32_t lane, bool bypass, uint32_t workers, enum queue_backend q)
{
	struct xt_NFQ_info_v3 info = {
		.queuenum = lane_queue(lane, 0), .queues_total = (uint16_t)workers, .flags = bypass ? NFQ_FLAG_BYPASS : 0,
	};
	uint8_t padded[8] = {0}; /* xtables aligns what it is given to 8 bytes */
	void *data;
	struct nftnl_expr *x = expr(b, q == QUEUE_NATIVE ? "queue" : "target");

	if (x == NULL)
		return;
	if (q == QUEUE_NATIVE) {
		nftnl_expr_set_u16(x, NFTNL_EXPR_QUEUE_NUM, info.queuenum);
		nftnl_expr_set_u16(x, NFTNL_EXPR_QUEUE_TOTAL, info.queues_total);
		nftnl_expr_set_u16(x, NFTNL_EXPR_QUEUE_FLAGS, bypass ? NFT_QUEUE_FLAG_BYPASS : 0);
		return;
	}
	nftnl_expr_set_str(x, NFTNL_EXPR_TG_NAME, "NFQUEUE");
	nftnl_expr_set_u32(x, NFTNL_EXPR_TG_REV, 3);
	memcpy(padded, &info, sizeof(info));
	data = calloc(1, sizeof(padded)); /* libnftnl takes it */
	if (data == NULL) {
		b->bad = true;
		return;
	}
	memcpy(data, padded, sizeof(padded));
	nftnl_expr_set(x, NFTNL_EXPR_TG_INFO, data, sizeof(padded));
}

/* The four questions behind IR_IP_OPTIONS. */
#define OPTION_VARIANTS 4u
static void ip_options(struct build *b, unsigned variant)
{
	static const uint8_t headers[OPTION_VARIANTS] = {0, IPPROTO_HOPOPTS, IPPROTO_ROUTING, IPPROTO_DSTOPTS};
	struct nftnl_expr *x;

	meta(b, NFT_META_NFPROTO, 0);
	cmp8(b, NFT_CMP_EQ, variant == 0 ? NFPROTO_IPV4 : NFPROTO_IPV6);
	if (variant == 0) {
		payload(b, NFT_PAYLOAD_NETWORK_HEADER, 0, 1, 0);
		bits8(b, 0x0f);
		cmp8(b, NFT_CMP_NEQ, 5);
		return;
	}
	x = expr(b, "exthdr");
	if (x == NULL)
		return;
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_DREG, reg(0));
	nftnl_expr_set_u8(x, NFTNL_EXPR_EXTHDR_TYPE, headers[variant]);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_OFFSET, 0);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_LEN, 1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
	nftnl_expr_set_u32(x, NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
	cmp8(b, NFT_CMP_EQ, 1);
}

static void stmt(struct build *b, const struct ir_stmt *s, unsigned variant, uint32_t workers, enum queue_backend q)
{
	char chain[16];

	switch (s->kind) {
	case IR_CT_STATE:
		ct(b, NFT_CT_STATE, 0);
		bits32(b, 0, state_bits(s->a), 0);
		cmp32(b, NFT_CMP_NEQ, 0);
		break;
	case IR_FAMILY:
		meta(b, NFT_META_NFPROTO, 0);
		cmp8(b, NFT_CMP_EQ, s->a == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
		break;
	case IR_L4PROTO:
		b->l4proto = (uint8_t)s->a;
		meta(b, NFT_META_L4PROTO, 0);
		cmp8(b, NFT_CMP_EQ, (uint8_t)s->a);
		break;
	case IR_ICMP_TYPE:
		payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
		cmp8(b, NFT_CMP_EQ, (uint8_t)s->a);
		break;
	case IR_HOPLIMIT:
		payload(b, NFT_PAYLOAD_NETWORK_HEADER, 7, 1, 0);
		cmp8(b, NFT_CMP_EQ, (uint8_t)s->a);
		break;
	case IR_IP_OPTIONS:
		ip_options(b, variant);
		break;
	case IR_TCP_FLAGS:
		payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, 0);
		bits8(b, (uint8_t)s->a);
		cmp8(b, NFT_CMP_EQ, (uint8_t)s->b);
		break;
	case IR_CT_DIRECTION:
		ct(b, NFT_CT_DIRECTION, 0);
		cmp8(b, NFT_CMP_EQ, (uint8_t)s->a);
		break;
	case IR_MARK:
	case IR_MARK_NOT:
		meta(b, NFT_META_MARK, 0);
		if (s->a != UINT32_MAX)
			bits32(b, 0, s->a, 0);
		cmp32(b, s->kind == IR_MARK ? NFT_CMP_EQ : NFT_CMP_NEQ, s->b);
		break;
	case IR_CTMARK_NOT:
		ct(b, NFT_CT_MARK, 0);
		bits32(b, 0, s->a, 0);
		cmp32(b, NFT_CMP_NEQ, s->b);
		break;
	case IR_LIMIT:
		limit(b, s->a, s->b);
		break;
	case IR_IN_SET:
	case IR_NOT_IN_SET:
		load_key(b, s->set, s->a);
		lookup(b, s->set, false, 0, s->kind == IR_NOT_IN_SET);
		break;
	case IR_LIVE:
		meta(b, NFT_META_IIF, 0);
		ct(b, NFT_CT_DIRECTION, 1);
		ct(b, NFT_CT_MARK, 2);
		lookup(b, SET_LIVE, true, reg(0), false);
		meta_set(b, NFT_META_MARK, 0);
		break;
	case IR_ADMIT:
		load_key(b, s->set, s->a);
		lookup(b, s->set, true, reg(0), false);
		ct_mark_set(b, 0);
		break;
	case IR_KNOWN:
		load_key(b, s->set, s->a);
		lookup(b, s->set, true, reg(0), false);
		break;
	case IR_SET_MARK: {
		struct nftnl_expr *x = expr(b, "immediate");

		if (x == NULL)
			break;
		nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, reg(0));
		nftnl_expr_set(x, NFTNL_EXPR_IMM_DATA, &s->a, sizeof(s->a));
		meta_set(b, NFT_META_MARK, 0);
		break;
	}
	case IR_COPY_MARK:
		ct(b, NFT_CT_MARK, 0);
		bits32(b, 0, ~MARK_OUTCOME_MASK, 0);
		meta_set(b, NFT_META_MARK, 0);
		break;
	case IR_SET_OUTCOME:
		ct(b, NFT_CT_MARK, 0);
		bits32(b, 0, ~MARK_OUTCOME_MASK, s->a);
		ct_mark_set(b, 0);
		break;
	case IR_COUNT:
		count(b, s->a);
		break;
	case IR_LOG:
		limit(b, s->b, s->b);
		log_record(b, s->a);
		break;
	case IR_ACCEPT:
		verdict(b, NF_ACCEPT, NULL);
		break;
	case IR_DROP:
		verdict(b, NF_DROP, NULL);
		break;
	case IR_GOTO:
		verdict(b, NFT_GOTO, ir_chain_name((enum ir_chain)s->a, chain));
		break;
	case IR_GOTO_LANE:
		meta(b, NFT_META_MARK, 0);
		bits32(b, 0, MARK_FAST | MARK_LANE_MASK, 0);
		lookup(b, TABLE_LANES, true, NFT_REG_VERDICT, false);
		break;
	case IR_GOTO_OUTCOME:
		meta(b, NFT_META_MARK, 0);
		bits32(b, 0, MARK_OUTCOME_MASK, 0);
		lookup(b, TABLE_OUTCOMES, true, NFT_REG_VERDICT, false);
		break;
	case IR_GOTO_UNANSWERED:
		meta(b, NFT_META_MARK, 0);
		bits32(b, 0, MARK_LANE_MASK, 0);
		lookup(b, TABLE_UNANSWERED, true, NFT_REG_VERDICT, false);
		break;
	case IR_QUEUE:
		queue(b, s->a, s->b == 1, workers, q);
		break;
	case IR_TCP_RESET:
		expr3(b, "reject", NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST, NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
		break;
	default:
		b->bad = true;
	}
}

/* True for what only asks; such statements stand before a record as well as before the decision. */
static bool is_match(enum ir_stmt_kind k)
{
	return k <= IR_KNOWN;
}

/* One kernel rule: the record rule (matches and the log) or the rest. */
static struct nftnl_rule *one(const struct ir_rule *r, unsigned variant, bool record, uint32_t workers,
                              enum queue_backend q, int *err)
{
	struct build b = {.rule = nftnl_rule_alloc()};
	char chain[16];

	*err = -ENOMEM;
	if (b.rule == NULL)
		return NULL;
	nftnl_rule_set_u32(b.rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(b.rule, NFTNL_RULE_TABLE, TABLE_NAME);
	nftnl_rule_set_str(b.rule, NFTNL_RULE_CHAIN, ir_chain_name(r->chain, chain));
	for (uint32_t n = 0; n < r->n; n++)
		if (record ? is_match(r->stmts[n].kind) || r->stmts[n].kind == IR_LOG : r->stmts[n].kind != IR_LOG)
			stmt(&b, &r->stmts[n], variant, workers, q);
	if (b.bad) {
		*err = -EINVAL;
		nftnl_rule_free(b.rule);
		return NULL;
	}
	return b.rule;
}

int rule_build(const struct ir_rule *r, uint32_t workers, enum queue_backend q, struct nftnl_rule *ret[RULE_FAN])
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
	}
	for (unsigned v = 0; v < variants; v++) {
		for (int rest = record ? 0 : 1; rest < 2; rest++) {
			ret[n] = one(r, v, rest == 0, workers, q, &err);
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

bool rule_text(const struct nftnl_rule *r, char *out, size_t size)
{
	/* libnftnl's iterator does not say that it only reads. */
	union { const struct nftnl_rule *c; struct nftnl_rule *m; } cast = {.c = r};
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
		else if ((n = nftnl_expr_snprintf(out + at, size - at, x, NFTNL_OUTPUT_DEFAULT, 0)) >= 0)
			at += (size_t)n;
		else
			ok = false;
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

int netlink_rule_texts(struct image *i, const struct expectation *x, enum queue_backend q, struct err *e)
{
	char text[RULE_TEXT];

	for (uint32_t c = 0; c < CHAIN_COUNT; c++) {
		for (size_t n = 0; n < x->n_rules; n++) {
			struct nftnl_rule *rules[RULE_FAN];
			int made, r = 0;

			if (x->rules[n].chain != c)
				continue;
			made = rule_build(&x->rules[n], x->ir->workers, q, rules);
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
