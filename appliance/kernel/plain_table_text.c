/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/plain_table_private.h"

#include <errno.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/kernel/image.h"
#include "appliance/kernel/rule.h"

#define RULE_MOST 1536u /* bytes of a rule's text */

struct nftnl_rule *plain_rule(uint8_t family, const char *chain)
{
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (r == NULL)
		return NULL;
	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, family);
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, TABLE_NAME);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	return r;
}

bool plain_rule_count(struct nftnl_rule *r)
{
	struct nftnl_expr *counter = nftnl_expr_alloc("counter");

	if (counter == NULL)
		return false;
	nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, 0);
	nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_BYTES, 0);
	nftnl_rule_add_expr(r, counter);
	return true;
}

void plain_rules_free(struct plain_table *t)
{
	for (size_t i = 0; i < t->n_rules; i++)
		if (t->rules[i] != NULL)
			nftnl_rule_free(t->rules[i]);
	t->n_rules = 0;
}

__attribute__((format(printf, 2, 3))) static void add(struct table_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->size - t->n < PLAIN_MESSAGE) {
		size_t size = t->size * 2 + 4 * PLAIN_MESSAGE;
		char *out = realloc(t->out, size);

		t->failed = t->failed || out == NULL;
		if (out == NULL)
			return;
		t->out = out;
		t->size = size;
	}
	va_start(ap, fmt);
	n = vsnprintf(t->out + t->n, t->size - t->n, fmt, ap);
	va_end(ap);
	t->failed = t->failed || n < 0 || (size_t)n >= t->size - t->n;
	t->n += t->failed ? 0 : (size_t)n;
}

/* Removes the counter values, which are not part of the rule. */
static struct plain_count uncount(struct nftnl_rule *r)
{
	struct nftnl_expr_iter *it = nftnl_expr_iter_create(r);
	struct plain_count ret = { 0 };
	struct nftnl_expr *x;

	while (it != NULL && (x = nftnl_expr_iter_next(it)) != NULL) {
		if (strcmp(nftnl_expr_get_str(x, NFTNL_EXPR_NAME), "counter") != 0)
			continue;
		ret.packets += nftnl_expr_get_u64(x, NFTNL_EXPR_CTR_PACKETS);
		ret.bytes += nftnl_expr_get_u64(x, NFTNL_EXPR_CTR_BYTES);
		nftnl_expr_set_u64(x, NFTNL_EXPR_CTR_PACKETS, 0);
		nftnl_expr_set_u64(x, NFTNL_EXPR_CTR_BYTES, 0);
	}
	if (it != NULL)
		nftnl_expr_iter_destroy(it);
	return ret;
}

static void add_rule(struct table_text *t, struct nftnl_rule *r)
{
	char text[RULE_MOST];

	if (r != NULL && t->n_counts == t->room_counts) {
		size_t room = t->room_counts * 2 + 16;
		struct plain_count *counts = realloc(t->counts, room * sizeof(*counts));

		if (counts != NULL) {
			t->counts = counts;
			t->room_counts = room;
		}
	}
	if (r == NULL || t->n_counts == t->room_counts) {
		t->failed = true;
		return;
	}
	t->counts[t->n_counts++] = uncount(r);
	add(t, "rule %s %s\n", nftnl_rule_get_str(r, NFTNL_RULE_CHAIN), rule_text(r, text, sizeof(text)) ? text : "?");
}

static void add_chain(struct table_text *t, const char *name, const char *device, uint32_t hook, int32_t priority,
		      uint32_t policy)
{
	add(t, "chain %s device %s hook %u priority %d policy %u\n", name, device != NULL ? device : "none", hook,
	    priority, policy);
}

static bool is_ours(const struct table_text *t, uint32_t family, const char *table)
{
	return family == t->family && table != NULL && strcmp(table, t->name) == 0;
}

