/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends a batch. The messages get the socket's next sequence numbers, and only the last asks for an
 * acknowledgement. The kernel processes a batch inside sendmsg, so all its answers are in the
 * receive queue when sendmsg returns.
 */
#include "appliance/kernel/batch_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include "appliance/kernel/expr.h"
#include "appliance/wire/lane.h"

#define PROBE_TABLE "sekisho_probe"

static void refusal(const struct batch *b, uint32_t index, int code, struct err *e, uint32_t *ret_line)
{
	const struct note *t = index < b->n ? &b->notes[index] : NULL;
	char name[16];

	*ret_line = t != NULL ? t->line : 0;
	if (t == NULL || index == 0) {
		err_set(e, code, "the kernel refused the transaction");
		return;
	}
	switch (t->type) {
	case NFT_MSG_NEWSETELEM:
		err_set(e, code, "the kernel refused an element of `%s`", set_spec(t->object)->name);
		break;
	case NFT_MSG_DELSETELEM:
		err_set(e, code, "the kernel refused to remove an element of `%s`", set_spec(t->object)->name);
		break;
	case NFT_MSG_NEWSET:
		err_set(e, code, "the kernel refused set `%s`", set_spec(t->object)->name);
		break;
	case NFT_MSG_NEWCHAIN:
		err_set(e, code, "the kernel refused chain `%s`", ir_chain_name((enum ir_chain)t->object, name));
		break;
	case NFT_MSG_NEWRULE:
		err_set(e, code,
			code == -ENOENT ? "the kernel refused a rule (is one of its modules missing?)"
					: "the kernel refused a rule");
		break;
	default:
		err_set(e, code, "the kernel refused message %u of the transaction (type %u)", index, t->type);
	}
}

static int send_batch(const struct batch *b, struct netlink *n, struct err *e)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec iov = { .iov_base = b->p, .iov_len = b->len };
	struct msghdr m = { .msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = &iov, .msg_iovlen = 1 };
	int size = b->len > (1u << 30) ? 1 << 30 : (int)b->len + 65536;
	ssize_t r;

	if (setsockopt(n->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		return err_set(e, -errno, "send buffer of %d bytes", size);
	do
		r = sendmsg(n->fd, &m, 0);
	while (r < 0 && errno == EINTR);
	return r < 0 ? err_set(e, -errno, "send a transaction of %zu bytes", b->len) : 0;
}

/* Reads the kernel's answers. 0 = the message `last` was acknowledged and none refused. */
static int replies(const struct batch *b, struct netlink *n, uint32_t first, uint32_t last, struct err *e,
		   uint32_t *ret_line)
{
	bool acknowledged = false;
	int code = 0;

	for (;;) {
		ssize_t got = recv(n->fd, n->buffer, NETLINK_RECEIVE, MSG_DONTWAIT);
		const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)n->buffer;
		int left;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (got < 0)
			return err_set(e, -errno, "answer to a transaction");
		for (left = (int)got; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left)) {
			const struct nlmsgerr *x = mnl_nlmsg_get_payload(m);

			if (m->nlmsg_type != NLMSG_ERROR || m->nlmsg_len < mnl_nlmsg_size(sizeof(*x)) ||
			    m->nlmsg_seq - first > last - first)
				continue;
			if (x->error == 0) {
				acknowledged |= m->nlmsg_seq == last;
			} else if (code == 0) {
				code = x->error;
				refusal(b, m->nlmsg_seq - first, code, e, ret_line);
			}
		}
	}
	if (code == 0 && !acknowledged)
		return err_set(e, -EPROTO, "the kernel did not acknowledge the transaction");
	return code;
}

/* Numbers the messages from the socket's next sequence number and asks for one acknowledgement. */
static void number(struct batch *b, uint32_t first)
{
	size_t at = 0;

	for (uint32_t i = 0; i < b->n; i++) {
		struct nlmsghdr *h = (struct nlmsghdr *)(void *)(b->p + at);

		h->nlmsg_seq = first + i;
		if (i + 1 == b->n)
			h->nlmsg_flags |= NLM_F_ACK;
		at += batch_aligned(h->nlmsg_len);
	}
}

int batch_commit(struct batch *b, struct netlink *n, struct err *e, uint32_t *ret_line)
{
	uint32_t first = n->seq + 1, last, count = b->n;
	struct nlmsghdr *end;
	void *p;
	int r;

	*ret_line = 0;
	if (count <= 1 && !b->failed)
		return 0;
	p = batch_slot(b, NFNL_MSG_BATCH_END, 0, 0);
	if (p == NULL)
		return err_set(e, -ENOMEM, "transaction");
	number(b, first);
	end = nftnl_batch_end(p, first + count);
	batch_done(b, end);
	last = first + count - 1;
	n->seq = first + count;
	r = send_batch(b, n, e);
	return r < 0 ? r : replies(b, n, first, last, e, ret_line);
}

