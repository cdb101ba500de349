/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions as the kernel keeps them, read into operations. What is not known here stays OP_UNKNOWN: nobody guesses. */
#include "appliance/kernel/ruleset_private.h"

#include <netinet/in.h> /* before linux/, which then leaves its own copies out */
#include <stdio.h>	/* libnftnl forgets it */

#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <string.h>

/* The four registers of 16 bytes, or the sixteen of 4. */
static uint16_t place(uint32_t number)
{
	if (number >= NFT_REG_1 && number <= NFT_REG_4)
		return (uint16_t)((number - NFT_REG_1) * 16);
	if (number >= NFT_REG32_00 && number <= NFT_REG32_15)
		return (uint16_t)((number - NFT_REG32_00) * 4);
	return VERDICT_REGISTER;
}

static uint32_t u32(const struct nftnl_expr *x, uint16_t attribute)
{
	return nftnl_expr_is_set(x, attribute) ? nftnl_expr_get_u32(x, attribute) : 0;
}

/* False when it is longer than there is room for. */
static bool bytes_from(const struct nftnl_expr *x, uint16_t attribute, uint8_t out[OP_DATA], uint32_t *ret_len)
{
	uint32_t len = 0;
	const void *p = nftnl_expr_get(x, attribute, &len);

	if (p == NULL || len > OP_DATA)
		return false;
	memcpy(out, p, len);
	*ret_len = len;
	return true;
}

static void take_meta(const struct nftnl_expr *x, struct op *o)
{
	bool set = nftnl_expr_is_set(x, NFTNL_EXPR_META_SREG);

	o->kind = set ? OP_META_SET : OP_META;
	o->key = u32(x, NFTNL_EXPR_META_KEY);
	o->from = place(u32(x, NFTNL_EXPR_META_SREG));
	o->to = place(u32(x, NFTNL_EXPR_META_DREG));
}

static void take_ct(const struct nftnl_expr *x, struct op *o)
{
	bool set = nftnl_expr_is_set(x, NFTNL_EXPR_CT_SREG);

	o->kind = set ? OP_CT_SET : OP_CT;
	o->key = u32(x, NFTNL_EXPR_CT_KEY);
	o->from = place(u32(x, NFTNL_EXPR_CT_SREG));
	o->to = place(u32(x, NFTNL_EXPR_CT_DREG));
	o->original = nftnl_expr_is_set(x, NFTNL_EXPR_CT_DIR) && nftnl_expr_get_u8(x, NFTNL_EXPR_CT_DIR) == 0;
}

static void take_payload(const struct nftnl_expr *x, struct op *o)
{
	o->kind = nftnl_expr_is_set(x, NFTNL_EXPR_PAYLOAD_SREG) ? OP_UNKNOWN : OP_PAYLOAD;
	o->key = u32(x, NFTNL_EXPR_PAYLOAD_BASE);
	o->offset = u32(x, NFTNL_EXPR_PAYLOAD_OFFSET);
	o->len = u32(x, NFTNL_EXPR_PAYLOAD_LEN);
	o->to = place(u32(x, NFTNL_EXPR_PAYLOAD_DREG));
}

static void take_cmp(const struct nftnl_expr *x, struct op *o)
{
	o->key = u32(x, NFTNL_EXPR_CMP_OP);
	o->from = place(u32(x, NFTNL_EXPR_CMP_SREG));
	o->kind = bytes_from(x, NFTNL_EXPR_CMP_DATA, o->data, &o->len) ? OP_CMP : OP_UNKNOWN;
}

static void take_bitwise(const struct nftnl_expr *x, struct op *o)
{
	uint32_t flip = 0;
	bool whole = u32(x, NFTNL_EXPR_BITWISE_OP) == NFT_BITWISE_BOOL &&
		     bytes_from(x, NFTNL_EXPR_BITWISE_MASK, o->mask, &o->len) &&
		     bytes_from(x, NFTNL_EXPR_BITWISE_XOR, o->data, &flip) && flip == o->len;

	o->kind = whole ? OP_BITWISE : OP_UNKNOWN;
	o->from = place(u32(x, NFTNL_EXPR_BITWISE_SREG));
	o->to = place(u32(x, NFTNL_EXPR_BITWISE_DREG));
}

