/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The upper limit for any program with a queue: one libmnl process that accepts everything. It
 * receives many packets at once, leaves offloaded frames whole (GSO flag), and sends one verdict
 * message for all packets of a receive.
 *
 *   accept_loop [--rule] [--each] | accept_loop --rule-only
 *
 * Binds queue 0 of its network namespace. --rule first adds a table whose forward chain queues
 * everything in both directions. --rule-only adds it and ends, for another program that reads the
 * queue. --each puts one verdict message for each packet into a send, as a program must that
 * decides packets differently. Runs until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netfilter/xt_NFQUEUE.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define QUEUE 0
#define MAXLEN 4096
#define BATCH 32
#define BUFFER (0xffff + 4096 + 64)
#define TABLE "accept_loop"
#define INFO_BYTES 8 /* xt_NFQ_info_v3, as aligned by x_tables */

static void die(const char *what)
{
	fprintf(stderr, "accept_loop: %s: %s\n", what, strerror(errno));
	exit(3);
}

/* ---- the rule -------------------------------------------------------------------------------- */

static void put_table(struct mnl_nlmsg_batch *b, uint32_t seq)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h =
		nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(b), NFT_MSG_NEWTABLE, NFPROTO_INET, NLM_F_CREATE, seq);

	nftnl_table_set_str(t, NFTNL_TABLE_NAME, TABLE);
	nftnl_table_nlmsg_build_payload(h, t);
	nftnl_table_free(t);
	mnl_nlmsg_batch_next(b);
}

static void put_chain(struct mnl_nlmsg_batch *b, uint32_t seq)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h =
		nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(b), NFT_MSG_NEWCHAIN, NFPROTO_INET, NLM_F_CREATE, seq);

	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, TABLE);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, "forward");
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, NF_INET_FORWARD);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, 0);
	nftnl_chain_nlmsg_build_payload(h, c);
	nftnl_chain_free(c);
	mnl_nlmsg_batch_next(b);
}

static void put_rule(struct mnl_nlmsg_batch *b, uint32_t seq)
{
	struct nlmsghdr *h = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(b), NFT_MSG_NEWRULE, NFPROTO_INET,
						   NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, seq);
	struct xt_NFQ_info_v3 *info = calloc(1, sizeof(*info) + INFO_BYTES);
	struct nftnl_expr *e = nftnl_expr_alloc("target");
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (info == NULL || e == NULL || r == NULL)
		die("memory");
	info->queuenum = QUEUE;
	info->queues_total = 1;
	nftnl_expr_set_str(e, NFTNL_EXPR_TG_NAME, "NFQUEUE");
	nftnl_expr_set_u32(e, NFTNL_EXPR_TG_REV, 3);
	nftnl_expr_set(e, NFTNL_EXPR_TG_INFO, info, INFO_BYTES); /* the expression owns it now */
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, TABLE);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, "forward");
	nftnl_rule_add_expr(r, e);
	nftnl_rule_nlmsg_build_payload(h, r);
	nftnl_rule_free(r);
	mnl_nlmsg_batch_next(b);
}

static void add_rule(void)
{
	struct mnl_socket *s = mnl_socket_open(NETLINK_NETFILTER);
	uint32_t seq = (uint32_t)time(NULL);
	struct mnl_nlmsg_batch *b;
	static char buf[16384];
	ssize_t n;

	if (s == NULL || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		die("netlink");
	b = mnl_nlmsg_batch_start(buf, sizeof(buf) / 2);
	nftnl_batch_begin(mnl_nlmsg_batch_current(b), seq);
	mnl_nlmsg_batch_next(b);
	put_table(b, seq + 1);
	put_chain(b, seq + 2);
	put_rule(b, seq + 3);
	nftnl_batch_end(mnl_nlmsg_batch_current(b), seq + 4);
	mnl_nlmsg_batch_next(b);
	if (mnl_socket_sendto(s, mnl_nlmsg_batch_head(b), mnl_nlmsg_batch_size(b)) < 0)
		die("rule");
	n = mnl_socket_recvfrom(s, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(s), NULL, NULL) < 0)
		die("rule");
	mnl_socket_close(s);
}

/* ---- the queue ------------------------------------------------------------------------------- */

