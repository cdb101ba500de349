/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/dump_private.h"

#include <errno.h>
#include <stdio.h> /* libnftnl forgets it */

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/gen.h>
#include <libnftnl/rule.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/kernel/rule.h"

#define ATTEMPTS 5
#define REQUEST 4096u
#define FRAME_PARTS 4u /* of dump_frame */

const char *dump_family(uint32_t family)
{
	switch (family) {
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_ARP:
		return "arp";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_NETDEV:
		return "netdev";
	default:
		return "unknown";
	}
}

bool dump_ours(uint32_t family, const char *table)
{
	return family == NFPROTO_INET && table != NULL && strcmp(table, TABLE_NAME) == 0;
}

/* kernel/trunk.c and kernel/arp_limit.c make and compare them, for the supervisor. */
static bool supervisors(uint32_t family, const char *table)
{
	return (family == NFPROTO_NETDEV || family == NFPROTO_ARP) && table != NULL && strcmp(table, TABLE_NAME) == 0;
}

uint32_t dump_chain(const char *name)
{
	char buf[16];

	for (uint32_t c = 0; c < CHAIN_COUNT; c++)
		if (strcmp(ir_chain_name((enum ir_chain)c, buf), name) == 0)
			return c;
	return CHAIN_COUNT;
}

void dump_foreign(struct dump *d, enum foreign_kind kind, const char *what, uint32_t family, const char *table,
		  const char *name)
{
	struct arena *a = d->image->arena;
	const char *text = name == NULL ? arena_printf(a, "%s %s %s", what, dump_family(family), table)
					: arena_printf(a, "%s %s %s %s", what, dump_family(family), table, name);
	const char *own = name != NULL && dump_ours(family, table) ? arena_strndup(a, name, strlen(name)) : NULL;

	if (text == NULL || !image_add_foreign(d->image, kind, own, text))
		d->failed = true;
}

static int on_generation(const struct nlmsghdr *m, void *ctx)
{
	struct nftnl_gen *g = nftnl_gen_alloc();
	uint32_t *ret = ctx;
	int r = -ENOMEM;

	if (g != NULL && nftnl_gen_nlmsg_parse(m, g) >= 0) {
		*ret = nftnl_gen_get_u32(g, NFTNL_GEN_ID);
		r = 0;
	}
	if (g != NULL)
		nftnl_gen_free(g);
	return r;
}

/* The kernel's transaction count. */
static int netlink_generation(struct netlink *n, uint32_t *ret, struct err *e)
{
	_Alignas(8) uint8_t buf[REQUEST];
	struct nlmsghdr *h = netlink_request(n, buf, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0, AF_UNSPEC);

	return netlink_ask(n, h, on_generation, ret, e);
}

static int on_table(const struct nlmsghdr *m, void *ctx)
{
	struct dump *d = ctx;
	struct nftnl_table *t = nftnl_table_alloc();

	if (t == NULL || nftnl_table_nlmsg_parse(m, t) < 0) {
		d->failed = true;
	} else {
		uint32_t family = nftnl_table_get_u32(t, NFTNL_TABLE_FAMILY);
		const char *name = nftnl_table_get_str(t, NFTNL_TABLE_NAME);

		if (dump_ours(family, name)) {
			d->image->table = true;
			d->image->table_plain = nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS) == 0;
		} else if (!supervisors(family, name)) {
			dump_foreign(d, FOREIGN_TABLE, "table", family, name, NULL);
		}
	}
	if (t != NULL)
		nftnl_table_free(t);
	return 0;
}

/* The hooks are written here a second time on purpose: read-back does not share the batch's table. */
static bool base_right(const struct nftnl_chain *c, uint32_t number)
{
	uint32_t hook = nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM);
	int32_t priority = nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO);
	const char *type = nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE);

	if (!nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) || type == NULL || strcmp(type, "filter") != 0)
		return false;
	switch (number) {
	case CHAIN_GUARD:
		return hook == NF_INET_PRE_ROUTING && priority == -300;
	case CHAIN_INPUT:
		return hook == NF_INET_LOCAL_IN && priority == 0;
	case CHAIN_FORWARD:
		return hook == NF_INET_FORWARD && priority == 0;
	case CHAIN_POST:
		return hook == NF_INET_FORWARD && priority == 10;
	case CHAIN_LAST:
		return hook == NF_INET_FORWARD && priority == 20;
	case CHAIN_OUTPUT:
		return hook == NF_INET_LOCAL_OUT && priority == 0;
	default:
		return false;
	}
}

