/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/kernel/dump.h"

#include <errno.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

#include "appliance/base/clock.h"
#include "appliance/kernel/rule.h"
#include "appliance/kernel/small_tables.h"

#define ATTEMPTS 5
#define FRAME_PARTS 4u /* number of lists that dump_frame reads */

struct dump {
	struct image *image;
	/* labels of an earlier dump that are used again, NULL = read them; borrowed */
	const struct image *labels;
	uint64_t now_ms;		 /* since 1970 */
	unsigned set;			 /* the set whose elements are being read */
	bool failed;			 /* out of memory */
	struct netlink_reading *reading; /* borrowed */
	const struct netlink *net;	 /* borrowed */
};

static bool is_ours(uint32_t family, const char *table)
{
	return family == NFPROTO_INET && table != NULL && strcmp(table, TABLE_NAME) == 0;
}

/* Tables that the supervisor makes and compares itself (kernel/small_tables.c). */
static bool supervisors(uint32_t family, const char *table)
{
	if (table == NULL)
		return false;
	return family == NFPROTO_IPV4
		       ? strcmp(table, FINISHED_TABLE) == 0
		       : (family == NFPROTO_NETDEV || family == NFPROTO_ARP) && strcmp(table, TABLE_NAME) == 0;
}

/* The chain's number in enum ir_chain, or CHAIN_COUNT. */
static uint32_t chain_number(const char *name)
{
	char buf[16];

	for (uint32_t c = 0; c < CHAIN_COUNT; c++)
		if (strcmp(ir_chain_name((enum ir_chain)c, buf), name) == 0)
			return c;
	return CHAIN_COUNT;
}

/* Notes an object that is not this program's. `name` NULL: the table's name is enough. */
static void add_foreign(struct dump *d, enum foreign_kind kind, const char *what, uint32_t family, const char *table,
			const char *name)
{
	struct arena *a = d->image->arena;
	const char *text = name == NULL ? arena_printf(a, "%s %s %s", what, netlink_family(family), table)
					: arena_printf(a, "%s %s %s %s", what, netlink_family(family), table, name);
	const char *own = name != NULL && is_ours(family, table) ? arena_strndup(a, name, strlen(name)) : NULL;

	if (text == NULL || !image_add_foreign(d->image, kind, own, text))
		d->failed = true;
}

/* Reads who owns the table. If this process does not own it, any owner is accepted, because only
 * this program makes a persistent table of that name, and the contents are compared anyway. */
static void table_flags(struct dump *d, const struct nftnl_table *t)
{
	uint32_t flags = nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS);
	struct image *i = d->image;

	i->table_persists = (flags & TABLE_PERSISTS) != 0;
	i->table_owner = (flags & NFT_TABLE_F_OWNER) != 0 ? nftnl_table_get_u32(t, NFTNL_TABLE_OWNER) : 0;
	i->table_plain = flags == 0 || flags == TABLE_PERSISTS ||
			 (flags == TABLE_OWNED && (d->net->owns == OWNS_UNASKED || i->table_owner == d->net->portid));
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

		if (is_ours(family, name)) {
			d->image->table = true;
			table_flags(d, t);
		} else if (!supervisors(family, name)) {
			add_foreign(d, FOREIGN_TABLE, "table", family, name, NULL);
		}
	}
	if (t != NULL)
		nftnl_table_free(t);
	return 0;
}

/* Whether a base chain has the right hook and priority. These are repeated here on purpose, so that
 * the read-back does not share the writer's table. */