static struct nlmsghdr *put_head(void *at, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));

	h->nlmsg_type = (uint16_t)((NFNL_SUBSYS_QUEUE << 8) | type);
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	g->res_id = htons(QUEUE);
	return h;
}

static struct mnl_socket *open_queue(void)
{
	struct mnl_socket *s = mnl_socket_open(NETLINK_NETFILTER);
	struct nfqnl_msg_config_cmd cmd = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params params = { .copy_range = htonl(0xffff), .copy_mode = NFQNL_COPY_PACKET };
	int one = 1, size = 32 << 20;
	static char buf[BUFFER];
	struct nlmsghdr *h;
	ssize_t n;

	if (s == NULL || mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0)
		die("netlink");
	h = put_head(buf, NFQNL_MSG_CONFIG, NLM_F_ACK);
	mnl_attr_put(h, NFQA_CFG_CMD, sizeof(cmd), &cmd);
	mnl_attr_put(h, NFQA_CFG_PARAMS, sizeof(params), &params);
	mnl_attr_put_u32(h, NFQA_CFG_QUEUE_MAXLEN, htonl(MAXLEN));
	mnl_attr_put_u32(h, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO));
	mnl_attr_put_u32(h, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO));
	if (mnl_socket_sendto(s, h, h->nlmsg_len) < 0)
		die("bind the queue");
	n = mnl_socket_recvfrom(s, buf, sizeof(buf));
	if (n < 0 || mnl_cb_run(buf, (size_t)n, 0, mnl_socket_get_portid(s), NULL, NULL) < 0)
		die("bind the queue");
	setsockopt(mnl_socket_get_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	mnl_socket_setsockopt(s, NETLINK_NO_ENOBUFS, &one, sizeof(one));
	return s;
}

/* The packet id in network order; false for anything that is no packet. */
static bool packet_id(const struct nlmsghdr *h, uint32_t *ret)
{
	const struct nlattr *a;

	if (h->nlmsg_type != ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET))
		return false;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == NFQA_PACKET_HDR) {
			*ret = ((const struct nfqnl_msg_packet_hdr *)mnl_attr_get_payload(a))->packet_id;
			return true;
		}
	return false;
}

static size_t put_verdict(char *at, uint16_t type, uint32_t id)
{
	struct nlmsghdr *h = put_head(at, type, 0);
	struct nfqnl_msg_verdict_hdr v = { .verdict = htonl(NF_ACCEPT), .id = id };

	mnl_attr_put(h, NFQA_VERDICT_HDR, sizeof(v), &v);
	return MNL_ALIGN(h->nlmsg_len);
}

static void loop(struct mnl_socket *s, bool each)
{
	static char memory[BATCH][BUFFER], out[BATCH * 64];
	struct mmsghdr heads[BATCH] = { 0 };
	struct iovec iov[BATCH];
	int fd = mnl_socket_get_fd(s);

	for (int i = 0; i < BATCH; i++) {
		iov[i] = (struct iovec){ .iov_base = memory[i], .iov_len = BUFFER };
		heads[i].msg_hdr = (struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	for (;;) {
		int n = recvmmsg(fd, heads, BATCH, MSG_WAITFORONE, NULL);
		uint32_t id = 0;
		size_t len = 0;
		bool any = false;

		if (n < 0 && errno != EINTR)
			die("receive");
		for (int i = 0; i < n; i++)
			if (packet_id((const struct nlmsghdr *)memory[i], &id)) {
				any = true;
				if (each)
					len += put_verdict(out + len, NFQNL_MSG_VERDICT, id);
			}
		if (any && !each)
			len = put_verdict(out, NFQNL_MSG_VERDICT_BATCH, id);
		if (len > 0 && send(fd, out, len, 0) < 0)
			die("verdict");
	}
}

int main(int argc, char **argv)
{
	bool rule = false, only = false, each = false;

	for (int i = 1; i < argc; i++) {
		only |= strcmp(argv[i], "--rule-only") == 0;
		rule |= only || strcmp(argv[i], "--rule") == 0;
		each |= strcmp(argv[i], "--each") == 0;
	}
	if (rule)
		add_rule();
	if (only)
		return 0;
	loop(open_queue(), each);
	return 0;
}
