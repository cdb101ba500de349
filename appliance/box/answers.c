/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the box splits a network, it answers ARP and neighbour discovery on each side for the hosts
 * of the other sides. The kernel sends these answers, but only while it forwards, and only if its
 * route to the host leads to another device.
 */
#include <errno.h>
#include <stdlib.h>

#include "appliance/box/box_private.h"
#include "appliance/box/rtnl_address.h"

static int by_host(const void *pa, const void *pb)
{
	const struct rtnl_answer *a = pa, *b = pb;

	return addr_cmp(&a->host, &b->host);
}

static int by_address(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

static bool answer_wanted(const struct ir_interface *i, const struct addr *a)
{
	for (uint32_t n = 0; n < i->n_answers; n++)
		if (addr_in(a, &i->answers[n]))
			return true;
	return false;
}

int box_answers(struct rtnl *r, uint32_t index, const struct ir *ir, const struct ir_interface *i, struct err *e)
{
	struct rtnl_answer *have = NULL;
	size_t n = 0;
	int status = rtnl_answers(r, index, &have, &n, e);

	if (n > 0)
		qsort(have, n, sizeof(*have), by_host);
	for (size_t k = 0; k < n && status == 0; k++)
		if (!answer_wanted(i, &have[k].host)) {
			status = rtnl_answer_change(r, index, &have[k], false, e);
			if (status == -ENOENT)
				status = 0; /* the entry disappeared together with its interface */
		}
	for (uint32_t k = 0; k < i->n_answers && status == 0; k++) {
		struct rtnl_answer a = { .host = i->answers[k].lo };

		for (bool more = true; more && status == 0;) {
			const struct rtnl_answer *there = n == 0 ? NULL : bsearch(&a, have, n, sizeof(*have), by_host);

			a.router = ir_is_router(ir, &a.host);
			if (there == NULL || there->router != a.router)
				status = rtnl_answer_change(r, index, &a, true, e);
			more = addr_cmp(&a.host, &i->answers[k].hi) < 0 && addr_next(&a.host, &a.host);
		}
	}
	free(have);
	return status;
}

size_t box_joined(struct addr *list, size_t n, struct addr_range *ret)
{
	size_t made = 0;

	if (n > 0)
		qsort(list, n, sizeof(*list), by_address);
	for (size_t k = 0; k < n; k++) {
		struct addr next = list[k];

		if (made > 0 && addr_cmp(&ret[made - 1].hi, &list[k]) == 0)
			continue;
		if (made > 0 && addr_next(&ret[made - 1].hi, &next) && addr_cmp(&next, &list[k]) == 0)
			ret[made - 1].hi = list[k];
		else
			ret[made++] = (struct addr_range){ list[k], list[k] };
	}
	return made;
}