static bool base_right(const struct nftnl_chain *c, uint32_t number)
{
	static const struct {
		uint32_t hook;
		int32_t priority;
	} right[BASE_CHAINS] = {
		[CHAIN_GUARD] = { NF_INET_PRE_ROUTING, -300 }, [CHAIN_INPUT] = { NF_INET_LOCAL_IN, 0 },
		[CHAIN_FORWARD] = { NF_INET_FORWARD, 0 },      [CHAIN_POST] = { NF_INET_FORWARD, 10 },
		[CHAIN_LAST] = { NF_INET_FORWARD, 20 },	       [CHAIN_OUTPUT] = { NF_INET_LOCAL_OUT, 0 },
	};
	const char *type = nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE);

	_Static_assert(BASE_CHAINS == 6, "a row for each");
	return nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) && type != NULL && strcmp(type, "filter") == 0 &&
	       nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM) == right[number].hook &&
	       nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO) == right[number].priority;
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
		uint32_t number = is_ours(family, table) ? chain_number(name) : CHAIN_COUNT;

		if (!is_ours(family, table)) {
			if (nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM) && !supervisors(family, table))
				add_foreign(d, FOREIGN_CHAIN, "base chain", family, table, name);
		} else if (number == CHAIN_COUNT) {
			add_foreign(d, FOREIGN_CHAIN, "chain", family, table, name);
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
	} else if (is_ours(nftnl_rule_get_u32(r, NFTNL_RULE_FAMILY), nftnl_rule_get_str(r, NFTNL_RULE_TABLE))) {
		uint32_t number = chain_number(nftnl_rule_get_str(r, NFTNL_RULE_CHAIN));

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

/* ---- sets, their elements, named objects ----------------------------------------------------- */

static int count_expr(struct nftnl_expr *x, void *ctx)
{
	unsigned *n = ctx;
	const char *name = nftnl_expr_get_str(x, NFTNL_EXPR_NAME);

	*n += name != NULL && strcmp(name, "counter") == 0 ? 1 : 100;
	return 0;
}

/* Whether the kernel's set equals the specification. */
static bool set_right(const struct nftnl_set *s, const struct set_spec *spec)
{
	uint32_t flags = 0, len = 0;
	unsigned counters = 0, n = 0;
	const uint8_t *fields;

	flags |= spec->map || spec->verdict_map ? NFT_SET_MAP : 0;
	flags |= spec->timeout ? NFT_SET_TIMEOUT : 0;
	flags |= spec->filled ? NFT_SET_EVAL : 0;
	flags |= spec->interval ? NFT_SET_INTERVAL | NFT_SET_CONCAT : 0;
	flags |= spec->counter ? NFT_SET_EXPR : 0;
	if (nftnl_set_get_u32(s, NFTNL_SET_FLAGS) != flags || nftnl_set_get_u32(s, NFTNL_SET_KEY_LEN) != spec->key_len)
		return false;
	if (spec->map && nftnl_set_get_u32(s, NFTNL_SET_DATA_LEN) != sizeof(uint32_t))
		return false;
	if (spec->verdict_map && nftnl_set_get_u32(s, NFTNL_SET_DATA_TYPE) != NFT_DATA_VERDICT)
		return false;
	if (nftnl_set_is_set(s, NFTNL_SET_TIMEOUT) && nftnl_set_get_u64(s, NFTNL_SET_TIMEOUT) != 0)
		return false;
	if (nftnl_set_is_set(s, NFTNL_SET_DESC_SIZE) && nftnl_set_get_u32(s, NFTNL_SET_DESC_SIZE) != spec->most)
		return false; /* a size limit that would refuse elements */
	nftnl_set_expr_foreach(s, count_expr, &counters)
		;
	if (counters != (spec->counter ? 1u : 0u))
		return false;
	if (!spec->interval)
		return true;
	while (n < SET_FIELDS && spec->fields[n] != 0)
		n++;
	fields = nftnl_set_get_data(s, NFTNL_SET_DESC_CONCAT, &len);
	return fields != NULL && len == n && memcmp(fields, spec->fields, n) == 0;
}

static int on_set(const struct nlmsghdr *m, void *ctx)
{
	struct dump *d = ctx;
	struct nftnl_set *s = nftnl_set_alloc();
	unsigned k;

	if (s == NULL || nftnl_set_nlmsg_parse(m, s) < 0) {
		d->failed = true;
	} else {
		uint32_t family = nftnl_set_get_u32(s, NFTNL_SET_FAMILY);
		const char *table = nftnl_set_get_str(s, NFTNL_SET_TABLE), *name = nftnl_set_get_str(s, NFTNL_SET_NAME);

		if (is_ours(family, table)) {
			for (k = 0; k < TABLE_SET_COUNT && strcmp(set_name(k), name) != 0; k++)
				continue;
			if (k == TABLE_SET_COUNT && (nftnl_set_get_u32(s, NFTNL_SET_FLAGS) & NFT_SET_ANONYMOUS))
				add_foreign(d, FOREIGN_SET, "anonymous set of a rule in table", family, table, NULL);
			else if (k == TABLE_SET_COUNT)
				add_foreign(d, FOREIGN_SET, "set", family, table, name);
			else if (set_right(s, set_spec(k)))
				d->image->sets[k] = true;
			else
				d->image->set_wrong[k] = true;
		}
	}
	if (s != NULL)
		nftnl_set_free(s);
	return 0;
}

static int element_counter(struct nftnl_expr *x, void *ctx)
{
	struct image_element *el = ctx;
	const char *name = nftnl_expr_get_str(x, NFTNL_EXPR_NAME);

	if (name != NULL && strcmp(name, "counter") == 0) {
		el->packets = nftnl_expr_get_u64(x, NFTNL_EXPR_CTR_PACKETS);
		el->bytes = nftnl_expr_get_u64(x, NFTNL_EXPR_CTR_BYTES);
	}
	return 0;
}

/* Decodes an element. False: this program cannot have made it (no key, another length, other
 * data). */
static bool element_decode(const struct dump *d, struct nftnl_set_elem *x, struct image_element *el)
{
	const struct set_spec *spec = set_spec(d->set);
	uint32_t len = 0, verdict;
	const void *p = nftnl_set_elem_get(x, NFTNL_SET_ELEM_KEY, &len);

	if (p == NULL || len != spec->key_len)
		return false;
	memcpy(el->key, p, len);
	memcpy(el->key_end, p, len);
	if (spec->interval && nftnl_set_elem_is_set(x, NFTNL_SET_ELEM_KEY_END)) {
		p = nftnl_set_elem_get(x, NFTNL_SET_ELEM_KEY_END, &len);
		if (p == NULL || len != spec->key_len)
			return false;
		memcpy(el->key_end, p, len);
	}
	if (spec->map) {
		p = nftnl_set_elem_get(x, NFTNL_SET_ELEM_DATA, &len);
		if (p == NULL || len != sizeof(el->data))
			return false;
		memcpy(&el->data, p, sizeof(el->data));
	}
	if (spec->verdict_map) {
		verdict = nftnl_set_elem_get_u32(x, NFTNL_SET_ELEM_VERDICT);
		el->chain = CHAIN_COUNT;
		el->verdict = verdict == NF_ACCEPT ? VERDICT_ACCEPT : VERDICT_FOREIGN;
		if (verdict == (uint32_t)NFT_GOTO) {
			el->verdict = VERDICT_GOTO;
			el->chain = (uint8_t)chain_number(nftnl_set_elem_get_str(x, NFTNL_SET_ELEM_CHAIN));
		}
	}
	/* Ends are whole seconds. The kernel counts the remaining time from when it took the batch,
	 * some milliseconds after that time was computed. So the value is rounded. */
	if (nftnl_set_elem_is_set(x, NFTNL_SET_ELEM_EXPIRATION))
		el->until = (d->now_ms + nftnl_set_elem_get_u64(x, NFTNL_SET_ELEM_EXPIRATION) + 500) / 1000;
	if (spec->filled && nftnl_set_elem_is_set(x, NFTNL_SET_ELEM_TIMEOUT))
		el->data = (uint32_t)(nftnl_set_elem_get_u64(x, NFTNL_SET_ELEM_TIMEOUT) / 1000);
	nftnl_set_elem_expr_foreach(x, element_counter, el)
		;
	return true;
}

static int on_element(struct nftnl_set_elem *x, void *ctx)
{
	struct dump *d = ctx;
	struct image_element el = { 0 }, *kept;

	if (!element_decode(d, x, &el)) {
		d->image->set_wrong[d->set] = true;
		d->image->sets[d->set] = false;
		return 0;
	}
	kept = image_add(d->image, d->set);
	if (kept == NULL)
		d->failed = true;
	else
		*kept = el;
	d->reading->entries++;
	return 0;
}

static int on_elements(const struct nlmsghdr *m, void *ctx)
{
	struct dump *d = ctx;
	struct nftnl_set *s = nftnl_set_alloc();

	if (s == NULL || nftnl_set_elems_nlmsg_parse(m, s) < 0)
		d->failed = true;
	else
		nftnl_set_elem_foreach(s, on_element, d)
			;
	if (s != NULL)
		nftnl_set_free(s);
	return 0;
}

static int on_object(const struct nlmsghdr *m, void *ctx)
{
	struct dump *d = ctx;
	struct nftnl_obj *o = nftnl_obj_alloc();

	if (o == NULL || nftnl_obj_nlmsg_parse(m, o) < 0) {
		d->failed = true;
	} else {
		uint32_t family = nftnl_obj_get_u32(o, NFTNL_OBJ_FAMILY);
		const char *table = nftnl_obj_get_str(o, NFTNL_OBJ_TABLE), *name = nftnl_obj_get_str(o, NFTNL_OBJ_NAME);
		enum reason reason = reason_by_word(name);

		if (!is_ours(family, table)) {
			/* An object in a foreign table is not noted, because its table is noted
			 * already. */
		} else if (nftnl_obj_get_u32(o, NFTNL_OBJ_TYPE) != NFT_OBJECT_COUNTER || reason == REASON_COUNT) {
			add_foreign(d, FOREIGN_OBJECT, "object", family, table, name);
		} else {
			d->image->counters[reason].present = true;
			d->image->counters[reason].packets = nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_PKTS);
			d->image->counters[reason].bytes = nftnl_obj_get_u64(o, NFTNL_OBJ_CTR_BYTES);
		}
	}
	if (o != NULL)
		nftnl_obj_free(o);
	return 0;
}

