/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/ruleset_private.h"

#include <errno.h>
#include <netinet/in.h> /* before linux/, which then leaves its own copies out */
#include <stdio.h>	/* libnftnl forgets it */

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/gen.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#define TABLE "sekisho"
#define TRIES 5
#define FRAME_PARTS 3u /* chains, rules, sets */

void ruleset_init(struct ruleset *r, struct arena *a)
{
	*r = (struct ruleset){ .arena = a };
}

const char *ruleset_keep(struct ruleset *r, const char *text)
{
	const char *copy = text == NULL ? "" : arena_strndup(r->arena, text, strlen(text));

	r->failed |= copy == NULL;
	return copy == NULL ? "" : copy;
}

static bool is_table(uint32_t family, const char *table)
{
	return family == NFPROTO_INET && table != NULL && strcmp(table, TABLE) == 0;
}

static void count(struct ruleset *r)
{
	if (r->reading != NULL)
		r->reading->entries++;
}

/* ---- chains, rules, sets ------------------------------------------------------------------------------------------ */

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
	*c = (struct chain_read){ .name = ruleset_keep(r, name), .policy = NF_ACCEPT };
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
			count(r);
			nftnl_expr_foreach(x, ruleset_take_expression, ctx);
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
				.name = ruleset_keep(r, nftnl_set_get_str(x, NFTNL_SET_NAME)),
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
	count(r);
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
			e->chain = ruleset_keep(r, nftnl_set_elem_get_str(x, NFTNL_SET_ELEM_CHAIN));
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

			nftnl_set_elem_foreach(x, take_element, ctx);
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

/* ---- from the kernel ---------------------------------------------------------------------------------------------- */

static int on_message(const struct nlmsghdr *m, void *ctx)
{
	ruleset_take(ctx, m);
	return 0;
}

static int on_count(const struct nlmsghdr *m, void *ctx)
{
	struct nftnl_gen *g = nftnl_gen_alloc();

	if (g != NULL && nftnl_gen_nlmsg_parse(m, g) >= 0)
		*(uint32_t *)ctx = nftnl_gen_get_u32(g, NFTNL_GEN_ID);
	if (g != NULL)
		nftnl_gen_free(g);
	return 0;
}

static int ask(struct netlink *n, uint16_t type, uint16_t flags, const char *set, netlink_each *each, void *ctx,
	       struct err *e)
{
	_Alignas(8) uint8_t buf[4096];
	struct nlmsghdr *h = netlink_request(n, buf, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags,
					     flags != 0 ? NFPROTO_INET : NFPROTO_UNSPEC);

	n->reading.part += flags != 0;
	if (flags != 0)
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, TABLE);
	if (set != NULL)
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
	return netlink_ask(n, h, each, ctx, e);
}

static int read_all(struct netlink *n, struct ruleset *r, struct err *e)
{
	int code = ask(n, NFT_MSG_GETCHAIN, NLM_F_DUMP, NULL, on_message, r, e);

	if (code == 0)
		code = ask(n, NFT_MSG_GETRULE, NLM_F_DUMP, NULL, on_message, r, e);
	if (code == 0)
		code = ask(n, NFT_MSG_GETSET, NLM_F_DUMP, NULL, on_message, r, e);
	n->reading.parts = FRAME_PARTS + (uint32_t)r->n_sets;
	for (size_t i = 0; i < r->n_sets && code == 0; i++)
		code = ask(n, NFT_MSG_GETSETELEM, NLM_F_DUMP, r->sets[i].name, on_message, r, e);
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
		r = ask(n, NFT_MSG_GETGEN, 0, NULL, on_count, &before, e);
		if (r == 0)
			r = read_all(n, ret, e);
		if (r == 0)
			r = ask(n, NFT_MSG_GETGEN, 0, NULL, on_count, &after, e);
		if (r == 0 && before != after)
			r = err_set(e, -EAGAIN, "the rules changed while they were read");
	}
	ret->reading = NULL;
	if (r == 0)
		ruleset_done(ret);
	return r;
}