int batch_try(struct batch *b, struct netlink *n, struct err *e, uint32_t *ret_line)
{
	uint32_t first = n->seq + 1;
	int r;

	*ret_line = 0;
	if (b->failed)
		return err_set(e, -ENOMEM, "transaction");
	if (b->n <= 1)
		return 0;
	number(b, first);
	n->seq = first + b->n;
	r = send_batch(b, n, e);
	return r < 0 ? r : replies(b, n, first, first + b->n - 1, e, ret_line);
}

/* Whether the kernel accepts a rule with this expression. Frees the expression. */
static bool takes(struct netlink *n, struct nftnl_expr *x)
{
	struct batch *b = batch_new(0);
	struct nftnl_rule *r = nftnl_rule_alloc();
	bool taken = false;
	struct err e;
	uint32_t line;

	if (b != NULL && r != NULL && x != NULL) {
		batch_any_table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, PROBE_TABLE, false);
		batch_any_chain(b, NFT_MSG_NEWCHAIN, NLM_F_CREATE, PROBE_TABLE, "probe", CHAIN_COUNT);
		nftnl_rule_set_u32(r, NFTNL_RULE_FAMILY, NFPROTO_INET);
		nftnl_rule_set_str(r, NFTNL_RULE_TABLE, PROBE_TABLE);
		nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, "probe");
		nftnl_rule_add_expr(r, x);
		x = NULL;
		batch_rule(b, r, 0);
		taken = batch_try(b, n, &e, &line) == 0;
	}
	if (x != NULL)
		nftnl_expr_free(x);
	if (r != NULL)
		nftnl_rule_free(r);
	batch_free(b);
	return taken;
}

bool batch_owns(struct netlink *n)
{
	struct batch *b = batch_new(0);
	uint32_t line;
	struct err e;
	bool taken = false;

	if (b != NULL) {
		batch_any_table(b, NFT_MSG_NEWTABLE, NLM_F_CREATE, PROBE_TABLE, true);
		taken = batch_try(b, n, &e, &line) == 0;
	}
	batch_free(b);
	return taken;
}

static int on_match(const struct nlmsghdr *m, void *ctx)
{
	(void)m;
	(void)ctx;
	return 0;
}

/* Makes the kernel load the module of the match bpf. A rule of an inet table would not: for this
 * family xtables knows no name of the module. If this fails, the probe finds that the match is
 * missing. */
static void load_match(struct netlink *n)
{
	_Alignas(8) uint8_t buf[4096];
	struct nlmsghdr *h = netlink_request(n, buf, NFNL_SUBSYS_NFT_COMPAT << 8 | NFNL_MSG_COMPAT_GET, 0, AF_INET);
	struct err e;

	mnl_attr_put_strz(h, NFTA_COMPAT_NAME, "bpf");
	mnl_attr_put_u32(h, NFTA_COMPAT_REV, htonl(1));
	mnl_attr_put_u32(h, NFTA_COMPAT_TYPE, htonl(0)); /* a match */
	netlink_ask(n, h, on_match, NULL, &e);
}

unsigned batch_probe(struct netlink *n)
{
	struct nftnl_expr *queue = nftnl_expr_alloc("queue"), *strip = nftnl_expr_alloc("exthdr");
	unsigned lacks = LACKS_NOTHING;

	if (queue != NULL) {
		nftnl_expr_set_u16(queue, NFTNL_EXPR_QUEUE_NUM, QUEUE_BASE);
		nftnl_expr_set_u16(queue, NFTNL_EXPR_QUEUE_TOTAL, 1);
		nftnl_expr_set_u16(queue, NFTNL_EXPR_QUEUE_FLAGS, 0);
	}
	if (strip != NULL) {
		nftnl_expr_set_u32(strip, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_TCPOPT);
		nftnl_expr_set_u8(strip, NFTNL_EXPR_EXTHDR_TYPE, 30);
	}
	load_match(n);
	if (!takes(n, expr_once_new(LANE_COMMANDS)))
		lacks |= LACKS_ONCE;
	if (!takes(n, queue))
		lacks |= LACKS_QUEUE;
	if (!takes(n, strip))
		lacks |= LACKS_STRIP;
	if (!batch_owns(n))
		lacks |= LACKS_OWNER;
	return lacks;
}
