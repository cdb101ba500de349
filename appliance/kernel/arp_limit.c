/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/arp_limit.h"

#include <errno.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libnftnl/rule.h>
#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>
#include <stdlib.h>

#include "appliance/kernel/expr.h"

#define CHAIN "input"
#define OPERATION 6u /* offset of ar$op, RFC 826 */

static struct nftnl_rule *end(struct build *b, int verdict)
{
	if (b->rule == NULL)
		return NULL;
	expr_verdict(b, verdict, NULL);
	if (!b->bad)
		return b->rule;
	nftnl_rule_free(b->rule);
	return NULL;
}

static struct build begin(void)
{
	struct build b = { .rule = plain_rule(NFPROTO_ARP, CHAIN) };

	b.bad = b.rule == NULL;
	return b;
}

/* Reports the sender's device to the tap (appliance/tap/sighted.c). It comes before the limit and
 * decides nothing. */
static struct nftnl_rule *rule_told(const char *device)
{
	struct build b = begin();

	if (!b.bad) {
		expr_meta(&b, NFT_META_IIFNAME, 0);
		expr_cmp_name(&b, NFT_CMP_EQ, device);
		expr_limit(&b, ARP_TOLD_PER_SECOND, ARP_TOLD_PER_SECOND);
		expr_log_device(&b);
	}
	if (b.rule == NULL || !b.bad)
		return b.rule;
	nftnl_rule_free(b.rule);
	return NULL;
}

static struct nftnl_rule *rule_answers(void)
{
	struct build b = begin();

	if (!b.bad) {
		expr_payload(&b, NFT_PAYLOAD_NETWORK_HEADER, OPERATION, 2, 0);
		expr_cmp16(&b, NFT_CMP_NEQ, ARPOP_REQUEST);
	}
	return end(&b, NF_ACCEPT);
}

static struct nftnl_rule *rule_heard(const char *device)
{
	struct build b = begin();

	if (!b.bad) {
		expr_meta(&b, NFT_META_IIFNAME, 0);
		expr_cmp_name(&b, NFT_CMP_EQ, device);
		expr_limit(&b, ARP_PER_SECOND, ARP_PER_SECOND);
	}
	return end(&b, NF_ACCEPT);
}

static struct nftnl_rule *rule_rest(void)
{
	struct build b = begin();

	b.bad = b.bad || !plain_rule_count(b.rule);
	return end(&b, NF_DROP);
}

int arp_limit_set(const char *const *devices, size_t n, bool dry, plain_note *note, void *ctx, struct err *e)
{
	const struct plain_chain chain = { .name = CHAIN, .hook = NF_ARP_IN };
	struct nftnl_rule **rules = calloc(2 * n + 2, sizeof(void *));
	struct plain_table t = {
		.family = NFPROTO_ARP, .what = "the limit of ARP", .chains = &chain, .n_chains = n > 0, .rules = rules
	};
	int r;

	if (rules == NULL)
		return err_set(e, -ENOMEM, "%s", t.what);
	for (size_t i = 0; i < n; i++)
		rules[t.n_rules++] = rule_told(devices[i]);
	if (n > 0)
		rules[t.n_rules++] = rule_answers();
	for (size_t i = 0; i < n; i++)
		rules[t.n_rules++] = rule_heard(devices[i]);
	if (n > 0)
		rules[t.n_rules++] = rule_rest();
	r = plain_table_set(&t, dry, note, ctx, e);
	plain_rules_free(&t);
	free(rules);
	return r;
}