static int on_chain(const struct nlmsghdr *m, void *ctx)
{
	struct dump *d = ctx;
	struct nftnl_chain *c = nftnl_chain_alloc();

	if (c == NULL || nftnl_chain_nlmsg_parse(m, c) < 0) {
		d->failed = true;
	} else {
		uint32_t family = nftnl_chain_get_u32(c, NFTNL_CHAIN_FAMILY);
		const char *table = nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE),
			   *name = nftnl_chain_get_str(c, NFTNL_CHAIN_NAME);
		uint32_t number = dump_ours(family, table) ? dump_chain(name) : CHAIN_COUNT;

		if (!dump_ours(family, table)) {
			if (nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) && !supervisors(family, table))
				dump_foreign(d, FOREIGN_CHAIN, "base chain", family, table, name);
		} else if (number == CHAIN_COUNT) {
			dump_foreign(d, FOREIGN_CHAIN, "chain", family, table, name);
		} else if (number < BASE_CHAINS ? base_right(c, number) : !nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM)) {
			d->image->chains[number] = true;
			if (number < BASE_CHAINS)
				d->image->policy_drop[number] = nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP;
		} else {
			d->image->chain_wrong[number] = true;
		}
	}
	if (c != NULL)
		nftnl_chain_free(c);
	return 0;
}

static int on_rule(const struct nlmsghdr *m, void *ctx)
{
	struct dump *d = ctx;
	struct arena *a = d->image->arena;
	struct nftnl_rule *r = nftnl_rule_alloc();
	char text[RULE_TEXT];

	if (r == NULL || nftnl_rule_nlmsg_parse(m, r) < 0) {
		d->failed = true;
	} else if (dump_ours(nftnl_rule_get_u32(r, NFTNL_RULE_FAMILY), nftnl_rule_get_str(r, NFTNL_RULE_TABLE))) {
		uint32_t number = dump_chain(nftnl_rule_get_str(r, NFTNL_RULE_CHAIN));

		if (!rule_text(r, text, sizeof(text)))
			memcpy(text, "[ not readable ]", sizeof("[ not readable ]"));
		d->reading->entries++;
		if (number < CHAIN_COUNT && !image_add_rule(d->image, number, 0, arena_strndup(a, text, strlen(text))))
			d->failed = true;
	}
	if (r != NULL)
		nftnl_rule_free(r);
	return 0;
}

/* A dump of one kind; `table` NULL = every table. */
static int list(struct netlink *n, uint16_t type, uint8_t family, const char *table, const char *set,
		netlink_each *each, struct dump *d, struct err *e)
{
	_Alignas(8) uint8_t buf[REQUEST];
	struct nlmsghdr *h = netlink_request(n, buf, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_DUMP, family);
	int r;

	n->reading.part++;
	/* Table and set have the same attribute numbers in every one of these messages. */
	if (table != NULL)
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, table);
	if (set != NULL)
		mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
	r = netlink_ask(n, h, each, d, e);
	if (r == 0 && d->failed)
		r = err_set(e, -ENOMEM, "read back the kernel's rules");
	return r;
}

static int dump_base(struct netlink *n, struct dump *d, struct err *e)
{
	int r = list(n, NFT_MSG_GETTABLE, NFPROTO_UNSPEC, NULL, NULL, on_table, d, e);

	return r < 0 ? r : list(n, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, NULL, NULL, on_chain, d, e);
}

static int dump_elements(struct netlink *n, struct dump *d, unsigned set, struct err *e)
{
	d->set = set;
	if (d->image->sets[set])
		return list(n, NFT_MSG_GETSETELEM, NFPROTO_INET, TABLE_NAME, set_spec(set)->name, dump_on_elements, d,
			    e);
	n->reading.part++;
	return 0;
}

