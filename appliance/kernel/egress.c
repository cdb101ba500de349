/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/egress.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h> /* libnftnl forgets it */

#include <libnftnl/rule.h>
#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/kernel/expr.h"

#define WHAT "the rules of the admin namespace"
#define OUTPUT "output"
#define BEHIND_ALL 500 /* what is looked at here leaves as it is: behind NAT of others (NF_IP_PRI_NAT_SRC, 100) */
#define FIXED 6u       /* rules beside those of peers */

enum { RULE_INSIDE, RULE_ASKS, RULE_TELLS, RULE_LISTENS, RULE_ANSWERS, RULE_PEERS };

static const struct plain_chain chains[] = {
	{ .name = OUTPUT, .hook = NF_INET_LOCAL_OUT, .priority = BEHIND_ALL },
	{ .name = "forward", .hook = NF_INET_FORWARD, .priority = BEHIND_ALL },
};

static struct build begin(void)
{
	struct build b = { .rule = plain_rule(NFPROTO_INET, OUTPUT) };

	b.bad = b.rule == NULL;
	return b;
}

/* Takes the rule; NULL when something of it found no memory. */
static struct nftnl_rule *end(struct build *b, int verdict)
{
	if (b->rule != NULL)
		expr_verdict(b, verdict, NULL);
	if (b->bad && b->rule != NULL) {
		nftnl_rule_free(b->rule);
		b->rule = NULL;
	}
	return b->rule;
}

