/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/plain_table.h"

#include <errno.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/kernel/rule.h"

#define RULE_MOST 1536u /* bytes of a rule's text */
#define LINE_MOST 4096u /* bytes of a line of text */

struct plain_count {
	uint64_t packets, bytes;
};

/* A table as text: the table, its chains in order, and their rules. Tables are equal if their texts
 * are equal. */
struct table_text {
	uint8_t family;
	const char *name;
	char *out; /* owned */
	size_t n, size;
	size_t head;		    /* bytes of `out` for the table and its chains */
	bool failed;		    /* memory was out */
	bool table, chain;	    /* whether `out` has a table, and a chain in it */
	struct plain_count *counts; /* of each rule, in the order of the rules; owned */
	size_t n_counts, room_counts;
};

void plain_rules_free(struct plain_table *t)
{
	for (size_t i = 0; i < t->n_rules; i++)
		if (t->rules[i] != NULL)
			nftnl_rule_free(t->rules[i]);
	t->n_rules = 0;
}

/* ---- as text --------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void add(struct table_text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->size - t->n < LINE_MOST) {
		size_t size = t->size * 2 + 4 * LINE_MOST;
		char *out = realloc(t->out, size);

		t->failed = t->failed || out == NULL;
		if (out == NULL)
			return;
		t->out = out;
		t->size = size;
	}
	va_start(ap, fmt);
	n = vsnprintf(t->out + t->n, t->size - t->n, fmt, ap);
	va_end(ap);
	t->failed = t->failed || n < 0 || (size_t)n >= t->size - t->n;
	t->n += t->failed ? 0 : (size_t)n;
}

/* Removes the counter values, which are not part of the rule. */
static struct plain_count uncount(struct nftnl_rule *r)
{
	struct nftnl_expr_iter *it = nftnl_expr_iter_create(r);
	struct plain_count ret = { 0 };
	struct nftnl_expr *x;

	while (it != NULL && (x = nftnl_expr_iter_next(it)) != NULL) {
		if (strcmp(nftnl_expr_get_str(x, NFTNL_EXPR_NAME), "counter") != 0)
			continue;
		ret.packets += nftnl_expr_get_u64(x, NFTNL_EXPR_CTR_PACKETS);
		ret.bytes += nftnl_expr_get_u64(x, NFTNL_EXPR_CTR_BYTES);
		nftnl_expr_set_u64(x, NFTNL_EXPR_CTR_PACKETS, 0);
		nftnl_expr_set_u64(x, NFTNL_EXPR_CTR_BYTES, 0);
	}
	if (it != NULL)
		nftnl_expr_iter_destroy(it);
	return ret;
}

static void add_rule(struct table_text *t, struct nftnl_rule *r)
{
	char text[RULE_MOST];

	if (r != NULL && t->n_counts == t->room_counts) {
		size_t room = t->room_counts * 2 + 16;
		struct plain_count *counts = realloc(t->counts, room * sizeof(*counts));

		if (counts != NULL) {
			t->counts = counts;
			t->room_counts = room;
		}
	}
	if (r == NULL || t->n_counts == t->room_counts) {
		t->failed = true;
		return;
	}
	t->counts[t->n_counts++] = uncount(r);
	add(t, "rule %s %s\n", nftnl_rule_get_str(r, NFTNL_RULE_CHAIN), rule_text(r, text, sizeof(text)) ? text : "?");
}

static void add_chain(struct table_text *t, const char *name, const char *device, uint32_t hook, int32_t priority,
		      uint32_t policy)
{
	add(t, "chain %s device %s hook %u priority %d policy %u\n", name, device != NULL ? device : "none", hook,
	    priority, policy);
}

static bool is_ours(const struct table_text *t, uint32_t family, const char *table)
{
	return family == t->family && table != NULL && strcmp(table, t->name) == 0;
}

static int on_table(const struct nlmsghdr *m, void *ctx)
{
	struct table_text *t = ctx;
	struct nftnl_table *x = nftnl_table_alloc();

	if (x == NULL || nftnl_table_nlmsg_parse(m, x) < 0)
		t->failed = true;
	else if (is_ours(t, nftnl_table_get_u32(x, NFTNL_TABLE_FAMILY), nftnl_table_get_str(x, NFTNL_TABLE_NAME))) {
		t->table = true;
		add(t, "table %u\n", nftnl_table_get_u32(x, NFTNL_TABLE_FLAGS));
	}
	if (x != NULL)
		nftnl_table_free(x);
	return 0;
}

static int on_chain(const struct nlmsghdr *m, void *ctx)
{
	struct table_text *t = ctx;
	struct nftnl_chain *x = nftnl_chain_alloc();

	if (x == NULL || nftnl_chain_nlmsg_parse(m, x) < 0) {
		t->failed = true;
	} else if (is_ours(t, nftnl_chain_get_u32(x, NFTNL_CHAIN_FAMILY), nftnl_chain_get_str(x, NFTNL_CHAIN_TABLE))) {
		bool base = nftnl_chain_is_set(x, NFTNL_CHAIN_HOOKNUM);

		t->chain = true;
		add_chain(t, nftnl_chain_get_str(x, NFTNL_CHAIN_NAME), nftnl_chain_get_str(x, NFTNL_CHAIN_DEV),
			  base ? nftnl_chain_get_u32(x, NFTNL_CHAIN_HOOKNUM) : UINT32_MAX,
			  base ? nftnl_chain_get_s32(x, NFTNL_CHAIN_PRIO) : 0,
			  base ? nftnl_chain_get_u32(x, NFTNL_CHAIN_POLICY) : UINT32_MAX);
	}
	if (x != NULL)
		nftnl_chain_free(x);
	return 0;
}

