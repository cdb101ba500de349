/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/plain_table_private.h"

#include <errno.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/kernel/dump.h"
#include "appliance/kernel/image.h"

struct sending {
	uint8_t *p;
	size_t n, size;
	uint32_t seq;
	uint8_t family;
	const char *table;
	bool failed;
};

static void *room(struct sending *s)
{
	if (s->size - s->n < PLAIN_MESSAGE || s->failed) {
		s->failed = true;
		return s->p; /* out of memory: the buffer is never sent */
	}
	return s->p + s->n;
}

static void done(struct sending *s, const struct nlmsghdr *h)
{
	s->n += s->failed ? 0 : ((size_t)h->nlmsg_len + 3) / 4 * 4;
}

static struct nlmsghdr *message(struct sending *s, uint16_t type, uint16_t flags)
{
	return nftnl_nlmsg_build_hdr(room(s), type, s->family, flags, s->seq++);
}

static void put_table(struct sending *s, uint16_t type, uint16_t flags)
{
	struct nftnl_table *t = nftnl_table_alloc();
	struct nlmsghdr *h = message(s, type, flags);

	if (t == NULL) {
		s->failed = true;
		return;
	}
	nftnl_table_set_str(t, NFTNL_TABLE_NAME, s->table);
	nftnl_table_set_u32(t, NFTNL_TABLE_FAMILY, s->family);
	nftnl_table_nlmsg_build_payload(h, t);
	done(s, h);
	nftnl_table_free(t);
}

static void put_chain(struct sending *s, const struct plain_chain *x)
{
	struct nftnl_chain *c = nftnl_chain_alloc();
	struct nlmsghdr *h = message(s, NFT_MSG_NEWCHAIN, NLM_F_CREATE);

	if (c == NULL) {
		s->failed = true;
		return;
	}
	nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, s->table);
	nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, x->name);
	nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, "filter");
	if (x->device != NULL)
		nftnl_chain_set_str(c, NFTNL_CHAIN_DEV, x->device);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, x->hook);
	nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, x->priority);
	nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, x->accepts ? NF_ACCEPT : NF_DROP);
	nftnl_chain_nlmsg_build_payload(h, c);
	done(s, h);
	nftnl_chain_free(c);
}

static void put_rule(struct sending *s, struct nftnl_rule *r)
{
	struct nlmsghdr *h = message(s, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);

	nftnl_rule_nlmsg_build_payload(h, r);
	done(s, h);
}

/* Sends the batch and reads the answers. The last message of the batch asks for an acknowledgement.
 * An error comes before this acknowledgement, or in its place. */
static int send_all(struct netlink *n, const struct sending *s, const char *what, struct err *e)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int r = 0;

	if (sendto(n->fd, s->p, s->n, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return err_set(e, -errno, "send %s", what);
	/* The kernel has processed the batch when sendto returns, so its answers can be read. */
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
	return r < 0 ? err_set(e, r, "the kernel refused %s", what) : 0;
}

/* Deletes all rules of a chain. */
static void empty_chain(struct sending *s, const struct plain_chain *x)
{
	struct nftnl_rule *r = plain_rule(s->family, x->name);
	struct nlmsghdr *h = message(s, NFT_MSG_DELRULE, 0);

	if (r == NULL) {
		s->failed = true;
		return;
	}
	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, s->table);
	nftnl_rule_nlmsg_build_payload(h, r);
	done(s, h);
	nftnl_rule_free(r);
}

/* Replaces the table in one batch. If its chains are right, only the rules are replaced, so that
 * packets which are allowed before and after the change are allowed during it. */
static int replace(struct netlink *n, const struct plain_table *t, bool had, bool chains, struct err *e)
{
	struct sending s = { .size = (t->n_rules + t->n_chains + 8) * PLAIN_MESSAGE,
			     .seq = ++n->seq,
			     .family = t->family,
			     .table = t->name != NULL ? t->name : TABLE_NAME };
	int r;

	s.p = calloc(1, s.size);
	if (s.p == NULL)
		return err_set(e, -ENOMEM, "%s", t->what);
	done(&s, nftnl_batch_begin(room(&s), s.seq++));
	if (had && !chains)
		put_table(&s, NFT_MSG_DELTABLE, 0);
	if (t->n_chains > 0 && !chains)
		put_table(&s, NFT_MSG_NEWTABLE, NLM_F_CREATE);
	for (size_t i = 0; i < t->n_chains; i++)
		(chains ? empty_chain : put_chain)(&s, &t->chains[i]);
	for (size_t i = 0; i < t->n_rules; i++)
		put_rule(&s, t->rules[i]);
	done(&s, nftnl_batch_end(room(&s), s.seq++));
	n->seq = s.seq;
	r = s.failed ? err_set(e, -ENOMEM, "%s", t->what) : send_all(n, &s, t->what, e);
	free(s.p);
	return r;
}