static void family(struct build *b, uint8_t f)
{
	expr_meta(b, NFT_META_NFPROTO, 0);
	expr_cmp8(b, NFT_CMP_EQ, f == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

static void transport(struct build *b, uint8_t l4proto)
{
	expr_meta(b, NFT_META_L4PROTO, 0);
	expr_cmp8(b, NFT_CMP_EQ, l4proto);
}

/* What stays on the box: the kernel's number for the kind of a link is in the machine's own order. */
static struct nftnl_rule *rule_inside(void)
{
	struct build b = begin();

	if (!b.bad) {
		expr_meta(&b, NFT_META_OIFTYPE, 0);
		expr_cmp16(&b, NFT_CMP_EQ, htons(ARPHRD_LOOPBACK));
	}
	return end(&b, NF_ACCEPT);
}

/*
 * Neighbour discovery, of a neighbour alone: no router lets it by with all its hops. And by which groups the box is to be found, which
 * switches have to hear (RFC 3810, 5): that lives one hop.
 */
static struct nftnl_rule *rule_neighbours(uint8_t type, uint8_t hops)
{
	struct build b = begin();

	if (!b.bad) {
		family(&b, 6);
		transport(&b, IPPROTO_ICMPV6);
		expr_payload(&b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
		expr_cmp8(&b, NFT_CMP_EQ, type);
		expr_payload(&b, NFT_PAYLOAD_NETWORK_HEADER, 7, 1, 0);
		expr_cmp8(&b, NFT_CMP_EQ, hops);
	}
	return end(&b, NF_ACCEPT);
}

/* To who began: the reply direction of a session, and errors about its packets. What the box began is no answer, however long it lives. */
static struct nftnl_rule *rule_answers(void)
{
	struct build b = begin();

	if (!b.bad) {
		expr_ct(&b, NFT_CT_DIRECTION, 0);
		expr_cmp8(&b, NFT_CMP_EQ, IP_CT_DIR_REPLY);
		expr_ct(&b, NFT_CT_STATE, 0);
		expr_bits32(&b, 0, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED), 0);
		expr_cmp32(&b, NFT_CMP_NEQ, 0);
	}
	return end(&b, NF_ACCEPT);
}

static struct nftnl_rule *rule_peer(const struct ir_peer *p)
{
	bool six = p->address.family == 6;
	struct build b = begin();

	if (!b.bad) {
		family(&b, p->address.family);
		for (uint32_t word = 0; word < (six ? 4u : 1u); word++) {
			uint32_t want;

			memcpy(&want, p->address.b + 4 * (size_t)word, sizeof(want));
			expr_payload(&b, NFT_PAYLOAD_NETWORK_HEADER, (six ? 24u : 16u) + 4 * word, 4, 0);
			expr_cmp32(&b, NFT_CMP_EQ, want); /* as it is in the packet */
		}
		transport(&b, p->l4proto);
		expr_payload(&b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 0);
		expr_cmp16(&b, NFT_CMP_EQ, p->port);
		b.bad |= !plain_rule_count(b.rule);
	}
	return end(&b, NF_ACCEPT);
}

static struct nftnl_rule *rule_rest(void)
{
	struct build b = begin();

	if (!b.bad)
		b.bad = !plain_rule_count(b.rule);
	return end(&b, NF_DROP);
}

/* The list of rules is the caller's to free, after plain_rules_free. 0 or -ENOMEM. */
static int table(const struct ir_peer *list, size_t n, struct plain_table *ret, struct err *e)
{
	struct nftnl_rule **rules = calloc(n + FIXED, sizeof(void *));

	if (rules == NULL)
		return err_set(e, -ENOMEM, WHAT);
	rules[RULE_INSIDE] = rule_inside();
	rules[RULE_ASKS] = rule_neighbours(135, 255);
	rules[RULE_TELLS] = rule_neighbours(136, 255);
	rules[RULE_LISTENS] = rule_neighbours(143, 1);
	rules[RULE_ANSWERS] = rule_answers();
	for (size_t i = 0; i < n; i++)
		rules[RULE_PEERS + i] = rule_peer(&list[i]);
	rules[RULE_PEERS + n] = rule_rest();
	*ret = (struct plain_table){ .family = NFPROTO_INET,
				     .what = WHAT,
				     .chains = chains,
				     .n_chains = sizeof(chains) / sizeof(chains[0]),
				     .rules = rules,
				     .n_rules = n + FIXED };
	return 0;
}

int egress_set(const struct ir_peer *list, size_t n, bool dry, plain_note *note, void *ctx, struct err *e)
{
	struct plain_table t;
	int r = table(list, n, &t, e);

	if (r < 0)
		return r;
	r = plain_table_set(&t, dry, note, ctx, e);
	plain_rules_free(&t);
	free(t.rules);
	return r;
}

static void nobody(void *ctx, const char *chain, const char *text, uint64_t packets, uint64_t bytes)
{
	(void)ctx;
	(void)chain;
	(void)text;
	(void)packets;
	(void)bytes;
}

int egress_base(struct err *e)
{
	bool there = false;
	int r = plain_table_read(NFPROTO_INET, nobody, NULL, &there, e);

	return r < 0 || there ? r : egress_set(NULL, 0, false, NULL, NULL, e);
}

struct telling {
	const struct ir_peer *list;
	const struct plain_table *known;
	char text[RULE_TEXT];
	egress_each *each;
	void *ctx;
	struct egress_seen *seen;
};

static void tell(void *ctx, const char *chain, const char *text, uint64_t packets, uint64_t bytes)
{
	struct telling *t = ctx;
	size_t at = strcmp(chain, OUTPUT) == 0 ? 0 : t->known->n_rules;

	while (at < t->known->n_rules &&
	       (t->known->rules[at] == NULL || !rule_text(t->known->rules[at], t->text, sizeof(t->text)) ||
		strcmp(t->text, text) != 0))
		at++;
	if (at == t->known->n_rules)
		t->each(t->ctx, NULL, text, packets, bytes);
	else if (at + 1 == t->known->n_rules)
		t->seen->refused += packets;
	else if (at >= RULE_PEERS)
		t->each(t->ctx, &t->list[at - RULE_PEERS], text, packets, bytes);
}

int egress_read(const struct ir_peer *list, size_t n, egress_each *each, void *ctx, struct egress_seen *ret,
		struct err *e)
{
	struct plain_table known;
	struct telling t = { .list = list, .known = &known, .each = each, .ctx = ctx, .seen = ret };
	int r = table(list, n, &known, e);

	*ret = (struct egress_seen){ 0 };
	if (r < 0)
		return r;
	r = plain_table_read(NFPROTO_INET, tell, &t, &ret->there, e);
	plain_rules_free(&known);
	free(known.rules);
	return r;
}
