/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/admin_rule.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h> /* libnftnl forgets it */

#include <libnftnl/rule.h>
#include <linux/if_arp.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

#include "appliance/kernel/expr.h"
#include "appliance/kernel/plain_table.h"

static const char *const way_chains[WAYS] = { [WAY_OUT] = "output", [WAY_IN] = "input" };

static struct build begin(enum way way)
{
	struct build b = { .rule = plain_rule(NFPROTO_INET, way_chains[way]) };

	b.bad = b.rule == NULL;
	return b;
}

/* Takes the rule; NULL when something of it found no memory. */
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

/* What stays on the box: the kernel's number for the kind of a link is in the machine's own order. */
struct nftnl_rule *admin_rule_inside(enum way way)
{
	struct build b = begin(way);

	if (!b.bad) {
		expr_meta(&b, way == WAY_OUT ? NFT_META_OIFTYPE : NFT_META_IIFTYPE, 0);
		expr_cmp16(&b, NFT_CMP_EQ, htons(ARPHRD_LOOPBACK));
	}
	return end(&b, NF_ACCEPT);
}

/* ICMPv6 of that type, of a neighbour alone: what has `hops` left was let by no router. */
struct nftnl_rule *admin_rule_neighbours(enum way way, uint8_t type, uint8_t hops)
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

/* To who began: the reply direction of a session, and errors about its packets. What was begun is no answer, however long it lives. */
static void answers(struct build *b)
{
	expr_ct(b, NFT_CT_DIRECTION, 0);
	expr_cmp8(b, NFT_CMP_EQ, IP_CT_DIR_REPLY);
	state(b, NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
}

struct nftnl_rule *admin_rule_answers(enum way way)
{
	struct build b = begin(way);

	if (!b.bad)
		answers(&b);
	return end(&b, NF_ACCEPT);
}

/* Errors of routers about what the box answered: that a packet is too large, above all. No helper of tracking makes anything else of it. */
struct nftnl_rule *admin_rule_errors(uint8_t f)
{
	struct build b = begin(WAY_IN);

	if (!b.bad) {
		family(&b, f);
		transport(&b, f == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
		state(&b, NF_CT_STATE_BIT(IP_CT_RELATED));
	}
	return end(&b, NF_ACCEPT);
}

/* Its other end is that host: as the destination on the way out, as the source on the way in. */
static void other_end(struct build *b, enum way way, const struct addr *a)
{
	bool six = a->family == 6;
	uint32_t at = way == WAY_OUT ? (six ? 24u : 16u) : (six ? 8u : 12u);

	family(b, a->family);
	for (uint32_t word = 0; word < (six ? 4u : 1u); word++) {
		uint32_t want;

		memcpy(&want, a->b + 4 * (size_t)word, sizeof(want));
		expr_payload(b, NFT_PAYLOAD_NETWORK_HEADER, at + 4 * word, 4, 0);
		expr_cmp32(b, NFT_CMP_EQ, want); /* as it is in the packet */
	}
}

struct nftnl_rule *admin_rule_peer(enum way way, const struct ir_peer *p)
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

struct nftnl_rule *admin_rule_answers_to(const struct addr *to)
{
	struct build b = begin(WAY_OUT);

	if (!b.bad) {
		other_end(&b, WAY_OUT, to);
		answers(&b);
	}
	return end(&b, NF_ACCEPT);
}

struct nftnl_rule *admin_rule_echo(const struct addr *from)
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

struct nftnl_rule *admin_rule_rest(enum way way, bool accept)
{
	struct build b = begin(way);

	if (!b.bad)
		b.bad = !plain_rule_count(b.rule);
	return end(&b, accept ? NF_ACCEPT : NF_DROP);
}
