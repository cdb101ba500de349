/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/trunk_private.h"

#include <errno.h>
#include <stdio.h> /* libnftnl forgets it */

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <stdlib.h>

#include "appliance/kernel/expr.h"

#define RULE_MOST 1536u /* bytes of a rule's text */
#define TAG_TYPE 12u	/* offset of the tag's type in a frame, and of what it says */
#define TAG_CONTROL 14u
#define TAG_VLAN 0x0fffu /* IEEE 802.1Q-2018, 9.6: the rest is priority and drop eligibility */
#define OLD_QINQ 0x9100u /* a second tag, as switches wrote it before 802.1ad */

static struct nftnl_rule *begin(const char *card, struct build *b)
{
	*b = (struct build){ .rule = nftnl_rule_alloc() };
	if (b->rule == NULL)
		return NULL;
	nftnl_rule_set_u32(b->rule, NFTNL_RULE_FAMILY, NFPROTO_NETDEV);
	nftnl_rule_set_str(b->rule, NFTNL_RULE_TABLE, TABLE_NAME);
	nftnl_rule_set_str(b->rule, NFTNL_RULE_CHAIN, card);
	return b->rule;
}

/* Nothing but frames whose first tag is the only one. The kernel has taken it off, and shows it where it was. */
struct nftnl_rule *trunk_rule_tagged(const char *card, uint16_t vlan)
{
	static const uint16_t tags[] = { ETH_P_8021Q, ETH_P_8021AD, OLD_QINQ };
	struct build b;

	if (begin(card, &b) == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		expr_meta(&b, NFT_META_PROTOCOL, 0);
		expr_cmp16(&b, NFT_CMP_NEQ, tags[i]);
	}
	expr_payload(&b, NFT_PAYLOAD_LL_HEADER, TAG_TYPE, 2, 0);
	expr_cmp16(&b, NFT_CMP_EQ, ETH_P_8021Q);
	expr_payload(&b, NFT_PAYLOAD_LL_HEADER, TAG_CONTROL, 2, 0);
	expr_bits16(&b, TAG_VLAN);
	expr_cmp16(&b, NFT_CMP_EQ, vlan);
	expr_verdict(&b, NF_ACCEPT, NULL);
	if (b.bad) {
		nftnl_rule_free(b.rule);
		return NULL;
	}
	return b.rule;
}

struct nftnl_rule *trunk_rule_rest(const char *card)
{
	struct nftnl_expr *counter = nftnl_expr_alloc("counter");
	struct build b;

	if (counter == NULL || begin(card, &b) == NULL) {
		if (counter != NULL)
			nftnl_expr_free(counter);
		return NULL;
	}
	nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, 0);
	nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_BYTES, 0);
	nftnl_rule_add_expr(b.rule, counter);
	expr_verdict(&b, NF_DROP, NULL);
	if (b.bad) {
		nftnl_rule_free(b.rule);
		return NULL;
	}
	return b.rule;
}

/* ---- what stands, and what is to stand, as text ------------------------------------------------------------------------ */

