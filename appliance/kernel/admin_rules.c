/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/admin_rules.h"

#include <errno.h>
#include <stdio.h> /* libnftnl forgets it */

#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/kernel/admin_rule.h"
#include "appliance/kernel/rule.h"

#define WHAT "the rules of the admin namespace"
#define BEHIND_ALL                                                                                                     \
	500 /* what is looked at here is as it leaves or is taken: behind NAT of others (NF_IP_PRI_NAT_SRC, 100) */
#define FIXED 17u  /* rules beside those of peers, and the one that a base has in another's place */
#define OF_PEER 3u /* rules of one peer at most */

/* RFC 4861, 7.1 (255 hops: of a neighbour); RFC 3810, 5 (one hop): a switch asks for groups and has to hear of them, in the words of RFC 2710 when it asks so. */
enum {
	SOLICITS = 135,
	ADVERTISES = 136,
	LISTENS = 143,
	LISTENS_1 = 131,
	LEAVES_1 = 132,
	WHO_LISTENS = 130,
	NEIGHBOUR = 255,
	LINK = 1
};

/* What becomes of a rule's count. */
enum counts { COUNTS_NOTHING, COUNTS_PEER, COUNTS_ANYBODY, COUNTS_REFUSED, COUNTS_REFUSED_IN };

struct rules {
	struct nftnl_rule **list;
	struct owner {
		enum counts counts;
		const struct ir_peer *peer;
	} * owners;
	size_t n;
};

static const struct plain_chain chains[] = {
	{ .name = "output", .hook = NF_INET_LOCAL_OUT, .priority = BEHIND_ALL },
	{ .name = "input", .hook = NF_INET_LOCAL_IN, .priority = BEHIND_ALL },
	{ .name = "forward", .hook = NF_INET_FORWARD, .priority = BEHIND_ALL },
};

static void add(struct rules *x, struct nftnl_rule *r, enum counts counts, const struct ir_peer *p)
{
	x->list[x->n] = r;
	x->owners[x->n++] = (struct owner){ counts, p };
}

/* Where terminals are named they alone are answered: what a session of another has still to hear it does not hear. */
static void way_out(struct rules *x, const struct ir_peer *list, size_t n, bool anybody)
{
	add(x, admin_rule_inside(WAY_OUT), COUNTS_NOTHING, NULL);
	add(x, admin_rule_neighbours(WAY_OUT, SOLICITS, NEIGHBOUR), COUNTS_NOTHING, NULL);
	add(x, admin_rule_neighbours(WAY_OUT, ADVERTISES, NEIGHBOUR), COUNTS_NOTHING, NULL);
	add(x, admin_rule_neighbours(WAY_OUT, LISTENS, LINK), COUNTS_NOTHING, NULL);
	add(x, admin_rule_neighbours(WAY_OUT, LISTENS_1, LINK), COUNTS_NOTHING, NULL);
	add(x, admin_rule_neighbours(WAY_OUT, LEAVES_1, LINK), COUNTS_NOTHING, NULL);
	if (anybody)
		add(x, admin_rule_answers(WAY_OUT), COUNTS_NOTHING, NULL);
	for (size_t i = 0; i < n; i++)
		if (list[i].use == PEER_TERMINAL)
			add(x, admin_rule_answers_to(&list[i].address), COUNTS_NOTHING, NULL);
		else
			add(x, admin_rule_peer(WAY_OUT, &list[i]), COUNTS_PEER, &list[i]);
	add(x, admin_rule_rest(WAY_OUT, false), COUNTS_REFUSED, NULL);
}

static void way_in(struct rules *x, const struct ir_peer *list, size_t n, bool anybody)
{
	add(x, admin_rule_inside(WAY_IN), COUNTS_NOTHING, NULL);
	add(x, admin_rule_neighbours(WAY_IN, SOLICITS, NEIGHBOUR), COUNTS_NOTHING, NULL);
	add(x, admin_rule_neighbours(WAY_IN, ADVERTISES, NEIGHBOUR), COUNTS_NOTHING, NULL);
	add(x, admin_rule_neighbours(WAY_IN, WHO_LISTENS, LINK), COUNTS_NOTHING, NULL);
	add(x, admin_rule_answers(WAY_IN), COUNTS_NOTHING, NULL);
	add(x, admin_rule_errors(4), COUNTS_NOTHING, NULL);
	add(x, admin_rule_errors(6), COUNTS_NOTHING, NULL);
	for (size_t i = 0; i < n; i++)
		if (list[i].use == PEER_TERMINAL) {
			add(x, admin_rule_peer(WAY_IN, &list[i]), COUNTS_PEER, &list[i]);
			add(x, admin_rule_echo(&list[i].address), COUNTS_NOTHING, NULL);
		}
	add(x, admin_rule_rest(WAY_IN, anybody), anybody ? COUNTS_ANYBODY : COUNTS_REFUSED_IN, NULL);
}

