/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "policy/check/check.h"
#include "policy/check/meant.h"
#include "policy/check/ranges.h"
#include "policy/check/say.h"

bool ranges_add(struct check *k, struct ranges *r, const struct addr_range *one)
{
	struct addr_range *slot = arena_grow(k->a, (void **)&r->list, &r->n, &r->room, sizeof(*slot));

	if (slot == NULL)
		return false;
	*slot = *one;
	return true;
}

static int by_address(const void *pa, const void *pb)
{
	const struct addr_range *a = pa, *b = pb;
	int c = addr_cmp(&a->lo, &b->lo);

	return c != 0 ? c : addr_cmp(&a->hi, &b->hi);
}

void ranges_merge(struct ranges *r)
{
	size_t n = 0;

	if (r->n == 0)
		return;
	qsort(r->list, r->n, sizeof(r->list[0]), by_address);
	for (size_t i = 1; i < r->n; i++) {
		struct addr_range *last = &r->list[n];
		const struct addr_range *one = &r->list[i];
		struct addr next;
		bool more = addr_next(&last->hi, &next);

		if (one->lo.family == last->lo.family && (!more || addr_cmp(&one->lo, &next) <= 0)) {
			if (addr_cmp(&one->hi, &last->hi) > 0)
				last->hi = one->hi;
		} else {
			r->list[++n] = *one;
		}
	}
	r->n = n + 1;
}

bool ranges_hold(const struct addr_range *list, size_t n, const struct addr_range *one)
{
	size_t lo = 0, hi = n;

	/* Finds the last range that begins at or before `one`. */
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr_cmp(&list[mid].lo, &one->lo) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && list[lo - 1].lo.family == one->lo.family && addr_cmp(&one->hi, &list[lo - 1].hi) <= 0;
}

bool ranges_minus(struct check *k, const struct ranges *all, const struct ranges *less, struct ranges *ret)
{
	size_t j = 0;

	for (size_t i = 0; i < all->n; i++) {
		struct addr_range rest = all->list[i], parts[2];
		bool left = true;

		while (j < less->n && addr_cmp(&less->list[j].hi, &rest.lo) < 0)
			j++;
		for (size_t m = j; left && m < less->n && addr_cmp(&less->list[m].lo, &rest.hi) <= 0; m++) {
			size_t n = addr_range_minus(&rest, &less->list[m], parts);

			if (n == 0) {
				left = false;
			} else if (n == 2) {
				if (!ranges_add(k, ret, &parts[0]))
					return false;
				rest = parts[1];
			} else if (addr_cmp(&parts[0].lo, &less->list[m].lo) < 0) {
				/* The cut reaches the end, so no later range of `less` can be
				 * inside. */
				rest = parts[0];
				break;
			} else {
				rest = parts[0];
			}
		}
		if (left && !ranges_add(k, ret, &rest))
			return false;
	}
	return true;
}

bool ranges_unicast(struct check *k, struct ranges *ret)
{
	static const char *const all[] = { "0.0.0.0/0", "::/0" };
	/* ::/64 covers unspecified, loopback, mapped and compatible addresses; fe80::/9 link-local
	 * and the old site-local ones. */
	static const char *const never[] = { "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3",
					     "::/64",	  "fe80::/9",	 "ff00::/8" };
	struct ranges whole = { 0 }, less = { 0 };
	struct addr_range r;
	bool stray;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!prefix_parse(all[i], &r, &stray) || !ranges_add(k, &whole, &r))
			return false;
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (!prefix_parse(never[i], &r, &stray) || !ranges_add(k, &less, &r))
			return false;
	ranges_merge(&less);
	return ranges_minus(k, &whole, &less, ret);
}

/* "::ffff:10.30.1.10": an IPv4 address in IPv6 form, which no packet on a wire has. */
static bool is_mapped_address(const struct addr *a)
{
	static const uint8_t lead[12] = { [10] = 0xff, [11] = 0xff };

	return a->family == 6 && memcmp(a->b, lead, sizeof(lead)) == 0;
}

/* Suggests what was meant, with the value that was written; shows the form when that is unknown. */
static void address_hint(struct check *k, struct diag *g, const char *text, bool network)
{
	const char *meant = k->d->errors <= DIAG_SHOWN ? meant_address(k->a, network, text) : NULL;

	if (network && meant_everything(meant_plain(k->a, text)))
		diag_hint(k->d, g, MP_HINT_REST);
	else if (meant != NULL)
		diag_hint(k->d, g, MP_HINT_WRITE, meant);
	else
		diag_hint(k->d, g, MP_HINT_ADDRESS);
}

bool address_of(struct check *k, const struct ast_node *node, struct object o, struct addr_range *ret)
{
	char meant[2 * ADDR_TEXT + 2];
	struct diag *g;
	bool stray;

	if (prefix_parse(node->string, ret, &stray) || span_parse(node->string, ret)) {
		if (!is_mapped_address(&ret->lo))
			return true;
		check_value(k, SEV_ERROR, "policy.address", node, MP_ADDRESS_MAPPED, o, node->string);
		return false;
	}
	if (stray) {
		addr_range_text(ret, meant, sizeof(meant));
		g = check_value(k, SEV_ERROR, "policy.address", node, MP_STRAY_BITS, o, node->string);
		diag_hint(k->d, g, MP_HINT_STRAY, meant, (int)strcspn(node->string, "/"), node->string);
		return false;
	}
	g = check_value(k, SEV_ERROR, "policy.address", node, MP_ADDRESS_BAD, o, node->string);
	address_hint(k, g, node->string, o.noun != MP_OBJ_ASSET && o.noun != MP_OBJ_CONDUIT);
	return false;
}
