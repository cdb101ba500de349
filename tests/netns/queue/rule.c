/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adds one rule to a chain: the NFQUEUE target (revision 3) through nft_compat, for kernels without
 * `queue`.
 *   rule TABLE CHAIN QUEUE QUEUES BYPASS(0|1)
 * Runs in the network namespace of its caller; the chain exists (family inet).
 */
#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct nftnl_rule *rule_make(char **arg)
{
	struct xt_NFQ_info_v3 *info = calloc(1, sizeof(*info) + 8);
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct nftnl_expr *e = nftnl_expr_alloc("target");

	if (info == NULL || r == NULL || e == NULL)
		exit(1);
	info->queuenum = (uint16_t)atoi(arg[3]);
	info->queues_total = (uint16_t)atoi(arg[4]);
	info->flags = atoi(arg[5]) != 0 ? NFQ_FLAG_BYPASS : 0;
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, arg[1]);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, arg[2]);
	nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_expr_set_str(e, NFTNL_EXPR_TG_NAME, "NFQUEUE");
	nftnl_expr_set_u32(e, NFTNL_EXPR_TG_REV, 3);
	/* xtables aligns to 8; the expression owns it now */
	nftnl_expr_set(e, NFTNL_EXPR_TG_INFO, info, 8);
	nftnl_rule_add_expr(r, e);
	return r;
}

int main(int argc, char **argv)
{
	struct mnl_socket *s = mnl_socket_open(NETLINK_NETFILTER);
	uint32_t seq = (uint32_t)time(NULL);
	struct mnl_nlmsg_batch *b;
	struct nftnl_rule *r;
	struct nlmsghdr *h;
	char buf[16384];
	ssize_t n;

	if (argc != 6 || s == NULL || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		fprintf(stderr, "usage: rule TABLE CHAIN QUEUE QUEUES BYPASS\n");
		return 2;
	}
	b = mnl_nlmsg_batch_start(buf, sizeof(buf) / 2);
	nftnl_batch_begin(mnl_nlmsg_batch_current(b), seq);
	mnl_nlmsg_batch_next(b);
	h = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(b), NFT_MSG_NEWRULE, NFPROTO_INET,
				  NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, seq + 1);
	r = rule_make(argv);
	nftnl_rule_nlmsg_build_payload(h, r);
	nftnl_rule_free(r);
	mnl_nlmsg_batch_next(b);
	nftnl_batch_end(mnl_nlmsg_batch_current(b), seq + 2);
	mnl_nlmsg_batch_next(b);
	if (mnl_socket_sendto(s, mnl_nlmsg_batch_head(b), mnl_nlmsg_batch_size(b)) < 0) {
		perror("send");
		return 1;
	}
	n = mnl_socket_recvfrom(s, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, (size_t)n, seq + 1, mnl_socket_get_portid(s), NULL, NULL) < 0) {
		perror("rule");
		return 1;
	}
	mnl_nlmsg_batch_stop(b);
	mnl_socket_close(s);
	return 0;
}
