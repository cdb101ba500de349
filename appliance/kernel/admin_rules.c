/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/small_tables.h"

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
#include "appliance/kernel/expr_act.h"

#define WHAT "the rules of the admin namespace"
/* priority after source NAT by other programs (NF_IP_PRI_NAT_SRC, 100), so that the rules see the
 * packet as it leaves */
#define BEHIND_ALL 500
/* largest number of rules that belong to no peer; one of them exists only before the first
 * policy */
#define FIXED 17u
#define OF_PEER 3u /* most rules of one peer */

/* The counter to which a rule's count is added. */
enum counts { COUNTS_NOTHING, COUNTS_PEER, COUNTS_ANYBODY, COUNTS_REFUSED, COUNTS_REFUSED_IN };

struct rules {
	struct nftnl_rule **list;
	struct owner {
		enum counts counts;
		const struct ir_peer *peer;
	} * owners;
	size_t n;
};

enum way { WAY_OUT, WAY_IN, WAYS };

static const char *const way_chains[WAYS] = { [WAY_OUT] = "output", [WAY_IN] = "input" };

static const struct base_chain chains[] = {
	{ .name = "output", .hook = NF_INET_LOCAL_OUT, .priority = BEHIND_ALL },
	{ .name = "input", .hook = NF_INET_LOCAL_IN, .priority = BEHIND_ALL },
	{ .name = "forward", .hook = NF_INET_FORWARD, .priority = BEHIND_ALL },
};

/* ---- the rules, one by one ------------------------------------------------------------------- */

static struct build way_rule(enum way way)
{
	return rule_begin(NFPROTO_INET, TABLE_NAME, way_chains[way]);
}

static void rules_add(struct rules *x, struct build *b, int verdict, enum counts counts, const struct ir_peer *p)
{
	expr_verdict(b, verdict, NULL);
	x->list[x->n] = rule_end(b);
	x->owners[x->n++] = (struct owner){ counts, p };
}

static void rules_pass(struct rules *x, struct build *b)
{
	rules_add(x, b, NF_ACCEPT, COUNTS_NOTHING, NULL);
}

