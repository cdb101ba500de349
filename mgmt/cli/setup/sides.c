/* SPDX-License-Identifier: Apache-2.0 */
#include "mgmt/cli/setup/sides.h"
#include "mgmt/cli/setup/setup.h"

#include <string.h>

/* The text before `end` as an address. */
static bool first_address(const char *text, const char *end, struct addr *ret)
{
	char alone[ADDR_TEXT];

	if (end == NULL || (size_t)(end - text) >= sizeof(alone))
		return false;
	memcpy(alone, text, (size_t)(end - text));
	alone[end - text] = '\0';
	return addr_parse(alone, ret);
}

/* Addresses that no zone can have (docs/policy-language.md, "rest"): such networks cannot be
 * divided. */
static bool is_no_unicast(const struct addr_range *r)
{
	static const char *const never[] = { "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3",
					     "::/64",	  "fe80::/9",	 "ff00::/8" };
	struct addr_range one, both;
	bool stray;

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (prefix_parse(never[i], &one, &stray) && addr_range_meet(&one, r, &both))
			return true;
	return false;
}

/* The network's first address: in IPv6 it means every router there (RFC 4291, 2.6.1). In IPv4 also
 * the last one, the broadcast address. */
static bool is_first_or_last(const struct addr *a, const struct addr_range *net)
{
	return addr_cmp(a, &net->lo) == 0 || (a->family == 4 && addr_cmp(a, &net->hi) == 0);
}

bool sides_is_host(const struct addr *a, const struct addr_range *net)
{
	const struct addr_range one = { *a, *a };
	unsigned length = 0;
	bool small = addr_range_is_prefix(net, &length) && length >= (a->family == 4 ? 31u : 127u);

	return !is_no_unicast(&one) && (small || !is_first_or_last(a, net));
}

enum side_fault sides_network(struct sides *s, const char *text)
{
	struct side_network x = { .own = { .family = 0 } };
	unsigned length = 0;
	bool stray = false;

	if (!first_address(text, strchr(text, '/'), &x.own) || (!prefix_parse(text, &x.range, &stray) && !stray) ||
	    !addr_range_is_prefix(&x.range, &length))
		return SIDE_WORD;
	for (size_t i = 0; i < s->n_networks; i++)
		if (s->networks[i].own.family == x.own.family)
			return SIDE_TWICE;
	/* Room for the box, a host on each side, and in IPv4 the network and broadcast
	 * addresses. */
	if (length > (x.own.family == 4 ? 29u : 126u))
		return SIDE_SMALL;
	if (is_no_unicast(&x.range) || is_first_or_last(&x.own, &x.range))
		return SIDE_NOBODY;
	/* at most one network of each family */
	s->networks[s->n_networks++] = x;
	return SIDE_GOOD;
}

static const struct side_network *network_of(const struct sides *s, const struct addr_range *r)
{
	for (size_t i = 0; i < s->n_networks; i++)
		if (addr_in(&r->lo, &s->networks[i].range) && addr_in(&r->hi, &s->networks[i].range))
			return &s->networks[i];
	return NULL;
}

/* An address that no host can have, or the box's. */
static bool is_nobody(const struct side_network *x, const struct addr_range *r)
{
	return addr_cmp(&r->lo, &r->hi) == 0 && (is_first_or_last(&r->lo, &x->range) || addr_cmp(&r->lo, &x->own) == 0);
}

static bool hosts_parse(const char *text, struct addr_range *ret)
{
	const char *dash = strchr(text, '-');
	bool stray;

	if (dash == NULL)
		return prefix_parse(text, ret, &stray);
	return first_address(text, dash, &ret->lo) && addr_parse(dash + 1, &ret->hi) &&
	       ret->lo.family == ret->hi.family && addr_cmp(&ret->lo, &ret->hi) <= 0;
}

static bool meets(const struct sides *s, size_t side, const struct addr_range *r)
{
	struct addr_range both;

	for (size_t i = 0; i < s->n_hosts[side]; i++)
		if (addr_range_meet(&s->hosts[side][i], r, &both))
			return true;
	return false;
}

enum side_fault sides_host(struct sides *s, size_t side, const char *text)
{
	const struct side_network *x;
	struct addr_range r;

	if (!hosts_parse(text, &r))
		return SIDE_WORD;
	x = network_of(s, &r);
	if (x == NULL)
		return SIDE_OUTSIDE;
	if (is_nobody(x, &r))
		return SIDE_NOBODY;
	if (meets(s, 1 - side, &r))
		return SIDE_TAKEN;
	if (s->n_hosts[side] == SIDE_HOSTS)
		return SIDE_MANY;
	s->hosts[side][s->n_hosts[side]++] = r;
	return SIDE_GOOD;
}

bool sides_names(const struct sides *s, size_t side, size_t n)
{
	return meets(s, side, &s->networks[n].range);
}

enum side_fault sides_gateway(struct sides *s, size_t n, const char *text)
{
	struct side_network *x = &s->networks[n];
	struct addr_range r;

	if (!addr_parse(text, &r.lo))
		return SIDE_WORD;
	r.hi = r.lo;
	if (!addr_in(&r.lo, &x->range))
		return SIDE_OUTSIDE;
	if (is_nobody(x, &r))
		return SIDE_NOBODY;
	x->gateway = r.lo;
	return SIDE_GOOD;
}

size_t sides_of(const struct sides *s, const struct addr *host)
{
	const struct addr_range one = { *host, *host };

	for (size_t i = 0; i < SIDES; i++)
		if (meets(s, i, &one))
			return i;
	for (size_t i = 0; i < SIDES; i++)
		if (s->n_hosts[i] == 0)
			return i;
	return SIDES;
}