static int on_table(const struct nlmsghdr *m, void *ctx)
{
	struct table_text *t = ctx;
	struct nftnl_table *x = nftnl_table_alloc();

	if (x == NULL || nftnl_table_nlmsg_parse(m, x) < 0)
		t->failed = true;
	else if (is_ours(t, nftnl_table_get_u32(x, NFTNL_TABLE_FAMILY), nftnl_table_get_str(x, NFTNL_TABLE_NAME))) {
		t->table = true;
		add(t, "table %u\n", nftnl_table_get_u32(x, NFTNL_TABLE_FLAGS));
	}
	if (x != NULL)
		nftnl_table_free(x);
	return 0;
}

static int on_chain(const struct nlmsghdr *m, void *ctx)
{
	struct table_text *t = ctx;
	struct nftnl_chain *x = nftnl_chain_alloc();

	if (x == NULL || nftnl_chain_nlmsg_parse(m, x) < 0) {
		t->failed = true;
	} else if (is_ours(t, nftnl_chain_get_u32(x, NFTNL_CHAIN_FAMILY), nftnl_chain_get_str(x, NFTNL_CHAIN_TABLE))) {
		bool base = nftnl_chain_is_set(x, NFTNL_CHAIN_HOOKNUM);

		t->chain = true;
		add_chain(t, nftnl_chain_get_str(x, NFTNL_CHAIN_NAME), nftnl_chain_get_str(x, NFTNL_CHAIN_DEV),
			  base ? nftnl_chain_get_u32(x, NFTNL_CHAIN_HOOKNUM) : UINT32_MAX,
			  base ? nftnl_chain_get_s32(x, NFTNL_CHAIN_PRIO) : 0,
			  base ? nftnl_chain_get_u32(x, NFTNL_CHAIN_POLICY) : UINT32_MAX);
	}
	if (x != NULL)
		nftnl_chain_free(x);
	return 0;
}

static int on_rule(const struct nlmsghdr *m, void *ctx)
{
	struct table_text *t = ctx;
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (r == NULL || nftnl_rule_nlmsg_parse(m, r) < 0)
		t->failed = true;
	else if (is_ours(t, nftnl_rule_get_u32(r, NFTNL_RULE_FAMILY), nftnl_rule_get_str(r, NFTNL_RULE_TABLE)))
		add_rule(t, r);
	if (r != NULL)
		nftnl_rule_free(r);
	return 0;
}

int plain_text_look(struct netlink *n, struct table_text *t, struct err *e)
{
	static const struct {
		uint16_t type;
		netlink_each *each;
	} lists[] = { { NFT_MSG_GETTABLE, on_table }, { NFT_MSG_GETCHAIN, on_chain }, { NFT_MSG_GETRULE, on_rule } };
	_Alignas(8) uint8_t buf[PLAIN_MESSAGE];
	int r = -EINTR;

	for (int attempt = 0; attempt < 5 && (r == -EINTR || r == -ENOBUFS); attempt++) {
		r = 0;
		t->n = t->n_counts = 0;
		t->table = t->chain = false;
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && r == 0; i++) {
			t->head = t->n;
			r = netlink_ask(n,
					netlink_request(n, buf, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | lists[i].type),
							NLM_F_DUMP, t->family),
					lists[i].each, t, e);
		}
	}
	return r == 0 && t->failed ? err_set(e, -ENOMEM, "read back a table") : r;
}

void plain_text_want(const struct plain_table *want, struct table_text *t)
{
	if (want->n_chains > 0)
		add(t, "table 0\n");
	for (size_t i = 0; i < want->n_chains; i++)
		add_chain(t, want->chains[i].name, want->chains[i].device, want->chains[i].hook,
			  want->chains[i].priority, want->chains[i].accepts ? NF_ACCEPT : NF_DROP);
	t->head = t->n;
	for (size_t i = 0; i < want->n_rules; i++)
		add_rule(t, want->rules[i]);
}
