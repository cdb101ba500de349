/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/small_tables.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_arp.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/kernel/expr.h"
#include "appliance/kernel/expr_act.h"
#include "appliance/wire/mark.h"
#include "appliance/wire/once.h"

/* priority: before the hooks of other programs, so that their counters only see what this table
 * lets through */
#define BEFORE_ALL (-500)

static void add_rule(struct plain_table *t, struct build *b)
{
	t->rules[t->n_rules++] = rule_end(b);
}

static void add_verdict(struct plain_table *t, struct build *b, int verdict)
{
	expr_verdict(b, verdict, NULL);
	add_rule(t, b);
}

/* Sets the table, then frees its rules and the list of rules, which was allocated. */
static int set_and_free(struct plain_table *t, bool dry, plain_note *note, void *ctx, struct err *e)
{
	int r = plain_table_set(t, dry, note, ctx, e);

	plain_rules_free(t);
	free(t->rules);
	return r;
}

/* ---- the gate of the VLANs ------------------------------------------------------------------- */

#define TAG_TYPE 12u /* offset of the tag's type and value in a frame */
#define TAG_CONTROL 14u
/* IEEE 802.1Q-2018, 9.6: the VLAN's number; the other bits are priority and drop eligibility */
#define TAG_VLAN 0x0fffu
#define OLD_QINQ 0x9100u /* type of a second tag, as switches wrote it before 802.1ad */

/* Accepts frames with exactly one tag, of that VLAN. The kernel has removed the tag from the frame,
 * but shows it to rules in its former place. */
static void tagged(struct plain_table *t, const char *card, uint16_t vlan)
{
	static const uint16_t tags[] = { ETH_P_8021Q, ETH_P_8021AD, OLD_QINQ };
	struct build b = rule_begin(NFPROTO_NETDEV, TABLE_NAME, card);

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		expr_meta(&b, NFT_META_PROTOCOL, 0);
		expr_cmp16(&b, NFT_CMP_NEQ, tags[i]);
	}
	expr_payload(&b, NFT_PAYLOAD_LL_HEADER, TAG_TYPE, 2, 0);
	expr_cmp16(&b, NFT_CMP_EQ, ETH_P_8021Q);
	expr_payload(&b, NFT_PAYLOAD_LL_HEADER, TAG_CONTROL, 2, 0);
	expr_bits16(&b, TAG_VLAN);
	expr_cmp16(&b, NFT_CMP_EQ, vlan);
	add_verdict(t, &b, NF_ACCEPT);
}

/* Drops and counts everything else in a chain. */
static void drop_rest(struct plain_table *t, const char *chain)
{
	struct build b = rule_begin(t->family, t->name, chain);

	expr_counter(&b);
	add_verdict(t, &b, NF_DROP);
}

int trunk_gate_set(const struct trunk_vlan *list, size_t n, bool dry, plain_note *note, void *ctx, struct err *e)
{
	struct base_chain *chains = calloc(n + 1, sizeof(*chains));
	struct plain_table t = { .family = NFPROTO_NETDEV,
				 .what = "the gate of the VLANs",
				 .name = TABLE_NAME,
				 .chains = chains,
				 .rules = calloc(2 * n + 1, sizeof(void *)) };
	int r;

	if (chains == NULL || t.rules == NULL) {
		free(chains);
		free(t.rules);
		return err_set(e, -ENOMEM, "%s", t.what);
	}
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || strcmp(list[i].card, list[i - 1].card) != 0)
			chains[t.n_chains++] = (struct base_chain){ .name = list[i].card,
								    .device = list[i].card,
								    .hook = NF_NETDEV_INGRESS,
								    .priority = BEFORE_ALL };
		tagged(&t, list[i].card, list[i].vlan);
		if (i + 1 == n || strcmp(list[i].card, list[i + 1].card) != 0)
			drop_rest(&t, list[i].card);
	}
	r = set_and_free(&t, dry, note, ctx, e);
	free(chains);
	return r;
}

struct counting {
	const char *card;
	uint64_t refused;
};

static void count_refused(void *ctx, const char *chain, const char *text, uint64_t packets, uint64_t bytes)
{
	struct counting *c = ctx;

	if (strcmp(chain, c->card) == 0)
		c->refused += packets;
}

uint64_t trunk_gate_refused(const char *card)
{
	struct counting c = { .card = card };
	struct err e;
	bool there;

	return plain_table_read(NFPROTO_NETDEV, count_refused, &c, &there, &e) == 0 ? c.refused : 0;
}

/* ---- the limit of ARP ------------------------------------------------------------------------ */

#define ARP_CHAIN "input"
#define OPERATION 6u /* offset of ar$op, RFC 826 */

/* A rule for requests on that device, up to a rate. */
static struct build request_rule(const char *device, uint32_t per_second)
{
	struct build b = rule_begin(NFPROTO_ARP, TABLE_NAME, ARP_CHAIN);

	expr_meta(&b, NFT_META_IIFNAME, 0);
	expr_cmp_name(&b, NFT_CMP_EQ, device);
	expr_limit(&b, per_second, per_second);
	return b;
}