static void take_lookup(struct ruleset *r, const struct nftnl_expr *x, struct op *o)
{
	o->kind = OP_LOOKUP;
	o->name = ruleset_keep(r, nftnl_expr_get_str(x, NFTNL_EXPR_LOOKUP_SET));
	o->from = place(u32(x, NFTNL_EXPR_LOOKUP_SREG));
	o->to = place(u32(x, NFTNL_EXPR_LOOKUP_DREG));
	o->result = nftnl_expr_is_set(x, NFTNL_EXPR_LOOKUP_DREG);
	o->inverted = (u32(x, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV) != 0;
}

static void take_immediate(struct ruleset *r, const struct nftnl_expr *x, struct op *o)
{
	o->to = place(u32(x, NFTNL_EXPR_IMM_DREG));
	if (o->to != VERDICT_REGISTER) {
		o->kind = bytes_from(x, NFTNL_EXPR_IMM_DATA, o->data, &o->len) ? OP_VALUE : OP_UNKNOWN;
		return;
	}
	o->kind = OP_VERDICT;
	o->verdict = (int)u32(x, NFTNL_EXPR_IMM_VERDICT);
	if (nftnl_expr_is_set(x, NFTNL_EXPR_IMM_CHAIN))
		o->name = ruleset_keep(r, nftnl_expr_get_str(x, NFTNL_EXPR_IMM_CHAIN));
}

static void take_target(const struct nftnl_expr *x, struct op *o)
{
	struct xt_NFQ_info_v3 info;
	uint32_t len = 0;
	const void *p = nftnl_expr_get(x, NFTNL_EXPR_TG_INFO, &len);

	if (strcmp(nftnl_expr_get_str(x, NFTNL_EXPR_TG_NAME), "NFQUEUE") != 0 || u32(x, NFTNL_EXPR_TG_REV) != 3 ||
	    p == NULL || len < sizeof(info))
		return;
	memcpy(&info, p, sizeof(info));
	o->kind = OP_QUEUE;
	o->queue = info.queuenum;
	o->queues = info.queues_total;
	o->bypass = (info.flags & NFQ_FLAG_BYPASS) != 0;
}

static void take_queue(const struct nftnl_expr *x, struct op *o)
{
	o->kind = OP_QUEUE;
	o->queue = nftnl_expr_get_u16(x, NFTNL_EXPR_QUEUE_NUM);
	o->queues = nftnl_expr_get_u16(x, NFTNL_EXPR_QUEUE_TOTAL);
	o->bypass = (nftnl_expr_get_u16(x, NFTNL_EXPR_QUEUE_FLAGS) & NFT_QUEUE_FLAG_BYPASS) != 0;
}

/* An element that packets make: what it counts decides whether the rule goes on in a box at rest. */
static void take_dynset(const struct nftnl_expr *x, struct op *o)
{
	uint32_t len = 0;
	const struct nftnl_expr *inner = nftnl_expr_get(x, NFTNL_EXPR_DYNSET_EXPR, &len);
	const char *name = inner == NULL ? "" : nftnl_expr_get_str(inner, NFTNL_EXPR_NAME);

	o->kind = OP_PASS;
	if (strcmp(name, "connlimit") == 0)
		o->kind = (u32(inner, NFTNL_EXPR_CONNLIMIT_FLAGS) & NFT_CONNLIMIT_F_INV) != 0 ? OP_CROWD : OP_PASS;
	else if (strcmp(name, "limit") == 0)
		o->kind = (u32(inner, NFTNL_EXPR_LIMIT_FLAGS) & NFT_LIMIT_F_INV) != 0 ? OP_CROWD : OP_PASS;
}

/* Asks for an option, or takes it out: the walk's packets carry none. */
static void take_exthdr(const struct nftnl_expr *x, struct op *o)
{
	if (u32(x, NFTNL_EXPR_EXTHDR_OP) != NFT_EXTHDR_OP_TCPOPT || nftnl_expr_is_set(x, NFTNL_EXPR_EXTHDR_SREG))
		return;
	if (!nftnl_expr_is_set(x, NFTNL_EXPR_EXTHDR_DREG)) {
		o->kind = OP_PASS;
	} else if ((u32(x, NFTNL_EXPR_EXTHDR_FLAGS) & NFT_EXTHDR_F_PRESENT) != 0) {
		o->kind = OP_VALUE;
		o->len = 1;
		o->to = place(u32(x, NFTNL_EXPR_EXTHDR_DREG));
	}
}

int ruleset_take_expression(struct nftnl_expr *x, void *ctx)
{
	struct ruleset *r = ((void **)ctx)[0];
	struct rule_read *rule = ((void **)ctx)[1];
	struct op *o = arena_grow(r->arena, (void **)&rule->ops, &rule->n, &rule->room, sizeof(*o));
	const char *name = nftnl_expr_get_str(x, NFTNL_EXPR_NAME);

	if (o == NULL || name == NULL) {
		r->failed = true;
		return 0;
	}
	*o = (struct op){ .kind = OP_UNKNOWN, .from = VERDICT_REGISTER, .to = VERDICT_REGISTER, .name = "" };
	if (strcmp(name, "meta") == 0)
		take_meta(x, o);
	else if (strcmp(name, "ct") == 0)
		take_ct(x, o);
	else if (strcmp(name, "payload") == 0)
		take_payload(x, o);
	else if (strcmp(name, "cmp") == 0)
		take_cmp(x, o);
	else if (strcmp(name, "bitwise") == 0)
		take_bitwise(x, o);
	else if (strcmp(name, "lookup") == 0)
		take_lookup(r, x, o);
	else if (strcmp(name, "immediate") == 0)
		take_immediate(r, x, o);
	else if (strcmp(name, "target") == 0)
		take_target(x, o);
	else if (strcmp(name, "queue") == 0)
		take_queue(x, o);
	else if (strcmp(name, "exthdr") == 0)
		take_exthdr(x, o);
	else if (strcmp(name, "dynset") == 0)
		take_dynset(x, o);
	else if (strcmp(name, "limit") == 0)
		o->kind = (u32(x, NFTNL_EXPR_LIMIT_FLAGS) & NFT_LIMIT_F_INV) != 0 ? OP_CROWD : OP_PASS;
	else if (strcmp(name, "log") == 0 || strcmp(name, "objref") == 0 || strcmp(name, "counter") == 0)
		o->kind = OP_PASS;
	else if (strcmp(name, "hash") == 0) {
		/* Chooses one of a set's parts; which one makes no difference in a box at rest. */
		o->kind = OP_VALUE;
		o->len = 4;
		o->to = place(u32(x, NFTNL_EXPR_HASH_DREG));
	} else if (strcmp(name, "fib") == 0) {
		o->kind = u32(x, NFTNL_EXPR_FIB_RESULT) == NFT_FIB_RESULT_OIF ? OP_FIB : OP_UNKNOWN;
		o->key = u32(x, NFTNL_EXPR_FIB_FLAGS);
		o->to = place(u32(x, NFTNL_EXPR_FIB_DREG));
	}
	return 0;
}