/* ---- the dumps ------------------------------------------------------------------------------- */

/* A dump of one kind; `table` NULL = every table. */
static int dump_list(struct netlink *n, uint16_t type, uint8_t family, const char *table, const char *set,
		     netlink_each *each, struct dump *d, struct err *e)
{
	int r = netlink_list(n, type, family, table, set, each, d, e);

	return r == 0 && d->failed ? err_set(e, -ENOMEM, "read back the kernel's rules") : r;
}

static int dump_base(struct netlink *n, struct dump *d, struct err *e)
{
	int r = dump_list(n, NFT_MSG_GETTABLE, NFPROTO_UNSPEC, NULL, NULL, on_table, d, e);

	return r < 0 ? r : dump_list(n, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, NULL, NULL, on_chain, d, e);
}

static int dump_elements(struct netlink *n, struct dump *d, unsigned set, struct err *e)
{
	d->set = set;
	if (d->labels != NULL && ir_set_label(set))
		d->image->elements[set] = d->labels->elements[set];
	else if (d->image->sets[set])
		return dump_list(n, NFT_MSG_GETSETELEM, NFPROTO_INET, TABLE_NAME, set_name(set), on_elements, d, e);
	n->reading.part++;
	return 0;
}

/* Reads the parts whose size does not depend on the policy. */
static int dump_frame(struct netlink *n, struct dump *d, struct err *e)
{
	int r = dump_base(n, d, e);

	if (r < 0 || !d->image->table)
		return r;
	r = dump_list(n, NFT_MSG_GETSET, NFPROTO_INET, TABLE_NAME, NULL, on_set, d, e);
	return r < 0 ? r : dump_list(n, NFT_MSG_GETOBJ, NFPROTO_INET, TABLE_NAME, NULL, on_object, d, e);
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
	r = dump_list(n, NFT_MSG_GETRULE, NFPROTO_INET, TABLE_NAME, NULL, on_rule, d, e);
	for (unsigned set = 0; set < TABLE_SET_COUNT && r == 0; set++)
		if (!set_spec(set)->filled)
			r = dump_elements(n, d, set, e);
	return r;
}