int arp_limit_set(const char *const *devices, size_t n, bool dry, plain_note *note, void *ctx, struct err *e)
{
	const struct base_chain chain = { .name = ARP_CHAIN, .hook = NF_ARP_IN };
	struct plain_table t = { .family = NFPROTO_ARP,
				 .what = "the limit of ARP",
				 .name = TABLE_NAME,
				 .chains = &chain,
				 .n_chains = n > 0,
				 .rules = calloc(2 * n + 2, sizeof(void *)) };
	struct build b;

	if (t.rules == NULL)
		return err_set(e, -ENOMEM, "%s", t.what);
	/* Reports the sender's device to the tap (appliance/tap/device.c). This rule comes before
	 * the limit, and decides nothing. */
	for (size_t i = 0; i < n; i++) {
		b = request_rule(devices[i], ARP_TOLD_PER_SECOND);
		expr_log_device(&b);
		add_rule(&t, &b);
	}
	if (n > 0) {
		b = rule_begin(NFPROTO_ARP, TABLE_NAME, ARP_CHAIN);
		expr_payload(&b, NFT_PAYLOAD_NETWORK_HEADER, OPERATION, 2, 0);
		expr_cmp16(&b, NFT_CMP_NEQ, ARPOP_REQUEST);
		add_verdict(&t, &b, NF_ACCEPT);
	}
	for (size_t i = 0; i < n; i++) {
		b = request_rule(devices[i], ARP_PER_SECOND);
		add_verdict(&t, &b, NF_ACCEPT);
	}
	if (n > 0)
		drop_rest(&t, ARP_CHAIN);
	return set_and_free(&t, dry, note, ctx, e);
}

/* ---- the writer of checksums ----------------------------------------------------------------- */

#define FORWARD "forward"
#define SYN 0x02u /* TCP's flags */
#define ACK 0x10u

/*
 * Sets the bit ONCE_FINISHED and writes the checksum, whose target ends the rule. It matches TCP
 * packets of sessions with a lane, except confirmed ones, which no worker inspects any more. With
 * `anew` it matches packets without a session mark: their session begins, and has no lane yet.
 *
 * A SYN on the ports of a tracked session is not finished, so it is queued behind that session's
 * waiting packets. If the SYN overtook them, a verdict on these packets, such as a confirmation,
 * would apply to the new session.
 */
static void finishes(struct plain_table *t, bool anew)
{
	struct build b = rule_begin(NFPROTO_IPV4, FINISHED_TABLE, FORWARD);

	expr_meta(&b, NFT_META_L4PROTO, 0);
	expr_cmp8(&b, NFT_CMP_EQ, IPPROTO_TCP);
	expr_ct(&b, NFT_CT_MARK, 0);
	if (anew) {
		expr_cmp32(&b, NFT_CMP_EQ, 0);
	} else {
		expr_bits32(&b, 0, MARK_LANE_MASK, 0);
		expr_cmp32(&b, NFT_CMP_NEQ, 0);
		expr_ct(&b, NFT_CT_MARK, 0);
		expr_bits32(&b, 0, MARK_OUTCOME_MASK, 0);
		expr_cmp32(&b, NFT_CMP_NEQ, (uint32_t)MARK_CONFIRMED << MARK_OUTCOME_SHIFT);
		expr_payload(&b, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, 0);
		expr_bits8(&b, SYN | ACK);
		expr_cmp8(&b, NFT_CMP_NEQ, SYN);
	}
	expr_meta(&b, NFT_META_PRIORITY, 0);
	expr_bits32(&b, 0, ~ONCE_FINISHED, ONCE_FINISHED);
	expr_meta_set(&b, NFT_META_PRIORITY, 0);
	expr_checksum(&b);
	add_rule(t, &b);
}

int finished_set(bool wanted, bool dry, struct err *e)
{
	const struct base_chain chain = {
		.name = FORWARD, .hook = NF_INET_FORWARD, .priority = NF_IP_PRI_MANGLE, .accepts = true
	};
	struct plain_table t = { .family = NFPROTO_IPV4,
				 .what = "the writer of checksums",
				 .name = FINISHED_TABLE,
				 .chains = &chain,
				 .n_chains = wanted,
				 .rules = calloc(2, sizeof(void *)) };

	if (t.rules == NULL)
		return err_set(e, -ENOMEM, "%s", t.what);
	for (unsigned anew = 0; wanted && anew < 2; anew++)
		finishes(&t, anew != 0);
	return set_and_free(&t, dry, NULL, NULL, e);
}

/* ---- cards that the machine still has -------------------------------------------------------- */

static int set_home(uint8_t family, const char *const *cards, size_t n, struct err *e)
{
	const struct base_chain chain = { .name = FORWARD, .hook = NF_INET_FORWARD, .priority = BEFORE_ALL };
	const uint32_t sides[] = { NFT_META_IIFNAME, NFT_META_OIFNAME };
	struct plain_table t = { .family = family,
				 .what = "the rules for cards that the machine still has",
				 .name = TABLE_NAME,
				 .chains = &chain,
				 .n_chains = n > 0,
				 .rules = calloc(2 * n + 1, sizeof(void *)) };
	struct build b;

	if (t.rules == NULL)
		return err_set(e, -ENOMEM, "%s", t.what);
	for (size_t i = 0; i < 2 * n; i++) {
		b = rule_begin(family, TABLE_NAME, FORWARD);
		expr_meta(&b, sides[i % 2], 0);
		expr_cmp_name(&b, NFT_CMP_EQ, cards[i / 2]);
		expr_counter(&b);
		add_verdict(&t, &b, NF_DROP);
	}
	if (n > 0) {
		b = rule_begin(family, TABLE_NAME, FORWARD);
		add_verdict(&t, &b, NF_ACCEPT);
	}
	return set_and_free(&t, false, NULL, NULL, e);
}

int home_rules_set(const char *const *cards, size_t n, struct err *e)
{
	struct err later;
	int r = set_home(NFPROTO_INET, cards, n, e), bridged = set_home(NFPROTO_BRIDGE, cards, n, r < 0 ? &later : e);

	return r < 0 ? r : bridged;
}
