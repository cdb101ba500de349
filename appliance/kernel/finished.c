/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/finished.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_CHECKSUM.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>

#include "appliance/kernel/expr.h"
#include "appliance/wire/mark.h"
#include "appliance/wire/once.h"

#define CHAIN "forward"
#define INFO_BYTES 8u /* xtables aligns its data to 8 bytes */
#define SYN 0x02u     /* TCP's flags */
#define ACK 0x10u

static bool checksum(struct build *b)
{
	struct nftnl_expr *x = nftnl_expr_alloc("target");
	struct xt_CHECKSUM_info *info = calloc(1, INFO_BYTES); /* libnftnl takes it over */

	if (x == NULL || info == NULL) {
		free(info);
		if (x != NULL)
			nftnl_expr_free(x);
		return false;
	}
	info->operation = XT_CHECKSUM_OP_FILL;
	nftnl_expr_set_str(x, NFTNL_EXPR_TG_NAME, "CHECKSUM");
	nftnl_expr_set_u32(x, NFTNL_EXPR_TG_REV, 0);
	nftnl_expr_set(x, NFTNL_EXPR_TG_INFO, info, INFO_BYTES);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it belongs to the expression now */
	nftnl_rule_add_expr(b->rule, x);
	return true;
}

/*
 * Sets the bit ONCE_FINISHED and writes the checksum, whose target ends the rule. It matches TCP
 * packets of sessions with a lane, except confirmed ones, which no worker inspects any more. With
 * `anew` it matches packets without a session mark: their session begins, and has no lane yet.
 *
 * A SYN on the ports of a tracked session is not finished, so it is queued behind that session's
 * waiting packets. If the SYN overtook them, a verdict on these packets, such as a confirmation,
 * would apply to the new session.
 */
static struct nftnl_rule *rule_finishes(bool anew)
{
	struct build b = { .rule = plain_rule(NFPROTO_IPV4, CHAIN) };

	if (b.rule == NULL)
		return NULL;
	nftnl_rule_set_str(b.rule, NFTNL_RULE_TABLE, FINISHED_TABLE);
	expr_meta(&b, NFT_META_L4PROTO, 0);
	expr_cmp8(&b, NFT_CMP_EQ, IPPROTO_TCP);
	expr_ct(&b, NFT_CT_MARK, 0);
	if (anew) {
		expr_cmp32(&b, NFT_CMP_EQ, 0);
	} else {
		expr_bits32(&b, 0, MARK_LANE_MASK, 0);
		expr_cmp32(&b, NFT_CMP_NEQ, 0);
		expr_ct(&b, NFT_CT_MARK, 0);
		expr_bits32(&b, 0, MARK_OUTCOME_MASK, 0);
		expr_cmp32(&b, NFT_CMP_NEQ, (uint32_t)MARK_CONFIRMED << MARK_OUTCOME_SHIFT);
		expr_payload(&b, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, 0);
		expr_bits8(&b, SYN | ACK);
		expr_cmp8(&b, NFT_CMP_NEQ, SYN);
	}
	expr_meta(&b, NFT_META_PRIORITY, 0);
	expr_bits32(&b, 0, ~ONCE_FINISHED, ONCE_FINISHED);
	expr_meta_set(&b, NFT_META_PRIORITY, 0);
	if (checksum(&b) && !b.bad)
		return b.rule;
	nftnl_rule_free(b.rule);
	return NULL;
}

int finished_set(bool wanted, bool dry, plain_note *note, void *ctx, struct err *e)
{
	const struct plain_chain chain = {
		.name = CHAIN, .hook = NF_INET_FORWARD, .priority = NF_IP_PRI_MANGLE, .accepts = true
	};
	struct nftnl_rule *rules[2];
	struct plain_table t = { .family = NFPROTO_IPV4,
				 .what = "the writer of checksums",
				 .name = FINISHED_TABLE,
				 .chains = &chain,
				 .n_chains = wanted,
				 .rules = rules };
	int r;

	for (unsigned anew = 0; wanted && anew < 2; anew++)
		rules[t.n_rules++] = rule_finishes(anew != 0);
	r = plain_table_set(&t, dry, note, ctx, e);
	plain_rules_free(&t);
	return r;
}