static void family(struct build *b, uint8_t f)
{
	expr_meta(b, NFT_META_NFPROTO, 0);
	expr_cmp8(b, NFT_CMP_EQ, f == 4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

static void match_transport(struct build *b, uint8_t l4proto)
{
	expr_meta(b, NFT_META_L4PROTO, 0);
	expr_cmp8(b, NFT_CMP_EQ, l4proto);
}

static void icmp(struct build *b, uint8_t f)
{
	match_transport(b, f == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static void icmp_type(struct build *b, uint8_t type)
{
	expr_payload(b, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, 0);
	expr_cmp8(b, NFT_CMP_EQ, type);
}

/* Loopback traffic. The kernel gives a link's kind as a number in the machine's byte order. */
static void loopback_rule(struct rules *x, enum way way)
{
	struct build b = way_rule(way);

	expr_meta(&b, way == WAY_OUT ? NFT_META_OIFTYPE : NFT_META_IIFTYPE, 0);
	expr_cmp16(&b, NFT_CMP_EQ, htons(ARPHRD_LOOPBACK));
	rules_pass(x, &b);
}

/* Types and hop limits of ICMPv6. RFC 4861, 7.1: hop limit 255 for neighbours. RFC 3810, 5: hop
 * limit 1 for multicast groups. A switch asks for these groups and needs an answer; if it asks in
 * the form of RFC 2710, it needs the answer in that form. */
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

/* Accepts ICMPv6 of these types, but only from a neighbour: a packet that still has its first hop
 * limit has passed no router. */
static void neighbours(struct rules *x, enum way way)
{
	static const struct {
		enum way way;
		uint8_t type, hops;
	} messages[] = {
		{ WAY_OUT, SOLICITS, NEIGHBOUR },  { WAY_OUT, ADVERTISES, NEIGHBOUR }, { WAY_OUT, LISTENS, LINK },
		{ WAY_OUT, LISTENS_1, LINK },	   { WAY_OUT, LEAVES_1, LINK },	       { WAY_IN, SOLICITS, NEIGHBOUR },
		{ WAY_IN, ADVERTISES, NEIGHBOUR }, { WAY_IN, WHO_LISTENS, LINK },
	};

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		struct build b;

		if (messages[i].way != way)
			continue;
		b = way_rule(way);
		family(&b, 6);
		icmp(&b, 6);
		icmp_type(&b, messages[i].type);
		expr_payload(&b, NFT_PAYLOAD_NETWORK_HEADER, 7, 1, 0);
		expr_cmp8(&b, NFT_CMP_EQ, messages[i].hops);
		rules_pass(x, &b);
	}
}

static void match_state(struct build *b, uint32_t bits)
{
	expr_ct(b, NFT_CT_STATE, 0);
	expr_bits32(b, 0, bits, 0);
	expr_cmp32(b, NFT_CMP_NEQ, 0);
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

/* Accepts answers: packets in the reply direction of a session, and errors about its packets. They
 * may go only to that host; NULL: to every host. Packets in the original direction never match,
 * however old their session is. */
static void answers_rule(struct rules *x, enum way way, const struct addr *to)
{
	struct build b = way_rule(way);

	if (to != NULL)
		other_end(&b, way, to);
	expr_ct(&b, NFT_CT_DIRECTION, 0);
	expr_cmp8(&b, NFT_CMP_EQ, IP_CT_DIR_REPLY);
	match_state(&b, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
	rules_pass(x, &b);
}

/* For the input chain: accepts errors that routers report about what the box has sent, above all
 * that a packet is too large. `f`: 4 or 6. Related sessions of connection tracking helpers are not
 * accepted. */
static void errors(struct rules *x, uint8_t f)
{
	struct build b = way_rule(WAY_IN);

	family(&b, f);
	icmp(&b, f);
	match_state(&b, NF_CT_STATE_BIT(IP_CT_RELATED));
	rules_pass(x, &b);
}

/* Accepts and counts packets to a peer: by address, protocol and destination port. */
static void peer_rule(struct rules *x, enum way way, const struct ir_peer *p)
{
	struct build b = way_rule(way);

	other_end(&b, way, &p->address);
	match_transport(&b, p->l4proto);
	expr_payload(&b, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 0);
	expr_cmp16(&b, NFT_CMP_EQ, p->port);
	expr_counter(&b);
	rules_add(x, &b, NF_ACCEPT, COUNTS_PEER, p);
}

static void echo(struct rules *x, const struct addr *from)
{
	struct build b = way_rule(WAY_IN);

	other_end(&b, WAY_IN, from);
	icmp(&b, from->family);
	icmp_type(&b, from->family == 4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST);
	rules_pass(x, &b);
}

/* Drops and counts everything else. */
static void rest_rule(struct rules *x, enum way way, int verdict, enum counts counts)
{
	struct build b = way_rule(way);

	expr_counter(&b);
	rules_add(x, &b, verdict, counts, NULL);
}

/* ---- the table ------------------------------------------------------------------------------- */

/* The rules of the output chain. If box.cfg names terminals, only these get answers. So when
 * terminals are named, live sessions of other hosts get no more packets. */
static void way_out(struct rules *x, const struct ir_peer *list, size_t n, bool anybody)
{
	loopback_rule(x, WAY_OUT);
	neighbours(x, WAY_OUT);
	if (anybody)
		answers_rule(x, WAY_OUT, NULL);
	for (size_t i = 0; i < n; i++)
		if (list[i].use == PEER_TERMINAL)
			answers_rule(x, WAY_OUT, &list[i].address);
		else
			peer_rule(x, WAY_OUT, &list[i]);
	rest_rule(x, WAY_OUT, NF_DROP, COUNTS_REFUSED);
}

static void way_in(struct rules *x, const struct ir_peer *list, size_t n, bool anybody)
{
	loopback_rule(x, WAY_IN);
	neighbours(x, WAY_IN);
	answers_rule(x, WAY_IN, NULL);
	errors(x, 4);
	errors(x, 6);
	for (size_t i = 0; i < n; i++)
		if (list[i].use == PEER_TERMINAL) {
			peer_rule(x, WAY_IN, &list[i]);
			echo(x, &list[i].address);
		}
	if (anybody)
		rest_rule(x, WAY_IN, NF_ACCEPT, COUNTS_ANYBODY);
	else
		rest_rule(x, WAY_IN, NF_DROP, COUNTS_REFUSED_IN);
}

static void rules_free(struct rules *x, struct plain_table *t)
{
	plain_rules_free(t);
	free(x->list);
	free(x->owners);
}

/* `closed`: nobody may enter, not even a terminal. The caller frees *ret_rules and *ret with
 * rules_free. 0 or -ENOMEM. */
static int admin_table(const struct ir_peer *list, size_t n, bool closed, struct rules *ret_rules,
		       struct plain_table *ret, struct err *e)
{
	struct nftnl_rule **rules = calloc(FIXED + OF_PEER * n, sizeof(void *));
	struct rules *x = ret_rules;
	bool anybody = !closed;

	*x = (struct rules){ .list = rules, .owners = calloc(FIXED + OF_PEER * n, sizeof(struct owner)) };
	*ret = (struct plain_table){ .family = NFPROTO_INET,
				     .what = WHAT,
				     .name = TABLE_NAME,
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
	int r = admin_table(list, n, closed, &x, &t, e);

	if (r < 0)
		return r;
	r = plain_table_set(&t, dry, note, ctx, e);
	rules_free(&x, &t);
	return r;
}

static void tell_nobody(void *ctx, const char *chain, const char *text, uint64_t packets, uint64_t bytes)
{
}

int admin_rules_base(struct err *e)
{
	bool there = false;
	int r = plain_table_read(NFPROTO_INET, tell_nobody, NULL, &there, e);

	return r < 0 || there ? r : admin_rules_set(NULL, 0, true, false, NULL, NULL, e);
}

struct telling {
	const struct rules *known;
	char text[RULE_TEXT];
	admin_rules_each *each;
	void *ctx;
	struct admin_rules_seen *seen;
};

static void tell_owner(void *ctx, const char *chain, const char *text, uint64_t packets, uint64_t bytes)
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
	int r = admin_table(list, n, false, &known, &t, e);

	*ret = (struct admin_rules_seen){ 0 };
	if (r < 0)
		return r;
	/* The table before the first policy, when nobody may enter, has a rule that a later table
	 * lacks. That rule is ours, too. */
	rest_rule(&known, WAY_IN, NF_DROP, COUNTS_REFUSED_IN);
	t.n_rules = known.n;
	r = plain_table_read(NFPROTO_INET, tell_owner, &telling, &ret->there, e);
	rules_free(&known, &t);
	return r;
}
