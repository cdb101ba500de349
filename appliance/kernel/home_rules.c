/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/home_rules.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#include "appliance/kernel/expr.h"
#include "appliance/kernel/plain_table.h"

#define CHAIN "forward"
#define WHAT "the rules for cards that the machine still has"
/* priority: before the rules of others, so that their counters only see what is let through */
#define BEFORE_ALL (-500)

/* `card` NULL: all traffic. */
static struct nftnl_rule *rule(uint8_t family, uint32_t side, const char *card, int verdict)
{
	struct build b = { .rule = plain_rule(family, CHAIN) };

	if (b.rule == NULL)
		return NULL;
	if (card != NULL) {
		expr_meta(&b, side, 0);
		expr_cmp_name(&b, NFT_CMP_EQ, card);
		b.bad |= !plain_rule_count(b.rule);
	}
	expr_verdict(&b, verdict, NULL);
	if (b.bad) {
		nftnl_rule_free(b.rule);
		return NULL;
	}
	return b.rule;
}

static int set(uint8_t family, const char *const *cards, size_t n, struct err *e)
{
	const struct plain_chain chain = { .name = CHAIN, .hook = NF_INET_FORWARD, .priority = BEFORE_ALL };
	struct plain_table t = { .family = family,
				 .what = WHAT,
				 .chains = &chain,
				 .n_chains = n > 0 ? 1 : 0,
				 .rules = calloc(2 * n + 1, sizeof(void *)) };
	int r;

	if (t.rules == NULL)
		return err_set(e, -ENOMEM, WHAT);
	for (size_t i = 0; i < n; i++) {
		t.rules[t.n_rules++] = rule(family, NFT_META_IIFNAME, cards[i], NF_DROP);
		t.rules[t.n_rules++] = rule(family, NFT_META_OIFNAME, cards[i], NF_DROP);
	}
	if (n > 0)
		t.rules[t.n_rules++] = rule(family, 0, NULL, NF_ACCEPT);
	r = plain_table_set(&t, false, NULL, NULL, e);
	plain_rules_free(&t);
	free(t.rules);
	return r;
}

int home_rules_set(const char *const *cards, size_t n, struct err *e)
{
	struct err later;
	int r = set(NFPROTO_INET, cards, n, e), bridged = set(NFPROTO_BRIDGE, cards, n, r < 0 ? &later : e);

	return r < 0 ? r : bridged;
}
