/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/trunk_private.h"

#include <errno.h>
#include <stdio.h> /* libnftnl forgets it */

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/kernel/image.h"

struct sending {
	uint8_t *p;
	size_t n, size;
	uint32_t seq;
	bool failed;
};

static void *room(struct sending *s)
{
	if (s->size - s->n < TRUNK_MESSAGE || s->failed) {
		s->failed = true;
		return s->p; /* what is written there is never sent */
	}
	return s->p + s->n;
}

static void done(struct sending *s, const struct nlmsghdr *h)
{
	s->n += s->failed ? 0 : ((size_t)h->nlmsg_len + 3) / 4 * 4;
}

static struct nlmsghdr *message(struct sending *s, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(room(s), type, NFPROTO_NETDEV, flags, s->seq++);
}

static void put_table(struct sending *s, uint16_t type, uint16_t flags)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h = message(s, type, flags);

	if (t == NULL) {
		s->failed = true;
		return;
	}
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, TABLE_NAME);
	nftnl_table_set_u32(t, NFTNL_TABLE_FAMILY, NFPROTO_NETDEV);
	nftnl_table_nlmsg_build_payload(h, t);
	done(s, h);
	nftnl_table_free(t);
}

static void put_chain(struct sending *s, const char *card)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h = message(s, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	if (c == NULL) {
		s->failed = true;
		return;
	}
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, TABLE_NAME);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, card);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
	nftnl_chain_set_str(c, NFTNL_CHAIN_DEV, card);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, NF_NETDEV_INGRESS);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, TRUNK_PRIORITY);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_DROP);
	nftnl_chain_nlmsg_build_payload(h, c);
	done(s, h);
	nftnl_chain_free(c);
}

static void put_rule(struct sending *s, struct nftnl_rule *r)
{
	struct nlmsghdr *h = message(s, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	if (r == NULL) {
		s->failed = true;
		return;
	}
	nftnl_rule_nlmsg_build_payload(h, r);
	done(s, h);
	nftnl_rule_free(r);
}

/* The end of the batch asks for an acknowledgement; an error comes instead of it, or before it. */
static int send_all(struct netlink *n, const struct sending *s, struct err *e)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int r = 0;

	if (sendto(n->fd, s->p, s->n, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return err_set(e, -errno, "send the gate of the VLANs");
	/* The kernel has worked it off when the call returns: what it has to say is there. */
	for (;;) {
		ssize_t got = recv(n->fd, n->buffer, NETLINK_RECEIVE, MSG_DONTWAIT);
		const struct nlmsghdr *m = (const struct nlmsghdr *)(const void *)n->buffer;
		int left = (int)got;

		if (got < 0)
			break;
		for (; mnl_nlmsg_ok(m, left); m = mnl_nlmsg_next(m, &left))
			if (m->nlmsg_type == NLMSG_ERROR && m->nlmsg_len >= mnl_nlmsg_size(sizeof(struct nlmsgerr)) &&
			    r == 0)
				r = ((const struct nlmsgerr *)mnl_nlmsg_get_payload(m))->error;
	}
	return r < 0 ? err_set(e, r, "the kernel refused the gate of the VLANs") : 0;
}

/* All rules of a chain. */
static void empty_chain(struct sending *s, const char *card)
{
	struct nftnl_rule *r = nftnl_rule_alloc();
	struct nlmsghdr *h = message(s, NFT_MSG_DELRULE, 0);

	if (r == NULL) {
		s->failed = true;
		return;
	}
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, TABLE_NAME);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, card);
	nftnl_rule_nlmsg_build_payload(h, r);
	done(s, h);
	nftnl_rule_free(r);
}

/* Where the chains are right their rules change over at once, and what is allowed before and after is so in between. */
static int replace(struct netlink *n, const struct trunk_vlan *list, size_t count, bool had, bool chains, struct err *e)
{
	struct sending s = { .size = (3 * count + 8) * TRUNK_MESSAGE, .seq = ++n->seq };
	int r;

	s.p = calloc(1, s.size);
	if (s.p == NULL)
		return err_set(e, -ENOMEM, "gate of the VLANs");
	done(&s, nftnl_batch_begin(room(&s), s.seq++));
	if (had && !chains)
		put_table(&s, NFT_MSG_DELTABLE, 0);
	if (count > 0 && !chains)
		put_table(&s, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	for (size_t i = 0; i < count; i++)
		if (trunk_first(list, i))
			(chains ? empty_chain : put_chain)(&s, list[i].card);
	for (size_t i = 0; i < count; i++) {
		put_rule(&s, trunk_rule_tagged(list[i].card, list[i].vlan));
		if (trunk_last(list, count, i))
			put_rule(&s, trunk_rule_rest(list[i].card));
	}
	done(&s, nftnl_batch_end(room(&s), s.seq++));
	n->seq = s.seq;
	r = s.failed ? err_set(e, -ENOMEM, "gate of the VLANs") : send_all(n, &s, e);
	free(s.p);
	return r;
}

static int open_here(struct netlink *n, struct err *e)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), r;

	if (fd < 0)
		return err_set(e, -errno, "netlink socket");
	r = netlink_open(n, fd, e);
	if (r < 0) {
		netlink_close(n);
		close(fd);
	}
	return r;
}

int trunk_gate_set(const struct trunk_vlan *list, size_t n, bool dry, trunk_note *note, void *ctx, struct err *e)
{
	struct gate_text have = { 0 }, wanted = { 0 };
	struct netlink net;
	int r = open_here(&net, e);

	if (r < 0)
		return r;
	r = trunk_look(&net, &have, e);
	trunk_want(list, n, &wanted);
	if (r == 0 && wanted.failed)
		r = err_set(e, -ENOMEM, "gate of the VLANs");
	if (r == 0 && (have.n != wanted.n || (have.n > 0 && memcmp(have.out, wanted.out, have.n) != 0))) {
		/* A card that left took its chain along. */
		if (note != NULL && !(n == 0 && have.n == have.head && !have.chain))
			note(ctx, !have.table ? "missing" : n == 0 ? "extra" : "changed", "table netdev " TABLE_NAME);
		if (!dry)
			r = replace(&net, list, n, have.table,
				    have.head == wanted.head && memcmp(have.out, wanted.out, have.head) == 0, e);
	}
	free(have.out);
	free(wanted.out);
	netlink_close(&net);
	close(net.fd);
	return r;
}

uint64_t trunk_gate_refused(const char *card)
{
	struct gate_text have = { .card = card };
	struct netlink net;
	struct err e;

	if (open_here(&net, &e) < 0)
		return 0;
	if (trunk_look(&net, &have, &e) < 0)
		have.refused = 0;
	free(have.out);
	netlink_close(&net);
	close(net.fd);
	return have.refused;
}