__attribute__((format(printf, 2, 3))) static void add(struct gate_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->size - t->n < TRUNK_MESSAGE) {
		size_t size = t->size * 2 + 4 * TRUNK_MESSAGE;
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

/* What was counted is no part of what a rule says. */
static void uncount(struct gate_text *t, struct nftnl_rule *r)
{
	struct nftnl_expr_iter *it = nftnl_expr_iter_create(r);
	struct nftnl_expr *x;

	while (it != NULL && (x = nftnl_expr_iter_next(it)) != NULL) {
		if (strcmp(nftnl_expr_get_str(x, NFTNL_EXPR_NAME), "counter") != 0)
			continue;
		if (t->card != NULL && strcmp(t->card, nftnl_rule_get_str(r, NFTNL_RULE_CHAIN)) == 0)
			t->refused += nftnl_expr_get_u64(x, NFTNL_EXPR_CTR_PACKETS);
		nftnl_expr_set_u64(x, NFTNL_EXPR_CTR_PACKETS, 0);
		nftnl_expr_set_u64(x, NFTNL_EXPR_CTR_BYTES, 0);
	}
	if (it != NULL)
		nftnl_expr_iter_destroy(it);
}

static void add_rule(struct gate_text *t, struct nftnl_rule *r)
{
	char text[RULE_MOST];

	if (r == NULL) {
		t->failed = true;
		return;
	}
	uncount(t, r);
	add(t, "rule %s %s\n", nftnl_rule_get_str(r, NFTNL_RULE_CHAIN), rule_text(r, text, sizeof(text)) ? text : "?");
	nftnl_rule_free(r);
}

static void add_chain(struct gate_text *t, const char *name, const char *device, uint32_t hook, int32_t priority,
		      uint32_t policy)
{
	add(t, "chain %s device %s hook %u priority %d policy %u\n", name, device, hook, priority, policy);
}

static bool in_gate(uint32_t family, const char *table)
{
	return family == NFPROTO_NETDEV && table != NULL && strcmp(table, TABLE_NAME) == 0;
}

static int on_table(const struct nlmsghdr *m, void *ctx)
{
	struct gate_text *t = ctx;
	struct nftnl_table *x = nftnl_table_alloc();

	if (x == NULL || nftnl_table_nlmsg_parse(m, x) < 0)
		t->failed = true;
	else if (in_gate(nftnl_table_get_u32(x, NFTNL_TABLE_FAMILY), nftnl_table_get_str(x, NFTNL_TABLE_NAME))) {
		t->table = true;
		add(t, "table %u\n", nftnl_table_get_u32(x, NFTNL_TABLE_FLAGS));
	}
	if (x != NULL)
		nftnl_table_free(x);
	return 0;
}

static int on_chain(const struct nlmsghdr *m, void *ctx)
{
	struct gate_text *t = ctx;
	struct nftnl_chain *x = nftnl_chain_alloc();

	if (x == NULL || nftnl_chain_nlmsg_parse(m, x) < 0) {
		t->failed = true;
	} else if (in_gate(nftnl_chain_get_u32(x, NFTNL_CHAIN_FAMILY), nftnl_chain_get_str(x, NFTNL_CHAIN_TABLE))) {
		const char *device = nftnl_chain_get_str(x, NFTNL_CHAIN_DEV);
		bool base = nftnl_chain_is_set(x, NFTNL_CHAIN_HOOKNUM);

		t->chain = true;
		add_chain(t, nftnl_chain_get_str(x, NFTNL_CHAIN_NAME), device != NULL ? device : "?",
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
	struct gate_text *t = ctx;
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (r == NULL || nftnl_rule_nlmsg_parse(m, r) < 0)
		t->failed = true;
	else if (in_gate(nftnl_rule_get_u32(r, NFTNL_RULE_FAMILY), nftnl_rule_get_str(r, NFTNL_RULE_TABLE))) {
		add_rule(t, r);
		return 0;
	}
	if (r != NULL)
		nftnl_rule_free(r);
	return 0;
}

int trunk_look(struct netlink *n, struct gate_text *t, struct err *e)
{
	static const struct {
		uint16_t type;
		netlink_each *each;
	} lists[] = { { NFT_MSG_GETTABLE, on_table }, { NFT_MSG_GETCHAIN, on_chain }, { NFT_MSG_GETRULE, on_rule } };
	_Alignas(8) uint8_t buf[TRUNK_MESSAGE];
	int r = -EINTR;

	for (int attempt = 0; attempt < 5 && (r == -EINTR || r == -ENOBUFS); attempt++) {
		r = 0;
		t->n = 0;
		t->table = t->chain = false;
		t->refused = 0;
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && r == 0; i++) {
			t->head = t->n;
			r = netlink_ask(n,
					netlink_request(n, buf, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | lists[i].type),
							NLM_F_DUMP, NFPROTO_NETDEV),
					lists[i].each, t, e);
		}
	}
	return r == 0 && t->failed ? err_set(e, -ENOMEM, "read back the gate of the VLANs") : r;
}

void trunk_want(const struct trunk_vlan *list, size_t n, struct gate_text *t)
{
	if (n > 0)
		add(t, "table 0\n");
	for (size_t i = 0; i < n; i++)
		if (trunk_first(list, i))
			add_chain(t, list[i].card, list[i].card, NF_NETDEV_INGRESS, TRUNK_PRIORITY, NF_DROP);
	t->head = t->n;
	for (size_t i = 0; i < n; i++) {
		add_rule(t, trunk_rule_tagged(list[i].card, list[i].vlan));
		if (trunk_last(list, n, i))
			add_rule(t, trunk_rule_rest(list[i].card));
	}
}