int plain_table_set(const struct plain_table *t, bool dry, plain_note *note, void *ctx, struct err *e)
{
	const char *name = t->name != NULL ? t->name : TABLE_NAME;
	struct table_text have = { .family = t->family, .name = name }, wanted = have;
	struct netlink net;
	int r = netlink_open_here(&net, e);

	if (r < 0)
		return r;
	r = plain_text_look(&net, &have, e);
	plain_text_want(t, &wanted);
	if (r == 0 && wanted.failed)
		r = err_set(e, -ENOMEM, "%s", t->what);
	if (r == 0 && (have.n != wanted.n || (have.n > 0 && memcmp(have.out, wanted.out, have.n) != 0))) {
		char detail[40];

		snprintf(detail, sizeof(detail), "table %s %.16s", dump_family(t->family), name);

		/* No note if only the chain is missing because its card was removed. */
		if (note != NULL && !(t->n_chains == 0 && have.n == have.head && !have.chain))
			note(ctx, !have.table ? "missing" : t->n_chains == 0 ? "extra" : "changed", detail);
		if (!dry)
			r = replace(&net, t, have.table,
				    have.head == wanted.head && memcmp(have.out, wanted.out, have.head) == 0, e);
	}
	free(have.out);
	free(have.counts);
	free(wanted.out);
	free(wanted.counts);
	netlink_close_here(&net);
	return r;
}

/* Calls `each` for each line "rule CHAIN TEXT". */
static void tell(struct table_text *t, plain_each *each, void *ctx)
{
	char *at = t->out + t->head;

	for (size_t i = 0; i < t->n_counts; i++) {
		char *end = strchr(at, '\n'), *chain = strchr(at, ' '),
		     *text = chain != NULL ? strchr(chain + 1, ' ') : NULL;

		if (end == NULL || text == NULL || text > end)
			return;
		*end = *text = '\0';
		each(ctx, chain + 1, text + 1, t->counts[i].packets, t->counts[i].bytes);
		at = end + 1;
	}
}

int plain_table_read(uint8_t family, plain_each *each, void *ctx, bool *ret_there, struct err *e)
{
	struct table_text have = { .family = family, .name = TABLE_NAME };
	struct netlink net;
	int r = netlink_open_here(&net, e);

	if (r < 0)
		return r;
	r = plain_text_look(&net, &have, e);
	*ret_there = r == 0 && have.table;
	if (*ret_there)
		tell(&have, each, ctx);
	free(have.out);
	free(have.counts);
	netlink_close_here(&net);
	return r;
}

struct others {
	uint8_t family;
	void (*each)(void *ctx, const char *what);
	void *ctx;
};

static int other(const struct nlmsghdr *m, void *ctx)
{
	const struct others *o = ctx;
	struct nftnl_table *x = nftnl_table_alloc();

	if (x == NULL || nftnl_table_nlmsg_parse(m, x) < 0) {
		o->each(o->ctx, "table ?");
	} else if (nftnl_table_get_u32(x, NFTNL_TABLE_FAMILY) != o->family ||
		   strcmp(nftnl_table_get_str(x, NFTNL_TABLE_NAME), TABLE_NAME) != 0) {
		char what[160];

		snprintf(what, sizeof(what), "table %s %.128s", dump_family(nftnl_table_get_u32(x, NFTNL_TABLE_FAMILY)),
			 nftnl_table_get_str(x, NFTNL_TABLE_NAME));
		o->each(o->ctx, what);
	}
	if (x != NULL)
		nftnl_table_free(x);
	return 0;
}

int plain_table_others(uint8_t family, void (*each)(void *ctx, const char *what), void *ctx, struct err *e)
{
	struct others o = { .family = family, .each = each, .ctx = ctx };
	_Alignas(8) uint8_t buf[PLAIN_MESSAGE];
	struct netlink net;
	int r = netlink_open_here(&net, e);

	if (r < 0)
		return r;
	r = netlink_ask(&net,
			netlink_request(&net, buf, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE), NLM_F_DUMP,
					NFPROTO_UNSPEC),
			other, &o, e);
	netlink_close_here(&net);
	return r;
}
