/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/ruleset.h"

#include <errno.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <stdlib.h>
#include <string.h>

#define TABLE "sekisho"
#define TRIES 5
#define FRAME_PARTS 3u /* chains, rules, sets */

void ruleset_init(struct ruleset *r, struct arena *a)
{
	*r = (struct ruleset){ .arena = a };
}

/* Copies a text to the arena. "": there is no text, or no memory, which makes the whole reading
 * fail. */
static const char *keep_text(struct ruleset *r, const char *text)
{
	const char *copy = text == NULL ? "" : arena_strndup(r->arena, text, strlen(text));

	r->failed |= copy == NULL;
	return copy == NULL ? "" : copy;
}

static bool is_table(uint32_t family, const char *table)
{
	return family == NFPROTO_INET && table != NULL && strcmp(table, TABLE) == 0;
}

static void count_entry(struct ruleset *r)
{
	if (r->reading != NULL)
		r->reading->entries++;
}

/* ---- expressions: an unknown one stays OP_UNKNOWN -------------------------------------------- */

/* The position of a register, in words of 32 bits. The kernel numbers registers in two ways: as
 * four registers of 16 bytes, and as sixteen of 4 bytes. */
static uint16_t register_place(uint32_t number)
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

/* False: the bytes do not fit. */
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
	o->from = register_place(u32(x, NFTNL_EXPR_META_SREG));
	o->to = register_place(u32(x, NFTNL_EXPR_META_DREG));
}

static void take_ct(const struct nftnl_expr *x, struct op *o)
{
	bool set = nftnl_expr_is_set(x, NFTNL_EXPR_CT_SREG);

	o->kind = set ? OP_CT_SET : OP_CT;
	o->key = u32(x, NFTNL_EXPR_CT_KEY);
	o->from = register_place(u32(x, NFTNL_EXPR_CT_SREG));
	o->to = register_place(u32(x, NFTNL_EXPR_CT_DREG));
	o->original = nftnl_expr_is_set(x, NFTNL_EXPR_CT_DIR) && nftnl_expr_get_u8(x, NFTNL_EXPR_CT_DIR) == 0;
}

static void take_payload(const struct nftnl_expr *x, struct op *o)
{
	o->kind = nftnl_expr_is_set(x, NFTNL_EXPR_PAYLOAD_SREG) ? OP_UNKNOWN : OP_PAYLOAD;
	o->key = u32(x, NFTNL_EXPR_PAYLOAD_BASE);
	o->offset = u32(x, NFTNL_EXPR_PAYLOAD_OFFSET);
	o->len = u32(x, NFTNL_EXPR_PAYLOAD_LEN);
	o->to = register_place(u32(x, NFTNL_EXPR_PAYLOAD_DREG));
}

static void take_cmp(const struct nftnl_expr *x, struct op *o)
{
	o->key = u32(x, NFTNL_EXPR_CMP_OP);
	o->from = register_place(u32(x, NFTNL_EXPR_CMP_SREG));
	o->kind = bytes_from(x, NFTNL_EXPR_CMP_DATA, o->data, &o->len) ? OP_CMP : OP_UNKNOWN;
}

static void take_bitwise(const struct nftnl_expr *x, struct op *o)
{
	uint32_t flip = 0;
	bool whole = u32(x, NFTNL_EXPR_BITWISE_OP) == NFT_BITWISE_BOOL &&
		     bytes_from(x, NFTNL_EXPR_BITWISE_MASK, o->mask, &o->len) &&
		     bytes_from(x, NFTNL_EXPR_BITWISE_XOR, o->data, &flip) && flip == o->len;

	o->kind = whole ? OP_BITWISE : OP_UNKNOWN;
	o->from = register_place(u32(x, NFTNL_EXPR_BITWISE_SREG));
	o->to = register_place(u32(x, NFTNL_EXPR_BITWISE_DREG));
}

