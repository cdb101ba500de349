/* SPDX-License-Identifier: Apache-2.0 */
/* Sets, their elements and named objects out of dump messages. */
#include "appliance/kernel/dump_private.h"

#include <stdio.h> /* libnftnl forgets it */

#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

static int count_expr(struct nftnl_expr *x, void *ctx)
{
	unsigned *n = ctx;
	const char *name = nftnl_expr_get_str(x, NFTNL_EXPR_NAME);

	*n += name != NULL && strcmp(name, "counter") == 0 ? 1 : 100;
	return 0;
}

/* True when the kernel's set is what our specification says. */
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
		return false; /* a limit that would refuse an element */
	nftnl_set_expr_foreach(s, count_expr, &counters);
	if (counters != (spec->counter ? 1u : 0u))
		return false;
	if (!spec->interval)
		return true;
	while (n < SET_FIELDS && spec->fields[n] != 0)
		n++;
	fields = nftnl_set_get_data(s, NFTNL_SET_DESC_CONCAT, &len);
	return fields != NULL && len == n && memcmp(fields, spec->fields, n) == 0;
}

int dump_on_set(const struct nlmsghdr *m, void *ctx)
{
	struct dump *d = ctx;
	struct nftnl_set *s = nftnl_set_alloc();
	unsigned k;

	if (s == NULL || nftnl_set_nlmsg_parse(m, s) < 0) {
		d->failed = true;
	} else {
		uint32_t family = nftnl_set_get_u32(s, NFTNL_SET_FAMILY);
		const char *table = nftnl_set_get_str(s, NFTNL_SET_TABLE), *name = nftnl_set_get_str(s, NFTNL_SET_NAME);

		if (dump_ours(family, table)) {
			for (k = 0; k < TABLE_SET_COUNT && strcmp(set_spec(k)->name, name) != 0; k++)
				continue;
			if (k == TABLE_SET_COUNT && (nftnl_set_get_u32(s, NFTNL_SET_FLAGS) & NFT_SET_ANONYMOUS))
				dump_foreign(d, FOREIGN_SET, "anonymous set of a rule in table", family, table, NULL);
			else if (k == TABLE_SET_COUNT)
				dump_foreign(d, FOREIGN_SET, "set", family, table, name);
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

/* False when the element is nothing that we could have made (no key, other lengths, other data). */
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
			el->chain = (uint8_t)dump_chain(nftnl_set_elem_get_str(x, NFTNL_SET_ELEM_CHAIN));
		}
	}
	/* Ends are whole seconds; the kernel counts from when it took the batch, some milliseconds after it was told. */
	if (nftnl_set_elem_is_set(x, NFTNL_SET_ELEM_EXPIRATION))
		el->until = (d->now_ms + nftnl_set_elem_get_u64(x, NFTNL_SET_ELEM_EXPIRATION) + 500) / 1000;
	nftnl_set_elem_expr_foreach(x, element_counter, el);
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

int dump_on_elements(const struct nlmsghdr *m, void *ctx)
{
	struct dump *d = ctx;
	struct nftnl_set *s = nftnl_set_alloc();

	if (s == NULL || nftnl_set_elems_nlmsg_parse(m, s) < 0)
		d->failed = true;
	else
		nftnl_set_elem_foreach(s, on_element, d);
	if (s != NULL)
		nftnl_set_free(s);
	return 0;
}

int dump_on_object(const struct nlmsghdr *m, void *ctx)
{
	struct dump *d = ctx;
	struct nftnl_obj *o = nftnl_obj_alloc();

	if (o == NULL || nftnl_obj_nlmsg_parse(m, o) < 0) {
		d->failed = true;
	} else {
		uint32_t family = nftnl_obj_get_u32(o, NFTNL_OBJ_FAMILY);
		const char *table = nftnl_obj_get_str(o, NFTNL_OBJ_TABLE), *name = nftnl_obj_get_str(o, NFTNL_OBJ_NAME);
		enum reason reason = reason_by_word(name);

		if (!dump_ours(family, table)) {
			/* Belongs to a foreign table, which is named already. */
		} else if (nftnl_obj_get_u32(o, NFTNL_OBJ_TYPE) != NFT_OBJECT_COUNTER || reason == REASON_COUNT) {
			dump_foreign(d, FOREIGN_OBJECT, "object", family, table, name);
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