/* Reads only the element that names the generation. */
static int dump_standing(struct netlink *n, struct dump *d, struct err *e)
{
	int r = dump_frame(n, d, e);

	return r < 0 || !d->image->table ? r : dump_elements(n, d, TABLE_GENERATION, e);
}

/* Sorts the rules by chain; within a chain the order stays. */
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

static int consistent(struct netlink *n, struct arena *a, const struct image *labels, struct image *ret, struct err *e,
		      int (*take)(struct netlink *n, struct dump *d, struct err *e))
{
	int r = -EAGAIN;

	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		struct dump d = { .image = ret, .now_ms = clock_wall_ns() / 1000000, .reading = &n->reading, .net = n };
		uint32_t before, after;

		n->reading = (struct netlink_reading){ 0 };
		image_init(ret, a);
		r = netlink_generation(n, &before, e);
		if (r < 0)
			return r;
		if (labels != NULL && labels->generation_id == before)
			d.labels = labels;
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
		/* If a set or chain has disappeared between two lists, the dump is tried again. */
		if (r != -EINTR && r != -ENOBUFS && r != -EAGAIN && r != -ENOENT)
			return r;
	}
	return r;
}

int netlink_dump(struct netlink *n, struct arena *a, struct image *ret, struct err *e)
{
	return consistent(n, a, NULL, ret, e, dump_all);
}