static void take_lookup(struct ruleset *r, const struct nftnl_expr *x, struct op *o)
{
	o->kind = OP_LOOKUP;
	o->name = keep_text(r, nftnl_expr_get_str(x, NFTNL_EXPR_LOOKUP_SET));
	o->from = register_place(u32(x, NFTNL_EXPR_LOOKUP_SREG));
	o->to = register_place(u32(x, NFTNL_EXPR_LOOKUP_DREG));
	o->result = nftnl_expr_is_set(x, NFTNL_EXPR_LOOKUP_DREG);
	o->inverted = (u32(x, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV) != 0;
}

static void take_immediate(struct ruleset *r, const struct nftnl_expr *x, struct op *o)
{
	o->to = register_place(u32(x, NFTNL_EXPR_IMM_DREG));
	if (o->to != VERDICT_REGISTER) {
		o->kind = bytes_from(x, NFTNL_EXPR_IMM_DATA, o->data, &o->len) ? OP_VALUE : OP_UNKNOWN;
		return;
	}
	o->kind = OP_VERDICT;
	o->verdict = (int)u32(x, NFTNL_EXPR_IMM_VERDICT);
	if (nftnl_expr_is_set(x, NFTNL_EXPR_IMM_CHAIN))
		o->name = keep_text(r, nftnl_expr_get_str(x, NFTNL_EXPR_IMM_CHAIN));
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

/* Reads an expression that adds an element for a packet. In the kernel the element's counter
 * decides whether the rule goes on; here the result is that of a box without load. */
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

/* Reads an expression that tests or removes a TCP option. Test packets have no options. */
static void take_exthdr(const struct nftnl_expr *x, struct op *o)
{
	if (u32(x, NFTNL_EXPR_EXTHDR_OP) != NFT_EXTHDR_OP_TCPOPT || nftnl_expr_is_set(x, NFTNL_EXPR_EXTHDR_SREG))
		return;
	if (!nftnl_expr_is_set(x, NFTNL_EXPR_EXTHDR_DREG)) {
		o->kind = OP_PASS;
	} else if ((u32(x, NFTNL_EXPR_EXTHDR_FLAGS) & NFT_EXTHDR_F_PRESENT) != 0) {
		o->kind = OP_VALUE;
		o->len = 1;
		o->to = register_place(u32(x, NFTNL_EXPR_EXTHDR_DREG));
	}
}

/* Adds one expression to a rule. `ctx`: two pointers, to a struct ruleset and a struct
 * rule_read. */
static int take_expression(struct nftnl_expr *x, void *ctx)
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
	/* the verdict cache, which would pass no test packet */
	else if (strcmp(name, "match") == 0)
		o->kind = strcmp(nftnl_expr_get_str(x, NFTNL_EXPR_MT_NAME), "bpf") == 0 ? OP_CROWD : OP_UNKNOWN;
	else if (strcmp(name, "exthdr") == 0)
		take_exthdr(x, o);
	else if (strcmp(name, "dynset") == 0)
		take_dynset(x, o);
	else if (strcmp(name, "limit") == 0)
		o->kind = (u32(x, NFTNL_EXPR_LIMIT_FLAGS) & NFT_LIMIT_F_INV) != 0 ? OP_CROWD : OP_PASS;
	else if (strcmp(name, "log") == 0 || strcmp(name, "objref") == 0 || strcmp(name, "counter") == 0)
		o->kind = OP_PASS;
	else if (strcmp(name, "numgen") == 0) {
		/* Reads an expression that picks one of a set's parts at random. Without load it
		 * does not matter which part. */
		o->kind = OP_VALUE;
		o->len = 4;
		o->to = register_place(u32(x, NFTNL_EXPR_NG_DREG));
	} else if (strcmp(name, "fib") == 0) {
		o->kind = u32(x, NFTNL_EXPR_FIB_RESULT) == NFT_FIB_RESULT_OIF ? OP_FIB : OP_UNKNOWN;
		o->key = u32(x, NFTNL_EXPR_FIB_FLAGS);
		o->to = register_place(u32(x, NFTNL_EXPR_FIB_DREG));
	}
	return 0;
}

/* ---- chains, rules, sets --------------------------------------------------------------------- */

static struct chain_read *chain_at(struct ruleset *r, const char *name)
{
	struct chain_read *c;

	for (size_t i = 0; i < r->n_chains; i++)
		if (strcmp(r->chains[i].name, name) == 0)
			return &r->chains[i];
	c = arena_grow(r->arena, (void **)&r->chains, &r->n_chains, &r->room_chains, sizeof(*c));
	if (c == NULL) {
		r->failed = true;
		return NULL;
	}
	*c = (struct chain_read){ .name = keep_text(r, name), .policy = NF_ACCEPT };
	return c;
}

static void take_chain(struct ruleset *r, const struct nlmsghdr *m)
{
	struct nftnl_chain *x = nftnl_chain_alloc();
	struct chain_read *c;

	if (x == NULL || nftnl_chain_nlmsg_parse(m, x) < 0) {
		r->failed = true;
	} else if (is_table(nftnl_chain_get_u32(x, NFTNL_CHAIN_FAMILY), nftnl_chain_get_str(x, NFTNL_CHAIN_TABLE))) {
		c = chain_at(r, nftnl_chain_get_str(x, NFTNL_CHAIN_NAME));
		if (c != NULL && nftnl_chain_is_set(x, NFTNL_CHAIN_HOOKNUM)) {
			c->base = true;
			c->hook = nftnl_chain_get_u32(x, NFTNL_CHAIN_HOOKNUM);
			c->priority = nftnl_chain_get_s32(x, NFTNL_CHAIN_PRIO);
			c->policy = nftnl_chain_get_u32(x, NFTNL_CHAIN_POLICY);
		}
	}
	if (x != NULL)
		nftnl_chain_free(x);
}

static void take_rule(struct ruleset *r, const struct nlmsghdr *m)
{
	struct nftnl_rule *x = nftnl_rule_alloc();
	struct chain_read *c;
	struct rule_read *rule;

	if (x == NULL || nftnl_rule_nlmsg_parse(m, x) < 0) {
		r->failed = true;
	} else if (is_table(nftnl_rule_get_u32(x, NFTNL_RULE_FAMILY), nftnl_rule_get_str(x, NFTNL_RULE_TABLE))) {
		c = chain_at(r, nftnl_rule_get_str(x, NFTNL_RULE_CHAIN));
		rule = c == NULL ? NULL : arena_grow(r->arena, (void **)&c->rules, &c->n, &c->room, sizeof(*rule));
		if (rule == NULL) {
			r->failed = true;
		} else {
			void *ctx[2] = { r, rule };

			*rule = (struct rule_read){ 0 };
			count_entry(r);
			nftnl_expr_foreach(x, take_expression, ctx)
				;
		}
	}
	if (x != NULL)
		nftnl_rule_free(x);
}

static void take_set(struct ruleset *r, const struct nlmsghdr *m)
{
	struct nftnl_set *x = nftnl_set_alloc();
	struct set_read *s;
	uint32_t flags, len = 0;
	const uint8_t *fields;

	if (x == NULL || nftnl_set_nlmsg_parse(m, x) < 0) {
		r->failed = true;
	} else if (is_table(nftnl_set_get_u32(x, NFTNL_SET_FAMILY), nftnl_set_get_str(x, NFTNL_SET_TABLE))) {
		s = arena_grow(r->arena, (void **)&r->sets, &r->n_sets, &r->room_sets, sizeof(*s));
		if (s == NULL) {
			r->failed = true;
		} else {
			flags = nftnl_set_get_u32(x, NFTNL_SET_FLAGS);
			*s = (struct set_read){
				.name = keep_text(r, nftnl_set_get_str(x, NFTNL_SET_NAME)),
				.map = (flags & NFT_SET_MAP) != 0,
				.interval = (flags & NFT_SET_INTERVAL) != 0,
				.dynamic = (flags & NFT_SET_EVAL) != 0,
				.key_len = nftnl_set_get_u32(x, NFTNL_SET_KEY_LEN),
			};
			s->verdicts = s->map && nftnl_set_get_u32(x, NFTNL_SET_DATA_TYPE) == NFT_DATA_VERDICT;
			fields = nftnl_set_get_data(x, NFTNL_SET_DESC_CONCAT, &len);
			if (fields != NULL && len <= SET_READ_FIELDS)
				memcpy(s->fields, fields, len);
			else
				s->fields[0] = (uint8_t)s->key_len;
			r->failed |= s->key_len > OP_DATA;
		}
	}
	if (x != NULL)
		nftnl_set_free(x);
}

static int take_element(struct nftnl_set_elem *x, void *ctx)
{
	struct ruleset *r = ((void **)ctx)[0];
	struct set_read *s = ((void **)ctx)[1];
	struct element_read *e = arena_grow(r->arena, (void **)&s->list, &s->n, &s->room, sizeof(*e));
	uint32_t len = 0;
	const void *p = nftnl_set_elem_get(x, NFTNL_SET_ELEM_KEY, &len);

	if (e == NULL || p == NULL || len > OP_DATA) {
		r->failed = true;
		return 0;
	}
	*e = (struct element_read){ .chain = "" };
	count_entry(r);
	memcpy(e->key, p, len);
	memcpy(e->key_end, p, len);
	if (nftnl_set_elem_is_set(x, NFTNL_SET_ELEM_KEY_END)) {
		p = nftnl_set_elem_get(x, NFTNL_SET_ELEM_KEY_END, &len);
		if (p != NULL && len <= OP_DATA)
			memcpy(e->key_end, p, len);
	}
	if (s->verdicts) {
		e->verdict = (int)nftnl_set_elem_get_u32(x, NFTNL_SET_ELEM_VERDICT);
		if (nftnl_set_elem_is_set(x, NFTNL_SET_ELEM_CHAIN))
			e->chain = keep_text(r, nftnl_set_elem_get_str(x, NFTNL_SET_ELEM_CHAIN));
	} else if (s->map) {
		p = nftnl_set_elem_get(x, NFTNL_SET_ELEM_DATA, &len);
		if (p != NULL && len == sizeof(e->data))
			memcpy(&e->data, p, sizeof(e->data));
		else
			r->failed = true;
	}
	return 0;
}

static void take_elements(struct ruleset *r, const struct nlmsghdr *m)
{
	struct nftnl_set *x = nftnl_set_alloc();
	const struct set_read *s;

	if (x == NULL || nftnl_set_elems_nlmsg_parse(m, x) < 0) {
		r->failed = true;
	} else if (is_table(nftnl_set_get_u32(x, NFTNL_SET_FAMILY), nftnl_set_get_str(x, NFTNL_SET_TABLE))) {
		s = ruleset_set(r, nftnl_set_get_str(x, NFTNL_SET_NAME));
		if (s == NULL) {
			r->failed = true;
		} else {
			void *ctx[2] = { r, &r->sets[s - r->sets] };

			nftnl_set_elem_foreach(x, take_element, ctx)
				;
		}
	}
	if (x != NULL)
		nftnl_set_free(x);
}

void ruleset_take(struct ruleset *r, const struct nlmsghdr *m)
{
	if (m->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
		return;
	switch (m->nlmsg_type & 0xff) {
	case NFT_MSG_NEWCHAIN:
		take_chain(r, m);
		break;
	case NFT_MSG_NEWRULE:
		take_rule(r, m);
		break;
	case NFT_MSG_NEWSET:
		take_set(r, m);
		break;
	case NFT_MSG_NEWSETELEM:
		take_elements(r, m);
		break;
	default:
		break;
	}
}

static int by_key(const void *a, const void *b)
{
	const struct element_read *x = a, *y = b;

	return memcmp(x->key, y->key, OP_DATA);
}

void ruleset_done(struct ruleset *r)
{
	for (size_t i = 0; i < r->n_sets; i++)
		if (!r->sets[i].interval && r->sets[i].n > 0)
			qsort(r->sets[i].list, r->sets[i].n, sizeof(*r->sets[i].list), by_key);
}

const struct chain_read *ruleset_chain(const struct ruleset *r, const char *name)
{
	for (size_t i = 0; i < r->n_chains; i++)
		if (strcmp(r->chains[i].name, name) == 0)
			return &r->chains[i];
	return NULL;
}

const struct set_read *ruleset_set(const struct ruleset *r, const char *name)
{
	for (size_t i = 0; name != NULL && i < r->n_sets; i++)
		if (strcmp(r->sets[i].name, name) == 0)
			return &r->sets[i];
	return NULL;
}

/* ---- from the kernel ------------------------------------------------------------------------- */

static int on_message(const struct nlmsghdr *m, void *ctx)
{
	ruleset_take(ctx, m);
	return 0;
}

static int ruleset_list(struct netlink *n, uint16_t type, const char *set, struct ruleset *r, struct err *e)
{
	return netlink_list(n, type, NFPROTO_INET, TABLE, set, on_message, r, e);
}

static int read_all(struct netlink *n, struct ruleset *r, struct err *e)
{
	int code = ruleset_list(n, NFT_MSG_GETCHAIN, NULL, r, e);

	if (code == 0)
		code = ruleset_list(n, NFT_MSG_GETRULE, NULL, r, e);
	if (code == 0)
		code = ruleset_list(n, NFT_MSG_GETSET, NULL, r, e);
	n->reading.parts = FRAME_PARTS + (uint32_t)r->n_sets;
	for (size_t i = 0; i < r->n_sets && code == 0; i++)
		code = ruleset_list(n, NFT_MSG_GETSETELEM, r->sets[i].name, r, e);
	if (code == 0 && r->failed)
		code = err_set(e, -ENOMEM, "read the rules as they would be executed");
	return code;
}

int ruleset_read(struct netlink *n, struct arena *a, struct ruleset *ret, struct err *e)
{
	int r = -EAGAIN;

	for (int i = 0; i < TRIES && (r == -EAGAIN || r == -EINTR || r == -ENOBUFS || r == -ENOENT); i++) {
		uint32_t before = 0, after = 0;

		ruleset_init(ret, a);
		n->reading = (struct netlink_reading){ 0 };
		ret->reading = &n->reading;
		r = netlink_generation(n, &before, e);
		if (r == 0)
			r = read_all(n, ret, e);
		if (r == 0)
			r = netlink_generation(n, &after, e);
		if (r == 0 && before != after)
			r = err_set(e, -EAGAIN, "the rules changed while they were read");
	}
	ret->reading = NULL;
	if (r == 0)
		ruleset_done(ret);
	return r;
}
