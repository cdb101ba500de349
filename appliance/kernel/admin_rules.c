/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/admin_rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/rule.h>
#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h> /* libnftnl's headers need it */
#include <stdlib.h>
#include <string.h>

#include "appliance/kernel/expr.h"
#include "appliance/kernel/plain_table.h"
#include "appliance/kernel/rule.h"
#include "policy/ir/ir.h"

/* The rules of the admin namespace, one by one; table() below puts them together. The caller frees
 * each rule; NULL: no memory. */

enum way { WAY_OUT, WAY_IN, WAYS };

static const char *const way_chains[WAYS] = { [WAY_OUT] = "output", [WAY_IN] = "input" };

static struct build begin(enum way way)
{
	struct build b = { .rule = plain_rule(NFPROTO_INET, way_chains[way]) };

	b.bad = b.rule == NULL;
	return b;
}

/* Ends the rule with a verdict, and hands it over. NULL: there was no memory for a part of it. */
static struct nftnl_rule *end(struct build *b, int verdict)
{
	if (b->rule != NULL)
		expr_verdict(b, verdict, NULL);
	if (b->bad && b->rule != NULL) {
		nftnl_rule_free(b->rule);
		b->rule = NULL;
	}
	return b->rule;
}

static void family(struct build *b, uint8_t f)
{
	expr_meta(b, NFT_META_NFPROTO, 0);
	expr_cmp8(b, NFT_CMP_EQ, f == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

static void transport(struct build *b, uint8_t l4proto)
{
	expr_meta(b, NFT_META_L4PROTO, 0);
	expr_cmp8(b, NFT_CMP_EQ, l4proto);
}

/* Loopback traffic. The kernel gives a link's kind as a number in the machine's byte order. */
static struct nftnl_rule *admin_rule_inside(enum way way)
{
	struct build b = begin(way);

	if (!b.bad) {
		expr_meta(&b, way == WAY_OUT ? NFT_META_OIFTYPE : NFT_META_IIFTYPE, 0);
		expr_cmp16(&b, NFT_CMP_EQ, htons(ARPHRD_LOOPBACK));
	}
	return end(&b, NF_ACCEPT);
}

/* ICMPv6 of that type from a neighbour only: if a packet still has the hop limit `hops`, it has
 * passed no router. */
static struct nftnl_rule *admin_rule_neighbours(enum way way, uint8_t type, uint8_t hops)
{
	struct build b = begin(way);

	if (!b.bad) {
		family(&b, 6);
		transport(&b, IPPROTO_ICMPV6);
		expr_payload(&b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
		expr_cmp8(&b, NFT_CMP_EQ, type);
		expr_payload(&b, NFT_PAYLOAD_NETWORK_HEADER, 7, 1, 0);
		expr_cmp8(&b, NFT_CMP_EQ, hops);
	}
	return end(&b, NF_ACCEPT);
}

static void state(struct build *b, uint32_t bits)
{
	expr_ct(b, NFT_CT_STATE, 0);
	expr_bits32(b, 0, bits, 0);
	expr_cmp32(b, NFT_CMP_NEQ, 0);
}

/* Matches answers: the reply direction of a session, and errors about its packets. Packets in the
 * original direction never match, however old their session is. */
static void answers(struct build *b)
{
	expr_ct(b, NFT_CT_DIRECTION, 0);
	expr_cmp8(b, NFT_CMP_EQ, IP_CT_DIR_REPLY);
	state(b, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
}

static struct nftnl_rule *admin_rule_answers(enum way way)
{
	struct build b = begin(way);

	if (!b.bad)
		answers(&b);
	return end(&b, NF_ACCEPT);
}

/* Errors that routers report about what the box has sent, above all that a packet is too large.
 * `f`: 4 or 6. For the input chain. Sessions of connection tracking helpers are excluded. */
static struct nftnl_rule *admin_rule_errors(uint8_t f)
{
	struct build b = begin(WAY_IN);

	if (!b.bad) {
		family(&b, f);
		transport(&b, f == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
		state(&b, NF_CT_STATE_BIT(IP_CT_RELATED));
	}
	return end(&b, NF_ACCEPT);
}

/* Matches the peer's address: the destination on the way out, the source on the way in. */
static void other_end(struct build *b, enum way way, const struct addr *a)
{
	bool six = a->family == 6;
	uint32_t at = way == WAY_OUT ? (six ? 24u : 16u) : (six ? 8u : 12u);

	family(b, a->family);
	for (uint32_t word = 0; word < (six ? 4u : 1u); word++) {
		uint32_t want;

		memcpy(&want, a->b + 4 * (size_t)word, sizeof(want));
		expr_payload(b, NFT_PAYLOAD_NETWORK_HEADER, at + 4 * word, 4, 0);
		expr_cmp32(b, NFT_CMP_EQ, want); /* in the packet's byte order */
	}
}

/* Matches a peer by address, protocol and destination port; counted. */
static struct nftnl_rule *admin_rule_peer(enum way way, const struct ir_peer *p)
{
	struct build b = begin(way);

	if (!b.bad) {
		other_end(&b, way, &p->address);
		transport(&b, p->l4proto);
		expr_payload(&b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 0);
		expr_cmp16(&b, NFT_CMP_EQ, p->port);
		b.bad |= !plain_rule_count(b.rule);
	}
	return end(&b, NF_ACCEPT);
}

/* Matches answers to that host alone. */
static struct nftnl_rule *admin_rule_answers_to(const struct addr *to)
{
	struct build b = begin(WAY_OUT);

	if (!b.bad) {
		other_end(&b, WAY_OUT, to);
		answers(&b);
	}
	return end(&b, NF_ACCEPT);
}

static struct nftnl_rule *admin_rule_echo(const struct addr *from)
{
	struct build b = begin(WAY_IN);

	if (!b.bad) {
		other_end(&b, WAY_IN, from);
		transport(&b, from->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
		expr_payload(&b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
		expr_cmp8(&b, NFT_CMP_EQ, from->family == 4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST);
	}
	return end(&b, NF_ACCEPT);
}

/* Everything else; counted. */
static struct nftnl_rule *admin_rule_rest(enum way way, bool accept)
{
	struct build b = begin(way);

	if (!b.bad)
		b.bad = !plain_rule_count(b.rule);
	return end(&b, accept ? NF_ACCEPT : NF_DROP);
}

#define WHAT "the rules of the admin namespace"
/* priority behind the source NAT of other programs (NF_IP_PRI_NAT_SRC, 100), so that the rules see
 * the packet as it leaves */
#define BEHIND_ALL 500
/* rules that belong to no peer, among them one that only the table before the first policy has */
#define FIXED 17u
#define OF_PEER 3u /* most rules of one peer */

/* Types and hop limits of ICMPv6. RFC 4861, 7.1: hop limit 255 for neighbours. RFC 3810, 5: hop
 * limit 1; a switch asks for multicast groups and needs an answer, in the form of RFC 2710 if it
 * asks in that form. */
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

/* Which counter a rule's count is added to. */
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

/* The rules of the output chain. If terminals are named, only these get answers, so live sessions
 * of other hosts get no more packets. */
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

/* `closed`: nobody may enter, not even a terminal. The caller frees *ret_rules and *ret with
 * rules_free. 0 or -ENOMEM. */
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
	/* The rule for the time before the first policy, when nobody may enter, is this program's
	 * too. */
	add(&known, admin_rule_rest(WAY_IN, false), COUNTS_REFUSED_IN, NULL);
	t.n_rules = known.n;
	r = plain_table_read(NFPROTO_INET, tell, &telling, &ret->there, e);
	rules_free(&known, &t);
	return r;
}