static void rules_free(struct rules *x, struct plain_table *t)
{
	plain_rules_free(t);
	free(x->list);
	free(x->owners);
}

/* `closed`: nobody enters, terminal or not. Both are the caller's to free with rules_free. 0 or -ENOMEM. */
static int table(const struct ir_peer *list, size_t n, bool closed, struct rules *ret_rules, struct plain_table *ret,
		 struct err *e)
{
	struct nftnl_rule **rules = calloc(FIXED + OF_PEER * n, sizeof(void *));
	struct rules *x = ret_rules;
	bool anybody = !closed;

	*x = (struct rules){ .list = rules, .owners = calloc(FIXED + OF_PEER * n, sizeof(struct owner)) };
	*ret = (struct plain_table){ .family = NFPROTO_INET,
				     .what = WHAT,
				     .chains = chains,
				     .n_chains = sizeof(chains) / sizeof(chains[0]),
				     .rules = x->list };
	if (x->list == NULL || x->owners == NULL) {
		rules_free(x, ret);
		err_set(e, -ENOMEM, WHAT);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		anybody &= list[i].use != PEER_TERMINAL;
	way_out(x, list, n, anybody);
	way_in(x, list, n, anybody);
	ret->n_rules = x->n;
	return 0;
}

int admin_rules_set(const struct ir_peer *list, size_t n, bool closed, bool dry, plain_note *note, void *ctx,
		    struct err *e)
{
	struct plain_table t;
	struct rules x;
	int r = table(list, n, closed, &x, &t, e);

	if (r < 0)
		return r;
	r = plain_table_set(&t, dry, note, ctx, e);
	rules_free(&x, &t);
	return r;
}

static void nobody(void *ctx, const char *chain, const char *text, uint64_t packets, uint64_t bytes)
{
	(void)ctx;
	(void)chain;
	(void)text;
	(void)packets;
	(void)bytes;
}

int admin_rules_base(struct err *e)
{
	bool there = false;
	int r = plain_table_read(NFPROTO_INET, nobody, NULL, &there, e);

	return r < 0 || there ? r : admin_rules_set(NULL, 0, true, false, NULL, NULL, e);
}

struct telling {
	const struct rules *known;
	char text[RULE_TEXT];
	admin_rules_each *each;
	void *ctx;
	struct admin_rules_seen *seen;
};

static void tell(void *ctx, const char *chain, const char *text, uint64_t packets, uint64_t bytes)
{
	struct telling *t = ctx;
	const struct rules *x = t->known;
	struct owner o;
	size_t at = 0;

	while (at < x->n &&
	       (x->list[at] == NULL || strcmp(nftnl_rule_get_str(x->list[at], NFTNL_RULE_CHAIN), chain) != 0 ||
		!rule_text(x->list[at], t->text, sizeof(t->text)) || strcmp(t->text, text) != 0))
		at++;
	if (at == x->n) {
		t->each(t->ctx, NULL, text, packets, bytes);
		return;
	}
	o = x->owners[at];
	t->seen->refused += o.counts == COUNTS_REFUSED ? packets : 0;
	t->seen->refused_in += o.counts == COUNTS_REFUSED_IN ? packets : 0;
	t->seen->anybody |= o.counts == COUNTS_ANYBODY;
	if (o.counts == COUNTS_PEER)
		t->each(t->ctx, o.peer, text, packets, bytes);
}

int admin_rules_read(const struct ir_peer *list, size_t n, admin_rules_each *each, void *ctx,
		     struct admin_rules_seen *ret, struct err *e)
{
	struct plain_table t;
	struct rules known;
	struct telling telling = { .known = &known, .each = each, .ctx = ctx, .seen = ret };
	int r = table(list, n, false, &known, &t, e);

	*ret = (struct admin_rules_seen){ 0 };
	if (r < 0)
		return r;
	/* As it is before the first policy: nobody enters, and that is no rule of others. */
	add(&known, admin_rule_rest(WAY_IN, false), COUNTS_REFUSED_IN, NULL);
	t.n_rules = known.n;
	r = plain_table_read(NFPROTO_INET, tell, &telling, &ret->there, e);
	rules_free(&known, &t);
	return r;
}