static int on_rule(const struct nlmsghdr *m, void *ctx)
{
	struct table_text *t = ctx;
	struct nftnl_rule *r = nftnl_rule_alloc();

	if (r == NULL || nftnl_rule_nlmsg_parse(m, r) < 0)
		t->failed = true;
	else if (is_ours(t, nftnl_rule_get_u32(r, NFTNL_RULE_FAMILY), nftnl_rule_get_str(r, NFTNL_RULE_TABLE)))
		add_rule(t, r);
	if (r != NULL)
		nftnl_rule_free(r);
	return 0;
}

/* Writes the table in the socket's namespace as text. */
static int write_table(struct netlink *n, struct table_text *t, struct err *e)
{
	static const struct {
		uint16_t type;
		netlink_each *each;
	} lists[] = { { NFT_MSG_GETTABLE, on_table }, { NFT_MSG_GETCHAIN, on_chain }, { NFT_MSG_GETRULE, on_rule } };
	int r = -EINTR;

	for (int attempt = 0; attempt < 5 && (r == -EINTR || r == -ENOBUFS); attempt++) {
		r = 0;
		t->n = t->n_counts = 0;
		t->table = t->chain = false;
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && r == 0; i++) {
			t->head = t->n;
			r = netlink_list(n, lists[i].type, t->family, NULL, NULL, lists[i].each, t, e);
		}
	}
	return r == 0 && t->failed ? err_set(e, -ENOMEM, "read back a table") : r;
}

static void wanted_text(const struct plain_table *want, struct table_text *t)
{
	if (want->n_chains > 0)
		add(t, "table 0\n");
	for (size_t i = 0; i < want->n_chains; i++)
		add_chain(t, want->chains[i].name, want->chains[i].device, want->chains[i].hook,
			  want->chains[i].priority, want->chains[i].accepts ? NF_ACCEPT : NF_DROP);
	t->head = t->n;
	for (size_t i = 0; i < want->n_rules; i++)
		add_rule(t, want->rules[i]);
}

/* ---- setting and reading --------------------------------------------------------------------- */

/* Replaces the table in one batch. If its chains are right, only the rules are replaced, so that
 * packets which are allowed before and after the change are allowed during it. */
static int replace_table(struct netlink *n, const struct plain_table *t, bool had, bool chains, struct err *e)
{
	struct batch *b = batch_of(t->family, t->name, 0);
	uint32_t line;
	struct err why;
	int r;

	if (b == NULL)
		return err_set(e, -ENOMEM, "%s", t->what);
	if (chains)
		batch_flush_rules(b);
	if (had && !chains)
		batch_table_delete(b);
	if (t->n_chains > 0 && !chains)
		batch_table(b, false);
	for (size_t i = 0; i < t->n_chains && !chains; i++)
		batch_base_chain(b, &t->chains[i]);
	for (size_t i = 0; i < t->n_rules; i++)
		batch_rule(b, t->rules[i], 0);
	r = batch_commit(b, n, &why, &line);
	batch_free(b);
	return r < 0 ? err_set(e, r, "the kernel refused %s", t->what) : 0;
}

int plain_table_set(const struct plain_table *t, bool dry, plain_note *note, void *ctx, struct err *e)
{
	struct table_text have = { .family = t->family, .name = t->name }, wanted = have;
	struct netlink net;
	int r = netlink_open_here(&net, e);

	if (r < 0)
		return r;
	r = write_table(&net, &have, e);
	wanted_text(t, &wanted);
	if (r == 0 && wanted.failed)
		r = err_set(e, -ENOMEM, "%s", t->what);
	if (r == 0 && (have.n != wanted.n || (have.n > 0 && memcmp(have.out, wanted.out, have.n) != 0))) {
		char detail[40];

		snprintf(detail, sizeof(detail), "table %s %.16s", netlink_family(t->family), t->name);

		/* Nothing is noted if only a chain is missing because its card was removed. */
		if (note != NULL && !(t->n_chains == 0 && have.n == have.head && !have.chain))
			note(ctx, !have.table ? "missing" : t->n_chains == 0 ? "extra" : "changed", detail);
		if (!dry)
			r = replace_table(&net, t, have.table,
					  have.head == wanted.head && have.head > 0 &&
						  memcmp(have.out, wanted.out, have.head) == 0,
					  e);
	}
	free(have.out);
	free(have.counts);
	free(wanted.out);
	free(wanted.counts);
	netlink_close_here(&net);
	return r;
}

/* Calls `each` for each line "rule CHAIN TEXT". */
static void tell_rules(struct table_text *t, plain_each *each, void *ctx)
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
	r = write_table(&net, &have, e);
	*ret_there = r == 0 && have.table;
	if (*ret_there)
		tell_rules(&have, each, ctx);
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

static int other_table(const struct nlmsghdr *m, void *ctx)
{
	const struct others *o = ctx;
	struct nftnl_table *x = nftnl_table_alloc();

	if (x == NULL || nftnl_table_nlmsg_parse(m, x) < 0) {
		o->each(o->ctx, "table ?");
	} else if (nftnl_table_get_u32(x, NFTNL_TABLE_FAMILY) != o->family ||
		   strcmp(nftnl_table_get_str(x, NFTNL_TABLE_NAME), TABLE_NAME) != 0) {
		char what[160];

		snprintf(what, sizeof(what), "table %s %.128s",
			 netlink_family(nftnl_table_get_u32(x, NFTNL_TABLE_FAMILY)),
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
	struct netlink net;
	int r = netlink_open_here(&net, e);

	if (r < 0)
		return r;
	r = netlink_list(&net, NFT_MSG_GETTABLE, NFPROTO_UNSPEC, NULL, NULL, other_table, &o, e);
	netlink_close_here(&net);
	return r;
}
