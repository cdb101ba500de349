/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/trunk.h"

#include <errno.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libnftnl/rule.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/kernel/expr.h"

#define TRUNK_PRIORITY (-500) /* before the hooks of others */
#define TAG_TYPE 12u	      /* offset of the tag's type and value in a frame */
#define TAG_CONTROL 14u
/* IEEE 802.1Q-2018, 9.6: the VLAN's number; the other bits are priority and drop eligibility */
#define TAG_VLAN 0x0fffu
#define OLD_QINQ 0x9100u /* type of a second tag, as switches wrote it before 802.1ad */

/* A rule that accepts frames with exactly one tag, of that VLAN. The kernel has removed the tag
 * from the frame, but shows it to rules in its former place. */
static struct nftnl_rule *rule_tagged(const char *card, uint16_t vlan)
{
	static const uint16_t tags[] = { ETH_P_8021Q, ETH_P_8021AD, OLD_QINQ };
	struct build b = { .rule = plain_rule(NFPROTO_NETDEV, card) };

	if (b.rule == NULL)
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

static struct nftnl_rule *rule_rest(const char *card)
{
	struct build b = { .rule = plain_rule(NFPROTO_NETDEV, card) };

	if (b.rule == NULL)
		return NULL;
	b.bad = !plain_rule_count(b.rule);
	expr_verdict(&b, NF_DROP, NULL);
	if (b.bad) {
		nftnl_rule_free(b.rule);
		return NULL;
	}
	return b.rule;
}

int trunk_gate_set(const struct trunk_vlan *list, size_t n, bool dry, plain_note *note, void *ctx, struct err *e)
{
	struct plain_chain *chains = calloc(n + 1, sizeof(*chains));
	struct nftnl_rule **rules = calloc(2 * n + 1, sizeof(void *));
	struct plain_table t = {
		.family = NFPROTO_NETDEV, .what = "the gate of the VLANs", .chains = chains, .rules = rules
	};
	int r = -ENOMEM;

	for (size_t i = 0; chains != NULL && rules != NULL && i < n; i++) {
		if (i == 0 || strcmp(list[i].card, list[i - 1].card) != 0)
			chains[t.n_chains++] = (struct plain_chain){ .name = list[i].card,
								     .device = list[i].card,
								     .hook = NF_NETDEV_INGRESS,
								     .priority = TRUNK_PRIORITY };
		rules[t.n_rules++] = rule_tagged(list[i].card, list[i].vlan);
		if (i + 1 == n || strcmp(list[i].card, list[i + 1].card) != 0)
			rules[t.n_rules++] = rule_rest(list[i].card);
	}
	if (chains != NULL && rules != NULL) {
		r = plain_table_set(&t, dry, note, ctx, e);
		plain_rules_free(&t);
	} else {
		err_set(e, r, "the gate of the VLANs");
	}
	free(chains);
	free(rules);
	return r;
}

struct counting {
	const char *card;
	uint64_t refused;
};

static void count(void *ctx, const char *chain, const char *text, uint64_t packets, uint64_t bytes)
{
	struct counting *c = ctx;

	(void)text;
	(void)bytes;
	if (strcmp(chain, c->card) == 0)
		c->refused += packets;
}

uint64_t trunk_gate_refused(const char *card)
{
	struct counting c = { .card = card };
	struct err e;
	bool there;

	return plain_table_read(NFPROTO_NETDEV, count, &c, &there, &e) == 0 ? c.refused : 0;
}