/* What is as much however large the policy is. */
static int dump_frame(struct netlink *n, struct dump *d, struct err *e)
{
	int r = dump_base(n, d, e);

	if (r < 0 || !d->image->table)
		return r;
	r = list(n, NFT_MSG_GETSET, NFPROTO_INET, TABLE_NAME, NULL, dump_on_set, d, e);
	return r < 0 ? r : list(n, NFT_MSG_GETOBJ, NFPROTO_INET, TABLE_NAME, NULL, dump_on_object, d, e);
}

static int dump_all(struct netlink *n, struct dump *d, struct err *e)
{
	int r;

	n->reading.parts = FRAME_PARTS + 1;
	for (unsigned set = 0; set < TABLE_SET_COUNT; set++)
		n->reading.parts += !set_spec(set)->filled;
	r = dump_frame(n, d, e);
	if (r < 0 || !d->image->table)
		return r;
	r = list(n, NFT_MSG_GETRULE, NFPROTO_INET, TABLE_NAME, NULL, on_rule, d, e);
	for (unsigned set = 0; set < TABLE_SET_COUNT && r == 0; set++)
		if (!set_spec(set)->filled)
			r = dump_elements(n, d, set, e);
	return r;
}

/* Of all elements the one that names the generation. */
static int dump_standing(struct netlink *n, struct dump *d, struct err *e)
{
	int r = dump_frame(n, d, e);

	return r < 0 || !d->image->table ? r : dump_elements(n, d, TABLE_GENERATION, e);
}

/* Chain by chain, keeping the order within each. */
static bool order_rules(struct image *i)
{
	struct image_rule *sorted = arena_array(i->arena, i->n_rules + 1, sizeof(*sorted));
	size_t n = 0;

	if (sorted == NULL)
		return false;
	for (uint32_t c = 0; c < CHAIN_COUNT; c++)
		for (size_t k = 0; k < i->n_rules; k++)
			if (i->rules[k].chain == c)
				sorted[n++] = i->rules[k];
	i->rules = sorted;
	i->room_rules = i->n_rules + 1;
	return true;
}

static int consistent(struct netlink *n, struct arena *a, struct image *ret, struct err *e,
		      int (*take)(struct netlink *n, struct dump *d, struct err *e))
{
	int r = -EAGAIN;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		struct dump d = { .image = ret, .now_ms = clock_wall_ns() / 1000000, .reading = &n->reading };
		uint32_t before, after;

		n->reading = (struct netlink_reading){ 0 };
		image_init(ret, a);
		r = netlink_generation(n, &before, e);
		if (r < 0)
			return r;
		r = take(n, &d, e);
		if (r == 0)
			r = netlink_generation(n, &after, e);
		if (r == 0 && before == after) {
			ret->generation_id = after;
			image_sort(ret);
			return order_rules(ret) ? 0 : err_set(e, -ENOMEM, "read back the kernel's rules");
		}
		if (r == 0)
			r = err_set(e, -EAGAIN, "the kernel's rules changed while they were read");
		/* A set or chain may vanish between two lists. */
		if (r != -EINTR && r != -ENOBUFS && r != -EAGAIN && r != -ENOENT)
			return r;
	}
	return r;
}

int netlink_dump(struct netlink *n, struct arena *a, struct image *ret, struct err *e)
{
	return consistent(n, a, ret, e, dump_all);
}

int netlink_dump_base(struct netlink *n, struct arena *a, struct image *ret, struct err *e)
{
	return consistent(n, a, ret, e, dump_base);
}

int netlink_dump_standing(struct netlink *n, struct arena *a, struct image *ret, struct err *e)
{
	return consistent(n, a, ret, e, dump_standing);
}

int netlink_dump_counters(struct netlink *n, struct arena *a, struct image *ret, struct err *e)
{
	struct dump d = { .image = ret, .reading = &n->reading };

	image_init(ret, a);
	return list(n, NFT_MSG_GETOBJ, NFPROTO_INET, TABLE_NAME, NULL, dump_on_object, &d, e);
}