int netlink_dump_since(struct netlink *n, struct arena *a, const struct image *labels, struct image *ret, struct err *e)
{
	return consistent(n, a, labels, ret, e, dump_all);
}

int netlink_dump_base(struct netlink *n, struct arena *a, struct image *ret, struct err *e)
{
	return consistent(n, a, NULL, ret, e, dump_base);
}

int netlink_dump_standing(struct netlink *n, struct arena *a, struct image *ret, struct err *e)
{
	return consistent(n, a, NULL, ret, e, dump_standing);
}

int netlink_dump_counters(struct netlink *n, struct arena *a, struct image *ret, struct err *e)
{
	struct dump d = { .image = ret, .reading = &n->reading, .net = n };

	image_init(ret, a);
	return dump_list(n, NFT_MSG_GETOBJ, NFPROTO_INET, TABLE_NAME, NULL, on_object, &d, e);
}

int netlink_dump_limits(struct netlink *n, struct arena *a, struct image *ret, struct err *e)
{
	struct dump d = { .image = ret, .now_ms = clock_wall_ns() / 1000000, .reading = &n->reading, .net = n };
	int r;

	image_init(ret, a);
	ret->sets[SET_AGES] = ret->sets[SET_IDLES] = true;
	r = dump_elements(n, &d, SET_AGES, e);
	if (r == 0)
		r = dump_elements(n, &d, SET_IDLES, e);
	image_sort(ret);
	return r;
}

int ends_stand(struct netlink *n, bool *ret, struct err *e)
{
	struct arena *a = arena_new(DUMP_BUDGET);
	struct image have;
	uint8_t digest[32];
	int r = a == NULL ? err_set(e, -ENOMEM, "read back what ends") : netlink_dump(n, a, &have, e);

	*ret = r == 0 && image_digest(&have, digest) && image_ends(&have) > 0;
	arena_free(a);
	return r;
}
